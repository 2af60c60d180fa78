// Package octave recognizes the variables that GNU Octave writes by save -hdf5.
package octave

import (
	"fmt"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Detect recognizes what Octave writes, by the attribute OCTAVE_NEW_FORMAT: a variable is a group of its type and its
// value. Structs are tables of their fields, arrays of structs tables with a row for each, and the variables of the root
// are a table, if they have one height; else each is a table of its own. Dimensions are reversed in the file.
func Detect(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	f := &finder{left: g.File().Limits().Links, seen: map[uint64]bool{}}
	var err error
	if g.Path() == "/" {
		vars, e := variables(g, true)
		if e != nil || len(vars) == 0 {
			return nil, e
		}
		err = f.fields(g, vars, "variables with the attribute OCTAVE_NEW_FORMAT", 0)
	} else {
		v, e := variableOf(g)
		if e != nil || v == nil {
			return nil, e
		}
		err = f.variable(v, 0)
	}
	if err != nil {
		return nil, err
	}
	if len(f.out) == 0 {
		return []*convention.Table{{}}, object.NotATable(g, "variables of Octave that are empty or have no values")
	}
	return f.out, nil
}

// variable is one of Octave's variables.
type variable struct {
	g     *h5.Group
	kind  string // its type
	empty bool
	value h5.Object // a dataset or a group; of an empty one, the dimensions
	err   error     // why it can't be read
}

// maxKind bounds the bytes of a type's name; Octave's are up to 22.
const maxKind = 256

// variableOf returns the variable that an object is, nil for other objects.
func variableOf(o h5.Object) (*variable, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	is, err := object.Flag(g, "OCTAVE_NEW_FORMAT")
	if err != nil || !is {
		return nil, err
	}
	d, err := object.Required(g, "type")
	if err != nil {
		return nil, err
	}
	if d.Type().Size > maxKind || d.Rows() != 1 {
		return nil, object.Corrupt(d, "a text of %d bytes is expected at most, not %s of shape %v", maxKind, d.Type(), d.Dims())
	}
	kind, err := object.Texts(d)
	if err != nil {
		return nil, err
	}
	if len(kind) != 1 {
		return nil, object.Corrupt(d, "one text is expected, not %d", len(kind))
	}
	v := &variable{g: g, kind: kind[0], value: object.Member(g, "value")}
	if v.value == nil {
		return nil, object.Corrupt(g, "value is missing, or can't be opened")
	}
	v.empty, err = object.Flag(g, "OCTAVE_EMPTY_MATRIX")
	return v, err
}

// name returns the variable's name.
func (v *variable) name() string { return object.Base(v.g.Path()) }

// text reports whether the variable is text: "string", "sq_string" (in single quotes), and empty ones.
func (v *variable) text() bool { return strings.HasSuffix(v.kind, "string") }

// class is the type without its shape: "int8" for scalars and matrices.
func (v *variable) class() string {
	switch class, _ := strings.CutSuffix(strings.TrimSuffix(v.kind, "scalar"), "matrix"); {
	case v.text():
		return "string"
	case class == "" || class == "null_":
		return "double"
	default:
		return strings.TrimSuffix(class, " ")
	}
}

// variables returns the variables of a group, in the order of its links, not its other members; with only, none where it
// has others. Members that can't be opened are other members; variables that can't be read have an error.
func variables(g *h5.Group, only bool) ([]*variable, error) {
	links, err := g.AllLinks()
	if err != nil {
		return nil, err
	}
	var vars []*variable
	for l := range links {
		var v *variable
		if l.Kind == h5.LinkHard {
			if o, err := g.OpenLink(l); err == nil {
				v, err = variableOf(o)
				if group, ok := o.(*h5.Group); ok && err != nil {
					v = &variable{g: group, err: err}
				}
			}
		}
		if v != nil {
			vars = append(vars, v)
		} else if only {
			return nil, nil
		}
	}
	return vars, nil
}

// finder collects tables.
type finder struct {
	out  []*convention.Table
	seen map[uint64]bool // groups, by address
	left int             // variables that may still be looked at
}

// enter counts a variable. It returns an error for one inside itself, and for too many.
func (f *finder) enter(v *variable, depth int) error {
	f.left--
	switch {
	case f.left < 0 || depth > v.g.File().Limits().Nesting:
		return object.Limit(v.g, "too many variables, or too deep ones")
	case f.seen[v.g.Address()]:
		return object.Corrupt(v.g, "a variable that is in several places")
	}
	f.seen[v.g.Address()] = true
	return nil
}

// variable adds the tables of one variable.
func (f *finder) variable(v *variable, depth int) error {
	if h5err.Is(v.err, h5err.Limit) {
		return v.err
	}
	reason := fmt.Sprintf("attribute OCTAVE_NEW_FORMAT, type %q", v.kind)
	g, isGroup := v.value.(*h5.Group)
	switch {
	case isGroup && v.kind == "scalar struct":
		vars, err := variables(g, false)
		if err != nil {
			return err
		}
		return f.fields(v.g, vars, reason, depth+1)
	case isGroup && v.kind == "struct":
		return f.structs(v, g, reason)
	}
	if c := v.column(); c != nil {
		f.add(v.g, reason, c.column)
	}
	return nil
}

// add adds a table.
func (f *finder) add(o h5.Object, reason string, columns ...convention.Column) {
	f.out = append(f.out, &convention.Table{Path: o.Path(), Object: o, Reason: reason, Columns: columns})
}

// structs adds the table of an array of structs: a row for each, with a cell in each field.
func (f *finder) structs(v *variable, g *h5.Group, reason string) error {
	vars, err := variables(g, false)
	if err != nil {
		return err
	}
	var columns []convention.Column
	rows := int64(-1)
	for _, field := range vars {
		c := field.column()
		if c == nil {
			continue
		}
		if c.column.Err == nil {
			if rows >= 0 && c.rows != rows {
				return object.Corrupt(field.g, "%d values of a field, another field has %d", c.rows, rows)
			}
			rows = c.rows
		}
		columns = append(columns, c.column)
	}
	if len(columns) > 0 {
		f.add(v.g, reason, columns...)
	}
	return nil
}

// column is a variable as a column.
type column struct {
	column convention.Column
	rows   int64
	soft   bool // text and cells, which need not have the height of the other columns
	alone  bool // never beside others
}

// fields adds the table of variables of one height, and those of the others. Variables of several heights, text and
// cells aside, are tables of their own.
func (f *finder) fields(o h5.Object, vars []*variable, reason string, depth int) error {
	columns := make([]*column, len(vars))
	height := int64(-1) // of the table; 0 for none
	for _, soft := range []bool{false, true} {
		if soft && height >= 0 {
			break
		}
		for i, v := range vars {
			if !soft {
				if v.err == nil {
					v.err = f.enter(v, depth)
				}
				columns[i] = v.column()
			}
			c := columns[i]
			switch {
			case c == nil || c.alone || c.soft != soft || c.column.Err != nil:
			case height < 0:
				height = c.rows
			case height != c.rows:
				height = 0
			}
		}
	}
	var table []convention.Column
	for i, c := range columns {
		if c != nil && !c.alone && c.column.Err == nil && c.rows == height {
			table = append(table, c.column)
			columns[i], vars[i] = nil, nil
		}
	}
	if len(table) > 0 {
		f.add(o, reason, table...)
	}
	for _, v := range vars {
		if v == nil {
			continue
		}
		if err := f.variable(v, depth); h5err.Is(err, h5err.Limit) {
			return err
		} else if err != nil {
			f.add(v.g, reason, convention.Column{Name: v.name(), Err: err})
		}
	}
	return nil
}
