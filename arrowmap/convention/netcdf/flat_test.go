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
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
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

// Cells of chunks whose bands are large come block by block, and rows have their coordinates wherever reading starts.
func TestFlatBlocks(t *testing.T) {
	h5test.Leaks(t)
	f := open(t, "flat/blocks.nc", arrowmap.WithFlatten())
	table, err := f.Table("t,y,x")
	if err != nil {
		t.Fatal(err)
	}
	const chunk, rows = 8 * 64 * 64, 16 * 4096 * 4096
	if table.Rows() != rows || !strings.HasSuffix(table.Reason(), "in blocks of 8 x 64 x 64 as the chunks are") {
		t.Fatalf("%d rows: %s", table.Rows(), table.Reason())
	}
	if n := table.Footprint().ChunkRows; n != chunk {
		t.Errorf("chunks of %d rows", n)
	}
	written := 0
	for _, a := range []int64{0, chunk - 10, rows - 20000, rows/2 + 64*chunk, rows/2 + 127*chunk - 5, rows / 3} {
		part, err := table.Slice(a, a+20000)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range lines(t, part, []string{"t", "y", "x", "v"}, arrowmap.WithBatchRows(777), arrowmap.WithMaxMemory(2<<20)) {
			at := make([]int64, 4)
			for k := range at {
				at[k], _ = strconv.ParseInt(row[k], 10, 64)
			}
			in := func(t, y, x int64) bool { return at[0]/8 == t && at[1]/64 == y && at[2]/64 == x }
			index := (at[0]*4096+at[1])*4096 + at[2]
			row := ((at[0]/8*64+at[1]/64)*64+at[2]/64)*chunk + (at[0]%8*64+at[1]%64)*64 + at[2]%64
			if row != a+int64(i) {
				t.Fatalf("row %d has the coordinates of row %d: %v", a+int64(i), row, at)
			}
			want := int64(-1)
			if in(0, 0, 0) || in(1, 1, 63) || in(1, 63, 63) {
				want = index
				written++
			}
			if at[3] != want {
				t.Fatalf("row %d: %v, want %d", row, at, want)
			}
		}
	}
	if written < 3*10000 {
		t.Errorf("%d of the rows were written", written)
	}
	splits, err := table.Splits(arrowmap.WithSplitCount(100), arrowmap.WithStoredBytes())
	if err != nil || len(splits) < 90 {
		t.Fatalf("%d splits, %v", len(splits), err)
	}
	stored := 0
	for _, s := range splits {
		if s.From%chunk != 0 {
			t.Errorf("a split starts at row %d, inside a chunk", s.From)
		}
		if s.StoredBytes > 400 { // more than what coordinates share
			stored++
		}
	}
	if stored != 3 {
		t.Errorf("%d splits have stored chunks", stored)
	}
}

// Conditions on coordinates choose rows, as they do of any table.
func TestFlatWhere(t *testing.T) {
	f := open(t, "flat/packed.nc", arrowmap.WithFlatten())
	table, err := f.Table("")
	if err != nil {
		t.Fatal(err)
	}
	columns := []string{"time", "lat", "lon", "t", "co2"}
	conditions, err := predicate.Parse("lat > 0 and lon between 60 and 120 and time >= 2020-01-01T12:00:00")
	if err != nil {
		t.Fatal(err)
	}
	where, err := table.Where(conditions...)
	if err != nil {
		t.Fatal(err)
	}
	var want [][]string
	for _, row := range lines(t, table, columns) {
		if !strings.HasPrefix(row[1], "-") && (row[2] == "60" || row[2] == "120") && row[0] >= "T1577880000" {
			want = append(want, row)
		}
	}
	r, err := table.Reader(t.Context(), arrowmap.WithWhere(where), arrowmap.WithBatchRows(5))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var got [][]string
	for r.Next() {
		for i := range int(r.RecordBatch().NumRows()) {
			var row []string
			for _, name := range columns {
				at := r.Schema().FieldIndices(name)[0]
				row = append(row, cell(r.RecordBatch().Column(at), i))
			}
			got = append(got, row)
		}
	}
	if r.Err() != nil || len(want) != 12 || !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%v: got %q, want %q", r.Err(), got, want)
	}
}

// Sizes that were never written cost nothing; what can't be a table of cells says why.
func TestFlatOdd(t *testing.T) {
	h5test.Leaks(t)
	f := open(t, "flat/odd.nc", arrowmap.WithFlatten())
	tables, err := f.Tables()
	if err != nil {
		t.Fatal(err)
	}
	notes := map[string]string{}
	for _, table := range tables {
		notes[table.Path()] = strings.Join(table.Notes(), "; ")
	}
	if want := "ba is left out, whose dimensions are in another order: (b, a)"; notes["/a,b"] != want || len(notes) != 6 {
		t.Errorf("notes are %q", notes)
	}
	for path, want := range map[string]string{
		"/a,a":     "[[7 7 0] [7 7 1] [7 7 2] [7 7 3]]",
		"/b,a":     "[[7 7 0] [7 7 1] [7 7 2] [7 7 3] [7 7 4] [7 7 5]]",
		"/below/b": "[[7 0] [7 1] [7 2]]",
	} {
		table, err := f.Table(path)
		if err != nil {
			t.Fatal(err)
		}
		var columns []string
		for _, c := range table.Columns() {
			columns = append(columns, c.Name)
		}
		if got := fmt.Sprint(lines(t, table, columns)); got != want {
			t.Errorf("%s: columns %q are %s, want %s", path, columns, got, want)
		}
	}
	vast, err := f.Table("/huge,wide")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vast.Reader(t.Context()); !h5err.Is(err, h5err.Limit) {
		t.Errorf("a variable of 2^60 elements: %v", err)
	}
	if vast, err = vast.Select("huge", "wide", "long"); err != nil {
		t.Fatal(err)
	}
	n := vast.Rows()
	if n != 1<<60 {
		t.Fatalf("%d rows", n)
	}
	for _, a := range []int64{0, n/2 - 50, n - 100} {
		part, err := vast.Slice(a, a+100)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range lines(t, part, []string{"huge", "wide", "long"}, arrowmap.WithMaxMemory(1<<20)) {
			if fmt.Sprint(row) != "[7 7 -5]" {
				t.Fatalf("row %v", row)
			}
		}
	}
}

// A table of cells is found by its path where tables are not flat, too.
func TestFlatByPath(t *testing.T) {
	f := open(t, "flat/packed.nc")
	table, err := f.Table("/time,lat,lon")
	if err != nil || table.Rows() != 120 {
		t.Fatal(err)
	}
	if _, err := f.Table("/time,lat"); err == nil {
		t.Error("there are no variables of time and lat alone")
	}
	if _, err := open(t, "flat/packed.nc", arrowmap.WithConvention("netcdf")).Table("/time,lat,lon"); err == nil {
		t.Error("tables of one convention were asked for")
	}
}
