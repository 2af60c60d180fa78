package biology

import (
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// Detect10x recognizes the matrices of 10x Genomics' Cell Ranger: compressed by columns, so that a barcode's counts
// follow one another. The table of the group has a row for each barcode; the features are a table of their own,
// in the group `features`, or in the datasets `genes` and `gene_names` of files before version 3.
func Detect10x(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok || !object.Has(g, "barcodes", "data", "indices", "indptr", "shape") {
		if ok && object.Base(g.Path()) == "features" {
			return tenxFeatures(g)
		}
		return nil, nil
	}
	barcodes, err := object.Required(g, "barcodes")
	if err != nil {
		return nil, err
	}
	counts, err := column.Sparse(g, "indptr", "indices", "data")
	if err != nil {
		return nil, err
	}
	t := &convention.Table{Path: g.Path(), Object: g, Reason: "barcodes and a matrix compressed by columns",
		Columns: []convention.Column{column.Of("barcode", barcodes), {Name: "counts", Values: counts}}, Inner: object.DatasetsOf(g)}
	tables := []*convention.Table{t}
	if object.Has(g, "genes", "gene_names") {
		var columns []convention.Column
		for _, n := range []string{"genes", "gene_names"} {
			d, err := object.Required(g, n)
			if err != nil {
				return nil, err
			}
			columns = append(columns, column.Of(n, d))
		}
		if err := column.EqualLengths(g, columns); err != nil {
			return nil, err
		}
		tables = append(tables, &convention.Table{Path: object.Child(g, "genes"), Reason: "genes beside a matrix compressed by columns", Columns: columns, Inner: t.Inner})
	}
	return tables, nil
}

// tenxFeatures describes the features of a matrix: the datasets as long as their ids, the ids first.
func tenxFeatures(g *h5.Group) ([]*convention.Table, error) {
	up, err := g.File().Lookup(object.Parent(g.Path()))
	if err != nil {
		return nil, nil
	}
	if m, ok := up.(*h5.Group); !ok || !object.Has(m, "barcodes", "indptr") || !object.Has(g, "id") {
		return nil, nil
	}
	id, err := object.Required(g, "id")
	if err != nil {
		return nil, err
	}
	columns := []convention.Column{column.Of("id", id)}
	for _, n := range []string{"name", "feature_type", "genome"} {
		if d, ok := object.Member(g, n).(*h5.Dataset); ok && d.Rows() == id.Rows() {
			columns = append(columns, column.Of(n, d))
		}
	}
	all, broken, err := column.Datasets(g)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		switch n := object.Base(d.Path()); {
		case n == "id" || n == "name" || n == "feature_type" || n == "genome" || d.Rows() != id.Rows() || strings.HasPrefix(n, "_"):
		default:
			columns = append(columns, column.Of(n, d))
		}
	}
	return []*convention.Table{{Path: g.Path(), Object: g, Reason: "the features of a matrix", Columns: append(columns, broken...), Inner: object.DatasetsOf(g)}}, nil
}
