package convention

import (
	"fmt"
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// notAVariable begins the NAME of a dimension scale that stands for a dimension only.
const notAVariable = "This is a netCDF dimension but not a netCDF variable"

// detectNetcdf recognises netCDF-4 files and other files with dimension scales, group by group: variables of one
// leading dimension are a table. A dataset that is a dimension stands for the table of that dimension.
func detectNetcdf(o h5.Object) ([]*Table, error) {
	switch o := o.(type) {
	case *h5.Group:
		return netcdfGroup(o)
	case *h5.Dataset:
		if text(o, "CLASS") != "DIMENSION_SCALE" {
			return nil, nil
		}
		up, err := o.File().Lookup(parent(o.Path()))
		g, ok := up.(*h5.Group)
		if err != nil || !ok {
			return nil, err
		}
		tables, err := netcdfGroup(g)
		for _, t := range tables {
			if t.Path == o.Path() {
				return []*Table{t}, err
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

func netcdfGroup(g *h5.Group) ([]*Table, error) {
	vars, reason, err := netcdfVariables(g)
	if err != nil || reason == "" || len(vars) == 0 {
		return nil, err
	}
	strict := isNetcdf(g)
	var order []string
	by := map[string][]Column{}
	for _, v := range vars {
		if by[v.leading] == nil {
			order = append(order, v.leading)
		}
		by[v.leading] = append(by[v.leading], netcdfColumn(v, strict))
	}
	inner := shallow(g)
	var out []*Table
	for _, dim := range order {
		t := &Table{Path: g.Path(), Object: g, Reason: reason, Columns: by[dim], Inner: inner}
		if len(order) > 1 {
			t.Path = dim
			if parent(dim) != parent(child(g, "x")) {
				t.Path = child(g, dim[len(parent(dim)):])
			}
			t.Reason += "; leading dimension " + dim
		}
		out = append(out, t)
	}
	return out, nil
}

// isNetcdf tells whether the netCDF library wrote the file, so that its defaults hold.
func isNetcdf(g *h5.Group) bool {
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

// netcdfVariables lists a group's variables of rank 1 and above. reason is empty where nothing says netCDF.
func netcdfVariables(g *h5.Group) (vars []variable, reason string, err error) {
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
		scale := text(d, "CLASS") == "DIMENSION_SCALE"
		dims, _ := d.Attribute("DIMENSION_LIST")
		if (scale || dims != nil) && reason == "" {
			reason = "dimension scales"
		}
		if scale && strings.HasPrefix(text(d, "NAME"), notAVariable) || d.Space().Class != h5.SpaceSimple || isTable(d) && dims == nil && !scale {
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
	return parent(d.Path()) + lengthName(d.Rows()), nil
}

// lengthName stands for the name of a dimension that has none.
func lengthName(rows int64) string { return fmt.Sprintf("phony_dim_%d", rows) }

// dimensionPath finds a dimension scale in the variable's group or one of the groups above.
func dimensionPath(d *h5.Dataset, addr uint64) (string, error) {
	for dir := parent(d.Path()); dir != ""; dir = parent(strings.TrimSuffix(dir, "/")) {
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
				return child(g, l.Name), nil
			}
		}
	}
	return "", nil
}

// netcdfColumn describes a variable by its attributes.
func netcdfColumn(v variable, strict bool) Column {
	c := Column{Name: v.name, Objects: []h5.Object{v.d}}
	if c.Values, c.Err = netcdfValues(v.d, strict); c.Err != nil {
		c.Values = nil
		c.Err = h5err.In(c.Err, v.d.File().Name(), v.d.Path())
	}
	return c
}

func netcdfValues(d *h5.Dataset, strict bool) (Values, error) {
	p := &Plain{Data: d, Member: Whole, Item: Whole}
	t := d.Type()
	if t.Class == h5.ClassString && t.Size == 1 && len(d.RowDims()) > 0 {
		return netcdfChars(p)
	}
	if strings.EqualFold(text(d, "_Unsigned"), "true") && t.Class == h5.ClassFixed && t.Signed {
		u := *t
		u.Signed = false
		p.As, p.RowDims = &u, d.RowDims()
		t = &u
	}
	var err error
	if p.Nulls, err = netcdfNulls(d, t, strict); err != nil {
		return nil, err
	}
	if t.Class != h5.ClassFixed && t.Class != h5.ClassFloat || t.Size > 8 {
		return p, nil
	}
	var out Values = p
	kind, scaled, err := netcdfScale(d, t)
	if err != nil {
		return nil, err
	}
	if scaled != nil {
		if scaled.Of = p; len(d.RowDims()) > 0 {
			scaled = overItems(scaled, d.RowDims())
		}
		out = scaled
	}
	if times := netcdfTime(d, kind); times != nil {
		if times.Of = out; len(d.RowDims()) > 0 {
			times = overItems(times, d.RowDims())
		}
		out = times
	}
	return out, nil
}

// netcdfChars describes characters whose last dimension is the length of a text.
func netcdfChars(p *Plain) (Values, error) {
	dims := p.Data.RowDims()
	n := dims[len(dims)-1]
	if n == 0 || n > 1<<30 {
		return nil, h5err.New(h5err.Unsupported, "text of %d characters", n)
	}
	p.As = &h5.Type{Class: h5.ClassString, Size: int(n), Pad: h5.NullPad, CharSet: h5.UTF8}
	p.RowDims = dims[:len(dims)-1]
	return p, nil
}
