package convention

import (
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// detectHdmf recognises the dynamic tables of HDMF, which NWB files are made of: a group with the attribute colnames and
// a dataset id. A column with a dataset <name>_index beside it is ragged: the index has the end of each row, and may
// itself be indexed by <name>_index_index.
func detectHdmf(o h5.Object) ([]*Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	a, err := g.Attribute("colnames")
	if err == nil && a == nil {
		return nwb(g)
	}
	if err != nil || !has(g, "id") {
		return nil, err
	}
	names, ok := a.Strings()
	if floats, empty := a.Floats(); !ok && !(empty && len(floats) == 0) {
		return nil, corrupt(g, "the attribute colnames is no list of names")
	}
	id, err := required(g, "id")
	if err != nil {
		return nil, err
	}
	t := &Table{Path: g.Path(), Object: g, Reason: "attribute colnames and a dataset id", Columns: []Column{column("id", id)},
		Metadata: map[string]string{"h5arrow.index": "id"}, Inner: notGroups(g)}
	for _, name := range names {
		c := Column{Name: name}
		d, err := dataset(g, name)
		if err == nil && d == nil {
			err = corrupt(g, "the column %s is missing", name)
		}
		if err == nil {
			c = column(name, d)
			if c.Values, err = hdmfRagged(g, name, c.Values, 0); err == nil {
				err = c.Err
			}
		}
		if c.Err = err; err != nil {
			c.Values = nil
		}
		t.Columns = append(t.Columns, c)
	}
	return []*Table{t}, nil
}

// nwb recognises the time series of NWB: data, with timestamps beside them or a rate.
func nwb(g *h5.Group) ([]*Table, error) {
	switch text(g, "neurodata_type") {
	case "":
		return nil, nil
	case "NWBFile":
		return nil, noTable(g, "an NWB file: what is in it are tables")
	}
	d, ok := member(g, "data").(*h5.Dataset)
	if !ok || d.Space().Class != h5.SpaceSimple || !has(g, "timestamps") && !has(g, "starting_time") {
		return nil, nil
	}
	t, err := alike(g, d, "timestamps", "data")
	if err != nil {
		return nil, err
	}
	t.Reason = "attribute neurodata_type='" + text(g, "neurodata_type") + "'"
	return []*Table{t}, nil
}

// hdmfRagged makes lists of values that have an index.
func hdmfRagged(g *h5.Group, name string, v Values, depth int) (Values, error) {
	index, err := dataset(g, name+"_index")
	if err != nil || index == nil || v == nil {
		return v, err
	}
	if depth > 8 {
		return nil, h5err.In(h5err.New(h5err.Limit, "lists of more than 8 levels"), g.File().Name(), g.Path())
	}
	l := &List{Offsets: index, Bounds: BoundsEnds, Items: []Column{{Name: "item", Values: v}}}
	return hdmfRagged(g, name+"_index", l, depth+1)
}
