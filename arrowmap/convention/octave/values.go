package octave

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	cols "github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// column describes the variable as a column; nil for one that is empty, and for structs and functions.
func (v *variable) column() *column {
	c := &column{column: convention.Column{Name: v.name(), Objects: []h5.Object{v.g}}}
	if v.err != nil {
		c.column.Err = v.err
		return c
	}
	var err error
	switch value := v.value.(type) {
	case *h5.Dataset:
		if n, ok := value.Space().Elements(); v.empty || ok && n == 0 || value.Space().Class == h5.SpaceNull {
			return nil
		}
		switch {
		case strings.HasSuffix(v.kind, "range"):
			if c.column.Values, c.rows, err = rangeOf(value); err == nil && c.rows == 0 {
				return nil
			}
		case v.text():
			c.soft = true
			c.column.Values, c.rows, err = textOf(value)
		default:
			c.column.Values, c.rows, err = elementsOf(value, v.class())
		}
	case *h5.Group:
		switch {
		case v.kind == "cell":
			c.soft = true
			c.column.Values, c.rows, err = cellsOf(value)
			if err == nil && c.rows == 0 {
				return nil
			}
		case strings.HasPrefix(v.kind, "sparse"):
			c.alone = true
			c.column.Values, err = sparseOf(value, v.kind)
		default:
			return nil
		}
	default:
		return nil
	}
	if err != nil {
		c.column.Values, c.column.Err = nil, err
	}
	return c
}

// elementsOf describes the elements of a scalar or matrix of a class. A scalar boolean is stored as a float.
func elementsOf(d *h5.Dataset, class string) (convention.Values, int64, error) {
	t := d.Type()
	if t.Class != h5.ClassFixed && t.Class != h5.ClassFloat && !t.IsComplex() {
		return nil, 0, object.Unsupported(d, "a variable of class %s, stored as %s", class, t)
	}
	if class == "bool" && t.Class == h5.ClassFixed && t.Size == 1 {
		t = cols.BoolType()
	}
	nulls, err := naRules(t)
	if err != nil {
		return nil, 0, err
	}
	v, rows, inner := columnMajor(d, t, nulls)
	switch {
	case class == "bool" && t.Class != h5.ClassEnum:
		return cols.Nonzero(v, inner), rows, nil
	case complexType(t) != nil:
		return withoutNA(v, complexType(t), inner), rows, nil
	}
	return v, rows, nil
}

// columnMajor describes the elements of a matrix as they are in Octave, read as a type: rows, and their shape.
func columnMajor(d *h5.Dataset, as *h5.Type, nulls []convention.Null) (v convention.Values, rows int64, inner []uint64) {
	dims := d.Dims()
	p := convention.NewStored(d)
	p.Nulls = nulls
	if len(dims) == 0 {
		p.As = as
		return p, 1, nil
	}
	last := len(dims) - 1
	rows = int64(dims[last])
	inner = slices.Clone(dims[:last])
	slices.Reverse(inner)
	for _, n := range inner {
		if n != 1 {
			return &convention.Transposed{Data: d, As: as, Nulls: nulls}, rows, inner
		}
	}
	p.Squeeze, p.As = true, as
	return p, rows, nil
}

// naRules returns the rule by which floats are null: Octave's NA is a NaN of certain bits, in versions before 3.2 those
// of R. Other NaN are values.
func naRules(t *h5.Type) ([]convention.Null, error) {
	var r nullbitmap.Rule
	var err error
	order := rule.ByteOrder(t)
	switch {
	case t.Class != h5.ClassFloat || t.Order == h5.VAX:
		return nil, nil
	case t.Size == 8:
		r, err = nullbitmap.Equal(nullbitmap.Stored(na64, 8, order), nullbitmap.Stored(oldNA64, 8, order))
	case t.Size == 4:
		r, err = nullbitmap.Equal(nullbitmap.Stored(na32, 4, order))
	default:
		return nil, nil
	}
	n, err := rule.New(r, err, "NA of Octave")
	return []convention.Null{n}, err
}

// textOf describes a matrix of characters: a text for each row. Trailing blanks are part of it.
func textOf(d *h5.Dataset) (convention.Values, int64, error) {
	t := d.Type()
	if t.Class != h5.ClassFixed || t.Size != 1 {
		return nil, 0, object.Unsupported(d, "characters of %s", t)
	}
	if len(d.Dims()) > 2 {
		return nil, 0, object.Unsupported(d, "characters of shape %v", d.Dims())
	}
	v, rows, _ := columnMajor(d, byteType, nil)
	return text(v), rows, nil
}

// byteType is the type that characters are read as.
var byteType = &h5.Type{Class: h5.ClassFixed, Size: 1, Order: h5.LittleEndian, Precision: 8}

// text makes text of bytes: of rows of the same number, of any, or of single ones.
func text(of convention.Values) convention.Values {
	return &convention.Derived{Of: of, Type: arrow.BinaryTypes.String, Reason: "bytes as text", Compute: decodeText}
}

func decodeText(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
	bytes, ok := in.(*array.Uint8)
	bounds := func(i int) (int64, int64) { return int64(i), int64(i + 1) }
	switch l := in.(type) {
	case *array.List:
		bytes, ok = l.ListValues().(*array.Uint8)
		bounds = l.ValueOffsets
	case *array.FixedSizeList:
		bytes, ok = l.ListValues().(*array.Uint8)
		bounds = l.ValueOffsets
	}
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "text of %s", in.DataType())
	}
	b := array.NewStringBuilder(mem)
	defer b.Release()
	b.Reserve(in.Len())
	for i := range in.Len() {
		if in.IsNull(i) {
			b.AppendNull()
			continue
		}
		lo, hi := bounds(i)
		s := bytes.Uint8Values()[lo:hi]
		if !utf8.Valid(s) {
			return nil, h5err.New(h5err.Unsupported, "row %d: the text %.40q is not UTF-8", row0+int64(i), s)
		}
		b.BinaryBuilder.Append(s)
	}
	return b.NewArray(), nil
}

// sparseOf describes a sparse matrix by columns: a list of row numbers and values for each.
func sparseOf(g *h5.Group, kind string) (convention.Values, error) {
	l, err := cols.Sparse(g, "cidx", "ridx", "data")
	if err != nil {
		return nil, err
	}
	for i := range l.Items {
		p, ok := l.Items[i].Values.(*convention.Plain)
		if !ok || len(p.Data.Dims()) != 2 || p.Data.Dims()[1] != 1 {
			continue
		}
		p.As, p.RowDims = p.Data.Type(), nil
		if p.Data == l.Items[1].Values.Main() && kind == "sparse bool matrix" && p.As.Class == h5.ClassFixed && p.As.Size == 1 {
			p.As = cols.BoolType()
		}
		if p.Nulls, err = naRules(p.As); err != nil {
			return nil, err
		}
		if of := complexType(p.As); of != nil {
			l.Items[i].Values = withoutNA(p, of, nil)
		}
	}
	return l, nil
}
