package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

func TestHead(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, {Name: "s", Type: arrow.BinaryTypes.String}}, nil)
	path := filepath.Join(t.TempDir(), "x.arrow")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := ipc.NewFileWriter(f, ipc.WithSchema(schema))
	if err != nil {
		t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range 3 { // three batches of two rows each
		b.Field(0).(*array.Int32Builder).AppendValues([]int32{int32(i * 100), 7}, []bool{true, false})
		b.Field(1).(*array.StringBuilder).AppendValues([]string{"a", "bcd"}, nil)
		batch := b.NewRecordBatch()
		if err := w.Write(batch); err != nil {
			t.Fatal(err)
		}
		batch.Release()
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	const want = "n       s\nint32   utf8\n0       a\n(null)  bcd\n100     a\n"
	var out strings.Builder
	if err := head(&out, path, 3); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(strings.Fields(out.String()), " ")
	if got != strings.Join(strings.Fields(want), " ") {
		t.Errorf("head prints\n%s\nwant\n%s", out.String(), want)
	}
	if err := head(&out, path+"x", 3); err == nil {
		t.Error("no error for a missing file")
	}
}
