package pandas

import (
	"fmt"
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/pandas/label"
	"github.com/h5arrow/h5arrow/arrowmap/convention/pickle"
	"github.com/h5arrow/h5arrow/h5"
)

// maxLevels bounds the levels of a MultiIndex.
const maxLevels = 64

// fixedFrame describes a frame in the fixed format: blocks of columns of one type, each with the labels of its columns.
func (s *store) fixedFrame() (*frame, error) {
	f := &frame{version: object.Text(s.g, "pandas_version")}
	order, levels, multi, err := s.axis("axis0")
	if err != nil {
		return nil, err
	}
	blocks, err := attribute(s.g, "nblocks")
	if err != nil {
		return nil, err
	}
	links, err := s.g.Links()
	if err != nil {
		return nil, err
	}
	count, ok := blocks.(int64)
	if !ok || count < 0 || count > int64(len(links)) {
		return nil, object.Corrupt(s.g, "the attribute nblocks says %s", label.String(blocks))
	}
	var labels []any
	var columns []frameColumn
	for i := range count {
		items, _, _, err := s.axis(fmt.Sprintf("block%d_items", i))
		if err != nil {
			return nil, err
		}
		for k, label := range items {
			c := s.blockColumn(fmt.Sprintf("block%d_values", i), k, len(items))
			c.label = label
			labels, columns = append(labels, label), append(columns, c)
		}
	}
	sorted, err := inOrder(order, labels)
	if err != nil {
		return nil, err
	}
	for _, i := range sorted {
		f.columns = append(f.columns, columns[i])
	}
	f.levels = labelLevels(order, levels, multi)
	f.index, err = s.fixedIndex("axis1")
	return f, err
}

// fixedSeries describes a series in the fixed format.
func (s *store) fixedSeries() (*frame, error) {
	f := &frame{version: object.Text(s.g, "pandas_version")}
	name, err := looseAttribute(s.g, "name")
	if err != nil {
		return nil, err
	}
	c := s.blockColumn("values", 0, 1)
	if c.label = name; name == nil {
		c.label = int64(0)
	}
	f.columns = []frameColumn{c}
	f.levels = labelLevels([]any{c.label}, nil, false)
	f.index, err = s.fixedIndex("index")
	return f, err
}

// axis reads the labels of an axis or of a block's columns, and what their levels are called.
func (s *store) axis(key string) (labels []any, levels []labelLevel, multi bool, err error) {
	variety, err := attributeText(s.g, key+"_variety")
	if err != nil {
		return nil, nil, false, err
	}
	if variety != "multi" {
		labels, level, err := s.axisArray(key)
		return labels, []labelLevel{level}, false, err
	}
	n, err := s.nlevels(key)
	if err != nil {
		return nil, nil, true, err
	}
	for i := range n {
		values, level, err := s.axisArray(fmt.Sprintf("%s_level%d", key, i))
		if err != nil {
			return nil, nil, true, err
		}
		levels = append(levels, level)
		codes, _, err := s.axisArray(fmt.Sprintf("%s_label%d", key, i))
		if err != nil {
			return nil, nil, true, err
		}
		if labels == nil {
			labels = make([]any, len(codes))
			for k := range labels {
				labels[k] = make(pickle.Tuple, n)
			}
		}
		if len(codes) != len(labels) {
			return nil, nil, true, object.Corrupt(s.g, "levels of %s of unequal length", key)
		}
		for k, code := range codes {
			c, ok := code.(int64)
			if !ok || c < -1 || c >= int64(len(values)) {
				return nil, nil, true, object.Corrupt(s.g, "the code %s into %d labels of %s", label.String(code), len(values), key)
			}
			if c >= 0 {
				labels[k].(pickle.Tuple)[i] = values[c]
			}
		}
	}
	return labels, levels, true, nil
}

func (s *store) nlevels(key string) (int, error) {
	v, err := attribute(s.g, key+"_nlevels")
	if err != nil {
		return 0, err
	}
	n, ok := v.(int64)
	if !ok || n < 1 || n > maxLevels {
		return 0, object.Corrupt(s.g, "the attribute %s_nlevels says %s", key, label.String(v))
	}
	return int(n), nil
}

// axisArray reads an array of labels, and what they are called.
func (s *store) axisArray(key string) (labels []any, level labelLevel, err error) {
	d, err := object.Required(s.g, key)
	if err != nil {
		return nil, level, err
	}
	if level.name, err = looseAttribute(d, "name"); err != nil {
		return nil, level, err
	}
	empty, err := isEmpty(d)
	if err != nil || empty {
		return nil, level, err
	}
	var m meaning
	if m.kind, err = attributeText(d, "kind"); err != nil {
		return nil, level, err
	}
	if m.kind == "category" {
		labels, err = s.categoryLabels(d, key)
		return labels, level, err
	}
	if m.mark, err = indexMark(d, "nan_rep"); err != nil {
		return nil, level, err
	}
	if m.zone, err = looseAttribute(d, "tz"); err != nil {
		return nil, level, err
	}
	if object.Text(d, "index_class") == "period" {
		m.kind = "period"
		if m.freq, err = looseAttribute(d, "freq"); err != nil {
			return nil, level, err
		}
	}
	level.typ.numpy = numpyName(d.Type())
	labels, err = s.array(d, m)
	return labels, level, err
}

// categoryLabels reads the labels of a categorical axis: codes, and the labels that they stand for.
func (s *store) categoryLabels(d *h5.Dataset, key string) ([]any, error) {
	codes, err := s.array(d, meaning{kind: "integer"})
	if err != nil {
		return nil, err
	}
	values, _, err := s.axisArray(key + "_categories")
	if err != nil {
		return nil, err
	}
	for i, code := range codes {
		c, ok := code.(int64)
		switch {
		case !ok || c < -1 || c >= int64(len(values)):
			return nil, object.Corrupt(d, "the code %s into %d labels", label.String(code), len(values))
		case c < 0:
			codes[i] = math.NaN()
		default:
			codes[i] = values[c]
		}
	}
	return codes, nil
}

// isEmpty reports whether an array has no elements. pandas stores one element then, and the shape as an attribute.
func isEmpty(d *h5.Dataset) (bool, error) {
	shape, err := attributeList(d, "shape")
	if err != nil {
		return false, err
	}
	for _, n := range shape {
		if n == int64(0) {
			return true, nil
		}
	}
	return false, nil
}

// fixedIndex describes the levels of the index.
func (s *store) fixedIndex(key string) ([]frameColumn, error) {
	variety, err := attributeText(s.g, key+"_variety")
	if err != nil {
		return nil, err
	}
	if variety != "multi" {
		return []frameColumn{s.indexArray(key)}, nil
	}
	n, err := s.nlevels(key)
	if err != nil {
		return nil, err
	}
	out := make([]frameColumn, n)
	for i := range out {
		out[i] = s.indexArray(fmt.Sprintf("%s_level%d", key, i))
		if out[i].Err != nil {
			continue
		}
		codes, err := object.Required(s.g, fmt.Sprintf("%s_label%d", key, i))
		if err == nil {
			var empty bool
			if empty, err = isEmpty(codes); empty {
				out[i].Values, err = s.emptyOf(codes, out[i].typ.numpy)
			} else if err == nil {
				var p *convention.Plain
				p, err = column.Codes(codes)
				out[i].Values = &convention.Dictionary{Indices: p, Labels: out[i].Values, Dense: true}
			}
		}
		if err != nil {
			out[i].Values, out[i].Err = nil, err
		}
	}
	return out, nil
}

// indexArray describes an index, or the labels of a level of one.
func (s *store) indexArray(key string) (c frameColumn) {
	d, err := object.Required(s.g, key)
	if err == nil {
		c.label, err = looseAttribute(d, "name")
	}
	if err == nil {
		if c.label != nil && !named(c.label) {
			c.label = nil
		}
		err = s.indexValues(&c, d, key)
	}
	if err != nil {
		c.Values, c.Err = nil, err
	}
	return c
}

// indexValues describes the values of an index.
func (s *store) indexValues(c *frameColumn, d *h5.Dataset, key string) error {
	kind, err := attributeText(d, "kind")
	if err != nil {
		return err
	}
	if kind == "category" {
		return s.categoryIndex(c, d, key)
	}
	if empty, err := isEmpty(d); err != nil || empty && d.Type().Class != h5.ClassVLen {
		if err != nil {
			return err
		}
		return s.emptyColumn(c, d)
	}
	if d.Type().Class == h5.ClassVLen {
		c.Values, c.typ, err = s.pickledColumn(d, 0, 1)
		return err
	}
	tz, err := looseAttribute(d, "tz")
	if err != nil {
		return err
	}
	zone, err := label.Zone(tz)
	if err != nil {
		return err
	}
	if len(d.Space().Dims) != 1 {
		return object.Corrupt(d, "an index of shape %v", d.Space().Dims)
	}
	missing, err := indexMark(d, "nan_rep")
	if err != nil {
		return err
	}
	period := object.Text(d, "index_class") == "period"
	if period {
		kind = "period"
	}
	if c.Values, c.typ, err = s.describe(convention.NewStored(d), d.Type(), kind, kind, zone, missing); err != nil {
		return err
	}
	if period {
		freq, err := looseAttribute(d, "freq")
		if err != nil {
			return err
		}
		c.periods(freq)
	}
	return nil
}

// emptyColumn describes a column without rows.
func (s *store) emptyColumn(c *frameColumn, d *h5.Dataset) error {
	vt, err := attributeText(d, "value_type")
	if err != nil {
		return err
	}
	c.typ = fieldType{logical: vt, numpy: vt}
	c.Values, err = s.emptyOf(d, vt)
	c.periods(periodOf(vt))
	return err
}

// categoryIndex describes a categorical index: codes, and beside them the labels, which are an index of their own.
func (s *store) categoryIndex(c *frameColumn, d *h5.Dataset, key string) error {
	labels := s.indexArray(key + "_categories")
	if labels.Err != nil {
		return labels.Err
	}
	ordered, err := object.Flag(d, "ordered")
	if err != nil {
		return err
	}
	code := numpyName(d.Type())
	var codes convention.Values
	empty, err := isEmpty(d)
	if err != nil {
		return err
	}
	if empty {
		if code, err = attributeText(d, "value_type"); err != nil {
			return err
		}
		t, err := s.emptyOf(d, code)
		if err != nil {
			return err
		}
		codes = t
	} else if codes, err = column.Codes(d); err != nil {
		return err
	}
	n := int64(0)
	switch v := labels.Values.(type) {
	case *convention.Empty:
	case *convention.Computed:
		n = v.Rows
	default:
		n = v.Main().Rows()
	}
	c.typ = fieldType{logical: "categorical", numpy: code, more: map[string]any{"num_categories": n, "ordered": ordered}}
	if e, ok := codes.(*convention.Empty); ok {
		t := &arrow.DictionaryType{IndexType: e.Type, ValueType: arrow.BinaryTypes.String, Ordered: ordered}
		c.Values = &convention.Empty{Data: d, Type: t}
		return nil
	}
	c.Values = &convention.Dictionary{Indices: codes, Labels: labels.Values, Ordered: ordered}
	return nil
}

// blockColumn describes column k of the n columns of a block.
func (s *store) blockColumn(name string, k, n int) (c frameColumn) {
	d, err := object.Required(s.g, name)
	if err == nil {
		err = s.blockValues(&c, d, k, n)
	}
	if err != nil {
		c.Values, c.Err = nil, err
	}
	return c
}

func (s *store) blockValues(c *frameColumn, d *h5.Dataset, k, n int) error {
	vt, err := attributeText(d, "value_type")
	if err != nil {
		return err
	}
	if d.Type().Class == h5.ClassVLen {
		c.Values, c.typ, err = s.pickledColumn(d, k, n)
		if vt == "str" || vt == "string" {
			c.typ.numpy = vt
		}
		return err
	}
	if empty, err := isEmpty(d); err != nil || empty {
		if err != nil {
			return err
		}
		return s.emptyColumn(c, d)
	}
	tz, err := looseAttribute(d, "tz")
	if err != nil {
		return err
	}
	zone, err := label.Zone(tz)
	if err != nil {
		return err
	}
	p := convention.NewStored(d)
	switch dims := d.Space().Dims; {
	case len(dims) == 1 && n == 1:
	case len(dims) == 2 && dims[1] == uint64(n) && n == 1: // rows of one item are the items
		p.As = d.Type()
	case len(dims) == 2 && dims[1] == uint64(n):
		p = convention.NewItem(d, k)
	case len(dims) == 2 && dims[0] == 1 && n == 1:
		p.Squeeze = true
	case len(dims) == 2 && dims[0] == uint64(n):
		return object.Unsupported(d, "a block stored column by column, as old versions of pandas wrote it")
	default:
		return object.Corrupt(d, "a block of %d columns of shape %v", n, dims)
	}
	if c.Values, c.typ, err = s.describe(p, d.Type(), kindOfDtype(vt), vt, zone, oldMark()); err == nil {
		c.periods(periodOf(vt))
	}
	return err
}

// emptyOf describes a column without rows of a type of numpy.
func (s *store) emptyOf(d *h5.Dataset, name string) (convention.Values, error) {
	t := map[string]arrow.DataType{
		"int8": arrow.PrimitiveTypes.Int8, "int16": arrow.PrimitiveTypes.Int16, "int32": arrow.PrimitiveTypes.Int32, "int64": arrow.PrimitiveTypes.Int64,
		"uint8": arrow.PrimitiveTypes.Uint8, "uint16": arrow.PrimitiveTypes.Uint16, "uint32": arrow.PrimitiveTypes.Uint32, "uint64": arrow.PrimitiveTypes.Uint64,
		"float16": arrow.FixedWidthTypes.Float16, "float32": arrow.PrimitiveTypes.Float32, "float64": arrow.PrimitiveTypes.Float64,
		"bool": arrow.FixedWidthTypes.Boolean, "object": arrow.BinaryTypes.String, "str": arrow.BinaryTypes.String, "string": arrow.BinaryTypes.String,
		"complex64":  arrow.StructOf(arrow.Field{Name: "r", Type: arrow.PrimitiveTypes.Float32, Nullable: true}, arrow.Field{Name: "i", Type: arrow.PrimitiveTypes.Float32, Nullable: true}),
		"complex128": arrow.StructOf(arrow.Field{Name: "r", Type: arrow.PrimitiveTypes.Float64, Nullable: true}, arrow.Field{Name: "i", Type: arrow.PrimitiveTypes.Float64, Nullable: true}),
	}[name]
	units := map[string]arrow.TimeUnit{"s": arrow.Second, "ms": arrow.Millisecond, "us": arrow.Microsecond, "ns": arrow.Nanosecond}
	if periodOf(name) != nil {
		t = arrow.PrimitiveTypes.Int64
	}
	inside, ok := strings.CutSuffix(name, "]")
	if ok {
		kind, unit, _ := strings.Cut(inside, "[")
		if u, ok := units[unit]; ok && kind == "datetime64" {
			t = &arrow.TimestampType{Unit: u}
		} else if ok && kind == "timedelta64" {
			t = &arrow.DurationType{Unit: u}
		}
	}
	if t == nil {
		return nil, object.Unsupported(d, "an empty array of type %q", name)
	}
	return &convention.Empty{Data: d, Type: t}, nil
}
