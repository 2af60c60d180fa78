package h5

import (
	"strconv"
	"strings"
	"testing"
)

// Types, in short.
func fixedType(size int, signed bool, o ByteOrder) *Type {
	return &Type{Class: ClassFixed, Size: size, Signed: signed, Order: o, Precision: 8 * size}
}

func floatType(size int, o ByteOrder, f ...int) *Type {
	return &Type{Class: ClassFloat, Size: size, Order: o, Precision: 8 * size,
		Float: &FloatFields{Sign: f[0], ExpLoc: f[1], ExpSize: f[2], MantLoc: f[3], MantSize: f[4], Bias: uint32(f[5]), Norm: 2}}
}

func stringType(n int, pad StringPad, set CharSet) *Type {
	return &Type{Class: ClassString, Size: n, Pad: pad, CharSet: set}
}

func textType(set CharSet) *Type {
	return &Type{Class: ClassVLen, Size: 16, VarString: true, CharSet: set, Base: stringType(1, NullTerm, set)}
}

func listType(b *Type) *Type { return &Type{Class: ClassVLen, Size: 16, Base: b} }

func arrayType(b *Type, dims ...uint64) *Type {
	n := b.Size
	for _, d := range dims {
		n *= int(d)
	}
	return &Type{Class: ClassArray, Size: n, Base: b, Dims: dims}
}

func opaqueType(n int, tag string) *Type { return &Type{Class: ClassOpaque, Size: n, Tag: tag} }

func referenceType(n int, k RefKind) *Type { return &Type{Class: ClassReference, Size: n, Ref: k} }

func TestTypeString(t *testing.T) {
	i32, f32 := fixedType(4, true, LittleEndian), floatType(4, LittleEndian, 31, 23, 8, 0, 23, 127)
	f64 := floatType(8, LittleEndian, 63, 52, 11, 0, 52, 1023)
	many := &Type{Class: ClassEnum, Size: 1, Base: fixedType(1, false, LittleEndian)}
	var named []string
	for i := range 50 {
		many.Names, many.Values = append(many.Names, "m"), append(many.Values, byte(i))
		if i < 40 {
			named = append(named, "m="+strconv.Itoa(i))
		}
	}
	manyWant := "enum(u8){" + strings.Join(named, ", ") + "}"

	tests := []struct {
		typ  *Type
		want string
	}{
		{fixedType(1, true, LittleEndian), "i8"},
		{fixedType(1, false, BigEndian), "u8"},
		{i32, "i32le"},
		{fixedType(8, false, BigEndian), "u64be"},
		{&Type{Class: ClassFixed, Size: 4, Signed: true, Order: LittleEndian, Precision: 16, BitOffset: 5}, "i32le[p16@5]"},
		{&Type{Class: ClassFixed, Size: 3, Signed: true, Order: BigEndian, Precision: 24}, "i24be"},
		{&Type{Class: ClassBitfield, Size: 1, Order: LittleEndian, Precision: 8}, "b8"},
		{&Type{Class: ClassBitfield, Size: 2, Order: LittleEndian, Precision: 16}, "b16le"},
		{f32, "f32le"},
		{floatType(8, VAX, 63, 52, 11, 0, 52, 1025), "f64vax"},
		{floatType(4, BigEndian, 26, 20, 6, 7, 13, 31), "f32be[fields (26, 20, 6, 7, 13) bias 31]"},
		{floatType(2, BigEndian, 15, 7, 8, 0, 7, 127), "f16be[fields (15, 7, 8, 0, 7) bias 127]"},
		{floatType(16, LittleEndian, 79, 64, 15, 0, 64, 16383), "f128le[fields (79, 64, 15, 0, 64) bias 16383]"},
		{stringType(6, NullTerm, ASCII), "str6(ascii,nullterm)"},
		{stringType(21, NullPad, UTF8), "str21(utf8,nullpad)"},
		{stringType(1, SpacePad, ASCII), "str1(ascii,spacepad)"},
		{textType(UTF8), "vstr(utf8,nullterm)"},
		{opaqueType(7, "Character array"), "opaque7('Character array')"},
		{opaqueType(1, "it's"), `opaque1("it's")`},
		{opaqueType(1, `a "q"`), `opaque1('a "q"')`},
		{opaqueType(1, `both ' and "`), `opaque1('both \' and "')`},
		{opaqueType(1, `back\slash`), `opaque1('back\\slash')`},
		{opaqueType(1, "\n\r\t\x00\x1f\x7f"), `opaque1('\n\r\t\x00\x1f\x7f')`},
		{opaqueType(1, "\x80\xa0\xa1\xad\xae\xe9\xff"), `opaque1('\x80\xa0¡\xad®éÿ')`},
		{referenceType(8, RefObject1), "ref8"},
		{referenceType(4, RefObject1), "ref8"},
		{referenceType(12, RefRegion1), "ref12"},
		{referenceType(18, RefObject2), "ref64"},
		{&Type{Class: ClassTime, Size: 4, Precision: 32}, "time32"},
		{listType(listType(i32)), "vlen<vlen<i32le>>"},
		{arrayType(f32, 3, 2), "array[3, 2]<f32le>"},
		{&Type{Class: ClassComplex, Size: 8, Base: f32}, "complex<f32le>"},
		{&Type{Class: ClassEnum, Size: 1, Base: fixedType(1, true, LittleEndian), Names: []string{"FALSE", "TRUE"}, Values: []byte{0, 1}}, "enum(i8){FALSE=0, TRUE=1}"},
		{&Type{Class: ClassEnum, Size: 2, Base: fixedType(2, true, BigEndian), Names: []string{"a", "\xff"}, Values: []byte{0xfe, 0xd4, 0, 7}}, "enum(i16be){a=-300, \uFFFD=7}"},
		{&Type{Class: ClassEnum, Size: 8, Base: fixedType(8, false, LittleEndian), Names: []string{"x"}, Values: []byte{255, 255, 255, 255, 255, 255, 255, 255}}, "enum(u64le){x=18446744073709551615}"},
		{many, manyWant},
		{&Type{Class: ClassCompound, Size: 12, Members: []Member{{"a", 0, i32}, {"b", 4, f64}}}, "compound12{a@0:i32le, b@4:f64le}"},
		// Heap strings have 16 bytes in the file, 8 in memory.
		{&Type{Class: ClassCompound, Size: 54, Members: []Member{
			{"firstName", 0, textType(UTF8)}, {"surname", 16, stringType(20, NullPad, ASCII)}, {"age", 37, fixedType(1, false, LittleEndian)}, {"vector", 42, arrayType(f32, 3)},
		}}, "compound46{firstName@0:vstr(utf8,nullterm), surname@8:str20(ascii,nullpad), age@29:u8, vector@34:array[3]<f32le>}"},
		{&Type{Class: ClassCompound, Size: 32, Members: []Member{{"name", 0, arrayType(textType(UTF8), 2)}}}, "compound16{name@0:array[2]<vstr(utf8,nullterm)>}"},
		{&Type{Class: ClassCompound, Size: 32, Members: []Member{{"one", 0, listType(fixedType(1, false, LittleEndian))}, {"two", 16, listType(i32)}}}, "compound32{one@0:vlen<u8>, two@16:vlen<i32le>}"},
		{&Type{Class: 77, Size: 1}, "class76"},
		{listType(nil), "vlen<?>"},
	}
	for _, tt := range tests {
		if got := tt.typ.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

// A type that contradicts itself has a string, too.
func TestTypeStringBroken(t *testing.T) {
	loop := &Type{Class: ClassVLen, Size: 16}
	loop.Base = loop
	for _, typ := range []*Type{
		nil, loop,
		{Class: ClassEnum, Size: 0, Names: []string{"a"}},
		{Class: ClassEnum, Size: 2, Base: &Type{Class: ClassFixed, Size: 2, Precision: 99}, Names: []string{"a", "b"}, Values: []byte{1, 2, 3}},
		{Class: ClassCompound, Members: []Member{{}}},
		{Class: ClassArray, Base: &Type{}},
		{Class: ClassFloat},
	} {
		if typ.String() == "" {
			t.Error("nothing")
		}
	}
}
