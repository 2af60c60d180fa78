package physics

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// DetectNeXus recognizes groups of NeXus by the attribute NX_class: NXdata, whose signal has a row for each value of the
// first axis; NXdetector, with a row for each frame of its data; NXlog; NXevent_data, with a table of the events, and one of the pulses with their events as lists.
// Datasets of other lengths are left out.
func DetectNeXus(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	switch object.Text(g, "NX_class") {
	case "NXdata":
		return nexusData(g)
	case "NXdetector":
		return nexusDetector(g)
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
	all, broken, err := column.Datasets(g)
	if err != nil {
		return nil, err
	}
	signal, axes := nexusSignal(g, all)
	if signal == "" {
		return nil, nil
	}
	d, err := object.Dataset(g, signal) // by a link of any kind
	if err != nil {
		// Data that can't be reached, such as those of an external link that is not followed: the table is there all the same.
		return []*convention.Table{{Path: g.Path(), Object: g, Reason: "attribute NX_class='NXdata'", Inner: object.DatasetsOf(g),
			Columns: append([]convention.Column{{Name: signal, Err: err}}, broken...)}}, nil
	}
	if d == nil || d.Space().Class != h5.SpaceSimple {
		return nil, nil
	}
	tables, err := nexusTable(g, d, axes[0], signal, signal+"_errors", "errors")
	if err != nil {
		return nil, err
	}
	t := tables[0]
	if err := linked(g, t, d, axes[0], signal); err != nil {
		return nil, err
	}
	t.Columns = slices.DeleteFunc(t.Columns, func(c convention.Column) bool { return ofOtherAxis(g, &c, axes) })
	masks(g, t)
	return tables, nil
}

// nexusSignal returns the name of a group's signal, "" for none, and those of its axes, at least one, "" where not named.
func nexusSignal(g *h5.Group, all []*h5.Dataset) (signal string, axes []string) {
	signal = object.Text(g, "signal")
	axes = strings.Split(object.Text(g, "axes"), ":")
	if a, err := g.Attribute("axes"); err == nil && a != nil {
		if many, ok := a.Strings(); ok && len(many) > 1 {
			axes = many
		}
	}
	if signal != "" {
		return signal, axes
	}
	for _, d := range all { // as it was before 2014: attributes of the datasets
		if a, err := d.Attribute("signal"); err != nil || a == nil {
			continue
		}
		if s := strings.Trim(object.Text(d, "axes"), "[]"); s != "" {
			axes = strings.FieldsFunc(s, func(r rune) bool { return r == ':' || r == ',' })
		}
		if len(axes) == 0 {
			axes = []string{""}
		}
		return object.Base(d.Path()), axes
	}
	return "", axes
}

// beside opens the dataset of that name in the group of a member: where the member is a soft link, in the group of what it
// leads to. It is nil where there is none.
func beside(g *h5.Group, member, name string) *h5.Dataset {
	if l, ok, err := g.Link(member); err == nil && ok && l.Kind == h5.LinkSoft {
		target := l.Target
		if !path.IsAbs(target) {
			target = path.Join(g.Path(), target)
		}
		if o, err := g.File().Lookup(path.Dir(target)); err == nil {
			if at, ok := o.(*h5.Group); ok {
				g = at
			}
		}
	}
	d, _ := object.Member(g, name).(*h5.Dataset)
	return d
}

// linked adds the datasets that soft or external links lead to, and that have as many rows as like: those of these names
// first. A link that leads nowhere is a column with that error if it has one of the names or leads to another file, else it
// is left out.
func linked(g *h5.Group, t *convention.Table, like *h5.Dataset, names ...string) error {
	links, err := g.AllLinks()
	if err != nil {
		return err
	}
	first := make([][]convention.Column, len(names))
	for l := range links {
		if l.Kind == h5.LinkHard || slices.ContainsFunc(t.Columns, func(c convention.Column) bool { return c.Name == l.Name }) {
			continue
		}
		at := slices.Index(names, l.Name)
		o, err := g.OpenLink(l)
		d, ok := o.(*h5.Dataset)
		var c convention.Column
		switch {
		case err != nil && at < 0 && l.Kind == h5.LinkSoft:
			t.LeftOut = append(t.LeftOut, l.Name+" (a link that leads nowhere)")
			continue
		case err != nil:
			c = convention.Column{Name: l.Name, Err: err}
		case ok && d.Space().Class == h5.SpaceSimple && d.Rows() == like.Rows() && !object.IsTable(d):
			c = column.Of(l.Name, d)
		default:
			continue
		}
		if at < 0 {
			t.Columns = append(t.Columns, c)
		} else {
			first[at] = append(first[at], c)
		}
	}
	t.Columns = append(slices.Concat(first...), t.Columns...)
	return nil
}

// ofOtherAxis reports whether a dataset belongs to an axis other than the first, of a signal that may be square: it is one of
// axes or its errors, or by the attribute NAME_indices of the group or, as before 2014, its own attribute axis.
func ofOtherAxis(g *h5.Group, c *convention.Column, axes []string) bool {
	if c.Name == axes[0] {
		return false
	}
	for _, a := range axes[1:] {
		if a != "." && a != "" && a != axes[0] && (c.Name == a || c.Name == a+"_errors") {
			return true
		}
	}
	if a, err := g.Attribute(c.Name + "_indices"); err == nil && a != nil {
		at, ok := a.Ints()
		return ok && len(at) > 0 && !slices.Contains(at, 0)
	}
	if c.Values == nil {
		return false
	}
	a, err := c.Values.Main().Attribute("axis")
	if err != nil || a == nil {
		return false
	}
	n, ok := a.Int()
	return ok && n > 1
}

// masks makes values null where the boolean dataset that the attribute "mask" of their dataset names is true, as
// nexusformat does. The masks are not columns.
func masks(g *h5.Group, t *convention.Table) {
	used := map[string]bool{}
	for i := range t.Columns {
		c := &t.Columns[i]
		p, ok := c.Values.(*convention.Plain)
		if c.Err != nil || !ok {
			continue
		}
		name := object.Text(p.Data, "mask")
		if name == "" {
			continue
		}
		mask := beside(g, c.Name, name)
		if mask == nil {
			c.Err = object.Corrupt(p.Data, "the attribute mask names %q, which is not a dataset of the group", name)
			continue
		}
		p.Nulls = append(p.Nulls, convention.Null{Kind: convention.NullMask, Data: mask})
		used[name] = true
	}
	t.Columns = slices.DeleteFunc(t.Columns, func(c convention.Column) bool { return used[c.Name] })
}

// nexusDetector describes the data of a detector, and what has a value for each of its frames.
func nexusDetector(g *h5.Group) ([]*convention.Table, error) {
	d, ok := object.Member(g, "data").(*h5.Dataset)
	if !ok || d.Space().Class != h5.SpaceSimple || object.IsTable(d) {
		return nil, nil
	}
	all, _, err := column.Datasets(g)
	if err != nil {
		return nil, err
	}
	tables, err := nexusTable(g, d, "data")
	if err != nil {
		return nil, err
	}
	masks(g, tables[0])
	for _, o := range all {
		if o.Rows() != d.Rows() {
			tables[0].LeftOut = append(tables[0].LeftOut, fmt.Sprintf("%s (%d rows)", object.Base(o.Path()), o.Rows()))
		}
	}
	return tables, nil
}

func nexusLog(g *h5.Group) ([]*convention.Table, error) {
	d, ok := object.Member(g, "time").(*h5.Dataset)
	if !ok || d.Space().Class != h5.SpaceSimple {
		return nil, nil
	}
	tables, err := nexusTable(g, d, "time", "value")
	if err != nil {
		return nil, err
	}
	masks(g, tables[0])
	return tables, nil
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
