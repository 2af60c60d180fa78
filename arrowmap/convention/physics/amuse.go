package physics

import (
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// DetectAMUSE recognizes AMUSE's files: a group in /particles for each set, with the keys of the particles, and their
// attributes in a group of their own.
func DetectAMUSE(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok || !strings.HasPrefix(g.Path(), "/particles/") || !object.Has(g, "keys", "attributes") {
		return nil, nil
	}
	attributes, ok := object.Member(g, "attributes").(*h5.Group)
	keys, ok2 := object.Member(g, "keys").(*h5.Dataset)
	if !ok || !ok2 {
		return nil, nil
	}
	columns, err := column.Group(attributes, nil)
	if err != nil {
		return nil, err
	}
	columns = append(columns, column.Of("keys", keys))
	if err := column.EqualLengths(g, columns); err != nil {
		return nil, err
	}
	return []*convention.Table{{Path: g.Path(), Object: g, Reason: "keys and attributes of particles", Columns: columns,
		Inner: object.Below(attributes.Path(), keys.Path())}}, nil
}
