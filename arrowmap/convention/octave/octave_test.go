package octave

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

func TestRangeLength(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		base, limit, step float64
		want              int64
	}{
		{1, 9, 2, 5}, {1, 10, 2, 5}, {0, 0.3, 0.1, 4}, {0, 1, 0.1, 11}, {5, 1, -2, 3}, {1, 1, 1, 1}, {2, 1, 1, 0},
		{0, 1, 0, -1}, {1, 1, 0, -1}, {nan, 1, 1, -1}, {0, inf, 1, -1}, {0, 1e300, 1, -1}, {3, 1, 1, 0},
	} {
		if got := rangeLength(c.base, c.limit, c.step); got != c.want {
			t.Errorf("%v:%v:%v has %d elements, want %d", c.base, c.step, c.limit, got, c.want)
		}
	}
}

func TestClass(t *testing.T) {
	for kind, want := range map[string]string{
		"scalar": "double", "matrix": "double", "null_matrix": "double", "float scalar": "float", "float matrix": "float",
		"bool": "bool", "bool matrix": "bool", "int8 scalar": "int8", "uint64 matrix": "uint64", "complex matrix": "complex",
		"float complex scalar": "float complex", "string": "string", "sq_string": "string", "null_sq_string": "string", "cell": "cell",
	} {
		if got := (&variable{kind: kind}).class(); got != want {
			t.Errorf("%q is of class %q, want %q", kind, got, want)
		}
	}
}

// TestNullNA looks at slices, whose validity does not start at bit 0.
func TestNullNA(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	b := array.NewFloat64Builder(mem)
	defer b.Release()
	b.AppendValues([]float64{9, math.Float64frombits(na64), math.NaN(), math.Float64frombits(oldNA64), 1}, []bool{true, true, true, true, false})
	all := b.NewArray()
	defer all.Release()
	for _, c := range []struct {
		lo, hi int64
		want   string
	}{{0, 5, "[9 (null) NaN (null) (null)]"}, {1, 4, "[(null) NaN (null)]"}, {2, 3, "[NaN]"}, {4, 5, "[(null)]"}, {3, 3, "[]"}} {
		in := array.NewSlice(all, c.lo, c.hi)
		out := nullNA(in, mem)
		if got := out.String(); got != c.want || out.NullN() != strings.Count(c.want, "null") {
			t.Errorf("rows %d to %d: %s with %d nulls, want %s", c.lo, c.hi, got, out.NullN(), c.want)
		}
		out.Release()
		in.Release()
	}
	s := array.NewFloat32Builder(mem)
	defer s.Release()
	s.AppendValues([]float32{math.Float32frombits(na32), float32(math.NaN()), 2}, nil)
	single := s.NewArray()
	defer single.Release()
	out := nullNA(single, mem)
	defer out.Release()
	if got := out.String(); got != "[(null) NaN 2]" {
		t.Errorf("singles are %s", got)
	}
}

func TestDecodeText(t *testing.T) {
	for in, want := range map[string]string{"ab": `["a" "b"]`, "\xff": "row 7: the text \"\\xff\" is not UTF-8", "a\xc3": "row 8: "} {
		got, err := decoded([]byte(in), 7)
		if err != nil {
			got = err.Error()
			if !h5err.Is(err, h5err.Unsupported) {
				t.Errorf("%q: %v", in, err)
			}
		}
		if !strings.Contains(got, want) {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
	n := array.NewNull(1)
	defer n.Release()
	if _, err := decodeText(n, 0, memory.DefaultAllocator); !h5err.Is(err, h5err.Unsupported) {
		t.Errorf("text of nulls: %v", err)
	}
}

// decoded decodes single bytes, a text for each.
func decoded(in []byte, row0 int64) (string, error) {
	b := array.NewUint8Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(in, nil)
	a := b.NewArray()
	defer a.Release()
	out, err := decodeText(a, row0, memory.DefaultAllocator)
	if err != nil {
		return "", err
	}
	defer out.Release()
	return out.String(), nil
}

// FuzzDecodeText decodes bytes in lists of the lengths that the first byte says: the texts are the bytes, or an error says
// that they are not UTF-8.
func FuzzDecodeText(f *testing.F) {
	f.Add([]byte("\x02abcde"))
	f.Add([]byte("\x01h\xc3\xa9"))
	f.Add([]byte("\x03h\xc3\xa9llo"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) == 0 {
			return
		}
		n, in := int(in[0])%5+1, in[1:]
		b := array.NewListBuilder(memory.DefaultAllocator, arrow.PrimitiveTypes.Uint8)
		defer b.Release()
		var want []string
		valid := true
		for len(in) > 0 {
			row := in[:min(n, len(in))]
			in = in[len(row):]
			want = append(want, string(row))
			valid = valid && utf8.Valid(row)
			b.Append(true)
			b.ValueBuilder().(*array.Uint8Builder).AppendValues(row, nil)
		}
		a := b.NewArray()
		defer a.Release()
		out, err := decodeText(a, 0, memory.DefaultAllocator)
		if err != nil {
			if valid || !h5err.Is(err, h5err.Unsupported) {
				t.Fatal(err)
			}
			return
		}
		defer out.Release()
		if !valid || out.Len() != len(want) {
			t.Fatalf("%d texts of %d rows", out.Len(), len(want))
		}
		for i, s := range want {
			if got := out.(*array.String).Value(i); got != s {
				t.Errorf("row %d is %q, want %q", i, got, s)
			}
		}
	})
}
