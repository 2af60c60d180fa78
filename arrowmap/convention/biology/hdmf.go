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
		c := convention.Column{Name: name}
		d, err := object.Dataset(g, name)
		if err == nil && d == nil {
			err = object.Corrupt(g, "the column %s is missing", name)
		}
		if err == nil {
			c = column.Of(name, d)
			if c.Values, err = hdmfRagged(g, name, c.Values, 0); err == nil {
				err = c.Err
			}
		}
		if c.Err = err; err != nil {
			c.Values = nil
		}
		t.Columns = append(t.Columns, c)
	}
	return []*convention.Table{t}, nil
}

// nwb recognizes the time series of NWB: data, with timestamps beside them or a rate.
func nwb(g *h5.Group) ([]*convention.Table, error) {
	switch object.Text(g, "neurodata_type") {
	case "":
		return nil, nil
	case "NWBFile":
		return nil, object.NotATable(g, "an NWB file: what is in it are tables")
	}
	d, ok := object.Member(g, "data").(*h5.Dataset)
	if !ok || d.Space().Class != h5.SpaceSimple || !object.Has(g, "timestamps") && !object.Has(g, "starting_time") {
		return nil, nil
	}
	t, err := column.Alike(g, d, "timestamps", "data")
	if err != nil {
		return nil, err
	}
	t.Reason = "attribute neurodata_type='" + object.Text(g, "neurodata_type") + "'"
	return []*convention.Table{t}, nil
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
