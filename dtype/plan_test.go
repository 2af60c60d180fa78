package dtype

import (
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/internal/dtest"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

func TestBuildNumbers(t *testing.T) {
	f := types.Float
	runBuild(t, []buildTest{
		{"i8", Source{Type: le(1)}, Options{}, "00 7f 80 ff", "", 4, "int8", Mapped, "[0 127 -128 -1]"},
		{"u8", Source{Type: leu(1)}, Options{}, "00 7f 80 ff", "", 4, "uint8", Mapped, "[0 127 128 255]"},
		{"i16le", Source{Type: le(2)}, Options{}, "0100 ff7f 0080", "", 3, "int16", Mapped, "[1 32767 -32768]"},
		{"i16be", Source{Type: be(2)}, Options{}, "0001 7fff 8000", "", 3, "int16", Swapped, "[1 32767 -32768]"},
		{"u32be", Source{Type: intT(4, false, h5.BigEndian)}, Options{}, "00000001 ffffffff 80000000", "", 3, "uint32", Swapped, "[1 4294967295 2147483648]"},
		{"i64le", Source{Type: le(8)}, Options{}, "0100000000000000 0000000000000080", "", 2, "int64", Mapped, "[1 -9223372036854775808]"},
		{"u64be", Source{Type: intT(8, false, h5.BigEndian)}, Options{}, "0000000000000001 ffffffffffffffff", "", 2, "uint64", Swapped, "[1 18446744073709551615]"},
		{"f16le", Source{Type: f(2, h5.LittleEndian)}, Options{}, "003c 00c0 007c", "", 3, "float16", Mapped, "[1 -2 +Inf]"},
		{"f16be", Source{Type: f(2, h5.BigEndian)}, Options{}, "3c00 c000 7e00", "", 3, "float16", Swapped, "[1 -2 NaN]"},
		{"f32le", Source{Type: f(4, h5.LittleEndian)}, Options{}, "0000c03f 0000c07f", "", 2, "float32", Mapped, "[1.5 NaN]"},
		{"f32be", Source{Type: f(4, h5.BigEndian)}, Options{}, "3fc00000 80000000", "", 2, "float32", Swapped, "[1.5 -0]"},
		{"f64be", Source{Type: f(8, h5.BigEndian)}, Options{}, "3ff8000000000000 fff0000000000000", "", 2, "float64", Swapped, "[1.5 -Inf]"},
		{"nan is null", Source{Type: f(8, h5.BigEndian)}, Options{NaNAsNull: true}, "3ff8000000000000 7ff0000000000001", "", 2, "float64", Swapped, "[1.5 (null)]"},
		{"nan is null beside others", Source{Type: f(4, h5.LittleEndian)}, Options{NaNAsNull: true}, "0000c03f 0000c07f 00000000", "011", 3, "float32", Mapped, "[(null) (null) 0]"},
		{"nulls", Source{Type: le(2)}, Options{}, "0100 0200 0300 0400 0500 0600 0700 0800 0900", "101110010", 9, "int16", Mapped, "[1 (null) 3 4 5 (null) (null) 8 (null)]"},
		{"no nulls in a bitmap", Source{Type: le(1)}, Options{}, "01 02", "11", 2, "int8", Mapped, "[1 2]"},
		{"no rows", Source{Type: be(4)}, Options{}, "", "", 0, "int32", Swapped, "[]"},

		{"i24", Source{Type: oddT(3, 0, 24, true, h5.LittleEndian)}, Options{}, "ffff7f 000080 ffffff", "", 3, "int32", Converted, "[8388607 -8388608 -1]"},
		{"i24be", Source{Type: oddT(3, 0, 24, true, h5.BigEndian)}, Options{}, "7fffff 800000 ffffff", "", 3, "int32", Converted, "[8388607 -8388608 -1]"},
		{"u40", Source{Type: oddT(5, 0, 40, false, h5.LittleEndian)}, Options{}, "ffffffffff 0100000000", "", 2, "uint64", Converted, "[1099511627775 1]"},
		{"u12 in two bytes", Source{Type: oddT(2, 0, 12, false, h5.LittleEndian)}, Options{}, "ffff 01a0", "", 2, "uint16", Converted, "[4095 1]"},
		{"i11 at bit 3", Source{Type: oddT(2, 3, 11, true, h5.LittleEndian)}, Options{}, "ffff f85f 0720", "", 3, "int16", Converted, "[-1 1023 -1024]"},
		{"i11be at bit 3", Source{Type: oddT(2, 3, 11, true, h5.BigEndian)}, Options{}, "ffff 5ff8 2007", "", 3, "int16", Converted, "[-1 1023 -1024]"},
		{"i4 in one byte", Source{Type: oddT(1, 4, 4, true, h5.LittleEndian)}, Options{}, "7f 8f f0", "", 3, "int8", Converted, "[7 -8 -1]"},
		{"i60 in sixteen", Source{Type: oddT(16, 4, 60, true, h5.BigEndian)}, Options{}, "ffffffffffffffff ffffffffffffffef", "", 1, "int64", Converted, "[-2]"},
	})
}

func TestBuildBits(t *testing.T) {
	runBuild(t, []buildTest{
		{"b8", Source{Type: bitsT(1, h5.LittleEndian)}, Options{}, "00 ff", "", 2, "uint8", Mapped, "[0 255]"},
		{"b32be", Source{Type: bitsT(4, h5.BigEndian)}, Options{}, "00000001 ff000000", "", 2, "uint32", Swapped, "[1 4278190080]"},
		{"b8 as bool", Source{Type: bitsT(1, h5.LittleEndian), Bitfield8AsBool: true}, Options{}, "00 01 80", "101", 3, "bool", Packed, "[false (null) true]"},
		{"b1 at bit 2 as bool", Source{Type: &h5.Type{Class: h5.ClassBitfield, Size: 1, BitOffset: 2, Precision: 1}, Bitfield8AsBool: true}, Options{}, "fb 04", "", 2, "bool", Packed, "[false true]"},
		{"time32", Source{Type: &h5.Type{Class: h5.ClassTime, Size: 4, Order: h5.LittleEndian, Precision: 32}}, Options{}, "ffffffff", "", 1, "int32", Mapped, "[-1]"},
		{"time64be", Source{Type: &h5.Type{Class: h5.ClassTime, Size: 8, Order: h5.BigEndian, Precision: 64}}, Options{}, "0000000000000002", "", 1, "int64", Swapped, "[2]"},

		{"bool", Source{Type: boolT()}, Options{}, "00 01 02 ff 00 00 01 01 00 01", "1111111110", 10, "bool", Packed, "[false true true true false false true true false (null)]"},
		{"bool, TRUE first", Source{Type: enumT(leu(1), "TRUE", 1, "FALSE", 0)}, Options{Enum: EnumValues}, "00 01", "", 2, "bool", Packed, "[false true]"},

		{"opaque", Source{Type: opaqueT(3, "mystery")}, Options{}, "010203 ffffff", "10", 2, "fixed_size_binary[3]", Mapped, `["\x01\x02\x03" (null)]`},
	})
}

func TestBuildText(t *testing.T) {
	runBuild(t, []buildTest{
		{"nullterm", Source{Type: strT(4, h5.NullTerm)}, Options{}, "61620078 61626364 00616161 20622000", "", 4, "utf8", Converted, `["ab" "abcd" "" " b "]`},
		{"nullpad", Source{Type: strT(4, h5.NullPad)}, Options{}, "61006200 61626364 00000000 20202000", "", 4, "utf8", Converted, `["a\x00b" "abcd" "" "   "]`},
		{"spacepad", Source{Type: strT(4, h5.SpacePad)}, Options{}, "61206220 61626300 20202020", "1101"[:3], 3, "utf8", Converted, `["a b" "abc" (null)]`},
		{"size 1", Source{Type: strT(1, h5.NullPad)}, Options{}, "61 00 63", "", 3, "utf8", Converted, `["a" "" "c"]`},
		{"two-byte characters", Source{Type: strT(2, h5.NullPad)}, Options{}, "c3a9 6100 c3bc", "", 3, "utf8", Converted, `["é" "a" "ü"]`},
		{"not text under a null", Source{Type: strT(2, h5.NullPad)}, Options{}, "c3a9 ffff c3c3 6162", "1001", 4, "utf8", Converted, `["é" (null) (null) "ab"]`},
		{"latin1", Source{Type: strT(2, h5.NullPad)}, Options{Strings: StringsLatin1}, "e9ff 6100 ffff", "110", 3, "utf8", Converted, `["éÿ" "a" (null)]`},
		{"binary", Source{Type: strT(2, h5.NullPad)}, Options{Strings: StringsBinary}, "e9ff 6100", "", 2, "binary", Converted, `["\xe9\xff" "a"]`},
		{"no strings", Source{Type: strT(7, h5.NullPad)}, Options{}, "", "", 0, "utf8", Converted, "[]"},
	})
}

func TestBuildTimes(t *testing.T) {
	runBuild(t, []buildTest{
		{"datetime64[s]", Source{Type: le(8), DType: "datetime64[s]"}, Options{}, "0100000000000000 0000000000000080", "", 2, "timestamp[s]", Mapped, "[1 (null)]"},
		{"datetime64[ns] big-endian", Source{Type: be(8), DType: "<M8[ns]"}, Options{}, "0000000000000001 8000000000000000 0000000000000002", "110", 3, "timestamp[ns]", Swapped, "[1 (null) (null)]"},
		{"timedelta64[us]", Source{Type: le(8), DType: ">m8[us]"}, Options{}, "0500000000000000 0000000000000080", "", 2, "duration[us]", Mapped, "[5 (null)]"},
		{"datetime64[D]", Source{Type: le(8), DType: "datetime64[D]"}, Options{}, "ffffffffffffffff 0000000000000080", "", 2, "date32", Converted, "[1969-12-31 (null)]"},
		{"datetime64[W]", Source{Type: be(8), DType: "datetime64[W]"}, Options{}, "0000000000000002 8000000000000000", "", 2, "date32", Converted, "[1970-01-15 (null)]"},
		{"datetime64[h]", Source{Type: le(8), DType: "M8[h]"}, Options{}, "0100000000000000", "", 1, "timestamp[s]", Converted, "[3600]"},
		{"timedelta64[D]", Source{Type: le(8), DType: "timedelta64[D]"}, Options{}, "0200000000000000 0000000000000080", "", 2, "duration[s]", Converted, "[172800 (null)]"},
		{"timedelta64[m]", Source{Type: be(8), DType: "m8[m]"}, Options{}, "ffffffffffffffff", "", 1, "duration[s]", Converted, "[-60]"},
		{"out of range under a null", Source{Type: le(8), DType: "M8[D]"}, Options{}, "ffffffffffffff7f 0100000000000000", "01", 2, "date32", Converted, "[(null) 1970-01-02]"},
		{"opaque datetime", Source{Type: opaqueT(8, "NUMPY:<M8[ms]")}, Options{}, "0100000000000000 0000000000000080", "", 2, "timestamp[ms]", Mapped, "[1 (null)]"},
		{"opaque timedelta, big-endian", Source{Type: opaqueT(8, "NUMPY:>m8[s]")}, Options{}, "0000000000000001 8000000000000000", "", 2, "duration[s]", Swapped, "[1 (null)]"},
	})
}

func TestBuildRows(t *testing.T) {
	runBuild(t, []buildTest{
		{"2-D", Source{Type: be(2), Dims: []uint64{3}}, Options{}, "0001 0002 0003 0004 0005 0006", "110111", 2, "fixed_size_list<item: int16, nullable>[3]", Swapped, "[[1 2 (null)] [4 5 6]]"},
		{"3-D", Source{Type: le(1), Dims: []uint64{2, 2}}, Options{}, "01 02 03 04 05 06 07 08", "", 2, "fixed_size_list<item: fixed_size_list<item: int8, nullable>[2], nullable>[2]", Mapped, "[[[1 2] [3 4]] [[5 6] [7 8]]]"},
		{"2-D bool", Source{Type: boolT(), Dims: []uint64{3}}, Options{}, "00 01 01 01 00 00", "", 2, "fixed_size_list<item: bool, nullable>[3]", Packed, "[[false true true] [true false false]]"},
		{"2-D strings", Source{Type: strT(2, h5.NullPad), Dims: []uint64{2}}, Options{}, "6100 6262 0000 6300", "", 2, "fixed_size_list<item: utf8, nullable>[2]", Converted, `[["a" "bb"] ["" "c"]]`},
		{"2-D of one", Source{Type: le(1), Dims: []uint64{1}}, Options{}, "01 02", "10", 2, "fixed_size_list<item: int8, nullable>[1]", Mapped, "[[1] [(null)]]"},
		{"2-D without rows", Source{Type: le(4), Dims: []uint64{3}}, Options{}, "", "", 0, "fixed_size_list<item: int32, nullable>[3]", Mapped, "[]"},
		{"null rows", Source{Type: le(1), Dims: []uint64{2}}, Options{NullRows: true}, "01 02 03 04 05 06", "110111", 3, "fixed_size_list<item: int8, nullable>[2]", Mapped, "[[1 2] (null) [5 6]]"},
	})
}

func TestBuildNamed(t *testing.T) {
	runBuild(t, []buildTest{
		{"dtype bool", Source{Type: le(1), DType: "bool"}, Options{}, "00 01 02", "", 3, "bool", Packed, "[false true true]"},
		{"dtype of the same width", Source{Type: be(4), DType: "float32"}, Options{}, "3fc00000", "", 1, "float32", Swapped, "[1.5]"},
		{"dtype with its own order on opaque bytes", Source{Type: opaqueT(2, ""), DType: ">u2"}, Options{}, "0102", "", 1, "uint16", Swapped, "[258]"},
		{"spacepad, a NUL inside", Source{Type: strT(4, h5.SpacePad)}, Options{}, "61002020 20200000 00000020", "", 3, "utf8", Converted, `["a\x00" "" "\x00\x00\x00"]`},
		{"dtype of bytes", Source{Type: strT(3, h5.SpacePad), DType: "S3"}, Options{}, "612000", "", 1, "utf8", Converted, `["a "]`},
		{"dtype of UTF-32", Source{Type: opaqueT(8, ""), DType: "<U2"}, Options{}, "e9000000 00000000", "", 1, "utf8", Converted, `["é"]`},
		{"no convention", Source{Type: le(8), DType: "datetime64[s]", NoConvention: true}, Options{}, "0100000000000000", "", 1, "int64", Mapped, "[1]"},
	})
}

func TestNewErrors(t *testing.T) {
	i8, i64 := le(1), le(8)
	tests := []struct {
		name string
		src  Source
		opt  Options
		kind h5err.Kind
		text string
	}{
		{"no type", Source{}, Options{}, h5err.Argument, "no type"},
		{"strings out of range", Source{Type: i8}, Options{Strings: 9}, h5err.Argument, "strings(9)"},
		{"enum out of range", Source{Type: i8}, Options{Enum: 9}, h5err.Argument, "enum(9)"},
		{"inner extent 0", Source{Type: i8, Dims: []uint64{3, 0}}, Options{}, h5err.Unsupported, "extent 0"},
		{"inner extent too long", Source{Type: i8, Dims: []uint64{1 << 31}}, Options{}, h5err.Unsupported, "shape"},
		{"product of extents overflows", Source{Type: i8, Dims: []uint64{1 << 30, 1 << 30, 1 << 30}}, Options{}, h5err.Unsupported, "shape"},
		{"rows overflow", Source{Type: i64, Dims: []uint64{1 << 30, 1 << 31 >> 1}}, Options{}, h5err.Unsupported, ""},
		{"integer of 16 bytes", Source{Type: oddT(16, 0, 128, true, h5.LittleEndian)}, Options{}, h5err.Unsupported, "128 bits"},
		{"bits outside the bytes", Source{Type: oddT(2, 10, 8, true, h5.LittleEndian)}, Options{}, h5err.Corrupt, "8 bits at bit 10"},
		{"size 0", Source{Type: &h5.Type{Class: h5.ClassFixed}}, Options{}, h5err.Corrupt, "no bytes"},
		{"class out of range", Source{Type: &h5.Type{Class: 99, Size: 1}}, Options{}, h5err.Unsupported, "class 98"},
		{"years", Source{Type: i64, DType: "datetime64[Y]"}, Options{}, h5err.Unsupported, `"Y"`},
		{"months", Source{Type: i64, DType: "m8[M]"}, Options{}, h5err.Unsupported, `"M"`},
		{"picoseconds", Source{Type: i64, DType: "datetime64[ps]"}, Options{}, h5err.Unsupported, `"ps"`},
		{"multiples", Source{Type: i64, DType: "datetime64[25s]"}, Options{}, h5err.Unsupported, `"25s"`},
		{"no unit", Source{Type: i64, DType: "datetime64"}, Options{}, h5err.Unsupported, "without a unit"},
		{"no such unit", Source{Type: i64, DType: "datetime64[parsec]"}, Options{}, h5err.Unsupported, "parsec"},
		{"datetime on a float", Source{Type: types.Float(8, h5.LittleEndian), DType: "datetime64[ns]"}, Options{}, h5err.Corrupt, "64-bit integer"},
		{"datetime on four bytes", Source{Type: le(4), DType: "timedelta64[s]"}, Options{}, h5err.Corrupt, "64-bit integer"},
		{"datetime on unsigned", Source{Type: leu(8), DType: "M8[s]"}, Options{}, h5err.Corrupt, "64-bit integer"},
		{"unknown name", Source{Type: i64, DType: "banana"}, Options{}, h5err.Unsupported, "banana"},
		{"another width", Source{Type: i64, DType: "int32"}, Options{}, h5err.Corrupt, "4 bytes on elements of 8"},
		{"numbers on a heap string", Source{Type: vstrT(), DType: "complex128"}, Options{}, h5err.Corrupt, "vstr"},
		{"str", Source{Type: strT(1, h5.NullPad), DType: "str"}, Options{}, h5err.Corrupt, "indices"},
		{"opaque years", Source{Type: opaqueT(8, "NUMPY:<M8[Y]")}, Options{}, h5err.Unsupported, `"Y"`},
		{"opaque datetime of 4 bytes", Source{Type: opaqueT(4, "NUMPY:<M8[s]")}, Options{}, h5err.Corrupt, "4 bytes"},
		{"region reference", Source{Type: &h5.Type{Class: h5.ClassReference, Size: 12, Ref: h5.RefRegion1}}, Options{}, h5err.Unsupported, "region"},
		{"attribute reference", Source{Type: &h5.Type{Class: h5.ClassReference, Size: 12, Ref: h5.RefAttribute2}}, Options{}, h5err.Unsupported, "reference"},
		{"compound without members", Source{Type: &h5.Type{Class: h5.ClassCompound, Size: 4}}, Options{}, h5err.Corrupt, "members"},
		{"member outside", Source{Type: compoundT(4, "a", 2, le(4))}, Options{}, h5err.Corrupt, `"a"`},
		{"member refused", Source{Type: compoundT(16, "a", 0, oddT(16, 0, 128, true, h5.LittleEndian))}, Options{}, h5err.Unsupported, "member a"},
		{"array of another size", Source{Type: &h5.Type{Class: h5.ClassArray, Size: 7, Base: le(2), Dims: []uint64{3}}}, Options{}, h5err.Corrupt, "[3]"},
		{"array without rank", Source{Type: &h5.Type{Class: h5.ClassArray, Size: 2, Base: le(2)}}, Options{}, h5err.Corrupt, "[]"},
		{"array of extent 0", Source{Type: &h5.Type{Class: h5.ClassArray, Size: 2, Base: le(2), Dims: []uint64{0}}}, Options{}, h5err.Unsupported, "extent 0"},
		{"enum over a float", Source{Type: &h5.Type{Class: h5.ClassEnum, Size: 4, Base: types.Float(4, h5.LittleEndian)}}, Options{}, h5err.Corrupt, "enumeration"},
		{"enum with too few values", Source{Type: &h5.Type{Class: h5.ClassEnum, Size: 1, Base: i8, Names: []string{"a", "b"}, Values: []byte{1}}}, Options{}, h5err.Corrupt, "enumeration"},
		{"float without fields", Source{Type: &h5.Type{Class: h5.ClassFloat, Size: 4}}, Options{}, h5err.Corrupt, "fields"},
		{"float fields outside", Source{Type: &h5.Type{Class: h5.ClassFloat, Size: 2, Float: &h5.FloatFields{Sign: 31, ExpSize: 5, MantLoc: 5, MantSize: 10}}}, Options{}, h5err.Corrupt, "outside"},
		{"float of 64 bytes", Source{Type: &h5.Type{Class: h5.ClassFloat, Size: 64, Float: &h5.FloatFields{ExpSize: 5, MantSize: 10}}}, Options{}, h5err.Unsupported, "64 bytes"},
		{"complex over integers", Source{Type: &h5.Type{Class: h5.ClassComplex, Size: 8, Base: le(4)}}, Options{}, h5err.Corrupt, "complex"},
		{"member name not UTF-8", Source{Type: compoundT(1, "\xff", 0, i8)}, Options{}, h5err.Corrupt, "Options.Strings"},
		{"label not UTF-8", Source{Type: enumT(i8, "\xff", 3)}, Options{}, h5err.Corrupt, "Options.Strings"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := New(tt.src, tt.opt)
			if err == nil {
				t.Fatalf("no error but %v", p.Arrow)
			}
			dtest.WantError(t, err, tt.kind, tt.text)
		})
	}
}

func TestNestedTooDeep(t *testing.T) {
	ty := le(4)
	for range 100 {
		ty = compoundT(4, "x", 0, ty)
	}
	_, err := New(Source{Type: ty}, Options{})
	dtest.WantError(t, err, h5err.Unsupported, "nested")
}

func TestTooManyTypes(t *testing.T) {
	ty := le(1) // shared, as a type may be: 8^6 leaves
	for range 6 {
		m := make([]any, 0, 24)
		for i := range 8 {
			m = append(m, string(rune('a'+i)), 0, ty)
		}
		ty = compoundT(1, m...)
	}
	_, err := New(Source{Type: ty}, Options{})
	dtest.WantError(t, err, h5err.Unsupported, "more than")
}

func TestValueErrors(t *testing.T) {
	tests := []struct {
		name  string
		src   Source
		bytes string
		rows  int
		texts []string
	}{
		{"not UTF-8", Source{Type: strT(4, h5.NullPad)}, "61626364 61c30000", 2, []string{"/d: corrupt: row 101: ", "0xC3 at 1", "Options.Strings"}},
		{"surrogate", Source{Type: strT(3, h5.NullPad)}, "616263 eda080", 2, []string{"row 101", "0xED"}},
		{"overlong", Source{Type: strT(2, h5.NullPad)}, "c0af", 1, []string{"row 100"}},
		{"a character over two cells", Source{Type: strT(1, h5.NullPad)}, "61 c3 a9", 3, []string{"row 101", "0xC3"}},
		{"item of a row", Source{Type: strT(1, h5.NullPad), Dims: []uint64{2}}, "61 62 63 ff", 2, []string{"row 101, item 1"}},
		{"date out of range", Source{Type: le(8), DType: "M8[D]"}, "0000008000000000", 1, []string{"row 100", "2147483648", "range"}},
		{"date below range", Source{Type: le(8), DType: "M8[W]"}, "0000000080ffffff", 1, []string{"row 100", "range"}},
		{"hours overflow", Source{Type: le(8), DType: "M8[h]"}, "ffffffffffffff7f", 1, []string{"row 100", "range"}},
		{"minutes overflow", Source{Type: be(8), DType: "m8[m]"}, "0000000000000000 8000000000000001", 2, []string{"row 101", "range"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := plan(t, tt.src, Options{})
			checkError(t, p, testEnv(t), Raw{Bytes: dtest.Unhex(t, tt.bytes), Rows: tt.rows, Row0: 100}, h5err.Corrupt, tt.texts...)
		})
	}
}

func TestRawContradictions(t *testing.T) {
	p := plan(t, Source{Type: le(4), Dims: []uint64{2}}, Options{})
	b := make([]byte, 16)
	owner := memory.NewBufferBytes(b)
	for name, raw := range map[string]Raw{
		"negative rows":       {Bytes: b, Rows: -1},
		"too few bytes":       {Bytes: b[:15], Rows: 2},
		"no bytes":            {Rows: 1},
		"rows that overflow":  {Bytes: b, Rows: math.MaxInt},
		"stride that is less": {Bytes: b, Rows: 2, Stride: 7},
		"stride too long":     {Bytes: b, Rows: 2, Stride: 9},
		"stride that wraps":   {Bytes: b, Rows: 3, Stride: math.MaxInt},
		"outside the owner":   {Bytes: b, Rows: 2, Owner: owner, OwnerOffset: 1},
		"before the owner":    {Bytes: b, Rows: 2, Owner: owner, OwnerOffset: -1},
		"bitmap too short":    {Bytes: b, Rows: 2, Nulls: -1, Valid: Bitmap{[]byte{0xff}, 5}},
		"bitmap offset":       {Bytes: b, Rows: 2, Nulls: -1, Valid: Bitmap{[]byte{0xff}, 9}},
		"validity too short":  {Bytes: b, Rows: 2, Nulls: -1, ValidBuf: memory.NewBufferBytes(nil)},
	} {
		t.Run(name, func(t *testing.T) {
			checkError(t, p, testEnv(t), raw, h5err.Argument)
		})
	}
}

// The bytes of plain numbers are not copied.
func TestZeroCopy(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	owner := memory.NewResizableBuffer(mem)
	owner.Resize(64)
	for i := range owner.Bytes() {
		owner.Bytes()[i] = byte(i)
	}
	bits := memory.NewResizableBuffer(mem)
	bits.Resize(1)
	bits.Bytes()[0] = 0b0111
	none := memory.NewCheckedAllocator(memory.NewGoAllocator()) // nothing may be allocated here
	defer none.AssertSize(t, 0)
	env := &Env{Alloc: none}
	for name, src := range map[string]Source{
		"int32":     {Type: le(4)},
		"float32":   {Type: types.Float(4, h5.LittleEndian)},
		"opaque":    {Type: opaqueT(4, "x")},
		"2-D":       {Type: le(2), Dims: []uint64{2}},
		"array":     {Type: arrayT(le(2), 2)},
		"one field": {Type: compoundT(4, "a", 0, le(4))},
		"swapped":   {Type: be(4)},
	} {
		p := plan(t, src, Options{})
		raw := Raw{Bytes: owner.Bytes()[5:], Rows: 4, Owner: owner, OwnerOffset: 5, Nulls: 1, ValidBuf: bits, Valid: Bitmap{Bits: bits.Bytes()}, Mutable: name == "swapped"}
		if p.Items > 1 {
			raw.Rows = 2
		}
		a, err := p.Build(raw, env)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		d := a.Data()
		for len(d.Children()) > 0 {
			d = d.Children()[0]
		}
		if got := d.Buffers()[1].Bytes(); &got[0] != &owner.Bytes()[5] {
			t.Errorf("%s: the values were copied", name)
		}
		if len(d.Children()) == 0 && name != "array" && &d.Buffers()[0].Bytes()[0] != &bits.Bytes()[0] {
			t.Errorf("%s: the validity was copied", name)
		}
		if none.CurrentAlloc() != 0 && name != "array" {
			t.Errorf("%s: %d bytes were allocated", name, none.CurrentAlloc())
		}
		a.Release()
	}
	owner.Release()
	bits.Release()
}

// An array outlives the buffers that it was made of.
func TestRetains(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	owner := memory.NewResizableBuffer(mem)
	owner.Resize(8)
	copy(owner.Bytes(), []byte{1, 0, 2, 0, 3, 0, 4, 0})
	p := plan(t, Source{Type: le(2)}, Options{})
	a, err := p.Build(Raw{Bytes: owner.Bytes()[2:6], Rows: 2, Owner: owner, OwnerOffset: 2}, &Env{Alloc: mem})
	if err != nil {
		t.Fatal(err)
	}
	owner.Release()
	if got := render(a); got != "[2 3]" {
		t.Error(got)
	}
	a.Release()
}

// Without rows an offset may be after the bytes.
func TestNoRowsOfCompounds(t *testing.T) {
	p := plan(t, Source{Type: compoundT(32, "a", 0, le(8), "b", 24, be(8))}, Options{})
	for _, b := range [][]byte{nil, make([]byte, 8)} {
		a, err := p.Build(Raw{Bytes: b, Owner: memory.NewBufferBytes(b), Mutable: true}, testEnv(t))
		if err != nil {
			t.Fatal(err)
		}
		if got := render(a); got != "{[] []}" {
			t.Error(got)
		}
		a.Release()
	}
}

func TestSwapInPlace(t *testing.T) {
	for name, tt := range map[string]struct {
		src  Source
		want bool
	}{
		"little-endian": {Source{Type: le(4)}, false},
		"big-endian":    {Source{Type: be(4)}, true},
		"2-D":           {Source{Type: be(4), Dims: []uint64{2}}, true},
		"array":         {Source{Type: arrayT(be(4), 2)}, true},
		"times":         {Source{Type: be(8), DType: "M8[s]"}, true},
		"dates":         {Source{Type: be(8), DType: "M8[D]"}, false},
		"odd":           {Source{Type: oddT(4, 0, 20, true, h5.BigEndian)}, false},
		"text":          {Source{Type: strT(8, h5.NullPad)}, false},
		"compound":      {Source{Type: compoundT(8, "a", 0, be(4), "b", 4, be(4))}, false},
	} {
		p := plan(t, tt.src, Options{})
		b := []byte{1, 2, 3, 4, 5, 6, 7, 8}
		if got := p.SwapInPlace(b); got != tt.want || (b[0] != 1) != tt.want {
			t.Errorf("%s: %v, %v", name, got, b)
		}
	}
	p := plan(t, Source{Type: be(4)}, Options{})
	if p.SwapInPlace(make([]byte, 7)) {
		t.Error("swapped a part of an element")
	}
}

func TestEnumNames(t *testing.T) {
	for got, want := range map[string]string{
		StringsUTF8.String(): "utf8", StringsLatin1.String(): "latin1", Strings(7).String(): "strings(7)",
		EnumLabels.String(): "labels", EnumValues.String(): "values",
		Mapped.String(): "mapped", Refused.String(): "refused", Delivery(0).String(): "invalid", Delivery(99).String(): "delivery(99)",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestNoNulls builds values that are null by themselves, and says that there are none.
func TestNoNulls(t *testing.T) {
	f8 := Source{Type: types.Float(8, h5.LittleEndian)}
	for _, tt := range []struct {
		src    Source
		o      Options
		bytes  []byte
		probes bool
	}{
		{Source{Type: le(8), DType: "datetime64[ns]"}, Options{}, natBytes(), true},
		{Source{Type: le(8), DType: "timedelta64[s]", Dims: []uint64{1}}, Options{}, natBytes(), true},
		{f8, Options{NaNAsNull: true}, []byte{0, 0, 0, 0, 0, 0, 0xf8, 0x7f}, true},
		{Source{Type: le(8), DType: "datetime64[D]"}, Options{}, natBytes(), false}, // it is converted
		{f8, Options{}, natBytes(), false},
		{Source{Type: le(8)}, Options{}, natBytes(), false},
	} {
		p := plan(t, tt.src, tt.o)
		if p.Probes() != tt.probes {
			t.Errorf("%v: probes: %v", p.Arrow, p.Probes())
		}
		if !tt.probes {
			continue
		}
		for _, known := range []bool{false, true} {
			a, err := p.Build(Raw{Bytes: tt.bytes, Rows: 1, NoNulls: known}, testEnv(t))
			if err != nil {
				t.Fatal(err)
			}
			items := a
			if l, ok := a.(*array.FixedSizeList); ok {
				items = l.ListValues()
			}
			if null := items.IsNull(0); null == known {
				t.Errorf("%v, known to have no nulls: %v: null: %v", p.Arrow, known, null)
			}
			a.Release()
		}
	}
}
