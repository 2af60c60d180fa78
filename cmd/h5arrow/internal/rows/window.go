package rows

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Window leaves out the rows before From and those after the next N.
type Window struct {
	array.RecordReader
	From, N int64

	seen int64 // rows of RecordReader
	rec  arrow.RecordBatch
}

// Seen returns the number of rows that have been read from RecordReader.
func (w *Window) Seen() int64 { return w.seen }

// Next moves to the next batch.
func (w *Window) Next() bool {
	if w.rec != nil {
		w.rec.Release()
		w.rec = nil
	}
	for w.N > 0 && w.RecordReader.Next() {
		rec := w.RecordReader.RecordBatch()
		a := min(max(w.From-w.seen, 0), rec.NumRows())
		b := a + min(w.N, rec.NumRows()-a)
		w.seen += rec.NumRows()
		if a < b {
			w.N -= b - a
			w.rec = rec.NewSlice(a, b)
			return true
		}
	}
	return false
}

// RecordBatch is the current batch.
func (w *Window) RecordBatch() arrow.RecordBatch { return w.rec }
