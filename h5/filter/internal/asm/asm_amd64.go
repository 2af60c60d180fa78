//go:build amd64 && !purego

package asm

import "golang.org/x/sys/cpu"

var hasAVX2 = cpu.X86.HasAVX2

// unshuffleFast writes elements from the first on, and returns their number.
func unshuffleFast(dst, src []byte, width, n int) int {
	done := n &^ 31
	if !hasAVX2 || done == 0 {
		return 0
	}
	switch width {
	case 2:
		unshuffle2AVX2(&dst[0], &src[0], done, n)
		return done
	case 4:
		unshuffle4AVX2(&dst[0], &src[0], done, n)
		return done
	case 8:
		unshuffle8AVX2(&dst[0], &src[0], done, n)
		return done
	case 3:
		return 0
	}
	_ = dst[n*width-1]
	_ = src[n*width-1]
	// Columns of 8 or 4 bytes; the last one overlaps the one before it. A few elements at a time, so that all
	// their columns are written in the cache.
	step := max(tile/width&^31, 32)
	for lo := 0; lo < done; lo += step {
		count := min(step, done-lo)
		if width < 8 {
			unshuffle4StridedAVX2(&dst[lo*width], &src[lo], count, n, width)
			unshuffle4StridedAVX2(&dst[lo*width+width-4], &src[(width-4)*n+lo], count, n, width)
			continue
		}
		for j := 0; j < width; j += 8 {
			j := min(j, width-8)
			unshuffle8StridedAVX2(&dst[lo*width+j], &src[j*n+lo], count, n, width)
		}
	}
	return done
}

// bitPlaneFast writes bytes of a plane from the first on, and returns their number.
func bitPlaneFast(dst, rows []byte) int {
	m := len(dst) / 8
	done := m &^ 31
	if !hasAVX2 || done == 0 {
		return 0
	}
	_ = rows[8*m-1]
	bitPlaneAVX2(&dst[0], &rows[0], done, m)
	return 8 * done
}

// adlerSums adds up the bytes of b, and each times how many are left, itself included.
func adlerSums(b []byte) (sum, weighted uint64) {
	n := len(b) &^ 31
	if hasAVX2 && n > 0 {
		sum, weighted = adlerAVX2(&b[0], n)
		b = b[n:]
	}
	return adlerMore(b, sum, weighted)
}

// fletcherSums adds up the big-endian 16-bit words of b, and each times how many are left, itself included.
func fletcherSums(b []byte) (sum, weighted uint64) {
	n := len(b) &^ 31
	if hasAVX2 && n > 0 {
		high, low, weightedHigh, weightedLow := fletcherAVX2(&b[0], n)
		sum, weighted = high<<8+low, weightedHigh<<8+weightedLow
		b = b[n:]
	}
	return fletcherMore(b, sum, weighted)
}
