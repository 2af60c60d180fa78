package convention

import (
	"strconv"

	"github.com/h5arrow/h5arrow/h5"
)

// detectAlabaster recognises the data frames of Bioconductor's alabaster (takane): a group with the attribute row-count,
// the names of the columns in column_names, and the columns in a group `data`, by number. A factor is a group of codes
// and levels.
func detectAlabaster(o h5.Object) ([]*Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	if a, _ := g.Attribute("row-count"); a == nil || !has(g, "column_names") {
		return nil, nil
	}
	names, err := required(g, "column_names")
	if err != nil {
		return nil, err
	}
	labels, err := texts(names)
	if err != nil {
		return nil, err
	}
	t := &Table{Path: g.Path(), Object: g, Reason: "attribute row-count and column_names"}
	if d, ok := member(g, "row_names").(*h5.Dataset); ok {
		t.Columns = append(t.Columns, column("row_names", d))
		t.Metadata = map[string]string{"h5arrow.index": "row_names"}
	}
	data, _ := member(g, "data").(*h5.Group)
	for i, name := range labels {
		c := Column{Name: name}
		var o h5.Object
		if data != nil {
			o = member(data, strconv.Itoa(i))
		}
		switch o := o.(type) {
		case *h5.Dataset:
			c = column(name, o)
			if p, ok := c.Values.(*Plain); ok && text(o, "type") == "boolean" {
				booleans(p)
			}
		case *h5.Group:
			c.Objects = []h5.Object{o}
			c.Values, c.Err = alabasterFactor(o)
		default:
			c.Err = unsupported(g, "column %q stands outside this group", name)
		}
		if c.Err != nil {
			c.Values = nil
		}
		t.Columns = append(t.Columns, c)
	}
	return []*Table{t}, nil
}

func alabasterFactor(g *h5.Group) (Values, error) {
	if kind := text(g, "type"); kind != "factor" {
		return nil, unsupported(g, "a column of type %q", kind)
	}
	codes, err := required(g, "codes")
	if err != nil {
		return nil, err
	}
	levels, err := required(g, "levels")
	if err != nil {
		return nil, err
	}
	ordered, err := flag(g, "ordered")
	if err != nil {
		return nil, err
	}
	p := &Plain{Data: codes, Member: Whole, Item: Whole}
	if _, err := withMissing(codes, p); err != nil {
		return nil, err
	}
	l, err := NewPlain(levels)
	if err != nil {
		return nil, err
	}
	return &Dictionary{Indices: p, Labels: l, Ordered: ordered}, nil
}
