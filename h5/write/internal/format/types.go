package format

import (
	"math"
	"math/bits"
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// maxNesting is the depth of types that readers allow by default.
const maxNesting = 64

// maxMessage is the maximum size of a header message's body.
const maxMessage = 1<<16 - 1 - 8

// Type returns a datatype message (specification, IV.A.2.d). With old, it is one that HDF5 reads before 1.8.
func Type(t *h5.Type, old bool) (*Block, error) {
	e := typeEncoder{version: 3}
	if old {
		e.version = 1
		if hasArray(t, 0) {
			e.version = 2
		}
	}
	e.encode(t, 0)
	if e.err == nil && len(e.b.Data) > maxMessage {
		e.fail("a type whose description has %d bytes, the limit is %d", len(e.b.Data), maxMessage)
	}
	return &e.b, e.err
}

func hasArray(t *h5.Type, depth int) bool {
	if t == nil || depth > maxNesting {
		return false
	}
	for _, m := range t.Members {
		if hasArray(m.Type, depth+1) {
			return true
		}
	}
	return t.Class == h5.ClassArray || hasArray(t.Base, depth+1)
}

type typeEncoder struct {
	b       Block
	version uint8
	err     error
}

func (e *typeEncoder) fail(format string, args ...any) {
	if e.err == nil {
		e.err = h5err.New(h5err.Argument, format, args...)
	}
}

// head appends what all types start with.
func (e *typeEncoder) head(t *h5.Type, version uint8, flags uint32) {
	e.b.U8(version<<4 | uint8(t.Class-1))
	e.b.Uint(uint64(flags), 3)
	e.b.U32(uint32(t.Size))
}

func (e *typeEncoder) encode(t *h5.Type, depth int) {
	switch {
	case e.err != nil:
	case t == nil:
		e.fail("no type")
	case depth > maxNesting:
		e.fail("a type nested deeper than %d", maxNesting)
	case t.Size < 1 || t.Size > math.MaxInt32:
		e.fail("a type of %d bytes", t.Size)
	case len(e.b.Data) > maxMessage:
		e.fail("a type whose description has more than %d bytes", maxMessage)
	case atomic(t.Class):
		e.atomic(t)
	default:
		e.composite(t, depth)
	}
}

func atomic(c h5.Class) bool {
	switch c {
	case h5.ClassCompound, h5.ClassEnum, h5.ClassVLen, h5.ClassArray, h5.ClassComplex:
		return false
	}
	return true
}

func order(t *h5.Type) uint32 {
	if t.Order == h5.BigEndian {
		return 1
	}
	return 0
}

func (e *typeEncoder) atomic(t *h5.Type) {
	switch t.Class {
	case h5.ClassFixed:
		flags := order(t)
		if t.Signed {
			flags |= 8
		}
		e.head(t, e.version, flags)
		e.bits(t)
	case h5.ClassBitfield:
		e.head(t, e.version, order(t))
		e.bits(t)
	case h5.ClassFloat:
		e.float(t)
	case h5.ClassTime:
		if t.Precision < 1 || t.Precision > 8*t.Size {
			e.fail("%d bits in a type of %d bytes", t.Precision, t.Size)
		}
		e.head(t, e.version, order(t))
		e.b.U16(uint16(t.Precision))
	case h5.ClassString:
		e.head(t, e.version, e.text(t))
	case h5.ClassOpaque:
		e.opaque(t)
	case h5.ClassReference:
		e.reference(t)
	default:
		e.fail("a type of class %d", t.Class)
	}
}

func (e *typeEncoder) opaque(t *h5.Type) {
	if len(t.Tag) > 255 || strings.ContainsRune(t.Tag, 0) {
		e.fail("a tag of %d bytes, at most 255 without NULs are possible", len(t.Tag))
		return
	}
	n := (len(t.Tag) + 7) &^ 7 // as the library, which pads the tag
	e.head(t, e.version, uint32(min(n, 248)))
	at := len(e.b.Data)
	e.b.Text(t.Tag[:min(len(t.Tag), 248)])
	e.b.Pad(at, 8)
}

func (e *typeEncoder) reference(t *h5.Type) {
	switch {
	case t.Ref > h5.RefAttribute2:
		e.fail("a reference of kind %d", t.Ref)
	case t.Ref == h5.RefObject1 && t.Size != 8, t.Ref == h5.RefRegion1 && t.Size != 12:
		e.fail("an %v reference of %d bytes", t.Ref, t.Size)
	case t.Ref >= h5.RefObject2 && e.version < 3:
		e.err = h5err.New(h5err.Unsupported, "references of HDF5 1.12 in a file for an older version")
	case t.Ref >= h5.RefObject2:
		e.head(t, 4, uint32(t.Ref)|1<<4)
	default:
		e.head(t, e.version, uint32(t.Ref))
	}
}

// bits appends the bit field of fixed-point, floating-point and bitfield types.
func (e *typeEncoder) bits(t *h5.Type) {
	if t.BitOffset < 0 || t.Precision < 1 || t.Precision > 8*t.Size-t.BitOffset || t.Size > math.MaxUint16/8 {
		e.fail("%d bits at bit %d of a type of %d bytes", t.Precision, t.BitOffset, t.Size)
	}
	e.b.U16(uint16(t.BitOffset))
	e.b.U16(uint16(t.Precision))
}

// text returns the flags of a string's padding and character set.
func (e *typeEncoder) text(t *h5.Type) uint32 {
	if t.Pad > h5.SpacePad || t.CharSet > h5.UTF8 {
		e.fail("a string of padding %d and character set %d", t.Pad, t.CharSet)
	}
	return uint32(t.Pad) | uint32(t.CharSet)<<4
}

func (e *typeEncoder) float(t *h5.Type) {
	f := t.Float
	if f == nil {
		e.fail("a float without fields")
		return
	}
	end := t.BitOffset + t.Precision
	within := func(at, n int) bool { return at >= 0 && at <= 255 && n >= 1 && n <= 255 && n <= end-at }
	if !within(f.ExpLoc, f.ExpSize) || !within(f.MantLoc, f.MantSize) || f.Sign < 0 || f.Sign > 255 || f.Sign >= end || f.Norm > 2 {
		e.fail("fields of a float do not fit its %d bits", t.Precision)
	}
	flags := order(t)
	if t.Order == h5.VAX {
		flags = 0x41
	}
	e.head(t, e.version, flags|uint32(f.Norm)<<4|uint32(f.Sign)<<8)
	e.bits(t)
	for _, v := range []int{f.ExpLoc, f.ExpSize, f.MantLoc, f.MantSize} {
		e.b.U8(uint8(v))
	}
	e.b.U32(f.Bias)
}

func (e *typeEncoder) composite(t *h5.Type, depth int) {
	switch t.Class {
	case h5.ClassCompound:
		e.compound(t, depth)
	case h5.ClassEnum:
		e.enum(t, depth)
	case h5.ClassVLen:
		if t.Size != 16 {
			e.fail("a variable-length type of %d bytes, 16 expected", t.Size)
		}
		flags := uint32(0)
		if t.VarString {
			flags = 1 | e.text(t)<<4
		}
		e.head(t, e.version, flags)
		base := t.Base
		if t.VarString && base == nil {
			base = &h5.Type{Class: h5.ClassString, Size: 1, Pad: t.Pad, CharSet: t.CharSet}
		}
		e.encode(base, depth+1)
	case h5.ClassArray:
		e.array(t, depth)
	case h5.ClassComplex:
		if e.version < 3 {
			e.err = h5err.New(h5err.Unsupported, "complex numbers in a file for HDF5 before 1.8")
			return
		}
		if t.Base == nil || t.Base.Class != h5.ClassFloat || t.Size != 2*t.Base.Size {
			e.fail("a complex type of %d bytes that is not two floats", t.Size)
			return
		}
		e.head(t, 5, 1) // homogeneous, rectangular
		e.encode(t.Base, depth+1)
	default:
		e.fail("a type of class %d", t.Class)
	}
}

// name appends the name of a member.
func (e *typeEncoder) name(s string) {
	if strings.ContainsRune(s, 0) {
		e.fail("a member name with a NUL: %q", s)
	}
	at := len(e.b.Data)
	e.b.CString(s)
	if e.version < 3 {
		e.b.Pad(at, 8)
	}
}

func (e *typeEncoder) compound(t *h5.Type, depth int) {
	if n := len(t.Members); n == 0 || n > math.MaxUint16 {
		e.fail("a compound type of %d members", n)
		return
	}
	e.head(t, e.version, uint32(len(t.Members)))
	width := 4
	if e.version >= 3 {
		width = (bits.Len32(uint32(t.Size)) + 7) / 8
	}
	for _, m := range t.Members {
		if m.Type == nil || m.Offset < 0 || m.Offset > t.Size || m.Type.Size > t.Size-m.Offset {
			e.fail("member %q at byte %d does not fit a compound type of %d bytes", m.Name, m.Offset, t.Size)
			return
		}
		e.name(m.Name)
		e.b.Uint(uint64(m.Offset), width)
		if e.version == 1 {
			e.b.Zeros(4 + 4 + 4 + 16) // a scalar
		}
		if e.encode(m.Type, depth+1); e.err != nil {
			return
		}
	}
}

func (e *typeEncoder) enum(t *h5.Type, depth int) {
	if t.Base == nil || t.Base.Class != h5.ClassFixed || t.Base.Size != t.Size {
		e.fail("an enumeration of %d bytes over another type", t.Size)
		return
	}
	if n := len(t.Names); n > math.MaxUint16 || len(t.Values) != n*t.Size {
		e.fail("an enumeration of %d names and %d bytes of values", n, len(t.Values))
		return
	}
	e.head(t, e.version, uint32(len(t.Names)))
	e.encode(t.Base, depth+1)
	for _, s := range t.Names {
		e.name(s)
	}
	e.b.Bytes(t.Values)
}

func (e *typeEncoder) array(t *h5.Type, depth int) {
	if t.Base == nil || len(t.Dims) == 0 || len(t.Dims) > MaxRank {
		e.fail("an array type of rank %d", len(t.Dims))
		return
	}
	n := uint64(t.Base.Size)
	for _, d := range t.Dims {
		hi, lo := bits.Mul64(n, d)
		if hi != 0 || lo > math.MaxInt32 || d == 0 {
			e.fail("an array type of dimensions %v over %d bytes", t.Dims, t.Base.Size)
			return
		}
		n = lo
	}
	if n != uint64(t.Size) {
		e.fail("an array type of %d bytes, its dimensions make %d", t.Size, n)
	}
	e.head(t, e.version, 0)
	e.b.U8(uint8(len(t.Dims)))
	if e.version < 3 {
		e.b.Zeros(3)
	}
	for _, d := range t.Dims {
		e.b.U32(uint32(d))
	}
	if e.version < 3 {
		for i := range t.Dims {
			e.b.U32(uint32(i))
		}
	}
	e.encode(t.Base, depth+1)
}
