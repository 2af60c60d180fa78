package pass

import (
	"math"
	"testing"
)

// Ranges of rows follow one another, end at multiples of the step and are no more than asked for, also where numbers are
// close to the largest one.
func TestCut(t *testing.T) {
	const maxRow = math.MaxInt64
	for _, rows := range [][2]int64{{0, 0}, {5, 5}, {0, 1}, {0, 64}, {63, 65}, {0, 1000}, {37, 100_003}, {4096, 8192}, {100, 20100}, {1 << 40, 1<<40 + 3}, {0, 1<<62 - 1}, {0, maxRow}, {1, maxRow}, {maxRow - 1, maxRow}, {maxRow, maxRow}} {
		for _, n := range []int64{0, 1, 2, 3, 7, 64, 1000} {
			for _, step := range []int64{0, 1, 7, 10, 64, 100, 4096, 8192, 1 << 40} {
				ranges, unit := Cut(rows[0], rows[1], n, step), step
				if unit == 0 {
					unit = 64
				}
				at := rows[0]
				for i, r := range ranges {
					last := i == len(ranges)-1
					if r[0] != at || r[1] < r[0] || r[1] == r[0] && len(ranges) > 1 || !last && r[1]%unit != 0 {
						t.Fatalf("rows %v in %d by %d: %v", rows, n, step, ranges)
					}
					at = r[1]
				}
				if at != rows[1] || len(ranges) == 0 || int64(len(ranges)) > max(n, 1) {
					t.Errorf("rows %v in %d by %d: %v", rows, n, step, ranges)
				}
			}
		}
	}
	if n, ok := Product(1<<32, 1<<31); ok {
		t.Errorf("product %d", n)
	}
}
