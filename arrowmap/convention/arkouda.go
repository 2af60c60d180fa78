package convention

import (
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// The kinds of Arkouda's objects, by the attribute ObjType.
const (
	arkoudaView        = 0
	arkoudaArray       = 1
	arkoudaStrings     = 2
	arkoudaSegments    = 3
	arkoudaCategorical = 4
)

// arkoudaMetadata is the group in which Arkouda says who wrote a file.
const arkoudaMetadata = "_arkouda_metadata"

// detectArkouda recognises Arkouda's files by the attribute ObjType: a group whose objects have one length is a table,
// and so is each object by itself. Booleans, strings that end in NULs, segmented arrays and categoricals become what they
// are; the codes in NA_Codes are null.
func detectArkouda(o h5.Object) ([]*Table, error) {
	if kind, has := arkoudaKind(o); has {
		v, err := arkoudaValues(o, kind)
		if v == nil && err == nil {
			return nil, noTable(o, "an object of Arkouda that is no column")
		}
		t := &Table{Path: o.Path(), Object: o, Reason: "attribute ObjType", Columns: []Column{{Name: base(o.Path()), Values: v, Err: err}}}
		return []*Table{t}, nil
	}
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	links, err := g.Links()
	if err != nil {
		return nil, err
	}
	var columns []Column
	for _, l := range links {
		if l.Kind != h5.LinkHard {
			continue
		}
		m, err := g.Open(l.Name)
		if err != nil {
			continue
		}
		kind, has := arkoudaKind(m)
		if !has && l.Name == arkoudaMetadata {
			continue
		}
		if !has {
			return nil, nil // something else
		}
		c := Column{Name: l.Name, Objects: []h5.Object{m}}
		if c.Values, c.Err = arkoudaValues(m, kind); c.Err != nil {
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
		n := arkoudaRows(c.Values)
		if rows < 0 {
			rows = n
		}
		if n != rows {
			return nil, noTable(g, "Arkouda's objects of several lengths: each is a table of its own")
		}
	}
	return []*Table{{Path: g.Path(), Object: g, Reason: "objects with the attribute ObjType", Columns: columns}}, nil
}

// noTable is the error for an object that a convention knows, and that is no table: no other convention is to take it for
// one. What is below it is looked at.
func noTable(o h5.Object, what string) error {
	return h5err.In(h5err.New(h5err.Argument, "%s", what).WithOption("arrowmap.File.Tables", "list the tables"), o.File().Name(), o.Path())
}

func arkoudaKind(o h5.Object) (int64, bool) {
	a, err := o.Attribute("ObjType")
	if err != nil || a == nil {
		return 0, false
	}
	return a.Int()
}

// arkoudaRows is the number of rows of values that arkoudaValues made.
func arkoudaRows(v Values) int64 {
	switch v := v.(type) {
	case *Strings:
		return v.Offsets.Rows()
	case *List:
		return v.Offsets.Rows()
	}
	return v.Main().Rows()
}

// arkoudaValues describes one object; nil for one that is no column.
func arkoudaValues(o h5.Object, kind int64) (Values, error) {
	switch o := o.(type) {
	case *h5.Dataset:
		if kind != arkoudaArray && kind != arkoudaView || o.Space().Class != h5.SpaceSimple {
			return nil, nil
		}
		return arkoudaPdarray(o)
	case *h5.Group:
		switch kind {
		case arkoudaStrings:
			return arkoudaText(o)
		case arkoudaSegments:
			return arkoudaLists(o)
		case arkoudaCategorical:
			return arkoudaCategories(o)
		}
	}
	return nil, nil
}

func arkoudaPdarray(d *h5.Dataset) (*Plain, error) {
	p := &Plain{Data: d, Member: Whole, Item: Whole}
	is, err := flag(d, "isBool")
	if is {
		booleans(p)
	}
	return p, err
}

// arkoudaPart finds a dataset of an object: Arkouda has called them by the part's name alone, and by the object's name with
// that of the part behind it.
func arkoudaPart(g *h5.Group, part string) (*h5.Dataset, error) {
	links, err := g.Links()
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		if l.Name == part || strings.HasSuffix(l.Name, "_"+part) {
			if d, ok := member(g, l.Name).(*h5.Dataset); ok {
				return d, nil
			}
		}
	}
	return nil, corrupt(g, "%s are missing", part)
}

func arkoudaText(g *h5.Group) (*Strings, error) {
	data, err := arkoudaPart(g, "values")
	if err != nil {
		return nil, err
	}
	starts, err := arkoudaPart(g, "segments")
	if err != nil {
		return nil, err
	}
	return &Strings{Data: data, Offsets: starts, Bounds: BoundsStarts, NulEnds: true}, nil
}

func arkoudaLists(g *h5.Group) (Values, error) {
	starts, err := arkoudaPart(g, "segments")
	if err != nil {
		return nil, err
	}
	l := &List{Offsets: starts, Bounds: BoundsStarts}
	var items Values
	if sub, ok := member(g, "values").(*h5.Group); ok { // of strings
		items, err = arkoudaText(sub)
	} else {
		var d *h5.Dataset
		if d, err = arkoudaPart(g, "values"); err == nil {
			items, err = arkoudaPdarray(d)
		}
	}
	l.Items = []Column{{Name: "item", Values: items}}
	return l, err
}

func arkoudaCategories(g *h5.Group) (Values, error) {
	codes, err := arkoudaPart(g, "codes")
	if err != nil {
		return nil, err
	}
	o := member(g, "categories")
	sub, ok := o.(*h5.Group)
	if !ok {
		return nil, corrupt(g, "categories are missing")
	}
	labels, err := arkoudaText(sub)
	if err != nil {
		return nil, err
	}
	p := &Plain{Data: codes, Member: Whole, Item: Whole}
	if d, ok := member(g, "NA_Codes").(*h5.Dataset); ok && d.Rows() > 0 {
		t := codes.Type()
		if d.Type().Class != h5.ClassFixed || t.Class != h5.ClassFixed || d.Type().Size != t.Size || d.Type().Order != t.Order || d.Rows() > 1<<10 {
			return nil, unsupported(d, "%d codes of %s for codes of %s", d.Rows(), d.Type(), t)
		}
		b, err := contents(d)
		if err != nil {
			return nil, err
		}
		var values [][]byte
		for ; len(b) >= t.Size; b = b[t.Size:] {
			values = append(values, b[:t.Size])
		}
		err = equalRule(t, values, "NA_Codes", nullRule(p))
		if err != nil {
			return nil, err
		}
	}
	return &Dictionary{Indices: p, Labels: labels}, nil
}
