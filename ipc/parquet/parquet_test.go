package parquet_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/ipc"
	"github.com/h5arrow/h5arrow/ipc/parquet"
)

var label = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}

// kinds are the types of the columns that h5arrow makes, and such that queries give.
var kinds = []arrow.DataType{
	arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32,
	arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint64, arrow.FixedWidthTypes.Float16, arrow.PrimitiveTypes.Float32,
	arrow.PrimitiveTypes.Float64, arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString, arrow.BinaryTypes.Binary,
	&arrow.FixedSizeBinaryType{ByteWidth: 3}, arrow.FixedWidthTypes.Date32,
	arrow.FixedWidthTypes.Timestamp_s, &arrow.TimestampType{Unit: arrow.Millisecond}, arrow.FixedWidthTypes.Timestamp_us,
	&arrow.TimestampType{Unit: arrow.Nanosecond}, &arrow.DurationType{Unit: arrow.Second}, &arrow.DurationType{Unit: arrow.Nanosecond},
	label, &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.PrimitiveTypes.Int64},
	arrow.FixedWidthTypes.Time64us, &arrow.Decimal128Type{Precision: 20, Scale: 3}, &arrow.Decimal256Type{Precision: 40, Scale: 3},
}

// nest makes a type with nested ones around it.
func nest(rng *rand.Rand, t arrow.DataType, depth int) arrow.DataType {
	for range depth {
		switch rng.IntN(4) {
		case 0:
			t = arrow.ListOf(t)
		case 1:
			t = arrow.LargeListOf(t)
		case 2:
			t = arrow.FixedSizeListOf(int32(1+rng.IntN(3)), t)
		case 3:
			t = arrow.StructOf(arrow.Field{Name: "a", Type: t, Nullable: true}, arrow.Field{Name: "b", Type: arrow.PrimitiveTypes.Int16, Nullable: true})
		}
	}
	return t
}

// fill appends a random value. Nulls of nested types have values under them where builders allow it.
func fill(rng *rand.Rand, b array.Builder) {
	if rng.IntN(5) == 0 {
		b.AppendNull()
		return
	}
	n := rng.IntN(200) - 100
	switch b := b.(type) {
	case *array.BooleanBuilder:
		b.Append(n%2 == 0)
	case *array.StructBuilder:
		b.Append(rng.IntN(4) > 0)
		for i := range b.NumField() {
			fill(rng, b.FieldBuilder(i))
		}
	case *array.ListBuilder:
		b.Append(true)
		for range rng.IntN(4) {
			fill(rng, b.ValueBuilder())
		}
	case *array.LargeListBuilder:
		b.Append(true)
		for range rng.IntN(4) {
			fill(rng, b.ValueBuilder())
		}
	case *array.FixedSizeListBuilder:
		b.Append(rng.IntN(4) > 0)
		for range b.Type().(*arrow.FixedSizeListType).Len() {
			fill(rng, b.ValueBuilder())
		}
	case *array.StringBuilder:
		b.Append(fmt.Sprint(n))
	case *array.LargeStringBuilder:
		b.Append(fmt.Sprint(n))
	case *array.BinaryBuilder:
		b.Append([]byte(fmt.Sprint(n)))
	case *array.FixedSizeBinaryBuilder:
		b.Append([]byte(fmt.Sprintf("%03d", n+100)))
	case *array.BinaryDictionaryBuilder:
		must(b.AppendString(fmt.Sprint(n % 10)))
	case *array.Int64DictionaryBuilder:
		must(b.Append(int64(n)))
	case *array.Decimal128Builder:
		must(b.AppendValueFromString(fmt.Sprint(n)))
	case *array.Decimal256Builder:
		must(b.AppendValueFromString(fmt.Sprint(n)))
	case *array.Date32Builder:
		b.Append(arrow.Date32(n))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(n))
	case *array.DurationBuilder:
		b.Append(arrow.Duration(n))
	case *array.Time64Builder:
		b.Append(arrow.Time64(n + 100))
	default:
		must(b.AppendValueFromString(fmt.Sprint(n & 127)))
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// random makes a batch of n rows with a column of each type.
func random(rng *rand.Rand, mem memory.Allocator, fields []arrow.Field, n int) arrow.RecordBatch {
	md := arrow.MetadataFrom(map[string]string{"hdf5.attr.title": "all kinds"})
	b := array.NewRecordBuilder(mem, arrow.NewSchema(fields, &md))
	defer b.Release()
	for i := range fields {
		for range n {
			fill(rng, b.Field(i))
		}
	}
	return b.NewRecordBatch()
}

// split returns a reader of slices of rec.
func split(t testing.TB, rec arrow.RecordBatch, sizes ...int64) array.RecordReader {
	t.Helper()
	var parts []arrow.RecordBatch
	at := int64(0)
	for _, n := range sizes {
		parts = append(parts, rec.NewSlice(at, at+n))
		at += n
	}
	rr, err := array.NewRecordReader(rec.Schema(), parts)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		p.Release()
	}
	return rr
}

func write(t testing.TB, rr array.RecordReader, opts ...parquet.Option) ([]byte, ipc.Stats) {
	t.Helper()
	defer rr.Release()
	var out bytes.Buffer
	stats, err := parquet.Write(context.Background(), &out, rr, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if stats.Bytes != int64(out.Len()) {
		t.Errorf("%d bytes, reported %d", out.Len(), stats.Bytes)
	}
	return out.Bytes(), stats
}

// back reads a file with arrow-go's reader.
func back(t testing.TB, b []byte) arrow.Table {
	t.Helper()
	f, err := file.NewParquetReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.MetaData().FileMetaData.KeyValueMetadata = nil // as one who does not know Arrow's schema; arrow-go reads no durations with it
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{BatchSize: 1 << 20}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	tbl, err := r.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return tbl
}

// text is a column's values, row by row, in a spelling that does not depend on how lists and dictionaries are kept.
func text(chunks ...arrow.Array) []string {
	var out []string
	for _, arr := range chunks {
		for i := range arr.Len() {
			out = append(out, cell(arr, i))
		}
	}
	return out
}

func cell(arr arrow.Array, i int) string {
	if arr.IsNull(i) {
		return "null"
	}
	switch arr := arr.(type) {
	case *array.Dictionary:
		return cell(arr.Dictionary(), arr.GetValueIndex(i))
	case *array.Struct:
		var parts []string
		for k := range arr.NumField() {
			parts = append(parts, cell(arr.Field(k), i))
		}
		return "{" + strings.Join(parts, " ") + "}"
	case array.ListLike:
		var parts []string
		a, b := arr.ValueOffsets(i)
		for k := a; k < b; k++ {
			parts = append(parts, cell(arr.ListValues(), int(k)))
		}
		return "[" + strings.Join(parts, " ") + "]"
	case *array.Timestamp:
		unit := arr.DataType().(*arrow.TimestampType).Unit
		return fmt.Sprint(max(unit, arrow.Millisecond), arr.Value(i).ToTime(unit))
	case *array.Duration:
		return fmt.Sprint(int64(arr.Value(i)))
	}
	return arr.ValueStr(i)
}

// TestRandom writes every type, in every nesting, cut in many ways, and reads it back.
func TestRandom(t *testing.T) {
	seeds := uint64(24)
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		for i, kind := range kinds {
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			typ := nest(rng, kind, rng.IntN(4))
			t.Run(fmt.Sprint(seed, typ), func(t *testing.T) {
				mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
				rec := random(rng, mem, []arrow.Field{{Name: "c", Type: typ, Nullable: true}}, 100)
				var first []byte
				for _, workers := range []int{1, 3} {
					b, stats := write(t, split(t, rec, 7, 0, 50, 40), parquet.WithAllocator(mem), parquet.WithWorkers(workers), parquet.WithGroupRows(33))
					if stats.Rows != 97 || stats.Batches != 3 {
						t.Fatalf("%+v", stats)
					}
					if first != nil && !bytes.Equal(first, b) {
						t.Errorf("%d workers write other bytes", workers)
					}
					first = b
				}
				got := back(t, first)
				want := text(rec.Column(0))[:97]
				for k, g := range text(got.Column(0).Data().Chunks()...) {
					if want[k] != g {
						t.Fatalf("row %d is %s, want %s", k, g, want[k])
					}
				}
				if n := got.NumRows(); n != 97 {
					t.Errorf("%d rows", n)
				}
				rec.Release()
				mem.AssertSize(t, 0)
			})
		}
	}
}

// Values under null parents are not written, whatever arrow-go thinks of their type.
func TestUnderNulls(t *testing.T) {
	for _, inner := range []arrow.DataType{arrow.FixedWidthTypes.Float16, &arrow.Decimal128Type{Precision: 5}, arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int8),
		arrow.ListOf(label), arrow.ListOf(arrow.FixedWidthTypes.Boolean)} {
		typ := arrow.StructOf(arrow.Field{Name: "x", Type: inner, Nullable: true})
		rng := rand.New(rand.NewPCG(1, 1))
		b := array.NewStructBuilder(memory.DefaultAllocator, typ)
		for i := range 20 {
			b.Append(i%3 > 0)
			fill(rng, b.FieldBuilder(0))
		}
		col := b.NewArray()
		rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "c", Type: typ, Nullable: true}}, nil), []arrow.Array{col}, 20)
		out, _ := write(t, split(t, rec, 20))
		got, want := text(back(t, out).Column(0).Data().Chunks()...), text(col)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v: %v, want %v", inner, got, want)
		}
	}
}

// rowGroups is the rows of each row group.
func rowGroups(t *testing.T, b []byte) (rows []int64) {
	f, err := file.NewParquetReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for i := range f.NumRowGroups() {
		rows = append(rows, f.RowGroup(i).NumRows())
	}
	return rows
}

func TestRowGroups(t *testing.T) {
	rec := random(rand.New(rand.NewPCG(1, 1)), memory.DefaultAllocator, []arrow.Field{{Name: "c", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, 1000)
	for want, c := range map[string]struct {
		sizes []int64
		opts  []parquet.Option
	}{
		"[]":                {nil, nil},
		"[1000]":            {[]int64{100, 0, 200, 700}, nil},
		"[300 700]":         {[]int64{100, 200, 700}, []parquet.Option{parquet.WithGroupBytes(3000)}},
		"[400 400 200]":     {[]int64{100, 200, 700}, []parquet.Option{parquet.WithGroupRows(400)}},
		"[100 100 100 100]": {[]int64{250, 150}, []parquet.Option{parquet.WithGroupRows(100), parquet.WithMaxMemory(1)}},
	} {
		b, stats := write(t, split(t, rec, c.sizes...), c.opts...)
		if got := fmt.Sprint(rowGroups(t, b)); got != want || fmt.Sprint(stats.Batches) != fmt.Sprint(len(rowGroups(t, b))) {
			t.Errorf("row groups of %s, want %s; %+v", got, want, stats)
		}
	}
}

// Row groups of many columns are larger where memory is short: each column's part leaves metadata behind.
func TestManyColumns(t *testing.T) {
	fields := make([]arrow.Field, 1000)
	for i := range fields {
		fields[i] = arrow.Field{Name: fmt.Sprint(i), Type: arrow.PrimitiveTypes.Int8}
	}
	one := []arrow.Field{{Name: "s", Type: arrow.StructOf(fields...)}}
	for _, c := range []struct {
		fields []arrow.Field
		memory int64
		want   string
	}{
		{fields, 0, "[1000]"},
		{fields, 8 << 20, "[600 400]"},
		{fields, 32 << 20, "[1000]"},
		{one, 32 << 20, "[1000]"},
		{fields[:100], 16 << 20, "[1000]"},
		{fields[:100], 1 << 20, "[1000]"},
	} {
		rec := random(rand.New(rand.NewPCG(1, 1)), memory.DefaultAllocator, c.fields, 1000)
		b, _ := write(t, split(t, rec, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100), parquet.WithMaxMemory(c.memory))
		if got := fmt.Sprint(rowGroups(t, b)); got != c.want {
			t.Errorf("%d bytes of memory: row groups of %s, want %s", c.memory, got, c.want)
		}
	}
}

// various is a batch of which both dictionaries and plain pages come to be.
func various(n int) arrow.RecordBatch {
	rng := rand.New(rand.NewPCG(1, 1))
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "few", Type: arrow.PrimitiveTypes.Int64},
		{Name: "many", Type: arrow.PrimitiveTypes.Float64}, {Name: "text", Type: arrow.BinaryTypes.String}}, nil))
	defer b.Release()
	for range n {
		b.Field(0).(*array.Int64Builder).Append(rng.Int64N(12_000))
		b.Field(1).(*array.Float64Builder).Append(rng.Float64())
		b.Field(2).(*array.StringBuilder).Append(fmt.Sprint(rng.Uint32()))
	}
	return b.NewRecordBatch()
}

// The same batches give the same bytes, also where a dictionary grows too large and plain pages follow.
func TestSameBytes(t *testing.T) {
	rec := various(30_000)
	var first []byte
	for i := range 8 {
		b, _ := write(t, split(t, rec, rec.NumRows()), parquet.WithMaxMemory(8<<20))
		if i == 0 {
			first = b
		}
		if !bytes.Equal(b, first) {
			t.Fatal("other bytes than before")
		}
	}
}

// Where memory is short, no page is longer than a block of the codec's, so that it takes no window.
func TestSmallPages(t *testing.T) {
	rec := various(30_000)
	for name, c := range map[string]struct {
		small bool
		opts  []parquet.Option
	}{
		"8 MiB":           {true, []parquet.Option{parquet.WithMaxMemory(8 << 20)}},
		"127 MiB":         {true, []parquet.Option{parquet.WithMaxMemory(127 << 20)}},
		"128 MiB":         {false, []parquet.Option{parquet.WithMaxMemory(128 << 20)}},
		"8 MiB by snappy": {false, []parquet.Option{parquet.WithMaxMemory(8 << 20), parquet.WithCompression(parquet.Snappy)}},
		"no bound":        {false, nil},
	} {
		out, _ := write(t, split(t, rec, rec.NumRows()), c.opts...)
		const block = 128 << 10
		if n := longestPage(t, out); n == 0 || n <= block != c.small {
			t.Errorf("%s: a page of %d bytes", name, n)
		}
		if tbl := back(t, out); fmt.Sprint(text(tbl.Column(1).Data().Chunks()...)) != fmt.Sprint(text(rec.Column(1))) {
			t.Errorf("%s: other values", name)
		}
	}
}

// longestPage is the bytes of the longest page before it was compressed.
func longestPage(t *testing.T, b []byte) (n int) {
	t.Helper()
	f, err := file.NewParquetReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for g := range f.NumRowGroups() {
		for i := range f.RowGroup(g).NumColumns() {
			pages, err := f.RowGroup(g).GetColumnPageReader(i)
			if err != nil {
				t.Fatal(err)
			}
			for pages.Next() {
				n = max(n, len(pages.Page().Data()))
			}
			if err := pages.Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return n
}

func TestConversions(t *testing.T) {
	field := func(t arrow.DataType) *arrow.Schema {
		return arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.StructOf(arrow.Field{Name: "b", Type: t, Nullable: true}), Nullable: true}}, nil)
	}
	for _, c := range []struct {
		typ  arrow.DataType
		want string
	}{
		{arrow.FixedWidthTypes.Timestamp_ns, ""},
		{arrow.ListOf(arrow.FixedWidthTypes.Timestamp_s), "column a.b: Parquet has no timestamp[s, tz=UTC], it is written as timestamp[ms]"},
		{arrow.FixedWidthTypes.Duration_ms, "column a.b: Parquet has no duration[ms], it is written as int64, which readers of the Arrow schema make a duration again"},
		{arrow.FixedWidthTypes.Time32s, "column a.b: Parquet has no time32[s], it is written as time32[ms]"},
	} {
		got, err := parquet.Conversions(field(c.typ))
		var lines []string
		for _, g := range got {
			lines = append(lines, g.String())
		}
		if err != nil || strings.Join(lines, "; ") != c.want {
			t.Errorf("%v: %v, %v", c.typ, lines, err)
		}
	}
	for _, typ := range []arrow.DataType{
		arrow.StructOf(), &arrow.FixedSizeBinaryType{}, arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int8),
		arrow.BinaryTypes.StringView, arrow.ListViewOf(arrow.PrimitiveTypes.Int8), arrow.FixedWidthTypes.MonthInterval,
		arrow.SparseUnionOf([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int8}}, []arrow.UnionTypeCode{0}),
		&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.FixedWidthTypes.MonthInterval},
	} {
		_, err := parquet.Conversions(field(typ))
		if !h5err.Is(err, h5err.Unsupported) || !strings.Contains(err.Error(), "column a.b: ") {
			t.Errorf("%v: %v", typ, err)
		}
		rr, e := array.NewRecordReader(field(typ), nil)
		if e != nil {
			t.Fatal(e)
		}
		if _, e := parquet.Write(context.Background(), io.Discard, rr); fmt.Sprint(e) != fmt.Sprint(err) {
			t.Errorf("%v: %v", typ, e)
		}
	}
}

func TestArguments(t *testing.T) {
	rr, err := array.NewRecordReader(arrow.NewSchema([]arrow.Field{{Name: "d", Type: label}}, nil), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, opt := range map[string]parquet.Option{"workers": parquet.WithWorkers(0), "compression": parquet.WithCompression(0),
		"rows": parquet.WithGroupRows(-1), "bytes": parquet.WithGroupBytes(-1), "memory": parquet.WithMaxMemory(-1)} {
		if _, err := parquet.Write(context.Background(), io.Discard, rr, opt); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, c := range []parquet.Compression{parquet.None, parquet.Snappy, parquet.LZ4, parquet.Zstd} {
		if got, err := parquet.ParseCompression(c.String()); got != c || err != nil {
			t.Errorf("%v: %v, %v", c, got, err)
		}
	}
	for _, s := range []string{"", "invalid", "brotli"} {
		if _, err := parquet.ParseCompression(s); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// endless gives the same batch for ever, or fails after some.
type endless struct {
	array.RecordReader
	rec arrow.RecordBatch
	n   int
	err error
}

func (e *endless) Next() bool                     { e.n--; return e.n != 0 }
func (e *endless) RecordBatch() arrow.RecordBatch { return e.rec }
func (e *endless) Err() error                     { return e.err }

// What goes wrong on any side ends the writing, and nothing is left of it.
func TestFailures(t *testing.T) {
	h5test.Leaks(t)
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	rec := random(rand.New(rand.NewPCG(1, 1)), memory.DefaultAllocator, []arrow.Field{{Name: "c", Type: arrow.ListOf(label), Nullable: true}}, 1000)
	rr, err := array.NewRecordReader(rec.Schema(), nil)
	if err != nil {
		t.Fatal(err)
	}
	input := errors.New("input")
	for name, c := range map[string]struct {
		rr   *endless
		w    io.Writer
		want func(error) bool
	}{
		"input":  {&endless{rr, rec, 50, h5err.Wrap(h5err.Corrupt, input, "bad")}, io.Discard, func(err error) bool { return errors.Is(err, input) }},
		"output": {&endless{rr, rec, 0, nil}, &full{100_000}, func(err error) bool { return h5err.Is(err, h5err.IO) && errors.Is(err, io.ErrNoProgress) }},
		"cancel": {&endless{rr, rec, 0, nil}, io.Discard, func(err error) bool { return errors.Is(err, context.DeadlineExceeded) }},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		if name == "cancel" {
			ctx, cancel = context.WithTimeout(context.Background(), 100*time.Millisecond)
		}
		_, err := parquet.Write(ctx, c.w, c.rr, parquet.WithAllocator(mem), parquet.WithGroupBytes(1000), parquet.WithWorkers(3))
		cancel()
		if !c.want(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// full takes some bytes and no more.
type full struct{ n int }

func (f *full) Write(p []byte) (int, error) {
	if f.n -= len(p); f.n < 0 {
		return 0, io.ErrNoProgress
	}
	return len(p), nil
}

// A time that milliseconds can't hold is an error and not another time.
func TestTimesThatDoNotFit(t *testing.T) {
	b := array.NewTimestampBuilder(memory.DefaultAllocator, &arrow.TimestampType{Unit: arrow.Second})
	b.Append(1 << 60)
	rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "t", Type: b.Type()}}, nil), []arrow.Array{b.NewArray()}, 1)
	if _, err := parquet.Write(context.Background(), io.Discard, split(t, rec, 1)); !h5err.Is(err, h5err.Unsupported) {
		t.Error(err)
	}
}

// A mapped input that is cut short is an error, whichever way a type's values are read, and its mapping is given back.
func TestMappedInputCutShort(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a mapped file can't be cut short here")
	}
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	path := filepath.Join(t.TempDir(), "values")
	one := func(t arrow.DataType) arrow.DataType {
		return arrow.StructOf(arrow.Field{Name: "x", Type: t, Nullable: true})
	}
	for i, typ := range append([]arrow.DataType{
		arrow.ListOf(arrow.BinaryTypes.String), arrow.LargeListOf(label), arrow.FixedSizeListOf(2, arrow.BinaryTypes.Binary),
		one(arrow.BinaryTypes.String), one(arrow.ListOf(one(arrow.BinaryTypes.LargeString))),
	}, kinds...) {
		fields := []arrow.Field{{Name: "number", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, {Name: "c", Type: typ, Nullable: true}}
		rec := random(rand.New(rand.NewPCG(1, uint64(i))), memory.DefaultAllocator, fields, 1000)
		whole, _ := write(t, split(t, rec, 500, 500))
		var image []byte
		for _, c := range rec.Columns() {
			image = onPages(image, c.Data())
		}
		for _, when := range []string{"before", "behind the last batch"} {
			for size := 0; size < len(image); size += os.Getpagesize() {
				must(os.WriteFile(path, image, 0o644))
				src, err := source.Open(path)
				if err != nil {
					t.Fatal(err)
				}
				if !src.Mapped() {
					t.Skip("nothing is mapped on this system")
				}
				copied := mapped(src, rec)
				src.Release()
				rr := &cut{split(t, copied, 500, 500), func() { must(os.Truncate(path, int64(size))) }}
				copied.Release()
				if when == "before" {
					rr.cut()
				}
				var out bytes.Buffer
				_, err = parquet.Write(context.Background(), &out, rr)
				rr.Release()
				var e *h5err.Error
				if err == nil && !bytes.Equal(out.Bytes(), whole) || err != nil && (!errors.As(err, &e) || e.Kind != h5err.IO || e.File != path || e.Offset < int64(size)) {
					t.Errorf("%v, cut to %d bytes %s: %v", typ, size, when, err)
				}
				if size == 0 && err == nil {
					t.Errorf("%v, cut to nothing %s: no error", typ, when)
				}
			}
		}
	}
}

// onPages appends the buffers of an array, each from a page of its own on.
func onPages(to []byte, data arrow.ArrayData) []byte {
	for _, b := range data.Buffers() {
		if b != nil {
			to = append(to, b.Bytes()...)
			to = append(to, make([]byte, -len(to)&(os.Getpagesize()-1))...)
		}
	}
	for _, c := range data.Children() {
		to = onPages(to, c)
	}
	if labels, _ := data.Dictionary().(*array.Data); labels != nil {
		to = onPages(to, labels)
	}
	return to
}

// mapped is the same batch over a file of what onPages gives.
func mapped(src *source.Source, rec arrow.RecordBatch) arrow.RecordBatch {
	at := int64(0)
	var mapped func(arrow.ArrayData) arrow.ArrayData
	mapped = func(of arrow.ArrayData) arrow.ArrayData {
		var buffers []*memory.Buffer
		for _, b := range of.Buffers() {
			if b != nil {
				bytes, _ := src.View(at, int64(b.Len()))
				at += int64(b.Len())
				at += -at & int64(os.Getpagesize()-1)
				src.Retain()
				b = memory.NewBufferWithAllocator(bytes, (*reference)(src))
				defer b.Release()
			}
			buffers = append(buffers, b)
		}
		var children []arrow.ArrayData
		for _, c := range of.Children() {
			c = mapped(c)
			defer c.Release()
			children = append(children, c)
		}
		data := array.NewData(of.DataType(), of.Len(), buffers, children, of.NullN(), of.Offset())
		if labels, _ := of.Dictionary().(*array.Data); labels != nil {
			labels := mapped(labels)
			defer labels.Release()
			data.SetDictionary(labels)
		}
		return data
	}
	var columns []arrow.Array
	for _, c := range rec.Columns() {
		data := mapped(c.Data())
		defer data.Release()
		c = array.MakeFromData(data)
		defer c.Release()
		columns = append(columns, c)
	}
	return array.NewRecordBatch(rec.Schema(), columns, rec.NumRows())
}

// reference is the allocator of a mapped buffer, which holds a reference on the mapping.
type reference source.Source

func (r *reference) Allocate(int) []byte           { panic("a mapped buffer can't grow") }
func (r *reference) Reallocate(int, []byte) []byte { panic("a mapped buffer can't grow") }
func (r *reference) Free([]byte)                   { (*source.Source)(r).Release() }

// cut cuts a file short after the last batch.
type cut struct {
	array.RecordReader
	cut func()
}

func (c *cut) Next() bool {
	ok := c.RecordReader.Next()
	if !ok {
		c.cut()
	}
	return ok
}

// TestForeignReaders has pyarrow and DuckDB read types in random nestings, and compares with the same rows as Arrow.
func TestForeignReaders(t *testing.T) {
	py := h5test.Python(t, "pyarrow", "duckdb", "numpy")
	if py == "" {
		t.Skip("no Python with pyarrow and DuckDB")
	}
	dir := t.TempDir()
	var list strings.Builder
	rng := rand.New(rand.NewPCG(7, 7))
	for i := range 60 {
		var fields []arrow.Field
		for k := range 4 {
			kind := kinds[rng.IntN(len(kinds))]
			if kind.ID() == arrow.DICTIONARY || kind.ID() == arrow.DECIMAL256 {
				kind = label // dictionaries of numbers are read as numbers, and DuckDB has no decimals of 40 digits
			}
			fields = append(fields, arrow.Field{Name: fmt.Sprint("c", k), Type: nest(rng, kind, rng.IntN(4)), Nullable: true})
		}
		rec := random(rng, memory.DefaultAllocator, fields, 200)
		base := filepath.Join(dir, fmt.Sprint(i))
		var a bytes.Buffer
		if _, err := ipc.Write(context.Background(), &a, ipc.File, split(t, rec, 10, 100, 90)); err != nil {
			t.Fatal(err)
		}
		b, _ := write(t, split(t, rec, 10, 100, 90), parquet.WithGroupRows(64))
		for name, bytes := range map[string][]byte{".arrow": a.Bytes(), ".parquet": b} {
			if err := os.WriteFile(base+name, bytes, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		fmt.Fprintf(&list, "%s.arrow\t%s.parquet\n", base, base)
	}
	if err := os.WriteFile(filepath.Join(dir, "list"), []byte(list.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	root := h5test.Root(t)
	out, err := exec.Command(py, "-B", filepath.Join(root, "cmd/h5arrow/testdata/same_parquet.py"),
		filepath.Join(root, "testdata/interop/compare.py"), filepath.Join(dir, "list")).CombinedOutput()
	if err != nil || string(out) != "60 files\n" {
		t.Errorf("%v\n%s", err, out)
	}
}
