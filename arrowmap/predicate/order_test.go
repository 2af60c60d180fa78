package predicate

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// missing is the text of a null.
const missing = "(null)"

// arrayOf returns an array of values as builders read them.
func arrayOf(t testing.TB, typ arrow.DataType, values []string) arrow.Array {
	t.Helper()
	b := array.NewBuilder(memory.DefaultAllocator, typ)
	defer b.Release()
	for _, v := range values {
		if v == missing {
			b.AppendNull()
		} else if err := b.AppendValueFromString(v); err != nil {
			t.Fatal(err)
		}
	}
	return b.NewArray()
}

func isMissing(v string) bool { return v == missing || v == "nan" }

// isSorted is the slow and obvious way.
func isSorted(t *testing.T, typ arrow.DataType, values []string) bool {
	first := slices.IndexFunc(values, func(v string) bool { return !isMissing(v) })
	if first < 0 {
		return true
	}
	values = values[first:]
	for len(values) > 0 && isMissing(values[len(values)-1]) {
		values = values[:len(values)-1]
	}
	if slices.ContainsFunc(values, isMissing) {
		return false
	}
	up, down := false, false
	for i := 1; i < len(values); i++ {
		c := order(t, typ, values[i-1], values[i])
		up, down = up || c < 0, down || c > 0
	}
	return !up || !down
}

// sorted returns n values of a column in order, with missing ones at its ends.
func (c *column) sorted(t *testing.T, r *rand.Rand, n int) (out []string) {
	var known []string
	for _, v := range c.values {
		if !isMissing(v) {
			known = append(known, v)
		}
	}
	kinds := 1 + r.IntN(len(known))
	r.Shuffle(len(known), func(i, j int) { known[i], known[j] = known[j], known[i] })
	for range n {
		out = append(out, known[r.IntN(kinds)])
	}
	slices.SortFunc(out, func(a, b string) int { return order(t, c.typ, a, b) })
	if r.IntN(2) == 0 {
		slices.Reverse(out)
	}
	for k := range out[:r.IntN(n/3+1)] {
		out[k] = c.missing(r)
	}
	for k := range r.IntN(n/3 + 1) {
		out[n-1-k] = c.missing(r)
	}
	return out
}

func (c *column) missing(r *rand.Rand) string {
	if arrow.IsFloating(c.typ.ID()) && r.IntN(2) == 0 {
		return "nan"
	}
	return missing
}

// ordered returns an Order that has seen values, in some arrays.
func ordered(t *testing.T, typ arrow.DataType, values []string, row int, cut int) (*Order, error) {
	t.Helper()
	o, err := NewOrder(typ)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(values); at += cut {
		arr := arrayOf(t, typ, values[at:min(len(values), at+cut)])
		err := o.Add(arr, int64(row+at))
		arr.Release()
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

// An Order finds what is not sorted, and nothing else.
func TestOrderFindsTheUnsorted(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	bad := 0
	for range 40 {
		for _, c := range columns() {
			n := 1 + r.IntN(40)
			if r.IntN(8) == 0 {
				n = blockRows + r.IntN(2*blockRows)
			}
			values := c.sorted(t, r, n)
			for k := r.IntN(3); k > 0; k-- {
				values[r.IntN(n)] = append(c.values, missing)[r.IntN(len(c.values)+1)]
			}
			if c.typ.ID() == arrow.FLOAT16 || c.typ.ID() == arrow.FLOAT32 { // values that have no exact text
				values = slices.DeleteFunc(values, func(v string) bool { return v == "1e-40" || v == "0.1" })
			}
			want := isSorted(t, c.typ, values)
			_, err := ordered(t, c.typ, values, 100, 1+r.IntN(n))
			if want != (err == nil) || err != nil && !h5err.Is(err, h5err.Argument) {
				t.Fatalf("%s %v: %v, want sorted: %v", c.typ, values, err, want)
			}
			if !want {
				bad++
			}
		}
	}
	if bad < 100 {
		t.Errorf("only %d lists were not sorted", bad)
	}
}

// The error names rows.
func TestOrderNamesRows(t *testing.T) {
	for _, c := range []struct {
		values []string
		want   string
	}{
		{[]string{"1", "1", "2", "2", "1"}, "values ascend in row 12, and that of row 14 is less than that of row 13"},
		{[]string{"2", "1", missing, missing}, ""},
		{[]string{"2", "1", "3"}, "values descend in row 11, and that of row 12 is greater than that of row 11"},
		{[]string{missing, "2", missing, "3"}, "nulls or NaN come after row 11, and a value comes in row 13"},
	} {
		_, err := ordered(t, arrow.PrimitiveTypes.Int16, c.values, 10, 2)
		if got := fmt.Sprint(err); c.want == "" && err != nil || c.want != "" && got != c.want {
			t.Errorf("%v: %v, want %s", c.values, err, c.want)
		}
	}
}

// What is said of rows that were not seen holds for them, and joined parts are as the whole.
func TestOrderBetween(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	excluded, certain := 0, 0
	for range 60 {
		for _, c := range columns() {
			n := 3 + r.IntN(30)
			values := c.sorted(t, r, n)
			i := 1 + r.IntN(n-2)
			j := i + r.IntN(n-i)
			a, err1 := ordered(t, c.typ, values[:i], 0, n)
			b, err2 := ordered(t, c.typ, values[j:], j, n)
			if err1 != nil || err2 != nil {
				t.Fatal(values, err1, err2)
			}
			both := a.Clone()
			if err := both.Join(b); err != nil {
				t.Fatalf("%s %v, %v: %v", c.typ, values[:i], values[j:], err)
			}
			for _, part := range []struct {
				list []Stats
				rows []string
			}{{a.Between(b, both.Direction(), a.Some(), b.Some()), values[i:j]}, {a.Stats(), values[:i]}} {
				op := Equal + Op(r.IntN(int(IsNotNull)))
				var constants []Value
				if op < IsNull {
					constants = []Value{Text(c.constants[r.IntN(len(c.constants))])}
				}
				test, err := New(c.typ, op, constants...)
				if err != nil {
					t.Fatal(err)
				}
				may, must := false, true
				for k := range part.list {
					may, must = may || test.May(&part.list[k]), must && test.Must(&part.list[k])
				}
				arr := arrayOf(t, c.typ, part.rows)
				mask := make([]uint64, 1)
				Fill(mask, arr.Len())
				if err := test.Matcher().Choose(arr, 0, arr.Len(), mask); err != nil {
					t.Fatal(err)
				}
				arr.Release()
				if k := Count(mask); k > 0 && !may || k < len(part.rows) && must {
					t.Fatalf("%s %v %v: %d of the rows of %v between %v and %v, which may: %v, must: %v (%+v)",
						c.typ, op, constants, k, part.rows, values[:i], values[j:], may, must, part.list)
				}
				excluded, certain = excluded+b2i(!may), certain+b2i(must)
			}
		}
	}
	if excluded < 100 || certain < 100 {
		t.Errorf("rows were excluded %d times, and chosen %d times", excluded, certain)
	}
}
