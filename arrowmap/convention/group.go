package convention

import (
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// detectCompound recognises a dataset of rank 1 whose type is compound, complex numbers apart.
func detectCompound(o h5.Object) ([]*Table, error) {
	d, ok := o.(*h5.Dataset)
	if !ok || !isTable(d) {
		return nil, nil
	}
	t := &Table{Path: d.Path(), Object: d, Reason: "a one-dimensional dataset of a compound type"}
	for i, m := range d.Type().Members {
		t.Columns = append(t.Columns, Column{Name: m.Name, Values: NewMember(d, i)})
	}
	return []*Table{t}, nil
}

// isTable tells whether a dataset is a table of its own.
func isTable(d *h5.Dataset) bool {
	return d.Type().Class == h5.ClassCompound && !d.Type().IsComplex() && d.Space().Class == h5.SpaceSimple && len(d.Dims()) == 1
}

// detectGroup recognises a group with datasets of rank 1 and above that have one length. Unequal lengths are an
// Argument error that names them.
func detectGroup(o h5.Object) ([]*Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	columns, err := groupColumns(g)
	if err != nil || len(columns) == 0 {
		return nil, err
	}
	if err := equalLengths(g, columns); err != nil {
		return nil, err
	}
	return []*Table{{Path: g.Path(), Object: g, Reason: "a group whose datasets have one length", Columns: columns, Inner: shallow(g)}}, nil
}

// shallow claims a group's own datasets, compound ones apart, but not its groups.
func shallow(g *h5.Group) func(path string) bool {
	return func(path string) bool {
		o, err := g.Open(path[strings.LastIndexByte(path, '/')+1:])
		d, ok := o.(*h5.Dataset)
		return err == nil && ok && !isTable(d)
	}
}

// groupColumns describes the datasets of a group that can be columns.
func groupColumns(g *h5.Group) ([]Column, error) {
	links, err := g.Links()
	if err != nil {
		return nil, err
	}
	var out []Column
	for _, l := range links {
		if l.Kind != h5.LinkHard {
			continue
		}
		o, err := g.OpenLink(l)
		if err != nil {
			out = append(out, Column{Name: l.Name, Err: err})
			continue
		}
		d, ok := o.(*h5.Dataset)
		if !ok || d.Space().Class != h5.SpaceSimple || isTable(d) || strings.HasSuffix(l.Name, astropyMeta) {
			continue
		}
		out = append(out, column(l.Name, d))
	}
	for i := range out {
		if out[i].Err == nil {
			return out, nil
		}
	}
	return nil, nil
}

func equalLengths(g *h5.Group, columns []Column) error {
	rows, first := int64(-1), ""
	for i := range columns {
		if columns[i].Values == nil {
			continue
		}
		n := columns[i].Values.Main().Rows()
		if rows < 0 {
			rows, first = n, columns[i].Name
		}
		if n == rows {
			continue
		}
		e := h5err.New(h5err.Argument, "the datasets of this group have several lengths (%s: %d, %s: %d): it is no table",
			first, rows, columns[i].Name, n)
		return h5err.In(e.WithOption("arrowmap.File.Datasets", "choose some of them, such as %s/%s,", strings.TrimSuffix(g.Path(), "/"), first), g.File().Name(), g.Path())
	}
	return nil
}
