package arrowmap_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/arrowmap/tablewriter"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/write"
)

// sortedRows is the number of rows of the file that sortedFile writes: some zones.
const sortedRows = 60_003

var inOrder = []string{"n", "down", "u64", "at", "f", "text", "label", "same", "flag", "none"}

// sortedFile writes a table of columns in order, and of some that are not. seed chooses where nulls are.
func sortedFile(t testing.TB, seed uint64, chunk int64) string {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "n", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, {Name: "down", Type: arrow.PrimitiveTypes.Int16, Nullable: true},
		{Name: "u64", Type: arrow.PrimitiveTypes.Uint64}, {Name: "at", Type: &arrow.TimestampType{Unit: arrow.Millisecond}, Nullable: true},
		{Name: "f", Type: arrow.PrimitiveTypes.Float64}, {Name: "text", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "label", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}},
		{Name: "same", Type: arrow.PrimitiveTypes.Int64}, {Name: "flag", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		{Name: "none", Type: arrow.PrimitiveTypes.Float32, Nullable: true}, {Name: "row", Type: arrow.PrimitiveTypes.Int64},
		{Name: "random", Type: arrow.PrimitiveTypes.Int32}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	put := func(k int, null bool, text string) {
		if null {
			b.Field(k).AppendNull()
		} else if err := b.Field(k).AppendValueFromString(text); err != nil {
			t.Fatal(err)
		}
	}
	lead, tail := r.IntN(20_000), sortedRows-r.IntN(20_000)
	n := 0
	for i := range sortedRows {
		n += r.IntN(3)
		put(0, i >= tail, fmt.Sprint(n-40_000))
		put(1, i < lead, fmt.Sprint(3000-i/20))
		b.Field(2).(*array.Uint64Builder).Append(math.MaxUint64 - uint64(sortedRows-i)*1e14)
		b.Field(3).(*array.TimestampBuilder).Append(arrow.Timestamp(1_600_000_000_000 + int64(n)*1000))
		f := float64(i/3) / 7
		if i >= tail {
			f = math.NaN()
		}
		b.Field(4).(*array.Float64Builder).Append(f)
		put(5, i < lead, fmt.Sprintf("%s%06d", strings.Repeat("long ", i/30_000*8), i))
		put(6, false, "label "+string(rune('a'+i*10/sortedRows)))
		put(7, false, "7")
		put(8, false, fmt.Sprint(i >= tail))
		put(9, true, "")
		put(10, false, fmt.Sprint(i))
		put(11, false, fmt.Sprint(r.IntN(1000)))
	}
	rec := b.NewRecordBatch()
	defer rec.Release()
	return written.File(t, filepath.Join(t.TempDir(), "sorted.h5"), func(f *write.File) error {
		rr, err := array.NewRecordReader(schema, []arrow.RecordBatch{rec})
		if err != nil {
			return err
		}
		defer rr.Release()
		o := tablewriter.Options{ChunkRows: chunk}
		if chunk > 0 {
			o.Filters = func(int) []h5.Filter { return []h5.Filter{{ID: 1, Values: []uint32{1}}} }
		}
		_, err = tablewriter.Write(context.Background(), f, rr, o)
		return err
	})
}

func openTable(t testing.TB, name string, opts ...arrowmap.Option) *arrowmap.Table {
	t.Helper()
	f, err := arrowmap.Open(name, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	table, err := f.Table("/table")
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// random returns a condition on a column, about one of its values or one beside it.
func randomCondition(r *rand.Rand, column string, all []string) predicate.Condition {
	c := predicate.Condition{Column: column, Op: predicate.Equal + predicate.Op(r.IntN(int(predicate.IsNotNull)))}
	for k := 1; c.Op < predicate.IsNull && k > 0; k-- {
		v := all[r.IntN(len(all))]
		if v == "(null)" {
			v = all[len(all)/2]
		}
		if v == "(null)" {
			v = "0"
		}
		c.Values = append(c.Values, predicate.Text(strings.TrimSuffix(strings.Replace(v, "NaN", "nan", 1), "Z")))
		if c.Op == predicate.In && len(c.Values) == 1 {
			k = 3
		}
	}
	return c
}

// Conditions on sorted columns lose no row, and skip some.
func TestSortedLosesNothing(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	seeds := uint64(3)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		name := sortedFile(t, seed, []int64{3000, 0, 20_000}[seed])
		plain, table := openTable(t, name), openTable(t, name, arrowmap.WithSorted(inOrder...))
		joined, err := arrowmap.Concat(table, plain, table)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(seed, 2))
		for _, column := range inOrder {
			one, err := plain.Select(column)
			if err != nil {
				t.Fatal(err)
			}
			all, _ := lines(t, one)
			skipped := 0
			for k := range 5 {
				c := randomCondition(r, column, all)
				hold := holding(t, plain, []predicate.Condition{c})
				skipped += check(t, table, c, hold)
				a := r.IntN(sortedRows)
				b := a + r.IntN(sortedRows-a+1)
				part, err := table.Slice(int64(a), int64(b))
				if err != nil {
					t.Fatal(err)
				}
				var in []int
				for _, i := range hold {
					if i >= a && i < b {
						in = append(in, i-a)
					}
				}
				check(t, part, c, in)
				if k == 0 {
					check(t, joined, c, holding(t, joined, []predicate.Condition{c}))
				}
			}
			if skipped == 0 {
				t.Errorf("nothing of %s was skipped", column)
			}
		}
		sameRows(t, plain, table, r)
	}
}

// sameRows fails the test unless readers of two tables with conditions return the same rows.
func sameRows(t *testing.T, plain, table *arrowmap.Table, r *rand.Rand) {
	t.Helper()
	for _, text := range []string{"n between 1000 and 1100", "down > 2000 and f < 1000", "text = '001234' or", "at >= 2020-09-14 and random < 10", "label in ('label c', 'label x')",
		"u64 > 18446744073709551000", "f = nan and flag = true", "text is null", "none is null and n = 5", "row between 20000 and 20100 and n is not null"} {
		conditions, err := predicate.Parse(strings.TrimSuffix(text, " or"))
		if err != nil {
			t.Fatal(err)
		}
		var got [2][]string
		for i, x := range []*arrowmap.Table{plain, table} {
			w, err := x.Where(conditions...)
			if err != nil {
				t.Fatal(err)
			}
			got[i], _ = lines(t, x, arrowmap.WithWhere(w), arrowmap.WithWorkers(1+r.IntN(3)))
		}
		if !slices.Equal(got[0], got[1]) {
			t.Errorf("%s: %d rows, want %d", text, len(got[1]), len(got[0]))
		}
	}
}

// A column that is not sorted is an error that names it and a row, wherever that is seen.
func TestSortedMustBe(t *testing.T) {
	name := sortedFile(t, 1, 3000)
	table := openTable(t, name, arrowmap.WithSorted("random"))
	fails := func(what string, err error) {
		t.Helper()
		if !h5err.Is(err, h5err.Argument) || !strings.Contains(fmt.Sprint(err), name+": /table: column random is not sorted: values ") ||
			!strings.Contains(err.Error(), "drop the option") {
			t.Errorf("%s: %v", what, err)
		}
	}
	w, err := table.Where(predicate.Condition{Column: "random", Op: predicate.Equal, Values: []predicate.Value{predicate.Int(5)}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = table.Reader(context.Background(), arrowmap.WithWhere(w))
	fails("a condition", err)
	one, err := table.Select("row", "random")
	if err != nil {
		t.Fatal(err)
	}
	_, err = one.ReadAll(context.Background())
	fails("all rows", err)
	if other, err := table.Select("row"); err != nil {
		t.Fatal(err)
	} else if all, err := other.ReadAll(context.Background()); err != nil {
		t.Errorf("another column: %v", err)
	} else {
		all.Release()
	}
}

// A column whose values have no order can't be sorted.
func TestSortedNeedsAnOrder(t *testing.T) {
	f, err := arrowmap.Open(sorts, arrowmap.WithSorted("pair"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	table, err := f.Table("/all")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.Reader(context.Background()); !h5err.Is(err, h5err.Argument) || !strings.Contains(err.Error(), "column pair can't be sorted") {
		t.Errorf("got %v", err)
	}
}
