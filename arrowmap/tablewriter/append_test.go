package tablewriter_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/tablewriter"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/check"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/repack"
	"github.com/h5arrow/h5arrow/h5/write"
)

// appendTo adds rows to the table of a file.
func appendTo(t *testing.T, name string, s *arrow.Schema, recs []arrow.RecordBatch, o tablewriter.Options) (*tablewriter.Summary, error) {
	t.Helper()
	out, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	f, err := write.Append(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Abandon()
	rr, err := array.NewRecordReader(s, recs)
	if err != nil {
		t.Fatal(err)
	}
	defer rr.Release()
	sum, err := tablewriter.Append(context.Background(), f, rr, o)
	if err != nil {
		return nil, err
	}
	return sum, f.Close()
}

// checked fails for a file that check finds something wrong with.
func checked(t *testing.T, name string) {
	t.Helper()
	f, err := h5.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := check.File(context.Background(), f, check.Options{Deep: true}, func(err error) { t.Errorf("check: %v", err) }); err != nil {
		t.Fatal(err)
	}
}

// growing are the options under which rows can be added, first those of the table, then those of the rows.
func growing() map[string][2]tablewriter.Options {
	zstd := func(int) []h5.Filter { return []h5.Filter{{ID: 2}, {ID: 32015, Values: []uint32{1}}} }
	plain := tablewriter.Plain
	return map[string][2]tablewriter.Options{
		"vaex":                      {{ChunkRows: 8}, {}},
		"vaex, masks":               {{ChunkRows: 5, Nulls: tablewriter.Mask}, {}},
		"vaex, masks, then bitmaps": {{ChunkRows: 16, Nulls: tablewriter.Mask}, {Nulls: tablewriter.Bitmap}},
		"vaex, sentinels":           {{ChunkRows: 5, Nulls: tablewriter.Sentinel}, {}},
		"vaex, then sentinels":      {{ChunkRows: 5}, {Nulls: tablewriter.Sentinel}},
		"vaex, filters":             {{ChunkRows: 9, Filters: zstd}, {}},
		"plain":                     {{Layout: plain, ChunkRows: 7}, {}},
		"plain, bitmaps":            {{Layout: plain, ChunkRows: 8, Nulls: tablewriter.Bitmap}, {Nulls: tablewriter.Mask}},
		"plain, sentinels":          {{Layout: plain, ChunkRows: 4, Nulls: tablewriter.Sentinel}, {Layout: plain}},
	}
}

// TestAppend adds rows of every type to tables of every layout, several times, and reads all.
func TestAppend(t *testing.T) {
	for name, o := range growing() {
		t.Run(name, func(t *testing.T) {
			var types []arrow.DataType
			for _, typ := range slices.Concat(scalars(), nested()) {
				if o[0].Layout == tablewriter.Vaex || inPlain(typ) {
					types = append(types, typ)
				}
			}
			inner := 0.15
			if o[0].Layout == tablewriter.Plain {
				inner = 0
			}
			// Nulls may come late, or not any more.
			source := rand.New(rand.NewPCG(3, 7))
			calm, some, all := &random{Rand: source}, &random{Rand: source, nulls: 0.3, inner: inner}, &random{Rand: source, nulls: 1, inner: 3 * inner}
			appended(t, o, types, []*random{some, some, calm, all})
			appended(t, o, types, []*random{calm, some, calm})
		})
	}
}

// appended writes a table with a column of each type, and adds rows.
func appended(t *testing.T, o [2]tablewriter.Options, types []arrow.DataType, steps []*random) {
	t.Helper()
	var fields []arrow.Field
	for i, typ := range types {
		fields = append(fields, arrow.Field{Name: fmt.Sprint("c", i), Type: typ, Nullable: true})
	}
	s := arrow.NewSchema(fields, nil)
	var name string
	all := make([][]arrow.Array, len(types))
	for i, r := range steps {
		var recs []arrow.RecordBatch
		rows := int64(0)
		for range r.IntN(3) + min(i, 1) {
			n, skip := r.IntN(40), r.IntN(5)
			var columns []arrow.Array
			for k, typ := range types {
				a := array.NewSlice(r.array(typ, n+skip), int64(skip), int64(n+skip))
				columns, all[k] = append(columns, a), append(all[k], a)
			}
			recs = append(recs, array.NewRecordBatch(s, columns, int64(n)))
			rows += int64(n)
		}
		if i == 0 {
			name, _ = write1(t, s, recs, o[0])
		} else if sum, err := appendTo(t, name, s, recs, o[1]); err != nil || sum.Rows != rows {
			t.Fatalf("step %d: %v, %v", i, sum, err)
		}
	}
	checked(t, name)
	schema, got := readAll(t, name)
	for k, typ := range types {
		if want := shown(t, all[k]...); !slices.Equal(got[k], want) {
			t.Errorf("%s: got %v\nwant %v", typ, got[k], want)
		}
		sameType(t, schema.Field(k).Type, typ)
	}
}

// TestAppendRefuses has rows that don't fit, tables that can't grow, and a file that has no table of that path yet.
func TestAppendRefuses(t *testing.T) {
	ints := arrow.NewSchema([]arrow.Field{{Name: "x", Type: prim.Int32, Nullable: true}}, nil)
	r := &random{Rand: rand.New(rand.NewPCG(1, 1))}
	rows := func(s *arrow.Schema) []arrow.RecordBatch {
		var columns []arrow.Array
		for _, f := range s.Fields() {
			columns = append(columns, r.array(f.Type, 5))
		}
		return []arrow.RecordBatch{array.NewRecordBatch(s, columns, 5)}
	}
	name, _ := write1(t, ints, rows(ints), tablewriter.Options{ChunkRows: 4})
	_, before := read(t, name)
	for what, s := range map[string]*arrow.Schema{
		"int32, in the new rows it is x of type int64": arrow.NewSchema([]arrow.Field{{Name: "x", Type: prim.Int64}}, nil),
		"in the new rows it is y of type int32":        arrow.NewSchema([]arrow.Field{{Name: "y", Type: prim.Int32}}, nil),
		"2 columns for a table of 1":                   arrow.NewSchema([]arrow.Field{{Name: "x", Type: prim.Int32}, {Name: "y", Type: prim.Int32}}, nil),
	} {
		if _, err := appendTo(t, name, s, rows(s), tablewriter.Options{}); !h5err.Is(err, h5err.Argument) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := appendTo(t, name, ints, rows(ints), tablewriter.Options{Rows: 6}); !h5err.Is(err, h5err.Argument) {
		t.Errorf("6 rows were expected: %v", err)
	}
	if _, now := read(t, name); !slices.Equal(now, before) {
		t.Errorf("the rows have changed: %v", now)
	}
	if _, err := appendTo(t, name, ints, rows(ints), tablewriter.Options{Path: "/more/rows"}); err != nil {
		t.Error(err)
	}
	f, err := arrowmap.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if tables, err := f.Tables(); err != nil || len(tables) != 2 || tables[0].Rows() != 5 || tables[1].Rows() != 5 {
		t.Errorf("%v, %v", tables, err)
	}
	name, _ = write1(t, ints, rows(ints), tablewriter.Options{})
	if _, err := appendTo(t, name, ints, rows(ints), tablewriter.Options{}); !h5err.Is(err, h5err.Argument) || !strings.Contains(err.Error(), "not stored in chunks") {
		t.Errorf("contiguous: %v", err)
	}
}

// TestAppendUnnamed adds rows where no path is given: to the only table, wherever it is, and to none of several.
func TestAppendUnnamed(t *testing.T) {
	ints := arrow.NewSchema([]arrow.Field{{Name: "x", Type: prim.Int32, Nullable: true}}, nil)
	r := &random{Rand: rand.New(rand.NewPCG(1, 1))}
	recs := []arrow.RecordBatch{array.NewRecordBatch(ints, []arrow.Array{r.array(prim.Int32, 5)}, 5)}
	name, _ := write1(t, ints, recs, tablewriter.Options{Path: "/runs/first", ChunkRows: 4})
	if sum, err := appendTo(t, name, ints, recs, tablewriter.Options{}); err != nil || sum.Path != "/runs/first" || sum.Rows != 5 {
		t.Fatalf("%+v, %v", sum, err)
	}
	if _, err := appendTo(t, name, ints, recs, tablewriter.Options{Path: "/runs/second"}); err != nil {
		t.Fatal(err)
	}
	if _, err := appendTo(t, name, ints, recs, tablewriter.Options{}); !h5err.Is(err, h5err.Argument) || !strings.Contains(err.Error(), "several tables: /runs/first, /runs/second") {
		t.Errorf("two tables: %v", err)
	}
	name, _ = write1(t, ints, recs, tablewriter.Options{Layout: tablewriter.NetCDF})
	if _, err := appendTo(t, name, ints, recs, tablewriter.Options{}); !h5err.Is(err, h5err.Unsupported) || !strings.Contains(err.Error(), "convention netcdf") {
		t.Errorf("a table in the root: %v", err)
	}
}

// contiguous returns a copy of a file without chunks.
func contiguous(t *testing.T, name string) string {
	t.Helper()
	in, err := h5.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.Create(filepath.Join(t.TempDir(), "contiguous.h5"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if _, err := repack.File(context.Background(), in, out, repack.Options{}); err != nil {
		t.Fatal(err)
	}
	return out.Name()
}

// TestAppendPython has vaex and h5py read tables that were added to.
func TestAppendPython(t *testing.T) {
	py := h5test.Python(t, "h5py", "vaex", "pyarrow")
	if py == "" {
		t.Skip("no Python with vaex and h5py")
	}
	types := []arrow.DataType{arrow.FixedWidthTypes.Boolean, prim.Int16, prim.Int64, bin.String, &arrow.DictionaryType{IndexType: prim.Int8, ValueType: bin.String}}
	var fields []arrow.Field
	for i, typ := range types {
		fields = append(fields, arrow.Field{Name: fmt.Sprint("c", i), Type: typ, Nullable: true})
	}
	s := arrow.NewSchema(fields, nil)
	for layout, script := range map[tablewriter.Layout]string{tablewriter.Vaex: vaexShows, tablewriter.Plain: h5pyShows} {
		r := &random{Rand: rand.New(rand.NewPCG(3, 4)), nulls: 0.3, inner: 0}
		values := make([][]string, len(types))
		var file string
		for step := range 4 {
			var columns []arrow.Array
			for i, typ := range types {
				columns = append(columns, r.array(typ, 11))
				values[i] = append(values[i], texts(t, columns[i])...)
			}
			recs := []arrow.RecordBatch{array.NewRecordBatch(s, columns, 11)}
			if step == 0 {
				file, _ = write1(t, s, recs, tablewriter.Options{Layout: layout, ChunkRows: 8})
			} else if _, err := appendTo(t, file, s, recs, tablewriter.Options{}); err != nil {
				t.Fatal(err)
			}
		}
		if layout == tablewriter.Vaex { // which does not open text in chunks
			file = contiguous(t, file)
		}
		var want []string
		for i, v := range values {
			want = append(want, fields[i].Name+" "+strings.Join(v, "|"))
		}
		out, err := exec.Command(py, "-c", script, file).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if got := strings.TrimSpace(string(out)); got != strings.Join(want, "\n") {
			t.Errorf("%v: it reads\n%s\nwant\n%s", layout, got, strings.Join(want, "\n"))
		}
	}
}
