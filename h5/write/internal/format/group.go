package format

import (
	"math"
	"slices"
	"strings"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// MaxCompact is the number of links or attributes up to which they are in the object header.
const MaxCompact = 8

// largestCompact is the size of a message from which on links and attributes are dense.
const largestCompact = 1<<16 - 1 - 64

// Group returns the messages of a group's links, in their order of creation, and the blocks that they refer to.
func Group(links []Link, ordered bool) ([]Message, []*Block) {
	bodies := make([]*Block, len(links))
	dense := len(links) > MaxCompact
	for i := range links {
		bodies[i] = links[i].message(ordered)
		dense = dense || len(bodies[i].Data) > largestCompact
	}
	var d dense2
	var messages []Message
	if dense {
		names := make([]string, len(links))
		orders := make([]uint64, len(links))
		for i := range links {
			names[i], orders[i] = links[i].Name, uint64(links[i].Order)
		}
		d = encodeDense(&linkHeap, bodies, names, orders, ordered)
	} else {
		for i := range links {
			messages = append(messages, Message{Type: MsgLink, Body: bodies[i]})
		}
	}
	info := &Block{}
	info.U8(0)
	if ordered {
		last := int64(-1)
		for i := range links {
			last = max(last, links[i].Order)
		}
		info.U8(3)
		info.U64(uint64(last + 1))
	} else {
		info.U8(0)
	}
	d.info(info, ordered)
	group := &Block{}
	group.Zeros(2)
	messages = append([]Message{{Type: MsgLinkInfo, Body: info}, {Type: MsgGroupInfo, Body: group}}, messages...)
	return messages, d.blocks
}

// Attributes returns the messages of an object's attributes, in their order of creation, and the blocks that they refer to. The
// order of bodies is that of names. The library counts no attributes where there is no info message.
func Attributes(names []string, bodies []*Block, ordered bool) ([]Message, []*Block) {
	dense := len(names) > MaxCompact
	for _, b := range bodies {
		dense = dense || len(b.Data) > largestCompact
	}
	if len(names) == 0 && !ordered {
		return nil, nil
	}
	var d dense2
	var messages []Message
	if dense {
		orders := make([]uint64, len(names))
		for i := range orders {
			orders[i] = uint64(i)
		}
		d = encodeDense(&attributeHeap, bodies, names, orders, ordered)
	} else {
		for i, b := range bodies {
			messages = append(messages, Message{Type: MsgAttribute, Body: b, Order: uint16(i)})
		}
	}
	info := &Block{}
	info.U8(0)
	if ordered {
		info.U8(3)
		info.U16(uint16(len(names)))
	} else {
		info.U8(0)
	}
	d.info(info, ordered)
	return append([]Message{{Type: MsgAttributeInfo, Body: info}}, messages...), d.blocks
}

// dense2 is a fractal heap with its indexes.
type dense2 struct {
	blocks                []*Block
	heap, byName, byOrder *Block
}

// info appends the addresses of an info message (IV.A.2.c, IV.A.2.v).
func (d *dense2) info(b *Block, ordered bool) {
	b.Ref(d.heap)
	b.Ref(d.byName)
	if ordered {
		b.Ref(d.byOrder)
	}
}

// heapKind is what differs between the heaps of links and of attributes.
type heapKind struct {
	idLength, maxBits int
	start             int
	attributes        bool
	nameType          uint8
	orderType         uint8
}

var (
	linkHeap      = heapKind{idLength: 7, maxBits: 32, start: 512, nameType: 5, orderType: 6}
	attributeHeap = heapKind{idLength: 8, maxBits: 40, start: 1024, attributes: true, nameType: 8, orderType: 9}
)

func encodeDense(k *heapKind, bodies []*Block, names []string, orders []uint64, ordered bool) dense2 {
	ids, blocks := encodeHeap(k, bodies)
	hashes := make([]uint32, len(names))
	by := make([]int, len(names))
	for i, n := range names {
		hashes[i], by[i] = meta.Checksum([]byte(n)), i
	}
	slices.SortFunc(by, func(i, j int) int {
		if hashes[i] != hashes[j] {
			if hashes[i] < hashes[j] {
				return -1
			}
			return 1
		}
		return strings.Compare(names[i], names[j])
	})
	d := dense2{heap: blocks[0]}
	size := 4 + k.idLength
	if k.attributes {
		size += 1 + 4
	}
	tree := newTree2(k.nameType, nodeDense, size, len(by), func(i int, b *Block) {
		if i = by[i]; !k.attributes {
			b.U32(hashes[i])
			b.Bytes(ids[i])
			return
		}
		b.Bytes(ids[i])
		b.U8(0)
		b.U32(uint32(orders[i]))
		b.U32(hashes[i])
	})
	d.byName = tree[0]
	d.blocks = append(blocks, tree...)
	if !ordered {
		return d
	}
	slices.SortFunc(by, func(i, j int) int { return int(int64(orders[i]) - int64(orders[j])) })
	size = 8 + k.idLength
	if k.attributes {
		size = k.idLength + 1 + 4
	}
	tree = newTree2(k.orderType, nodeDense, size, len(by), func(i int, b *Block) {
		if i = by[i]; !k.attributes {
			b.U64(orders[i])
			b.Bytes(ids[i])
			return
		}
		b.Bytes(ids[i])
		b.U8(0)
		b.U32(uint32(orders[i]))
	})
	d.byOrder = tree[0]
	d.blocks = append(d.blocks, tree...)
	return d
}

// The capacities of nodes of old groups, by default of the library: 2 K.
const (
	symbolNode = 2 * 4
	groupNode  = 2 * 16
)

// OldGroup is a group as HDF5 writes it before 1.8.
type OldGroup struct {
	Tree, Heap *Block
	Blocks     []*Block
}

// EncodeOldGroup encodes the links of a group in a symbol table (III.A.1, III.B, III.D).
func EncodeOldGroup(links []Link) (*OldGroup, error) {
	sorted := slices.Clone(links)
	slices.SortFunc(sorted, func(a, b Link) int { return strings.Compare(a.Name, b.Name) })
	names := &Block{}
	names.Zeros(8)
	add := func(s string) uint64 {
		at := len(names.Data)
		names.CString(s)
		names.Pad(0, 8)
		return uint64(at)
	}
	offsets := make([]uint64, len(sorted))
	targets := make([]uint64, len(sorted))
	for i, l := range sorted {
		if l.Class > LinkSoft {
			return nil, h5err.New(h5err.Unsupported, "link %q of class %d in a file for HDF5 before 1.8", l.Name, l.Class)
		}
		if offsets[i] = add(l.Name); l.Class == LinkSoft {
			targets[i] = add(l.Data)
		}
	}
	if len(names.Data) > math.MaxInt32 {
		return nil, h5err.New(h5err.Argument, "the names of a group's links have %d bytes", len(names.Data))
	}
	g := &OldGroup{}
	var nodes []*Block
	last := []int{0}
	for at := 0; at < len(sorted); {
		n := min(symbolNode, len(sorted)-at)
		nodes = append(nodes, symbols(sorted[at:at+n], offsets[at:], targets[at:]))
		at += n
		last = append(last, at)
	}
	tree := tree1{typ: 0, keySize: 8, fanout: groupNode, key: func(i int, b *Block) {
		if i == 0 {
			b.U64(0)
		} else {
			b.U64(offsets[last[i]-1])
		}
	}, child: func(i int, b *Block) { b.Ref(nodes[i]) }}
	all := tree.encode(len(nodes))
	g.Tree, g.Heap = all[0], localHeap(names)
	g.Blocks = append(append(all, nodes...), g.Heap, names)
	return g, nil
}

// localHeap encodes the header of a local heap without free space (III.D).
func localHeap(data *Block) *Block {
	b := &Block{}
	b.Text("HEAP")
	b.Zeros(4)
	b.U64(uint64(len(data.Data)))
	b.U64(1) // no free list
	b.Ref(data)
	return b
}

// symbols encodes a symbol table node of full size.
func symbols(links []Link, offsets, targets []uint64) *Block {
	b := &Block{}
	b.Text("SNOD")
	b.U8(1)
	b.U8(0)
	b.U16(uint16(len(links)))
	for i, l := range links {
		symbol(b, offsets[i], l.Object, nil, targets[i])
	}
	b.Zeros(8 + symbolNode*40 - len(b.Data))
	return b
}

// symbol appends a symbol table entry (III.C). group is cached in it, unless it is nil.
func symbol(b *Block, name uint64, object *Block, group *OldGroup, target uint64) {
	b.U64(name)
	b.Ref(object)
	switch {
	case object == nil:
		b.U32(2)
		b.U32(0)
		b.U32(uint32(target))
		b.Zeros(12)
	case group != nil:
		b.U32(1)
		b.U32(0)
		b.Ref(group.Tree)
		b.Ref(group.Heap)
	default:
		b.Zeros(24)
	}
}

// SymbolTable returns the message of an old group (IV.A.2.r).
func (g *OldGroup) SymbolTable() *Block {
	b := &Block{}
	b.Ref(g.Tree)
	b.Ref(g.Heap)
	return b
}
