package nullbitmap

import (
	"math"
	"testing"
	"time"
)

// BenchmarkRatio reports speeds relative to a loop that only reads (or only writes) the same bytes, which are resident in
// memory. Contenders take turns, piece by piece, and the fastest round of each piece counts, so that the results are
// also meaningful on a busy machine.
//
//	go test -run '^$' -bench Ratio -benchtime 30x
func BenchmarkRatio(b *testing.B) {
	const n = benchLarge &^ 63
	mask, bitmap, scratch := benchMask(n), make([]byte, n/8+8), make([]byte, n)
	clear(scratch)
	sentinel := Stored(math.Float64bits(9.969209968386869e36), 8, LittleEndian)
	values := make([]byte, n)
	for i := 0; i < n; i += 8 * 16 {
		copy(values[i:], sentinel)
	}
	equal, nan, outside := must(Equal(sentinel)), must(NaN(8, BigEndian)), must(OutsideFloat(8, LittleEndian, -1, 1))
	netCDF := must(Any(equal, nan, outside))
	k, portable := active, portableKernels()

	apply := func(k *kernels, r Rule, off int, m Mode, src []byte) func(from, to int) {
		return func(from, to int) { k.apply(r, bitmap, from/r.width+off, src[from:to], m) }
	}
	expand := func(k *kernels, width, off int) func(from, to int) {
		return func(from, to int) { k.toInts(scratch[from:to], width, 1, SetIsNull, bitmap, from/width+off) }
	}
	for _, c := range []struct {
		name      string
		yardstick func(from, to int)
		others    []contender
	}{
		{"MaskToBitmap", func(from, to int) { onlyRead(mask[from:to]) }, []contender{
			{"kernel", apply(k, setIsNull, 0, Overwrite, mask)},
			{"offset", apply(k, setIsNull, 3, Overwrite, mask)},
			{"and", apply(k, setIsNull, 0, Intersect, mask)},
			{"eight", apply(portable, setIsNull, 0, Overwrite, mask)},
			{"naive", func(from, to int) { naiveMask(bitmap[from/8:], mask[from:to]) }},
		}},
		{"BitmapToMask", func(from, to int) { onlyWrite(scratch[from:to]) }, []contender{
			{"kernel", expand(k, 1, 0)},
			{"offset", expand(k, 1, 3)},
			{"int32", expand(k, 4, 0)},
			{"eight", expand(portable, 1, 0)},
			{"naive", func(from, to int) { naiveExpand(scratch[from:to], bitmap[from/8:]) }},
		}},
		{"Float64ToBitmap", func(from, to int) { onlyRead(values[from:to]) }, []contender{
			{"sentinel", apply(k, equal, 0, Overwrite, values)},
			{"nanBE", apply(k, nan, 0, Overwrite, values)},
			{"range", apply(k, outside, 0, Overwrite, values)},
			{"three", apply(k, netCDF, 0, Overwrite, values)},
			{"eight", apply(portable, equal, 0, Overwrite, values)},
			{"naive", func(from, to int) {
				naiveSentinel(bitmap[from/64:], values[from:to], math.Float64bits(9.969209968386869e36))
			}},
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			race(b, n, append([]contender{{"GB/s", c.yardstick}}, c.others...))
		})
	}
}

// contender is one way to do the same work.
type contender struct {
	name string
	f    func(from, to int) // bytes of mask or values
}

// race runs all contenders over n bytes, piece by piece, and reports their speeds as shares of the first's.
func race(b *testing.B, n int, all []contender) {
	const piece = 4 << 20
	best := make([][]time.Duration, len(all))
	for b.Loop() {
		for i, o := range all {
			for from := 0; from < n; from += piece {
				start := time.Now()
				o.f(from, min(from+piece, n))
				took := time.Since(start)
				if p := from / piece; p == len(best[i]) {
					best[i] = append(best[i], took)
				} else {
					best[i][p] = min(best[i][p], took)
				}
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	var yardstick float64
	for i, o := range all {
		var seconds float64
		for _, d := range best[i] {
			seconds += d.Seconds()
		}
		if i == 0 {
			yardstick = seconds
			b.ReportMetric(float64(n)/seconds/1e9, "GB/s")
		} else {
			b.ReportMetric(yardstick/seconds, o.name)
		}
	}
}
