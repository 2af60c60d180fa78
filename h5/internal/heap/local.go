// Package heap reads HDF5's heaps: local heaps (names of old groups), global heaps (variable-length data) and
// fractal heaps (links and attributes of new groups, shared messages).
package heap

import (
	"bytes"
	"sync"

	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

const (
	smallSegment = 64 << 10 // a local heap's data up to this size is read at once
	largeSegment = 64 << 20 // and is never kept above this one
)

// Local is a local heap: the names of an old group's links (specification, III.D, "Disk Format: Level 1D - Local
// Heaps"). It may be used by several goroutines.
type Local struct {
	r    *meta.Reader
	addr uint64 // of the data segment
	size uint64 // of the data segment, inside the file
	free uint64 // where the first free space in it is

	mu    sync.Mutex
	calls uint64
	data  []byte // the whole segment, or nil
}

// OpenLocal reads the header of the local heap at addr.
func OpenLocal(r *meta.Reader, addr uint64) (*Local, error) {
	n := 8 + 2*r.LengthSize + r.OffsetSize
	c := r.Cursor(addr, n)
	c.Signature("HEAP")
	version := c.U8()
	if c.Err() == nil && version != 0 {
		return nil, r.Unsupported(addr, "local heap of version %d", version)
	}
	c.Skip(3)
	h := &Local{r: r, size: c.Length()}
	h.free = c.Length()
	h.addr = c.Address()
	if err := c.Err(); err != nil {
		return nil, err
	}
	if _, err := r.FileOffset(h.addr, h.size); err != nil {
		return nil, err
	}
	r.Extent(addr, uint64(n), "local heap header")
	r.Extent(h.addr, h.size, "local heap data")
	if h.size <= smallSegment {
		var err error
		if h.data, err = r.Bytes(h.addr, int(h.size)); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// Size is the number of bytes of the heap's data.
func (h *Local) Size() int64 { return int64(h.size) }

// String returns the NUL-terminated string at offset off of the heap's data, without its NUL. The bytes are shared
// and not to be written to.
func (h *Local) String(off uint64) ([]byte, error) {
	if off >= h.size {
		return nil, h.r.Corrupt(h.addr, "offset %d is not inside the local heap of %d bytes", off, h.size)
	}
	data, err := h.segment()
	if err != nil {
		return nil, err
	}
	if data != nil {
		if i := bytes.IndexByte(data[off:], 0); i >= 0 {
			return data[off : off+uint64(i) : off+uint64(i)], nil
		}
		return nil, h.r.Corrupt(h.addr+off, "a name in the local heap has no end")
	}
	for n, left := uint64(64), h.size-off; ; n *= 8 {
		n = min(n, left)
		p, err := h.r.Bytes(h.addr+off, int(n))
		if err != nil {
			return nil, err
		}
		if i := bytes.IndexByte(p, 0); i >= 0 {
			return p[:i:i], nil
		}
		if n == left {
			return nil, h.r.Corrupt(h.addr+off, "a name in the local heap has no end")
		}
	}
}

// segment returns the heap's data, or nil if it is large and has not been asked often. It is read as a whole once
// the calls could have read as much through the block cache: so neither many names of a large heap nor many large
// heaps of one name each cost more than they must.
func (h *Local) segment() ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.data != nil || h.size > largeSegment {
		return h.data, nil
	}
	if h.calls++; h.calls < h.size/smallSegment {
		return nil, nil
	}
	var err error
	h.data, err = h.r.Bytes(h.addr, int(h.size))
	return h.data, err
}
