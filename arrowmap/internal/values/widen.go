package values

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// number is what Arrow has as a buffer of numbers, but for half floats.
type number interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

// exact is, for each type of numbers, how many bits its integers may have: those of floats are exact up to their mantissa.
var exact = map[arrow.Type]int{
	arrow.INT8: 8, arrow.INT16: 16, arrow.INT32: 32, arrow.INT64: 64, arrow.UINT8: 8, arrow.UINT16: 16, arrow.UINT32: 32, arrow.UINT64: 64,
	arrow.FLOAT16: 11, arrow.FLOAT32: 24, arrow.FLOAT64: 53,
}

var (
	signed   = []arrow.DataType{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64}
	unsigned = []arrow.DataType{arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64}
	floats   = []arrow.DataType{arrow.FixedWidthTypes.Float16, arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64}
)

// Widest returns the smallest type that has all values of some types of numbers, or of text. There is none for integers of 64 bits
// with integers of the other kind of sign or with floats.
func Widest(types []arrow.DataType) (arrow.DataType, bool) {
	var ints, uints, parts, short, long int // the largest number of bits; how many texts
	for _, t := range types {
		id := t.ID()
		switch bits := exact[id]; {
		case id == arrow.STRING:
			short++
		case id == arrow.LARGE_STRING:
			long++
		case arrow.IsFloating(id):
			parts = max(parts, bits)
		case arrow.IsSignedInteger(id):
			ints = max(ints, bits)
		case arrow.IsUnsignedInteger(id):
			uints = max(uints, bits)
		default:
			return nil, false
		}
	}
	switch {
	case short+long == len(types):
		return arrow.BinaryTypes.LargeString, true
	case short+long > 0:
		return nil, false
	case parts > 0:
		return fits(floats, parts, ints, uints)
	case ints == 0:
		return fits(unsigned, uints)
	case uints == 0:
		return fits(signed, ints)
	}
	return fits(signed, ints, uints+1)
}

// fits returns the first type that has so many bits.
func fits(types []arrow.DataType, bits ...int) (arrow.DataType, bool) {
	for _, t := range types {
		enough := true
		for _, n := range bits {
			enough = enough && exact[t.ID()] >= n
		}
		if enough {
			return t, true
		}
	}
	return nil, false
}

// widened returns an array as one of a type that Widest returned for its own and others.
func widened(arr arrow.Array, t arrow.DataType, mem memory.Allocator) arrow.ArrayData {
	valid, nulls := validity(arr, mem)
	defer valid.Release()
	if s, ok := arr.(*array.String); ok {
		return longText(s, valid, nulls, mem)
	}
	n := arr.Len()
	values := blank(n*t.(arrow.FixedWidthDataType).Bytes(), mem)
	defer values.Release()
	b := values.Bytes()
	switch t.ID() {
	case arrow.INT16:
		convert(arrow.Int16Traits.CastFromBytes(b), arr)
	case arrow.INT32:
		convert(arrow.Int32Traits.CastFromBytes(b), arr)
	case arrow.INT64:
		convert(arrow.Int64Traits.CastFromBytes(b), arr)
	case arrow.UINT16:
		convert(arrow.Uint16Traits.CastFromBytes(b), arr)
	case arrow.UINT32:
		convert(arrow.Uint32Traits.CastFromBytes(b), arr)
	case arrow.UINT64:
		convert(arrow.Uint64Traits.CastFromBytes(b), arr)
	case arrow.FLOAT16:
		wide := make([]float32, n)
		convert(wide, arr)
		for i, v := range wide {
			arrow.Float16Traits.CastFromBytes(b)[i] = float16.New(v)
		}
	case arrow.FLOAT32:
		convert(arrow.Float32Traits.CastFromBytes(b), arr)
	default:
		convert(arrow.Float64Traits.CastFromBytes(b), arr)
	}
	return array.NewData(t, n, []*memory.Buffer{valid, values}, nil, nulls, 0)
}

// convert fills dst with the numbers of an array.
func convert[D number](dst []D, arr arrow.Array) {
	switch a := arr.(type) {
	case *array.Int8:
		cast(dst, a.Int8Values())
	case *array.Int16:
		cast(dst, a.Int16Values())
	case *array.Int32:
		cast(dst, a.Int32Values())
	case *array.Int64:
		cast(dst, a.Int64Values())
	case *array.Uint8:
		cast(dst, a.Uint8Values())
	case *array.Uint16:
		cast(dst, a.Uint16Values())
	case *array.Uint32:
		cast(dst, a.Uint32Values())
	case *array.Uint64:
		cast(dst, a.Uint64Values())
	case *array.Float16:
		for i, v := range a.Values() {
			dst[i] = D(v.Float32())
		}
	case *array.Float32:
		cast(dst, a.Float32Values())
	case *array.Float64:
		cast(dst, a.Float64Values())
	}
}

func cast[D, S number](dst []D, src []S) {
	for i, v := range src {
		dst[i] = D(v)
	}
}

// longText returns text with offsets of 64 bits. The characters are not copied.
func longText(s *array.String, valid *memory.Buffer, nulls int, mem memory.Allocator) arrow.ArrayData {
	offsets := blank(8*(s.Len()+1), mem)
	defer offsets.Release()
	if s.Len() > 0 {
		cast(arrow.Int64Traits.CastFromBytes(offsets.Bytes()), s.ValueOffsets())
	}
	return array.NewData(arrow.BinaryTypes.LargeString, s.Len(), []*memory.Buffer{valid, offsets, s.Data().Buffers()[2]}, nil, nulls, 0)
}
