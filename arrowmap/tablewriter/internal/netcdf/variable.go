package netcdf

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/tablewriter/internal/frame"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/encode"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// variable says how a column is stored.
type variable struct {
	typ     *h5.Type
	dims    []uint64 // of a row
	fill    []byte   // as stored; text as it is; nil: none
	isText  bool
	members []string // of an enumeration
	notes   []note   // attributes
	bytes   func(a arrow.Array, row0 int64) ([]byte, error)
}

// note is an attribute: text, a double, or flags.
type note struct {
	name  string
	value any
}

// flags are integers.
type flags struct {
	typ    *h5.Type
	values []byte
}

// variableOf plans the variable of a column.
func variableOf(c *frame.Column) (*variable, error) {
	if c.Labels != nil {
		return categories(c)
	}
	if isText(c.Type) {
		return textual(c)
	}
	v := &variable{}
	t := itemOf(c.Type)
	if d, ok := c.Field.Type.(arrow.DecimalType); ok { // which is kept as an unscaled integer
		v.notes = append(v.notes, note{"scale_factor", math.Pow10(-int(d.GetScale()))})
	}
	switch t := t.(type) {
	case *arrow.BooleanType:
		return v, v.booleans(c)
	case *arrow.NullType:
		return v, v.numbers(c, arrow.PrimitiveTypes.Int8, integers(1, true)[0], func(a arrow.Array) (arrow.Array, error) {
			return array.MakeArrayOfNull(memory.DefaultAllocator, arrow.PrimitiveTypes.Int8, a.Len()), nil
		}, 0)
	case *arrow.TimestampType:
		v.since(plural[t.Unit])
		if t.TimeZone != "" {
			v.notes = append(v.notes, note{dtype.ZoneAttribute, t.TimeZone})
		}
	case *arrow.Date32Type:
		v.since("days")
	case *arrow.Date64Type:
		v.since("milliseconds")
	case *arrow.DurationType:
		v.span(t.Unit)
	case *arrow.Time32Type:
		v.span(t.Unit)
	case *arrow.Time64Type:
		v.span(t.Unit)
	default:
		return v, v.plain(c, t)
	}
	var fill []byte
	if c.Nulls+c.ItemNulls > 0 {
		fill = nullbitmap.Stored(1<<63, 8, nullbitmap.LittleEndian)
	}
	return v, v.numbers(c, arrow.PrimitiveTypes.Int64, fill, frame.Int64, 0)
}

var plural = map[arrow.TimeUnit]string{arrow.Second: "seconds", arrow.Millisecond: "milliseconds", arrow.Microsecond: "microseconds", arrow.Nanosecond: "nanoseconds"}

// since marks times.
func (v *variable) since(unit string) {
	v.notes = append(v.notes, note{"units", unit + " since 1970-01-01"}, note{"calendar", "proleptic_gregorian"})
}

// span marks durations, as xarray does.
func (v *variable) span(u arrow.TimeUnit) {
	v.notes = append(v.notes, note{"units", plural[u]}, note{"dtype", "timedelta64[" + u.String() + "]"})
}

// booleans plans 0 and 1. xarray makes booleans of them, which have no nulls.
func (v *variable) booleans(c *frame.Column) error {
	var fill []byte
	if c.Nulls+c.ItemNulls > 0 {
		fill = integers(1, true)[0]
	} else {
		v.notes = append(v.notes, note{"dtype", "bool"})
	}
	v.notes = append(v.notes, note{"flag_values", flags{int8Type(), []byte{0, 1}}}, note{"flag_meanings", "false true"})
	return v.numbers(c, arrow.PrimitiveTypes.Int64, fill, frame.Int64, 1)
}

// plain plans numbers. Those without a value to spare for nulls are stored in more bytes, as are half floats, which netCDF lacks.
func (v *variable) plain(c *frame.Column, t arrow.DataType) error {
	width := t.(arrow.FixedWidthDataType).Bytes()
	fill, ok := fillOf(c)
	switch {
	case t.ID() == arrow.FLOAT16:
		if width = 4; c.Nulls+c.ItemNulls > 0 {
			fill = floats(4)[0]
		}
	case !ok && width < 8 && arrow.IsInteger(t.ID()):
		width *= 2
		fill = integers(width, arrow.IsSignedInteger(t.ID()))[0]
	case !ok && c.Nulls+c.ItemNulls > 0:
		return h5err.New(h5err.Unsupported, "nulls among values of %s that leave none for a fill value", t).WithHint("cast it to another type, or use the layout vaex")
	}
	same := func(a arrow.Array) (arrow.Array, error) { a.Retain(); return a, nil }
	return v.numbers(c, t, fill, same, width)
}

// numbers plans values that are converted to a type first, and stored in a number of bytes, 0 for their own.
func (v *variable) numbers(c *frame.Column, t arrow.DataType, fill []byte, convert func(arrow.Array) (arrow.Array, error), width int) error {
	o := encode.Options{Nulls: encode.NullsMask, Width: width}
	if fill != nil {
		o.Nulls, o.Sentinel = encode.NullsSentinel, fill
	}
	row := c.Type
	for l, ok := row.(*arrow.FixedSizeListType); ok; l, ok = row.(*arrow.FixedSizeListType) {
		v.dims, row = append(v.dims, uint64(l.Len())), l.Elem()
	}
	for i := range v.dims {
		t = arrow.FixedSizeListOf(int32(v.dims[len(v.dims)-1-i]), t)
	}
	p, err := encode.New(arrow.Field{Name: c.Field.Name, Type: t}, o)
	if err != nil {
		return err
	}
	v.typ, v.fill = p.Datasets[0].Type, fill
	v.bytes = func(a arrow.Array, row0 int64) ([]byte, error) {
		in, err := frame.Items(a, convert)
		if err != nil {
			return nil, err
		}
		defer in.Release()
		out, err := p.Encode(in, row0)
		if err != nil {
			return nil, err
		}
		return append([]byte{}, out[0].Bytes...), nil // which may be the array's
	}
	return nil
}

// textual plans strings. The fill value of those with nulls is a text that none of them equals.
func textual(c *frame.Column) (*variable, error) {
	v := &variable{isText: true}
	if c.Nulls > 0 {
		if v.fill = c.Free(); v.fill == nil {
			v.fill = []byte(strings.Repeat("_", c.Longest+1))
		}
	}
	p, err := encode.New(arrow.Field{Name: c.Field.Name, Type: arrow.BinaryTypes.String}, encode.Options{Nulls: encode.NullsMask, Text: encode.TextHeap})
	if err != nil {
		return nil, err
	}
	v.typ = p.Datasets[0].Type
	v.bytes = func(a arrow.Array, row0 int64) ([]byte, error) {
		in, err := filled(a, string(v.fill))
		if err != nil {
			return nil, err
		}
		defer in.Release()
		out, err := p.Encode(in, row0)
		if err != nil {
			return nil, err
		}
		return out[0].Bytes, nil
	}
	return v, nil
}

// filled returns text with a text in place of nulls.
func filled(a arrow.Array, fill string) (arrow.Array, error) {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	text := a.(array.StringLike)
	for i := range a.Len() {
		if a.IsNull(i) {
			b.Append(fill)
		} else {
			b.Append(text.Value(i))
		}
	}
	return b.NewArray(), nil
}

// maxNames is the number of bytes that the names of an enumeration have at most: its type is in an object header.
const maxNames = 32 << 10

// categories plans an enumeration of the labels that has CF's flags too, or, where labels are not single words, strings.
func categories(c *frame.Column) (*variable, error) {
	labels := frame.Plain(c.Labels)
	defer labels.Release()
	text := labels.(array.StringLike)
	size := 0
	v := &variable{}
	for i := range labels.Len() {
		name := text.Value(i)
		if size += len(name) + 8; size > maxNames || !canName(name) || labels.Len() > math.MaxInt16 {
			return labelText(c)
		}
		v.members = append(v.members, strings.Clone(name))
	}
	if len(v.members) == 0 { // HDF5 has no enumerations without members
		return labelText(c)
	}
	width := 1
	if labels.Len() > math.MaxInt8 {
		width = 2
	}
	base := int8Type()
	base.Size, base.Precision = width, 8*width
	v.typ = &h5.Type{Class: h5.ClassEnum, Size: width, Base: base, Names: v.members}
	for i := range v.members {
		v.typ.Values = append(v.typ.Values, nullbitmap.Stored(uint64(i), width, nullbitmap.LittleEndian)...)
	}
	v.flags(base)
	none := nullbitmap.Stored(math.MaxUint64, width, nullbitmap.LittleEndian)
	if c.Nulls > 0 {
		v.fill = none
	}
	v.bytes = func(a arrow.Array, _ int64) ([]byte, error) {
		out := []byte(strings.Repeat(string(none), a.Len()))
		err := frame.Integers(a, func(i int, x int64) error {
			copy(out[i*width:], nullbitmap.Stored(uint64(x), width, nullbitmap.LittleEndian))
			return nil
		})
		return out, err
	}
	return v, nil
}

// flags adds what CF has in place of enumerations, which it does not know.
func (v *variable) flags(base *h5.Type) {
	v.notes = append(v.notes, note{"flag_values", flags{base, v.typ.Values}}, note{"flag_meanings", strings.Join(v.members, " ")})
}

func int8Type() *h5.Type {
	return &h5.Type{Class: h5.ClassFixed, Size: 1, Order: h5.LittleEndian, Signed: true, Precision: 8}
}

// labelText plans strings: the label of each row.
func labelText(c *frame.Column) (*variable, error) {
	all := &frame.Column{Field: c.Field, Type: arrow.BinaryTypes.String, Marks: Layout{}.Marks(arrow.BinaryTypes.String)}
	all.Look(c.Labels)
	all.Nulls = c.Nulls
	v, err := textual(all)
	if err != nil {
		return nil, err
	}
	write := v.bytes
	v.bytes = func(a arrow.Array, row0 int64) ([]byte, error) {
		text, err := frame.Labels(a, c.Labels)
		if err != nil {
			return nil, err
		}
		defer text.Release()
		return write(text, row0)
	}
	return v, nil
}

// canName reports whether netCDF allows a name, and CF's flags have it: a word without slashes and control characters, a letter, digit or
// underscore first.
func canName(s string) bool {
	odd := func(r rune) bool { return r < ' ' || r == 0x7f || r == '/' || unicode.IsSpace(r) }
	if s == "" || len(s) > 255 || !utf8.ValidString(s) || strings.ContainsFunc(s, odd) {
		return false
	}
	c := s[0]
	return c >= 0x80 || c == '_' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
