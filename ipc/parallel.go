package ipc

import (
	"errors"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/h5arrow/h5arrow/ipc/internal/sink"
)

// parallel compresses several batches at a time. Each worker has its own compressors and writes its batches itself, each
// after all earlier ones.
type parallel struct {
	*writer
	coding []ipc.Option
	jobs   chan *job
	last   <-chan struct{} // of the last job
	wg     sync.WaitGroup

	sink.Failure // of the first batch that failed
}

// job is a batch to be written. It is written after before is closed, and then closes after.
type job struct {
	rec    arrow.RecordBatch
	before <-chan struct{}
	after  chan struct{}
}

func newParallel(w *writer, coding []ipc.Option) *parallel {
	none := make(chan struct{})
	close(none)
	p := &parallel{writer: w, coding: coding, jobs: make(chan *job), last: none}
	w.m.skip = true // record batches come from the workers
	for range w.workers {
		p.wg.Go(p.work)
	}
	return p
}

func (p *parallel) add(rec arrow.RecordBatch) error {
	if err := p.Failed(); err != nil {
		return err
	}
	rec.Retain()
	j := &job{rec: rec, before: p.last, after: make(chan struct{})}
	p.last = j.after
	p.jobs <- j
	return nil
}

func (p *parallel) finish(err error) error {
	p.Fail(err)
	close(p.jobs)
	p.wg.Wait()
	p.m.skip = false
	return p.Failed()
}

func (p *parallel) work() {
	t := &turn{p: p}
	w := ipc.NewWriterWithPayloadWriter(t, p.coding...)
	defer w.Close() // writes nothing
	for t.job = range p.jobs {
		var err error
		if p.Failed() == nil {
			err = sink.WithRows(t.rec, 0, t.rec.NumRows(), w.Write)
		}
		<-t.before
		p.Fail(sink.Plain(err))
		close(t.after)
		t.rec.Release()
	}
}

// turn writes a worker's batch when the earlier ones have been written.
type turn struct {
	p *parallel
	*job
}

// errGivenUp is returned for batches after one that failed.
var errGivenUp = errors.New("an earlier batch failed")

// WritePayload implements ipc.PayloadWriter.
func (t *turn) WritePayload(payload ipc.Payload) error {
	if kind(payload) != ipc.MessageRecordBatch {
		return nil // schema and dictionaries are written once for all workers
	}
	<-t.before
	if t.p.Failed() != nil {
		return errGivenUp
	}
	if err := t.p.before(t.rec); err != nil {
		return err
	}
	t.p.m.skip = false
	err := t.p.m.WritePayload(payload)
	t.p.m.skip = true
	if err == nil {
		t.p.count(t.rec)
	}
	return err
}

// Start implements ipc.PayloadWriter.
func (t *turn) Start() error { return nil }

// Close implements ipc.PayloadWriter.
func (t *turn) Close() error { return nil }

// before writes the schema and dictionaries that a batch needs and that have not been written, by the shared writer.
func (p *parallel) before(rec arrow.RecordBatch) error {
	return sink.WithRows(rec, 0, 0, p.w.Write)
}
