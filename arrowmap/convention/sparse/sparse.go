// Package sparse recognizes compressed sparse matrices, whoever wrote them.
package sparse

import (
	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// Detect recognizes groups with datasets data, indices and indptr: a row has a list of index and value. Other datasets of
// the group with as many rows are columns before it, and so are the intervals that HiCExplorer writes beside the group.
func Detect(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok || !object.Has(g, "data", "indices", "indptr") {
		return nil, nil
	}
	var ds [3]*h5.Dataset
	for i, name := range []string{"indptr", "indices", "data"} {
		d, ok := object.Member(g, name).(*h5.Dataset)
		if !ok || d.Space().Class != h5.SpaceSimple || len(d.Dims()) != 1 || i < 2 && d.Type().Class != h5.ClassFixed {
			return nil, nil
		}
		ds[i] = d
	}
	rows := ds[0].Rows() - 1
	if size := ds[0].Type().Size; rows < 0 || size != 4 && size != 8 || ds[1].Rows() != ds[2].Rows() {
		return nil, nil
	}
	v, err := column.Sparse(g, "indptr", "indices", "data")
	if err != nil {
		return nil, err
	}
	t := &convention.Table{Path: g.Path(), Object: g, Reason: "data, indices and indptr of a compressed sparse matrix", Inner: object.DatasetsOf(g)}
	t.Columns = intervals(g, rows)
	all, broken, err := column.Datasets(g)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		switch n := object.Base(d.Path()); {
		case n == "data" || n == "indices" || n == "indptr" || n == "shape" || d.Rows() != rows || object.IsTable(d):
		default:
			t.Columns = append(t.Columns, column.Of(n, d))
		}
	}
	name := object.Base(g.Path())
	if name == "" {
		name = "matrix"
	}
	t.Columns = append(append(t.Columns, broken...), convention.Column{Name: name, Values: v, Objects: []h5.Object{g}})
	return []*convention.Table{t}, nil
}

// intervals describes the bins of a matrix of HiCExplorer: chr_list, start_list, end_list and extra_list in a group beside it,
// and correction_factors.
func intervals(g *h5.Group, rows int64) (out []convention.Column) {
	up := object.Above(g)
	if up == nil {
		return nil
	}
	bins, ok := object.Member(up, "intervals").(*h5.Group)
	if !ok || !object.Has(bins, "chr_list", "start_list", "end_list") {
		return nil
	}
	add := func(of *h5.Group, name string) {
		if d, ok := object.Member(of, name).(*h5.Dataset); ok && d.Space().Class == h5.SpaceSimple && d.Rows() == rows {
			out = append(out, column.Of(name, d))
		}
	}
	for _, name := range []string{"chr_list", "start_list", "end_list", "extra_list"} {
		add(bins, name)
	}
	add(up, "correction_factors")
	return out
}
