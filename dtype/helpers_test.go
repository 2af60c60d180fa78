package dtype

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Types of the tests.

func intT(size int, signed bool, o h5.ByteOrder) *h5.Type {
	return &h5.Type{Class: h5.ClassFixed, Size: size, Order: o, Signed: signed, Precision: 8 * size}
}

func le(size int) *h5.Type  { return intT(size, true, h5.LittleEndian) }
func be(size int) *h5.Type  { return intT(size, true, h5.BigEndian) }
func leu(size int) *h5.Type { return intT(size, false, h5.LittleEndian) }

func oddT(size, shift, precision int, signed bool, o h5.ByteOrder) *h5.Type {
	return &h5.Type{Class: h5.ClassFixed, Size: size, Order: o, Signed: signed, BitOffset: shift, Precision: precision}
}

func bitsT(size int, o h5.ByteOrder) *h5.Type {
	return &h5.Type{Class: h5.ClassBitfield, Size: size, Order: o, Precision: 8 * size}
}

func strT(size int, pad h5.StringPad) *h5.Type {
	return &h5.Type{Class: h5.ClassString, Size: size, Pad: pad}
}

func vstrT() *h5.Type {
	return &h5.Type{Class: h5.ClassVLen, Size: 16, VarString: true, Base: strT(1, h5.NullTerm)}
}

func vlenT(base *h5.Type) *h5.Type { return &h5.Type{Class: h5.ClassVLen, Size: 16, Base: base} }

func arrayT(base *h5.Type, dims ...uint64) *h5.Type {
	n := base.Size
	for _, d := range dims {
		n *= int(d)
	}
	return &h5.Type{Class: h5.ClassArray, Size: n, Base: base, Dims: dims}
}

func enumT(base *h5.Type, members ...any) *h5.Type {
	t := &h5.Type{Class: h5.ClassEnum, Size: base.Size, Order: base.Order, Base: base}
	for i := 0; i < len(members); i += 2 {
		t.Names = append(t.Names, members[i].(string))
		x := make([]byte, 8)
		base.Order.Binary().PutUint64(x, uint64(reflect.ValueOf(members[i+1]).Int()))
		if base.Order == h5.BigEndian {
			x = x[8-base.Size:]
		}
		t.Values = append(t.Values, x[:base.Size]...)
	}
	return t
}

func boolT() *h5.Type { return enumT(le(1), "FALSE", 0, "TRUE", 1) }

func compoundT(size int, members ...any) *h5.Type {
	t := &h5.Type{Class: h5.ClassCompound, Size: size}
	for i := 0; i < len(members); i += 3 {
		t.Members = append(t.Members, h5.Member{Name: members[i].(string), Offset: members[i+1].(int), Type: members[i+2].(*h5.Type)})
	}
	return t
}

func opaqueT(size int, tag string) *h5.Type {
	return &h5.Type{Class: h5.ClassOpaque, Size: size, Tag: tag}
}

// unhex reads bytes written in hex, with spaces between.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// heapMap is a heap for tests, by address and index.
type heapMap map[[2]uint64][]byte

func (h heapMap) Object(addr uint64, index uint32) ([]byte, error) {
	b, ok := h[[2]uint64{addr, uint64(index)}]
	if !ok {
		return nil, h5err.New(h5err.Corrupt, "no heap object %d at %d", index, addr)
	}
	return b, nil
}

// put adds an object and returns the element that points to it.
func (h heapMap) put(length int, b []byte) []byte {
	i := uint64(len(h) + 1)
	h[[2]uint64{4096, i}] = b
	return heapElement(uint32(length), 4096, uint32(i))
}

func heapElement(length uint32, addr uint64, index uint32) []byte {
	e := make([]byte, 16)
	binary.LittleEndian.PutUint32(e, length)
	binary.LittleEndian.PutUint64(e[4:], addr)
	binary.LittleEndian.PutUint32(e[12:], index)
	return e
}

// testEnv returns an environment whose memory must all be released at the test's end.
func testEnv(t testing.TB) *Env {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	return &Env{Alloc: mem, OffsetSize: 8, Where: "/d", Heap: heapMap{}}
}

// plan makes a plan that must succeed.
func plan(t testing.TB, src Source, o Options) *Plan {
	t.Helper()
	p, err := New(src, o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return p
}

// render spells an array's values, "null" for nulls.
func render(a arrow.Array) string { return fmt.Sprint(a) }

// validate fails unless a is sound at every level: its type, bounds, exact null counts and zeros behind the last bit.
func validate(t testing.TB, a arrow.Array) {
	t.Helper()
	d := a.Data()
	if v, ok := a.(interface {
		Validate() error
		ValidateFull() error
	}); ok {
		check := v.ValidateFull
		if _, text := a.(array.StringLike); text && a.NullN() > 0 {
			check = v.Validate // the full one wants UTF-8 under nulls, too
		}
		if err := check(); err != nil {
			t.Errorf("%v: %v", a.DataType(), err)
		}
	}
	if len(d.Buffers()) > 0 {
		buf := d.Buffers()[0]
		switch {
		case buf == nil:
			if d.NullN() != 0 {
				t.Errorf("%v: %d nulls without a bitmap", a.DataType(), d.NullN())
			}
		default:
			nulls, n := 0, a.Len()
			for i := range buf.Len() * 8 {
				set := buf.Bytes()[i/8]>>(i%8)&1 != 0
				if i < n && !set {
					nulls++
				}
				if i >= n && set {
					t.Errorf("%v: bit %d of %d is set", a.DataType(), i, n)
				}
			}
			if nulls != d.NullN() {
				t.Errorf("%v: declares %d nulls, has %d", a.DataType(), d.NullN(), nulls)
			}
		}
	}
	switch x := a.(type) {
	case *array.Struct:
		for i := range x.NumField() {
			if x.Field(i).Len() != a.Len() {
				t.Errorf("field %d has %d rows of %d", i, x.Field(i).Len(), a.Len())
			}
			validate(t, x.Field(i))
		}
	case *array.FixedSizeList:
		if want := a.Len() * int(x.DataType().(*arrow.FixedSizeListType).Len()); x.ListValues().Len() != want {
			t.Errorf("%v: %d items of %d", a.DataType(), x.ListValues().Len(), want)
		}
		validate(t, x.ListValues())
	case *array.List:
		validate(t, x.ListValues())
	case *array.Dictionary:
		validate(t, x.Dictionary())
	case array.ExtensionArray:
		validate(t, x.Storage())
	}
}

// bitmapOf makes a bitmap at a bit offset, garbage around it; one digit a value, 1 valid.
func bitmapOf(digits string, offset int) Bitmap {
	b := make([]byte, (len(digits)+offset+7)/8+1)
	for i := range b {
		b[i] = 0xA5
	}
	for i, d := range digits {
		at := i + offset
		b[at/8] &^= 1 << (at % 8)
		if d == '1' {
			b[at/8] |= 1 << (at % 8)
		}
	}
	return Bitmap{b, offset}
}

// variants returns the ways in which the same rows can be handed to Build: copied, owned, mutable, strided, misaligned.
func variants(p *Plan, b []byte, rows int) map[string]func() Raw {
	return map[string]func() Raw{
		"copied": func() Raw { return Raw{Bytes: b, Rows: rows} },
		"owned": func() Raw {
			return Raw{Bytes: b, Rows: rows, Owner: memory.NewBufferBytes(b)}
		},
		"misaligned": func() Raw {
			all := append([]byte{1, 2, 3}, b...)
			return Raw{Bytes: all[3:], Rows: rows, Owner: memory.NewBufferBytes(all), OwnerOffset: 3}
		},
		"mutable": func() Raw {
			all := append([]byte{9}, b...)
			return Raw{Bytes: all[1:], Rows: rows, Owner: memory.NewBufferBytes(all), OwnerOffset: 1, Mutable: true}
		},
		"mutable without owner": func() Raw {
			return Raw{Bytes: append([]byte(nil), b...), Rows: rows, Mutable: true}
		},
		"swapped before": func() Raw {
			all := append([]byte(nil), b...)
			done := p.SwapInPlace(all)
			return Raw{Bytes: all, Rows: rows, Owner: memory.NewBufferBytes(all), Mutable: true, Swapped: done}
		},
		"strided": func() Raw {
			stride := p.RowBytes + 5
			all := make([]byte, 0, rows*stride)
			for i := range rows {
				all = append(append(all, b[i*p.RowBytes:(i+1)*p.RowBytes]...), 0xEE, 0xEE, 0xEE, 0xEE, 0xEE)
			}
			if rows > 0 {
				all = all[:len(all)-5]
			}
			return Raw{Bytes: all, Stride: stride, Rows: rows, Owner: memory.NewBufferBytes(all), Mutable: true}
		},
	}
}

// checkBuild builds rows in every variant and compares with want, the array as text.
func checkBuild(t *testing.T, p *Plan, env *Env, b []byte, rows int, valid string, want string) {
	t.Helper()
	if p.RowBytes*rows != len(b) {
		t.Fatalf("test of %d rows of %d bytes has %d bytes", rows, p.RowBytes, len(b))
	}
	for name, raw := range variants(p, b, rows) {
		for _, offset := range []int{0, 3} {
			r := raw()
			r.Nulls = -1
			if valid != "" {
				r.Valid = bitmapOf(valid, offset)
				if offset == 3 {
					r.Nulls = strings.Count(valid, "0")
				}
			}
			a, err := p.Build(r, env)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if got := render(a); got != want {
				t.Errorf("%s:\n got %s\nwant %s", name, got, want)
			}
			if !arrow.TypeEqual(a.DataType(), p.Arrow) {
				t.Errorf("%s: type %v, the plan says %v", name, a.DataType(), p.Arrow)
			}
			validate(t, a)
			a.Release()
		}
	}
}

// checkError builds rows and wants an error of a kind that holds all of texts.
func checkError(t *testing.T, p *Plan, env *Env, raw Raw, kind h5err.Kind, texts ...string) {
	t.Helper()
	a, err := p.Build(raw, env)
	if err == nil {
		t.Errorf("no error but %v", a)
		a.Release()
		return
	}
	wantError(t, err, kind, texts...)
}

func wantError(t *testing.T, err error, kind h5err.Kind, texts ...string) {
	t.Helper()
	var e *h5err.Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Errorf("error is not %v: %v", kind, err)
		return
	}
	for _, s := range texts {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("error lacks %q: %v", s, err)
		}
	}
}
