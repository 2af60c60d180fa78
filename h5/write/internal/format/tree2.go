package format

import (
	"math"
	"math/bits"
)

// The nodes of version 2 B-trees have the sizes that the library uses.
const (
	nodeDense  = 512  // links, attributes, huge objects
	nodeChunks = 2048 // chunks
)

// tree2 is a version 2 B-tree (specification, III.A.2) that is built from all of its records at once.
type tree2 struct {
	typ        uint8
	nodeSize   int
	recordSize int
	record     func(i int, b *Block) // appends record i
	levels     []level2
	blocks     []*Block
}

// level2 is what depends on the height of a node: how many records fit, and the widths of the numbers in a pointer to it.
type level2 struct {
	max            int
	total          uint64
	count, totalSz int
}

const overhead2 = 10 // of a node

// newTree2 encodes a tree of n records in their order. The first block is its header.
func newTree2(typ uint8, nodeSize, recordSize, n int, record func(i int, b *Block)) []*Block {
	t := &tree2{typ: typ, nodeSize: nodeSize, recordSize: recordSize, record: record}
	leaf := (nodeSize - overhead2) / recordSize
	t.levels = []level2{{max: leaf, total: uint64(leaf), count: uintSize(uint64(leaf))}}
	for t.levels[len(t.levels)-1].total < uint64(n) {
		t.grow()
	}
	depth := len(t.levels) - 1
	head := &Block{}
	t.blocks = []*Block{head}
	head.Text("BTHD")
	head.U8(0)
	head.U8(typ)
	head.U32(uint32(nodeSize))
	head.U16(uint16(recordSize))
	head.U16(uint16(depth))
	head.U8(100) // a node splits when it is full
	head.U8(40)  // and is merged with others below 40 percent
	var root *Block
	inRoot := 0
	if n > 0 {
		root, inRoot = t.node(0, n, depth)
	}
	head.Ref(root)
	head.U16(uint16(inRoot))
	head.U64(uint64(n))
	head.Sum(0)
	return t.blocks
}

// grow adds the level above the highest one.
func (t *tree2) grow() {
	below := t.levels[len(t.levels)-1]
	pointer := 8 + below.count + below.totalSz
	m := (t.nodeSize - overhead2 - pointer) / (t.recordSize + pointer)
	hi, total := bits.Mul64(uint64(m+1), below.total)
	if hi != 0 || total > math.MaxInt64 {
		total = math.MaxInt64
	}
	total += uint64(m)
	t.levels = append(t.levels, level2{max: m, total: total, count: below.count, totalSz: uintSize(total)})
}

// node encodes the tree of the records [from, to) and returns its root and the number of records in it.
func (t *tree2) node(from, to, height int) (*Block, int) {
	b := &Block{}
	t.blocks = append(t.blocks, b)
	if height == 0 {
		b.Text("BTLF")
		b.U8(0)
		b.U8(t.typ)
		for i := from; i < to; i++ {
			t.record(i, b)
		}
		b.Sum(0)
		b.Zeros(t.nodeSize - len(b.Data))
		return b, to - from
	}
	b.Text("BTIN")
	b.U8(0)
	b.U8(t.typ)
	below := t.levels[height-1]
	n := to - from
	children := max(int((uint64(n)+below.total+1)/(below.total+1)), 2)
	var pointers Block
	rest := n - (children - 1) // records in children
	at := from
	for c := range children {
		end := at + rest/children
		if c < rest%children {
			end++
		}
		child, count := t.node(at, end, height-1)
		pointers.Ref(child)
		pointers.Uint(uint64(count), below.count)
		pointers.Uint(uint64(end-at), below.totalSz)
		if at = end; c < children-1 {
			t.record(at, b)
			at++
		}
	}
	b.Block(&pointers)
	b.Sum(0)
	b.Zeros(t.nodeSize - len(b.Data))
	return b, children - 1
}

// uintSize is the number of bytes that hold every integer up to max.
func uintSize(max uint64) int { return (bits.Len64(max|1) + 7) / 8 }
