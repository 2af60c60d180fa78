package encode_test

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/encode"
	"github.com/h5arrow/h5arrow/dtype/internal/dtest"
)

type testCase struct {
	name string
	typ  arrow.DataType
	rows string // JSON
	opt  encode.Options
	md   map[string]string
	back arrow.DataType // nil: typ
	want string         // JSON, "": rows
}

// testCases are the rows of the table "what comes out for what goes in", from right to left.
func testCases() []testCase {
	out := slices.Concat(intCases(), floatCases(), timeCases(), widthCases())
	for _, nulls := range []encode.Nulls{encode.NullsBitmap, encode.NullsMask} {
		o := encode.Options{Nulls: nulls}
		out = slices.Concat(out, plainCases(o), textCases(o), labelCases(o), nestedCases(o), rowCases(o))
	}
	return out
}

// Arrow's types that most cases need.
var (
	prim  = arrow.PrimitiveTypes
	utf8  = arrow.BinaryTypes.String
	large = arrow.BinaryTypes.LargeString
)

// with returns o with some of the options changed.
func with(o encode.Options, change func(o *encode.Options)) encode.Options {
	change(&o)
	return o
}

// intCases are integers with nulls of every representation.
func intCases() (out []testCase) {
	for _, t := range []struct {
		typ        arrow.DataType
		low, high  string
		sentinel   []byte
		sentinelIs string
	}{
		{prim.Int8, "-128", "127", []byte{0x85}, "-123"}, {prim.Uint8, "0", "255", []byte{250}, "250"},
		{prim.Int16, "-32768", "32767", []byte{1, 0x80}, "-32767"}, {prim.Uint16, "0", "65535", []byte{0xfe, 0xff}, "65534"},
		{prim.Int32, "-2147483648", "2147483647", []byte{1, 0, 0, 0x80}, "-2147483647"}, {prim.Uint32, "0", "4294967295", []byte{7, 0, 0, 0x80}, "2147483655"},
		{prim.Int64, "-9223372036854775808", "9223372036854775807", []byte{9, 0, 0, 0, 0, 0, 0, 0x80}, "-9223372036854775799"},
		{prim.Uint64, "9007199254740993", "18446744073709551615", []byte{1, 0, 0, 0, 0, 0, 0, 0x80}, "9223372036854775809"},
	} {
		rows := "[1,null,3,null,5,6,7,null," + t.low + "," + t.high + ",null,12]"
		for _, nulls := range []encode.Nulls{encode.NullsAuto, encode.NullsMask, encode.NullsBitmap} {
			out = append(out, testCase{name: "integers, nulls by " + nulls.String(), typ: t.typ, rows: rows, opt: encode.Options{Nulls: nulls}})
		}
		out = append(out,
			testCase{name: "integers, a sentinel", typ: t.typ, rows: rows, opt: encode.Options{Nulls: encode.NullsSentinel, Sentinel: t.sentinel}},
			testCase{name: "integers, a sentinel by metadata", typ: t.typ, rows: rows, md: map[string]string{dtype.MetaNulls: "_FillValue=" + t.sentinelIs}},
			testCase{name: "integers, a mask by metadata", typ: t.typ, rows: rows, md: map[string]string{dtype.MetaNulls: "mask:/a/b"}},
		)
	}
	return out
}

// floatCases are floats.
func floatCases() (out []testCase) {
	for _, typ := range []arrow.DataType{arrow.FixedWidthTypes.Float16, prim.Float32, prim.Float64} {
		rows := "[0.5,null,-2,null,1e3,0,null]"
		out = append(out, testCase{name: "floats", typ: typ, rows: rows},
			testCase{name: "floats, a mask", typ: typ, rows: rows, opt: encode.Options{Nulls: encode.NullsMask}},
			testCase{name: "floats, NaN is null", typ: typ, rows: rows, opt: encode.Options{Nulls: encode.NullsSentinel}})
	}
	return out
}

// timeCases are timestamps and durations.
func timeCases() (out []testCase) {
	for _, u := range arrow.TimeUnitValues {
		ts, dur := &arrow.TimestampType{Unit: u}, &arrow.DurationType{Unit: u}
		for _, nulls := range []encode.Nulls{encode.NullsBitmap, encode.NullsMask, encode.NullsSentinel} {
			o := encode.Options{Nulls: nulls}
			out = append(out, testCase{name: "timestamps", typ: ts, rows: "[0,null,9007199254740993,null,-1,null,5,6,7,8]", opt: o},
				testCase{name: "durations", typ: dur, rows: "[0,null,9007199254740993,null,-1,null,5,6,7,8]", opt: o})
		}
	}
	return out
}

// widthCases are numbers stored in other widths.
func widthCases() (out []testCase) {
	for _, w := range []struct {
		typ, back arrow.DataType
		width     int
		rows      string
	}{
		{prim.Int64, prim.Int8, 1, "[-128,null,127]"}, {prim.Uint64, prim.Uint16, 2, "[0,null,65535]"}, {prim.Uint32, prim.Uint8, 1, "[255,null,0]"},
		{prim.Int8, prim.Int64, 8, "[-128,null,127]"}, {prim.Float64, prim.Float32, 4, "[0.5,null,1e10]"}, {prim.Float64, arrow.FixedWidthTypes.Float16, 2, "[0.5,null,-1024]"},
		{prim.Float32, prim.Float64, 8, "[0.5,null]"}, {arrow.FixedWidthTypes.Float16, prim.Float32, 4, "[0.5,null]"},
	} {
		out = append(out, testCase{name: fmt.Sprintf("numbers in %d bytes", w.width), typ: w.typ, rows: w.rows, opt: encode.Options{Width: w.width}, back: w.back})
	}
	return out
}

// plainCases are booleans, opaque bytes, dates and times of day.
func plainCases(o encode.Options) []testCase {
	return []testCase{
		{name: "booleans", typ: arrow.FixedWidthTypes.Boolean, rows: "[true,false,null,true,true,false,null,null,true,true,false,true]", opt: o},
		{name: "opaque", typ: &arrow.FixedSizeBinaryType{ByteWidth: 3}, rows: `["AAEC",null,"AwQF","BgcI"]`, opt: o, md: map[string]string{dtype.MetaOpaqueTag: "a tag"}},
		{name: "dates", typ: arrow.FixedWidthTypes.Date32, rows: `["2020-02-29",null,"1969-12-31","0001-01-01"]`, opt: o},
		{name: "dates in ms", typ: arrow.FixedWidthTypes.Date64, rows: `["2020-02-29",null,"1969-12-31"]`, opt: o,
			back: &arrow.TimestampType{Unit: arrow.Millisecond}, want: `["2020-02-29",null,"1969-12-31"]`},
		{name: "time of day", typ: arrow.FixedWidthTypes.Time32s, rows: `["00:00:07",null]`, opt: o, back: arrow.FixedWidthTypes.Duration_s, want: `[7,null]`},
		{name: "time of day, 64 bits", typ: arrow.FixedWidthTypes.Time64ns, rows: `["00:00:07",null]`, opt: o, back: arrow.FixedWidthTypes.Duration_ns, want: `[7000000000,null]`},
	}
}

// textCases are text and binary values.
func textCases(o encode.Options) []testCase {
	texts := `["a",null,"ümläut","","日本",null,"0123456789",null,"x","y","z"]`
	latin := `["a",null,"ümläut","","ÿ",null,"0123456789",null,"x","y","z"]`
	return []testCase{
		{name: "text", typ: utf8, rows: texts, opt: o},
		{name: "text, wide offsets", typ: large, rows: texts, opt: o},
		{name: "text, narrowed offsets", typ: large, rows: texts, opt: with(o, func(o *encode.Options) { o.OffsetWidth = 4 }), back: utf8},
		{name: "text, widened offsets", typ: utf8, rows: texts, opt: with(o, func(o *encode.Options) { o.OffsetWidth = 8 }), back: large},
		{name: "text, views", typ: arrow.BinaryTypes.StringView, rows: texts, opt: o, back: utf8},
		{name: "text, fixed", typ: utf8, rows: texts, opt: with(o, func(o *encode.Options) { o.Text, o.TextWidth = encode.TextFixed, 10 })},
		{name: "text, UTF-32", typ: utf8, rows: texts, opt: with(o, func(o *encode.Options) { o.Text, o.TextWidth = encode.TextUTF32, 10 })},
		{name: "text, Latin 1", typ: utf8, rows: latin, opt: with(o, func(o *encode.Options) { o.Text, o.TextWidth = encode.TextLatin1, 10 })},
		{name: "text, in the heap", typ: utf8, rows: texts, opt: with(o, func(o *encode.Options) { o.Text = encode.TextHeap })},
		{name: "binary", typ: arrow.BinaryTypes.Binary, rows: `["//8A",null,"","gA=="]`, opt: o},
		{name: "binary, wide", typ: arrow.BinaryTypes.LargeBinary, rows: `["//8A",null,"","gA=="]`, opt: o},
		{name: "binary, in the heap", typ: arrow.BinaryTypes.Binary, rows: `["//8A",null,"","gA=="]`, opt: with(o, func(o *encode.Options) { o.Text = encode.TextHeap }),
			back: arrow.ListOf(prim.Uint8), want: "[[255,255,0],null,[],[128]]"},
	}
}

// labelCases are dictionaries and enumerations.
func labelCases(o encode.Options) []testCase {
	labels := `["b","a",null,"c","b",null,"b","c","a","a","c"]`
	return []testCase{
		{name: "dictionary", typ: dtest.DictOf(prim.Int32, utf8), rows: labels, opt: o},
		{name: "dictionary, small indices", typ: dtest.DictOf(prim.Uint8, large), rows: labels, opt: o},
		{name: "dictionary of numbers", typ: dtest.DictOf(prim.Int16, prim.Float64), rows: "[1.5,2.5,null,1.5]", opt: o},
		{name: "dictionary, ordered", typ: &arrow.DictionaryType{IndexType: prim.Int8, ValueType: utf8, Ordered: true}, rows: labels, opt: o},
		{name: "enumeration by metadata", typ: dtest.DictOf(prim.Int16, utf8), rows: labels, opt: o, md: map[string]string{dtype.MetaEnum: `{"c":300,"b":-2,"a":5}`}},
		{name: "enumeration by labels", typ: dtest.DictOf(prim.Uint8, utf8), rows: labels, opt: with(o, func(o *encode.Options) { o.Labels = []string{"a", "b", "c"} })},
		{name: "enumeration, wider", typ: dtest.DictOf(prim.Int8, utf8), rows: labels, opt: o, md: map[string]string{dtype.MetaEnum: `{"c":300,"b":-2,"a":5}`}, back: dtest.DictOf(prim.Int16, utf8)},
		{name: "enumeration, unsigned 64 bits", typ: dtest.DictOf(prim.Uint64, utf8), rows: `["m",null]`, opt: o, md: map[string]string{dtype.MetaEnum: `{"m":18446744073709551615}`}},
	}
}

// nestedCases are lists and structs.
func nestedCases(o encode.Options) []testCase {
	return []testCase{
		{name: "lists", typ: arrow.ListOf(prim.Int32), rows: "[[1,2],null,[],[3]]", opt: o},
		{name: "lists, large", typ: arrow.LargeListOf(prim.Int32), rows: "[[1,2],null,[],[3]]", opt: o, back: arrow.ListOf(prim.Int32)},
		{name: "lists of text", typ: arrow.ListOf(utf8), rows: `[["a","é"],null,[],[""]]`, opt: o},
		{name: "lists of lists", typ: arrow.ListOf(arrow.ListOf(prim.Float64)), rows: `[[[1],[]],null,[],[[2,3]]]`, opt: o},
		{name: "lists of structs", typ: arrow.ListOf(dtest.StructOf("a", prim.Int8, "b", utf8)), rows: `[[{"a":1,"b":"x"},{"a":2,"b":"yy"}],null,[]]`, opt: o},
		{name: "structs", typ: dtest.StructOf("a", prim.Int16, "b", prim.Float64, "c", arrow.FixedWidthTypes.Boolean),
			rows: `[{"a":1,"b":0.5,"c":true},null,{"a":2,"b":-1,"c":false},{"a":3,"b":1,"c":true}]`, opt: o},
		{name: "complex", typ: dtest.StructOf("r", prim.Float32, "i", prim.Float32), rows: `[{"r":1,"i":2},null,{"r":3,"i":-4}]`, opt: o},
		{name: "structs of structs, lists and text", typ: dtest.StructOf("s", dtest.StructOf("x", prim.Uint8), "l", arrow.FixedSizeListOf(2, arrow.FixedSizeListOf(3, prim.Int16)), "t", utf8, "d", &arrow.TimestampType{Unit: arrow.Microsecond}),
			rows: `[{"s":{"x":1},"l":[[1,2,3],[4,5,6]],"t":"é","d":7},null,{"s":{"x":2},"l":[[7,8,9],[0,1,2]],"t":"","d":null}]`, opt: o},
		{name: "structs with fixed text", typ: dtest.StructOf("t", utf8, "n", prim.Int64), rows: `[{"t":"é","n":1},null,{"t":"","n":2}]`, opt: with(o, func(o *encode.Options) { o.Text, o.TextWidth = encode.TextFixed, 3 })},
		{name: "structs with dictionaries", typ: dtest.StructOf("t", dtest.DictOf(prim.Int8, utf8)), rows: `[{"t":"é"},null,{"t":""}]`, opt: o, back: dtest.StructOf("t", utf8)},
	}
}

// rowCases are rows of several items.
func rowCases(o encode.Options) []testCase {
	return []testCase{
		{name: "rows of items", typ: arrow.FixedSizeListOf(3, prim.Int16), rows: "[[1,null,3],[4,5,6],[7,8,null],[null,1,2],[1,2,3]]", opt: o},
		{name: "rows of rows", typ: arrow.FixedSizeListOf(2, arrow.FixedSizeListOf(3, prim.Float32)), rows: "[[[1,null,3],[4,5,6]],[[7,8,9],[null,null,2]],[[1,2,3],[4,5,6]]]", opt: o},
		{name: "rows that are null", typ: arrow.FixedSizeListOf(2, prim.Int16), rows: "[[1,2],null,[3,4]]", opt: o, want: "[[1,2],[null,null],[3,4]]"},
		{name: "rows of rows that are null", typ: arrow.FixedSizeListOf(2, arrow.FixedSizeListOf(2, prim.Int16)), rows: "[[[1,2],null],null,[[3,4],[null,5]]]", opt: o,
			want: "[[[1,2],[null,null]],[[null,null],[null,null]],[[3,4],[null,5]]]"},
		{name: "rows of times", typ: arrow.FixedSizeListOf(2, &arrow.TimestampType{Unit: arrow.Second}), rows: "[[1,null],[3,4]]", opt: o},
		{name: "rows of booleans", typ: arrow.FixedSizeListOf(2, arrow.FixedWidthTypes.Boolean), rows: "[[true,null],[false,true],[null,false]]", opt: o},
		{name: "rows of text", typ: arrow.FixedSizeListOf(2, utf8), rows: `[["a",null],["é",""]]`, opt: o},
		{name: "rows of fixed text", typ: arrow.FixedSizeListOf(2, utf8), rows: `[["a",null],["é",""]]`, opt: with(o, func(o *encode.Options) { o.Text, o.TextWidth = encode.TextFixed, 2 })},
		{name: "rows of lists", typ: arrow.FixedSizeListOf(2, arrow.ListOf(prim.Int8)), rows: `[[[1],null],[[],[2,3]]]`, opt: o},
		{name: "rows of labels", typ: arrow.FixedSizeListOf(2, dtest.DictOf(prim.Int8, utf8)), rows: `[["a",null],["b","a"]]`, opt: with(o, func(o *encode.Options) { o.Labels = []string{"a", "b"} })},
		{name: "tensors", typ: tensorOf(prim.Float64, 2, 2), rows: "[[1,2,3,4],[5,null,7,8],[9,10,11,12]]", opt: o},
	}
}

// tensorOf returns the type of tensors of a shape.
func tensorOf(item arrow.DataType, shape ...int64) arrow.DataType {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	data, err := json.Marshal(map[string]any{"shape": shape})
	if err != nil {
		panic(err)
	}
	t, err := (*dtype.TensorType)(nil).Deserialize(arrow.FixedSizeListOf(int32(n), item), string(data))
	if err != nil {
		panic(err)
	}
	return t
}
