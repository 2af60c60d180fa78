package heap

import (
	"encoding/binary"

	"github.com/h5arrow/h5arrow/h5/internal/btree"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// Verify reads the whole heap: its blocks, the index of its huge objects, its free-space manager. It passes defects to the
// reader's OnDefect if the walk can continue without the broken part.
func (h *Fractal) Verify() error {
	w := verifier{h: h, entry: h.r.OffsetSize}
	if h.pipelineLength > 0 {
		w.entry += h.r.LengthSize + 4
	}
	var err error
	switch {
	case h.root == meta.Undefined:
	case h.rootRows == 0:
		err = w.direct(block{addr: h.root, size: h.start, stored: h.rootSize, mask: h.rootMask})
	default:
		err = w.indirect(h.root, 0, h.rootRows)
	}
	if err != nil && !h.r.PassOver(err) {
		return err
	}
	if err == nil && !w.passed && w.allocated != h.allocated {
		err = h.r.Corrupt(h.addr, "fractal heap of %d bytes of direct blocks, its header says %d", w.allocated, h.allocated)
		if !h.r.PassOver(err) {
			return err
		}
	}
	if h.hugeTree != meta.Undefined {
		if err := h.verifyHuge(); err != nil && !h.r.PassOver(err) {
			return err
		}
	}
	if h.freeSpace == meta.Undefined {
		return nil
	}
	return ReadFreeSpace(h.r, h.freeSpace, nil)
}

// verifier walks the blocks of a fractal heap.
type verifier struct {
	h         *Fractal
	entry     int // bytes of an indirect block's entry for a direct block
	seen      meta.Visited
	allocated uint64
	passed    bool // a broken block was skipped
}

func (w *verifier) once(addr uint64) error {
	if !w.seen.Add(addr) {
		return w.h.r.Corrupt(addr, "the block at address %#x is used twice in a fractal heap", addr)
	}
	return nil
}

func (w *verifier) direct(b block) error {
	if err := w.once(b.addr); err != nil {
		return err
	}
	if b.size < uint64(w.h.directHead()) {
		return w.h.r.Corrupt(b.addr, "fractal heap direct block of %d bytes", b.size)
	}
	if _, err := w.h.direct(b, 0, 0); err != nil {
		return err
	}
	w.allocated += b.size
	return nil
}

// indirect visits the blocks below an indirect block of some rows, whose part of the address space starts at at. Each level has
// fewer rows than the one above, and the first has fewer than 64, so the recursion is bounded.
func (w *verifier) indirect(addr, at uint64, rows int) error {
	h := w.h
	if err := w.once(addr); err != nil {
		return err
	}
	p, err := h.indirect(addr, at, rows, w.entry)
	if err != nil {
		return err
	}
	for row := range rows {
		size := h.start
		if row > 1 {
			size <<= row - 1
		}
		for range h.width {
			b := block{addr: h.r.Addr(p), at: at, size: size, stored: size}
			at += size
			var err error
			switch {
			case row >= h.directRows:
				p = p[h.r.OffsetSize:]
				below := log2(size) - h.rowBits + 1
				switch {
				case b.addr == meta.Undefined:
				case below < 1 || below >= rows:
					err = h.r.Corrupt(addr, "a fractal heap's indirect block of %d rows holds one of %d", rows, below)
				default:
					err = w.indirect(b.addr, b.at, below)
				}
			default:
				if h.pipelineLength > 0 {
					b.stored = h.r.Len(p[h.r.OffsetSize:])
					b.mask = binary.LittleEndian.Uint32(p[h.r.OffsetSize+h.r.LengthSize:])
				}
				p = p[w.entry:]
				if b.addr != meta.Undefined {
					err = w.direct(b)
				}
			}
			if err == nil {
				continue
			}
			if w.passed = true; !h.r.PassOver(err) {
				return err
			}
		}
	}
	return nil
}

// verifyHuge walks the index of huge objects.
func (h *Fractal) verifyHuge() error {
	tree, err := btree.V2Header(h.r, h.hugeTree)
	if err != nil {
		return err
	}
	if tree.Records != h.Huge {
		err := h.r.Corrupt(h.hugeTree, "%d huge objects, the fractal heap's header says %d", tree.Records, h.Huge)
		if !h.r.PassOver(err) {
			return err
		}
	}
	return btree.V2(h.r, h.hugeTree, -1, func(rec []byte) error {
		if len(rec) < h.r.OffsetSize+h.r.LengthSize {
			return h.r.Corrupt(h.hugeTree, "B-tree record of %d bytes for a huge object", len(rec))
		}
		addr, size := h.r.Addr(rec), h.r.Len(rec[h.r.OffsetSize:])
		if _, err := h.r.FileOffset(addr, size); err != nil {
			return err
		}
		h.r.Extent(addr, size, "huge object of a fractal heap")
		return nil
	})
}

// Verify walks the heap's list of free blocks (specification, III.D).
func (h *Local) Verify() error {
	const none = 1 // ends the list
	size := uint64(2 * h.r.LengthSize)
	left := h.size
	for off := h.free; off != none && off != meta.Undefined; {
		if off > h.size || h.size-off < size {
			return h.r.Corrupt(h.addr, "free space at %d of a local heap of %d bytes", off, h.size)
		}
		c := h.r.Cursor(h.addr+off, int(size))
		next, n := c.Length(), c.Length()
		switch {
		case c.Err() != nil:
			return c.Err()
		case n < size || n > h.size-off:
			return h.r.Corrupt(h.addr+off, "%d bytes of free space at %d of a local heap of %d bytes", n, off, h.size)
		case n > left: // a cyclic list has more free space than data
			return h.r.Corrupt(h.addr+off, "more free space in a local heap than its %d bytes", h.size)
		}
		left -= n
		off = next
	}
	return nil
}

// ReadFreeSpace reads a free-space manager and its list of sections, and calls fn, unless nil, with the address and the size
// of each section (specification, III.H, "Disk Format: Level 1H - Free-space Manager").
func ReadFreeSpace(r *meta.Reader, addr uint64, fn func(off, n uint64) error) error {
	size := 18 + 7*r.LengthSize + r.OffsetSize
	p, err := r.Verified(addr, size, "FSHD", "free-space manager")
	if err != nil {
		return err
	}
	c := r.CursorOver(p, addr)
	c.Skip(4)
	version, client := c.U8(), c.U8()
	space, _, sections := c.Length(), c.Length(), c.Length()
	c.Length()              // sections that are not in the list
	c.Skip(2 + 2 + 2)       // classes of sections; when to shrink and expand
	bits := int(c.U16())    // of places
	largest := c.Length()   // section
	list := c.Address()     // of sections
	used := c.Length()      // bytes of the list
	allocated := c.Length() // bytes that it may grow to
	switch {
	case c.Err() != nil:
		return c.Err()
	case version != 0:
		return r.Unsupported(addr, "free-space manager of version %d", version)
	case client > 1:
		return r.Corrupt(addr, "free-space manager of client %d", client)
	case bits > 64:
		return r.Corrupt(addr, "free-space manager of 2^%d bytes", bits)
	case list == meta.Undefined:
		return nil
	case used > allocated:
		return r.Corrupt(addr, "list of free space of %d bytes, %d are allocated", used, allocated)
	}
	if _, err := r.FileOffset(list, allocated); err != nil {
		return err
	}
	if used > meta.MaxStructure {
		return r.OverLimit(list, "list of free space of %d bytes", used)
	}
	if p, err = r.Verified(list, int(used), "FSSE", "list of free space"); err != nil {
		return err
	}
	c = r.CursorOver(p, list)
	c.Skip(4)
	if v := c.U8(); c.Err() == nil && v != 0 {
		return r.Unsupported(list, "list of free space of version %d", v)
	}
	if owner := c.Address(); c.Err() == nil && owner != addr {
		return r.Corrupt(list, "list of free space of the manager at address %#x, not %#x", owner, addr)
	}
	s := sectionList{r: r, client: client, offset: (bits + 7) / 8, count: widthOf(sections), size: widthOf(largest)}
	rest := p[c.Pos():]
	at := list + uint64(c.Pos())
	if narrow := (log2(largest|1) + 7) / 8; s.read(r.CursorOver(rest, at), list, sections, space) != nil && narrow > 0 {
		s.size = narrow // versions of libhdf5 differ for powers of two
		if s.read(r.CursorOver(rest, at), list, sections, space) != nil {
			s.size = widthOf(largest)
		}
	}
	s.fn = fn
	return s.read(r.CursorOver(rest, at), list, sections, space)
}

// sectionList is the list of a free-space manager's sections.
type sectionList struct {
	r                   *meta.Reader
	client              byte
	offset, count, size int // bytes of fields
	fn                  func(off, n uint64) error
}

// read reads a list of the given number of sections and total space.
func (s *sectionList) read(c *meta.Cursor, list, sections, space uint64) error {
	n, total := uint64(0), uint64(0)
	for c.Err() == nil && n < sections {
		count, size := c.Uint(s.count), c.Uint(s.size)
		if c.Err() == nil && (count == 0 || count > sections-n) {
			return c.Corrupt("%d sections of free space, where %d are left", count, sections-n)
		}
		for i := uint64(0); i < count && c.Err() == nil; i++ {
			off, typ := c.Uint(s.offset), c.U8()
			if s.client == 0 && (typ == 1 || typ == 3) {
				c.Skip(s.offset + 6) // indirect block, row, column, number of blocks
			}
			if c.Err() == nil && s.fn != nil {
				if err := s.fn(off, size); err != nil && !s.r.PassOver(err) {
					return err
				}
			}
			n++
			total += size
		}
	}
	switch {
	case c.Err() != nil:
		return c.Err()
	case c.Len() > 0:
		return c.Corrupt("%d bytes are left in a list of free space", c.Len())
	case total != space && s.client == 1:
		return s.r.Corrupt(list, "%d bytes of free space, the manager says %d", total, space)
	}
	return nil
}

// widthOf returns the number of bytes of a number.
func widthOf(v uint64) int { return (log2(v|1))/8 + 1 }
