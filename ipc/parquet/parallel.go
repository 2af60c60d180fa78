package parquet

import (
	"sync"
	"sync/atomic"

	"github.com/h5arrow/h5arrow/ipc/internal/sink"
)

// parallel encodes several columns at a time, of as few row groups as keep all workers busy. A row group is written by the worker
// that has encoded its last column, after all earlier ones.
type parallel struct {
	f    *file
	jobs chan job
	room chan struct{}   // holds a value for each row group that is held
	last <-chan struct{} // of the last row group
	wg   sync.WaitGroup

	sink.Failure // of the first column that failed
}

// job is a column of a row group.
type job struct {
	*rowGroup
	column int
}

// rowGroup is to be encoded. It is written after before is closed, and then closes after.
type rowGroup struct {
	parts   []part
	rows    int64
	chunks  []*chunk
	missing atomic.Int64 // columns that are not encoded
	before  <-chan struct{}
	after   chan struct{}
}

func newParallel(f *file) (*parallel, error) {
	none := make(chan struct{})
	close(none)
	p := &parallel{f: f, jobs: make(chan job), room: make(chan struct{}, f.o.groups), last: none}
	states := make([]*state, f.o.workers)
	for i := range states {
		codec, err := newCompressor(f.o.compression)
		if err != nil {
			return nil, err
		}
		states[i] = &state{codec: codec}
	}
	for _, st := range states {
		p.wg.Go(func() { p.work(st) })
	}
	return p, nil
}

// add encodes and writes a row group, and releases its parts.
func (p *parallel) add(parts []part) error {
	if err := p.Failed(); err != nil {
		releaseAll(parts)
		return err
	}
	p.room <- struct{}{}
	g := &rowGroup{parts: parts, chunks: make([]*chunk, len(p.f.columns)), before: p.last, after: make(chan struct{})}
	for _, part := range parts {
		g.rows += part.rows
	}
	p.last = g.after
	g.missing.Store(int64(max(1, len(g.chunks))))
	if len(g.chunks) == 0 {
		p.write(g)
	}
	for i := range g.chunks {
		p.jobs <- job{g, i}
	}
	return nil
}

// finish is always called, with the error that ended feeding, and waits for row groups in progress.
func (p *parallel) finish(err error) error {
	p.Fail(err)
	close(p.jobs)
	p.wg.Wait()
	return p.Failed()
}

func (p *parallel) work(st *state) {
	for j := range p.jobs {
		if p.Failed() == nil {
			p.Fail(sink.Guard(func() (err error) {
				j.chunks[j.column], err = p.f.encode(st, j.parts, j.column, j.rows)
				return err
			}))
		}
		if j.missing.Add(-1) == 0 {
			p.write(j.rowGroup)
		}
	}
}

// write writes an encoded row group.
func (p *parallel) write(g *rowGroup) {
	releaseAll(g.parts)
	<-g.before
	if p.Failed() == nil {
		p.Fail(p.f.append(g.chunks, g.rows))
	}
	for _, c := range g.chunks {
		if c != nil {
			c.bytes.release()
		}
	}
	close(g.after)
	<-p.room
}
