package arrowmap

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Concat returns tables of one schema, of several files, one after the other. Schemas that differ are an Argument error.
func Concat(tables ...*Table) (*Table, error) {
	if len(tables) == 0 {
		return nil, h5err.New(h5err.Argument, "no tables")
	}
	first := tables[0]
	for _, t := range tables[1:] {
		if err := sameSchema(first, t); err != nil {
			return nil, err
		}
	}
	if len(tables) == 1 {
		return first, nil
	}
	return &Table{body: several(tables), f: first.f, def: first.def, columns: first.columns, to: -1}, nil
}

func sameSchema(a, b *Table) error {
	fail := func(what string) error {
		return b.f.usage(b.def.Path, what).WithHint("files that are one table have one schema; %s has another", a.f.f.Name())
	}
	if len(a.columns) != len(b.columns) {
		return fail("another number of columns")
	}
	for i, c := range a.columns {
		d := b.columns[i]
		if c.Err != nil || d.Err != nil {
			continue
		}
		if c.Name != d.Name || !arrow.TypeEqual(c.Type, d.Type) {
			return fail("column " + d.Name + " differs")
		}
	}
	return nil
}

// several is the body of a table of several files: the files' tables, which have one schema.
type several []*Table

func (s several) rows() (int64, error) {
	rows := int64(0)
	var first error
	for _, t := range s {
		all, err := t.body.rows()
		if first == nil {
			first = err
		}
		rows += max(0, t.end(all)-t.from)
	}
	return rows, first
}

func (s several) pick(at []int) (body, []*Column) {
	out := make(several, len(s))
	for i, t := range s {
		out[i] = t.pick(at)
	}
	return out, out[0].columns
}

func (s several) pieces(t *Table) ([]*Table, error) {
	var out []*Table
	start, end := int64(0), t.from+t.Rows()
	for _, p := range s {
		rows := p.Rows()
		a, b := max(t.from-start, 0), min(end-start, rows)
		start += rows
		if a >= b && (start < end || len(out) > 0) {
			continue
		}
		piece, err := p.Slice(min(a, rows), max(b, min(a, rows)))
		if err != nil {
			return nil, err
		}
		more, err := piece.pieces()
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// chain is the batches of several files, one after the other. No batch has rows of two files.
type chain struct {
	ctx    context.Context
	schema *arrow.Schema
	o      readOptions
	parts  []*Table // the rows that are not read yet; the first is being read
	in     *Reader  // nil before the first, and between two
	total  []ColumnReport
}

func (c *chain) next() (arrow.RecordBatch, error) {
	for {
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
		if c.in == nil {
			if len(c.parts) == 0 {
				return nil, nil
			}
			var err error
			if c.in, err = c.parts[0].start(c.ctx, c.o); err != nil {
				c.in = nil
				return nil, err
			}
		}
		if c.in.Next() {
			// Attributes may differ between the files: those of the first are the schema's.
			rec := c.in.RecordBatch()
			return array.NewRecordBatch(c.schema, rec.Columns(), rec.NumRows()), nil
		}
		err := c.in.Err()
		c.leave()
		if err != nil {
			return nil, err
		}
	}
}

// leave adds up what became of a file's columns and moves on to the next file.
func (c *chain) leave() {
	c.total = c.report()
	c.in.Release()
	c.in, c.parts = nil, c.parts[1:]
}

func (c *chain) close() {
	if c.in != nil {
		c.leave()
	}
	c.parts = nil
}

func (c *chain) report() []ColumnReport {
	out := append([]ColumnReport{}, c.total...)
	if c.in == nil {
		return out
	}
	for i, col := range c.in.Report() {
		out[i].CopiedBytes += col.CopiedBytes
		out[i].NullCount += col.NullCount
		if out[i].Reason == "" { // mapped in all files before this one
			out[i].Delivery, out[i].Reason = col.Delivery, col.Reason
		}
	}
	return out
}
