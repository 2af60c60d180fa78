package tablewriter_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/tablewriter"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/write"
)

var (
	prim = arrow.PrimitiveTypes
	bin  = arrow.BinaryTypes
)

func fsl(n int32, t arrow.DataType) arrow.DataType { return arrow.FixedSizeListOf(n, t) }

func structOf(t ...arrow.DataType) arrow.DataType {
	var fields []arrow.Field
	for i, f := range t {
		fields = append(fields, arrow.Field{Name: fmt.Sprintf("f/%d", i), Type: f, Nullable: true, Metadata: arrow.MetadataFrom(map[string]string{"k": "v"})})
	}
	return arrow.StructOf(fields...)
}

// scalars are the types of values without parts.
func scalars() []arrow.DataType {
	out := []arrow.DataType{
		arrow.FixedWidthTypes.Boolean, prim.Int8, prim.Int16, prim.Int32, prim.Int64, prim.Uint8, prim.Uint16, prim.Uint32, prim.Uint64,
		arrow.FixedWidthTypes.Float16, prim.Float32, prim.Float64, prim.Date32, prim.Date64,
		arrow.FixedWidthTypes.Time32s, arrow.FixedWidthTypes.Time32ms, arrow.FixedWidthTypes.Time64us, arrow.FixedWidthTypes.Time64ns,
		bin.String, bin.LargeString, bin.StringView, bin.Binary, bin.LargeBinary, bin.BinaryView, &arrow.FixedSizeBinaryType{ByteWidth: 5},
		&arrow.Decimal32Type{Precision: 5, Scale: 2}, &arrow.Decimal64Type{Precision: 12, Scale: 0}, &arrow.Decimal128Type{Precision: 18, Scale: 3},
		&arrow.Decimal128Type{Precision: 38, Scale: 4}, &arrow.Decimal128Type{Precision: 30, Scale: -2}, &arrow.Decimal256Type{Precision: 60, Scale: 20},
		arrow.Null,
	}
	for _, u := range arrow.TimeUnitValues {
		out = append(out, &arrow.TimestampType{Unit: u}, &arrow.TimestampType{Unit: u, TimeZone: "Europe/Berlin"}, &arrow.DurationType{Unit: u})
	}
	return out
}

// nested are types with parts.
func nested() []arrow.DataType {
	dict := func(i, v arrow.DataType, ordered bool) arrow.DataType {
		return &arrow.DictionaryType{IndexType: i, ValueType: v, Ordered: ordered}
	}
	return []arrow.DataType{
		dict(prim.Int8, bin.String, false), dict(prim.Uint16, bin.LargeString, true), dict(prim.Int32, prim.Float64, false),
		dict(prim.Int64, &arrow.Decimal128Type{Precision: 30, Scale: 1}, false), dict(prim.Int32, arrow.FixedWidthTypes.Timestamp_ms, false),
		dict(prim.Int16, arrow.FixedWidthTypes.Boolean, false), dict(prim.Uint8, bin.StringView, false), dict(prim.Int32, bin.Binary, false),
		arrow.RunEndEncodedOf(prim.Int32, prim.Int64), arrow.RunEndEncodedOf(prim.Int64, bin.String),
		arrow.ListOf(prim.Int32), arrow.LargeListOf(bin.String), arrow.ListViewOf(prim.Int16), arrow.LargeListViewOf(bin.Binary),
		arrow.ListOf(arrow.ListOf(prim.Float32)), arrow.ListOfNonNullable(prim.Int8), arrow.ListOf(structOf(prim.Int8, bin.String)),
		arrow.ListOfField(arrow.Field{Name: "element", Type: prim.Int64, Nullable: true}),
		fsl(3, prim.Float32), fsl(2, arrow.FixedWidthTypes.Boolean), fsl(2, arrow.FixedWidthTypes.Timestamp_s), fsl(2, bin.String), fsl(2, fsl(3, prim.Int16)),
		fsl(2, arrow.ListOf(prim.Int8)), fsl(2, &arrow.Decimal64Type{Precision: 9, Scale: 1}),
		structOf(prim.Int16), structOf(bin.String, arrow.ListOf(prim.Int32), structOf(prim.Float64, arrow.FixedWidthTypes.Boolean)),
		structOf(arrow.FixedWidthTypes.Time32ms, &arrow.Decimal128Type{Precision: 38, Scale: 4}, fsl(2, prim.Int8), arrow.Null),
		arrow.ListOf(arrow.Null), arrow.ListOf(arrow.FixedWidthTypes.Date64), arrow.ListOf(dict(prim.Int8, bin.String, false)),
	}
}

// batches returns rows of a type: slices at any offset, cut anywhere.
func batches(r *random, t arrow.DataType) []arrow.Array {
	var out []arrow.Array
	for range r.IntN(4) {
		a := r.array(t, r.IntN(40))
		from := r.IntN(a.Len() + 1)
		to := from + r.IntN(a.Len()-from+1)
		if r.IntN(3) == 0 {
			from, to = 0, a.Len()
		}
		out = append(out, array.NewSlice(a, int64(from), int64(to)))
	}
	return out
}

// write1 writes columns as a table of a new file.
func write1(t *testing.T, s *arrow.Schema, recs []arrow.RecordBatch, o tablewriter.Options) (string, *tablewriter.Summary) {
	t.Helper()
	name, sum, err := writeFile(t, s, recs, o)
	if err != nil {
		t.Fatal(err)
	}
	return name, sum
}

func writeFile(t *testing.T, s *arrow.Schema, recs []arrow.RecordBatch, o tablewriter.Options) (string, *tablewriter.Summary, error) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "t.h5")
	out, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	f, err := write.Create(out, write.WithSpool(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Abandon()
	rr, err := array.NewRecordReader(s, recs)
	if err != nil {
		t.Fatal(err)
	}
	defer rr.Release()
	sum, err := tablewriter.Write(context.Background(), f, rr, o)
	if err != nil {
		return "", nil, err
	}
	return name, sum, f.Close()
}

// read reads the column of a table.
func read(t *testing.T, name string) (*arrow.Schema, []string) {
	t.Helper()
	s, columns := readAll(t, name)
	return s, columns[0]
}

// readAll reads all columns of a table.
func readAll(t *testing.T, name string) (*arrow.Schema, [][]string) {
	t.Helper()
	f, err := arrowmap.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tab, err := f.Table("/table")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range tab.Columns() {
		if c.Err != nil {
			t.Fatal(c.Err)
		}
	}
	r, err := tab.Reader(context.Background(), arrowmap.WithBatchRows(7))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	columns := make([][]string, len(tab.Columns()))
	for r.Next() {
		for i := range columns {
			columns[i] = append(columns[i], shown(t, r.RecordBatch().Column(i))...)
		}
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return r.Schema(), columns
}

// variants are the options under which everything comes back.
func variants() map[string]tablewriter.Options {
	gzip := func(size int) []h5.Filter {
		return []h5.Filter{{ID: 2, Values: []uint32{uint32(size)}}, {ID: 1, Values: []uint32{6}}}
	}
	return map[string]tablewriter.Options{
		"vaex":            {},
		"vaex, masks":     {Nulls: tablewriter.Mask},
		"vaex, sentinels": {Nulls: tablewriter.Sentinel},
		"vaex, chunks":    {ChunkRows: 5, Filters: gzip},
		"vaex, rows":      {Rows: -1},
	}
}

// TestRoundTrip writes columns of every type, cut at any row, with nulls at any density, and reads them again.
func TestRoundTrip(t *testing.T) {
	for name, o := range variants() {
		for _, typ := range slices.Concat(scalars(), nested()) {
			t.Run(name+"/"+typ.String(), func(t *testing.T) {
				for i, density := range []float64{0, 0.3, 1} {
					r := &random{Rand: rand.New(rand.NewPCG(uint64(i), 1)), nulls: density, inner: density / 2}
					roundTrip(t, o, typ, batches(r, typ))
				}
			})
		}
	}
}

func roundTrip(t *testing.T, o tablewriter.Options, typ arrow.DataType, arrays []arrow.Array) {
	t.Helper()
	s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: typ, Nullable: true}}, nil)
	var recs []arrow.RecordBatch
	rows := int64(0)
	for _, a := range arrays {
		recs = append(recs, array.NewRecordBatch(s, []arrow.Array{a}, int64(a.Len())))
		rows += int64(a.Len())
	}
	if o.Rows < 0 {
		o.Rows = rows
	}
	name, sum := write1(t, s, recs, o)
	if sum.Rows != rows {
		t.Errorf("%d rows, there are %d", sum.Rows, rows)
	}
	schema, got := read(t, name)
	if want := shown(t, arrays...); !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	sameType(t, schema.Field(0).Type, typ)
}

// sameType compares two types. Time zones in dictionaries are compared with the locations that Arrow has cached there.
func sameType(t *testing.T, got, want arrow.DataType) {
	t.Helper()
	if !arrow.TypeEqual(got, want, arrow.CheckMetadata()) && (want.ID() != arrow.DICTIONARY || got.String() != want.String()) {
		t.Errorf("type %s, want %s", got, want)
	}
}

// inPlain reports whether the layout Plain has a type, and gives it back.
func inPlain(t arrow.DataType) bool {
	text := t.String()
	return t.ID() == arrow.NULL || t.ID() == arrow.DICTIONARY || !strings.Contains(text, "null ") && !strings.Contains(text, " null,") && !strings.Contains(text, "dictionary")
}

// TestPlain is TestRoundTrip for the layout Plain. HDF5's own compounds and sequences have no nulls inside.
func TestPlain(t *testing.T) {
	for name, o := range map[string]tablewriter.Options{
		"masks":     {Layout: tablewriter.Plain},
		"bitmaps":   {Layout: tablewriter.Plain, Nulls: tablewriter.Bitmap, Path: "/table"},
		"sentinels": {Layout: tablewriter.Plain, Nulls: tablewriter.Sentinel, Rows: -1},
		"chunks":    {Layout: tablewriter.Plain, ChunkRows: 4},
	} {
		for _, typ := range slices.DeleteFunc(slices.Concat(scalars(), nested()), func(t arrow.DataType) bool { return !inPlain(t) }) {
			t.Run(name+"/"+typ.String(), func(t *testing.T) {
				for i, density := range []float64{0, 0.3, 1} {
					r := &random{Rand: rand.New(rand.NewPCG(uint64(i), 1)), nulls: density, inner: 0}
					roundTrip(t, o, typ, batches(r, typ))
				}
			})
		}
	}
}
