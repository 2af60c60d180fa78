package biology

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// awkwardForm is a form of the library Awkward Array: how an array is made of buffers, each a dataset <form_key>-<role>.
//
// https://awkward-array.org/doc/main/reference/generated/ak.forms.Form.html
type awkwardForm struct {
	Class     string         `json:"class"`
	Key       string         `json:"form_key"`
	Primitive string         `json:"primitive"`
	Inner     []int64        `json:"inner_shape"`
	Size      int64          `json:"size"`
	ValidWhen bool           `json:"valid_when"`
	LSB       bool           `json:"lsb_order"`
	Fields    []string       `json:"fields"`
	Content   *awkwardForm   `json:"content"`
	Contents  []*awkwardForm `json:"contents"`

	Parameters struct {
		Array string `json:"__array__"` // string, bytestring, char, byte, categorical
	} `json:"parameters"`
}

// Limits on forms, which come from the file.
const (
	maxFormBytes = 1 << 20
	maxFormDepth = 32
	maxFormNodes = 1 << 12
)

// awkward makes columns of forms.
type awkward struct {
	g     *h5.Group
	any   *h5.Dataset // one of the buffers, to report for what has none
	nodes int
}

// awkwardValues describes a group of encoding-type awkward-array, and returns its number of rows.
func awkwardValues(g *h5.Group) (convention.Values, int64, error) {
	text := object.Text(g, "form")
	if text == "" {
		return nil, 0, object.Unsupported(g, "an awkward array without the attribute form")
	}
	if len(text) > maxFormBytes {
		return nil, 0, object.Limit(g, "a form of %d bytes", len(text))
	}
	form := &awkwardForm{}
	if err := json.Unmarshal([]byte(text), form); err != nil {
		return nil, 0, object.Corrupt(g, "the attribute form is not that of an awkward array: %v", err)
	}
	all, _, err := column.Datasets(g)
	if err != nil {
		return nil, 0, err
	}
	if len(all) == 0 {
		return nil, 0, object.Unsupported(g, "an awkward array without buffers")
	}
	w := &awkward{g: g, any: all[0]}
	v, rows, err := w.values(form, 0)
	if err != nil {
		return nil, 0, err
	}
	a, err := g.Attribute("length")
	if err != nil {
		return nil, 0, err
	}
	if a == nil {
		return v, rows, nil
	}
	if n, ok := a.Int(); !ok || n != rows {
		return nil, 0, object.Corrupt(g, "an awkward array of length %d whose buffers have %d rows", n, rows)
	}
	return v, rows, nil
}

// values describes a form, and returns the number of its rows.
func (w *awkward) values(f *awkwardForm, depth int) (v convention.Values, rows int64, err error) {
	if w.nodes++; depth > maxFormDepth || w.nodes > maxFormNodes {
		return nil, 0, object.Limit(w.g, "a form of more than %d levels or %d parts", maxFormDepth, maxFormNodes)
	}
	if f == nil {
		return nil, 0, object.Corrupt(w.g, "a form without content")
	}
	switch f.Class {
	case "NumpyArray":
		return w.numbers(f)
	case "EmptyArray":
		return &convention.Empty{Data: w.any, Type: arrow.Null}, 0, nil
	case "UnmaskedArray":
		return w.values(f.Content, depth+1)
	case "RecordArray":
		return w.record(f, depth)
	case "ListOffsetArray":
		return w.list(f, depth)
	case "RegularArray":
		return w.regular(f, depth)
	case "IndexedArray", "IndexedOptionArray":
		return w.indexed(f, depth)
	case "ByteMaskedArray", "BitMaskedArray":
		return w.masked(f, depth)
	}
	return nil, 0, object.Unsupported(w.g, "an awkward array of class %q", f.Class)
}

// buffer opens one of the datasets of a form.
func (w *awkward) buffer(f *awkwardForm, role string) (*h5.Dataset, error) {
	d, err := object.Required(w.g, f.Key+"-"+role)
	if err == nil && d.Space().Class != h5.SpaceSimple {
		err = object.Corrupt(d, "a buffer of an awkward array is a list")
	}
	return d, err
}

func (w *awkward) numbers(f *awkwardForm) (convention.Values, int64, error) {
	d, err := w.buffer(f, "data")
	if err != nil {
		return nil, 0, err
	}
	p := convention.NewStored(d)
	if strings.HasPrefix(f.Primitive, "datetime64") || strings.HasPrefix(f.Primitive, "timedelta64") {
		p.DType = f.Primitive
	}
	if f.Primitive == "bool" {
		column.Booleans(p)
	}
	if len(d.Dims()) > 1 {
		return p, d.Rows(), nil
	}
	v, rows := convention.Values(p), d.Rows()
	for i := len(f.Inner) - 1; i >= 0; i-- {
		if v, rows, err = w.group(v, rows, f.Inner[i]); err != nil {
			return nil, 0, err
		}
	}
	return v, rows, nil
}

// group makes lists of size values.
func (w *awkward) group(v convention.Values, rows, size int64) (convention.Values, int64, error) {
	if size < 1 {
		return nil, 0, object.Unsupported(w.g, "an awkward array of lists of %d items", size)
	}
	if rows%size != 0 {
		return nil, 0, object.Corrupt(w.g, "an awkward array of %d items in lists of %d", rows, size)
	}
	return &convention.Grouped{Of: v, Size: size}, rows / size, nil
}

// record describes the fields of a record; those of a tuple have numbers for names.
func (w *awkward) record(f *awkwardForm, depth int) (convention.Values, int64, error) {
	if len(f.Contents) == 0 || f.Fields != nil && len(f.Fields) != len(f.Contents) {
		return nil, 0, object.Unsupported(w.g, "records of %d fields with %d names", len(f.Contents), len(f.Fields))
	}
	s, rows := &convention.Struct{Data: w.any}, int64(0)
	for i, c := range f.Contents {
		v, n, err := w.values(c, depth+1)
		if err != nil {
			return nil, 0, err
		}
		if i > 0 && n != rows {
			return nil, 0, object.Corrupt(w.g, "fields of a record with %d and %d rows", rows, n)
		}
		name := strconv.Itoa(i)
		if f.Fields != nil {
			name = f.Fields[i]
		}
		rows = n
		s.Fields = append(s.Fields, convention.Column{Name: name, Values: v})
	}
	return s, rows, nil
}

func (w *awkward) list(f *awkwardForm, depth int) (convention.Values, int64, error) {
	offsets, err := w.buffer(f, "offsets")
	if err != nil {
		return nil, 0, err
	}
	rows := offsets.Rows() - 1
	if f.Parameters.Array == "string" && f.Content != nil {
		data, err := w.buffer(f.Content, "data")
		return &convention.Strings{Data: data, Offsets: offsets}, rows, err
	}
	v, _, err := w.values(f.Content, depth+1)
	if err != nil {
		return nil, 0, err
	}
	l := &convention.List{Offsets: offsets, Items: []convention.Column{{Name: "item", Values: v}}}
	if f.Parameters.Array == "bytestring" {
		return bytesOf(l, offsets.Type().Size == 8), rows, nil
	}
	return l, rows, nil
}

func (w *awkward) regular(f *awkwardForm, depth int) (convention.Values, int64, error) {
	v, rows, err := w.values(f.Content, depth+1)
	if err == nil {
		v, rows, err = w.group(v, rows, f.Size)
	}
	if err != nil {
		return nil, 0, err
	}
	switch f.Parameters.Array {
	case "string":
		v = &convention.Derived{Of: v, Type: arrow.BinaryTypes.String, Reason: "bytes as text", Compute: fixedText}
	case "bytestring":
		v = &convention.Derived{Of: v, Type: &arrow.FixedSizeBinaryType{ByteWidth: int(f.Size)}, Reason: "items of bytes as bytes",
			Compute: func(in arrow.Array, _ int64, _ memory.Allocator) (arrow.Array, error) {
				return fixedBytes(in, int(f.Size))
			}}
	}
	return v, rows, nil
}

// indexed describes values by their numbers: a dictionary where they are categories, else the values themselves.
func (w *awkward) indexed(f *awkwardForm, depth int) (convention.Values, int64, error) {
	index, err := w.buffer(f, "index")
	if err != nil {
		return nil, 0, err
	}
	of, _, err := w.values(f.Content, depth+1)
	if err != nil {
		return nil, 0, err
	}
	if f.Parameters.Array != "categorical" {
		return &convention.Taken{Index: index, Of: of}, index.Rows(), nil
	}
	p := convention.NewStored(index)
	if f.Class == "IndexedOptionArray" {
		if p.Nulls, err = rule.MinusOne(index.Type()); err != nil {
			return nil, 0, h5err.About(err, index)
		}
	}
	return &convention.Dictionary{Indices: p, Labels: of}, index.Rows(), nil
}

// masked describes values with a byte or a bit each that says which are valid.
func (w *awkward) masked(f *awkwardForm, depth int) (convention.Values, int64, error) {
	mask, err := w.buffer(f, "mask")
	if err != nil {
		return nil, 0, err
	}
	of, rows, err := w.values(f.Content, depth+1)
	if err != nil {
		return nil, 0, err
	}
	if f.Class == "BitMaskedArray" {
		n := convention.Null{Kind: convention.NullBitmap, Data: mask, Bits: nullbitmap.MSBFirst, Set: nullbitmap.SetIsNull}
		if f.LSB {
			n.Bits = nullbitmap.LSBFirst
		}
		if f.ValidWhen {
			n.Set = nullbitmap.SetIsValid
		}
		return &convention.Masked{Of: of, Nulls: []convention.Null{n}}, rows, nil
	}
	n := convention.Null{Kind: convention.NullMask, Data: mask}
	if f.ValidWhen {
		if n.Rule, err = nullbitmap.Nonzero(mask.Type().Size, nullbitmap.SetIsValid); err != nil {
			return nil, 0, h5err.About(err, mask)
		}
	}
	return &convention.Masked{Of: of, Nulls: []convention.Null{n}}, rows, nil
}

// bytesOf makes bytes of lists of items of one byte.
func bytesOf(l *convention.List, wide bool) convention.Values {
	t := arrow.DataType(arrow.BinaryTypes.Binary)
	if wide {
		t = arrow.BinaryTypes.LargeBinary
	}
	return &convention.Derived{Of: l, Type: t, Reason: "items of bytes as bytes", Compute: func(in arrow.Array, _ int64, _ memory.Allocator) (arrow.Array, error) {
		items, ok := in.(array.ListLike)
		if !ok || items.ListValues().DataType().ID() != arrow.UINT8 || items.ListValues().NullN() > 0 {
			return nil, h5err.New(h5err.Unsupported, "bytes of %s", in.DataType())
		}
		d := in.Data()
		bytes := items.ListValues().Data()
		var text *memory.Buffer
		if b := bytes.Buffers()[1]; b != nil {
			text = memory.SliceBuffer(b, bytes.Offset(), bytes.Len())
			defer text.Release()
		}
		data := array.NewData(t, d.Len(), []*memory.Buffer{d.Buffers()[0], d.Buffers()[1], text}, nil, d.NullN(), d.Offset())
		defer data.Release()
		return array.MakeFromData(data), nil
	}}
}

// fixedText makes text of lists of as many bytes each.
func fixedText(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
	l, ok := in.(*array.FixedSizeList)
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "text of %s", in.DataType())
	}
	bytes, ok := l.ListValues().(*array.Uint8)
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "text of %s", in.DataType())
	}
	b := array.NewStringBuilder(mem)
	defer b.Release()
	for i := range l.Len() {
		lo, hi := l.ValueOffsets(i)
		s := string(bytes.Uint8Values()[lo:hi])
		if strings.ToValidUTF8(s, "") != s {
			return nil, h5err.New(h5err.Corrupt, "row %d: text that is not UTF-8", row0+int64(i))
		}
		b.Append(s)
	}
	return b.NewArray(), nil
}

// fixedBytes makes elements of size bytes of lists of them.
func fixedBytes(in arrow.Array, size int) (arrow.Array, error) {
	l, ok := in.(*array.FixedSizeList)
	if !ok || l.ListValues().DataType().ID() != arrow.UINT8 {
		return nil, h5err.New(h5err.Unsupported, "bytes of %s", in.DataType())
	}
	items := l.ListValues().Data()
	lo := items.Offset() + l.Data().Offset()*size
	buffers := []*memory.Buffer{nil, nil}
	if b := items.Buffers()[1]; b != nil {
		buffers[1] = memory.SliceBuffer(b, lo, l.Len()*size)
		defer buffers[1].Release()
	}
	data := array.NewData(&arrow.FixedSizeBinaryType{ByteWidth: size}, l.Len(), buffers, nil, 0, 0)
	defer data.Release()
	return array.MakeFromData(data), nil
}
