package parquet

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/ipc/internal/sink"
)

// part is rows of a batch on their way into a row group. It holds the only reference on the batch that there is: what
// arrow-go makes of its columns is left behind where a fault breaks off what it does, and must not keep the mapping.
type part struct {
	rec     arrow.RecordBatch
	rows    int64
	columns []arrow.ArrayData // lent
}

// newPart takes the rows [from, to) of a batch. It reads none of its values.
func newPart(rec arrow.RecordBatch, from, to int64) part {
	rec.Retain()
	p := part{rec, to - from, make([]arrow.ArrayData, rec.NumCols())}
	for i, c := range rec.Columns() {
		p.columns[i] = sink.Lend(c.Data(), from, to)
	}
	return p
}

// column is valid until the part is released. As the array of a text reads its offsets, it is called inside sink.Guard.
func (p part) column(i int) arrow.Array { return array.MakeFromData(p.columns[i]) }

func releaseAll(parts []part) {
	for _, p := range parts {
		p.rec.Release()
	}
}
