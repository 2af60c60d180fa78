package tablewriter_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/tablewriter"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write"
)

// record1 returns a batch of columns of three values.
func record1(md map[string]string, fields ...arrow.Field) (*arrow.Schema, arrow.RecordBatch) {
	r := &random{Rand: rand.New(rand.NewPCG(1, 1)), nulls: 0.3, inner: 0.3}
	m := arrow.MetadataFrom(md)
	s := arrow.NewSchema(fields, &m)
	var columns []arrow.Array
	for _, f := range fields {
		columns = append(columns, r.array(f.Type, 3))
	}
	return s, array.NewRecordBatch(s, columns, 3)
}

// without returns metadata without the keys that reading adds.
func without(md arrow.Metadata, keep map[string]string) map[string]string {
	out := md.ToMap()
	maps.DeleteFunc(out, func(k, _ string) bool {
		_, kept := keep[k]
		return !kept && (strings.HasPrefix(k, "hdf5.attr.") || strings.HasPrefix(k, "h5arrow."))
	})
	return out
}

// TestMetadata writes metadata of every kind, and reads all of it again.
func TestMetadata(t *testing.T) {
	table := map[string]string{
		"creator": "me", "type": "a name that the layout needs", "column_order": "x", "empty": "", "number": "5", "list": `["a"]`,
		"pandas": `{"columns":[]}`, "nul": "a\x00b", "hdf5.attr.title": "T", "hdf5.attr.n": "3", "": "no name", "long": strings.Repeat("x", 50_000),
	}
	column := map[string]string{"unit": "m", "dtype": "odd", "hdf5.attr.dtype": "stored", "hdf5.attr.unit2": "s", "alias": "y", "h5arrow.own": "1"}
	for _, l := range []tablewriter.Layout{tablewriter.Vaex, tablewriter.Plain} {
		s, rec := record1(table, arrow.Field{Name: "x", Type: prim.Int32, Nullable: true, Metadata: arrow.MetadataFrom(column)},
			arrow.Field{Name: "lists", Type: arrow.ListOf(prim.Int8), Nullable: true, Metadata: arrow.MetadataFrom(column)})
		if l == tablewriter.Plain { // without nulls in lists
			s, rec = record1(table, s.Field(0), arrow.Field{Name: "lists", Type: prim.Float64, Nullable: true, Metadata: arrow.MetadataFrom(column)})
		}
		name, sum := write1(t, s, []arrow.RecordBatch{rec}, tablewriter.Options{Layout: l})
		if len(sum.Dropped) > 0 {
			t.Errorf("%v: dropped %q", l, sum.Dropped)
		}
		got, _ := read(t, name)
		if md := without(got.Metadata(), table); !maps.Equal(md, table) {
			t.Errorf("%v: the table's metadata are %q\nwant %q", l, md, table)
		}
		for _, f := range got.Fields() {
			if md := without(f.Metadata, column); !maps.Equal(md, column) {
				t.Errorf("%v: the metadata of %s are %q\nwant %q", l, f.Name, md, column)
			}
		}
		attribute(t, name, sum.Columns[0].Path, l, "unit", "m")
	}
}

// attribute checks an attribute of a column as other software sees it.
func attribute(t *testing.T, file, path string, l tablewriter.Layout, name, want string) {
	t.Helper()
	f, err := h5.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if l == tablewriter.Vaex {
		path = strings.TrimSuffix(path, "/data")
	}
	o, err := f.Lookup(path)
	if err != nil {
		t.Fatal(err)
	}
	a, err := o.Attribute(name)
	if err != nil || a == nil {
		t.Fatalf("no attribute %s: %v", name, err)
	}
	if text, _ := a.Text(); text != want {
		t.Errorf("%s is %q", name, text)
	}
}

// TestDroppedMetadata reports what can't be an attribute.
func TestDroppedMetadata(t *testing.T) {
	s, rec := record1(map[string]string{"bytes": "\xff", "good": "x"}, arrow.Field{Name: "x", Type: prim.Int8})
	_, sum := write1(t, s, []arrow.RecordBatch{rec}, tablewriter.Options{})
	if len(sum.Dropped) != 1 || sum.Dropped[0] != "bytes" {
		t.Errorf("dropped %q", sum.Dropped)
	}
}

// TestNames writes columns whose names links of HDF5 can't have, and keeps their order.
func TestNames(t *testing.T) {
	var fields []arrow.Field
	for _, n := range []string{"z", "a,b", "a/b", "a_b", ".", "..", "ü", "type", "data", "z_mask"} {
		fields = append(fields, arrow.Field{Name: n, Type: prim.Int16, Nullable: true})
	}
	fields = append(fields, arrow.Field{Name: "l/l", Type: bin.Binary, Nullable: true})
	for _, l := range []tablewriter.Layout{tablewriter.Vaex, tablewriter.Plain} {
		s, rec := record1(nil, fields...)
		name, _ := write1(t, s, []arrow.RecordBatch{rec}, tablewriter.Options{Layout: l})
		f, err := arrowmap.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		tab, err := f.Table("/table")
		if err != nil {
			t.Fatal(err)
		}
		r, err := tab.Reader(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if !r.Next() || int(r.RecordBatch().NumCols()) != len(fields) {
			t.Fatalf("%v: %v, %v", l, r.Schema(), r.Err())
		}
		for i, f := range fields {
			got, want := shown(t, r.RecordBatch().Column(i)), shown(t, rec.Column(i))
			if r.Schema().Field(i).Name != f.Name || strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("%v: column %d is %q: %v, want %q: %v", l, i, r.Schema().Field(i).Name, got, f.Name, want)
			}
		}
		r.Release()
		f.Close()
	}
}

// TestErrors names what can't be stored.
func TestErrors(t *testing.T) {
	list := arrow.ListOf(prim.Int8)
	for _, tt := range []struct {
		typ    arrow.DataType
		rows   string
		o      tablewriter.Options
		kind   h5err.Kind
		fields []string // that the message has
	}{
		{arrow.MapOf(bin.String, prim.Int8), "[]", tablewriter.Options{}, h5err.Unsupported, []string{"x", "map"}},
		{arrow.FixedWidthTypes.MonthInterval, "[]", tablewriter.Options{}, h5err.Unsupported, []string{"x", "interval"}},
		{arrow.ListOf(arrow.MapOf(bin.String, prim.Int8)), "[]", tablewriter.Options{}, h5err.Unsupported, []string{"x", "map"}},
		{arrow.StructOf(), "[]", tablewriter.Options{}, h5err.Unsupported, []string{"x", "without fields"}},
		{list, "[[1],[null]]", tablewriter.Options{Layout: tablewriter.Plain}, h5err.Unsupported, []string{"x", "row 1", "null"}},
		{prim.Int8, "[1,-128]", tablewriter.Options{Nulls: tablewriter.Sentinel}, h5err.Unsupported, []string{"x", "row 1", "-128"}},
		{prim.Int8, "[1,2]", tablewriter.Options{Rows: 1}, h5err.Argument, []string{"1 that were expected"}},
		{prim.Int8, "[1]", tablewriter.Options{Rows: 2}, h5err.Argument, []string{"1 rows"}},
		{prim.Int8, "[1]", tablewriter.Options{Path: "/"}, h5err.Argument, []string{"root"}},
		{prim.Int8, "[1]", tablewriter.Options{ChunkRows: -1}, h5err.Argument, []string{"-1 rows"}},
		{&arrow.Decimal128Type{Precision: 2}, `["12345678901234567890"]`, tablewriter.Options{}, h5err.Unsupported, []string{"x", "row 0", "digits"}},
	} {
		err := failing(t, tt.typ, tt.rows, tt.o)
		if !h5err.Is(err, tt.kind) {
			t.Errorf("%s %s: %v", tt.typ, tt.rows, err)
			continue
		}
		for _, part := range tt.fields {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s %s: %q does not name %s", tt.typ, tt.rows, err, part)
			}
		}
	}
}

// failing returns the error of writing a column.
func failing(t *testing.T, typ arrow.DataType, rows string, o tablewriter.Options) error {
	t.Helper()
	s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: typ, Nullable: true}}, nil)
	var recs []arrow.RecordBatch
	if rows != "[]" {
		recs = append(recs, array.NewRecordBatch(s, []arrow.Array{fromJSON(t, typ, rows)}, -1))
	}
	rr, err := array.NewRecordReader(s, recs)
	if err != nil {
		t.Fatal(err)
	}
	defer rr.Release()
	f, err := write.Create(discard{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Abandon()
	_, err = tablewriter.Write(context.Background(), f, rr, o)
	return err
}

// discard is an output that keeps nothing.
type discard struct{}

func (discard) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
