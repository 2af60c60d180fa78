package octave

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/arrays"
	"github.com/h5arrow/h5arrow/h5"
)

// The bits of NA, in doubles and singles. Octave before 3.2 had R's.
const (
	na64    = 0x7ff840f440000000
	oldNA64 = 0x7ff00000000007a2
	na32    = 0x7fc207a2
)

// complexType returns the type of complex numbers in Arrow; nil for other types, and for floats that have no NA.
func complexType(t *h5.Type) arrow.DataType {
	if !t.IsComplex() {
		return nil
	}
	part, ok := map[int]arrow.DataType{4: arrow.PrimitiveTypes.Float32, 8: arrow.PrimitiveTypes.Float64}[t.Members[0].Type.Size]
	if !ok {
		return nil
	}
	var fields []arrow.Field
	for _, m := range t.Members {
		fields = append(fields, arrow.Field{Name: m.Name, Type: part, Nullable: true})
	}
	return arrow.StructOf(fields...)
}

// withoutNA makes numbers null that are NA, or of which a part is: items of type t in rows of a shape. It is for what
// rules over stored values can't say.
func withoutNA(of convention.Values, t arrow.DataType, dims []uint64) convention.Values {
	nested, ok := arrays.Nested(t, dims)
	if !ok {
		return of
	}
	return &convention.Derived{Of: of, Type: nested, Reason: "NA is missing", Compute: func(in arrow.Array, _ int64, mem memory.Allocator) (arrow.Array, error) {
		return arrays.Itemwise(in, nested, func(items arrow.Array) (arrow.Array, error) { return nullNA(items, mem), nil })
	}}
}

// nullNA returns an array of numbers, or of lists of them, in which NA is null.
func nullNA(in arrow.Array, mem memory.Allocator) arrow.Array {
	d := in.Data()
	if l, ok := in.(*array.List); ok {
		values := nullNA(l.ListValues(), mem)
		defer values.Release()
		data := array.NewData(in.DataType(), d.Len(), d.Buffers(), []arrow.ArrayData{values.Data()}, in.NullN(), d.Offset())
		defer data.Release()
		return array.MakeFromData(data)
	}
	is := isNA(in)
	first := 0
	for first < in.Len() && !is(first) {
		first++
	}
	if first == in.Len() {
		in.Retain()
		return in
	}
	valid := memory.NewResizableBuffer(mem)
	defer valid.Release()
	valid.Resize((d.Offset() + d.Len() + 7) / 8)
	bits, nulls := valid.Bytes(), 0
	clear(bits)
	for i := range in.Len() {
		if at := d.Offset() + i; in.IsNull(i) || is(i) {
			nulls++
		} else {
			bits[at/8] |= 1 << (at % 8)
		}
	}
	buffers := append([]*memory.Buffer{valid}, d.Buffers()[1:]...)
	data := array.NewData(in.DataType(), d.Len(), buffers, d.Children(), nulls, d.Offset())
	defer data.Release()
	return array.MakeFromData(data)
}

// isNA returns what reports whether a number is NA.
func isNA(in arrow.Array) func(i int) bool {
	switch a := in.(type) {
	case *array.Float64:
		v := a.Float64Values()
		return func(i int) bool {
			b := math.Float64bits(v[i])
			return b == na64 || b == oldNA64
		}
	case *array.Float32:
		v := a.Float32Values()
		return func(i int) bool { return math.Float32bits(v[i]) == na32 }
	case *array.Struct:
		var parts []func(i int) bool
		for i := range a.NumField() {
			parts = append(parts, isNA(a.Field(i)))
		}
		return func(i int) bool {
			for _, is := range parts {
				if is(i) {
					return true
				}
			}
			return false
		}
	}
	return func(int) bool { return false }
}
