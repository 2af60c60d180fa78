package convention

import (
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// Pieces that several conventions are made of.

// required opens the dataset of that name.
func required(g *h5.Group, name string) (*h5.Dataset, error) {
	d, err := dataset(g, name)
	if err == nil && d == nil {
		err = corrupt(g, "%s is missing", name)
	}
	return d, err
}

// flag reads a boolean attribute; absent is false.
func flag(o h5.Object, name string) (bool, error) {
	a, err := o.Attribute(name)
	if err != nil || a == nil {
		return false, err
	}
	v, ok := a.Int()
	if !ok {
		return false, corrupt(o, "the attribute %s is no boolean", name)
	}
	return v != 0, nil
}

// codesOf describes codes of categories, -1 for none.
func codesOf(codes *h5.Dataset) (*Plain, error) {
	p := &Plain{Data: codes, Member: Whole, Item: Whole}
	n, err := minusOne(codes.Type())
	if err != nil {
		return nil, h5err.In(err, codes.File().Name(), codes.Path())
	}
	p.Nulls = n
	return p, nil
}

// minusOne is the rule by which codes of a type are null: -1, where the type has a sign.
func minusOne(t *h5.Type) ([]Null, error) {
	if t.Class != h5.ClassFixed {
		return nil, h5err.New(h5err.Corrupt, "codes of %s: they must be integers", t)
	}
	if !t.Signed {
		return nil, nil
	}
	r, err := nullbitmap.MinusOne(t.Size)
	if err != nil {
		return nil, h5err.Wrap(h5err.Unsupported, err, "codes of %d bytes", t.Size)
	}
	return []Null{{Kind: NullRule, Rule: r, Text: "code -1"}}, nil
}

// categorical describes codes, and labels in a dataset.
func categorical(codes, labels *h5.Dataset, ordered bool) (Values, error) {
	indices, err := codesOf(codes)
	if err != nil {
		return nil, err
	}
	l, err := NewPlain(labels)
	if err != nil {
		return nil, err
	}
	return &Dictionary{Indices: indices, Labels: l, Ordered: ordered}, nil
}

// sparse describes the rows of a compressed sparse matrix.
func sparse(g *h5.Group, offsets, indices, values string) (*List, error) {
	var ds [3]*h5.Dataset
	for i, name := range []string{offsets, indices, values} {
		var err error
		if ds[i], err = required(g, name); err != nil {
			return nil, err
		}
	}
	l := &List{Offsets: ds[0]}
	for i, name := range []string{"index", "value"} {
		p, err := NewPlain(ds[i+1])
		if err != nil {
			return nil, err
		}
		l.Items = append(l.Items, Column{Name: name, Values: p})
	}
	return l, nil
}

// parent is the part of a path before its last name, the slash included.
func parent(path string) string { return path[:strings.LastIndexByte(path, '/')+1] }
