package biology

import (
	"strconv"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// DetectAlabaster recognizes the data frames of Bioconductor's alabaster (takane): a group with the attribute row-count,
// the names of the columns in column_names, and the columns in a group `data`, by number. A factor is a group of codes
// and levels.
func DetectAlabaster(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	if a, _ := g.Attribute("row-count"); a == nil || !object.Has(g, "column_names") {
		return nil, nil
	}
	names, err := object.Required(g, "column_names")
	if err != nil {
		return nil, err
	}
	labels, err := object.Texts(names)
	if err != nil {
		return nil, err
	}
	t := &convention.Table{Path: g.Path(), Object: g, Reason: "attribute row-count and column_names"}
	if d, ok := object.Member(g, "row_names").(*h5.Dataset); ok {
		t.Columns = append(t.Columns, column.Of("row_names", d))
		t.Metadata = map[string]string{"h5arrow.index": "row_names"}
	}
	data, _ := object.Member(g, "data").(*h5.Group)
	for i, name := range labels {
		c := convention.Column{Name: name}
		var o h5.Object
		if data != nil {
			o = object.Member(data, strconv.Itoa(i))
		}
		switch o := o.(type) {
		case *h5.Dataset:
			c = column.Of(name, o)
			if p, ok := c.Values.(*convention.Plain); ok && object.Text(o, "type") == "boolean" {
				c.Values = column.Truths(p)
			}
		case *h5.Group:
			c.Objects = []h5.Object{o}
			c.Values, c.Err = alabasterFactor(o)
		default:
			c.Err = object.Unsupported(g, "column %q is not in this group", name)
		}
		if c.Err != nil {
			c.Values = nil
		}
		t.Columns = append(t.Columns, c)
	}
	return []*convention.Table{t}, nil
}

func alabasterFactor(g *h5.Group) (convention.Values, error) {
	if kind := object.Text(g, "type"); kind != "factor" {
		return nil, object.Unsupported(g, "a column of type %q", kind)
	}
	codes, err := object.Required(g, "codes")
	if err != nil {
		return nil, err
	}
	levels, err := object.Required(g, "levels")
	if err != nil {
		return nil, err
	}
	ordered, err := object.Flag(g, "ordered")
	if err != nil {
		return nil, err
	}
	p := convention.NewStored(codes)
	if _, err := column.WithMissing(codes, p); err != nil {
		return nil, err
	}
	l, err := convention.NewPlain(levels)
	if err != nil {
		return nil, err
	}
	return &convention.Dictionary{Indices: p, Labels: l, Ordered: ordered}, nil
}
