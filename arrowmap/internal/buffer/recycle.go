package buffer

import (
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Recycler lends large buffers for decoded rows and keeps some that come back: fresh memory costs as much as filling it.
// It may be used by several goroutines.
type Recycler struct {
	mem memory.Allocator
	max int64 // bytes that are kept

	mu     sync.Mutex
	free   [][]byte
	kept   int64
	closed bool
}

// NewRecycler returns a Recycler of memory of mem that keeps at most max bytes.
func NewRecycler(mem memory.Allocator, max int64) *Recycler { return &Recycler{mem: mem, max: max} }

// minRecycled is the size in bytes from which buffers are kept.
const minRecycled = 64 << 10

// Buffer lends a buffer of n bytes with any content. Its last release returns it.
func (r *Recycler) Buffer(n int) *memory.Buffer {
	if n < minRecycled {
		b := memory.NewResizableBuffer(r.mem)
		b.Resize(n)
		return b
	}
	b, _ := r.get(n)
	return memory.NewBufferWithAllocator(b[:n], &loan{r, b})
}

// get returns at least n bytes, and whether they were used before.
func (r *Recycler) get(n int) (b []byte, used bool) {
	r.mu.Lock()
	best := -1
	for i, b := range r.free {
		if len(b) >= n && len(b) <= n+n/4 && (best < 0 || len(b) < len(r.free[best])) {
			best = i
		}
	}
	if best >= 0 {
		b = r.free[best]
		r.free[best] = r.free[len(r.free)-1]
		r.free = r.free[:len(r.free)-1]
		r.kept -= int64(len(b))
	}
	r.mu.Unlock()
	if b == nil {
		return r.mem.Allocate(n), false
	}
	return b, true
}

// Allocate implements memory.Allocator. The bytes are zero if those of the Recycler's own allocator are. Their capacity is
// what was allocated.
func (r *Recycler) Allocate(n int) []byte {
	if n < minRecycled {
		return r.mem.Allocate(n)[:n:n]
	}
	b, used := r.get(n)
	if used {
		clear(b[:n])
	}
	return b[:n:len(b)]
}

// Reallocate implements memory.Allocator.
func (r *Recycler) Reallocate(n int, b []byte) []byte {
	if n <= cap(b) {
		return b[:n]
	}
	more := r.Allocate(n)
	copy(more, b)
	r.Free(b)
	return more
}

// Free implements memory.Allocator.
func (r *Recycler) Free(b []byte) {
	if b = b[:cap(b)]; len(b) < minRecycled {
		r.mem.Free(b)
		return
	}
	r.put(b)
}

// Size is the number of bytes that a buffer of n bytes takes.
func Size(n int) int {
	if n < minRecycled {
		return (n + 63) &^ 63
	}
	return n
}

// loan is the allocator of a lent buffer.
type loan struct {
	r *Recycler
	b []byte
}

func (l *loan) Allocate(int) []byte           { panic("arrowmap: a lent buffer can't grow") }
func (l *loan) Reallocate(int, []byte) []byte { panic("arrowmap: a lent buffer can't grow") }
func (l *loan) Free([]byte)                   { l.r.put(l.b) }

func (r *Recycler) put(b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.closed && len(r.free) > 0 && r.kept+int64(len(b)) > r.max { // the oldest fits the worst
		r.kept -= int64(len(r.free[0]))
		r.mem.Free(r.free[0])
		r.free = append(r.free[:0], r.free[1:]...)
	}
	if r.closed || r.kept+int64(len(b)) > r.max {
		r.mem.Free(b)
		return
	}
	r.free = append(r.free, b)
	r.kept += int64(len(b))
}

// Close frees what is kept. Buffers that are still lent are freed when they come back.
func (r *Recycler) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, b := range r.free {
		r.mem.Free(b)
	}
	r.free, r.kept = nil, 0
}
