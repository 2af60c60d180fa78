package netcdf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/flat"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/grid"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

const (
	maxBand    = 32 << 20 // bytes of a band of chunks that is decoded for row-major order
	maxKept    = 16 << 20 // bytes of values that are kept to be repeated
	maxRepeats = 1 << 16  // columns of the tables of a group, for variables that are repeated
)

// DetectFlat recognizes what Detect does, and makes a table of each list of dimensions that variables of a group have, with a row for
// each cell. Variables that have some of these dimensions, in the same order, are repeated for the others. Coordinates, auxiliary ones
// too, and boundaries of cells make no tables of their own unless there are no other variables.
func DetectFlat(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	found, err := variablesOf(g)
	if err != nil || found == nil {
		return nil, err
	}
	f := &flattener{variables: found, g: g, strict: byLibrary(g), scales: map[string]*variable{}, paths: map[string]bool{}}
	f.collect()
	f.markMain()
	var out []*convention.Table
	for _, c := range f.cubes {
		out = append(out, f.table(c))
	}
	return out, nil
}

// flattener makes the flat tables of a group.
type flattener struct {
	*variables
	g      *h5.Group
	strict bool
	cubes  []*cube
	scales map[string]*variable // coordinates by the paths of their dimensions, nil for none
	paths  map[string]bool      // of tables
	repeat bool                 // variables of fewer dimensions are columns
}

// cube is variables that have the same dimensions.
type cube struct {
	axes  []string
	shape []int64
	vars  []*variable
	main  bool
}

// cellAxes returns the dimensions whose indices are those of cells: not the one that is the length of texts.
func (v *variable) cellAxes(dims *dimensions) []string {
	n := len(v.axes)
	if n > 0 && isChar(v.d.Type()) && (n > 1 || dims.isLength(v.axes[0])) {
		n--
	}
	return v.axes[:n]
}

// collect divides the variables by their dimensions.
func (f *flattener) collect() {
	auxiliary := map[string]bool{}
	objects := []h5.Object{f.g, f.g.File().Root()}
	for _, v := range f.vars {
		objects = append(objects, v.d)
	}
	for _, o := range objects {
		for _, name := range strings.Fields(object.Text(o, "coordinates")) {
			auxiliary[name] = true
		}
	}
	by := map[string]*cube{}
	add := func(v *variable) {
		axes := v.cellAxes(f.dims)
		key := strings.Join(axes, "\x00")
		if len(axes) == 0 {
			return
		}
		c := by[key]
		if c == nil {
			c = &cube{axes: axes, shape: make([]int64, len(axes))}
			by[key] = c
			f.cubes = append(f.cubes, c)
		}
		for i, n := range grid.Extents(f.dims.shape(v)[:len(axes)]) {
			c.shape[i] = max(c.shape[i], n)
		}
		c.vars = append(c.vars, v)
	}
	for _, v := range f.vars {
		if v.axes[0] != v.d.Path() && !auxiliary[v.name] && v.bounds == nil {
			add(v)
		}
	}
	none := len(by) == 0
	for _, v := range f.vars {
		key := strings.Join(v.cellAxes(f.dims), "\x00")
		if none || by[key] != nil && !slices.Contains(by[key].vars, v) && (len(v.axes) > 1 || v.axes[0] != v.d.Path()) {
			add(v)
		}
	}
	f.repeat = len(f.cubes)*(len(f.vars)+len(f.scalars)) <= maxRepeats
}

// markMain marks the cube whose dimensions are all that the others have.
func (f *flattener) markMain() {
	for _, c := range f.cubes {
		c.main = f.repeat && !slices.ContainsFunc(f.cubes, func(other *cube) bool { return flat.Places(other.axes, c.axes) == nil })
	}
}

// table describes the table of a cube.
func (f *flattener) table(c *cube) *convention.Table {
	names := flat.Names(c.axes)
	t := &convention.Table{Object: f.g, Main: c.main, Inner: object.ColumnsOf(f.g)}
	t.Path = flat.Unique(f.paths, object.Child(f.g, strings.Join(names, ",")))
	t.Reason = fmt.Sprintf("%s; a row for each cell of (%s)", f.reason, strings.Join(names, ", "))
	block := c.block()
	order, err := grid.New(c.shape, block)
	if err != nil {
		for _, v := range c.vars {
			t.Columns = append(t.Columns, convention.Column{Name: v.name, Objects: []h5.Object{v.d}, Err: h5err.About(err, v.d)})
		}
		return t
	}
	if !order.RowMajor() {
		t.Reason += ", in blocks of " + strings.ReplaceAll(strings.Trim(fmt.Sprint(block), "[]"), " ", " x ") + " as the chunks are"
	}
	b := &builder{f: f, t: t, order: order, names: map[string]bool{}, keep: maxKept}
	for i, axis := range c.axes {
		b.dimension(i, axis)
	}
	b.variables(c)
	return t
}

// block returns the shape of the blocks in which cells are read, nil for the whole array.
func (c *cube) block() []int64 {
	var chunks [][]uint64
	elem := int64(0)
	for _, v := range c.vars {
		size := int64(v.d.Type().Size)
		for _, n := range v.d.Dims()[len(c.axes):] {
			size = min(size*int64(min(n, maxBand)), maxBand)
		}
		elem += size
		if l, err := v.d.Layout(); err == nil && l.Storage == h5.StorageChunked && len(l.ChunkDims) >= len(c.axes) {
			chunks = append(chunks, l.ChunkDims)
		}
	}
	return flat.Block(c.shape, chunks, maxBand/max(1, elem))
}

// coordinate returns the coordinate variable of a dimension, nil if it has none.
func (f *flattener) coordinate(axis string) *variable {
	if v, ok := f.scales[axis]; ok {
		return v
	}
	f.scales[axis] = nil
	for _, v := range f.vars {
		if v.d.Path() == axis && len(v.axes) == 1 && len(v.cellAxes(f.dims)) == 1 {
			f.scales[axis] = v
			return v
		}
	}
	o, err := f.g.File().Lookup(axis)
	d, ok := o.(*h5.Dataset)
	if err != nil || !ok || object.Parent(axis) == object.Child(f.g, "") {
		return nil
	}
	if scale, only := isScale(d); scale && !only && d.Space().Class == h5.SpaceSimple && len(d.Dims()) == 1 && !isChar(d.Type()) {
		f.scales[axis] = &variable{name: object.Base(axis), d: d, axes: []string{axis}}
	}
	return f.scales[axis]
}
