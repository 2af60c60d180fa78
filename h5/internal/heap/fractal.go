package heap

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"sync"

	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/internal/btree"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// fractalCache bounds the bytes of blocks that a heap keeps.
const fractalCache = 16 << 20

// Fractal is a fractal heap: the links and attributes of objects that have many, and shared messages
// (specification, III.G, "Disk Format: Level 1G - Fractal Heap"). Several goroutines may use it.
//
// Managed objects are in blocks that together form one address space. The doubling table gives the part of it that each entry
// of an indirect block covers: each row has as many blocks as the table is wide; blocks have the starting size in the first two
// rows, and twice the size of the previous row in all others. Rows of blocks larger than the maximum direct size have indirect
// blocks. So an offset in the space gives row and column directly, and finding an object takes as many steps as indirect blocks
// are nested.
type Fractal struct {
	idLength            int    // bytes of an object's ID
	Managed, Huge, Tiny uint64 // objects of each kind, as the header counts them

	r    *meta.Reader
	addr uint64

	idOffset, idSize int // bytes of a managed object's offset and size in its ID
	checked          bool
	maxManaged       uint64 // bytes of the largest managed object

	allocated uint64 // bytes of all direct blocks, as the header counts them
	freeSpace uint64 // address of the free-space manager

	hugeTree   uint64 // v2 B-tree
	hugeDirect bool   // IDs of huge objects hold their place
	hugeWidth  int    // bytes of a huge object's number in its ID
	tinyExt    bool   // IDs of tiny objects hold their size in 12 bits

	start, width   uint64 // bytes of a block in the first row, blocks in a row
	startBits      int    // log2 of start
	rowBits        int    // log2 of start times width
	directRows     int    // rows that hold direct blocks
	maxBits        int    // log2 of the size of the address space
	offsetBytes    int    // of an offset in that space
	root           uint64
	rootRows       int // 0: the root is a direct block
	rootSize       uint64
	rootMask       uint32
	pipeline       *filter.Pipeline // nil: no filters
	pipelineErr    error            // why the filters can't be undone
	pipelineLength int

	mu     sync.Mutex
	blocks map[uint64]keptBlock // verified blocks by address
	kept   int                  // what they cost in bytes
	met    map[uint64]struct{}  // addresses of all blocks that were read so far
	room   meta.Room            // for other blocks

	lookedUp uint64 // bytes of the nodes on the paths to huge objects
}

// keptBlock is a verified block.
type keptBlock struct {
	place block
	data  []byte // decoded; nil for a direct block that is known to be sound but was not kept
}

// block is what an indirect block or the header has about a block.
type block struct {
	addr   uint64
	at     uint64 // its place in the heap's address space
	size   uint64 // bytes: of an indirect block's entries, of a direct block as a whole
	stored uint64 // bytes of a direct block in the file: size, unless there are filters
	mask   uint32
	rows   int // of an indirect block; 0: a direct block
}

// OpenFractal reads and verifies the header of the fractal heap at addr.
func OpenFractal(r *meta.Reader, addr uint64) (*Fractal, error) {
	fixed := 26 + 3*r.OffsetSize + 12*r.LengthSize // without the fields that only filtered heaps have
	c := r.Cursor(addr, 9)
	c.Signature("FRHP")
	version := c.U8()
	h := &Fractal{r: r, addr: addr, room: r.Room(), idLength: int(c.U16()), pipelineLength: int(c.U16())}
	if err := c.Err(); err != nil {
		return nil, err
	}
	if version != 0 {
		return nil, r.Unsupported(addr, "fractal heap of version %d", version)
	}
	size := fixed
	if h.pipelineLength > 0 {
		size += r.LengthSize + 4 + h.pipelineLength
	}
	p, err := r.Verified(addr, size, "FRHP", "fractal heap header")
	if err != nil {
		return nil, err
	}
	c = r.CursorOver(p, addr)
	c.Skip(9)
	h.checked = c.U8()&2 != 0
	h.maxManaged = uint64(c.U32())
	c.Length() // number that the next huge object gets
	h.hugeTree = c.Address()
	c.Length() // free space in managed blocks
	h.freeSpace = c.Address()
	c.Length() // size of the address space
	h.allocated = c.Length()
	c.Length() // where the next direct block goes
	h.Managed = c.Length()
	c.Length() // bytes of huge objects
	h.Huge = c.Length()
	c.Length() // bytes of tiny objects
	h.Tiny = c.Length()
	h.width = uint64(c.U16())  // of the doubling table
	h.start = c.Length()       // bytes of a block in its first row
	largest := c.Length()      // bytes of the largest direct block
	h.maxBits = int(c.U16())   // of the address space
	c.Skip(2)                  // rows that a root indirect block gets at first
	h.root = c.Address()       // undefined if there are no managed objects
	h.rootRows = int(c.U16())  // rows of the root indirect block
	h.rootSize = h.start       // a direct root has the size of the first row
	if h.pipelineLength != 0 { // and with filters the size that they left
		h.rootSize = c.Length()
		h.rootMask = c.U32()
		// An unknown filter is not an error of the heap yet: small objects may be in their IDs.
		specs, err := readPipeline(c.Sub(h.pipelineLength))
		if err != nil {
			return nil, err
		}
		h.pipeline, h.pipelineErr = filter.New(specs)
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	if err := h.layout(largest); err != nil {
		return nil, err
	}
	return h, nil
}

// layout derives from the header what locates objects.
func (h *Fractal) layout(largest uint64) error {
	pow2 := func(v uint64) bool { return v != 0 && v&(v-1) == 0 && v < 1<<48 }
	switch {
	case !pow2(h.width), !pow2(h.start), !pow2(largest), largest < h.start:
		return h.r.Corrupt(h.addr, "fractal heap of %d blocks in a row, of %d to %d bytes", h.width, h.start, largest)
	case h.maxBits < 1 || h.maxBits > 63:
		return h.r.Corrupt(h.addr, "fractal heap of 2^%d bytes", h.maxBits)
	case h.idLength < 2:
		return h.r.Corrupt(h.addr, "fractal heap of IDs of %d bytes", h.idLength)
	}
	h.startBits = log2(h.start)
	h.rowBits = h.startBits + log2(h.width)
	h.directRows = log2(largest) - h.startBits + 2
	if h.rootRows > h.maxBits-h.rowBits+1 {
		return h.r.Corrupt(h.addr, "fractal heap of %d rows in 2^%d bytes", h.rootRows, h.maxBits)
	}
	h.offsetBytes = (h.maxBits + 7) / 8
	h.idOffset = h.offsetBytes
	h.idSize = min((log2(largest)+7)/8, (bits.Len64(h.maxManaged|1)+7)/8)
	room := h.idLength - 1
	direct := h.r.OffsetSize + h.r.LengthSize
	if h.pipelineLength > 0 {
		direct += 4 + h.r.LengthSize
	}
	h.hugeDirect = direct <= room
	h.hugeWidth = min(room, 8)
	h.tinyExt = room > 17
	return nil
}

// Object returns the bytes of the object with an ID. They are shared and read-only. If there is no such object, the error has kind
// Corrupt; if it is larger than Limits.AttributeSize and some overhead, kind Limit.
func (h *Fractal) Object(id []byte) ([]byte, error) {
	b, _, err := h.Find(id)
	return b, err
}

// Find is Object, and also returns the address of the object: that of its block if the block is filtered, that of the heap if the
// object is inside its ID.
func (h *Fractal) Find(id []byte) (b []byte, addr uint64, err error) {
	if len(id) != h.idLength {
		return nil, 0, h.r.Corrupt(h.addr, "ID of %d bytes in a fractal heap of IDs of %d", len(id), h.idLength)
	}
	if v := id[0] >> 6; v != 0 {
		return nil, 0, h.r.Unsupported(h.addr, "fractal heap ID of version %d", v)
	}
	switch kind := id[0] >> 4 & 3; kind {
	case 0:
		return h.managed(id[1:])
	case 1:
		return h.huge(id[1:])
	case 2:
		b, err = h.tiny(id)
		return b, h.addr, err
	default:
		return nil, 0, h.r.Corrupt(h.addr, "fractal heap ID of type %d", kind)
	}
}

// tiny returns the object inside an ID.
func (h *Fractal) tiny(id []byte) ([]byte, error) {
	n, data := int(id[0]&15)+1, id[1:]
	if h.tinyExt {
		n, data = int(id[0]&15)<<8+int(id[1])+1, id[2:]
	}
	if n > len(data) {
		return nil, h.r.Corrupt(h.addr, "fractal heap ID of %d bytes holds an object of %d", len(id), n)
	}
	return bytes.Clone(data[:n]), nil
}

// largest returns the maximum size of an object or a block: an attribute's value and what describes it.
func (h *Fractal) largest() uint64 {
	return uint64(min(h.r.Limits.AttributeSize, math.MaxInt32-1<<20)) + 1<<20
}

// huge returns an object that has an extent of the file to itself (specification, III.G, layouts "Fractal Heap ID
// for Huge Objects", sub-types 1 to 4).
func (h *Fractal) huge(id []byte) (b []byte, at uint64, err error) {
	r := h.r
	place := id
	if !h.hugeDirect {
		number := meta.LE(id[:h.hugeWidth])
		typ, key := btree.TypeHuge, r.OffsetSize+r.LengthSize
		if h.pipelineLength > 0 {
			typ, key = btree.TypeHugeFiltered, key+4+r.LengthSize
		}
		tree, err := btree.V2Header(r, h.hugeTree)
		if err != nil {
			return nil, 0, err
		}
		if tree.RecordSize != key+r.LengthSize {
			return nil, 0, r.Corrupt(h.hugeTree, "B-tree records of %d bytes for huge objects, %d expected", tree.RecordSize, key+r.LengthSize)
		}
		if err := h.lookUp(uint64(tree.NodeSize) * uint64(tree.Depth+1)); err != nil {
			return nil, 0, err
		}
		place = nil
		err = btree.V2Range(r, h.hugeTree, typ, func(rec []byte) int {
			return cmp.Compare(r.Len(rec[key:]), number)
		}, func(rec []byte) error {
			place = bytes.Clone(rec)
			return errFound // after one path down the tree
		})
		if err != nil && err != errFound {
			return nil, 0, err
		}
		if place == nil {
			return nil, 0, r.Corrupt(h.hugeTree, "no huge object of number %d", number)
		}
	}
	addr, size := r.Addr(place), r.Len(place[r.OffsetSize:])
	if _, err := r.FileOffset(addr, size); err != nil {
		return nil, 0, err
	}
	if size > h.largest() {
		return nil, 0, r.OverLimit(addr, "huge object of %d bytes in a fractal heap", size)
	}
	r.Extent(addr, size, "huge object of a fractal heap")
	p, err := r.Bytes(addr, int(size))
	if err != nil || h.pipelineLength == 0 {
		return p, addr, err
	}
	place = place[r.OffsetSize+r.LengthSize:]
	decoded := r.Len(place[4:])
	if decoded > h.largest() {
		return nil, 0, r.OverLimit(addr, "huge object of %d decoded bytes in a fractal heap", decoded)
	}
	p, err = h.decode(addr, p, binary.LittleEndian.Uint32(place), decoded)
	return p, addr, err
}

// errFound ends a search.
var errFound = errors.New("found")

// lookUp counts the bytes of the index of huge objects that one search may read. An object is larger than a path down the tree,
// unless nodes are very large, and objects are seldom read repeatedly.
func (h *Fractal) lookUp(n uint64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	limit := 16 * (min(uint64(h.r.Size()), 1<<58) + 1<<20)
	if n > limit-h.lookedUp {
		return h.r.OverLimit(h.hugeTree, "the index of a fractal heap's huge objects is searched too often for the size of its nodes")
	}
	h.lookedUp += n
	return nil
}

// decode undoes the heap's filters; the result must have size bytes.
func (h *Fractal) decode(addr uint64, p []byte, mask uint32, size uint64) ([]byte, error) {
	if h.pipelineErr != nil {
		return nil, h.pipelineErr
	}
	if err := h.r.Decode(addr, size); err != nil {
		return nil, err
	}
	st := filter.NewState()
	defer st.Close()
	out, err := h.pipeline.DecodeUnknown(st, p, mask, int(size))
	if err != nil {
		return nil, err
	}
	if uint64(len(out)) != size {
		return nil, h.r.Corrupt(addr, "%d bytes of a fractal heap decode to %d, not to %d", len(p), len(out), size)
	}
	return out, nil
}

// managed returns an object inside a direct block.
func (h *Fractal) managed(id []byte) ([]byte, uint64, error) {
	r := h.r
	if len(id) < h.idOffset+h.idSize {
		return nil, 0, r.Corrupt(h.addr, "fractal heap IDs of %d bytes are too short", h.idLength)
	}
	off, n := meta.LE(id[:h.idOffset]), meta.LE(id[h.idOffset:h.idOffset+h.idSize])
	if h.root == meta.Undefined {
		return nil, 0, r.Corrupt(h.addr, "ID of an object in an empty fractal heap")
	}
	if n > h.maxManaged || off >= 1<<h.maxBits {
		return nil, 0, r.Corrupt(h.addr, "fractal heap ID of %d bytes at %d", n, off)
	}
	b := block{addr: h.root, size: h.start, stored: h.rootSize, mask: h.rootMask}
	if h.rootRows > 0 {
		var err error
		if b, err = h.locate(off); err != nil {
			return nil, 0, err
		}
	}
	in, head := off-b.at, uint64(h.directHead())
	if in < head || in > b.size || n > b.size-in {
		return nil, 0, r.Corrupt(b.addr, "fractal heap ID of %d bytes at %d, outside the direct block of %d bytes at %d", n, off, b.size, b.at)
	}
	p, err := h.direct(b, in, n)
	if h.pipelineLength > 0 {
		in = 0
	}
	return p, b.addr + in, err
}

// directHead is the number of bytes of a direct block before its objects.
func (h *Fractal) directHead() int {
	n := 5 + h.r.OffsetSize + h.offsetBytes
	if h.checked {
		n += 4
	}
	return n
}

// locate goes down the indirect blocks to the direct block that covers the place off of the address space. Each
// level covers a part of the one above, so there are no more of them than rows.
func (h *Fractal) locate(off uint64) (block, error) {
	r := h.r
	addr, at, rows := h.root, uint64(0), h.rootRows
	entry := r.OffsetSize
	if h.pipelineLength > 0 {
		entry += r.LengthSize + 4
	}
	for {
		// Row and column of the entry that covers off.
		in, row, size, first := off-at, 0, h.start, uint64(0)
		if in>>h.rowBits != 0 {
			row = bits.Len64(in >> h.rowBits)
			size = h.start << (row - 1)
			first = 1 << (h.rowBits + row - 1)
		}
		col := (in - first) / size
		if row >= rows {
			return block{}, r.Corrupt(addr, "a fractal heap's indirect block of %d rows does not cover offset %d", rows, off)
		}
		p, err := h.indirect(addr, at, rows, entry)
		if err != nil {
			return block{}, err
		}
		at += first + col*size
		direct := uint64(min(rows, h.directRows)) * h.width
		i := uint64(row)*h.width + col
		if i < direct {
			p = p[i*uint64(entry):]
			b := block{addr: r.Addr(p), at: at, size: size, stored: size}
			if h.pipelineLength > 0 {
				b.stored = r.Len(p[r.OffsetSize:])
				b.mask = binary.LittleEndian.Uint32(p[r.OffsetSize+r.LengthSize:])
			}
			if b.addr == meta.Undefined {
				return b, r.Corrupt(addr, "offset %d of a fractal heap is in a direct block that does not exist", off)
			}
			return b, nil
		}
		p = p[direct*uint64(entry)+(i-direct)*uint64(r.OffsetSize):]
		below := log2(size) - h.rowBits + 1
		if below < 1 || below >= rows {
			return block{}, r.Corrupt(addr, "a fractal heap's indirect block of %d rows holds one of %d", rows, below)
		}
		if addr = r.Addr(p); addr == meta.Undefined {
			return block{}, r.Corrupt(h.addr, "offset %d of a fractal heap is in an indirect block that does not exist", off)
		}
		rows = below
	}
}

// indirect returns the entries of an indirect block: those for direct blocks, then those for indirect ones
// (specification, III.G, layout "Fractal Heap Indirect Block").
func (h *Fractal) indirect(addr, at uint64, rows, entry int) ([]byte, error) {
	direct := min(rows, h.directRows)
	size := int(h.width) * (direct*entry + (rows-direct)*h.r.OffsetSize)
	b := block{addr: addr, at: at, size: uint64(size), rows: rows}
	k, err := h.cached(b)
	if err != nil || k.data != nil {
		return k.data, err
	}
	head := 5 + h.r.OffsetSize + h.offsetBytes
	if err := h.meet(addr, uint64(head+size+4)); err != nil {
		return nil, err
	}
	p, err := h.r.Verified(addr, head+size+4, "FHIB", "fractal heap indirect block")
	if err != nil {
		return nil, err
	}
	if err := h.owned(p, addr, at, "indirect"); err != nil {
		return nil, err
	}
	h.keep(b, p[head:])
	h.expect(p[head:], direct, entry)
	return p[head:], nil
}

// expect says that the direct blocks of an indirect block will be read.
func (h *Fractal) expect(entries []byte, rows, entry int) {
	size := int64(h.start)
	for i := range rows {
		if i > 1 {
			size *= 2
		}
		row := entries[i*int(h.width)*entry:]
		h.r.ExpectChildren(size, row[:int(h.width)*entry], entry)
	}
}

// owned checks that a block belongs to this heap and to the place where it is used.
func (h *Fractal) owned(p []byte, addr, at uint64, kind string) error {
	if p[4] != 0 {
		return h.r.Unsupported(addr, "fractal heap %s block of version %d", kind, p[4])
	}
	if owner := h.r.Addr(p[5:]); owner != h.addr {
		return h.r.Corrupt(addr, "fractal heap %s block of the heap at address %#x, not %#x", kind, owner, h.addr)
	}
	p = p[5+h.r.OffsetSize:]
	if got := meta.LE(p[:h.offsetBytes]); got != at {
		return h.r.Corrupt(addr, "fractal heap %s block at offset %d of the heap says %d", kind, at, got)
	}
	return nil
}

// direct returns n bytes at in of a direct block, whose range was checked (specification, III.G, layout "Fractal
// Heap Direct Block").
func (h *Fractal) direct(b block, in, n uint64) ([]byte, error) {
	r := h.r
	switch k, err := h.cached(b); {
	case err != nil:
		return nil, err
	case k.data != nil:
		return k.data[in : in+n : in+n], nil
	case k.place == b:
		return r.Bytes(b.addr+in, int(n))
	}
	if b.size > h.largest() {
		return nil, r.OverLimit(b.addr, "fractal heap direct block of %d bytes", b.size)
	}
	if _, err := r.FileOffset(b.addr, b.stored); err != nil {
		return nil, err
	}
	if b.stored > h.largest() {
		return nil, r.OverLimit(b.addr, "fractal heap direct block of %d stored bytes", b.stored)
	}
	if err := h.meet(b.addr, b.stored); err != nil {
		return nil, err
	}
	p, err := r.Bytes(b.addr, int(b.stored))
	if err != nil {
		return nil, err
	}
	r.Extent(b.addr, b.stored, "fractal heap direct block")
	if h.pipelineLength > 0 {
		if p, err = h.decode(b.addr, p, b.mask, b.size); err != nil {
			return nil, err
		}
	}
	if string(p[:4]) != "FHDB" {
		return nil, r.Corrupt(b.addr, "signature %q of a fractal heap direct block expected, found %q", "FHDB", p[:4])
	}
	if err := h.owned(p, b.addr, b.at, "direct"); err != nil {
		return nil, err
	}
	if h.checked {
		// The checksum covers the block with zeros in place of itself.
		at := h.directHead() - 4
		stored := binary.LittleEndian.Uint32(p[at:])
		q := bytes.Clone(p)
		clear(q[at : at+4])
		if got := meta.Checksum(q); got != stored && !r.AnyChecksum {
			return nil, r.Corrupt(b.addr, "checksum of the fractal heap direct block is %#08x, stored is %#08x", got, stored)
		}
	}
	h.keep(b, p)
	return p[in : in+n : in+n], nil
}

// meet counts the bytes of a block that is read for the first time.
func (h *Fractal) meet(addr, n uint64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.met[addr]; ok {
		return nil
	}
	if !h.room.Take(n) {
		return h.r.Corrupt(addr, "the blocks of a fractal heap overlap: they are larger than the file")
	}
	if h.met == nil {
		h.met = map[uint64]struct{}{}
	}
	h.met[addr] = struct{}{}
	return nil
}

// cached returns what is known about a block: nothing if it was not read or was dropped. A heap that has two
// blocks at one address is corrupt.
func (h *Fractal) cached(b block) (keptBlock, error) {
	h.mu.Lock()
	k, ok := h.blocks[b.addr]
	h.mu.Unlock()
	if ok && k.place != b {
		return k, h.r.Corrupt(b.addr, "the block at address %#x is used twice in a fractal heap", b.addr)
	}
	return k, nil
}

// keep caches a block that was verified. When the cache is full, a direct block without filters is only remembered
// as sound, so that its objects are read one by one from then on; any other takes the place of some that are cached.
func (h *Fractal) keep(b block, data []byte) {
	const overhead = 128 // bytes of an entry, besides its data
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.blocks == nil {
		h.blocks = map[uint64]keptBlock{}
	}
	if b.rows == 0 && h.pipelineLength == 0 && h.kept+len(data) > fractalCache {
		data = nil
	}
	cost := len(data) + overhead
	if _, ok := h.blocks[b.addr]; ok || cost > fractalCache {
		return
	}
	for a, k := range h.blocks {
		if h.kept+cost <= fractalCache {
			break
		}
		delete(h.blocks, a)
		h.kept -= len(k.data) + overhead
	}
	h.blocks[b.addr] = keptBlock{b, data}
	h.kept += cost
}

func log2(v uint64) int { return bits.Len64(v) - 1 }
