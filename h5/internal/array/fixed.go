package array

import (
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// Fixed walks the fixed array whose header is at addr and calls fn for each chunk that was allocated, in order of
// their numbers, which are below max (specification, VII.C, "The Fixed Array Index"). An error of fn ends the walk
// and is returned.
func Fixed(r *meta.Reader, addr, max uint64, fn Func) error {
	p, err := r.Verified(addr, 12+r.LengthSize+r.OffsetSize, "FAHD", "fixed array header")
	if err != nil {
		return err
	}
	if p[4] != 0 {
		return r.Unsupported(addr, "fixed array of version %d", p[4])
	}
	w := walk{r: r, head: addr, client: p[5], size: int(p[6]), max: max, fn: fn}
	if err := w.check(); err != nil {
		return err
	}
	pageBits, n, block := p[7], r.Len(p[8:]), r.Addr(p[8+r.LengthSize:])
	if pageBits > 32 {
		return r.Corrupt(addr, "fixed array of pages of 2^%d elements", pageBits)
	}
	if block == meta.Undefined {
		return nil
	}
	head := 10 + uint64(r.OffsetSize)
	per := uint64(1) << pageBits
	what := "fixed array data block"
	if n <= per {
		// Its elements are between the head and the checksum.
		if room := uint64(r.Size()) / uint64(w.size); n > room {
			return r.Corrupt(addr, "fixed array of %d elements in a file of %d bytes", n, r.Size())
		}
		p, err := w.verified(block, int(head)+int(n)*w.size, "FADB", what)
		if err == nil {
			p, err = w.owned(p, block, what)
		}
		if err == nil {
			err = w.elements(p, 0)
		}
		return finish(err)
	}
	pages := (n-1)/per + 1
	if pages/8 >= uint64(r.Size()) {
		return r.Corrupt(addr, "fixed array of %d pages in a file of %d bytes", pages, r.Size())
	}
	head += (pages + 7) / 8
	p, err = w.verified(block, int(head), "FADB", what)
	if err == nil {
		p, err = w.owned(p, block, what)
	}
	if err == nil {
		err = w.paged(p, 0, block+head, n, 0, per, "fixed array page")
	}
	return finish(err)
}
