package where

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// chosen returns the rows of an array for which conditions hold.
func chosen(t *testing.T, arr arrow.Array, text string) []int {
	t.Helper()
	f, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	keep := slices.Repeat([]bool{true}, arr.Len())
	for i := range f {
		test, err := bind(&f[i], arr.DataType())
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		test(arr, keep)
	}
	rows := []int{}
	for i, k := range keep {
		if k {
			rows = append(rows, i)
		}
	}
	return rows
}

// fromJSON makes an array.
func fromJSON(t *testing.T, mem memory.Allocator, typ arrow.DataType, text string) arrow.Array {
	t.Helper()
	b := array.NewBuilder(mem, typ)
	defer b.Release()
	if err := b.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return b.NewArray()
}

func TestHolds(t *testing.T) {
	label := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}
	for _, c := range []struct {
		typ          arrow.DataType
		values, text string
		want         []int
	}{
		{arrow.PrimitiveTypes.Int8, "[-128, -1, 0, null, 127]", "x < 0.5", []int{0, 1, 2}},
		{arrow.PrimitiveTypes.Int8, "[-128, -1, 0, null, 127]", "x != 1e300 and x > -1e300", []int{0, 1, 2, 4}},
		{arrow.PrimitiveTypes.Int8, "[-128, -1, 0, null, 127]", "x between -1.5 and 126.9", []int{1, 2}},
		{arrow.PrimitiveTypes.Uint64, "[0, 18446744073709551615, 18446744073709551614]", "x >= 18446744073709551615", []int{1}},
		{arrow.PrimitiveTypes.Int64, "[9007199254740993, 9007199254740992]", "x = 9007199254740993", []int{0}},
		{arrow.PrimitiveTypes.Int64, "[9223372036854775807, -9223372036854775808]", "x <= -9.3e18", []int{}},
		{arrow.PrimitiveTypes.Float32, "[5.4, 5.5, null, -0.0]", "x = 5.4", []int{0}},
		{arrow.PrimitiveTypes.Float64, "[1, 2, null]", "x != 1", []int{1}},
		{arrow.PrimitiveTypes.Float64, "[1, 2, null]", "x is null", []int{2}},
		{arrow.BinaryTypes.String, `["a", "", null, "ab"]`, "x >= 'a' and x < 'b'", []int{0, 3}},
		{arrow.BinaryTypes.LargeString, `["it's", "x"]`, "x in ('it''s', 'y')", []int{0}},
		{arrow.FixedWidthTypes.Boolean, "[true, false, null]", "x != true", []int{1}},
		{arrow.FixedWidthTypes.Timestamp_s, "[1709164800, 1709164801]", "x > '2024-02-29 00:00:00.5'", []int{1}},
		{arrow.FixedWidthTypes.Date32, `["2024-02-29", "2024-03-01"]`, "x <= '2024-02-29T12:00'", []int{0}},
		{arrow.FixedWidthTypes.Date32, `["2024-02-29", "2024-03-01"]`, "x = '2024-02-29T12:00'", []int{}},
		{label, `["a", "b", null, "a"]`, "x = 'a'", []int{0, 3}},
		{label, `["a", "b", null, "a"]`, "x is not null", []int{0, 1, 3}},
		{arrow.ListOf(arrow.PrimitiveTypes.Int8), "[[1], null]", "x is null", []int{1}},
	} {
		arr := fromJSON(t, memory.DefaultAllocator, c.typ, c.values)
		if got := chosen(t, arr, c.text); !slices.Equal(got, c.want) {
			t.Errorf("%s of %s: %v, want %v", c.text, c.values, got, c.want)
		}
	}
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	b.AppendValues([]float64{1, math.NaN(), math.Inf(1)}, nil)
	nan := b.NewArray()
	for text, want := range map[string][]int{"x > 1": {1, 2}, "x <= 1e999": {0, 2}, "x != 1": {1, 2}, "x = 1": {0}, "x between 0 and 2": {0}} {
		if got := chosen(t, nan, text); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	f, err := Parse(`a.b >= -1.5e-3 and "odd ""name""" <> 'it''s' AND c IN (1,2) and d Between 1 and 2 and e is not null and ä=true`)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{a.b >= [{-1.5e-3 1}]} {odd "name" != [{it's 2}]} {c in [{1 1} {2 1}]} {d between [{1 1} {2 1}]} {e is not null []} {ä = [{true 3}]}]`
	if got := fmt.Sprint(f); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if names := f.Columns(); len(names) != 6 {
		t.Errorf("columns %q", names)
	}
	for _, bad := range []string{"", "a", "a =", "= 1", "a = 1 or b = 2", "a = 1 and", "a in 1", "a in (1", "a in (,)", "a between 1", "a is 1", "a = 'x", "a ~ 1",
		"a = 1..2", "a = -", "a < b", "1 = a", "a = 1 1"} {
		if _, err := Parse(bad); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"a = 1", `"a b" in ('x', 'y')`, "a between 1e400 and -2 and b is not null", "é!='", "\xff <> 1", "a=1e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		filter, err := Parse(s)
		if err != nil {
			return
		}
		for i := range filter {
			if err := filter[i].Check(); err != nil {
				t.Errorf("%q: %v", s, err)
			}
			for _, typ := range []arrow.DataType{arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Float32, arrow.FixedWidthTypes.Timestamp_ms, arrow.BinaryTypes.String} {
				if _, err := bind(&filter[i], typ); err != nil && !h5err.Is(err, h5err.Argument) {
					t.Errorf("%q: %v", s, err)
				}
			}
		}
	})
}

// Gathered rows are those that slices have, whatever the type and the offset.
func TestGather(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	i32 := arrow.PrimitiveTypes.Int32
	for _, c := range []struct {
		typ    arrow.DataType
		values string
	}{
		{i32, "[1, 2, null, 4, 5]"}, {arrow.FixedWidthTypes.Boolean, "[true, null, false, true, true]"}, {arrow.Null, "[null, null, null, null, null]"},
		{arrow.BinaryTypes.String, `["a", "", null, "bcd", "é"]`}, {arrow.BinaryTypes.LargeString, `["a", "", null, "bcd", "é"]`},
		{&arrow.FixedSizeBinaryType{ByteWidth: 3}, `["YWJj", "ZGVm", null, "Z2hp", "amts"]`},
		{arrow.ListOf(i32), "[[1, 2], [], null, [3], [4, null]]"}, {arrow.LargeListOf(arrow.BinaryTypes.String), `[["a"], [], null, ["b", "c"], [null]]`},
		{arrow.FixedSizeListOf(2, i32), "[[1, 2], [3, null], null, [5, 6], [7, 8]]"},
		{arrow.StructOf(arrow.Field{Name: "a", Type: i32, Nullable: true}, arrow.Field{Name: "b", Type: arrow.BinaryTypes.String}),
			`[{"a": 1, "b": "x"}, {"a": null, "b": "y"}, null, {"a": 4, "b": ""}, {"a": 5, "b": "z"}]`},
		{&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, `["a", "b", null, "a", "c"]`},
	} {
		whole := fromJSON(t, mem, c.typ, c.values)
		for offset := range 3 {
			arr := array.NewSlice(whole, int64(offset), int64(whole.Len()))
			for set := range 1 << arr.Len() {
				rows := []int{}
				for i := range arr.Len() {
					if set>>i&1 == 1 {
						rows = append(rows, i)
					}
				}
				got, err := gatherer{mem}.array(arr, rows)
				if err != nil {
					t.Fatal(err)
				}
				for k, row := range rows {
					if got.IsNull(k) != arr.IsNull(row) || got.ValueStr(k) != arr.ValueStr(row) {
						t.Errorf("%s from %d, row %d: %s, want %s", c.typ, offset, row, got.ValueStr(k), arr.ValueStr(row))
					}
				}
				got.Release()
			}
			arr.Release()
		}
		whole.Release()
	}
}

func TestReader(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	f, err := arrowmap.Open(h5test.Fixture(t, "sample.h5"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all, err := f.Table("")
	if err != nil {
		t.Fatal(err)
	}
	some, err := all.Select("meter", "fare", "zone")
	if err != nil {
		t.Fatal(err)
	}
	count := func(tab *arrowmap.Table, text string, opts ...arrowmap.ReadOption) (rows int64) {
		filter, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		r, err := NewReader(t.Context(), tab, all, filter, nil, opts...)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Release()
		for r.Next() {
			b := r.RecordBatch()
			if !b.Schema().Equal(tab.Schema()) || b.NumRows() == 0 {
				t.Errorf("%d rows of %v", b.NumRows(), b.Schema())
			}
			rows += b.NumRows()
		}
		if r.Err() != nil {
			t.Error(r.Err())
		}
		return rows
	}
	for _, opts := range [][]arrowmap.ReadOption{nil, {arrowmap.WithBatchRows(64)}, {arrowmap.WithBatchRows(10000), arrowmap.WithWorkers(1)}} {
		for text, want := range map[string]int64{"fare > 1e9": 0, "fare > -1": 50000, "fare > 40 and vendor = 2": 8, "tip is null": 5961} {
			for _, tab := range []*arrowmap.Table{all, some} {
				if got := count(tab, text, opts...); got != want {
					t.Errorf("%s: %d rows, want %d", text, got, want)
				}
			}
		}
	}
	for _, bad := range []string{"nothing = 1", "fare = 'x'"} {
		filter, _ := Parse(bad)
		if _, err := NewReader(t.Context(), some, all, filter, nil); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	filter, _ := Parse("fare > 3")
	if r, err := NewReader(ctx, some, all, filter, nil); err == nil {
		if r.Next() || r.Err() == nil {
			t.Error("a canceled context does not end the reading")
		}
		r.Release()
	}
}
