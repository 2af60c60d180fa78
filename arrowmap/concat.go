package arrowmap

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/dtype"
)

// chain reads the tables of several files one after the other.
type chain struct {
	parts  []*Table // with the rows that are wanted of each; the first is being read
	opts   []ReadOption
	in     *Reader // nil before the first, and between two
	report []ColumnReport
}

// chained is Reader for a table of several files.
func (t *Table) chained(ctx context.Context, opts []ReadOption) (*Reader, error) {
	c := &chain{opts: opts}
	begin, all := int64(0), int64(0)
	for _, p := range t.parts {
		all += p.Rows()
	}
	end := t.end(all)
	for _, p := range t.parts {
		n := p.Rows()
		a, b := max(t.from-begin, 0), min(end-begin, n)
		begin += n
		if a >= b {
			continue
		}
		part, err := p.Slice(a, b)
		if err != nil {
			return nil, err
		}
		c.parts = append(c.parts, part)
	}
	for _, col := range t.columns {
		c.report = append(c.report, ColumnReport{Name: col.Name, Type: dtype.TypeName(col.Type), Delivery: col.Delivery.String(), Reason: col.Reason})
	}
	r := &Reader{t: t, schema: t.Schema(), chain: c}
	r.refs.Store(1)
	r.ctx, r.cancel = context.WithCancel(ctx)
	return r, nil
}

// nextOfChain is Next for a table of several files. Batches never hold rows of two.
func (r *Reader) nextOfChain() bool {
	c := r.chain
	for r.err == nil {
		if r.err = r.ctx.Err(); r.err != nil {
			break
		}
		if c.in == nil {
			if len(c.parts) == 0 {
				return false
			}
			if c.in, r.err = c.parts[0].Reader(r.ctx, c.opts...); r.err != nil {
				c.in = nil
				break
			}
		}
		if c.in.Next() {
			rec := c.in.RecordBatch()
			// Attributes may differ between the files: the first one's count.
			r.current = array.NewRecordBatch(r.schema, rec.Columns(), rec.NumRows())
			r.given += rec.NumRows()
			return true
		}
		r.err = c.in.Err()
		c.leave()
	}
	return false
}

// leave adds up what became of a file's columns and goes on to the next file.
func (c *chain) leave() {
	for i, col := range c.in.Report() {
		c.report[i].CopiedBytes += col.CopiedBytes
		c.report[i].NullCount += col.NullCount
		if c.report[i].Reason == "" { // mapped in all files before this one
			c.report[i].Delivery, c.report[i].Reason = col.Delivery, col.Reason
		}
	}
	c.in.Release()
	c.in, c.parts = nil, c.parts[1:]
}

// stop lets go of the file that is being read.
func (c *chain) stop() {
	if c.in != nil {
		c.leave()
	}
	c.parts = nil
}

// reports is Report so far.
func (c *chain) reports() []ColumnReport {
	out := append([]ColumnReport{}, c.report...)
	if c.in != nil {
		for i, col := range c.in.Report() {
			out[i].CopiedBytes += col.CopiedBytes
			out[i].NullCount += col.NullCount
		}
	}
	return out
}
