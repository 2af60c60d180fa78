package dtype

import (
	"strconv"
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// numpyKinds are numpy's names of fixed-width types: the kind as in its array interface, and the bytes.
var numpyKinds = map[string]struct {
	kind byte
	size int
}{
	"bool": {'b', 1}, "bool_": {'b', 1}, "bool8": {'b', 1}, "?": {'b', 1},
	"int8": {'i', 1}, "int16": {'i', 2}, "int32": {'i', 4}, "int64": {'i', 8},
	"uint8": {'u', 1}, "uint16": {'u', 2}, "uint32": {'u', 4}, "uint64": {'u', 8},
	"float16": {'f', 2}, "float32": {'f', 4}, "float64": {'f', 8},
	"complex64": {'c', 8}, "complex128": {'c', 16},
	"b": {'i', 1}, "h": {'i', 2}, "i": {'i', 4}, "l": {'i', 8}, "q": {'i', 8}, "p": {'i', 8},
	"B": {'u', 1}, "H": {'u', 2}, "I": {'u', 4}, "L": {'u', 8}, "Q": {'u', 8}, "P": {'u', 8},
	"e": {'f', 2}, "f": {'f', 4}, "d": {'f', 8}, "F": {'c', 8}, "D": {'c', 16},
	"byte": {'i', 1}, "short": {'i', 2}, "intc": {'i', 4}, "int": {'i', 8}, "int_": {'i', 8}, "intp": {'i', 8}, "long": {'i', 8}, "longlong": {'i', 8},
	"ubyte": {'u', 1}, "ushort": {'u', 2}, "uintc": {'u', 4}, "uint": {'u', 8}, "uintp": {'u', 8}, "ulong": {'u', 8}, "ulonglong": {'u', 8},
	"half": {'f', 2}, "single": {'f', 4}, "double": {'f', 8}, "float": {'f', 8}, "csingle": {'c', 8}, "cdouble": {'c', 16}, "complex": {'c', 16},
}

// numpySizes are the widths that a kind has when the spelling is a kind and a number, as in 'f8'.
var numpySizes = map[byte]string{'b': "1", 'i': "1 2 4 8", 'u': "1 2 4 8", 'f': "2 4 8", 'c': "8 16"}

// parseNumpy reads the name of a numpy type of numbers, strings or bytes. order is '<', '>' or 0. For kinds S, U and V
// size is in bytes.
func parseNumpy(s string) (kind byte, size int, order byte, ok bool) {
	if s == "" {
		return 0, 0, 0, false
	}
	if strings.IndexByte("<>=|", s[0]) >= 0 {
		if s[0] == '<' || s[0] == '>' {
			order = s[0]
		}
		s = s[1:]
	}
	if k, found := numpyKinds[s]; found {
		return k.kind, k.size, order, true
	}
	if len(s) < 2 {
		return 0, 0, 0, false
	}
	size, err := strconv.Atoi(s[1:])
	if err != nil || size < 1 || size > 1<<30 {
		return 0, 0, 0, false
	}
	switch kind = s[0]; kind {
	case 'S', 'a':
		return 'S', size, order, true
	case 'V':
		return 'V', size, order, true
	case 'U':
		return 'U', 4 * size, order, true
	}
	for _, w := range strings.Fields(numpySizes[kind]) {
		if w == s[1:] {
			return kind, size, order, true
		}
	}
	return 0, 0, 0, false
}

// named returns the node of elements of type t that the attribute "dtype" gives a numpy type.
func (b *planner) named(t *h5.Type, attr string) (node, error) {
	if attr == "str" {
		return nil, h5err.New(h5err.Corrupt, "dtype 'str' without indices")
	}
	if in, ok := parseInstant(attr); ok {
		if t.Class == h5.ClassOpaque && t.Size == 8 {
			if tag, ok := numpyTag(t.Tag); ok && tag.delta == in.delta && tag.unit == in.unit {
				return b.opaque(t)
			}
		}
		if !int64Of(t) {
			return nil, h5err.New(h5err.Corrupt, "dtype %q on %s: it must be a 64-bit integer", attr, t)
		}
		return b.instant(in, t.Order)
	}
	kind, size, order, ok := parseNumpy(attr)
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
	// The order of the bytes is the dataset's. Where its type has none, the attribute's counts.
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
		return b.float(floatType(size, o))
	case 'c':
		if t.Class == h5.ClassCompound || t.Class == h5.ClassComplex {
			return b.node(t, 0)
		}
		return b.complex(&h5.Type{Class: h5.ClassComplex, Size: size, Base: floatType(size/2, o)}, 0)
	case 'S':
		return b.text(&h5.Type{Class: h5.ClassString, Size: size, Pad: h5.NullPad})
	case 'U':
		return b.newUTF32(size, o), nil
	}
	return b.opaque(&h5.Type{Class: h5.ClassOpaque, Size: size})
}

// floatType returns the type of IEEE floats of 2, 4 or 8 bytes.
func floatType(size int, o h5.ByteOrder) *h5.Type {
	for i := range ieeeFormats {
		if f := &ieeeFormats[i]; f.width == size {
			fields := f.fields
			return &h5.Type{Class: h5.ClassFloat, Size: size, Order: o, Precision: 8 * size, Float: &fields}
		}
	}
	return nil
}
