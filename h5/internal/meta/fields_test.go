package meta

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

func TestFields(t *testing.T) {
	for _, size := range []int{2, 4, 8, 16, 32} {
		r := NewReader(bytes.NewReader(make([]byte, 100)), 100, Limits{})
		r.OffsetSize, r.LengthSize = size, size
		field := func(v uint64, high byte) []byte {
			p := binary.LittleEndian.AppendUint64(nil, v)
			for len(p) < size {
				p = append(p, high)
			}
			return append(p[:size:size], 1, 2, 3)
		}
		top := uint64(1)<<(8*min(size, 8)-1) + 5
		for _, v := range []uint64{0, 1, 258, top} {
			c := r.CursorOver(field(v, 0), 0)
			if a, l := r.Addr(field(v, 0)), r.Len(field(v, 0)); a != v || l != v || c.Address() != v {
				t.Errorf("%d bytes: address %d, length %d, want %d", size, a, l, v)
			}
		}
		if a, l := r.Addr(field(Undefined, 0xff)), r.Len(field(Undefined, 0xff)); a != Undefined || l != Undefined {
			t.Errorf("%d bytes: undefined is %d, %d", size, a, l)
		}
		if size <= 8 {
			continue
		}
		// What does not fit is in no file, and is not undefined.
		for _, p := range [][]byte{field(1, 1), field(Undefined, 0), field(Undefined, 1)} {
			a := r.Addr(p)
			if _, err := r.FileOffset(a, 0); a == Undefined || err == nil {
				t.Errorf("%d bytes: % x is %d", size, p, a)
			}
		}
	}
	if v := LE([]byte{1, 2, 3}); v != 0x030201 {
		t.Errorf("LE is %#x", v)
	}
	if v := LE(nil); v != 0 {
		t.Errorf("LE of nothing is %d", v)
	}
}

func TestVerified(t *testing.T) {
	data := make([]byte, 20, 64)
	copy(data[4:], "ABCD some bytes.")
	data = binary.LittleEndian.AppendUint32(data, Checksum(data[4:20]))
	data = append(data, 0)
	type extent struct {
		off, n int64
		what   string
	}
	var got []extent
	reader := func(p []byte) *Reader {
		r := NewReader(bytes.NewReader(p), int64(len(p)), Limits{})
		r.SetBase(1)
		r.OnExtent = func(off, n int64, what string) { got = append(got, extent{off, n, what}) }
		return r
	}
	p, err := reader(data).Verified(3, 20, "ABCD", "thing")
	if err != nil || string(p) != "ABCD some bytes." {
		t.Errorf("got %q, %v", p, err)
	}
	if len(got) != 1 || got[0] != (extent{4, 20, "thing"}) {
		t.Errorf("extents %v", got)
	}
	for _, tt := range []struct {
		name string
		addr uint64
		n    int
		sig  string
		flip int
		kind h5err.Kind
	}{
		{"signature", 3, 20, "ABCE", 0, h5err.Corrupt},
		{"checksum", 3, 20, "ABCD", 21, h5err.Corrupt},
		{"body", 3, 20, "ABCD", 10, h5err.Corrupt},
		{"short", 3, 7, "ABCD", 0, h5err.Corrupt},
		{"negative", 3, -1, "ABCD", 0, h5err.Corrupt},
		{"outside", 20, 20, "ABCD", 0, h5err.Corrupt},
		{"undefined", Undefined, 20, "ABCD", 0, h5err.Corrupt},
		{"enormous", 3, MaxStructure + 1, "ABCD", 0, h5err.Limit},
	} {
		bad := bytes.Clone(data)
		bad[tt.flip] ^= 1
		if _, err := reader(bad).Verified(tt.addr, tt.n, tt.sig, "thing"); !h5err.Is(err, tt.kind) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if tt.flip == 0 {
			continue
		}
		r := reader(bad)
		r.AnyChecksum = true
		if _, err := r.Verified(tt.addr, tt.n, tt.sig, "thing"); err != nil {
			t.Errorf("%s, unchecked: %v", tt.name, err)
		}
	}
	if len(got) != 3 {
		t.Errorf("%d extents, one of each structure that was read is due", len(got))
	}
}

// TestChecksum compares with values of Jenkins' lookup3.c: hashlittle of its own test strings.
func TestChecksum(t *testing.T) {
	for s, want := range map[string]uint32{
		"":                               0xdeadbeef,
		"Four score and seven years ago": 0x17770551,
	} {
		if got := Checksum([]byte(s)); got != want {
			t.Errorf("%q: %#08x, want %#08x", s, got, want)
		}
	}
}
