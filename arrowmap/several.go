package arrowmap

import (
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/internal/pass"
	"github.com/h5arrow/h5arrow/arrowmap/internal/values"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// Concat returns tables of one schema, of several files, one after the other. Schemas that differ are an Argument error, but
// dictionary columns may have other labels, and columns of which all values are missing no type: the labels are read, and
// all batches have one dictionary.
func Concat(tables ...*Table) (*Table, error) {
	if len(tables) == 0 {
		return nil, h5err.New(h5err.Argument, "no tables")
	}
	first := tables[0]
	for _, t := range tables[1:] {
		if err := sameColumns(first, t); err != nil {
			return nil, err
		}
	}
	if len(tables) == 1 {
		return first, nil
	}
	columns, parts, err := unify(flattened(tables), first.columns, false)
	if err != nil {
		return nil, err
	}
	return &Table{body: several(parts), f: first.f, def: first.def, columns: columns, to: -1}, nil
}

// flattened returns the tables, and those of each file in the place of tables of several.
func flattened(tables []*Table) []*Table {
	var flat []*Table
	for _, t := range tables {
		parts := []*Table{t}
		switch t.body.(type) {
		case several, *union:
			if p, err := t.pieces(); err == nil {
				parts = p
			}
		}
		flat = append(flat, parts...)
	}
	return flat
}

// sameColumns returns an error if the columns of two tables have other names.
func sameColumns(a, b *Table) error {
	fail := func(what string) error {
		e := b.f.usage(b.def.Path, what)
		if a.f == b.f {
			return e.WithHint("groups that are one table have one schema; %s has another", a.def.Path)
		}
		return e.WithHint("files that are one table have one schema; %s has another", a.f.f.Name()).WithOption("arrowmap.Union", "match columns by name")
	}
	if len(a.columns) != len(b.columns) {
		return fail(fmt.Sprintf("%d columns, not %d", len(b.columns), len(a.columns)))
	}
	for i, c := range a.columns {
		if d := b.columns[i]; c.Err == nil && d.Err == nil && c.Name != d.Name {
			return fail(fmt.Sprintf("column %s differs: column %d is called %s", d.Name, i+1, c.Name))
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

func (s several) notes() []string {
	var out []string
	for _, t := range s {
		for _, n := range t.body.notes() {
			out = append(out, t.f.f.Name()+": "+n)
		}
	}
	return out
}

func (s several) known() bool {
	return !slices.ContainsFunc(s, func(t *Table) bool { return !t.body.known() })
}

func (s several) pick(at []int) body {
	out := make(several, len(s))
	for i, t := range s {
		out[i] = t.pick(at)
	}
	return out
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

// chain is the batches of several tables, one after the other. No batch has rows of two of them.
type chain struct {
	ctx     context.Context
	schema  *arrow.Schema
	o       readOptions
	part    func() (*Table, error) // the next one, nil after the last
	in      *Reader                // nil before the first, and between two
	current *Table                 // that in reads
	row     int64                  // of all that the next part starts with
	total   []ColumnReport
}

// oneByOne returns a function that returns tables in turn, and then nil.
func oneByOne(tables []*Table) func() (*Table, error) {
	return func() (*Table, error) {
		if len(tables) == 0 {
			return nil, nil
		}
		t := tables[0]
		tables = tables[1:]
		return t, nil
	}
}

// maxSingle is the number of bytes of a table up to which one worker reads it.
const maxSingle = 1 << 20

func (c *chain) next() (arrow.RecordBatch, error) {
	for {
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
		if c.in == nil {
			t, err := c.part()
			if t == nil {
				return nil, err
			}
			c.current = t
			o, rows := c.o, t.Rows()
			c.row += rows
			if o.Ranges != nil {
				if o.Ranges = pass.Clipped(o.Ranges, c.row-rows, c.row); len(o.Ranges) == 0 {
					continue
				}
			}
			if n, ok := pass.Product(rows, t.Footprint().Bytes); ok && n < maxSingle {
				o.Workers = 1
			}
			if c.in, err = t.start(c.ctx, o); err != nil {
				c.in = nil
				return nil, err
			}
		}
		if c.in.Next() {
			// Attributes may differ between the tables: those of the first are the schema's.
			return c.recoded(c.in.RecordBatch())
		}
		err := c.in.Err()
		c.leave()
		if err != nil {
			return nil, err
		}
	}
}

// recoded returns a batch of a file as one of the table.
func (c *chain) recoded(rec arrow.RecordBatch) (arrow.RecordBatch, error) {
	columns := slices.Clone(rec.Columns())
	for i, r := range c.current.as {
		if r == nil {
			continue
		}
		mem := &values.Counting{Allocator: c.o.Alloc}
		err := source.Guard(func() error {
			columns[i] = r.Apply(columns[i], mem)
			return nil
		})
		if err != nil {
			return nil, err
		}
		defer columns[i].Release()
		c.total[i].CopiedBytes += mem.Bytes
	}
	return array.NewRecordBatch(c.schema, columns, rec.NumRows()), nil
}

// leave adds up what became of a table's columns and moves on to the next table.
func (c *chain) leave() {
	c.total = c.report()
	c.in.Release()
	c.in = nil
}

func (c *chain) close() {
	if c.in != nil {
		c.leave()
	}
	c.part = oneByOne(nil)
}

func (c *chain) report() []ColumnReport {
	out := append([]ColumnReport{}, c.total...)
	if c.in == nil {
		return out
	}
	addReports(out, c.in.Report())
	return out
}

// addReports adds the reports of further rows to those of the rows before.
func addReports(total, more []ColumnReport) {
	for i, col := range more {
		total[i].CopiedBytes += col.CopiedBytes
		total[i].NullCount += col.NullCount
		if total[i].Note == nil {
			total[i].Note = col.Note
		}
		if total[i].Reason == "" { // mapped in all files before this one
			total[i].Delivery, total[i].Reason = col.Delivery, col.Reason
		}
	}
}
