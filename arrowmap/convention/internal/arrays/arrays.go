// Package arrays computes Arrow arrays of others: numbers of any width as floats or as int64, new values under the old
// validity.
package arrays

import (
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// Integers converts an array of integers, which count units of time. Unsigned ones above the range of int64 are given the
// least int64, which is not a time. out has the length of in.
func Integers(in arrow.Array, out []int64) error {
	switch a := in.(type) {
	case *array.Int8:
		widen(out, a.Int8Values())
	case *array.Uint8:
		widen(out, a.Uint8Values())
	case *array.Int16:
		widen(out, a.Int16Values())
	case *array.Uint16:
		widen(out, a.Uint16Values())
	case *array.Int32:
		widen(out, a.Int32Values())
	case *array.Uint32:
		widen(out, a.Uint32Values())
	case *array.Int64:
		widen(out, a.Int64Values())
	case *array.Uint64:
		for i, v := range a.Uint64Values() {
			if out[i] = int64(v); v > math.MaxInt64 {
				out[i] = math.MinInt64
			}
		}
	default:
		return h5err.New(h5err.Unsupported, "times of type %s", in.DataType())
	}
	return nil
}

func widen[T int8 | uint8 | int16 | uint16 | int32 | uint32 | int64](out []int64, in []T) {
	for i, v := range in {
		out[i] = int64(v)
	}
}

// Float is a type that numbers are computed in.
type Float interface{ float32 | float64 }

// NewFloats allocates n numbers. The caller releases the buffer, and doesn't use the slice after that.
func NewFloats[F Float](n int, mem memory.Allocator) (*memory.Buffer, []F) {
	var f F
	buf := memory.NewResizableBuffer(mem)
	if any(f) == any(float32(0)) {
		buf.Resize(4 * n)
		return buf, any(arrow.Float32Traits.CastFromBytes(buf.Bytes())).([]F)
	}
	buf.Resize(8 * n)
	return buf, any(arrow.Float64Traits.CastFromBytes(buf.Bytes())).([]F)
}

// Floats converts an array of numbers. out has the length of in.
func Floats[F Float](in arrow.Array, out []F) error {
	switch a := in.(type) {
	case *array.Int8:
		convert(out, a.Int8Values())
	case *array.Uint8:
		convert(out, a.Uint8Values())
	case *array.Int16:
		convert(out, a.Int16Values())
	case *array.Uint16:
		convert(out, a.Uint16Values())
	case *array.Int32:
		convert(out, a.Int32Values())
	case *array.Uint32:
		convert(out, a.Uint32Values())
	case *array.Int64:
		convert(out, a.Int64Values())
	case *array.Uint64:
		convert(out, a.Uint64Values())
	case *array.Float32:
		convert(out, a.Float32Values())
	case *array.Float64:
		convert(out, a.Float64Values())
	default:
		return h5err.New(h5err.Unsupported, "numbers of type %s", in.DataType())
	}
	return nil
}

func convert[F Float, T int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64 | float32 | float64](out []F, in []T) {
	for i, v := range in {
		out[i] = F(v)
	}
}

// WithValues returns an array of new values with the validity of another array. It keeps a reference to values.
func WithValues(in arrow.Array, t arrow.DataType, values *memory.Buffer) arrow.Array {
	d := in.Data()
	var valid *memory.Buffer
	if in.NullN() > 0 {
		valid = d.Buffers()[0]
	}
	offset := 0
	if valid != nil && d.Offset() != 0 {
		valid = movedBits(valid, d.Offset(), d.Len())
		defer valid.Release()
	}
	data := array.NewData(t, d.Len(), []*memory.Buffer{valid, values}, nil, in.NullN(), offset)
	defer data.Release()
	return array.MakeFromData(data)
}

// Without returns an array in which the elements that gone returns true for are null. It takes over arr.
func Without(arr arrow.Array, gone func(i int) bool, mem memory.Allocator) arrow.Array {
	var valid []byte
	nulls := 0
	for i := range arr.Len() {
		if arr.IsNull(i) {
			nulls++
			continue
		}
		if !gone(i) {
			continue
		}
		if valid == nil {
			valid = make([]byte, (arr.Len()+7)/8)
			for k := range arr.Len() {
				if arr.IsValid(k) {
					valid[k/8] |= 1 << (k % 8)
				}
			}
		}
		valid[i/8] &^= 1 << (i % 8)
		nulls++
	}
	if valid == nil {
		return arr
	}
	defer arr.Release()
	d := arr.Data()
	bits := memory.NewResizableBuffer(mem)
	defer bits.Release()
	bits.Resize(d.Offset()/8 + len(valid) + 1)
	clear(bits.Bytes())
	nullbitmap.Copy(bits.Bytes(), d.Offset(), valid, 0, arr.Len())
	bufs := append([]*memory.Buffer{bits}, d.Buffers()[1:]...)
	data := array.NewData(arr.DataType(), d.Len(), bufs, d.Children(), nulls, d.Offset())
	defer data.Release()
	return array.MakeFromData(data)
}

// movedBits returns a copy of bits that starts at bit 0.
func movedBits(b *memory.Buffer, off, n int) *memory.Buffer {
	out := memory.NewResizableBuffer(memory.DefaultAllocator)
	out.Resize((n + 7) / 8)
	p := out.Bytes()
	clear(p)
	nullbitmap.Copy(p, 0, b.Bytes(), off, n)
	return out
}

// Nested returns the type of rows of a shape whose items have type t: lists of fixed size. ok is false for shapes that
// those can't have.
func Nested(t arrow.DataType, dims []uint64) (nested arrow.DataType, ok bool) {
	for _, n := range slices.Backward(dims) {
		if n < 1 || n > math.MaxInt32 {
			return nil, false
		}
		t = arrow.FixedSizeListOf(int32(n), t)
	}
	return t, true
}

// Itemwise rebuilds nested lists of fixed size, of type t, around what fn makes of their items. An error that fn returns
// beside an array is returned beside the lists.
func Itemwise(in arrow.Array, t arrow.DataType, fn func(arrow.Array) (arrow.Array, error)) (arrow.Array, error) {
	l, ok := in.(*array.FixedSizeList)
	lt, ok2 := t.(*arrow.FixedSizeListType)
	if !ok || !ok2 {
		return fn(in)
	}
	items, note := Itemwise(l.ListValues(), lt.Elem(), fn)
	if items == nil {
		return nil, note
	}
	defer items.Release()
	d := l.Data()
	data := array.NewData(t, d.Len(), []*memory.Buffer{d.Buffers()[0]}, []arrow.ArrayData{items.Data()}, l.NullN(), d.Offset())
	defer data.Release()
	return array.MakeFromData(data), note
}
