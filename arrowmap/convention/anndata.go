package convention

import (
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// detectAnndata recognises the elements of AnnData files, which say by the attribute encoding-type what they are:
// data frames and compressed sparse matrices.
func detectAnndata(o h5.Object) ([]*Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	switch kind := text(g, "encoding-type"); kind {
	case "dataframe":
		return anndataFrame(g)
	case "csr_matrix", "csc_matrix":
		return anndataSparse(g, kind)
	}
	return nil, nil
}

// anndataFrame describes a data frame: the index first, then the columns that the attribute column-order names.
func anndataFrame(g *h5.Group) ([]*Table, error) {
	t := &Table{Path: g.Path(), Object: g, Reason: "attribute encoding-type='dataframe'"}
	index := text(g, "_index")
	if index == "" {
		return nil, corrupt(g, "a data frame without the attribute _index")
	}
	names := []string{index}
	if a, err := g.Attribute("column-order"); err != nil {
		return nil, err
	} else if a != nil {
		more, ok := a.Strings()
		if ints, empty := a.Floats(); !ok && !(empty && len(ints) == 0) { // no columns: an empty list of floats
			return nil, corrupt(g, "the attribute column-order is no list of names")
		}
		for _, n := range more {
			if n != index {
				names = append(names, n)
			}
		}
	}
	t.Metadata = map[string]string{"h5arrow.index": index}
	for _, n := range names {
		c := Column{Name: n}
		o, err := g.Open(n)
		if h5err.Is(err, h5err.NotFound) {
			err = corrupt(g, "the column %s is missing", n)
		}
		if err == nil {
			c.Objects = []h5.Object{o}
			c.Values, err = anndataValues(g, o)
		}
		if err != nil {
			c.Values, c.Err = nil, err
		}
		t.Columns = append(t.Columns, c)
	}
	return []*Table{t}, nil
}

// anndataValues describes one column of a data frame.
func anndataValues(frame *h5.Group, o h5.Object) (Values, error) {
	switch o := o.(type) {
	case *h5.Dataset:
		p, err := NewPlain(o)
		if err != nil {
			return nil, err
		}
		return anndataOldCategories(frame, o, p)
	case *h5.Group:
		switch kind := text(o, "encoding-type"); kind {
		case "categorical":
			return anndataCategorical(o)
		case "nullable-integer", "nullable-boolean", "nullable-string-array", "nullable-float":
			return anndataMasked(o)
		default:
			return nil, unsupported(o, "an AnnData column of encoding %q", kind)
		}
	}
	return nil, unsupported(o, "a column that is neither a group nor a dataset")
}

// anndataOldCategories follows the files from before 0.7, in which a column of codes refers to its labels by the
// attribute "categories".
func anndataOldCategories(frame *h5.Group, d *h5.Dataset, p *Plain) (Values, error) {
	a, err := d.Attribute("categories")
	if err != nil || a == nil || a.Type().Class != h5.ClassReference {
		return p, err
	}
	addr, ok := d.File().RefAddress(a.Raw())
	if !ok {
		return nil, corrupt(d, "a null reference to categories")
	}
	o, err := d.File().ObjectAt(addr, frame.Path()+"/__categories")
	if err != nil {
		return nil, err
	}
	labels, ok := o.(*h5.Dataset)
	if !ok {
		return nil, corrupt(d, "categories that are no dataset")
	}
	ordered, err := flag(labels, "ordered")
	if err != nil {
		return nil, err
	}
	return categorical(d, labels, ordered)
}

func anndataCategorical(g *h5.Group) (Values, error) {
	codes, err := required(g, "codes")
	if err != nil {
		return nil, err
	}
	ordered, err := flag(g, "ordered")
	if err != nil {
		return nil, err
	}
	o, err := g.Open("categories")
	if err != nil {
		return nil, err
	}
	switch o := o.(type) {
	case *h5.Dataset:
		return categorical(codes, o, ordered)
	case *h5.Group: // nullable labels
		labels, err := anndataMasked(o)
		if err != nil {
			return nil, err
		}
		indices, err := codesOf(codes)
		return &Dictionary{Indices: indices, Labels: labels, Ordered: ordered}, err
	}
	return nil, corrupt(g, "categories that are no dataset")
}

func anndataMasked(g *h5.Group) (Values, error) {
	values, err := required(g, "values")
	if err != nil {
		return nil, err
	}
	mask, err := required(g, "mask")
	if err != nil {
		return nil, err
	}
	p, err := NewPlain(values)
	if err != nil {
		return nil, err
	}
	p.Nulls = []Null{{Kind: NullMask, Data: mask}}
	return p, nil
}

// anndataSparse describes a compressed sparse matrix: a list of index and value for each row (csr) or column (csc).
func anndataSparse(g *h5.Group, kind string) ([]*Table, error) {
	v, err := sparse(g, "indptr", "indices", "data")
	if err != nil {
		return nil, err
	}
	name := g.Path()[len(parent(g.Path())):]
	t := &Table{Path: g.Path(), Object: g, Reason: "attribute encoding-type='" + kind + "'"}
	t.Columns = []Column{{Name: trimSlash(name), Values: v, Objects: []h5.Object{g}}}
	return []*Table{t}, nil
}
