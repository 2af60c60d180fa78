// Package biology recognizes the tables of conventions of biology: AnnData, 10x Genomics, Loom, Bioconductor's alabaster,
// HDMF and NWB.
package biology

import (
	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// DetectAnnData recognizes the elements of AnnData files, which have the attribute encoding-type: data
// frames, compressed sparse matrices, arrays, categories and masked arrays, and dictionaries of them. Files from before
// 0.7 lack it: their elements are recognized by lying beside obs and var.
func DetectAnnData(o h5.Object) ([]*convention.Table, error) {
	kind := object.Text(o, "encoding-type")
	switch o := o.(type) {
	case *h5.Dataset:
		return anndataDataset(o, kind)
	case *h5.Group:
		switch kind {
		case "dataframe":
			return anndataFrame(o)
		case "csr_matrix", "csc_matrix":
			return anndataSparse(o, "attribute encoding-type='"+kind+"'")
		case "categorical", "nullable-integer", "nullable-boolean", "nullable-string-array", "nullable-float", "awkward-array":
			v, err := anndataValues(nil, o)
			c := convention.Column{Name: object.Base(o.Path()), Objects: []h5.Object{o}, Values: v, Err: err}
			return []*convention.Table{{Path: o.Path(), Object: o, Reason: "attribute encoding-type='" + kind + "'", Columns: []convention.Column{c}}}, nil
		case "anndata", "raw", "MuData":
			return nil, object.NotATable(o, "elements of AnnData, each of which is a table of its own")
		case "dict":
			return anndataDict(o)
		}
		if format := object.Text(o, "h5sparse_format"); format != "" {
			return anndataSparse(o, "attribute h5sparse_format='"+format+"'")
		}
		return anndataUnmarked(o)
	}
	return nil, nil
}

// anndataUnmarked recognizes the groups of older files, which have no encoding-type.
func anndataUnmarked(g *h5.Group) ([]*convention.Table, error) {
	if isAnndata(g) {
		return nil, object.NotATable(g, "elements of AnnData, each of which is a table of its own")
	}
	switch object.Base(g.Path()) {
	case "obsm", "varm", "layers", "obsp", "varp":
		if up := object.Above(g); up != nil && (isAnndata(up) || object.Base(up.Path()) == "raw") {
			return anndataDict(g)
		}
	case "raw":
		if up := object.Above(g); up != nil && isAnndata(up) {
			return nil, object.NotATable(g, "elements of AnnData, each of which is a table of its own")
		}
	}
	return nil, nil
}

// isAnndata reports whether a group holds the elements of an AnnData object.
func isAnndata(g *h5.Group) bool {
	return object.Text(g, "encoding-type") == "anndata" || object.Has(g, "X", "obs", "var")
}

// anndataDataset recognizes single arrays, a dense matrix X, and the frames of files from before 0.7.
func anndataDataset(d *h5.Dataset, kind string) ([]*convention.Table, error) {
	name := object.Base(d.Path())
	switch {
	case d.Space().Class != h5.SpaceSimple:
		return nil, nil
	case object.IsTable(d):
		if up := object.Above(d); (name == "obs" || name == "var" || name == "raw.var") && up != nil && isAnndata(up) {
			return anndataRecords(up, d)
		}
		return nil, nil
	case kind == "array" || kind == "string-array":
	case name == "X" || name == "raw.X":
		up := object.Above(d)
		if up != nil && object.Base(up.Path()) == "raw" {
			up = object.Above(up)
		}
		if up == nil || !isAnndata(up) {
			return nil, nil
		}
	default:
		return nil, nil
	}
	return []*convention.Table{{Path: d.Path(), Object: d, Reason: "an array of AnnData", Columns: []convention.Column{column.Of(name, d)}}}, nil
}

// anndataRecords describes a frame as it was before 0.7: a compound dataset, and labels for the codes of a column c in
// uns/c_categories.
func anndataRecords(g *h5.Group, d *h5.Dataset) ([]*convention.Table, error) {
	uns, _ := object.Member(g, "uns").(*h5.Group)
	t := &convention.Table{Path: d.Path(), Object: d, Reason: "records beside X, obs and var"}
	for i, m := range d.Type().Members {
		p := convention.NewMember(d, i)
		c := convention.Column{Name: m.Name, Values: p}
		if uns != nil && m.Type.Class == h5.ClassFixed {
			if labels, ok := object.Member(uns, m.Name+"_categories").(*h5.Dataset); ok {
				nulls, err := rule.MinusOne(m.Type)
				if err != nil {
					return nil, h5err.About(err, d)
				}
				p.Nulls = nulls
				l, err := convention.NewPlain(labels)
				if err != nil {
					return nil, err
				}
				c.Values = &convention.Dictionary{Indices: p, Labels: l}
			}
		}
		t.Columns = append(t.Columns, c)
	}
	if len(t.Columns) > 0 {
		t.Metadata = map[string]string{"h5arrow.index": t.Columns[0].Name}
	}
	return []*convention.Table{t}, nil
}

// anndataDict describes a dictionary whose arrays have one length, such as obsm. Frames and sparse matrices in it are
// tables of their own; where lengths differ, so is each array.
func anndataDict(g *h5.Group) ([]*convention.Table, error) {
	links, err := g.AllLinks()
	if err != nil {
		return nil, err
	}
	t := &convention.Table{Path: g.Path(), Object: g, Reason: "a dictionary of arrays of AnnData"}
	claimed := map[string]bool{}
	rows := int64(-1)
	for l := range links {
		c := convention.Column{Name: l.Name}
		n := int64(-1)
		switch o := object.Member(g, l.Name).(type) {
		case *h5.Dataset:
			if o.Space().Class != h5.SpaceSimple || object.IsTable(o) {
				continue
			}
			c = column.Of(l.Name, o)
		case *h5.Group:
			switch kind := object.Text(o, "encoding-type"); kind {
			case "awkward-array":
				c.Objects = []h5.Object{o}
				if c.Values, n, c.Err = awkwardValues(o); c.Err != nil {
					c.Values = nil
				}
			case "categorical", "nullable-integer", "nullable-boolean", "nullable-string-array", "nullable-float":
				c.Objects = []h5.Object{o}
				if c.Values, c.Err = anndataValues(nil, o); c.Err != nil {
					c.Values = nil
				}
			default:
				continue
			}
		default:
			continue
		}
		if c.Values != nil {
			if n < 0 {
				n = c.Values.Main().Rows()
			}
			if rows < 0 {
				rows = n
			}
			if n != rows {
				return nil, object.NotATable(g, "arrays of several lengths: each is a table of its own")
			}
		}
		claimed[l.Name] = true
		t.Columns = append(t.Columns, c)
	}
	if len(t.Columns) == 0 {
		return nil, nil
	}
	t.Inner = func(path string) bool { return claimed[object.Base(path)] }
	return []*convention.Table{t}, nil
}

// anndataFrame describes a data frame: the index first, then the columns that the attribute column-order names.
func anndataFrame(g *h5.Group) ([]*convention.Table, error) {
	t := &convention.Table{Path: g.Path(), Object: g, Reason: "attribute encoding-type='dataframe'"}
	index := object.Text(g, "_index")
	if index == "" {
		return nil, object.Corrupt(g, "a data frame without the attribute _index")
	}
	names := []string{index}
	if a, err := g.Attribute("column-order"); err != nil {
		return nil, err
	} else if a != nil {
		more, ok := a.Strings()
		if ints, empty := a.Floats(); !ok && !(empty && len(ints) == 0) { // no columns: an empty list of floats
			return nil, object.Corrupt(g, "the attribute column-order is not a list of names")
		}
		for _, n := range more {
			if n != index {
				names = append(names, n)
			}
		}
	}
	t.Metadata = map[string]string{"h5arrow.index": index}
	for _, n := range names {
		c := convention.Column{Name: n}
		o, err := g.Open(n)
		if h5err.Is(err, h5err.NotFound) {
			err = object.Corrupt(g, "the column %s is missing", n)
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
	return []*convention.Table{t}, nil
}

// anndataValues describes one column of a data frame.
func anndataValues(frame *h5.Group, o h5.Object) (convention.Values, error) {
	switch o := o.(type) {
	case *h5.Dataset:
		p, err := convention.NewPlain(o)
		if err != nil {
			return nil, err
		}
		return anndataOldCategories(frame, o, p)
	case *h5.Group:
		switch kind := object.Text(o, "encoding-type"); kind {
		case "categorical":
			return anndataCategorical(o)
		case "nullable-integer", "nullable-boolean", "nullable-string-array", "nullable-float":
			return anndataMasked(o)
		case "awkward-array":
			v, _, err := awkwardValues(o)
			return v, err
		default:
			return nil, object.Unsupported(o, "an AnnData column of encoding %q", kind)
		}
	}
	return nil, object.Unsupported(o, "a column that is neither a group nor a dataset")
}

// anndataOldCategories follows the files from before 0.7, in which a column of codes refers to its labels by the
// attribute "categories".
func anndataOldCategories(frame *h5.Group, d *h5.Dataset, p *convention.Plain) (convention.Values, error) {
	a, err := d.Attribute("categories")
	if err != nil || a == nil || a.Type().Class != h5.ClassReference {
		return p, err
	}
	addr, ok := d.File().RefAddress(a.Raw())
	if !ok {
		return nil, object.Corrupt(d, "a null reference to categories")
	}
	o, err := d.File().ObjectAt(addr, frame.Path()+"/__categories")
	if err != nil {
		return nil, err
	}
	labels, ok := o.(*h5.Dataset)
	if !ok {
		return nil, object.Corrupt(d, "categories that are not a dataset")
	}
	ordered, err := object.Flag(labels, "ordered")
	if err != nil {
		return nil, err
	}
	return column.Categorical(d, labels, ordered)
}

func anndataCategorical(g *h5.Group) (convention.Values, error) {
	codes, err := object.Required(g, "codes")
	if err != nil {
		return nil, err
	}
	ordered, err := object.Flag(g, "ordered")
	if err != nil {
		return nil, err
	}
	o, err := g.Open("categories")
	if err != nil {
		return nil, err
	}
	switch o := o.(type) {
	case *h5.Dataset:
		return column.Categorical(codes, o, ordered)
	case *h5.Group: // nullable labels
		labels, err := anndataMasked(o)
		if err != nil {
			return nil, err
		}
		indices, err := column.Codes(codes)
		return &convention.Dictionary{Indices: indices, Labels: labels, Ordered: ordered}, err
	}
	return nil, object.Corrupt(g, "categories that are not a dataset")
}

func anndataMasked(g *h5.Group) (convention.Values, error) {
	values, err := object.Required(g, "values")
	if err != nil {
		return nil, err
	}
	mask, err := object.Required(g, "mask")
	if err != nil {
		return nil, err
	}
	p, err := convention.NewPlain(values)
	if err != nil {
		return nil, err
	}
	p.Nulls = []convention.Null{{Kind: convention.NullMask, Data: mask}}
	return p, nil
}

// anndataSparse describes a compressed sparse matrix: a list of index and value for each row (csr) or column (csc).
func anndataSparse(g *h5.Group, reason string) ([]*convention.Table, error) {
	v, err := column.Sparse(g, "indptr", "indices", "data")
	if err != nil {
		return nil, err
	}
	return []*convention.Table{{Path: g.Path(), Object: g, Reason: reason,
		Columns: []convention.Column{{Name: object.Base(g.Path()), Values: v, Objects: []h5.Object{g}}}}}, nil
}
