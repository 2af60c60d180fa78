// Package hickle recognizes what hickle dumps beyond plain datasets: masked arrays, and the table of Python's types that each of
// its files has. Its text is recognized wherever it is a column.
package hickle

import (
	"slices"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// typesTable is the name of the group with pickled types, which nothing reads.
const typesTable = "hickle_types_table"

// Detect recognizes masked arrays: groups of the datasets data and mask, and nothing else, that have a type of Python. Members
// of a dict that are called so have quotes in their names.
func Detect(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok || !typed(g) || !object.Has(g, "data", "mask") {
		return nil, nil
	}
	links, err := g.AllLinks()
	if err != nil {
		return nil, err
	}
	for l := range links {
		if l.Name != "data" && l.Name != "mask" {
			return nil, nil
		}
	}
	data, ok1 := object.Member(g, "data").(*h5.Dataset)
	mask, ok2 := object.Member(g, "mask").(*h5.Dataset)
	if !ok1 || !ok2 || data.Space().Class != h5.SpaceSimple || object.IsTable(data) {
		return nil, nil
	}
	if !slices.Equal(data.Dims(), mask.Dims()) {
		return nil, object.Corrupt(mask, "a mask of shape %v of an array of shape %v", mask.Dims(), data.Dims())
	}
	c := column.Of(column.Name(object.Base(g.Path()), g), data)
	if p, ok := c.Values.(*convention.Plain); ok {
		p.Nulls = append(p.Nulls, convention.Null{Kind: convention.NullMask, Data: mask})
	}
	return []*convention.Table{{Path: g.Path(), Object: g, Reason: "a masked array", Columns: []convention.Column{c}}}, nil
}

// typed reports whether an object refers to a type of Python.
func typed(o h5.Object) bool {
	a, err := o.Attribute("type")
	return err == nil && a != nil && a.Type().Class == h5.ClassReference
}

// Part reports whether an object is the table of types.
func Part(o h5.Object) bool {
	g, ok := o.(*h5.Group)
	if !ok || object.Base(g.Path()) != typesTable {
		return false
	}
	up := object.Above(g)
	return up != nil && object.Text(up, "HICKLE_VERSION") != ""
}
