package dtype

import (
	"math/rand/v2"
	"testing"
)

// Rows are known if and only if they were added, as long as there are few ranges; of many, none is known that was not added.
func TestChecked(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, size := range []int64{40, 4000} {
		c, added := &Checked{}, make([]bool, size)
		for range 3000 {
			a := rng.Int64N(size)
			b := a + 1 + rng.Int64N(min(size-a, 5))
			if rng.IntN(10) == 0 {
				c.add(a, b)
				for i := a; i < b; i++ {
					added[i] = true
				}
			}
			b = a + 1 + rng.Int64N(size-a)
			all := true
			for _, x := range added[a:b] {
				all = all && x
			}
			if got := c.has(a, b); got && !all || !got && all && size <= maxChecked {
				t.Fatalf("rows [%d,%d) of %v: %v", a, b, c.rows, got)
			}
		}
	}
	c := &Checked{}
	for i := range int64(10 * maxChecked) {
		c.add(2*i, 2*i+1)
	}
	if len(c.rows) != maxChecked || !c.has(0, 1) || c.has(0, 2) {
		t.Errorf("%d ranges", len(c.rows))
	}
	c.add(0, 20*maxChecked)
	if len(c.rows) != 1 || !c.has(1, 20*maxChecked) {
		t.Errorf("after all was added: %v", c.rows)
	}
	var none *Checked
	if none.add(0, 1); none.has(0, 1) {
		t.Error("nil knows rows")
	}
}

// Text that was found to be UTF-8 is not looked at again. Its offsets are, and so is text that was valid only because of nulls.
func TestBuildStringsChecked(t *testing.T) {
	c := &Checked{}
	build := func(data string, row0 int64, valid *byte, offsets ...int64) bool {
		raw := StringsRaw{Data: []byte(data), Offsets: offsetBytes(4, false, offsets...), OffsetWidth: 4, Rows: len(offsets) - 1, Row0: row0, Nulls: -1, Checked: c}
		if valid != nil {
			raw.Valid = Bitmap{Bits: []byte{*valid}}
		}
		a, err := BuildStrings(raw, Options{}, testEnv(t))
		if err != nil {
			return false
		}
		a.Release()
		return true
	}
	first := byte(0b01)
	for i, s := range []struct {
		ok      bool
		data    string
		row0    int64
		valid   *byte
		offsets []int64
	}{
		{true, "aé", 5, nil, []int64{0, 1, 3}},
		{true, "a\xff\xff", 5, nil, []int64{0, 1, 3}}, // not looked at
		{true, "a\xff", 6, nil, []int64{1, 2}},        // a part of them
		{false, "a\xff", 4, nil, []int64{0, 1, 2}},    // one before them
		{false, "a\xff", 6, nil, []int64{0, 1, 2}},    // one after them
		{false, "aé", 5, nil, []int64{0, 3, 1}},
		{false, "aé", 5, nil, []int64{0, 1, 4}},
		{true, "a\xff", 10, &first, []int64{0, 1, 2}}, // by the null
		{false, "a\xff", 10, nil, []int64{0, 1, 2}},
		{true, "", 20, nil, []int64{0}},
		{false, "\xff", 20, nil, []int64{0, 1}},
	} {
		if build(s.data, s.row0, s.valid, s.offsets...) != s.ok {
			t.Errorf("%d: %q from row %d: want %v", i, s.data, s.row0, s.ok)
		}
	}
}
