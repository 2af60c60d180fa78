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

// Slicing text reads its offsets: a file that is cut short between two messages must be an error, and its mapping is
// released.
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
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	released := 0
	mapped := memory.NewBufferWithAllocator(offsets, mapping{&released})
	data := array.NewData(arrow.BinaryTypes.String, rows, []*memory.Buffer{nil, mapped, memory.NewBufferBytes([]byte("x"))}, nil, 0, 0)
	mapped.Release()
	text := array.NewStringData(data)
	data.Release()
	b := array.NewInt32Builder(mem)
	b.AppendValues(make([]int32, rows), nil)
	numbers := b.NewArray()
	b.Release()
	schema := arrow.NewSchema([]arrow.Field{{Name: "number", Type: numbers.DataType()}, {Name: "text", Type: text.DataType()}}, nil)
	rec := array.NewRecordBatch(schema, []arrow.Array{numbers, text}, rows)
	numbers.Release()
	text.Release()
	err = WithRows(rec, 2000, 4000, func(part arrow.RecordBatch) error {
		if part.NumRows() != 2000 || &part.Column(1).Data().Buffers()[1].Bytes()[0] != &offsets[0] {
			t.Errorf("%v", part)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	var e *h5err.Error
	err = WithRows(rec, 2000, 4000, func(arrow.RecordBatch) error { t.Error("there are rows"); return nil })
	if !errors.As(err, &e) || e.Kind != h5err.IO || e.File != path {
		t.Errorf("%v", err)
	}
	if released != 0 {
		t.Error("the mapping was released too early")
	}
	rec.Release()
	mem.AssertSize(t, 0)
	if released != 1 {
		t.Errorf("the mapping was released %d times", released)
	}
}

// mapping is the allocator of a mapped buffer. It counts how often it is released.
type mapping struct{ released *int }

func (mapping) Allocate(int) []byte           { panic("a mapped buffer can't grow") }
func (mapping) Reallocate(int, []byte) []byte { panic("a mapped buffer can't grow") }
func (m mapping) Free([]byte)                 { *m.released++ }
