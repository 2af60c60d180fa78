package column

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/h5"
)

// ByRow describes values that follow from the number of the row, which add appends to a builder. The dataset is the one that errors name; nil
// for none. A product that is added to something needs a conversion, float64(a*b)+c: Go may otherwise round only once, and
// give other values on other processors.
func ByRow[B array.Builder](d *h5.Dataset, rows int64, t arrow.DataType, reason string, builder func(memory.Allocator) B, add func(b B, row int64)) *convention.Generated {
	return &convention.Generated{Data: d, Rows: rows, Type: t, Reason: reason,
		Generate: func(lo, hi int64, mem memory.Allocator) (arrow.Array, error) {
			b := builder(mem)
			defer b.Release()
			b.Reserve(int(hi - lo))
			for row := lo; row < hi; row++ {
				add(b, row)
			}
			return b.NewArray(), nil
		}}
}

// EmptyText describes one text without characters.
func EmptyText(d *h5.Dataset) convention.Values {
	return ByRow(d, 1, arrow.BinaryTypes.String, "a text without characters", array.NewStringBuilder,
		func(b *array.StringBuilder, _ int64) { b.Append("") })
}
