package flight

import "sync"

// pool keeps buffers for copies of batches: allocating them takes longer than filling them.
type pool struct {
	mu      sync.Mutex
	free    [][]byte // last returned at the end, which is most likely to be in a cache
	kept    int      // bytes
	maxKept int
	lent    int
}

// made is the allocator of a sender's writer. Slices of what it returns are lent to grpc: it belongs to the message that is
// written next, not to who frees it. Small buffers are parts of larger ones of the pool.
type made struct {
	pool *pool
	list [][]byte // of the pool
	rest []byte   // of the last of them, for what is allocated next
}

// Allocate implements memory.Allocator. Memory of it is zero, as callers assume.
func (a *made) Allocate(n int) []byte {
	if n < small {
		return make([]byte, n)
	}
	if n > len(a.rest) {
		a.rest = a.pool.get(n)
		a.rest = a.rest[:cap(a.rest)]
		a.list = append(a.list, a.rest)
	}
	b := a.rest[:n:n] // which SameArray tells from the others
	a.rest = a.rest[n:]
	a.rest = a.rest[min(-n&63, len(a.rest)):] // the next starts at a multiple of 64, as this one
	clear(b)
	return b
}

// Reallocate implements memory.Allocator.
func (a *made) Reallocate(n int, b []byte) []byte {
	if n <= len(b) {
		return b[:n]
	}
	longer := a.Allocate(n)
	copy(longer, b)
	return longer
}

// Free implements memory.Allocator.
func (a *made) Free([]byte) {}

// take returns what was allocated since it was called last.
func (a *made) take() [][]byte {
	list := a.list
	a.list, a.rest = nil, nil
	return list
}

// roundTo is the unit to which sizes of buffers are rounded up, so that they can be reused.
const roundTo = 256 << 10

func (p *pool) get(n int) []byte {
	p.mu.Lock()
	p.lent++
	for i := len(p.free) - 1; i >= 0; i-- {
		if b := p.free[i]; cap(b) >= n && cap(b) <= 2*n+roundTo {
			p.free = append(p.free[:i], p.free[i+1:]...)
			p.kept -= cap(b)
			p.mu.Unlock()
			return b[:n]
		}
	}
	p.mu.Unlock()
	return make([]byte, n, (n+roundTo-1)/roundTo*roundTo)
}

// lose leaves a buffer to the garbage collector.
func (p *pool) lose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lent--
}

func (p *pool) put(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lent--
	p.free = append(p.free, b)
	p.kept += cap(b)
	limit := p.maxKept
	if p.lent == 0 { // no stream is being served
		limit = min(limit, 16<<20)
	}
	drop := 0
	for p.kept > limit && drop < len(p.free) {
		p.kept -= cap(p.free[drop])
		drop++
	}
	p.free = append(p.free[:0], p.free[drop:]...)
	clear(p.free[len(p.free):cap(p.free)])
}
