// Package btree walks HDF5's B-trees of versions 1 and 2, and the symbol table nodes that a group's tree points to.
//
// The walks read only the used part of each node, do not visit a node twice, and do not go deeper than the levels that the nodes
// declare, so that a walk of a hostile file costs at most one reading of it.
package btree

import (
	"bytes"
	"encoding/binary"

	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

const (
	v1Group  = 0 // node type of a group's tree
	v1Chunks = 1 // node type of a chunked dataset's tree
)

// v1 is one walk of a version 1 B-tree (specification, III.A.1, "Version 1 B-trees").
type v1 struct {
	r       *meta.Reader
	typ     uint8
	keySize int
	seen    meta.Visited
	room    meta.Room // of the nodes
}

// V1Group walks a version 1 B-tree of node type 0, a group's, and calls fn for each symbol table node's address, in
// the order of the names. An error of fn ends the walk and is returned.
func V1Group(r *meta.Reader, addr uint64, fn func(snod uint64) error) error {
	w := v1{r: r, typ: v1Group, keySize: r.LengthSize, room: r.Room()}
	step := r.LengthSize + r.OffsetSize
	return w.node(addr, -1, func(p []byte, n int, node uint64) error {
		for ; n > 0; n-- {
			snod := r.Addr(p[r.LengthSize:])
			err := w.once(snod)
			if err == nil {
				err = fn(snod)
			}
			if err != nil && !r.PassOver(err) {
				return err
			}
			p = p[step:]
		}
		return nil
	})
}

// ExpectV1Group says that the tree of a group will be walked, and the symbol table nodes to which it leads: it reads the nodes of
// the tree for that if the file is far away, those of a level together. It returns the addresses of the symbol table nodes, of
// which nothing has been checked.
func ExpectV1Group(r *meta.Reader, addr uint64) []uint64 {
	w := v1{r: r, typ: v1Group, keySize: r.LengthSize}
	return w.announce(addr, SymbolNode(r))
}

// V1Chunks walks a version 1 B-tree of node type 1, a chunked dataset's, in the order of the chunks. ndims is the
// dataset's rank plus one. fn receives a chunk's stored size in bytes, its filter mask, the coordinates of its first
// element in the rank dimensions (valid only during the call) and its address, which is not checked. Chunks with an
// undefined address do not exist and are skipped. An error of fn ends the walk and is returned.
func V1Chunks(r *meta.Reader, addr uint64, ndims int, fn func(size, mask uint32, offset []uint64, addr uint64) error) error {
	if ndims < 2 || ndims > r.Limits.Rank+1 {
		return r.Corrupt(addr, "B-tree of chunks for %d dimensions", ndims-1)
	}
	w := v1{r: r, typ: v1Chunks, keySize: 8 + 8*ndims, room: r.Room()}
	step := w.keySize + r.OffsetSize
	offset := make([]uint64, ndims-1)
	left := r.Limits.Chunks
	w.announce(addr, 0)
	return w.node(addr, -1, func(p []byte, n int, node uint64) error {
		if left -= n; left < 0 {
			return r.TooManyChunks(node)
		}
		for ; n > 0; n-- {
			rec := p[:step]
			p = p[step:]
			for i := range offset {
				offset[i] = binary.LittleEndian.Uint64(rec[8+8*i:])
			}
			a := r.Addr(rec[w.keySize:])
			if a == meta.Undefined {
				continue
			}
			err := fn(binary.LittleEndian.Uint32(rec), binary.LittleEndian.Uint32(rec[4:]), offset, a)
			if err != nil && !r.PassOver(err) {
				return err
			}
		}
		return nil
	})
}

// maxAnnounced bounds the nodes of a level that are announced.
const maxAnnounced = 1 << 14

// announce reads a tree level by level if the file is far away, so that the nodes of each are asked for together, and then the
// structures of the given size that the leaves lead to, 0 for none, and returns the addresses of these. The walk finds what is
// wrong.
func (w *v1) announce(root uint64, below int64) []uint64 {
	r := w.r
	if !r.Far() {
		return nil
	}
	head := 8 + 2*r.OffsetSize
	step := w.keySize + r.OffsetSize
	nodes, level := []uint64{root}, -1
	for len(nodes) > 0 {
		var children []uint64
		var largest int
		for _, addr := range nodes {
			var buf [8]byte
			if r.Read(buf[:], addr) != nil || string(buf[:4]) != "TREE" || level >= 0 && int(buf[5]) != level {
				continue
			}
			if level < 0 {
				level = int(buf[5])
			}
			n := int(binary.LittleEndian.Uint16(buf[6:]))
			if level == 0 && below == 0 || n == 0 {
				continue
			}
			largest = max(largest, head+n*step+w.keySize)
			p, err := r.Bytes(addr+uint64(head), n*step)
			if err != nil {
				continue
			}
			for ; len(p) > 0 && len(children) < maxAnnounced; p = p[step:] {
				children = append(children, r.Addr(p[w.keySize:]))
			}
		}
		if level--; level < 0 {
			if below > 0 {
				r.Expect(below, children...)
			}
			return children
		}
		if len(children) > 1 {
			r.Expect(int64(largest), children...)
		}
		nodes = children
	}
	return nil
}

// node visits the node at addr, which must be of the given level, or of any level if that is negative: the root. leaf receives
// the records of each leaf: n pairs of a key and a child's address, and one more key. Levels start below 256 and decrease by
// one, which bounds the recursion.
func (w *v1) node(addr uint64, level int, leaf func(records []byte, n int, addr uint64) error) error {
	r := w.r
	var buf [128]byte // the head of a node, and the records of a small group
	before := 8 + 2*r.OffsetSize
	head, err := r.Head(buf[:], addr, before)
	if err != nil {
		return err
	}
	if string(head[:4]) != "TREE" {
		return r.Corrupt(addr, "signature %q expected, found %q", "TREE", string(head[:4]))
	}
	typ, lev, n := head[4], int(head[5]), int(binary.LittleEndian.Uint16(head[6:]))
	switch {
	case typ != w.typ:
		return r.Corrupt(addr, "B-tree node of type %d, %d expected", typ, w.typ)
	case level >= 0 && lev != level:
		return r.Corrupt(addr, "B-tree node of level %d, %d expected", lev, level)
	}
	step := w.keySize + r.OffsetSize
	size := 0 // the node of an empty tree may be at the end of the file
	if n > 0 {
		size = n*step + w.keySize
	}
	if !w.room.Take(uint64(before + size)) {
		return r.Corrupt(addr, "the nodes of a B-tree overlap: they are larger than the file")
	}
	var p []byte
	if size <= len(head)-before {
		p = bytes.Clone(head[before : before+size]) // off the stack
	} else if p, err = r.Bytes(addr+uint64(before), size); err != nil {
		return err
	}
	r.Extent(addr, uint64(before+size), "B-tree node")
	if err := w.once(addr); err != nil {
		return err
	}
	if lev == 0 {
		return leaf(p, n, addr)
	}
	for ; n > 0; n-- {
		if err := w.node(r.Addr(p[w.keySize:]), lev-1, leaf); err != nil && !r.PassOver(err) {
			return err
		}
		p = p[step:]
	}
	return nil
}

// once fails at the second visit to an address.
func (w *v1) once(addr uint64) error {
	if w.seen.Add(addr) {
		return nil
	}
	return w.r.Corrupt(addr, "a B-tree holds the node at address %#x twice", addr)
}
