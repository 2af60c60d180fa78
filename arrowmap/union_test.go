package arrowmap_test

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// selected returns columns of the sample, which it opens.
func selected(t *testing.T, names ...string) *arrowmap.Table {
	t.Helper()
	out, err := table(t, open(t, "sample.h5"), "").Select(names...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Columns are matched by name, whatever part of the table is read: those of a file are its own, those that it lacks null.
func TestUnion(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	const rows = 50000
	parts := []*arrowmap.Table{selected(t, "fare", "zone"), selected(t, "note", "fare", "vendor"), selected(t, "zone", "fare"), selected(t, "fare", "zone", "note", "vendor")}
	all, err := arrowmap.Union(parts...)
	if err != nil {
		t.Fatal(err)
	}
	name, _ := parts[0].Location()
	want := []string{
		"column zone: missing, null in " + name,
		"column note: missing, null in 2 of 4 files, the first of them " + name,
		"column vendor: missing, null in 2 of 4 files, the first of them " + name,
	}
	if got := strings.Join(all.Notes(), "\n"); got != strings.Join(want, "\n") {
		t.Errorf("notes:\n%s", got)
	}
	whole := concat(t, records(t, stream(t, selected(t, "fare", "zone", "note", "vendor"))))[0]
	has := [][]bool{{true, true, false, false}, {true, false, true, true}, {true, true, false, false}, {true, true, true, true}}
	for _, span := range [][2]int64{{0, 4 * rows}, {rows - 3, rows + 4}, {3*rows - 1, 3*rows + 1}, {7, 7}} {
		sliced, err := all.Slice(span[0], span[1])
		if err != nil {
			t.Fatal(err)
		}
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		r, err := sliced.Reader(t.Context(), arrowmap.WithAllocator(mem), arrowmap.WithBatchRows(4999))
		if err != nil {
			t.Fatal(err)
		}
		at := span[0]
		for r.Next() {
			sameUnion(t, r.RecordBatch(), whole, at%rows, has[at/rows])
			at += r.RecordBatch().NumRows()
		}
		if r.Err() != nil || at != span[1] {
			t.Errorf("%v: until row %d, %v", span, at, r.Err())
		}
		r.Release()
		mem.AssertSize(t, 0)
	}
}

// sameUnion compares a batch with the rows of a record that start at row from, of which it has some columns.
func sameUnion(t *testing.T, rec, whole arrow.RecordBatch, from int64, has []bool) {
	t.Helper()
	want := whole.NewSlice(from, from+rec.NumRows())
	defer want.Release()
	for i, c := range rec.Columns() {
		if !arrow.TypeEqual(c.DataType(), want.Column(i).DataType()) {
			t.Errorf("column %d is %s, not %s", i, c.DataType(), want.Column(i).DataType())
		}
		if !has[i] {
			if c.NullN() != c.Len() {
				t.Errorf("row %d, column %d: %d of %d are null", from, i, c.NullN(), c.Len())
			}
			continue
		}
		if !array.Equal(c, want.Column(i)) {
			t.Errorf("row %d: column %d differs", from, i)
		}
	}
}

// Conditions on a column that some files lack hold for no row of these; it can be asked for.
func TestUnionWhere(t *testing.T) {
	all, err := arrowmap.Union(selected(t, "fare", "zone"), selected(t, "vendor", "fare"))
	if err != nil {
		t.Fatal(err)
	}
	count := func(of *arrowmap.Table, text string) (n int64) {
		t.Helper()
		conditions, err := predicate.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		w, err := of.Where(conditions...)
		if err != nil {
			t.Fatal(err)
		}
		r, err := of.Reader(t.Context(), arrowmap.WithWhere(w))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Release()
		for r.Next() {
			n += r.RecordBatch().NumRows()
		}
		if r.Err() != nil {
			t.Error(text, r.Err())
		}
		return n
	}
	sample := selected(t, "fare", "zone", "vendor")
	for text, want := range map[string]int64{
		"vendor is null": 50000, "vendor = 1": count(sample, "vendor = 1"), "zone = Dock": count(sample, "zone = Dock"),
		"fare > 20": 2 * count(sample, "fare > 20"), "fare > 20 and vendor = 1": count(sample, "fare > 20 and vendor = 1"),
	} {
		if got := count(all, text); got != want {
			t.Errorf("%s: %d rows, want %d", text, got, want)
		}
	}
	splits, err := all.Splits(arrowmap.WithSplitCount(4), arrowmap.WithStoredBytes())
	if err != nil || len(splits) != 4 || splits[3].To != 100000 || splits[3].FileFrom != 32768 {
		t.Errorf("%+v, %v", splits, err)
	}
}

func TestUnionRefused(t *testing.T) {
	f := open(t, "sample.h5")
	named := func(name string, paths ...string) *arrowmap.Table {
		def := &convention.Table{Path: "/table"}
		for _, p := range paths {
			def.Columns = append(def.Columns, convention.Column{Name: name, Values: plain(t, f, "/table/columns/"+p+"/data")})
		}
		return f.Define(def)
	}
	for text, parts := range map[string][]*arrowmap.Table{
		"column x differs: it is bool":                   {named("x", "fare"), named("x", "shared")},
		"two columns are called x":                       {named("x", "fare"), named("x", "fare", "vendor")},
		"column x differs: it is float32, and timestamp": {named("x", "pickup"), named("x", "fare")},
	} {
		if _, err := arrowmap.Union(parts...); !h5err.Is(err, h5err.Argument) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for want, parts := range map[string][]*arrowmap.Table{
		"float64": {named("x", "fare"), named("x", "meter")}, "int16": {named("x", "rating"), named("x", "passengers"), named("x", "vendor")},
	} {
		if all, err := arrowmap.Union(parts...); err != nil || all.Columns()[0].Type.Name() != want || len(all.Notes()) == 0 {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := arrowmap.Union(); !h5err.Is(err, h5err.Argument) {
		t.Error(err)
	}
}

// A table takes further columns, also where the first of its own has no dataset; those that are selected stay.
func TestWith(t *testing.T) {
	f := open(t, "sample.h5")
	fares, err := table(t, f, "").Select("fare")
	if err != nil {
		t.Fatal(err)
	}
	of := func(columns ...convention.Column) *arrowmap.Table {
		return f.Define(&convention.Table{Path: "/t", Columns: columns})
	}
	for want, tab := range map[string]*arrowmap.Table{
		"fare more":     fares,
		"none more":     of(convention.Column{Name: "none", Values: convention.Missing(3)}),
		"bad none more": of(convention.Column{Name: "bad", Err: h5err.New(h5err.Corrupt, "no")}, convention.Column{Name: "none", Values: convention.Missing(3)}),
		"bad":           of(convention.Column{Name: "bad", Err: h5err.New(h5err.Corrupt, "no")}),
		"":              of(),
	} {
		with, err := tab.With(func(d *h5.Dataset, rows int64) []convention.Column {
			if rows != tab.Rows() || tab == fares && d == nil {
				t.Errorf("%s: %d rows of %d, dataset %v", want, rows, tab.Rows(), d)
			}
			return []convention.Column{{Name: "more", Values: convention.Missing(rows)}}
		})
		if err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		var names []string
		for _, c := range with.Columns() {
			names = append(names, c.Name)
		}
		if got := strings.Join(names, " "); got != want || with.Rows() != tab.Rows() {
			t.Errorf("columns %s, want %s; %d rows", got, want, with.Rows())
		}
	}
	rec, err := fares.ReadAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rec.Release()
}
