package parquet

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
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
		p.columns[i] = lend(c.Data(), int(from), int(to))
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

// lend is the rows [from, to) of an array in buffers that hold nothing.
func lend(of arrow.ArrayData, from, to int) arrow.ArrayData {
	buffers := make([]*memory.Buffer, len(of.Buffers()))
	for i, b := range of.Buffers() {
		if b != nil {
			buffers[i] = memory.NewBufferWithAllocator(b.Bytes(), lent{})
		}
	}
	children := make([]arrow.ArrayData, len(of.Children()))
	for i, c := range of.Children() {
		children[i] = lend(c, 0, c.Len())
	}
	nulls := of.NullN()
	if nulls > 0 && to-from < of.Len() {
		nulls = array.UnknownNullCount
	}
	data := array.NewData(of.DataType(), to-from, buffers, children, nulls, of.Offset()+from)
	if labels, _ := of.Dictionary().(*array.Data); labels != nil {
		data.SetDictionary(lend(labels, 0, labels.Len()))
	}
	return data
}

// lent is the allocator of buffers that hold nothing: freeing one does nothing.
type lent struct{}

func (lent) Allocate(int) []byte           { panic("parquet: a lent buffer can't grow") }
func (lent) Reallocate(int, []byte) []byte { panic("parquet: a lent buffer can't grow") }
func (lent) Free([]byte)                   {}
