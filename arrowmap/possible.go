package arrowmap

import (
	"context"
	"maps"
	"slices"

	"github.com/h5arrow/h5arrow/arrowmap/internal/pass"
	"github.com/h5arrow/h5arrow/arrowmap/internal/possible"
	"github.com/h5arrow/h5arrow/arrowmap/internal/zones"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// ColumnTest is a test of a column's values.
type ColumnTest struct {
	Column int // of Table.Columns
	Test   *predicate.Test
}

// Possible returns the rows for which tests of columns may all hold, in order, as far as is known without reading all of these columns: by
// the index of the table's files, by columns that are sorted (WithSorted), some of whose values it reads, by coordinates of cells
// (WithFlatten), and by columns of one value. Where nothing is known it is all rows. A sorted column that is found not to be sorted is an Argument error.
func (t *Table) Possible(ctx context.Context, tests ...ColumnTest) ([]Range, error) {
	var at []int // columns of tests: others may be broken
	tests = slices.Clone(tests)
	for i, test := range tests {
		if tests[i].Column = slices.Index(at, test.Column); tests[i].Column < 0 {
			tests[i].Column = len(at)
			at = append(at, test.Column)
		}
	}
	on := t.pick(at)
	pieces, err := on.pieces()
	if err != nil { // that of a reader
		return []Range{{From: 0, To: t.Rows()}}, nil
	}
	out := []Range{}
	row := int64(0)
	for _, p := range pieces {
		rows := p.Rows()
		may, err := p.possible(ctx, on, tests, rows)
		if err != nil {
			return nil, err
		}
		for _, r := range may {
			out = pass.Append(out, Range{From: r.From + row, To: r.To + row})
		}
		row += rows
	}
	return out, nil
}

// possible is Possible for the part of a table that is in one file.
func (t *Table) possible(ctx context.Context, whole *Table, tests []ColumnTest, rows int64) ([]Range, error) {
	out := []Range{{From: 0, To: rows}}
	if _, ok := t.body.(*one); !ok { // the groups of a stack are tables of their own
		return out, nil
	}
	of := map[int][]*predicate.Test{} // of columns whose values are compared as those of the whole table
	for _, test := range tests {
		if zones.Alike(t.columns[test.Column].Type, whole.columns[test.Column].Type) {
			of[test.Column] = append(of[test.Column], test.Test)
		}
	}
	may, indexed := t.byIndex(of, rows)
	if indexed != nil {
		out = may
	}
	for _, i := range slices.Sorted(maps.Keys(of)) {
		list := of[i]
		if slices.Contains(indexed, i) {
			continue
		}
		may, err := t.byOrder(ctx, i, list, rows)
		if may == nil && err == nil {
			may, err = possible.Repeated(ctx, t.input(nil, nil), t.columns[i].node, list, t.from, rows)
			err = h5err.About(err, t)
		}
		switch {
		case err != nil:
			return nil, err
		case may != nil:
			out = pass.Both(out, may)
		}
	}
	return out, nil
}

// byIndex returns the rows that the index of the file leaves, and the columns that it knows, nil for none.
func (t *Table) byIndex(tests map[int][]*predicate.Test, rows int64) (may []Range, columns []int) {
	if t.f.index == nil {
		return nil, nil
	}
	known := t.f.index.Find(t.def.Path)
	if known == nil || known.Rows < t.from+rows {
		return nil, nil
	}
	var usable []zones.Test
	for i, list := range tests {
		c := t.columns[i]
		z := known.Of(c.Name, c.Type, c.node)
		if z == nil {
			continue
		}
		columns = append(columns, i)
		for _, test := range list {
			usable = append(usable, zones.Test{Test: test, Zones: z})
		}
	}
	return known.Possible(usable, t.from, rows), columns
}

// byOrder returns the rows that the order of a column leaves, nil where it is not said to be sorted.
func (t *Table) byOrder(ctx context.Context, column int, tests []*predicate.Test, rows int64) ([]Range, error) {
	c := t.columns[column]
	if o, err := possible.Order(c.Name, c.Type, t.f.o.sorted); o == nil {
		return nil, h5err.About(err, t)
	}
	one := t.pick([]int{column})
	var failed error
	may, err := possible.Sorted(t.from, rows, possible.Step(one.Footprint().ChunkRows), tests, func(a, b int64) (o *predicate.Order, err error) {
		o, err = one.read(ctx, a-t.from, b-t.from)
		failed = err
		return o, err
	})
	if err != nil && failed == nil {
		err = h5err.About(possible.Unsorted(err, c.Name), t)
	}
	return may, err
}

// read reads rows of a table of one sorted column.
func (t *Table) read(ctx context.Context, a, b int64) (*predicate.Order, error) {
	part, err := t.Slice(a, b)
	if err != nil {
		return nil, err
	}
	r, err := part.Reader(ctx, WithWorkers(1))
	if err != nil {
		return nil, err
	}
	defer r.Release()
	for r.Next() {
	}
	return r.batches.(*onePass).watch.Order(0), r.Err()
}
