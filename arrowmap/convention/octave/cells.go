package octave

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	cols "github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// cell is a variable in a cell array.
type cell struct {
	class   string
	typ     *h5.Type
	address uint64 // of its dataset
	items   int64
	span    *span // a range, whose items are not stored
}

// cellsOf describes a cell array, or a field of an array of structs: one value for each cell. They must be of one class,
// and vectors; those of one element each are values, others lists, and characters text. What is empty and of another
// class is null.
func cellsOf(g *h5.Group) (convention.Values, int64, error) {
	d, err := object.Required(g, "dims")
	if err != nil {
		return nil, 0, err
	}
	n, err := cellCount(d)
	if err != nil || n == 0 {
		return nil, 0, err
	}
	cells, err := cellsIn(g, n)
	if err != nil {
		return nil, 0, err
	}
	var first, ranged *cell // that holds elements, a range
	single := true
	spans, total := map[int]span{}, int64(0)
	for i := range cells {
		c := &cells[i]
		single = single && c.items <= 1
		if c.span != nil {
			ranged, single, spans[i] = c, false, *c.span
			if total += c.span.n; total > maxSpans {
				return nil, 0, object.Limit(g, "ranges of more than %d elements in cells", maxSpans)
			}
		}
		if c.items == 0 {
			continue
		}
		if first == nil {
			first = c
		}
		if c.class != first.class || c.typ.String() != first.typ.String() {
			return nil, 0, object.Unsupported(g, "cells of several classes: %s (%s) and %s (%s)", first.class, first.typ, c.class, c.typ)
		}
	}
	if first == nil && len(spans) > 0 {
		first = ranged
	}
	if len(spans) > 0 && (first.class != "double" || first.typ.Class != h5.ClassFloat || first.typ.Size != 8) {
		return nil, 0, object.Unsupported(g, "cells of several classes: %s and ranges", first.class)
	}
	if first == nil {
		first = &cell{class: "string", typ: byteType}
	}
	out := &convention.Cells{Data: d, Type: first.typ, Single: single && first.class != "string", Rows: make([]convention.Cell, n)}
	for i, c := range cells {
		if out.Rows[i] = (convention.Cell{Address: c.address, Items: c.items}); c.items == 0 && (out.Single || c.class != first.class) {
			out.Rows[i].Items = convention.NoItems
		}
	}
	v := first.derived(out)
	if len(spans) > 0 {
		v = withSpans(v, spans, n)
	}
	return v, int64(n), nil
}

// derived returns the values of cells like c as they are in Octave.
func (c *cell) derived(v *convention.Cells) convention.Values {
	switch of := complexType(c.typ); {
	case c.class == "string":
		return text(v)
	case c.class == "bool" && c.typ.Class == h5.ClassFloat && v.Single:
		return cols.Nonzero(v, nil)
	case of != nil:
		return withoutNA(v, listed(of, v.Single), nil)
	case c.typ.Class == h5.ClassFloat && c.typ.Size == 8:
		return withoutNA(v, listed(arrow.PrimitiveTypes.Float64, v.Single), nil)
	case c.typ.Class == h5.ClassFloat && c.typ.Size == 4:
		return withoutNA(v, listed(arrow.PrimitiveTypes.Float32, v.Single), nil)
	}
	return v
}

// listed is the type of cells whose elements have type t.
func listed(t arrow.DataType, single bool) arrow.DataType {
	if single {
		return t
	}
	return arrow.ListOf(t)
}

// cellCount is the number of cells of an array that is a vector, by its dimensions.
func cellCount(d *h5.Dataset) (int, error) {
	t := d.Type()
	if t.Class != h5.ClassFixed || t.Size > 8 || len(d.Dims()) != 1 || d.Rows() > int64(d.File().Limits().Rank) {
		return 0, object.Corrupt(d, "the dimensions of cells are %s of shape %v", t, d.Dims())
	}
	b, err := object.Contents(d)
	if err != nil {
		return 0, err
	}
	n, long := uint64(1), 0
	limit := uint64(d.File().Limits().Links)
	for ; len(b) >= t.Size; b = b[t.Size:] {
		k := uint64(0)
		for i := range t.Size {
			if at := t.Size - 1 - i; t.Order == h5.BigEndian {
				k = k<<8 | uint64(b[i])
			} else {
				k = k<<8 | uint64(b[at])
			}
		}
		if k > limit {
			return 0, object.Limit(d, "%d cells", k)
		}
		if n *= k; k != 1 {
			long++
		}
		if n > limit {
			return 0, object.Limit(d, "%d cells", n)
		}
	}
	if n != 0 && long > 1 {
		return 0, object.Unsupported(d, "cells in several dimensions: they are not a column")
	}
	return int(n), nil
}

// cellsIn looks at the variables _0 to _(n-1), whose numbers may have leading zeros.
func cellsIn(g *h5.Group, n int) ([]cell, error) {
	links, err := g.Links()
	if err != nil {
		return nil, err
	}
	if len(links) < n {
		return nil, object.Corrupt(g, "%d members for %d cells", len(links), n)
	}
	cells, found := make([]cell, n), make([]bool, n)
	for _, l := range links {
		digits, ok := strings.CutPrefix(l.Name, "_")
		i, err := strconv.Atoi(digits)
		if !ok || err != nil || i < 0 || i >= n || found[i] || l.Kind != h5.LinkHard {
			continue
		}
		o, err := g.OpenLink(l)
		if err != nil {
			return nil, err
		}
		if cells[i], err = cellAt(o); err != nil {
			return nil, err
		}
		found[i] = true
	}
	for i, ok := range found {
		if !ok {
			return nil, object.Corrupt(g, "cell %d is missing", i)
		}
	}
	return cells, nil
}

// cellAt looks at a variable that is a cell.
func cellAt(o h5.Object) (c cell, err error) {
	v, err := variableOf(o)
	if err != nil {
		return c, err
	}
	if v == nil {
		return c, object.Corrupt(o, "a cell without the attribute OCTAVE_NEW_FORMAT")
	}
	if c.class = v.class(); v.empty {
		return c, nil
	}
	d, ok := v.value.(*h5.Dataset)
	if !ok {
		return c, object.Unsupported(v.g, "cells that hold values of type %q", v.kind)
	}
	if strings.HasSuffix(v.kind, "range") {
		s, err := spanOf(d)
		return cell{class: "double", span: &s, typ: s.typ}, err
	}
	n, ok := d.Space().Elements()
	if !ok || n > 1<<31-1 {
		return c, object.Limit(d, "a cell of shape %v", d.Dims())
	}
	if n == 0 {
		return c, nil
	}
	long := 0
	for _, k := range d.Dims() {
		if k != 1 {
			long++
		}
	}
	if dims := d.Dims(); long > 1 || v.text() && len(dims) > 0 && n > 1 && dims[0] != n {
		return c, object.Unsupported(d, "cells that hold matrices")
	}
	switch c.typ = d.Type(); {
	case v.text() && c.typ.Class == h5.ClassFixed && c.typ.Size == 1:
		c.typ = byteType
	case c.class == "bool" && c.typ.Class == h5.ClassFixed && c.typ.Size == 1:
		c.typ = cols.BoolType()
	case v.text() || c.typ.Class != h5.ClassFixed && c.typ.Class != h5.ClassFloat && !c.typ.IsComplex():
		return c, object.Unsupported(d, "cells that hold %s of %s", v.kind, c.typ)
	}
	c.address, c.items = d.Address(), int64(n)
	return c, nil
}
