package flat

import (
	"encoding/binary"
	"math"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// RefHead is the number of bytes of the kind and the flags of a reference of HDF5 1.12.
const RefHead = 2

// Flattener turns values as a file stores them into the form that Dataset.Write takes: what values point to in the heap takes the
// place of the pointers, and the numbers of objects that of references. Only one goroutine may use it.
type Flattener struct {
	v    *Values
	heap *h5.HeapReader
	file *h5.File
	id   func(addr uint64) (uint64, error)
	left int64
}

// maxFlat bounds what one call of Flattener.Append appends: values of a small file may share and nest large ones.
const maxFlat = 1 << 30

// NewFlattener returns a Flattener for values of type t in file f. id returns the number, Object.ID, for the address of an object
// that values refer to; its error ends the call that came upon the reference.
func NewFlattener(f *h5.File, t *h5.Type, id func(addr uint64) (uint64, error)) *Flattener {
	return &Flattener{v: New(t), heap: f.HeapReader(), file: f, id: id}
}

// Plain reports whether values are the same in both forms.
func (fl *Flattener) Plain() bool { return !fl.v.Heap && !fl.v.Refs }

// Append appends the elements in stored to dst. More than 1 GiB in one call is an error of kind Limit. References to regions and
// attributes, and into other files, are kept; those that lead nowhere become null references.
func (fl *Flattener) Append(dst, stored []byte) ([]byte, error) {
	if len(stored)%fl.v.Size != 0 {
		return nil, h5err.New(h5err.Corrupt, "%d bytes for elements of %d bytes", len(stored), fl.v.Size)
	}
	if n := fl.file.OffsetSize(); fl.v.Refs && n != 8 {
		return nil, h5err.New(h5err.Unsupported, "values that hold addresses of %d bytes", n)
	}
	fl.left = maxFlat
	return fl.elements(dst, fl.v, stored, !fl.v.Heap)
}

func (fl *Flattener) take(n int) error {
	if fl.left -= int64(n); fl.left < 0 {
		return h5err.New(h5err.Limit, "values point to more than %d bytes", int64(maxFlat))
	}
	return nil
}

// elements appends elements, with whole as they are stored, except for references.
func (fl *Flattener) elements(dst []byte, v *Values, stored []byte, whole bool) ([]byte, error) {
	if err := fl.take(len(stored)); err != nil {
		return nil, err
	}
	if whole {
		at := len(dst)
		dst = append(dst, stored...)
		for ; v.Refs && at < len(dst); at += v.Size {
			for _, r := range v.At {
				if err := fl.number(dst[at+r : at+r+8]); err != nil {
					return nil, err
				}
			}
		}
		return dst, nil
	}
	for ; len(stored) > 0; stored = stored[v.Size:] {
		var err error
		if dst, err = fl.element(dst, v, stored[:v.Size]); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// number replaces a stored reference by the number of an object.
func (fl *Flattener) number(p []byte) error {
	id, err := fl.refer(p)
	binary.LittleEndian.PutUint64(p, id)
	return err
}

// refer returns the number of the object at a stored address, 0 if there is none.
func (fl *Flattener) refer(p []byte) (uint64, error) {
	addr, ok := fl.file.RefAddress(p)
	if !ok {
		return 0, nil
	}
	return fl.id(addr)
}

func (fl *Flattener) element(dst []byte, v *Values, p []byte) ([]byte, error) {
	switch v.Type.Class {
	case h5.ClassVLen:
		return fl.sequence(dst, v, p)
	case h5.ClassReference:
		if v.Type.Ref == h5.RefRegion1 {
			return fl.region(dst, p)
		}
		return fl.reference(dst, v.Type, p)
	case h5.ClassArray:
		return fl.elements(dst, v.Base, p, v.Base.Same)
	}
	for _, m := range v.Parts {
		var err error
		if dst, err = fl.elements(dst, m.Values, p[m.Offset:m.Offset+m.Values.Size], m.Values.Same); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// object returns what a pointer to the heap leads to; nil for a null pointer.
func (fl *Flattener) object(p []byte) ([]byte, error) {
	n := fl.file.OffsetSize()
	addr, ok := fl.file.RefAddress(p[:n])
	if !ok {
		return nil, nil
	}
	return fl.heap.Object(addr, binary.LittleEndian.Uint32(p[n:]))
}

// sequence appends a variable string or a sequence.
func (fl *Flattener) sequence(dst []byte, v *Values, p []byte) ([]byte, error) {
	count := binary.LittleEndian.Uint32(p)
	body, err := fl.object(p[4:])
	if err != nil {
		return nil, err
	}
	size := 1
	if v.Base != nil {
		size = v.Base.Size
	}
	if body == nil {
		count = 0 // a null pointer, whatever the length says
	}
	if uint64(count)*uint64(size) > uint64(len(body)) {
		return nil, h5err.New(h5err.Corrupt, "a value of %d items of %d bytes in %d bytes of the heap", count, size, len(body))
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(count))
	body = body[:int(count)*size]
	if v.Base == nil {
		return append(dst, body...), fl.take(8 + len(body))
	}
	if err := fl.take(8); err != nil {
		return nil, err
	}
	return fl.elements(dst, v.Base, body, v.Base.Same)
}

// region appends a region reference: the number of the dataset, and the selection.
func (fl *Flattener) region(dst []byte, p []byte) ([]byte, error) {
	body, err := fl.object(p)
	if err != nil {
		return nil, err
	}
	n := fl.file.OffsetSize()
	if len(body) < n || len(body) > math.MaxInt32 {
		return fl.null(dst)
	}
	id, err := fl.refer(body[:n])
	if err != nil {
		return nil, err
	}
	if id == 0 {
		return fl.null(dst)
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(8+len(body)-n))
	dst = binary.LittleEndian.AppendUint64(dst, id)
	return append(dst, body[n:]...), fl.take(len(body))
}

func (fl *Flattener) null(dst []byte) ([]byte, error) {
	return binary.LittleEndian.AppendUint64(dst, 0), fl.take(8)
}

// reference appends a reference of HDF5 1.12 (specification, VIII. Appendix D): its kind and flags, the number of the object, and
// what comes after that. One into another file keeps the address there.
func (fl *Flattener) reference(dst []byte, t *h5.Type, p []byte) ([]byte, error) {
	if t.Size != RefHead+16 {
		return nil, h5err.New(h5err.Unsupported, "references of %d bytes", t.Size)
	}
	head, body := p[:RefHead], p[RefHead:RefHead+9]
	if ref, err := h5.ObjectReference(t, p, 8); err == nil && ref == nil {
		return fl.null(dst)
	} else if err != nil && !h5err.Is(err, h5err.Unsupported) {
		return nil, err
	} else if err != nil {
		n := binary.LittleEndian.Uint32(body)
		if body, err = fl.object(p[RefHead+4:]); err != nil {
			return nil, err
		}
		if uint64(n) > uint64(len(body)) || n < 9 || n > math.MaxInt32 || body[0] != 8 {
			return nil, h5err.New(h5err.Corrupt, "a reference of kind %d of %d bytes, in %d of the heap", head[0], n, len(body))
		}
		body = body[:n]
	}
	id := binary.LittleEndian.Uint64(body[1:])
	if head[1]&h5.RefElsewhere == 0 {
		var err error
		if id, err = fl.refer(body[1:9]); err != nil {
			return nil, err
		}
		if id == 0 {
			return fl.null(dst)
		}
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(RefHead+len(body)-1))
	dst = append(dst, head...)
	dst = binary.LittleEndian.AppendUint64(dst, id)
	return append(dst, body[9:]...), fl.take(8 + len(body))
}
