package h5

import (
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// maxBlocks bounds the number of blocks in all selections of a virtual dataset, maxVirtualName the length of a name.
const (
	maxBlocks      = 1 << 20
	maxVirtualName = 64 << 10
)

// parseVirtual reads the global heap block that lists a virtual dataset's mappings (specification, III.F).
func (f *File) parseVirtual(c *meta.Cursor, l *Layout, rank int) error {
	version := c.U8()
	if c.Err() == nil && version > 1 {
		return c.Corrupt("virtual mapping version %d", version)
	}
	n := c.Length()
	if c.Err() != nil {
		return c.Err()
	}
	if n > uint64(c.Len()) {
		return c.Corrupt("%d virtual mappings in %d bytes", n, c.Len())
	}
	l.Virtual = make([]VirtualMapping, 0, min(n, 1024))
	blocks := 0
	for range n {
		var m VirtualMapping
		flags := uint8(0)
		if version >= 1 {
			flags = c.U8()
		}
		const (
			sharedFile    = 1 << 0
			sharedDataset = 1 << 1
			sameFile      = 1 << 2
		)
		switch {
		case flags&sameFile != 0:
			m.File = "."
		case flags&sharedFile != 0:
			i := c.Length()
			if c.Err() != nil || i >= uint64(len(l.Virtual)) {
				return c.Corrupt("a virtual mapping shares the file name of mapping %d", i)
			}
			m.File = l.Virtual[i].File
		default:
			m.File = virtualName(c)
		}
		if flags&sharedDataset != 0 {
			i := c.Length()
			if c.Err() != nil || i >= uint64(len(l.Virtual)) {
				return c.Corrupt("a virtual mapping shares the dataset name of mapping %d", i)
			}
			m.Dataset = l.Virtual[i].Dataset
		} else {
			m.Dataset = virtualName(c)
		}
		m.Source = f.parseSelection(c, -1)
		m.Virtual = f.parseSelection(c, rank)
		if c.Err() != nil {
			return c.Err()
		}
		if blocks += len(m.Source.Blocks) + len(m.Virtual.Blocks); blocks > maxBlocks {
			return c.Fail(h5err.Limit, "virtual mappings of more than %d blocks", maxBlocks)
		}
		l.Virtual = append(l.Virtual, m)
	}
	return nil
}

func virtualName(c *meta.Cursor) string {
	name := c.CString()
	if len(name) > maxVirtualName {
		c.Fail(h5err.Limit, "a name of %d bytes in a virtual mapping, the limit is %d", len(name), maxVirtualName)
		return ""
	}
	return string(name)
}

// parseSelection reads a serialized selection (VIII. Appendix D, "Dataspace Selection"); a rank of -1 takes any.
func (f *File) parseSelection(c *meta.Cursor, rank int) (s Selection) {
	switch kind := c.U32(); {
	case c.Err() != nil:
	case kind == 0:
		c.Skip(4 + 8)
		s.None = true
	case kind == 3:
		c.Skip(4 + 8)
		s.All = true
	case kind == 2:
		s.Blocks = f.parseHyperslab(c, rank)
	case kind == 1:
		c.Unsupported("a point selection in a virtual mapping")
	default:
		c.Corrupt("selection of kind %d", kind)
	}
	return s
}

func (f *File) parseHyperslab(c *meta.Cursor, want int) []Hyperslab {
	version := c.U32()
	width, flags := 4, uint8(0)
	switch {
	case c.Err() != nil:
	case version == 1:
		c.Skip(4 + 4)
	case version == 2:
		flags = c.U8()
		c.Skip(4)
		width = 8
	case version == 3:
		flags = c.U8()
		width = int(c.U8())
	default:
		c.Corrupt("hyperslab selection version %d", version)
	}
	rank := int(c.U32())
	if c.Err() == nil && (rank < 1 || want >= 0 && rank != want) {
		c.Corrupt("selection of rank %d", rank)
	}
	f.rank(c, rank, "selection")
	if c.Err() == nil && width != 2 && width != 4 && width != 8 {
		c.Corrupt("selection coordinates of %d bytes", width)
	}
	if c.Err() != nil {
		return nil
	}
	number := func() uint64 {
		v := c.Uint(width)
		if width < 8 && v == 1<<(8*width)-1 {
			return Unlimited
		}
		return v
	}
	if flags&1 != 0 { // regular
		h := newHyperslab(rank)
		free := 0
		for i := range rank {
			h.Start[i], h.Stride[i], h.Count[i], h.Block[i] = c.Uint(width), c.Uint(width), number(), number()
			if c.Err() == nil && (h.Stride[i] == 0 && h.Count[i] > 1 || h.Block[i] == 0) {
				c.Corrupt("hyperslab with stride %d and block %d", h.Stride[i], h.Block[i])
			}
			if h.Count[i] == Unlimited || h.Block[i] == Unlimited {
				free++
			}
		}
		if c.Err() == nil && free > 1 {
			c.Corrupt("hyperslab without an end in %d dimensions", free)
		}
		return []Hyperslab{h}
	}
	blocks := c.Uint(width)
	if c.Err() == nil && blocks > uint64(c.Len()/(2*rank*width)) {
		c.Corrupt("%d blocks of a selection in %d bytes", blocks, c.Len())
	}
	if c.Err() == nil && blocks > maxBlocks {
		c.Fail(h5err.Limit, "a selection of %d blocks, the limit is %d", blocks, maxBlocks)
	}
	if c.Err() != nil {
		return nil
	}
	out := make([]Hyperslab, 0, blocks)
	for range blocks {
		h := newHyperslab(rank)
		for i := range rank {
			h.Start[i], h.Stride[i], h.Count[i] = c.Uint(width), 1, 1
		}
		for i := range rank {
			end := c.Uint(width)
			if end < h.Start[i] || end == Unlimited {
				c.Corrupt("a block of a selection from %d to %d", h.Start[i], end)
			}
			h.Block[i] = end - h.Start[i] + 1
		}
		out = append(out, h)
	}
	return out
}

func newHyperslab(rank int) Hyperslab {
	b := make([]uint64, 4*rank)
	return Hyperslab{Start: b[:rank], Stride: b[rank : 2*rank], Count: b[2*rank : 3*rank], Block: b[3*rank:]}
}

// OpenVirtual opens a source of a virtual dataset, by the rules of OpenExternal. If the file or the dataset does not exist, the
// error has kind NotFound.
func (f *File) OpenVirtual(file, dataset string) (*Dataset, error) {
	from := f
	if file != "." && file != "" {
		var err error
		if from, err = f.OpenFile(file); err != nil {
			return nil, err
		}
	}
	o, err := from.Lookup(dataset)
	if err != nil {
		return nil, err
	}
	d, ok := o.(*Dataset)
	if !ok {
		return nil, h5err.About(h5err.New(h5err.Corrupt, "the source of a virtual dataset is not a dataset"), from.at(dataset))
	}
	return d, nil
}
