package ipc_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc"
)

func encoded(t testing.TB, f ipc.Format, c ipc.Compression, n int) []byte {
	t.Helper()
	rec := rows(t, memory.DefaultAllocator, n)
	var out bytes.Buffer
	if _, err := ipc.Write(context.Background(), &out, f, split(t, rec, int64(n/3), int64(n-n/3)), ipc.WithCompression(c)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func write(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.arrow")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpen(t *testing.T) {
	want := rows(t, memory.DefaultAllocator, 300)
	for _, f := range formats {
		for _, c := range compressions {
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			r, err := ipc.Open(write(t, encoded(t, f, c, 300)), ipc.WithReadAllocator(mem))
			if err != nil {
				t.Fatal(err)
			}
			if r.Format() != f || !r.Schema().Equal(wide) {
				t.Errorf("%v %v: format %v, schema %v", f, c, r.Format(), r.Schema())
			}
			at := int64(0)
			for r.Next() {
				n := r.RecordBatch().NumRows()
				if part := want.NewSlice(at, at+n); !array.RecordEqual(part, r.RecordBatch()) {
					t.Errorf("%v %v: rows from %d on differ", f, c, at)
				}
				at += n
			}
			if r.Err() != nil || at != 300 {
				t.Errorf("%v %v: %d rows, %v", f, c, at, r.Err())
			}
			if r.Next() || r.RecordBatch() != nil {
				t.Error("there is something after the end")
			}
			r.Release()
			mem.AssertSize(t, 0)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		path string
		kind h5err.Kind
	}{
		"missing":   {filepath.Join(dir, "none"), h5err.IO},
		"directory": {dir, h5err.IO},
		"empty":     {write(t, nil), h5err.Corrupt},
		"text":      {write(t, []byte("a,b\n1,2\n3,4\n5,6\n")), h5err.Corrupt},
		"magic":     {write(t, []byte("ARROW1")), h5err.Corrupt},
		"feather 1": {write(t, []byte("FEA1 and more")), h5err.Unsupported},
	} {
		r, err := ipc.Open(c.path)
		var e *h5err.Error
		if r != nil || !errors.As(err, &e) || e.Kind != c.kind || e.File != c.path {
			t.Errorf("%s: %v", name, err)
		}
		if name == "missing" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ipc.Open(write(t, nil), ipc.WithMaxMemory(0)); !h5err.Is(err, h5err.Argument) {
		t.Error(err)
	}
}

// drain reads all batches, and fails the test if an error is not an h5err.Error.
func drain(t testing.TB, b []byte) (rows int64, err error) {
	t.Helper()
	r, err := ipc.NewReader(bytes.NewReader(b), int64(len(b)), "x", ipc.WithMaxMemory(1<<20))
	if err == nil {
		for r.Next() {
			rows += r.RecordBatch().NumRows()
		}
		err = r.Err()
		r.Release()
	}
	var e *h5err.Error
	if err != nil && !errors.As(err, &e) {
		t.Fatalf("error of type %T: %v", err, err)
	}
	return rows, err
}

func TestOpenCutShort(t *testing.T) {
	for _, f := range formats {
		b := encoded(t, f, ipc.Zstd, 30)
		for n := range b {
			got, err := drain(t, b[:n])
			if err == nil && (f == ipc.File || got == 30 && n < len(b)-8 || got != 0 && got != 10 && got != 30) {
				t.Fatalf("%v: the first %d of %d bytes: %d rows, no error", f, n, len(b), got)
			}
		}
	}
}

func TestOpenBoundsMemory(t *testing.T) {
	b := encoded(t, ipc.File, ipc.Zstd, 20000)
	r, err := ipc.Open(write(t, b), ipc.WithMaxMemory(int64(len(b)/4)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	for r.Next() {
	}
	if !h5err.Is(r.Err(), h5err.Memory) {
		t.Error(r.Err())
	}
}

func FuzzOpen(f *testing.F) {
	for _, format := range formats {
		for _, c := range compressions {
			f.Add(encoded(f, format, c, 3))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		drain(t, b)
	})
}

// TestOpenEmptyLists opens data of a type that arrow-go panics on and pyarrow writes: lists of no items each.
func TestOpenEmptyLists(t *testing.T) {
	const items = 0x1234567
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.FixedSizeListOf(items, arrow.PrimitiveTypes.Int32)}}, nil)
	for _, f := range formats {
		rr, err := array.NewRecordReader(schema, nil)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if _, err := ipc.Write(t.Context(), &out, f, rr); err != nil {
			t.Fatal(err)
		}
		rr.Release()
		b := bytes.ReplaceAll(out.Bytes(), []byte{0x67, 0x45, 0x23, 1}, make([]byte, 4))
		if _, err := drain(t, b); bytes.Equal(b, out.Bytes()) || !h5err.Is(err, h5err.Unsupported) {
			t.Errorf("%v: %v", f, err)
		}
	}
}
