// Package hdfeos recognizes the fields of HDF-EOS5.
package hdfeos

import (
	"path"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/arrowmap/convention/netcdf"
	"github.com/h5arrow/h5arrow/h5"
)

// Detect recognizes the swaths, grids and zonal averages of HDF-EOS5: groups in /HDFEOS with the groups "Data Fields"
// and perhaps "Geolocation Fields". Fields of one first dimension are a table; the names of dimensions are in
// StructMetadata.0. Values that equal _FillValue or MissingValue are null.
func Detect(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	kind := strings.Split(strings.Trim(g.Path(), "/"), "/")
	if len(kind) != 3 || kind[0] != "HDFEOS" || kind[1] != "SWATHS" && kind[1] != "GRIDS" && kind[1] != "ZAS" {
		return nil, nil
	}
	f := &fields{g: g, dims: dimensions(g.File(), kind[2])}
	for _, n := range []string{"Geolocation Fields", "Data Fields"} {
		if sub, ok := object.Member(g, n).(*h5.Group); ok {
			if err := f.add(sub); err != nil {
				return nil, err
			}
		}
	}
	inner := object.Below(object.Child(g, "Geolocation Fields"), object.Child(g, "Data Fields"))
	var out []*convention.Table
	for _, dim := range f.order {
		t := &convention.Table{Path: g.Path(), Object: g, Reason: "fields in /HDFEOS/" + kind[1], Columns: f.by[dim], Inner: inner}
		if len(f.order) > 1 {
			t.Path = object.Child(g, path.Base(dim))
			t.Reason += "; first dimension " + dim
		}
		out = append(out, t)
	}
	return out, nil
}

// fields collects the fields of a structure by their first dimension.
type fields struct {
	g     *h5.Group
	dims  map[string]string // a field's first dimension
	order []string
	by    map[string][]convention.Column
}

func (f *fields) add(g *h5.Group) error {
	all, broken, err := column.Datasets(g)
	if err != nil {
		return err
	}
	if f.by == nil {
		f.by = map[string][]convention.Column{}
	}
	put := func(dim string, c convention.Column) {
		if f.by[dim] == nil {
			f.order = append(f.order, dim)
		}
		f.by[dim] = append(f.by[dim], c)
	}
	for _, d := range all {
		name := object.Base(d.Path())
		dim := f.dims[name]
		if dim == "" {
			dim = netcdf.LengthName(d.Rows())
		}
		put(dim, columnOf(name, d))
	}
	for _, c := range broken {
		put("unreadable", c)
	}
	return nil
}

// columnOf describes a field: by the rules of netCDF, but without its default fills, and with MissingValue.
func columnOf(name string, d *h5.Dataset) convention.Column {
	c := netcdf.Column(name, d, false)
	p, ok := c.Values.(*convention.Plain)
	a, err := d.Attribute("MissingValue")
	if !ok || err != nil || a == nil {
		return c
	}
	t := d.Type()
	if p.As != nil {
		t = p.As
	}
	if t.Class != h5.ClassFixed && t.Class != h5.ClassFloat || t.Size > 8 || t.Size&(t.Size-1) != 0 {
		return c
	}
	if values := rule.Values(a, t); len(values) > 0 {
		nulls, err := rule.Equal(t, values, "MissingValue")
		if err != nil {
			c.Values, c.Err = nil, err
		}
		p.Nulls = append(p.Nulls, nulls...)
	}
	return c
}

// dimensions reads the first dimensions of a structure's fields from StructMetadata.0, which is text in ODL. It is empty
// where that can't be read.
func dimensions(f *h5.File, name string) map[string]string {
	out := map[string]string{}
	info, ok := object.Member(f.Root(), "HDFEOS INFORMATION").(*h5.Group)
	if !ok {
		return out
	}
	d, ok := object.Member(info, "StructMetadata.0").(*h5.Dataset)
	if !ok {
		return out
	}
	parts, err := object.Texts(d)
	if err != nil {
		return out
	}
	inside, field := false, ""
	for line := range strings.Lines(strings.Join(parts, "")) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok {
			continue
		}
		value = strings.Trim(value, `"`)
		switch key {
		case "SwathName", "GridName", "ZaName":
			inside = value == name
		case "DataFieldName", "GeoFieldName":
			field = value
		case "DimList":
			first, _, _ := strings.Cut(strings.Trim(value, "()"), ",")
			if first = strings.Trim(first, `"`); inside && field != "" && first != "" {
				out[field] = first
			}
			field = ""
		}
	}
	return out
}
