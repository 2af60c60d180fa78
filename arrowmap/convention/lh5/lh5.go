// Package lh5 recognizes the tables of LH5, the format of the LEGEND experiment, as legend-pydataobj writes it.
package lh5

import (
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// Detect recognizes groups by the attribute datatype: a table with the columns that it names, vectors of vectors by
// themselves, and structs whose members are arrays of one length. Columns may be ragged, booleans, or tables in turn.
//
// https://legend-exp.github.io/legend-data-format-specs/dev/hdf5/
func Detect(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	kind := object.Text(g, "datatype")
	names, ok := namesOf(kind, "table{")
	switch {
	case ok:
		return table(g, names)
	case strings.HasPrefix(kind, "struct{"):
		return structure(g)
	case strings.HasPrefix(kind, "array"):
		v, _, err := values(g, 0)
		if v == nil && err == nil {
			return nil, nil
		}
		c := convention.Column{Name: object.Base(g.Path()), Objects: []h5.Object{g}, Values: v, Err: err}
		return []*convention.Table{{Path: g.Path(), Object: g, Reason: "attribute datatype='" + kind + "'", Columns: []convention.Column{c}}}, nil
	}
	return nil, nil
}

// namesOf returns the names in "table{a,b}".
func namesOf(kind, prefix string) ([]string, bool) {
	list, ok := strings.CutPrefix(kind, prefix)
	if !ok {
		return nil, false
	}
	if list, ok = strings.CutSuffix(list, "}"); !ok {
		return nil, false
	}
	var names []string
	for n := range strings.SplitSeq(list, ",") {
		if n = strings.TrimSpace(n); n != "" {
			names = append(names, n)
		}
	}
	return names, true
}

func table(g *h5.Group, names []string) ([]*convention.Table, error) {
	if len(names) == 0 {
		return nil, object.NotATable(g, "an LH5 table without columns")
	}
	t := &convention.Table{Path: g.Path(), Object: g, Reason: "attribute datatype='table{...}'"}
	rows := int64(-1)
	for _, name := range names {
		c := convention.Column{Name: name}
		var n int64
		if c.Values, n, c.Err = member(g, &c, 0); c.Err == nil && rows < 0 {
			rows = n
		}
		if c.Err == nil && n != rows {
			c.Err = object.Corrupt(g, "the column %s has %d rows, those before it %d", name, n, rows)
		}
		if c.Err != nil {
			c.Values = nil
		}
		t.Columns = append(t.Columns, c)
	}
	return []*convention.Table{t}, nil
}

// member opens the member of a group that a column is named after.
func member(g *h5.Group, c *convention.Column, depth int) (convention.Values, int64, error) {
	if !object.Has(g, c.Name) {
		return nil, 0, object.Corrupt(g, "the column %s is missing", c.Name)
	}
	o, err := g.Open(c.Name)
	if err != nil {
		return nil, 0, err
	}
	c.Objects = []h5.Object{o}
	v, rows, err := values(o, depth)
	if err == nil && v == nil {
		err = object.Unsupported(o, "a column of the LH5 type %q", object.Text(o, "datatype"))
	}
	return v, rows, err
}

// structure describes a struct whose members are arrays of one length. Other structs are not tables.
func structure(g *h5.Group) ([]*convention.Table, error) {
	links, err := g.AllLinks()
	if err != nil {
		return nil, err
	}
	t := &convention.Table{Path: g.Path(), Object: g, Reason: "attribute datatype='struct{...}', arrays of one length"}
	claimed := map[string]bool{}
	rows := int64(-1)
	for l := range links {
		o := object.Member(g, l.Name)
		if l.Kind != h5.LinkHard || o == nil || !strings.HasPrefix(object.Text(o, "datatype"), "array") {
			continue
		}
		v, n, err := values(o, 0)
		if rows < 0 {
			rows = n
		}
		if err != nil || v == nil || n != rows {
			return nil, nil
		}
		claimed[l.Name] = true
		t.Columns = append(t.Columns, convention.Column{Name: l.Name, Objects: []h5.Object{o}, Values: v})
	}
	if len(t.Columns) == 0 {
		return nil, nil
	}
	t.Inner = func(path string) bool { return claimed[object.Base(path)] }
	return []*convention.Table{t}, nil
}

// maxDepth bounds vectors and tables in one another.
const maxDepth = 16

// values describes an object, and returns its number of rows; there are no values where the object is not a column.
func values(o h5.Object, depth int) (convention.Values, int64, error) {
	if depth > maxDepth {
		return nil, 0, object.Limit(o, "LH5 values of more than %d levels", maxDepth)
	}
	kind := object.Text(o, "datatype")
	if d, ok := o.(*h5.Dataset); ok {
		if d.Space().Class != h5.SpaceSimple {
			return nil, 0, nil
		}
		p := convention.NewStored(d)
		if strings.HasSuffix(strings.TrimRight(kind, "}"), "{bool") {
			column.Booleans(p)
		}
		return p, d.Rows(), nil
	}
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, 0, nil
	}
	if names, ok := namesOf(kind, "table{"); ok {
		return fields(g, names, depth)
	}
	if data := object.Member(g, "encoded_data"); data != nil { // by the attribute codec; the bytes as they are
		return values(data, depth+1)
	}
	if !object.Has(g, "cumulative_length", "flattened_data") {
		return nil, 0, nil
	}
	ends, err := object.Required(g, "cumulative_length")
	if err != nil {
		return nil, 0, err
	}
	items, err := g.Open("flattened_data")
	if err != nil {
		return nil, 0, err
	}
	v, _, err := values(items, depth+1)
	if err == nil && v == nil {
		err = object.Unsupported(items, "vectors of the LH5 type %q", object.Text(items, "datatype"))
	}
	if err != nil {
		return nil, 0, err
	}
	return &convention.List{Offsets: ends, Bounds: convention.BoundsEnds, Items: []convention.Column{{Name: "item", Values: v}}}, ends.Rows(), nil
}

// fields describes a table in a table, such as waveforms, as a struct.
func fields(g *h5.Group, names []string, depth int) (convention.Values, int64, error) {
	s, rows := &convention.Struct{}, int64(0)
	for i, name := range names {
		c := convention.Column{Name: name}
		v, n, err := member(g, &c, depth+1)
		if err != nil {
			return nil, 0, err
		}
		if i == 0 {
			rows, s.Data = n, v.Main()
		}
		if n != rows {
			return nil, 0, object.Corrupt(g, "the column %s has %d rows, those before it %d", name, n, rows)
		}
		c.Values = v
		s.Fields = append(s.Fields, c)
	}
	if len(names) == 0 {
		return nil, 0, object.Unsupported(g, "an LH5 table without columns in another one")
	}
	return s, rows, nil
}
