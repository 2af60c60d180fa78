package flat

import (
	"encoding/binary"
	"math"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Values knows how elements of a type are given and stored.
type Values struct {
	Type     *h5.Type
	Size     int  // as stored
	MinBytes int  // bytes of the smallest element in flat form
	Heap     bool // elements are in flat form
	Same     bool // inside an element in flat form, this part is as it is stored
	Refs     bool // there are references
	Base     *Values
	Parts    []Part // of a compound
	Items    int    // of an array

	At []int // offsets of references in an element that is not in flat form
}

// Part is a member of a compound.
type Part struct {
	Offset int
	*Values
}

// New returns the values of a valid type.
func New(t *h5.Type) *Values {
	v := &Values{Type: t, Size: t.Size, MinBytes: t.Size}
	v.Same = true
	switch t.Class {
	case h5.ClassReference:
		v.Refs, v.At = true, []int{0}
		if t.Ref != h5.RefObject1 {
			v.Heap, v.Same, v.MinBytes = true, false, 8
		}
	case h5.ClassVLen:
		v.Heap, v.Same, v.MinBytes = true, false, 8
		if !t.VarString {
			v.Base = New(t.Base)
			v.Refs = v.Base.Refs
		}
	case h5.ClassCompound:
		v.MinBytes = 0
		for _, m := range t.Members {
			p := Part{m.Offset, New(m.Type)}
			v.Same = v.Same && p.Values.Same && m.Offset == v.MinBytes
			v.MinBytes += p.Values.MinBytes
			v.Parts = append(v.Parts, p)
			v.Heap, v.Refs = v.Heap || p.Values.Heap, v.Refs || p.Values.Refs
			for _, at := range p.Values.At {
				v.At = append(v.At, m.Offset+at)
			}
		}
		v.Same = v.Same && v.MinBytes == v.Size
	case h5.ClassArray:
		v.Base = New(t.Base)
		v.Heap, v.Refs, v.Same = v.Base.Heap, v.Base.Refs, v.Base.Same
		v.Items = t.Size / t.Base.Size
		v.MinBytes = v.Items * v.Base.MinBytes
		if len(v.Base.At) > 0 && !v.Heap {
			for i := range v.Items {
				for _, at := range v.Base.At {
					v.At = append(v.At, i*t.Base.Size+at)
				}
			}
		}
	}
	return v
}

// Length reads a length that elements of at least size bytes in data must allow.
func Length(data []byte, size int) (int, []byte, error) {
	if len(data) < 8 {
		return 0, nil, h5err.New(h5err.Argument, "values in flat form end early")
	}
	n := binary.LittleEndian.Uint64(data)
	if data = data[8:]; n > uint64(len(data)/size) || n > math.MaxUint32 {
		return 0, nil, h5err.New(h5err.Argument, "a value of length %d in flat form, %d bytes are left", n, len(data))
	}
	return int(n), data, nil
}

// MinItem is the number of bytes of the smallest item of a sequence in flat form.
func (v *Values) MinItem() int {
	if v.Base == nil {
		return 1
	}
	return v.Base.MinBytes
}

// Count returns how many elements data in flat form has.
func (v *Values) Count(data []byte) (n uint64, err error) {
	if !v.Heap {
		if len(data)%v.Size != 0 {
			return 0, h5err.New(h5err.Argument, "%d bytes for elements of %d bytes", len(data), v.Size)
		}
		return uint64(len(data) / v.Size), nil
	}
	for ; len(data) > 0; n++ {
		if data, err = v.skip(data); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// skip returns data after one element in flat form.
func (v *Values) skip(data []byte) (rest []byte, err error) {
	if v.Same {
		if len(data) < v.Size {
			return nil, h5err.New(h5err.Argument, "values in flat form end early")
		}
		return data[v.Size:], nil
	}
	switch v.Type.Class {
	case h5.ClassVLen, h5.ClassReference:
		minBytes := v.MinItem()
		n, data, err := Length(data, minBytes)
		if err != nil || v.Base == nil || v.Base.Same {
			return data[min(n*minBytes, len(data)):], err
		}
		for range n {
			if data, err = v.Base.skip(data); err != nil {
				return nil, err
			}
		}
		return data, nil
	case h5.ClassArray:
		for range v.Items {
			if data, err = v.Base.skip(data); err != nil {
				return nil, err
			}
		}
		return data, nil
	}
	for _, p := range v.Parts {
		if data, err = p.Values.skip(data); err != nil {
			return nil, err
		}
	}
	return data, nil
}
