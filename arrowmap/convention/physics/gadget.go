// Package physics recognizes the tables of conventions of physics and astrophysics: Gadget, AMUSE, openPMD, GWOSC, NeXus.
package physics

import (
	"regexp"
	"sync"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// partType is the path of a group of particles of one type.
var partType = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^/PartType[0-9]+$`) })

// vectors are the fields of three components, and the names of the columns made of them, which are vaex's.
var vectors = map[string][3]string{
	"Coordinates": {"x", "y", "z"},
	"Velocities":  {"vx", "vy", "vz"},
	"Velocity":    {"vx", "vy", "vz"},
}

// DetectGadget recognizes snapshots of Gadget, SWIFT, AREPO and others that write the same layout: a group PartType<n>
// for each type of particle, with a dataset for each field. The attributes of the group Header become metadata of each.
func DetectGadget(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok || !partType().MatchString(g.Path()) {
		return nil, nil
	}
	fields, columns, err := column.Datasets(g)
	if err != nil || len(fields) == 0 {
		return nil, err
	}
	for _, d := range fields {
		if object.IsTable(d) {
			continue
		}
		names, isVector := vectors[object.Base(d.Path())]
		if dims := d.Dims(); !isVector || len(dims) != 2 || dims[1] != 3 || fields3(g, names) {
			columns = append(columns, column.Of(object.Base(d.Path()), d))
			continue
		}
		for i, name := range names {
			columns = append(columns, convention.Column{Name: name, Objects: []h5.Object{d}, Values: convention.NewItem(d, i)})
		}
	}
	if err := column.EqualLengths(g, columns); err != nil {
		return nil, err
	}
	t := &convention.Table{Path: g.Path(), Object: g, Reason: "a group PartType<n>", Columns: columns, Inner: object.ColumnsOf(g)}
	if header, ok := object.Member(g.File().Root(), "Header").(*h5.Group); ok {
		t.Objects = []h5.Object{header}
		t.Reason += " beside a Header"
	}
	return []*convention.Table{t}, nil
}

// fields3 reports whether a group has a field of one of these names.
func fields3(g *h5.Group, names [3]string) bool {
	for _, n := range names {
		if object.Has(g, n) {
			return true
		}
	}
	return false
}
