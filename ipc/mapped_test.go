package ipc_test

import (
	"math/rand/v2"
	"os"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/ipc"
)

// TestOpenMapped reads the same batches from a mapping, which lives as long as they do.
func TestOpenMapped(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	want := rows(t, memory.DefaultAllocator, 300)
	for _, f := range formats {
		for _, c := range compressions {
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			r, err := ipc.Open(write(t, encoded(t, f, c, 300)), ipc.WithReadAllocator(mem), ipc.WithMapping())
			if err != nil {
				t.Fatal(err)
			}
			if n, ok := r.Rows(); !ok || n != 300 || r.Format() != f {
				t.Errorf("%v %v: %d rows, %v, format %v", f, c, n, ok, r.Format())
			}
			var recs []arrow.RecordBatch
			for r.Next() {
				r.RecordBatch().Retain()
				recs = append(recs, r.RecordBatch())
			}
			if r.Err() != nil || r.Changed() != nil {
				t.Errorf("%v %v: %v, %v", f, c, r.Err(), r.Changed())
			}
			r.Release()
			at := int64(0)
			for _, rec := range recs {
				if part := want.NewSlice(at, at+rec.NumRows()); !array.RecordEqual(part, rec) {
					t.Errorf("%v %v: rows from %d on differ", f, c, at)
				}
				if inMapping := source.InMapping(rec.Column(0).Data().Buffers()[1].Bytes()); inMapping != (c == ipc.None) {
					t.Errorf("%v %v: mapped: %v", f, c, inMapping)
				}
				at += rec.NumRows()
				rec.Release()
			}
			if at != 300 {
				t.Errorf("%v %v: %d rows", f, c, at)
			}
			mem.AssertSize(t, 0)
		}
	}
}

// TestMappedBroken reads files that were cut short or changed: each is an error, or is read as without a mapping.
func TestMappedBroken(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, f := range formats {
		whole := encoded(t, f, ipc.None, 30)
		for i := range 400 {
			b := append([]byte(nil), whole...)
			if i%2 == 0 {
				b = b[:r.IntN(len(b))]
			} else {
				for range 1 + r.IntN(3) {
					b[r.IntN(len(b))] = byte(r.Uint32())
				}
			}
			live := source.LiveMappings()
			n, err := drainMapped(t, b)
			if after := source.LiveMappings(); after != live {
				t.Errorf("%v, %d: %d mappings, %d before", f, i, after, live)
			}
			plain, plainErr := drain(t, b)
			if (err == nil) != (plainErr == nil) || err == nil && n != plain {
				t.Errorf("%v, %d: %d rows, %v; without a mapping %d rows, %v", f, i, n, err, plain, plainErr)
			}
			if err != nil && !h5err.Is(err, h5err.Corrupt) && !h5err.Is(err, h5err.Memory) && !h5err.Is(err, h5err.Unsupported) {
				t.Errorf("%v, %d: %v", f, i, err)
			}
		}
	}
}

func drainMapped(t *testing.T, b []byte) (rows int64, err error) {
	t.Helper()
	path := t.TempDir() + "/x.arrow"
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := ipc.Open(path, ipc.WithMapping(), ipc.WithMaxMemory(1<<20))
	if err != nil {
		return 0, err
	}
	defer r.Release()
	for r.Next() {
		rows += r.RecordBatch().NumRows()
	}
	return rows, r.Err()
}
