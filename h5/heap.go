package h5

import (
	"bytes"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/heap"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// heapCache bounds the memory of cached global heap collections.
const heapCache = 32 << 20

// heapObject returns an object of the global heap (specification, III.E): variable-length values, virtual mappings, region
// references. The bytes are shared and read-only.
func (f *File) heapObject(addr uint64, index uint32) ([]byte, error) {
	c, err := f.collection(addr)
	if err != nil {
		return nil, err
	}
	return c.Object(index)
}

// HeapReader reads objects of a file's global heap (specification, III.E). It remembers the collection that it read last, so it is
// fastest if the objects of each collection are read together. Only one goroutine may use it.
type HeapReader struct {
	f    *File
	addr uint64
	last *heap.Collection
}

// HeapReader returns a reader of the file's global heap.
func (f *File) HeapReader() *HeapReader { return &HeapReader{f: f} }

// Object returns an object of the collection at an address. The bytes are shared and read-only.
func (r *HeapReader) Object(addr uint64, index uint32) ([]byte, error) {
	c, err := r.collection(addr)
	if err != nil {
		return nil, err
	}
	return c.Object(index)
}

func (r *HeapReader) collection(addr uint64) (*heap.Collection, error) {
	if r.last == nil || addr != r.addr {
		c, err := r.f.collection(addr)
		if err != nil {
			return nil, err
		}
		r.addr, r.last = addr, c
	}
	return r.last, nil
}

// Prefix returns the first n bytes of an object, all of a shorter one. They are shared and not to be written to.
func (r *HeapReader) Prefix(addr uint64, index uint32, n int64) ([]byte, error) {
	c, err := r.collection(addr)
	if err != nil {
		return nil, err
	}
	return c.Prefix(index, n)
}

// Size returns the number of bytes of an object, without reading it.
func (r *HeapReader) Size(addr uint64, index uint32) (int64, error) {
	c, err := r.collection(addr)
	if err != nil {
		return 0, err
	}
	return c.ObjectSize(index)
}

func (f *File) collection(addr uint64) (*heap.Collection, error) {
	f.heapMu.Lock()
	c := f.collections[addr]
	_, met := f.heaps[addr]
	full := f.heapsBytes > f.allowance()
	f.heapMu.Unlock()
	switch {
	case c != nil:
		return c, nil
	case addr == 0:
		return nil, h5err.New(h5err.Corrupt, "no heap at address 0")
	case full && !met:
		return nil, f.r.Corrupt(addr, "global heap collections overlap: they are larger than the file")
	}
	c, err := heap.ReadCollection(f.r, addr)
	if err != nil {
		return nil, err
	}
	f.heapMu.Lock()
	defer f.heapMu.Unlock()
	f.meetHeap(addr, c.Size)
	if known := f.collections[addr]; known != nil { // another goroutine was faster
		return known, nil
	}
	if f.heapBytes > heapCache {
		clear(f.collections)
		f.heapBytes = 0
	}
	f.collections[addr] = c
	f.heapBytes += c.Memory()
	return c, nil
}

// minHeap is the minimum size of a collection by the specification. Smaller ones are read, but count as much.
const minHeap = 4096

// meetHeap counts the bytes of a collection when it is first read. Collections do not overlap, so together they are no larger
// than the file; otherwise each value of a small file could make a reader read another large one. f.heapMu is held.
func (f *File) meetHeap(addr uint64, size int64) {
	if _, ok := f.heaps[addr]; ok {
		return
	}
	if f.heaps == nil {
		f.heaps = map[uint64]struct{}{}
	}
	f.heaps[addr] = struct{}{}
	f.heapsBytes += max(size, minHeap)
}

// RefAddress returns the address in a stored object reference; ok is false for a null reference.
func (f *File) RefAddress(ref []byte) (addr uint64, ok bool) {
	if len(ref) < f.r.OffsetSize {
		return 0, false
	}
	a := meta.NewCursor(ref, 0, f.r.OffsetSize, f.r.LengthSize).Address()
	return a, a != 0 && a != meta.Undefined
}

// The kinds of references of HDF5 1.12, which each value states in its first byte: they all have the same type.
const (
	RefToObject    = 2
	RefToRegion    = 3
	RefToAttribute = 4
)

// RefElsewhere is the flag of a reference into another file, in the byte after its kind.
const RefElsewhere = 1

// ObjectReference returns the part of a stored reference of type t that RefAddress takes, or nil for a null reference. The
// file's addresses have offsetSize bytes. References of HDF5 1.12 (RefObject2; specification, VIII. Appendix D, "References") state
// what they refer to: a region, an attribute or an object in another file is an error of kind Unsupported.
//
//	+------+-------+------------+-----------------+---------+
//	| kind | flags | size: 1    | address         | rest    |  to an object of the file
//	+------+-------+------------+-----------------+---------+
//	| kind | flags | bytes: 4   | heap collection | index: 4|  anything else
//	+------+-------+------------+-----------------+---------+
func ObjectReference(t *Type, p []byte, offsetSize int) ([]byte, error) {
	if t.Ref == RefObject1 {
		return p, nil
	}
	if len(p) < 3 {
		return nil, h5err.New(h5err.Corrupt, "a reference of %d bytes", len(p))
	}
	switch kind, external := p[0], p[1]&RefElsewhere != 0; {
	case kind == 0 && len(bytes.Trim(p, "\x00")) == 0:
		return nil, nil
	case kind == RefToRegion:
		return nil, h5err.New(h5err.Unsupported, "a region reference")
	case kind == RefToAttribute:
		return nil, h5err.New(h5err.Unsupported, "a reference to an attribute")
	case kind != RefToObject:
		return nil, h5err.New(h5err.Corrupt, "a reference of kind %d", kind)
	case external:
		return nil, h5err.New(h5err.Unsupported, "a reference to an object in another file")
	}
	if n := int(p[2]); n != offsetSize || n > len(p)-3 {
		return nil, h5err.New(h5err.Corrupt, "a reference that holds an address of %d bytes", n)
	}
	return p[3 : 3+offsetSize], nil
}
