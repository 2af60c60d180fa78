package vaex

import (
	"encoding/json"
	"strconv"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// parts bounds the groups that a column consists of: links may form circles.
type parts struct{ left int }

// maxParts is the number of groups of a column.
const maxParts = 10_000

// maxDepth is the number of groups around a part of a column.
const maxDepth = 64

// arrowOf describes the column in a group of a kind that package arrowmap/tablewriter adds to those of vaex.
func (p *parts) arrowOf(g *h5.Group, kind string, depth int) (convention.Values, error) {
	switch kind {
	case "null":
		return nullsOf(g)
	case "binary":
		return bytesOf(g)
	case "list":
		offsets, err := object.Required(g, "indices")
		if err != nil {
			return nil, err
		}
		items, err := p.columnAt(g, "items", depth)
		if err != nil {
			return nil, err
		}
		return masked(g, "null_bitmap", &convention.List{Offsets: offsets, Items: []convention.Column{{Name: "item", Values: items}}})
	case "fixed_size_list":
		items, err := p.columnAt(g, "items", depth)
		if err != nil {
			return nil, err
		}
		a, err := g.Attribute("size")
		if err != nil {
			return nil, err
		}
		size, ok := int64(0), false
		if a != nil {
			size, ok = a.Int()
		}
		if !ok || size < 1 {
			return nil, object.Corrupt(g, "lists of one size without the attribute size")
		}
		return masked(g, "null_bitmap", &convention.Grouped{Of: items, Size: size})
	}
	s, err := p.structOf(g, depth)
	if err != nil {
		return nil, err
	}
	return masked(g, "null_bitmap", s)
}

// bytesOf describes bytes of any length, which are stored as text is.
func bytesOf(g *h5.Group) (convention.Values, error) {
	v, err := dataOf(g)
	if err != nil {
		return nil, err
	}
	s, ok := v.(*convention.Strings)
	if !ok {
		return nil, object.Corrupt(g, "bytes without indices")
	}
	s.Binary = true
	return s, nil
}

// columnAt describes the column in a member of a group.
func (p *parts) columnAt(g *h5.Group, name string, depth int) (convention.Values, error) {
	o, err := g.Open(name)
	if err != nil {
		return nil, err
	}
	of, ok := o.(*h5.Group)
	if !ok {
		return nil, object.Corrupt(o, "no group")
	}
	if p.left--; p.left < 0 || depth >= maxDepth {
		return nil, object.Limit(o, "a column of too many parts")
	}
	return p.valuesOf(of, depth+1)
}

// masked adds the nulls of rows in a dataset of bits, if there is one.
func masked(g *h5.Group, name string, v convention.Values) (convention.Values, error) {
	d, err := object.Dataset(g, name)
	if err != nil || d == nil {
		return v, err
	}
	return &convention.Masked{Of: v, Nulls: []convention.Null{{Kind: convention.NullBitmap, Data: d}}}, nil
}

// structOf describes the columns in a group fields, numbered from 0 on, which an attribute of that name gives names.
func (p *parts) structOf(g *h5.Group, depth int) (*convention.Struct, error) {
	var names []string
	if json.Unmarshal([]byte(object.Text(g, "fields")), &names) != nil || len(names) == 0 {
		return nil, object.Corrupt(g, "a struct whose attribute fields is not a list of names")
	}
	fields, ok := object.Member(g, "fields").(*h5.Group)
	if !ok {
		return nil, object.Corrupt(g, "a struct without a group fields")
	}
	s := &convention.Struct{}
	for i, n := range names {
		v, err := p.columnAt(fields, strconv.Itoa(i), depth)
		if err != nil {
			return nil, err
		}
		s.Fields = append(s.Fields, convention.Column{Name: n, Values: v})
	}
	s.Data = s.Fields[0].Values.Main()
	return s, nil
}

// nullsOf describes a column of Arrow's type null.
func nullsOf(g *h5.Group) (convention.Values, error) {
	d, err := object.Required(g, "data")
	if err != nil {
		return nil, err
	}
	return convention.AllNull(d), nil
}
