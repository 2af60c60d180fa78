package rows

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// last is the last rows of another reader.
type last struct {
	array.RecordReader
	n    int64
	held []arrow.RecordBatch // the batches that have these rows
	rows int64               // of held
	read bool
	rec  arrow.RecordBatch
}

// Last returns a reader of the last n rows of rr, which it owns. It holds the batches that they are in.
func Last(rr array.RecordReader, n int64) array.RecordReader { return &last{RecordReader: rr, n: n} }

// Next moves to the next batch. The first call reads all batches.
func (l *last) Next() bool {
	l.drop()
	for !l.read && l.RecordReader.Next() {
		rec := l.RecordReader.RecordBatch()
		rec.Retain()
		l.held = append(l.held, rec)
		l.rows += rec.NumRows()
		for len(l.held) > 0 && l.rows-l.held[0].NumRows() >= l.n {
			l.pop().Release()
		}
	}
	l.read = true
	if l.Err() != nil || len(l.held) == 0 {
		return false
	}
	skip := max(l.rows-l.n, 0)
	rec := l.pop()
	l.rec = rec.NewSlice(skip, rec.NumRows())
	rec.Release()
	return true
}

// pop takes the first batch.
func (l *last) pop() arrow.RecordBatch {
	rec := l.held[0]
	l.held = l.held[1:]
	l.rows -= rec.NumRows()
	return rec
}

func (l *last) drop() {
	if l.rec != nil {
		l.rec.Release()
		l.rec = nil
	}
}

// RecordBatch is the current batch.
func (l *last) RecordBatch() arrow.RecordBatch { return l.rec }

// Record is RecordBatch.
func (l *last) Record() arrow.RecordBatch { return l.rec }

// Release releases the batches and the reader below. It is called once.
func (l *last) Release() {
	l.drop()
	for _, rec := range l.held {
		rec.Release()
	}
	l.held = nil
	l.RecordReader.Release()
}
