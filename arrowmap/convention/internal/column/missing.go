package column

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// WithMissing adds the nulls that attributes of R's and Bioconductor's writers ask for: missing-value-placeholder, a
// value that stands for "missing", and rhdf5-NA.OK, R's NA in integers. Values that are no *Plain have none.
func WithMissing(o h5.Object, v convention.Values) (convention.Values, error) {
	p, ok := v.(*convention.Plain)
	if !ok || p.Member != convention.Whole {
		return v, nil
	}
	t := p.Data.Type()
	a, err := o.Attribute("missing-value-placeholder")
	if err != nil {
		return nil, err
	}
	if a != nil {
		return placeholder(p, a)
	}
	if a, err = o.Attribute("rhdf5-NA.OK"); err != nil || a == nil {
		return v, err
	}
	if n, ok := a.Int(); !ok || n == 0 || t.Class != h5.ClassFixed || !t.Signed || t.Size != 4 && t.Size != 8 {
		return v, nil // R has no other integers, and its floats have NaN
	}
	r, err := nullbitmap.Equal(nullbitmap.Stored(1<<(8*t.Size-1), t.Size, rule.ByteOrder(t)))
	n, err := rule.New(r, err, "NA of R")
	p.Nulls = append(p.Nulls, n)
	return p, err
}

// placeholder makes values that equal an attribute null: numbers by a rule, text by comparing.
func placeholder(p *convention.Plain, a *h5.Attribute) (convention.Values, error) {
	const words = "missing-value-placeholder"
	t := p.Data.Type()
	if t.Class == h5.ClassString || object.VarText(t) {
		s, ok := a.Text()
		if !ok {
			return nil, object.Corrupt(p.Data, "the attribute %s is not text", words)
		}
		if len(p.Data.RowDims()) > 0 {
			return nil, object.Unsupported(p.Data, "%s in rows of several texts", words)
		}
		return &convention.Derived{Of: p, Type: arrow.BinaryTypes.String, Reason: "text equal to " + words + " is missing",
			Compute: func(in arrow.Array, _ int64, mem memory.Allocator) (arrow.Array, error) {
				return withoutText(in, s, mem)
			}}, nil
	}
	switch {
	case t.Class == h5.ClassFixed, t.Class == h5.ClassFloat, t.Class == h5.ClassEnum:
		values := rule.Values(a, t)
		if len(values) == 0 || t.Size > 8 || t.Size&(t.Size-1) != 0 {
			return p, nil
		}
		nulls, err := rule.Equal(t, values[:1], words)
		p.Nulls = append(p.Nulls, nulls...)
		return p, err
	}
	return p, nil
}

// withoutText copies an array of text; what equals a text becomes null.
func withoutText(in arrow.Array, text string, mem memory.Allocator) (arrow.Array, error) {
	s, ok := in.(array.StringLike)
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "text of type %s", in.DataType())
	}
	b := array.NewStringBuilder(mem)
	defer b.Release()
	b.Reserve(in.Len())
	for i := range in.Len() {
		if v := s.Value(i); s.IsNull(i) || v == text {
			b.AppendNull()
		} else {
			b.Append(v)
		}
	}
	return b.NewArray(), nil
}
