package write

import (
	"encoding/binary"
	"math"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write/internal/format"
)

// values knows how elements of a type are given and stored.
type values struct {
	t        *h5.Type
	size     int  // as stored
	minBytes int  // bytes of the smallest element in flat form
	heap     bool // elements are in flat form
	same     bool // inside an element in flat form, this part is as it is stored
	refs     bool // there are references
	base     *values
	parts    []part // of a compound
	items    int    // of an array

	at []int // offsets of references in an element that is not in flat form
}

type part struct {
	offset int
	v      *values
}

// newValues returns the values of a valid type.
func newValues(t *h5.Type) *values {
	v := &values{t: t, size: t.Size, minBytes: t.Size}
	v.same = true
	switch t.Class {
	case h5.ClassReference:
		v.refs, v.at = true, []int{0}
		if t.Ref != h5.RefObject1 {
			v.heap, v.same, v.minBytes = true, false, 8
		}
	case h5.ClassVLen:
		v.heap, v.same, v.minBytes = true, false, 8
		if !t.VarString {
			v.base = newValues(t.Base)
			v.refs = v.base.refs
		}
	case h5.ClassCompound:
		v.minBytes = 0
		for _, m := range t.Members {
			p := part{m.Offset, newValues(m.Type)}
			v.same = v.same && p.v.same && m.Offset == v.minBytes
			v.minBytes += p.v.minBytes
			v.parts = append(v.parts, p)
			v.heap, v.refs = v.heap || p.v.heap, v.refs || p.v.refs
			for _, at := range p.v.at {
				v.at = append(v.at, m.Offset+at)
			}
		}
		v.same = v.same && v.minBytes == v.size
	case h5.ClassArray:
		v.base = newValues(t.Base)
		v.heap, v.refs, v.same = v.base.heap, v.base.refs, v.base.same
		v.items = t.Size / t.Base.Size
		v.minBytes = v.items * v.base.minBytes
		if len(v.base.at) > 0 && !v.heap {
			for i := range v.items {
				for _, at := range v.base.at {
					v.at = append(v.at, i*t.Base.Size+at)
				}
			}
		}
	}
	return v
}

// convert appends n elements to out as they are stored, and returns the rest of data. What they point to is added to a heap.
func (v *values) convert(f *File, h *heap, out *format.Block, data []byte, n uint64) ([]byte, error) {
	return v.elements(f, h, out, data, n, !v.heap)
}

// elements is convert for elements that are given as they are stored, or in flat form.
func (v *values) elements(f *File, h *heap, out *format.Block, data []byte, n uint64, stored bool) ([]byte, error) {
	if stored {
		if n > uint64(len(data))/uint64(v.size) {
			return nil, h5err.New(h5err.Argument, "%d bytes for %d elements of %d bytes", len(data), n, v.size)
		}
		all := int(n) * v.size
		at := len(out.Data)
		out.Bytes(data[:all])
		for i := 0; v.refs && i < all; i += v.size {
			for _, r := range v.at {
				if err := patch(f, out, at+i+r); err != nil {
					return nil, err
				}
			}
		}
		return data[all:], nil
	}
	for range n {
		var err error
		if data, err = v.element(f, h, out, data); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// patch replaces the number of an object at a place by its address.
func patch(f *File, out *format.Block, at int) error {
	p := out.Data[at : at+8]
	id := binary.LittleEndian.Uint64(p)
	clear(p)
	if id == 0 {
		return nil
	}
	o, err := f.byID(id)
	if err != nil {
		return err
	}
	out.Patch(at, 8, o.base().head)
	return nil
}

// refHead is the number of bytes of a reference's kind and flags.
const refHead = 2

func (f *File) byID(id uint64) (Object, error) {
	if id > uint64(len(f.objects)) {
		return nil, h5err.New(h5err.Argument, "a reference to object %d of %d", id, len(f.objects))
	}
	return f.objects[id-1], nil
}

// flatLength reads a length that elements of at least size bytes in data must allow.
func flatLength(data []byte, size int) (int, []byte, error) {
	if len(data) < 8 {
		return 0, nil, h5err.New(h5err.Argument, "values in flat form end early")
	}
	n := binary.LittleEndian.Uint64(data)
	if data = data[8:]; n > uint64(len(data)/size) || n > math.MaxUint32 {
		return 0, nil, h5err.New(h5err.Argument, "a value of length %d in flat form, %d bytes are left", n, len(data))
	}
	return int(n), data, nil
}

// element converts one element in flat form.
func (v *values) element(f *File, h *heap, out *format.Block, data []byte) ([]byte, error) {
	if v.same {
		return v.elements(f, h, out, data, 1, true)
	}
	switch v.t.Class {
	case h5.ClassVLen:
		return v.sequence(f, h, out, data)
	case h5.ClassReference:
		n, data, err := flatLength(data, 1)
		if err == nil && n == 0 {
			out.Zeros(v.size)
		} else if err == nil && v.t.Ref == h5.RefRegion1 {
			err = region(f, h, out, data[:n])
		} else if err == nil {
			err = v.reference(f, h, out, data[:n])
		}
		return data[n:], err
	case h5.ClassArray:
		for range v.items {
			var err error
			if data, err = v.base.element(f, h, out, data); err != nil {
				return nil, err
			}
		}
		return data, nil
	}
	whole := &format.Block{Data: make([]byte, v.size)}
	for _, p := range v.parts {
		m := &format.Block{}
		var err error
		if data, err = p.v.element(f, h, m, data); err != nil {
			return nil, err
		}
		copy(whole.Data[p.offset:], m.Data)
		whole.Take(m, p.offset)
	}
	out.Block(whole)
	return data, nil
}

// sequence converts a variable string or a sequence.
func (v *values) sequence(f *File, h *heap, out *format.Block, data []byte) ([]byte, error) {
	n, data, err := flatLength(data, v.itemLeast())
	if err != nil {
		return nil, err
	}
	if n == 0 {
		out.Zeros(v.size)
		return data, nil
	}
	body := &format.Block{}
	if v.base == nil {
		body.Data, data = data[:n:n], data[n:]
	} else if data, err = v.base.elements(f, h, body, data, uint64(n), v.base.same); err != nil {
		return nil, err
	}
	out.U32(uint32(n))
	return data, h.add(out, body)
}

// itemLeast is the number of bytes of the smallest item of a sequence in flat form.
func (v *values) itemLeast() int {
	if v.base == nil {
		return 1
	}
	return v.base.minBytes
}

// region converts a region reference: the number of the dataset, and a selection as it is stored.
func region(f *File, h *heap, out *format.Block, data []byte) error {
	if len(data) < 8 {
		return h5err.New(h5err.Argument, "a region reference of %d bytes in flat form", len(data))
	}
	body := &format.Block{}
	body.Bytes(data)
	if err := refer(f, body, 0); err != nil {
		return err
	}
	return h.add(out, body)
}

// refer replaces the number of an object in body by its address.
func refer(f *File, body *format.Block, at int) error {
	id := binary.LittleEndian.Uint64(body.Data[at:])
	if id == 0 {
		return h5err.New(h5err.Argument, "a reference to no object")
	}
	o, err := f.byID(id)
	if err != nil {
		return err
	}
	body.Patch(at, 8, o.base().head)
	return nil
}

// reference converts a reference of HDF5 1.12 (specification, VIII. Appendix D): its kind and flags, the number of the object
// or, if that is in another file, its address, and the rest as it is stored. All but those to objects of the file have a place in the
// heap.
func (v *values) reference(f *File, h *heap, out *format.Block, data []byte) error {
	if len(data) < refHead+8 || v.size != refHead+16 {
		return h5err.New(h5err.Argument, "a reference of %d bytes in flat form, for one of %d", len(data), v.size)
	}
	plain := data[0] == h5.RefToObject && data[1]&h5.RefElsewhere == 0
	body := &format.Block{}
	body.U8(8) // bytes of an address
	body.Bytes(data[refHead:])
	if data[1]&h5.RefElsewhere == 0 {
		if err := refer(f, body, 1); err != nil {
			return err
		}
	}
	out.Bytes(data[:refHead])
	if plain {
		if len(data) != refHead+8 {
			return h5err.New(h5err.Argument, "a reference of %d bytes to an object in flat form", len(data))
		}
		at := len(out.Data)
		out.Bytes(body.Data)
		out.Take(body, at)
		out.Zeros(v.size - refHead - len(body.Data))
		return nil
	}
	out.U32(uint32(len(body.Data)))
	return h.add(out, body)
}

// count returns how many elements data in flat form has.
func (v *values) count(data []byte) (n uint64, err error) {
	if !v.heap {
		if len(data)%v.size != 0 {
			return 0, h5err.New(h5err.Argument, "%d bytes for elements of %d bytes", len(data), v.size)
		}
		return uint64(len(data) / v.size), nil
	}
	for ; len(data) > 0; n++ {
		if data, err = v.skip(data); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// skip returns data after one element in flat form.
func (v *values) skip(data []byte) (rest []byte, err error) {
	if v.same {
		if len(data) < v.size {
			return nil, h5err.New(h5err.Argument, "values in flat form end early")
		}
		return data[v.size:], nil
	}
	switch v.t.Class {
	case h5.ClassVLen, h5.ClassReference:
		minBytes := v.itemLeast()
		n, data, err := flatLength(data, minBytes)
		if err != nil || v.base == nil || v.base.same {
			return data[min(n*minBytes, len(data)):], err
		}
		for range n {
			if data, err = v.base.skip(data); err != nil {
				return nil, err
			}
		}
		return data, nil
	case h5.ClassArray:
		for range v.items {
			if data, err = v.base.skip(data); err != nil {
				return nil, err
			}
		}
		return data, nil
	}
	for _, p := range v.parts {
		if data, err = p.v.skip(data); err != nil {
			return nil, err
		}
	}
	return data, nil
}
