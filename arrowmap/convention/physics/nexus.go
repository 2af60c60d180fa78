package physics

import (
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// DetectNeXus recognizes groups of NeXus by the attribute NX_class: NXdata, whose signal has a row for each value of the
// first axis; NXlog; NXevent_data, with a table of the events, and one of the pulses with their events as lists.
// Datasets of other lengths are left out.
func DetectNeXus(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	switch object.Text(g, "NX_class") {
	case "NXdata":
		return nexusData(g)
	case "NXlog":
		return nexusLog(g)
	case "NXevent_data":
		return nexusEvents(g)
	}
	return nil, nil
}

func nexusTable(g *h5.Group, like *h5.Dataset, first ...string) ([]*convention.Table, error) {
	t, err := column.Alike(g, like, first...)
	if err != nil {
		return nil, err
	}
	t.Reason = "attribute NX_class='" + object.Text(g, "NX_class") + "'"
	return []*convention.Table{t}, nil
}

func nexusData(g *h5.Group) ([]*convention.Table, error) {
	all, _, err := column.Datasets(g)
	if err != nil {
		return nil, err
	}
	signal := object.Text(g, "signal")
	axes := strings.Split(object.Text(g, "axes"), ":")
	if a, err := g.Attribute("axes"); err == nil && a != nil {
		if many, ok := a.Strings(); ok && len(many) > 1 {
			axes = many
		}
	}
	if signal == "" { // as it was before 2014: attributes of the datasets
		for _, d := range all {
			if a, err := d.Attribute("signal"); err == nil && a != nil && signal == "" {
				signal = object.Base(d.Path())
				if s := strings.Trim(object.Text(d, "axes"), "[]"); s != "" {
					axes = strings.FieldsFunc(s, func(r rune) bool { return r == ':' || r == ',' })
				}
			}
		}
	}
	d, ok := object.Member(g, signal).(*h5.Dataset)
	if signal == "" || !ok || d.Space().Class != h5.SpaceSimple {
		return nil, nil
	}
	return nexusTable(g, d, axes[0], signal, signal+"_errors", "errors")
}

func nexusLog(g *h5.Group) ([]*convention.Table, error) {
	d, ok := object.Member(g, "time").(*h5.Dataset)
	if !ok || d.Space().Class != h5.SpaceSimple {
		return nil, nil
	}
	return nexusTable(g, d, "time", "value")
}

func nexusEvents(g *h5.Group) ([]*convention.Table, error) {
	id, ok := object.Member(g, "event_id").(*h5.Dataset)
	if !ok || id.Space().Class != h5.SpaceSimple {
		return nil, nil
	}
	events := &convention.Table{Path: g.Path(), Object: g, Reason: "attribute NX_class='NXevent_data'", Inner: object.DatasetsOf(g)}
	list := &convention.List{Bounds: convention.BoundsStarts}
	for _, n := range []string{"event_time_offset", "event_id"} {
		if d, ok := object.Member(g, n).(*h5.Dataset); ok && d.Rows() == id.Rows() {
			c := column.Of(n, d)
			events.Columns = append(events.Columns, c)
			list.Items = append(list.Items, convention.Column{Name: n, Values: c.Values, Err: c.Err})
		}
	}
	tables := []*convention.Table{events}
	index, ok := object.Member(g, "event_index").(*h5.Dataset)
	zero, ok2 := object.Member(g, "event_time_zero").(*h5.Dataset)
	if !ok || !ok2 || index.Rows() != zero.Rows() || len(index.Dims()) != 1 {
		return tables, nil
	}
	list.Offsets = index
	return append(tables, &convention.Table{Path: zero.Path(), Object: zero, Reason: "pulses of NX_class='NXevent_data'", Inner: events.Inner,
		Columns: []convention.Column{column.Of("event_time_zero", zero), {Name: "events", Values: list, Objects: []h5.Object{index}}}}), nil
}
