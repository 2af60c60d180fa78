package arrowmap_test

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/write"
)

// counting is Go's memory, and how many bytes were asked for.
type counting struct {
	memory.GoAllocator
	bytes atomic.Int64
}

func (c *counting) Allocate(n int) []byte {
	c.bytes.Add(int64(n))
	return c.GoAllocator.Allocate(n)
}

// numbered writes a file with one dataset of n 64-bit numbers that count from 0.
func numbered(t *testing.T, n int, height uint64, filters ...h5.Filter) string {
	t.Helper()
	w, err := os.Create(filepath.Join(t.TempDir(), "numbers.h5"))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	f, err := write.Create(w)
	if err != nil {
		t.Fatal(err)
	}
	int64s := &h5.Type{Class: h5.ClassFixed, Size: 8, Order: h5.LittleEndian, Signed: true, Precision: 64}
	d, err := f.Dataset("/x", write.Spec{Type: int64s, Space: write.Shape(write.Unknown), ChunkDims: []uint64{height}, Filters: filters})
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]byte, 8*n)
	for i := range n {
		binary.LittleEndian.PutUint64(rows[8*i:], uint64(i))
	}
	if err := d.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return w.Name()
}

// TestBatchSizes reads chunks of several heights. Batches of those with filters are small, as their memory is used again.
func TestBatchSizes(t *testing.T) {
	const rows = 4 << 20 // 32 MiB
	shuffle := h5.Filter{ID: 2}
	for _, c := range []struct {
		name    string
		height  uint64
		filters []h5.Filter
		opts    []arrowmap.ReadOption
		want    int64 // rows of a batch
		bytes   int64 // at most allocated
	}{
		{"filtered", 1 << 16, []h5.Filter{shuffle}, nil, 1 << 19, 20 << 20},
		{"no divisor", 100_000, []h5.Filter{shuffle}, nil, 500_000, 20 << 20},
		{"high", 3 << 18, []h5.Filter{shuffle}, nil, 3 << 18, 30 << 20},
		{"by bytes", 1 << 16, []h5.Filter{shuffle}, []arrowmap.ReadOption{arrowmap.WithBatchBytes(16 << 20)}, 1 << 21, 33 << 20},
		{"by rows", 1 << 16, []h5.Filter{shuffle}, []arrowmap.ReadOption{arrowmap.WithBatchRows(1 << 20)}, 1 << 20, 33 << 20},
		{"mapped", 1 << 16, nil, nil, rows, 1 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := arrowmap.Open(numbered(t, rows, c.height, c.filters...))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var mem counting
			r, err := table(t, f, "/").Reader(context.Background(), append(c.opts, arrowmap.WithWorkers(2), arrowmap.WithAllocator(&mem))...)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Release()
			var got []int64
			next := int64(0)
			for r.Next() {
				values := r.RecordBatch().Column(0).(*array.Int64).Int64Values()
				for _, v := range values {
					if v != next {
						t.Fatalf("%d in row %d", v, next)
					}
					next++
				}
				got = append(got, int64(len(values)))
			}
			if r.Err() != nil || next != rows {
				t.Fatal(next, r.Err())
			}
			if whole := got[:len(got)-1]; slices.ContainsFunc(whole, func(n int64) bool { return n != c.want }) || got[len(got)-1] > c.want {
				t.Errorf("batches of %d rows, want %d", got, c.want)
			}
			if n := mem.bytes.Load(); n > c.bytes {
				t.Errorf("%d bytes allocated, want at most %d", n, c.bytes)
			}
		})
	}
}
