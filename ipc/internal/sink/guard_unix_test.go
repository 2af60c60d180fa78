//go:build unix

package sink

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// Slicing text reads its offsets: a file that is cut short between two messages must be an error, not the process' end.
func TestRowsOfCutFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "offsets")
	const rows = 4096
	if err := os.WriteFile(path, make([]byte, 4*(rows+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := source.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Release()
	offsets, ok := src.View(0, 4*(rows+1))
	if !ok {
		t.Fatal("not mapped")
	}
	data := array.NewData(arrow.BinaryTypes.String, rows, []*memory.Buffer{nil, memory.NewBufferBytes(offsets), memory.NewBufferBytes([]byte("x"))}, nil, 0, 0)
	text := array.NewStringData(data)
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	b := array.NewInt32Builder(mem)
	b.AppendValues(make([]int32, rows), nil)
	numbers := b.NewArray()
	b.Release()
	schema := arrow.NewSchema([]arrow.Field{{Name: "number", Type: numbers.DataType()}, {Name: "text", Type: text.DataType()}}, nil)
	rec := array.NewRecordBatch(schema, []arrow.Array{numbers, text}, rows)
	numbers.Release()
	part, err := Rows(rec, 2000, 4000)
	if err != nil || part.NumRows() != 2000 {
		t.Fatalf("%v, %v", part, err)
	}
	part.Release()
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	var e *h5err.Error
	if _, err = Rows(rec, 2000, 4000); !errors.As(err, &e) || e.Kind != h5err.IO || e.File != path {
		t.Errorf("%v", err)
	}
	rec.Release()
	mem.AssertSize(t, 0)
}
