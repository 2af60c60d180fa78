package netcdf_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// cell is a value as xarray's frames are written in testdata/flat: missing ones are empty.
func cell(arr arrow.Array, i int) string {
	if arr.IsNull(i) {
		return ""
	}
	switch a := arr.(type) {
	case *array.Timestamp:
		unit := a.DataType().(*arrow.TimestampType).Unit
		return fmt.Sprintf("T%d", a.Value(i).ToTime(unit).UnixNano())
	case *array.Float64:
		if math.IsNaN(a.Value(i)) {
			return ""
		}
	case *array.Float32:
		if math.IsNaN(float64(a.Value(i))) {
			return ""
		}
	}
	return arr.ValueStr(i)
}

// lines returns the rows of a table, with their columns in the given order.
func lines(t *testing.T, table *arrowmap.Table, columns []string, opts ...arrowmap.ReadOption) [][]string {
	t.Helper()
	table, err := table.Select(columns...)
	if err != nil {
		t.Fatal(err)
	}
	r, err := table.Reader(context.Background(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	out := [][]string{}
	for r.Next() {
		rec := r.RecordBatch()
		for i := range int(rec.NumRows()) {
			row := make([]string, rec.NumCols())
			for k, c := range rec.Columns() {
				row[k] = cell(c, i)
			}
			out = append(out, row)
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	if int64(len(out)) != table.Rows() {
		t.Fatalf("%d rows were read of %d", len(out), table.Rows())
	}
	return out
}

// alike compares values as text; numbers may be rounded to 32 bits.
func alike(a, b string) bool {
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return a == b || err1 == nil && err2 == nil && math.Abs(x-y) <= 1e-6*max(math.Abs(x), math.Abs(y))
}

// Tables of cells are the data frames that xarray makes, in their order.
func TestFlatAsXarray(t *testing.T) {
	h5test.Leaks(t)
	names, err := filepath.Glob("testdata/flat/*.tsv")
	if err != nil || len(names) < 9 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		name = strings.TrimSuffix(filepath.Base(name), ".tsv")
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile("testdata/flat/" + name + ".tsv")
			if err != nil {
				t.Fatal(err)
			}
			var want [][]string
			for line := range strings.Lines(string(b)) {
				want = append(want, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
			}
			columns := want[0]
			local := filepath.Join(t.TempDir(), name+".nc")
			if err := os.WriteFile(local, contents(t, "flat/"+name+".nc"), 0o600); err != nil {
				t.Fatal(err)
			}
			for i, opts := range [][]arrowmap.Option{nil, {arrowmap.WithoutMapping()}, {arrowmap.WithUntrusted()}} {
				f, err := arrowmap.Open(local, append(opts, arrowmap.WithFlatten())...)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				table, err := f.Table("")
				if err != nil {
					t.Fatal(err)
				}
				if len(table.Columns()) != len(columns) {
					t.Errorf("%d columns, xarray has %q", len(table.Columns()), columns)
				}
				for _, rows := range []int64{0, 1, 7, 50} {
					got := lines(t, table, columns, arrowmap.WithBatchRows(rows), arrowmap.WithWorkers(1+i))
					if !slices.EqualFunc(got, want[1:], func(a, b []string) bool { return slices.EqualFunc(a, b, alike) }) {
						t.Fatalf("batches of %d: %s\nare\n%q, xarray has\n%q", rows, columns, got, want[1:])
					}
				}
			}
		})
	}
}

// Tables are found by the names of their dimensions; what they lack is said.
func TestFlatTables(t *testing.T) {
	f := open(t, "flat/packed.nc", arrowmap.WithFlatten())
	tables, err := f.Tables()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, table := range tables {
		names := []string{}
		for _, c := range table.Columns() {
			names = append(names, c.Name)
		}
		got = append(got, fmt.Sprintf("%s %d: %s", table.Path(), table.Rows(), strings.Join(names, " ")))
	}
	slices.Sort(got)
	want := []string{
		"/lat,lon 24: lat lon mask height",
		"/time 5: time co2 height",
		"/time,lat,lon 120: time lat lon t mask co2 drift height",
		"/time,lon 30: time lon co2 drift height",
	}
	if !slices.Equal(got, want) {
		t.Errorf("tables are\n%s", strings.Join(got, "\n"))
	}
	for _, p := range []string{"/time,lon", "time,lon"} {
		if table, err := f.Table(p); err != nil || table.Rows() != 30 {
			t.Errorf("%s: %v", p, err)
		}
	}
	p := contents(t, "flat/packed.nc")
	if _, err := arrowmap.NewFile(source.FromReaderAt(bytes.NewReader(p), int64(len(p)), "x.nc"), arrowmap.WithFlatten(), arrowmap.WithConvention("vaex")); !h5err.Is(err, h5err.Argument) {
		t.Errorf("of another convention: %v", err)
	}
}

// Rules about stored values see stored bytes, where values are decoded too.
func TestFillOfOtherByteOrder(t *testing.T) {
	f := open(t, "flat/scales.nc") // not mapped
	table, err := f.Table("/depth")
	if err != nil {
		t.Fatal(err)
	}
	got := lines(t, table, []string{"salt"})
	if want := "[[[0,1,2]] [[3,null,5]]]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}
