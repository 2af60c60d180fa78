package arrowmap_test

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// farFile is a file whose reads are stuck until their context ends, when stuck is not nil and they have one that ends.
type farFile struct {
	data  []byte
	stuck chan struct{} // gets a value for each
}

func (f *farFile) Hints() source.Hints {
	return source.Hints{InFlight: 6, Gap: 1 << 10, Span: 16 << 10, MetadataBlock: 4 << 10}
}

func (f *farFile) ReadAtContext(ctx context.Context, p []byte, off int64) (int, error) {
	if f.stuck != nil && ctx.Done() != nil {
		f.stuck <- struct{}{}
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return copy(p, f.data[off:]), nil
}

// TestFarSource reads a file of a source with reads in flight, which must give what the mapped file does, and ends reads
// that are stuck by the reader's context.
func TestFarSource(t *testing.T) {
	name := h5test.Fixture(t, "sample.h5")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	far := &farFile{data: data}
	f, err := arrowmap.NewFile(source.New(far, int64(len(data)), "far.h5"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	local, err := arrowmap.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	want, got := batches(t, table(t, local, "")), batches(t, table(t, f, ""))
	for i := range min(len(want), len(got)) {
		if !array.RecordEqual(want[i], got[i]) {
			t.Errorf("batch %d differs", i)
		}
	}
	if len(want) != len(got) || len(got) < 2 {
		t.Errorf("%d batches, want %d, and at least two", len(got), len(want))
	}
	far.stuck = make(chan struct{}, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := table(t, f, "").Reader(ctx, arrowmap.WithWorkers(2))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	go func() {
		<-far.stuck
		cancel()
	}()
	if r.Next() || !errors.Is(r.Err(), context.Canceled) {
		t.Errorf("a reader whose context ended: %v", r.Err())
	}
}

// batches reads a table in batches of 64 rows.
func batches(t *testing.T, tab *arrowmap.Table) (out []arrow.RecordBatch) {
	t.Helper()
	r, err := tab.Reader(t.Context(), arrowmap.WithBatchRows(64))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	for r.Next() {
		b := r.RecordBatch()
		b.Retain()
		t.Cleanup(b.Release)
		out = append(out, b)
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return out
}
