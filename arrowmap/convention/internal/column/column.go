// Package column describes datasets as columns, in the ways that several conventions share.
package column

import (
	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Group describes the datasets of a group as columns, except for tables, scalars, and those that skip, where it is not
// nil, returns true for. Datasets that can't be opened are columns with an error. There are none where all are.
func Group(g *h5.Group, skip func(h5.Object) bool) ([]convention.Column, error) {
	links, err := g.AllLinks()
	if err != nil {
		return nil, err
	}
	var out []convention.Column
	for l := range links {
		if l.Kind != h5.LinkHard {
			continue
		}
		o, err := g.OpenLink(l)
		if err != nil {
			out = append(out, convention.Column{Name: l.Name, Err: err})
			continue
		}
		d, ok := o.(*h5.Dataset)
		if !ok || d.Space().Class != h5.SpaceSimple || object.IsTable(d) || skip != nil && skip(d) {
			continue
		}
		out = append(out, Of(Name(l.Name, d), d))
	}
	for i := range out {
		if out[i].Err == nil {
			return out, nil
		}
	}
	return nil, nil
}

// EqualLengths returns an Argument error that names two of a group's columns of different lengths, nil where all are
// alike. Columns with an error don't count.
func EqualLengths(g *h5.Group, columns []convention.Column) error {
	rows, first := int64(-1), ""
	for i := range columns {
		if columns[i].Values == nil {
			continue
		}
		n := Rows(columns[i].Values)
		if rows < 0 {
			rows, first = n, columns[i].Name
		}
		if n == rows {
			continue
		}
		e := h5err.New(h5err.Argument, "the datasets of this group have several lengths (%s: %d, %s: %d): it is not a table",
			first, rows, columns[i].Name, n)
		return h5err.About(e.WithOption("arrowmap.File.Datasets", "choose some of them, such as %s,", object.Child(g, first)), g)
	}
	return nil
}

// Of describes a dataset as a column, with what its attributes say of its type and of missing values.
func Of(name string, d *h5.Dataset) convention.Column {
	c := convention.Column{Name: name, Objects: []h5.Object{d}}
	v, err := pyTables(d)
	if err == nil && v == nil {
		v, err = python(d)
	}
	if err == nil && v == nil {
		v, err = convention.NewPlain(d)
	}
	if err == nil {
		c.Values, err = WithMissing(d, v)
	}
	if c.Err = err; err != nil {
		c.Values = nil
	}
	return c
}

// Datasets opens the datasets of a group that have rows, in the order of its links. Members that can't be opened are
// columns with an error, so that they are not left out silently.
func Datasets(g *h5.Group) (out []*h5.Dataset, broken []convention.Column, err error) {
	links, err := g.AllLinks()
	if err != nil {
		return nil, nil, err
	}
	for l := range links {
		if l.Kind != h5.LinkHard {
			continue
		}
		o, err := g.Open(l.Name)
		if err != nil {
			broken = append(broken, convention.Column{Name: l.Name, Err: err})
			continue
		}
		if d, ok := o.(*h5.Dataset); ok && d.Space().Class == h5.SpaceSimple {
			out = append(out, d)
		}
	}
	return out, broken, nil
}

// Alike describes as a table the datasets of a group that are as long as one of them: those named first, in that order,
// then the others.
func Alike(g *h5.Group, like *h5.Dataset, first ...string) (*convention.Table, error) {
	all, broken, err := Datasets(g)
	if err != nil {
		return nil, err
	}
	t := &convention.Table{Path: g.Path(), Object: g, Inner: object.DatasetsOf(g)}
	taken := map[string]bool{}
	add := func(d *h5.Dataset) {
		if n := object.Base(d.Path()); !taken[n] && d.Rows() == like.Rows() && !object.IsTable(d) {
			taken[n] = true
			t.Columns = append(t.Columns, Of(n, d))
		}
	}
	for _, n := range first {
		for _, d := range all {
			if object.Base(d.Path()) == n {
				add(d)
			}
		}
	}
	for _, d := range all {
		add(d)
	}
	t.Columns = append(t.Columns, broken...)
	return t, nil
}
