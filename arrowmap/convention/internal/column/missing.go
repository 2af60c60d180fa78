package column

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/arrays"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// WithMissing adds the nulls that attributes of R's and Bioconductor's writers ask for: missing-value-placeholder, a
// value that stands for "missing", and those of rhdf5. Values that are not a *Plain have none.
func WithMissing(o h5.Object, v convention.Values) (convention.Values, error) {
	p, ok := v.(*convention.Plain)
	if !ok || p.Member != convention.Whole {
		return v, nil
	}
	a, err := o.Attribute("missing-value-placeholder")
	if err != nil {
		return nil, err
	}
	if a != nil {
		return placeholder(p, a)
	}
	return rValues(o, p)
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
		return withoutText(p, s, words), nil
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

// withoutText makes text equal to a text null, for the reason in words.
func withoutText(p *convention.Plain, text, words string) convention.Values {
	return OverItems(p, p.ItemDims(), arrow.BinaryTypes.String, "text equal to "+words+" is missing",
		func(items arrow.Array, mem memory.Allocator) (arrow.Array, error) { return otherText(items, text, mem) })
}

// OverItems derives values of type t from the items in rows of a shape. Shapes that rows can't have are left to the
// reader of the values, which refuses them.
func OverItems(of convention.Values, dims []uint64, t arrow.DataType, reason string, fn func(items arrow.Array, mem memory.Allocator) (arrow.Array, error)) convention.Values {
	t, ok := arrays.Nested(t, dims)
	if !ok {
		return of
	}
	return &convention.Derived{Of: of, Type: t, Reason: reason, Compute: func(in arrow.Array, _ int64, mem memory.Allocator) (arrow.Array, error) {
		return arrays.Itemwise(in, t, func(items arrow.Array) (arrow.Array, error) { return fn(items, mem) })
	}}
}

// otherText copies an array of text; what equals a text becomes null.
func otherText(in arrow.Array, text string, mem memory.Allocator) (arrow.Array, error) {
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
