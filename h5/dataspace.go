package h5

import (
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// parseSpace reads a dataspace message (specification, IV.A.2.b).
func (f *File) parseSpace(c *meta.Cursor) *Space {
	version := c.U8()
	rank := int(c.U8())
	flags := c.U8()
	both := &struct {
		Space
		dims [4]uint64 // of a space of rank 2, with its maximum
	}{}
	s := &both.Space
	s.Class = SpaceSimple
	switch {
	case c.Err() != nil:
	case version == 1:
		c.Skip(5)
		if rank == 0 {
			s.Class = SpaceScalar
		}
	case version == 2:
		kind := c.U8()
		if kind > 2 {
			c.Corrupt("dataspace of kind %d", kind)
		}
		s.Class = SpaceClass(kind) + 1
		if s.Class == SpaceSimple && rank == 0 {
			s.Class = SpaceScalar
		}
	default:
		c.Corrupt("dataspace version %d", version)
	}
	if c.Err() == nil && rank > 0 && s.Class != SpaceSimple {
		c.Corrupt("scalar or null dataspace of rank %d", rank)
	}
	if f.rank(c, rank, "dataspace"); c.Err() != nil {
		return nil
	}
	if rank == 0 {
		return s
	}
	all := both.dims[:]
	if 2*rank > len(all) {
		all = make([]uint64, 2*rank)
	}
	all = all[: 2*rank : 2*rank]
	for i := range rank {
		all[i] = c.Length()
		if all[i] == meta.Undefined {
			c.Corrupt("dimension %d of unlimited extent", i)
		}
	}
	s.Dims = all[:rank:rank]
	if flags&1 != 0 {
		s.Max = all[rank:]
		for i := range s.Max {
			s.Max[i] = c.Length()
			if s.Max[i] < s.Dims[i] {
				c.Corrupt("dimension %d is %d, its maximum %d", i, s.Dims[i], s.Max[i])
			}
		}
	}
	if c.Err() != nil {
		return nil
	}
	return s
}

// maxRank is the maximum number of dimensions in the HDF5 library.
const maxRank = 32

// rank fails for more dimensions than are allowed.
func (f *File) rank(c *meta.Cursor, n int, what string) {
	switch {
	case c.Err() != nil:
	case n > maxRank:
		c.Corrupt("%s of rank %d", what, n)
	case n > f.r.Limits.Rank:
		c.Over("h5.Limits.Rank", uint64(n), "%s of rank %d, the limit is %d", what, n, f.r.Limits.Rank)
	}
}

// Elements returns the number of elements: 1 for a scalar, 0 for a null dataspace. ok is false if it does not fit 63 bits.
func (s *Space) Elements() (n uint64, ok bool) {
	if s.Class == SpaceNull {
		return 0, true
	}
	return product(s.Dims, 1)
}

// Growable reports whether the first dimension can become longer.
func (s *Space) Growable() bool {
	return s.Class == SpaceSimple && len(s.Dims) > 0 && len(s.Max) == len(s.Dims) && s.Max[0] > s.Dims[0]
}
