package biology

import (
	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// DetectHDMF recognizes the dynamic tables of HDMF, which NWB files are made of: a group with the attribute colnames and
// a dataset id. A column with a dataset <name>_index beside it is ragged: the index has the end of each row, and may
// itself be indexed by <name>_index_index.
func DetectHDMF(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	a, err := g.Attribute("colnames")
	if err == nil && a == nil {
		return nwb(g)
	}
	if err != nil || !object.Has(g, "id") {
		return nil, err
	}
	names, ok := a.Strings()
	if floats, empty := a.Floats(); !ok && !(empty && len(floats) == 0) {
		return nil, object.Corrupt(g, "the attribute colnames is not a list of names")
	}
	id, err := object.Required(g, "id")
	if err != nil {
		return nil, err
	}
	t := &convention.Table{Path: g.Path(), Object: g, Reason: "attribute colnames and a dataset id", Columns: []convention.Column{column.Of("id", id)},
		Metadata: map[string]string{"h5arrow.index": "id"}, Inner: object.DatasetsOf(g)}
	for _, name := range names {
		t.Columns = append(t.Columns, hdmfColumn(g, name))
	}
	return []*convention.Table{t}, nil
}

// hdmfColumn describes a column of a dynamic table.
func hdmfColumn(g *h5.Group, name string) convention.Column {
	d, err := object.Dataset(g, name)
	if err == nil && d == nil {
		err = object.Corrupt(g, "the column %s is missing", name)
	}
	if err != nil {
		return convention.Column{Name: name, Err: err}
	}
	c := column.Of(name, d)
	if c.Err == nil {
		c.Values, c.Err = enumerated(g, d, c.Values)
	}
	if c.Err == nil {
		c.Values, c.Err = hdmfRagged(g, name, c.Values, 0)
	}
	if c.Err != nil {
		c.Values = nil
	}
	return c
}

// enumerated makes words of the numbers of a column of EnumData: its attribute elements refers to the dataset of the words.
func enumerated(g *h5.Group, d *h5.Dataset, v convention.Values) (convention.Values, error) {
	if object.Text(d, "neurodata_type") != "EnumData" {
		return v, nil
	}
	a, err := d.Attribute("elements")
	if err != nil || a == nil {
		return v, err
	}
	lists, ok := a.References()
	if !ok || len(lists) != 1 || len(lists[0]) != 1 {
		return nil, object.Corrupt(d, "the attribute elements is not a reference")
	}
	address := lists[0][0]
	if address == 0 {
		return v, nil
	}
	links, err := g.AllLinks()
	if err != nil {
		return nil, err
	}
	path := d.Path() + " elements" // where they are is not known
	for l := range links {
		if l.Kind == h5.LinkHard && l.Address == address {
			path = object.Child(g, l.Name)
		}
	}
	o, err := g.File().ObjectAt(address, path)
	if err != nil {
		return nil, err
	}
	words, ok := o.(*h5.Dataset)
	if !ok || words.Space().Class != h5.SpaceSimple || len(words.Dims()) != 1 {
		return nil, object.Corrupt(d, "the attribute elements does not refer to a list")
	}
	labels, err := convention.NewPlain(words)
	if err != nil {
		return nil, err
	}
	return &convention.Dictionary{Indices: convention.NewStored(d), Labels: labels}, nil
}

// hdmfRagged makes lists of values that have an index.
func hdmfRagged(g *h5.Group, name string, v convention.Values, depth int) (convention.Values, error) {
	index, err := object.Dataset(g, name+"_index")
	if err != nil || index == nil || v == nil {
		return v, err
	}
	if depth > 8 {
		return nil, object.Limit(g, "lists of more than 8 levels")
	}
	l := &convention.List{Offsets: index, Bounds: convention.BoundsEnds, Items: []convention.Column{{Name: "item", Values: v}}}
	return hdmfRagged(g, name+"_index", l, depth+1)
}
