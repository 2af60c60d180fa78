package arrowmap

import (
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/internal/values"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/stored"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// Several files of one table may have other labels in a dictionary column, or the same in another order, and a column of
// which all values are missing may have no type of its own. What they have is brought to one type, and one dictionary:
// the labels in the order in which the files have them. So are dictionaries within lists and structs.

// unify returns what the columns of a table of several files become, and the tables with what their columns have to become.
func unify(tables []*Table, columns []*Column, widen bool) ([]*Column, []*Table, error) {
	columns = slices.Clone(columns)
	out := make([]*Table, len(tables))
	for k, t := range tables {
		p := *t
		p.as = make([]*values.Recode, len(columns))
		out[k] = &p
	}
	for i := range columns {
		as, err := unifyColumn(tables, i, widen)
		if err != nil {
			return nil, nil, err
		}
		for k, r := range as {
			if out[k].as[i] = r; r != nil {
				c := *columns[i]
				c.Type, c.Delivery, c.Reason = r.Type(), dtype.Converted, "not all files have the same type or labels"
				columns[i] = &c
			}
		}
	}
	return columns, out, nil
}

// unifyColumn returns the recodes of column i for each table, nil for tables that need none.
func unifyColumn(tables []*Table, i int, widen bool) ([]*values.Recode, error) {
	same, labeled := true, false
	for _, t := range tables {
		c := t.columns[i]
		if c.Err != nil {
			return nil, nil // reading it is an error anyway
		}
		same = same && stored.Equal(c.Type, tables[0].columns[i].Type)
		labeled = labeled || values.HasDictionary(c.Type)
	}
	if same && !labeled {
		return nil, nil
	}
	samples := make([]arrow.Array, 0, len(tables))
	defer func() {
		for _, s := range samples {
			s.Release()
		}
	}()
	for _, t := range tables {
		s, err := t.sample(i)
		if OfColumn(err) {
			return nil, nil // so is this
		}
		if err != nil {
			return nil, err
		}
		samples = append(samples, s)
	}
	var as []*values.Recode
	differs := -1
	err := source.Guard(func() (err error) {
		as, differs, err = values.Unify(samples, widen)
		return err
	})
	if err == nil && differs >= 0 {
		err = differ(tables, i, differs)
	}
	if err != nil {
		return nil, h5err.About(err, tables[0].columns[i])
	}
	return as, nil
}

// Location returns the name of the file and the path of the column's dataset, for h5err.About.
func (c *Column) Location() (file, path string) {
	if c.definition.Values == nil {
		return "", c.Path
	}
	return c.definition.Values.Main().Location()
}

// differ is the error of a column that has one type in most tables and another one in table k.
func differ(tables []*Table, i, k int) error {
	a, b := tables[0], tables[k]
	for _, t := range tables[:k] {
		if a.columns[i].Type.ID() == arrow.NULL {
			a = t
		}
	}
	return b.f.usage(b.def.Path, fmt.Sprintf("column %s differs: it is %s, and %s in %s", b.columns[i].Name, b.columns[i].Type, a.columns[i].Type, a.f.f.Name())).
		WithHint("files that are one table have one schema")
}

// sample returns an array with at most one of the values of column i. It has all labels that the column has.
func (t *Table) sample(i int) (arrow.Array, error) {
	c := t.columns[i]
	if rows, err := t.body.rows(); err == nil && rows > 0 && values.HasDictionary(c.Type) {
		one := t.pick([]int{i})
		one.from, one.to = 0, 1
		r, err := one.Reader(context.Background(), WithWorkers(1))
		if err != nil {
			return nil, err
		}
		defer r.Release()
		if r.Next() {
			a := r.RecordBatch().Column(0)
			a.Retain()
			return a, nil
		}
		if r.Err() != nil {
			return nil, r.Err()
		}
	}
	return array.MakeArrayOfNull(memory.DefaultAllocator, c.Type, 0), nil
}
