package pandas

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/arrays"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/arrowmap/convention/pandas/label"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// values describes values of a kind. dt is the type's name, with a unit where it has one.
func (t *table) values(p place, kind, dt string, missing mark) (convention.Values, fieldType, error) {
	m := t.member[p.member]
	v := convention.NewMember(t.d, m)
	item := t.d.Type().Members[m].Type
	if item.Class == h5.ClassArray {
		v, item = convention.NewMemberItem(t.d, m, p.item), item.Base
	}
	zone, err := label.Zone(t.fact(p.attr, "tz"))
	if err != nil {
		return nil, fieldType{}, err
	}
	return t.describe(v, item, kind, dt, zone, missing)
}

// describe gives a Plain of elements of a type the meaning that a kind of pandas has.
func (s *store) describe(v *convention.Plain, item *h5.Type, kind, dt, zone string, missing mark) (convention.Values, fieldType, error) {
	d := v.Data
	v.Bools = true
	name := numpyName(item)
	typ := fieldType{logical: name, numpy: name}
	switch {
	case item.Class == h5.ClassVLen:
		return nil, typ, object.Unsupported(d, "a pickle of Python objects")
	case strings.HasPrefix(kind, "datetime64"):
		v.DType, v.Zone = withUnit(dt, "datetime64"), zone
		typ = fieldType{logical: "datetime", numpy: v.DType}
		if zone != "" {
			typ.logical, typ.more = "datetimetz", map[string]any{"timezone": zone}
		}
	case strings.HasPrefix(kind, "timedelta64"):
		v.DType = withUnit(dt, "timedelta64")
		typ = fieldType{logical: "object", numpy: v.DType}
	case kind == "period":
		nulls, err := missingPeriods(item)
		v.Nulls = nulls
		return v, typ, err
	case kind == "date":
		return dates(v), fieldType{logical: "date", numpy: "object"}, nil
	case kind == "datetime":
		return nil, typ, object.Unsupported(d, "times of an old version of pandas")
	case item.Class == h5.ClassString:
		if s.badEnc != nil {
			return nil, typ, s.badEnc
		}
		v.Latin1 = s.latin1
		v.As = object.Padded(item)
		nulls, err := s.textNulls(item, missing)
		v.Nulls = nulls
		return v, fieldType{logical: "unicode", numpy: "object"}, err
	case kind == "object":
		return nil, typ, object.Unsupported(d, "a column of Python objects")
	case item.Class == h5.ClassTime:
		v.Times = true
		typ = fieldType{logical: "datetime", numpy: "datetime64[ns]"}
	}
	return v, typ, nil
}

// withUnit is the type's name with its unit: nanoseconds where none is said.
func withUnit(dt, name string) string {
	if i := strings.IndexByte(dt, '['); i >= 0 && strings.HasSuffix(dt, "]") {
		unit, _, _ := strings.Cut(dt[i+1:len(dt)-1], ",")
		return name + "[" + unit + "]"
	}
	return name + "[ns]"
}

// textNulls is the rule that text equal to the mark is missing. Text that is too long for the column is never stored in it.
func (s *store) textNulls(t *h5.Type, m mark) ([]convention.Null, error) {
	text := []byte(m.text)
	if s.latin1 {
		text = text[:0]
		for _, r := range m.text {
			text = append(text, byte(r))
		}
	}
	if !m.set || len(text) > t.Size {
		return nil, nil
	}
	p := make([]byte, t.Size)
	copy(p, text)
	r, err := nullbitmap.Equal(p)
	if err != nil {
		return nil, h5err.Wrap(h5err.Unsupported, err, "text of %d bytes", t.Size)
	}
	return []convention.Null{{Kind: convention.NullRule, Rule: r, Text: "text " + label.Quote(m.text)}}, nil
}

// missingPeriods is the rule that the least integer is NaT.
func missingPeriods(t *h5.Type) ([]convention.Null, error) {
	if t.Class != h5.ClassFixed || t.Size != 8 || !t.Signed {
		return nil, h5err.New(h5err.Corrupt, "periods of %s: they must be integers of 64 bits", t)
	}
	p := make([]byte, 8)
	if p[7] = 0x80; t.Order == h5.BigEndian {
		p[0], p[7] = 0x80, 0
	}
	return rule.Equal(t, [][]byte{p}, "NaT")
}

// dates describes days that are counted from the first of January of year 1, which is day 1.
func dates(v *convention.Plain) convention.Values {
	const epoch, last = 719163, 3652059 // 1970-01-01, 9999-12-31
	return &convention.Derived{Of: v, Type: arrow.FixedWidthTypes.Date32, Reason: "days of the calendar become dates",
		Compute: func(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
			days := make([]int64, in.Len())
			if err := arrays.Integers(in, days); err != nil {
				return nil, err
			}
			buf := memory.NewResizableBuffer(mem)
			defer buf.Release()
			buf.Resize(4 * len(days))
			out := arrow.Date32Traits.CastFromBytes(buf.Bytes())
			for i, day := range days {
				if day < 1 || day > last {
					return nil, h5err.New(h5err.Unsupported, "row %d: %d is not a date", row0+int64(i), day)
				}
				out[i] = arrow.Date32(day - epoch)
			}
			data := array.NewData(arrow.FixedWidthTypes.Date32, len(days), []*memory.Buffer{nil, buf}, nil, 0, 0)
			defer data.Release()
			return array.MakeFromData(data), nil
		}}
}

// category describes codes, whose labels are a series of their own beside the table.
func (t *table) category(p place) (convention.Values, fieldType, error) {
	if t.depth > 0 {
		return nil, fieldType{}, object.Corrupt(t.g, "the labels of a category are a category")
	}
	v, typ, err := t.values(p, "integer", "", mark{})
	if err != nil {
		return nil, typ, err
	}
	codes := v.(*convention.Plain)
	m := t.d.Type().Members[codes.Member].Type
	if m.Class == h5.ClassArray {
		m = m.Base
	}
	if codes.Nulls, err = rule.MinusOne(m); err != nil {
		return nil, typ, h5err.About(err, t.d)
	}
	ordered, _ := t.fact(p.attr, "ordered").(bool)
	labels, n, err := t.labels(p.member)
	if err != nil {
		return nil, typ, err
	}
	typ = fieldType{logical: "categorical", numpy: typ.numpy, more: map[string]any{"num_categories": n, "ordered": ordered}}
	return &convention.Dictionary{Indices: codes, Labels: labels, Ordered: ordered}, typ, nil
}

// labels describes the labels of a category. A category without any has none stored.
func (t *table) labels(member string) (convention.Values, int64, error) {
	g := t.g
	for _, name := range []string{"meta", member, "meta"} {
		_, has, err := g.Link(name)
		if err != nil {
			return nil, 0, err
		}
		if !has {
			return &convention.Empty{Data: t.d, Type: arrow.PrimitiveTypes.Float64}, 0, nil
		}
		o, err := g.Open(name)
		if err != nil {
			return nil, 0, err
		}
		next, ok := o.(*h5.Group)
		if !ok {
			return nil, 0, object.Corrupt(o, "no group")
		}
		g = next
	}
	s := &store{g: g}
	if err := s.encoding(); err != nil {
		return nil, 0, err
	}
	f, err := s.tableFrame(t.depth + 1)
	if err != nil {
		return nil, 0, err
	}
	if len(f.columns) != 1 {
		return nil, 0, object.Corrupt(g, "%d columns where the labels of a category are expected", len(f.columns))
	}
	c := f.columns[0]
	if c.Err != nil {
		return nil, 0, c.Err
	}
	return c.Values, c.Values.Main().Rows(), nil
}
