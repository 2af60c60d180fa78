package physics

import (
	"bytes"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// DetectOpenPMD recognizes the particle species of openPMD files: groups below the root's particlesPath. A record is a
// dataset, or a group of components; a component without a dataset is one value for all particles, in the type of that
// value. A species may be of such components only.
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
	links, err := g.AllLinks()
	if err != nil {
		return nil, err
	}
	for l := range links {
		if l.Kind == h5.LinkHard && l.Name != "particlePatches" {
			s.record(l.Name)
		}
	}
	if len(s.columns) == 0 {
		return nil, nil
	}
	if err := column.EqualLengths(g, s.columns); err != nil {
		return nil, err
	}
	s.fill()
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
		links, err := o.AllLinks()
		if err != nil {
			s.columns = append(s.columns, convention.Column{Name: name, Err: err})
			return
		}
		for l := range links {
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

// fill makes columns of the constant components: as many rows as the stored ones have, or where there is none, as the shape
// of the first says.
func (s *species) fill() {
	var like *h5.Dataset
	rows := int64(-1)
	for i := range s.columns {
		if v := s.columns[i].Values; v != nil && like == nil {
			like = v.Main()
			rows = like.Rows()
		}
	}
	for _, c := range s.one {
		col := &s.columns[c.column]
		n, err := constantRows(c.g)
		if rows < 0 && err == nil {
			rows = n
		}
		if err == nil && n != rows {
			err = object.Corrupt(c.g, "one value for %d rows beside %d rows", n, rows)
		}
		if err == nil {
			col.Values, err = constantValue(c.g, like, rows)
		}
		if col.Err = err; err != nil {
			col.Values = nil
		}
	}
}

// maxConstant bounds the rows of a species that has constant components only.
const maxConstant = 1 << 53

// constantRows reads the number of rows that a constant component is for.
func constantRows(g *h5.Group) (int64, error) {
	shape, err := g.Attribute("shape")
	if err != nil {
		return 0, err
	}
	n, ok := shape.Ints()
	if !ok || len(n) != 1 || n[0] < 0 || n[0] > maxConstant {
		return 0, object.Corrupt(g, "one value of shape %v", n)
	}
	return n[0], nil
}

// constantValue describes a constant component; like may be nil.
func constantValue(g *h5.Group, like *h5.Dataset, rows int64) (convention.Values, error) {
	a, err := g.Attribute("value")
	if err != nil {
		return nil, err
	}
	t, one := a.Type(), bytes.Clone(a.Raw())
	plan, err := dtype.New(dtype.Source{Type: t}, dtype.Options{})
	if err != nil {
		return nil, h5err.About(err, g)
	}
	if plan.Variable || plan.Refs || len(one) != t.Size || plan.RowBytes != t.Size || t.Size > maxConstantBytes {
		return nil, object.Unsupported(g, "one value of %s", t)
	}
	return &convention.Generated{Data: like, Rows: rows, Type: plan.Arrow, Reason: "one value for all: the attribute value of " + g.Path(),
		Generate: func(lo, hi int64, mem memory.Allocator) (arrow.Array, error) {
			stored := bytes.Repeat(one, int(hi-lo))
			return plan.Build(dtype.Raw{Bytes: stored, Rows: int(hi - lo)}, &dtype.Env{Alloc: mem})
		}}, nil
}

// maxConstantBytes bounds the size of a constant component's value.
const maxConstantBytes = 64
