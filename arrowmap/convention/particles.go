package convention

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// partType is the path of a group of particles of one type.
var partType = regexp.MustCompile(`^/PartType[0-9]+$`)

// vectors are the fields of three components that become a column each, as vaex names them.
var vectors = map[string][3]string{
	"Coordinates": {"x", "y", "z"},
	"Velocities":  {"vx", "vy", "vz"},
	"Velocity":    {"vx", "vy", "vz"},
}

// detectGadget recognises snapshots of Gadget, SWIFT, AREPO and others that write as they do: a group PartType<n> for
// each type of particle, with a dataset for each field. What the group Header says of the snapshot goes with each.
func detectGadget(o h5.Object) ([]*Table, error) {
	g, ok := o.(*h5.Group)
	if !ok || !partType.MatchString(g.Path()) {
		return nil, nil
	}
	fields, columns, err := datasets(g)
	if err != nil || len(fields) == 0 {
		return nil, err
	}
	for _, d := range fields {
		if isTable(d) {
			continue
		}
		names, isVector := vectors[base(d.Path())]
		if dims := d.Dims(); !isVector || len(dims) != 2 || dims[1] != 3 || fields3(g, names) {
			columns = append(columns, column(base(d.Path()), d))
			continue
		}
		for i, name := range names {
			columns = append(columns, Column{Name: name, Objects: []h5.Object{d}, Values: &Plain{Data: d, Member: Whole, Item: i}})
		}
	}
	if err := equalLengths(g, columns); err != nil {
		return nil, err
	}
	t := &Table{Path: g.Path(), Object: g, Reason: "a group PartType<n>", Columns: columns, Inner: shallow(g)}
	if header, ok := member(g.File().Root(), "Header").(*h5.Group); ok {
		t.Objects = []h5.Object{header}
		t.Reason += " beside a Header"
	}
	return []*Table{t}, nil
}

// fields3 tells whether a group has fields of these names itself.
func fields3(g *h5.Group, names [3]string) bool {
	for _, n := range names {
		if has(g, n) {
			return true
		}
	}
	return false
}

// detectAmuse recognises AMUSE's files: a group in /particles for each set, with the keys of the particles, and their
// attributes in a group of their own.
func detectAmuse(o h5.Object) ([]*Table, error) {
	g, ok := o.(*h5.Group)
	if !ok || !strings.HasPrefix(g.Path(), "/particles/") || !has(g, "keys", "attributes") {
		return nil, nil
	}
	attributes, ok := member(g, "attributes").(*h5.Group)
	keys, ok2 := member(g, "keys").(*h5.Dataset)
	if !ok || !ok2 {
		return nil, nil
	}
	columns, err := groupColumns(attributes)
	if err != nil {
		return nil, err
	}
	columns = append(columns, column("keys", keys))
	if err := equalLengths(g, columns); err != nil {
		return nil, err
	}
	return []*Table{{Path: g.Path(), Object: g, Reason: "keys and attributes of particles", Columns: columns,
		Inner: under(attributes.Path(), keys.Path())}}, nil
}

// detectOpenpmd recognises the particle species of openPMD files: groups below the root's particlesPath. A record is a
// dataset, or a group of components; a component without a dataset is one value for all particles.
func detectOpenpmd(o h5.Object) ([]*Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	dir := strings.Trim(text(g.File().Root(), "particlesPath"), "/")
	if dir == "" || text(g.File().Root(), "openPMD") == "" || !strings.HasSuffix(parent(g.Path()), "/"+dir+"/") {
		return nil, nil
	}
	s := species{g: g}
	links, err := g.Links()
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		if l.Kind == h5.LinkHard && l.Name != "particlePatches" {
			s.record(l.Name)
		}
	}
	if len(s.columns) == 0 {
		return nil, nil
	}
	s.fill()
	if err := equalLengths(g, s.columns); err != nil {
		return nil, err
	}
	patches := child(g, "particlePatches")
	return []*Table{{Path: g.Path(), Object: g, Reason: "a species in the root's particlesPath", Columns: s.columns,
		Inner: func(path string) bool { return path != patches }}}, nil
}

// species is the columns of a particle species as they are collected.
type species struct {
	g       *h5.Group
	columns []Column
	one     []constant // columns that wait for another one, whose rows they share
}

// constant is a component that is one value.
type constant struct {
	column int
	g      *h5.Group
}

func (s *species) record(name string) {
	o, err := s.g.Open(name)
	if err != nil {
		s.columns = append(s.columns, Column{Name: name, Err: err})
		return
	}
	switch o := o.(type) {
	case *h5.Dataset:
		if o.Space().Class == h5.SpaceSimple {
			s.columns = append(s.columns, column(name, o))
		}
	case *h5.Group:
		if s.constant(name, o, o) {
			return
		}
		links, err := o.Links()
		if err != nil {
			s.columns = append(s.columns, Column{Name: name, Err: err})
			return
		}
		for _, l := range links {
			switch c := member(o, l.Name).(type) {
			case *h5.Dataset:
				if c.Space().Class == h5.SpaceSimple {
					col := column(name+"_"+l.Name, c)
					col.Objects = []h5.Object{o, c} // the record's unitDimension and timeOffset
					s.columns = append(s.columns, col)
				}
			case *h5.Group:
				s.constant(name+"_"+l.Name, o, c)
			}
		}
	}
}

// constant notes a component that is a group with the attributes value and shape.
func (s *species) constant(name string, record, g *h5.Group) bool {
	v, err := g.Attribute("value")
	shape, err2 := g.Attribute("shape")
	if err != nil || err2 != nil || v == nil || shape == nil {
		return false
	}
	s.one = append(s.one, constant{len(s.columns), g})
	s.columns = append(s.columns, Column{Name: name, Objects: []h5.Object{record, g}})
	return true
}

// fill makes columns of the constant components: as many rows as the first stored one has.
func (s *species) fill() {
	var like *Plain
	for i := range s.columns {
		if p, ok := s.columns[i].Values.(*Plain); ok && like == nil {
			like = p
		}
	}
	for _, c := range s.one {
		col := &s.columns[c.column]
		if like == nil {
			col.Err = unsupported(c.g, "a species without a stored component")
			continue
		}
		col.Values, col.Err = constantValue(c.g, like)
		if col.Err != nil {
			col.Values = nil
		}
	}
}

func constantValue(g *h5.Group, like *Plain) (Values, error) {
	shape, err := g.Attribute("shape")
	if err != nil {
		return nil, err
	}
	rows, ok := shape.Ints()
	if !ok || len(rows) != 1 || rows[0] != like.Data.Rows() {
		return nil, corrupt(g, "one value of shape %v beside %d rows", rows, like.Data.Rows())
	}
	a, err := g.Attribute("value")
	if err != nil {
		return nil, err
	}
	t := a.Type()
	floats, ok := a.Floats()
	if !ok || len(floats) != 1 || t.Class != h5.ClassFixed && t.Class != h5.ClassFloat {
		return nil, unsupported(g, "one value of %s", t)
	}
	d := &Derived{Of: like, Type: arrow.PrimitiveTypes.Float64, Reason: fmt.Sprintf("one value for all: the attribute value of %s", g.Path())}
	if ints, ok := a.Ints(); ok && len(ints) == 1 && t.Class == h5.ClassFixed {
		d.Type = arrow.PrimitiveTypes.Int64
		d.Compute = func(in arrow.Array, _ int64, mem memory.Allocator) (arrow.Array, error) {
			return repeated(array.NewInt64Builder(mem), ints[0], in.Len())
		}
		return d, nil
	}
	d.Compute = func(in arrow.Array, _ int64, mem memory.Allocator) (arrow.Array, error) {
		return repeated(array.NewFloat64Builder(mem), floats[0], in.Len())
	}
	return d, nil
}

// repeated fills an array with one value.
func repeated[T any, B interface {
	array.Builder
	Append(T)
}](b B, v T, n int) (arrow.Array, error) {
	defer b.Release()
	if n < 0 {
		return nil, h5err.New(h5err.Argument, "%d rows", n)
	}
	b.Reserve(n)
	for range n {
		b.Append(v)
	}
	return b.NewArray(), nil
}
