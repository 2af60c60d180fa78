//go:build duckdb_arrow && cgo

// Package vector copies rows of Arrow arrays into vectors of the engine, and maps Arrow types to its types.
package vector

// #include "text.h"
import "C"

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/float16"
	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/nullbitmap"
)

// A Filler copies rows of Arrow arrays of one type into vectors. It belongs to one thread of the engine. Arrays may lie
// in the mapping of a file that changes meanwhile: what matters for safety (offsets, indices, text) is copied before it is
// checked, and checked before the engine sees it.
type Filler interface {
	// Fill writes rows [off,off+n) of arr to the first n rows of v. A row whose bit in up is 0 is null, whatever
	// arr says; a nil up is all ones.
	Fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error
	// Close frees what the engine holds for it.
	Close()
}

// New returns a filler for a type that LogicalType knows. Dictionaries of a whole column become dictionary vectors;
// inside other types their values are written.
func New(t arrow.DataType, top bool) Filler {
	switch t := t.(type) {
	case *arrow.NullType:
		return &nullFiller{}
	case *arrow.BooleanType:
		return &boolFiller{}
	case *arrow.Float16Type:
		return &halfFiller{}
	case *arrow.TimestampType:
		if t.TimeZone != "" {
			return &timeFiller{scale: scales[t.Unit]}
		}
	case *arrow.DurationType:
		return &durationFiller{scale: scales[t.Unit]}
	case *arrow.StringType:
		return &textFiller{width: 4, text: true}
	case *arrow.LargeStringType:
		return &textFiller{width: 8, text: true}
	case *arrow.BinaryType:
		return &textFiller{width: 4}
	case *arrow.LargeBinaryType:
		return &textFiller{width: 8}
	case *arrow.FixedSizeBinaryType:
		return &textFiller{fixed: t.ByteWidth}
	case *arrow.DictionaryType:
		d := dictionary{index: t.IndexType.(arrow.FixedWidthDataType).Bytes(), signed: arrow.IsSignedInteger(t.IndexType.ID())}
		if top {
			return &dictionaryFiller{dictionary: d, typ: t.ValueType, values: New(t.ValueType, false)}
		}
		return &expandedFiller{dictionary: d, values: New(t.ValueType, false)}
	case *arrow.ListType:
		return &listFiller{width: 4, child: New(t.Elem(), false)}
	case *arrow.LargeListType:
		return &listFiller{width: 8, child: New(t.Elem(), false)}
	case *arrow.FixedSizeListType:
		return &arrayFiller{items: int(t.Len()), list: !IsArray(t), child: New(t.Elem(), false)}
	case *arrow.StructType:
		f := &structFiller{}
		for _, field := range t.Fields() {
			f.children = append(f.children, New(field.Type, false))
		}
		return f
	case arrow.ExtensionType:
		return &storageFiller{New(t.StorageType(), top)}
	}
	return &Plain{Width: t.(arrow.FixedWidthDataType).Bytes()}
}

// Memory returns n elements in memory that the engine owns.
func Memory[T any](at unsafe.Pointer, n int) []T { return unsafe.Slice((*T)(at), n) }

// Selected returns the n elements of a selection vector, in memory of the engine.
func Selected(sel duck.SelectionVector, n int) []duck.SelT {
	return unsafe.Slice(duck.SelectionVectorGetDataPtr(sel), n)
}

// writeText writes n texts to v. Text i is bytes[offsets[i]:offsets[i+1]]; bytes must not be empty.
func writeText(v duck.Vector, bytes []byte, offsets []int64, n int) {
	C.h5arrow_fill_text(v.Ptr, duck.VectorGetData(v), (*C.char)(unsafe.Pointer(&bytes[0])), (*C.int64_t)(unsafe.Pointer(&offsets[0])), C.int64_t(n))
}

// Raw returns the bytes of a slice of numbers.
func Raw[T int16 | uint16 | int32 | int64 | uint64 | float32](s []T) []byte {
	if len(s) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(s[0])))
}

// Buffer returns the bytes of an array's buffer, nil if it has no such buffer.
func Buffer(arr arrow.Array, i int) []byte {
	if b := arr.Data().Buffers(); i < len(b) && b[i] != nil {
		return b[i].Bytes()
	}
	return nil
}

// CopyRows copies the rows [off,off+n) of width bytes of an array's buffer of values.
func CopyRows(dst []byte, arr arrow.Array, off, n, width int) {
	at := arr.Data().Offset() + off
	copy(dst, Buffer(arr, 1)[at*width:(at+n)*width])
}

// nulls writes validity.
type nulls struct{ bits []byte }

// write sets the validity of v to that of rows [off,off+n) of arr, and of up. It returns the validity, nil if all rows are
// valid; the result is valid until the next call.
func (x *nulls) write(arr arrow.Array, off, n int, up []byte, v duck.Vector) []byte {
	bits := Buffer(arr, 0)
	if len(bits) == 0 && up == nil || n == 0 {
		return nil
	}
	size := (n + 63) / 64 * 8
	if cap(x.bits) < size {
		x.bits = make([]byte, size)
	}
	own := x.bits[:size]
	var missing int
	if len(bits) == 0 {
		missing = nullbitmap.Copy(own, 0, up, 0, n)
	} else {
		missing = nullbitmap.Copy(own, 0, bits, arr.Data().Offset()+off, n)
		if up != nil {
			missing = nullbitmap.And(own, 0, up, 0, n)
		}
	}
	if missing == 0 {
		return nil
	}
	x.set(own, v)
	return own
}

// set sets the validity of v.
func (x *nulls) set(bits []byte, v duck.Vector) {
	duck.VectorEnsureValidityWritable(v)
	copy(Memory[byte](duck.VectorGetValidity(v), len(bits)), bits)
}

// IsNull reports whether row i is null.
func IsNull(valid []byte, i int) bool { return valid != nil && valid[i/8]>>(i%8)&1 == 0 }

func (*nulls) Close() {}

// Plain copies values that the engine represents in the same way.
type Plain struct {
	nulls
	Width int
}

func (f *Plain) Fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	CopyRows(Memory[byte](duck.VectorGetData(v), n*f.Width), arr, off, n, f.Width)
	f.write(arr, off, n, up, v)
	return nil
}

// Double converts 32-bit floats to doubles.
type Double struct {
	nulls
	floats []float32
}

func (f *Double) Fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	f.floats = Room(f.floats, n)
	CopyRows(Raw(f.floats), arr, off, n, 4)
	out := Memory[float64](duck.VectorGetData(v), n)
	for i, x := range f.floats {
		out[i] = float64(x)
	}
	f.write(arr, off, n, up, v)
	return nil
}

// nullFiller writes nulls.
type nullFiller struct{ nulls }

func (f *nullFiller) Fill(_ arrow.Array, _, n int, _ []byte, v duck.Vector) error {
	f.set(make([]byte, (n+63)/64*8), v)
	return nil
}

// boolFiller converts bits to bytes.
type boolFiller struct{ nulls }

func (f *boolFiller) Fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	nullbitmap.UnpackBools(Memory[byte](duck.VectorGetData(v), n), Buffer(arr, 1), arr.Data().Offset()+off)
	f.write(arr, off, n, up, v)
	return nil
}

// halfFiller converts half floats, which the engine lacks, to floats.
type halfFiller struct {
	nulls
	halves []uint16
}

func (f *halfFiller) Fill(arr arrow.Array, off, n int, up []byte, v duck.Vector) error {
	f.halves = Room(f.halves, n)
	CopyRows(Raw(f.halves), arr, off, n, 2)
	out := Memory[float32](duck.VectorGetData(v), n)
	for i, h := range f.halves {
		out[i] = float16.FromBits(h).Float32()
	}
	f.write(arr, off, n, up, v)
	return nil
}

// Room returns s, or a larger slice, with n elements of any content.
func Room[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
