package pandas

import (
	"bytes"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/tablewriter/internal/frame"
	"github.com/h5arrow/h5arrow/dtype/encode"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// maxText is the number of bytes of the longest text. All cells of a column have the width of the longest one.
const maxText = 1 << 20

// values says how a column is stored: as elements of one type.
type values struct {
	typ     *h5.Type
	dtype   string // numpy's name
	kind    string // pandas' name for an index of such values; "" if it can't be one
	zone    string // of timestamps
	codes   bool   // of a category
	labels  arrow.Array
	ordered bool
	bytes   func(a arrow.Array, row0 int64) ([]byte, error)
}

// valuesOf plans the values of a column.
func valuesOf(c *frame.Column, mark []byte) (*values, error) {
	if c.Labels != nil {
		v := codes(c.Labels)
		v.ordered = c.Ordered()
		return v, nil
	}
	switch t := c.Type.(type) {
	case *arrow.BooleanType:
		if c.Nulls > 0 {
			return booleans(), nil
		}
		v, err := encoded(t, "bool", "bool", same)
		if err == nil {
			v.typ = &h5.Type{Class: h5.ClassBitfield, Size: 1, Order: h5.LittleEndian, Precision: 8}
		}
		return v, err
	case *arrow.NullType:
		return encoded(arrow.PrimitiveTypes.Float64, "float64", "", func(a arrow.Array, _ int64) (arrow.Array, error) {
			return array.MakeArrayOfNull(memory.DefaultAllocator, arrow.PrimitiveTypes.Float64, a.Len()), nil
		})
	case *arrow.StringType, *arrow.LargeStringType:
		return text(c.Longest, c.NUL, c.Nulls > 0, mark)
	case *arrow.TimestampType:
		v, err := encoded(&arrow.TimestampType{Unit: arrow.Nanosecond}, "datetime64[ns]", "datetime64[ns]", frame.Nanoseconds)
		if err == nil {
			v.zone = t.TimeZone
		}
		return v, err
	case *arrow.Date32Type, *arrow.Date64Type:
		return encoded(&arrow.TimestampType{Unit: arrow.Nanosecond}, "datetime64[ns]", "datetime64[ns]", frame.Nanoseconds)
	case *arrow.DurationType:
		return encoded(t, "timedelta64["+t.Unit.String()+"]", "", same)
	case *arrow.Time32Type:
		return encoded(t, "timedelta64["+t.Unit.String()+"]", "", same)
	case *arrow.Time64Type:
		return encoded(t, "timedelta64["+t.Unit.String()+"]", "", same)
	}
	bits := c.Type.(arrow.FixedWidthDataType).BitWidth()
	switch {
	case arrow.IsFloating(c.Type.ID()):
		return encoded(c.Type, fmt.Sprintf("float%d", bits), "float", same)
	case c.Nulls > 0:
		return encoded(arrow.PrimitiveTypes.Float64, "float64", "float", frame.Float64)
	case arrow.IsSignedInteger(c.Type.ID()):
		return encoded(c.Type, fmt.Sprintf("int%d", bits), "integer", same)
	}
	return encoded(c.Type, fmt.Sprintf("uint%d", bits), "integer", same)
}

// same returns an array as it is.
func same(a arrow.Array, _ int64) (arrow.Array, error) {
	a.Retain()
	return a, nil
}

// encoded plans values of a type that package encode makes, of arrays that are converted first. Nulls are NaN and NaT.
func encoded(t arrow.DataType, dtype, kind string, convert func(arrow.Array, int64) (arrow.Array, error)) (*values, error) {
	p, err := encode.New(arrow.Field{Type: t}, encode.Options{Nulls: encode.NullsBitmap})
	if err != nil {
		return nil, err
	}
	return &values{typ: p.Datasets[0].Type, dtype: dtype, kind: kind, bytes: func(a arrow.Array, row0 int64) ([]byte, error) {
		in, err := convert(a, row0)
		if err != nil {
			return nil, err
		}
		defer in.Release()
		out, err := p.Encode(in, row0)
		if err != nil {
			return nil, err
		}
		return bytes.Clone(out[0].Bytes), nil // which may be the array's
	}}, nil
}

// text plans text in cells of one width. Without nulls, there is no mark.
func text(longest int, nul, nulls bool, mark []byte) (*values, error) {
	width := max(longest, 1)
	if nulls {
		width = max(width, len(mark))
	}
	if width > maxText {
		return nil, h5err.New(h5err.Unsupported, "text of %d bytes: pandas stores a column of text in cells as wide as the longest", width).WithHint("text of up to %d bytes can be stored", maxText)
	}
	t := &h5.Type{Class: h5.ClassString, Size: width}
	return &values{typ: t, dtype: fmt.Sprintf("bytes%d", 8*width), kind: "string", bytes: func(a arrow.Array, row0 int64) ([]byte, error) {
		out := make([]byte, a.Len()*width)
		texts := a.(array.StringLike)
		for i := range a.Len() {
			v := mark
			if a.IsValid(i) {
				v = []byte(texts.Value(i))
			}
			if nul && len(v) > 0 && v[len(v)-1] == 0 {
				return nil, h5err.New(h5err.Unsupported, "row %d: text that ends in a NUL, as all text of fixed width does", row0+int64(i)).WithHint("use the layout vaex")
			}
			copy(out[i*width:], v)
		}
		return out, nil
	}}, nil
}

// codes plans the codes of a category of labels, which are the fewest bytes that pandas would use.
func codes(labels arrow.Array) *values {
	width := 1
	for width < 8 && labels.Len() > 1<<(8*width-1)-1 {
		width *= 2
	}
	t := &h5.Type{Class: h5.ClassFixed, Size: width, Order: h5.LittleEndian, Signed: true, Precision: 8 * width}
	return &values{typ: t, dtype: fmt.Sprintf("int%d", 8*width), codes: true, labels: labels, bytes: func(a arrow.Array, _ int64) ([]byte, error) {
		out := bytes.Repeat([]byte{0xff}, a.Len()*width)
		err := frame.Integers(a, func(i int, x int64) error {
			for k := range width {
				out[i*width+k] = byte(x >> (8 * k))
			}
			return nil
		})
		return out, err
	}}
}

// booleans plans booleans with nulls, which are a category of false and true: numpy has no others.
func booleans() *values {
	b := array.NewBooleanBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues([]bool{false, true}, nil)
	return codes(b.NewArray())
}
