package pass

import (
	"math/bits"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Range is the rows [From, To).
type Range struct{ From, To int64 }

// Checked returns the ranges that have rows, and an error for those that are not of a table of so many rows.
func Checked(ranges []Range, rows int64) ([]Range, error) {
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

// Clipped returns the parts of ranges in the rows [a,b), counted from a. It is not nil.
func Clipped(ranges []Range, a, b int64) []Range {
	out := []Range{}
	for _, r := range ranges {
		if from, to := max(r.From, a), min(r.To, b); from < to {
			out = append(out, Range{From: from - a, To: to - a})
		}
	}
	return out
}

// Shifted returns ranges that start at later rows.
func Shifted(ranges []Range, by int64) []Range {
	if ranges == nil {
		return nil
	}
	out := make([]Range, len(ranges))
	for i, r := range ranges {
		out[i] = Range{From: r.From + by, To: r.To + by}
	}
	return out
}

// Both returns the rows that are in both of two lists of ranges.
func Both(a, b []Range) []Range {
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

// Walker is the rows of ranges as batches take them.
type Walker struct{ Left []Range }

// Take returns the first of the next n rows, which are in one range.
func (w *Walker) Take(n int64) int64 {
	at := w.Left[0].From
	if w.Left[0].From += n; w.Left[0].From >= w.Left[0].To {
		w.Left = w.Left[1:]
	}
	return at
}

// Append adds a range after others, which it may continue. One without rows is left out.
func Append(ranges []Range, r Range) []Range {
	switch n := len(ranges); {
	case r.From >= r.To:
	case n > 0 && ranges[n-1].To == r.From:
		ranges[n-1].To = r.To
	default:
		ranges = append(ranges, r)
	}
	return ranges
}

// Pieces returns the ranges of n rows from base on that have chosen ones, cut at multiples of unit. Bit 0 of mask is row base.
func Pieces(mask []uint64, base, n, unit int64) (out []Range) {
	for at, end := base, base+n; at < end; {
		k := int(at - base)
		w := mask[k/64] >> (k % 64)
		if w == 0 {
			at += int64(64 - k%64)
			continue
		}
		at += int64(bits.TrailingZeros64(w))
		piece := Range{From: max(base, at-at%unit), To: min(end, at-at%unit+unit)}
		out = Append(out, piece)
		at = piece.To
	}
	return out
}
