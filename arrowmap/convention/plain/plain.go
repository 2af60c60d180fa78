// Package plain recognizes the tables that package arrowmap/tablewriter writes in its plain layout: a dataset for each column in a
// group, with their nulls and the labels of dictionaries in datasets beside them.
package plain

import (
	"encoding/json"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
)

// Detect recognizes a group by the attribute h5arrow.columns, a list of the names of its columns' datasets.
func Detect(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	text := object.Text(g, dtype.OrderAttribute)
	if text == "" {
		return nil, nil
	}
	var names []string
	if err := json.Unmarshal([]byte(text), &names); err != nil || len(names) == 0 {
		return nil, object.Corrupt(g, "the attribute %s is not a list of names", dtype.OrderAttribute)
	}
	t := &convention.Table{Path: g.Path(), Object: g, Reason: "the attribute " + dtype.OrderAttribute}
	if g.Path() == "/" {
		t.Inner = object.DatasetsOf(g)
	}
	for _, n := range names {
		t.Columns = append(t.Columns, columnOf(g, n))
	}
	return []*convention.Table{t}, nil
}

func columnOf(g *h5.Group, name string) convention.Column {
	c := convention.Column{Name: name}
	d, err := object.Required(g, name)
	if err != nil {
		c.Err = err
		return c
	}
	if alias := object.Text(d, "alias"); alias != "" {
		c.Name = alias
	}
	c.Objects = []h5.Object{d}
	if c.Values, c.Err = valuesOf(g, d); c.Err == nil {
		c.Values, c.Err = column.Restored(d, c.Values)
	}
	if c.Err != nil {
		c.Values = nil
	}
	return c
}

// valuesOf describes the values of a dataset by the attributes that name those beside it.
func valuesOf(g *h5.Group, d *h5.Dataset) (convention.Values, error) {
	if object.Text(d, dtype.NullsAttribute) == "all" {
		return convention.AllNull(d), nil
	}
	p, err := convention.NewPlain(d)
	if err != nil {
		return nil, err
	}
	if err := column.Sentinel(p); err != nil {
		return nil, err
	}
	if p.Nulls, err = nulls(g, d, dtype.NullsAttribute, p.Nulls); err != nil {
		return nil, err
	}
	var v convention.Values = p
	rows, err := nulls(g, d, dtype.RowNullsAttribute, nil)
	if err != nil {
		return nil, err
	}
	if len(rows) > 0 {
		v = &convention.Masked{Of: v, Nulls: rows}
	}
	name := object.Text(d, dtype.LabelsAttribute)
	if name == "" {
		return v, nil
	}
	labels, err := object.Required(g, name)
	if err != nil {
		return nil, err
	}
	l, err := convention.NewPlain(labels)
	if err != nil {
		return nil, err
	}
	return &convention.Dictionary{Indices: v, Labels: l}, nil
}

// nulls adds the nulls in the dataset that an attribute names after their kind.
func nulls(g *h5.Group, d *h5.Dataset, attribute string, to []convention.Null) ([]convention.Null, error) {
	kind, name, named := strings.Cut(object.Text(d, attribute), ":")
	if !named {
		return to, nil
	}
	n := convention.Null{Kind: convention.NullMask}
	switch kind {
	case "bitmap":
		n.Kind = convention.NullBitmap
	case "mask":
	default:
		return nil, object.Corrupt(d, "the attribute %s names nulls of kind %q", attribute, kind)
	}
	var err error
	n.Data, err = object.Required(g, name)
	return append(to, n), err
}
