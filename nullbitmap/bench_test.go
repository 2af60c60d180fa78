package nullbitmap

import (
	"encoding/binary"
	"math"
	"testing"
)

// Sizes: resident in memory and far larger than any cache, and a block as it leaves a decoder, still in cache.
const (
	benchLarge = 100_000_000
	benchSmall = 64_000
)

func benchMask(n int) []byte {
	mask := make([]byte, n)
	for i := range mask {
		if uint32(i)*2654435761>>28 == 0 { // one in sixteen
			mask[i] = 1
		}
	}
	return mask
}

// naiveMask is the loop that one writes first.
func naiveMask(dst, mask []byte) (nulls int) {
	for i, m := range mask {
		if m == 0 {
			dst[i/8] |= 1 << (i % 8)
		} else {
			dst[i/8] &^= 1 << (i % 8)
			nulls++
		}
	}
	return nulls
}

func naiveSentinel(dst []byte, values []byte, sentinel uint64) (nulls int) {
	for i := 0; i < len(values)/8; i++ {
		if binary.LittleEndian.Uint64(values[i*8:]) != sentinel {
			dst[i/8] |= 1 << (i % 8)
		} else {
			dst[i/8] &^= 1 << (i % 8)
			nulls++
		}
	}
	return nulls
}

func naiveExpand(dst, bitmap []byte) {
	for i := range dst {
		if bitmap[i/8]>>(i%8)&1 == 0 {
			dst[i] = 1
		} else {
			dst[i] = 0
		}
	}
}

func sizes(b *testing.B, f func(b *testing.B, n int)) {
	b.Run("memory", func(b *testing.B) { f(b, benchLarge) })
	b.Run("cache", func(b *testing.B) { f(b, benchSmall) })
}

func loop(b *testing.B, name string, n int, f func()) {
	b.Run(name, func(b *testing.B) {
		b.SetBytes(int64(n))
		for b.Loop() {
			f()
		}
	})
}

// BenchmarkMaskToBitmap: one byte a value in; the yardstick is reading it.
func BenchmarkMaskToBitmap(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		mask, dst := benchMask(n), make([]byte, n/8+8)
		loop(b, "read", n, func() { onlyRead(mask) })
		for _, k := range available() {
			loop(b, k.name, n, func() { k.apply(setIsNull, dst, 0, mask, Overwrite) })
		}
		k := active
		loop(b, "offset3", n, func() { k.apply(setIsNull, dst, 3, mask, Overwrite) })
		loop(b, "intersect", n, func() { k.apply(setIsNull, dst, 0, mask, Intersect) })
		loop(b, "naive", n, func() { naiveMask(dst, mask) })
	})
}

// BenchmarkBitmapToMask: one byte a value out; the yardstick is writing it.
func BenchmarkBitmapToMask(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		mask, bitmap := benchMask(n), make([]byte, n/8+8)
		FromMask(bitmap, 0, mask, SetIsNull, Overwrite)
		loop(b, "write", n, func() { onlyWrite(mask) })
		for _, k := range available() {
			loop(b, k.name, n, func() { k.toInts(mask, 1, 1, SetIsNull, bitmap, 0) })
		}
		k := active
		loop(b, "offset3", n, func() { k.toInts(mask, 1, 1, SetIsNull, bitmap, 3) })
		for w := 2; w <= 8; w *= 2 {
			loop(b, []string{2: "int16", 4: "int32", 8: "int64"}[w], n, func() { k.toInts(mask, w, 1, SetIsNull, bitmap, 0) })
		}
		loop(b, "naive", n, func() { naiveExpand(mask, bitmap) })
	})
}

// BenchmarkValuesToBitmap: values in; the yardstick is reading them.
func BenchmarkValuesToBitmap(b *testing.B) {
	sentinel := math.Float64bits(9.969209968386869e36)
	rules := []struct {
		name string
		rule Rule
	}{
		{"float64/sentinel", must(Equal(Stored(sentinel, 8, LittleEndian)))},
		{"float64/nan", must(NaN(8, LittleEndian))},
		{"float64/nanBigEndian", must(NaN(8, BigEndian))},
		{"float64/range", must(OutsideFloat(8, LittleEndian, -1, 1))},
		{"float64/threeSentinels", must(EqualFloat(8, LittleEndian, 0, 1, math.NaN()))},
		{"float32/sentinel", must(EqualFloat(4, LittleEndian, 0))},
		{"float32/nan", must(NaN(4, LittleEndian))},
		{"int16/sentinel", must(Equal([]byte{1, 2}))},
		{"int16/range", must(OutsideInt(2, BigEndian, -500, 500))},
		{"int8/minusOne", must(MinusOne(1))},
		{"uint8/range", must(OutsideUint(1, LittleEndian, 3, 200))},
		{"uint32/bit", must(AnyBit([]byte{0, 4, 0, 0}, SetIsValid))},
	}
	sizes(b, func(b *testing.B, n int) {
		values, dst := make([]byte, n), make([]byte, n/8+8)
		for i := 0; i < n; i += 8 * 16 {
			copy(values[i:], Stored(sentinel, 8, LittleEndian))
		}
		loop(b, "read", n, func() { onlyRead(values) })
		for _, r := range rules {
			for _, k := range available() {
				loop(b, r.name+"/"+k.name, n, func() { k.apply(r.rule, dst, 0, values, Overwrite) })
			}
			if r.name == "float64/sentinel" {
				loop(b, r.name+"/naive", n, func() { naiveSentinel(dst, values, sentinel) })
			}
		}
	})
}

// BenchmarkStrided: one byte of each 24.
func BenchmarkStrided(b *testing.B) {
	rows := make([]byte, 24_000_000)
	dst := make([]byte, 125_000)
	loop(b, "mask", len(rows), func() { FromMaskStrided(dst, 0, rows[17:], 24, 1_000_000, SetIsNull, Overwrite) })
	nan := must(NaN(8, LittleEndian))
	loop(b, "nan", len(rows), func() { nan.ApplyStrided(dst, 0, rows, 24, 1_000_000, Overwrite) })
}

// BenchmarkBits: bitmaps in and out, by bytes of bitmap.
func BenchmarkBits(b *testing.B) {
	sizes(b, func(b *testing.B, n int) {
		src, dst := benchMask(n), make([]byte, n+8)
		bits := n*8 - 64
		loop(b, "count", n, func() { CountNulls(src, 3, bits) })
		loop(b, "copy", n, func() { Copy(dst, 0, src, 0, bits) })
		loop(b, "copyShifted", n, func() { Copy(dst, 3, src, 5, bits) })
		loop(b, "reversed", n, func() { FromBits(dst, 3, src, 5, bits, MSBFirst, SetIsNull, Overwrite) })
		loop(b, "back", n, func() { ToBits(dst, 3, MSBFirst, SetIsNull, src, 5, bits) })
		loop(b, "and", n, func() { And(dst, 3, src, 5, bits) })
		loop(b, "rows3", n, func() { RowsAny(dst, 3, src, 5, bits/3, 3, Overwrite) })
		loop(b, "repeat3", n, func() { Repeat(dst, 3, src, 5, bits/3, 3, Overwrite) })
	})
}
