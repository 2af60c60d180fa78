// Package buffer makes the Arrow buffers that arrowmap needs beside the usual ones: over mapped bytes of a file, and over
// memory that is used again.
package buffer

import (
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/source"
)

// Mapped wraps bytes of a source's mapping. It is the one place where that happens: the buffer holds a reference on the
// mapping, so its bytes are valid until its last release, which gives the reference back.
func Mapped(src *source.Source, b []byte) *memory.Buffer {
	src.Retain()
	return memory.NewBufferWithAllocator(b, (*mapping)(src))
}

// mapping is the allocator of a mapped buffer: it allocates nothing, and freeing gives back the reference.
type mapping source.Source

func (m *mapping) Allocate(int) []byte           { panic("arrowmap: a mapped buffer can't grow") }
func (m *mapping) Reallocate(int, []byte) []byte { panic("arrowmap: a mapped buffer can't grow") }
func (m *mapping) Free([]byte)                   { (*source.Source)(m).Release() }
