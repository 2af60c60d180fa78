package nullbitmap

import (
	"math"
	"testing"
	"time"
)

// BenchmarkRatio reports speeds as shares of the speed of a loop that only reads (or only writes) the same bytes, with
// the fastest of all rounds taken of each, the rounds being interleaved. So the figures hold on a busy machine too.
//
//	go test -run '^$' -bench Ratio -benchtime 30x
func BenchmarkRatio(b *testing.B) {
	n := benchLarge
	mask, bitmap := benchMask(n), make([]byte, n/8+8)
	sentinel := Stored(math.Float64bits(9.969209968386869e36), 8, LittleEndian)
	values := make([]byte, n)
	for i := 0; i < n; i += 8 * 16 {
		copy(values[i:], sentinel)
	}
	equal, nan, outside := must(Equal(sentinel)), must(NaN(8, BigEndian)), must(OutsideFloat(8, LittleEndian, -1, 1))
	netCDF := must(Any(equal, nan, outside))
	k, portable := active, portableKernels()
	scratch := make([]byte, n)
	clear(scratch)

	type contender struct {
		name string
		f    func()
	}
	for _, c := range []struct {
		name      string
		yardstick func()
		others    []contender
	}{
		{"MaskToBitmap", func() { onlyRead(mask) }, []contender{
			{"kernel", func() { k.apply(setIsNull, bitmap, 0, mask, Overwrite) }},
			{"offset", func() { k.apply(setIsNull, bitmap, 3, mask, Overwrite) }},
			{"and", func() { k.apply(setIsNull, bitmap, 0, mask, Intersect) }},
			{"eight", func() { portable.apply(setIsNull, bitmap, 0, mask, Overwrite) }},
			{"naive", func() { naiveMask(bitmap, mask) }},
		}},
		{"BitmapToMask", func() { onlyWrite(scratch) }, []contender{
			{"kernel", func() { k.toInts(scratch, 1, 1, SetIsNull, bitmap, 0) }},
			{"offset", func() { k.toInts(scratch, 1, 1, SetIsNull, bitmap, 3) }},
			{"int32", func() { k.toInts(scratch, 4, 1, SetIsNull, bitmap, 0) }},
			{"eight", func() { portable.toInts(scratch, 1, 1, SetIsNull, bitmap, 0) }},
			{"naive", func() { naiveExpand(scratch, bitmap) }},
		}},
		{"Float64", func() { onlyRead(values) }, []contender{
			{"sentinel", func() { k.apply(equal, bitmap, 0, values, Overwrite) }},
			{"nanBE", func() { k.apply(nan, bitmap, 0, values, Overwrite) }},
			{"range", func() { k.apply(outside, bitmap, 0, values, Overwrite) }},
			{"three", func() { k.apply(netCDF, bitmap, 0, values, Overwrite) }},
			{"eight", func() { portable.apply(equal, bitmap, 0, values, Overwrite) }},
			{"naive", func() { naiveSentinel(bitmap, values, math.Float64bits(9.969209968386869e36)) }},
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			best := make([]time.Duration, len(c.others)+1)
			for i := range best {
				best[i] = math.MaxInt64
			}
			for b.Loop() {
				for i := range best {
					f := c.yardstick
					if i > 0 {
						f = c.others[i-1].f
					}
					start := time.Now()
					f()
					best[i] = min(best[i], time.Since(start))
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(n)/best[0].Seconds()/1e9, "GB/s")
			for i, o := range c.others {
				b.ReportMetric(best[0].Seconds()/best[i+1].Seconds(), o.name)
			}
		})
	}
}
