// Package netcdf recognizes the variables of netCDF-4 and other files with dimension scales, and applies the CF
// conventions to them: fill values, valid ranges, packing, times.
package netcdf

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Detect recognizes netCDF-4 files and other files with dimension scales, group by group: variables of one
// leading dimension are a table. The table of a dimension can be asked for by the dataset of that dimension.
func Detect(o h5.Object) ([]*convention.Table, error) {
	switch o := o.(type) {
	case *h5.Group:
		return group(o)
	case *h5.Dataset:
		if scale, _ := isScale(o); !scale {
			return compound(o)
		}
		up, err := o.File().Lookup(object.Parent(o.Path()))
		g, ok := up.(*h5.Group)
		if err != nil || !ok {
			return nil, err
		}
		tables, err := group(g)
		for _, t := range tables {
			if t.Path == o.Path() {
				return []*convention.Table{t}, err
			}
		}
		return nil, err
	}
	return nil, nil
}

// variable is a dataset of a netCDF group.
type variable struct {
	name   string
	d      *h5.Dataset
	axes   []string    // the dimensions: their paths, or made-up names where they have none
	bounds *h5.Dataset // the variable of whose cells it has the boundaries
}

func group(g *h5.Group) ([]*convention.Table, error) {
	found, err := variablesOf(g)
	if err != nil || found == nil {
		return nil, err
	}
	dims, reason := found.dims, found.reason
	strict := byLibrary(g)
	var order []string
	by := map[string][]convention.Column{}
	for _, v := range found.vars {
		leading := v.axes[0]
		if by[leading] == nil {
			order = append(order, leading)
		}
		by[leading] = append(by[leading], v.column(dims, strict))
	}
	inner := object.ColumnsOf(g)
	var out []*convention.Table
	for _, dim := range order {
		t := &convention.Table{Path: g.Path(), Object: g, Reason: reason, Columns: by[dim], Inner: inner}
		if len(order) > 1 {
			t.Path = dim
			if object.Parent(dim) != object.Parent(object.Child(g, "x")) {
				t.Path = object.Child(g, dim[len(object.Parent(dim)):])
			}
			t.Reason += "; leading dimension " + dim
		}
		out = append(out, t)
	}
	return out, nil
}

// byLibrary reports whether the netCDF library wrote the file, so that its defaults hold.
func byLibrary(g *h5.Group) bool {
	a, err := g.File().Root().Attribute("_NCProperties")
	if err == nil && a != nil {
		return true
	}
	links, err := g.AllLinks()
	if err != nil {
		return false
	}
	for l := range links {
		if l.Kind != h5.LinkHard {
			continue
		}
		if o, err := g.Open(l.Name); err == nil {
			if a, _ := o.Attribute("_Netcdf4Dimid"); a != nil {
				return true
			}
		}
	}
	return false
}

// variables are those of a group.
type variables struct {
	vars    []*variable // of rank 1 and above
	scalars []*variable
	dims    *dimensions
	reason  string // why the group is taken for netCDF
}

// variablesOf lists a group's variables and their dimensions. It is nil where none has a dimension, and where the group has no sign
// of netCDF.
func variablesOf(g *h5.Group) (*variables, error) {
	out := &variables{}
	if a, _ := g.File().Root().Attribute("_NCProperties"); a != nil {
		out.reason = "root attribute _NCProperties"
	}
	links, err := g.AllLinks()
	if err != nil {
		return nil, err
	}
	cells := map[string]*h5.Dataset{} // variables by the names of those with their boundaries
	for l := range links {
		if l.Kind != h5.LinkHard {
			continue
		}
		o, err := g.Open(l.Name)
		if err != nil {
			continue
		}
		d, ok := o.(*h5.Dataset)
		if !ok {
			continue
		}
		scale, only := isScale(d)
		list, _ := d.Attribute("DIMENSION_LIST")
		if (scale || list != nil) && out.reason == "" {
			out.reason = "dimension scales"
		}
		v := &variable{name: strings.TrimPrefix(l.Name, "_nc4_non_coord_"), d: d}
		if d.Space().Class == h5.SpaceScalar {
			out.scalars = append(out.scalars, v)
		}
		if only || d.Space().Class != h5.SpaceSimple || object.IsTable(d) && list == nil && !scale {
			continue
		}
		if out.dims == nil {
			if out.dims, err = dimensionsOf(g); err != nil {
				return nil, err
			}
		}
		v.axes = out.dims.of(d, list, scale)
		out.dims.add(v)
		out.vars = append(out.vars, v)
		for _, name := range []string{"bounds", "climatology"} {
			if b := object.Text(d, name); b != "" {
				cells[b] = d
			}
		}
	}
	if out.reason == "" || len(out.vars) == 0 {
		return nil, nil
	}
	for _, v := range out.vars {
		v.bounds = cells[v.name]
	}
	return out, nil
}

// LengthName returns a name for a dimension of a length that has none.
func LengthName(rows int64) string { return fmt.Sprintf("phony_dim_%d", rows) }

// column describes a variable by its attributes. With strict, the netCDF library's default fill values are null.
func (v *variable) column(dims *dimensions, strict bool) convention.Column {
	one := len(v.axes) == 1 && isChar(v.d.Type()) && dims.isLength(v.axes[0])
	return v.describe(strict, one, dims.shape(v))
}

// Column describes a dataset by its attributes, as if it were a variable. With strict, the netCDF library's default fill
// values are null.
func Column(name string, d *h5.Dataset, strict bool) convention.Column {
	v := &variable{name: name, d: d}
	return v.describe(strict, false, d.Dims())
}

// describe describes the variable. With one, it is one text; otherwise it is filled to the given shape.
func (v *variable) describe(strict, one bool, shape []uint64) convention.Column {
	c := convention.Column{Name: v.name, Objects: []h5.Object{v.d}}
	a := &attributes{d: v.d, bounds: v.bounds}
	c.Values, c.Err = a.values(strict, one)
	if c.Err == nil && !one && len(shape) > 0 {
		c.Values, c.Err = a.padded(c.Values, shape)
	}
	if c.Err != nil {
		c.Values = nil
		c.Err = h5err.About(c.Err, v.d)
	}
	c.Notes = a.notes
	return c
}

func (a *attributes) values(strict, one bool) (convention.Values, error) {
	d := a.d
	p := convention.NewStored(d)
	p.Order = a.order
	if column.ByRhdf5(d) { // whatever dimension scales HDF5Array attaches: R knows no fills
		return column.WithMissing(d, p)
	}
	t := d.Type()
	switch {
	case isChar(t):
		return a.chars(p, one)
	case isText(t):
		p.RowDims = p.ItemDims()
		return a.text(p, len(p.RowDims))
	}
	if text, ok := withText(t, false); ok {
		p.As, p.RowDims = text, p.ItemDims()
		return p, nil
	}
	if signed := rule.Signed(t, object.Text(d, "_Unsigned")); signed != t.Signed {
		other := *t
		other.Signed = signed
		p.As, p.RowDims = &other, p.ItemDims()
		t = &other
	}
	number := (t.Class == h5.ClassFixed || t.Class == h5.ClassFloat) && t.Size <= 8
	var scaled *scaling
	var err error
	if number {
		if scaled, err = a.scalingOf(t); err != nil {
			return nil, err
		}
	}
	if p.Nulls, err = a.nulls(t, scaled, strict); err != nil || !number {
		return p, err
	}
	return a.numeric(p, t, scaled), nil
}

// numeric describes numbers by what their attributes make of them: other numbers, times, durations, booleans.
func (a *attributes) numeric(p *convention.Plain, t *h5.Type, scaled *scaling) convention.Values {
	dims := p.ItemDims()
	over := func(d *convention.Derived, of convention.Values) convention.Values {
		if d.Of = of; len(dims) > 0 {
			return overItems(d, dims)
		}
		return d
	}
	var out convention.Values = p
	kind := numberType(t)
	if scaled != nil {
		out, kind = over(scaled.derived(), p), scaled.arrow()
	}
	name, units, span := a.span()
	switch {
	case span && scaled == nil:
		p.DType, p.Units = name, units
		return p
	case span:
		if d := spans(name, units); d != nil {
			return over(d, out)
		}
	case scaled == nil && t.Class == h5.ClassFixed && t.Size == 1 && object.Text(a.d, "dtype") == "bool": // xarray
		p.DType = "bool"
		return p
	}
	if d := a.times(kind); d != nil {
		if zone := object.Text(a.d, dtype.ZoneAttribute); zone != "" && len(dims) == 0 { // package arrowmap/tablewriter
			d.Type = &arrow.TimestampType{Unit: d.Type.(*arrow.TimestampType).Unit, TimeZone: zone}
		}
		return over(d, out)
	}
	return out
}
