package h5

import (
	"fmt"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// parser is a file that has nothing but sizes and limits, for parsers of messages.
func parser(l Limits) *File {
	r := meta.NewReader(strings.NewReader(""), 0, meta.Limits(l))
	return &File{r: r, opts: options{limits: l}}
}

func over(f *File, b []byte) *meta.Cursor { return f.r.CursorOver(b, 0) }

// Types that others are made of.
const (
	hexI16 = "10 08 00 00 02 00 00 00  00 00 10 00 "
	hexF32 = "11 20 1f 00 04 00 00 00  00 00 20 00 17 08 00 17 7f 00 00 00 "
	hexF64 = "11 20 3f 00 08 00 00 00  00 00 40 00 34 0b 00 34 ff 03 00 00 "
)

// typeCases are datatype messages of all classes and versions.
var typeCases = []struct {
	name, hex, want string
	size            int
}{
	{"unsigned byte", "10 00 00 00 01 00 00 00  00 00 08 00", "u8", 1},
	{"big-endian", "10 01 00 00 08 00 00 00  00 00 40 00", "u64be", 8},
	{"padding bits", "10 0e 00 00 04 00 00 00  05 00 10 00", "i32le[p16@5]", 4}, // class bits 1 and 2: what pads
	{"odd width", "10 08 00 00 03 00 00 00  00 00 18 00", "i24le", 3},
	{"wide", "10 00 00 00 10 00 00 00  00 00 80 00", "u128le", 16},
	{"version 2", "20 08 00 00 02 00 00 00  00 00 10 00", "i16le", 2},
	{"version 3", "30 08 00 00 02 00 00 00  00 00 10 00", "i16le", 2},
	{"version 4", "40 08 00 00 02 00 00 00  00 00 10 00", "i16le", 2},
	{"version 5", "50 08 00 00 02 00 00 00  00 00 10 00", "i16le", 2},
	{"float", hexF32, "f32le", 4},
	{"double, big-endian", "11 21 3f 00 08 00 00 00  00 00 40 00 34 0b 00 34 ff 03 00 00", "f64be", 8},
	{"half", "11 20 0f 00 02 00 00 00  00 00 10 00 0a 05 00 0a 0f 00 00 00", "f16le", 2},
	{"bfloat16", "11 20 0f 00 02 00 00 00  00 00 10 00 07 08 00 07 7f 00 00 00", "f16le[fields (15, 7, 8, 0, 7) bias 127]", 2},
	{"x87 in 16 bytes", "11 10 4f 00 10 00 00 00  00 00 50 00 40 0f 00 40 ff 3f 00 00", "f128le[fields (79, 64, 15, 0, 64) bias 16383]", 16},
	{"VAX", "31 61 3f 00 08 00 00 00  00 00 40 00 34 0b 00 34 01 04 00 00", "f64vax", 8},
	{"time", "12 01 00 00 04 00 00 00  20 00", "time32", 4},
	{"string, NUL", "13 00 00 00 05 00 00 00", "str5(ascii,nullterm)", 5},
	{"string, NULs", "13 01 00 00 05 00 00 00", "str5(ascii,nullpad)", 5},
	{"string, spaces, UTF-8", "13 12 00 00 05 00 00 00", "str5(utf8,spacepad)", 5},
	{"bits", "14 01 00 00 02 00 00 00  03 00 0a 00", "b16be[p10@3]", 2},
	{"opaque", "15 08 00 00 07 00 00 00  'tag' 00**5", "opaque7('tag')", 7},
	{"opaque without a tag", "15 00 00 00 07 00 00 00", "opaque7('')", 7},
	{"opaque, tag without end", "15 03 00 00 07 00 00 00  'tag'", "opaque7('tag')", 7},
	{"compound, version 1", `16 02 00 00 0a 00 00 00       // two members, ten bytes
		'a' 00**7  00 00 00 00                               // name, padded to eight; offset
		00 00 00 00  00 00 00 00  00 00 00 00  00**16        // no dimensions, permutation, reserved, sizes
		` + hexI16 + `
		'bcdefghi' 00**8  02 00 00 00                        // a name of eight has eight more
		02 00 00 00  00 00 00 00  00 00 00 00  02 00 00 00 02 00 00 00 00**8
		10 00 00 00 02 00 00 00  00 00 10 00`, "compound10{a@0:i16le, bcdefghi@2:array[2, 2]<u16le>}", 10},
	{"compound, version 2", `26 02 00 00 08 00 00 00
		'a' 00**7  00 00 00 00 ` + hexI16 + ` 'b' 00**7  04 00 00 00 ` + hexF32, "compound8{a@0:i16le, b@4:f32le}", 8},
	{"compound, version 3", `36 02 00 00 08 00 00 00
		'a' 00  00 ` + hexI16 + ` 'b' 00  04 ` + hexF32, "compound8{a@0:i16le, b@4:f32le}", 8},
	{"compound, offsets of two bytes", "36 01 00 00 00 01 00 00  'a' 00  fe 00 " + hexI16, "compound256{a@254:i16le}", 256},
	{"compound, offsets of three bytes", "36 01 00 00 00 00 01 00  'a' 00  fe ff 00 " + hexI16, "compound65536{a@65534:i16le}", 65536},
	{"compound, offsets of four bytes", "36 01 00 00 00 00 00 01  'a' 00  fe ff ff 00 " + hexI16, "compound16777216{a@16777214:i16le}", 1 << 24},
	{"object reference", "17 00 00 00 08 00 00 00", "ref8", 8},
	{"region reference", "17 01 00 00 0c 00 00 00", "ref12", 12},
	{"new object reference", "47 02 00 00 12 00 00 00", "ref64", 18},
	{"new region reference", "47 03 00 00 12 00 00 00", "ref64", 18},
	{"attribute reference", "47 04 00 00 12 00 00 00", "ref64", 18},
	{"enumeration, version 1", "18 02 00 00 02 00 00 00 " + hexI16 + " 'NO' 00**6 'YES' 00**5  00 00 ff ff", "enum(i16le){NO=0, YES=-1}", 2},
	{"enumeration, version 3", "38 02 00 00 02 00 00 00 " + hexI16 + " 'NO' 00 'YES' 00  00 00 ff ff", "enum(i16le){NO=0, YES=-1}", 2},
	{"enumeration without members", "38 00 00 00 02 00 00 00 " + hexI16, "enum(i16le){}", 2},
	{"sequence", "19 00 00 00 10 00 00 00 " + hexI16, "vlen<i16le>", 16},
	{"variable string", "19 01 01 00 10 00 00 00  10 00 00 00 01 00 00 00 00 00 08 00", "vstr(utf8,nullterm)", 16},
	{"variable string, padded", "19 21 00 00 10 00 00 00  10 00 00 00 01 00 00 00 00 00 08 00", "vstr(ascii,spacepad)", 16},
	{"array, version 2", "2a 00 00 00 0c 00 00 00  02 00 00 00  03 00 00 00 02 00 00 00  00 00 00 00 01 00 00 00 " + hexI16, "array[3, 2]<i16le>", 12},
	{"array, version 3", "3a 00 00 00 0c 00 00 00  02  03 00 00 00 02 00 00 00 " + hexI16, "array[3, 2]<i16le>", 12},
	{"complex", "5b 00 00 00 10 00 00 00 " + hexF64, "complex<f64le>", 16},
	{"all in one", `36 02 00 00 20 00 00 00
		's' 00 00  39 00 00 00 10 00 00 00  3a 00 00 00 04 00 00 00  01 02 00 00 00 ` + hexI16 + `
		'c' 00 10  36 01 00 00 10 00 00 00  'd' 00 08 ` + hexF64, "compound32{s@0:vlen<array[2]<i16le>>, c@16:compound16{d@8:f64le}}", 32},
}

func TestParseType(t *testing.T) {
	for _, c := range typeCases {
		t.Run(c.name, func(t *testing.T) {
			f := parser(Limits{})
			b := hx(c.hex)
			cur := over(f, append(b, 0xee))
			typ := f.parseType(cur, 0)
			if typ == nil {
				t.Fatal(cur.Err())
			}
			if got := typ.String(); got != c.want || typ.Size != c.size {
				t.Errorf("type %s of %d bytes, want %s of %d", got, typ.Size, c.want, c.size)
			}
			if cur.Pos() != len(b) {
				t.Errorf("%d bytes were read of %d", cur.Pos(), len(b))
			}
			for n := range b { // no part of it is a type
				cur := over(f, b[:n])
				if typ := f.parseType(cur, 0); typ != nil {
					t.Errorf("%d bytes of it are type %s", n, typ)
				} else {
					needError(t, cur.Err(), h5err.Corrupt, "", -1)
				}
			}
		})
	}
}

// TestTypeFields looks at what String leaves out.
func TestTypeFields(t *testing.T) {
	parse := func(hex string) *Type {
		f := parser(Limits{})
		typ := f.parseType(over(f, hx(hex)), 0)
		if typ == nil {
			t.Fatalf("%s is not a type", hex)
		}
		return typ
	}
	if f := parse(hexF32).Float; *f != (FloatFields{Sign: 31, ExpLoc: 23, ExpSize: 8, MantLoc: 0, MantSize: 23, Bias: 127, Norm: 2}) {
		t.Errorf("fields of a float: %+v", f)
	}
	if typ := parse("12 01 00 00 04 00 00 00  20 00"); typ.Order != BigEndian || typ.Precision != 32 {
		t.Errorf("time: %+v", typ)
	}
	if typ := parse("38 01 00 00 02 00 00 00 10 01 00 00 02 00 00 00 00 00 10 00 'A' 00 01 02"); typ.Order != BigEndian || string(typ.Values) != "\x01\x02" {
		t.Errorf("enumeration: %+v", typ)
	}
	for hex, want := range map[string]RefKind{"17 00 00 00 08 00 00 00": RefObject1, "47 04 00 00 12 00 00 00": RefAttribute2} {
		if typ := parse(hex); typ.Ref != want {
			t.Errorf("reference of kind %d, want %d", typ.Ref, want)
		}
	}
	pair := func(a, b, offset string) *Type {
		return parse("36 02 00 00 08 00 00 00 '" + a + "' 00 00 " + hexF32 + " '" + b + "' 00 " + offset + hexF32)
	}
	if !pair("r", "i", "04 ").IsComplex() || !pair("real", "imag", "04 ").IsComplex() {
		t.Error("complex numbers are not recognized")
	}
	if pair("i", "r", "04 ").IsComplex() || pair("r", "i", "00 ").IsComplex() || pair("a", "b", "04 ").IsComplex() || parse(hexF32).IsComplex() {
		t.Error("another compound passes as a complex number")
	}
}

func TestTypeRefused(t *testing.T) {
	nested := strings.Repeat("19 00 00 00 10 00 00 00 ", 70) + hexI16
	for _, c := range []struct {
		name, hex string
		kind      h5err.Kind
		text      string
	}{
		{"version 0", "00 00 00 00 01 00 00 00 00 00 08 00", h5err.Corrupt, "datatype version 0"},
		{"version 6", "60 00 00 00 01 00 00 00 00 00 08 00", h5err.Corrupt, "datatype version 6"},
		{"class 12", "5c 00 00 00 01 00 00 00 00 00 08 00", h5err.Unsupported, "datatype class 12"},
		{"no bytes", "10 00 00 00 00 00 00 00 00 00 08 00", h5err.Corrupt, "datatype of 0 bytes"},
		{"too many bytes", "13 00 00 00 00 00 00 80", h5err.Limit, "datatype of 2147483648 bytes"},
		{"no bits", "10 00 00 00 01 00 00 00 00 00 00 00", h5err.Corrupt, "0 bits at bit 0"},
		{"too many bits", "10 00 00 00 01 00 00 00 01 00 08 00", h5err.Corrupt, "8 bits at bit 1 of a type of 1 bytes"},
		{"reserved order", "11 40 1f 00 04 00 00 00 00 00 20 00 17 08 00 17 7f 00 00 00", h5err.Corrupt, "byte order of a float is reserved"},
		{"sign outside", "11 20 20 00 04 00 00 00 00 00 20 00 17 08 00 17 7f 00 00 00", h5err.Corrupt, "fields of a float"},
		{"exponent outside", "11 20 1f 00 04 00 00 00 00 00 20 00 19 08 00 17 7f 00 00 00", h5err.Corrupt, "fields of a float"},
		{"exponent in the mantissa", "11 20 1f 00 04 00 00 00 00 00 20 00 16 08 00 17 7f 00 00 00", h5err.Corrupt, "fields of a float"},
		{"no exponent", "11 20 1f 00 04 00 00 00 00 00 20 00 17 00 00 17 7f 00 00 00", h5err.Corrupt, "fields of a float"},
		{"string padding", "13 03 00 00 05 00 00 00", h5err.Corrupt, "string padding 3"},
		{"character set", "13 20 00 00 05 00 00 00", h5err.Corrupt, "character set 2"},
		{"compound without members", "36 00 00 00 08 00 00 00", h5err.Corrupt, "compound type without members"},
		{"more members than bytes", "36 ff ff 00 08 00 00 00 'a' 00 00 " + hexI16, h5err.Corrupt, "65535 members in 15 bytes"},
		{"member past the end", "36 01 00 00 02 00 00 00 'a' 00 01 " + hexI16, h5err.Corrupt, `member "a" of 2 bytes at 1 in a compound of 2 bytes`},
		{"member of rank 5", "16 01 00 00 02 00 00 00 'a' 00**7 00 00 00 00 05 00 00 00 00**24 " + hexI16, h5err.Corrupt, "member of rank 5"},
		{"member of dimension 0", "16 01 00 00 02 00 00 00 'a' 00**7 00 00 00 00 01 00 00 00 00**24 " + hexI16, h5err.Corrupt, "array type of dimensions [0]"},
		{"reference kind", "17 05 00 00 08 00 00 00", h5err.Corrupt, "reference of kind 5"},
		{"short reference", "17 00 00 00 07 00 00 00", h5err.Corrupt, "reference of 7 bytes"},
		{"short region reference", "17 01 00 00 0b 00 00 00", h5err.Corrupt, "reference of 11 bytes"},
		{"enumeration of floats", "38 00 00 00 04 00 00 00 " + hexF32, h5err.Corrupt, "enumeration of 4 bytes over a base of 4 bytes"},
		{"enumeration of another size", "38 00 00 00 04 00 00 00 " + hexI16, h5err.Corrupt, "enumeration of 4 bytes over a base of 2 bytes"},
		{"more names than bytes", "38 ff ff 00 02 00 00 00 " + hexI16 + " 'A' 00 00 00", h5err.Corrupt, "65535 members in 4 bytes"},
		{"name without an end", "38 01 00 00 02 00 00 00 " + hexI16 + " 'ABCD'", h5err.Corrupt, "a string has no end"},
		{"sequence kind", "19 02 00 00 10 00 00 00 " + hexI16, h5err.Corrupt, "variable-length type of kind 2"},
		{"short sequence", "19 00 00 00 0f 00 00 00 " + hexI16, h5err.Corrupt, "variable-length type of 15 bytes"},
		{"array of rank 0", "3a 00 00 00 02 00 00 00 00 " + hexI16, h5err.Corrupt, "array type of rank 0"},
		{"array of rank 33", "3a 00 00 00 02 00 00 00 21 " + strings.Repeat("01 00 00 00 ", 33) + hexI16, h5err.Corrupt, "array type of rank 33"},
		{"array of another size", "3a 00 00 00 0e 00 00 00 02 03 00 00 00 02 00 00 00 " + hexI16, h5err.Corrupt, "array type of 14 bytes, its dimensions make 12"},
		{"array too large", "3a 00 00 00 0e 00 00 00 02 ff ff ff ff ff ff ff ff " + hexI16, h5err.Corrupt, "array type of dimensions"},
		{"complex of integers", "5b 00 00 00 04 00 00 00 " + hexI16, h5err.Corrupt, "complex type of 4 bytes over a base of 2"},
		{"complex of another size", "5b 00 00 00 09 00 00 00 " + hexF32, h5err.Corrupt, "complex type of 9 bytes over a base of 4"},
		{"nested", nested, h5err.Limit, "datatype nested deeper than 64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := parser(Limits{})
			cur := over(f, hx(c.hex))
			if typ := f.parseType(cur, 0); typ != nil {
				t.Fatalf("type %s", typ)
			}
			needError(t, cur.Err(), c.kind, c.text, -1)
		})
	}
}

func TestTypeLimits(t *testing.T) {
	nested := func(n int) []byte { return hx(strings.Repeat("19 00 00 00 10 00 00 00 ", n) + hexI16) }
	array := hx("3a 00 00 00 0c 00 00 00  02  03 00 00 00 02 00 00 00 " + hexI16)
	for _, c := range []struct {
		b    []byte
		l    Limits
		text string
	}{
		{nested(5), Limits{Nesting: 5}, ""},
		{nested(6), Limits{Nesting: 5}, "datatype nested deeper than 5"},
		{array, Limits{Rank: 2}, ""},
		{array, Limits{Rank: 1}, "array type of rank 2, the limit is 1"},
	} {
		f := parser(c.l)
		cur := over(f, c.b)
		typ := f.parseType(cur, 0)
		switch {
		case c.text == "" && typ == nil:
			t.Errorf("limits %+v: %v", c.l, cur.Err())
		case c.text != "" && typ != nil:
			t.Errorf("limits %+v: type %s", c.l, typ)
		case c.text != "":
			needError(t, cur.Err(), h5err.Limit, c.text, -1)
		}
	}
}

func TestEnumStrings(t *testing.T) {
	for v, want := range map[fmt.Stringer]string{
		LinkHard: "hard", LinkUser: "user-defined", LinkKind(0): "invalid", LinkKind(99): "invalid",
		StorageNone: "none", StorageExternal: "external", Storage(0): "invalid", Storage(99): "invalid",
		NullPad: "nullpad", UTF8: "utf8", StringPad(9): "?", CharSet(9): "?",
		Class(0): "invalid", ClassFixed: "fixed-point", ClassComplex: "complex", Class(99): "invalid",
		OrderNone: "none", VAX: "VAX", RefObject1: "object", RefAttribute2: "attribute",
		SpaceClass(0): "invalid", SpaceNull: "null", ChunkIndex(0): "invalid", IndexBTree2: "btree-v2",
	} {
		if v.String() != want {
			t.Errorf("%v, want %s", v, want)
		}
	}
	if BigEndian.Binary().Uint16([]byte{1, 2}) != 0x102 || LittleEndian.Binary().Uint16([]byte{1, 2}) != 0x201 || OrderNone.Binary().Uint16([]byte{1, 2}) != 0x201 {
		t.Error("byte orders")
	}
}
