package heap

import (
	"encoding/binary"
	"slices"
	"sort"

	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// wholeCollection is the size up to which a collection is read at once. Of larger ones, which have large objects, only the
// headers are read until an object is needed.
const wholeCollection = 256 << 10

// Collection is one collection of global heap objects (specification, III.E, "Disk Format: Level 1E - Global
// Heap"). It is immutable and may be shared.
type Collection struct {
	Size int64 // bytes of the collection in the file

	r       *meta.Reader
	addr    uint64
	data    []byte // nil for a large collection
	objects []globalObject
}

type globalObject struct {
	index uint16
	off   uint64 // of the data, from the start of the collection
	size  uint64
}

const globalObjectBytes = 24 // in memory

// ReadCollection parses the collection at addr.
func ReadCollection(r *meta.Reader, addr uint64) (*Collection, error) {
	head := align8(8 + r.LengthSize)
	c := r.Cursor(addr, head)
	c.Signature("GCOL")
	version := c.U8()
	if c.Err() == nil && version != 1 {
		return nil, r.Unsupported(addr, "global heap collection of version %d", version)
	}
	c.Skip(3)
	size := c.Length()
	if err := c.Err(); err != nil {
		return nil, err
	}
	if _, err := r.FileOffset(addr, size); err != nil {
		return nil, err
	}
	if size < uint64(head) {
		return nil, r.Corrupt(addr, "global heap collection of %d bytes", size)
	}
	h := &Collection{Size: int64(size), r: r, addr: addr}
	if size <= wholeCollection {
		var err error
		if h.data, err = r.Bytes(addr, int(size)); err != nil {
			return nil, err
		}
	}
	r.Extent(addr, size, "global heap collection")
	if err := h.parse(uint64(head), size); err != nil {
		return nil, err
	}
	return h, nil
}

// parse finds the objects. The rest at the end may be too small for an object's header; it is free space.
func (h *Collection) parse(pos, size uint64) error {
	head := uint64(align8(8 + h.r.LengthSize)) // of an object
	sorted, last := true, uint16(0)
	for size-pos >= head {
		p, err := h.bytes(pos, head)
		if err != nil {
			return err
		}
		index, n := binary.LittleEndian.Uint16(p), h.r.Len(p[8:])
		if index == 0 { // free space: its size counts its header
			if n < head {
				break
			}
			if n > size-pos {
				return h.r.Corrupt(h.addr+pos, "%d bytes of free space in a global heap collection that has %d left", n, size-pos)
			}
			pos += n
			continue
		}
		if n > size-pos-head {
			return h.r.Corrupt(h.addr+pos, "object %d of a global heap collection has %d bytes, %d are left", index, n, size-pos-head)
		}
		if len(h.objects) == 1<<16 {
			return h.r.Corrupt(h.addr+pos, "more objects in a global heap collection than indexes")
		}
		h.objects = append(h.objects, globalObject{index, pos + head, n})
		sorted = sorted && index > last
		last = index
		pos += head + min((n+7)&^7, size-pos-head)
	}
	if sorted {
		return nil
	}
	slices.SortStableFunc(h.objects, func(a, b globalObject) int { return int(a.index) - int(b.index) })
	for i := 1; i < len(h.objects); i++ {
		if h.objects[i].index == h.objects[i-1].index {
			return h.r.Corrupt(h.addr+h.objects[i].off, "a global heap collection holds object %d twice", h.objects[i].index)
		}
	}
	return nil
}

func (h *Collection) bytes(off, n uint64) ([]byte, error) {
	if h.data != nil {
		return h.data[off : off+n : off+n], nil
	}
	return h.r.Bytes(h.addr+off, int(n))
}

// Memory returns about how many bytes of memory the collection takes: twice its size if objects are small.
func (h *Collection) Memory() int64 {
	return int64(cap(h.data)) + globalObjectBytes*int64(cap(h.objects))
}

// find returns the object of an index, which in most files is also its position.
func (h *Collection) find(index uint32) (globalObject, error) {
	if i := uint64(index) - 1; i < uint64(len(h.objects)) && uint32(h.objects[i].index) == index {
		return h.objects[i], nil
	}
	i := sort.Search(len(h.objects), func(i int) bool { return uint32(h.objects[i].index) >= index })
	if index == 0 || i == len(h.objects) || uint32(h.objects[i].index) != index {
		return globalObject{}, h.r.Corrupt(h.addr, "the global heap collection has no object %d", index)
	}
	return h.objects[i], nil
}

// Prefix returns the first n bytes of an object, all of a shorter one.
func (h *Collection) Prefix(index uint32, n int64) ([]byte, error) {
	o, err := h.find(index)
	if err != nil {
		return nil, err
	}
	return h.bytes(o.off, min(o.size, uint64(n)))
}

// ObjectSize returns the number of bytes of an object, without reading it.
func (h *Collection) ObjectSize(index uint32) (int64, error) {
	o, err := h.find(index)
	return int64(o.size), err
}

// Object returns the bytes of an object. Index 0 marks free space and is not an object. The bytes are shared and read-only. A
// caller with a memory budget may call ObjectSize first.
func (h *Collection) Object(index uint32) ([]byte, error) {
	o, err := h.find(index)
	if err != nil {
		return nil, err
	}
	return h.bytes(o.off, o.size)
}

func align8(n int) int { return (n + 7) &^ 7 }
