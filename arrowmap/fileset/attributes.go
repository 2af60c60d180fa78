package fileset

import (
	"cmp"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/internal/attributes"
	"github.com/h5arrow/h5arrow/arrowmap/internal/scalar"
	"github.com/h5arrow/h5arrow/h5"
)

// WithAttributes returns tables, each of a file that stays open, with the columns that Options.Attributes adds: for arrowmap.Concat and
// arrowmap.Union. A stack stays as it is: it has the attributes of its groups. Errors are those of arrowmap.Table.With.
func WithAttributes(tables []*arrowmap.Table, names []string) ([]*arrowmap.Table, error) {
	attrs, kinds := make([][]scalar.Value, len(tables)), make([]scalar.Kind, len(names))
	for i, t := range tables {
		attrs[i] = attributesOf(t, names)
		for k, v := range attrs[i] {
			kinds[k] = kinds[k].Join(v.Kind)
		}
	}
	out := make([]*arrowmap.Table, len(tables))
	for i, t := range tables {
		if out[i] = t; t.Groups() > 0 {
			continue
		}
		var err error
		out[i], err = t.With(func(d *h5.Dataset, rows int64) []convention.Column {
			columns := make([]convention.Column, len(names))
			for k, name := range names {
				columns[k] = scalar.Column(name, cmp.Or(kinds[k], scalar.Text), attrs[i][k], d, rows)
			}
			return columns
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// attributesOf returns the scalar attributes of the group of a table or, where that lacks one, of the root group of its file.
func attributesOf(t *arrowmap.Table, names []string) []scalar.Value {
	out := make([]scalar.Value, len(names))
	for k, name := range names {
		for _, of := range []h5.Object{t.Object(), t.File().H5().Root()} {
			if of == nil || out[k].Kind != scalar.None {
				continue
			}
			if a, err := of.Attribute(name); err == nil && a != nil {
				out[k] = scalar.Of(a, attributes.MaxBytes)
			}
		}
	}
	return out
}
