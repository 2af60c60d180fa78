package write

import (
	"sync"

	"github.com/h5arrow/h5arrow/h5/filter/encode"
	"github.com/h5arrow/h5arrow/h5/write/internal/format"
)

// The number of chunks in flight has bounds that do not depend on the number of workers, as it decides where variable-length values
// go between chunks.
const (
	minInFlight = 4
	maxInFlight = 512
)

// queue has chunks encoded by workers, and writes them in the order in which they were given.
type queue struct {
	f       *File
	jobs    chan *job
	wg      sync.WaitGroup
	started bool
	pending []*job
	bytes   int64
	free    [][]byte
}

// job is a chunk on its way to the file.
type job struct {
	to      *chunked
	number  uint64
	values  []byte // the queue's own
	encoder *encode.Encoder

	done   chan struct{} // nil: nothing to encode
	stored []byte
	mask   uint32
	err    error
}

func (q *queue) start(f *File) { q.f = f }

// work starts the workers with the first chunk that is to be encoded.
func (q *queue) work() {
	if q.started {
		return
	}
	q.started = true
	q.jobs = make(chan *job, maxInFlight+1)
	for range q.f.o.workers {
		q.wg.Add(1)
		go func() {
			defer q.wg.Done()
			st := encode.NewState()
			defer st.Close()
			for j := range q.jobs {
				var out []byte
				if out, j.mask, j.err = j.encoder.Encode(st, j.values); j.err == nil {
					j.stored = append(j.stored[:0], out...)
				}
				close(j.done)
			}
		}()
	}
}

// stop ends the workers.
func (q *queue) stop() {
	if q.started {
		close(q.jobs)
		q.wg.Wait()
		q.started = false
	}
	q.pending, q.free = nil, nil
}

// buffer returns n bytes of any content, which belong to the job that they are given to.
func (q *queue) buffer(n int) []byte {
	if k := len(q.free); k > 0 {
		b := q.free[k-1]
		q.free = q.free[:k-1]
		if cap(b) >= n {
			return b[:n]
		}
	}
	return make([]byte, n)
}

func (q *queue) release(b []byte) {
	if cap(b) > 0 && len(q.free) < 64 {
		q.free = append(q.free, b)
	}
}

// give adds a chunk. Without an encoder it is written as it is.
func (q *queue) give(j *job) error {
	if j.encoder != nil {
		q.work()
		j.stored = q.buffer(len(j.values))[:0]
		j.done = make(chan struct{})
		q.jobs <- j
	}
	q.pending = append(q.pending, j)
	q.bytes += int64(len(j.values))
	for len(q.pending) > maxInFlight || q.bytes > q.f.o.memory && len(q.pending) > minInFlight {
		if err := q.pop(); err != nil {
			return err
		}
	}
	return nil
}

// pop writes the oldest chunk.
func (q *queue) pop() error {
	j := q.pending[0]
	q.pending[0] = nil
	if q.pending = q.pending[1:]; len(q.pending) == 0 {
		q.pending = nil
	}
	q.bytes -= int64(len(j.values))
	stored := j.values
	if j.done != nil {
		<-j.done
		stored = j.stored
	}
	if j.err != nil {
		return j.err
	}
	err := j.to.store(j.number, stored, j.mask)
	q.release(j.values)
	q.release(j.stored)
	return err
}

// drain writes all chunks.
func (q *queue) drain() error {
	for len(q.pending) > 0 {
		if err := q.pop(); err != nil {
			return err
		}
	}
	return nil
}

// chunkOf returns the record of a stored chunk.
func chunkOf(number uint64, addr int64, size int, mask uint32) format.Chunk {
	return format.Chunk{Number: number, Addr: uint64(addr), Size: uint64(size), Mask: mask}
}
