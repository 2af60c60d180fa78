package stored_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/stored"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

var prim = arrow.PrimitiveTypes

// cases are types and what they are stored as; rows are JSON.
var cases = []struct {
	typ, as      arrow.DataType
	rows, stored string
}{
	{prim.Int32, prim.Int32, "[1,null]", "[1,null]"},
	{&arrow.Decimal32Type{Precision: 5, Scale: 2}, prim.Int32, `["1.50",null,"-0.01"]`, "[150,null,-1]"},
	{&arrow.Decimal64Type{Precision: 12, Scale: 1}, prim.Int64, `["1.5",null]`, "[15,null]"},
	{&arrow.Decimal128Type{Precision: 18, Scale: 3}, prim.Int64, `["1.5",null,"-2"]`, "[1500,null,-2000]"},
	{&arrow.Decimal128Type{Precision: 19, Scale: 3}, arrow.BinaryTypes.String, `["1.5",null,"-0.002","0"]`, `["1.500",null,"-0.002","0.000"]`},
	{&arrow.Decimal256Type{Precision: 40, Scale: 0}, arrow.BinaryTypes.String, `["123456789012345678901234567890",null]`, `["123456789012345678901234567890",null]`},
	{arrow.ListViewOf(prim.Int8), arrow.ListOf(prim.Int8), "[[1,2],null,[],[3]]", "[[1,2],null,[],[3]]"},
	{arrow.LargeListViewOf(prim.Int8), arrow.LargeListOf(prim.Int8), "[[1,2],null,[],[3]]", "[[1,2],null,[],[3]]"},
	{arrow.ListOf(&arrow.Decimal32Type{Precision: 5, Scale: 1}), arrow.ListOf(prim.Int32), `[["1.5"],null,[]]`, "[[15],null,[]]"},
	{arrow.FixedSizeListOf(2, &arrow.Decimal32Type{Precision: 5, Scale: 1}), arrow.FixedSizeListOf(2, prim.Int32), `[["1.5","2"],["3",null]]`, "[[15,20],[30,null]]"},
	{arrow.StructOf(arrow.Field{Name: "a", Type: arrow.ListViewOf(prim.Int8), Nullable: true}), arrow.StructOf(arrow.Field{Name: "a", Type: arrow.ListOf(prim.Int8), Nullable: true}),
		`[{"a":[1]},null,{"a":null}]`, `[{"a":[1]},null,{"a":null}]`},
}

func fromJSON(t *testing.T, typ arrow.DataType, rows string) arrow.Array {
	t.Helper()
	a, _, err := array.FromJSON(memory.DefaultAllocator, typ, strings.NewReader(rows))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestLower lowers slices of arrays, compares them with what is to be stored, and restores them.
func TestLower(t *testing.T) {
	for _, c := range cases {
		all, want := fromJSON(t, c.typ, c.rows), fromJSON(t, c.as, c.stored)
		for from := range int64(all.Len()) {
			for to := from; to <= int64(all.Len()); to++ {
				a := array.NewSlice(all, from, to)
				low, err := stored.Lower(a, 0, memory.DefaultAllocator)
				if err != nil {
					t.Fatalf("%s: %v", c.typ, err)
				}
				if w := array.NewSlice(want, from, to); !array.Equal(low, w) || !arrow.TypeEqual(stored.Type(c.typ), c.as) {
					t.Errorf("%s, rows %d to %d: %v, want %v", c.typ, from, to, low, w)
				}
				back, err := stored.Restore(low, c.typ, 0, memory.DefaultAllocator)
				if err != nil {
					t.Fatalf("%s: %v", c.typ, err)
				}
				if !array.Equal(back, a) || !stored.Same(back.DataType(), c.typ) {
					t.Errorf("%s, rows %d to %d: restored %v, want %v", c.typ, from, to, back, a)
				}
			}
		}
	}
}

// TestListViews lowers views whose items overlap and are in another order.
func TestListViews(t *testing.T) {
	items := fromJSON(t, prim.Int8, "[0,1,2,3,4,5]")
	offsets, sizes := fromJSON(t, prim.Int32, "[3,0,2,6]"), fromJSON(t, prim.Int32, "[3,2,2,0]")
	data := array.NewData(arrow.ListViewOf(prim.Int8), 4, []*memory.Buffer{nil, offsets.Data().Buffers()[1], sizes.Data().Buffers()[1]}, []arrow.ArrayData{items.Data()}, 0, 0)
	low, err := stored.Lower(array.NewListViewData(data), 0, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	if want := fromJSON(t, arrow.ListOf(prim.Int8), "[[3,4,5],[0,1],[2,3],[]]"); !array.Equal(low, want) {
		t.Errorf("%v", low)
	}
}

// TestRuns lowers run-end encoded arrays from any row on.
func TestRuns(t *testing.T) {
	ends, values := fromJSON(t, prim.Int16, "[2,3,7]"), fromJSON(t, arrow.BinaryTypes.String, `["a",null,"b"]`)
	all := array.NewRunEndEncodedArray(ends, values, 7, 0)
	want := fromJSON(t, arrow.BinaryTypes.String, `["a","a",null,"b","b","b","b"]`)
	for from := range int64(8) {
		for to := from; to <= 7; to++ {
			low, err := stored.Lower(array.NewSlice(all, from, to), 0, memory.DefaultAllocator)
			if err != nil {
				t.Fatal(err)
			}
			if !array.Equal(low, array.NewSlice(want, from, to)) {
				t.Errorf("rows %d to %d: %v", from, to, low)
			}
		}
	}
	broken := array.NewRunEndEncodedArray(fromJSON(t, prim.Int32, "[2,2]"), fromJSON(t, prim.Int8, "[1,2]"), 7, 0)
	if _, err := stored.Lower(broken, 10, memory.DefaultAllocator); !h5err.Is(err, h5err.Corrupt) || !strings.Contains(err.Error(), "row 12") {
		t.Errorf("%v", err)
	}
}

// TestRestoreErrors refuses arrays that values of a type are never stored as, and names the row of such a value.
func TestRestoreErrors(t *testing.T) {
	decimal := &arrow.Decimal128Type{Precision: 20, Scale: 2}
	for _, c := range []struct {
		from arrow.DataType
		rows string
		to   arrow.DataType
		part string
	}{
		{arrow.BinaryTypes.String, `["1.50","x"]`, decimal, "row 5"},
		{arrow.BinaryTypes.String, `["1.5"]`, decimal, "row 4"},
		{arrow.BinaryTypes.String, `["1234567890123456789.00"]`, decimal, "row 4"},
		{prim.Int8, "[1]", decimal, "not stored as"},
		{prim.Int8, "[1]", arrow.ListOf(prim.Int8), "not stored as"},
		{arrow.FixedWidthTypes.Duration_s, "[1]", arrow.FixedWidthTypes.Time32ms, "not stored as"},
		{arrow.FixedWidthTypes.Duration_s, "[1,3000000000]", arrow.FixedWidthTypes.Time32s, "row 5"},
		{arrow.FixedSizeListOf(2, prim.Int8), "[[1,2]]", arrow.FixedSizeListOf(3, prim.Int8), "not stored as"},
		{arrow.FixedSizeListOf(2, prim.Int8), "[[1,2]]", arrow.ListOf(prim.Int8), "not stored as"},
	} {
		_, err := stored.Restore(fromJSON(t, c.from, c.rows), c.to, 4, memory.DefaultAllocator)
		if !h5err.Is(err, h5err.Corrupt) || !strings.Contains(err.Error(), c.part) {
			t.Errorf("%s as %s: %v", c.from, c.to, err)
		}
	}
}

// TestAttribute writes types as attributes, and reads them again.
func TestAttribute(t *testing.T) {
	for _, c := range cases {
		text, err := stored.Field(c.typ)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := stored.Parse(text); err != nil || !stored.Same(got, c.typ) {
			t.Errorf("%s is read as %v, %v", c.typ, got, err)
		}
	}
	two, err := stored.Field(arrow.MapOf(prim.Int8, prim.Int8))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "x", "AAAA", two, base64.StdEncoding.EncodeToString(make([]byte, 100))} {
		if _, err := stored.Parse(text); !h5err.Is(err, h5err.Corrupt) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

// FuzzParse parses attributes as hostile files have them, and restores values as the types that they name.
func FuzzParse(f *testing.F) {
	for _, c := range cases {
		text, err := stored.Field(c.typ)
		if err != nil {
			f.Fatal(err)
		}
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	values, _, err := array.FromJSON(memory.DefaultAllocator, arrow.ListOf(prim.Uint8), strings.NewReader("[[1],null,[]]"))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		typ, err := stored.Parse(base64.StdEncoding.EncodeToString(b))
		if err != nil {
			if !h5err.Is(err, h5err.Corrupt) {
				t.Fatal(err)
			}
			return
		}
		for _, a := range []arrow.Array{values, values.(*array.List).ListValues()} {
			if out, err := stored.Restore(a, typ, 0, memory.DefaultAllocator); err == nil {
				out.Release()
			}
		}
	})
}

// TestEqual asks timestamps for their zones, inside of types of each kind: the types are the same still.
func TestEqual(t *testing.T) {
	within := map[string]func(arrow.DataType) arrow.DataType{
		"plain": func(x arrow.DataType) arrow.DataType { return x },
		"dictionary": func(x arrow.DataType) arrow.DataType {
			return &arrow.DictionaryType{IndexType: prim.Int8, ValueType: x}
		},
		"list":            func(x arrow.DataType) arrow.DataType { return arrow.ListOf(x) },
		"large list":      func(x arrow.DataType) arrow.DataType { return arrow.LargeListOf(x) },
		"list view":       func(x arrow.DataType) arrow.DataType { return arrow.ListViewOf(x) },
		"large list view": func(x arrow.DataType) arrow.DataType { return arrow.LargeListViewOf(x) },
		"fixed":           func(x arrow.DataType) arrow.DataType { return arrow.FixedSizeListOf(2, x) },
		"struct":          func(x arrow.DataType) arrow.DataType { return arrow.StructOf(arrow.Field{Name: "a", Type: x}) },
		"runs":            func(x arrow.DataType) arrow.DataType { return arrow.RunEndEncodedOf(prim.Int32, x) },
	}
	for outer, f := range within {
		for inner, g := range within {
			asked := &arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"}
			if _, err := asked.GetZone(); err != nil {
				t.Fatal(err)
			}
			a := f(g(asked))
			for _, c := range []struct {
				b    arrow.DataType
				want bool
			}{
				{f(g(&arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"})), true},
				{f(g(&arrow.TimestampType{Unit: arrow.Second, TimeZone: "Etc/UTC"})), false},
				{f(g(&arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"})), false},
				{f(g(prim.Int64)), false},
			} {
				if stored.Equal(a, c.b) != c.want || stored.Equal(c.b, a) != c.want || stored.Same(a, c.b) != c.want {
					t.Errorf("%s of %s: %s and %s: equal %v, want %v", outer, inner, a, c.b, !c.want, c.want)
				}
			}
		}
	}
	meta := func(v string) arrow.DataType {
		return arrow.LargeListOfField(arrow.Field{Name: "item", Type: prim.Int8, Metadata: arrow.NewMetadata([]string{"k"}, []string{v})})
	}
	if a, b := meta("1"), meta("2"); stored.Same(a, b) || !stored.Same(a, meta("1")) || !stored.Equal(a, b) {
		t.Error("metadata of fields: Same compares them, Equal does not")
	}
	ordered := &arrow.DictionaryType{IndexType: prim.Int8, ValueType: prim.Int8, Ordered: true}
	if stored.Equal(ordered, &arrow.DictionaryType{IndexType: prim.Int8, ValueType: prim.Int8}) {
		t.Error("an ordered dictionary is one without order")
	}
}
