package possible_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/internal/pass"
	"github.com/h5arrow/h5arrow/arrowmap/internal/possible"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/h5/grid"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// reading returns a function that reads values, of which 0 is null, and the number of zones that it has read.
func reading(t *testing.T, values []int32) (read func(a, b int64) (*predicate.Order, error), zones *int) {
	zones = new(int)
	return func(a, b int64) (*predicate.Order, error) {
		*zones++
		valid := make([]bool, b-a)
		for i := range valid {
			valid[i] = values[a+int64(i)] != 0
		}
		builder := array.NewInt32Builder(memory.DefaultAllocator)
		defer builder.Release()
		builder.AppendValues(values[a:b], valid)
		arr := builder.NewArray()
		defer arr.Release()
		o, err := predicate.NewOrder(arrow.PrimitiveTypes.Int32)
		if err != nil {
			t.Fatal(err)
		}
		return o, o.Add(arr, a)
	}, zones
}

// conditions returns tests of one column, and the function that they are.
func conditions(t *testing.T, r *rand.Rand, high int64) (tests []*predicate.Test, holds func(v int32) bool) {
	all := []func(v int32) bool{}
	for range 1 + r.IntN(2) {
		op := predicate.Equal + predicate.Op(r.IntN(int(predicate.IsNotNull)))
		c := r.Int64N(high + 2)
		var constants []predicate.Value
		if op < predicate.IsNull {
			constants = append(constants, predicate.Int(c))
		}
		if op == predicate.In {
			constants = append(constants, predicate.Int(c/2), predicate.Int(high))
		}
		test, err := predicate.New(arrow.PrimitiveTypes.Int32, op, constants...)
		if err != nil {
			t.Fatal(err)
		}
		tests = append(tests, test)
		all = append(all, func(v int32) bool {
			x := int64(v)
			switch {
			case op == predicate.IsNull:
				return v == 0
			case v == 0:
				return false
			}
			return map[predicate.Op]bool{predicate.Equal: x == c, predicate.NotEqual: x != c, predicate.Less: x < c, predicate.LessOrEqual: x <= c, predicate.Greater: x > c,
				predicate.GreaterOrEqual: x >= c, predicate.In: x == c || x == c/2 || x == high, predicate.IsNotNull: true}[op]
		})
	}
	return tests, func(v int32) bool { return !slices.ContainsFunc(all, func(f func(int32) bool) bool { return !f(v) }) }
}

// has fails the test if a row for which holds is true is not in ranges, or ranges are out of order; it returns how many rows are in none.
func has(t *testing.T, ranges []pass.Range, n int64, holds func(row int64) bool) (left int64) {
	t.Helper()
	if _, err := pass.Checked(ranges, n); err != nil {
		t.Fatal(err)
	}
	for row := range n {
		for len(ranges) > 0 && ranges[0].To <= row {
			ranges = ranges[1:]
		}
		if len(ranges) > 0 && ranges[0].From <= row {
			continue
		}
		if left++; holds(row) {
			t.Fatalf("row %d is left out", row)
		}
	}
	return left
}

// No row is lost, and few zones are read.
func TestSorted(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	left := int64(0)
	for range 2000 {
		values := make([]int32, 1+r.IntN(3000))
		high := []int64{1, 3, 20, 1000}[r.IntN(4)]
		for i := range values {
			values[i] = 1 + int32(r.Int64N(high))
		}
		slices.Sort(values)
		if r.IntN(2) == 0 {
			slices.Reverse(values)
		}
		if r.IntN(2) == 0 {
			clear(values[:r.IntN(len(values)+1)])
		}
		if r.IntN(2) == 0 {
			clear(values[r.IntN(len(values)+1):])
		}
		tests, holds := conditions(t, r, high)
		read, zones := reading(t, values)
		from := r.Int64N(int64(len(values)) + 1)
		n := r.Int64N(int64(len(values)) - from + 1)
		ranges, err := possible.Sorted(from, n, 1+r.Int64N(100), tests, read)
		if err != nil {
			t.Fatal(err)
		}
		left += has(t, ranges, n, func(row int64) bool { return holds(values[from+row]) })
		if *zones > 48+len(values)/32 {
			t.Errorf("%d zones of %d values were read", *zones, len(values))
		}
	}
	if left < 100_000 {
		t.Errorf("only %d rows are left out", left)
	}
}

// A value among a million zones is found by reading some dozens.
func TestSortedReadsFew(t *testing.T) {
	values := make([]int32, 1<<20)
	for i := range values {
		values[i] = int32(i + 1)
	}
	for _, c := range []struct {
		op   predicate.Op
		rows int64
	}{{predicate.Equal, 1}, {predicate.Less, 776}, {predicate.GreaterOrEqual, 1<<20 - 776}, {predicate.NotEqual, 1<<20 - 1}} {
		test, err := predicate.New(arrow.PrimitiveTypes.Int32, c.op, predicate.Int(777))
		if err != nil {
			t.Fatal(err)
		}
		read, zones := reading(t, values)
		ranges, err := possible.Sorted(0, int64(len(values)), 1, []*predicate.Test{test}, read)
		if err != nil {
			t.Fatal(err)
		}
		rows := int64(0)
		for _, r := range ranges {
			rows += r.To - r.From
		}
		if rows != c.rows || *zones > 2*21 {
			t.Errorf("%v: %d rows, want %d; %d zones were read", c.op, rows, c.rows, *zones)
		}
	}
}

// A zone that is not in order with others is an error.
func TestSortedMustBe(t *testing.T) {
	values := make([]int32, 100)
	for i := range values {
		values[i] = int32(i + 2)
	}
	values[49] = 1 // the zone in the middle
	test, err := predicate.New(arrow.PrimitiveTypes.Int32, predicate.Equal, predicate.Int(60))
	if err != nil {
		t.Fatal(err)
	}
	read, _ := reading(t, values)
	if _, err := possible.Sorted(0, 100, 1, []*predicate.Test{test}, read); !h5err.Is(err, h5err.Argument) {
		t.Errorf("got %v", err)
	}
}

// Cells with other coordinates are left out, and no others.
func TestCells(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	left := int64(0)
	for range 60 {
		shape, block := make([]int64, 1+r.IntN(3)), []int64(nil)
		for d := range shape {
			shape[d] = 1 + r.Int64N([]int64{1 << 18, 600, 60}[len(shape)-1])
		}
		if r.IntN(2) == 0 {
			block = make([]int64, len(shape))
			for d := range block {
				block[d] = 1 + r.Int64N(shape[d])
			}
		}
		o, err := grid.New(shape, block)
		if err != nil {
			t.Fatal(err)
		}
		axis := r.IntN(len(shape))
		marks := make([]uint8, shape[axis])
		for range r.IntN(4) {
			marks[r.Int64N(shape[axis])] = 1
		}
		from := r.Int64N(o.Cells() + 1)
		n := r.Int64N(o.Cells() - from + 1)
		if r.IntN(2) == 0 {
			from, n = 0, o.Cells()
		}
		index := make([]int64, n)
		if err := o.Boxes(from, from+n, func(row int64, start, count []int64) error {
			inner, cells := int64(1), int64(1)
			for d, k := range count {
				if cells *= k; d > axis {
					inner *= k
				}
			}
			for i := range cells {
				index[row-from+i] = start[axis] + i/inner%count[axis]
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		left += has(t, possible.Cells(o, axis, marks, from, n), n, func(row int64) bool { return marks[index[row]] == 1 })
	}
	if left < 100_000 {
		t.Errorf("only %d rows are left out", left)
	}
}
