package stats

import (
	"math/bits"

	"github.com/axiomhq/hyperloglog"
)

// maxExact is the number of different values up to which they are counted exactly.
const maxExact = 4096

// distinct counts different hashes: exactly in a table that is at most half full, then in a sketch.
type distinct struct {
	table  []uint64 // a power of two of places; 0 is empty
	n      int
	sketch *hyperloglog.Sketch
	last   uint64
}

func (d *distinct) add(hashes []uint64) {
	for _, h := range hashes {
		d.one(h)
	}
}

func (d *distinct) one(h uint64) {
	if h == 0 { // an empty place of the table, and last before the first
		h = 1
	}
	if h == d.last {
		return
	}
	d.last = h
	if d.sketch != nil {
		d.sketch.InsertHash(h)
		return
	}
	d.insert(h)
}

// insert adds a hash to the table.
func (d *distinct) insert(h uint64) {
	if 2*d.n >= len(d.table) && !d.grow() {
		d.sketch.InsertHash(h)
		return
	}
	if place := d.place(h); d.table[place] == 0 {
		d.table[place] = h
		d.n++
	}
}

// place returns where a hash is in the table, or the empty place where it belongs.
func (d *distinct) place(h uint64) int {
	mask := len(d.table) - 1
	i := int(h>>(64-bits.Len(uint(mask)))) & mask
	for d.table[i] != 0 && d.table[i] != h {
		i = (i + 1) & mask
	}
	return i
}

// grow doubles the table. It returns false where the table becomes a sketch instead.
func (d *distinct) grow() bool {
	old := d.table
	if len(old) >= 2*maxExact {
		d.sketch = hyperloglog.NewNoSparse()
		for _, h := range old {
			if h != 0 {
				d.sketch.InsertHash(h)
			}
		}
		d.table = nil
		return false
	}
	d.table = make([]uint64, max(16, 2*len(old)))
	for _, h := range old {
		if h != 0 {
			d.table[d.place(h)] = h
		}
	}
	return true
}

func (d *distinct) exact() bool { return d.sketch == nil }

func (d *distinct) count() int64 {
	if d.sketch == nil {
		return int64(d.n)
	}
	return int64(d.sketch.Estimate())
}
