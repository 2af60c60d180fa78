package physics

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
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
	typ := constantType(t)
	if typ == nil || len(a.Raw()) != t.Size || t.Order != h5.LittleEndian && t.Order != h5.BigEndian {
		return nil, object.Unsupported(g, "one value of %s", t)
	}
	one := bytes.Clone(a.Raw())
	if t.Order == h5.BigEndian {
		slices.Reverse(one)
	}
	return &convention.Generated{Data: like.Data, Rows: rows[0], Type: typ, Reason: fmt.Sprintf("one value for all: the attribute value of %s", g.Path()),
		Generate: func(lo, hi int64, mem memory.Allocator) (arrow.Array, error) {
			return repeated(typ, one, int(hi-lo), mem), nil
		}}, nil
}

// constantType returns the Arrow type of numbers as they are stored, nil for what is not a whole number of bytes of a plain
// integer or float.
func constantType(t *h5.Type) arrow.DataType {
	switch {
	case t.Class == h5.ClassFloat:
		return map[int]arrow.DataType{4: arrow.PrimitiveTypes.Float32, 8: arrow.PrimitiveTypes.Float64}[t.Size]
	case t.Class != h5.ClassFixed || t.Precision != 8*t.Size:
		return nil
	case t.Signed:
		return map[int]arrow.DataType{1: arrow.PrimitiveTypes.Int8, 2: arrow.PrimitiveTypes.Int16, 4: arrow.PrimitiveTypes.Int32, 8: arrow.PrimitiveTypes.Int64}[t.Size]
	}
	return map[int]arrow.DataType{1: arrow.PrimitiveTypes.Uint8, 2: arrow.PrimitiveTypes.Uint16, 4: arrow.PrimitiveTypes.Uint32, 8: arrow.PrimitiveTypes.Uint64}[t.Size]
}

// repeated makes an array of n times the same little-endian bytes.
func repeated(t arrow.DataType, one []byte, n int, mem memory.Allocator) arrow.Array {
	buf := memory.NewResizableBuffer(mem)
	defer buf.Release()
	buf.Resize(n * len(one))
	for b := buf.Bytes(); len(b) >= len(one); b = b[len(one):] {
		copy(b, one)
	}
	data := array.NewData(t, n, []*memory.Buffer{nil, buf}, nil, 0, 0)
	defer data.Release()
	return array.MakeFromData(data)
}
