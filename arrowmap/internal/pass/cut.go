package pass

import (
	"math"
	"math/bits"
)

// Cut divides the rows [a,b) into n ranges or fewer, which end at multiples of step where step is above 0, else at
// multiples of 64. No rows are one range.
func Cut(a, b, n, step int64) [][2]int64 {
	if step <= 0 {
		step = 64
	}
	if n <= 1 || a >= b {
		return [][2]int64{{a, b}}
	}
	start := a - a%step // a range is a multiple of step from here
	size := max(CeilDiv(CeilDiv(b-start, n), step), 1) * step
	var ranges [][2]int64
	for a < b {
		end := b
		if b-start > size { // then start+size does not overflow
			end = start + size
		}
		ranges = append(ranges, [2]int64{a, end})
		a, start = end, end
	}
	return ranges
}

// CeilDiv is a/b, rounded up, for b above 0; 0 for a below it.
func CeilDiv(a, b int64) int64 {
	if a <= 0 {
		return 0
	}
	return (a-1)/b + 1
}

// Product is a*b of numbers that are not negative; ok is false when it overflows.
func Product(a, b int64) (n int64, ok bool) {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	return int64(lo), hi == 0 && lo <= math.MaxInt64
}
