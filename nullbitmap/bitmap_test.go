package nullbitmap

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// spots calls f for every offset below 64 and every length up to 130, or for some of them where tests are short, and for some
// longer ranges.
func spots(rng *rand.Rand, f func(off, n int)) {
	for off := 0; off < 64; off++ {
		for n := 0; n <= 130; n++ {
			if !testing.Short() || rng.IntN(8) == 0 {
				f(off, n)
			}
		}
		f(off, 1000+rng.IntN(5000))
	}
}

func TestFromMaskEveryOffsetAndLength(t *testing.T) {
	for _, k := range available() {
		t.Run(k.name, func(t *testing.T) {
			rng := newRand(t)
			for p := SetIsNull; p <= SetIsValid; p++ {
				c := ruleCase{name: p.String(), rule: byteMask(p), elements: [][]byte{{0}, {0}, {1}, {255}, {128}},
					null: func(e []byte) bool { return (e[0] != 0) == (p == SetIsNull) }}
				for m := Overwrite; m <= Intersect; m++ {
					spots(rng, func(off, n int) { checkApply(t, k, rng, &c, off, n, m, c.values(rng, n)) })
				}
			}
		})
	}
}

func TestFromMaskStrided(t *testing.T) {
	mask := []byte{1, 9, 9, 0, 9, 9, 2, 9, 9, 0}
	dst := []byte{0xff, 0xff}
	if n := FromMaskStrided(dst, 6, mask, 3, 4, SetIsNull, Overwrite); n != 2 || dst[0] != 0xbf || dst[1] != 0xfe {
		t.Fatalf("%d nulls, %x", n, dst)
	}
	if n := FromMaskStrided(dst, 6, mask, 3, 4, SetIsValid, Intersect); n != 4 || dst[0] != 0x3f || dst[1] != 0xfc {
		t.Fatalf("%d nulls, %x", n, dst)
	}
}

func TestPackBools(t *testing.T) {
	rng := newRand(t)
	spots(rng, func(off, n int) {
		bools := randomBytes(rng, n)
		for i := range bools {
			bools[i] *= bools[i] & 1
		}
		start := randomBytes(rng, (off+n+7)/8)
		want, trues := bytes.Clone(start), 0
		for i, b := range bools {
			setBit(want, off+i, b != 0)
			if b != 0 {
				trues++
			}
		}
		dst, intact := guarded(rng, start)
		if got := PackBools(dst, off, bools); got != trues || !bytes.Equal(dst, want) || !intact() {
			t.Fatalf("offset %d, length %d: %d true, want %d; %x, want %x", off, n, got, trues, dst, want)
		}
		back := make([]byte, n)
		UnpackBools(back, dst, off)
		for i := range back {
			if back[i] != min(bools[i], 1) {
				t.Fatalf("offset %d, length %d: byte %d is %d from %d", off, n, i, back[i], bools[i])
			}
		}
	})
}

func TestToIntsEveryOffsetAndLength(t *testing.T) {
	for _, k := range available() {
		t.Run(k.name, func(t *testing.T) {
			rng := newRand(t)
			for w := 1; w <= 8; w++ {
				for p := SetIsNull; p <= SetIsValid; p++ {
					order := LittleEndian + ByteOrder(rng.IntN(2))
					one := bigEndian(Stored(1, w, order), LittleEndian)
					spots(rng, func(off, n int) {
						if w > 1 && n%7 != off%7 {
							return
						}
						bitmap, srcIntact := guarded(rng, randomBytes(rng, (off+n+7)/8))
						before := bytes.Clone(bitmap)
						dst, dstIntact := guarded(rng, randomBytes(rng, n*w))
						k.toInts(dst, w, one, p, bitmap, off)
						for i := 0; i < n; i++ {
							want := uint64(0)
							if bitAt(bitmap, off+i) == (p == SetIsValid) {
								want = 1
							}
							if got := bigEndian(dst[i*w:(i+1)*w], order); got != want {
								t.Fatalf("width %d, %v, %v, offset %d, length %d: element %d is %d", w, p, order, off, n, i, got)
							}
						}
						if !srcIntact() || !dstIntact() || !bytes.Equal(before, bitmap) {
							t.Fatalf("width %d, offset %d, length %d: wrote elsewhere", w, off, n)
						}
						// The inverse of the inverse.
						back := make([]byte, (off+n+7)/8)
						k.apply(must(Nonzero(w, p)), back, off, dst, Overwrite)
						for i := 0; i < n; i++ {
							if bitAt(back, off+i) != bitAt(bitmap, off+i) {
								t.Fatalf("width %d, offset %d, length %d: bit %d did not come back", w, off, n, i)
							}
						}
					})
				}
			}
		})
	}
}

func TestToIntsAndToMaskExported(t *testing.T) {
	bitmap := []byte{0b10100}
	mask, ints, big := make([]byte, 3), make([]byte, 6), make([]byte, 12)
	ToMask(mask, SetIsNull, bitmap, 2)
	ToInts(ints, 2, LittleEndian, SetIsValid, bitmap, 2)
	ToInts(big, 4, BigEndian, SetIsValid, bitmap, 2)
	if string(mask) != "\x00\x01\x00" || string(ints) != "\x01\x00\x00\x00\x01\x00" || string(big) != "\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01" {
		t.Fatalf("%x %x %x", mask, ints, big)
	}
}

func TestBitsEveryOffsetAndLength(t *testing.T) {
	rng := newRand(t)
	for order := LSBFirst; order <= MSBFirst; order++ {
		get, set := bitAt, setBit
		if order == MSBFirst {
			get, set = msbAt, setMSB
		}
		for p := SetIsNull; p <= SetIsValid; p++ {
			for m := Overwrite; m <= Intersect; m++ {
				spots(rng, func(off, n int) {
					srcOff := rng.IntN(64)
					src, srcIntact := guarded(rng, randomBytes(rng, (srcOff+n+7)/8))
					start := randomBytes(rng, (off+n+7)/8+rng.IntN(2))
					want := bytes.Clone(start)
					nulls := naiveApply(want, off, n, m, func(i int) bool { return get(src, srcOff+i) == (p == SetIsNull) })
					dst, dstIntact := guarded(rng, start)
					before := bytes.Clone(src)
					if got := FromBits(dst, off, src, srcOff, n, order, p, m); got != nulls || !bytes.Equal(dst, want) {
						t.Fatalf("%v, %v, %v, from %d to %d, length %d: %d nulls, want %d\n got %x\nwant %x", order, p, m, srcOff, off, n, got, nulls, dst, want)
					}
					if !srcIntact() || !dstIntact() || !bytes.Equal(src, before) {
						t.Fatalf("from %d to %d, length %d: wrote elsewhere", srcOff, off, n)
					}
					if m == Intersect {
						return
					}
					// And back, to where it came from: nothing changes; to noise: just those bits.
					ToBits(src, srcOff, order, p, dst, off, n)
					if !bytes.Equal(src, before) || !srcIntact() {
						t.Fatalf("%v, %v, from %d to %d, length %d: bits did not come back", order, p, off, srcOff, n)
					}
					noise := randomBytes(rng, len(src))
					wantBack := bytes.Clone(noise)
					for i := 0; i < n; i++ {
						set(wantBack, srcOff+i, get(before, srcOff+i))
					}
					ToBits(noise, srcOff, order, p, dst, off, n)
					if !bytes.Equal(noise, wantBack) {
						t.Fatalf("%v, %v, from %d to %d, length %d: touched other bits", order, p, off, srcOff, n)
					}
				})
			}
		}
	}
}

func TestCopyAndCountFill(t *testing.T) {
	rng := newRand(t)
	spots(rng, func(off, n int) {
		srcOff := rng.IntN(64)
		src := randomBytes(rng, (srcOff+n+7)/8)
		start := randomBytes(rng, (off+n+7)/8+1)
		zeros := 0
		copied, anded, filled, emptied := bytes.Clone(start), bytes.Clone(start), bytes.Clone(start), bytes.Clone(start)
		for i := 0; i < n; i++ {
			v := bitAt(src, srcOff+i)
			setBit(copied, off+i, v)
			setBit(anded, off+i, v && bitAt(start, off+i))
			setBit(filled, off+i, true)
			setBit(emptied, off+i, false)
			if !v {
				zeros++
			}
		}
		if got := CountNulls(src, srcOff, n); got != zeros {
			t.Fatalf("offset %d, length %d: %d nulls, want %d", srcOff, n, got, zeros)
		}
		check := func(what string, want []byte, nulls int, run func(dst []byte) int) {
			dst, intact := guarded(rng, start)
			if got := run(dst); got != nulls || !bytes.Equal(dst, want) || !intact() {
				t.Fatalf("%s, from %d to %d, length %d: %d nulls, want %d\n got %x\nwant %x", what, srcOff, off, n, got, nulls, dst, want)
			}
		}
		check("copy", copied, zeros, func(dst []byte) int { return Copy(dst, off, src, srcOff, n) })
		check("and", anded, CountNulls(anded, off, n), func(dst []byte) int { return And(dst, off, src, srcOff, n) })
		check("fill", filled, 0, func(dst []byte) int { return Fill(dst, off, n, true) })
		check("empty", emptied, n, func(dst []byte) int { return Fill(dst, off, n, false) })
	})
}

func TestClearTrailing(t *testing.T) {
	for n := 0; n <= 40; n++ {
		b := bytes.Repeat([]byte{0xff}, 5)
		ClearTrailing(b, n)
		for i := 0; i < 40; i++ {
			if bitAt(b, i) != (i < n) {
				t.Fatalf("length %d: bit %d of %x", n, i, b)
			}
		}
	}
}

func TestWriteSentinel(t *testing.T) {
	for _, k := range available() {
		t.Run(k.name, func(t *testing.T) { testWriteSentinel(t, k) })
	}
}

func testWriteSentinel(t *testing.T, k *kernels) {
	rng := newRand(t)
	for _, w := range []int{1, 2, 3, 4, 8, 16} {
		sentinel := bytes.Repeat([]byte{0xff}, w)
		sentinel[0] = 0x7e
		rule := must(Equal(sentinel))
		spots(rng, func(off, n int) {
			if n%5 != off%5 && n < 1000 {
				return
			}
			bitmap := randomBytes(rng, (off+n+7)/8)
			if c := rng.IntN(4); c < 2 {
				Fill(bitmap, 0, len(bitmap)*8, c == 1)
			}
			before := bytes.Clone(bitmap)
			values := make([]byte, n*w) // none equals the sentinel
			for i := range values {
				values[i] = byte(rng.IntN(100))
			}
			want, nulls := bytes.Clone(values), 0
			for i := 0; i < n; i++ {
				if !bitAt(bitmap, off+i) {
					copy(want[i*w:], sentinel)
					nulls++
				}
			}
			dst, intact := guarded(rng, values)
			if got := k.writeSentinel(dst, sentinel, bitmap, off); got != nulls || !bytes.Equal(dst, want) || !intact() || !bytes.Equal(bitmap, before) {
				t.Fatalf("width %d, offset %d, length %d: %d nulls, want %d", w, off, n, got, nulls)
			}
			back := bytes.Clone(bitmap)
			if got := k.apply(rule, back, off, dst, Overwrite); got != nulls || !bytes.Equal(back, bitmap) {
				t.Fatalf("width %d, offset %d, length %d: bitmap did not come back", w, off, n)
			}

			stride := w + 3
			spaced := randomBytes(rng, n*stride)
			wantSpaced := bytes.Clone(spaced)
			for i := 0; i < n; i++ {
				if !bitAt(bitmap, off+i) {
					copy(wantSpaced[i*stride:], sentinel)
				}
			}
			if got := WriteSentinelStrided(spaced, stride, n, sentinel, bitmap, off); got != nulls || !bytes.Equal(spaced, wantSpaced) {
				t.Fatalf("width %d, stride %d, offset %d, length %d", w, stride, off, n)
			}
		})
	}
}

func TestWriteBits(t *testing.T) {
	for _, k := range available() {
		t.Run(k.name, func(t *testing.T) { testWriteBits(t, k) })
	}
}

func testWriteBits(t *testing.T, k *kernels) {
	rng := newRand(t)
	for _, w := range []int{1, 2, 3, 4, 8, 9} {
		mask := make([]byte, w)
		mask[w-1] = 0x24
		for p := SetIsNull; p <= SetIsValid; p++ {
			spots(rng, func(off, n int) {
				if n%5 != off%5 && n < 1000 {
					return
				}
				bitmap := randomBytes(rng, (off+n+7)/8)
				values := randomBytes(rng, n*w)
				dst, intact := guarded(rng, values)
				k.writeBits(dst, mask, p, bitmap, off)
				for i := range values {
					want := values[i]
					if i%w == w-1 {
						want &^= 0x24
						if bitAt(bitmap, off+i/w) == (p == SetIsValid) {
							want |= 0x24
						}
					}
					if dst[i] != want {
						t.Fatalf("width %d, %v, offset %d, length %d: byte %d is %02x, want %02x", w, p, off, n, i, dst[i], want)
					}
				}
				back := bytes.Clone(bitmap)
				if w <= 8 {
					k.apply(must(AnyBit(mask, p)), back, off, dst, Overwrite)
				}
				if !bytes.Equal(back, bitmap) || !intact() {
					t.Fatalf("width %d, %v, offset %d, length %d: bitmap did not come back", w, p, off, n)
				}
			})
		}
	}
}

func TestRowsAndRepeat(t *testing.T) {
	rng := newRand(t)
	for _, k := range []int{0, 1, 2, 3, 5, 7, 8, 9, 16, 31, 63, 64, 65, 130} {
		for _, rows := range []int{0, 1, 2, 7, 8, 9, 64, 65, 131} {
			for off := 0; off < 64; off++ {
				m := Overwrite + Mode(rng.IntN(2))
				itemOff := rng.IntN(64)
				items := randomBytes(rng, (itemOff+rows*k+7)/8)
				for r := 0; r < rows; r++ { // a third of the rows each: mixed, all null, all valid
					if c := rng.IntN(3); c > 0 {
						Fill(items, itemOff+r*k, k, c == 1)
					}
				}
				count := func(r int) (nulls int) {
					for i := 0; i < k; i++ {
						if !bitAt(items, itemOff+r*k+i) {
							nulls++
						}
					}
					return nulls
				}
				start := randomBytes(rng, (off+rows+7)/8+1)
				for _, c := range []struct {
					name string
					null func(r int) bool
					run  func(dst []byte) int
				}{
					{"any", func(r int) bool { return count(r) > 0 }, func(dst []byte) int { return RowsAny(dst, off, items, itemOff, rows, k, m) }},
					{"all", func(r int) bool { return k > 0 && count(r) == k }, func(dst []byte) int { return RowsAll(dst, off, items, itemOff, rows, k, m) }},
				} {
					want := bytes.Clone(start)
					nulls := naiveApply(want, off, rows, m, c.null)
					dst, intact := guarded(rng, start)
					if got := c.run(dst); got != nulls || !bytes.Equal(dst, want) || !intact() {
						t.Fatalf("%s: %d rows of %d, from %d to %d, %v: %d nulls, want %d\n got %x\nwant %x", c.name, rows, k, itemOff, off, m, got, nulls, dst, want)
					}
				}

				bits := randomBytes(rng, (itemOff+rows+7)/8)
				start = randomBytes(rng, (off+rows*k+7)/8+1)
				want := bytes.Clone(start)
				nulls := naiveApply(want, off, rows*k, m, func(i int) bool { return !bitAt(bits, itemOff+i/k) })
				dst, intact := guarded(rng, start)
				if got := Repeat(dst, off, bits, itemOff, rows, k, m); got != nulls || !bytes.Equal(dst, want) || !intact() {
					t.Fatalf("repeat: %d bits %d times, from %d to %d, %v: %d nulls, want %d", rows, k, itemOff, off, m, got, nulls)
				}
			}
		}
	}
}

// TestMisuse: what can't be valid panics before a byte is written, however large the numbers.
func TestMisuse(t *testing.T) {
	const huge = int(^uint(0) >> 1)
	eq := must(Equal([]byte{1, 2}))
	b := make([]byte, 8)
	for name, f := range map[string]func(){
		"dst short":         func() { FromMask(b, 1, make([]byte, 64), SetIsNull, Overwrite) },
		"dst negative":      func() { FromMask(b, -1, b, SetIsNull, Overwrite) },
		"dst far":           func() { FromMask(b, huge, b, SetIsNull, Overwrite) },
		"polarity":          func() { FromMask(b, 0, b, 0, Overwrite) },
		"mode":              func() { FromMask(b, 0, b, SetIsNull, 0) },
		"odd values":        func() { eq.Apply(b, 0, b[:3], Overwrite) },
		"zero rule":         func() { Rule{}.Apply(b, 0, b, Overwrite) },
		"zero rule strided": func() { Rule{}.ApplyStrided(b, 0, b, 1, 1, Overwrite) },
		"stride small":      func() { eq.ApplyStrided(b, 0, b, 1, 2, Overwrite) },
		"stride huge":       func() { eq.ApplyStrided(b, 0, b, huge, 3, Overwrite) },
		"strided count":     func() { eq.ApplyStrided(b, 0, b, 2, 5, Overwrite) },
		"strided negative":  func() { eq.ApplyStrided(b, 0, b, 2, -1, Overwrite) },
		"strided mode":      func() { eq.ApplyStrided(b, 0, b, 2, 0, 0) },
		"element":           func() { eq.IsNull(b) },
		"src short":         func() { FromBits(b, 0, b[:1], 1, 8, LSBFirst, SetIsNull, Overwrite) },
		"bits negative":     func() { FromBits(b, 0, b, 0, -1, LSBFirst, SetIsNull, Overwrite) },
		"bits huge":         func() { Copy(b, 8, b, 8, huge) },
		"bits order":        func() { FromBits(b, 0, b, 0, 8, 0, SetIsNull, Overwrite) },
		"bits polarity":     func() { ToBits(b, 0, LSBFirst, 3, b, 0, 8) },
		"mask short":        func() { ToMask(make([]byte, 65), SetIsNull, b, 0) },
		"ints width":        func() { ToInts(b, 9, LittleEndian, SetIsNull, b, 0) },
		"ints order":        func() { ToInts(b, 4, 0, SetIsNull, b, 0) },
		"ints odd":          func() { ToInts(b, 3, LittleEndian, SetIsNull, b, 0) },
		"sentinel empty":    func() { WriteSentinel(b, nil, b, 0) },
		"sentinel odd":      func() { WriteSentinel(b, []byte{1, 2, 3}, b, 0) },
		"sentinel stride":   func() { WriteSentinelStrided(b, 1, 2, []byte{1, 2}, b, 0) },
		"sentinel bitmap":   func() { WriteSentinel(b, []byte{1}, b, 60) },
		"write bits":        func() { WriteBits(b, []byte{1}, SetIsNull, b, 60) },
		"count":             func() { CountNulls(b, 60, 5) },
		"fill":              func() { Fill(b, 65, 0, true) },
		"clear":             func() { ClearTrailing(b, 65) },
		"rows":              func() { RowsAny(b, 0, b, 0, 9, 8, Overwrite) },
		"rows huge":         func() { RowsAny(b, 0, b, 0, huge, huge, Overwrite) },
		"rows negative":     func() { RowsAll(b, 0, b, 0, -1, -1, Overwrite) },
		"repeat":            func() { Repeat(b, 0, b, 0, 8, 9, Overwrite) },
	} {
		clear(b)
		func() {
			defer func() {
				if s, ok := recover().(string); !ok || len(s) < 12 || s[:12] != "nullbitmap: " {
					t.Errorf("%s: panicked with %v", name, s)
				}
			}()
			f()
		}()
		if !bytes.Equal(b, make([]byte, 8)) {
			t.Errorf("%s: wrote %x", name, b)
		}
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[string]string{
		SetIsNull.String(): "set is null", Polarity(0).String(): "invalid", Polarity(9).String(): "polarity(9)",
		Intersect.String(): "intersect", MSBFirst.String(): "MSB first", BigEndian.String(): "big-endian",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestNothingAllocated(t *testing.T) {
	mask, dst, back := make([]byte, 3001), make([]byte, 400), make([]byte, 3001)
	nan := must(NaN(4, BigEndian))
	for name, f := range map[string]func(){
		"mask":    func() { FromMask(dst, 3, mask, SetIsNull, Intersect) },
		"rule":    func() { nan.Apply(dst, 3, mask[:3000], Overwrite) },
		"strided": func() { nan.ApplyStrided(dst, 3, mask, 12, 250, Overwrite) },
		"back":    func() { ToMask(back, SetIsNull, dst, 5) },
		"bits":    func() { FromBits(dst, 3, mask, 5, 3000, MSBFirst, SetIsNull, Intersect) },
	} {
		if n := testing.AllocsPerRun(100, f); n >= 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
