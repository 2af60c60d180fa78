package btree

import (
	"math"
	"math/bits"
	"sort"

	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// The record types of version 2 B-trees (specification, III.A.2, "Version 2 B-trees").
const (
	TypeHuge           = 1  // fractal heap's huge objects, by number
	TypeHugeFiltered   = 2  // the same, filtered
	TypeHugeDirect     = 3  // huge objects that the heap's IDs point to
	TypeHugeDirectFilt = 4  // the same, filtered
	TypeLinkName       = 5  // a group's links by the hash of their names
	TypeLinkOrder      = 6  // a group's links by creation order
	TypeShared         = 7  // shared messages
	TypeAttrName       = 8  // an object's attributes by the hash of their names
	TypeAttrOrder      = 9  // an object's attributes by creation order
	TypeChunks         = 10 // chunks
	TypeChunksFiltered = 11 // filtered chunks
)

// Header is the header of a version 2 B-tree (specification, III.A.2, layout "Version 2 B-tree Header").
type Header struct {
	Type       uint8 // of the records
	RecordSize int   // bytes
	NodeSize   int   // bytes
	Depth      int   // 0: the root is a leaf
	Root       uint64
	inRoot     int    // records in the root
	Records    uint64 // records in all
}

// V2Header reads and verifies the header of the version 2 B-tree at addr.
func V2Header(r *meta.Reader, addr uint64) (Header, error) {
	size := 22 + r.OffsetSize + r.LengthSize
	p, err := r.Verified(addr, size, "BTHD", "B-tree header")
	if err != nil {
		return Header{}, err
	}
	c := r.CursorOver(p, addr)
	c.Skip(4)
	version := c.U8()
	h := Header{Type: c.U8()}
	nodeSize := c.U32()
	h.RecordSize, h.Depth = int(c.U16()), int(c.U16())
	c.Skip(2) // percentages of fullness at which nodes split and merge
	h.Root, h.inRoot = c.Address(), int(c.U16())
	h.Records = c.Length()
	if err := c.Err(); err != nil {
		return Header{}, err
	}
	switch {
	case version != 0:
		return Header{}, r.Unsupported(addr, "B-tree header of version %d", version)
	case h.RecordSize == 0, nodeSize > math.MaxInt32, int(nodeSize) < v2Overhead+h.RecordSize:
		return Header{}, r.Corrupt(addr, "B-tree of nodes of %d bytes and records of %d", nodeSize, h.RecordSize)
	case h.Root == meta.Undefined && (h.inRoot != 0 || h.Records != 0):
		return Header{}, r.Corrupt(addr, "B-tree of %d records without a root", h.Records)
	}
	h.NodeSize = int(nodeSize)
	return h, nil
}

// v2Overhead counts the signature, version, type and checksum of a node.
const v2Overhead = 10

// v2 is one walk of a version 2 B-tree.
type v2 struct {
	r      *meta.Reader
	h      Header
	levels []v2Level // by height above the leaves
	seen   meta.Visited
	cmp    func(rec []byte) int // nil: all records
	fn     func(rec []byte) error
	count  uint64
	room   meta.Room // of the nodes
	passed bool      // a broken node was skipped
}

// v2Level is what depends on a node's height: how many records fit, and the width of the counts in a pointer to it.
type v2Level struct {
	max     int    // records of a node
	total   uint64 // records of a node and all below it
	count   int    // bytes of a pointer's number of records in the node
	totalSz int    // bytes of a pointer's number of records in all; 0 for leaves
}

// V2 walks the version 2 B-tree whose header is at addr, in order, and calls fn with each record as stored, which is valid
// only during the call. The header's type must be typ unless that is negative. An error of fn ends the walk and is
// returned.
func V2(r *meta.Reader, addr uint64, typ int, fn func(rec []byte) error) error {
	return V2Range(r, addr, typ, nil, fn)
}

// V2Range is V2 for the records for which cmp returns 0. cmp must return less than 0 for all records before those and more than
// 0 for all records after them, in the tree's order. The walk reads only the nodes on the way to them.
func V2Range(r *meta.Reader, addr uint64, typ int, cmp func(rec []byte) int, fn func(rec []byte) error) error {
	h, err := V2Header(r, addr)
	if err != nil {
		return err
	}
	if typ >= 0 && int(h.Type) != typ {
		return r.Corrupt(addr, "B-tree of type %d, %d expected", h.Type, typ)
	}
	if h.Root == meta.Undefined {
		return nil
	}
	w := &v2{r: r, h: h, cmp: cmp, fn: fn, room: r.Room()}
	if err := w.layout(addr); err != nil {
		return err
	}
	if err := w.node(h.Root, h.inRoot, h.Depth); err != nil {
		return err
	}
	if cmp == nil && w.count != h.Records && !w.passed {
		return r.Corrupt(addr, "B-tree of %d records, its header says %d", w.count, h.Records)
	}
	return nil
}

// layout computes how much fits in the nodes of each height. The smallest tree of a depth has one record in each inner node, so
// it has 2^depth leaves. A depth whose leaves do not fit in the file is refused, which bounds the recursion.
func (w *v2) layout(addr uint64) error {
	h := &w.h
	if h.Depth >= bits.Len64(uint64(w.r.Size())) {
		return w.r.Corrupt(addr, "B-tree of depth %d", h.Depth)
	}
	leaf := (h.NodeSize - v2Overhead) / h.RecordSize
	w.levels = append(make([]v2Level, 0, h.Depth+1), v2Level{max: leaf, total: uint64(leaf), count: uintSize(uint64(leaf))})
	for i := 1; i <= h.Depth; i++ {
		below := w.levels[i-1]
		pointer := w.pointer(i)
		m := (h.NodeSize - v2Overhead - pointer) / (h.RecordSize + pointer)
		if m < 1 {
			return w.r.Corrupt(addr, "B-tree nodes of %d bytes have no room for records of %d", h.NodeSize, h.RecordSize)
		}
		hi, total := bits.Mul64(uint64(m+1), below.total)
		if hi != 0 || total > math.MaxInt64 {
			total = math.MaxInt64
		}
		total += uint64(m)
		w.levels = append(w.levels, v2Level{max: m, total: total, count: below.count, totalSz: uintSize(total)})
	}
	if h.inRoot > w.levels[h.Depth].max {
		return w.r.Corrupt(addr, "B-tree root of %d records, %d fit", h.inRoot, w.levels[h.Depth].max)
	}
	return nil
}

// pointer is the number of bytes of a pointer in a node of a height to one of the height below.
func (w *v2) pointer(height int) int {
	below := w.levels[height-1]
	return w.r.OffsetSize + below.count + below.totalSz
}

// node visits a node of n records at a height above the leaves.
func (w *v2) node(addr uint64, n, height int) error {
	r := w.r
	if !w.seen.Add(addr) {
		return r.Corrupt(addr, "a B-tree holds the node at address %#x twice", addr)
	}
	sig, what := "BTLF", "B-tree leaf"
	records := n * w.h.RecordSize
	size := v2Overhead + records
	pointer := 0
	if height > 0 {
		if n == 0 {
			return r.Corrupt(addr, "inner B-tree node without records")
		}
		sig, what = "BTIN", "B-tree node"
		pointer = w.pointer(height)
		size += (n + 1) * pointer
	}
	if !w.room.Take(uint64(size)) {
		return r.Corrupt(addr, "the nodes of a B-tree overlap: they are larger than the file")
	}
	p, err := r.Verified(addr, size, sig, what)
	switch {
	case err != nil:
		return err
	case p[4] != 0:
		return r.Unsupported(addr, "%s of version %d", what, p[4])
	case p[5] != w.h.Type:
		return r.Corrupt(addr, "%s of type %d in a tree of type %d", what, p[5], w.h.Type)
	}
	recs, children := p[6:6+records], p[6+records:]
	record := func(i int) []byte {
		at := i * w.h.RecordSize
		return recs[at : at+w.h.RecordSize : at+w.h.RecordSize]
	}
	from, to := 0, n
	if w.cmp != nil {
		from = sort.Search(n, func(i int) bool { return w.cmp(record(i)) >= 0 })
		to = from + sort.Search(n-from, func(i int) bool { return w.cmp(record(from+i)) > 0 })
	}
	if height > 0 && w.cmp == nil {
		r.ExpectChildren(int64(w.h.NodeSize), children, pointer)
	}
	for i := from; ; i++ {
		if height > 0 {
			q := children[i*pointer:]
			if err := w.child(addr, q, height-1); err != nil {
				if !r.PassOver(err) {
					return err
				}
				w.passed = true
			}
		}
		if i >= to {
			return nil
		}
		w.count++
		if err := w.fn(record(i)); err != nil && !r.PassOver(err) {
			return err
		}
	}
}

// child visits the node of a height that a pointer in the node at an address leads to.
func (w *v2) child(from uint64, pointer []byte, height int) error {
	r, level := w.r, &w.levels[height]
	p := pointer[r.OffsetSize:]
	count := meta.LE(p[:level.count])
	if count > uint64(level.max) {
		return r.Corrupt(from, "B-tree node points to one of %d records, %d fit", count, level.max)
	}
	before, passed := w.count, w.passed
	w.passed = false
	err := w.node(r.Addr(pointer), int(count), height)
	whole := err == nil && !w.passed && w.cmp == nil
	w.passed = w.passed || passed
	if total := meta.LE(p[level.count : level.count+level.totalSz]); whole && height > 0 && total != w.count-before {
		return r.Corrupt(from, "B-tree node points to a tree of %d records, which has %d", total, w.count-before)
	}
	return err
}

// uintSize is the number of bytes that hold every integer up to max.
func uintSize(max uint64) int { return (bits.Len64(max|1) + 7) / 8 }
