package fileset

import (
	"context"
	"sync"
)

// ahead is how many files are open at a time.
const ahead = 8

// ordered is the results of work on numbers, in their order; up to ahead of them are worked on, or wait.
type ordered[T any] struct {
	cancel context.CancelFunc
	slots  chan chan result[T]
	drop   func(T)
	once   sync.Once
}

type result[T any] struct {
	value T
	err   error
}

// job is work on a number, and where its result goes.
type job[T any] struct {
	i    int
	slot chan<- result[T]
}

// inOrder starts the work on 0 to n-1. Results that nobody asks for are given to drop, which may be nil. The same few goroutines do all of
// it, as a new one would have to grow its stack for each file.
func inOrder[T any](ctx context.Context, n int, work func(ctx context.Context, i int) (T, error), drop func(T)) *ordered[T] {
	ctx, cancel := context.WithCancel(ctx)
	o := &ordered[T]{cancel: cancel, slots: make(chan chan result[T], ahead-1), drop: drop}
	jobs := make(chan job[T])
	for range min(n, ahead) {
		go func() {
			for j := range jobs {
				var r result[T]
				if r.err = ctx.Err(); r.err == nil {
					r.value, r.err = work(ctx, j.i)
				}
				j.slot <- r
			}
		}()
	}
	go func() {
		defer close(jobs)
		defer close(o.slots)
		for i := range n {
			slot := make(chan result[T], 1)
			select {
			case <-ctx.Done():
				return
			case o.slots <- slot:
			}
			jobs <- job[T]{i, slot} // there are as many goroutines as slots
		}
	}()
	return o
}

// next returns the next result. After the last one it returns context.Canceled.
func (o *ordered[T]) next() (none T, err error) {
	slot, ok := <-o.slots
	if !ok {
		return none, context.Canceled
	}
	r := <-slot
	return r.value, r.err
}

// close ends the work and waits for it.
func (o *ordered[T]) close() {
	o.once.Do(func() {
		o.cancel()
		for slot := range o.slots {
			if r := <-slot; r.err == nil && o.drop != nil {
				o.drop(r.value)
			}
		}
	})
}
