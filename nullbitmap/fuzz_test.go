package nullbitmap

import (
	"bytes"
	"math"
	"testing"
)

// FuzzApply compares every set of kernels with the naive loop, for a rule of the list.
func FuzzApply(f *testing.F) {
	cases := ruleCases()
	f.Add(uint16(0), uint8(3), false, uint8(0), []byte{0, 1, 0, 0, 7})
	f.Add(uint16(1), uint8(0), true, uint8(5), bytes.Repeat([]byte{0, 0x80, 1}, 70))
	f.Add(uint16(300), uint8(63), true, uint8(1), bytes.Repeat([]byte{0x7f, 0xf0, 0, 0, 0, 0, 7, 0xa2}, 65))
	f.Fuzz(func(t *testing.T, which uint16, off uint8, intersect bool, gap uint8, data []byte) {
		c := &cases[int(which)%len(cases)]
		w := c.rule.Width()
		n := len(data) / w
		data = data[:n*w]
		m := Overwrite
		if intersect {
			m = Intersect
		}
		start := bytes.Repeat([]byte{0xb7}, (int(off)+n+7)/8)
		want := bytes.Clone(start)
		nulls := naiveApply(want, int(off), n, m, func(i int) bool { return c.null(data[i*w : (i+1)*w]) })
		stride := w + int(gap)
		spaced := make([]byte, n*stride)
		for i := 0; i < n; i++ {
			copy(spaced[i*stride:], data[i*w:(i+1)*w])
		}
		for _, k := range available() {
			dst := bytes.Clone(start)
			if got := k.apply(c.rule, dst, int(off), data, m); got != nulls || !bytes.Equal(dst, want) {
				t.Fatalf("%s, %s: %d nulls, want %d\n got %x\nwant %x", k.name, c.name, got, nulls, dst, want)
			}
			dst = bytes.Clone(start)
			if got := k.applyStrided(c.rule, dst, int(off), spaced, stride, n, m); got != nulls || !bytes.Equal(dst, want) {
				t.Fatalf("%s, %s, stride %d: %d nulls, want %d\n got %x\nwant %x", k.name, c.name, stride, got, nulls, dst, want)
			}
		}
	})
}

// FuzzRanges tries rules with bounds and values of any kind.
func FuzzRanges(f *testing.F) {
	f.Add(uint64(0), uint64(5), uint8(7), []byte{1, 2, 3, 4, 5, 6, 7, 8})
	f.Add(math.Float64bits(-1), math.Float64bits(0.1), uint8(3), bytes.Repeat([]byte{0xcd, 0xcc, 0xcc, 0x3d}, 40))
	f.Add(uint64(1)<<63, ^uint64(0)>>1, uint8(12), bytes.Repeat([]byte{0, 0x80, 0xff}, 40))
	f.Fuzz(func(t *testing.T, lo, hi uint64, shape uint8, data []byte) {
		w, order := int(shape&7)+1, LittleEndian+ByteOrder(shape>>3&1)
		n := len(data) / w
		data = data[:n*w]
		flo, fhi := math.Float64frombits(lo), math.Float64frombits(hi)
		for _, c := range []struct {
			name string
			make func() (Rule, error)
			null func(e []byte) bool
		}{
			{"int", func() (Rule, error) { return OutsideInt(w, order, int64(lo), int64(hi)) },
				func(e []byte) bool { v := naiveInt(e, order); return v < int64(lo) || v > int64(hi) }},
			{"uint", func() (Rule, error) { return OutsideUint(w, order, lo, hi) },
				func(e []byte) bool { v := bigEndian(e, order); return v < lo || v > hi }},
			{"float range", func() (Rule, error) { return OutsideFloat(w, order, flo, fhi) },
				func(e []byte) bool { v := naiveFloat(e, order); return v < flo || v > fhi }},
			{"float", func() (Rule, error) { return EqualFloat(w, order, flo, fhi) },
				func(e []byte) bool {
					v := naiveFloat(e, order)
					return v == flo || v == fhi || v != v && (flo != flo || fhi != fhi)
				}},
		} {
			rule, err := c.make()
			if err != nil {
				continue
			}
			want := make([]byte, (n+7)/8)
			nulls := naiveApply(want, 0, n, Overwrite, func(i int) bool { return c.null(data[i*w : (i+1)*w]) })
			for _, k := range available() {
				dst := make([]byte, len(want))
				if got := k.apply(rule, dst, 0, data, Overwrite); got != nulls || !bytes.Equal(dst, want) {
					t.Fatalf("%s, %s of %d bytes, %v, [%x, %x]: %d nulls, want %d\n got %x\nwant %x", k.name, c.name, w, order, lo, hi, got, nulls, dst, want)
				}
			}
		}
	})
}

// FuzzExpand compares the kernels that expand bitmaps with the naive loops, and reads the result again.
func FuzzExpand(f *testing.F) {
	f.Add(uint8(0), uint8(3), false, []byte{0xa5, 0x5a, 0})
	f.Add(uint8(7), uint8(0), true, bytes.Repeat([]byte{0xa5, 0, 0xff, 0x10}, 9))
	f.Fuzz(func(t *testing.T, width, off uint8, valid bool, bitmap []byte) {
		w, o := int(width&7)+1, int(off&63)
		n := len(bitmap)*8 - o
		if n < 0 {
			return
		}
		p := SetIsNull
		if valid {
			p = SetIsValid
		}
		want := make([]byte, n*w)
		for i := 0; i < n; i++ {
			if bitAt(bitmap, o+i) == valid {
				want[i*w] = 1
			}
		}
		sentinel := bytes.Repeat([]byte{0xff}, w)
		filled := bytes.Clone(want)
		for i := 0; i < n; i++ {
			if !bitAt(bitmap, o+i) {
				copy(filled[i*w:], sentinel)
			}
		}
		for _, k := range available() {
			got := make([]byte, n*w)
			k.toInts(got, w, 1, p, bitmap, o)
			if !bytes.Equal(got, want) {
				t.Fatalf("%s, width %d: got %x, want %x", k.name, w, got, want)
			}
			back := bytes.Clone(bitmap)
			k.apply(must(Nonzero(w, p)), back, o, got, Overwrite)
			if !bytes.Equal(back, bitmap) {
				t.Fatalf("%s, width %d: %x came back as %x", k.name, w, bitmap, back)
			}
			if nulls := k.writeSentinel(got, sentinel, bitmap, o); nulls != CountNulls(bitmap, o, n) || !bytes.Equal(got, filled) {
				t.Fatalf("%s, width %d: %d nulls, got %x, want %x", k.name, w, nulls, got, filled)
			}
		}
	})
}

// FuzzBits compares the moving of bits with the naive loop.
func FuzzBits(f *testing.F) {
	f.Add(uint8(3), uint8(5), uint8(1), []byte{0xa5, 0x5a, 0x33}, []byte{1, 2, 3})
	f.Add(uint8(63), uint8(1), uint8(7), bytes.Repeat([]byte{0xc5}, 30), bytes.Repeat([]byte{0x35}, 33))
	f.Fuzz(func(t *testing.T, off, srcOff, how uint8, src, start []byte) {
		n := min(len(src)*8-int(srcOff), len(start)*8-int(off))
		if n < 0 {
			return
		}
		order, p, m := LSBFirst+BitOrder(how&1), SetIsNull+Polarity(how>>1&1), Overwrite+Mode(how>>2&1)
		get := bitAt
		if order == MSBFirst {
			get = msbAt
		}
		want := bytes.Clone(start)
		nulls := naiveApply(want, int(off), n, m, func(i int) bool { return get(src, int(srcOff)+i) == (p == SetIsNull) })
		dst := bytes.Clone(start)
		if got := FromBits(dst, int(off), src, int(srcOff), n, order, p, m); got != nulls || !bytes.Equal(dst, want) {
			t.Fatalf("%v, %v, %v: %d nulls, want %d\n got %x\nwant %x", order, p, m, got, nulls, dst, want)
		}
		if got := CountNulls(dst, int(off), n); got != nulls {
			t.Fatalf("counted %d nulls, want %d", got, nulls)
		}
	})
}
