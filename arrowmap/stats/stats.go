// Package stats describes the columns of a table in one pass over its rows: counts, nulls, the least and the greatest value,
// the mean, how many different values there are, quartiles and a histogram.
//
// # What the figures mean
//
// Nulls are counted, and so are the values of floating-point columns that are NaN; all other figures leave both out. Counts
// and bounds are exact. Sums of integers never overflow, and sums of floats are compensated, so that a mean is right to its last
// digit. The number of different
// values is exact up to 4,096 and an estimate by HyperLogLog beyond, whose standard error is 0.8%; -0 and 0 are one value.
//
// Quartiles are values of the column: the value at or below which a quarter, half or three quarters lie (the inverted_cdf of
// numpy, percentile_disc of SQL). They and the histogram are exact where all values are kept, which are up to 65,536 of a
// column, fewer in tables of more than 64 columns; from more, every 2nd, 4th, ... is taken, one at random from each run of so
// many, so that the rank of a quartile is off by 0.3% of the values in the standard case. The same rows give the same figures,
// whatever the number of workers.
//
// Numbers and times have all figures. Booleans have no quartiles, and their mean is the share of true. Text and bytes are
// ordered bytewise and have bounds and the number of different values. A dictionary column is described by the values that its
// rows have. Lists, structs and other types have rows and nulls only.
//
// # What is not promised
//
// The order of rows is not looked at. Figures of a later version may come from other samples.
package stats

import (
	"context"
	"iter"
	"runtime"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
)

// Column is the figures of one column. Its arrays are valid until the garbage collector finds them: they need no release.
type Column struct {
	Name string
	Type arrow.DataType

	Rows  int64 // nulls and NaN included
	Nulls int64
	NaNs  int64

	Distinct      int64 // number of different values, -1 where they are not counted
	DistinctExact bool

	Bounds    arrow.Array // two values, the least and the greatest; nil where there are none
	Mean      arrow.Array // one value: a double, or a time of a column of times; nil where there is none
	Quartiles arrow.Array // three values, for 25%, 50% and 75%; nil where there are none
	Histogram *Histogram  // nil where there is none
	Sampled   int64       // number of values that Quartiles and Histogram come from
}

// Histogram counts values in bins of equal width from Low to High; a value between two bins is in the upper one. There are
// HistogramBins of them, or one for each integer where there are fewer. Infinite values are in no bin.
type Histogram struct {
	Low, High float64
	Counts    []int64 // scaled to the number of values, where they come from a sample
}

// HistogramBins is the largest number of bins.
const HistogramBins = 20

const (
	maxMemory  = 32 << 20 // batches are an eighth of it: what the columns' goroutines read is in the cache
	maxColumns = 2048     // that are described in one pass
)

// Table describes the columns of a table, in their order. A column that can't be read is an error, as for Table.Reader, which takes
// the options: without WithMaxMemory, rows that are being decoded take 32 MiB. As many goroutines compute as decode.
func Table(ctx context.Context, t *arrowmap.Table, opts ...arrowmap.ReadOption) ([]Column, error) {
	opts = append([]arrowmap.ReadOption{arrowmap.WithMaxMemory(maxMemory)}, opts...)
	var out []Column
	for part := range groups(t) {
		r, err := part.Reader(ctx, opts...)
		if err != nil {
			return nil, err
		}
		columns, err := Reader(ctx, r)
		r.Release()
		if err != nil {
			return nil, err
		}
		out = append(out, columns...)
	}
	return out, nil
}

// groups returns parts of a table of so many columns as are described in one pass.
func groups(t *arrowmap.Table) iter.Seq[*arrowmap.Table] {
	return func(yield func(*arrowmap.Table) bool) {
		n := len(t.Columns())
		if n <= maxColumns {
			yield(t)
			return
		}
		for a := 0; a < n; a += maxColumns {
			numbers := make([]int, min(maxColumns, n-a))
			for i := range numbers {
				numbers[i] = a + i
			}
			part, err := t.SelectAt(numbers...)
			if err != nil || !yield(part) { // no error: they are in range
				return
			}
		}
	}
}

// Reader describes the columns of the rows that rr still has, in their order. It does not release rr. Batches are read under
// source.Guard by as many goroutines as decode, if rr is an arrowmap.Reader, and else by one for each processor.
func Reader(ctx context.Context, rr array.RecordReader) ([]Column, error) {
	workers := runtime.GOMAXPROCS(0)
	if r, ok := rr.(*arrowmap.Reader); ok {
		workers = r.Workers()
	}
	fields := rr.Schema().Fields()
	figures := make([]figures, len(fields))
	for i, f := range fields {
		figures[i] = newFigures(f.Type, sampleSize(len(fields)))
	}
	rows, nulls, err := collect(ctx, rr, figures, workers)
	if err != nil {
		for _, f := range figures {
			if t, ok := f.(interface{ release() }); ok {
				t.release()
			}
		}
		return nil, err
	}
	out := make([]Column, len(fields))
	for i, f := range fields {
		out[i] = Column{Name: f.Name, Type: f.Type, Rows: rows, Nulls: nulls[i], Distinct: -1}
		figures[i].result(&out[i])
	}
	return out, nil
}
