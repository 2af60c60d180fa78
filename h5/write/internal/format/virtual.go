package format

import (
	"math"
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// Mappings encodes the list of mappings of a virtual dataset of a rank (specification, III.F).
func Mappings(list []h5.VirtualMapping, rank int) (*Block, error) {
	b := &Block{}
	b.U8(0)
	b.U64(uint64(len(list)))
	for i := range list {
		m := &list[i]
		if m.File == "" || m.Dataset == "" || strings.ContainsRune(m.File+m.Dataset, 0) {
			return nil, h5err.New(h5err.Argument, "a mapping from dataset %q of file %q", m.Dataset, m.File)
		}
		b.CString(m.File)
		b.CString(m.Dataset)
		if err := selection(b, &m.Source, -1); err != nil {
			return nil, err
		}
		if err := selection(b, &m.Virtual, rank); err != nil {
			return nil, err
		}
	}
	b.U32(meta.Checksum(b.Data))
	return b, nil
}

// selection appends a selection (VIII. Appendix D, "Dataspace Selection").
func selection(b *Block, s *h5.Selection, rank int) error {
	const none, hyperslabs, all = 0, 2, 3
	if s.None || s.All || len(s.Blocks) == 0 {
		kind := uint32(none)
		if s.All {
			kind = all
		}
		b.U32(kind)
		b.U32(1)
		b.Zeros(8)
		return nil
	}
	for i := range s.Blocks {
		h := &s.Blocks[i]
		n := len(h.Start)
		if n == 0 || n > MaxRank || rank >= 0 && n != rank || len(h.Stride) != n || len(h.Count) != n || len(h.Block) != n {
			return h5err.New(h5err.Argument, "a hyperslab of %d dimensions", n)
		}
		rank = n
	}
	b.U32(hyperslabs)
	if len(s.Blocks) == 1 {
		regular(b, &s.Blocks[0])
		return nil
	}
	return irregular(b, s.Blocks, rank)
}

// regular appends a regular hyperslab in version 2.
func regular(b *Block, h *h5.Hyperslab) {
	b.U32(2)
	b.U8(1)
	b.U32(uint32(4 + 32*len(h.Start)))
	b.U32(uint32(len(h.Start)))
	for i := range h.Start {
		b.U64(h.Start[i])
		b.U64(max(h.Stride[i], 1))
		b.U64(h.Count[i])
		b.U64(h.Block[i])
	}
}

// irregular appends a union of blocks in version 1, whose coordinates have 32 bits.
func irregular(b *Block, blocks []h5.Hyperslab, rank int) error {
	b.U32(1)
	b.U32(0)
	b.U32(uint32(8 + 8*rank*len(blocks)))
	b.U32(uint32(rank))
	b.U32(uint32(len(blocks)))
	for i := range blocks {
		h := &blocks[i]
		for k := range rank {
			if h.Count[k] != 1 || h.Block[k] == 0 || h.Block[k] > math.MaxUint32 || h.Start[k] > math.MaxUint32-h.Block[k] {
				return h5err.New(h5err.Unsupported, "a union of hyperslabs that are not single blocks below 2^32")
			}
			b.U32(uint32(h.Start[k]))
		}
		for k := range rank {
			b.U32(uint32(h.Start[k] + h.Block[k] - 1))
		}
	}
	return nil
}
