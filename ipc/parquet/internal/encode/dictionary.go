package encode

import "slices"

// maxProbes bounds the search for a value, so that values chosen to collide end it.
const maxProbes = 64

// Dictionary numbers distinct values in the order in which they come. It compares bits: zeros of both signs are two values.
// Reset makes one of no values.
type Dictionary[T Word] struct {
	Values []T

	slots []slot[T]
	shift int
	limit int
}

type slot[T Word] struct {
	value T
	index uint32 // plus 1; 0 is a free slot
}

const minSlotBits = 12

// Reset removes all values, and sets how many there may be.
func (d *Dictionary[T]) Reset(limit int) {
	d.Values, d.limit = d.Values[:0], limit
	d.sized(minSlotBits)
}

func (d *Dictionary[T]) sized(bits int) {
	n := 1 << bits
	d.slots = slices.Grow(d.slots[:0], n)[:n]
	clear(d.slots)
	d.shift = 64 - bits
}

func (d *Dictionary[T]) hash(v T) int { return int(uint64(v) * 0x9e3779b97f4a7c15 >> d.shift) }

// Add appends the index of each value to indices. It reports whether all have one: if not, there are more distinct values than
// the limit, or values that collide, and the dictionary is of no use.
func (d *Dictionary[T]) Add(indices []uint32, values []T) ([]uint32, bool) {
	indices = slices.Grow(indices, len(values))
	for _, v := range values {
		at := d.hash(v)
		s := &d.slots[at]
		for n := 0; s.index == 0 || s.value != v; n++ {
			if s.index == 0 {
				if s = d.insert(s, v); s == nil {
					return indices, false
				}
				break
			}
			if n == maxProbes {
				return indices, false
			}
			at = (at + 1) & (len(d.slots) - 1)
			s = &d.slots[at]
		}
		indices = append(indices, s.index-1)
	}
	return indices, true
}

// insert puts a value into a free slot, and returns its slot, nil if there is no room for it.
func (d *Dictionary[T]) insert(s *slot[T], v T) *slot[T] {
	if len(d.Values) >= d.limit {
		return nil
	}
	d.Values = append(d.Values, v)
	*s = slot[T]{v, uint32(len(d.Values))}
	if 2*len(d.Values) <= len(d.slots) {
		return s
	}
	d.sized(64 - d.shift + 1)
	for i, x := range d.Values {
		if s = d.place(x, uint32(i+1)); s == nil {
			return nil
		}
	}
	return s // of the last value, which is v
}

func (d *Dictionary[T]) place(v T, index uint32) *slot[T] {
	at := d.hash(v)
	for range maxProbes {
		s := &d.slots[at]
		if s.index == 0 {
			*s = slot[T]{v, index}
			return s
		}
		at = (at + 1) & (len(d.slots) - 1)
	}
	return nil
}
