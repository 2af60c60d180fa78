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
// Besides what callers acquire, Readers charge it with the decoded chunks that they keep from one batch to the next, and
// with the scratch memory that workers need for large chunks. Kept chunks give way: a request that would have to wait
// takes their place, and they are decoded again when needed. Workers that find no room for scratch wait for other
// workers, but not for callers, who may be waiting for them in turn: give Readers a Budget of their own, apart from that
// of the rows.
type Budget struct {
	mu      sync.Mutex
	max     int64
	used    int64
	waiters list.List // of *waiter
	idle    list.List // of *held, least recently used first
	idleSum int64
	fetched int64 // of memory for fetches

	working int       // reservations and pinned memory: workers who give it back without waiting
	freed   sync.Cond // something of working was given back
}

type waiter struct {
	n     int64
	ready chan struct{}
}

// NewBudget returns a budget of that many bytes; a negative number is 0.
func NewBudget(bytes int64) *Budget {
	b := &Budget{max: max(bytes, 0)}
	b.freed.L = &b.mu
	return b
}

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
		return b.tooMuch(n)
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
	b.forget(h)
	h.elem, h.data = nil, nil
}

// forget notes that memory is gone.
func (b *Budget) forget(h *held) {
	h.gone = true
	if h.fetch {
		b.fetched -= h.n
	}
}

func (b *Budget) tooMuch(n int64) error {
	return h5err.New(h5err.Memory, "%d bytes are needed at once, the memory budget is %d bytes", n, b.max).
		WithOption("chunk.NewBudget", "allow more")
}

// reserve takes n bytes for a job of a worker that holds nothing yet. It waits for the jobs of others, and fails when
// there are none to wait for.
func (b *Budget) reserve(n int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.take(n) {
		if n > b.max || b.working == 0 {
			return b.tooMuch(n)
		}
		b.freed.Wait()
	}
	b.working++
	return nil
}

// unreserve gives back what was reserved.
func (b *Budget) unreserve(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rest()
	b.release(n)
}

// keep turns n of the reserved bytes into pinned memory, which data is, and gives back the others.
func (b *Budget) keep(data []byte, reserved int64) *held {
	b.mu.Lock()
	defer b.mu.Unlock()
	h := &held{b: b, n: int64(len(data)), data: data, pins: 1}
	b.release(reserved - h.n)
	b.freed.Broadcast()
	return h
}

func (b *Budget) rest() {
	b.working--
	b.freed.Broadcast()
}

// held is memory for decoded chunks that a Reader keeps. It is pinned by those who read it, or idle; idle memory may be
// taken away.
type held struct {
	b    *Budget // nil: not counted
	n    int64
	data []byte
	pins int
	elem *list.Element // nil unless idle
	gone bool

	fetch bool // see ahead
}

// hold returns n bytes, pinned once, or nil when they do not fit now. It does not wait: it is called by workers, on whom
// those who hold the rest of the budget may depend. It goes before those who wait, for the same reason.
func (b *Budget) hold(n int64) *held {
	if b == nil {
		return &held{n: n, data: make([]byte, n)}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.take(n) {
		return nil
	}
	b.working++
	return &held{b: b, n: n, data: make([]byte, n), pins: 1}
}

// ahead is hold for memory that is filled before a worker wants it. All of that together takes half of the budget at most,
// and idle memory gives way to it only when nothing else would go on.
func (b *Budget) ahead(n int64, force bool) *held {
	if b == nil {
		return b.hold(n)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if n > b.max/2-b.fetched || !force && n > b.max-b.used || !b.take(n) {
		return nil
	}
	b.working++
	b.fetched += n
	return &held{b: b, n: n, data: make([]byte, n), pins: 1, fetch: true}
}

// pin keeps the memory from being taken away; false says that it is gone.
func (h *held) pin() bool {
	if h.b == nil {
		return true
	}
	h.b.mu.Lock()
	defer h.b.mu.Unlock()
	if h.gone {
		return false
	}
	if h.elem != nil {
		h.b.idle.Remove(h.elem)
		h.b.idleSum -= h.n
		h.elem = nil
	}
	if h.pins++; h.pins == 1 {
		h.b.working++
	}
	return true
}

// unpin undoes pin; without pins the memory is idle.
func (h *held) unpin() {
	if h.b == nil {
		return
	}
	h.b.mu.Lock()
	defer h.b.mu.Unlock()
	if h.pins--; h.pins > 0 {
		return
	}
	h.elem = h.b.idle.PushBack(h)
	h.b.idleSum += h.n
	h.b.rest()
	h.b.wake()
}

// drop gives the memory back, idle or pinned once.
func (h *held) drop() {
	if h.b == nil {
		return
	}
	h.b.mu.Lock()
	defer h.b.mu.Unlock()
	switch {
	case h.gone:
	case h.elem != nil:
		h.b.evict(h)
		h.b.wake()
	default:
		h.gone = true
		h.b.rest()
		h.b.release(h.n)
	}
}
