// Package convert compares datatypes and converts numbers, for virtual datasets whose sources have other types.
package convert

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/h5arrow/h5arrow/h5"
)

// Func turns n elements of a virtual dataset's source into elements of the virtual dataset's type.
type Func func(dst, src []byte, n int64)

// numeric is a type that is known by its kind and size alone: an integer that takes all of its bits, or an IEEE float.
type numeric struct {
	float, signed bool
	size          int
	big           bool
}

var ieee = map[int]h5.FloatFields{
	2: {Sign: 15, ExpLoc: 10, ExpSize: 5, MantSize: 10, Bias: 15, Norm: 2},
	4: {Sign: 31, ExpLoc: 23, ExpSize: 8, MantSize: 23, Bias: 127, Norm: 2},
	8: {Sign: 63, ExpLoc: 52, ExpSize: 11, MantSize: 52, Bias: 1023, Norm: 2},
}

func numericOf(t *h5.Type) (k numeric, ok bool) {
	if t == nil || t.BitOffset != 0 || t.Precision != 8*t.Size {
		return k, false
	}
	k = numeric{size: t.Size, signed: t.Signed, big: t.Order == h5.BigEndian}
	switch t.Size {
	case 1, 2, 4, 8:
	default:
		return k, false
	}
	switch t.Class {
	case h5.ClassFixed:
		return k, true
	case h5.ClassFloat:
		k.float, k.signed = true, true
		fields, known := ieee[t.Size]
		return k, known && t.Float != nil && *t.Float == fields && t.Order != h5.VAX
	}
	return k, false
}

// holds reports whether each value of another type is one of this type, too.
func (k numeric) holds(from numeric) bool {
	bits := 8 * from.size // of the value, without its sign
	if from.signed {
		bits--
	}
	switch {
	case k.float && from.float:
		return k.size >= from.size
	case from.float:
		return false
	case k.float:
		return bits <= ieee[k.size].MantSize+1 && k.size > 2 // and no exponent is too small for it
	case k.signed:
		return bits <= 8*k.size-1
	}
	return !from.signed && bits <= 8*k.size
}

// New returns what turns elements of a type into those of another, as the HDF5 library does, where both are
// numbers and nothing is lost; nil for all other types.
func New(to, from *h5.Type) Func {
	t, ok := numericOf(to)
	f, ok2 := numericOf(from)
	switch {
	case !ok || !ok2 || !t.holds(f):
		return nil
	case t.float && f.float && t.size != f.size:
		return func(dst, src []byte, n int64) {
			for range n {
				t.put(dst, t.floatBits(f.value(f.get(src))))
				dst, src = dst[t.size:], src[f.size:]
			}
		}
	case t.float && !f.float:
		return func(dst, src []byte, n int64) {
			for range n {
				v := float64(f.get(src)) // at most 53 bits
				if f.signed {
					v = float64(int64(f.get(src)))
				}
				t.put(dst, t.floatBits(v))
				dst, src = dst[t.size:], src[f.size:]
			}
		}
	}
	return func(dst, src []byte, n int64) { // bits, with more of the sign in front
		for range n {
			t.put(dst, f.get(src))
			dst, src = dst[t.size:], src[f.size:]
		}
	}
}

// get reads the first element, the sign of an integer extended to 64 bits.
func (k numeric) get(p []byte) uint64 {
	var u uint64
	switch k.size {
	case 1:
		u = uint64(p[0])
	case 2:
		u = uint64(k.order().Uint16(p))
	case 4:
		u = uint64(k.order().Uint32(p))
	case 8:
		u = k.order().Uint64(p)
	}
	if k.signed && !k.float {
		shift := 64 - 8*k.size
		u = uint64(int64(u<<shift) >> shift)
	}
	return u
}

// put writes the low bits of u as the first element.
func (k numeric) put(p []byte, u uint64) {
	switch k.size {
	case 1:
		p[0] = byte(u)
	case 2:
		k.order().PutUint16(p, uint16(u))
	case 4:
		k.order().PutUint32(p, uint32(u))
	case 8:
		k.order().PutUint64(p, u)
	}
}

func (k numeric) order() binary.ByteOrder {
	if k.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// value is a float by its bits. That of a NaN keeps its sign and as much of its payload as there is room for.
func (k numeric) value(u uint64) float64 {
	switch k.size {
	case 2:
		return float64(half(uint16(u)))
	case 4:
		return float64(math.Float32frombits(uint32(u)))
	}
	return math.Float64frombits(u)
}

// floatBits are the bits of a float of 4 or 8 bytes.
func (k numeric) floatBits(v float64) uint64 {
	if k.size == 4 {
		return uint64(math.Float32bits(float32(v)))
	}
	return math.Float64bits(v)
}

// half is the value of an IEEE float of 16 bits.
func half(h uint16) float32 {
	sign, exp, mant := uint32(h>>15)<<31, uint32(h>>10&31), uint32(h&1023)
	switch {
	case exp == 31: // infinity, or no number
		return math.Float32frombits(sign | 0xff<<23 | mant<<13)
	case exp == 0: // zero, or less than can be normalized
		v := float32(mant) / (1 << 24)
		return math.Float32frombits(sign | math.Float32bits(v))
	}
	return math.Float32frombits(sign | (exp+127-15)<<23 | mant<<13)
}

// Equal reports whether two types' elements are the same bytes.
func Equal(a, b *h5.Type) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Class != b.Class || a.Size != b.Size || a.Order != b.Order && a.Size > 1 || a.Signed != b.Signed ||
		a.BitOffset != b.BitOffset || a.Precision != b.Precision || a.VarString != b.VarString || a.Pad != b.Pad ||
		a.CharSet != b.CharSet || a.Ref != b.Ref || !slices.Equal(a.Dims, b.Dims) || !slices.Equal(a.Names, b.Names) ||
		string(a.Values) != string(b.Values) || (a.Float == nil) != (b.Float == nil) || a.Float != nil && *a.Float != *b.Float {
		return false
	}
	return Equal(a.Base, b.Base) && slices.EqualFunc(a.Members, b.Members, func(x, y h5.Member) bool {
		return x.Name == y.Name && x.Offset == y.Offset && Equal(x.Type, y.Type)
	})
}

// Portable reports whether elements mean the same in another file.
func Portable(t *h5.Type) bool {
	if t == nil {
		return true
	}
	pointer := func(m h5.Member) bool { return !Portable(m.Type) }
	return t.Class != h5.ClassVLen && t.Class != h5.ClassReference && Portable(t.Base) && !slices.ContainsFunc(t.Members, pointer)
}
