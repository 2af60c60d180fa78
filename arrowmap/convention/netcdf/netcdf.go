// Package netcdf recognizes the variables of netCDF-4 and other files with dimension scales, and applies the CF
// conventions to them: fill values, valid ranges, packing, times.
package netcdf

import (
	"fmt"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// notAVariable is how the NAME of a dimension scale starts that is a dimension only, without values.
const notAVariable = "This is a netCDF dimension but not a netCDF variable"

// Detect recognizes netCDF-4 files and other files with dimension scales, group by group: variables of one
// leading dimension are a table. The table of a dimension can be asked for by the dataset of that dimension.
func Detect(o h5.Object) ([]*convention.Table, error) {
	switch o := o.(type) {
	case *h5.Group:
		return group(o)
	case *h5.Dataset:
		if object.Text(o, "CLASS") != "DIMENSION_SCALE" {
			return nil, nil
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
	name    string
	d       *h5.Dataset
	leading string // path of the first dimension, or a made-up name where there is none
}

func group(g *h5.Group) ([]*convention.Table, error) {
	vars, reason, err := variablesOf(g)
	if err != nil || reason == "" || len(vars) == 0 {
		return nil, err
	}
	strict := byLibrary(g)
	var order []string
	by := map[string][]convention.Column{}
	for _, v := range vars {
		if by[v.leading] == nil {
			order = append(order, v.leading)
		}
		by[v.leading] = append(by[v.leading], Column(v.name, v.d, strict))
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
	links, err := g.Links()
	if err != nil {
		return false
	}
	for _, l := range links {
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

// variablesOf lists a group's variables of rank 1 and above. reason is empty where the group has no sign of netCDF.
func variablesOf(g *h5.Group) (vars []variable, reason string, err error) {
	if a, _ := g.File().Root().Attribute("_NCProperties"); a != nil {
		reason = "root attribute _NCProperties"
	}
	links, err := g.Links()
	if err != nil {
		return nil, "", err
	}
	for _, l := range links {
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
		scale := object.Text(d, "CLASS") == "DIMENSION_SCALE"
		dims, _ := d.Attribute("DIMENSION_LIST")
		if (scale || dims != nil) && reason == "" {
			reason = "dimension scales"
		}
		if scale && strings.HasPrefix(object.Text(d, "NAME"), notAVariable) || d.Space().Class != h5.SpaceSimple || object.IsTable(d) && dims == nil && !scale {
			continue
		}
		v := variable{name: strings.TrimPrefix(l.Name, "_nc4_non_coord_"), d: d}
		if v.leading, err = leading(d, dims, scale); err != nil {
			return nil, "", err
		}
		vars = append(vars, v)
	}
	return vars, reason, nil
}

// leading names a variable's first dimension.
func leading(d *h5.Dataset, dims *h5.Attribute, scale bool) (string, error) {
	if dims != nil {
		lists, ok := dims.References()
		if ok && len(lists) > 0 && len(lists[0]) > 0 {
			if p, err := dimensionPath(d, lists[0][0]); p != "" || err != nil {
				return p, err
			}
		}
	}
	if scale {
		return d.Path(), nil
	}
	return object.Parent(d.Path()) + LengthName(d.Rows()), nil
}

// LengthName returns a name for a dimension of a length that has none.
func LengthName(rows int64) string { return fmt.Sprintf("phony_dim_%d", rows) }

// dimensionPath finds a dimension scale in the variable's group or one of the groups above.
func dimensionPath(d *h5.Dataset, addr uint64) (string, error) {
	for dir := object.Parent(d.Path()); dir != ""; dir = object.Parent(strings.TrimSuffix(dir, "/")) {
		o, err := d.File().Lookup(dir)
		if err != nil {
			return "", err
		}
		g, ok := o.(*h5.Group)
		if !ok {
			return "", nil
		}
		links, err := g.Links()
		if err != nil {
			return "", err
		}
		for _, l := range links {
			if l.Kind == h5.LinkHard && l.Address == addr {
				return object.Child(g, l.Name), nil
			}
		}
	}
	return "", nil
}

// Column describes a variable by its attributes. With strict, the netCDF library's default fill values are null.
func Column(name string, d *h5.Dataset, strict bool) convention.Column {
	c := convention.Column{Name: name, Objects: []h5.Object{d}}
	if c.Values, c.Err = valuesOf(d, strict); c.Err != nil {
		c.Values = nil
		c.Err = h5err.About(c.Err, d)
	}
	return c
}

func valuesOf(d *h5.Dataset, strict bool) (convention.Values, error) {
	p := convention.NewStored(d)
	t := d.Type()
	if t.Class == h5.ClassString && t.Size == 1 && len(d.RowDims()) > 0 {
		return chars(p)
	}
	if strings.EqualFold(object.Text(d, "_Unsigned"), "true") && t.Class == h5.ClassFixed && t.Signed {
		u := *t
		u.Signed = false
		p.As, p.RowDims = &u, d.RowDims()
		t = &u
	}
	var err error
	if p.Nulls, err = nullsOf(d, t, strict); err != nil {
		return nil, err
	}
	if t.Class != h5.ClassFixed && t.Class != h5.ClassFloat || t.Size > 8 {
		return p, nil
	}
	var out convention.Values = p
	kind, scaled, err := scaleOf(d, t)
	if err != nil {
		return nil, err
	}
	if scaled != nil {
		if scaled.Of = p; len(d.RowDims()) > 0 {
			scaled = overItems(scaled, d.RowDims())
		}
		out = scaled
	}
	if times := timeOf(d, kind); times != nil {
		if times.Of = out; len(d.RowDims()) > 0 {
			times = overItems(times, d.RowDims())
		}
		out = times
	}
	return out, nil
}

// chars describes characters whose last dimension is the length of a text.
func chars(p *convention.Plain) (convention.Values, error) {
	dims := p.Data.RowDims()
	n := dims[len(dims)-1]
	if n == 0 || n > 1<<30 {
		return nil, h5err.New(h5err.Unsupported, "text of %d characters", n)
	}
	p.As = &h5.Type{Class: h5.ClassString, Size: int(n), Pad: h5.NullPad, CharSet: h5.UTF8}
	p.RowDims = dims[:len(dims)-1]
	return p, nil
}
