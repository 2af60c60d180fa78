package parquet_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/ipc"
	"github.com/h5arrow/h5arrow/ipc/parquet"
)

// TestRandom writes every type in random nestings and slices, and reads it back.
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

// Row groups of many columns are larger if memory is limited, since each column of each row group has metadata.
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
		if testing.Short() && len(c.fields) != 100 && c.memory != 8<<20 {
			continue // a thousand columns take seconds under the race detector
		}
		rec := random(rand.New(rand.NewPCG(1, 1)), memory.DefaultAllocator, c.fields, 1000)
		b, _ := write(t, split(t, rec, 100, 100, 100, 100, 100, 100, 100, 100, 100, 100), parquet.WithMaxMemory(c.memory))
		if got := fmt.Sprint(rowGroups(t, b)); got != c.want {
			t.Errorf("%d bytes of memory: row groups of %s, want %s", c.memory, got, c.want)
		}
	}
}

// The same batches give the same bytes, even if a dictionary grows too large and plain pages follow.
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

// If memory is limited, no page is longer than a block of the codec, so that it does not allocate a window.
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
		"rows": parquet.WithGroupRows(-1), "bytes": parquet.WithGroupBytes(-1), "memory": parquet.WithMaxMemory(-1),
		"Bloom filter": parquet.WithBloomFilters("x"), "compat": parquet.WithCompat(9)} {
		if _, err := parquet.Write(context.Background(), io.Discard, rr, opt); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := parquet.ParseCompat("2.0"); !h5err.Is(err, h5err.Argument) {
		t.Error(err)
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

// TestOtherReaders compares what pyarrow and DuckDB read of types in random nestings with the same rows as Arrow.
func TestOtherReaders(t *testing.T) {
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
