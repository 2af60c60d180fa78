package dtype

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// arrayOf makes an array of its values in JSON.
func arrayOf(t testing.TB, typ arrow.DataType, json string) arrow.Array {
	t.Helper()
	if e, ok := typ.(arrow.ExtensionType); ok {
		return array.NewExtensionArrayWithStorage(e, arrayOf(t, e.StorageType(), json))
	}
	if d, ok := typ.(*arrow.DictionaryType); ok && d.ValueType.ID() == arrow.LARGE_STRING { // has no builder
		narrow := arrayOf(t, dictOf(d.IndexType, arrow.BinaryTypes.String), json).(*array.Dictionary)
		var labels strings.Builder
		for i := range narrow.Dictionary().Len() {
			fmt.Fprintf(&labels, ",%q", narrow.Dictionary().ValueStr(i))
		}
		return array.NewDictionaryArray(d, narrow.Indices(), arrayOf(t, d.ValueType, "["+labels.String()[1:]+"]"))
	}
	a, _, err := array.FromJSON(memory.NewGoAllocator(), typ, strings.NewReader(json))
	if err != nil {
		t.Fatalf("%v: %v", typ, err)
	}
	return a
}

// unflat turns elements in flat form into elements that point to a heap, as they stand in a file.
func unflat(h heapMap, t *h5.Type, b []byte) (element, rest []byte) {
	n := func() int {
		v := int(binary.LittleEndian.Uint64(b))
		b = b[8:]
		return v
	}
	switch t.Class {
	case h5.ClassVLen:
		length := n()
		if t.VarString {
			return h.put(length, b[:length]), b[length:]
		}
		var items []byte
		for range length {
			var item []byte
			item, b = unflat(h, t.Base, b)
			items = append(items, item...)
		}
		return h.put(length, items), b
	case h5.ClassCompound:
		for _, m := range t.Members {
			var part []byte
			part, b = unflat(h, m.Type, b)
			element = append(element, part...)
		}
		return element, b
	case h5.ClassArray:
		for range t.Size / t.Base.Size {
			var part []byte
			part, b = unflat(h, t.Base, b)
			element = append(element, part...)
		}
		return element, b
	}
	return b[:t.Size:t.Size], b[t.Size:]
}

// text returns the text of an attribute, "" when it is not there.
func text(attrs []Attribute, name string) string {
	for _, a := range attrs {
		if a.Name == name && a.Type.VarString {
			return string(a.Data[8:])
		}
	}
	return ""
}

// decoder reads columns back with New and Build.
type decoder struct {
	t     testing.TB
	env   *Env
	plan  *BackPlan
	parts Parts
}

// column decodes the column whose parts have paths that begin with dir.
func (d *decoder) column(dir string) arrow.Array {
	d.t.Helper()
	var data *Part
	for i := range d.plan.Layout {
		if d.plan.Layout[i].Path == dir+"data" {
			data = &d.plan.Layout[i]
		}
	}
	e := d.parts.Find(dir + "data")
	if data == nil || e == nil {
		d.t.Fatalf("no data in %s", dir)
	}
	dtype := text(data.Attributes, "dtype")
	rows, items := int(e.Rows), 1
	for _, n := range data.Dims {
		items *= int(n)
	}
	if dtype == "utf32" {
		items = 1
	}
	offsets := d.parts.Find(dir + "indices")
	if dtype == "str" {
		rows = int(offsets.Rows) - 1
	}
	valid := d.valid(dir, rows*items)
	if dtype == "str" {
		width := len(offsets.Bytes) / int(offsets.Rows)
		a, err := BuildStrings(StringsRaw{Data: e.Bytes, Offsets: offsets.Bytes, OffsetWidth: width, Rows: rows, Valid: valid, Nulls: -1}, d.plan.Read, d.env)
		if err != nil {
			d.t.Fatal(err)
		}
		return a
	}
	src := Source{Type: data.Type, Dims: data.Dims, DType: dtype}
	for _, a := range data.Attributes {
		if a.Name == "dlength" {
			src.HasDLength, src.DLength = true, int64(binary.LittleEndian.Uint64(a.Data))
		}
	}
	raw := e.Bytes
	if data.Flat {
		raw = nil
		for b := e.Bytes; len(b) > 0; {
			var element []byte
			element, b = unflat(d.env.Heap.(heapMap), data.Type, b)
			raw = append(raw, element...)
		}
	}
	if d.plan.Nulls == NullsSentinel && valid.Bits == nil {
		for _, a := range data.Attributes {
			if a.Name != "_FillValue" || rows == 0 {
				continue
			}
			rule, err := nullbitmap.Equal(a.Data)
			if err != nil {
				d.t.Fatal(err)
			}
			valid.Bits = make([]byte, (rows*items+7)/8)
			rule.Apply(valid.Bits, 0, raw, nullbitmap.Overwrite)
		}
	}
	p := plan(d.t, src, d.plan.Read)
	if len(raw) != rows*p.RowBytes {
		d.t.Fatalf("%d bytes for %d rows of %d", len(raw), rows, p.RowBytes)
	}
	a, err := p.Build(Raw{Bytes: raw, Rows: rows, Valid: valid, Nulls: -1}, d.env)
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

// valid returns the validity of n items, and checks the form of what spells it.
func (d *decoder) valid(dir string, n int) Bitmap {
	if e := d.parts.Find(dir + "null_bitmap"); e != nil {
		if len(e.Bytes) != (n+7)/8 || int(e.Rows) != len(e.Bytes) {
			d.t.Fatalf("a bitmap of %d bytes for %d items", len(e.Bytes), n)
		}
		if n%8 != 0 && e.Bytes[n/8]>>(n%8) != 0 {
			d.t.Errorf("bits behind the last: %x of %d", e.Bytes, n)
		}
		return Bitmap{Bits: e.Bytes}
	}
	if e := d.parts.Find(dir + "mask"); e != nil {
		if len(e.Bytes) != n {
			d.t.Fatalf("a mask of %d bytes for %d items", len(e.Bytes), n)
		}
		bits := make([]byte, (n+7)/8)
		nullbitmap.FromMask(bits, 0, e.Bytes, nullbitmap.SetIsNull, nullbitmap.Overwrite)
		return Bitmap{Bits: bits}
	}
	return Bitmap{}
}

// decode reads a column back.
func decode(t testing.TB, p *BackPlan, parts Parts) arrow.Array {
	t.Helper()
	d := &decoder{t, testEnv(t), p, parts}
	for _, part := range p.Layout {
		if e := parts.Find(part.Path); e == nil && !part.Optional {
			t.Fatalf("no part %s", part.Path)
		}
	}
	if text(p.Column, "type") != "dictionary_encoded" {
		return d.column("")
	}
	indices, labels := d.column("indices/"), d.column("dictionary/")
	defer indices.Release()
	defer labels.Release()
	ordered := slices.ContainsFunc(p.Column, func(a Attribute) bool { return a.Name == "ordered" && a.Data[0] == 1 })
	a, err := BuildDictionary(indices, labels, ordered, 0, "")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// shown spells an array's values and nulls, without regard to how dictionaries are cut.
func shown(a arrow.Array) string {
	var b strings.Builder
	for i := range a.Len() {
		if i > 0 {
			b.WriteByte('\n')
		}
		if a.IsNull(i) {
			b.WriteString("null")
			continue
		}
		b.WriteString(a.ValueStr(i))
	}
	return b.String()
}

// ranges are the slices of n rows that tests take: all, every start inside the first bytes of a bitmap, none.
func ranges(n int) [][2]int {
	out := [][2]int{{0, n}, {n, n}, {0, 0}}
	for from := 1; from < min(n, 10); from++ {
		out = append(out, [2]int{from, n}, [2]int{from, from + (n-from)/2})
	}
	return out
}

type backCase struct {
	name string
	typ  arrow.DataType
	rows string // JSON
	opt  BackOptions
	md   map[string]string
	back arrow.DataType // nil: typ
	want string         // JSON, "": rows
}

func structOf(fields ...any) *arrow.StructType {
	var out []arrow.Field
	for i := 0; i < len(fields); i += 2 {
		out = append(out, arrow.Field{Name: fields[i].(string), Type: fields[i+1].(arrow.DataType), Nullable: true})
	}
	return arrow.StructOf(out...)
}

func dictOf(index, values arrow.DataType) *arrow.DictionaryType {
	return &arrow.DictionaryType{IndexType: index, ValueType: values}
}

// backCases are the rows of the table "what comes out for what goes in", from right to left.
func backCases() []backCase {
	var out []backCase
	prim := arrow.PrimitiveTypes
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
		for _, nulls := range []NullsAs{NullsAuto, NullsMask, NullsBitmap} {
			out = append(out, backCase{name: "integers, nulls by " + nulls.String(), typ: t.typ, rows: rows, opt: BackOptions{Nulls: nulls}})
		}
		out = append(out,
			backCase{name: "integers, a sentinel", typ: t.typ, rows: rows, opt: BackOptions{Nulls: NullsSentinel, Sentinel: t.sentinel}},
			backCase{name: "integers, a sentinel by metadata", typ: t.typ, rows: rows, md: map[string]string{MetaNulls: "_FillValue=" + t.sentinelIs}},
			backCase{name: "integers, a mask by metadata", typ: t.typ, rows: rows, md: map[string]string{MetaNulls: "mask:/a/b"}},
		)
	}
	for _, typ := range []arrow.DataType{arrow.FixedWidthTypes.Float16, prim.Float32, prim.Float64} {
		rows := "[0.5,null,-2,null,1e3,0,null]"
		out = append(out, backCase{name: "floats", typ: typ, rows: rows},
			backCase{name: "floats, a mask", typ: typ, rows: rows, opt: BackOptions{Nulls: NullsMask}},
			backCase{name: "floats, NaN is null", typ: typ, rows: rows, opt: BackOptions{Nulls: NullsSentinel}})
	}
	for _, u := range arrow.TimeUnitValues {
		ts, dur := &arrow.TimestampType{Unit: u}, &arrow.DurationType{Unit: u}
		for _, nulls := range []NullsAs{NullsBitmap, NullsMask, NullsSentinel} {
			o := BackOptions{Nulls: nulls}
			out = append(out, backCase{name: "timestamps", typ: ts, rows: "[0,null,9007199254740993,null,-1,null,5,6,7,8]", opt: o},
				backCase{name: "durations", typ: dur, rows: "[0,null,9007199254740993,null,-1,null,5,6,7,8]", opt: o})
		}
	}
	utf8, large := arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString
	texts := `["a",null,"ümläut","","日本",null,"0123456789",null,"x","y","z"]`
	latin := `["a",null,"ümläut","","ÿ",null,"0123456789",null,"x","y","z"]`
	labels := `["b","a",null,"c","b",null,"b","c","a","a","c"]`
	for _, nulls := range []NullsAs{NullsBitmap, NullsMask} {
		o := BackOptions{Nulls: nulls}
		with := func(f func(o *BackOptions)) BackOptions { c := o; f(&c); return c }
		out = append(out,
			backCase{name: "booleans", typ: arrow.FixedWidthTypes.Boolean, rows: "[true,false,null,true,true,false,null,null,true,true,false,true]", opt: o},
			backCase{name: "text", typ: utf8, rows: texts, opt: o},
			backCase{name: "text, wide offsets", typ: large, rows: texts, opt: o},
			backCase{name: "text, narrowed offsets", typ: large, rows: texts, opt: with(func(o *BackOptions) { o.OffsetWidth = 4 }), back: utf8},
			backCase{name: "text, widened offsets", typ: utf8, rows: texts, opt: with(func(o *BackOptions) { o.OffsetWidth = 8 }), back: large},
			backCase{name: "text, views", typ: arrow.BinaryTypes.StringView, rows: texts, opt: o, back: utf8},
			backCase{name: "text, fixed", typ: utf8, rows: texts, opt: with(func(o *BackOptions) { o.Text, o.TextWidth = TextFixed, 10 })},
			backCase{name: "text, UTF-32", typ: utf8, rows: texts, opt: with(func(o *BackOptions) { o.Text, o.TextWidth = TextUTF32, 10 })},
			backCase{name: "text, Latin 1", typ: utf8, rows: latin, opt: with(func(o *BackOptions) { o.Text, o.TextWidth = TextLatin1, 10 })},
			backCase{name: "text, in the heap", typ: utf8, rows: texts, opt: with(func(o *BackOptions) { o.Text = TextHeap })},
			backCase{name: "binary", typ: arrow.BinaryTypes.Binary, rows: `["//8A",null,"","gA=="]`, opt: o},
			backCase{name: "binary, wide", typ: arrow.BinaryTypes.LargeBinary, rows: `["//8A",null,"","gA=="]`, opt: o},
			backCase{name: "binary, in the heap", typ: arrow.BinaryTypes.Binary, rows: `["//8A",null,"","gA=="]`, opt: with(func(o *BackOptions) { o.Text = TextHeap }),
				back: arrow.ListOf(prim.Uint8), want: "[[255,255,0],null,[],[128]]"},
			backCase{name: "opaque", typ: &arrow.FixedSizeBinaryType{ByteWidth: 3}, rows: `["AAEC",null,"AwQF","BgcI"]`, opt: o, md: map[string]string{MetaOpaqueTag: "a tag"}},
			backCase{name: "dates", typ: arrow.FixedWidthTypes.Date32, rows: `["2020-02-29",null,"1969-12-31","0001-01-01"]`, opt: o},
			backCase{name: "dates in ms", typ: arrow.FixedWidthTypes.Date64, rows: `["2020-02-29",null,"1969-12-31"]`, opt: o,
				back: &arrow.TimestampType{Unit: arrow.Millisecond}, want: `["2020-02-29",null,"1969-12-31"]`},
			backCase{name: "time of day", typ: arrow.FixedWidthTypes.Time32s, rows: `["00:00:07",null]`, opt: o, back: arrow.FixedWidthTypes.Duration_s, want: `[7,null]`},
			backCase{name: "time of day, 64 bits", typ: arrow.FixedWidthTypes.Time64ns, rows: `["00:00:07",null]`, opt: o, back: arrow.FixedWidthTypes.Duration_ns, want: `[7000000000,null]`},
			backCase{name: "dictionary", typ: dictOf(prim.Int32, utf8), rows: labels, opt: o},
			backCase{name: "dictionary, small indices", typ: dictOf(prim.Uint8, large), rows: labels, opt: o},
			backCase{name: "dictionary of numbers", typ: dictOf(prim.Int16, prim.Float64), rows: "[1.5,2.5,null,1.5]", opt: o},
			backCase{name: "dictionary, ordered", typ: &arrow.DictionaryType{IndexType: prim.Int8, ValueType: utf8, Ordered: true}, rows: labels, opt: o},
			backCase{name: "enumeration by metadata", typ: dictOf(prim.Int16, utf8), rows: labels, opt: o, md: map[string]string{MetaEnum: `{"c":300,"b":-2,"a":5}`}},
			backCase{name: "enumeration by labels", typ: dictOf(prim.Uint8, utf8), rows: labels, opt: with(func(o *BackOptions) { o.Labels = []string{"a", "b", "c"} })},
			backCase{name: "enumeration, wider", typ: dictOf(prim.Int8, utf8), rows: labels, opt: o, md: map[string]string{MetaEnum: `{"c":300,"b":-2,"a":5}`}, back: dictOf(prim.Int16, utf8)},
			backCase{name: "enumeration, unsigned 64 bits", typ: dictOf(prim.Uint64, utf8), rows: `["m",null]`, opt: o, md: map[string]string{MetaEnum: `{"m":18446744073709551615}`}},
			backCase{name: "lists", typ: arrow.ListOf(prim.Int32), rows: "[[1,2],null,[],[3]]", opt: o},
			backCase{name: "lists, large", typ: arrow.LargeListOf(prim.Int32), rows: "[[1,2],null,[],[3]]", opt: o, back: arrow.ListOf(prim.Int32)},
			backCase{name: "lists of text", typ: arrow.ListOf(utf8), rows: `[["a","é"],null,[],[""]]`, opt: o},
			backCase{name: "lists of lists", typ: arrow.ListOf(arrow.ListOf(prim.Float64)), rows: `[[[1],[]],null,[],[[2,3]]]`, opt: o},
			backCase{name: "lists of structs", typ: arrow.ListOf(structOf("a", prim.Int8, "b", utf8)), rows: `[[{"a":1,"b":"x"},{"a":2,"b":"yy"}],null,[]]`, opt: o},
			backCase{name: "structs", typ: structOf("a", prim.Int16, "b", prim.Float64, "c", arrow.FixedWidthTypes.Boolean),
				rows: `[{"a":1,"b":0.5,"c":true},null,{"a":2,"b":-1,"c":false},{"a":3,"b":1,"c":true}]`, opt: o},
			backCase{name: "complex", typ: structOf("r", prim.Float32, "i", prim.Float32), rows: `[{"r":1,"i":2},null,{"r":3,"i":-4}]`, opt: o},
			backCase{name: "structs of structs, lists and text", typ: structOf("s", structOf("x", prim.Uint8), "l", arrow.FixedSizeListOf(2, arrow.FixedSizeListOf(3, prim.Int16)), "t", utf8, "d", &arrow.TimestampType{Unit: arrow.Microsecond}),
				rows: `[{"s":{"x":1},"l":[[1,2,3],[4,5,6]],"t":"é","d":7},null,{"s":{"x":2},"l":[[7,8,9],[0,1,2]],"t":"","d":null}]`, opt: o},
			backCase{name: "structs with fixed text", typ: structOf("t", utf8, "n", prim.Int64), rows: `[{"t":"é","n":1},null,{"t":"","n":2}]`, opt: with(func(o *BackOptions) { o.Text, o.TextWidth = TextFixed, 3 })},
			backCase{name: "structs with dictionaries", typ: structOf("t", dictOf(prim.Int8, utf8)), rows: `[{"t":"é"},null,{"t":""}]`, opt: o, back: structOf("t", utf8)},
			backCase{name: "rows of items", typ: arrow.FixedSizeListOf(3, prim.Int16), rows: "[[1,null,3],[4,5,6],[7,8,null],[null,1,2],[1,2,3]]", opt: o},
			backCase{name: "rows of rows", typ: arrow.FixedSizeListOf(2, arrow.FixedSizeListOf(3, prim.Float32)), rows: "[[[1,null,3],[4,5,6]],[[7,8,9],[null,null,2]],[[1,2,3],[4,5,6]]]", opt: o},
			backCase{name: "rows that are null", typ: arrow.FixedSizeListOf(2, prim.Int16), rows: "[[1,2],null,[3,4]]", opt: o, want: "[[1,2],[null,null],[3,4]]"},
			backCase{name: "rows of rows that are null", typ: arrow.FixedSizeListOf(2, arrow.FixedSizeListOf(2, prim.Int16)), rows: "[[[1,2],null],null,[[3,4],[null,5]]]", opt: o,
				want: "[[[1,2],[null,null]],[[null,null],[null,null]],[[3,4],[null,5]]]"},
			backCase{name: "rows of times", typ: arrow.FixedSizeListOf(2, &arrow.TimestampType{Unit: arrow.Second}), rows: "[[1,null],[3,4]]", opt: o},
			backCase{name: "rows of booleans", typ: arrow.FixedSizeListOf(2, arrow.FixedWidthTypes.Boolean), rows: "[[true,null],[false,true],[null,false]]", opt: o},
			backCase{name: "rows of text", typ: arrow.FixedSizeListOf(2, utf8), rows: `[["a",null],["é",""]]`, opt: o},
			backCase{name: "rows of fixed text", typ: arrow.FixedSizeListOf(2, utf8), rows: `[["a",null],["é",""]]`, opt: with(func(o *BackOptions) { o.Text, o.TextWidth = TextFixed, 2 })},
			backCase{name: "rows of lists", typ: arrow.FixedSizeListOf(2, arrow.ListOf(prim.Int8)), rows: `[[[1],null],[[],[2,3]]]`, opt: o},
			backCase{name: "rows of labels", typ: arrow.FixedSizeListOf(2, dictOf(prim.Int8, utf8)), rows: `[["a",null],["b","a"]]`, opt: with(func(o *BackOptions) { o.Labels = []string{"a", "b"} })},
			backCase{name: "tensors", typ: newTensorType(prim.Float64, []uint64{2, 2}), rows: "[[1,2,3,4],[5,null,7,8],[9,10,11,12]]", opt: o},
		)
	}
	for _, w := range []struct {
		typ, back arrow.DataType
		width     int
		rows      string
	}{
		{prim.Int64, prim.Int8, 1, "[-128,null,127]"}, {prim.Uint64, prim.Uint16, 2, "[0,null,65535]"}, {prim.Uint32, prim.Uint8, 1, "[255,null,0]"},
		{prim.Int8, prim.Int64, 8, "[-128,null,127]"}, {prim.Float64, prim.Float32, 4, "[0.5,null,1e10]"}, {prim.Float64, arrow.FixedWidthTypes.Float16, 2, "[0.5,null,-1024]"},
		{prim.Float32, prim.Float64, 8, "[0.5,null]"}, {arrow.FixedWidthTypes.Float16, prim.Float32, 4, "[0.5,null]"},
	} {
		out = append(out, backCase{name: fmt.Sprintf("numbers in %d bytes", w.width), typ: w.typ, rows: w.rows, opt: BackOptions{Width: w.width}, back: w.back})
	}
	return out
}

// TestBackAndForth stores every kind of column in HDF5's form, whole and in slices that begin at any bit, and reads it
// again.
func TestBackAndForth(t *testing.T) {
	for _, c := range backCases() {
		t.Run(c.name+"/"+c.typ.String(), func(t *testing.T) {
			a := arrayOf(t, c.typ, c.rows)
			p, err := Back(arrow.Field{Name: "x", Type: c.typ, Nullable: true, Metadata: arrow.MetadataFrom(c.md)}, c.opt)
			if err != nil {
				t.Fatal(err)
			}
			want, wantType := a, c.typ
			if c.back != nil {
				wantType = c.back
			}
			if c.want != "" {
				want = arrayOf(t, wantType, c.want)
			}
			if !arrow.TypeEqual(p.Arrow, wantType) {
				t.Errorf("the plan promises %v, not %v", p.Arrow, wantType)
			}
			for _, r := range ranges(a.Len()) {
				from, to := int64(r[0]), int64(r[1])
				parts, err := p.Encode(array.NewSlice(a, from, to))
				if err != nil {
					t.Fatalf("rows %d to %d: %v", from, to, err)
				}
				got := decode(t, p, parts)
				if s := array.NewSlice(want, from, to); shown(got) != shown(s) {
					t.Errorf("rows %d to %d:\n got %s\nwant %s", from, to, shown(got), shown(s))
				}
				if !arrow.TypeEqual(got.DataType(), p.Arrow) {
					t.Errorf("%v was read, %v was promised", got.DataType(), p.Arrow)
				}
				validate(t, got)
				got.Release()
			}
		})
	}
}

// TestBackSlicedNulls is defect 3 of vaex's writer by name: the bitmap of a slice begins at the slice.
func TestBackSlicedNulls(t *testing.T) {
	a := arrayOf(t, arrow.PrimitiveTypes.Int64, "[null,1,null,3,4,5,6,7,8,null,10,11]")
	p, err := Back(arrow.Field{Name: "x", Type: a.DataType()}, BackOptions{})
	if err != nil {
		t.Fatal(err)
	}
	parts, err := p.Encode(array.NewSlice(a, 3, 12))
	if err != nil {
		t.Fatal(err)
	}
	if got := parts.Find("null_bitmap"); !bytes.Equal(got.Bytes, []byte{0b1011_1111, 0b1}) {
		t.Errorf("bitmap %08b", got.Bytes)
	}
}

// TestBackFills shows what stands under nulls.
func TestBackFills(t *testing.T) {
	for _, tt := range []struct {
		typ  arrow.DataType
		rows string
		opt  BackOptions
		want string
	}{
		{arrow.PrimitiveTypes.Int16, "[1,null]", BackOptions{}, "0100 0000"},
		{arrow.PrimitiveTypes.Float32, "[1,null]", BackOptions{Nulls: NullsMask}, "0000803f 0000c07f"},
		{arrow.FixedWidthTypes.Timestamp_s, "[1,null]", BackOptions{}, "0100000000000000 0000000000000080"},
		{arrow.FixedWidthTypes.Boolean, "[true,null,false]", BackOptions{}, "010000"},
		{arrow.PrimitiveTypes.Int16, "[1,null]", BackOptions{Nulls: NullsSentinel, Sentinel: []byte{0x19, 0xfc}}, "0100 19fc"},
		{arrow.BinaryTypes.String, `["ab",null,"c"]`, BackOptions{}, "616263"},
	} {
		p, err := Back(arrow.Field{Name: "x", Type: tt.typ}, tt.opt)
		if err != nil {
			t.Fatal(err)
		}
		parts, err := p.Encode(arrayOf(t, tt.typ, tt.rows))
		if err != nil {
			t.Fatal(err)
		}
		if got := parts.Find("data").Bytes; !bytes.Equal(got, unhex(t, tt.want)) {
			t.Errorf("%v %s: %x", tt.typ, tt.rows, got)
		}
	}
}

// TestBackShares shows that values without nulls are the array's own memory.
func TestBackShares(t *testing.T) {
	for _, typ := range []arrow.DataType{arrow.PrimitiveTypes.Float64, &arrow.TimestampType{Unit: arrow.Second}, arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Float64)} {
		rows := "[1,2,3,4]"
		if typ.ID() == arrow.FIXED_SIZE_LIST {
			rows = "[[1,2],[3,4]]"
		}
		a := arrayOf(t, typ, rows)
		p, err := Back(arrow.Field{Name: "x", Type: typ}, BackOptions{})
		if err != nil {
			t.Fatal(err)
		}
		parts, err := p.Encode(array.NewSlice(a, 1, int64(a.Len())))
		if err != nil {
			t.Fatal(err)
		}
		values := a.Data()
		skip := 8
		if l, ok := a.(*array.FixedSizeList); ok {
			values, skip = l.ListValues().Data(), 16
		}
		if &parts[0].Bytes[0] != &values.Buffers()[1].Bytes()[skip] || p.Delivery != Mapped || p.Reason != "" || len(parts) != 1 {
			t.Errorf("%v: copied, %v %s", typ, p.Delivery, p.Reason)
		}
	}
}

// TestBackErrors tells what can't be planned, and why.
func TestBackErrors(t *testing.T) {
	prim, utf8 := arrow.PrimitiveTypes, arrow.BinaryTypes.String
	for _, tt := range []struct {
		typ  arrow.DataType
		opt  BackOptions
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
		{typ: structOf("a", arrow.MapOf(utf8, prim.Int8)), kind: h5err.Unsupported, text: "member a: Arrow's map"},
		{typ: arrow.StructOf(), kind: h5err.Unsupported, text: "without fields"},
		{typ: structOf("a", prim.Int8, "a", prim.Int8), kind: h5err.Unsupported, text: "second"},
		{typ: structOf("", prim.Int8), kind: h5err.Unsupported, text: "nameless"},
		{typ: dictOf(prim.Int8, dictOf(prim.Int8, utf8)), kind: h5err.Unsupported, text: "dictionary"},
		{typ: arrow.ListOf(dictOf(prim.Int8, prim.Int8)), kind: h5err.Unsupported, text: "inside other types"},
		{typ: utf8, opt: BackOptions{Text: TextFixed}, kind: h5err.Argument, text: "no width"},
		{typ: utf8, opt: BackOptions{Nulls: NullsSentinel}, kind: h5err.Unsupported, text: "no sentinel"},
		{typ: arrow.FixedWidthTypes.Boolean, opt: BackOptions{Nulls: NullsSentinel}, kind: h5err.Unsupported, text: "no sentinel"},
		{typ: prim.Int8, opt: BackOptions{Nulls: NullsSentinel}, kind: h5err.Argument, text: "no sentinel"},
		{typ: prim.Int8, opt: BackOptions{Nulls: NullsSentinel, Sentinel: []byte{1, 2}}, kind: h5err.Argument, text: "2 bytes"},
		{typ: prim.Int8, opt: BackOptions{Sentinel: []byte{1}}, kind: h5err.Argument, text: "sentinel"},
		{typ: prim.Int8, opt: BackOptions{Width: 3}, kind: h5err.Argument, text: "3 bytes"},
		{typ: prim.Float32, opt: BackOptions{Width: 1}, kind: h5err.Argument, text: "1 bytes"},
		{typ: utf8, opt: BackOptions{OffsetWidth: 2}, kind: h5err.Argument, text: "2 bytes"},
		{typ: prim.Int8, opt: BackOptions{Nulls: 9}, kind: h5err.Argument, text: "nulls(9)"},
		{typ: dictOf(prim.Int8, utf8), opt: BackOptions{Categories: CategoriesEnum}, kind: h5err.Argument, text: "without labels"},
		{typ: dictOf(prim.Int8, utf8), md: map[string]string{MetaEnum: `{"a":1`}, kind: h5err.Argument, text: MetaEnum},
		{typ: dictOf(prim.Int8, utf8), md: map[string]string{MetaEnum: `{"a":"b"}`}, kind: h5err.Argument, text: MetaEnum},
		{typ: dictOf(prim.Int8, utf8), md: map[string]string{MetaEnum: `{}`}, kind: h5err.Unsupported, text: "without members"},
		{typ: dictOf(prim.Int8, utf8), opt: BackOptions{Labels: []string{"a", "a"}}, kind: h5err.Unsupported, text: "second"},
		{typ: &arrow.FixedSizeBinaryType{ByteWidth: 8}, md: map[string]string{MetaOpaqueTag: "NUMPY:datetime64[s]"}, kind: h5err.Unsupported, text: "tag"},
		{kind: h5err.Argument, text: "without a type"},
	} {
		_, err := Back(arrow.Field{Name: "x", Type: tt.typ, Metadata: arrow.MetadataFrom(tt.md)}, tt.opt)
		wantError(t, err, tt.kind, tt.text)
	}
	deep := arrow.DataType(prim.Int8)
	for range 40 {
		deep = structOf("a", deep)
	}
	_, err := Back(arrow.Field{Name: "x", Type: deep}, BackOptions{})
	wantError(t, err, h5err.Unsupported, "deeper")
}

// TestEncodeErrors tells which values can't be stored, by row, and that values under a null can.
func TestEncodeErrors(t *testing.T) {
	prim, utf8 := arrow.PrimitiveTypes, arrow.BinaryTypes.String
	fixed := func(as TextAs, w int) BackOptions { return BackOptions{Text: as, TextWidth: w} }
	for _, tt := range []struct {
		typ  arrow.DataType
		rows string
		opt  BackOptions
		kind h5err.Kind
		text string
	}{
		{prim.Int64, "[1,128]", BackOptions{Width: 1}, h5err.Argument, "row 1: 128 does not fit 1 bytes"},
		{prim.Uint16, "[1,256]", BackOptions{Width: 1}, h5err.Argument, "row 1: 256"},
		{prim.Float64, "[0.1]", BackOptions{Width: 4}, h5err.Argument, "row 0: 0.1"},
		{prim.Float64, "[1e300]", BackOptions{Width: 2}, h5err.Argument, "row 0"},
		{prim.Int8, "[1,2,7]", BackOptions{Nulls: NullsSentinel, Sentinel: []byte{7}}, h5err.Unsupported, "row 2: the value 7 means null"},
		{prim.Float32, "[1,7]", BackOptions{Nulls: NullsSentinel, Sentinel: []byte{0, 0, 0xe0, 0x40}}, h5err.Unsupported, "row 1: the value 7 means null"},
		{&arrow.DurationType{Unit: arrow.Second}, "[1,-9223372036854775808]", BackOptions{}, h5err.Unsupported, "row 1: the value"},
		{utf8, `["a","abc"]`, fixed(TextFixed, 2), h5err.Argument, "row 1: text of width 3 in cells of 2"},
		{utf8, `["ab","a\u0000"]`, fixed(TextFixed, 2), h5err.Unsupported, "row 1: text that ends in a NUL"},
		{utf8, `["a\u0000b"]`, fixed(TextHeap, 0), h5err.Unsupported, "row 0: text with a NUL"},
		{utf8, `["a","日"]`, fixed(TextLatin1, 2), h5err.Unsupported, "row 1: the character '日'"},
		{utf8, `["日本語"]`, fixed(TextUTF32, 2), h5err.Argument, "row 0: text of width 3"},
		{dictOf(prim.Int8, utf8), `["a","x"]`, BackOptions{Labels: []string{"a"}}, h5err.Argument, `row 1: the label "x"`},
		{structOf("a", prim.Int8), `[{"a":1},{"a":null}]`, BackOptions{}, h5err.Unsupported, "row 1: a null int8 inside"},
		{structOf("a", utf8), `[{"a":"x"},{"a":null}]`, BackOptions{}, h5err.Unsupported, "row 1: a null utf8 inside"},
		{arrow.ListOf(prim.Int8), `[[1],[1,null]]`, BackOptions{}, h5err.Unsupported, "row 1: a null int8 inside"},
		{arrow.ListOf(arrow.FixedWidthTypes.Boolean), `[[true],[null]]`, BackOptions{}, h5err.Unsupported, "row 1: a null bool inside"},
		{structOf("a", structOf("b", prim.Int8)), `[{"a":{"b":1}},{"a":null}]`, BackOptions{}, h5err.Unsupported, "row 1: a null struct"},
		{structOf("a", arrow.FixedSizeListOf(2, prim.Int8)), `[{"a":[1,2]},{"a":[1,null]}]`, BackOptions{}, h5err.Unsupported, "row 1: a null int8 inside"},
		{arrow.FixedSizeListOf(2, utf8), `[["a","b"],["c","ddd"]]`, fixed(TextFixed, 2), h5err.Argument, "row 1, item 1: text"},
	} {
		p, err := Back(arrow.Field{Name: "x", Type: tt.typ}, tt.opt)
		if err != nil {
			t.Errorf("%v: %v", tt.typ, err)
			continue
		}
		_, err = p.Encode(arrayOf(t, tt.typ, tt.rows))
		wantError(t, err, tt.kind, tt.text)
	}
	// Another array than was planned for.
	p, err := Back(arrow.Field{Name: "x", Type: prim.Int8}, BackOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []arrow.Array{arrayOf(t, prim.Int16, "[1]"), arrayOf(t, utf8, `["a"]`), arrayOf(t, structOf("a", prim.Int8), `[{"a":1}]`)} {
		_, err := p.Encode(a)
		wantError(t, err, h5err.Argument, "planned")
	}
	// Bad values under a null.
	b := array.NewInt64Builder(memory.NewGoAllocator())
	b.AppendValues([]int64{1, 1000, math.MinInt64}, []bool{true, false, true})
	a := b.NewArray()
	if p, err = Back(arrow.Field{Name: "x", Type: a.DataType()}, BackOptions{Width: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err = p.Encode(array.NewSlice(a, 0, 2)); err != nil {
		t.Error(err)
	}
}

func TestTextWidth(t *testing.T) {
	a := arrayOf(t, arrow.BinaryTypes.String, `["a","日本",null,"é"]`)
	for as, want := range map[TextAs]int{TextFixed: 6, TextUTF32: 2, TextLatin1: 2} {
		if got := TextWidth(a, as); got != want {
			t.Errorf("%v: %d, want %d", as, got, want)
		}
	}
	if got := TextWidth(array.NewSlice(a, 2, 3), TextFixed); got != 1 {
		t.Errorf("no text: %d", got)
	}
}

// TestBackMetadata shows that what reading says in a field's metadata is enough to make the HDF5 type again.
func TestBackMetadata(t *testing.T) {
	for _, src := range []*h5.Type{
		enumT(le(2), "low", -300, `a"b`, 7), enumT(le(1), "red", 0, "blue", 1), enumT(leu(8), "m", 3), opaqueT(5, "a tag"), opaqueT(5, ""),
		compoundT(5, "e", 0, enumT(le(1), "x", 5, "y", 6), "o", 1, opaqueT(4, "inner")), boolT(), le(4), leu(2), floatType(4, h5.LittleEndian),
		vlenT(le(2)), vlenT(vlenT(enumT(le(1), "x", 5))), arrayT(le(2), 2, 3),
	} {
		p := plan(t, Source{Type: src}, Options{})
		back, err := Back(arrow.Field{Name: "x", Type: p.Arrow, Metadata: arrow.MetadataFrom(p.Metadata)}, BackOptions{})
		if err != nil {
			t.Errorf("%v: %v", src, err)
			continue
		}
		got := back.Type
		if len(back.Dims) > 0 {
			got = arrayT(got, back.Dims...)
		}
		if got.String() != src.String() {
			t.Errorf("%v became %v", src, got)
		}
		if !arrow.TypeEqual(back.Arrow, p.Arrow) {
			t.Errorf("%v is read as %v", p.Arrow, back.Arrow)
		}
	}
}

// TestBackAttributes makes attributes of what metadata say of them.
func TestBackAttributes(t *testing.T) {
	for _, tt := range []struct {
		typ        *h5.Type // nil: text
		text, want string   // the value in metadata; the attribute's type and bytes, "" for none
		named      string   // what MetaTypes must say
	}{
		{nil, "meters per second", "text", ""},
		{nil, "5", "text", TypeText},
		{nil, `["a"]`, "text", TypeText},
		{nil, "true", "text", ""},
		{nil, "", "text", ""},
		{intOf(8, true), "5", "0500000000000000", ""},
		{intOf(2, true), "-2", "feff", "i16le"},
		{intOf(1, false), "[1,2]", "0102", "u8"},
		{intT(4, true, h5.BigEndian), "1", "00000001", "i32be"},
		{floatType(8, h5.LittleEndian), "0.5", "000000000000e03f", ""},
		{floatType(8, h5.LittleEndian), "5", "0000000000001440", "f64le"},
		{floatType(4, h5.LittleEndian), `["NaN",1]`, "0000c07f 0000803f", "f32le"},
		{vstrT(), `["a","b"]`, "0100000000000000 61 0100000000000000 62", ""},
	} {
		name := AttributeTypeName(tt.typ, tt.text)
		if name != tt.named {
			t.Errorf("%v %s: %q is to be said, not %q", tt.typ, tt.text, name, tt.named)
		}
		a, ok := attributeOf("a", tt.text, name)
		if !ok {
			t.Errorf("%v %s: no attribute", tt.typ, tt.text)
			continue
		}
		if tt.want == "text" {
			if string(a.Data[8:]) != tt.text || !a.Type.VarString {
				t.Errorf("%q became %v %q", tt.text, a.Type, a.Data)
			}
			continue
		}
		if a.Type.String() != tt.typ.String() && !a.Type.VarString || !bytes.Equal(a.Data, unhex(t, tt.want)) {
			t.Errorf("%v %s became %v %x", tt.typ, tt.text, a.Type, a.Data)
		}
	}
	md := arrow.MetadataFrom(map[string]string{
		"hdf5.attr.unit": "m", "hdf5.attr.n": "3", "hdf5.attr.dtype": "S9", "hdf5.attr.list": `{"hdf5_type":"vlen(ref)","base64":"AA=="}`,
		"pandas": "{}", MetaTypes: `{"n":"i16le"}`,
	})
	p, err := Back(arrow.Field{Name: "x", Type: arrow.FixedWidthTypes.Timestamp_ns, Metadata: md}, BackOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range p.Column {
		names = append(names, a.Name+" "+a.Type.String())
	}
	if got := strings.Join(names, ", "); got != "n i16le, unit vstr(utf8,nullterm)" {
		t.Errorf("attributes %s", got)
	}
	if !slices.Equal(p.Dropped, []string{"list"}) || text(p.Attributes, "dtype") != "datetime64[ns]" || text(p.Attributes, ZoneAttribute) != "UTC" {
		t.Errorf("dropped %v, attributes %v", p.Dropped, p.Attributes)
	}
}

// TestBackReasons shows that a plan says why its values are not handed on, and what reading does not give back.
func TestBackReasons(t *testing.T) {
	for _, tt := range []struct {
		typ      arrow.DataType
		opt      BackOptions
		delivery Delivery
		reason   string
	}{
		{arrow.PrimitiveTypes.Int32, BackOptions{}, Mapped, ""},
		{arrow.BinaryTypes.String, BackOptions{}, Mapped, ""},
		{arrow.FixedWidthTypes.Boolean, BackOptions{}, Packed, "bits become byte booleans"},
		{arrow.FixedWidthTypes.Date32, BackOptions{}, Converted, "stored in 64 bits"},
		{arrow.FixedWidthTypes.Date64, BackOptions{}, Mapped, "date64 is read back as timestamp[ms]"},
		{arrow.LargeListOf(arrow.PrimitiveTypes.Int8), BackOptions{}, Converted, "sequences in the heap; large_list is read back as list"},
		{structOf("a", arrow.PrimitiveTypes.Int8), BackOptions{}, Gathered, "fields become members of a compound"},
		{arrow.BinaryTypes.LargeString, BackOptions{OffsetWidth: 4}, Converted, "offsets of 4 bytes"},
		{arrow.PrimitiveTypes.Int32, BackOptions{Width: 1}, Converted, "stored in 1 bytes"},
	} {
		p, err := Back(arrow.Field{Name: "x", Type: tt.typ}, tt.opt)
		if err != nil {
			t.Fatal(err)
		}
		if p.Delivery != tt.delivery || p.Reason != tt.reason {
			t.Errorf("%v: %v, %q", tt.typ, p.Delivery, p.Reason)
		}
	}
}

// FuzzBackMetadata reads metadata that anybody may have written: plans and attributes are sound, or there is an error.
func FuzzBackMetadata(f *testing.F) {
	f.Add(`{"a":1,"b":-2}`, "5", "i16le", "_FillValue=3")
	f.Add(`{"a":`, `["NaN",1.5]`, "f32le", "mask:/m")
	f.Add(`{"a":99999999999999999999}`, `[1,[2]]`, "text", "_FillValue=NaN; missing_value=1")
	f.Add(`{}`, `{"hdf5_type":"x"}`, "u8", "")
	f.Fuzz(func(t *testing.T, enum, value, typ, nulls string) {
		types := fmt.Sprintf(`{"v":%q}`, typ)
		md := arrow.MetadataFrom(map[string]string{MetaEnum: enum, MetaAttribute + "v": value, MetaTypes: types, MetaNulls: nulls, MetaOpaqueTag: value})
		for _, typ := range []arrow.DataType{dictOf(arrow.PrimitiveTypes.Int8, arrow.BinaryTypes.String), arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Float64, &arrow.FixedSizeBinaryType{ByteWidth: 8}} {
			p, err := Back(arrow.Field{Name: "x", Type: typ, Metadata: md}, BackOptions{})
			if err != nil {
				continue
			}
			for _, a := range append(p.Column, p.Attributes...) {
				n := 1
				for _, d := range a.Dims {
					n *= int(d)
				}
				if !a.Type.VarString && len(a.Data) != n*a.Type.Size {
					t.Errorf("%d bytes for %d of %v", len(a.Data), n, a.Type)
				}
			}
			if _, err := New(Source{Type: p.Type, DType: text(p.Attributes, "dtype")}, p.Read); err != nil {
				t.Errorf("%v can't be read: %v", p.Type, err)
			}
		}
	})
}
