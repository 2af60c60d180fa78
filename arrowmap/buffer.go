package arrowmap

import (
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/source"
)

// mapped wraps bytes of a source's mapping as a buffer. It is the one place where that happens: the buffer holds a
// reference on the mapping, and the last release of the buffer gives it back.
func mapped(src *source.Source, b []byte) *memory.Buffer {
	src.Retain()
	return memory.NewBufferWithAllocator(b, (*mappingRef)(src))
}

// mappingRef is the allocator of a mapped buffer: it allocates nothing, and freeing gives back the reference.
type mappingRef source.Source

func (r *mappingRef) Allocate(int) []byte           { panic("arrowmap: a mapped buffer can't grow") }
func (r *mappingRef) Reallocate(int, []byte) []byte { panic("arrowmap: a mapped buffer can't grow") }
func (r *mappingRef) Free([]byte)                   { (*source.Source)(r).Release() }

// recycler lends out large buffers for decoded rows and keeps a few that come back: fresh memory costs as much as
// filling it. What it lends out has any content.
type recycler struct {
	mem  memory.Allocator
	most int64 // bytes that are kept

	mu   sync.Mutex
	free [][]byte
	kept int64
	shut bool
}

// recycled is the size from which buffers are kept.
const recycled = 64 << 10

// buffer lends a buffer of n bytes.
func (r *recycler) buffer(n int) *memory.Buffer {
	if n < recycled {
		b := memory.NewResizableBuffer(r.mem)
		b.Resize(n)
		return b
	}
	r.mu.Lock()
	best := -1
	for i, b := range r.free {
		if len(b) >= n && len(b) <= n+n/4 && (best < 0 || len(b) < len(r.free[best])) {
			best = i
		}
	}
	var b []byte
	if best >= 0 {
		b = r.free[best]
		r.free[best] = r.free[len(r.free)-1]
		r.free = r.free[:len(r.free)-1]
		r.kept -= int64(len(b))
	}
	r.mu.Unlock()
	if b == nil {
		b = r.mem.Allocate(n)
	}
	return memory.NewBufferWithAllocator(b[:n], (*returning)(&lent{r, b}))
}

// lends is the bytes that buffer allocates for n bytes when it has none to lend out again.
func lends(n int) int {
	if n < recycled {
		return (n + 63) &^ 63
	}
	return n
}

type lent struct {
	r *recycler
	b []byte
}

// returning is the allocator of a lent buffer.
type returning lent

func (l *returning) Allocate(int) []byte           { panic("arrowmap: a lent buffer can't grow") }
func (l *returning) Reallocate(int, []byte) []byte { panic("arrowmap: a lent buffer can't grow") }
func (l *returning) Free([]byte)                   { l.r.put(l.b) }

func (r *recycler) put(b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.shut && len(r.free) > 0 && r.kept+int64(len(b)) > r.most { // the oldest fits the least
		r.kept -= int64(len(r.free[0]))
		r.mem.Free(r.free[0])
		r.free = append(r.free[:0], r.free[1:]...)
	}
	if r.shut || r.kept+int64(len(b)) > r.most {
		r.mem.Free(b)
		return
	}
	r.free = append(r.free, b)
	r.kept += int64(len(b))
}

// close frees what is kept; what is lent out is freed when it comes back.
func (r *recycler) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shut = true
	for _, b := range r.free {
		r.mem.Free(b)
	}
	r.free, r.kept = nil, 0
}
