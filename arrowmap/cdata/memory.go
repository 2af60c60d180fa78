//go:build cgo

package cdata

import (
	"reflect"
	"slices"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/arrow/memory/mallocator"
)

// Allocator allocates C memory, aligned to 64 bytes, which C may keep until it is freed; it may not keep Go memory. Arrays in
// memory of the Allocator are exported without a copy.
type Allocator struct {
	c  *mallocator.Mallocator
	mu sync.RWMutex
	at []block // by address
}

type block struct{ start, end uintptr }

// NewAllocator returns an Allocator.
func NewAllocator() *Allocator { return &Allocator{c: mallocator.NewMallocator()} }

func address(b []byte) uintptr { return reflect.ValueOf(b).Pointer() }

func byAddress(b block, p uintptr) int {
	switch {
	case p < b.start:
		return 1
	case p >= b.end:
		return -1
	}
	return 0
}

// Allocate implements memory.Allocator.
func (a *Allocator) Allocate(n int) []byte {
	b := a.c.Allocate(n)
	if n > 0 {
		p := address(b)
		a.mu.Lock()
		defer a.mu.Unlock()
		i, _ := slices.BinarySearchFunc(a.at, p, byAddress)
		a.at = slices.Insert(a.at, i, block{p, p + uintptr(n)})
	}
	return b
}

// Reallocate implements memory.Allocator.
func (a *Allocator) Reallocate(n int, b []byte) []byte {
	if cap(b) >= n {
		return b[:n]
	}
	out := a.Allocate(n)
	copy(out, b)
	a.Free(b)
	return out
}

// Free implements memory.Allocator.
func (a *Allocator) Free(b []byte) {
	if cap(b) == 0 {
		return
	}
	b = b[:cap(b)]
	a.mu.Lock()
	if i, ok := slices.BinarySearchFunc(a.at, address(b), byAddress); ok {
		a.at = slices.Delete(a.at, i, i+1)
	}
	a.mu.Unlock()
	a.c.Free(b)
}

// Allocated is the number of bytes that are allocated and not freed.
func (a *Allocator) Allocated() int64 {
	a.mu.RLock()
	defer a.mu.RUnlock()
	n := int64(0)
	for _, b := range a.at {
		n += int64(b.end - b.start)
	}
	return n
}

// owns reports whether bytes lie in memory of the allocator.
func (a *Allocator) owns(b []byte) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	_, ok := slices.BinarySearchFunc(a.at, address(b), byAddress)
	return ok
}

var _ memory.Allocator = (*Allocator)(nil)
