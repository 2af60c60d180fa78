package physics

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/h5"
)

// DetectH5MD recognizes the time-dependent elements of H5MD 1.1 files: groups of step, time and value. A step or time that is
// one number is the increment from row to row, after the attribute offset, 0 without it.
func DetectH5MD(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok || !object.Has(g, "step", "value") || !h5md(g.File()) {
		return nil, nil
	}
	value, ok := object.Member(g, "value").(*h5.Dataset)
	if !ok || value.Space().Class != h5.SpaceSimple || object.IsTable(value) {
		return nil, nil
	}
	t := &convention.Table{Path: g.Path(), Object: g, Reason: "an element with its steps", Inner: object.Below(object.Child(g, "value"), object.Child(g, "step"), object.Child(g, "time"))}
	for _, name := range []string{"step", "time"} {
		if object.Has(g, name) {
			t.Columns = append(t.Columns, increments(g, name, value))
		}
	}
	t.Columns = append(t.Columns, column.Of("value", value))
	stored := make([]convention.Column, 0, len(t.Columns))
	for _, c := range t.Columns {
		if _, ok := c.Values.(*convention.Generated); !ok {
			stored = append(stored, c)
		}
	}
	if together, note := column.Growing(g, stored); together != nil && len(stored) == len(t.Columns) {
		t.Columns = together
		if note != "" {
			t.Notes = []string{note}
		}
		return []*convention.Table{t}, nil
	}
	return []*convention.Table{t}, column.EqualLengths(g, stored)
}

// h5md reports whether a file has the group that all H5MD files have.
func h5md(f *h5.File) bool {
	g, ok := object.Member(f.Root(), "h5md").(*h5.Group)
	if !ok {
		return false
	}
	a, err := g.Attribute("version")
	return err == nil && a != nil
}

// increments describes the steps or times of a value, which are stored, or an increment.
func increments(g *h5.Group, name string, value *h5.Dataset) convention.Column {
	c := convention.Column{Name: name}
	d, err := object.Required(g, name)
	if err != nil {
		c.Err = err
		return c
	}
	if d.Space().Class != h5.SpaceScalar {
		return column.Of(name, d)
	}
	c.Objects = []h5.Object{d}
	c.Values, c.Err = linear(d, value.Rows())
	return c
}

// linear describes rows that are offset + row * increment.
func linear(d *h5.Dataset, rows int64) (convention.Values, error) {
	a, err := d.Attribute("offset")
	if err != nil {
		return nil, err
	}
	p, err := object.Contents(d)
	if err != nil {
		return nil, err
	}
	t := d.Type()
	switch {
	case t.Class == h5.ClassFixed && (t.Size == 4 || t.Size == 8):
		offset, ok := int64(0), true
		if a != nil {
			offset, ok = a.Int()
		}
		increment := rule.Int(p, t)
		if !ok || beyond(offset, math.MaxInt64/2) || beyond(increment, math.MaxInt64/2/max(rows, 1)) {
			return nil, object.Unsupported(d, "an increment of %d in %d rows", increment, rows)
		}
		return column.ByRow(d, rows, arrow.PrimitiveTypes.Int64, fmt.Sprintf("%d + row * %d", offset, increment), array.NewInt64Builder,
			func(b *array.Int64Builder, row int64) { b.Append(offset + row*increment) }), nil
	case t.Class == h5.ClassFloat && (t.Size == 4 || t.Size == 8):
		offset := []float64{0}
		if a != nil {
			offset, _ = a.Floats()
		}
		if len(offset) != 1 {
			return nil, object.Unsupported(d, "the attribute offset is not a number")
		}
		increment := rule.Float(p, t)
		return column.ByRow(d, rows, arrow.PrimitiveTypes.Float64, fmt.Sprintf("%g + row * %g", offset[0], increment), array.NewFloat64Builder,
			func(b *array.Float64Builder, row int64) { b.Append(offset[0] + float64(float64(row)*increment)) }), nil
	}
	return nil, object.Unsupported(d, "an increment of %s", t)
}

// beyond reports whether a number's magnitude is larger than a limit.
func beyond(n, limit int64) bool { return n > limit || n < -limit }
