package arrowmap

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Table is a table of a file: columns of one length. It is immutable; Select and Slice make others.
type Table struct {
	f       *File
	def     *convention.Table
	columns []*Column
	from    int64 // rows that are left out at the start
	to      int64 // end of the rows, -1: all

	parts []*Table // a table of several files: its tables, of one schema
}

func (f *File) table(def *convention.Table) *Table {
	t := &Table{f: f, def: def, columns: make([]*Column, len(def.Columns)), to: -1}
	all := make([]Column, len(def.Columns))
	for i := range def.Columns {
		t.columns[i] = &all[i]
		f.column(t.columns[i], &def.Columns[i])
	}
	return t
}

// Path is the table's path in the file.
func (t *Table) Path() string { return t.def.Path }

// Name is the last part of the path; the root's is empty.
func (t *Table) Name() string { return t.def.Path[strings.LastIndexByte(t.def.Path, '/')+1:] }

// Convention names the convention that recognised the table.
func (t *Table) Convention() string { return t.def.Convention }

// Reason says by what it was recognised.
func (t *Table) Reason() string { return t.def.Reason }

// Columns returns the columns in their order. The slice is shared and not to be written to.
func (t *Table) Columns() []*Column { return t.columns }

// Rows is the number of rows: that of the first column that can be read.
func (t *Table) Rows() int64 {
	if t.parts != nil {
		n := int64(0)
		for _, p := range t.parts {
			n += p.Rows()
		}
		return max(0, t.end(n)-t.from)
	}
	return max(0, t.end(t.whole())-t.from)
}

// whole is the number of rows before Slice.
func (t *Table) whole() int64 {
	for _, c := range t.columns {
		if c.Err == nil {
			return c.node.rows()
		}
	}
	return 0
}

func (t *Table) end(rows int64) int64 {
	if t.to < 0 {
		return rows
	}
	return min(t.to, rows)
}

// Schema returns the Arrow schema of the columns that can be read, with the metadata of the table.
func (t *Table) Schema() *arrow.Schema {
	fields := make([]arrow.Field, 0, len(t.columns))
	for _, c := range t.columns {
		if c.Err == nil {
			fields = append(fields, c.Field())
		}
	}
	md := map[string]string{}
	for _, o := range t.def.Objects {
		addAttributes(md, o)
	}
	if t.def.Object != nil {
		addAttributes(md, t.def.Object)
	}
	maps.Copy(md, t.def.Metadata)
	m := metadata(md)
	return arrow.NewSchema(fields, &m)
}

// Select returns the table with the columns of these names, in this order.
func (t *Table) Select(names ...string) (*Table, error) {
	if t.parts != nil {
		return t.each(func(p *Table) (*Table, error) { return p.Select(names...) })
	}
	out := *t
	out.columns = make([]*Column, 0, len(names))
	at := make(map[string]*Column, len(t.columns))
	for _, c := range slices.Backward(t.columns) {
		at[c.Name] = c
	}
	for _, n := range names {
		c, ok := at[n]
		if !ok {
			return nil, t.f.usage(t.def.Path, "no column "+n).WithHint("the columns are %s", t.names())
		}
		out.columns = append(out.columns, c)
	}
	return &out, nil
}

// names lists the first columns for a message.
func (t *Table) names() string {
	var names []string
	for _, c := range t.columns {
		if len(names) == 20 {
			names = append(names, "...")
			break
		}
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

// Slice returns the rows [a,b). b is clipped to the table, and -1 means its end; a beyond the end, or behind b, is an
// Argument error.
func (t *Table) Slice(a, b int64) (*Table, error) {
	if err := t.consistent(); err != nil {
		return nil, err
	}
	rows := t.Rows()
	if b < 0 || b > rows {
		b = max(rows, min(b, rows))
	}
	if a < 0 || a > rows || a > b {
		return nil, t.f.usage(t.def.Path, fmt.Sprintf("rows %d to %d of a table of %d rows", a, b, rows))
	}
	out := *t
	out.from, out.to = t.from+a, t.from+b
	return &out, nil
}

// SkipUnsupported returns the table without the columns that ask for something unsupported, and says why for each.
func (t *Table) SkipUnsupported() (*Table, []error) {
	var skipped []error
	out := *t
	out.columns = nil
	for _, c := range t.columns {
		if k := h5err.KindOf(c.Err); k == h5err.Unsupported || k == h5err.Limit {
			skipped = append(skipped, c.Err)
			continue
		}
		out.columns = append(out.columns, c)
	}
	if t.parts != nil {
		names := make([]string, len(out.columns))
		for i, c := range out.columns {
			names[i] = c.Name
		}
		sel, err := t.Select(names...)
		if err == nil {
			return sel, skipped
		}
	}
	return &out, skipped
}

// consistent returns the error of the first column that can't be read, or that has another length.
func (t *Table) consistent() error {
	for _, p := range t.parts {
		if err := p.consistent(); err != nil {
			return err
		}
	}
	for _, c := range t.columns {
		if c.Err != nil {
			return c.Err
		}
	}
	if len(t.columns) == 0 {
		return t.f.usage(t.def.Path, "a table without columns")
	}
	if t.parts != nil {
		return nil
	}
	rows := t.columns[0].node.rows()
	for _, c := range t.columns[1:] {
		if n := c.node.rows(); n != rows {
			kind := h5err.Corrupt
			if t.def.Convention == "dataset" || t.def.Convention == "group" {
				kind = h5err.Argument
			}
			return h5err.In(h5err.New(kind, "column %s has %d rows, column %s has %d", t.columns[0].Name, rows, c.Name, n),
				t.f.f.Name(), t.def.Path)
		}
	}
	return nil
}

// Concat returns tables of one schema, of several files, one behind the other. Schemas that differ are an Argument
// error.
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
	return &Table{f: first.f, def: first.def, columns: first.columns, to: -1, parts: tables}, nil
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

func (t *Table) each(fn func(p *Table) (*Table, error)) (*Table, error) {
	out := *t
	out.parts = make([]*Table, len(t.parts))
	for i, p := range t.parts {
		var err error
		if out.parts[i], err = fn(p); err != nil {
			return nil, err
		}
	}
	out.columns = out.parts[0].columns
	return &out, nil
}
