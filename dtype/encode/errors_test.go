package encode_test

import (
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/encode"
	"github.com/h5arrow/h5arrow/dtype/internal/dtest"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// TestNewErrors shows what can't be planned, and why.
func TestNewErrors(t *testing.T) {
	for _, tt := range []struct {
		typ  arrow.DataType
		opt  encode.Options
		md   map[string]string
		kind h5err.Kind
		text string
	}{
		{typ: &arrow.Decimal128Type{Precision: 10, Scale: 2}, kind: h5err.Unsupported, text: "decimal"},
		{typ: &arrow.Decimal256Type{Precision: 10, Scale: 2}, kind: h5err.Unsupported, text: "decimal256"},
		{typ: arrow.MapOf(utf8, prim.Int8), kind: h5err.Unsupported, text: "map"},
		{typ: arrow.SparseUnionOf([]arrow.Field{{Name: "a", Type: prim.Int8}}, []int8{0}), kind: h5err.Unsupported, text: "sparse_union"},
		{typ: arrow.DenseUnionOf([]arrow.Field{{Name: "a", Type: prim.Int8}}, []int8{0}), kind: h5err.Unsupported, text: "dense_union"},
		{typ: arrow.RunEndEncodedOf(prim.Int32, prim.Int8), kind: h5err.Unsupported, text: "run_end_encoded"},
		{typ: arrow.ListViewOf(prim.Int8), kind: h5err.Unsupported, text: "list_view"},
		{typ: arrow.FixedWidthTypes.MonthInterval, kind: h5err.Unsupported, text: "month_interval"},
		{typ: arrow.Null, kind: h5err.Unsupported, text: "null"},
		{typ: dtest.StructOf("a", arrow.MapOf(utf8, prim.Int8)), kind: h5err.Unsupported, text: "member a: Arrow's map"},
		{typ: arrow.StructOf(), kind: h5err.Unsupported, text: "without fields"},
		{typ: dtest.StructOf("a", prim.Int8, "a", prim.Int8), kind: h5err.Unsupported, text: "second"},
		{typ: dtest.StructOf("", prim.Int8), kind: h5err.Unsupported, text: "nameless"},
		{typ: dtest.DictOf(prim.Int8, dtest.DictOf(prim.Int8, utf8)), kind: h5err.Unsupported, text: "dictionary"},
		{typ: arrow.ListOf(dtest.DictOf(prim.Int8, prim.Int8)), kind: h5err.Unsupported, text: "inside other types"},
		{typ: utf8, opt: encode.Options{Text: encode.TextFixed}, kind: h5err.Argument, text: "no width"},
		{typ: utf8, opt: encode.Options{Nulls: encode.NullsSentinel}, kind: h5err.Unsupported, text: "no sentinel"},
		{typ: arrow.FixedWidthTypes.Boolean, opt: encode.Options{Nulls: encode.NullsSentinel}, kind: h5err.Unsupported, text: "no sentinel"},
		{typ: prim.Int8, opt: encode.Options{Nulls: encode.NullsSentinel}, kind: h5err.Argument, text: "no sentinel"},
		{typ: prim.Int8, opt: encode.Options{Nulls: encode.NullsSentinel, Sentinel: []byte{1, 2}}, kind: h5err.Argument, text: "2 bytes"},
		{typ: prim.Int8, opt: encode.Options{Sentinel: []byte{1}}, kind: h5err.Argument, text: "sentinel"},
		{typ: prim.Int8, opt: encode.Options{Width: 3}, kind: h5err.Argument, text: "3 bytes"},
		{typ: prim.Float32, opt: encode.Options{Width: 1}, kind: h5err.Argument, text: "1 bytes"},
		{typ: utf8, opt: encode.Options{OffsetWidth: 2}, kind: h5err.Argument, text: "2 bytes"},
		{typ: prim.Int8, opt: encode.Options{Nulls: 9}, kind: h5err.Argument, text: "nulls(9)"},
		{typ: dtest.DictOf(prim.Int8, utf8), opt: encode.Options{Categories: encode.CategoriesEnum}, kind: h5err.Argument, text: "without labels"},
		{typ: dtest.DictOf(prim.Int8, utf8), md: map[string]string{dtype.MetaEnum: `{"a":1`}, kind: h5err.Argument, text: dtype.MetaEnum},
		{typ: dtest.DictOf(prim.Int8, utf8), md: map[string]string{dtype.MetaEnum: `{"a":"b"}`}, kind: h5err.Argument, text: dtype.MetaEnum},
		{typ: dtest.DictOf(prim.Int8, utf8), md: map[string]string{dtype.MetaEnum: `{}`}, kind: h5err.Unsupported, text: "without members"},
		{typ: dtest.DictOf(prim.Int8, utf8), opt: encode.Options{Labels: []string{"a", "a"}}, kind: h5err.Unsupported, text: "second"},
		{typ: &arrow.FixedSizeBinaryType{ByteWidth: 8}, md: map[string]string{dtype.MetaOpaqueTag: "NUMPY:datetime64[s]"}, kind: h5err.Unsupported, text: "tag"},
		{kind: h5err.Argument, text: "without a type"},
	} {
		_, err := encode.New(arrow.Field{Name: "x", Type: tt.typ, Metadata: arrow.MetadataFrom(tt.md)}, tt.opt)
		dtest.WantError(t, err, tt.kind, tt.text)
	}
	deep := arrow.DataType(prim.Int8)
	for range 40 {
		deep = dtest.StructOf("a", deep)
	}
	_, err := encode.New(arrow.Field{Name: "x", Type: deep}, encode.Options{})
	dtest.WantError(t, err, h5err.Unsupported, "deeper")
}

// TestEncodeErrors shows which values can't be stored, by row, and that values under a null can.
func TestEncodeErrors(t *testing.T) {
	fixed := func(as encode.Text, w int) encode.Options { return encode.Options{Text: as, TextWidth: w} }
	for _, tt := range []struct {
		typ  arrow.DataType
		rows string
		opt  encode.Options
		kind h5err.Kind
		text string
	}{
		{prim.Int64, "[1,128]", encode.Options{Width: 1}, h5err.Argument, "row 1: 128 does not fit 1 bytes"},
		{prim.Uint16, "[1,256]", encode.Options{Width: 1}, h5err.Argument, "row 1: 256"},
		{prim.Float64, "[0.1]", encode.Options{Width: 4}, h5err.Argument, "row 0: 0.1"},
		{prim.Float64, "[1e300]", encode.Options{Width: 2}, h5err.Argument, "row 0"},
		{prim.Int8, "[1,2,7]", encode.Options{Nulls: encode.NullsSentinel, Sentinel: []byte{7}}, h5err.Unsupported, "row 2: the value 7 means null"},
		{prim.Float32, "[1,7]", encode.Options{Nulls: encode.NullsSentinel, Sentinel: []byte{0, 0, 0xe0, 0x40}}, h5err.Unsupported, "row 1: the value 7 means null"},
		{&arrow.DurationType{Unit: arrow.Second}, "[1,-9223372036854775808]", encode.Options{}, h5err.Unsupported, "row 1: the value"},
		{utf8, `["a","abc"]`, fixed(encode.TextFixed, 2), h5err.Argument, "row 1: text of width 3 in cells of 2"},
		{utf8, `["ab","a\u0000"]`, fixed(encode.TextFixed, 2), h5err.Unsupported, "row 1: text that ends in a NUL"},
		{utf8, `["a\u0000b"]`, fixed(encode.TextHeap, 0), h5err.Unsupported, "row 0: text with a NUL"},
		{utf8, `["a","日"]`, fixed(encode.TextLatin1, 2), h5err.Unsupported, "row 1: the character '日'"},
		{utf8, `["日本語"]`, fixed(encode.TextUTF32, 2), h5err.Argument, "row 0: text of width 3"},
		{dtest.DictOf(prim.Int8, utf8), `["a","x"]`, encode.Options{Labels: []string{"a"}}, h5err.Argument, `row 1: the label "x"`},
		{dtest.StructOf("a", prim.Int8), `[{"a":1},{"a":null}]`, encode.Options{}, h5err.Unsupported, "row 1: a null int8 inside"},
		{dtest.StructOf("a", utf8), `[{"a":"x"},{"a":null}]`, encode.Options{}, h5err.Unsupported, "row 1: a null utf8 inside"},
		{arrow.ListOf(prim.Int8), `[[1],[1,null]]`, encode.Options{}, h5err.Unsupported, "row 1: a null int8 inside"},
		{arrow.ListOf(arrow.FixedWidthTypes.Boolean), `[[true],[null]]`, encode.Options{}, h5err.Unsupported, "row 1: a null bool inside"},
		{dtest.StructOf("a", dtest.StructOf("b", prim.Int8)), `[{"a":{"b":1}},{"a":null}]`, encode.Options{}, h5err.Unsupported, "row 1: a null struct"},
		{dtest.StructOf("a", arrow.FixedSizeListOf(2, prim.Int8)), `[{"a":[1,2]},{"a":[1,null]}]`, encode.Options{}, h5err.Unsupported, "row 1: a null int8 inside"},
		{arrow.FixedSizeListOf(2, utf8), `[["a","b"],["c","ddd"]]`, fixed(encode.TextFixed, 2), h5err.Argument, "row 1, item 1: text"},
	} {
		p, err := encode.New(arrow.Field{Name: "x", Type: tt.typ}, tt.opt)
		if err != nil {
			t.Errorf("%v: %v", tt.typ, err)
			continue
		}
		_, err = p.Encode(dtest.ArrayOf(t, tt.typ, tt.rows), 0)
		dtest.WantError(t, err, tt.kind, tt.text)
	}
	// Another array than was planned for.
	p, err := encode.New(arrow.Field{Name: "x", Type: prim.Int8}, encode.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []arrow.Array{dtest.ArrayOf(t, prim.Int16, "[1]"), dtest.ArrayOf(t, utf8, `["a"]`), dtest.ArrayOf(t, dtest.StructOf("a", prim.Int8), `[{"a":1}]`)} {
		_, err := p.Encode(a, 0)
		dtest.WantError(t, err, h5err.Argument, "planned")
	}
	// Bad values under a null.
	b := array.NewInt64Builder(memory.NewGoAllocator())
	b.AppendValues([]int64{1, 1000, math.MinInt64}, []bool{true, false, true})
	a := b.NewArray()
	if p, err = encode.New(arrow.Field{Name: "x", Type: a.DataType()}, encode.Options{Width: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err = p.Encode(array.NewSlice(a, 0, 2), 0); err != nil {
		t.Error(err)
	}
}
