package matlab

import (
	"unicode/utf16"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// elementType is the type of a variable's elements by its class: logical values are booleans, characters numbers of 16
// bits. It is nil for classes whose values are not elements.
func elementType(d *h5.Dataset, class string) (*h5.Type, error) {
	t := d.Type()
	switch class {
	case "logical":
		if t.Size != 1 {
			return nil, object.Corrupt(d, "logical values of %s", t)
		}
		return column.BoolType(), nil
	case "char":
		if t.Class != h5.ClassFixed || t.Size != 2 {
			return nil, object.Unsupported(d, "characters of %s", t)
		}
		return t, nil
	case "double", "single", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64":
		return t, nil
	}
	return nil, nil
}

// cellsOf describes a list of references, that of a cell array or of a field of a struct array: one value for each.
// They must be of one class, and vectors; those of one element each are values, others lists, and characters text. What
// is empty and of another class is null.
func cellsOf(d *h5.Dataset) (convention.Values, error) {
	n, ok := d.Space().Elements()
	if !ok || longDims(d) > 1 {
		return nil, object.Unsupported(d, "cells of shape %v: they are not a column", d.Dims())
	}
	if limit := d.File().Limits().Links; n > uint64(limit) {
		return nil, object.Limit(d, "%d cells", n)
	}
	t := d.Type()
	if t.Class != h5.ClassReference {
		return nil, object.Corrupt(d, "cells of %s", t)
	}
	refs, err := object.Contents(d)
	if err != nil {
		return nil, err
	}
	cells := make([]cell, n)
	var first *cell // that holds something
	single := true
	for i := range cells {
		c := &cells[i]
		if *c, err = cellAt(d, refs[i*t.Size:(i+1)*t.Size]); err != nil {
			return nil, err
		}
		single = single && c.items <= 1
		if c.items == 0 {
			continue
		}
		if first == nil {
			first = c
		}
		if c.class != first.class || c.typ.String() != first.typ.String() {
			return nil, object.Unsupported(d, "cells of several classes: %s and %s", first.class, c.class)
		}
	}
	if first == nil {
		first = &cell{class: "char", typ: &h5.Type{Class: h5.ClassFixed, Size: 2, Order: h5.LittleEndian, Precision: 16}}
	}
	out := &convention.Cells{Data: d, Type: first.typ, Single: single && first.class != "char", Rows: make([]convention.Cell, n)}
	for i, c := range cells {
		if out.Rows[i] = (convention.Cell{Address: c.address, Items: c.items}); c.items == 0 && (out.Single || c.class != first.class) {
			out.Rows[i].Items = convention.NoItems
		}
	}
	if first.class == "char" {
		return utf16Text(out), nil
	}
	return out, nil
}

// cell is what a reference points to.
type cell struct {
	address uint64
	class   string
	typ     *h5.Type
	items   int64
}

// cellAt looks at what a reference points to.
func cellAt(d *h5.Dataset, ref []byte) (c cell, err error) {
	addr, ok := d.File().RefAddress(ref)
	if !ok {
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
	if longDims(v) > 1 || c.class == "char" && len(v.Dims()) > 0 && n > 1 && v.Dims()[0] != n {
		return c, object.Unsupported(d, "cells that hold matrices")
	}
	c.items = int64(n)
	return c, nil
}

// longDims counts the dimensions of a dataset that are not 1.
func longDims(d *h5.Dataset) (n int) {
	for _, k := range d.Dims() {
		if k != 1 {
			n++
		}
	}
	return n
}

// utf16Text makes text of lists of UTF-16 code units: of rows of the same length, or of any, or of single ones.
func utf16Text(of convention.Values) convention.Values {
	return &convention.Derived{Of: of, Type: arrow.BinaryTypes.String, Reason: "UTF-16 as text", Compute: decodeUTF16}
}

func decodeUTF16(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
	units, ok := in.(*array.Uint16)
	bounds := func(i int) (int64, int64) { return int64(i), int64(i + 1) }
	switch l := in.(type) {
	case *array.List:
		units, ok = l.ListValues().(*array.Uint16)
		bounds = l.ValueOffsets
	case *array.FixedSizeList:
		units, ok = l.ListValues().(*array.Uint16)
		bounds = l.ValueOffsets
	}
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "text of %s", in.DataType())
	}
	b := array.NewStringBuilder(mem)
	defer b.Release()
	b.Reserve(in.Len())
	var text []byte
	for i := range in.Len() {
		if in.IsNull(i) {
			b.AppendNull()
			continue
		}
		lo, hi := bounds(i)
		text = text[:0]
		values := units.Uint16Values()[lo:hi]
		for k := 0; k < len(values); k++ {
			r := rune(values[k])
			if utf16.IsSurrogate(r) {
				if k++; k == len(values) {
					return nil, h5err.New(h5err.Corrupt, "row %d: half a surrogate pair", row0+int64(i))
				}
				if r = utf16.DecodeRune(r, rune(values[k])); r == '\ufffd' {
					return nil, h5err.New(h5err.Corrupt, "row %d: half a surrogate pair", row0+int64(i))
				}
			}
			text = append(text, string(r)...)
		}
		b.Append(string(text))
	}
	return b.NewArray(), nil
}
