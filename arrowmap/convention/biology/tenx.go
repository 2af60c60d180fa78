package biology

import (
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// Detect10x recognizes the matrices of 10x Genomics' Cell Ranger, and HDF5Array's TENxMatrix: compressed by columns, so
// that a barcode's counts follow one another. The table of the group has a row for each barcode; the features are a
// table of their own, in the group `features`, or in the datasets `genes` and `gene_names` of files before version 3. A
// TENxMatrix has barcodes and genes only where its dimensions have names.
func Detect10x(o h5.Object) ([]*convention.Table, error) {
	switch o := o.(type) {
	case *h5.Group:
		if object.Base(o.Path()) == "features" {
			return tenxFeatures(o)
		}
		return tenxMatrix(o)
	case *h5.Dataset:
		if object.Base(o.Path()) != "genes" {
			return nil, nil
		}
		if up := object.Above(o); up != nil {
			tables, err := tenxMatrix(up)
			if err == nil && len(tables) == 2 {
				return tables[1:], nil
			}
		}
	}
	return nil, nil
}

// tenxMatrix describes a matrix and, where they are beside it, its genes.
func tenxMatrix(g *h5.Group) ([]*convention.Table, error) {
	if !object.Has(g, "data", "indices", "indptr", "shape") {
		return nil, nil
	}
	t := &convention.Table{Path: g.Path(), Object: g, Reason: "barcodes and a matrix compressed by columns", Inner: object.DatasetsOf(g)}
	if object.Has(g, "barcodes") {
		barcodes, err := object.Required(g, "barcodes")
		if err != nil {
			return nil, err
		}
		t.Columns = append(t.Columns, column.Of("barcode", barcodes))
	} else if !tenxBare(g) {
		return nil, nil
	} else {
		t.Reason = "a matrix compressed by columns that HDF5Array wrote"
	}
	counts, err := column.Sparse(g, "indptr", "indices", "data")
	if err != nil {
		return nil, err
	}
	if values := counts.Items[1].Values; column.ByRhdf5(values.Main()) {
		if counts.Items[1].Values, err = column.WithMissing(values.Main(), values); err != nil {
			return nil, err
		}
	}
	t.Columns = append(t.Columns, convention.Column{Name: "counts", Values: counts})
	tables := []*convention.Table{t}
	var columns []convention.Column
	for _, n := range []string{"genes", "gene_names"} {
		if !object.Has(g, n) {
			continue
		}
		d, err := object.Required(g, n)
		if err != nil {
			return nil, err
		}
		columns = append(columns, column.Of(n, d))
	}
	if err := column.EqualLengths(g, columns); err != nil {
		return nil, err
	}
	if len(columns) > 0 {
		tables = append(tables, &convention.Table{Path: object.Child(g, "genes"), Reason: "genes beside a matrix compressed by columns", Columns: columns, Inner: t.Inner})
	}
	return tables, nil
}

// tenxBare reports whether HDF5Array wrote a matrix whose columns have no names: with an offset for each column, and one.
func tenxBare(g *h5.Group) bool {
	indptr, ok := object.Member(g, "indptr").(*h5.Dataset)
	shape, ok2 := object.Member(g, "shape").(*h5.Dataset)
	if !ok || !ok2 || !column.ByRhdf5(indptr) || len(indptr.Dims()) != 1 || shape.Rows() != 2 {
		return false
	}
	t := shape.Type()
	b, err := object.Contents(shape)
	if err != nil || t.Class != h5.ClassFixed || len(b) != 2*t.Size {
		return false
	}
	columns, ok := integer(t, b[t.Size:])
	return ok && columns == indptr.Rows()-1
}

// integer decodes a stored integer of 4 or 8 bytes that is not negative.
func integer(t *h5.Type, b []byte) (n int64, ok bool) {
	switch t.Size {
	case 4:
		n = int64(t.Order.Binary().Uint32(b))
	case 8:
		n = int64(t.Order.Binary().Uint64(b))
	}
	return n, n >= 0 && (t.Size == 4 || t.Size == 8)
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
