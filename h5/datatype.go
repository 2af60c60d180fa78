package h5

import (
	"bytes"
	"math"
	"math/bits"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// Files use few different types. The types of short messages are cached.
const (
	shortType  = 64
	knownTypes = 1024
)

// knownType is parseType for the rest of a cursor. It does not move the cursor, and the type is shared.
func (f *File) knownType(c *meta.Cursor) *Type {
	p := c.Peek()
	if len(p) > shortType {
		return f.parseType(c, 0)
	}
	f.mu.Lock()
	t := f.types[string(p)]
	f.mu.Unlock()
	if t != nil {
		return t
	}
	if t = f.parseType(c, 0); t == nil {
		return nil
	}
	f.mu.Lock()
	if f.types == nil {
		f.types = map[string]*Type{}
	}
	if len(f.types) < knownTypes {
		f.types[string(p)] = t
	}
	f.mu.Unlock()
	return t
}

// parseType reads a datatype message (specification, IV.A.2.d) and leaves the cursor after it.
func (f *File) parseType(c *meta.Cursor, depth int) *Type {
	if depth > f.r.Limits.Nesting {
		c.Over("h5.Limits.Nesting", 2*uint64(f.r.Limits.Nesting), "datatype nested deeper than %d", f.r.Limits.Nesting)
		return nil
	}
	first := c.U8()
	version, class := first>>4, first&15
	flags := uint32(c.Uint(3))
	size := c.U32()
	if c.Err() != nil {
		return nil
	}
	if version < 1 || version > 5 {
		c.Corrupt("datatype version %d", version)
		return nil
	}
	switch {
	case size == 0:
		c.Corrupt("datatype of 0 bytes")
		return nil
	case size > math.MaxInt32:
		c.Fail(h5err.Limit, "datatype of %d bytes, the limit is %d", size, math.MaxInt32)
		return nil
	}
	t := &Type{Class: Class(class) + 1, Size: int(size)}
	switch t.Class {
	case ClassFixed:
		t.Order = orderOf(flags & 1)
		t.Signed = flags&8 != 0
		f.bits(c, t)
	case ClassBitfield:
		t.Order = orderOf(flags & 1)
		f.bits(c, t)
	case ClassFloat:
		f.parseFloat(c, t, flags)
	case ClassTime:
		t.Order = orderOf(flags & 1)
		t.Precision = int(c.U16())
	case ClassString:
		f.stringBits(c, t, flags&15, flags>>4&15)
	case ClassOpaque:
		tag := c.Bytes(int(flags & 0xff))
		if i := bytes.IndexByte(tag, 0); i >= 0 {
			tag = tag[:i]
		}
		t.Tag = string(tag)
	case ClassCompound:
		f.parseCompound(c, t, int(flags&0xffff), version, depth)
	case ClassReference:
		f.parseReference(c, t, flags)
	case ClassEnum:
		f.parseEnum(c, t, int(flags&0xffff), version, depth)
	case ClassVLen:
		t.VarString = flags&15 == 1
		if flags&15 > 1 {
			c.Corrupt("variable-length type of kind %d", flags&15)
		}
		if t.VarString {
			f.stringBits(c, t, flags>>4&15, flags>>8&15)
		}
		t.Base = f.parseType(c, depth+1)
		if c.Err() == nil && t.Size < 8+f.r.OffsetSize {
			c.Corrupt("variable-length type of %d bytes", t.Size)
		}
	case ClassArray:
		f.parseArray(c, t, version, depth)
	case ClassComplex:
		t.Base = f.parseType(c, depth+1)
		if c.Err() == nil && (t.Base.Class != ClassFloat || t.Size != 2*t.Base.Size) {
			c.Corrupt("complex type of %d bytes over a base of %d", t.Size, t.Base.Size)
		}
	default:
		c.Unsupported("datatype class %d", class)
	}
	if c.Err() != nil {
		return nil
	}
	return t
}

func orderOf(bit uint32) ByteOrder {
	if bit != 0 {
		return BigEndian
	}
	return LittleEndian
}

// bits reads the bit field of fixed-point and bitfield types.
func (f *File) bits(c *meta.Cursor, t *Type) {
	t.BitOffset, t.Precision = int(c.U16()), int(c.U16())
	if c.Err() == nil && (t.Precision == 0 || t.BitOffset+t.Precision > 8*t.Size) {
		c.Corrupt("%d bits at bit %d of a type of %d bytes", t.Precision, t.BitOffset, t.Size)
	}
}

func (f *File) stringBits(c *meta.Cursor, t *Type, pad, set uint32) {
	if pad > uint32(SpacePad) {
		c.Corrupt("string padding %d", pad)
	}
	if set > uint32(UTF8) {
		c.Corrupt("character set %d", set)
	}
	t.Pad, t.CharSet = StringPad(pad), CharSet(set)
}

func (f *File) parseFloat(c *meta.Cursor, t *Type, flags uint32) {
	switch {
	case flags&0x41 == 0x41:
		t.Order = VAX
	case flags&0x40 != 0:
		c.Corrupt("byte order of a float is reserved")
	default:
		t.Order = orderOf(flags & 1)
	}
	f.bits(c, t)
	ff := &FloatFields{Sign: int(flags >> 8 & 0xff), Norm: uint8(flags >> 4 & 3)}
	ff.ExpLoc, ff.ExpSize = int(c.U8()), int(c.U8())
	ff.MantLoc, ff.MantSize = int(c.U8()), int(c.U8())
	ff.Bias = c.U32()
	if c.Err() != nil {
		return
	}
	end := t.BitOffset + t.Precision
	overlap := ff.ExpLoc < ff.MantLoc+ff.MantSize && ff.MantLoc < ff.ExpLoc+ff.ExpSize
	if ff.ExpSize == 0 || ff.MantSize == 0 || ff.Sign >= end || ff.ExpLoc+ff.ExpSize > end || ff.MantLoc+ff.MantSize > end || overlap {
		c.Corrupt("fields of a float do not fit its %d bits", t.Precision)
	}
	t.Float = ff
}

func (f *File) parseReference(c *meta.Cursor, t *Type, flags uint32) {
	if flags&15 > uint32(RefAttribute2) {
		c.Corrupt("reference of kind %d", flags&15)
		return
	}
	t.Ref = RefKind(flags & 15)
	needed := map[RefKind]int{RefObject1: f.r.OffsetSize, RefRegion1: f.r.OffsetSize + 4}[t.Ref]
	if t.Size < needed {
		c.Corrupt("reference of %d bytes", t.Size)
	}
}

func (f *File) parseCompound(c *meta.Cursor, t *Type, count int, version uint8, depth int) {
	if count == 0 {
		c.Corrupt("compound type without members")
		return
	}
	if count > c.Len()/10 { // each has a name, an offset and the head of a type
		c.Corrupt("%d members in %d bytes", count, c.Len())
		return
	}
	offsetSize := 4
	if version >= 3 {
		offsetSize = (bits.Len32(uint32(t.Size)) + 7) / 8
	}
	t.Members = make([]Member, 0, count)
	for range count {
		var m Member
		start := c.Pos()
		m.Name = string(c.CString())
		if version < 3 {
			if r := (c.Pos() - start) % 8; r != 0 {
				c.Skip(8 - r)
			}
		}
		m.Offset = int(c.Uint(offsetSize))
		var dims []uint64
		if version == 1 {
			rank := int(c.U8())
			c.Skip(3 + 4 + 4)
			if rank > 4 {
				c.Corrupt("member of rank %d", rank)
			}
			all := [4]uint64{}
			for i := range all {
				all[i] = uint64(c.U32())
			}
			dims = all[:min(rank, 4)]
		}
		m.Type = f.parseType(c, depth+1)
		if m.Type != nil && len(dims) > 0 {
			m.Type = arrayOf(c, m.Type, dims)
		}
		if c.Err() != nil {
			return
		}
		if m.Offset < 0 || m.Offset > t.Size || m.Type.Size > t.Size-m.Offset {
			c.Corrupt("member %q of %d bytes at %d in a compound of %d bytes", m.Name, m.Type.Size, m.Offset, t.Size)
			return
		}
		t.Members = append(t.Members, m)
	}
}

// arrayOf wraps a type into an array of known dims; its size is their product.
func arrayOf(c *meta.Cursor, base *Type, dims []uint64) *Type {
	n, ok := product(dims, uint64(base.Size))
	if !ok || n > math.MaxInt32 || n == 0 {
		c.Corrupt("array type of dimensions %v over %d bytes", dims, base.Size)
		return nil
	}
	return &Type{Class: ClassArray, Size: int(n), Base: base, Dims: append([]uint64(nil), dims...)}
}

func (f *File) parseArray(c *meta.Cursor, t *Type, version uint8, depth int) {
	rank := int(c.U8())
	if version < 3 {
		c.Skip(3)
	}
	if c.Err() == nil && rank == 0 {
		c.Corrupt("array type of rank 0")
	}
	if f.rank(c, rank, "array type"); c.Err() != nil {
		return
	}
	dims := make([]uint64, rank)
	for i := range dims {
		dims[i] = uint64(c.U32())
	}
	if version < 3 {
		c.Skip(4 * rank) // permutation
	}
	base := f.parseType(c, depth+1)
	if c.Err() != nil {
		return
	}
	a := arrayOf(c, base, dims)
	if a == nil {
		return
	}
	if a.Size != t.Size {
		c.Corrupt("array type of %d bytes, its dimensions make %d", t.Size, a.Size)
		return
	}
	*t = *a
}

func (f *File) parseEnum(c *meta.Cursor, t *Type, count int, version uint8, depth int) {
	t.Base = f.parseType(c, depth+1)
	if c.Err() != nil {
		return
	}
	if t.Base.Class != ClassFixed || t.Base.Size != t.Size {
		c.Corrupt("enumeration of %d bytes over a base of %d bytes", t.Size, t.Base.Size)
		return
	}
	if count > c.Len()/(1+t.Size) {
		c.Corrupt("%d members in %d bytes", count, c.Len())
		return
	}
	t.Order = t.Base.Order
	t.Names = make([]string, count)
	for i := range t.Names {
		start := c.Pos()
		t.Names[i] = string(c.CString())
		if version < 3 {
			if r := (c.Pos() - start) % 8; r != 0 {
				c.Skip(8 - r)
			}
		}
	}
	t.Values = bytes.Clone(c.Bytes(count * t.Size))
}

// product multiplies dims and unit; ok is false when the result does not fit 63 bits.
func product(dims []uint64, unit uint64) (n uint64, ok bool) {
	n = unit
	for _, d := range dims {
		if d == 0 {
			return 0, true
		}
	}
	for _, d := range dims {
		hi, lo := bits.Mul64(n, d)
		if hi != 0 || lo > math.MaxInt64 {
			return 0, false
		}
		n = lo
	}
	return n, true
}
