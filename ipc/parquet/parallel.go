package parquet

import (
	"sync"

	"github.com/h5arrow/h5arrow/ipc/internal/sink"
)

// parallel encodes several row groups at a time. Each is written by its worker, after all earlier ones.
type parallel struct {
	f    *file
	jobs chan *job
	last <-chan struct{} // of the last job
	wg   sync.WaitGroup

	sink.Failure // of the first row group that failed
}

// job is a row group to be written. It is written after before is closed, and then closes after.
type job struct {
	parts  []part
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

// add encodes and writes a row group, and releases its parts.
func (p *parallel) add(parts []part) error {
	if err := p.Failed(); err != nil {
		releaseAll(parts)
		return err
	}
	j := &job{parts: parts, before: p.last, after: make(chan struct{})}
	p.last = j.after
	p.jobs <- j
	return nil
}

// finish is always called, with the error that ended feeding, and waits for row groups in progress.
func (p *parallel) finish(err error) error {
	p.Fail(err)
	close(p.jobs)
	p.wg.Wait()
	return p.Failed()
}

func (p *parallel) work() {
	var to pieces
	for j := range p.jobs {
		to.reset()
		var g *group
		var err error
		if p.Failed() == nil {
			err = sink.Guard(func() (err error) {
				g, err = p.f.encode(&to, j.parts)
				return err
			})
		}
		releaseAll(j.parts)
		<-j.before
		p.Fail(err)
		if p.Failed() == nil {
			p.Fail(p.f.append(&to, g))
		}
		close(j.after)
	}
}
