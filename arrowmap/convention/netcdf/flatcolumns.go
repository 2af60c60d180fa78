package netcdf

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
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
	name := c.Name
	for n := 2; b.names[c.Name]; n++ {
		c.Name = fmt.Sprintf("%s_%d", name, n)
	}
	b.names[c.Name] = true
	b.t.Columns = append(b.t.Columns, c)
}

// dimension adds the column of dimension i: its coordinates, or its indices.
func (b *builder) dimension(i int, axis string) {
	if v := b.f.coordinate(axis); v != nil {
		b.variable(v, []int{i})
		return
	}
	p, err := b.order.Project([]int{i}, b.order.Shape()[i:i+1])
	c := convention.Column{Name: object.Base(axis), Err: err}
	c.Values = &convention.Generated{Rows: b.order.Cells(), Type: arrow.PrimitiveTypes.Int64, Reason: "the indices of a dimension without coordinates",
		Generate: func(lo, hi int64, mem memory.Allocator) (arrow.Array, error) { return indices(p, lo, hi, mem) }}
	b.add(c)
}

// indices returns the indices of rows in a dimension.
func indices(p *grid.Projection, lo, hi int64, mem memory.Allocator) (arrow.Array, error) {
	type run struct {
		from  int
		index int64
	}
	at := make([]int32, hi-lo)
	var runs []run
	err := p.Fill(lo, hi, at, func(i int, index, _ int64) (int32, error) {
		runs = append(runs, run{i, index})
		return 0, nil
	})
	if err != nil {
		return nil, err
	}
	buf := memory.NewResizableBuffer(mem)
	defer buf.Release()
	buf.Resize(8 * len(at))
	out := arrow.Int64Traits.CastFromBytes(buf.Bytes())
	for i, r := range runs {
		end := len(at)
		if i+1 < len(runs) {
			end = runs[i+1].from
		}
		for k := r.from; k < end; k++ {
			out[k] = r.index + int64(at[k])
		}
	}
	data := array.NewData(arrow.PrimitiveTypes.Int64, len(at), []*memory.Buffer{nil, buf}, nil, 0, 0)
	defer data.Release()
	return array.NewInt64Data(data), nil
}

// variables adds the variables of a cube, and those that are repeated for its cells.
func (b *builder) variables(c *cube) {
	for _, v := range b.f.vars {
		axes := v.cellAxes(b.f.dims)
		at := places(axes, c.axes)
		switch {
		case len(axes) == 1 && b.f.scales[axes[0]] == v && at != nil: // added as a dimension
		case at != nil && (len(at) == len(c.axes) || b.f.repeat):
			b.variable(v, at)
		case at != nil || sameSet(axes, c.axes):
			note := fmt.Sprintf("%s is left out, whose dimensions are in another order: (%s)", v.name, strings.Join(bases(axes), ", "))
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

// sameSet reports whether dimensions are the same but for their order.
func sameSet(a, b []string) bool {
	return len(a) == len(b) && slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func bases(paths []string) (out []string) {
	for _, p := range paths {
		out = append(out, object.Base(p))
	}
	return out
}

// variable adds a variable whose dimensions are those of these numbers.
func (b *builder) variable(v *variable, at []int) {
	shape := make([]int64, len(at))
	for i := range at {
		shape[i] = int64(min(v.d.Dims()[i], math.MaxInt64))
	}
	p, err := b.order.Project(at, shape)
	if err != nil {
		b.add(convention.Column{Name: v.name, Objects: []h5.Object{v.d}, Err: h5err.About(err, v.d)})
		return
	}
	a := &attributes{d: v.d, bounds: v.bounds}
	if len(at) > 0 {
		a.order = p.Order()
	}
	c := convention.Column{Name: v.name, Objects: []h5.Object{v.d}}
	c.Values, c.Err = a.values(b.f.strict, len(at) == 0 && len(v.axes) > 0)
	c.Err, c.Notes = h5err.About(c.Err, v.d), a.notes
	if c.Err == nil && !p.Same() {
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
	if n > b.keep/size {
		return false
	}
	b.keep -= n * size
	return true
}
