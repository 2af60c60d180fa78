package values_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/internal/values"
)

var names = map[string]arrow.DataType{
	"i8": arrow.PrimitiveTypes.Int8, "i16": arrow.PrimitiveTypes.Int16, "i32": arrow.PrimitiveTypes.Int32, "i64": arrow.PrimitiveTypes.Int64,
	"u8": arrow.PrimitiveTypes.Uint8, "u16": arrow.PrimitiveTypes.Uint16, "u32": arrow.PrimitiveTypes.Uint32, "u64": arrow.PrimitiveTypes.Uint64,
	"f16": arrow.FixedWidthTypes.Float16, "f32": arrow.PrimitiveTypes.Float32, "f64": arrow.PrimitiveTypes.Float64,
	"s": arrow.BinaryTypes.String, "S": arrow.BinaryTypes.LargeString, "bool": arrow.FixedWidthTypes.Boolean, "date": arrow.FixedWidthTypes.Date32,
}

func typesOf(text string) (out []arrow.DataType) {
	for _, f := range strings.Fields(text) {
		out = append(out, names[f])
	}
	return out
}

func TestWidest(t *testing.T) {
	for text, want := range map[string]string{
		"i8": "i8", "i8 i32 i16": "i32", "u8 u16": "u16", "u64 u8": "u64", "u8 i8": "i16", "i64 u32": "i64", "u16 i32": "i32", "u32 i8": "i64",
		"f32 f16": "f32", "f16 f64": "f64", "f16 u8": "f16", "i16 f16": "f32", "i8 f32 u16": "f32", "u32 f32": "f64", "i32 u32 f16": "f64",
		"s S": "S", "S s s": "S", "u64 i8": "", "i64 f64": "", "u64 f32": "", "bool i8": "", "date i32": "", "s i8": "",
	} {
		got, ok := values.Widest(typesOf(text))
		if !ok && got != nil || ok != (want != "") || ok && !arrow.TypeEqual(got, names[want]) {
			t.Errorf("%s: %v, %t, want %s", text, got, ok, want)
		}
	}
}

// limits is an array with the smallest and largest values of a type of numbers, a null, and values before that are sliced off.
func limits(t *testing.T, typ arrow.DataType) arrow.Array {
	t.Helper()
	b := array.NewBuilder(memory.DefaultAllocator, typ)
	defer b.Release()
	low, high := "0", map[string]string{
		"int8": "127", "int16": "32767", "int32": "2147483647", "int64": fmt.Sprint(int64(math.MaxInt64)), "uint8": "255", "uint16": "65535", "uint32": "4294967295",
		"uint64": fmt.Sprint(uint64(math.MaxUint64)), "float16": "65504", "float32": fmt.Sprint(float32(math.MaxFloat32)), "float64": fmt.Sprint(math.MaxFloat64),
	}[typ.Name()]
	if !arrow.IsUnsignedInteger(typ.ID()) {
		low = "-" + high
	}
	for _, v := range []string{"1", "2", low, "", high, "3"} {
		if v == "" {
			b.AppendNull()
		} else if err := b.AppendValueFromString(v); err != nil {
			t.Fatal(err)
		}
	}
	a := b.NewArray()
	defer a.Release()
	return array.NewSlice(a, 2, 6)
}

// Every type becomes each one that Widest chooses as Arrow's own casts make it.
func TestWidened(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	n := 0
	for _, from := range names {
		for _, other := range names {
			if from.ID() == arrow.BOOL || from.ID() == arrow.DATE32 || !arrow.IsPrimitive(from.ID()) {
				continue
			}
			to, ok := values.Widest([]arrow.DataType{from, other})
			if !ok || arrow.TypeEqual(from, to) {
				continue
			}
			n++
			in := limits(t, from)
			as, differs, err := values.Unify([]arrow.Array{array.MakeArrayOfNull(mem, other, 0), in}, true)
			if err != nil || differs >= 0 || as[1] == nil || !arrow.TypeEqual(as[1].Type(), to) {
				t.Fatalf("%s with %s: %v, %d, %v", from, other, as, differs, err)
			}
			got := as[1].Apply(in, mem)
			if from.ID() == arrow.FLOAT16 || to.ID() == arrow.FLOAT16 { // there are no such casts
				if got.String() != in.String() {
					t.Errorf("%s as %s: %s", in, to, got)
				}
			} else if want, err := compute.CastArray(t.Context(), in, compute.SafeCastOptions(to)); err != nil || !array.Equal(got, want) {
				t.Errorf("%s as %s: %s, want %s, %v", from, to, got, want, err)
			}
			got.Release()
		}
	}
	if n < 40 {
		t.Errorf("%d pairs", n)
	}
}

func TestWidenedText(t *testing.T) {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues([]string{"x", "ab", "", "cde", "y"}, []bool{true, true, false, true, true})
	in := array.NewSlice(b.NewArray(), 1, 4)
	as, differs, err := values.Unify([]arrow.Array{in, array.MakeArrayOfNull(memory.DefaultAllocator, arrow.BinaryTypes.LargeString, 0)}, true)
	if err != nil || differs >= 0 || as[1] != nil {
		t.Fatal(as, differs, err)
	}
	got := as[0].Apply(in, memory.DefaultAllocator).(*array.LargeString)
	if text := got.String(); text != `["ab" (null) "cde"]` {
		t.Error(text)
	}
	if as[0].Apply(array.NewSlice(in, 0, 0), memory.DefaultAllocator).Len() != 0 {
		t.Error("no rows")
	}
}

// dirty is an allocator whose memory is not zero.
type dirty struct{ memory.Allocator }

func (d dirty) Allocate(n int) []byte {
	b := d.Allocator.Allocate(n)
	for i := range b {
		b[i] = 0xFF
	}
	return b
}

// All values of a column that a file lacks are null, whatever memory they get.
func TestMissing(t *testing.T) {
	mem := dirty{memory.NewGoAllocator()}
	for _, typ := range names {
		as, _, err := values.Unify([]arrow.Array{array.MakeArrayOfNull(memory.DefaultAllocator, typ, 0), array.NewNull(0)}, true)
		if err != nil {
			t.Fatal(err)
		}
		got := as[1].Apply(array.NewNull(100), mem)
		for i := range got.Len() {
			if got.IsValid(i) {
				t.Fatalf("%s: row %d is valid", typ, i)
			}
		}
	}
}
