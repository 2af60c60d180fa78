package convention

import (
	"path"
	"strings"

	"github.com/h5arrow/h5arrow/h5"
)

// detectHdfeos recognises the swaths, grids and zonal averages of HDF-EOS5: groups in /HDFEOS with the groups "Data Fields"
// and perhaps "Geolocation Fields". Fields of one first dimension are a table; the dimensions' names stand in
// StructMetadata.0. Values that equal _FillValue or MissingValue are null.
func detectHdfeos(o h5.Object) ([]*Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	kind := strings.Split(strings.Trim(g.Path(), "/"), "/")
	if len(kind) != 3 || kind[0] != "HDFEOS" || kind[1] != "SWATHS" && kind[1] != "GRIDS" && kind[1] != "ZAS" {
		return nil, nil
	}
	f := &eosFields{g: g, dims: eosDimensions(g.File(), kind[2])}
	for _, n := range []string{"Geolocation Fields", "Data Fields"} {
		if sub, ok := member(g, n).(*h5.Group); ok {
			if err := f.add(sub); err != nil {
				return nil, err
			}
		}
	}
	inner := under(child(g, "Geolocation Fields"), child(g, "Data Fields"))
	var out []*Table
	for _, dim := range f.order {
		t := &Table{Path: g.Path(), Object: g, Reason: "fields in /HDFEOS/" + kind[1], Columns: f.by[dim], Inner: inner}
		if len(f.order) > 1 {
			t.Path = child(g, path.Base(dim))
			t.Reason += "; first dimension " + dim
		}
		out = append(out, t)
	}
	return out, nil
}

// eosFields is fields by their first dimension.
type eosFields struct {
	g     *h5.Group
	dims  map[string]string // a field's first dimension
	order []string
	by    map[string][]Column
}

func (f *eosFields) add(g *h5.Group) error {
	all, broken, err := datasets(g)
	if err != nil {
		return err
	}
	if f.by == nil {
		f.by = map[string][]Column{}
	}
	put := func(dim string, c Column) {
		if f.by[dim] == nil {
			f.order = append(f.order, dim)
		}
		f.by[dim] = append(f.by[dim], c)
	}
	for _, d := range all {
		name := base(d.Path())
		dim := f.dims[name]
		if dim == "" {
			dim = lengthName(d.Rows())
		}
		v := variable{name: name, d: d}
		put(dim, eosColumn(v))
	}
	for _, c := range broken {
		put("unreadable", c)
	}
	return nil
}

// eosColumn describes a field: by the rules of netCDF, but without its default fills, and with MissingValue.
func eosColumn(v variable) Column {
	c := netcdfColumn(v, false)
	p, ok := c.Values.(*Plain)
	a, err := v.d.Attribute("MissingValue")
	if !ok || err != nil || a == nil {
		return c
	}
	t := v.d.Type()
	if p.As != nil {
		t = p.As
	}
	if t.Class != h5.ClassFixed && t.Class != h5.ClassFloat || t.Size > 8 || t.Size&(t.Size-1) != 0 {
		return c
	}
	if values := storedValues(a, t); len(values) > 0 {
		if err := equalRule(t, values, "MissingValue", nullRule(p)); err != nil {
			c.Values, c.Err = nil, err
		}
	}
	return c
}

// eosDimensions reads the first dimensions of a structure's fields from StructMetadata.0, which is text in ODL. It is empty
// where that says nothing.
func eosDimensions(f *h5.File, name string) map[string]string {
	out := map[string]string{}
	info, ok := member(f.Root(), "HDFEOS INFORMATION").(*h5.Group)
	if !ok {
		return out
	}
	d, ok := member(info, "StructMetadata.0").(*h5.Dataset)
	if !ok {
		return out
	}
	parts, err := texts(d)
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
