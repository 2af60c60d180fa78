package write

import (
	"encoding/binary"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write/flat"
	"github.com/h5arrow/h5arrow/h5/write/internal/format"
)

// converter converts values from the form in which they are given to that in which a file has them.
type converter struct {
	f    *File
	heap *heap // for what they point to
}

// convert appends n elements to out as they are stored, and returns the rest of data. What they point to is added to a heap.
func (c converter) convert(v *flat.Values, out *format.Block, data []byte, n uint64) ([]byte, error) {
	return c.elements(v, out, data, n, !v.Heap)
}

// elements is convert for elements that are given as they are stored, or in flat form.
func (c converter) elements(v *flat.Values, out *format.Block, data []byte, n uint64, stored bool) ([]byte, error) {
	if stored {
		if n > uint64(len(data))/uint64(v.Size) {
			return nil, h5err.New(h5err.Argument, "%d bytes for %d elements of %d bytes", len(data), n, v.Size)
		}
		all := int(n) * v.Size
		at := len(out.Data)
		out.Bytes(data[:all])
		for i := 0; v.Refs && i < all; i += v.Size {
			for _, r := range v.At {
				if err := c.patch(out, at+i+r); err != nil {
					return nil, err
				}
			}
		}
		return data[all:], nil
	}
	for range n {
		var err error
		if data, err = c.element(v, out, data); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// patch replaces the number of an object at a place by its address; 0 is a null reference.
func (c converter) patch(out *format.Block, at int) error {
	if binary.LittleEndian.Uint64(out.Data[at:]) == 0 {
		return nil
	}
	return c.refer(out, at)
}

func (f *File) byID(id uint64) (Object, error) {
	if id > uint64(len(f.objects)) {
		return nil, h5err.New(h5err.Argument, "a reference to object %d of %d", id, len(f.objects))
	}
	return f.objects[id-1], nil
}

// element converts one element in flat form.
func (c converter) element(v *flat.Values, out *format.Block, data []byte) ([]byte, error) {
	if v.Same {
		return c.elements(v, out, data, 1, true)
	}
	switch v.Type.Class {
	case h5.ClassVLen:
		return c.sequence(v, out, data)
	case h5.ClassReference:
		n, data, err := flat.Length(data, 1)
		if err == nil && n == 0 {
			out.Zeros(v.Size)
		} else if err == nil && v.Type.Ref == h5.RefRegion1 {
			err = c.region(out, data[:n])
		} else if err == nil {
			err = c.reference(v, out, data[:n])
		}
		return data[n:], err
	case h5.ClassArray:
		for range v.Items {
			var err error
			if data, err = c.element(v.Base, out, data); err != nil {
				return nil, err
			}
		}
		return data, nil
	}
	whole := &format.Block{Data: make([]byte, v.Size)}
	for _, p := range v.Parts {
		m := &format.Block{}
		var err error
		if data, err = c.element(p.Values, m, data); err != nil {
			return nil, err
		}
		copy(whole.Data[p.Offset:], m.Data)
		whole.Take(m, p.Offset)
	}
	out.Block(whole)
	return data, nil
}

// sequence converts a variable string or a sequence.
func (c converter) sequence(v *flat.Values, out *format.Block, data []byte) ([]byte, error) {
	n, data, err := flat.Length(data, v.MinItem())
	if err != nil {
		return nil, err
	}
	if n == 0 {
		out.Zeros(v.Size)
		return data, nil
	}
	body := &format.Block{}
	if v.Base == nil {
		body.Data, data = data[:n:n], data[n:]
	} else if data, err = c.elements(v.Base, body, data, uint64(n), v.Base.Same); err != nil {
		return nil, err
	}
	out.U32(uint32(n))
	return data, c.heap.add(out, body)
}

// region converts a region reference: the number of the dataset, and a selection as it is stored.
func (c converter) region(out *format.Block, data []byte) error {
	if len(data) < 8 {
		return h5err.New(h5err.Argument, "a region reference of %d bytes in flat form", len(data))
	}
	body := &format.Block{}
	body.Bytes(data)
	if err := c.refer(body, 0); err != nil {
		return err
	}
	return c.heap.add(out, body)
}

// refer replaces the number of an object in body by its address.
func (c converter) refer(body *format.Block, at int) error {
	id := binary.LittleEndian.Uint64(body.Data[at:])
	if id == 0 {
		return h5err.New(h5err.Argument, "a reference to no object")
	}
	o, err := c.f.byID(id)
	if err != nil {
		return err
	}
	body.Patch(at, 8, o.base().head)
	return nil
}

// reference converts a reference of HDF5 1.12 (specification, VIII. Appendix D): its kind and flags, the number of the object
// or, if that is in another file, its address, and the rest as it is stored. All but those to objects of the file have a place in the
// heap.
func (c converter) reference(v *flat.Values, out *format.Block, data []byte) error {
	if len(data) < flat.RefHead+8 || v.Size != flat.RefHead+16 {
		return h5err.New(h5err.Argument, "a reference of %d bytes in flat form, for one of %d", len(data), v.Size)
	}
	plain := data[0] == h5.RefToObject && data[1]&h5.RefElsewhere == 0
	body := &format.Block{}
	body.U8(8) // bytes of an address
	body.Bytes(data[flat.RefHead:])
	if data[1]&h5.RefElsewhere == 0 {
		if err := c.refer(body, 1); err != nil {
			return err
		}
	}
	out.Bytes(data[:flat.RefHead])
	if plain {
		if len(data) != flat.RefHead+8 {
			return h5err.New(h5err.Argument, "a reference of %d bytes to an object in flat form", len(data))
		}
		at := len(out.Data)
		out.Bytes(body.Data)
		out.Take(body, at)
		out.Zeros(v.Size - flat.RefHead - len(body.Data))
		return nil
	}
	out.U32(uint32(len(body.Data)))
	return c.heap.add(out, body)
}
