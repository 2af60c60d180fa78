package rows

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Small batches are joined until they have so many rows or, approximately, so many bytes.
const (
	joinedRows  = 1 << 17
	joinedBytes = 16 << 20
)

// joined joins small batches.
type joined struct {
	array.RecordReader
	max  int64               // rows of a batch
	held []arrow.RecordBatch // taken from the reader and not yet returned
	rec  arrow.RecordBatch
	err  error
	over bool
}

// Join returns a reader that joins the small batches of another to batches of so many rows; 0 is a size that suits
// outputs. It owns rr.
func Join(rr array.RecordReader, rows int64) array.RecordReader {
	if rows == 0 {
		rows = joinedRows
	}
	return &joined{RecordReader: rr, max: rows}
}

// Next moves to the next batch.
func (g *joined) Next() bool {
	g.done()
	var rows, bytes int64
	for _, r := range g.held {
		rows += r.NumRows()
	}
	for !g.over && rows < g.max && bytes < joinedBytes {
		if !g.RecordReader.Next() {
			g.over = true
			break
		}
		r := g.RecordReader.RecordBatch()
		r.Retain()
		g.held = append(g.held, r)
		rows += r.NumRows()
		for _, c := range r.Columns() {
			bytes += int64(c.Data().SizeInBytes())
		}
	}
	if g.err = g.RecordReader.Err(); g.err != nil || rows == 0 {
		g.drop()
		return false
	}
	g.rec, g.err = g.join(min(rows, g.max))
	return g.err == nil
}

// join joins the first rows that are held to one batch.
func (g *joined) join(rows int64) (arrow.RecordBatch, error) {
	var parts []arrow.RecordBatch
	var rest []arrow.RecordBatch
	left := rows
	for _, r := range g.held {
		n := min(left, r.NumRows())
		if n > 0 {
			parts = append(parts, r.NewSlice(0, n))
		}
		if n < r.NumRows() {
			rest = append(rest, r.NewSlice(n, r.NumRows()))
		}
		left -= n
		r.Release()
	}
	g.held = rest
	defer func() {
		for _, p := range parts {
			p.Release()
		}
	}()
	if len(parts) == 1 {
		parts[0].Retain()
		return parts[0], nil
	}
	columns := make([]arrow.Array, g.Schema().NumFields())
	defer func() {
		for _, c := range columns {
			if c != nil {
				c.Release()
			}
		}
	}()
	for i := range columns {
		list := make([]arrow.Array, len(parts))
		for k, p := range parts {
			list[k] = p.Column(i)
		}
		var err error
		if columns[i], err = array.Concatenate(list, memory.DefaultAllocator); err != nil {
			return nil, h5err.Wrap(h5err.Unsupported, err, "column %s of the result can't be written", g.Schema().Field(i).Name)
		}
	}
	return array.NewRecordBatch(g.Schema(), columns, rows), nil
}

// done releases the current batch.
func (g *joined) done() {
	if g.rec != nil {
		g.rec.Release()
		g.rec = nil
	}
}

// drop releases all batches.
func (g *joined) drop() {
	g.done()
	for _, r := range g.held {
		r.Release()
	}
	g.held = nil
}

// Release releases all batches and the reader. It is called once.
func (g *joined) Release() {
	g.drop()
	g.RecordReader.Release()
}

// RecordBatch is the current batch.
func (g *joined) RecordBatch() arrow.RecordBatch { return g.rec }

// Record is RecordBatch.
func (g *joined) Record() arrow.RecordBatch { return g.rec }

// Err returns the error that ended the reading.
func (g *joined) Err() error { return g.err }
