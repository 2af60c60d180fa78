package pandas_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/convention/detect"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// expectations is testdata/pandas.json: what make_pandas.py says of the files that it wrote.
type expectations struct {
	Files map[string][]struct {
		Path    string
		Columns []struct {
			Name, Type string
			Values     []any
		}
		Index          []string
		Fields, Levels []map[string]any
		LeftOut        []string `json:"left_out"`
	}
	Bad []struct {
		File, Path, Kind, Says string
		Listed                 bool // it is found as a table, and its column is what fails
	}
}

func expected(t *testing.T) expectations {
	t.Helper()
	p, err := os.ReadFile(filepath.Join("testdata", "pandas.json"))
	if err != nil {
		t.Fatal(err)
	}
	var e expectations
	d := json.NewDecoder(bytes.NewReader(p))
	d.UseNumber()
	if err := d.Decode(&e); err != nil || len(e.Files) == 0 || len(e.Bad) == 0 {
		t.Fatalf("%d files and %d refused ones, %v", len(e.Files), len(e.Bad), err)
	}
	return e
}

// unpacked opens one of the compressed files, in a folder of the test's.
func unpacked(t testing.TB, name string, opts ...arrowmap.Option) *arrowmap.File {
	t.Helper()
	plain := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(plain, contents(t, name), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := arrowmap.Open(plain, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// contents is one of the compressed files.
func contents(t testing.TB, name string) []byte {
	t.Helper()
	return h5test.Unpacked(t, filepath.Join("testdata", name+".gz"))
}

// read returns the values of a table, column by column, in the form of the expectations.
func read(t *arrowmap.Table, opts ...arrowmap.ReadOption) (*arrow.Schema, [][]any, error) {
	r, err := t.Reader(context.Background(), opts...)
	if err != nil {
		return nil, nil, err
	}
	defer r.Release()
	out := make([][]any, len(t.Columns()))
	for r.Next() {
		for i, c := range r.RecordBatch().Columns() {
			for k := range c.Len() {
				out[i] = append(out[i], valueOf(c, k))
			}
		}
	}
	return r.Schema(), out, r.Err()
}

func valueOf(a arrow.Array, i int) any {
	if a.IsNull(i) {
		return nil
	}
	number := func(n int64) any { return json.Number(strconv.FormatInt(n, 10)) }
	switch a := a.(type) {
	case *array.Boolean:
		return a.Value(i)
	case *array.String:
		return a.Value(i)
	case *array.Int8:
		return number(int64(a.Value(i)))
	case *array.Uint8:
		return number(int64(a.Value(i)))
	case *array.Int16:
		return number(int64(a.Value(i)))
	case *array.Int32:
		return number(int64(a.Value(i)))
	case *array.Int64:
		return number(a.Value(i))
	case *array.Timestamp:
		return number(int64(a.Value(i)))
	case *array.Duration:
		return number(int64(a.Value(i)))
	case *array.Date32:
		return number(int64(a.Value(i)))
	case *array.Float64:
		return a.Value(i)
	case *array.Dictionary:
		return valueOf(a.Dictionary(), a.GetValueIndex(i))
	case *array.FixedSizeList:
		lo, hi := a.ValueOffsets(i)
		out := []any{}
		for k := lo; k < hi; k++ {
			out = append(out, valueOf(a.ListValues(), int(k)))
		}
		return out
	case *array.Struct:
		out := map[string]any{}
		for k, f := range a.DataType().(*arrow.StructType).Fields() {
			out[f.Name] = valueOf(a.Field(k), i)
		}
		return out
	}
	return fmt.Sprintf("a %T", a)
}

// same compares values; floats as numbers, NaN being written as text.
func same(got, want any) bool {
	f, ok := got.(float64)
	if !ok {
		return reflect.DeepEqual(got, want)
	}
	if want == "NaN" {
		return math.IsNaN(f)
	}
	n, ok := want.(json.Number)
	if !ok {
		return false
	}
	w, err := n.Float64()
	return err == nil && w == f
}

func TestStores(t *testing.T) {
	variants := []struct {
		name string
		file []arrowmap.Option
		read []arrowmap.ReadOption
	}{
		{name: "as it comes"},
		{"read, not mapped", []arrowmap.Option{arrowmap.WithoutMapping()}, nil},
		{"three rows a batch, one worker", nil, []arrowmap.ReadOption{arrowmap.WithBatchRows(3), arrowmap.WithWorkers(1)}},
	}
	for name, tables := range expected(t).Files {
		for _, v := range variants {
			f := unpacked(t, name, v.file...)
			for _, want := range tables {
				tab, err := f.Table(want.Path)
				if err != nil {
					t.Errorf("%s: %v", want.Path, err)
					continue
				}
				tab, skipped := tab.SkipUnsupported()
				if len(skipped) != len(want.LeftOut) {
					t.Errorf("%s: %d columns left out, want %v: %v", want.Path, len(skipped), want.LeftOut, skipped)
				}
				schema, got, err := read(tab, v.read...)
				if err != nil || len(got) != len(want.Columns) {
					t.Errorf("%s, %s: %d columns, %v", want.Path, v.name, len(got), err)
					continue
				}
				for i, w := range want.Columns {
					c := schema.Field(i)
					if c.Name != w.Name || c.Type.String() != w.Type || len(got[i]) != len(w.Values) {
						t.Errorf("%s, %s: column %q, %s, %d rows, want %q, %s, %d rows", want.Path, v.name, c.Name, c.Type, len(got[i]), w.Name, w.Type, len(w.Values))
						continue
					}
					for k := range w.Values {
						if !same(got[i][k], w.Values[k]) {
							t.Errorf("%s, %s: column %s, row %d: %v, want %v", want.Path, v.name, c.Name, k, got[i][k], w.Values[k])
						}
					}
				}
			}
		}
	}
}

// The schema says of the frame what pyarrow says of it.
func TestStoresMetadata(t *testing.T) {
	for name, tables := range expected(t).Files {
		if !strings.HasPrefix(name, "pandas_") {
			continue
		}
		f := unpacked(t, name)
		for _, want := range tables {
			tab, err := f.Table(want.Path)
			if err != nil {
				t.Fatal(err)
			}
			text, ok := tab.Schema().Metadata().GetValue("pandas")
			var got struct {
				Index   []string         `json:"index_columns"`
				Columns []map[string]any `json:"columns"`
				Levels  []map[string]any `json:"column_indexes"`
			}
			d := json.NewDecoder(strings.NewReader(text))
			d.UseNumber()
			if err := d.Decode(&got); !ok || err != nil {
				t.Fatalf("%s: %q, %v", want.Path, text, err)
			}
			if !slices.Equal(got.Index, want.Index) {
				t.Errorf("%s: index %q, want %q", want.Path, got.Index, want.Index)
			}
			if !reflect.DeepEqual(got.Columns, want.Fields) {
				t.Errorf("%s: columns\n%v, want\n%v", want.Path, got.Columns, want.Fields)
			}
			if !reflect.DeepEqual(got.Levels, want.Levels) {
				t.Errorf("%s: levels of the labels\n%v, want\n%v", want.Path, got.Levels, want.Levels)
			}
		}
	}
}

// What is a table: the stores' keys and PyTables' tables, not what they are made of.
func TestStoresListed(t *testing.T) {
	e := expected(t)
	want := map[string][]string{"pytables.h5": {"/big", "/little"}}
	for name, tables := range e.Files {
		for _, tab := range tables {
			if strings.HasPrefix(name, "pandas_") {
				want[name] = append(want[name], tab.Path)
			}
		}
	}
	for _, b := range e.Bad {
		if b.Listed {
			want[b.File] = append(want[b.File], b.Path)
		}
	}
	for name, paths := range want {
		broken := false // tables that can't be listed are an error beside the others
		for _, b := range e.Bad {
			broken = broken || b.File == name && !b.Listed
		}
		tables, err := unpacked(t, name).Tables()
		if (err != nil) != broken {
			t.Errorf("%s: %v", name, err)
		}
		var got []string
		for _, tab := range tables {
			got = append(got, tab.Path())
			if c, _, _ := strings.Cut(strings.TrimSuffix(name, ".h5"), "_"); tab.Convention() != c {
				t.Errorf("%s: %s is of %s: %s", name, tab.Path(), tab.Convention(), tab.Reason())
			}
		}
		slices.Sort(got)
		slices.Sort(paths)
		if !slices.Equal(got, paths) {
			t.Errorf("%s: tables %q, want %q", name, got, paths)
		}
	}
}

// Broken stores, and those that ask for code to be run.
func TestStoresRefused(t *testing.T) {
	kinds := map[string]h5err.Kind{"corrupt": h5err.Corrupt, "unsupported": h5err.Unsupported}
	open := map[string]*arrowmap.File{}
	for _, b := range expected(t).Bad {
		if open[b.File] == nil {
			open[b.File] = unpacked(t, b.File)
		}
		tab, err := open[b.File].Table(b.Path)
		if (err == nil) != b.Listed {
			t.Errorf("%s: %v, listed: %v", b.Path, err, b.Listed)
		}
		if err == nil {
			_, _, err = read(tab)
		}
		var e *h5err.Error
		if h5err.KindOf(err) != kinds[b.Kind] || !strings.Contains(err.Error(), b.Says) {
			t.Errorf("%s: %v, want %s: %s", b.Path, err, b.Kind, b.Says)
		} else if e, _ = err.(*h5err.Error); e == nil || e.File == "" || !strings.HasPrefix(e.Object, b.Path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: the error says not where: %v", b.Path, err)
		}
	}
}

func TestStoresObjects(t *testing.T) {
	f := unpacked(t, "pandas_fixed.h5")
	tab, err := f.Table("/pickles")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := read(tab); h5err.KindOf(err) != h5err.Unsupported || !strings.Contains(err.Error(), "pickle") {
		t.Errorf("a block of objects: %v", err)
	}
	x, err := tab.Select("x")
	if err != nil {
		t.Fatal(err)
	}
	if _, got, err := read(x); err != nil || len(got) != 1 || len(got[0]) != 7 {
		t.Errorf("the column beside them: %v, %v", got, err)
	}
}

// Readers that are given up in the middle leave nothing behind, nor do those of columns that are gathered together.
func TestStoresLeaveNothing(t *testing.T) {
	for name, paths := range map[string][]string{"pandas_table.h5": {"/all", "/cats"}, "pandas_fixed.h5": {"/mixed", "/labels", "/levels"}} {
		f := unpacked(t, name)
		for _, path := range paths {
			tab, err := f.Table(path)
			if err != nil {
				t.Fatal(err)
			}
			for batches := range 5 {
				mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
				ctx, cancel := context.WithCancel(context.Background())
				r, err := tab.Reader(ctx, arrowmap.WithBatchRows(2), arrowmap.WithAllocator(mem), arrowmap.WithWorkers(1+batches%2))
				if err != nil {
					t.Fatal(err)
				}
				for range batches {
					r.Next()
				}
				if batches == 2 {
					cancel()
				}
				r.Release()
				cancel()
				mem.AssertSize(t, 0)
			}
		}
	}
}

// FuzzStores changes three bytes of a store. Whatever that makes of it, there is an answer or an error of this module.
func FuzzStores(f *testing.F) {
	names := []string{"pandas_fixed.h5", "pandas_table.h5", "pytables.h5", "pandas_bad.h5"}
	files, paths := make([][]byte, len(names)), make([][]string, len(names))
	for i, name := range names {
		files[i] = contents(f, name)
		file, err := arrowmap.NewFile(source.FromReaderAt(bytes.NewReader(files[i]), int64(len(files[i])), name))
		if err != nil {
			f.Fatal(err)
		}
		links, err := file.H5().Root().Links()
		if err != nil {
			f.Fatal(err)
		}
		for k, l := range links {
			k := uint32(k)
			paths[i] = append(paths[i], "/"+l.Name)
			f.Add(uint8(i), 1000+k*4001, 7777+k*997, 30000+k*10007, k<<24|uint32(0x41ff02)>>(8*(k%2)))
		}
		file.Close()
	}
	f.Fuzz(func(t *testing.T, which uint8, a, b, c, values uint32) {
		k := int(which) % len(files)
		p := slices.Clone(files[k])
		for i, at := range []uint32{a, b, c} {
			p[int(at)%len(p)] = byte(values >> (8 * i))
		}
		if err := readStore(p, paths[k][int(values>>24)%len(paths[k])]); h5err.Is(err, h5err.IO) {
			t.Fatal(err)
		}
	})
}

// readStore reads a few rows of the tables that an object makes. The rest of the file is left alone: a fuzzer's time is
// better spent on other files.
func readStore(data []byte, path string) error {
	file, err := arrowmap.NewFile(source.FromReaderAt(bytes.NewReader(data), int64(len(data)), "fuzzed"))
	if err != nil {
		return err
	}
	defer file.Close()
	o, err := file.H5().Lookup(path)
	if err != nil {
		return err
	}
	if found, err := detect.Detect(o, ""); err != nil || len(found) != 1 { // Table would look all over the file
		return err
	}
	tab, err := file.Table(path)
	if err != nil {
		return err
	}
	tab.Schema()
	if tab, err = tab.Slice(0, 100); err != nil { // a changed shape may say anything
		return err
	}
	_, _, err = read(tab, arrowmap.WithMaxMemory(8<<20), arrowmap.WithWorkers(1))
	return err
}
