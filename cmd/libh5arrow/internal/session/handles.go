package session

import (
	"sync"
	"sync/atomic"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// resource is what a handle stands for. It is freed when its handle is closed and no call uses it.
type resource interface {
	retain()
	release()
}

// counted counts the users of a resource. The first is who made it.
type counted struct {
	users atomic.Int64
	free  func()
}

func (c *counted) start(free func()) {
	c.users.Store(1)
	c.free = free
}

func (c *counted) retain() { c.users.Add(1) }

func (c *counted) release() {
	if c.users.Add(-1) == 0 {
		c.free()
	}
}

// Handles numbers the open resources. Numbers are not used again.
type Handles struct {
	mu   sync.Mutex
	last uint64
	open map[uint64]resource
}

// Add returns a handle for a resource, whose first user it becomes.
func (h *Handles) Add(r resource) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open == nil {
		h.open = map[uint64]resource{}
	}
	h.last++
	h.open[h.last] = r
	return h.last
}

// Close gives up a handle.
func (h *Handles) Close(id uint64) error {
	h.mu.Lock()
	r, ok := h.open[id]
	delete(h.open, id)
	h.mu.Unlock()
	if !ok {
		return notOpen(id)
	}
	r.release()
	return nil
}

// Len is the number of open handles.
func (h *Handles) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.open)
}

// Use returns the resource of a handle, which stays valid until done is called. Handles that are closed or stand for something
// else are Argument errors.
func Use[T resource](h *Handles, id uint64) (r T, done func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	found, ok := h.open[id]
	if !ok {
		return r, nil, notOpen(id)
	}
	if r, ok = found.(T); !ok {
		return r, nil, h5err.New(h5err.Argument, "handle %d is of another kind", id)
	}
	r.retain()
	return r, r.release, nil
}

func notOpen(id uint64) error { return h5err.New(h5err.Argument, "handle %d is not open", id) }
