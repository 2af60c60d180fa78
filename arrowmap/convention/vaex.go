package convention

import (
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// detectVaex recognises vaex's second layout: a group with the attribute type='table' or the name "table", which holds
// a group "columns" of groups.
func detectVaex(o h5.Object) ([]*Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	_, has, err := g.Link("columns")
	if err != nil {
		return nil, err
	}
	marked := text(g, "type") == "table"
	switch {
	case !has && marked:
		return nil, corrupt(g, "marked as a table, but there is no group columns")
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
			return nil, corrupt(co, "marked as a table, but columns is no group")
		}
		return nil, nil
	}
	if !marked {
		if some, err := hasColumnGroup(columns); !some {
			return nil, err
		}
	}
	t := &Table{Path: g.Path(), Object: g, Reason: "a group columns with a group for each column"}
	if marked {
		t.Reason = "attribute type='table' and " + t.Reason
	}
	t.Columns, err = vaexColumns(columns)
	return []*Table{t}, err
}

// hasColumnGroup tells whether the first group in columns looks like a vaex column.
func hasColumnGroup(columns *h5.Group) (bool, error) {
	links, err := columns.Links()
	if err != nil {
		return false, err
	}
	for _, l := range links {
		o, err := columns.Open(l.Name)
		if err != nil {
			continue
		}
		if g, ok := o.(*h5.Group); ok {
			_, has, err := g.Link("data")
			return has || text(g, "type") == "dictionary_encoded", err
		}
	}
	return false, nil
}

// vaexColumns describes the columns in the order of the attribute column_order; those that it does not name come
// after, by name.
func vaexColumns(columns *h5.Group) ([]Column, error) {
	links, err := columns.Links()
	if err != nil {
		return nil, err
	}
	out := make([]Column, 0, len(links))
	for _, l := range links {
		out = append(out, vaexColumn(columns, l))
	}
	return ordered(columns, out), nil
}

// ordered sorts columns by the attribute column_order of a group.
func ordered(g *h5.Group, columns []Column) []Column {
	order := text(g, "column_order")
	if order == "" {
		return columns
	}
	at := make(map[string]int, len(columns))
	for i := range columns {
		at[columns[i].Name] = i
	}
	taken := make([]bool, len(columns))
	out := make([]Column, 0, len(columns))
	for _, name := range strings.Split(order, ",") {
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

func vaexColumn(columns *h5.Group, l h5.Link) Column {
	c := Column{Name: l.Name}
	o, err := columns.OpenLink(l)
	if err != nil {
		c.Err = err
		return c
	}
	c.Objects = append(make([]h5.Object, 0, 2), o)
	if alias := text(o, "alias"); alias != "" {
		c.Name = alias
	}
	switch o := o.(type) {
	case *h5.Dataset:
		var p *Plain
		if p, c.Err = NewPlain(o); c.Err == nil {
			c.Values = p
		}
	case *h5.Group:
		c.Values, c.Err = vaexValues(o)
	default:
		c.Err = corrupt(o, "a column that is neither a group nor a dataset")
	}
	if c.Err != nil {
		c.Values = nil
	} else if d := c.Values.Main(); d.Address() != o.Address() {
		c.Objects = append(c.Objects, d)
	}
	return c
}

func vaexValues(g *h5.Group) (Values, error) {
	switch kind := text(g, "type"); kind {
	case "":
		return vaexData(g)
	case "dictionary_encoded":
		indices, err := vaexPart(g, "indices")
		if err != nil {
			return nil, err
		}
		labels, err := vaexPart(g, "dictionary")
		if err != nil {
			return nil, err
		}
		if _, ok := indices.(*Plain); !ok {
			return nil, corrupt(g, "dictionary indices that are text")
		}
		d := &Dictionary{Indices: indices, Labels: labels}
		if a, err := g.Attribute("ordered"); err == nil && a != nil {
			n, ok := a.Int()
			d.Ordered = ok && n != 0
		}
		return d, nil
	case "csr_matrix":
		l, err := sparse(g, "indptr", "indices", "data")
		if err != nil {
			return nil, err
		}
		return l, nil
	default:
		return nil, unsupported(g, "a vaex column of type %q", kind)
	}
}

func vaexPart(g *h5.Group, name string) (Values, error) {
	o, err := g.Open(name)
	if h5err.Is(err, h5err.NotFound) {
		return nil, corrupt(g, "a dictionary column without %s", name)
	}
	if err != nil {
		return nil, err
	}
	part, ok := o.(*h5.Group)
	if !ok {
		return nil, corrupt(o, "no group")
	}
	return vaexData(part)
}

// vaexData describes a group with data, and perhaps indices, mask, null_bitmap.
func vaexData(g *h5.Group) (Values, error) {
	data, err := dataset(g, "data")
	if err != nil {
		return nil, err
	}
	if data == nil {
		return nil, corrupt(g, "a column without data")
	}
	var nulls []Null
	for _, n := range []struct {
		name string
		kind NullKind
	}{{"mask", NullMask}, {"null_bitmap", NullBitmap}} {
		d, err := dataset(g, n.name)
		if err != nil {
			return nil, err
		}
		if d != nil {
			nulls = append(nulls, Null{Kind: n.kind, Data: d})
		}
	}
	p, err := NewPlain(data)
	if err != nil {
		return nil, err
	}
	if p.DType != "str" {
		p.Nulls = nulls
		return p, nil
	}
	text, err := TextOf(data)
	if err != nil {
		return nil, err
	}
	text.Nulls = nulls
	return text, nil
}

// dataset opens the dataset of that name, nil when there is none.
func dataset(g *h5.Group, name string) (*h5.Dataset, error) {
	l, has, err := g.Link(name)
	if err != nil || !has {
		return nil, err
	}
	o, err := g.OpenLink(l)
	if err != nil {
		return nil, err
	}
	d, ok := o.(*h5.Dataset)
	if !ok {
		return nil, corrupt(o, "a dataset is expected")
	}
	return d, nil
}

// detectVaex1 recognises vaex's first layout: a group "data" or "columns" in the root whose datasets are the columns,
// marked by the attribute column_order.
func detectVaex1(o h5.Object) ([]*Table, error) {
	g, ok := o.(*h5.Group)
	if !ok || g.Path() != "/data" && g.Path() != "/columns" {
		return nil, nil
	}
	if a, err := g.Attribute("column_order"); a == nil {
		return nil, err
	}
	columns, err := groupColumns(g)
	if err != nil || len(columns) == 0 {
		return nil, err
	}
	return []*Table{{Path: g.Path(), Object: g, Reason: "a group with the attribute column_order",
		Columns: ordered(g, columns), Inner: shallow(g)}}, nil
}

// TextOf describes the text whose bytes are in a dataset with the attribute dtype='str': the offsets stand beside it, as
// "indices".
func TextOf(data *h5.Dataset) (*Strings, error) {
	o, err := data.File().Lookup(parent(data.Path()))
	if err != nil {
		return nil, err
	}
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, corrupt(o, "no group")
	}
	offsets, err := dataset(g, "indices")
	if err == nil && offsets == nil {
		err = corrupt(g, "text without indices")
	}
	return &Strings{Data: data, Offsets: offsets}, err
}
