package netcdf

import (
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/arrays"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// notAVariable is how the NAME of a dimension scale starts that is a dimension only, without values.
const notAVariable = "This is a netCDF dimension but not a netCDF variable"

// isScale reports whether a dataset is a dimension scale, and whether it is a dimension only.
func isScale(d *h5.Dataset) (scale, only bool) {
	scale = object.Text(d, "CLASS") == "DIMENSION_SCALE"
	return scale, scale && strings.HasPrefix(object.Text(d, "NAME"), notAVariable)
}

// dimensions are those of a group and of the groups above it.
type dimensions struct {
	f     *h5.File
	way   []*h5.Group      // the group and those above it
	uses  map[string][]use // variables by dimension
	known map[string]bool  // dimensions whose REFERENCE_LIST was read
}

// use is a dimension of a variable.
type use struct {
	extent uint64
	last   bool // of the variable's dimensions
	char   bool // the variable is of characters
	whole  bool // the variable is the dimension's own
}

func dimensionsOf(g *h5.Group) (*dimensions, error) {
	s := &dimensions{f: g.File(), uses: map[string][]use{}, known: map[string]bool{}, way: object.Way(g)}
	for _, g := range s.way {
		if _, err := g.AllLinks(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// path returns the path of the object at an address, if it is a member of the group or of one above; else "".
func (s *dimensions) path(addr uint64) string {
	for _, g := range s.way {
		if name := nameOf(g, addr); name != "" {
			return object.Child(g, name)
		}
	}
	return ""
}

// maxLinear is the number of links of a group up to which they are searched one by one.
const maxLinear = 64

// namesKey is the key of the names of a large group's members by their addresses: those of a group above may be asked for
// once for each of its groups.
type namesKey struct{ group uint64 }

// nameOf returns the name of the first member of a group that is at an address, "" for none.
func nameOf(g *h5.Group, addr uint64) string {
	links, _ := g.AllLinks() // dimensionsOf reports the error
	n := 0
	for l := range links {
		if n++; n > maxLinear {
			break
		}
		if l.Kind == h5.LinkHard && l.Address == addr {
			return l.Name
		}
	}
	if n <= maxLinear {
		return ""
	}
	v, _ := g.File().Keep(namesKey{g.Address()}, func() (any, error) {
		names := map[uint64]string{}
		for l := range links {
			if _, have := names[l.Address]; l.Kind == h5.LinkHard && !have {
				names[l.Address] = l.Name
			}
		}
		return names, nil
	})
	return v.(map[uint64]string)[addr]
}

// of names the dimensions of a variable: by the paths of their scales, those without one by their length.
func (s *dimensions) of(d *h5.Dataset, list *h5.Attribute, scale bool) []string {
	var lists [][]uint64
	if list != nil {
		lists, _ = list.References()
	}
	out := make([]string, len(d.Dims()))
	for i, n := range d.Dims() {
		if i < len(lists) && len(lists[i]) > 0 {
			out[i] = s.path(lists[i][0])
		}
		switch {
		case out[i] != "":
		case i == 0 && scale:
			out[i] = d.Path()
		default:
			out[i] = object.Parent(d.Path()) + LengthName(int64(n))
		}
	}
	return out
}

// add notes the dimensions of a variable of the group.
func (s *dimensions) add(v *variable) {
	dims := v.d.Dims()
	for i, name := range v.axes {
		s.uses[name] = append(s.uses[name], use{dims[i], i == len(dims)-1, isChar(v.d.Type()), name == v.d.Path()})
	}
}

// maxReferences bounds the variables in other groups that are looked at for a dimension.
const maxReferences = 4096

// users returns the uses of a dimension, by variables of other groups too.
func (s *dimensions) users(name string) []use {
	if s.known[name] {
		return s.uses[name]
	}
	s.known[name] = true
	o, err := s.f.Lookup(name)
	d, ok := o.(*h5.Dataset)
	if err != nil || !ok {
		return s.uses[name]
	}
	if scale, only := isScale(d); scale && !only && len(d.Dims()) > 0 {
		s.uses[name] = append(s.uses[name], use{d.Dims()[0], len(d.Dims()) == 1, isChar(d.Type()), true})
	}
	list, err := d.Attribute("REFERENCE_LIST")
	if err != nil || list == nil {
		return s.uses[name]
	}
	t := list.Type()
	if t.Class != h5.ClassCompound || len(t.Members) != 2 || t.Members[0].Type.Class != h5.ClassReference || t.Members[1].Type.Size != 4 {
		return s.uses[name]
	}
	ref, axis := t.Members[0], t.Members[1]
	p := list.Raw()
	for n := 0; len(p) >= t.Size && n < maxReferences; n++ {
		addr, ok := s.f.RefAddress(p[ref.Offset : ref.Offset+ref.Type.Size])
		i := uint64(axis.Type.Order.Binary().Uint32(p[axis.Offset:]))
		p = p[t.Size:]
		if !ok {
			continue
		}
		o, err := s.f.ObjectAt(addr, name)
		if v, is := o.(*h5.Dataset); err == nil && is && i < uint64(len(v.Dims())) {
			s.uses[name] = append(s.uses[name], use{v.Dims()[i], int(i) == len(v.Dims())-1, isChar(v.Type()), false})
		}
	}
	return s.uses[name]
}

// length is the extent of a dimension: the greatest that a variable has along it.
func (s *dimensions) length(name string) uint64 {
	n := uint64(0)
	for _, u := range s.users(name) {
		n = max(n, u.extent)
	}
	return n
}

// isLength reports whether a dimension is the length of texts: all its variables are of characters, it is their last one,
// and none is its own.
func (s *dimensions) isLength(name string) bool {
	for _, u := range s.users(name) {
		if !u.char || !u.last || u.whole {
			return false
		}
	}
	return true
}

// shape returns the extents of a variable as netCDF has them: along an unlimited dimension that of the longest variable.
func (s *dimensions) shape(v *variable) []uint64 {
	dims := v.d.Dims()
	limit := v.d.Space().Max
	if len(limit) != len(dims) {
		return dims
	}
	out := make([]uint64, len(dims))
	for i, n := range dims {
		if out[i] = n; limit[i] == h5.Unlimited {
			out[i] = max(n, s.length(v.axes[i]))
		}
	}
	return out
}

// padded returns the values of a variable filled to a shape.
func (a *attributes) padded(values convention.Values, shape []uint64) (convention.Values, error) {
	dims, row := a.d.Dims(), shape[1:]
	if isChar(a.d.Type()) && len(row) > 0 {
		row = row[:len(row)-1] // the last is the length of a text
	}
	more, none := false, false
	for i := range row {
		if row[i] > math.MaxInt32 {
			return nil, h5err.New(h5err.Limit, "rows of shape %v", row)
		}
		more = more || row[i] > dims[i+1]
		none = none || dims[i+1] == 0 && row[i] > 0
	}
	if shape[0] == dims[0] && !more {
		return values, nil
	}
	out := &convention.Padded{Of: values, Rows: int64(shape[0])}
	if isText(a.d.Type()) {
		fill, err := a.d.Attribute("_FillValue")
		if err != nil {
			return nil, err
		}
		out.Text = fill == nil
	}
	if none {
		item, err := itemType(values)
		if err != nil {
			return nil, err
		}
		t, ok := arrays.Nested(item, row)
		if !ok {
			return nil, h5err.New(h5err.Unsupported, "rows of shape %v", row)
		}
		out.Of = &convention.Empty{Data: a.d, Type: t}
	} else if more {
		out.Dims = row
	}
	return out, nil
}

// itemType is the Arrow type of an item of values.
func itemType(v convention.Values) (arrow.DataType, error) {
	switch v := v.(type) {
	case *convention.Derived:
		if v.Type == nil {
			return itemType(v.Of)
		}
		t := v.Type
		for {
			l, ok := t.(*arrow.FixedSizeListType)
			if !ok {
				return t, nil
			}
			t = l.Elem()
		}
	case *convention.Plain:
		src := dtype.Source{Type: v.Data.Type(), DType: v.DType, Units: v.Units}
		if v.As != nil {
			src.Type = v.As
		}
		plan, err := dtype.New(src, dtype.Options{})
		if err != nil {
			return nil, err
		}
		return plan.Arrow, nil
	}
	return nil, h5err.New(h5err.Unsupported, "rows of no items")
}
