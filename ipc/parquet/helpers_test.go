package parquet_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/h5arrow/h5arrow/ipc"
	"github.com/h5arrow/h5arrow/ipc/parquet"
)

var label = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}

// kinds are the types of columns from HDF5 files and queries.
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

// text returns a column's values, row by row, in a form that does not depend on how lists and dictionaries are stored.
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

// rowGroups returns the rows of each row group.
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

// various makes a batch that is written with both dictionary and plain pages.
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

// longestPage returns the bytes of the longest page before compression.
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
