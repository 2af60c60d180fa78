package ipc_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/ipc"
)

func Example() {
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int32, Nullable: true}}, nil)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(`[{"x": 1}, {"x": null}, {"x": 3}]`))
	if err != nil {
		panic(err)
	}
	rr, err := array.NewRecordReader(schema, []arrow.RecordBatch{rec})
	if err != nil {
		panic(err)
	}

	path := filepath.Join(os.TempDir(), "example.arrow")
	defer os.Remove(path)
	out, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	stats, err := ipc.Write(context.Background(), out, ipc.File, rr, ipc.WithCompression(ipc.Zstd))
	if err != nil {
		panic(err)
	}
	if err := out.Close(); err != nil {
		panic(err)
	}
	fmt.Println(stats.Rows, "rows in", stats.Batches, "batch")

	in, err := ipc.Open(path)
	if err != nil {
		panic(err)
	}
	defer in.Release()
	for in.Next() {
		fmt.Println(in.RecordBatch().Column(0))
	}
	// Output:
	// 3 rows in 1 batch
	// [1 (null) 3]
}
