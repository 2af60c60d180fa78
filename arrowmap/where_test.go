package arrowmap_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// sorts is a file with a table of columns of all sorts.
const sorts = "../cmd/h5arrow/internal/engine/testdata/suite.h5"

func sortsTable(t testing.TB) *arrowmap.Table {
	t.Helper()
	f, err := arrowmap.Open(sorts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	table, err := f.Table("/all")
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// lines returns the rows of a table as text, and their numbers where the reader has some.
func lines(t testing.TB, table *arrowmap.Table, opts ...arrowmap.ReadOption) (out []string, numbers []int64) {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	r, err := table.Reader(context.Background(), append(opts, arrowmap.WithAllocator(mem))...)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	for r.Next() {
		rec := r.RecordBatch()
		numbers = append(numbers, r.RowNumbers()...)
		for i := range int(rec.NumRows()) {
			var row []string
			for _, c := range rec.Columns() {
				row = append(row, c.ValueStr(i))
			}
			out = append(out, strings.Clone(strings.Join(row, "|")))
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return out, numbers
}

// holding returns the rows for which conditions hold, by a scan of all rows.
func holding(t testing.TB, table *arrowmap.Table, conditions []predicate.Condition) []int {
	t.Helper()
	holds := make([]bool, table.Rows())
	for i := range holds {
		holds[i] = true
	}
	for _, c := range conditions {
		one, err := table.Select(c.Column)
		if err != nil {
			t.Fatal(err)
		}
		r, err := one.Reader(context.Background(), arrowmap.WithBatchRows(97))
		if err != nil {
			t.Fatal(err)
		}
		at := 0
		for r.Next() {
			arr := r.RecordBatch().Column(0)
			test, err := predicate.New(arr.DataType(), c.Op, c.Values...)
			if err != nil {
				t.Fatal(err)
			}
			m := test.Matcher()
			for i := 0; i < arr.Len(); i += 64 {
				n := min(64, arr.Len()-i)
				mask := make([]uint64, 1)
				predicate.Fill(mask, n)
				if err := m.Choose(arr, i, n, mask); err != nil {
					t.Fatal(err)
				}
				for j := range n {
					holds[at] = holds[at] && mask[0]>>j&1 == 1
					at++
				}
			}
		}
		r.Release()
	}
	var out []int
	for i, h := range holds {
		if h {
			out = append(out, i)
		}
	}
	return out
}

var wheres = []string{"i >= 0", "i < 0", "i = 4400", "i between 511 and 514", "i8 > 50 and u8 < 100", "i8 is null", "word = 'thirteen bytes1'", "word is not null and heap > 'a'",
	"colour = blue and b = true", "ns < '2023-11-20'", "us between 1999-01-01 and 1999-06-01", "day >= 2020-01-01 and s is null", "f32 = nan", "f64 > 5.5 and f32 <= 0",
	"i in (1, 600, 601, 602, 2047, 2048, 4499)", "big > 4000000000000000000", "fixed != ''", "opaque is not null and i < 70", "pair is not null and i16 = 3", "swapped < 0"}

// A reader with conditions returns the rows that a scan of all rows finds, whatever the sizes, slices and columns.
func TestWhere(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	whole := sortsTable(t)
	twice, err := arrowmap.Concat(sortsTable(t), sortsTable(t))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for k, full := range []*arrowmap.Table{whole, twice} {
		read, err := full.Select("i", "word", "heap", "colour", "b", "ns", "f16", "i64", "opaque", "pair")
		if err != nil {
			t.Fatal(err)
		}
		all, _ := lines(t, read)
		for n, text := range wheres {
			if k > 0 && n%4 != 0 {
				continue
			}
			conditions, err := predicate.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			w, err := full.Where(conditions...)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			hold := holding(t, full, conditions)
			a := r.Int64N(full.Rows())
			b := a + r.Int64N(full.Rows()-a+1)
			for _, c := range []struct {
				from, to int64
				opts     []arrowmap.ReadOption
			}{{0, full.Rows(), nil}, {a, b, []arrowmap.ReadOption{arrowmap.WithWorkers(3), arrowmap.WithSlowStart()}},
				{0, full.Rows(), []arrowmap.ReadOption{arrowmap.WithBatchRows(1 + r.Int64N(3000)), arrowmap.WithWorkers(1), arrowmap.WithMaxMemory(64 << 20)}}} {
				part, err := read.Slice(c.from, c.to)
				if err != nil {
					t.Fatal(err)
				}
				got, numbers := lines(t, part, append(c.opts, arrowmap.WithWhere(w))...)
				var want []string
				var rows []int64
				for _, k := range hold {
					if n := int64(k); n >= c.from && n < c.to {
						want, rows = append(want, all[k]), append(rows, n-c.from)
					}
				}
				if !slices.Equal(got, want) || !slices.Equal(numbers, rows) {
					t.Errorf("%s, rows %d to %d: %d rows, want %d", text, c.from, c.to, len(got), len(want))
				}
			}
			some, err := full.Select("heap", "i")
			if err != nil {
				t.Fatal(err)
			}
			got, _ := lines(t, some, arrowmap.WithWhere(w))
			if len(got) != len(hold) {
				t.Errorf("%s: %d rows of two columns, want %d", text, len(got), len(hold))
			}
			for i, k := range hold {
				if want := fmt.Sprint("|", k%4500); !strings.HasSuffix(got[i], want) {
					t.Errorf("%s: row %d is %s", text, k, got[i])
				}
			}
		}
	}
}

// Columns of every kind lose the rows that are left out.
func TestWhereAllColumns(t *testing.T) {
	table := sortsTable(t)
	all, _ := lines(t, table)
	w, err := table.Where(predicate.Condition{Column: "i", Op: predicate.In, Values: []predicate.Value{predicate.Int(3), predicate.Int(5), predicate.Int(6), predicate.Int(4200)}})
	if err != nil {
		t.Fatal(err)
	}
	got, _ := lines(t, table, arrowmap.WithWhere(w))
	if want := []string{all[3], all[5], all[6], all[4200]}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Columns that are only needed for chosen rows are decoded only there.
func TestWhereDecodesLittle(t *testing.T) {
	table := sortsTable(t)
	conditions, err := predicate.Parse("i = 4400")
	if err != nil {
		t.Fatal(err)
	}
	w, err := table.Where(conditions...)
	if err != nil {
		t.Fatal(err)
	}
	part, err := table.Select("i64")
	if err != nil {
		t.Fatal(err)
	}
	r, err := part.Reader(context.Background(), arrowmap.WithWhere(w))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	n := int64(0)
	for r.Next() {
		n += r.RecordBatch().NumRows()
	}
	if report := r.Report(); n != 1 || r.Err() != nil || report[0].CopiedBytes == 0 || report[0].CopiedBytes > 3*512*8 {
		t.Errorf("%d rows, %v, %+v", n, r.Err(), report)
	}
}

// What can't be read is an error.
func TestWhereErrors(t *testing.T) {
	table := sortsTable(t)
	for _, c := range []predicate.Condition{{Column: "nope", Op: predicate.IsNull}, {Column: "i", Op: predicate.Equal, Values: []predicate.Value{predicate.Text("x")}}} {
		if _, err := table.Where(c); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%v: %v", c, err)
		}
	}
	if _, err := table.Where(predicate.Condition{Column: "point", Op: predicate.Equal, Values: []predicate.Value{predicate.Int(1)}}); !h5err.Is(err, h5err.Unsupported) {
		t.Errorf("%v", err)
	}
	w, err := table.Where(predicate.Condition{Column: "i", Op: predicate.IsNotNull})
	if err != nil {
		t.Fatal(err)
	}
	f, err := arrowmap.Open(sorts)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	other, err := f.Table("/deep/small")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Reader(context.Background(), arrowmap.WithWhere(w)); !h5err.Is(err, h5err.Argument) {
		t.Errorf("%v", err)
	}
}

// Ranges of rows are read as slices are.
func TestRanges(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	whole := sortsTable(t)
	twice, err := arrowmap.Concat(sortsTable(t), sortsTable(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range []*arrowmap.Table{whole, twice} {
		if table, err = table.Slice(7, -1); err != nil {
			t.Fatal(err)
		}
		if table, err = table.Select("i", "heap", "i64"); err != nil {
			t.Fatal(err)
		}
		all, _ := lines(t, table)
		rows := table.Rows()
		for _, ranges := range [][]arrowmap.Range{{}, {{From: 0, To: rows}}, {{From: 3, To: 3}, {From: 5, To: 700}, {From: 700, To: 701}, {From: rows - 2, To: rows}}, {{From: 4400, To: 4510 % rows}, {From: rows - 1, To: rows}}} {
			var want []string
			for _, r := range ranges {
				if r.From < r.To {
					want = append(want, all[r.From:r.To]...)
				}
			}
			if len(ranges) == 2 && ranges[0].To < ranges[0].From {
				continue
			}
			for _, opts := range [][]arrowmap.ReadOption{nil, {arrowmap.WithBatchRows(100)}, {arrowmap.WithSlowStart(), arrowmap.WithWorkers(3)}} {
				if got, _ := lines(t, table, append(opts, arrowmap.WithRanges(ranges))...); !slices.Equal(got, want) {
					t.Errorf("%v: %d rows, want %d", ranges, len(got), len(want))
				}
			}
		}
		for _, ranges := range [][]arrowmap.Range{{{From: -1, To: 2}}, {{From: 3, To: 2}}, {{From: 0, To: rows + 1}}, {{From: 4, To: 5}, {From: 4, To: 6}}} {
			if _, err := table.Reader(context.Background(), arrowmap.WithRanges(ranges)); !h5err.Is(err, h5err.Argument) {
				t.Errorf("%v: %v", ranges, err)
			}
		}
	}
}
