package detect

import (
	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/column"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
)

// compound recognizes a dataset of rank 1, or of shape (N, 1), whose type is compound, complex numbers apart.
func compound(o h5.Object) ([]*convention.Table, error) {
	d, ok := o.(*h5.Dataset)
	if !ok || !object.IsTable(d) {
		return nil, nil
	}
	t := &convention.Table{Path: d.Path(), Object: d, Reason: "a one-dimensional dataset of a compound type"}
	if len(d.Dims()) > 1 {
		t.Reason = "a dataset of a compound type with one element in each row"
	}
	for i, m := range d.Type().Members {
		t.Columns = append(t.Columns, convention.Column{Name: m.Name, Values: convention.NewMember(d, i)})
	}
	return []*convention.Table{t}, nil
}

// group recognizes a group with datasets of rank 1 and above that have one length. Unequal lengths are an
// Argument error that names them.
func group(o h5.Object) ([]*convention.Table, error) {
	g, ok := o.(*h5.Group)
	if !ok {
		return nil, nil
	}
	columns, err := column.Group(g, part)
	if err != nil || len(columns) == 0 {
		return nil, err
	}
	if together, note := column.Growing(g, columns); together != nil {
		t := &convention.Table{Path: g.Path(), Object: g, Reason: "a group whose datasets are being lengthened together", Columns: together, Inner: object.ColumnsOf(g)}
		if note != "" {
			t.Notes = []string{note}
		}
		return []*convention.Table{t}, nil
	}
	if err := column.EqualLengths(g, columns); err != nil {
		return nil, err
	}
	return []*convention.Table{{Path: g.Path(), Object: g, Reason: "a group whose datasets have one length", Columns: columns, Inner: object.ColumnsOf(g)}}, nil
}
