package format

import (
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
)

// Foresee returns a number of bytes that the encoded form of so many rows has at least; 0 where nothing is known, as of formats that
// compress.
func (e *Encoder) Foresee(schema *arrow.Schema, rows int64) int64 {
	if e.codec != "none" || e.Format == parquetFile { // which encodes, whatever the codec
		return 0
	}
	return MinBytes(schema, rows)
}

// MinBytes returns a number of bytes that so many rows have at least as Arrow's buffers. More than an int64 holds is the largest
// int64.
func MinBytes(schema *arrow.Schema, rows int64) int64 {
	total := int64(0)
	for _, f := range schema.Fields() {
		hi, lo := bits.Mul64(uint64(max(rows, 0)), uint64(minBits(f.Type)))
		if hi >= 8 {
			return math.MaxInt64
		}
		n := int64(hi<<61 | lo>>3)
		if n > math.MaxInt64-total {
			return math.MaxInt64
		}
		total += n
	}
	return total
}

// minBits is how many bits a row of a type takes at least.
func minBits(t arrow.DataType) int64 {
	switch t := t.(type) {
	case *arrow.DictionaryType:
		return minBits(t.IndexType)
	case arrow.ExtensionType:
		return minBits(t.StorageType())
	case *arrow.FixedSizeListType:
		n := minBits(t.Elem())
		if n > 0 && int64(t.Len()) > math.MaxInt64/n {
			return math.MaxInt64
		}
		return n * int64(t.Len())
	case *arrow.StructType:
		n := int64(0)
		for _, f := range t.Fields() {
			n += min(minBits(f.Type), math.MaxInt64-n)
		}
		return n
	case *arrow.StringType, *arrow.BinaryType, *arrow.ListType:
		return 32 // an offset
	case *arrow.LargeStringType, *arrow.LargeBinaryType, *arrow.LargeListType:
		return 64
	case arrow.FixedWidthDataType:
		return int64(t.BitWidth())
	}
	return 0
}
