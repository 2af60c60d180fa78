package matlab

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/mcos"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/store"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/values"
	"github.com/h5arrow/h5arrow/h5"
)

// contents are the properties of a table or of a timetable, whose names differ.
type contents struct {
	s    *store.Store
	d    *h5.Dataset // the handle
	get  func(name string) (h5.Object, error)
	time bool
	more *h5.Group // with descriptions, of a table
}

// contentsOf returns the properties of a table: those of the object, or, where the class has a method saveobj, as
// timetable does, the fields of the struct that it returned.
func contentsOf(s *store.Store, d *h5.Dataset, o *mcos.Object) (*contents, error) {
	c := &contents{s: s, d: d, get: func(name string) (h5.Object, error) { return s.Property(o, name) }}
	if o.Saved {
		v, err := s.Property(o, "any")
		if err != nil {
			return nil, err
		}
		g, ok := v.(*h5.Group)
		if !ok {
			return nil, object.Unsupported(d, "a table that was saved as something else than a struct")
		}
		c.get = func(name string) (h5.Object, error) { return object.Member(g, name), nil }
		c.time = object.Has(g, "rowTimes")
	}
	v, err := c.get("props")
	if err != nil {
		return nil, err
	}
	if v == nil {
		v, err = c.get("arrayProps")
	}
	c.more, _ = v.(*h5.Group)
	return c, err
}

// first returns the first of the properties of those names that there is; nil where there is none.
func (c *contents) first(names ...string) (h5.Object, error) {
	for _, n := range names {
		if v, err := c.get(n); v != nil || err != nil {
			return v, err
		}
	}
	return nil, nil
}

// described returns a property that is in the struct props of a table, and in the struct of a timetable.
func (c *contents) described(table, timetable string) h5.Object {
	if c.more != nil {
		if v := object.Member(c.more, table); v != nil {
			return v
		}
	}
	v, err := c.get(timetable)
	if err != nil {
		return nil
	}
	return v
}

// number returns a property that is a whole number.
func (c *contents) number(names ...string) (int64, error) {
	v, err := c.first(names...)
	if err != nil {
		return 0, err
	}
	d, ok := v.(*h5.Dataset)
	if !ok {
		return 0, object.Unsupported(c.d, "a table without the property %s", names[0])
	}
	n, err := scalar(d)
	if err == nil && (n != math.Trunc(n) || n < 0 || n > 1<<53) {
		err = object.Corrupt(c.d, "the property %s is %v", names[0], n)
	}
	return int64(n), err
}

// tableOf describes a variable of class table or timetable.
func (m *maker) tableOf(d *h5.Dataset, class string) (*convention.Table, error) {
	columns, c, err := m.columns(d)
	if err != nil {
		return nil, err
	}
	if len(columns) == 0 {
		return nil, object.NotATable(d, "a MATLAB table without variables")
	}
	t := &convention.Table{Path: d.Path(), Object: d, Reason: fmt.Sprintf("attribute MATLAB_class=%q", class), Columns: columns}
	if c.more != nil {
		if text, err := charsOf(object.Member(c.more, "Description")); err == nil && text != "" {
			t.Metadata = map[string]string{"description": text}
		}
	}
	return t, nil
}

// columns describes the variables of a table: the names of its rows, or their times, come first.
func (m *maker) columns(d *h5.Dataset) ([]convention.Column, *contents, error) {
	s, err := store.Of(d.File())
	if err != nil {
		return nil, nil, err
	}
	h, err := store.Handle(d)
	if err != nil {
		return nil, nil, err
	}
	o, err := s.Object(d, h)
	if err != nil {
		return nil, nil, err
	}
	c, err := contentsOf(s, d, o)
	if err != nil {
		return nil, nil, err
	}
	rows, err := c.number("nrows", "numRows")
	if err != nil {
		return nil, nil, err
	}
	v, err := c.first("varnames", "varNames")
	if err != nil {
		return nil, nil, err
	}
	names, err := m.textsOf(s, v)
	if err != nil {
		return nil, nil, err
	}
	data, err := c.get("data")
	if err != nil {
		return nil, nil, err
	}
	var refs []uint64
	if v, ok := data.(*h5.Dataset); ok {
		if refs, err = store.References(v); err != nil {
			return nil, nil, err
		}
	}
	if len(refs) != len(names) {
		return nil, nil, object.Corrupt(d, "%d variables and %d names", len(refs), len(names))
	}
	if err := m.enter(d, len(refs)); err != nil {
		return nil, nil, err
	}
	columns := m.rowColumns(c, rows)
	notes := c.notes(m, len(names))
	for i, addr := range refs {
		col := convention.Column{Name: names[i], Metadata: notes[i]}
		if o, err := s.Open(addr); err != nil {
			col.Err = err
		} else {
			col.Objects = []h5.Object{o}
			if col.Values, col.Err = m.variable(o, object.Text(o, "MATLAB_class"), rows); col.Err != nil {
				col.Values = nil
			}
		}
		columns = append(columns, col)
	}
	return columns, c, nil
}

// notes returns the metadata of each variable.
func (c *contents) notes(m *maker, n int) []map[string]string {
	out := make([]map[string]string, n)
	for _, p := range [...]struct{ key, table, timetable string }{
		{"unit", "VariableUnits", "varUnits"},
		{"description", "VariableDescriptions", "varDescriptions"},
		{"continuity", "VariableContinuity", "varContinuity"},
	} {
		texts, err := m.textsOf(c.s, c.described(p.table, p.timetable))
		if err != nil || len(texts) != n {
			continue // not worth a table
		}
		for i, text := range texts {
			if text == "" {
				continue
			}
			if out[i] == nil {
				out[i] = map[string]string{}
			}
			out[i][p.key] = text
		}
	}
	return out
}

// rowColumns describes the column of a table's names or times of rows, if it has them. It is named as the table's first
// dimension is.
func (m *maker) rowColumns(c *contents, rows int64) []convention.Column {
	col := convention.Column{Name: "Row"}
	if c.time {
		col.Name = "Time"
	}
	if dims, err := m.textsOf(c.s, c.described("DimensionNames", "dimNames")); err == nil && len(dims) > 0 && dims[0] != "" {
		col.Name = dims[0]
	}
	property := "rownames"
	if c.time {
		property = "rowTimes"
	}
	v, err := c.get(property)
	if err != nil {
		col.Err = err
		return []convention.Column{col}
	}
	switch v := v.(type) {
	case *h5.Dataset:
		if store.IsEmpty(v) {
			return nil
		}
		col.Objects = []h5.Object{v}
		col.Values, col.Err = m.variable(v, object.Text(v, "MATLAB_class"), rows)
	case *h5.Group:
		col.Values, col.Err = m.regular(c, v, rows)
	default:
		return nil
	}
	if col.Err != nil {
		col.Values = nil
	}
	return []convention.Column{col}
}

// variable describes a variable of a table.
func (m *maker) variable(o h5.Object, class string, rows int64) (convention.Values, error) {
	if g, ok := o.(*h5.Group); ok && class == "struct" && !object.Has(g, "jc") {
		return m.structs(g, rows)
	}
	if g, ok := o.(*h5.Group); ok && isEnumeration(g) {
		return m.enumeration(g, rows)
	}
	d, ok := o.(*h5.Dataset)
	if !ok {
		return nil, object.Unsupported(o, "a sparse matrix or an object as a variable of a table")
	}
	if store.IsHandle(d, class, true) {
		return m.object(d, rows)
	}
	if store.IsEmpty(d) {
		return m.empty(d, class, rows)
	}
	v, err := m.values(d, class, rows)
	if err == nil && v != nil && rowsOf(v) != rows {
		err = object.Corrupt(d, "%d rows in a table of %d", rowsOf(v), rows)
	}
	return v, err
}

// structs describes an array of structs, whose fields have a reference for each, or one struct.
func (m *maker) structs(g *h5.Group, rows int64) (convention.Values, error) {
	links, err := g.Links()
	if err != nil {
		return nil, err
	}
	m.depth++
	defer func() { m.depth-- }()
	if err := m.enter(g, len(links)); err != nil {
		return nil, err
	}
	out := &convention.Struct{}
	for _, l := range links {
		o, err := g.OpenLink(l)
		if err != nil {
			return nil, err
		}
		class := object.Text(o, "MATLAB_class")
		c := convention.Column{Name: l.Name}
		if d, ok := o.(*h5.Dataset); ok && class == "" && d.Type().Class == h5.ClassReference {
			c.Values, err = m.cells(d)
		} else {
			c.Values, err = m.variable(o, class, rows)
		}
		if err != nil {
			return nil, err
		}
		if rowsOf(c.Values) != rows {
			return nil, object.Unsupported(g, "%d structs in a table of %d rows", rowsOf(c.Values), rows)
		}
		if d := c.Values.Main(); out.Data == nil {
			out.Data = d
		}
		out.Fields = append(out.Fields, c)
	}
	if len(out.Fields) == 0 {
		return nil, object.Unsupported(g, "structs without fields")
	}
	return out, nil
}

// empty describes an empty variable of a table without rows.
func (m *maker) empty(d *h5.Dataset, class string, rows int64) (convention.Values, error) {
	dims, err := reversed(d)
	if err != nil {
		return nil, err
	}
	if _, err := shapeOf(d, dims, rows); err != nil {
		return nil, err
	}
	if rows != 0 {
		return nil, object.Unsupported(d, "%d rows without items", rows)
	}
	t := map[string]arrow.DataType{"double": arrow.PrimitiveTypes.Float64, "single": arrow.PrimitiveTypes.Float32, "logical": arrow.FixedWidthTypes.Boolean,
		"int8": arrow.PrimitiveTypes.Int8, "uint8": arrow.PrimitiveTypes.Uint8, "int16": arrow.PrimitiveTypes.Int16, "uint16": arrow.PrimitiveTypes.Uint16,
		"int32": arrow.PrimitiveTypes.Int32, "uint32": arrow.PrimitiveTypes.Uint32, "int64": arrow.PrimitiveTypes.Int64, "uint64": arrow.PrimitiveTypes.Uint64,
		"char": arrow.BinaryTypes.String, "cell": arrow.BinaryTypes.String}[class]
	if t == nil {
		return nil, object.Unsupported(d, "a MATLAB variable of class %s", class)
	}
	return &convention.Empty{Data: d, Type: t}, nil
}

// nested describes a table that is a variable of another one, as a struct.
func (m *maker) nested(_ *store.Store, d *h5.Dataset, _ *mcos.Object, rows int64) (convention.Values, error) {
	m.depth++
	defer func() { m.depth-- }()
	columns, _, err := m.columns(d)
	if err != nil {
		return nil, err
	}
	for _, c := range columns {
		if c.Err != nil {
			return nil, c.Err
		}
		if rows != ownRows && rowsOf(c.Values) != rows {
			return nil, object.Corrupt(d, "%d rows in a table of %d", rowsOf(c.Values), rows)
		}
	}
	if len(columns) == 0 {
		return nil, object.Unsupported(d, "a table without variables in a table")
	}
	return &convention.Struct{Data: d, Fields: columns}, nil
}

// maxRegular bounds the rows whose times are not stored.
const maxRegular = 1 << 36

// regular describes the times of rows that have a start and a step, or a rate: a struct instead of an array.
func (m *maker) regular(c *contents, g *h5.Group, rows int64) (convention.Values, error) {
	if rows > maxRegular {
		return nil, object.Limit(g, "%d rows of which nothing is stored", rows)
	}
	var st values.Step
	typ, err := m.origin(c, g, &st)
	if err != nil {
		return nil, err
	}
	if err := m.step(c, g, &st); err != nil {
		return nil, err
	}
	if ts, ok := typ(0).(*arrow.TimestampType); (!ok || ts.TimeZone != "") && (st.Months != 0 || st.Days != 0) {
		return nil, object.Unsupported(g, "row times by steps of months or days, in a time zone or without a date")
	}
	unit := st.Unit(rows)
	t := typ(unit)
	return &convention.Generated{Data: c.d, Rows: rows, Type: t, Reason: "row times by start and step",
		Generate: func(lo, hi int64, mem memory.Allocator) (arrow.Array, error) {
			return st.Generate(lo, hi, unit, t, mem)
		}}, nil
}

// origin reads the start of row times, and returns their type in a unit.
func (m *maker) origin(c *contents, g *h5.Group, st *values.Step) (func(arrow.TimeUnit) arrow.DataType, error) {
	class, d, o, err := c.s.Member(g, "origin")
	if err != nil {
		return nil, err
	}
	typ, property := durationType, "millis"
	switch class {
	case "duration":
	case "datetime":
		zone, err := m.zone(c.s, d, o)
		if err != nil {
			return nil, err
		}
		typ, property = func(u arrow.TimeUnit) arrow.DataType { return &arrow.TimestampType{Unit: u, TimeZone: zone} }, "data"
	default:
		return nil, object.Unsupported(d, "row times that start at a %s", class)
	}
	v, err := c.s.Dataset(d, o, property)
	if err != nil {
		return nil, err
	}
	st.Origin, st.Low, err = oneTime(v)
	return typ, err
}

// step reads the step or the rate of row times.
func (m *maker) step(c *contents, g *h5.Group, st *values.Step) error {
	if d, ok := object.Member(g, "specifiedAsRate").(*h5.Dataset); ok {
		if by, err := scalar(d); err != nil {
			return err
		} else if by != 0 {
			d, ok := object.Member(g, "sampleRate").(*h5.Dataset)
			if !ok {
				return object.Corrupt(g, "row times without their rate")
			}
			st.Rate, err = scalar(d)
			if err == nil && (!(st.Rate > 0) || math.IsInf(st.Rate, 0)) {
				err = object.Unsupported(d, "a rate of %v", st.Rate)
			}
			return err
		}
	}
	class, d, o, err := c.s.Member(g, "stepSize")
	if err != nil {
		return err
	}
	switch class {
	case "duration":
		v, err := c.s.Dataset(d, o, "millis")
		if err == nil {
			st.Millis, _, err = oneTime(v)
		}
		return err
	case "calendarDuration":
		v, err := c.s.Property(o, "components")
		parts, ok := v.(*h5.Group)
		if err != nil || !ok {
			return object.Unsupported(d, "a calendarDuration without components")
		}
		var n [3]float64
		for i, name := range [...]string{"months", "days", "millis"} {
			p, err := object.Required(parts, name)
			if err != nil {
				return err
			}
			if n[i], err = scalar(p); err != nil {
				return err
			}
			if !values.Finite(n[i], 0) || i < 2 && (n[i] != math.Trunc(n[i]) || math.Abs(n[i]) > 1<<31) {
				return object.Unsupported(p, "a step of %v", n[i])
			}
		}
		st.Months, st.Days, st.Millis = int64(n[0]), int64(n[1]), n[2]
		return nil
	}
	return object.Unsupported(d, "row times with a step of class %s", class)
}

// oneTime reads a finite time.
func oneTime(d *h5.Dataset) (hi, lo float64, err error) {
	if n, ok := d.Space().Elements(); !ok || n != 1 || store.IsEmpty(d) {
		return 0, 0, object.Unsupported(d, "a time of shape %v", d.Dims())
	}
	if err := isTimes(d); err != nil {
		return 0, 0, err
	}
	p, err := object.Contents(d)
	if err != nil {
		return 0, 0, err
	}
	if hi, lo = timeAt(p, d.Type()); !values.Finite(hi, lo) {
		err = object.Unsupported(d, "row times from %v, or by steps of it", hi)
	}
	return hi, lo, err
}
