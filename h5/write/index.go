package write

import (
	"slices"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/write/internal/format"
)

// planned returns records of all chunks of the shape, whose places are not known yet.
func (c *chunked) planned() []format.Chunk {
	s := &c.d.spec
	at := make([]uint64, len(c.order))
	n := uint64(1)
	for i := range at {
		n = mul(n, (s.Space.Dims[i]+s.ChunkDims[i]-1)/s.ChunkDims[i])
	}
	all := make([]format.Chunk, 0, n)
	for range n {
		all = append(all, format.Chunk{Number: c.numberOf(at)})
		for i := len(at) - 1; i >= 0; i-- {
			if at[i]++; at[i] < (s.Space.Dims[i]+s.ChunkDims[i]-1)/s.ChunkDims[i] {
				break
			}
			at[i] = 0
		}
	}
	slices.SortFunc(all, func(a, b format.Chunk) int {
		if a.Number < b.Number {
			return -1
		}
		return 1
	})
	return all
}

func (c *chunked) layout() (*format.Block, []*format.Block) {
	s := &c.d.spec
	chunks := c.chunks
	if c.d.f.planning || len(c.d.late) > 0 {
		chunks = c.planned()
	}
	x := format.Index{Filtered: len(s.Filters) > 0, ChunkBytes: uint64(c.bytes), Chunks: chunks}
	var blocks []*format.Block
	if c.index == h5.IndexBTree1 {
		if len(chunks) > 0 {
			blocks = x.Tree1(s.ChunkDims, s.Type.Size, c.scaled)
		}
		return format.Chunked1(s.ChunkDims, s.Type.Size, first(blocks)), blocks
	}
	m := format.Chunked{Dims: s.ChunkDims, Size: s.Type.Size, Index: c.index, RawEdges: s.RawEdges, Filtered: x.Filtered}
	if len(chunks) > 0 {
		switch c.index {
		case h5.IndexSingle:
			m.First = &chunks[0]
		case h5.IndexImplicit:
			m.First = &format.Chunk{Addr: uint64(c.base)}
		case h5.IndexFixedArray:
			x.Total = c.total()
			blocks = x.Fixed()
		case h5.IndexExtensibleArray:
			blocks = x.Extensible()
		case h5.IndexBTree2:
			blocks = x.Tree2(len(s.ChunkDims), c.scaled)
		}
	}
	m.Root = first(blocks)
	return m.Message(), blocks
}

func first(blocks []*format.Block) *format.Block {
	if len(blocks) == 0 {
		return nil
	}
	return blocks[0]
}
