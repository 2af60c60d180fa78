// Package types has the HDF5 types and Arrow types that correspond to each other exactly, for both directions.
package types

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// MaxDepth bounds types inside types, and the dimensions of a row. Types of files stay far below it.
const MaxDepth = 32

// Int returns the integer type of size bytes in which every bit counts.
func Int(size int, signed bool, o h5.ByteOrder) *h5.Type {
	return &h5.Type{Class: h5.ClassFixed, Size: size, Order: o, Signed: signed, Precision: 8 * size}
}

// Bool returns the enumeration in which h5py and vaex store booleans.
func Bool() *h5.Type {
	return &h5.Type{
		Class: h5.ClassEnum, Size: 1, Order: h5.LittleEndian, Base: Int(1, true, h5.LittleEndian),
		Names: []string{"FALSE", "TRUE"}, Values: []byte{0, 1},
	}
}

// IsBool reports whether an enumeration of size bytes means bool: FALSE=0 and TRUE=1 in one byte.
func IsBool(labels []string, values []uint64, size int) bool {
	if size != 1 || len(labels) != 2 {
		return false
	}
	f := 0
	if labels[0] == "TRUE" {
		f = 1
	}
	return labels[f] == "FALSE" && labels[1-f] == "TRUE" && values[f] == 0 && values[1-f] == 1
}

// IsLogical reports whether an enumeration of size bytes means R's logical: FALSE=0, TRUE=1 and NA=2 in one byte, as
// hdf5r writes it.
func IsLogical(labels []string, values []uint64, size int) bool {
	if size != 1 || len(labels) != 3 {
		return false
	}
	for i, l := range labels {
		if values[i] > 2 || l != [...]string{"FALSE", "TRUE", "NA"}[values[i]] {
			return false
		}
	}
	return values[0] != values[1] && values[0] != values[2] && values[1] != values[2]
}

// ints are Arrow's integers by the base-2 logarithm of their width.
var ints = [2][4]arrow.DataType{
	{arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64},
	{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64},
}

// ArrowInt returns Arrow's narrowest integer type of at least size bytes, and its width; nil beyond 8.
func ArrowInt(signed bool, size int) (t arrow.DataType, width int) {
	k := bits.Len(uint(size - 1))
	if size < 1 || k > 3 {
		return nil, 0
	}
	return ints[One(signed)][k], 1 << k
}

// ArrowText returns Arrow's type of text, or of binary values, whose offsets have width bytes, 4 or 8.
func ArrowText(binary bool, width int) arrow.DataType {
	return texts[One(binary)][width/8]
}

var texts = [2][2]arrow.DataType{
	{arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString},
	{arrow.BinaryTypes.Binary, arrow.BinaryTypes.LargeBinary},
}

// One returns 1 for true and 0 for false.
func One(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Product returns a*b as an int, for factors that are not negative; ok is false where it has more than 63 bits.
func Product(a, b int64) (n int, ok bool) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	return int(lo), hi == 0 && lo <= math.MaxInt
}

// Nest returns the list types, outermost first, that hold items in the shape dims, and the number of items. Shapes that
// Arrow's lists can't have are Unsupported.
func Nest(item arrow.DataType, dims []uint64) (lists []*arrow.FixedSizeListType, items int64, err error) {
	if len(dims) > MaxDepth {
		return nil, 0, h5err.New(h5err.Unsupported, "%d dimensions", len(dims)+1)
	}
	items = 1
	for _, d := range dims {
		if d == 0 {
			return nil, 0, h5err.New(h5err.Unsupported, "an inner dimension of extent 0 in shape %v", dims)
		}
		n, ok := Product(items, int64(min(d, math.MaxInt64)))
		if d > math.MaxInt32 || !ok {
			return nil, 0, h5err.New(h5err.Unsupported, "rows of shape %v are longer than Arrow lists", dims)
		}
		items = int64(n)
	}
	lists = make([]*arrow.FixedSizeListType, len(dims))
	for i := len(dims) - 1; i >= 0; i-- {
		lists[i] = arrow.FixedSizeListOf(int32(dims[i]), item)
		item = lists[i]
	}
	return lists, items, nil
}

// Name returns the name of value i of an enumeration, "kind(i)" for values out of range.
func Name(kind string, names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("%s(%d)", kind, i)
}
