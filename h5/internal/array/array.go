// Package array walks the two array indexes of chunked datasets: fixed arrays, for datasets that can't grow, and
// extensible arrays, for datasets that can grow in one dimension.
//
// Every checksum is verified, and every block must name the array and its own place in it, so that a walk does not read a block
// twice. What was never allocated costs nothing.
package array

import (
	"encoding/binary"
	"errors"

	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// Func receives the number of a chunk in the array, its address, which is not checked, its stored size in bytes and its
// filter mask. The size is 0 in arrays of datasets without filters, whose chunks all have their full size.
type Func func(i, addr, size uint64, mask uint32) error

// The clients of arrays.
const (
	clientChunks   = 0 // elements are addresses
	clientFiltered = 1 // addresses, stored sizes and filter masks
)

// errDone ends a walk at the last chunk that can exist.
var errDone = errors.New("done")

// walk is what fixed and extensible arrays have in common.
type walk struct {
	r      *meta.Reader
	head   uint64 // address of the array's header, which all blocks repeat
	client uint8
	size   int // bytes of an element
	max    uint64
	left   int       // chunks that the limit still allows
	room   meta.Room // of the blocks
	fn     Func
}

// check verifies the client and the size of the elements.
func (w *walk) check() error {
	w.left, w.room = w.r.Limits.Chunks, w.r.Room()
	switch w.client {
	case clientChunks:
		if w.size != w.r.OffsetSize {
			return w.r.Corrupt(w.head, "array of addresses of %d bytes, %d expected", w.size, w.r.OffsetSize)
		}
	case clientFiltered:
		if n := w.size - w.r.OffsetSize - 4; n < 1 || n > 8 {
			return w.r.Corrupt(w.head, "array of filtered chunks with elements of %d bytes", w.size)
		}
	default:
		return w.r.Unsupported(w.head, "array of client %d", w.client)
	}
	return nil
}

// verified is Reader.Verified for a block.
func (w *walk) verified(addr uint64, n int, sig, what string) ([]byte, error) {
	if !w.room.Take(uint64(n)) {
		return nil, w.r.Corrupt(addr, "the blocks of an array overlap: they are larger than the file")
	}
	return w.r.Verified(addr, n, sig, what)
}

// elements decodes the elements in p, the first of which is the array's i-th, and skips undefined addresses.
func (w *walk) elements(p []byte, i uint64) error {
	filtered := w.client == clientFiltered
	for ; len(p) >= w.size; p, i = p[w.size:], i+1 {
		if i >= w.max {
			return errDone
		}
		addr := w.r.Addr(p)
		if addr == meta.Undefined {
			continue
		}
		if w.left--; w.left < 0 {
			return w.r.TooManyChunks(w.head)
		}
		var size uint64
		var mask uint32
		if filtered {
			size = meta.LE(p[w.r.OffsetSize : w.size-4])
			mask = binary.LittleEndian.Uint32(p[w.size-4:])
		}
		if err := w.fn(i, addr, size, mask); err != nil && !w.r.PassOver(err) {
			return err
		}
	}
	return nil
}

// owned checks the fields at the start of every block of an array, and returns the rest of the block. p is the whole verified
// block.
func (w *walk) owned(p []byte, addr uint64, what string) ([]byte, error) {
	switch {
	case p[4] != 0:
		return nil, w.r.Unsupported(addr, "%s of version %d", what, p[4])
	case p[5] != w.client:
		return nil, w.r.Corrupt(addr, "%s of client %d in an array of client %d", what, p[5], w.client)
	case w.r.Addr(p[6:]) != w.head:
		return nil, w.r.Corrupt(addr, "%s of the array at address %#x, not %#x", what, w.r.Addr(p[6:]), w.head)
	}
	return p[6+w.r.OffsetSize:], nil
}

// paged walks the pages of a data block that are marked in a bitmap, highest bit first, from the given bit on. n is the number
// of elements, the first of which is the array's i-th. Pages start at addr and have per elements each, or fewer in the last.
func (w *walk) paged(bitmap []byte, bit, addr, n, i, per uint64, what string) error {
	full, room := per*uint64(w.size)+4, uint64(w.r.Size())
	for page := uint64(0); page*per < n; page++ {
		first := i + page*per
		if first >= w.max {
			return errDone
		}
		at := bit + page
		if bitmap[at/8] == 0 { // up to eight pages at once: arrays may be huge and empty
			page += 7 - at%8
			continue
		}
		if bitmap[at/8]&(0x80>>(at%8)) == 0 {
			continue
		}
		if page > room/full {
			return w.r.Corrupt(w.head, "%s %d of %d bytes in a file of %d", what, page, full, room)
		}
		count := min(per, n-page*per)
		if count > room/uint64(w.size) {
			return w.r.Corrupt(w.head, "%s of %d elements in a file of %d bytes", what, count, room)
		}
		p, err := w.verified(addr+page*full, int(count)*w.size+4, "", what)
		if err == nil {
			err = w.elements(p, first)
		}
		if err != nil && !w.r.PassOver(err) {
			return err
		}
	}
	return nil
}

// finish turns the early end of a walk into success.
func finish(err error) error {
	if err == errDone {
		return nil
	}
	return err
}
