// Package arkouda recognizes the arrays that Arkouda writes.
package arkouda

import (
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/h5"
)

// The kinds of Arkouda's objects, by the attribute ObjType.
const (
	kindView        = 0
	kindArray       = 1
	kindStrings     = 2
	kindSegments    = 3
	kindCategorical = 4
)

// metadata is the name of the group in which Arkouda says who wrote a file.
const metadata = "_arkouda_metadata"

// Detect recognizes Arkouda's files by the attribute ObjType: a group whose objects have one length is a table,
// and so is each object by itself. Booleans, strings that end in NULs, segmented arrays and categoricals are
// supported; the codes in NA_Codes are null.
func Detect(o h5.Object) ([]*convention.Table, error) {
	if kind, has := kindOf(o); has {
		v, err := valuesOf(o, kind)
		if v == nil && err == nil {
			return nil, object.NotATable(o, "an object of Arkouda that is not a column")
		}
		t := &convention.Table{Path: o.Path(), Object: o, Reason: "attribute ObjType", Columns: []convention.Column{{Name: object.Base(o.Path()), Values: v, Err: err}}}
		return []*convention.Table{t}, nil
	}
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	links, err := g.AllLinks()
	if err != nil {
		return nil, err
	}
	var columns []convention.Column
	for l := range links {
		if l.Kind != h5.LinkHard {
			continue
		}
		m, err := g.Open(l.Name)
		if err != nil {
			continue
		}
		kind, has := kindOf(m)
		if !has && l.Name == metadata {
			continue
		}
		if !has {
			return nil, nil // something else
		}
		c := convention.Column{Name: l.Name, Objects: []h5.Object{m}}
		if c.Values, c.Err = valuesOf(m, kind); c.Err != nil {
			c.Values = nil
		} else if c.Values == nil {
			continue
		}
		columns = append(columns, c)
	}
	if len(columns) == 0 {
		return nil, nil
	}
	rows := int64(-1)
	for _, c := range columns {
		if c.Values == nil {
			continue
		}
		n := rowsOf(c.Values)
		if rows < 0 {
			rows = n
		}
		if n != rows {
			return nil, object.NotATable(g, "Arkouda's objects of several lengths: each is a table of its own")
		}
	}
	return []*convention.Table{{Path: g.Path(), Object: g, Reason: "objects with the attribute ObjType", Columns: columns}}, nil
}

func kindOf(o h5.Object) (int64, bool) {
	a, err := o.Attribute("ObjType")
	if err != nil || a == nil {
		return 0, false
	}
	return a.Int()
}

// rowsOf is the number of rows of values that valuesOf made.
func rowsOf(v convention.Values) int64 {
	switch v := v.(type) {
	case *convention.Strings:
		return v.Offsets.Rows()
	case *convention.List:
		return v.Offsets.Rows()
	}
	return v.Main().Rows()
}

// valuesOf describes one object; nil for one that is not a column.
func valuesOf(o h5.Object, kind int64) (convention.Values, error) {
	switch o := o.(type) {
	case *h5.Dataset:
		if kind != kindArray && kind != kindView || o.Space().Class != h5.SpaceSimple {
			return nil, nil
		}
		return pdarray(o)
	case *h5.Group:
		switch kind {
		case kindStrings:
			return text(o)
		case kindSegments:
			return lists(o)
		case kindCategorical:
			return categories(o)
		}
	}
	return nil, nil
}

func pdarray(d *h5.Dataset) (*convention.Plain, error) {
	p := convention.NewStored(d)
	is, err := object.Flag(d, "isBool")
	if is {
		column.Booleans(p)
	}
	return p, err
}

// partOf finds a dataset of an object. Arkouda has named it by the part alone, and by the object's name, an underscore and
// the part.
func partOf(g *h5.Group, part string) (*h5.Dataset, error) {
	links, err := g.AllLinks()
	if err != nil {
		return nil, err
	}
	for l := range links {
		if l.Name == part || strings.HasSuffix(l.Name, "_"+part) {
			if d, ok := object.Member(g, l.Name).(*h5.Dataset); ok {
				return d, nil
			}
		}
	}
	return nil, object.Corrupt(g, "%s are missing", part)
}

func text(g *h5.Group) (*convention.Strings, error) {
	data, err := partOf(g, "values")
	if err != nil {
		return nil, err
	}
	starts, err := partOf(g, "segments")
	if err != nil {
		return nil, err
	}
	return &convention.Strings{Data: data, Offsets: starts, Bounds: convention.BoundsStarts, NulEnds: true}, nil
}

func lists(g *h5.Group) (convention.Values, error) {
	starts, err := partOf(g, "segments")
	if err != nil {
		return nil, err
	}
	l := &convention.List{Offsets: starts, Bounds: convention.BoundsStarts}
	var items convention.Values
	if sub, ok := object.Member(g, "values").(*h5.Group); ok { // of strings
		items, err = text(sub)
	} else {
		var d *h5.Dataset
		if d, err = partOf(g, "values"); err == nil {
			items, err = pdarray(d)
		}
	}
	l.Items = []convention.Column{{Name: "item", Values: items}}
	return l, err
}

func categories(g *h5.Group) (convention.Values, error) {
	codes, err := partOf(g, "codes")
	if err != nil {
		return nil, err
	}
	o := object.Member(g, "categories")
	sub, ok := o.(*h5.Group)
	if !ok {
		return nil, object.Corrupt(g, "categories are missing")
	}
	labels, err := text(sub)
	if err != nil {
		return nil, err
	}
	p := convention.NewStored(codes)
	if d, ok := object.Member(g, "NA_Codes").(*h5.Dataset); ok && d.Rows() > 0 {
		t := codes.Type()
		if d.Type().Class != h5.ClassFixed || t.Class != h5.ClassFixed || d.Type().Size != t.Size || d.Type().Order != t.Order || d.Rows() > 1<<10 {
			return nil, object.Unsupported(d, "%d codes of %s for codes of %s", d.Rows(), d.Type(), t)
		}
		b, err := object.Contents(d)
		if err != nil {
			return nil, err
		}
		var values [][]byte
		for ; len(b) >= t.Size; b = b[t.Size:] {
			values = append(values, b[:t.Size])
		}
		if p.Nulls, err = rule.Equal(t, values, "NA_Codes"); err != nil {
			return nil, err
		}
	}
	return &convention.Dictionary{Indices: p, Labels: labels}, nil
}
