package arrowmap

import (
	"github.com/h5arrow/h5arrow/arrowmap/internal/pass"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Range is the rows [From, To) of a table.
type Range = pass.Range

// WithRanges reads only these rows of the table. Ranges are in order and don't overlap; a range that the table does not have,
// or that is out of order, is an Argument error of Reader. No batch has rows of two ranges. A nil slice is all rows.
func WithRanges(ranges []Range) ReadOption {
	return func(o *readOptions) error {
		o.Ranges = ranges
		return nil
	}
}

// checkedRanges returns the ranges that have rows, and an error for those that are not of a table of so many rows.
func checkedRanges(ranges []Range, rows int64) ([]Range, error) {
	if ranges == nil {
		return nil, nil
	}
	out := make([]Range, 0, len(ranges))
	last := int64(0)
	for _, r := range ranges {
		if r.From < last || r.To < r.From || r.To > rows {
			return nil, h5err.New(h5err.Argument, "rows %d to %d after row %d of %d", r.From, r.To, last, rows)
		}
		if last = r.To; r.From < r.To {
			out = append(out, r)
		}
	}
	return out, nil
}

// clipped returns the parts of ranges in the rows [a,b), counted from a. It is not nil.
func clipped(ranges []Range, a, b int64) []Range {
	out := []Range{}
	for _, r := range ranges {
		if from, to := max(r.From, a), min(r.To, b); from < to {
			out = append(out, Range{From: from - a, To: to - a})
		}
	}
	return out
}

// shifted returns ranges that start at later rows.
func shifted(ranges []Range, by int64) []Range {
	if ranges == nil {
		return nil
	}
	out := make([]Range, len(ranges))
	for i, r := range ranges {
		out[i] = Range{From: r.From + by, To: r.To + by}
	}
	return out
}

// both returns the rows that are in both of two lists of ranges.
func both(a, b []Range) []Range {
	out := []Range{}
	for len(a) > 0 && len(b) > 0 {
		if from, to := max(a[0].From, b[0].From), min(a[0].To, b[0].To); from < to {
			out = append(out, Range{From: from, To: to})
		}
		if a[0].To < b[0].To {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return out
}

// walker is the rows of ranges as batches take them.
type walker struct{ left []Range }

// take returns the first of the next n rows, which are in one range.
func (w *walker) take(n int64) int64 {
	at := w.left[0].From
	if w.left[0].From += n; w.left[0].From >= w.left[0].To {
		w.left = w.left[1:]
	}
	return at
}
