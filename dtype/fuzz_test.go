package dtype

import (
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/internal/dtest"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// dice takes decisions from fuzzed bytes.
type dice struct{ b []byte }

func (d *dice) byte() byte {
	if len(d.b) == 0 {
		return 0
	}
	x := d.b[0]
	d.b = d.b[1:]
	return x
}

// n returns a number below limit.
func (d *dice) n(limit int) int { return int(d.byte()) % limit }

// odd is true now and then.
func (d *dice) odd() bool { return d.byte() >= 240 }

func (d *dice) text() string {
	n := min(d.n(6), len(d.b))
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

// typ makes a type: mostly a sound one, now and then one that contradicts itself.
func (d *dice) typ(depth int) *h5.Type {
	t := &h5.Type{Class: h5.Class(1 + d.n(12)), Order: h5.ByteOrder(1 + d.n(2)), Size: 1 << d.n(4)}
	if depth == 0 {
		t.Class = h5.Class(1 + d.n(6))
	}
	t.Precision = 8 * t.Size
	if d.odd() {
		t.Size, t.BitOffset, t.Precision, t.Order = d.n(40), d.n(20)-1, d.n(100), h5.ByteOrder(d.n(5))
	}
	switch t.Class {
	case h5.ClassFixed:
		t.Signed = d.n(2) == 0
	case h5.ClassFloat:
		if f := types.Float(t.Size, t.Order); f != nil && !d.odd() {
			t.Float = f.Float
		} else if d.n(8) > 0 {
			t.Float = &h5.FloatFields{Sign: d.n(140), ExpLoc: d.n(130), ExpSize: d.n(20), MantLoc: d.n(130), MantSize: d.n(130), Bias: uint32(d.n(256)) << d.n(25), Norm: uint8(d.n(4))}
		}
	case h5.ClassString:
		t.Pad = h5.StringPad(d.n(4))
	case h5.ClassOpaque:
		t.Tag = []string{"", "x", "\xff", "NUMPY:<M8[s]", "NUMPY:>m8[D]", "NUMPY:M8[W]", "NUMPY:M8", "NUMPY:M8[", "NUMPY:|S4"}[d.n(9)]
	case h5.ClassCompound:
		at := 0
		for range d.n(5) {
			m := h5.Member{Name: d.text(), Offset: at, Type: d.typ(depth - 1)}
			if d.odd() {
				m.Offset = d.n(100) - 5
			}
			at += m.Type.Size
			t.Members = append(t.Members, m)
		}
		if t.Size = at + d.n(3); d.odd() {
			t.Size = d.n(50)
		}
	case h5.ClassReference:
		t.Ref = h5.RefKind(d.n(6))
	case h5.ClassEnum:
		t.Base = &h5.Type{Class: h5.ClassFixed, Size: t.Size, Order: t.Order, Signed: d.n(2) == 0, BitOffset: t.BitOffset, Precision: t.Precision}
		count := d.n(5)
		for range count {
			t.Names = append(t.Names, []string{"FALSE", "TRUE", "a", "b", "\xfe"}[d.n(5)])
			for range t.Size {
				t.Values = append(t.Values, d.byte()&3)
			}
		}
		if d.odd() {
			t.Values = append(t.Values, 1)
		}
	case h5.ClassVLen:
		t.Base = d.typ(depth - 1)
		t.VarString = d.n(2) == 0
		if t.Size = 16; d.odd() {
			t.Size = d.n(20)
		}
	case h5.ClassArray:
		t.Base = d.typ(depth - 1)
		t.Size = t.Base.Size
		for range 1 + d.n(2) {
			k := uint64(1 + d.n(3))
			if d.odd() {
				k = uint64(d.n(3)) << (8 * d.n(8))
			}
			t.Dims = append(t.Dims, k)
			t.Size *= int(k)
		}
	case h5.ClassComplex:
		t.Base = types.Float(8, t.Order)
		if t.Size = 16; d.odd() {
			t.Base, t.Size = d.typ(0), d.n(30)
		}
	}
	return t
}

// fuzzHeap gives pieces of fuzzed bytes as objects, until it has given enough: sequences of sequences that all are the
// same few bytes grow without end.
type fuzzHeap struct {
	b    []byte
	left int
}

func (h *fuzzHeap) Object(addr uint64, index uint32) ([]byte, error) {
	if addr > uint64(len(h.b)) {
		return nil, h5err.New(h5err.Corrupt, "no object at %d", addr)
	}
	if h.left -= len(h.b) - int(addr); h.left < 0 {
		return nil, h5err.New(h5err.Unsupported, "enough")
	}
	return h.b[addr:], nil
}

// FuzzBuild checks that New, Fits and Build neither panic nor leak, and that the arrays are valid, for any type and bytes.
func FuzzBuild(f *testing.F) {
	f.Add([]byte{}, []byte{})
	f.Add([]byte{0, 0, 2}, []byte{1, 2, 3, 4, 5, 6, 7, 8})
	f.Add([]byte{6, 0, 0, 0, 3, 1, 97, 0, 0, 2, 0}, []byte("abcdefghijklmnopqrstuvwxyz"))
	f.Add([]byte{9, 0, 0, 0, 0, 0, 2}, []byte{3, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 'a', 'b', 'c', 0xff})
	f.Add([]byte{10, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 1, 1}, make([]byte, 200))
	for class := range byte(12) {
		f.Add([]byte{class, 1, 3, 0, 1, 1, 1, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 3, 4}, []byte("0123456789abcdef0123456789abcdef0123456789abcdef"))
	}
	attrs := []string{"", "", "", "", "M8[s]", "datetime64[W]", "m8[h]", "utf32", "bool", "float64", "S4", "U2", "V8", "c16", "int32", "banana", "str", "M8"}
	f.Fuzz(func(t *testing.T, shape, data []byte) {
		if len(shape) > 200 || len(data) > 4096 {
			t.Skip()
		}
		d := &dice{shape}
		src := Source{Type: d.typ(3), DType: attrs[d.n(len(attrs))], HasDLength: d.n(2) == 0, DLength: int64(d.n(5)) - 1, Bitfield8AsBool: d.n(2) == 0}
		for range d.n(3) {
			src.Dims = append(src.Dims, uint64(d.n(4)))
		}
		if d.odd() {
			src.Dims = append(src.Dims, 1<<d.n(64))
		}
		opt := Options{Strings: Strings(d.n(3)), Enum: Enum(d.n(2)), Tensor: d.n(2) == 0, NaNAsNull: d.n(2) == 0, NullRows: d.n(2) == 0}
		_ = src.Type.String()
		p, err := New(src, opt)
		if err != nil {
			known(t, err)
			return
		}
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		defer mem.AssertSize(t, 0)
		env := &Env{Alloc: mem, Heap: &fuzzHeap{data, 1 << 18}, OffsetSize: 8, Where: "/d", RefPath: func(ref []byte) (string, bool, error) {
			return string(ref[:len(ref)/2]), ref[0] == 0, nil
		}}
		raw := Raw{Bytes: data, Stride: p.RowBytes + d.n(3), Nulls: -1, Mutable: d.n(2) == 0}
		if p.RowBytes > len(data) {
			raw.Rows = d.n(2)
		} else {
			raw.Rows = (len(data)-p.RowBytes)/raw.Stride + d.n(2)
		}
		if d.n(2) == 0 {
			raw.Owner = memory.NewBufferBytes(raw.Bytes)
		}
		if items := raw.Rows * int(p.Items); d.n(2) == 0 && items < 1<<16 {
			raw.Valid = Bitmap{Bits: make([]byte, items/8+2), Offset: d.n(8)}
			for i := range raw.Valid.Bits {
				raw.Valid.Bits[i] = d.byte() ^ 0x5a
			}
		}
		fits := p.Fits(raw, env)
		if fits > raw.Rows || fits < 1 && raw.Rows > 0 {
			t.Fatalf("%d of %d rows fit", fits, raw.Rows)
		}
		a, err := p.Build(raw, env)
		if err != nil {
			known(t, err)
			return
		}
		defer a.Release()
		if a.Len() != raw.Rows || a.DataType().Fingerprint() != p.Arrow.Fingerprint() && !strings.Contains(p.Arrow.String(), TensorName) {
			t.Fatalf("%d rows of %v, want %d of %v", a.Len(), a.DataType(), raw.Rows, p.Arrow)
		}
		dtest.Validate(t, a)
		_ = render(a)
	})
}

// known fails unless err is one of this module's, of a kind that a file may cause.
func known(t *testing.T, err error) {
	var e *h5err.Error
	if !errors.As(err, &e) || e.Kind != h5err.Corrupt && e.Kind != h5err.Unsupported && e.Kind != h5err.Argument {
		t.Fatalf("%T: %v", err, err)
	}
}

// FuzzBuildStrings checks that BuildStrings neither panics nor leaks, and that its arrays are valid, for any input.
func FuzzBuildStrings(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0}, []byte("aé"), uint8(0), int64(0))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6}, []byte("ab"), uint8(3), int64(5))
	f.Fuzz(func(t *testing.T, offsets, data []byte, flags uint8, start int64) {
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		defer mem.AssertSize(t, 0)
		width := 4 << (flags & 1)
		raw := StringsRaw{
			Data: data, DataStart: start, Offsets: offsets, OffsetWidth: width, OffsetsBig: flags&2 != 0,
			Rows: len(offsets)/width - 1, Nulls: -1,
		}
		if flags&4 != 0 && raw.Rows > 0 {
			raw.Valid = Bitmap{Bits: make([]byte, raw.Rows/8+1)}
			for i := range raw.Valid.Bits {
				raw.Valid.Bits[i] = flags ^ byte(i*37)
			}
		}
		a, err := BuildStrings(raw, Options{Strings: Strings(flags >> 3 % 3)}, &Env{Alloc: mem, Where: "/d"})
		if err != nil {
			known(t, err)
			return
		}
		dtest.Validate(t, a)
		_ = render(a)
		a.Release()
	})
}
