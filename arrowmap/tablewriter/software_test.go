package tablewriter_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap/tablewriter"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// nanos are the nanoseconds of a unit of time.
func nanos(u arrow.TimeUnit) int64 { return int64(u.Multiplier()) }

// normal returns a value as testdata/shows.py prints it, whatever type it has.
func normal(a arrow.Array, i int) string {
	if a.IsNull(i) || a.DataType().ID() == arrow.NULL {
		return nothing(a.DataType())
	}
	whole := func(n int64) string { return strconv.FormatInt(n, 10) }
	switch a := a.(type) {
	case *array.Dictionary:
		return normal(a.Dictionary(), a.GetValueIndex(i))
	case *array.RunEndEncoded:
		return normal(a.Values(), a.GetPhysicalIndex(i))
	case *array.FixedSizeList:
		from, to := a.ValueOffsets(i)
		var items []string
		for k := from; k < to; k++ {
			items = append(items, normal(a.ListValues(), int(k)))
		}
		return "[" + strings.Join(items, " ") + "]"
	case *array.Boolean:
		return map[bool]string{true: "1", false: "0"}[a.Value(i)]
	case *array.Timestamp:
		return whole(int64(a.Value(i)) * nanos(a.DataType().(*arrow.TimestampType).Unit))
	case *array.Duration:
		return whole(int64(a.Value(i)) * nanos(a.DataType().(*arrow.DurationType).Unit))
	case *array.Time32:
		return whole(int64(a.Value(i)) * nanos(a.DataType().(*arrow.Time32Type).Unit))
	case *array.Time64:
		return whole(int64(a.Value(i)) * nanos(a.DataType().(*arrow.Time64Type).Unit))
	case *array.Date32:
		return whole(int64(a.Value(i)) * 86400e9)
	case *array.Date64:
		return whole(int64(a.Value(i)) * 1e6)
	case array.StringLike:
		return a.Value(i)
	}
	text := a.ValueStr(i)
	if x, err := strconv.ParseFloat(text, 64); err == nil && strings.ContainsAny(text, ".eE") {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return text
}

// nothing is a null: of lists of one length, which HDF5 has as dimensions, a list of nulls.
func nothing(t arrow.DataType) string {
	l, ok := t.(*arrow.FixedSizeListType)
	if !ok {
		return "null"
	}
	return "[" + strings.TrimSuffix(strings.Repeat(nothing(l.Elem())+" ", int(l.Len())), " ") + "]"
}

// normals are the values of a column.
func normals(arrays ...arrow.Array) (out []string) {
	for _, a := range arrays {
		for i := range a.Len() {
			out = append(out, normal(a, i))
		}
	}
	return out
}

// software are the programs that read tables of a layout.
var software = []struct {
	program string
	layout  tablewriter.Layout
}{
	{"h5py", tablewriter.Plain}, {"pyfive", tablewriter.Plain},
	{"pandas", tablewriter.Pandas}, {"tables", tablewriter.Pandas},
	{"netCDF4", tablewriter.NetCDF}, {"h5netcdf", tablewriter.NetCDF}, {"xarray.netcdf4", tablewriter.NetCDF}, {"xarray.h5netcdf", tablewriter.NetCDF},
	{"anndata", tablewriter.AnnData}, {"h5py", tablewriter.AnnData}, {"pyfive", tablewriter.AnnData},
}

// TestSoftware has other programs read tables of each layout, contiguous and in chunks: values and nulls are equal. All of them but anndata,
// which may need another Python, run in one process, since starting them takes longer than what they do.
func TestSoftware(t *testing.T) {
	for _, needs := range []string{"numpy", "anndata"} {
		if py := h5test.Python(t, needs); py != "" {
			testSoftware(t, py, needs == "anndata")
		} else {
			t.Logf("no Python with %s", needs)
		}
	}
}

func testSoftware(t *testing.T, py string, anndata bool) {
	args := []string{"testdata/shows.py"}
	var names []string
	var wants [][]string
	for _, chunk := range []int64{0, 7} {
		for _, s := range software {
			if (s.program == "anndata") != anndata || s.program == "pyfive" && chunk > 0 { // which has no index of chunks of HDF5 1.10
				continue
			}
			file, want := softwareFile(t, tablewriter.Options{Layout: s.layout, ChunkRows: chunk})
			args = append(args, s.program, file)
			names = append(names, fmt.Sprintf("%s by %s, chunks of %d", s.layout, s.program, chunk))
			wants = append(wants, want)
		}
	}
	out, err := exec.Command(py, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	parts := strings.Split("\n"+string(out), "\n== ")[1:]
	for i, name := range names {
		_, lines, _ := strings.Cut(parts[0], "\n")
		trouble := ""
		if parts = parts[1:]; len(parts) > 0 && (strings.HasPrefix(parts[0], "missing") || strings.HasPrefix(parts[0], "failed")) {
			trouble, parts = parts[0], parts[1:]
		}
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(trouble, "missing") && os.Getenv("H5ARROW_REQUIRE_ALL") != "1" {
				t.Skip("not installed")
			}
			if trouble != "" {
				t.Fatal(trouble)
			}
			got := strings.Split(strings.TrimSuffix(lines, "\n"), "\n")
			slices.Sort(got) // PyTables has the order of the blocks
			slices.Sort(wants[i])
			for k, want := range wants[i] {
				if k >= len(got) || got[k] != want {
					t.Fatalf("%d lines, want %d; they differ in\n%s\nit reads\n%s", len(got), len(wants[i]), want, strings.Join(got[min(k, len(got)):min(k+1, len(got))], ""))
				}
			}
		})
	}
}

// softwareFile writes a table with a column with nulls and one without for each of some types, and returns what programs show of it.
func softwareFile(t *testing.T, o tablewriter.Options) (file string, want []string) {
	types := []arrow.DataType{arrow.FixedWidthTypes.Boolean, prim.Int8, prim.Uint16, prim.Int32, prim.Int64, prim.Float64, bin.String, bin.LargeString,
		bin.StringView, &arrow.DictionaryType{IndexType: prim.Int8, ValueType: bin.String}, &arrow.DictionaryType{IndexType: prim.Uint16, ValueType: bin.LargeString}}
	if o.Layout != tablewriter.AnnData {
		types = append(types, arrow.FixedWidthTypes.Timestamp_us, arrow.FixedWidthTypes.Duration_ms, arrow.FixedWidthTypes.Timestamp_ns)
	}
	s, rec := softwareRows(types)
	file, _ = write1(t, s, []arrow.RecordBatch{rec.NewSlice(0, 20), rec.NewSlice(20, 47)}, o)
	for i := range rec.Columns() {
		want = append(want, s.Field(i).Name+" "+strings.Join(normals(rec.Column(i)), "|"))
	}
	return file, want
}

// softwareRows are 47 rows of types, with nulls, and columns without any.
func softwareRows(types []arrow.DataType) (*arrow.Schema, arrow.RecordBatch) {
	var fields []arrow.Field
	var columns []arrow.Array
	for i, typ := range types {
		for k, density := range []float64{0.3, 0} {
			r := &random{Rand: rand.New(rand.NewPCG(uint64(i), 4)), nulls: density, small: true}
			fields = append(fields, arrow.Field{Name: []string{"some", "none"}[k] + strconv.Itoa(i), Type: typ, Nullable: true})
			columns = append(columns, array.NewSlice(r.array(typ, 50), 3, 50))
		}
	}
	s := arrow.NewSchema(fields, nil)
	return s, array.NewRecordBatch(s, columns, -1)
}
