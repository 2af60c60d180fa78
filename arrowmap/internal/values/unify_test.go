package values_test

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/internal/values"
)

// labeled is a dictionary of text with these labels, of which rows have those at indices; -1 is a null.
func labeled(t *testing.T, labels string, indices ...int8) arrow.Array {
	t.Helper()
	l := array.NewStringBuilder(memory.DefaultAllocator)
	l.AppendValues(strings.Fields(labels), nil)
	i := array.NewInt8Builder(memory.DefaultAllocator)
	for _, k := range indices {
		if k < 0 {
			i.AppendNull()
		} else {
			i.Append(k)
		}
	}
	return array.NewDictionaryArray(&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, i.NewArray(), l.NewArray())
}

// listed is lists of items, which end where ends says; of one size where ends is nil.
func listed(items arrow.Array, size int32, ends ...int32) arrow.Array {
	var typ arrow.DataType
	buffers, n := []*memory.Buffer{nil}, len(ends)
	if ends == nil {
		typ, n = arrow.FixedSizeListOf(size, items.DataType()), items.Len()/int(size)
	} else {
		typ = arrow.ListOf(items.DataType())
		buffers = append(buffers, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(append([]int32{0}, ends...))))
	}
	return array.MakeFromData(array.NewData(typ, n, buffers, []arrow.ArrayData{items.Data()}, 0, 0))
}

func structs(t *testing.T, a, b arrow.Array) arrow.Array {
	t.Helper()
	s, err := array.NewStructArray([]arrow.Array{a, b}, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shown is the values of an array, a line each.
func shown(a arrow.Array) string {
	var b strings.Builder
	for i := range a.Len() {
		b.WriteString(a.ValueStr(i) + "\n")
	}
	return b.String()
}

// The labels of dictionaries within lists and structs become one dictionary, in each place, and the values stay what they are.
func TestUnifyNested(t *testing.T) {
	ints := func(n int) arrow.Array {
		return array.MakeArrayOfNull(memory.DefaultAllocator, arrow.PrimitiveTypes.Int32, n)
	}
	a, b := labeled(t, "x y", 1, 0, -1, 1), labeled(t, "z y", 0, 1, 1, -1)
	runs := listed(a, 0, 1, 1, 4)
	for name, in := range map[string][]arrow.Array{
		"alone":          {a, b, array.NewNull(2)},
		"lists":          {runs, array.NewSlice(listed(b, 0, 2, 3, 4), 1, 3), array.NewNull(1), array.NewSlice(runs, 2, 3), array.NewSlice(runs, 0, 0)},
		"fixed":          {listed(a, 2), array.NewSlice(listed(b, 2), 1, 2), array.NewNull(3)},
		"structs":        {structs(t, a, ints(4)), array.NewSlice(structs(t, b, ints(4)), 1, 3), array.NewNull(1)},
		"lists of those": {listed(structs(t, a, listed(a, 1)), 0, 1, 4), listed(structs(t, b, listed(b, 1)), 0, 0, 3, 4)},
		"lists of nulls": {listed(array.NewNull(3), 0, 1, 3), listed(a, 0, 4)},
	} {
		as, differs, err := values.Unify(in, false)
		if err != nil || differs >= 0 {
			t.Errorf("%s: %d, %v", name, differs, err)
			continue
		}
		var out []arrow.Array
		var want, got []string
		for k, r := range as {
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			made := in[k]
			if r != nil {
				made = r.Apply(in[k], mem)
			}
			if !arrow.TypeEqual(made.DataType(), as[0].Type()) {
				t.Errorf("%s: %s, not %s", name, made.DataType(), as[0].Type())
			}
			out = append(out, made)
			want, got = append(want, shown(in[k])), append(got, shown(made))
			if r != nil {
				defer func() { made.Release(); mem.AssertSize(t, 0) }()
			}
		}
		if strings.Join(want, "") != strings.Join(got, "") {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		all, err := array.Concatenate(out, memory.DefaultAllocator)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if text := shown(all); text != strings.Join(want, "") {
			t.Errorf("%s together: %q, want %q", name, text, want)
		}
	}
}

// Arrays of other types are named, and those that are equal stay as they are.
func TestUnifyDiffers(t *testing.T) {
	a, n := labeled(t, "x y", 1), array.MakeArrayOfNull(memory.DefaultAllocator, arrow.PrimitiveTypes.Int32, 2)
	for _, c := range []struct {
		in      []arrow.Array
		differs int
	}{
		{[]arrow.Array{a, n}, 1},
		{[]arrow.Array{listed(a, 0, 1), listed(n, 0, 1)}, 1},
		{[]arrow.Array{listed(n, 1), listed(n, 1), listed(n, 2)}, 2},
		{[]arrow.Array{listed(a, 0, 1), listed(a, 1)}, 1},
		{[]arrow.Array{structs(t, a, a), structs(t, a, labeled(t, "z", 0)), listed(a, 1)}, 2},
		{[]arrow.Array{structs(t, a, a), structs(t, a, a)}, -1},
		{[]arrow.Array{listed(a, 1), listed(a, 1)}, -1},
		{[]arrow.Array{array.NewNull(1), array.NewNull(2)}, -1},
	} {
		as, differs, err := values.Unify(c.in, false)
		if err != nil || differs != c.differs {
			t.Errorf("%v: %d, %v, want %d", c.in, differs, err, c.differs)
		}
		for _, r := range as {
			if differs < 0 && r != nil {
				t.Errorf("%v: changed to %s", c.in, r.Type())
			}
		}
	}
	if !values.HasDictionary(listed(structs(t, n, labeled(t, "z", 0, 0)), 0, 1).DataType()) || values.HasDictionary(listed(n, 1).DataType()) {
		t.Error("HasDictionary")
	}
}
