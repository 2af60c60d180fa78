package arrowmap

import (
	"fmt"
	"slices"

	"github.com/h5arrow/h5arrow/h5/h5err"
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
