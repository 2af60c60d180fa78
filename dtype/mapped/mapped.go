// Package mapped makes Arrow buffers over the mapping of a file.
package mapped

import (
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/source"
)

// Buffer wraps bytes of a source's mapping. It is the one place where that happens: the buffer holds a reference on the
// mapping, so its bytes are valid until its last release, which gives the reference back.
func Buffer(src *source.Source, b []byte) *memory.Buffer {
	src.Retain()
	return memory.NewBufferWithAllocator(b, (*mapping)(src))
}

// Lease is Buffer, and a function that gives the reference back at once, whatever holds the buffer: for code that may lose it in a
// panic. Nothing may read the bytes after that.
func Lease(src *source.Source, b []byte) (buf *memory.Buffer, end func()) {
	src.Retain()
	l := &lease{release: src.Release}
	return memory.NewBufferWithAllocator(b, l), func() { l.Free(nil) }
}

// lease is the allocator of a buffer that is released once.
type lease struct {
	once    sync.Once
	release func()
}

func (l *lease) Allocate(int) []byte           { panic("mapped: a mapped buffer can't grow") }
func (l *lease) Reallocate(int, []byte) []byte { panic("mapped: a mapped buffer can't grow") }
func (l *lease) Free([]byte)                   { l.once.Do(l.release) }

// mapping is the allocator of a mapped buffer: it allocates nothing, and freeing gives back the reference.
type mapping source.Source

func (m *mapping) Allocate(int) []byte           { panic("mapped: a mapped buffer can't grow") }
func (m *mapping) Reallocate(int, []byte) []byte { panic("mapped: a mapped buffer can't grow") }
func (m *mapping) Free([]byte)                   { (*source.Source)(m).Release() }
