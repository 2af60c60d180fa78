package column

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/stored"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// Restored gives values the Arrow type that an attribute of an object names, which package arrowmap/tablewriter writes where HDF5 has
// no such type. Without the attribute, values are as they are.
func Restored(o h5.Object, v convention.Values) (convention.Values, error) {
	a, err := o.Attribute(stored.Attribute)
	if err != nil || a == nil || v == nil {
		return v, err
	}
	text, ok := a.Text()
	if !ok {
		return nil, object.Corrupt(o, "the attribute %s is not text", stored.Attribute)
	}
	t, err := stored.Parse(text)
	if err != nil {
		return nil, h5err.About(err, o)
	}
	return &convention.Derived{Of: v, Type: t, Reason: "stored as another type", Compute: func(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
		return stored.Restore(in, t, row0, mem)
	}}, nil
}

// Sentinel adds the nulls that are values, if the attribute h5arrow.nulls of a dataset is "sentinel": those equal to the attribute
// _FillValue, or NaN where there is none.
func Sentinel(p *convention.Plain) error {
	if object.Text(p.Data, dtype.NullsAttribute) != "sentinel" {
		return nil
	}
	a, err := p.Data.Attribute("_FillValue")
	if err != nil {
		return err
	}
	t := p.Data.Type()
	var nulls []convention.Null
	switch {
	case a == nil && t.Class == h5.ClassFloat:
		var n convention.Null
		r, e := nullbitmap.NaN(t.Size, rule.ByteOrder(t))
		n, err = rule.New(r, e, "NaN is null")
		nulls = append(nulls, n)
	case a != nil && len(a.Raw()) == t.Size && a.Type().String() == t.String():
		nulls, err = rule.Equal(t, [][]byte{a.Raw()}, "_FillValue")
	default:
		err = h5err.New(h5err.Corrupt, "the attribute _FillValue is not one value of the dataset's type")
	}
	if err != nil {
		return h5err.About(err, p.Data)
	}
	p.Nulls = append(p.Nulls, nulls...)
	return nil
}
