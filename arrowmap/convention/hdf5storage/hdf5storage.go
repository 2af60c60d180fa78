// Package hdf5storage recognizes what hdf5storage for Python writes when its files need not be MATLAB's: values with the
// attribute Python.Type. What it writes for MATLAB is recognized by package matlab.
package hdf5storage

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/values"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Names of attributes.
const (
	pythonType = "Python.Type"
	pythonDims = "Python.Shape"
	numpyType  = "Python.numpy.UnderlyingType"
)

// Detect makes a table of a group whose values have one length, and of each value otherwise.
func Detect(o h5.Object) ([]*convention.Table, error) {
	switch o := o.(type) {
	case *h5.Dataset:
		if !written(o) {
			return nil, nil
		}
		c := columnOf(object.Base(o.Path()), o)
		reason := fmt.Sprintf("attribute %s=%q", pythonType, object.Text(o, pythonType))
		return []*convention.Table{{Path: o.Path(), Object: o, Reason: reason, Columns: []convention.Column{c}}}, nil
	case *h5.Group:
		return group(o)
	}
	return nil, nil
}

// written reports whether a dataset is a value of Python's, and not a table by itself.
func written(d *h5.Dataset) bool {
	return object.Text(d, pythonType) != "" && object.Text(d, "MATLAB_class") == "" && !object.IsTable(d)
}

// group makes a table of the values in a group.
func group(g *h5.Group) ([]*convention.Table, error) {
	links, err := g.AllLinks()
	if err != nil {
		return nil, err
	}
	var columns []convention.Column
	for l := range links {
		if l.Kind != h5.LinkHard || strings.HasPrefix(l.Name, "#") {
			continue
		}
		d, ok := object.Member(g, l.Name).(*h5.Dataset)
		if !ok {
			continue
		}
		if !written(d) {
			if object.IsTable(d) {
				continue
			}
			return nil, nil // a file of something else
		}
		columns = append(columns, columnOf(l.Name, d))
	}
	if len(columns) == 0 {
		return nil, nil
	}
	rows, first := int64(-1), ""
	for _, c := range columns {
		if c.Err != nil {
			return nil, object.NotATable(g, "values of Python, of which not all are columns: each is a table of its own")
		}
		n := rowsOf(c.Values)
		if rows < 0 {
			rows, first = n, c.Name
		}
		if n != rows {
			return nil, object.NotATable(g, fmt.Sprintf("values of Python of several lengths (%s: %d, %s: %d): each is a table of its own", first, rows, c.Name, n))
		}
	}
	return []*convention.Table{{Path: g.Path(), Object: g, Reason: "values with the attribute " + pythonType, Columns: columns, Inner: object.ColumnsOf(g)}}, nil
}

// columnOf describes a value: text in code points, other types as they are stored.
func columnOf(name string, d *h5.Dataset) convention.Column {
	t := d.Type()
	switch {
	case t.Class == h5.ClassReference:
		return convention.Column{Name: name, Objects: []h5.Object{d}, Err: object.Unsupported(d, "a list of Python's values")}
	case strings.HasPrefix(object.Text(d, numpyType), "str") && t.Class == h5.ClassFixed && t.Size == 4:
		v, err := text(d)
		return convention.Column{Name: name, Objects: []h5.Object{d}, Values: v, Err: err}
	}
	return column.Of(name, d)
}

// text describes text of NumPy, one code point an integer: the last dimension counts those of all texts along it, each
// padded by NULs to the longest.
func text(d *h5.Dataset) (convention.Values, error) {
	a, err := d.Attribute(pythonDims)
	if err != nil {
		return nil, err
	}
	var shape []int64
	if a != nil {
		shape, _ = a.Ints()
	}
	dims := d.Dims()
	if len(dims) == 0 || len(dims) != max(1, len(shape)) {
		return nil, object.Unsupported(d, "text of shape %v in characters of shape %v", shape, dims)
	}
	texts := uint64(1) // along the last dimension
	if len(shape) > 0 {
		texts = uint64(max(0, shape[len(shape)-1]))
	}
	for i := range len(dims) - 1 {
		if uint64(shape[i]) != dims[i] {
			return nil, object.Unsupported(d, "text of shape %v in characters of shape %v", shape, dims)
		}
	}
	last := dims[len(dims)-1]
	if texts > 0 && last%texts != 0 || texts > 1<<31-1 {
		return nil, object.Unsupported(d, "text of shape %v in characters of shape %v", shape, dims)
	}
	if last == 0 && len(shape) == 0 {
		return column.EmptyText(d), nil
	}
	if last == 0 {
		return &convention.Empty{Data: d, Type: arrow.BinaryTypes.String}, nil
	}
	width := int(last / max(1, texts))
	typ := arrow.DataType(arrow.BinaryTypes.String)
	if len(dims) == 1 {
		return &convention.Computed{Data: d, Rows: int64(texts), Type: typ, Reason: "code points as text, without the NULs at the end",
			Block: convention.Alone(func(in []arrow.Array, mem memory.Allocator) (arrow.Array, error) {
				return values.Cut(in[0], width, 0, mem)
			}, convention.NewStored(d))}, nil
	}
	inner := append([]uint64{}, dims[1:len(dims)-1]...)
	if texts > 1 {
		inner = append(inner, texts)
	}
	typ = values.Shape{Inner: inner}.ListType(typ)
	return &convention.Derived{Of: convention.NewStored(d), Type: typ, Reason: "code points as text, without the NULs at the end",
		Compute: func(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
			flat := values.Elements(in)
			defer flat.Release()
			if _, ok := flat.(*array.Uint32); !ok {
				return nil, h5err.New(h5err.Unsupported, "text of %s", flat.DataType())
			}
			out, err := values.Cut(flat, width, row0, mem)
			if err != nil {
				return nil, err
			}
			return values.Listed(out, typ), nil
		}}, nil
}

// rowsOf is the number of rows of values that columnOf made.
func rowsOf(v convention.Values) int64 {
	switch v := v.(type) {
	case *convention.Computed:
		return v.Rows
	case *convention.Generated:
		return v.Rows
	case *convention.Empty:
		return 0
	}
	return v.Main().Rows()
}
