package grid_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/h5arrow/h5arrow/h5/grid"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// naive lists the indices of all cells in order.
func naive(shape, block []int64) (out [][]int64) {
	each := func(lo, hi, step []int64, fn func(at []int64)) {
		at := make([]int64, len(lo))
		var rec func(d int)
		rec = func(d int) {
			if d == len(lo) {
				fn(slices.Clone(at))
				return
			}
			for at[d] = lo[d]; at[d] < hi[d]; at[d] += step[d] {
				rec(d + 1)
			}
		}
		rec(0)
	}
	ones := make([]int64, len(shape))
	for d := range ones {
		ones[d] = 1
	}
	each(make([]int64, len(shape)), shape, block, func(origin []int64) {
		end := make([]int64, len(shape))
		for d := range end {
			end[d] = min(shape[d], origin[d]+block[d])
		}
		each(origin, end, ones, func(at []int64) { out = append(out, at) })
	})
	return out
}

// shapes calls fn for random shapes and blocks.
func shapes(n int, fn func(r *rand.Rand, shape, block []int64)) {
	r := rand.New(rand.NewPCG(1, 2))
	for range n {
		rank := r.IntN(5)
		shape, block := make([]int64, rank), make([]int64, rank)
		for d := range shape {
			shape[d], block[d] = int64(r.IntN(6)), int64(1+r.IntN(6))
			if r.IntN(5) > 0 {
				shape[d]++
			}
		}
		fn(r, shape, block)
	}
}

func TestOrder(t *testing.T) {
	shapes(3000, func(r *rand.Rand, shape, block []int64) {
		name := fmt.Sprint(shape, " in ", block)
		want := naive(shape, block)
		o, err := grid.New(shape, block)
		if err != nil || o.Cells() != int64(len(want)) {
			t.Fatalf("%s: %d cells, %v; want %d", name, o.Cells(), err, len(want))
		}
		for row, at := range want {
			if got := o.Row(at); got != int64(row) {
				t.Fatalf("%s: cell %v is row %d, want %d", name, at, got, row)
			}
		}
		ones := slices.Repeat([]int64{1}, len(shape))
		if plain := naive(shape, ones); o.RowMajor() != slices.EqualFunc(want, plain, slices.Equal) {
			t.Fatalf("%s: row-major is %v", name, o.RowMajor())
		}
		a, b := int64(0), o.Cells()
		if r.IntN(3) > 0 {
			a = r.Int64N(o.Cells() + 1)
			b = a + r.Int64N(o.Cells()-a+1)
		}
		row := a
		err = o.Boxes(a, b, func(first int64, start, count []int64) error {
			for _, at := range naive(count, count) {
				for d := range at {
					at[d] += start[d]
				}
				if first != row && slices.Equal(at, start) || row >= b || !slices.Equal(want[row], at) {
					t.Fatalf("%s: rows %d to %d: row %d is %v in a box at row %d, %v of %v", name, a, b, row, at, first, start, count)
				}
				row++
				first++
			}
			return nil
		})
		if err != nil || row != b {
			t.Fatalf("%s: rows %d to %d: boxes end at row %d, %v", name, a, b, row, err)
		}
	})
}

// Chunks that are lines are runs of rows, and only chunks that are.
func TestLine(t *testing.T) {
	lines := 0
	shapes(3000, func(_ *rand.Rand, shape, chunk []int64) {
		o, err := grid.New(shape, nil)
		if err != nil {
			t.Fatal(err)
		}
		step, ok := o.Line(chunk)
		want := o.Cells() > 0
		size := int64(1)
		for _, n := range chunk {
			size *= n
		}
		number := func(at []int64) (chunkNumber, within int64) {
			for d, i := range at {
				chunkNumber = chunkNumber*((shape[d]-1)/chunk[d]+1) + i/chunk[d]
				within = within*chunk[d] + i%chunk[d]
			}
			return chunkNumber, within
		}
		for row, at := range naive(shape, slices.Repeat([]int64{1}, len(shape))) {
			n, within := number(at)
			want = want && n*size+within == int64(row)
		}
		if ok && (!want || step != size) {
			t.Fatalf("%v in chunks of %v: lines of %d cells", shape, chunk, step)
		}
		if ok {
			lines++
		}
	})
	if lines < 300 {
		t.Fatalf("%d of the shapes were lines", lines)
	}
}

func TestProjection(t *testing.T) {
	shapes(4000, func(r *rand.Rand, shape, block []int64) {
		o, err := grid.New(shape, block)
		if err != nil {
			t.Fatal(err)
		}
		var axes []int
		var sub []int64
		for d, n := range shape {
			if r.IntN(3) > 0 {
				axes, sub = append(axes, d), append(sub, max(0, n+int64(r.IntN(4))-2))
			}
		}
		name := fmt.Sprint(shape, " in ", block, ", ", axes, " of ", sub)
		p, err := o.Project(axes, sub)
		if err != nil {
			t.Fatal(name, err)
		}
		own := map[string]int64{}
		for row, at := range naive(p.Order().Shape(), subBlock(block, axes)) {
			own[fmt.Sprint(at)] = int64(row)
		}
		all := naive(shape, block)
		a := r.Int64N(o.Cells() + 1)
		b := a + r.Int64N(o.Cells()-a+1)
		at := make([]int32, b-a)
		asked := int64(0)
		var stored []int64 // the rows that were asked for
		err = p.Fill(a, b, at, func(_ int, lo, hi int64) (int32, error) {
			asked += hi - lo
			base := len(stored)
			for ; lo < hi; lo++ {
				stored = append(stored, lo)
			}
			return int32(base), nil
		})
		if err != nil || asked > b-a {
			t.Fatalf("%s: %d rows for %d: %v", name, asked, b-a, err)
		}
		for i, k := range at {
			index := make([]int64, len(axes))
			for j, d := range axes {
				index[j] = all[a+int64(i)][d]
			}
			want, ok := own[fmt.Sprint(index)]
			if !ok {
				want = -1
			}
			got := int64(-1)
			if k >= 0 {
				got = stored[k]
			}
			if got != want {
				t.Fatalf("%s: row %d (%v) has row %d of the other, want %d", name, a+int64(i), all[a+int64(i)], got, want)
			}
		}
	})
}

func subBlock(block []int64, axes []int) (out []int64) {
	for _, d := range axes {
		out = append(out, block[d])
	}
	return out
}

// Numbers come from files.
func TestHostileShapes(t *testing.T) {
	const huge = 1 << 40
	for _, shape := range [][]int64{{huge, huge}, {math.MaxInt64, 2}, {huge, huge, 0}, {1 << 62, 2, 1}} {
		if _, err := grid.New(shape, nil); !h5err.Is(err, h5err.Limit) {
			t.Errorf("%v: %v", shape, err)
		}
	}
	if _, err := grid.New([]int64{-1}, nil); !h5err.Is(err, h5err.Argument) {
		t.Error(err)
	}
	o, err := grid.New([]int64{huge, 1 << 20, 4}, []int64{7, 1000, 3})
	if err != nil {
		t.Fatal(err)
	}
	end := o.Cells()
	for _, r := range [][2]int64{{0, 100}, {end / 3, end/3 + 100}, {end - 100, end}} {
		row := r[0]
		err := o.Boxes(r[0], r[1], func(first int64, start, count []int64) error {
			n := int64(1)
			for _, c := range count {
				n *= c
			}
			if first != row || o.Row(start) != row {
				t.Errorf("a box at row %d of %v starts at %v, which is row %d", first, row, start, o.Row(start))
			}
			row += n
			return nil
		})
		if err != nil || row != r[1] {
			t.Errorf("rows %v: %d, %v", r, row, err)
		}
	}
}
