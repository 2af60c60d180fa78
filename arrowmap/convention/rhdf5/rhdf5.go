// Package rhdf5 recognizes what R's rhdf5 and HDF5Array write.
package rhdf5

import (
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// Detect recognizes datasets with the attribute rhdf5-NA.OK. A group of them is a table, a list or a data frame of R, if
// they have one length; else each is a table of its own.
func Detect(o h5.Object) ([]*convention.Table, error) {
	switch o := o.(type) {
	case *h5.Dataset:
		return vector(o)
	case *h5.Group:
		if object.Has(o, "data", "indices", "indptr") { // a sparse matrix, whichever convention reads it
			return nil, nil
		}
		return list(o)
	}
	return nil, nil
}

// Part reports whether an object has the dimnames of an HDF5Array: the group .NAME_dimnames beside the dataset or group
// NAME, or one of the dimension scales that it attaches.
func Part(o h5.Object) bool {
	if _, ok := o.(*h5.Group); !ok {
		return dimnames(o)
	}
	name, ok := strings.CutPrefix(object.Base(o.Path()), ".")
	if name, ok2 := strings.CutSuffix(name, "_dimnames"); ok && ok2 && name != "" {
		up := object.Above(o)
		return up != nil && object.Has(up, name)
	}
	return false
}

// dimnames reports whether a dataset is a dimension scale that HDF5Array makes.
func dimnames(o h5.Object) bool {
	return object.Text(o, "NAME") == "dimnames" && object.Text(o, "CLASS") == "DIMENSION_SCALE"
}

// vector makes a table of one dataset.
func vector(d *h5.Dataset) ([]*convention.Table, error) {
	if !candidate(d) || !column.ByRhdf5(d) || object.Text(d, "CLASS") != "" {
		return nil, nil
	}
	return []*convention.Table{{Path: d.Path(), Object: d, Reason: "attribute rhdf5-NA.OK", Columns: []convention.Column{column.Of(object.Base(d.Path()), d)}}}, nil
}

// candidate reports whether a dataset may be a column.
func candidate(d *h5.Dataset) bool {
	return d.Space().Class == h5.SpaceSimple && !object.IsTable(d)
}

// list makes a table of a group that rhdf5 wrote: all its datasets have the attribute, but those that are tables.
func list(g *h5.Group) ([]*convention.Table, error) {
	links, err := g.AllLinks()
	if err != nil {
		return nil, err
	}
	found, names := false, false
	for l := range links {
		if l.Kind != h5.LinkHard {
			continue
		}
		o, err := g.OpenLink(l)
		if err != nil {
			continue // a column with an error
		}
		d, ok := o.(*h5.Dataset)
		if !ok || !candidate(d) {
			continue
		}
		if dimnames(d) {
			names = true
			continue
		}
		if !column.ByRhdf5(d) {
			return nil, nil
		}
		found = true
	}
	if !found && names {
		return nil, object.NotATable(g, "the names of dimensions of an HDF5Array")
	}
	if !found {
		return nil, nil
	}
	columns, err := column.Group(g, dimnames)
	if err != nil || len(columns) == 0 {
		return nil, err
	}
	if err := column.EqualLengths(g, columns); err != nil {
		return nil, object.NotATable(g, "vectors of R of several lengths: each is a table of its own")
	}
	return []*convention.Table{{Path: g.Path(), Object: g, Reason: "datasets with the attribute rhdf5-NA.OK", Columns: columns, Inner: object.ColumnsOf(g)}}, nil
}
