package sink

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// WithRows calls fn, inside Guard, with the rows [from, to) of a batch, without reading its values. The part is valid until
// fn returns.
//
// Its buffers hold no references on the batch: arrow-go does not release references when reading a mapped file fails while
// it makes an array, and these must not keep the mapping. Only dictionaries hold references, so that a writer recognizes
// them in the next batch.
func WithRows(rec arrow.RecordBatch, from, to int64, fn func(part arrow.RecordBatch) error) error {
	return Guard(func() error {
		columns := make([]arrow.Array, 0, rec.NumCols())
		defer func() {
			for _, c := range columns {
				c.Release()
			}
		}()
		for _, c := range rec.Columns() {
			data := lend(c.Data(), int(from), int(to), func(labels *array.Data) arrow.ArrayData { return labels })
			columns = append(columns, array.MakeFromData(data))
			data.Release()
		}
		part := array.NewRecordBatch(rec.Schema(), columns, to-from)
		defer part.Release()
		return fn(part)
	})
}

// Lend returns the rows [from, to) of an array in buffers that hold no references, and its dictionary likewise. It reads no
// values, and what it returns is valid while of is.
func Lend(of arrow.ArrayData, from, to int64) arrow.ArrayData {
	return lend(of, int(from), int(to), lendAll)
}

func lendAll(labels *array.Data) arrow.ArrayData { return lend(labels, 0, labels.Len(), lendAll) }

func lend(of arrow.ArrayData, from, to int, dictionary func(labels *array.Data) arrow.ArrayData) arrow.ArrayData {
	buffers := make([]*memory.Buffer, len(of.Buffers()))
	for i, b := range of.Buffers() {
		if b != nil {
			buffers[i] = memory.NewBufferWithAllocator(b.Bytes(), lent{})
		}
	}
	children := make([]arrow.ArrayData, len(of.Children()))
	for i, c := range of.Children() {
		children[i] = lend(c, 0, c.Len(), dictionary)
	}
	nulls := of.NullN()
	if nulls > 0 && to-from < of.Len() {
		nulls = array.UnknownNullCount
	}
	data := array.NewData(of.DataType(), to-from, buffers, children, nulls, of.Offset()+from)
	for _, c := range children {
		c.Release()
	}
	if labels, _ := of.Dictionary().(*array.Data); labels != nil {
		data.SetDictionary(dictionary(labels))
	}
	return data
}

// lent is the allocator of buffers that hold no references: freeing one does nothing.
type lent struct{}

func (lent) Allocate(int) []byte           { panic("ipc: a lent buffer can't grow") }
func (lent) Reallocate(int, []byte) []byte { panic("ipc: a lent buffer can't grow") }
func (lent) Free([]byte)                   {}
