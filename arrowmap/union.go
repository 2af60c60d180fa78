package arrowmap

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/internal/byname"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Union returns tables of several files, one after the other, as Concat does, but their columns are matched by name: the table has
// each column that some file has, null where a file has none of that name. Numbers of several types get the smallest type that has all
// values of all of them, as does text with offsets of 32 and 64 bits; the labels of dictionaries are merged. Notes says what was done. Types
// that have no such type in common, and two columns of one name in a file, are an Argument error.
func Union(tables ...*Table) (*Table, error) {
	if len(tables) < 2 {
		return Concat(tables...)
	}
	flat := flattened(tables)
	names := make([][]string, len(flat))
	for k, t := range flat {
		for _, c := range t.columns {
			names[k] = append(names[k], c.Name)
		}
	}
	plan, err := byname.New(names)
	if err != nil {
		return nil, h5err.About(err, tables[0])
	}
	columns := make([]*Column, len(plan.Names))
	for i, k := range plan.First {
		columns[i] = flat[k].columns[plan.At[k][i]]
	}
	for k, t := range flat {
		if flat[k], err = t.aligned(plan, k); err != nil {
			return nil, err
		}
	}
	columns, parts, err := unify(flat, columns, true)
	if err != nil {
		return nil, err
	}
	become := make([]arrow.DataType, len(columns))
	for i, c := range columns {
		become[i] = c.Type
	}
	types := func(k, i int) arrow.DataType { return flat[k].columns[i].Type }
	did := plan.Notes(func(k int) string { return flat[k].f.f.Name() }, types, become)
	return &Table{body: &union{parts, did}, f: flat[0].f, def: flat[0].def, columns: columns, to: -1}, nil
}

// aligned returns table k with the columns of the plan.
func (t *Table) aligned(plan *byname.Plan, k int) (*Table, error) {
	if plan.Same(k) {
		return t, nil
	}
	b, ok := t.body.(*one)
	if !ok {
		return nil, t.f.usage(t.def.Path, "the tables of many groups and others have other columns, or in another order")
	}
	rows, _ := b.rows() // what is wrong with a column is met when it is read
	columns := make([]*Column, len(plan.Names))
	for i, own := range plan.At[k] {
		if own < 0 {
			columns[i] = &Column{}
			t.f.column(columns[i], &convention.Column{Name: plan.Names[i], Values: convention.Missing(rows)})
		} else {
			columns[i] = t.columns[own]
		}
	}
	out := *t
	out.body, out.columns, out.as = &one{b.f, b.def, columns, b.limit}, columns, nil
	return &out, nil
}

// union is the body of a table of several files whose columns were matched by name.
type union struct {
	several
	did [][]string // to each column
}

func (u *union) notes() []string { return append(slices.Concat(u.did...), u.several.notes()...) }

func (u *union) pick(at []int) body { return &union{u.several.pick(at).(several), picked(u.did, at)} }
