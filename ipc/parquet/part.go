package parquet

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/ipc/internal/sink"
)

// part is the part of a batch that goes into a row group. It holds a reference on the batch; its columns hold none: arrow-go
// does not release its arrays when a fault interrupts it, and these must not keep the mapping.
type part struct {
	rec     arrow.RecordBatch
	rows    int64
	columns []arrow.ArrayData // lent
}

// newPart returns the rows [from, to) of a batch. It reads no values.
func newPart(rec arrow.RecordBatch, from, to int64) part {
	rec.Retain()
	p := part{rec, to - from, make([]arrow.ArrayData, rec.NumCols())}
	for i, c := range rec.Columns() {
		p.columns[i] = sink.Lend(c.Data(), from, to)
	}
	return p
}

// column returns a column, which is valid until the part is released. It is called inside sink.Guard, since arrays of text
// read their offsets.
func (p part) column(i int) arrow.Array { return array.MakeFromData(p.columns[i]) }

func releaseAll(parts []part) {
	for _, p := range parts {
		p.rec.Release()
	}
}
