// Package vaex recognizes the tables that vaex writes, in both of its layouts.
package vaex

import (
	"encoding/json"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Detect recognizes vaex's second layout: a group with the attribute type='table' or the name "table", which holds
// a group "columns" of groups.
func Detect(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	_, has, err := g.Link("columns")
	if err != nil {
		return nil, err
	}
	marked := object.Text(g, "type") == "table"
	switch {
	case !has && marked:
		return nil, object.Corrupt(g, "marked as a table, but there is no group columns")
	case !has:
		return nil, nil
	}
	co, err := g.Open("columns")
	if err != nil {
		return nil, err
	}
	columns, ok := co.(*h5.Group)
	if !ok {
		if marked {
			return nil, object.Corrupt(co, "marked as a table, but columns is not a group")
		}
		return nil, nil
	}
	if !marked {
		if some, err := hasColumnGroup(columns); !some {
			return nil, err
		}
	}
	t := &convention.Table{Path: g.Path(), Object: g, Reason: "a group columns with a group for each column"}
	if marked {
		t.Reason = "attribute type='table' and " + t.Reason
	}
	if t.Columns, err = columnsOf(columns); err == nil {
		err = withArrow(t, g, columns)
	}
	return []*convention.Table{t}, err
}

// withArrow adds the columns of types that vaex lacks, which package arrowmap/tablewriter puts into a group beside the others.
func withArrow(t *convention.Table, g, columns *h5.Group) error {
	if _, has, err := g.Link("arrow"); err != nil || !has {
		return err
	}
	o, err := g.Open("arrow")
	if err != nil {
		return err
	}
	more, ok := o.(*h5.Group)
	if !ok {
		return object.Corrupt(o, "columns of Arrow's types, but no group")
	}
	added, err := columnsOf(more)
	t.Columns = ordered(columns, append(t.Columns, added...))
	return err
}

// hasColumnGroup reports whether the first group in columns looks like a vaex column.
func hasColumnGroup(columns *h5.Group) (bool, error) {
	links, err := columns.AllLinks()
	if err != nil {
		return false, err
	}
	for l := range links {
		o, err := columns.Open(l.Name)
		if err != nil {
			continue
		}
		if g, ok := o.(*h5.Group); ok {
			_, has, err := g.Link("data")
			return has || object.Text(g, "type") == "dictionary_encoded", err
		}
	}
	return false, nil
}

// columnsOf describes the columns in the order of the attribute column_order; those that it does not name come
// after, by name.
func columnsOf(columns *h5.Group) ([]convention.Column, error) {
	links, err := columns.Links()
	if err != nil {
		return nil, err
	}
	out := make([]convention.Column, 0, len(links))
	for _, l := range links {
		out = append(out, columnOf(columns, l))
	}
	return ordered(columns, out), nil
}

// ordered sorts columns by the attribute column_order of a group.
func ordered(g *h5.Group, columns []convention.Column) []convention.Column {
	names := strings.Split(object.Text(g, "column_order"), ",")
	if text := object.Text(g, dtype.OrderAttribute); text != "" { // names have commas
		var all []string
		if json.Unmarshal([]byte(text), &all) == nil {
			names = all
		}
	}
	at := make(map[string]int, len(columns))
	for i := range columns {
		at[columns[i].Name] = i
	}
	taken := make([]bool, len(columns))
	out := make([]convention.Column, 0, len(columns))
	for _, name := range names {
		if i, ok := at[name]; ok && !taken[i] {
			taken[i] = true
			out = append(out, columns[i])
		}
	}
	for i := range columns {
		if !taken[i] {
			out = append(out, columns[i])
		}
	}
	return out
}

func columnOf(columns *h5.Group, l h5.Link) convention.Column {
	c := convention.Column{Name: l.Name}
	o, err := columns.OpenLink(l)
	if err != nil {
		c.Err = err
		return c
	}
	c.Objects = append(make([]h5.Object, 0, 2), o)
	if alias := object.Text(o, "alias"); alias != "" {
		c.Name = alias
	}
	switch o := o.(type) {
	case *h5.Dataset:
		var p *convention.Plain
		if p, c.Err = convention.NewPlain(o); c.Err == nil {
			c.Values = p
		}
	case *h5.Group:
		if c.Values, c.Err = (&parts{maxParts}).valuesOf(o, 0); c.Err == nil {
			c.Values, c.Err = column.Restored(o, c.Values)
		}
	default:
		c.Err = object.Corrupt(o, "a column that is neither a group nor a dataset")
	}
	if c.Err != nil {
		c.Values = nil
	} else if d := c.Values.Main(); d.Address() != o.Address() {
		c.Objects = append(c.Objects, d)
	}
	return c
}

func (p *parts) valuesOf(g *h5.Group, depth int) (convention.Values, error) {
	switch kind := object.Text(g, "type"); kind {
	case "":
		return dataOf(g)
	case "dictionary_encoded":
		indices, err := partOf(g, "indices")
		if err != nil {
			return nil, err
		}
		labels, err := partOf(g, "dictionary")
		if err != nil {
			return nil, err
		}
		if _, ok := indices.(*convention.Plain); !ok {
			return nil, object.Corrupt(g, "dictionary indices that are text")
		}
		d := &convention.Dictionary{Indices: indices, Labels: labels}
		if a, err := g.Attribute("ordered"); err == nil && a != nil {
			n, ok := a.Int()
			d.Ordered = ok && n != 0
		}
		return d, nil
	case "null", "binary", "list", "fixed_size_list", "struct":
		return p.arrowOf(g, kind, depth)
	case "csr_matrix":
		l, err := column.Sparse(g, "indptr", "indices", "data")
		if err != nil {
			return nil, err
		}
		return l, nil
	default:
		return nil, object.Unsupported(g, "a vaex column of type %q", kind)
	}
}

func partOf(g *h5.Group, name string) (convention.Values, error) {
	o, err := g.Open(name)
	if h5err.Is(err, h5err.NotFound) {
		return nil, object.Corrupt(g, "a dictionary column without %s", name)
	}
	if err != nil {
		return nil, err
	}
	part, ok := o.(*h5.Group)
	if !ok {
		return nil, object.Corrupt(o, "no group")
	}
	if object.Text(part, "type") == "binary" {
		return bytesOf(part)
	}
	return dataOf(part)
}

// dataOf describes a group with a dataset data, and perhaps indices, mask and null_bitmap.
func dataOf(g *h5.Group) (convention.Values, error) {
	data, err := object.Dataset(g, "data")
	if err != nil {
		return nil, err
	}
	if data == nil {
		return nil, object.Corrupt(g, "a column without data")
	}
	var nulls []convention.Null
	for _, n := range []struct {
		name string
		kind convention.NullKind
	}{{"mask", convention.NullMask}, {"null_bitmap", convention.NullBitmap}} {
		d, err := object.Dataset(g, n.name)
		if err != nil {
			return nil, err
		}
		if d != nil {
			nulls = append(nulls, convention.Null{Kind: n.kind, Data: d})
		}
	}
	p, err := convention.NewPlain(data)
	if err != nil {
		return nil, err
	}
	if p.DType != "str" {
		p.Nulls = nulls
		if err := column.Sentinel(p); err != nil {
			return nil, err
		}
		return masked(g, "row_bitmap", p)
	}
	text, err := Text(data)
	if err != nil {
		return nil, err
	}
	text.Nulls = nulls
	return text, nil
}

// Text describes the text whose bytes are in a dataset with the attribute dtype='str': the offsets are beside it, as
// "indices".
func Text(data *h5.Dataset) (*convention.Strings, error) {
	o, err := data.File().Lookup(object.Parent(data.Path()))
	if err != nil {
		return nil, err
	}
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, object.Corrupt(o, "no group")
	}
	offsets, err := object.Dataset(g, "indices")
	if err == nil && offsets == nil {
		err = object.Corrupt(g, "text without indices")
	}
	return &convention.Strings{Data: data, Offsets: offsets}, err
}
