// Package meta reads a file's metadata: bytes by address through a block cache, and a cursor over them.
//
// Metadata is always read by ReadAt, never through a mapping: what was read stays as it was, however the file
// changes, and a truncated file gives an error instead of a fault.
package meta

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

const (
	firstCached = 1 << 20  // bytes: what is cached at first
	maxCached   = 16 << 20 // bytes: what is cached where many blocks are asked for
)

// Reader reads metadata at addresses of one file. It may be used by several goroutines.
type Reader struct {
	src        io.ReaderAt
	far        farSource    // src, if it reads metadata in its own way; else nil
	size       atomic.Int64 // of the file
	live       bool         // the file is being written: see Follow
	patience   atomic.Int64 // repeated readings that are left, of all structures together
	base       int64        // absolute offset of address 0
	OffsetSize int          // bytes of an address: 2, 4, 8, 16 or 32
	LengthSize int          // bytes of a length
	Limits     Limits       // resolved: no zero fields

	// OnExtent, unless nil, is called for each structure that is read, with its absolute offset, the bytes that are
	// in use and its name. It must be set before the reader is shared.
	OnExtent func(off, n int64, what string)

	// OnDefect, unless nil, is called for what is broken in a part of an index or heap; the walk goes on without that part.
	// It is for checking files, and must be set before the reader is shared.
	OnDefect func(err error)

	// AnyChecksum lets structures pass whose checksum is wrong. It is for fuzzing what comes after the checksum.
	AnyChecksum bool

	// MaxDecoded bounds the bytes that filtered metadata decode to, all together: a small block may decode to a large one,
	// and be asked for again and again.
	MaxDecoded int64
	decoded    atomic.Int64

	shift     uint // a block has 1<<shift bytes
	minBlocks int  // cached at first
	maxBlocks int

	mu     sync.Mutex
	blocks map[int64]*block // those that are loaded
	last   *block           // the one that was read last
	hand   []*block         // ring for the clock that evicts
	next   int
	misses int
}

// block is a part of the file. Its memory is used again for another part, so nothing but copies of it leave the reader.
type block struct {
	index   int64 // -1: none
	b       []byte
	used    bool
	loading bool // by some goroutine, which alone may touch b
}

// NewReader returns a reader of a file of size bytes, with base 0 and sizes of 8 until the superblock says otherwise. A src
// that is a source.Hinter chooses the size of the blocks that are read.
func NewReader(src io.ReaderAt, size int64, l Limits) *Reader {
	hints := source.LocalHints()
	if h, ok := src.(source.Hinter); ok {
		hints = h.Hints()
	}
	r := &Reader{
		src: src, OffsetSize: 8, LengthSize: 8, Limits: l.resolved(), MaxDecoded: 2 << 30, blocks: map[int64]*block{},
		shift:     uint(bits.Len64(uint64(hints.MetadataBlock)) - 1),
		minBlocks: int(max(4, firstCached/hints.MetadataBlock)),
		maxBlocks: int(max(8, maxCached/hints.MetadataBlock)),
	}
	r.far, _ = src.(farSource)
	r.size.Store(size)
	return r
}

// farSource is a source.Source.
type farSource interface {
	ReadMetadata(p []byte, off int64) (int, error)
	Expect(ranges []source.Range)
	Holds(r source.Range) bool
	Far() bool
}

// Far reports whether Expect has an effect.
func (r *Reader) Far() bool { return r.far != nil && r.far.Far() }

// Expect says that structures of n bytes at addresses will be read soon: a file that is far away is asked for all of them at
// once. Addresses that are not in the file are ignored.
func (r *Reader) Expect(n int64, addrs ...uint64) {
	if !r.Far() || len(addrs) == 0 {
		return
	}
	ranges := make([]source.Range, 0, len(addrs))
	for _, a := range addrs {
		if a < uint64(r.Size()-r.base) {
			ranges = append(ranges, source.Range{Off: r.base + int64(a), Size: n})
		}
	}
	r.far.Expect(ranges)
}

// Holds reports whether the n bytes at an address are read without a request, as far as is known. It is false for files that are not far
// away.
func (r *Reader) Holds(addr uint64, n int64) bool {
	return r.Far() && addr < uint64(r.Size()-r.base) && r.far.Holds(source.Range{Off: r.base + int64(addr), Size: n})
}

// ExpectChildren is Expect for the addresses in records of step bytes, which are at the start of each. A last one shorter than
// that must have an address, too.
func (r *Reader) ExpectChildren(n int64, records []byte, step int) {
	if !r.Far() || len(records) <= step {
		return // one alone is read at once
	}
	addrs := make([]uint64, 0, len(records)/step+1)
	for ; len(records) >= r.OffsetSize; records = records[min(step, len(records)):] {
		addrs = append(addrs, r.Addr(records))
	}
	r.Expect(n, addrs...)
}

// Decode accounts for n bytes that the structure at an address is about to decode to.
func (r *Reader) Decode(addr, n uint64) error {
	if n > math.MaxInt64/2 || r.decoded.Add(int64(n)) > r.MaxDecoded {
		return r.OverLimit(addr, "filtered metadata that decode to more than %d bytes", r.MaxDecoded)
	}
	return nil
}

// SetBase sets the absolute offset of address 0.
func (r *Reader) SetBase(base int64) { r.base = base }

// Base is the absolute offset of address 0.
func (r *Reader) Base() int64 { return r.base }

// Size is the file's size in bytes.
func (r *Reader) Size() int64 { return r.size.Load() }

// FileOffset turns an address into an absolute offset, and fails when the n bytes there are not inside the file.
func (r *Reader) FileOffset(addr, n uint64) (int64, error) {
	size := r.size.Load()
	room := uint64(size - r.base)
	if r.live && (addr > room || n > room-addr) {
		size = r.grow()
		room = uint64(size - r.base)
	}
	if addr > room || n > room-addr {
		off := h5err.NoOffset
		if addr <= room {
			off = r.base + int64(addr)
		}
		return 0, h5err.At(h5err.Corrupt, off, "%d bytes at address %#x are not inside the file of %d bytes", n, addr, size)
	}
	return r.base + int64(addr), nil
}

// Bytes returns the n bytes at an address: a copy, which is the caller's.
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
	out := make([]byte, n)
	if n > 4<<r.shift { // large structures pass the cache by
		return out, r.readAt(out, off)
	}
	return out, r.copyAt(out, off)
}

// Read fills p with the bytes at an address. It is for small structures: p may be on the caller's stack.
func (r *Reader) Read(p []byte, addr uint64) error {
	off, err := r.FileOffset(addr, uint64(len(p)))
	if err != nil {
		return err
	}
	return r.copyAt(p, off)
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
	read := r.src.ReadAt
	if r.far != nil {
		read = r.far.ReadMetadata
	}
	n, err := read(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return h5err.At(h5err.IO, off, "the file ends early: it was cut while open")
	}
	return &h5err.Error{Kind: h5err.IO, Offset: off, Msg: "read failed", Err: err}
}

// Head is Read, but where the file ends before p does it returns the part that there is. minBytes bytes must be there.
func (r *Reader) Head(p []byte, addr uint64, minBytes int) ([]byte, error) {
	off, err := r.FileOffset(addr, uint64(minBytes))
	if err != nil {
		return nil, err
	}
	p = p[:max(int64(minBytes), min(int64(len(p)), r.Size()-off))]
	return p, r.copyAt(p, off)
}

// copyAt fills p with the bytes at an absolute offset, block by block.
func (r *Reader) copyAt(p []byte, off int64) error {
	if r.live { // blocks of several ages would contradict each other
		b := make([]byte, len(p)) // so that p may be on a stack
		if err := r.readAt(b, off); err != nil {
			return err
		}
		copy(p, b)
		return nil
	}
	for len(p) > 0 {
		i := off >> r.shift
		n, err := r.copyBlock(p, i, int(off-i<<r.shift))
		if err != nil {
			return err
		}
		p, off = p[n:], off+int64(n)
	}
	return nil
}

// copyBlock copies to p what block i holds from a place in it on.
func (r *Reader) copyBlock(p []byte, i int64, at int) (int, error) {
	r.mu.Lock()
	b := r.last
	if b == nil || b.index != i {
		if b = r.blocks[i]; b == nil {
			var err error
			if b, err = r.load(i); err != nil {
				r.mu.Unlock()
				return 0, err
			}
		}
		r.last = b
	}
	b.used = true
	n := 0
	if at < len(b.b) {
		n = copy(p, b.b[at:])
	}
	r.mu.Unlock()
	if n == 0 {
		return 0, h5err.At(h5err.IO, i<<r.shift+int64(at), "the file ends early: it was cut while open")
	}
	return n, nil
}

// load reads block i. r.mu is held, but not while the file is read.
func (r *Reader) load(i int64) (*block, error) {
	b := r.vacant()
	b.loading = true
	r.mu.Unlock()
	n := max(0, min(r.Size()-i<<r.shift, 1<<r.shift))
	if b.b == nil || int64(cap(b.b)) < n {
		b.b = make([]byte, n)
	}
	b.b = b.b[:n]
	err := r.readAt(b.b, i<<r.shift)
	r.mu.Lock()
	b.loading = false
	if err != nil {
		return nil, err
	}
	if faster := r.blocks[i]; faster != nil { // another goroutine
		return faster, nil
	}
	b.index = i
	r.blocks[i] = b
	return b, nil
}

// vacant returns a block that holds nothing: a new one, or one that was not used lately. Scans of large files need no
// more than a few; files whose blocks are asked for again and again get more of them.
func (r *Reader) vacant() *block {
	r.misses++
	if len(r.hand) >= min(r.minBlocks+r.misses/32, r.maxBlocks) {
		for range 2*len(r.hand) + 1 {
			b := r.hand[r.next]
			r.next = (r.next + 1) % len(r.hand)
			switch {
			case b.loading:
			case b.used:
				b.used = false
			default:
				if b.index >= 0 {
					delete(r.blocks, b.index)
					b.index = -1
				}
				return b
			}
		}
	}
	b := &block{index: -1} // also where each block is being loaded by some goroutine
	r.hand = append(r.hand, b)
	return b
}

// Cursor returns a cursor over the n bytes at an address. A range outside the file gives a cursor that has failed.
func (r *Reader) Cursor(addr uint64, n int) *Cursor {
	c := new(Cursor) // inlined: the caller's stack holds it
	r.open(c, addr, n)
	return c
}

func (r *Reader) open(c *Cursor, addr uint64, n int) {
	c.b, c.err = r.Bytes(addr, n)
	c.at, c.osize, c.lsize = r.base+int64(addr), r.OffsetSize, r.LengthSize
}

// CursorOver returns a cursor with the file's sizes over bytes that start at address addr.
func (r *Reader) CursorOver(b []byte, addr uint64) *Cursor {
	return NewCursor(b, r.base+int64(addr), r.OffsetSize, r.LengthSize)
}

// Checked returns a cursor over the n bytes at an address after verifying the checksum in the last four
// of them; the cursor covers what is before the checksum.
func (r *Reader) Checked(addr uint64, n int, what string) *Cursor {
	c := new(Cursor)
	r.openChecked(c, addr, n, what)
	return c
}

func (r *Reader) openChecked(c *Cursor, addr uint64, n int, what string) {
	r.open(c, addr, n)
	if c.err != nil {
		return
	}
	if n < 4 {
		c.Corrupt("%s of %d bytes has no room for a checksum", what, n)
		return
	}
	want, got := checksums(c.b)
	for try := 0; want != got && r.Again(try); try++ {
		if r.open(c, addr, n); c.err != nil {
			return
		}
		want, got = checksums(c.b)
	}
	c.b = c.b[: n-4 : n-4]
	if want != got && !r.AnyChecksum {
		c.Corrupt("checksum of the %s is %#08x, stored is %#08x", what, got, want)
	}
}

// checksums returns the checksum that is stored at the end of a structure, and that of the bytes before it.
func checksums(b []byte) (stored, computed uint32) {
	n := len(b) - 4
	return binary.LittleEndian.Uint32(b[n:]), Checksum(b[:n])
}
