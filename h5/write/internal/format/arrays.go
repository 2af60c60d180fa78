package format

import (
	"math/bits"
)

// Chunk is a chunk's place in the file, relative to the superblock, and in a dataset.
type Chunk struct {
	Number uint64 // in the order of its index
	Addr   uint64
	Size   uint64 // stored bytes
	Mask   uint32
}

// Index describes a chunk index.
type Index struct {
	Filtered   bool
	ChunkBytes uint64  // of a decoded chunk
	Chunks     []Chunk // in ascending order of their numbers
	Total      uint64  // chunks that a fixed array has room for
}

// The parameters of arrays, those of the library.
const (
	pageBits        = 10
	maxElementsBits = 32
	inIndexBlock    = 4
	smallestBlock   = 16
	minPointers     = 4
)

// MaxExtensible is the number of chunks that an extensible array can hold.
const MaxExtensible = 1 << maxElementsBits

// sizeWidth is the number of bytes of a stored chunk's size, by the rule of the library.
func (x *Index) sizeWidth() int {
	return min(1+(bits.Len64(x.ChunkBytes)-1+8)/8, 8)
}

func (x *Index) elementSize() int {
	if x.Filtered {
		return 8 + x.sizeWidth() + 4
	}
	return 8
}

func (x *Index) client() uint8 {
	if x.Filtered {
		return 1
	}
	return 0
}

// element appends a chunk's element.
func (x *Index) element(b *Block, c *Chunk) {
	b.U64(c.Addr)
	if x.Filtered {
		b.Uint(c.Size, x.sizeWidth())
		b.U32(c.Mask)
	}
}

// elements appends the elements of the numbers [from, to).
func (x *Index) elements(b *Block, from, to uint64) {
	none := Chunk{Addr: Undefined}
	i := x.find(from)
	for n := from; n < to; n++ {
		if i < len(x.Chunks) && x.Chunks[i].Number == n {
			x.element(b, &x.Chunks[i])
			i++
		} else {
			x.element(b, &none)
		}
	}
}

// find returns the position of the first chunk whose number is at least n.
func (x *Index) find(n uint64) int {
	lo, hi := 0, len(x.Chunks)
	for lo < hi {
		if mid := int(uint(lo+hi) / 2); x.Chunks[mid].Number < n {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// any reports whether there is a chunk of the numbers [from, to).
func (x *Index) any(from, to uint64) bool {
	i := x.find(from)
	return i < len(x.Chunks) && x.Chunks[i].Number < to
}

// pages appends pages of elements, each with a checksum.
func (x *Index) pages(b *Block, from, to uint64) {
	for ; from < to; from += 1 << pageBits {
		at := len(b.Data)
		x.elements(b, from, min(from+1<<pageBits, to))
		b.Sum(at)
	}
}

// Fixed encodes a fixed array (specification, VII.C). The first block is its header.
func (x *Index) Fixed() []*Block {
	head, data := &Block{}, &Block{}
	head.Text("FAHD")
	head.U8(0)
	head.U8(x.client())
	head.U8(uint8(x.elementSize()))
	head.U8(pageBits)
	head.U64(x.Total)
	head.Ref(data)
	head.Sum(0)
	data.Text("FADB")
	data.U8(0)
	data.U8(x.client())
	data.Ref(head)
	if x.Total <= 1<<pageBits {
		x.elements(data, 0, x.Total)
		data.Sum(0)
		return []*Block{head, data}
	}
	n := (x.Total-1)>>pageBits + 1
	bitmap := make([]byte, (n+7)/8)
	for i := range n {
		bitmap[i/8] |= 0x80 >> (i % 8)
	}
	data.Bytes(bitmap)
	data.Sum(0)
	x.pages(data, 0, x.Total)
	return []*Block{head, data}
}

// extensible encodes an extensible array (specification, VII.D).
type extensible struct {
	*Index
	head, index *Block
	set         uint64 // one more than the highest number
	blocks      []*Block

	superCount, superBytes, dataCount, dataBytes, realized uint64
}

const offsetBytes = maxElementsBits / 8

// Extensible encodes an extensible array. The first block is its header.
func (x *Index) Extensible() []*Block {
	e := &extensible{Index: x, head: &Block{}, index: &Block{}}
	e.blocks = []*Block{e.head, e.index}
	if n := len(x.Chunks); n > 0 {
		e.set = x.Chunks[n-1].Number + 1
	}
	e.encodeIndex()
	b := e.head
	b.Text("EAHD")
	b.U8(0)
	b.U8(x.client())
	b.U8(uint8(x.elementSize()))
	for _, v := range []uint8{maxElementsBits, inIndexBlock, smallestBlock, minPointers, pageBits} {
		b.U8(v)
	}
	for _, v := range []uint64{e.superCount, e.superBytes, e.dataCount, e.dataBytes, e.set, e.realized + inIndexBlock} {
		b.U64(v)
	}
	b.Ref(e.index)
	b.Sum(0)
	return e.blocks
}

// block appends what blocks start with.
func (e *extensible) block(signature string) *Block {
	b := &Block{}
	b.Text(signature)
	b.U8(0)
	b.U8(e.client())
	b.Ref(e.head)
	return b
}

// encodeIndex encodes the index block and all others.
func (e *extensible) encodeIndex() {
	const super = 1 + maxElementsBits - 4 // log2 of smallestBlock
	const direct = 2 * 2                  // twice log2 of minPointers
	*e.index = *e.block("EAIB")
	e.elements(e.index, 0, inIndexBlock)
	start := uint64(0)
	block := uint64(0)
	for s := range super {
		n, per := uint64(1)<<(s/2), uint64(smallestBlock)<<((s+1)/2)
		if s >= direct {
			e.index.Ref(e.secondary(start, n, per))
			start += n * per
			continue
		}
		first := start
		for range n {
			// The library counts all blocks of the index block here, not those of the super block.
			e.index.Ref(e.data(start, first+block*per, per))
			start += per
			block++
		}
	}
	e.index.Sum(0)
}

// data encodes a data block, or returns nil if it has no elements.
func (e *extensible) data(start, offset, per uint64) *Block {
	from := start + inIndexBlock
	if !e.any(from, from+per) {
		return nil
	}
	b := e.block("EADB")
	e.blocks = append(e.blocks, b)
	b.Uint(offset, offsetBytes)
	if per <= 1<<pageBits {
		e.elements(b, from, from+per)
		b.Sum(0)
	} else {
		b.Sum(0)
		e.pages(b, from, from+per)
	}
	e.dataCount++
	e.dataBytes += uint64(len(b.Data))
	e.realized += per
	return b
}

// secondary encodes a secondary block and its data blocks, or returns nil if they have no elements.
func (e *extensible) secondary(start, n, per uint64) *Block {
	from := start + inIndexBlock
	if !e.any(from, from+n*per) {
		return nil
	}
	b := e.block("EASB")
	e.blocks = append(e.blocks, b)
	b.Uint(start, offsetBytes)
	if pages := per >> pageBits; per > 1<<pageBits {
		bitmap := make([]byte, n*((pages+7)/8))
		for i := range n * pages {
			if block := from + i/pages*per; e.any(block, block+per) {
				bitmap[i/8] |= 0x80 >> (i % 8)
			}
		}
		b.Bytes(bitmap)
	}
	for i := range n {
		b.Ref(e.data(start+i*per, start+i*per, per))
	}
	b.Sum(0)
	e.superCount++
	e.superBytes += uint64(len(b.Data))
	return b
}

// Tree2 encodes a version 2 B-tree of chunks. scaled returns the coordinates of a chunk, in chunks. The first block is its header.
func (x *Index) Tree2(rank int, scaled func(c *Chunk) []uint64) []*Block {
	typ, size := uint8(10), 8+8*rank
	if x.Filtered {
		typ, size = 11, size+x.sizeWidth()+4
	}
	return newTree2(typ, nodeChunks, size, len(x.Chunks), func(i int, b *Block) {
		c := &x.Chunks[i]
		x.element(b, c)
		for _, v := range scaled(c) {
			b.U64(v)
		}
	})
}

// chunkNode is the number of children of a node of a version 1 B-tree of chunks: twice K, 32 by default of the library.
const chunkNode = 2 * 32

// Tree1 encodes a version 1 B-tree of chunks of the shape dims, whose elements have size bytes. The first block is its root.
func (x *Index) Tree1(dims []uint64, size int, scaled func(c *Chunk) []uint64) []*Block {
	t := tree1{typ: 1, keySize: 8 + 8*(len(dims)+1), fanout: chunkNode}
	t.key = func(i int, b *Block) {
		end := uint64(0)
		c := Chunk{}
		if i == len(x.Chunks) { // the last key is after all chunks
			c.Number, end = x.Chunks[i-1].Number, 1
		} else {
			c = x.Chunks[i]
		}
		b.U32(uint32(c.Size))
		b.U32(c.Mask)
		for k, s := range scaled(&c) {
			b.U64((s + end) * dims[k])
		}
		b.U64(end * uint64(size))
	}
	t.child = func(i int, b *Block) { b.U64(x.Chunks[i].Addr) }
	return t.encode(len(x.Chunks))
}
