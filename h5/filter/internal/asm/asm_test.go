package asm

import (
	"bytes"
	"fmt"
	"hash/adler32"
	"math/rand/v2"
	"testing"
)

func random(n int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 7))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// naiveUnshuffle is the definition of Unshuffle.
func naiveUnshuffle(src []byte, width int) []byte {
	dst := bytes.Clone(src)
	n := len(src) / width
	for i := range n {
		for j := range width {
			dst[i*width+j] = src[j*n+i]
		}
	}
	return dst
}

// naiveBitUnshuffle is the definition of BitUnshuffle.
func naiveBitUnshuffle(src []byte, n, width int) []byte {
	dst := make([]byte, n*width)
	for i := range n {
		for bit := range 8 * width {
			row := src[bit*n/8 : (bit+1)*n/8]
			dst[i*width+bit/8] |= row[i/8] >> (i % 8) & 1 << (bit % 8)
		}
	}
	return dst
}

// naiveFletcher adds one word after the other.
func naiveFletcher(b []byte) uint32 {
	var s1, s2 uint32
	reduce := func(x uint32) uint32 {
		for x > 0xffff {
			x = x&0xffff + x>>16
		}
		return x
	}
	for i := 0; i < len(b); i += 2 {
		w := uint32(b[i]) << 8
		if i+1 < len(b) {
			w |= uint32(b[i+1])
		}
		s1 = reduce(s1 + w)
		s2 = reduce(s2 + s1)
	}
	return s2<<16 | s1
}

// guarded runs f on a destination of n bytes and checks that it leaves the bytes around it alone.
func guarded(t *testing.T, n int, f func(dst []byte)) []byte {
	t.Helper()
	b := bytes.Repeat([]byte{0xa5}, n+64)
	f(b[32 : 32+n : 32+n])
	for i, c := range b {
		if (i < 32 || i >= 32+n) && c != 0xa5 {
			t.Fatalf("byte %d outside of the destination was written", i-32)
		}
	}
	return b[32 : 32+n]
}

func TestUnshuffle(t *testing.T) {
	widths := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 20, 24, 31, 32, 33, 100, 513, 20000}
	if testing.Short() {
		widths = widths[:len(widths)-1]
	}
	for _, width := range widths {
		for _, n := range []int{0, 1, 2, 7, 8, 31, 32, 33, 63, 64, 65, 96, 127, 300} {
			for _, rest := range []int{0, 1, width - 1} {
				src := random(n*width+rest%width, uint64(n*width))
				want := naiveUnshuffle(src, width)
				got := guarded(t, len(src), func(dst []byte) { Unshuffle(dst, src, width) })
				if !bytes.Equal(got, want) {
					t.Fatalf("width %d, %d elements and %d bytes: differs", width, n, rest)
				}
				got = guarded(t, n*width, func(dst []byte) {
					if width > 1 {
						unshuffle(dst, src[:n*width], width, n, 0)
					} else {
						copy(dst, src)
					}
				})
				if !bytes.Equal(got, want[:n*width]) {
					t.Fatalf("width %d, %d elements: portable differs", width, n)
				}
			}
		}
	}
}

func TestUnshuffleLong(t *testing.T) {
	for width := 2; width <= 40; width++ {
		src := random(100_003, uint64(width))
		got := make([]byte, len(src))
		Unshuffle(got, src, width)
		if !bytes.Equal(got, naiveUnshuffle(src, width)) {
			t.Fatalf("width %d: differs", width)
		}
	}
}

func TestUnshuffleBytes(t *testing.T) {
	got := make([]byte, 11)
	Unshuffle(got, []byte("acegbdfhXYZ"), 2)
	if want := "adcXebYgfZh"; string(got) == want {
		t.Fatal("elements were not taken to be of 5")
	}
	Unshuffle(got, []byte("abcdefghijk"), 4)
	if want := "acegbdfhijk"; string(got) != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestBitUnshuffle(t *testing.T) {
	for _, width := range []int{1, 2, 3, 4, 8, 12, 16} {
		for _, n := range []int{0, 8, 16, 120, 248, 256, 264, 512, 1024, 1096} {
			src := random(n*width, uint64(n+width))
			want := naiveBitUnshuffle(src, n, width)
			got := guarded(t, len(src), func(dst []byte) { BitUnshuffle(dst, src, make([]byte, len(src)), n, width) })
			if !bytes.Equal(got, want) {
				t.Fatalf("width %d, %d elements: differs", width, n)
			}
			if n > 0 {
				plane := make([]byte, n)
				bitPlane(plane, src[:n], 0)
				if !bytes.Equal(plane, naiveBitUnshuffle(src[:n], n, 1)) {
					t.Fatalf("width %d, %d elements: portable differs", width, n)
				}
			}
		}
	}
}

func TestChecksums(t *testing.T) {
	full := bytes.Repeat([]byte{0xff}, 1<<20)
	for n := 0; n < 200; n++ {
		checksums(t, random(n, 1))
		checksums(t, full[:n])
		checksums(t, make([]byte, n))
	}
	for _, n := range []int{5551, 5552, sumPart - 1, sumPart, sumPart + 1, sumPart + 33, 1 << 20} {
		checksums(t, random(n, 2)[:n])
		checksums(t, full[:n])
	}
	// A sum of 65535 is kept as such, and not 0.
	if got := Fletcher32([]byte{0xff, 0xff}); got != 0xffffffff {
		t.Errorf("got %#x", got)
	}
}

func checksums(t *testing.T, b []byte) {
	t.Helper()
	if got, want := Adler32(b), adler32.Checksum(b); got != want {
		t.Fatalf("Adler-32 of %d bytes is %#x, want %#x", len(b), got, want)
	}
	if got, want := Fletcher32(b), naiveFletcher(b); got != want {
		t.Fatalf("Fletcher-32 of %d bytes is %#x, want %#x", len(b), got, want)
	}
	s, w := adlerSums(b)
	if ps, pw := adlerMore(b, 0, 0); len(b) <= sumPart && (s != ps || w != pw) {
		t.Fatalf("sums of %d bytes are %d, %d, portable %d, %d", len(b), s, w, ps, pw)
	}
}

func FuzzUnshuffle(f *testing.F) {
	f.Add([]byte("abcdefghijk"), 4)
	f.Add(random(1000, 3), 8)
	f.Fuzz(func(t *testing.T, src []byte, width int) {
		if width < 1 || width > len(src)+1 {
			return
		}
		got := guarded(t, len(src), func(dst []byte) { Unshuffle(dst, src, width) })
		if !bytes.Equal(got, naiveUnshuffle(src, width)) {
			t.Fatal("differs")
		}
		n := len(src) / width &^ 7
		got = guarded(t, n*width, func(dst []byte) { BitUnshuffle(dst, src[:n*width], make([]byte, n*width), n, width) })
		if !bytes.Equal(got, naiveBitUnshuffle(src[:n*width], n, width)) {
			t.Fatal("bits differ")
		}
		checksums(t, src)
	})
}

func BenchmarkUnshuffle(b *testing.B) {
	for _, width := range []int{2, 3, 4, 6, 8, 12, 16, 24, 100} {
		src := random(1<<18, 1)
		src = src[:len(src)/width*width]
		dst := make([]byte, len(src))
		n := len(src) / width
		run := func(name string, f func()) {
			b.Run(fmt.Sprintf("%s/%d", name, width), func(b *testing.B) {
				b.SetBytes(int64(len(src)))
				for b.Loop() {
					f()
				}
			})
		}
		run("best", func() { Unshuffle(dst, src, width) })
		run("portable", func() { unshuffle(dst, src, width, n, 0) })
		run("naive", func() {
			for i := range n {
				for j := range width {
					dst[i*width+j] = src[j*n+i]
				}
			}
		})
	}
}

func BenchmarkBitUnshuffle(b *testing.B) {
	for _, width := range []int{1, 2, 4, 8} {
		src := random(8192, 1)
		dst, tmp := make([]byte, len(src)), make([]byte, len(src))
		n := len(src) / width
		b.Run(fmt.Sprint("best/", width), func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				BitUnshuffle(dst, src, tmp, n, width)
			}
		})
		b.Run(fmt.Sprint("portable/", width), func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				for j := range width {
					bitPlane(tmp[j*n:(j+1)*n], src[j*n:(j+1)*n], 0)
				}
				if width > 1 {
					unshuffle(dst, tmp, width, n, 0)
				}
			}
		})
	}
}

func BenchmarkChecksum(b *testing.B) {
	src := random(1<<18, 1)
	for _, f := range []struct {
		name string
		sum  func([]byte) uint32
	}{{"adler32", Adler32}, {"adler32 of hash", adler32.Checksum}, {"fletcher32", Fletcher32}, {"fletcher32 naive", naiveFletcher},
		{"adler32 portable", func(b []byte) uint32 { s, w := adlerMore(b, 1, 0); return uint32(s + w) }},
		{"fletcher32 portable", func(b []byte) uint32 { s, w := fletcherMore(b, 1, 0); return uint32(s + w) }}} {
		b.Run(f.name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				f.sum(src)
			}
		})
	}
}
