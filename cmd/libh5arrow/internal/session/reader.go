package session

import (
	"context"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
)

// Batches is a stream of record batches.
type Batches interface {
	Schema() *arrow.Schema
	Next() bool
	RecordBatch() arrow.RecordBatch
	Err() error
	Release()
}

// Reader is a stream that is canceled when it is closed.
type Reader struct {
	counted
	cancel context.CancelFunc
	mu     sync.Mutex // for batches, which one goroutine may use at a time
	rr     Batches
}

// NewReader returns a Reader of what start returns.
func NewReader(start func(context.Context) (Batches, error)) (*Reader, error) {
	ctx, cancel := context.WithCancel(context.Background())
	rr, err := start(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	r := &Reader{cancel: cancel, rr: rr}
	r.start(func() {
		cancel()
		rr.Release()
	})
	return r, nil
}

// Cancel ends the reading.
func (r *Reader) Cancel() { r.cancel() }

// Schema is the schema of the batches.
func (r *Reader) Schema() *arrow.Schema { return r.rr.Schema() }

// Next returns the next batch, nil at the end. Canceling its context cancels the reader.
func (r *Reader) Next(ctx context.Context) (*Batch, error) {
	defer context.AfterFunc(ctx, r.cancel)()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.rr.Next() {
		return nil, r.rr.Err()
	}
	b := &Batch{RecordBatch: r.rr.RecordBatch()}
	b.RecordBatch.Retain()
	b.start(b.RecordBatch.Release)
	return b, nil
}

// Batch is a record batch.
type Batch struct {
	counted
	arrow.RecordBatch
}
