// Package meta reads a file's metadata: bytes by address through a block cache, and a cursor over them.
//
// Metadata is always read by ReadAt, never through a mapping: what was read stays as it was, however the file
// changes, and a truncated file gives an error instead of a fault.
package meta

import (
	"errors"
	"io"
	"sync"
	"sync/atomic"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

const (
	blockSize = 64 << 10
	maxBlocks = 256 // 16 MiB
)

// Reader reads metadata at addresses of one file. It may be used by several goroutines.
type Reader struct {
	src        io.ReaderAt
	size       int64  // of the file
	base       int64  // absolute offset of address 0
	OffsetSize int    // bytes of an address: 2, 4, 8, 16 or 32
	LengthSize int    // bytes of a length
	Limits     Limits // resolved: no zero fields

	// OnExtent, unless nil, is called for each structure that is read, with its absolute offset, the bytes that are
	// in use and its name. It must be set before the reader is shared.
	OnExtent func(off, n int64, what string)

	// OnDefect, unless nil, is called for what is broken in a part of an index or heap; the walk goes on without that part.
	// It is for checking files, and must be set before the reader is shared.
	OnDefect func(err error)

	// AnyChecksum lets structures pass whose checksum is wrong. It is for fuzzing what comes after the checksum.
	AnyChecksum bool

	last atomic.Pointer[block] // the block that was read last

	mu     sync.Mutex
	blocks map[int64]*block
	hand   []*block // ring for the clock that evicts
	next   int
}

type block struct {
	index int64
	b     []byte
	used  bool
}

// NewReader returns a reader of a file of size bytes, with base 0 and sizes of 8 until the superblock says otherwise.
func NewReader(src io.ReaderAt, size int64, l Limits) *Reader {
	return &Reader{src: src, size: size, OffsetSize: 8, LengthSize: 8, Limits: l.resolved(), blocks: map[int64]*block{}}
}

// SetBase sets the absolute offset of address 0.
func (r *Reader) SetBase(base int64) { r.base = base }

// Base is the absolute offset of address 0.
func (r *Reader) Base() int64 { return r.base }

// Size is the file's size in bytes.
func (r *Reader) Size() int64 { return r.size }

// FileOffset turns an address into an absolute offset, and fails when the n bytes there are not inside the file.
func (r *Reader) FileOffset(addr, n uint64) (int64, error) {
	room := uint64(r.size - r.base)
	if addr > room || n > room-addr {
		off := h5err.NoOffset
		if addr <= room {
			off = r.base + int64(addr)
		}
		return 0, h5err.At(h5err.Corrupt, off, "%d bytes at address %#x are not inside the file of %d bytes", n, addr, r.size)
	}
	return r.base + int64(addr), nil
}

// Bytes returns the n bytes at an address. They are a stable copy, shared and not to be written to.
func (r *Reader) Bytes(addr uint64, n int) ([]byte, error) {
	if n < 0 {
		return nil, h5err.New(h5err.Corrupt, "negative length %d at address %#x", n, addr)
	}
	off, err := r.FileOffset(addr, uint64(n))
	if err != nil {
		return nil, err
	}
	return r.BytesAt(off, n)
}

// BytesAt is Bytes by absolute offset; the range must be inside the file.
func (r *Reader) BytesAt(off int64, n int) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	first, last := off/blockSize, (off+int64(n)-1)/blockSize
	if first == last {
		b, err := r.block(first)
		if err != nil {
			return nil, err
		}
		i := int(off - first*blockSize)
		if i+n > len(b) {
			return nil, h5err.At(h5err.IO, off, "the file ends early: it was cut while open")
		}
		return b[i : i+n : i+n], nil
	}
	out := make([]byte, n)
	if n > 4*blockSize { // large structures pass the cache by
		return out, r.readAt(out, off)
	}
	for done := 0; done < n; {
		i := (off + int64(done)) / blockSize
		b, err := r.block(i)
		if err != nil {
			return nil, err
		}
		at := int(off + int64(done) - i*blockSize)
		if at >= len(b) {
			return nil, h5err.At(h5err.IO, off, "the file ends early: it was cut while open")
		}
		done += copy(out[done:], b[at:])
	}
	return out, nil
}

// ReadRaw fills p with the bytes at an address, passing the cache by.
func (r *Reader) ReadRaw(p []byte, addr uint64) error {
	off, err := r.FileOffset(addr, uint64(len(p)))
	if err != nil {
		return err
	}
	return r.readAt(p, off)
}

func (r *Reader) readAt(p []byte, off int64) error {
	n, err := r.src.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return h5err.At(h5err.IO, off, "the file ends early: it was cut while open")
	}
	return &h5err.Error{Kind: h5err.IO, Offset: off, Msg: "read failed", Err: err}
}

func (r *Reader) block(i int64) ([]byte, error) {
	if b := r.last.Load(); b != nil && b.index == i {
		return b.b, nil
	}
	r.mu.Lock()
	if b := r.blocks[i]; b != nil {
		b.used = true
		r.mu.Unlock()
		r.last.Store(b)
		return b.b, nil
	}
	r.mu.Unlock()
	n := min(r.size-i*blockSize, blockSize)
	buf := make([]byte, n)
	if err := r.readAt(buf, i*blockSize); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if b := r.blocks[i]; b != nil { // another goroutine was faster
		return b.b, nil
	}
	nb := &block{index: i, b: buf, used: true}
	r.blocks[i] = nb
	r.last.Store(nb)
	if len(r.hand) < maxBlocks {
		r.hand = append(r.hand, nb)
		return buf, nil
	}
	for r.hand[r.next].used {
		r.hand[r.next].used = false
		r.next = (r.next + 1) % len(r.hand)
	}
	delete(r.blocks, r.hand[r.next].index)
	r.hand[r.next] = nb
	r.next = (r.next + 1) % len(r.hand)
	return buf, nil
}

// Cursor returns a cursor over the n bytes at an address. A range outside the file gives a cursor that has failed.
func (r *Reader) Cursor(addr uint64, n int) *Cursor {
	b, err := r.Bytes(addr, n)
	c := NewCursor(b, r.base+int64(addr), r.OffsetSize, r.LengthSize)
	c.err = err
	return c
}

// CursorOver returns a cursor with the file's sizes over bytes that stand at address addr.
func (r *Reader) CursorOver(b []byte, addr uint64) *Cursor {
	return NewCursor(b, r.base+int64(addr), r.OffsetSize, r.LengthSize)
}

// Checked returns a cursor over the n bytes at an address after verifying the checksum that stands in the last four
// of them; the cursor covers what is before the checksum.
func (r *Reader) Checked(addr uint64, n int, what string) *Cursor {
	c := r.Cursor(addr, n)
	if c.err != nil {
		return c
	}
	if n < 4 {
		c.Corrupt("%s of %d bytes has no room for a checksum", what, n)
		return c
	}
	body := c.b[:n-4]
	sum := NewCursor(c.b[n-4:], 0, 8, 8).U32()
	c.b = body
	if got := Checksum(body); got != sum && !r.AnyChecksum {
		c.Corrupt("checksum of the %s is %#08x, stored is %#08x", what, got, sum)
	}
	return c
}
