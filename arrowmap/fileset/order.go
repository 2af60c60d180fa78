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

// inOrder starts the work on 0 to n-1. Results that nobody asks for are given to drop, which may be nil.
func inOrder[T any](ctx context.Context, n int, work func(i int) (T, error), drop func(T)) *ordered[T] {
	ctx, cancel := context.WithCancel(ctx)
	o := &ordered[T]{cancel: cancel, slots: make(chan chan result[T], ahead-1), drop: drop}
	go func() {
		defer close(o.slots)
		for i := range n {
			slot := make(chan result[T], 1)
			select {
			case <-ctx.Done():
				return
			case o.slots <- slot:
			}
			go func() {
				var r result[T]
				if r.err = ctx.Err(); r.err == nil {
					r.value, r.err = work(i)
				}
				slot <- r
			}()
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
