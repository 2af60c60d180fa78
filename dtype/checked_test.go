package dtype

import (
	"testing"

	"github.com/h5arrow/h5arrow/dtype/rowset"
)

// Text that was found to be UTF-8 is not looked at again. Its offsets are, and so is text that was valid only because of nulls.
func TestBuildStringsChecked(t *testing.T) {
	c := &rowset.Rows{}
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
