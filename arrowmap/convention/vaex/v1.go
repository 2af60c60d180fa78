package vaex

import (
	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// DetectV1 recognizes vaex's first layout: a group "data" or "columns" in the root whose datasets are the columns,
// marked by the attribute column_order.
func DetectV1(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok || g.Path() != "/data" && g.Path() != "/columns" {
		return nil, nil
	}
	if a, err := g.Attribute("column_order"); a == nil {
		return nil, err
	}
	columns, err := column.Group(g, nil)
	if err != nil || len(columns) == 0 {
		return nil, err
	}
	return []*convention.Table{{Path: g.Path(), Object: g, Reason: "a group with the attribute column_order",
		Columns: ordered(g, columns), Inner: object.ColumnsOf(g)}}, nil
}
