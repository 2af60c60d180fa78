package parquet_test

import (
	"context"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	pq "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/h5arrow/h5arrow/ipc/parquet"
)

// BenchmarkWrite encodes row groups with all processors and with one, and its twin with arrow-go's writer alone.
func BenchmarkWrite(b *testing.B) {
	const rows, groups = 1 << 18, 8
	schema := arrow.NewSchema([]arrow.Field{{Name: "i", Type: arrow.PrimitiveTypes.Int64}, {Name: "f", Type: arrow.PrimitiveTypes.Float64}}, nil)
	rng := rand.New(rand.NewPCG(1, 1))
	rb := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	for i := range rows {
		rb.Field(0).(*array.Int64Builder).Append(int64(i))
		rb.Field(1).(*array.Float64Builder).Append(float64(rng.IntN(10000)) / 100)
	}
	rec := rb.NewRecordBatch()
	all := make([]arrow.RecordBatch, groups)
	for i := range all {
		all[i] = rec
	}
	reader := func() array.RecordReader {
		rr, err := array.NewRecordReader(schema, all)
		if err != nil {
			b.Fatal(err)
		}
		return rr
	}
	for name, opts := range map[string][]parquet.Option{"workers=all": nil, "workers=one": {parquet.WithWorkers(1)}} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(groups * rows * 16)
			for b.Loop() {
				if _, err := parquet.Write(context.Background(), io.Discard, reader(), append(opts, parquet.WithGroupRows(rows))...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("twin=arrow-go", func(b *testing.B) {
		b.SetBytes(groups * rows * 16)
		for b.Loop() {
			w, err := pqarrow.NewFileWriter(schema, io.Discard, pq.NewWriterProperties(pq.WithCompression(compress.Codecs.Zstd)), pqarrow.DefaultWriterProps())
			if err != nil {
				b.Fatal(err)
			}
			for rr := reader(); rr.Next(); {
				if err := w.Write(rr.RecordBatch()); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
