package parquet_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/ipc"
	"github.com/h5arrow/h5arrow/ipc/parquet"
)

// pattern is data for which an encoding is the right one.
type pattern struct {
	name  string
	value func(rng *rand.Rand, i int) float64 // also for integers, which cut it off
	want  string                              // encodings of integers and of floats
	nulls int                                 // one of so many is null; 0: none
}

var patterns = []pattern{
	{"growing", func(rng *rand.Rand, i int) float64 { return float64(3*i + rng.IntN(3)) }, "delta any", 0},
	{"growing with nulls", func(rng *rand.Rand, i int) float64 { return float64(3*i + rng.IntN(3)) }, "delta any", 7},
	{"smooth", func(rng *rand.Rand, _ int) float64 { return 1000 + rng.Float64() }, "any split", 0},
	{"few", func(rng *rand.Rand, _ int) float64 { return math.Exp2(float64(rng.IntN(30))) * 1.1 }, "dictionary dictionary", 0},
	{"few with nulls", func(rng *rand.Rand, _ int) float64 { return math.Exp2(float64(rng.IntN(30))) * 1.1 }, "dictionary dictionary", 3},
	{"runs", func(_ *rand.Rand, i int) float64 { return math.Exp2(float64(i / 3000)) }, "dictionary dictionary", 0},
	{"constant", func(*rand.Rand, int) float64 { return 7 }, "any any", 0},
	{"noise", func(rng *rand.Rand, _ int) float64 { return (rng.Float64() - 0.5) * math.MaxInt64 }, "any any", 0},
	{"all null", func(*rand.Rand, int) float64 { return 0 }, "plain plain", 1},
}

// encodedAs names the encoding of a column's values.
func encodedAs(c *metadata.ColumnChunkMetaData) string {
	for _, e := range c.Encodings() {
		switch e {
		case pq.Encodings.RLEDict, pq.Encodings.PlainDict:
			return "dictionary"
		case pq.Encodings.DeltaBinaryPacked:
			return "delta"
		case pq.Encodings.ByteStreamSplit:
			return "split"
		}
	}
	return "plain"
}

// patterned makes a batch with a column for each type and pattern. Integers of 8 and 16 bits have few values however they grow.
func patterned(n int) (rec arrow.RecordBatch, want []string) {
	rng := rand.New(rand.NewPCG(5, 5))
	types := []arrow.DataType{arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint64,
		arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64, arrow.FixedWidthTypes.Date32, &arrow.TimestampType{Unit: arrow.Nanosecond},
		&arrow.TimestampType{Unit: arrow.Millisecond}, arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Int16,
		arrow.PrimitiveTypes.Uint16}
	var fields []arrow.Field
	var cols []arrow.Array
	for _, typ := range types {
		for _, p := range patterns {
			b := array.NewBuilder(memory.DefaultAllocator, typ)
			for i := range n {
				if v := p.value(rng, i); p.nulls > 0 && rng.IntN(p.nulls) == 0 {
					b.AppendNull()
				} else {
					appendNumber(b, v)
				}
			}
			names := strings.Fields(p.want)
			w := names[0]
			if arrow.IsFloating(typ.ID()) {
				w = names[1]
			} else if typ.(arrow.FixedWidthDataType).Bytes() < 4 && p.nulls != 1 {
				w = "any"
			}
			want = append(want, w)
			fields = append(fields, arrow.Field{Name: fmt.Sprint(typ, " ", p.name), Type: typ, Nullable: p.nulls > 0 || len(fields)%2 == 0})
			cols = append(cols, b.NewArray())
		}
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, int64(n)), want
}

func appendNumber(b array.Builder, v float64) {
	switch b := b.(type) {
	case *array.Int8Builder:
		b.Append(int8(int64(v)))
	case *array.Uint8Builder:
		b.Append(uint8(int64(v)))
	case *array.Int16Builder:
		b.Append(int16(int64(v)))
	case *array.Uint16Builder:
		b.Append(uint16(int64(v)))
	case *array.Int32Builder:
		b.Append(int32(int64(v)))
	case *array.Uint32Builder:
		b.Append(uint32(int64(v)))
	case *array.Int64Builder:
		b.Append(int64(v))
	case *array.Uint64Builder:
		b.Append(uint64(int64(v)))
	case *array.Float32Builder:
		b.Append(float32(v))
	case *array.Float64Builder:
		b.Append(v)
	case *array.Date32Builder:
		b.Append(arrow.Date32(int64(v) % 1_000_000))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(int64(v) % 4_000_000_000_000)) // pandas' and DuckDB's years
	}
}

// Each encoding is chosen where it is the right one, and read back by arrow-go, whatever the codec. Without a good one, split bytes
// are no shorter.
func TestEncodings(t *testing.T) {
	rec, want := patterned(20_000)
	codecs := []parquet.Compression{parquet.Zstd, parquet.None, parquet.Snappy, parquet.LZ4}
	if testing.Short() {
		codecs = codecs[:2]
	}
	for _, codec := range codecs {
		out, _ := write(t, split(t, rec, 1, 9_999, 10_000), parquet.WithCompression(codec))
		f, err := file.NewParquetReader(bytes.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range want {
			c, err := f.MetaData().RowGroup(0).ColumnChunk(i)
			if err != nil {
				t.Fatal(err)
			}
			if got := encodedAs(c); w != "any" && got != w && (w != "split" || codec == parquet.Zstd) {
				t.Errorf("%v: column %s is encoded as %s, want %s", codec, rec.ColumnName(i), got, w)
			}
		}
		tbl := back(t, out)
		for i, col := range rec.Columns() {
			whole, err := array.Concatenate(tbl.Column(i).Data().Chunks(), memory.DefaultAllocator)
			if err != nil {
				t.Fatal(err)
			}
			if !array.Equal(whole, col) {
				t.Errorf("%v: column %s has other values", codec, rec.ColumnName(i))
			}
		}
	}
}

// Other readers read what each encoding keeps, and find rows by its statistics.
func TestEncodingsInOtherReaders(t *testing.T) {
	py := h5test.Python(t, "pyarrow", "duckdb", "polars", "datafusion", "numpy")
	if py == "" {
		t.Skip("no Python with pyarrow, DuckDB, Polars and DataFusion")
	}
	const n = 6000
	rec, _ := patterned(n)
	dir := t.TempDir()
	var arrowFile bytes.Buffer
	if _, err := ipc.Write(context.Background(), &arrowFile, ipc.File, split(t, rec, n)); err != nil {
		t.Fatal(err)
	}
	args := []string{"-B", "testdata/readers.py", filepath.Join(dir, "x.arrow")}
	must(os.WriteFile(args[2], arrowFile.Bytes(), 0o644))
	want := ""
	for name, opts := range map[string][]parquet.Option{
		"default":    nil,
		"small":      {parquet.WithMaxMemory(1 << 20), parquet.WithBloomFilters(rec.ColumnName(0), rec.ColumnName(20))},
		"format 1.0": {parquet.WithCompat(parquet.Format1)},
	} {
		out, _ := write(t, split(t, rec, 1, 2_999, 3_000), append(opts, parquet.WithGroupRows(4_000))...)
		path := filepath.Join(dir, name+".parquet")
		must(os.WriteFile(path, out, 0o644))
		args = append(args, path)
		want += fmt.Sprintf("%d columns\n", rec.NumCols())
	}
	if got, err := exec.Command(py, args...).CombinedOutput(); err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
}

// bounded are floats and what statistics say of them.
var bounded = []struct {
	values   []float64
	min, max float64
	has      bool
}{
	{[]float64{3, 1, 2}, 1, 3, true},
	{[]float64{math.NaN(), 1, math.NaN()}, 1, 1, true},
	{[]float64{math.NaN(), math.NaN()}, 0, 0, false},
	{[]float64{0, 0}, math.Copysign(0, -1), 0, true},
	{[]float64{math.Copysign(0, -1)}, math.Copysign(0, -1), 0, true},
	{[]float64{5, math.Copysign(0, -1)}, math.Copysign(0, -1), 5, true},
	{[]float64{-5, math.Copysign(0, -1)}, -5, 0, true},
	{[]float64{math.Inf(1), math.Inf(-1)}, math.Inf(-1), math.Inf(1), true},
	{nil, 0, 0, false},
}

// NaN is in no bounds, and zeros of both signs are in those of each.
func TestFloatStatistics(t *testing.T) {
	for _, c := range bounded {
		b := array.NewFloat64Builder(memory.DefaultAllocator)
		b.AppendValues(c.values, nil)
		b.AppendNull()
		col := b.NewArray()
		rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "x", Type: col.DataType(), Nullable: true}}, nil), []arrow.Array{col}, int64(col.Len()))
		out, _ := write(t, split(t, rec, rec.NumRows()))
		s := statisticsOf(t, out, 0).(*metadata.Float64Statistics)
		if s.HasMinMax() != c.has || s.NullCount() != 1 {
			t.Errorf("%v: bounds: %v, %d nulls", c.values, s.HasMinMax(), s.NullCount())
			continue
		}
		if c.has && (math.Float64bits(s.Min()) != math.Float64bits(c.min) || math.Float64bits(s.Max()) != math.Float64bits(c.max)) {
			t.Errorf("%v: from %v to %v", c.values, s.Min(), s.Max())
		}
	}
}

func statisticsOf(t *testing.T, b []byte, i int) metadata.TypedStatistics {
	t.Helper()
	f, err := file.NewParquetReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.MetaData().RowGroup(0).ColumnChunk(i)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Statistics()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Unsigned numbers are compared as such, and narrow ones extended by their sign.
func TestIntegerStatistics(t *testing.T) {
	u := array.NewUint64Builder(memory.DefaultAllocator)
	u.AppendValues([]uint64{1 << 63, 3, math.MaxUint64}, nil)
	s := array.NewInt8Builder(memory.DefaultAllocator)
	s.AppendValues([]int8{-128, 3, 127}, nil)
	rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "u", Type: arrow.PrimitiveTypes.Uint64}, {Name: "s", Type: arrow.PrimitiveTypes.Int8}}, nil),
		[]arrow.Array{u.NewArray(), s.NewArray()}, 3)
	out, _ := write(t, split(t, rec, 3))
	if got := statisticsOf(t, out, 0).(*metadata.Int64Statistics); uint64(got.Min()) != 3 || uint64(got.Max()) != math.MaxUint64 {
		t.Errorf("%d to %d", uint64(got.Min()), uint64(got.Max()))
	}
	if got := statisticsOf(t, out, 1).(*metadata.Int32Statistics); got.Min() != -128 || got.Max() != 127 {
		t.Errorf("%d to %d", got.Min(), got.Max())
	}
}

// Page indexes name the rows and the bounds of each page, of arrow-go's pages too.
func TestPageIndex(t *testing.T) {
	rec := various(60_000)
	out, _ := write(t, split(t, rec, 30_000, 30_000), parquet.WithMaxMemory(8<<20), parquet.WithGroupRows(30_000))
	f, err := file.NewParquetReader(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	for g := range f.NumRowGroups() {
		rg, err := f.GetPageIndexReader().RowGroup(g)
		if err != nil || rg == nil {
			t.Fatal(rg, err)
		}
		for i := range int(rec.NumCols()) {
			index, err := rg.GetColumnIndex(i)
			if err != nil {
				t.Fatal(err)
			}
			offsets, err := rg.GetOffsetIndex(i)
			if err != nil {
				t.Fatal(err)
			}
			pages := offsets.GetPageLocations()
			if len(pages) < 2 && i == 1 || len(index.GetMinValues()) != len(pages) {
				t.Errorf("column %d: %d pages, %d bounds", i, len(pages), len(index.GetMinValues()))
			}
			for k, p := range pages {
				if k == 0 != (p.FirstRowIndex == 0) || p.Offset+int64(p.CompressedPageSize) > int64(len(out)) {
					t.Errorf("column %d, page %d: %v", i, k, p)
				}
			}
		}
	}
}

// A Bloom filter knows the values of its column, and hardly any others.
func TestBloomFilters(t *testing.T) {
	rec := various(5_000)
	out, _ := write(t, split(t, rec, 5_000), parquet.WithBloomFilters("few", "text"))
	f, err := file.NewParquetReader(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	rg, err := f.GetBloomFilterReader().RowGroup(0)
	if err != nil {
		t.Fatal(err)
	}
	if filter, err := rg.GetColumnBloomFilter(1); filter != nil || err != nil {
		t.Error("a filter that nobody asked for", err)
	}
	filter, err := rg.GetColumnBloomFilter(0)
	if err != nil || filter == nil {
		t.Fatal(filter, err)
	}
	numbers := metadata.TypedBloomFilter[int64]{BloomFilter: filter}
	for _, v := range rec.Column(0).(*array.Int64).Int64Values() {
		if !numbers.Check(v) {
			t.Fatalf("%d is not there", v)
		}
	}
	wrong := 0
	for i := range 1000 {
		if numbers.Check(int64(1_000_000 + i)) {
			wrong++
		}
	}
	if wrong > 100 {
		t.Errorf("%d of 1000 values are there that are not", wrong)
	}
}

// Format 1.0 has none of the encodings, codecs and types that came later.
func TestFormat1(t *testing.T) {
	rec, _ := patterned(2000)
	out, _ := write(t, split(t, rec, 2000), parquet.WithCompat(parquet.Format1))
	f, err := file.NewParquetReader(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if v := f.MetaData().Version(); v != pq.V1_0 {
		t.Errorf("version %v", v)
	}
	for i := range int(rec.NumCols()) {
		c, err := f.MetaData().RowGroup(0).ColumnChunk(i)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range c.Encodings() {
			if e != pq.Encodings.Plain && e != pq.Encodings.PlainDict && e != pq.Encodings.RLE {
				t.Errorf("column %s is encoded as %v", rec.ColumnName(i), e)
			}
		}
		if c.Compression() != compress.Codecs.Snappy || c.GetColumnIndexLocation() != nil {
			t.Errorf("column %s: %v, page index %v", rec.ColumnName(i), c.Compression(), c.GetColumnIndexLocation())
		}
	}
	list, err := parquet.Conversions(rec.Schema(), parquet.WithCompat(parquet.Format1))
	if err != nil || len(list) != len(patterns) || list[0].To != "timestamp[us], cut off" {
		t.Errorf("%v, %v", list, err)
	}
}
