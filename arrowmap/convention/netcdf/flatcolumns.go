package netcdf

import (
	"fmt"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/flat"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/grid"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// builder adds the columns of a flat table.
type builder struct {
	f     *flattener
	t     *convention.Table
	order *grid.Order
	names map[string]bool
	keep  int64 // bytes of values that may yet be kept
}

// add adds a column, under another name if its own is taken.
func (b *builder) add(c convention.Column) {
	c.Name = flat.Unique(b.names, c.Name)
	b.t.Columns = append(b.t.Columns, c)
}

// dimension adds the column of dimension i: its coordinates, or its indices.
func (b *builder) dimension(i int, axis string) {
	if v := b.f.coordinate(axis); v != nil {
		b.variable(v, []int{i})
		return
	}
	c := convention.Column{Name: object.Base(axis)}
	c.Values, c.Err = flat.Indices(b.order, i)
	b.add(c)
}

// variables adds the variables of a cube, and those that are repeated for its cells.
func (b *builder) variables(c *cube) {
	for _, v := range b.f.vars {
		axes := v.cellAxes(b.f.dims)
		at := flat.Places(axes, c.axes)
		switch {
		case len(axes) == 1 && b.f.scales[axes[0]] == v && at != nil: // added as a dimension
		case at != nil && (len(at) == len(c.axes) || b.f.repeat):
			b.variable(v, at)
		case at != nil || flat.SameSet(axes, c.axes):
			note := fmt.Sprintf("%s is left out, whose dimensions are in another order: (%s)", v.name, strings.Join(flat.Names(axes), ", "))
			if at != nil {
				note = fmt.Sprintf("%s is left out: the group has too many variables to repeat them", v.name)
			}
			b.t.Notes = append(b.t.Notes, note)
		}
	}
	for _, v := range b.f.scalars {
		if b.f.repeat {
			b.variable(v, nil)
		}
	}
}

// variable adds a variable whose dimensions are those of these numbers.
func (b *builder) variable(v *variable, at []int) {
	p, err := b.order.Project(at, grid.Extents(v.d.Dims()[:len(at)]))
	a := &attributes{d: v.d, bounds: v.bounds}
	if len(at) > 0 && err == nil {
		a.order = p.Order()
	}
	c := convention.Column{Name: v.name, Objects: []h5.Object{v.d}}
	if err == nil {
		c.Values, err = a.values(b.f.strict, len(at) == 0 && len(v.axes) > 0)
	}
	c.Err, c.Notes = h5err.About(err, v.d), a.notes
	if err == nil && !p.Same() {
		fill, _ := v.d.Attribute("_FillValue") // an error is one of values, too
		c.Values = &convention.Spread{Of: c.Values, Cells: p, Kept: b.kept(v, p.Order().Cells()), Text: isText(v.d.Type()) && fill == nil}
	}
	b.add(c)
}

// kept reports whether the values of a variable may be kept in memory.
func (b *builder) kept(v *variable, n int64) bool {
	size := int64(max(v.d.Type().Size, 16))
	if isChar(v.d.Type()) && len(v.axes) > 0 {
		size += int64(min(v.d.Dims()[len(v.axes)-1], maxKept))
	}
	ok := n <= b.keep/size
	if ok {
		b.keep -= n * size
	}
	return ok
}
