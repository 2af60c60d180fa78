package chunk

import (
	"container/list"
	"context"
	"sync"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Budget bounds the memory that is in flight. It counts bytes; it allocates nothing. It is first come, first served, so
// that large requests get their turn. A nil *Budget has no bound.
//
// Besides what callers acquire, Readers charge it with the decoded chunks that they keep from one batch to the next.
// Those give way: a request that would have to wait takes their place, and they are decoded again when needed.
type Budget struct {
	mu      sync.Mutex
	max     int64
	used    int64
	waiters list.List // of *waiter
	idle    list.List // of *held, least recently used first
	idleSum int64
}

type waiter struct {
	n     int64
	ready chan struct{}
}

// NewBudget returns a budget of that many bytes; a negative number is 0.
func NewBudget(bytes int64) *Budget { return &Budget{max: max(bytes, 0)} }

// Max is the number of bytes of the whole budget.
func (b *Budget) Max() int64 { return b.max }

// Used is the number of bytes that are taken now, kept chunks included.
func (b *Budget) Used() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}

// Acquire takes n bytes, and waits until they are free. It fails with ctx's error when ctx ends first, and with a Memory
// error when the whole budget is smaller than n. What was taken must be given back by Release.
func (b *Budget) Acquire(ctx context.Context, n int64) error {
	if b == nil {
		return nil
	}
	if n < 0 {
		return h5err.New(h5err.Argument, "%d bytes of memory", n)
	}
	if n > b.max {
		return h5err.New(h5err.Memory, "%d bytes are needed at once, the memory budget is %d bytes", n, b.max).
			WithHint("raise --max-memory")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	if b.waiters.Len() == 0 && b.take(n) {
		b.mu.Unlock()
		return nil
	}
	w := &waiter{n: n, ready: make(chan struct{})}
	e := b.waiters.PushBack(w)
	b.mu.Unlock()
	select {
	case <-w.ready:
		return nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-w.ready: // it came in the meantime: give it back
		b.used -= n
	default:
		b.waiters.Remove(e)
	}
	b.wake()
	return ctx.Err()
}

// TryAcquire takes n bytes if they are free and nobody waits for memory, and reports whether it did.
func (b *Budget) TryAcquire(n int64) bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return n >= 0 && b.waiters.Len() == 0 && b.take(n)
}

// Release gives n bytes back.
func (b *Budget) Release(n int64) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.release(n)
}

func (b *Budget) release(n int64) {
	if n < 0 || n > b.used {
		panic("chunk: more memory is released than was acquired")
	}
	b.used -= n
	b.wake()
}

// take takes n bytes, in place of idle chunks where that is enough.
func (b *Budget) take(n int64) bool {
	if n > b.max-b.used+b.idleSum {
		return false
	}
	for n > b.max-b.used {
		b.evict(b.idle.Front().Value.(*held))
	}
	b.used += n
	return true
}

func (b *Budget) wake() {
	for e := b.waiters.Front(); e != nil; e = b.waiters.Front() {
		w := e.Value.(*waiter)
		if !b.take(w.n) {
			return
		}
		b.waiters.Remove(e)
		close(w.ready)
	}
}

func (b *Budget) evict(h *held) {
	b.idle.Remove(h.elem)
	b.idleSum -= h.n
	b.used -= h.n
	h.elem, h.data, h.gone = nil, nil, true
}

// held is memory for decoded chunks that a Reader keeps. It is pinned or idle; idle memory may be taken away.
type held struct {
	b    *Budget // nil: not counted
	n    int64
	data []byte
	elem *list.Element // nil unless idle
	gone bool
}

// hold returns n pinned bytes, or nil when they do not fit now. It does not wait: it is called by workers, on whom those
// who hold the rest of the budget may depend. It goes before those who wait, for the same reason.
func (b *Budget) hold(n int64) *held {
	if b != nil {
		b.mu.Lock()
		ok := b.take(n)
		b.mu.Unlock()
		if !ok {
			return nil
		}
	}
	return &held{b: b, n: n, data: make([]byte, n)}
}

// pin makes idle memory pinned; false says that it is gone.
func (h *held) pin() bool {
	if h.b == nil {
		return true
	}
	h.b.mu.Lock()
	defer h.b.mu.Unlock()
	if h.elem != nil {
		h.b.idle.Remove(h.elem)
		h.b.idleSum -= h.n
		h.elem = nil
	}
	return !h.gone
}

// unpin makes pinned memory idle.
func (h *held) unpin() {
	if h.b == nil {
		return
	}
	h.b.mu.Lock()
	defer h.b.mu.Unlock()
	h.elem = h.b.idle.PushBack(h)
	h.b.idleSum += h.n
	h.b.wake()
}

// drop gives the memory back, pinned or idle.
func (h *held) drop() {
	if h.b == nil {
		return
	}
	h.b.mu.Lock()
	defer h.b.mu.Unlock()
	switch {
	case h.gone:
		return
	case h.elem != nil:
		h.b.evict(h)
		h.b.wake()
	default:
		h.gone = true
		h.b.release(h.n)
	}
}
