package physics

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// DetectGWOSC recognizes files of the Gravitational Wave Open Science Center: /strain, a table of the samples, and
// /quality, whose bit fields have one entry a second. Bit i of a mask is a boolean column named by entry i of its short
// names; it is true where the check was passed.
func DetectGWOSC(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	if g.Path() == "/strain" {
		return gwoscStrain(g)
	}
	if object.Parent(g.Path()) != "/quality/" {
		return nil, nil
	}
	for _, n := range [][3]string{{"DQmask", "DQShortnames", "DQDescriptions"}, {"Injmask", "InjShortnames", "InjDescriptions"}} {
		if !object.Has(g, n[0], n[1]) {
			continue
		}
		columns, err := bits(g, n[0], n[1], n[2])
		if err != nil {
			return nil, err
		}
		return []*convention.Table{{Path: g.Path(), Object: g, Reason: "a mask of bits with their names", Columns: columns}}, nil
	}
	return nil, nil
}

func gwoscStrain(g *h5.Group) ([]*convention.Table, error) {
	root := g.File().Root()
	if !object.Has(g, "Strain") || !object.Has(root, "meta", "quality") {
		return nil, nil
	}
	d, err := object.Required(g, "Strain")
	if err != nil || d.Space().Class != h5.SpaceSimple {
		return nil, err
	}
	return []*convention.Table{{Path: g.Path(), Object: g, Reason: "a dataset Strain beside meta and quality",
		Columns: []convention.Column{column.Of("Strain", d)}, Inner: object.Below(d.Path())}}, nil
}

// bits describes a mask of bits: itself, and a column for each bit that has a name.
func bits(g *h5.Group, mask, names, words string) ([]convention.Column, error) {
	m, err := object.Required(g, mask)
	if err != nil {
		return nil, err
	}
	d, err := object.Required(g, names)
	if err != nil {
		return nil, err
	}
	if t := m.Type(); t.Class != h5.ClassFixed && t.Class != h5.ClassBitfield || len(m.Dims()) != 1 {
		return nil, object.Corrupt(m, "a mask of %s of shape %v", t, m.Dims())
	}
	short, err := object.Texts(d)
	if err != nil {
		return nil, err
	}
	if len(short) > 8*m.Type().Size {
		return nil, object.Corrupt(d, "%d names for %d bits", len(short), 8*m.Type().Size)
	}
	var long []string
	if d, ok := object.Member(g, words).(*h5.Dataset); ok {
		if long, err = object.Texts(d); err != nil {
			long = nil // descriptions only
		}
	}
	columns := []convention.Column{column.Of(mask, m)}
	for i, name := range short {
		c := convention.Column{Name: name, Values: &convention.Derived{Of: convention.NewStored(m), Type: arrow.FixedWidthTypes.Boolean,
			Reason: "a bit of a mask", Compute: func(in arrow.Array, _ int64, mem memory.Allocator) (arrow.Array, error) { return bit(in, i, mem) }}}
		if i < len(long) {
			c.Metadata = map[string]string{"description": long[i]}
		}
		columns = append(columns, c)
	}
	return columns, nil
}

// bit takes one bit of each integer.
func bit(in arrow.Array, i int, mem memory.Allocator) (arrow.Array, error) {
	b := array.NewBooleanBuilder(mem)
	defer b.Release()
	b.Reserve(in.Len())
	var at func(int) uint64
	switch a := in.(type) {
	case *array.Uint8:
		at = func(k int) uint64 { return uint64(a.Value(k)) }
	case *array.Int8:
		at = func(k int) uint64 { return uint64(a.Value(k)) }
	case *array.Uint16:
		at = func(k int) uint64 { return uint64(a.Value(k)) }
	case *array.Int16:
		at = func(k int) uint64 { return uint64(a.Value(k)) }
	case *array.Uint32:
		at = func(k int) uint64 { return uint64(a.Value(k)) }
	case *array.Int32:
		at = func(k int) uint64 { return uint64(a.Value(k)) }
	case *array.Uint64:
		at = a.Value
	case *array.Int64:
		at = func(k int) uint64 { return uint64(a.Value(k)) }
	default:
		return nil, h5err.New(h5err.Unsupported, "bits of %s", in.DataType())
	}
	for k := range in.Len() {
		if in.IsNull(k) {
			b.AppendNull()
		} else {
			b.UnsafeAppend(at(k)>>i&1 != 0)
		}
	}
	return b.NewArray(), nil
}
