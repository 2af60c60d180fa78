// Package matlab recognizes the variables of MATLAB 7.3.
package matlab

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// Detect recognizes what MATLAB 7.3 writes, by the attribute MATLAB_class: structs as tables of their fields,
// arrays of structs as tables with a row for each, sparse matrices as lists. The variables of the root are a table if
// they have one height, else each is a table of its own. Dimensions are reversed in the file.
func Detect(o h5.Object) ([]*convention.Table, error) {
	if d, ok := o.(*h5.Dataset); ok {
		return variable(d)
	}
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	class := object.Text(g, "MATLAB_class")
	if class == "" && g.Path() != "/" {
		return nil, nil
	}
	if a, err := g.Attribute("MATLAB_sparse"); a != nil {
		return sparse(g, class)
	} else if err != nil {
		return nil, err
	}
	s, err := fieldsOf(g, class == "")
	if err != nil || s == nil {
		return nil, err
	}
	if s.err != nil {
		return nil, s.err
	}
	reason := fmt.Sprintf("attribute MATLAB_class=%q", class)
	if class == "" {
		reason = "variables with the attribute MATLAB_class"
	}
	return []*convention.Table{{Path: g.Path(), Object: g, Reason: reason, Columns: s.columns, Inner: func(path string) bool {
		return s.inner[object.Base(path)]
	}}}, nil
}

// Part reports whether an object is one of the groups in which MATLAB keeps what references point to.
func Part(o h5.Object) bool {
	return (o.Path() == "/#refs#" || o.Path() == "/#subsystem#") && writtenBy(o.File())
}

// variable makes a table of one variable.
func variable(d *h5.Dataset) ([]*convention.Table, error) {
	class := object.Text(d, "MATLAB_class")
	if class == "" {
		return nil, nil
	}
	v, err := valuesOf(d, class)
	if v == nil && err == nil {
		return nil, object.NotATable(d, "an empty variable")
	}
	c := convention.Column{Name: object.Base(d.Path()), Objects: []h5.Object{d}, Values: v, Err: err}
	return []*convention.Table{{Path: d.Path(), Object: d, Reason: fmt.Sprintf("attribute MATLAB_class=%q", class), Columns: []convention.Column{c}}}, nil
}

// fields is the columns that a group makes.
type fields struct {
	columns []convention.Column
	inner   map[string]bool // names of members that belong to the table
	err     error           // why it is not a table
}

// fieldsOf describes a group's fields; nil for a group of something else. In the root, only variables with the attribute
// count.
func fieldsOf(g *h5.Group, root bool) (*fields, error) {
	links, err := g.Links()
	if err != nil {
		return nil, err
	}
	s := &fields{inner: map[string]bool{}}
	var soft []bool // of each column: text and cells, which need not fit
	for _, l := range links {
		if l.Kind != h5.LinkHard || strings.HasPrefix(l.Name, "#") {
			continue
		}
		o, err := g.Open(l.Name)
		if err != nil {
			s.columns, soft = append(s.columns, convention.Column{Name: l.Name, Err: err}), append(soft, true)
			continue
		}
		d, ok := o.(*h5.Dataset)
		if !ok {
			continue
		}
		class := object.Text(d, "MATLAB_class")
		if class == "" && !root && d.Type().Class == h5.ClassReference {
			class = "cell" // a field of an array of structs
		}
		if class == "" {
			if root {
				return nil, nil // a file of something else
			}
			continue
		}
		s.inner[l.Name] = true
		c := convention.Column{Name: l.Name, Objects: []h5.Object{d}}
		if c.Values, c.Err = valuesOf(d, class); c.Err != nil {
			c.Values = nil
		} else if c.Values == nil {
			continue
		}
		s.columns, soft = append(s.columns, c), append(soft, class == "char" || class == "cell")
	}
	if len(s.inner) == 0 {
		return nil, nil
	}
	if len(s.columns) == 0 {
		s.err = object.NotATable(g, "MATLAB's variables, all of them empty")
		return s, nil
	}
	s.oneHeight(g, soft)
	return s, nil
}

// oneHeight demands one height of the columns. Text and cells of another height than the others are left out.
func (s *fields) oneHeight(g *h5.Group, soft []bool) {
	rows, first := int64(-1), ""
	for pass := range 2 {
		for i, c := range s.columns {
			if c.Values == nil || soft[i] != (pass == 1) {
				continue
			}
			n := rowsOf(c.Values)
			if rows < 0 {
				rows, first = n, c.Name
			}
			if n != rows && (pass == 0 || soft[0] && allSoft(soft)) {
				s.err = object.NotATable(g, fmt.Sprintf("MATLAB's variables of several heights (%s: %d, %s: %d): each is a table of its own", first, rows, c.Name, n))
				return
			}
		}
	}
	kept := s.columns[:0]
	for i, c := range s.columns {
		if c.Values != nil && rowsOf(c.Values) != rows || c.Values == nil && rows >= 0 && soft[i] {
			if _, cells := c.Values.(*convention.Cells); cells || c.Values == nil {
				delete(s.inner, c.Name)
			}
			continue
		}
		kept = append(kept, c)
	}
	s.columns = kept
}

func allSoft(soft []bool) bool {
	for _, s := range soft {
		if !s {
			return false
		}
	}
	return true
}

// rowsOf is the number of rows of values that valuesOf made.
func rowsOf(v convention.Values) int64 {
	switch v := v.(type) {
	case *convention.Cells:
		return int64(len(v.Rows))
	case *convention.Derived:
		return rowsOf(v.Of)
	}
	dims := v.Main().Dims()
	return int64(dims[len(dims)-1])
}

// valuesOf describes one variable; nil for an empty one.
func valuesOf(d *h5.Dataset, class string) (convention.Values, error) {
	if empty, err := object.Flag(d, "MATLAB_empty"); err != nil || empty {
		return nil, err
	}
	dims := d.Dims()
	if len(dims) < 2 {
		return nil, nil
	}
	if class == "cell" {
		return cellsOf(d)
	}
	t, err := elementType(d, class)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, object.Unsupported(d, "a MATLAB variable of class %s", class)
	}
	p := convention.NewStored(d)
	p.Squeeze, p.As = true, t
	var v convention.Values = p
	for _, n := range dims[:len(dims)-1] {
		if n != 1 {
			v = &convention.Transposed{Data: d, As: t}
		}
	}
	if class != "char" {
		return v, nil
	}
	if len(dims) > 2 {
		return nil, object.Unsupported(d, "characters of shape %v", dims)
	}
	return utf16Text(v), nil
}

// sparse describes a sparse matrix by columns: MATLAB stores them compressed, with the row numbers in ir and the
// offsets in jc. One without values has offsets only.
func sparse(g *h5.Group, class string) ([]*convention.Table, error) {
	t := &convention.Table{Path: g.Path(), Object: g, Reason: "attribute MATLAB_sparse"}
	c := convention.Column{Name: object.Base(g.Path()), Objects: []h5.Object{g}}
	if object.Has(g, "ir") {
		l, err := column.Sparse(g, "jc", "ir", "data")
		if err != nil {
			return nil, err
		}
		if class == "logical" {
			column.Booleans(l.Items[1].Values.(*convention.Plain))
		}
		c.Values = l
	} else {
		jc, err := object.Required(g, "jc")
		if err != nil {
			return nil, err
		}
		var typ arrow.DataType = arrow.PrimitiveTypes.Float64
		if class == "logical" {
			typ = arrow.FixedWidthTypes.Boolean
		}
		c.Values = &convention.List{Offsets: jc, Items: []convention.Column{{Name: "index", Values: &convention.Empty{Data: jc, Type: arrow.PrimitiveTypes.Uint64}},
			{Name: "value", Values: &convention.Empty{Data: jc, Type: typ}}}}
	}
	t.Columns = []convention.Column{c}
	return []*convention.Table{t}, nil
}

// userBlock is how the user block of a MATLAB file starts.
const userBlock = "MATLAB 7.3 MAT-file"

// writtenBy reports whether a file starts with MATLAB's own user block.
func writtenBy(f *h5.File) bool {
	p := make([]byte, len(userBlock))
	if f.Superblock().Offset < int64(len(p)) {
		return false
	}
	_, err := f.Source().ReadAt(p, 0)
	return err == nil && string(p) == userBlock
}
