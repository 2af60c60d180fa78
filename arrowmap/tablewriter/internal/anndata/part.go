package anndata

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/tablewriter/internal/frame"
	"github.com/h5arrow/h5arrow/dtype/attr"
	"github.com/h5arrow/h5arrow/dtype/encode"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write"
)

// part is a column that is being written: values, and a mask if there are nulls.
type part struct {
	object  write.Object // the column: the values, or a group
	values  *write.Dataset
	mask    *write.Dataset // nil: none
	nulls   string
	plan    *encode.Plan
	convert func(arrow.Array) (arrow.Array, error) // of values; nil: as they are
}

func (p *part) write(a arrow.Array, row0 int64) error {
	in := a
	if p.convert != nil {
		var err error
		if in, err = p.convert(a); err != nil {
			return err
		}
		defer in.Release()
	}
	out, err := p.plan.Encode(in, row0)
	if err != nil {
		return err
	}
	if err := p.values.Write(out[0].Bytes); err != nil || p.mask == nil {
		return err
	}
	mask := make([]byte, a.Len())
	for i := range mask {
		if a.IsNull(i) {
			mask[i] = 1
		}
	}
	return p.mask.Write(mask)
}

// array makes a dataset of an encoding, with a plan for its values.
func (w *writer) array(at string, t arrow.DataType, o encode.Options, rows uint64) (*part, error) {
	o.Text = encode.TextHeap
	if o.Nulls == encode.NullsAuto {
		o.Nulls = encode.NullsMask
	}
	plan, err := encode.New(arrow.Field{Type: t}, o)
	if err != nil {
		return nil, err
	}
	d := &plan.Datasets[0]
	values, err := w.o.File.Dataset(at, w.o.Spec(d.Type, rows, d.Dims...))
	if err != nil {
		return nil, err
	}
	kind := "array"
	if isText(t) {
		kind = "string-array"
	}
	return &part{object: values, values: values, plan: plan}, encoding(values, kind, "0.2.0")
}

func (w *writer) strings(at string, rows uint64) (*part, error) {
	return w.array(at, arrow.BinaryTypes.String, encode.Options{}, rows)
}

// part makes a column.
func (w *writer) part(c *frame.Column, at string) (*part, error) {
	t := c.Type
	switch {
	case c.Labels != nil:
		return w.categorical(c, at)
	case t.ID() == arrow.NULL:
		p, err := w.array(at, arrow.PrimitiveTypes.Float64, encode.Options{}, w.rows)
		if err == nil {
			p.nulls = "sentinel"
			p.convert = func(a arrow.Array) (arrow.Array, error) {
				return array.MakeArrayOfNull(memory.DefaultAllocator, arrow.PrimitiveTypes.Float64, a.Len()), nil
			}
		}
		return p, err
	case t.ID() == arrow.FIXED_SIZE_LIST:
		if c.Nulls+c.ItemNulls > 0 && !arrow.IsFloating(t.(*arrow.FixedSizeListType).Elem().ID()) {
			return nil, h5err.New(h5err.Unsupported, "nulls in lists of integers, which AnnData's arrays lack").WithHint("cast the items to double")
		}
	case c.Nulls > 0 && !arrow.IsFloating(t.ID()):
		return w.nullable(t, at)
	}
	p, err := w.array(at, t, encode.Options{}, w.rows)
	if err == nil && c.Nulls+c.ItemNulls > 0 {
		p.nulls = "sentinel" // NaN
	}
	return p, err
}

// nullable makes a group of values and a mask.
func (w *writer) nullable(t arrow.DataType, at string) (*part, error) {
	kind := "nullable-integer"
	switch {
	case isText(t):
		kind = "nullable-string-array"
	case t.ID() == arrow.BOOL:
		kind = "nullable-boolean"
	}
	g, err := w.group(at, kind, "0.1.0")
	if err != nil {
		return nil, err
	}
	p, err := w.array(at+"/values", t, encode.Options{}, w.rows)
	if err != nil {
		return nil, err
	}
	mask, err := w.array(at+"/mask", arrow.FixedWidthTypes.Boolean, encode.Options{}, w.rows)
	if err != nil {
		return nil, err
	}
	p.object, p.mask, p.nulls = g, mask.values, "mask"
	return p, nil
}

// categorical makes a group of codes and their labels.
func (w *writer) categorical(c *frame.Column, at string) (*part, error) {
	g, err := w.group(at, "categorical", "0.2.0")
	if err != nil {
		return nil, err
	}
	if err := attributes(g, attr.Bool("ordered", c.Ordered())); err != nil {
		return nil, err
	}
	labels := frame.Plain(c.Labels)
	defer labels.Release()
	for i := range labels.Len() {
		if f, ok := labels.(*array.Float64); ok && math.IsNaN(f.Value(i)) {
			return nil, h5err.New(h5err.Unsupported, "a dictionary with the label NaN, which AnnData takes for a missing value").WithHint("cast it to its values")
		}
	}
	l := &writer{o: &frame.Output{File: w.o.File, Path: w.o.Path}}
	all, err := l.array(at+"/categories", labels.DataType(), encode.Options{}, uint64(labels.Len()))
	if err != nil {
		return nil, err
	}
	if err := all.write(labels, 0); err != nil {
		return nil, err
	}
	width := 1
	for width < 8 && labels.Len() > 1<<(8*width-1)-1 {
		width *= 2
	}
	none := make([]byte, width)
	for i := range none {
		none[i] = 0xff
	}
	p, err := w.array(at+"/codes", arrow.PrimitiveTypes.Int64, encode.Options{Width: width, Nulls: encode.NullsSentinel, Sentinel: none}, w.rows)
	if err != nil {
		return nil, err
	}
	if p.object, p.convert = g, frame.Int64; c.Nulls > 0 {
		p.nulls = "sentinel"
	}
	return p, nil
}
