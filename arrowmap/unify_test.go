package arrowmap_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// underNulls fails the test if an index of a dictionary that is not 0 is under a null, or a null among the labels.
func underNulls(t *testing.T, arr arrow.Array) {
	t.Helper()
	d := arr.(*array.Dictionary)
	if n := d.Dictionary().NullN(); n > 0 {
		t.Errorf("%d labels are null", n)
	}
	for i := range d.Len() {
		if d.IsNull(i) && d.GetValueIndex(i) != 0 {
			t.Errorf("index %d under the null of row %d", d.GetValueIndex(i), i)
		}
	}
}

// Files with other labels are one table with one dictionary, in all batches.
func TestUnifyLabels(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	for _, c := range []struct {
		files, typ, want, labels string
	}{
		{"a b", "dictionary<values=utf8, indices=int8, ordered=false>", "c b (null) b x c", "[\"b\" \"c\" \"x\"]"},
		{"b a none", "dictionary<values=utf8, indices=int8, ordered=false>", "b x c c b (null) (null) (null)", "[\"x\" \"c\" \"b\"]"},
		{"none a", "dictionary<values=utf8, indices=int8, ordered=false>", "(null) (null) c b (null)", "[\"b\" \"c\"]"},
		{"none none", "dictionary<values=float64, indices=int8, ordered=false>", "(null) (null) (null) (null)", "[]"},
		{"a a", "dictionary<values=utf8, indices=int8, ordered=false>", "c b (null) c b (null)", "[\"b\" \"c\"]"},
		{"a many", "dictionary<values=utf8, indices=int16, ordered=false>", "", ""},
	} {
		var parts []*arrowmap.Table
		for _, name := range strings.Fields(c.files) {
			parts = append(parts, table(t, open(t, "../arrowmap/testdata/labels_"+name+".h5"), "/obs"))
		}
		all, err := arrowmap.Concat(parts...)
		if err != nil {
			t.Errorf("%s: %v", c.files, err)
			continue
		}
		all, err = all.Select("v", "c")
		if err != nil {
			t.Fatal(err)
		}
		if got := all.Schema().Field(1).Type.String(); got != c.typ {
			t.Errorf("%s: %s, want %s", c.files, got, c.typ)
		}
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		r, err := all.Reader(t.Context(), arrowmap.WithAllocator(mem))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		var labels arrow.Array
		for r.Next() {
			d := r.RecordBatch().Column(1).(*array.Dictionary)
			underNulls(t, d)
			for i := range d.Len() {
				got = append(got, d.ValueStr(i))
			}
			if labels != nil && !array.Equal(labels, d.Dictionary()) {
				t.Errorf("%s: labels %s, then %s", c.files, labels, d.Dictionary())
			}
			labels = d.Dictionary()
			labels.Retain()
			defer labels.Release()
		}
		if r.Err() != nil {
			t.Errorf("%s: %v", c.files, r.Err())
		}
		if text := strings.Join(got, " "); c.want != "" && text != c.want {
			t.Errorf("%s: %s, want %s", c.files, text, c.want)
		}
		if c.want == "" && (len(got) != 134 || got[3] != "l0" || got[132] != "l129" || got[133] != "(null)") {
			t.Errorf("%s: %s", c.files, got)
		}
		if text := fmt.Sprint(labels); c.labels != "" && text != c.labels {
			t.Errorf("%s: labels %s, want %s", c.files, text, c.labels)
		}
		if report := r.Report()[1]; report.Delivery != dtype.Converted || report.CopiedBytes == 0 {
			t.Errorf("%s: %+v", c.files, report)
		}
		r.Release()
	}
}

// A column of another type is an error that says both, and so is one of another name.
func TestUnifyRefused(t *testing.T) {
	labels, durations := open(t, "../arrowmap/testdata/labels_a.h5"), open(t, "../arrowmap/testdata/undernulls.h5")
	pick := func(f *arrowmap.File, path, column string) *arrowmap.Table {
		t.Helper()
		x, err := table(t, f, path).Select(column)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for want, parts := range map[string][]*arrowmap.Table{
		"column s differs: column 1 is called v":                                                     {pick(labels, "/obs", "v"), pick(durations, "/t", "s")},
		"column v differs: column 1 is called c":                                                     {pick(labels, "/obs", "c"), pick(labels, "/obs", "v")},
		"column s differs: it is duration[s], and int":                                               {defined(t, labels, "/obs/v", "s"), pick(durations, "/t", "s")},
		"column c differs: it is int64, and dictionary<values=utf8, indices=int8, ordered=false> in": {pick(labels, "/obs", "c"), defined(t, labels, "/obs/v", "c")},
		"2 columns, not 3": {table(t, labels, "/obs"), two(t, labels)},
	} {
		if _, err := arrowmap.Concat(parts...); h5err.KindOf(err) != h5err.Argument || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// plain is the values of a dataset.
func plain(t *testing.T, f *arrowmap.File, path string) *convention.Plain {
	t.Helper()
	o, err := f.H5().Lookup(path)
	if err != nil {
		t.Fatal(err)
	}
	values, err := convention.NewPlain(o.(*h5.Dataset))
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// defined is a table of one dataset as a column of a name.
func defined(t *testing.T, f *arrowmap.File, path, name string) *arrowmap.Table {
	t.Helper()
	return f.Define(&convention.Table{Path: "/obs", Columns: []convention.Column{{Name: name, Values: plain(t, f, path)}}})
}

// A label that is null is in no dictionary: its rows are null.
func TestNullLabels(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	f := open(t, "../arrowmap/testdata/undernulls.h5")
	labels := plain(t, f, "/d/labels")
	labels.DType = "timedelta64[s]"
	for _, dense := range []bool{false, true} {
		values := &convention.Dictionary{Indices: plain(t, f, "/d/codes"), Labels: labels, Dense: dense}
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		tab := f.Define(&convention.Table{Path: "/d", Columns: []convention.Column{{Name: "x", Values: values}}})
		r, err := tab.Reader(t.Context(), arrowmap.WithAllocator(mem))
		if err != nil {
			t.Fatal(err)
		}
		if !r.Next() {
			t.Fatal(r.Err())
		}
		arr := r.RecordBatch().Column(0)
		var got []string
		for i := range arr.Len() {
			got = append(got, arr.ValueStr(i))
		}
		if text := strings.Join(got, " "); text != "7s (null) 5s 7s" || arr.NullN() != 1 {
			t.Errorf("dense %v: %s, %d nulls", dense, text, arr.NullN())
		}
		if !dense {
			underNulls(t, arr)
			if text := arr.(*array.Dictionary).Dictionary().String(); text != "[5 7]" {
				t.Errorf("labels %s", text)
			}
		}
		r.Release()
		mem.AssertSize(t, 0)
	}
}

func two(t *testing.T, f *arrowmap.File) *arrowmap.Table {
	t.Helper()
	x, err := table(t, f, "/obs").Select("v", "c")
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// Durations and indices under nulls are 0, and the report says that this took a copy.
func TestUnderNulls(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	for _, opts := range [][]arrowmap.Option{nil, {arrowmap.WithoutMapping()}} {
		f := open(t, "../arrowmap/testdata/undernulls.h5", opts...)
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		r, err := table(t, f, "/t").Reader(t.Context(), arrowmap.WithAllocator(mem))
		if err != nil {
			t.Fatal(err)
		}
		if !r.Next() {
			t.Fatal(r.Err())
		}
		for i, name := range []string{"ns", "s"} {
			c := r.RecordBatch().Column(i).(*array.Duration)
			if r.RecordBatch().ColumnName(i) != name || c.NullN() != 1 || !c.IsNull(1) || c.Value(0) != 5 || c.Value(1) != 0 || c.Value(2) != -1 {
				t.Errorf("%s: %s, %d under the null", r.RecordBatch().ColumnName(i), c, c.Value(1))
			}
			if report := r.Report()[i]; opts == nil && (report.Delivery != dtype.Converted || report.CopiedBytes == 0 || report.Reason != "the values under nulls become 0") {
				t.Errorf("%+v", report)
			}
		}
		r.Release()
		mem.AssertSize(t, 0)
		all := table(t, open(t, "../arrowmap/testdata/labels_a.h5", opts...), "/obs")
		if r, err = all.Reader(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !r.Next() {
			t.Fatal(r.Err())
		}
		underNulls(t, r.RecordBatch().Column(1))
		r.Release()
	}
}

// Words of enumerations that differ between files become one dictionary, also within lists and structs.
func TestUnifyWords(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	a, b := open(t, "../arrowmap/testdata/labels_words_a.h5"), open(t, "../arrowmap/testdata/labels_words_b.h5")
	var parts []*arrowmap.Table
	for _, f := range []*arrowmap.File{a, b} {
		x, err := f.Datasets("/t/one", "/t/pair", "/t/inner")
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, x)
	}
	all, err := arrowmap.Concat(parts...)
	if err != nil {
		t.Fatal(err)
	}
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	r, err := all.Reader(t.Context(), arrowmap.WithAllocator(mem))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, 3)
	for r.Next() {
		rec := r.RecordBatch()
		for i, c := range rec.Columns() {
			if !arrow.TypeEqual(c.DataType(), all.Schema().Field(i).Type) {
				t.Errorf("%s, not %s", c.DataType(), all.Schema().Field(i).Type)
			}
			for k := range c.Len() {
				got[i] += c.ValueStr(k) + " "
			}
		}
		for _, d := range []arrow.Array{rec.Column(0), rec.Column(1).(*array.FixedSizeList).ListValues(), rec.Column(2).(*array.Struct).Field(1)} {
			if text := d.(*array.Dictionary).Dictionary().String(); text != `["lo" "hi" "mid"]` {
				t.Errorf("labels %s", text)
			}
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	for i, want := range []string{
		"lo hi hi lo mid hi ",
		`["lo","hi"] ["hi","hi"] ["hi","lo"] ["lo","hi"] ["mid","mid"] ["hi","lo"] `,
		`{"k":0,"w":"lo"} {"k":1,"w":"hi"} {"k":2,"w":"hi"} {"k":0,"w":"lo"} {"k":1,"w":"mid"} {"k":2,"w":"hi"} `,
	} {
		if got[i] != want {
			t.Errorf("got  %s\nwant %s", got[i], want)
		}
		if report := r.Report()[i]; report.Delivery != dtype.Converted || report.CopiedBytes == 0 {
			t.Errorf("%+v", report)
		}
	}
	r.Release()
	mem.AssertSize(t, 0)
}
