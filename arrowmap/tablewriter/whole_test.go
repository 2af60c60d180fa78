package tablewriter_test

import (
	"context"
	"errors"
	"math/rand/v2"
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
)

// wholeLayouts are those of other software that need all rows first, and the types of fields that they have no place for.
var wholeLayouts = map[tablewriter.Layout][]string{
	tablewriter.Pandas:  {"list", "struct", "binary", "decimal"},
	tablewriter.NetCDF:  {"list<", "list_view<", "struct", "binary", "values=bool", "values=timestamp", "values=float64", "values=decimal", "[2]"},
	tablewriter.AnnData: {"list<", "list_view<", "struct", "binary", "decimal", "timestamp", "date", "time", "duration", "bool, nullable>[2]", "[2]"},
}

// TestWholeRoundTrip writes columns of every type in the layouts of other software, and reads equal values again; types that a layout
// lacks are refused by name.
func TestWholeRoundTrip(t *testing.T) {
	for l, without := range wholeLayouts {
		for _, typ := range slices.Concat(scalars(), nested()) {
			t.Run(l.String()+"/"+typ.String(), func(t *testing.T) {
				kept := 0
				for i, density := range []float64{0, 0.3, 1} {
					r := &random{Rand: rand.New(rand.NewPCG(uint64(i), 1)), nulls: density, inner: density / 2, small: true}
					kept += wholeRoundTrip(t, tablewriter.Options{Layout: l, ChunkRows: int64(i) * 5}, typ, batches(r, typ))
				}
				refused := slices.ContainsFunc(without, func(s string) bool { return strings.Contains(typ.String(), s) })
				if kept == 0 && !refused {
					t.Error("it is refused")
				}
			})
		}
	}
}

// wholeRoundTrip writes one column and reads it again, and returns 1, or 0 if its type is refused.
func wholeRoundTrip(t *testing.T, o tablewriter.Options, typ arrow.DataType, arrays []arrow.Array) int {
	t.Helper()
	s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: typ, Nullable: true}}, nil)
	var recs []arrow.RecordBatch
	for _, a := range arrays {
		recs = append(recs, array.NewRecordBatch(s, []arrow.Array{a}, int64(a.Len())))
	}
	name, sum, err := writeFile(t, s, recs, o)
	if err != nil {
		var e *h5err.Error
		if !errors.As(err, &e) || e.Kind != h5err.Unsupported || e.Object != "x" || e.Hint == "" {
			t.Errorf("%v: neither the column nor what to do", err)
		}
		return 0
	}
	sound(t, name)
	f, err := arrowmap.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	path := sum.Path
	if typ.ID() == arrow.FIXED_SIZE_LIST && o.Layout == tablewriter.AnnData {
		path = "/obsm"
	}
	got, err := columnOf(f, path, "x")
	if err != nil {
		t.Fatal(err)
	}
	want := normals(arrays...)
	for _, values := range [][]string{got, want} {
		for i := range values { // NaN is what pandas and AnnData have for null
			values[i] = strings.ReplaceAll(values[i], "NaN", "null")
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v: got %v\nwant %v", o.Layout, got, want)
	}
	return 1
}

// sound has package check find nothing wrong in a file.
func sound(t *testing.T, name string) {
	t.Helper()
	f, err := h5.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := check.File(context.Background(), f, check.Options{Deep: true}, func(err error) { t.Error(err) }); err != nil {
		t.Error(err)
	}
}

// columnOf returns the values of a column of a table.
func columnOf(f *arrowmap.File, path, name string) ([]string, error) {
	tab, err := f.Table(path)
	if err != nil {
		return nil, err
	}
	if tab, err = tab.Select(name); err != nil {
		return nil, err
	}
	r, err := tab.Reader(context.Background())
	if err != nil {
		return nil, err
	}
	defer r.Release()
	var out []string
	for r.Next() {
		out = append(out, normals(r.RecordBatch().Column(0))...)
	}
	return out, r.Err()
}

// TestWholeTypes has the types that reading gives, where another is likely.
func TestWholeTypes(t *testing.T) {
	word := &arrow.DictionaryType{IndexType: prim.Int16, ValueType: bin.String, Ordered: true}
	berlin := func(u arrow.TimeUnit) arrow.DataType { return &arrow.TimestampType{Unit: u, TimeZone: "Europe/Berlin"} }
	for _, tt := range []struct {
		layout   tablewriter.Layout
		typ      arrow.DataType
		rows     string
		want     arrow.DataType
		nullable string
	}{
		{tablewriter.Pandas, prim.Int8, `[1, 2]`, prim.Int8, ""},
		{tablewriter.Pandas, prim.Int8, `[1, null]`, prim.Float64, "sentinel"},
		{tablewriter.Pandas, berlin(arrow.Second), `["2020-01-01T00:00:00Z", null]`, berlin(arrow.Nanosecond), "sentinel"},
		{tablewriter.Pandas, arrow.FixedWidthTypes.Boolean, `[true, null]`, &arrow.DictionaryType{IndexType: prim.Int8, ValueType: arrow.FixedWidthTypes.Boolean}, "sentinel"},
		{tablewriter.NetCDF, prim.Uint8, `[255, 254, 0, 253, null]`, prim.Uint16, "sentinel"},
		{tablewriter.NetCDF, prim.Int8, `[-127, 5]`, prim.Int8, ""},
		{tablewriter.NetCDF, berlin(arrow.Millisecond), `["2020-01-01T00:00:00Z", null]`, berlin(arrow.Millisecond), "sentinel"},
		{tablewriter.NetCDF, arrow.FixedWidthTypes.Boolean, `[true, false]`, arrow.FixedWidthTypes.Boolean, ""},
		{tablewriter.AnnData, prim.Int8, `[1, null]`, prim.Int8, "mask"},
		{tablewriter.AnnData, bin.StringView, `["a", null]`, bin.String, "mask"},
	} {
		s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: tt.typ, Nullable: true}}, nil)
		name, sum := write1(t, s, []arrow.RecordBatch{array.NewRecordBatch(s, []arrow.Array{fromJSON(t, tt.typ, tt.rows)}, -1)}, tablewriter.Options{Layout: tt.layout})
		if got := typeOf(t, name, sum.Path); !arrow.TypeEqual(got, tt.want) || sum.Columns[0].Nulls != tt.nullable {
			t.Errorf("%v: %s %s is read as %s, want %s; nulls %q", tt.layout, tt.typ, tt.rows, got, tt.want, sum.Columns[0].Nulls)
		}
	}
	s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: word, Nullable: true}}, nil)
	for l, ordered := range map[tablewriter.Layout]bool{tablewriter.Pandas: true, tablewriter.AnnData: true, tablewriter.NetCDF: false} {
		labels := fromJSON(t, bin.String, `["b", "a"]`)
		a := array.NewDictionaryArray(word, fromJSON(t, prim.Int16, `[1, null]`), labels)
		name, sum := write1(t, s, []arrow.RecordBatch{array.NewRecordBatch(s, []arrow.Array{a}, 2)}, tablewriter.Options{Layout: l})
		if d, ok := typeOf(t, name, sum.Path).(*arrow.DictionaryType); !ok || d.Ordered != ordered {
			t.Errorf("%v: %v", l, typeOf(t, name, sum.Path))
		}
	}
}

// typeOf returns the type of the column x of a table.
func typeOf(t *testing.T, file, path string) arrow.DataType {
	t.Helper()
	f, err := arrowmap.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tab, err := f.Table(path)
	if err == nil {
		tab, err = tab.Select("x")
	}
	if err != nil {
		t.Fatal(err)
	}
	return tab.Schema().Field(0).Type
}

// TestWholeIndex has the index of pandas where metadata say which column it is, and AnnData's names of observations.
func TestWholeIndex(t *testing.T) {
	fields := []arrow.Field{{Name: "id", Type: bin.String, Nullable: true}, {Name: "x", Type: prim.Int32, Nullable: true, Metadata: arrow.MetadataFrom(map[string]string{"unit": "m"})}}
	for i, tt := range []struct {
		layout  tablewriter.Layout
		md      map[string]string
		columns string
		index   string
	}{
		{tablewriter.Pandas, map[string]string{"info": "taken", "creator": "me"}, "index id x", "0 1"},
		{tablewriter.Pandas, map[string]string{"pandas": `{"index_columns":["id"],"columns":[{"name":"key","field_name":"id"}]}`}, "key x", "p q"},
		{tablewriter.Pandas, map[string]string{"pandas": `{"index_columns":["id"],"columns":[{"name":null,"field_name":"id"}]}`}, "index x", "p q"},
		{tablewriter.Pandas, map[string]string{"pandas": `{"index_columns":[{"kind":"range","name":"n","start":5,"stop":1,"step":-2}]}`}, "n id x", "5 3"},
		{tablewriter.Pandas, map[string]string{"pandas": `{"index_columns":["id","none"]}`}, "index id x", "0 1"},
		{tablewriter.Pandas, map[string]string{"pandas": `{"index_columns":["x","id"]}`}, "index id x", "0 1"}, // nothing would be left
		{tablewriter.Pandas, map[string]string{"pandas": `not JSON`}, "index id x", "0 1"},
		{tablewriter.AnnData, nil, "_index id x", "0 1"},
		{tablewriter.AnnData, map[string]string{"h5arrow.index": "id"}, "id x", "p q"},
		{tablewriter.AnnData, map[string]string{"pandas": `{"index_columns":["id"]}`}, "id x", "p q"},
	} {
		md := arrow.MetadataFrom(tt.md)
		s := arrow.NewSchema(fields, &md)
		rec := array.NewRecordBatch(s, []arrow.Array{fromJSON(t, bin.String, `["p", "q"]`), fromJSON(t, prim.Int32, `[1, 2]`)}, 2)
		name, sum := write1(t, s, []arrow.RecordBatch{rec}, tablewriter.Options{Layout: tt.layout})
		f, err := arrowmap.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		tab, err := f.Table(sum.Path)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, c := range tab.Schema().Fields() {
			names = append(names, c.Name)
		}
		got, err := columnOf(f, sum.Path, names[0])
		if strings.Join(names, " ") != tt.columns || strings.Join(got, " ") != tt.index || err != nil {
			t.Errorf("%d: columns %q, index %q, %v", i, names, got, err)
		}
		if tt.layout == tablewriter.Pandas && (!slices.Contains(sum.Dropped, "unit") || slices.Contains(sum.Dropped, "info") != (i == 0)) {
			t.Errorf("%d: dropped %q", i, sum.Dropped)
		}
		f.Close()
	}
}
