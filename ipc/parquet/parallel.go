package parquet

import (
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/ipc/internal/sink"
)

// parallel encodes several row groups at a time. Each is written by its worker, when all before it were.
type parallel struct {
	f    *file
	jobs chan *job
	last <-chan struct{} // of the job that was added last
	wg   sync.WaitGroup

	mu  sync.Mutex
	err error // of the first row group that failed
}

// job is one row group on its way. Its turn comes when before is closed, and it closes after when that is over.
type job struct {
	recs   []arrow.RecordBatch
	before <-chan struct{}
	after  chan struct{}
}

func newParallel(f *file) *parallel {
	none := make(chan struct{})
	close(none)
	p := &parallel{f: f, jobs: make(chan *job), last: none}
	for range f.o.workers {
		p.wg.Go(p.work)
	}
	return p
}

// add takes over the batches of a row group.
func (p *parallel) add(recs []arrow.RecordBatch) error {
	if err := p.failed(); err != nil {
		releaseAll(recs)
		return err
	}
	j := &job{recs: recs, before: p.last, after: make(chan struct{})}
	p.last = j.after
	p.jobs <- j
	return nil
}

// finish is called in any case and waits for what is under way; err is why feeding ended.
func (p *parallel) finish(err error) error {
	p.fail(err)
	close(p.jobs)
	p.wg.Wait()
	return p.err
}

func (p *parallel) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		p.err = err
	}
}

func (p *parallel) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

func (p *parallel) work() {
	var to pieces
	for j := range p.jobs {
		to.reset()
		var g *group
		var err error
		if p.failed() == nil {
			err = sink.Guard(func() (err error) {
				g, err = p.f.encode(&to, j.recs)
				return err
			})
		}
		releaseAll(j.recs)
		<-j.before
		p.fail(err)
		if p.failed() == nil {
			p.fail(p.f.append(&to, g))
		}
		close(j.after)
	}
}
