package convention

import (
	"strings"

	"github.com/h5arrow/h5arrow/h5"
)

// detectTenx recognises the matrices of 10x Genomics' Cell Ranger: compressed by columns, so that a barcode's counts stand
// one behind the other. The table of the group has a row for each barcode; the features are a table of their own,
// in the group `features`, or in the datasets `genes` and `gene_names` of files before version 3.
func detectTenx(o h5.Object) ([]*Table, error) {
	g, ok := o.(*h5.Group)
	if !ok || !has(g, "barcodes", "data", "indices", "indptr", "shape") {
		if ok && base(g.Path()) == "features" {
			return tenxFeatures(g)
		}
		return nil, nil
	}
	barcodes, err := required(g, "barcodes")
	if err != nil {
		return nil, err
	}
	counts, err := sparse(g, "indptr", "indices", "data")
	if err != nil {
		return nil, err
	}
	t := &Table{Path: g.Path(), Object: g, Reason: "barcodes and a matrix compressed by columns",
		Columns: []Column{column("barcode", barcodes), {Name: "counts", Values: counts}}, Inner: notGroups(g)}
	tables := []*Table{t}
	if has(g, "genes", "gene_names") {
		var columns []Column
		for _, n := range []string{"genes", "gene_names"} {
			d, err := required(g, n)
			if err != nil {
				return nil, err
			}
			columns = append(columns, column(n, d))
		}
		if err := equalLengths(g, columns); err != nil {
			return nil, err
		}
		tables = append(tables, &Table{Path: child(g, "genes"), Reason: "genes beside a matrix compressed by columns", Columns: columns, Inner: t.Inner})
	}
	return tables, nil
}

// tenxFeatures describes the features of a matrix: the datasets as long as their ids, the ids first.
func tenxFeatures(g *h5.Group) ([]*Table, error) {
	up, err := g.File().Lookup(parent(g.Path()))
	if err != nil {
		return nil, nil
	}
	if m, ok := up.(*h5.Group); !ok || !has(m, "barcodes", "indptr") || !has(g, "id") {
		return nil, nil
	}
	id, err := required(g, "id")
	if err != nil {
		return nil, err
	}
	columns := []Column{column("id", id)}
	for _, n := range []string{"name", "feature_type", "genome"} {
		if d, ok := member(g, n).(*h5.Dataset); ok && d.Rows() == id.Rows() {
			columns = append(columns, column(n, d))
		}
	}
	all, broken, err := datasets(g)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		switch n := base(d.Path()); {
		case n == "id" || n == "name" || n == "feature_type" || n == "genome" || d.Rows() != id.Rows() || strings.HasPrefix(n, "_"):
		default:
			columns = append(columns, column(n, d))
		}
	}
	return []*Table{{Path: g.Path(), Object: g, Reason: "the features of a matrix", Columns: append(columns, broken...), Inner: notGroups(g)}}, nil
}

// isLoom tells whether a file is of Loom: a matrix with attributes of its rows and its columns.
func isLoom(f *h5.File) (matrix *h5.Dataset) {
	root := f.Root()
	if !has(root, "matrix", "row_attrs", "col_attrs") {
		return nil
	}
	d, ok := member(root, "matrix").(*h5.Dataset)
	if !ok || len(d.Dims()) != 2 {
		return nil
	}
	return d
}

// detectLoom recognises Loom files: /row_attrs has a row for each row of /matrix, /col_attrs one for each of its columns;
// the matrix itself and its layers are tables of their rows.
func detectLoom(o h5.Object) ([]*Table, error) {
	switch o.Path() {
	case "/", "/row_attrs", "/col_attrs", "/matrix", "/layers":
	default:
		return nil, nil
	}
	m := isLoom(o.File())
	if m == nil {
		return nil, nil
	}
	if o.Path() == "/" {
		return nil, noTable(o, "a Loom file: its parts are tables")
	}
	t := &Table{Path: o.Path(), Object: o, Reason: "a matrix with row_attrs and col_attrs"}
	if d, ok := o.(*h5.Dataset); ok {
		if d.Path() != "/matrix" {
			return nil, nil
		}
		t.Columns = []Column{column("matrix", d)}
		return []*Table{t}, nil
	}
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	rows := int64(m.Dims()[0])
	if g.Path() == "/col_attrs" {
		rows = int64(m.Dims()[1])
	}
	all, broken, err := datasets(g)
	if err != nil || len(all)+len(broken) == 0 {
		return nil, err
	}
	t.Columns, t.Inner = broken, notGroups(g)
	for _, d := range all {
		c := column(base(d.Path()), d)
		if d.Rows() != rows {
			c.Values, c.Err = nil, corrupt(d, "%d rows, the matrix has %d", d.Rows(), rows)
		}
		t.Columns = append(t.Columns, c)
	}
	return []*Table{t}, nil
}
