package array

import (
	"math/bits"

	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// extensible is the walk of an extensible array.
//
// The first elements are in the index block itself. All others are in data blocks, which super blocks group: super
// block s has 2^(s/2) data blocks of 2^((s+1)/2) times the smallest number of elements. The data blocks of the first
// super blocks are listed in the index block, those of the others in secondary blocks. Data blocks of more elements
// than a page are divided into pages, and the secondary block says which of these were written.
type extensible struct {
	walk
	inIndex     int    // elements in the index block
	smallest    uint64 // elements of the smallest data block
	perPage     uint64 // elements of a page
	offsetBytes int    // of an element's number in blocks
	super       int    // super blocks
	direct      int    // super blocks whose data blocks the index block lists
}

// Extensible walks the extensible array whose header is at addr and calls fn for each chunk that was allocated, in
// order of their numbers, which are below max (specification, VII.D, "The Extensible Array Index"). An error of fn
// ends the walk and is returned.
func Extensible(r *meta.Reader, addr, max uint64, fn Func) error {
	p, err := r.Verified(addr, 16+6*r.LengthSize+r.OffsetSize, "EAHD", "extensible array header")
	if err != nil {
		return err
	}
	if p[4] != 0 {
		return r.Unsupported(addr, "extensible array of version %d", p[4])
	}
	w := extensible{walk: walk{r: r, head: addr, client: p[5], size: int(p[6]), fn: fn}}
	if err := w.check(); err != nil {
		return err
	}
	maxBits, smallest, pointers, pageBits := int(p[7]), p[9], p[10], p[11]
	w.inIndex = int(p[8])
	set := r.Len(p[12+4*r.LengthSize:]) // one more than the highest element that was ever set
	index := r.Addr(p[12+6*r.LengthSize:])
	switch {
	case smallest == 0 || smallest&(smallest-1) != 0, pointers < 2 || pointers&(pointers-1) != 0:
		return r.Corrupt(addr, "extensible array of data blocks of %d elements, %d in a super block", smallest, pointers)
	case maxBits > 63 || maxBits < log2(smallest), pageBits > 32:
		return r.Corrupt(addr, "extensible array of 2^%d elements, pages of 2^%d", maxBits, pageBits)
	}
	w.smallest = uint64(smallest)
	w.perPage = 1 << pageBits
	w.offsetBytes = (maxBits + 7) / 8
	w.super = 1 + maxBits - log2(smallest)
	w.direct = min(2*log2(pointers), w.super)
	w.max = min(max, set)
	if index == meta.Undefined {
		return nil
	}
	return finish(w.index(index))
}

// blocks returns the number of data blocks of a super block, and of their elements, which its place determines.
func (w *extensible) blocks(super int) (n, elements uint64) {
	return 1 << (super / 2), w.smallest << ((super + 1) / 2)
}

// index walks the index block (specification, VII.D, layout "Extensible Array Index Block").
func (w *extensible) index(addr uint64) error {
	r := w.r
	size := 10 + r.OffsetSize + w.inIndex*w.size + (w.super-w.direct)*r.OffsetSize
	for s := range w.direct {
		n, _ := w.blocks(s)
		size += int(n) * r.OffsetSize // there are fewer than 2^8, as many as two fit a byte
	}
	p, err := w.verified(addr, size, "EAIB", "extensible array index block")
	if err != nil {
		return err
	}
	if p, err = w.owned(p, addr, "extensible array index block"); err != nil {
		return err
	}
	elements := w.inIndex * w.size
	if err := w.elements(p[:elements], 0); err != nil {
		return err
	}
	p = p[elements:]
	r.ExpectChildren(int64(10+r.OffsetSize+w.offsetBytes)+int64(w.smallest)*int64(w.size), p, r.OffsetSize)
	start := uint64(0) // first element of a block, without those in the index block
	block := uint64(0) // data blocks before it
	for s := range w.super {
		n, per := w.blocks(s)
		if s >= w.direct {
			if start+uint64(w.inIndex) >= w.max {
				return errDone
			}
			if a := r.Addr(p); a != meta.Undefined {
				if err := w.secondary(a, start, n, per); err != nil && !r.PassOver(err) {
					return err
				}
			}
			p = p[r.OffsetSize:]
			start += n * per
			continue
		}
		first := start
		for ; n > 0; n-- {
			if start+uint64(w.inIndex) >= w.max {
				return errDone
			}
			if a := r.Addr(p); a != meta.Undefined {
				if per > w.perPage {
					return r.Corrupt(w.head, "extensible array with a paged data block in its index block")
				}
				// The HDF5 library counts all blocks of the index block here, not those of the super block.
				if err := w.data(a, start, first+block*per, per, nil, 0); err != nil && !r.PassOver(err) {
					return err
				}
			}
			p = p[r.OffsetSize:]
			start += per
			block++
		}
	}
	return nil
}

// secondary walks the n data blocks of a secondary block (specification, VII.D, layout "Extensible Array Secondary
// Block").
func (w *extensible) secondary(addr, start, n, per uint64) error {
	r := w.r
	const what = "extensible array secondary block"
	var bitmap uint64 // bytes for the pages of one data block
	if per > w.perPage {
		bitmap = (per/w.perPage + 7) / 8
	}
	if room := uint64(r.Size()); n > room || bitmap > room/n || n > room/uint64(r.OffsetSize) {
		return r.Corrupt(addr, "%s for %d data blocks in a file of %d bytes", what, n, room)
	}
	size := 10 + r.OffsetSize + w.offsetBytes + int(n*bitmap) + int(n)*r.OffsetSize
	p, err := w.verified(addr, size, "EASB", what)
	if err != nil {
		return err
	}
	if p, err = w.placed(p, addr, start, start, what); err != nil {
		return err
	}
	maps, p := p[:n*bitmap], p[n*bitmap:]
	if per <= w.perPage && per < 1<<20 {
		r.ExpectChildren(int64(10+r.OffsetSize+w.offsetBytes)+int64(per)*int64(w.size), p, r.OffsetSize)
	}
	// The bits of all data blocks follow each other without gaps, although there is room for whole bytes for each.
	for i := range n {
		if start+uint64(w.inIndex) >= w.max {
			return errDone
		}
		if a := r.Addr(p); a != meta.Undefined {
			if err := w.data(a, start, start, per, maps, i*(per/w.perPage)); err != nil && !r.PassOver(err) {
				return err
			}
		}
		p = p[r.OffsetSize:]
		start += per
	}
	return nil
}

// data walks a data block of n elements, in pages if there is a bitmap of them (specification, VII.D, layout
// "Extensible Array Data Block"). The block may name alias as its first element, too. The bitmap has the pages that were
// written, from the given bit on.
func (w *extensible) data(addr, start, alias, n uint64, bitmap []byte, bit uint64) error {
	r := w.r
	const what = "extensible array data block"
	if room := uint64(r.Size()); n > room/uint64(w.size) {
		return r.Corrupt(addr, "%s of %d elements in a file of %d bytes", what, n, room)
	}
	size := 10 + r.OffsetSize + w.offsetBytes
	if len(bitmap) == 0 {
		size += int(n) * w.size
	}
	p, err := w.verified(addr, size, "EADB", what)
	if err != nil {
		return err
	}
	if p, err = w.placed(p, addr, start, alias, what); err != nil {
		return err
	}
	if len(bitmap) == 0 {
		return w.elements(p, start+uint64(w.inIndex))
	}
	return w.paged(bitmap, bit, addr+uint64(size), n, start+uint64(w.inIndex), w.perPage, "extensible array page")
}

// placed is owned for blocks that also contain their place, so that none can be used repeatedly.
func (w *extensible) placed(p []byte, addr, start, alias uint64, what string) ([]byte, error) {
	p, err := w.owned(p, addr, what)
	if err != nil {
		return nil, err
	}
	if got := meta.LE(p[:w.offsetBytes]); got != start && got != alias {
		return nil, w.r.Corrupt(addr, "%s at element %d says %d", what, start, got)
	}
	return p[w.offsetBytes:], nil
}

func log2(v byte) int { return bits.Len8(v) - 1 }
