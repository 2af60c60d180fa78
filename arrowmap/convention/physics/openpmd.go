package physics

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// DetectOpenPMD recognizes the particle species of openPMD files: groups below the root's particlesPath. A record is a
// dataset, or a group of components; a component without a dataset is one value for all particles.
func DetectOpenPMD(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	dir := strings.Trim(object.Text(g.File().Root(), "particlesPath"), "/")
	if dir == "" || object.Text(g.File().Root(), "openPMD") == "" || !strings.HasSuffix(object.Parent(g.Path()), "/"+dir+"/") {
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
	if err := column.EqualLengths(g, s.columns); err != nil {
		return nil, err
	}
	patches := object.Child(g, "particlePatches")
	return []*convention.Table{{Path: g.Path(), Object: g, Reason: "a species in the root's particlesPath", Columns: s.columns,
		Inner: func(path string) bool { return path != patches }}}, nil
}

// species collects the columns of a particle species.
type species struct {
	g       *h5.Group
	columns []convention.Column
	one     []constant // columns that have as many rows as another one
}

// constant is a component that is one value.
type constant struct {
	column int
	g      *h5.Group
}

func (s *species) record(name string) {
	o, err := s.g.Open(name)
	if err != nil {
		s.columns = append(s.columns, convention.Column{Name: name, Err: err})
		return
	}
	switch o := o.(type) {
	case *h5.Dataset:
		if o.Space().Class == h5.SpaceSimple {
			s.columns = append(s.columns, column.Of(name, o))
		}
	case *h5.Group:
		if s.constant(name, o, o) {
			return
		}
		links, err := o.Links()
		if err != nil {
			s.columns = append(s.columns, convention.Column{Name: name, Err: err})
			return
		}
		for _, l := range links {
			switch c := object.Member(o, l.Name).(type) {
			case *h5.Dataset:
				if c.Space().Class == h5.SpaceSimple {
					col := column.Of(name+"_"+l.Name, c)
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
	s.columns = append(s.columns, convention.Column{Name: name, Objects: []h5.Object{record, g}})
	return true
}

// fill makes columns of the constant components: as many rows as the first stored one has.
func (s *species) fill() {
	var like *convention.Plain
	for i := range s.columns {
		if p, ok := s.columns[i].Values.(*convention.Plain); ok && like == nil {
			like = p
		}
	}
	for _, c := range s.one {
		col := &s.columns[c.column]
		if like == nil {
			col.Err = object.Unsupported(c.g, "a species without a stored component")
			continue
		}
		col.Values, col.Err = constantValue(c.g, like)
		if col.Err != nil {
			col.Values = nil
		}
	}
}

func constantValue(g *h5.Group, like *convention.Plain) (convention.Values, error) {
	shape, err := g.Attribute("shape")
	if err != nil {
		return nil, err
	}
	rows, ok := shape.Ints()
	if !ok || len(rows) != 1 || rows[0] != like.Data.Rows() {
		return nil, object.Corrupt(g, "one value of shape %v beside %d rows", rows, like.Data.Rows())
	}
	a, err := g.Attribute("value")
	if err != nil {
		return nil, err
	}
	t := a.Type()
	floats, ok := a.Floats()
	if !ok || len(floats) != 1 || t.Class != h5.ClassFixed && t.Class != h5.ClassFloat {
		return nil, object.Unsupported(g, "one value of %s", t)
	}
	d := &convention.Derived{Of: like, Type: arrow.PrimitiveTypes.Float64, Reason: fmt.Sprintf("one value for all: the attribute value of %s", g.Path())}
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
