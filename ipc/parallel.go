package ipc

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// small is the size below which making a compressor costs more than compressing: such batches share the writer's.
const small = 256 << 10

// parallel compresses several batches at a time and writes them in order.
type parallel struct {
	*writer
	coding []ipc.Option
	queue  []*job // oldest first, at most workers
}

// job is one batch on its way.
type job struct {
	rec     arrow.RecordBatch
	payload ipc.Payload
	err     error
	done    chan struct{}
}

func (p *parallel) add(rec arrow.RecordBatch) error {
	if size(rec) < small {
		if err := p.finish(nil); err != nil {
			return err
		}
		p.m.skip = false
		defer func() { p.m.skip = true }()
		return p.writer.add(rec)
	}
	if len(p.queue) >= p.workers {
		if err := p.next(nil); err != nil {
			return err
		}
	}
	rec.Retain()
	j := &job{rec: rec, done: make(chan struct{})}
	p.queue = append(p.queue, j)
	go func() {
		defer close(j.done)
		j.err = guard(func() (err error) {
			j.payload, err = ipc.GetRecordBatchPayload(j.rec, p.coding...)
			return err
		})
	}()
	return nil
}

func (p *parallel) finish(err error) error {
	for len(p.queue) > 0 {
		if e := p.next(err); err == nil {
			err = e
		}
	}
	return err
}

// next waits for the oldest batch, writes it unless the work failed already, and lets go of it.
func (p *parallel) next(failed error) error {
	j := p.queue[0]
	p.queue[0] = nil
	p.queue = p.queue[1:]
	<-j.done
	defer j.rec.Release()
	defer j.payload.Release()
	if failed != nil || j.err != nil {
		return j.err
	}
	if err := p.before(j.rec); err != nil {
		return err
	}
	p.m.skip = false
	err := p.m.WritePayload(j.payload)
	p.m.skip = true
	if err == nil {
		p.count(j.rec)
	}
	return err
}

// before has the writer put out what precedes a batch: the schema, and dictionaries that it has not written yet.
func (p *parallel) before(rec arrow.RecordBatch) error {
	empty := rec.NewSlice(0, 0)
	defer empty.Release()
	return guard(func() error { return p.w.Write(empty) })
}

func size(rec arrow.RecordBatch) (n uint64) {
	for _, c := range rec.Columns() {
		n += c.Data().SizeInBytes()
	}
	return n
}
