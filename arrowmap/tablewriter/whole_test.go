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
