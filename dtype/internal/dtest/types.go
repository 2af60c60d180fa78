package dtest

import (
	"reflect"

	"github.com/h5arrow/h5arrow/h5"
)

// Int returns an integer type in which every bit counts.
func Int(size int, signed bool, o h5.ByteOrder) *h5.Type {
	return &h5.Type{Class: h5.ClassFixed, Size: size, Order: o, Signed: signed, Precision: 8 * size}
}

// LE returns a signed little-endian integer type.
func LE(size int) *h5.Type { return Int(size, true, h5.LittleEndian) }

// BE returns a signed big-endian integer type.
func BE(size int) *h5.Type { return Int(size, true, h5.BigEndian) }

// LEU returns an unsigned little-endian integer type.
func LEU(size int) *h5.Type { return Int(size, false, h5.LittleEndian) }

// Odd returns an integer type of precision bits from bit shift on.
func Odd(size, shift, precision int, signed bool, o h5.ByteOrder) *h5.Type {
	return &h5.Type{Class: h5.ClassFixed, Size: size, Order: o, Signed: signed, BitOffset: shift, Precision: precision}
}

// Bits returns a bitfield type.
func Bits(size int, o h5.ByteOrder) *h5.Type {
	return &h5.Type{Class: h5.ClassBitfield, Size: size, Order: o, Precision: 8 * size}
}

// Str returns a type of text in cells of size bytes.
func Str(size int, pad h5.StringPad) *h5.Type {
	return &h5.Type{Class: h5.ClassString, Size: size, Pad: pad}
}

// VarStr returns the type of variable strings.
func VarStr() *h5.Type {
	return &h5.Type{Class: h5.ClassVLen, Size: 16, VarString: true, Base: Str(1, h5.NullTerm)}
}

// VLen returns a type of variable-length sequences.
func VLen(base *h5.Type) *h5.Type { return &h5.Type{Class: h5.ClassVLen, Size: 16, Base: base} }

// Array returns an array type.
func Array(base *h5.Type, dims ...uint64) *h5.Type {
	n := base.Size
	for _, d := range dims {
		n *= int(d)
	}
	return &h5.Type{Class: h5.ClassArray, Size: n, Base: base, Dims: dims}
}

// Enum returns an enumeration; members are names and values in turn.
func Enum(base *h5.Type, members ...any) *h5.Type {
	t := &h5.Type{Class: h5.ClassEnum, Size: base.Size, Order: base.Order, Base: base}
	for i := 0; i < len(members); i += 2 {
		t.Names = append(t.Names, members[i].(string))
		x := make([]byte, 8)
		base.Order.Binary().PutUint64(x, uint64(reflect.ValueOf(members[i+1]).Int()))
		if base.Order == h5.BigEndian {
			x = x[8-base.Size:]
		}
		t.Values = append(t.Values, x[:base.Size]...)
	}
	return t
}

// Bool returns the enumeration that means bool.
func Bool() *h5.Type { return Enum(LE(1), "FALSE", 0, "TRUE", 1) }

// Compound returns a compound of size bytes; members are names, offsets and types in turn.
func Compound(size int, members ...any) *h5.Type {
	t := &h5.Type{Class: h5.ClassCompound, Size: size}
	for i := 0; i < len(members); i += 3 {
		t.Members = append(t.Members, h5.Member{Name: members[i].(string), Offset: members[i+1].(int), Type: members[i+2].(*h5.Type)})
	}
	return t
}

// Opaque returns a type of opaque bytes.
func Opaque(size int, tag string) *h5.Type {
	return &h5.Type{Class: h5.ClassOpaque, Size: size, Tag: tag}
}
