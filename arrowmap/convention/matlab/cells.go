package matlab

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/store"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/values"
	"github.com/h5arrow/h5arrow/h5"
)

// elementType is the type of a variable's elements by its class: logical values are booleans, characters integers. It is
// nil for classes whose values are not elements.
func elementType(d *h5.Dataset, class string) (*h5.Type, error) {
	t := d.Type()
	switch class {
	case "logical":
		if t.Size != 1 {
			return nil, object.Corrupt(d, "logical values of %s", t)
		}
		return column.BoolType(), nil
	case "char":
		if !isUnits(t) {
			return nil, object.Unsupported(d, "characters of %s", t)
		}
		return t, nil
	case "double", "single", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64":
		return t, nil
	}
	return nil, nil
}

// cells describes a list of references, that of a cell array or of a field of a struct array: one value for each. They
// must be of one class, and vectors; those of one element each are values, others lists, and characters text. What is
// empty and of another class is null.
func (m *maker) cells(d *h5.Dataset) (convention.Values, error) {
	if store.LongDims(d) > 1 {
		return nil, object.Unsupported(d, "cells of shape %v: they are not a column", d.Dims())
	}
	refs, err := store.References(d)
	if err != nil {
		return nil, err
	}
	if err := m.take(d, len(refs)); err != nil {
		return nil, err
	}
	cells := make([]cell, len(refs))
	var first *cell // that holds something
	single, wide := true, false
	for i, addr := range refs {
		c := &cells[i]
		if *c, err = m.cellAt(d, addr); err != nil {
			return nil, err
		}
		single = single && c.items <= 1
		if c.items == 0 {
			continue
		}
		if first == nil {
			first = c
		}
		switch {
		case c.class == "char" && first.class == "char":
			wide = wide || c.typ.Size != first.typ.Size
		case c.class != first.class || c.typ.String() != first.typ.String() || c.of != first.of:
			return nil, object.Unsupported(d, "cells of several classes: %s and %s", first.name(), c.name())
		}
	}
	if first == nil {
		first = &cell{class: "char", typ: unitType(2)}
	}
	if wide {
		return widths(d, cells), nil
	}
	out := &convention.Cells{Data: d, Type: first.typ, Single: single && first.class != "char" && first.of != "string", Rows: make([]convention.Cell, len(cells))}
	for i, c := range cells {
		if out.Rows[i] = (convention.Cell{Address: c.address, Items: c.items}); c.items == 0 && (out.Single || first.of != "" || c.class != first.class) {
			out.Rows[i].Items = convention.NoItems
		}
	}
	switch {
	case first.class == "char":
		return unitsAsText(d.File(), out), nil
	case first.of == "string":
		return cellStrings(out), nil
	case first.of != "":
		return cellTimes(d, out, cells, first)
	}
	return out, nil
}

func unitType(size int) *h5.Type {
	return &h5.Type{Class: h5.ClassFixed, Size: size, Order: h5.LittleEndian, Precision: 8 * size}
}

// widths describes cells of characters of 16 and of 32 bits.
func widths(d *h5.Dataset, cells []cell) convention.Values {
	var of []convention.Values
	for _, size := range []int{2, 4} {
		c := &convention.Cells{Data: d, Type: unitType(size), Rows: make([]convention.Cell, len(cells))}
		for i := range cells {
			c.Rows[i].Items = convention.NoItems
			if cells[i].items > 0 && cells[i].typ.Size == size {
				c.Rows[i] = convention.Cell{Address: cells[i].address, Items: cells[i].items}
				c.Type = cells[i].typ
			}
		}
		of = append(of, unitsAsText(d.File(), c))
	}
	empty := make([]bool, len(cells))
	for i, c := range cells {
		empty[i] = c.class == "char" && c.items == 0
	}
	return &convention.Computed{Data: d, Rows: int64(len(cells)), Type: arrow.BinaryTypes.String, Reason: "characters of 16 and of 32 bits as text",
		Block: convention.Alone(func(in []arrow.Array, mem memory.Allocator) (arrow.Array, error) {
			return values.FirstText(in, empty, mem)
		}, of...)}
}

// cellStrings describes cells with a string each: the integers in which it is saved.
func cellStrings(of *convention.Cells) convention.Values {
	return &convention.Derived{Of: of, Type: arrow.BinaryTypes.String, Reason: "UTF-16 in integers of 64 bits as text",
		Compute: values.ListedStrings}
}

// cellTimes describes cells with a datetime or a duration each.
func cellTimes(d *h5.Dataset, of *convention.Cells, cells []cell, first *cell) (convention.Values, error) {
	if !of.Single {
		return nil, object.Unsupported(d, "cells that hold arrays of class %s", first.of)
	}
	unit := arrow.Millisecond
	for _, c := range cells {
		if c.items > 0 {
			unit = max(unit, c.unit)
		}
	}
	typ := durationType(unit)
	if first.of == "datetime" {
		typ = &arrow.TimestampType{Unit: unit, TimeZone: first.zone}
	}
	for _, c := range cells {
		if c.items > 0 && c.zone != first.zone {
			return nil, object.Unsupported(d, "cells of times in several zones: %q and %q", first.zone, c.zone)
		}
	}
	return &convention.Derived{Of: of, Type: typ, Reason: "times in milliseconds, as doubles",
		Compute: func(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
			return values.Times(in, row0, unit, typ, typ, mem)
		}}, nil
}

// cell is what a reference points to.
type cell struct {
	address uint64
	class   string
	typ     *h5.Type
	items   int64

	of   string         // class of an object of which it is the main property
	unit arrow.TimeUnit // of datetime and duration
	zone string
}

// name is the class of a cell's value.
func (c *cell) name() string {
	if c.of != "" {
		return c.of
	}
	return c.class
}

// cellAt looks at what a reference points to.
func (m *maker) cellAt(d *h5.Dataset, addr uint64) (c cell, err error) {
	if addr == 0 {
		return cell{}, nil
	}
	o, err := d.File().ObjectAt(addr, d.Path())
	if err != nil {
		return c, err
	}
	v, ok := o.(*h5.Dataset)
	if !ok {
		return c, object.Unsupported(d, "cells that hold structs or sparse matrices")
	}
	c = cell{address: addr, class: object.Text(v, "MATLAB_class")}
	if store.IsHandle(v, c.class, true) {
		return m.objectCell(d, v)
	}
	if empty, err := object.Flag(v, "MATLAB_empty"); err != nil || empty {
		return c, err
	}
	if c.typ, err = elementType(v, c.class); err != nil {
		return c, err
	}
	if c.typ == nil {
		return c, object.Unsupported(d, "cells that hold values of class %s", c.class)
	}
	n, ok := v.Space().Elements()
	if !ok || n > 1<<31-1 {
		return c, object.Limit(d, "a cell of shape %v", v.Dims())
	}
	if store.LongDims(v) > 1 || c.class == "char" && len(v.Dims()) > 0 && n > 1 && v.Dims()[0] != n {
		return c, object.Unsupported(d, "cells that hold matrices")
	}
	c.items = int64(n)
	return c, nil
}

// objectCell looks at a cell that holds an object of a class: a string, a datetime or a duration.
func (m *maker) objectCell(d, v *h5.Dataset) (c cell, err error) {
	s, err := store.Of(d.File())
	if err != nil {
		return c, err
	}
	h, err := store.Handle(v)
	if err != nil {
		return c, err
	}
	class, err := s.Class(v, h)
	if err != nil {
		return c, err
	}
	property := map[string]string{"string": "any", "datetime": "data", "duration": "millis"}[class]
	if property == "" {
		return c, object.Unsupported(d, "cells that hold values of class %s", class)
	}
	o, err := s.Object(v, h)
	if err != nil {
		return c, err
	}
	p, err := s.Dataset(v, o, property)
	if err != nil {
		return c, err
	}
	c = cell{address: p.Address(), class: "object", of: class, typ: p.Type()}
	if class == "string" {
		if dims, err := textDims(p); err != nil {
			return c, err
		} else if one, err := shapeOf(p, dims, ownRows); err != nil || one.Rows != 1 || one.Inner != nil {
			return c, object.Unsupported(d, "cells that hold arrays of strings")
		}
	} else if !store.IsEmpty(p) {
		if err = isTimes(p); err == nil {
			c.unit, err = unitOf(p)
		}
		if err == nil && class == "datetime" {
			c.zone, err = m.zone(s, v, o)
		}
		if err != nil {
			return c, err
		}
	}
	if n, ok := p.Space().Elements(); !store.IsEmpty(p) {
		if !ok || n > 1<<31-1 || store.LongDims(p) > 1 {
			return c, object.Unsupported(d, "cells that hold matrices")
		}
		c.items = int64(n)
	}
	return c, nil
}
