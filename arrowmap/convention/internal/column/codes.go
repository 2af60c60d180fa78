package column

import (
	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Codes describes integers that number categories; -1 is null.
func Codes(codes *h5.Dataset) (*convention.Plain, error) {
	p := convention.NewStored(codes)
	n, err := rule.MinusOne(codes.Type())
	if err != nil {
		return nil, h5err.About(err, codes)
	}
	p.Nulls = n
	return p, nil
}

// Categorical describes codes as for Codes, and their labels.
func Categorical(codes, labels *h5.Dataset, ordered bool) (convention.Values, error) {
	indices, err := Codes(codes)
	if err != nil {
		return nil, err
	}
	l, err := convention.NewPlain(labels)
	if err != nil {
		return nil, err
	}
	return &convention.Dictionary{Indices: indices, Labels: l, Ordered: ordered}, nil
}

// Sparse describes a compressed sparse matrix: for each row (csr) or column (csc) a list of indices and values, in the
// datasets of those names.
func Sparse(g *h5.Group, offsets, indices, values string) (*convention.List, error) {
	var ds [3]*h5.Dataset
	for i, name := range []string{offsets, indices, values} {
		var err error
		if ds[i], err = object.Required(g, name); err != nil {
			return nil, err
		}
	}
	l := &convention.List{Offsets: ds[0]}
	for i, name := range []string{"index", "value"} {
		p, err := convention.NewPlain(ds[i+1])
		if err != nil {
			return nil, err
		}
		l.Items = append(l.Items, convention.Column{Name: name, Values: p})
	}
	return l, nil
}

// Booleans has integers of one byte read as booleans, not zero for true. Other values stay as they are.
func Booleans(p *convention.Plain) {
	t := p.Data.Type()
	if t.Class == h5.ClassFixed && t.Size == 1 && p.Member == convention.Whole {
		p.As, p.RowDims = BoolType(), p.Data.RowDims()
	}
}

// Truths has numbers of any width read as booleans, not zero for true. What is not a number stays as it is.
func Truths(p *convention.Plain) convention.Values {
	t := p.Data.Type()
	if p.Member != convention.Whole || t.Class != h5.ClassFixed && t.Class != h5.ClassFloat {
		return p
	}
	switch {
	case t.Class == h5.ClassFixed && t.Size == 1:
		Booleans(p)
	case t.Size == 4 || t.Size == 8 || t.Size == 2 && t.Class == h5.ClassFixed:
		return Nonzero(p, p.Data.RowDims())
	}
	return p
}

// BoolType returns the type of booleans of one byte: not zero for true.
func BoolType() *h5.Type {
	b := &h5.Type{Class: h5.ClassFixed, Size: 1, Order: h5.LittleEndian, Signed: true, Precision: 8}
	return &h5.Type{Class: h5.ClassEnum, Size: 1, Order: h5.LittleEndian, Base: b, Names: []string{"FALSE", "TRUE"}, Values: []byte{0, 1}}
}
