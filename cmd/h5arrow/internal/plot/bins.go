// Package plot draws columns of a table: a histogram of one, the density of two. Values are counted in bins as they are read, so
// that any number of rows can be drawn.
package plot

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/stats"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/rows"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// Axis is a column and how its values are divided into bins of equal width.
type Axis struct {
	Name      string
	Unit      string // "" for none
	Type      arrow.DataType
	Low, High float64 // the least and the greatest finite value, times in the unit of the type
	Bins      int
}

// bin returns the number of the bin of a value; ok is false outside the bounds and for NaN.
func (a *Axis) bin(v float64) (n int, ok bool) {
	if !(v >= a.Low && v <= a.High) {
		return 0, false
	}
	if a.single() {
		return int(v - a.Low), true
	}
	return min(int((v-a.Low)/(a.High-a.Low)*float64(a.Bins)), a.Bins-1), true
}

// single reports whether a bin is one integer.
func (a *Axis) single() bool { return float64(a.Bins) == a.High-a.Low+1 }

// Edge returns where a bin starts, Edge(Bins) where the last one ends. A bin of one integer is around it.
func (a *Axis) Edge(n int) float64 {
	if a.single() {
		return a.Low + float64(n) - 0.5
	}
	return a.Low + (a.High-a.Low)*float64(n)/float64(a.Bins)
}

// fit sets the number of bins to n, or to one for each integer where they are fewer.
func (a *Axis) fit(n int) {
	a.Bins = n
	discrete := !arrow.IsFloating(a.Type.ID())
	if width := a.High - a.Low; a.Low == a.High || discrete && width < float64(n) {
		a.Bins = int(width) + 1
	}
}

// Label is a place on the axis as people write it.
func (a *Axis) Label(v float64) string {
	switch t := a.Type.(type) {
	case *arrow.TimestampType, *arrow.Date32Type, *arrow.Date64Type:
		format := time.DateTime
		if a.seconds(a.High)-a.seconds(a.Low) > 3*86400 || t.ID() != arrow.TIMESTAMP {
			format = time.DateOnly
		}
		return time.Unix(int64(math.Floor(a.seconds(v))), 0).UTC().Format(format)
	case *arrow.DurationType:
		return text.Float(v, 6, 64) + t.Unit.String()
	}
	return text.Float(v, 6, 64)
}

// Dated reports whether values are points in time.
func (a *Axis) Dated() bool {
	switch a.Type.ID() {
	case arrow.TIMESTAMP, arrow.DATE32, arrow.DATE64:
		return true
	}
	return false
}

// seconds is a point in time as seconds since 1970.
func (a *Axis) seconds(v float64) float64 {
	switch t := a.Type.(type) {
	case *arrow.TimestampType:
		return v * t.Unit.Multiplier().Seconds()
	case *arrow.Date32Type:
		return v * 86400
	case *arrow.Date64Type:
		return v / 1000
	}
	return v
}

// Bins is the counts of a histogram, or of a density: those of a row of y after the other, from the lowest on.
type Bins struct {
	X, Y   Axis // Y has one bin and no name in a histogram
	Counts []int64
	Rows   int64
	Left   int64 // rows that are not counted: null, NaN or infinite
}

// Max is the largest count.
func (b *Bins) Max() int64 { return max(1, slices.Max(b.Counts)) }

// Count counts the values of a table of one or two columns in up to w by h bins.
func Count(ctx context.Context, t *arrowmap.Table, w, h int, opts ...arrowmap.ReadOption) (*Bins, error) {
	axes, err := bounds(ctx, t, opts)
	if err != nil {
		return nil, err
	}
	b := &Bins{X: axes[0], Y: Axis{Bins: 1}, Rows: t.Rows()}
	b.X.fit(w)
	if len(axes) == 2 {
		b.Y = axes[1]
		b.Y.fit(h)
	}
	b.Counts = make([]int64, b.X.Bins*b.Y.Bins)
	counted := int64(0)
	err = each(ctx, t, opts, func(columns []arrow.Array) {
		x := floats(columns[0])
		var y []float64
		if len(columns) == 2 {
			y = floats(columns[1])
		}
		for i, v := range x {
			n, ok := b.X.bin(v)
			if ok && y != nil {
				var row int
				row, ok = b.Y.bin(y[i])
				n += row * b.X.Bins
			}
			if ok {
				b.Counts[n]++
				counted++
			}
		}
	})
	b.Left = b.Rows - counted
	return b, err
}

// each calls fn with the columns of each batch.
func each(ctx context.Context, t *arrowmap.Table, opts []arrowmap.ReadOption, fn func([]arrow.Array)) error {
	r, err := t.Reader(ctx, opts...)
	if err != nil {
		return err
	}
	defer r.Release()
	for r.Next() {
		if err := source.Guard(func() error { fn(r.RecordBatch().Columns()); return nil }); err != nil {
			return err
		}
	}
	return r.Err()
}

// bounds returns the axes of a table's columns.
func bounds(ctx context.Context, t *arrowmap.Table, opts []arrowmap.ReadOption) ([]Axis, error) {
	for _, c := range t.Columns() {
		if c.Err == nil && !drawable(c.Type) {
			return nil, h5err.About(h5err.New(h5err.Argument, "column %s has type %s: only numbers and times have an axis", c.Name, dtype.TypeName(c.Type)), t)
		}
	}
	list, err := stats.Table(ctx, t, opts...)
	if err != nil {
		return nil, err
	}
	axes := make([]Axis, len(list))
	for i, c := range list {
		if c.Histogram == nil {
			return nil, h5err.About(h5err.New(h5err.Argument, "column %s has no values to draw", c.Name), t)
		}
		axes[i] = Axis{Name: c.Name, Unit: rows.Units(t.Columns()[i].Field()), Type: c.Type, Low: c.Histogram.Low, High: c.Histogram.High}
	}
	return axes, nil
}

func drawable(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.BOOL, arrow.TIMESTAMP, arrow.DATE32, arrow.DATE64, arrow.TIME32, arrow.TIME64, arrow.DURATION:
		return true
	}
	return arrow.IsInteger(t.ID()) || arrow.IsFloating(t.ID())
}

// floats returns the values of an array; those that are null are NaN.
func floats(arr arrow.Array) []float64 {
	out := make([]float64, arr.Len())
	switch arr := arr.(type) {
	case *array.Boolean:
		for i := range out {
			if arr.Value(i) {
				out[i] = 1
			}
		}
	case *array.Float16:
		for i := range out {
			out[i] = float64(arr.Value(i).Float32())
		}
	case *array.Int8:
		widen(out, arrow.GetValues[int8](arr.Data(), 1))
	case *array.Int16:
		widen(out, arrow.GetValues[int16](arr.Data(), 1))
	case *array.Int32, *array.Date32, *array.Time32:
		widen(out, arrow.GetValues[int32](arr.Data(), 1))
	case *array.Int64, *array.Date64, *array.Time64, *array.Timestamp, *array.Duration:
		widen(out, arrow.GetValues[int64](arr.Data(), 1))
	case *array.Uint8:
		widen(out, arrow.GetValues[uint8](arr.Data(), 1))
	case *array.Uint16:
		widen(out, arrow.GetValues[uint16](arr.Data(), 1))
	case *array.Uint32:
		widen(out, arrow.GetValues[uint32](arr.Data(), 1))
	case *array.Uint64:
		widen(out, arrow.GetValues[uint64](arr.Data(), 1))
	case *array.Float32:
		widen(out, arrow.GetValues[float32](arr.Data(), 1))
	case *array.Float64:
		widen(out, arrow.GetValues[float64](arr.Data(), 1))
	}
	if arr.NullN() > 0 {
		for i := range out {
			if arr.IsNull(i) {
				out[i] = math.NaN()
			}
		}
	}
	return out
}

func widen[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64](out []float64, values []T) {
	for i, v := range values {
		out[i] = float64(v)
	}
}

// Label is a text and how many rows have it.
type Label struct {
	Text  string `json:"label"`
	Count int64  `json:"rows"`
}

// Bounds of the different texts that are counted: their number, and their bytes together.
const (
	maxLabels     = 100_000
	maxLabelBytes = 16 << 20
)

// IsText reports whether values of a type are counted by Labels.
func IsText(t arrow.DataType) bool {
	switch t := t.(type) {
	case *arrow.StringType, *arrow.LargeStringType:
		return true
	case *arrow.DictionaryType:
		return IsText(t.ValueType)
	}
	return false
}

// Labels returns the texts of a column, those of most rows first, and the number of rows without one.
func Labels(ctx context.Context, t *arrowmap.Table, opts ...arrowmap.ReadOption) (labels []Label, nulls int64, err error) {
	counts, room, over := map[string]int64{}, maxLabelBytes, false
	err = each(ctx, t, opts, func(columns []arrow.Array) {
		value := texts(columns[0])
		for i := range columns[0].Len() {
			v, ok := value(i)
			if !ok {
				nulls++
				continue
			}
			n, known := counts[v]
			switch {
			case known:
				counts[v] = n + 1 // the key stays the copy
			case len(counts) < maxLabels && len(v) <= room:
				room -= len(v)
				counts[strings.Clone(v)] = 1
			default:
				over = true
			}
		}
	})
	if over {
		return nil, 0, h5err.About(h5err.New(h5err.Limit, "column %s has more than %d different texts, or more than %d bytes of them", t.Columns()[0].Name, maxLabels, maxLabelBytes), t)
	}
	for s, n := range counts {
		labels = append(labels, Label{s, n})
	}
	slices.SortFunc(labels, func(a, b Label) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Text, b.Text))
	})
	return labels, nulls, err
}

// texts returns a function that returns the text of a row; ok is false where it is null.
func texts(arr arrow.Array) func(i int) (s string, ok bool) {
	switch arr := arr.(type) {
	case *array.Dictionary:
		label := texts(arr.Dictionary())
		return func(i int) (string, bool) {
			if arr.IsNull(i) {
				return "", false
			}
			return label(arr.GetValueIndex(i))
		}
	case interface{ Value(int) string }:
		null := arr.(arrow.Array)
		return func(i int) (string, bool) { return arr.Value(i), !null.IsNull(i) }
	}
	return func(int) (string, bool) { return "", false }
}
