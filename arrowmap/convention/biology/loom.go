package biology

import (
	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// isLoom returns the matrix of a Loom file, which has attributes of its rows and its columns; nil for any other file.
func isLoom(f *h5.File) (matrix *h5.Dataset) {
	root := f.Root()
	if !object.Has(root, "matrix", "row_attrs", "col_attrs") {
		return nil
	}
	d, ok := object.Member(root, "matrix").(*h5.Dataset)
	if !ok || len(d.Dims()) != 2 {
		return nil
	}
	return d
}

// DetectLoom recognizes Loom files: /row_attrs has a row for each row of /matrix, /col_attrs one for each of its columns;
// the matrix itself and its layers are tables of their rows.
func DetectLoom(o h5.Object) ([]*convention.Table, error) {
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
		return nil, object.NotATable(o, "a Loom file: its parts are tables")
	}
	t := &convention.Table{Path: o.Path(), Object: o, Reason: "a matrix with row_attrs and col_attrs"}
	if d, ok := o.(*h5.Dataset); ok {
		if d.Path() != "/matrix" {
			return nil, nil
		}
		t.Columns = []convention.Column{column.Of("matrix", d)}
		return []*convention.Table{t}, nil
	}
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	rows := int64(m.Dims()[0])
	if g.Path() == "/col_attrs" {
		rows = int64(m.Dims()[1])
	}
	all, broken, err := column.Datasets(g)
	if err != nil || len(all)+len(broken) == 0 {
		return nil, err
	}
	t.Columns, t.Inner = broken, object.DatasetsOf(g)
	for _, d := range all {
		c := column.Of(object.Base(d.Path()), d)
		if d.Rows() != rows {
			c.Values, c.Err = nil, object.Corrupt(d, "%d rows, the matrix has %d", d.Rows(), rows)
		}
		t.Columns = append(t.Columns, c)
	}
	return []*convention.Table{t}, nil
}
