package fileset_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/fileset"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/arrowmap/tablewriter"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/webserver"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/source/remote"
	"github.com/h5arrow/h5arrow/h5/write"
)

// maker writes files of small tables.
type maker struct {
	t     testing.TB
	dir   string
	names []string
}

// add writes a file with columns as JSON, and the attribute run of its root group unless that is negative.
func (m *maker) add(run int, schema *arrow.Schema, rows string) {
	m.t.Helper()
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(rows))
	if err != nil {
		m.t.Fatal(err)
	}
	defer rec.Release()
	name := filepath.Join(m.dir, fmt.Sprintf("f%03d.h5", len(m.names)))
	m.names = append(m.names, written.File(m.t, name, func(f *write.File) error {
		rr, err := array.NewRecordReader(schema, []arrow.RecordBatch{rec})
		if err != nil {
			return err
		}
		defer rr.Release()
		if _, err := tablewriter.Write(m.t.Context(), f, rr, tablewriter.Options{}); err != nil || run < 0 {
			return err
		}
		g, err := f.Group("/")
		if err != nil {
			return err
		}
		i32 := &h5.Type{Class: h5.ClassFixed, Size: 4, Order: h5.LittleEndian, Signed: true, Precision: 32}
		return g.Attribute(write.Attribute{Name: "run", Type: i32, Space: h5.Space{Class: h5.SpaceScalar}, Data: []byte{byte(run), 0, 0, 0}})
	}))
}

func schemaOf(fields ...string) *arrow.Schema {
	types := map[string]arrow.DataType{"i32": arrow.PrimitiveTypes.Int32, "f64": arrow.PrimitiveTypes.Float64, "text": arrow.BinaryTypes.String,
		"i8": arrow.PrimitiveTypes.Int8, "labels": &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}}
	var out []arrow.Field
	for _, f := range fields {
		name, t, _ := strings.Cut(f, " ")
		out = append(out, arrow.Field{Name: name, Type: types[t], Nullable: true})
	}
	return arrow.NewSchema(out, nil)
}

// numbered writes n files of rows {x: number of the row, s: text}.
func numbered(t testing.TB, n, rows int) *maker {
	m := &maker{t: t, dir: t.TempDir()}
	for i := range n {
		var list []string
		for k := range rows {
			list = append(list, fmt.Sprintf(`{"x": %d, "s": "r%d"}`, i*rows+k, k))
		}
		m.add(i%100, schemaOf("x i32", "s text"), "["+strings.Join(list, ",")+"]")
	}
	return m
}

// lines returns the rows that a table has, a line each, and the number of batches.
func lines(t testing.TB, of *fileset.Table, o fileset.ReadOptions) (out []string, batches int) {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	o.Alloc = mem
	r, err := of.Reader(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	for ; r.Next(); batches++ {
		rec := r.RecordBatch()
		if !rec.Schema().Equal(of.Schema()) {
			t.Errorf("batch of %s, not %s", rec.Schema(), of.Schema())
		}
		for i := range int(rec.NumRows()) {
			var row []string
			for _, c := range rec.Columns() {
				row = append(row, c.ValueStr(i))
			}
			out = append(out, strings.Join(row, " "))
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return out, batches
}

func opened(t testing.TB, names []string, o fileset.Options) *fileset.Table {
	t.Helper()
	out, err := fileset.Open(t.Context(), names, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// tableOf returns the only table of a file, which stays open until the test ends.
func tableOf(t testing.TB, name string) *arrowmap.Table {
	t.Helper()
	f, err := arrowmap.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	tab, err := f.Table("")
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

func where(t testing.TB, of *fileset.Table, text string) *fileset.Table {
	t.Helper()
	conditions, err := predicate.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	out, err := of.Where(conditions...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func sameLines(t *testing.T, got []string, want ...string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("rows:\n%s\nwant:\n%s", g, w)
	}
}

// Small files are joined to batches, in order; whatever part is read, at most ahead of them are open.
func TestParts(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	const files, rows = 40, 25
	m := numbered(t, files, rows)
	line := func(i int) string { return fmt.Sprintf("%d r%d", i, i%rows) }
	span := func(a, b int) (out []string) {
		for i := a; i < b; i++ {
			out = append(out, line(i))
		}
		return out
	}
	all := opened(t, m.names, fileset.Options{})
	got, batches := lines(t, all, fileset.ReadOptions{})
	sameLines(t, got, span(0, files*rows)...)
	if batches != 1 {
		t.Errorf("%d batches", batches)
	}
	if got, batches = lines(t, all, fileset.ReadOptions{BatchRows: 60}); batches != files/2 {
		t.Errorf("%d batches of at most 60 rows", batches)
	}
	sameLines(t, got, span(0, files*rows)...)
	firstRows, err := all.Head(30)
	if err != nil {
		t.Fatal(err)
	}
	got, _ = lines(t, firstRows, fileset.ReadOptions{})
	sameLines(t, got, span(0, 30)...)
	if n, err := all.Rows(t.Context()); n != files*rows || err != nil {
		t.Error(n, err)
	}
	for _, p := range [][2]int64{{0, 0}, {3, 7}, {24, 26}, {25, 75}, {990, -1}, {1000, 1000}} {
		part, err := all.Slice(t.Context(), p[0], p[1])
		if err != nil {
			t.Fatal(err)
		}
		got, _ := lines(t, part, fileset.ReadOptions{})
		end := int(p[1])
		if end < 0 {
			end = files * rows
		}
		sameLines(t, got, span(int(p[0]), end)...)
		if n, err := part.Rows(t.Context()); int(n) != end-int(p[0]) || err != nil {
			t.Error(p, n, err)
		}
	}
}

// Columns are matched by name and widened, labels are those of each file, and files' names and attributes are columns.
func TestUnion(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	m := &maker{t: t, dir: t.TempDir()}
	m.add(1, schemaOf("x i8", "c labels"), `[{"x": 1, "c": "b"}, {"x": 2, "c": null}]`)
	m.add(2, schemaOf("c labels", "y f64", "x i32"), `[{"c": "a", "y": 0.5, "x": 70000}]`)
	m.add(-1, schemaOf("y f64"), `[{"y": 1.5}, {"y": null}]`)
	m.add(3, schemaOf("x i8", "c labels"), `[{"x": 5, "c": "z"}]`)
	all := opened(t, m.names, fileset.Options{Union: true, Name: "from", Attributes: []string{"run", "nothing"}})
	var names []string
	for _, f := range all.Schema().Fields() {
		names = append(names, f.Name+" "+f.Type.String())
	}
	sameLines(t, names, "x int32", "c dictionary<values=utf8, indices=int32, ordered=false>", "y float64", "from utf8", "run int64", "nothing utf8")
	got, _ := lines(t, all, fileset.ReadOptions{})
	f := m.names
	sameLines(t, got, "1 b (null) "+f[0]+" 1 (null)", "2 (null) (null) "+f[0]+" 1 (null)", "70000 a 0.5 "+f[1]+" 2 (null)",
		"(null) (null) 1.5 "+f[2]+" (null) (null)", "(null) (null) (null) "+f[2]+" (null) (null)", "5 z (null) "+f[3]+" 3 (null)")
	if notes := strings.Join(all.Notes(), "\n"); !strings.Contains(notes, "column x: int8, converted to int32 in 2 of 4 files") || !strings.Contains(notes, "column y: missing") {
		t.Error(notes)
	}
	x, err := all.Select("run", "x")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]string{
		"x > 1": {"1 2", "2 70000", "3 5"}, "x is null": {"(null) (null)", "(null) (null)"}, "y = 0.5": {"2 70000"}, "c in (z, b)": {"1 1", "3 5"},
		"run >= 2 and x > 1": {"2 70000", "3 5"}, "run is null": {"(null) (null)", "(null) (null)"}, "from = '" + f[3] + "'": {"3 5"}, "nothing = a": nil,
	} {
		got, _ := lines(t, where(t, x, text), fileset.ReadOptions{})
		sameLines(t, got, want...)
	}
	none, err := x.Select()
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := lines(t, where(t, none, "run = 1"), fileset.ReadOptions{}); len(got) != 2 {
		t.Errorf("%d rows without columns", len(got))
	}
}

// A large file is read batch by batch, between small ones; its rows are those of arrowmap.
func TestLarge(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	sample := h5test.Fixture(t, "sample.h5")
	tab := tableOf(t, sample)
	want, err := tab.ReadAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer want.Release()
	all := opened(t, []string{sample, sample}, fileset.Options{Path: "/table"})
	r, err := all.Reader(t.Context(), fileset.ReadOptions{BatchRows: 9999})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var recs []arrow.RecordBatch
	for r.Next() {
		r.RecordBatch().Retain()
		recs = append(recs, r.RecordBatch())
	}
	got := array.NewTableFromRecords(r.Schema(), recs)
	defer got.Release()
	for _, rec := range recs {
		rec.Release()
	}
	if r.Err() != nil || got.NumRows() != 2*want.NumRows() {
		t.Fatal(r.Err(), got.NumRows())
	}
	for i := range int(got.NumCols()) {
		for _, from := range []int64{0, want.NumRows()} {
			part := array.NewColumnSlice(got.Column(i), from, from+want.NumRows())
			if !array.ChunkedEqual(part.Data(), want.Column(i).Data()) {
				t.Errorf("column %s differs from row %d on", got.Column(i).Name(), from)
			}
			part.Release()
		}
	}
	splits, err := all.Splits(t.Context(), 4, 0)
	if err != nil || len(splits) != 4 || splits[2].FileFrom != 0 || splits[3].To != 100000 || splits[1].FileFrom != splits[1].From {
		t.Errorf("%+v, %v", splits, err)
	}
	// Their bytes are those of the selected columns, for fixed widths as arrowmap has them.
	bytes := func(splits []fileset.Split, err error) (sum int64) {
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range splits {
			sum += s.Bytes
		}
		return sum
	}
	whole, parts := bytes(all.Splits(t.Context(), 4, 0)), int64(0)
	for _, c := range tab.Columns() {
		one, err := all.Select(c.Name)
		if err != nil {
			t.Fatal(err)
		}
		got := bytes(one.Splits(t.Context(), 4, 0))
		parts += got
		alone, err := tab.Select(c.Name)
		if err != nil {
			t.Fatal(err)
		}
		if f := alone.Footprint(); f.Exact && got != 2*tab.Rows()*f.Bytes {
			t.Errorf("column %s: splits of %d bytes, want %d", c.Name, got, 2*tab.Rows()*f.Bytes)
		}
	}
	if parts < whole*9/10 || parts > whole*11/10 {
		t.Errorf("splits of each column have %d bytes, of all %d", parts, whole)
	}
}

// Tables with the attributes of their files are, together, what Open returns.
func TestWithAttributes(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	m := &maker{t: t, dir: t.TempDir()}
	m.add(1, schemaOf("x i8", "s text"), `[{"x": 1, "s": "b"}, {"x": 2, "s": null}]`)
	m.add(-1, schemaOf("x i8", "s text"), `[]`)
	m.add(7, schemaOf("s text", "y f64"), `[{"y": 1.5, "s": "c"}]`)
	names := []string{"run", "nothing"}
	want, _ := lines(t, opened(t, m.names, fileset.Options{Union: true, Attributes: names}), fileset.ReadOptions{})
	var tables []*arrowmap.Table
	for _, name := range m.names {
		tables = append(tables, tableOf(t, name))
	}
	with, err := fileset.WithAttributes(tables, names)
	if err != nil {
		t.Fatal(err)
	}
	all, err := arrowmap.Union(with...)
	if err != nil {
		t.Fatal(err)
	}
	if all, err = all.Select("x", "s", "y", "run", "nothing"); err != nil {
		t.Fatal(err)
	}
	rec, err := all.ReadAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Release()
	var got []string
	for i := range int(rec.NumRows()) {
		var row []string
		for k := range int(rec.NumCols()) {
			c := array.NewColumnSlice(rec.Column(k), int64(i), int64(i+1))
			row = append(row, c.Data().Chunk(0).ValueStr(0))
			c.Release()
		}
		got = append(got, strings.Join(row, " "))
	}
	sameLines(t, got, want...)
	for text, want := range map[string]string{"run = 7": "[{2 3}]", "run < 9": "[{0 3}]", "run = 2": "[]", "run is null": "[]", "run is not null": "[{0 3}]",
		"nothing = a": "[]", "nothing is null": "[{0 3}]", "run = 1 and x > 1": "[{0 2}]"} {
		conditions, err := predicate.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		var tests []arrowmap.ColumnTest
		for _, c := range conditions {
			at := slices.IndexFunc(all.Columns(), func(col *arrowmap.Column) bool { return col.Name == c.Column })
			test, err := predicate.New(all.Columns()[at].Type, c.Op, c.Values...)
			if err != nil {
				t.Fatal(err)
			}
			tests = append(tests, arrowmap.ColumnTest{Column: at, Test: test})
		}
		ranges, err := all.Possible(t.Context(), tests...)
		if got := fmt.Sprint(ranges); err != nil || got != want {
			t.Errorf("%s: rows %s, want %s, %v", text, got, want, err)
		}
	}
	for _, taken := range [][]string{{"x"}, {"run", "s"}, {"run", "run"}} {
		if _, err := fileset.WithAttributes(tables[:1], taken); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%s: %v", taken, err)
		}
	}
	if _, err := fileset.WithAttributes([]*arrowmap.Table{all}, names[:1]); !h5err.Is(err, h5err.Argument) {
		t.Errorf("of several files: %v", err)
	}
}

// With Inside, the files of a manifest are in its folder.
func TestManifestInside(t *testing.T) {
	m := numbered(t, 2, 3)
	b, err := opened(t, m.names, fileset.Options{}).Manifest(t.Context(), m.dir)
	if err != nil {
		t.Fatal(err)
	}
	o := fileset.Options{Inside: true}
	if _, err := fileset.OpenManifest(t.Context(), b, m.dir, o); err != nil {
		t.Error(err)
	}
	own := filepath.Base(m.names[1])
	for _, name := range []string{m.names[1], "../" + own, "a/../../" + own, "https://example.org/" + own, "file:///" + own} {
		b := []byte(strings.Replace(string(b), fmt.Sprintf("%q", own), fmt.Sprintf("%q", name), 1))
		_, err := fileset.OpenManifest(t.Context(), b, m.dir, o)
		if e := (*h5err.Error)(nil); !errors.As(err, &e) || e.Rule != h5err.RuleManifest {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := fileset.ManifestFiles(b, m.dir, o); err == nil {
			t.Errorf("%s is taken", name)
		}
		if _, _, err := fileset.ManifestFiles(b, m.dir, fileset.Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A manifest says what opening all files does; a file that is not what it says is an error.
func TestManifest(t *testing.T) {
	m := numbered(t, 20, 3)
	b, err := opened(t, m.names, fileset.Options{Attributes: []string{"run"}}).Manifest(t.Context(), m.dir)
	if err != nil {
		t.Fatal(err)
	}
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(m.dir, moved); err != nil {
		t.Fatal(err)
	}
	var count atomic.Int64
	opening := fileset.Options{Name: "from", Open: func(_ context.Context, name string) (*arrowmap.File, error) { count.Add(1); return arrowmap.Open(name) }}
	all, err := fileset.OpenManifest(t.Context(), b, moved, opening)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := all.Rows(t.Context()); n != 60 || err != nil || count.Load() > 2 {
		t.Errorf("%d rows, %v, %d files were opened", n, err, count.Load())
	}
	count.Store(0)
	part := where(t, all, "run = 7 and x > 21")
	got, _ := lines(t, part, fileset.ReadOptions{})
	from := filepath.Join(moved, "f007.h5")
	sameLines(t, got, "22 r1 "+from+" 7", "23 r2 "+from+" 7")
	if count.Load() != 1 {
		t.Errorf("%d files were opened", count.Load())
	}
	other := &maker{t: t, dir: t.TempDir()}
	other.add(7, schemaOf("x i32", "s text"), `[{"x": 1, "s": "a"}]`)
	if err := os.Rename(other.names[0], from); err != nil {
		t.Fatal(err)
	}
	r, err := all.Reader(t.Context(), fileset.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	for r.Next() {
	}
	if !h5err.Is(r.Err(), h5err.IO) || !strings.Contains(r.Err().Error(), "f007.h5") || !strings.Contains(r.Err().Error(), "has changed") {
		t.Error(r.Err())
	}
}

func TestRefused(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	m := numbered(t, 12, 2)
	m.add(1, schemaOf("x f64", "s text"), `[{"x": 1, "s": "a"}]`)
	all := opened(t, m.names, fileset.Options{})
	r, err := all.Reader(t.Context(), fileset.ReadOptions{BatchRows: 1})
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for ; r.Next(); rows++ {
	}
	if text := fmt.Sprint(r.Err()); rows != 24 || !h5err.Is(r.Err(), h5err.Argument) || !strings.Contains(text, "column 1 is x of type float64, not x of type int32") {
		t.Error(rows, r.Err())
	}
	r.Release()
	for text, err := range map[string]error{
		"no files":             second(fileset.Open(t.Context(), nil, fileset.Options{})),
		"nothing.h5":           second(fileset.Open(t.Context(), []string{"nothing.h5"}, fileset.Options{})),
		"already has a column": second(fileset.Open(t.Context(), m.names, fileset.Options{Name: "x"})),
		"no column y":          second(all.Select("y")),
		"selected twice":       second(all.Select("x", "x")),
		"rows 3 to 2":          second(opened(t, m.names[:3], fileset.Options{}).Slice(t.Context(), 3, 2)),
		"-1 rows":              second(all.Head(-1)),
		"not a manifest":       second(fileset.OpenManifest(t.Context(), []byte("{}"), "", fileset.Options{})),
		"has another":          second(all.Slice(t.Context(), 0, 1)),
	} {
		if err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// FuzzManifest opens manifests of files that don't exist, and of one that does.
func FuzzManifest(f *testing.F) {
	m := numbered(f, 2, 3)
	b, err := opened(f, m.names, fileset.Options{Attributes: []string{"run"}}).Manifest(f.Context(), m.dir)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte(strings.Replace(string(b), `"rows":3`, `"rows":9223372036854775807`, 2)))
	f.Add([]byte(strings.Replace(string(b), `[0]`, `[0,1,{"float":"NaN"}]`, 1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := fileset.OpenManifest(t.Context(), b, m.dir, fileset.Options{Open: func(context.Context, string) (*arrowmap.File, error) { return arrowmap.Open(m.names[0]) }})
		if err != nil {
			return
		}
		if n, err := all.Rows(t.Context()); n < 0 || err != nil {
			t.Error(n, err)
		}
		if _, err := all.Splits(t.Context(), 2, 0); err != nil {
			t.Error(err)
		}
		again, err := all.Manifest(t.Context(), m.dir)
		if err != nil {
			t.Error(err)
		}
		if _, err := fileset.OpenManifest(t.Context(), again, m.dir, fileset.Options{Open: func(context.Context, string) (*arrowmap.File, error) { return arrowmap.Open(m.names[0]) }}); err != nil {
			t.Error(err)
		}
	})
}

// A server that stops to answer does not keep a call whose context is canceled: neither opening, nor counting, nor reading.
func TestCanceled(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	m := numbered(t, 3, 2)
	server := webserver.New(t)
	var names []string
	for i, name := range m.names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, server.Put(fmt.Sprintf("/%d.h5", i), b))
	}
	o := fileset.Options{Open: func(ctx context.Context, name string) (*arrowmap.File, error) {
		src, err := remote.Open(ctx, name)
		if err != nil {
			return nil, err
		}
		f, err := arrowmap.NewFile(src)
		if err != nil {
			src.Release()
		}
		return f, err
	}}
	all := opened(t, names, o)
	b, err := opened(t, names, o).Manifest(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	union := o
	union.Union = true
	for what, call := range map[string]func(context.Context) error{
		"open":     func(ctx context.Context) error { return second(fileset.Open(ctx, names, o)) },
		"union":    func(ctx context.Context) error { return second(fileset.Open(ctx, names, union)) },
		"manifest": func(ctx context.Context) error { return second(fileset.OpenManifest(ctx, b, "", o)) },
		"rows":     func(ctx context.Context) error { return second(all.Rows(ctx)) },
		"splits":   func(ctx context.Context) error { return second(all.Splits(ctx, 2, 0)) },
		"slice":    func(ctx context.Context) error { return second(all.Slice(ctx, 1, 2)) },
		"keep":     func(ctx context.Context) error { return second(all.Manifest(ctx, "")) },
		"read": func(ctx context.Context) error {
			r, err := all.Reader(ctx, fileset.ReadOptions{})
			if err != nil {
				return err
			}
			defer r.Release()
			for r.Next() {
			}
			return r.Err()
		},
		"waiting": func(ctx context.Context) error { // for a call that counts the rows already
			other := make(chan error)
			go func() { other <- second(all.Rows(ctx)) }()
			err := second(all.Rows(ctx))
			return cmp.Or(err, <-other)
		},
	} {
		server.Cancels(t, what, call)
	}
	if n, err := all.Rows(t.Context()); n != 6 || err != nil { // what was canceled is done again
		t.Errorf("%d rows, %v", n, err)
	}
}
