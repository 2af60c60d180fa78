// Package scipp recognizes the data arrays that scipp saves: a variable with its coordinates and masks, each a group with
// the dataset values, and variances where it has them.
package scipp

import (
	"slices"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/unit"
	"github.com/h5arrow/h5arrow/h5"
)

// Detect recognizes data arrays and single variables by the attribute scipp-type. A data array has a row for each value of
// its first dimension. Its coordinates and masks along that dimension are columns; those of other lengths, such as the
// edges of bins, are not. A mask is true where a value is masked; the value stays.
func Detect(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	switch object.Text(g, "scipp-type") {
	case "DataArray":
		return dataArray(g)
	case "Variable":
		if above := object.Base(strings.TrimSuffix(object.Parent(g.Path()), "/")); slices.Contains(groups, above) {
			return nil, object.NotATable(g, "a coordinate or mask of a data array")
		}
		return table(g, g, object.Text(g, "name"))
	}
	return nil, nil
}

// groups is the groups of a data array that have variables; files from before 2025 may have attrs.
var groups = []string{"coords", "masks", "attrs"}

func dataArray(g *h5.Group) ([]*convention.Table, error) {
	data, ok := object.Member(g, "data").(*h5.Group)
	if !ok {
		return nil, object.Corrupt(g, "a data array without data")
	}
	name := object.Text(g, "name")
	tables, err := table(g, data, name)
	if err != nil || len(tables) == 0 {
		return nil, err
	}
	t, values := tables[0], object.Member(data, "values").(*h5.Dataset)
	dims := dimensions(values)
	used := map[string]bool{}
	for _, c := range t.Columns {
		used[c.Name] = true
	}
	for _, kind := range groups {
		all, ok := object.Member(g, kind).(*h5.Group)
		if !ok {
			continue
		}
		links, err := all.AllLinks()
		if err != nil {
			return nil, err
		}
		for l := range links {
			v, err := all.OpenLink(l)
			if err != nil {
				t.Columns = append(t.Columns, convention.Column{Name: l.Name, Err: err})
				continue
			}
			for _, c := range beside(v, values, dims) {
				if used[c.Name] {
					c.Name = kind + "." + c.Name
				}
				used[c.Name] = true
				t.Columns = append(t.Columns, c)
			}
		}
	}
	return tables, nil
}

// table describes a variable as the first columns of a table of g.
func table(g, variable *h5.Group, name string) ([]*convention.Table, error) {
	switch v := object.Member(variable, "values").(type) {
	case *h5.Dataset:
		if v.Space().Class != h5.SpaceSimple {
			return nil, object.NotATable(g, "a single value")
		}
	case *h5.Group:
		return nil, object.NotATable(g, "values in bins, or values that are variables themselves")
	default:
		return nil, object.Corrupt(variable, "a variable without values")
	}
	if name == "" {
		name = "data"
	}
	return []*convention.Table{{Path: g.Path(), Object: g, Reason: "attribute scipp-type='" + object.Text(g, "scipp-type") + "'",
		Columns: columns(variable, name)}}, nil
}

// beside describes a coordinate or a mask of as many rows as the data, along the same dimension; others have no columns.
func beside(o h5.Object, data *h5.Dataset, dims []string) []convention.Column {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil
	}
	v, ok := object.Member(g, "values").(*h5.Dataset)
	if !ok || v.Space().Class != h5.SpaceSimple || v.Rows() != data.Rows() {
		return nil
	}
	own := dimensions(v)
	if len(own) > 0 && len(dims) > 0 && own[0] != dims[0] {
		return nil
	}
	name := object.Text(g, "name")
	if name == "" {
		name = object.Base(g.Path())
	}
	return columns(g, name)
}

// dimensions returns the names of the dimensions of values.
func dimensions(d *h5.Dataset) []string {
	a, err := d.Attribute("dims")
	if err != nil || a == nil {
		return nil
	}
	names, _ := a.Strings()
	return names
}

// columns describes the values of a variable, and its variances, where it has them.
func columns(variable *h5.Group, name string) []convention.Column {
	v, _ := object.Member(variable, "values").(*h5.Dataset)
	out := []convention.Column{values(name, v)}
	if object.Has(variable, "variances") {
		c := convention.Column{Name: name + "_variances"}
		d, err := object.Required(variable, "variances")
		if err == nil && (d.Space().Class != h5.SpaceSimple || d.Rows() != v.Rows()) {
			err = object.Corrupt(d, "%d variances of %d values", d.Rows(), v.Rows())
		}
		if err == nil {
			c.Values, c.Objects = convention.NewStored(d), []h5.Object{d}
		}
		c.Err = err
		out = append(out, c)
	}
	return out
}

// values describes the values of a variable. Their attribute dtype is scipp's; only times need it.
func values(name string, d *h5.Dataset) convention.Column {
	p := convention.NewStored(d)
	c := convention.Column{Name: name, Values: p, Objects: []h5.Object{d}}
	u, ok := unit.Read(d)
	if ok {
		c.Metadata = map[string]string{"unit": u.String()}
	}
	if object.Text(d, "dtype") != "datetime64" {
		return c
	}
	if p.DType = u.Instants(); p.DType == "" {
		c.Values, c.Err = nil, object.Unsupported(d, "times in units of %q", u)
	}
	return c
}
