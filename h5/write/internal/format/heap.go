package format

import (
	"math/bits"
)

// What all fractal heaps of links and attributes have in common.
const (
	heapWidth      = 4       // blocks in a row
	heapLargest    = 1 << 16 // bytes of the largest direct block
	heapMaxManaged = 4096    // bytes of the largest object in a block
)

// fractal is a fractal heap (specification, III.G) that is built from all of its objects at once.
type fractal struct {
	k           *heapKind
	head        *Block
	offsetBytes int
	startBits   int
	rowBits     int
	directRows  int
	direct      []*directBlock
	blocks      []*Block

	managed, huge int
	free, inHuge  uint64
	allocated     uint64
}

type directBlock struct {
	at, size uint64 // in the heap's address space
	b        *Block
}

// encodeHeap puts objects into a heap and returns their IDs. The first block is the heap's header.
func encodeHeap(k *heapKind, objects []*Block) (ids [][]byte, blocks []*Block) {
	h := &fractal{k: k, head: &Block{}, offsetBytes: (k.maxBits + 7) / 8, startBits: bits.Len(uint(k.start)) - 1}
	h.rowBits = h.startBits + 2
	h.directRows = bits.Len(heapLargest) - 1 - h.startBits + 2
	h.blocks = []*Block{h.head}
	ids = make([][]byte, len(objects))
	var huge []*Block
	for i, o := range objects {
		id := &Block{}
		if len(o.Data) > heapMaxManaged {
			huge = append(huge, o)
			h.inHuge += uint64(len(o.Data))
			id.U8(1 << 4)
			id.Uint(uint64(len(huge)), k.idLength-1)
		} else {
			id.U8(0)
			id.Uint(h.put(o), h.offsetBytes)
			id.Uint(uint64(len(o.Data)), 2)
			id.Zeros(k.idLength - len(id.Data))
		}
		ids[i] = id.Data
	}
	h.huge, h.managed = len(huge), len(objects)-len(huge)
	h.finish(huge)
	return ids, h.blocks
}

// directHead is the number of bytes of a direct block before its objects.
func (h *fractal) directHead() int { return 5 + 8 + h.offsetBytes + 4 }

// put stores an object in the first block with room for it and returns its offset in the address space.
func (h *fractal) put(o *Block) uint64 {
	n := uint64(len(o.Data))
	next := uint64(0)
	if len(h.direct) > 0 {
		d := h.direct[len(h.direct)-1]
		if used := uint64(len(d.b.Data)); n <= d.size-used {
			d.b.Block(o)
			return d.at + used
		}
		next = d.at + d.size
	}
	size := h.sizeAt(next)
	for size < n+uint64(h.directHead()) { // a block that is too small is never made
		next += size
		size = h.sizeAt(next)
	}
	d := &directBlock{next, size, &Block{}}
	h.direct = append(h.direct, d)
	h.allocated += size
	d.b.Text("FHDB")
	d.b.U8(0)
	d.b.Ref(h.head)
	d.b.Uint(d.at, h.offsetBytes)
	d.b.sums = append(d.b.sums, sum{0, int(size), len(d.b.Data)})
	d.b.U32(0)
	d.b.Block(o)
	return next + uint64(h.directHead())
}

// entry returns the row of an indirect block that covers an offset in it, where the entry starts, and its size.
func (h *fractal) entry(in uint64) (row int, start, size uint64) {
	size = uint64(h.k.start)
	if in>>h.rowBits == 0 {
		return 0, in / size * size, size
	}
	row = bits.Len64(in >> h.rowBits)
	size <<= row - 1
	return row, in / size * size, size
}

// sizeAt returns the size of the direct block that starts at an offset of the address space.
func (h *fractal) sizeAt(at uint64) uint64 {
	for {
		row, start, size := h.entry(at)
		if row < h.directRows {
			return size
		}
		at -= start
	}
}

func (h *fractal) finish(huge []*Block) {
	for _, d := range h.direct {
		h.free += d.size - uint64(len(d.b.Data))
		d.b.Zeros(int(d.size) - len(d.b.Data))
	}
	var root *Block
	rows := 0
	end := uint64(0)
	covered := uint64(0)
	if n := len(h.direct); n > 0 {
		last := h.direct[n-1]
		end = last.at + last.size
		covered = uint64(h.k.start)
		root = h.direct[0].b
		if end > uint64(h.k.start) {
			row, _, _ := h.entry(last.at)
			rows = row + 1
			covered = 1 << (h.rowBits + row)
			root = h.indirect(0, rows, h.direct)
		} else {
			h.blocks = append(h.blocks, root)
		}
	}
	var tree *Block
	if len(huge) > 0 {
		nodes := newTree2(1, nodeDense, 24, len(huge), func(i int, b *Block) {
			b.Ref(huge[i])
			b.U64(uint64(len(huge[i].Data)))
			b.U64(uint64(i + 1))
		})
		tree = nodes[0]
		h.blocks = append(append(h.blocks, nodes...), huge...)
	}
	h.encodeHead(root, tree, rows, covered, end)
}

func (h *fractal) encodeHead(root, tree *Block, rows int, covered, end uint64) {
	b := h.head
	b.Text("FRHP")
	b.U8(0)
	b.U16(uint16(h.k.idLength))
	b.U16(0) // no filters
	b.U8(2)  // checksums in direct blocks
	b.U32(heapMaxManaged)
	b.U64(uint64(h.huge)) // the number of the last huge object
	b.Ref(tree)
	b.U64(h.free)
	b.U64(Undefined) // no free-space manager
	b.U64(covered)
	b.U64(h.allocated)
	b.U64(end)
	b.U64(uint64(h.managed))
	b.U64(h.inHuge)
	b.U64(uint64(h.huge))
	b.U64(0)
	b.U64(0) // tiny objects
	b.U16(heapWidth)
	b.U64(uint64(h.k.start))
	b.U64(heapLargest)
	b.U16(uint16(h.k.maxBits))
	b.U16(1)
	b.Ref(root)
	b.U16(uint16(rows))
	b.Sum(0)
}

// indirect encodes an indirect block at a place of the address space, and what is below it: the given direct blocks.
func (h *fractal) indirect(at uint64, rows int, direct []*directBlock) *Block {
	b := &Block{}
	h.blocks = append(h.blocks, b)
	b.Text("FHIB")
	b.U8(0)
	b.Ref(h.head)
	b.Uint(at, h.offsetBytes)
	for row := range rows {
		size := uint64(h.k.start)
		if row > 1 {
			size <<= row - 1
		}
		for range heapWidth {
			n := 0
			for n < len(direct) && direct[n].at < at+size {
				n++
			}
			switch {
			case n == 0:
				b.Ref(nil)
			case row < h.directRows:
				b.Ref(direct[0].b)
				h.blocks = append(h.blocks, direct[0].b)
			default:
				b.Ref(h.indirect(at, bits.Len64(size)-1-h.rowBits+1, direct[:n]))
			}
			direct = direct[n:]
			at += size
		}
	}
	b.Sum(0)
	return b
}
