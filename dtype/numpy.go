package dtype

import (
	"strings"

	"github.com/h5arrow/h5arrow/dtype/internal/numpy"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// NumpyType returns a type for elements that are described only by numpy's name for them, such as "<f8", "int32", "S5"
// or "datetime64[ns]". Use it with the same name as Source.DType; the name's byte order counts, and without one the
// elements are little-endian. Names that numpy does not have are Unsupported.
func NumpyType(name string) (*h5.Type, error) {
	if _, ok := numpy.ParseInstant(name); ok {
		t := &h5.Type{Class: h5.ClassFixed, Size: 8, Order: h5.LittleEndian, Signed: true, Precision: 64}
		if strings.HasPrefix(name, ">") {
			t.Order = h5.BigEndian
		}
		return t, nil
	}
	_, size, _, ok := numpy.Parse(name)
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "dtype %q", name)
	}
	return &h5.Type{Class: h5.ClassOpaque, Size: size}, nil
}

// named returns the node of elements of type t that the attribute "dtype" gives a numpy type.
func (b *planner) named(t *h5.Type, attr string) (node, error) {
	if attr == "str" {
		return nil, h5err.New(h5err.Corrupt, "dtype 'str' without indices")
	}
	if in, ok := numpy.ParseInstant(attr); ok {
		if in.Delta && b.units != "" { // attr names the type in memory only, as xarray means it
			if n, err := b.spans(in, t); n != nil || err != nil {
				return n, err
			}
		}
		if t.Class == h5.ClassOpaque && t.Size == 8 {
			if tag, ok := numpy.Tag(t.Tag); ok && tag.Delta == in.Delta && tag.Unit == in.Unit {
				return b.opaque(t)
			}
		}
		if !int64Of(t) {
			return nil, h5err.New(h5err.Corrupt, "dtype %q on %s: it must be a 64-bit integer", attr, t)
		}
		return b.instant(in, t.Order)
	}
	kind, size, order, ok := numpy.Parse(attr)
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "dtype %q", attr)
	}
	switch t.Class {
	case h5.ClassFixed, h5.ClassFloat, h5.ClassTime, h5.ClassString, h5.ClassBitfield, h5.ClassOpaque, h5.ClassEnum, h5.ClassComplex, h5.ClassCompound:
	default:
		return nil, h5err.New(h5err.Corrupt, "dtype %q on %s", attr, t)
	}
	if size != t.Size {
		return nil, h5err.New(h5err.Corrupt, "dtype %q of %d bytes on elements of %d", attr, size, t.Size)
	}
	// The byte order is that of the dataset's type. Where it has none, the attribute's counts.
	o := t.Order
	if t.Class == h5.ClassEnum && t.Base != nil {
		o = t.Base.Order
	}
	switch {
	case o == h5.VAX:
		return nil, h5err.New(h5err.Unsupported, "dtype %q on %s", attr, t)
	case o == h5.OrderNone && order == '>':
		o = h5.BigEndian
	case o == h5.OrderNone:
		o = h5.LittleEndian
	}
	switch kind {
	case 'b':
		return newBool(0xff), nil
	case 'i', 'u':
		return b.integer(intCodec{size, o, 0, 8 * size, kind == 'i'})
	case 'f':
		return b.float(types.Float(size, o))
	case 'c':
		if t.Class == h5.ClassCompound || t.Class == h5.ClassComplex {
			return b.node(t, 0)
		}
		return b.complex(&h5.Type{Class: h5.ClassComplex, Size: size, Base: types.Float(size/2, o)}, 0)
	case 'S':
		return b.text(&h5.Type{Class: h5.ClassString, Size: size, Pad: h5.NullPad})
	case 'U':
		return b.newUTF32(size, o), nil
	}
	return b.opaque(&h5.Type{Class: h5.ClassOpaque, Size: size})
}
