// Package queue has chunks encoded by several goroutines and written in order.
package queue

import (
	"sync"

	"github.com/h5arrow/h5arrow/h5/filter/encode"
)

// The number of chunks in flight has bounds that do not depend on the number of workers, as it decides where variable-length values
// go between chunks.
const (
	minInFlight = 4
	maxInFlight = 512
)

// Queue has chunks encoded by workers, and writes them in the order in which they were given.
type Queue struct {
	Workers int
	Memory  int64 // bytes that may be in flight, besides a few chunks

	jobs    chan *Job
	wg      sync.WaitGroup
	started bool
	pending []*Job
	bytes   int64
	free    [][]byte
}

// Store takes chunks as they are stored.
type Store interface {
	Store(number uint64, stored []byte, mask uint32) error
}

// Job is a chunk on its way to the file.
type Job struct {
	To      Store
	Number  uint64
	Values  []byte          // the queue's own, from Buffer
	Encoder *encode.Encoder // nil: the chunk is written as it is
	Mask    uint32

	done   chan struct{} // nil: nothing to encode
	stored []byte
	err    error
}

// work starts the workers with the first chunk that is to be encoded.
func (q *Queue) work() {
	if q.started {
		return
	}
	q.started = true
	q.jobs = make(chan *Job, maxInFlight+1)
	for range q.Workers {
		q.wg.Add(1)
		go func() {
			defer q.wg.Done()
			st := encode.NewState()
			defer st.Close()
			for j := range q.jobs {
				var out []byte
				if out, j.Mask, j.err = j.Encoder.Encode(st, j.Values); j.err == nil {
					j.stored = append(j.stored[:0], out...)
				}
				close(j.done)
			}
		}()
	}
}

// Stop ends the workers.
func (q *Queue) Stop() {
	if q.started {
		close(q.jobs)
		q.wg.Wait()
		q.started = false
	}
	q.pending, q.free = nil, nil
}

// Buffer returns n bytes of any content, which belong to the job that they are given to.
func (q *Queue) Buffer(n int) []byte {
	if k := len(q.free); k > 0 {
		b := q.free[k-1]
		q.free = q.free[:k-1]
		if cap(b) >= n {
			return b[:n]
		}
	}
	return make([]byte, n)
}

// Release takes back what Buffer returned.
func (q *Queue) Release(b []byte) {
	if cap(b) > 0 && len(q.free) < 64 {
		q.free = append(q.free, b)
	}
}

// Give adds a chunk. Without an encoder it is written as it is.
func (q *Queue) Give(j *Job) error {
	if j.Encoder != nil {
		q.work()
		j.stored = q.Buffer(len(j.Values))[:0]
		j.done = make(chan struct{})
		q.jobs <- j
	}
	q.pending = append(q.pending, j)
	q.bytes += int64(len(j.Values))
	for len(q.pending) > maxInFlight || q.bytes > q.Memory && len(q.pending) > minInFlight {
		if err := q.pop(); err != nil {
			return err
		}
	}
	return nil
}

// pop writes the oldest chunk.
func (q *Queue) pop() error {
	j := q.pending[0]
	q.pending[0] = nil
	if q.pending = q.pending[1:]; len(q.pending) == 0 {
		q.pending = nil
	}
	q.bytes -= int64(len(j.Values))
	stored := j.Values
	if j.done != nil {
		<-j.done
		stored = j.stored
	}
	if j.err != nil {
		return j.err
	}
	err := j.To.Store(j.Number, stored, j.Mask)
	q.Release(j.Values)
	q.Release(j.stored)
	return err
}

// Drain writes all chunks.
func (q *Queue) Drain() error {
	for len(q.pending) > 0 {
		if err := q.pop(); err != nil {
			return err
		}
	}
	return nil
}
