// Package heap reads HDF5's heaps: local heaps (names of old groups), global heaps (variable-length data), fractal heaps (links
// and attributes of new groups, shared messages), and free-space managers.
package heap

import (
	"bytes"
	"sync"

	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

const (
	smallSegment = 64 << 10 // a local heap's data up to this size is read at once
	largeSegment = 64 << 20 // and never cached above this one
)

// Local is a local heap: the names of an old group's links (specification, III.D, "Disk Format: Level 1D - Local
// Heaps"). Several goroutines may use it.
type Local struct {
	r    *meta.Reader
	addr uint64 // of the data segment
	size uint64 // of the data segment, inside the file
	free uint64 // offset of the first free block in it

	data []byte       // the whole segment, if it is small
	late *lateSegment // if not
}

// lateSegment is the data of a heap that is not small.
type lateSegment struct {
	mu    sync.Mutex
	calls uint64
	data  []byte // the whole segment, after enough calls
}

// ExpectLocal says that the local heap at addr of a file that is far away will be opened, and reads its header for that. It reports
// whether opening it has to wait for a request.
func ExpectLocal(r *meta.Reader, addr uint64) bool {
	h := Local{}
	if err := h.readHeader(r, addr); err != nil || h.size == 0 || h.size > smallSegment || r.Holds(h.addr, int64(h.size)) {
		return false // an error is met again
	}
	r.Expect(int64(h.size), h.addr)
	return true
}

// OpenLocal reads the header of the local heap at addr.
func OpenLocal(r *meta.Reader, addr uint64) (*Local, error) {
	h := new(Local) // inlined: the caller's stack may hold it
	err := h.open(r, addr)
	return h, err
}

func (h *Local) open(r *meta.Reader, addr uint64) error {
	if err := h.readHeader(r, addr); err != nil {
		return err
	}
	r.Extent(addr, uint64(localHeader(r)), "local heap header")
	r.Extent(h.addr, h.size, "local heap data")
	if h.size > smallSegment {
		h.late = &lateSegment{}
		return nil
	}
	var err error
	h.data, err = r.Bytes(h.addr, int(h.size))
	return err
}

// localHeader returns the number of bytes of a local heap's header.
func localHeader(r *meta.Reader) int { return 8 + 2*r.LengthSize + r.OffsetSize }

func (h *Local) readHeader(r *meta.Reader, addr uint64) error {
	n := localHeader(r)
	var buf [8 + 3*32]byte // lengths and addresses have at most 32 bytes
	if err := r.Read(buf[:n], addr); err != nil {
		return err
	}
	if string(buf[:4]) != "HEAP" {
		return r.Corrupt(addr, "signature %q expected, found %q", "HEAP", string(buf[:4]))
	}
	if version := buf[4]; version != 0 {
		return r.Unsupported(addr, "local heap of version %d", version)
	}
	h.r = r
	h.size, h.free, h.addr = r.Len(buf[8:]), r.Len(buf[8+r.LengthSize:]), r.Addr(buf[8+2*r.LengthSize:])
	_, err := r.FileOffset(h.addr, h.size)
	return err
}

// Size returns the number of bytes of the heap's data.
func (h *Local) Size() int64 { return int64(h.size) }

// String returns the NUL-terminated string at offset off of the heap's data, without its NUL. The bytes are shared
// and read-only.
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

// segment returns the heap's data, or nil if it is large and there were few calls. It is read as a whole once the calls could
// have read as much through the block cache. So both many names of one large heap and many large heaps of one name each are
// read efficiently.
func (h *Local) segment() ([]byte, error) {
	if h.late == nil || h.size > largeSegment {
		return h.data, nil
	}
	l := h.late
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.data != nil {
		return l.data, nil
	}
	if l.calls++; l.calls < h.size/smallSegment {
		return nil, nil
	}
	var err error
	l.data, err = h.r.Bytes(h.addr, int(h.size))
	return l.data, err
}
