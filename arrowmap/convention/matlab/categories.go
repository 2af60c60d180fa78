package matlab

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/mcos"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/store"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/values"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// categorical describes an array of categories: codes that count from 1, 0 for what is undefined.
func (m *maker) categorical(s *store.Store, d *h5.Dataset, o *mcos.Object, rows int64) (convention.Values, error) {
	codes, err := s.Dataset(d, o, "codes")
	if err != nil {
		return nil, err
	}
	dims, err := reversed(codes)
	if err != nil {
		return nil, err
	}
	sh, err := shapeOf(codes, dims, rows)
	if err != nil {
		return nil, err
	}
	ordinal, err := s.Property(o, "isOrdinal")
	if err != nil {
		return nil, err
	}
	names, err := s.Dataset(d, o, "categoryNames")
	if err != nil {
		return nil, err
	}
	labels, err := m.labels(names)
	if err != nil {
		return nil, err
	}
	t := codes.Type()
	if t.Class != h5.ClassFixed || t.Size > 8 {
		return nil, object.Corrupt(codes, "codes of %s: they must be integers", t)
	}
	ordered := false
	if v, ok := ordinal.(*h5.Dataset); ok && !store.IsEmpty(v) {
		f, err := scalar(v)
		if err != nil {
			return nil, err
		}
		ordered = f != 0
	}
	if sh.Rows == 0 {
		return &convention.Empty{Data: codes, Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String, Ordered: ordered}}, nil
	}
	return coded(codes, labels, sh, 1, ordered), nil
}

// coded describes codes of labels that count from first: as a dictionary, a matrix as text.
func coded(codes *h5.Dataset, labels convention.Values, sh values.Shape, first int64, ordered bool) convention.Values {
	if sh.Inner == nil {
		indices := &convention.Derived{Of: numbers(codes, codes.Type(), sh, nil), Type: arrow.PrimitiveTypes.Int32, Reason: fmt.Sprintf("codes count from %d", first),
			Compute: func(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
				return values.Indices(in, first, row0, mem)
			}}
		return &convention.Dictionary{Indices: indices, Labels: labels, Ordered: ordered}
	}
	return &convention.Computed{Data: codes, Rows: sh.Rows, Type: sh.ListType(arrow.BinaryTypes.String), Reason: "a matrix of categories as text",
		Block: convention.Alone(func(in []arrow.Array, mem memory.Allocator) (arrow.Array, error) {
			return values.Labels(in[0], in[1], first, sh, mem)
		}, convention.NewStored(codes), labels)}
}

// labels describes the names of categories, none of which is null.
func (m *maker) labels(d *h5.Dataset) (convention.Values, error) {
	if store.IsHandle(d, object.Text(d, "MATLAB_class"), true) {
		return m.object(d, ownRows)
	}
	if store.IsEmpty(d) {
		return &convention.Empty{Data: d, Type: arrow.BinaryTypes.String}, nil
	}
	v, err := m.cells(d)
	if err != nil {
		return nil, err
	}
	t, ok := v.(*convention.Derived)
	if !ok || t.Type != arrow.BinaryTypes.String {
		return nil, object.Unsupported(d, "names of categories that are not text")
	}
	if c, ok := t.Of.(*convention.Cells); ok {
		for i := range c.Rows {
			c.Rows[i].Items = max(0, c.Rows[i].Items)
		}
	}
	return v, nil
}

// isEnumeration reports whether a group is an array of members of an enumeration.
func isEnumeration(g *h5.Group) bool {
	return object.Has(g, "EnumerationInstanceTag", "ValueNames", "ValueIndices")
}

// enumeration describes an array of members of an enumeration by their names: the numbers of names among the names of the
// file's objects, and an index of them for each element.
func (m *maker) enumeration(g *h5.Group, rows int64) (convention.Values, error) {
	s, err := store.Of(g.File())
	if err != nil {
		return nil, err
	}
	names, err := object.Required(g, "ValueNames")
	if err != nil {
		return nil, err
	}
	indices, err := object.Required(g, "ValueIndices")
	if err != nil {
		return nil, err
	}
	dims, err := reversed(indices)
	if err != nil {
		return nil, err
	}
	sh, err := shapeOf(indices, dims, rows)
	if err != nil {
		return nil, err
	}
	if t := indices.Type(); t.Class != h5.ClassFixed || t.Size > 8 {
		return nil, object.Corrupt(indices, "indices of %s: they must be integers", t)
	}
	numbers, err := store.Integers(names)
	if err != nil {
		return nil, err
	}
	if err := m.take(g, len(numbers)); err != nil {
		return nil, err
	}
	labels := make([]string, len(numbers))
	for i, n := range numbers {
		if labels[i], err = s.Name(n); err != nil {
			return nil, h5err.About(err, names)
		}
	}
	if sh.Rows == 0 {
		return nil, nil
	}
	of := &convention.Generated{Data: names, Rows: int64(len(labels)), Type: arrow.BinaryTypes.String, Reason: "names of members",
		Generate: func(lo, hi int64, mem memory.Allocator) (arrow.Array, error) {
			b := array.NewStringBuilder(mem)
			defer b.Release()
			b.AppendValues(labels[lo:hi], nil)
			return b.NewArray(), nil
		}}
	return coded(indices, of, sh, 0, false), nil
}
