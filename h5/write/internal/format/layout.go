package format

import (
	"github.com/h5arrow/h5arrow/h5"
)

// Compact returns a layout message with the values in it (specification, IV.A.2.i).
func Compact(data []byte, latest bool) *Block {
	b := layout(0, latest)
	b.U16(uint16(len(data)))
	b.Bytes(data)
	return b
}

// layout starts a layout message.
func layout(class uint8, latest bool) *Block {
	b := &Block{}
	b.U8(3)
	if latest {
		b.Data[0] = 4
	}
	b.U8(class)
	return b
}

// Contiguous returns a layout message of contiguous storage at an address.
func Contiguous(addr, size uint64, latest bool) *Block {
	b := layout(1, latest)
	b.U64(addr)
	b.U64(size)
	return b
}

// Chunked1 returns a layout message of chunks in a version 1 B-tree, which may be nil.
func Chunked1(dims []uint64, size int, root *Block) *Block {
	b := layout(2, false)
	b.U8(uint8(len(dims) + 1))
	b.Ref(root)
	for _, d := range dims {
		b.U32(uint32(d))
	}
	b.U32(uint32(size))
	return b
}

// Chunked is the layout message of chunks in an index of HDF5 1.10.
type Chunked struct {
	Dims     []uint64
	Size     int // of an element
	Index    h5.ChunkIndex
	RawEdges bool
	Root     *Block // FixedArray, ExtensibleArray, BTree2; nil: nothing is allocated
	First    *Chunk // Single, Implicit; nil: nothing is allocated
	Filtered bool
}

// Message returns the layout message.
func (c *Chunked) Message() *Block {
	b := layout(2, true)
	flags := uint8(0)
	if c.RawEdges {
		flags |= 1
	}
	single := c.Index == h5.IndexSingle && c.Filtered
	if single {
		flags |= 2
	}
	b.U8(flags)
	b.U8(uint8(len(c.Dims) + 1))
	width := uintSize(uint64(c.Size))
	for _, d := range c.Dims {
		width = max(width, uintSize(d))
	}
	b.U8(uint8(width))
	for _, d := range c.Dims {
		b.Uint(d, width)
	}
	b.Uint(uint64(c.Size), width)
	switch c.Index {
	case h5.IndexSingle:
		b.U8(1)
		if single {
			first := c.First
			if first == nil {
				first = &Chunk{}
			}
			b.U64(first.Size)
			b.U32(first.Mask)
		}
	case h5.IndexImplicit:
		b.U8(2)
	case h5.IndexFixedArray:
		b.U8(3)
		b.U8(pageBits)
	case h5.IndexExtensibleArray:
		b.U8(4)
		for _, v := range []uint8{maxElementsBits, inIndexBlock, minPointers, smallestBlock, pageBits} {
			b.U8(v)
		}
	case h5.IndexBTree2:
		b.U8(5)
		b.U32(nodeChunks)
		b.U8(100)
		b.U8(40)
	}
	if c.First != nil {
		b.U64(c.First.Addr)
	} else {
		b.Ref(c.Root)
	}
	return b
}

// External returns an external file list (IV.A.2.h), and the blocks that it refers to.
func External(files []h5.ExternalExtent) (*Block, []*Block) {
	names := &Block{}
	names.Zeros(8)
	heap := &Block{}
	b := &Block{}
	b.U8(1)
	b.Zeros(3)
	b.U16(uint16(len(files)))
	b.U16(uint16(len(files)))
	b.Ref(heap)
	for _, f := range files {
		b.U64(uint64(len(names.Data)))
		b.U64(uint64(f.Offset))
		b.U64(uint64(f.Size)) // -1: to the end
		names.CString(f.Name)
		names.Pad(0, 8)
	}
	*heap = *localHeap(names)
	return b, []*Block{heap, names}
}
