package netcdf

import (
	"bytes"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/arrays"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// isChar reports whether a type is netCDF's char.
func isChar(t *h5.Type) bool { return t.Class == h5.ClassString && t.Size == 1 }

// isText reports whether a type is text.
func isText(t *h5.Type) bool { return t.Class == h5.ClassString || object.VarText(t) }

// maxText bounds the characters of a text.
const maxText = 1 << 30

// chars describes characters whose last dimension is the length of a text. With one, the only dimension is, and there is
// one text.
func (a *attributes) chars(p *convention.Plain, one bool) (convention.Values, error) {
	dims := p.ItemDims()
	if one {
		dims = p.Data.Dims()
		p.OneRow = true
	}
	if len(dims) > 0 {
		n := dims[len(dims)-1]
		if n == 0 || n > maxText {
			return nil, h5err.New(h5err.Unsupported, "text of %d characters", n)
		}
		p.As = textType(int(n), p.Data.Type())
		p.RowDims = dims[:len(dims)-1]
	}
	return a.text(p, len(p.RowDims))
}

// textType is the type of n characters.
func textType(n int, char *h5.Type) *h5.Type {
	return &h5.Type{Class: h5.ClassString, Size: n, Pad: h5.NullPad, CharSet: max(char.CharSet, h5.UTF8)}
}

// text describes text of rows of a rank: what equals _FillValue or missing_value is null. In characters, the fill value
// is one of them: text of nothing else is null, and at the end of other text it is padding.
func (a *attributes) text(p *convention.Plain, rank int) (convention.Values, error) {
	switch strings.ToLower(object.Text(p.Data, "_Encoding")) {
	case "latin1", "latin-1", "iso-8859-1", "iso8859-1":
		p.Latin1 = true
	}
	var missing []string
	words := ""
	for _, name := range []string{"_FillValue", "missing_value"} {
		at, err := a.d.Attribute(name)
		if err != nil {
			return nil, err
		}
		if at == nil {
			continue
		}
		v, ok := at.Strings()
		if !ok || len(v) == 0 {
			a.passOver(name, "it is not text")
			continue
		}
		missing = append(missing, v...)
		if words != "" {
			words += "; "
		}
		words += name + "=" + cut(strings.Join(v, ","))
	}
	if missing == nil {
		return p, nil
	}
	chars := isChar(p.Data.Type())
	out := &convention.Derived{Of: p, Reason: "text that equals a fill value is null", Nulls: words}
	out.Compute = func(in arrow.Array, _ int64, mem memory.Allocator) (arrow.Array, error) {
		return withoutText(in, missing, chars, mem)
	}
	if rank > 0 {
		out = overItems(out, p.RowDims)
	}
	return out, nil
}

// withoutText makes text null that equals one of those missing. With chars, a missing character at the end is left out
// of text that has others.
func withoutText(in arrow.Array, missing []string, chars bool, mem memory.Allocator) (arrow.Array, error) {
	var value func(i int) []byte
	switch a := in.(type) {
	case *array.String:
		value = func(i int) []byte { return []byte(a.Value(i)) }
	case *array.Binary:
		value = a.Value
	default:
		return nil, h5err.New(h5err.Unsupported, "text of type %s", in.DataType())
	}
	if chars && slices.ContainsFunc(missing, func(s string) bool { return len(s) == 1 }) {
		return trimmed(in, value, missing, mem), nil
	}
	in.Retain()
	return arrays.Without(in, func(i int) bool { return slices.Contains(missing, string(value(i))) }, mem), nil
}

// trimmed is withoutText for characters.
func trimmed(in arrow.Array, value func(i int) []byte, missing []string, mem memory.Allocator) arrow.Array {
	b := array.NewBinaryBuilder(mem, arrow.BinaryTypes.Binary)
	defer b.Release()
	b.Reserve(in.Len())
	for i := range in.Len() {
		if in.IsNull(i) {
			b.AppendNull()
			continue
		}
		v := value(i)
		null := slices.Contains(missing, string(v))
		for _, m := range missing {
			if len(m) != 1 || null || len(v) == 0 {
				continue
			}
			v = bytes.TrimRight(v, m)
			null = len(v) == 0
		}
		if null {
			b.AppendNull()
		} else {
			b.Append(v)
		}
	}
	out := b.NewArray()
	defer out.Release()
	d := out.Data()
	data := array.NewData(in.DataType(), d.Len(), d.Buffers(), nil, d.NullN(), d.Offset())
	defer data.Release()
	return array.MakeFromData(data)
}

// withText returns a type in which arrays of characters in compounds are text; ok is false where there are none.
func withText(t *h5.Type, inside bool) (out *h5.Type, ok bool) {
	switch t.Class {
	case h5.ClassArray:
		last := len(t.Dims) - 1
		if inside && isChar(t.Base) && last >= 0 && t.Dims[last] > 0 && t.Dims[last] <= maxText {
			text := textType(int(t.Dims[last]), t.Base)
			if last == 0 {
				return text, true
			}
			return &h5.Type{Class: h5.ClassArray, Size: t.Size, Base: text, Dims: t.Dims[:last]}, true
		}
		fallthrough
	case h5.ClassVLen:
		base, ok := t.Base, false
		if base != nil && !t.VarString {
			base, ok = withText(base, inside)
		}
		made := *t
		made.Base = base
		return &made, ok
	case h5.ClassCompound:
		made := *t
		made.Members = slices.Clone(t.Members)
		for i, m := range t.Members {
			if text, is := withText(m.Type, true); is {
				made.Members[i].Type, ok = text, true
			}
		}
		return &made, ok
	}
	return t, false
}

// compound describes a compound dataset of a netCDF file as a table if there are characters in it that are text.
// Otherwise it is a table like any other.
func compound(d *h5.Dataset) ([]*convention.Table, error) {
	if !object.IsTable(d) {
		return nil, nil
	}
	t, ok := withText(d.Type(), false)
	if !ok {
		return nil, nil
	}
	marked, _ := d.File().Root().Attribute("_NCProperties")
	dims, _ := d.Attribute("DIMENSION_LIST")
	if marked == nil && dims == nil {
		return nil, nil
	}
	out := &convention.Table{Path: d.Path(), Object: d, Reason: "a compound variable of netCDF with characters"}
	for i, m := range d.Type().Members {
		p := convention.NewMember(d, i)
		if t.Members[i].Type != m.Type {
			p.As = t.Members[i].Type
		}
		out.Columns = append(out.Columns, convention.Column{Name: m.Name, Values: p})
	}
	return []*convention.Table{out}, nil
}
