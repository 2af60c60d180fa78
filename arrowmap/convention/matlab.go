package convention

import (
	"fmt"
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// detectMatlab recognises what MATLAB 7.3 writes, by the attribute MATLAB_class: structs as tables of their fields,
// sparse matrices as lists, and the variables of the root as a table when they have one height. Dimensions are
// reversed in the file.
func detectMatlab(o h5.Object) ([]*Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	class := text(g, "MATLAB_class")
	if class == "" && g.Path() != "/" {
		return nil, nil
	}
	if a, err := g.Attribute("MATLAB_sparse"); a != nil {
		return matlabSparse(g, a)
	} else if err != nil {
		return nil, err
	}
	columns, err := matlabColumns(g, class == "")
	if err != nil || len(columns) == 0 {
		return nil, err
	}
	if err := equalMatlab(g, columns); err != nil {
		return nil, err
	}
	reason := fmt.Sprintf("attribute MATLAB_class=%q", class)
	if class == "" {
		reason = "variables with the attribute MATLAB_class"
	}
	return []*Table{{Path: g.Path(), Object: g, Reason: reason, Columns: columns, Inner: shallowMatlab(g)}}, nil
}

// shallowMatlab claims a group's datasets, and what MATLAB keeps for itself.
func shallowMatlab(g *h5.Group) func(path string) bool {
	return func(path string) bool {
		if name := path[strings.LastIndexByte(path, '/')+1:]; strings.HasPrefix(name, "#") {
			return true
		}
		o, err := g.Open(path[strings.LastIndexByte(path, '/')+1:])
		_, ok := o.(*h5.Dataset)
		return err == nil && ok
	}
}

// matlabColumns describes a group's fields. In the root, only what has the attribute counts.
func matlabColumns(g *h5.Group, root bool) ([]Column, error) {
	links, err := g.Links()
	if err != nil {
		return nil, err
	}
	var out []Column
	for _, l := range links {
		if l.Kind != h5.LinkHard || strings.HasPrefix(l.Name, "#") {
			continue
		}
		o, err := g.Open(l.Name)
		if err != nil {
			out = append(out, Column{Name: l.Name, Err: err})
			continue
		}
		d, ok := o.(*h5.Dataset)
		if !ok || text(d, "MATLAB_class") == "" {
			if ok && root {
				return nil, nil // a file of something else
			}
			continue
		}
		c := Column{Name: l.Name, Objects: []h5.Object{d}}
		if c.Values, c.Err = matlabValues(d); c.Err != nil {
			c.Values = nil
		}
		if c.Values == nil && c.Err == nil {
			continue
		}
		out = append(out, c)
	}
	for i := range out {
		if out[i].Err == nil {
			return out, nil
		}
	}
	return nil, nil
}

// matlabBool is the type of logical values: one byte, not zero for true.
func matlabBool() *h5.Type {
	b := &h5.Type{Class: h5.ClassFixed, Size: 1, Order: h5.LittleEndian, Signed: true, Precision: 8}
	return &h5.Type{Class: h5.ClassEnum, Size: 1, Order: h5.LittleEndian, Base: b, Names: []string{"FALSE", "TRUE"}, Values: []byte{0, 1}}
}

// matlabValues describes one variable; nil for one that is no column: text, an empty array, a scalar cell.
func matlabValues(d *h5.Dataset) (Values, error) {
	class := text(d, "MATLAB_class")
	if empty, err := flag(d, "MATLAB_empty"); err != nil || empty {
		return nil, err
	}
	dims := d.Dims()
	if len(dims) < 2 {
		return nil, nil
	}
	var as *h5.Type
	switch class {
	case "logical":
		if d.Type().Size != 1 {
			return nil, corrupt(d, "logical values of %s", d.Type())
		}
		as = matlabBool()
	case "char", "cell":
		return nil, nil // text and cells are no columns
	case "double", "single", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64":
	default:
		return nil, unsupported(d, "a MATLAB variable of class %s", class)
	}
	for _, n := range dims[:len(dims)-1] {
		if n != 1 {
			return &Transposed{Data: d, As: as}, nil
		}
	}
	p := &Plain{Data: d, Member: Whole, Item: Whole, Squeeze: true, As: as}
	return p, nil
}

// equalMatlab demands one height of the columns.
func equalMatlab(g *h5.Group, columns []Column) error {
	rows, first := int64(-1), ""
	for i := range columns {
		if columns[i].Values == nil {
			continue
		}
		dims := columns[i].Values.Main().Dims()
		n := int64(dims[len(dims)-1])
		if rows < 0 {
			rows, first = n, columns[i].Name
		}
		if n != rows {
			e := h5err.New(h5err.Argument, "the variables have several heights (%s: %d, %s: %d): they are no table", first, rows, columns[i].Name, n)
			return h5err.In(e.WithHint("choose some of them with --dataset"), g.File().Name(), g.Path())
		}
	}
	return nil
}

// matlabSparse describes a sparse matrix by columns: MATLAB stores them compressed, with the row numbers in ir and the
// offsets in jc.
func matlabSparse(g *h5.Group, _ *h5.Attribute) ([]*Table, error) {
	if has, err := dataset(g, "ir"); err != nil || has == nil {
		return nil, err // an all-zero matrix has no data
	}
	v, err := sparse(g, "jc", "ir", "data")
	if err != nil {
		return nil, err
	}
	t := &Table{Path: g.Path(), Object: g, Reason: "attribute MATLAB_sparse", Columns: []Column{
		{Name: trimSlash(g.Path()[len(parent(g.Path())):]), Values: v, Objects: []h5.Object{g}}}}
	return []*Table{t}, nil
}
