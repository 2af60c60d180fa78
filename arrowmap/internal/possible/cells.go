package possible

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/internal/node"
	"github.com/h5arrow/h5arrow/arrowmap/internal/pass"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/h5/grid"
	"github.com/h5arrow/h5arrow/h5/source"
)

const (
	maxCoordinates = 1 << 22 // of a dimension that are read before all else

	minGap    = 1 << 15 // rows that are at least left out together: a batch more costs as much
	maxRanges = 1 << 16 // about how many ranges are returned
	maxBlocks = 1 << 18 // of an order
)

// Repeated returns the ranges of n rows from a row on, counted from there, in which tests of a column of a table may all hold, nil where that
// is not known: the column neither has one value in all rows nor repeats the coordinates of a dimension, or these are many. It reads that
// value, or the coordinates.
func Repeated(ctx context.Context, t pass.Table, column node.Node, tests []*predicate.Test, from, n int64) ([]pass.Range, error) {
	if node.Constant(column) {
		holds, err := holding(ctx, t, column, 1, tests)
		if err != nil || holds[0] != 0 {
			return nil, err
		}
		return []pass.Range{}, nil
	}
	of, cells, ok := node.Repeated(column)
	if !ok || len(cells.Axes()) != 1 {
		return nil, nil
	}
	axis := cells.Axes()[0]
	size := cells.Of().Shape()[axis]
	if size > maxCoordinates {
		return nil, nil
	}
	holds, err := holding(ctx, t, of, size, tests)
	if err != nil {
		return nil, err
	}
	return Cells(cells.Of(), axis, holds, from, n), nil
}

// holding returns for each of the first n rows of a column whether tests hold; for those that it lacks they may.
func holding(ctx context.Context, t pass.Table, column node.Node, n int64, tests []*predicate.Test) ([]uint8, error) {
	t.Columns = []node.Node{column}
	t.Schema = arrow.NewSchema([]arrow.Field{{Type: column.Describe().Type, Nullable: true}}, nil)
	holds := make([]uint8, n)
	rows := min(column.Describe().Rows, n)
	for i := rows; i < n; i++ {
		holds[i] = 1
	}
	p := pass.Start(ctx, t, 0, rows, pass.Options{Workers: 1, Alloc: memory.NewGoAllocator()})
	defer p.Close()
	for at := int64(0); ; {
		rec, err := p.Next()
		if rec == nil {
			return holds, err
		}
		err = source.Guard(func() error { return mark(holds[at:], rec, tests) })
		at += rec.NumRows()
		rec.Release()
		if err != nil {
			return nil, err
		}
	}
}

// mark marks the rows of a batch for which tests hold.
func mark(holds []uint8, rec arrow.RecordBatch, tests []*predicate.Test) error {
	n := int(rec.NumRows())
	mask := make([]uint64, predicate.Words(n))
	predicate.Fill(mask, n)
	for _, test := range tests {
		if err := test.Matcher().Choose(rec.Column(0), 0, n, mask); err != nil {
			return err
		}
	}
	for _, i := range predicate.Rows(mask, 0, n) {
		holds[i] = 1
	}
	return nil
}

// Cells returns the ranges of n rows from a row on, counted from there, whose cells have an index in a dimension for which holds has a
// 1; indices past the end of holds are 1, too. Short runs of other rows are returned with them.
func Cells(o *grid.Order, axis int, holds []uint8, from, n int64) []pass.Range {
	out := []pass.Range{}
	c := cells{gap: max(minGap, n/maxRanges), axis: axis, holds: holds}
	if !o.RowMajor() && o.Cells()/max(1, o.BlockCells()) > maxBlocks {
		return append(out, pass.Range{From: 0, To: n})
	}
	// No function of Boxes fails here.
	_ = o.Boxes(from, from+n, func(row int64, start, count []int64) error {
		c.box(row-from, start, count, func(r pass.Range) { out = c.join(out, r) })
		return nil
	})
	return out
}

// cells finds ranges of rows in boxes.
type cells struct {
	gap   int64
	axis  int
	holds []uint8
}

// box calls add for the ranges of a box whose first row is given.
func (c *cells) box(row int64, start, count []int64, add func(pass.Range)) {
	inner, outer := int64(1), int64(1)
	for d, k := range count {
		if d < c.axis {
			outer *= k
		} else if d > c.axis {
			inner *= k
		}
	}
	runs := c.runs(start[c.axis], count[c.axis], inner)
	if len(runs) == 1 && inner*count[c.axis]-(runs[0].To-runs[0].From) < c.gap { // whole, but for gaps that are too short
		add(pass.Range{From: row + runs[0].From, To: row + (outer-1)*inner*count[c.axis] + runs[0].To})
		return
	}
	for i := int64(0); i < outer && len(runs) > 0; i++ {
		base := row + i*inner*count[c.axis]
		for _, r := range runs {
			add(pass.Range{From: base + r.From, To: base + r.To})
		}
	}
}

// runs returns the ranges of the rows of n indices from first on, each of which has inner rows.
func (c *cells) runs(first, n, inner int64) (out []pass.Range) {
	for i := range n {
		if k := first + i; k < int64(len(c.holds)) && c.holds[k] == 0 {
			continue
		}
		out = c.join(out, pass.Range{From: i * inner, To: (i + 1) * inner})
	}
	return out
}

// join adds a range after others, with the rows between it and the last one if they are few.
func (c *cells) join(out []pass.Range, r pass.Range) []pass.Range {
	if k := len(out); k > 0 && r.From-out[k-1].To < c.gap {
		out[k-1].To = r.To
		return out
	}
	return append(out, r)
}
