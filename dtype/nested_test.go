package dtype

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/dtype/internal/dtest"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

func TestBuildCompounds(t *testing.T) {
	pair := compoundT(6, "p", 0, le(2), "q", 2, be(4))
	runBuild(t, []buildTest{
		{"compound", Source{Type: compoundT(9, "a", 1, le(2), "b", 5, be(4), "c", 0, le(1))}, Options{},
			"01 0200 eeee 00000003 ff 0400 eeee ffffffff", "", 2,
			"struct<a: int16 nullable, b: int32 nullable, c: int8 nullable>", Gathered, "{[2 4] [3 -1] [1 -1]}"},
		{"compound with nulls", Source{Type: compoundT(3, "a", 0, le(1), "s", 1, strT(2, h5.NullPad))}, Options{},
			"01 6161 02 ffff 03 6300", "101", 3,
			"struct<a: int8 nullable, s: utf8 nullable>", Gathered, `{[1 (null) 3] ["aa" (null) "c"]}`},
		{"compound of one member", Source{Type: compoundT(2, "a", 0, be(2))}, Options{}, "0001 0002", "", 2, "struct<a: int16 nullable>", Swapped, "{[1 2]}"},
		{"compound in compound", Source{Type: compoundT(8, "in", 1, pair, "ok", 0, boolT())}, Options{},
			"01 0100 00000002 ee 00 0300 00000004 ee", "", 2,
			"struct<in: struct<p: int16 nullable, q: int32 nullable> nullable, ok: bool nullable>", Gathered, "{{[1 3] [2 4]} [true false]}"},
		{"compound of arrays", Source{Type: compoundT(13, "id", 12, le(1), "m", 0, arrayT(be(2), 2, 3))}, Options{},
			"0001 0002 0003 0004 0005 0006 09 0007 0008 0009 000a 000b 000c 08", "", 2,
			"struct<id: int8 nullable, m: fixed_size_list<item: fixed_size_list<item: int16, nullable>[3], nullable>[2] nullable>", Gathered,
			"{[9 8] [[[1 2 3] [4 5 6]] [[7 8 9] [10 11 12]]]}"},
		{"array of compounds", Source{Type: compoundT(13, "x", 0, le(1), "v", 1, arrayT(pair, 2))}, Options{},
			"01 0100 00000002 0300 00000004 02 0500 00000006 0700 00000008", "", 2,
			"struct<x: int8 nullable, v: fixed_size_list<item: struct<p: int16 nullable, q: int32 nullable>, nullable>[2] nullable>", Gathered,
			"{[1 2] [{[1 3] [2 4]} {[5 7] [6 8]}]}"},
		{"array with nulls", Source{Type: arrayT(le(1), 2, 2)}, Options{}, "01 02 03 04 05 06 07 08", "01", 2,
			"fixed_size_list<item: fixed_size_list<item: int8, nullable>[2], nullable>[2]", Mapped, "[(null) [[5 6] [7 8]]]"},
		{"array of text under a null", Source{Type: arrayT(strT(1, h5.NullPad), 2)}, Options{}, "61 62 ff ff", "10", 2,
			"fixed_size_list<item: utf8, nullable>[2]", Converted, `[["a" "b"] (null)]`},
		{"array in rows of two", Source{Type: arrayT(le(1), 3), Dims: []uint64{2}}, Options{}, "01 02 03 04 05 06", "10", 1,
			"fixed_size_list<item: fixed_size_list<item: int8, nullable>[3], nullable>[2]", Mapped, "[[[1 2 3] (null)]]"},
		{"compounds in rows of two", Source{Type: pair, Dims: []uint64{2}}, Options{}, "0100 00000002 0300 00000004", "", 1,
			"fixed_size_list<item: struct<p: int16 nullable, q: int32 nullable>, nullable>[2]", Gathered, "[{[1 3] [2 4]}]"},
	})
}

func TestBuildComplex(t *testing.T) {
	c64 := &h5.Type{Class: h5.ClassComplex, Size: 8, Base: types.Float(4, h5.BigEndian)}
	runBuild(t, []buildTest{
		{"complex", Source{Type: c64}, Options{}, "3f800000 40000000 7fc00000 bf800000", "", 2, "struct<r: float32 nullable, i: float32 nullable>", Gathered, "{[1 NaN] [2 -1]}"},
		{"complex and NaN as null", Source{Type: c64}, Options{NaNAsNull: true}, "7fc00000 40000000", "", 1, "struct<r: float32 nullable, i: float32 nullable>", Gathered, "{[NaN] [2]}"},
		{"complex as a compound", Source{Type: compoundT(4, "r", 0, types.Float(2, h5.LittleEndian), "i", 2, types.Float(2, h5.LittleEndian))}, Options{},
			"003c 0040", "", 1, "struct<r: float16 nullable, i: float16 nullable>", Gathered, "{[1] [2]}"},
		{"dtype complex", Source{Type: opaqueT(8, ""), DType: "complex64"}, Options{}, "0000803f 00000040", "", 1, "struct<r: float32 nullable, i: float32 nullable>", Gathered, "{[1] [2]}"},
		{"dtype complex on a compound", Source{Type: compoundT(8, "r", 0, types.Float(4, h5.BigEndian), "i", 4, types.Float(4, h5.BigEndian)), DType: "complex64"}, Options{},
			"3f800000 40000000", "", 1, "struct<r: float32 nullable, i: float32 nullable>", Gathered, "{[1] [2]}"},
	})
}

func TestBuildEnums(t *testing.T) {
	rgb := enumT(le(1), "GREEN", 1, "RED", 0, "BLUE", 2)
	level := enumT(be(2), "low", -300, "mid", 7, "high", 1200)
	far := enumT(le(8), "big", int64(math.MaxInt64), "small", int64(math.MinInt64), "one", 1)
	runBuild(t, []buildTest{
		{"enum 0..n-1", Source{Type: rgb}, Options{}, "02 00 01 07", "1110", 4, "dictionary<values=utf8, indices=int8, ordered=false>", Mapped,
			"{ dictionary: [\"RED\" \"GREEN\" \"BLUE\"]\n  indices: [2 0 1 (null)] }"},
		{"enum 0..n-1, big-endian", Source{Type: enumT(be(4), "b", 1, "a", 0)}, Options{}, "00000001 00000000", "", 2,
			"dictionary<values=utf8, indices=int32, ordered=false>", Swapped, "{ dictionary: [\"a\" \"b\"]\n  indices: [1 0] }"},
		{"enum with gaps", Source{Type: level}, Options{}, "fed4 04b0 0007 0000", "1110", 4, "dictionary<values=utf8, indices=int16, ordered=false>", Converted,
			"{ dictionary: [\"low\" \"mid\" \"high\"]\n  indices: [0 2 1 (null)] }"},
		{"enum far apart", Source{Type: far}, Options{}, "ffffffffffffff7f 0100000000000000 0000000000000080", "", 3,
			"dictionary<values=utf8, indices=int64, ordered=false>", Converted, "{ dictionary: [\"big\" \"small\" \"one\"]\n  indices: [0 2 1] }"},
		{"enum of three bytes", Source{Type: enumT(oddT(3, 0, 24, true, h5.LittleEndian), "x", 0, "y", -1)}, Options{}, "ffffff 000000", "", 2,
			"dictionary<values=utf8, indices=int32, ordered=false>", Converted, "{ dictionary: [\"x\" \"y\"]\n  indices: [1 0] }"},
		{"enum with two names for a value", Source{Type: enumT(le(1), "x", 3, "y", 3)}, Options{}, "03", "", 1,
			"dictionary<values=utf8, indices=int8, ordered=false>", Converted, "{ dictionary: [\"x\" \"y\"]\n  indices: [0] }"},
		{"enum as values", Source{Type: level}, Options{Enum: EnumValues}, "fed4 0000", "", 2, "int16", Swapped, "[-300 0]"},
		{"enum of bool with a third", Source{Type: enumT(le(1), "FALSE", 0, "TRUE", 1, "MAYBE", 2)}, Options{}, "01 02", "", 2,
			"dictionary<values=utf8, indices=int8, ordered=false>", Mapped, "{ dictionary: [\"FALSE\" \"TRUE\" \"MAYBE\"]\n  indices: [1 2] }"},
		{"bool on two bytes", Source{Type: enumT(le(2), "FALSE", 0, "TRUE", 1)}, Options{}, "0100", "", 1,
			"dictionary<values=utf8, indices=int16, ordered=false>", Mapped, "{ dictionary: [\"FALSE\" \"TRUE\"]\n  indices: [1] }"},
		{"enum with Latin-1 labels", Source{Type: enumT(le(1), "caf\xe9", 0)}, Options{Strings: StringsLatin1}, "00", "", 1,
			"dictionary<values=utf8, indices=int8, ordered=false>", Mapped, "{ dictionary: [\"café\"]\n  indices: [0] }"},
		{"enum in a compound", Source{Type: compoundT(3, "e", 2, rgb, "x", 0, le(2))}, Options{}, "0100 02 0200 00", "", 2,
			"struct<e: dictionary<values=utf8, indices=int8, ordered=false> nullable, x: int16 nullable>", Gathered,
			"{{ dictionary: [\"RED\" \"GREEN\" \"BLUE\"]\n  indices: [2 0] } [1 2]}"},
	})
}

// TestBuildLogicalsAndFactors checks R's logicals and factors as hdf5r writes them: enumerations, with NA in place.
func TestBuildLogicalsAndFactors(t *testing.T) {
	bits := func(n int) *h5.Type { return oddT((n+7)/8, 0, n, false, h5.LittleEndian) }
	levels := func(base *h5.Type, n int) *h5.Type {
		var m []any
		for i := range n {
			m = append(m, fmt.Sprint("L", i+1), i+1)
		}
		return enumT(base, m...)
	}
	logical := enumT(bits(2), "FALSE", 0, "TRUE", 1, "NA", 2)
	dict := func(indices string) string {
		return "{ dictionary: [\"L1\" \"L2\" \"L3\"]\n  indices: [" + indices + "] }"
	}
	const utf8, u8 = "dictionary<values=utf8, indices=uint8, ordered=false>", "uint8"
	runBuild(t, []buildTest{
		{"logical", Source{Type: logical}, Options{}, "01 02 00 01", "", 4, "bool", Packed, "[true (null) false true]"},
		{"logical with nulls", Source{Type: logical}, Options{Enum: EnumValues}, "01 02 00 01", "1110", 4, "bool", Packed, "[true (null) false (null)]"},
		{"logical, other order", Source{Type: enumT(leu(1), "NA", 2, "TRUE", 1, "FALSE", 0)}, Options{}, "02 01", "", 2, "bool", Packed, "[(null) true]"},
		{"logical in rows of two", Source{Type: logical, Dims: []uint64{2}}, Options{}, "01 02 00 01", "", 2, "fixed_size_list<item: bool, nullable>[2]", Packed, "[[true (null)] [false true]]"},
		{"logical in a compound", Source{Type: compoundT(2, "x", 0, le(1), "l", 1, logical)}, Options{}, "07 02 08 01", "", 2,
			"struct<x: int8 nullable, l: bool nullable>", Gathered, "{[7 8] [(null) true]}"},
		{"NA of another value", Source{Type: enumT(leu(1), "FALSE", 0, "TRUE", 1, "NA", 3)}, Options{}, "03", "", 1, utf8, Converted,
			"{ dictionary: [\"FALSE\" \"TRUE\" \"NA\"]\n  indices: [2] }"},
		{"factor, NA masked to a level", Source{Type: levels(bits(2), 3)}, Options{}, "01 ff 03 01", "", 4, utf8, Converted, dict("0 (null) 2 0")},
		{"factor, no NA", Source{Type: levels(bits(2), 3)}, Options{}, "01 03", "", 2, utf8, Converted, dict("0 2")},
		{"factor, nulls beside NA", Source{Type: levels(bits(2), 3)}, Options{}, "01 ff 03", "110", 3, utf8, Converted, dict("0 (null) (null)")},
		{"factor, NA is 0", Source{Type: levels(leu(1), 3)}, Options{}, "00 03", "", 2, utf8, Converted, dict("(null) 2")},
		{"factor of 16 bits", Source{Type: levels(bits(9), 3)}, Options{}, "0100 ffff 0300", "", 3,
			"dictionary<values=utf8, indices=uint16, ordered=false>", Converted, dict("0 (null) 2")},
		{"factor as values", Source{Type: levels(bits(2), 3)}, Options{Enum: EnumValues}, "01 ff 03", "", 3, u8, Converted, "[1 (null) 3]"},
		{"factor as values, big-endian", Source{Type: levels(intT(2, false, h5.BigEndian), 3)}, Options{Enum: EnumValues}, "0001 ffff 0003", "", 3, "uint16", Swapped, "[1 (null) 3]"},
	})
	all := levels(leu(1), 255)
	p := plan(t, Source{Type: all}, Options{Enum: EnumValues})
	a, err := p.Build(Raw{Bytes: []byte{255, 0, 1}, Rows: 3}, testEnv(t))
	if err != nil {
		t.Fatal(err)
	}
	defer a.Release()
	if got := render(a); got != "[255 (null) 1]" || !p.Nulls {
		t.Errorf("255 of 255 levels: %s, Nulls %v", got, p.Nulls)
	}
	if p := plan(t, Source{Type: enumT(le(1), "a", 1, "b", 2)}, Options{}); p.Nulls {
		t.Error("signed members are not a factor's")
	}
}

func TestBuildUTF32(t *testing.T) {
	runBuild(t, []buildTest{
		{"utf32 bytes", Source{Type: leu(1), DType: "utf32", HasDLength: true, DLength: 2, Dims: []uint64{8}}, Options{},
			"e900000000000000 41000000 00f60100 0000000062000000", "", 3, "utf8", Converted, `["é" "A😀" "\x00b"]`},
		{"utf32 flat bytes", Source{Type: leu(1), DType: "utf32", HasDLength: true, DLength: 1}, Options{}, "e9000000 00000000", "", 2, "utf8", Converted, `["é" ""]`},
		{"utf32 integers", Source{Type: intT(4, false, h5.BigEndian), DType: "utf32", HasDLength: true, DLength: 2, Dims: []uint64{2}}, Options{},
			"000000e9 00000000 00000041 ffffffff", "10", 2, "utf8", Converted, `["é" (null)]`},
		{"utf32 flat integers", Source{Type: leu(4), DType: "utf32", HasDLength: true, DLength: 2}, Options{}, "ffff1000 00000000", "", 1, "utf8", Converted, `["` + "\\U0010ffff" + `"]`},
	})
}

func TestBuildTensors(t *testing.T) {
	runBuild(t, []buildTest{
		{"tensor", Source{Type: be(2), Dims: []uint64{2, 2}}, Options{Tensor: true}, "0001 0002 0003 0004", "1011", 1,
			"extension<arrow.fixed_shape_tensor[value_type=int16, shape=[2 2]]>", Swapped,
			"(extension<arrow.fixed_shape_tensor[value_type=int16, shape=[2 2]]>)[[1 (null) 3 4]]"},
		{"tensor of text is a list", Source{Type: strT(1, h5.NullPad), Dims: []uint64{2}}, Options{Tensor: true}, "61 62", "", 1,
			"fixed_size_list<item: utf8, nullable>[2]", Converted, `[["a" "b"]]`},
		{"tensor of no dimension", Source{Type: le(1)}, Options{Tensor: true}, "01", "", 1, "int8", Mapped, "[1]"},
	})
}

func TestHeap(t *testing.T) {
	h := dtest.Heap{}
	text := func(s string) []byte { return h.Put(len(s), []byte(s)) }
	ints := func(b ...byte) []byte { return h.Put(len(b)/2, b) }
	join := func(parts ...[]byte) []byte {
		var all []byte
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	null := make([]byte, 16)
	broken := dtest.HeapElement(5, 77, 1)
	deep := vlenT(vlenT(be(2)))
	tests := []struct {
		name  string
		src   Source
		opt   Options
		bytes []byte
		valid string
		rows  int
		arrow string
		want  string
	}{
		{"text", Source{Type: vstrT()}, Options{}, join(text("a"), null, text("größe"), text("")), "", 4, "utf8", `["a" "" "größe" ""]`},
		{"text with a terminator", Source{Type: vstrT()}, Options{}, h.Put(4, []byte("ab\x00d")), "", 1, "utf8", `["ab"]`},
		{"text in a longer object", Source{Type: vstrT()}, Options{}, h.Put(2, []byte("abcdefgh")), "", 1, "utf8", `["ab"]`},
		{"broken under nulls", Source{Type: vstrT()}, Options{}, join(broken, text("\xff"), text("b")), "001", 3, "utf8", `[(null) (null) "b"]`},
		{"text in Latin-1", Source{Type: vstrT()}, Options{Strings: StringsLatin1}, join(text("\xe9\xff"), text("b")), "", 2, "utf8", `["éÿ" "b"]`},
		{"text as bytes", Source{Type: vstrT()}, Options{Strings: StringsBinary}, text("\xe9"), "", 1, "binary", `["\xe9"]`},
		{"text in rows of two", Source{Type: vstrT(), Dims: []uint64{2}}, Options{}, join(text("a"), text("b"), text("c"), null), "", 2,
			"fixed_size_list<item: utf8, nullable>[2]", `[["a" "b"] ["c" ""]]`},
		{"sequences", Source{Type: vlenT(le(2))}, Options{}, join(ints(1, 0, 2, 0), null, ints(3, 0)), "", 3, "list<item: int16, nullable>", "[[1 2] [] [3]]"},
		{"sequences, big-endian, nulls", Source{Type: vlenT(be(2))}, Options{}, join(ints(0, 1, 0, 2), broken, ints(0, 3)), "101", 3, "list<item: int16, nullable>", "[[1 2] (null) [3]]"},
		{"sequences of sequences", Source{Type: deep}, Options{},
			join(h.Put(2, join(ints(0, 1), ints(0, 2, 0, 3))), h.Put(0, nil), h.Put(1, null)), "", 3,
			"list<item: list<item: int16, nullable>, nullable>", "[[[1] [2 3]] [] [[]]]"},
		{"sequences of text", Source{Type: vlenT(vstrT())}, Options{}, join(h.Put(2, join(text("x"), text("yz"))), null), "", 2,
			"list<item: utf8, nullable>", `[["x" "yz"] []]`},
		{"compound with text", Source{Type: compoundT(18, "i", 0, le(2), "s", 2, vstrT())}, Options{},
			join([]byte{1, 0}, text("x"), []byte{2, 0}, text("y")), "10", 2, "struct<i: int16 nullable, s: utf8 nullable>", `{[1 (null)] ["x" (null)]}`},
		{"array of text", Source{Type: arrayT(vstrT(), 2)}, Options{}, join(text("x"), text("y")), "", 1, "fixed_size_list<item: utf8, nullable>[2]", `[["x" "y"]]`},
		{"sequences of compounds", Source{Type: vlenT(compoundT(2, "a", 0, le(1), "b", 1, le(1)))}, Options{}, join(ints(1, 2, 3, 4), null), "", 2,
			"list<item: struct<a: int8 nullable, b: int8 nullable>, nullable>", "[{[1 3] [2 4]} {[] []}]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := plan(t, tt.src, tt.opt)
			if p.Arrow.String() != tt.arrow {
				t.Errorf("type %v, want %v", p.Arrow, tt.arrow)
			}
			if !p.Variable {
				t.Error("not variable")
			}
			env := testEnv(t)
			env.Heap = h
			checkBuild(t, p, env, tt.bytes, tt.rows, tt.valid, tt.want)
			if n := p.Fits(Raw{Bytes: tt.bytes, Rows: tt.rows, Nulls: 0}, env); n != tt.rows && tt.valid == "" {
				t.Errorf("fits %d of %d rows", n, tt.rows)
			}
		})
	}
}

func TestHeapErrors(t *testing.T) {
	h := dtest.Heap{}
	good := h.Put(1, []byte("a"))
	rows := func(b ...[]byte) []byte { // the bad one is row 12
		all := append(append([]byte(nil), good...), good...)
		for _, x := range b {
			all = append(all, x...)
		}
		return all
	}
	inner := h.Put(2, append(append([]byte(nil), good...), h.Put(1, []byte("\xff"))...))
	tests := []struct {
		name  string
		typ   *h5.Type
		bytes []byte
		texts []string
	}{
		{"no such object", vstrT(), rows(dtest.HeapElement(1, 4096, 9999)), []string{"row 12", "no heap object"}},
		{"longer than its object", vstrT(), rows(dtest.HeapElement(0xFFFFFFF0, 4096, 1)), []string{"row 12", "4294967280 bytes in a heap object of 1"}},
		{"not UTF-8", vstrT(), rows(h.Put(3, []byte("ab\xff"))), []string{"row 12", "0xFF at 2", "Options.Strings"}},
		{"sequence longer than its object", vlenT(le(8)), dtest.HeapElement(1, 4096, 1), []string{"row 10", "8 bytes in a heap object of 1"}},
		{"sequence of great size", vlenT(arrayT(le(8), 1<<20)), dtest.HeapElement(0xFFFFFFFF, 4096, 1), []string{"row 10"}},
		{"not UTF-8 in a sequence", vlenT(vstrT()), append(h.Put(1, good), inner...), []string{"row 11", "0xFF"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := plan(t, Source{Type: tt.typ}, Options{})
			env := testEnv(t)
			env.Heap = h
			checkError(t, p, env, Raw{Bytes: tt.bytes, Rows: len(tt.bytes) / p.RowBytes, Row0: 10}, h5err.Corrupt, tt.texts...)
		})
	}
	t.Run("address size", func(t *testing.T) {
		p := plan(t, Source{Type: vstrT()}, Options{})
		env := testEnv(t)
		env.OffsetSize = 9
		checkError(t, p, env, Raw{Bytes: good, Rows: 1}, h5err.Corrupt, "addresses of 9")
		env.OffsetSize = 4 // 16 bytes have room for more than that takes
		env.Heap = nil
		checkError(t, p, env, Raw{Bytes: good, Rows: 1}, h5err.Argument, "no heap")
	})
}

// Addresses of four bytes make elements of twelve.
func TestHeapSmallAddresses(t *testing.T) {
	env := testEnv(t)
	env.OffsetSize = 4
	env.Heap = dtest.Heap{{0x01020304, 7}: []byte("abc")}
	ty := vstrT()
	ty.Size = 12
	p := plan(t, Source{Type: ty}, Options{})
	checkBuild(t, p, env, dtest.Unhex(t, "03000000 04030201 07000000"), 1, "", `["abc"]`)
}

func TestReferences(t *testing.T) {
	p := plan(t, Source{Type: &h5.Type{Class: h5.ClassReference, Size: 8}}, Options{})
	if !p.Refs || p.Variable {
		t.Errorf("refs %v, variable %v", p.Refs, p.Variable)
	}
	env := testEnv(t)
	raw := dtest.Unhex(t, "0100000000000000 0000000000000000 0200000000000000 0900000000000000")
	checkError(t, p, env, Raw{Bytes: raw, Rows: 4}, h5err.Unsupported, "/d", "references")
	env.RefPath = func(ref []byte) (string, bool, error) {
		switch a := binary.LittleEndian.Uint64(ref); a {
		case 0:
			return "", true, nil
		case 9:
			return "", false, h5err.New(h5err.Corrupt, "dangling")
		default:
			return fmt.Sprintf("/x%d", a), false, nil
		}
	}
	checkBuild(t, p, env, raw, 4, "1110", `["/x1" (null) "/x2" (null)]`)
	checkBuild(t, p, env, raw[:8], 1, "", `["/x1"]`)
	checkError(t, p, env, Raw{Bytes: raw, Rows: 4, Row0: 5}, h5err.Corrupt, "row 8", "dangling")
	if n := p.Fits(Raw{Bytes: raw, Rows: 4}, env); n != 3 {
		t.Errorf("fits %d", n)
	}
}

// TestNewReferences reads references as HDF5 1.12 and later write them: these bytes are from its own test files.
func TestNewReferences(t *testing.T) {
	p := plan(t, Source{Type: &h5.Type{Class: h5.ClassReference, Ref: h5.RefObject2, Size: 18}}, Options{})
	env := testEnv(t)
	env.RefPath = func(ref []byte) (string, bool, error) {
		return fmt.Sprintf("/x%x", binary.LittleEndian.Uint64(ref)), false, nil
	}
	raw := dtest.Unhex(t, "020008 2807000000000000 00000000000000  020008 2003000000000000 00000000000000 0000 00000000 0000000000000000 00000000")
	checkBuild(t, p, env, raw, 3, "110", `["/x728" "/x320" (null)]`)
	if n := p.Fits(Raw{Bytes: raw, Rows: 3}, env); n != 3 {
		t.Errorf("fits %d", n)
	}
	for _, tt := range []struct {
		raw  string
		kind h5err.Kind
		want string
	}{
		{"0400 10000000 680d000000000000 01000000", h5err.Unsupported, "a reference to an attribute"},
		{"0401 20000000 4808000000000000 01000000", h5err.Unsupported, "a reference to an attribute"},
		{"0300 39000000 ac08000000000000 01000000", h5err.Unsupported, "a region reference"},
		{"0201 39000000 ac08000000000000 01000000", h5err.Unsupported, "in another file"},
		{"0500 39000000 ac08000000000000 01000000", h5err.Corrupt, "kind 5"},
		{"0000 00000000 ac08000000000000 01000000", h5err.Corrupt, "kind 0"},
		{"020010 2807000000000000 00000000000000", h5err.Corrupt, "an address of 16 bytes"},
	} {
		checkError(t, p, env, Raw{Bytes: append(raw[:18:18], dtest.Unhex(t, tt.raw)...), Rows: 2}, tt.kind, "row 1", tt.want)
	}
}

func TestUTF32Errors(t *testing.T) {
	u1, u4 := leu(1), leu(4)
	for name, src := range map[string]Source{
		"no dlength":       {Type: u1, Dims: []uint64{16}},
		"negative":         {Type: u1, Dims: []uint64{16}, HasDLength: true, DLength: -4},
		"zero":             {Type: u1, Dims: []uint64{16}, HasDLength: true},
		"huge":             {Type: u1, Dims: []uint64{16}, HasDLength: true, DLength: 1<<61 + 4},
		"too large":        {Type: u1, Dims: []uint64{16}, HasDLength: true, DLength: 5},
		"a quarter":        {Type: u1, Dims: []uint64{4}, HasDLength: true, DLength: 4},
		"float":            {Type: types.Float(4, h5.LittleEndian), Dims: []uint64{4}, HasDLength: true, DLength: 4},
		"two bytes":        {Type: leu(2), Dims: []uint64{4}, HasDLength: true, DLength: 4},
		"padding":          {Type: oddT(4, 0, 21, false, h5.LittleEndian), Dims: []uint64{4}, HasDLength: true, DLength: 4},
		"three dimensions": {Type: u4, Dims: []uint64{4, 4}, HasDLength: true, DLength: 4},
	} {
		src.DType = "utf32"
		if _, err := New(src, Options{}); !h5err.Is(err, h5err.Corrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := plan(t, Source{Type: u4, DType: "utf32", HasDLength: true, DLength: 4}, Options{})
	if p.SourceRows != 4 || p.RowBytes != 16 || p.Items != 1 {
		t.Errorf("%d rows, %d bytes, %d items", p.SourceRows, p.RowBytes, p.Items)
	}
	if n, err := p.ArrowRows(12); n != 3 || err != nil {
		t.Error(n, err)
	}
	if _, err := p.ArrowRows(13); !h5err.Is(err, h5err.Corrupt) {
		t.Error(err)
	}
	p = plan(t, Source{Type: u4, DType: "utf32", HasDLength: true, DLength: 1}, Options{})
	for _, cp := range []string{"00d80000", "ffdf0000", "00001100", "ffffffff"} {
		checkError(t, p, testEnv(t), Raw{Bytes: dtest.Unhex(t, "41000000"+cp), Rows: 2}, h5err.Corrupt, "row 1", "U+")
	}
}

func TestEnumErrors(t *testing.T) {
	tests := []struct {
		typ   *h5.Type
		bytes string
		texts []string
	}{
		{enumT(le(1), "a", 0, "b", 1), "00 02", []string{"row 1", "2 is not a member", "Options.Enum"}},
		{enumT(le(1), "a", 0, "b", 1), "00 ff", []string{"row 1", "-1 is not a member"}},
		{enumT(be(2), "a", 0, "b", 1), "0000 0100", []string{"row 1", "256 is not a member"}},
		{enumT(leu(8), "a", 0, "b", 1), "0000000000000000 ffffffffffffffff", []string{"row 1", "18446744073709551615 is not a member"}},
		{enumT(le(4), "a", 0), "00000000 00000080", []string{"row 1", "-2147483648"}},
		{enumT(le(1), "a", 1, "b", 3), "01 02", []string{"row 1", "2 is not a member"}},
		{enumT(le(8), "a", 1, "b", int64(1<<40)), "0100000000000000 ffffffffffffffff", []string{"row 1", "-1 is not a member"}},
		{enumT(le(1)), "00 00", []string{"row 0", "0 is not a member"}},
	}
	for _, tt := range tests {
		p := plan(t, Source{Type: tt.typ}, Options{})
		checkError(t, p, testEnv(t), Raw{Bytes: dtest.Unhex(t, tt.bytes), Rows: 2}, h5err.Corrupt, tt.texts...)
	}
}

// 200 labels don't fit an int8, 128 do.
func TestEnumWidens(t *testing.T) {
	for _, tt := range []struct {
		labels int
		base   *h5.Type
		want   arrow.DataType
	}{
		{128, le(1), arrow.PrimitiveTypes.Int8},
		{129, le(1), arrow.PrimitiveTypes.Int16},
		{200, le(1), arrow.PrimitiveTypes.Int16},
		{256, leu(1), arrow.PrimitiveTypes.Uint8},
	} {
		var members []any
		for i := range tt.labels {
			members = append(members, fmt.Sprintf("m%d", i), i-100)
		}
		p := plan(t, Source{Type: enumT(tt.base, members...)}, Options{})
		if got := p.Arrow.(*arrow.DictionaryType).IndexType; !arrow.TypeEqual(got, tt.want) {
			t.Errorf("%d labels on %v: indices are %v", tt.labels, tt.base, got)
		}
		var b []byte
		for i := range tt.labels {
			b = append(b, byte(i-100))
		}
		a, err := p.Build(Raw{Bytes: b, Rows: tt.labels}, testEnv(t))
		if err != nil {
			t.Fatal(err)
		}
		d := a.(*array.Dictionary)
		for i := range tt.labels {
			if got := d.Dictionary().ValueStr(d.GetValueIndex(i)); got != fmt.Sprintf("m%d", i) {
				t.Errorf("value %d is %s", i, got)
			}
		}
		dtest.Validate(t, a)
		a.Release()
	}
}

func TestMetadata(t *testing.T) {
	level := enumT(le(2), "low", -300, `a"b`, 7)
	wide := intT(8, false, h5.LittleEndian)
	f80 := &h5.Type{Class: h5.ClassFloat, Size: 16, Order: h5.LittleEndian, Precision: 80,
		Float: &h5.FloatFields{Sign: 79, ExpLoc: 64, ExpSize: 15, MantSize: 64, Bias: 16383}}
	for _, tt := range []struct {
		src        Source
		opt        Options
		key, value string
	}{
		{Source{Type: level}, Options{}, "h5arrow.enum", `{"low":-300,"a\"b":7}`},
		{Source{Type: level}, Options{Enum: EnumValues}, "h5arrow.enum", `{"low":-300,"a\"b":7}`},
		{Source{Type: enumT(wide, "m", -1)}, Options{}, "h5arrow.enum", `{"m":18446744073709551615}`},
		{Source{Type: opaqueT(2, "a tag")}, Options{}, "h5arrow.opaque_tag", "a tag"},
		{Source{Type: le(8), DType: "M8[s]"}, Options{}, "h5arrow.dtype", "M8[s]"},
		{Source{Type: f80}, Options{}, "h5arrow.narrowed", "f128le[fields (79, 64, 15, 0, 64) bias 16383]"},
	} {
		p := plan(t, tt.src, tt.opt)
		if len(p.Metadata) != 1 || p.Metadata[tt.key] != tt.value {
			t.Errorf("%v: metadata %v, want %s=%s", p.Arrow, p.Metadata, tt.key, tt.value)
		}
	}
	p := plan(t, Source{Type: compoundT(18, "o", 0, opaqueT(2, "x"), "f", 2, f80)}, Options{})
	if f := p.Arrow.(*arrow.StructType).Field(0); f.Metadata.ToMap()["h5arrow.opaque_tag"] != "x" {
		t.Errorf("a member's metadata: %v", f)
	}
}

func TestFits(t *testing.T) {
	env := testEnv(t)
	fixed := plan(t, Source{Type: strT(1<<30, h5.NullPad)}, Options{})
	for _, tt := range []struct {
		name  string
		p     *Plan
		bytes []byte
		rows  int
		valid string
		limit int64
		want  int
	}{
		{"numbers", plan(t, Source{Type: le(1)}, Options{}), make([]byte, 9), 9, "", math.MaxInt64, 9},
		{"no rows", fixed, nil, 0, "", math.MaxInt64, 0},
		{"all", plan(t, Source{Type: vstrT()}, Options{}), heapElements(1, 2, 3), 3, "", math.MaxInt64, 3},
		{"two great ones", plan(t, Source{Type: vstrT()}, Options{}), heapElements(1<<30, 1<<30-1, 1, 1), 4, "", math.MaxInt64, 2},
		{"one too great", plan(t, Source{Type: vstrT()}, Options{}), heapElements(0xFFFFFFF0, 1), 2, "", math.MaxInt64, 1},
		{"one too great after others", plan(t, Source{Type: vstrT()}, Options{}), heapElements(1, 1, 0xFFFFFFF0, 1), 4, "", math.MaxInt64, 2},
		{"too great under a null", plan(t, Source{Type: vstrT()}, Options{}), heapElements(1, 1, 0xFFFFFFF0, 1), 4, "1101", math.MaxInt64, 4},
		{"Latin-1", plan(t, Source{Type: vstrT()}, Options{Strings: StringsLatin1}), heapElements(1<<29, 1<<29, 1), 3, "", math.MaxInt64, 1},
		{"by bytes", plan(t, Source{Type: vstrT()}, Options{}), heapElements(10, 10, 10), 3, "", 20, 2},
		{"by bytes of items", plan(t, Source{Type: vlenT(le(8))}, Options{}), heapElements(10, 10, 10), 3, "", 160, 2},
		{"items, not bytes", plan(t, Source{Type: vlenT(le(8))}, Options{}), heapElements(1<<30, 1<<29), 2, "", math.MaxInt64, 2},
		{"rows of two", plan(t, Source{Type: vstrT(), Dims: []uint64{2}}, Options{}), heapElements(1<<30, 1, 1<<30, 1), 2, "", math.MaxInt64, 1},
		{"two members", plan(t, Source{Type: compoundT(32, "a", 0, vstrT(), "b", 16, vstrT())}, Options{}), heapElements(1<<30, 1<<30, 1<<29, 1<<29), 2, "", math.MaxInt64, 2},
		{"array", plan(t, Source{Type: arrayT(vstrT(), 2)}, Options{}), heapElements(1<<30, 1<<30-1, 1, 1), 2, "", math.MaxInt64, 1},
	} {
		raw := Raw{Bytes: tt.bytes, Rows: tt.rows, Nulls: -1}
		if tt.valid != "" {
			raw.Valid = bitmapOf(tt.valid, 5)
		}
		if got := tt.p.FitsBytes(raw, env, tt.limit); got != tt.want {
			t.Errorf("%s: %d rows fit, want %d", tt.name, got, tt.want)
		}
	}
}

// The largest number that fixed cells add to an array's offsets does not depend on the cells.
func TestMaxWeight(t *testing.T) {
	for _, tt := range []struct {
		src  Source
		opt  Options
		want int64
	}{
		{Source{Type: strT(7, h5.NullPad)}, Options{}, 7},
		{Source{Type: strT(7, h5.NullPad)}, Options{Strings: StringsLatin1}, 14},
		{Source{Type: leu(4), DType: "utf32", HasDLength: true, DLength: 3}, Options{}, 12},
		{Source{Type: arrayT(strT(7, h5.NullPad), 2, 3)}, Options{}, 42},
		{Source{Type: arrayT(le(1), 2, 3)}, Options{}, 0},
		{Source{Type: compoundT(9, "a", 0, strT(7, h5.NullPad), "b", 7, strT(2, h5.NullPad))}, Options{}, 7},
		{Source{Type: compoundT(2, "a", 0, le(2))}, Options{}, 0},
	} {
		p := plan(t, tt.src, tt.opt)
		n, ok := p.root.(counted).maxWeight()
		if !ok || n != tt.want {
			t.Errorf("%v: %d, %v, want %d", p.Arrow, n, ok, tt.want)
		}
		raw := Raw{Bytes: make([]byte, 3*p.RowBytes), Rows: 3}
		if got := p.Fits(raw, testEnv(t)); got != 3 {
			t.Errorf("%v: %d rows fit", p.Arrow, got)
		}
	}
	for _, typ := range []*h5.Type{vstrT(), arrayT(vstrT(), 2), compoundT(16, "s", 0, vstrT()), vlenT(le(1)), {Class: h5.ClassReference, Size: 8}} {
		p := plan(t, Source{Type: typ}, Options{})
		if n, ok := p.root.(counted).maxWeight(); ok {
			t.Errorf("%v: %d", p.Arrow, n)
		}
	}
}

func heapElements(lengths ...uint32) []byte {
	var b []byte
	for i, n := range lengths {
		b = append(b, dtest.HeapElement(n, 4096, uint32(i))...)
	}
	return b
}

func TestTensorType(t *testing.T) {
	p := plan(t, Source{Type: le(4), Dims: []uint64{2, 3}}, Options{Tensor: true})
	tt := p.Arrow.(*TensorType)
	if got := tt.Serialize(); got != `{"shape":[2,3]}` {
		t.Error(got)
	}
	if got := fmt.Sprint(tt.Shape()); got != "[2 3]" {
		t.Error(got)
	}
	back, err := tt.Deserialize(tt.StorageType(), tt.Serialize())
	if err != nil || !tt.ExtensionEquals(back) || tt.ExtensionName() != "arrow.fixed_shape_tensor" {
		t.Error(back, err)
	}
	for _, meta := range []string{"", "{", `{"shape":[2,2]}`, `{"shape":[7]}`, `{"shape":[-6]}`, `{"shape":[4611686018427387904,4611686018427387904]}`, `{"shape":[2,3],"permutation":[1,0]}`} {
		if _, err := tt.Deserialize(tt.StorageType(), meta); err == nil {
			t.Errorf("%q was accepted", meta)
		}
	}
	if _, err := tt.Deserialize(arrow.PrimitiveTypes.Int8, tt.Serialize()); err == nil {
		t.Error("storage that is not a list was accepted")
	}
}
