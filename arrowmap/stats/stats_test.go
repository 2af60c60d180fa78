package stats_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/stats"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// column returns the figures of the arrays of one column.
func column(t testing.TB, arrays ...arrow.Array) stats.Column {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrays[0].DataType(), Nullable: true}}, nil)
	var recs []arrow.RecordBatch
	for _, arr := range arrays {
		recs = append(recs, array.NewRecordBatch(schema, []arrow.Array{arr}, int64(arr.Len())))
	}
	rr, err := array.NewRecordReader(schema, recs)
	if err != nil {
		t.Fatal(err)
	}
	out, err := stats.Reader(context.Background(), rr)
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// number makes an array of numbers; those of which valid is false are null.
func number[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64](typ arrow.DataType, values []T, valid []bool) arrow.Array {
	b := array.NewBuilder(memory.DefaultAllocator, typ)
	defer b.Release()
	reflect.ValueOf(b).MethodByName("AppendValues").Call([]reflect.Value{reflect.ValueOf(values), reflect.ValueOf(valid)})
	return b.NewArray()
}

// naive is what one loop over all values finds.
type naive struct {
	rows, nulls, nans int64
	sorted            []float64
	exact             *big.Rat // the mean
	distinct          map[float64]bool
}

func naively[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64](values []T, valid []bool) naive {
	n := naive{exact: new(big.Rat), distinct: map[float64]bool{}}
	for i, v := range values {
		n.rows++
		switch {
		case !valid[i]:
			n.nulls++
		case v != v:
			n.nans++
		default:
			n.sorted = append(n.sorted, float64(v))
			n.exact.Add(n.exact, new(big.Rat).SetFloat64(float64(v)))
			n.distinct[float64(v)] = true
		}
	}
	slices.Sort(n.sorted)
	if len(n.sorted) > 0 {
		n.exact.Quo(n.exact, big.NewRat(int64(len(n.sorted)), 1))
	}
	return n
}

// text is the values of an array.
func text(arr arrow.Array) []string {
	var out []string
	if arr != nil {
		for i := range arr.Len() {
			out = append(out, arr.ValueStr(i))
		}
	}
	return out
}

func numbers[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64](t *testing.T, typ arrow.DataType, next func() T) {
	t.Helper()
	for _, rows := range []int{0, 1, 7, 511, 512, 513, 3000} {
		for _, nulls := range []int{0, 3, 1} { // none, some, all
			values, valid := make([]T, rows), make([]bool, rows)
			for i := range values {
				values[i], valid[i] = next(), nulls == 0 || rand.IntN(nulls) > 0
			}
			var parts []arrow.Array
			whole := number(typ, values, valid)
			for a, b := 0, rows/3+1; ; a, b = b, b+rows/3+1 { // slices, whose bitmaps start anywhere
				b = min(b, rows)
				if parts = append(parts, array.NewSlice(whole, int64(a), int64(b))); b == rows {
					break
				}
			}
			got, want := column(t, parts...), naively(values, valid)
			if got.Rows != want.rows || got.Nulls != want.nulls || got.NaNs != want.nans || got.Distinct != int64(len(want.distinct)) || !got.DistinctExact {
				t.Errorf("%s, %d rows: %+v, want %+v", typ, rows, got, want)
			}
			n := len(want.sorted)
			if n == 0 {
				if got.Bounds != nil || got.Mean != nil || got.Quartiles != nil || got.Histogram != nil {
					t.Errorf("%s, %d rows without a value: %+v", typ, rows, got)
				}
				continue
			}
			at := func(q float64) T { return T(want.sorted[max(int(math.Ceil(q*float64(n))), 1)-1]) }
			if b := text(number(typ, []T{T(want.sorted[0]), T(want.sorted[n-1])}, nil)); !slices.Equal(text(got.Bounds), b) {
				t.Errorf("%s, %d rows: from %v, want %v", typ, rows, got.Bounds, b)
			}
			if q := text(number(typ, []T{at(0.25), at(0.5), at(0.75)}, nil)); !slices.Equal(text(got.Quartiles), q) {
				t.Errorf("%s, %d rows: quartiles %v, want %v", typ, rows, got.Quartiles, q)
			}
			mean, _ := want.exact.Float64()
			if m := got.Mean.(*array.Float64).Value(0); math.Abs(m-mean) > 3e-16*math.Abs(mean) {
				t.Errorf("%s, %d rows: mean %v, want %v", typ, rows, m, mean)
			}
			var counted int64
			for _, c := range got.Histogram.Counts {
				counted += c
			}
			if counted != int64(n) || got.Sampled != int64(n) {
				t.Errorf("%s: %d of %d values in the histogram, %d in the sample", typ, counted, n, got.Sampled)
			}
		}
	}
}

// All types of numbers, with and without nulls and NaN, have the figures that a loop over their values finds.
func TestNumbers(t *testing.T) {
	p := arrow.PrimitiveTypes
	numbers(t, p.Int8, func() int8 { return int8(rand.IntN(256) - 128) })
	numbers(t, p.Int16, func() int16 { return int16(rand.IntN(1000) - 500) })
	numbers(t, p.Int32, func() int32 { return rand.Int32() - 1<<30 })
	numbers(t, p.Int64, func() int64 { return rand.Int64N(1<<53) - 1<<52 })
	numbers(t, p.Uint8, func() uint8 { return uint8(rand.IntN(5)) })
	numbers(t, p.Uint16, func() uint16 { return uint16(rand.IntN(1 << 16)) })
	numbers(t, p.Uint32, func() uint32 { return rand.Uint32() })
	numbers(t, p.Uint64, func() uint64 { return rand.Uint64N(1 << 53) })
	numbers(t, p.Float32, func() float32 { return float32(rand.NormFloat64()) })
	numbers(t, p.Float64, func() float64 {
		if rand.IntN(5) == 0 {
			return math.NaN()
		}
		return rand.NormFloat64() * 1e6
	})
}

// Sums don't overflow, signs of zero don't count, and infinite values are bounds but in no bin.
func TestExtremes(t *testing.T) {
	p := arrow.PrimitiveTypes
	inf := math.Inf(1)
	for _, c := range []struct {
		arr    arrow.Array
		bounds []string
		mean   float64
		n      int64 // different values
		bins   int64 // values in bins; -1 without a histogram
	}{
		{number(p.Uint64, []uint64{math.MaxUint64, math.MaxUint64, math.MaxUint64 - 2}, nil), []string{"18446744073709551613", "18446744073709551615"}, math.MaxUint64, 2, 3},
		{number(p.Int64, []int64{math.MinInt64, math.MinInt64, math.MinInt64}, nil), []string{"-9223372036854775808", "-9223372036854775808"}, math.MinInt64, 1, 3},
		{number(p.Int64, []int64{math.MinInt64, math.MaxInt64}, nil), []string{"-9223372036854775808", "9223372036854775807"}, -0.5, 2, 2},
		{number(p.Float64, []float64{math.Copysign(0, -1), 0, 0}, nil), []string{"-0", "-0"}, 0, 1, 3},
		{number(p.Float64, []float64{1e300, 1, -1e300}, nil), []string{"-1e+300", "1e+300"}, 1.0 / 3, 3, 3},
		{number(p.Float64, []float64{1, inf, 3}, nil), []string{"1", "+Inf"}, inf, 3, 2},
		{number(p.Float64, []float64{-inf, inf}, nil), []string{"-Inf", "+Inf"}, math.NaN(), 2, -1},
		{number(p.Float64, []float64{-math.MaxFloat64, math.MaxFloat64}, nil), []string{"-1.7976931348623157e+308", "1.7976931348623157e+308"}, 0, 2, -1},
	} {
		got := column(t, c.arr)
		mean := got.Mean.(*array.Float64).Value(0)
		if mean != c.mean && !(math.IsNaN(mean) && math.IsNaN(c.mean)) || got.Distinct != c.n || !slices.Equal(text(got.Bounds), c.bounds) {
			t.Errorf("%v: mean %v, want %v; %d different, want %d; bounds %v, want %v", c.arr, mean, c.mean, got.Distinct, c.n, text(got.Bounds), c.bounds)
		}
		bins := int64(-1)
		if got.Histogram != nil {
			bins = 0
			for _, n := range got.Histogram.Counts {
				bins += n
			}
		}
		if bins != c.bins {
			t.Errorf("%v: %d values in bins, want %d", c.arr, bins, c.bins)
		}
	}
}

// A few different integers have a bin each.
func TestHistogram(t *testing.T) {
	got := column(t, number(arrow.PrimitiveTypes.Int32, []int32{-2, -2, 0, 3, 3, 3}, nil)).Histogram
	if want := []int64{2, 0, 1, 0, 0, 3}; !slices.Equal(got.Counts, want) || got.Low != -2 || got.High != 3 {
		t.Errorf("%+v, want %v", got, want)
	}
	got = column(t, number(arrow.PrimitiveTypes.Float64, []float64{0, 0.5, 0.99, 1, 20}, nil)).Histogram
	if len(got.Counts) != stats.HistogramBins || got.Counts[0] != 3 || got.Counts[1] != 1 || got.Counts[19] != 1 {
		t.Errorf("%+v", got)
	}
}

// The figures of many values are within the errors that the package states, in every order of the values.
func TestApproximate(t *testing.T) {
	const n = 400_000
	values := make([]float64, n)
	for i := range values {
		values[i] = float64(i)
	}
	orders := map[string]func(){
		"rising": func() {}, "falling": func() { slices.Reverse(values) },
		"random": func() {
			rand.New(rand.NewPCG(3, 4)).Shuffle(n, func(i, k int) { values[i], values[k] = values[k], values[i] })
		},
	}
	for _, order := range []string{"rising", "falling", "random"} {
		orders[order]()
		got := column(t, number(arrow.PrimitiveTypes.Float64, values, nil))
		if d := math.Abs(float64(got.Distinct)/n - 1); d > 0.03 || got.DistinctExact {
			t.Errorf("%s: %d different values of %d", order, got.Distinct, n)
		}
		for i, q := range got.Quartiles.(*array.Float64).Float64Values() {
			if rank := q / n; math.Abs(rank-0.25*float64(i+1)) > 0.012 { // four standard errors
				t.Errorf("%s: quartile %d has rank %v", order, i, rank)
			}
		}
		for i, c := range got.Histogram.Counts {
			if math.Abs(float64(c)/n*stats.HistogramBins-1) > 0.1 {
				t.Errorf("%s: %d in bin %d", order, c, i)
			}
		}
		if got.Sampled < 1<<15 || got.Sampled > 1<<16 {
			t.Errorf("%d values in the sample", got.Sampled)
		}
	}
}

// Times have means and quartiles that are times, halves keep their type, booleans have a share.
func TestKinds(t *testing.T) {
	stamps := &arrow.TimestampType{Unit: arrow.Nanosecond}
	b := array.NewBuilder(memory.DefaultAllocator, stamps).(*array.TimestampBuilder)
	b.AppendValues([]arrow.Timestamp{1700000000000000001, 1700000000000000003, 1700000000000000004}, nil)
	got := column(t, b.NewArray())
	if m := got.Mean.(*array.Timestamp).Value(0); m != 1700000000000000003 || got.Quartiles.DataType().String() != stamps.String() {
		t.Errorf("%d, %s", m, got.Quartiles.DataType())
	}
	days := array.NewDate32Builder(memory.DefaultAllocator)
	days.AppendValues([]arrow.Date32{-3, -2}, nil)
	if got = column(t, days.NewArray()); got.Mean.(*array.Date32).Value(0) != -3 || got.Bounds.ValueStr(0) != "1969-12-29" {
		t.Errorf("%v, %v", got.Mean, got.Bounds)
	}
	bits := array.NewBooleanBuilder(memory.DefaultAllocator)
	bits.AppendValues([]bool{true, false, true, true}, []bool{true, true, true, false})
	got = column(t, bits.NewArray())
	if got.Mean.(*array.Float64).Value(0) != 2.0/3 || got.Distinct != 2 || !slices.Equal(got.Histogram.Counts, []int64{1, 2}) || !slices.Equal(text(got.Bounds), []string{"false", "true"}) {
		t.Errorf("%+v", got)
	}
	texts := array.NewStringBuilder(memory.DefaultAllocator)
	texts.AppendValues([]string{"b", "", "ü", "a", "b"}, []bool{true, true, true, true, true})
	texts.AppendNull()
	if got = column(t, texts.NewArray()); got.Distinct != 4 || got.Nulls != 1 || !slices.Equal(text(got.Bounds), []string{"", "ü"}) || got.Mean != nil {
		t.Errorf("%+v", got)
	}
	lists := array.NewListBuilder(memory.DefaultAllocator, arrow.PrimitiveTypes.Int8)
	lists.Append(true)
	lists.AppendNull()
	if got = column(t, lists.NewArray(), array.NewSlice(lists.NewArray(), 0, 0)); got.Rows != 2 || got.Nulls != 1 || got.Distinct != -1 {
		t.Errorf("%+v", got)
	}
	if got = column(t, array.NewNull(5)); got.Rows != 5 || got.Nulls != 5 {
		t.Errorf("%+v", got)
	}
}

// Of a dictionary, the values count that rows have, however many dictionaries there are.
func TestDictionaries(t *testing.T) {
	typ := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	part := func(labels []string, at []int8, valid []bool) arrow.Array {
		b := array.NewStringBuilder(memory.DefaultAllocator)
		b.AppendValues(labels, nil)
		return array.NewDictionaryArray(typ, number(arrow.PrimitiveTypes.Int8, at, valid), b.NewArray())
	}
	got := column(t, part([]string{"unused", "b", "c"}, []int8{1, 2, 1, 0}, []bool{true, true, true, false}), part([]string{"c", "a"}, []int8{0, 1}, nil))
	if got.Rows != 6 || got.Nulls != 1 || got.Distinct != 3 || !slices.Equal(text(got.Bounds), []string{"a", "c"}) {
		t.Errorf("%+v", got)
	}
	levels := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.PrimitiveTypes.Int32}
	arr := array.NewDictionaryArray(levels, number(arrow.PrimitiveTypes.Int8, []int8{0, 0, 0, 1}, nil), number(arrow.PrimitiveTypes.Int32, []int32{10, 50, 99}, nil))
	if got = column(t, arr); got.Mean.(*array.Float64).Value(0) != 20 || got.Distinct != 2 || !slices.Equal(text(got.Quartiles), []string{"10", "10", "10"}) {
		t.Errorf("%+v: %v", got, got.Quartiles)
	}
}

// The figures of a file are the same for any number of workers, and nothing is kept.
func TestTable(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	f, err := arrowmap.Open(h5test.Fixture(t, "sample.h5"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, err := f.Table("")
	if err != nil {
		t.Fatal(err)
	}
	var first string
	for _, workers := range []int{1, 2, 3, 8} {
		for _, memory := range []int64{0, 1 << 20} {
			columns, err := stats.Table(context.Background(), table, arrowmap.WithWorkers(workers), arrowmap.WithMaxMemory(memory))
			if err != nil {
				t.Fatal(err)
			}
			all := ""
			for _, c := range columns {
				all += fmt.Sprintln(c.Name, c.Rows, c.Nulls, c.NaNs, c.Distinct, c.Bounds, c.Quartiles, c.Histogram, c.Sampled)
			}
			if first == "" {
				first = all
			}
			if all != first {
				t.Errorf("%d workers:\n%s\nwant\n%s", workers, all, first)
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := stats.Table(ctx, table); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for _, opt := range []arrowmap.ReadOption{arrowmap.WithWorkers(-1), arrowmap.WithMaxMemory(-1)} {
		if _, err := stats.Table(context.Background(), table, opt); !h5err.Is(err, h5err.Argument) {
			t.Error(err)
		}
	}
}
