package parquet_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/ipc/parquet"
)

func Example() {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "x", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "wait", Type: arrow.FixedWidthTypes.Duration_ms, Nullable: true},
	}, nil)
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(`[{"x": 1, "wait": "2ms"}, {"x": null}]`))
	if err != nil {
		panic(err)
	}
	rr, err := array.NewRecordReader(schema, []arrow.RecordBatch{rec})
	if err != nil {
		panic(err)
	}

	list, err := parquet.Conversions(schema)
	if err != nil {
		panic(err)
	}
	fmt.Println(list[0])

	path := filepath.Join(os.TempDir(), "example.parquet")
	defer os.Remove(path)
	out, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	stats, err := parquet.Write(context.Background(), out, rr)
	if err != nil {
		panic(err)
	}
	if err := out.Close(); err != nil {
		panic(err)
	}
	fmt.Println(stats.Rows, "rows in", stats.Batches, "row group")
	// Output:
	// column wait: Parquet has no duration[ms], it is written as int64, which readers of the Arrow schema make a duration again
	// 2 rows in 1 row group
}
