package parquet_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/ipc/parquet"
)

// TestOpen reads a file again that Write made, and files that were cut short or changed.
func TestOpen(t *testing.T) {
	h5test.Leaks(t)
	s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, {Name: "s", Type: arrow.BinaryTypes.LargeString, Nullable: true}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	const n = 100_000
	for i := range n {
		b.Field(0).(*array.Int32Builder).Append(int32(i))
		if i%3 == 0 {
			b.Field(1).AppendNull()
		} else {
			b.Field(1).(*array.LargeStringBuilder).Append("text")
		}
	}
	rec := b.NewRecordBatch()
	name := filepath.Join(t.TempDir(), "x.parquet")
	out, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	rr, err := array.NewRecordReader(s, []arrow.RecordBatch{rec})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parquet.Write(context.Background(), out, rr); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if rows := opened(t, name, rec); rows != n {
		t.Errorf("%d rows", rows)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		broken := append([]byte(nil), whole...)
		if i%2 == 0 {
			broken = broken[:len(broken)*i/40]
		} else {
			broken[len(broken)*i/40] ^= 0x55
		}
		if err := os.WriteFile(name, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		opened(t, name, nil)
	}
}

// opened reads all rows of a file, and returns their number. Errors must have a kind. Rows are those of want, if it is given.
func opened(t *testing.T, name string, want arrow.RecordBatch) (rows int64) {
	t.Helper()
	r, err := parquet.Open(context.Background(), name)
	if err == nil {
		defer r.Release()
		for r.Next() {
			got := r.RecordBatch()
			if want != nil && !array.RecordEqual(got, want.NewSlice(rows, rows+got.NumRows())) {
				t.Errorf("rows from %d on differ", rows)
			}
			rows += got.NumRows()
		}
		err = r.Err()
		if want != nil && r.Rows() != rows {
			t.Errorf("%d rows of %d", rows, r.Rows())
		}
	}
	if err != nil && (want != nil || !h5err.Is(err, h5err.Corrupt)) {
		t.Error(err)
	}
	return rows
}
