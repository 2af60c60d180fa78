// Package matlab recognizes the variables of MATLAB 7.3.
package matlab

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/store"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/values"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Detect recognizes what MATLAB 7.3 writes, by the attribute MATLAB_class: variables of class table and timetable, structs as
// tables of their fields, arrays of structs as tables with a row for each, sparse matrices as lists. The variables of the
// root are a table if they have one height, else each is a table of its own. Dimensions are reversed in the file.
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
	if a, err := g.Attribute("MATLAB_object_decode"); a != nil {
		return []*convention.Table{opaque(g, class)}, nil
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
	name, ok := strings.CutPrefix(o.Path(), "/")
	return ok && (name == store.Refs || name == store.Subsystem)
}

// variable makes a table of one variable.
func variable(d *h5.Dataset) ([]*convention.Table, error) {
	class := object.Text(d, "MATLAB_class")
	if class == "" {
		return nil, nil
	}
	m := newMaker(d.File())
	if store.IsHandle(d, class, false) && isTable(class) {
		t, err := m.tableOf(d, class)
		if err == nil {
			return []*convention.Table{t}, nil
		}
		if h5err.Is(err, h5err.Argument) {
			return nil, err
		}
		return []*convention.Table{single(d, class, nil, err)}, nil
	}
	v, err := m.values(d, class, ownRows)
	if v == nil && err == nil {
		return nil, object.NotATable(d, "an empty variable")
	}
	return []*convention.Table{single(d, class, v, err)}, nil
}

// opaque makes a table of a group that is an object of a class, a function for instance, or members of an enumeration.
func opaque(g *h5.Group, class string) *convention.Table {
	var v convention.Values
	err := object.Unsupported(g, "a MATLAB variable of class %s", class)
	if isEnumeration(g) {
		v, err = newMaker(g.File()).enumeration(g, ownRows)
	}
	return single(g, class, v, err)
}

// isTable reports whether variables of a class are tables of their own.
func isTable(class string) bool { return class == "table" || class == "timetable" }

// single is a table of one column.
func single(o h5.Object, class string, v convention.Values, err error) *convention.Table {
	c := convention.Column{Name: object.Base(o.Path()), Objects: []h5.Object{o}, Values: v, Err: err}
	return &convention.Table{Path: o.Path(), Object: o, Reason: fmt.Sprintf("attribute MATLAB_class=%q", class), Columns: []convention.Column{c}}
}

// fields is the columns that a group makes.
type fields struct {
	maker   *maker
	columns []convention.Column
	soft    []bool          // of each column: text, cells and objects, which need not fit
	inner   map[string]bool // names of members that belong to the table
	err     error           // why it is not a table
}

// fieldsOf describes a group's fields; nil for a group of something else. In the root, only variables with the attribute
// count.
func fieldsOf(g *h5.Group, root bool) (*fields, error) {
	links, err := g.AllLinks()
	if err != nil {
		return nil, err
	}
	s := &fields{maker: newMaker(g.File()), inner: map[string]bool{}}
	variables := 0
	for l := range links {
		if l.Kind != h5.LinkHard || strings.HasPrefix(l.Name, "#") {
			continue
		}
		o, err := g.Open(l.Name)
		if err != nil {
			s.add(convention.Column{Name: l.Name, Err: err}, true)
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
		variables++
		handle := store.IsHandle(d, class, false)
		if handle && isTable(class) {
			continue
		}
		s.inner[l.Name] = true
		c := convention.Column{Name: l.Name, Objects: []h5.Object{d}}
		if c.Values, c.Err = s.maker.values(d, class, ownRows); c.Err != nil {
			c.Values = nil
		} else if c.Values == nil {
			continue
		}
		s.add(c, class == "char" || class == "cell" || handle)
	}
	if variables == 0 {
		return nil, nil
	}
	if len(s.columns) == 0 {
		s.err = object.NotATable(g, "MATLAB's variables, all of them empty or tables of their own")
		return s, nil
	}
	s.oneHeight(g)
	return s, nil
}

func (s *fields) add(c convention.Column, soft bool) {
	s.columns, s.soft = append(s.columns, c), append(s.soft, soft)
}

// oneHeight demands one height of the columns. Text, cells and objects of another height than the others, or that can't
// be described, are tables of their own.
func (s *fields) oneHeight(g *h5.Group) {
	rows, first := int64(-1), ""
	for pass := range 2 {
		for i, c := range s.columns {
			if c.Values == nil || s.soft[i] != (pass == 1) {
				continue
			}
			n := rowsOf(c.Values)
			if rows < 0 {
				rows, first = n, c.Name
			}
			if n != rows && (pass == 0 || s.allSoft()) {
				s.err = object.NotATable(g, fmt.Sprintf("MATLAB's variables of several heights (%s: %d, %s: %d): each is a table of its own", first, rows, c.Name, n))
				return
			}
		}
	}
	if rows < 0 && s.allSoft() {
		s.err = object.NotATable(g, "MATLAB's variables, of which none is known to have rows: each is a table of its own")
		return
	}
	kept := s.columns[:0]
	for i, c := range s.columns {
		if s.soft[i] && c.Values != nil && rowsOf(c.Values) != rows {
			s.fit(&c, rows)
		}
		if s.soft[i] && (c.Values == nil && rows >= 0 || c.Values != nil && rowsOf(c.Values) != rows) {
			delete(s.inner, c.Name)
			continue
		}
		kept = append(kept, c)
	}
	s.columns = kept
}

// fit describes a row of objects, which makes rows by itself, as one row of a list, if that is the height of the others.
func (s *fields) fit(c *convention.Column, rows int64) {
	d, ok := c.Objects[0].(*h5.Dataset)
	if !ok || !store.IsHandle(d, "", false) {
		return
	}
	if v, err := s.maker.object(d, rows); err == nil && v != nil && rowsOf(v) == rows {
		c.Values = v
	}
}

func (s *fields) allSoft() bool {
	for _, soft := range s.soft {
		if !soft {
			return false
		}
	}
	return true
}

// rowsOf is the number of rows of values that values made.
func rowsOf(v convention.Values) int64 {
	switch v := v.(type) {
	case *convention.Cells:
		return int64(len(v.Rows))
	case *convention.Derived:
		return rowsOf(v.Of)
	case *convention.Computed:
		return v.Rows
	case *convention.Generated:
		return v.Rows
	case *convention.Empty:
		return 0
	case *convention.Dictionary:
		return rowsOf(v.Indices)
	case *convention.Struct:
		return rowsOf(v.Fields[0].Values)
	case *convention.Plain:
		if v.As != nil && len(v.RowDims) == 0 { // a vector, or one number
			n, _ := v.Data.Space().Elements()
			return int64(n)
		}
	}
	dims := v.Main().Dims()
	return int64(dims[len(dims)-1])
}

// values describes one variable, in its own rows or those of a table; nil for an empty one.
func (m *maker) values(d *h5.Dataset, class string, rows int64) (convention.Values, error) {
	if store.IsHandle(d, class, false) {
		return m.object(d, rows)
	}
	if empty, err := object.Flag(d, "MATLAB_empty"); err != nil || empty {
		return nil, err
	}
	switch class {
	case "cell":
		return m.cells(d)
	case "char":
		return m.characters(d, rows)
	}
	t, err := elementType(d, class)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return nil, object.Unsupported(d, "a MATLAB variable of class %s", class)
	}
	if n, _ := d.Space().Elements(); len(d.Dims()) < 2 || store.LongDims(d) <= 1 && isVector(d, n) {
		return numbers(d, t, values.Shape{}, nil), nil
	}
	dims := d.Dims()
	for _, n := range dims[:len(dims)-1] {
		if n != 1 {
			return &convention.Transposed{Data: d, As: t}, nil
		}
	}
	return numbers(d, t, values.Shape{}, nil), nil
}

// isVector reports whether a variable of n elements had one dimension in Python: hdf5storage writes it as a row.
func isVector(d *h5.Dataset, n uint64) bool {
	dims := pythonShape(d)
	return len(dims) == 1 && dims[0] >= 0 && uint64(dims[0]) == n
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
