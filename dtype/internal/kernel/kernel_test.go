package kernel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"unicode/utf8"
)

// naiveSwap is Swap, one byte at a time.
func naiveSwap(dst, src []byte, width int) {
	for i := 0; i+width <= len(src); i += width {
		e := slices.Clone(src[i : i+width])
		slices.Reverse(e)
		copy(dst[i:], e)
	}
}

// naiveGather copies elements that are stride bytes apart, one byte at a time.
func naiveGather(dst, src []byte, width, stride, n int) {
	for i := range n {
		for k := range width {
			dst[i*width+k] = src[i*stride+k]
		}
	}
}

// naiveASCII is ASCII, one byte at a time.
func naiveASCII(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// random returns n bytes at an address that is off above a multiple of 64, room around them.
func random(rng *rand.Rand, n, off int) []byte {
	b := make([]byte, n+off+128)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b[off : off+n : off+n]
}

func TestSwap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, width := range widths {
		for n := range 150 {
			for _, off := range []int{0, 1, 3} {
				src := random(rng, n*width, off)
				keep := slices.Clone(src)
				want := make([]byte, len(src))
				naiveSwap(want, src, width)
				room := bytes.Repeat([]byte{0xaa}, n*width+80)
				dst := room[5 : 5+n*width]
				Swap(dst, src, width)
				if !bytes.Equal(dst, want) || !bytes.Equal(src, keep) {
					t.Fatalf("width %d, %d elements at %d: wrong", width, n, off)
				}
				if around := append(room[:5:5], room[5+n*width:]...); !bytes.Equal(around, bytes.Repeat([]byte{0xaa}, 80)) {
					t.Fatalf("width %d, %d elements: wrote outside", width, n)
				}
				swapPortable(dst, src, width)
				if !bytes.Equal(dst, want) {
					t.Fatalf("width %d, %d elements: the portable one is wrong", width, n)
				}
				Swap(src, src, width)
				if !bytes.Equal(src, want) {
					t.Fatalf("width %d, %d elements at %d: in place wrong", width, n, off)
				}
			}
		}
	}
}

func TestGatherSwap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, width := range widths {
		for _, more := range []int{0, 1, 2, 7, 8, 50} {
			for _, n := range []int{0, 1, 2, 7, 64, 100} {
				stride := width + more
				src := random(rng, max(0, (n-1)*stride+width), 1)
				want, dst := make([]byte, n*width), random(rng, n*width, 3)
				naiveGather(want, src, width, stride, n)
				naiveSwap(want, want, width)
				GatherSwap(dst, src, width, stride, n)
				if !bytes.Equal(dst, want) {
					t.Fatalf("width %d, stride %d, %d elements: wrong", width, stride, n)
				}
			}
		}
	}
}

func TestASCII(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	for n := range 300 {
		b := random(rng, n, n%7)
		for i := range b {
			b[i] &= 0x7f
		}
		if !ASCII(b) {
			t.Fatalf("%d bytes are not ASCII", n)
		}
		for i := range b {
			b[i] |= 0x80
			if ASCII(b) {
				t.Fatalf("%d bytes are ASCII with one at %d", n, i)
			}
			b[i] &= 0x7f
		}
	}
}

var widths = []int{2, 4, 8, 16}

func BenchmarkSwap(b *testing.B) {
	for _, size := range []int{256 << 10, 64 << 20} {
		src, dst := make([]byte, size), make([]byte, size)
		for _, width := range widths {
			run := func(name string, f func()) {
				b.Run(fmt.Sprintf("%dKiB/%d/%s", size>>10, width, name), func(b *testing.B) {
					b.SetBytes(int64(size))
					for b.Loop() {
						f()
					}
				})
			}
			run("swap", func() { Swap(dst, src, width) })
			run("in-place", func() { Swap(src, src, width) })
			run("portable", func() { swapPortable(dst, src, width) })
			run("memmove", func() { copy(dst, src) })
		}
	}
	b.Run("naive", func(b *testing.B) {
		src := make([]byte, 256<<10)
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			naiveSwap(src, src, 8)
		}
	})
}

func BenchmarkASCII(b *testing.B) {
	for _, size := range []int{256 << 10, 64 << 20} {
		src := make([]byte, size)
		b.Run(fmt.Sprintf("%dKiB/ascii", size>>10), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				ASCII(src)
			}
		})
		b.Run(fmt.Sprintf("%dKiB/naive", size>>10), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				naiveASCII(src)
			}
		})
	}
}

// pieces are what texts are made of: characters of each length at the borders of what is valid, and what is not.
var pieces = []string{
	"a", "plain text, longer than one block of thirty-two bytes", "\x7f", "\u0080", "é", "\u07ff", "\u0800", "日本語", "\ud7ff", "\ue000", "\uffff",
	"\U00010000", "😀", "\U0010ffff",
	"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3\xa9\xa9", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xe6\x97", "\xed\xa0\x80", "\xed\xbf\xbf",
	"\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xfe", "\xf0\x9f\x98", "\xe6",
}

const goodPieces = 14

func TestUTF8(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	seen := map[bool]int{}
	check := func(b []byte) {
		t.Helper()
		want := utf8.Valid(b)
		if got := UTF8(b); got != want {
			t.Fatalf("%q: %v, want %v", b, got, want)
		}
		seen[want]++
	}
	for range 10000 {
		var b []byte
		bad := rng.IntN(2) * rng.IntN(8)
		for range rng.IntN(40) {
			b = append(b, pieces[rng.IntN(goodPieces)]...)
		}
		for range bad {
			at := rng.IntN(len(b) + 1)
			b = slices.Insert(b, at, []byte(pieces[goodPieces+rng.IntN(len(pieces)-goodPieces)])...)
		}
		check(b[rng.IntN(len(b)+1):])
		check(b[:rng.IntN(len(b)+1)])
	}
	// Every pair and triple of bytes that matter, across every place of a border.
	edges := []byte{0, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf7, 0xf8, 0xff}
	for _, at := range []int{1, 29, 30, 31, 32} {
		b := bytes.Repeat([]byte{'x'}, 70)
		for _, x := range edges {
			for _, y := range edges {
				for _, z := range edges {
					for _, w := range []byte{0x20, 0x80} {
						copy(b[at:], []byte{x, y, z, w})
						check(b)
					}
				}
			}
		}
	}
	if seen[true] < 5000 || seen[false] < 5000 {
		t.Errorf("%v", seen)
	}
}

func FuzzUTF8(f *testing.F) {
	for _, p := range pieces {
		f.Add([]byte(p), uint8(30))
	}
	f.Fuzz(func(t *testing.T, b []byte, before uint8) {
		b = append(bytes.Repeat([]byte{'x'}, int(before)), b...)
		if got, want := UTF8(b), utf8.Valid(b); got != want {
			t.Fatalf("%q: %v, want %v", b, got, want)
		}
	})
}

func BenchmarkUTF8(b *testing.B) {
	for name, text := range map[string]string{
		"ascii": "plain text of some length. ", "german": "Größere Äpfel fallen früher. ", "japanese": "吾輩は猫である。名前はまだ無い。", "emoji": "🙂🙃😀😎",
	} {
		src := bytes.Repeat([]byte(text), (256<<10)/len(text))
		b.Run(name+"/utf8", func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				UTF8(src)
			}
		})
		b.Run(name+"/unicode", func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				utf8.Valid(src)
			}
		})
	}
}

// naiveTrim is TrimLen, one byte at a time.
func naiveTrim(cell []byte, pad Pad) int {
	switch pad {
	case Terminated:
		if i := bytes.IndexByte(cell, 0); i >= 0 {
			return i
		}
		return len(cell)
	case NULs:
		return len(bytes.TrimRight(cell, "\x00"))
	}
	return len(bytes.TrimRight(bytes.TrimRight(cell, "\x00"), " "))
}

func TestCells(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	alphabet := []byte("\x00\x00\x00   abc\x01\x7f\x80\xff\x20\x21")
	for _, pad := range []Pad{Terminated, NULs, Spaces} {
		for size := 1; size <= 40; size++ {
			for round := range 60 {
				n, stride := rng.IntN(20), size+rng.IntN(2)*rng.IntN(9)
				src := make([]byte, max(0, (n-1)*stride+size)*min(n, 1))
				letters := alphabet[:len(alphabet)-2*(round%2)*2]
				for i := range src {
					src[i] = letters[rng.IntN(len(letters))]
				}
				for i := range n { // ends of padding
					for k := size - 1; k >= 0 && rng.IntN(size+1) > 0; k-- {
						src[i*stride+k] = "\x00\x00 "[pad-1]
					}
					for k := size - 1; k >= 0 && rng.IntN(3) == 0; k-- { // after the spaces too
						src[i*stride+k] = 0
					}
				}
				var valid []byte
				if rng.IntN(2) == 0 {
					valid = []byte{byte(rng.Uint32()), byte(rng.Uint32()), byte(rng.Uint32())}
				}
				var want []byte
				offsets := []uint32{0}
				for i := range n {
					if valid == nil || valid[i>>3]>>(i&7)&1 != 0 {
						cell := src[i*stride : i*stride+size]
						want = append(want, cell[:naiveTrim(cell, pad)]...)
					}
					offsets = append(offsets, uint32(len(want)))
				}
				room := bytes.Repeat([]byte{0xaa}, n*size+Slack+8)
				dst := room[: n*size+Slack : n*size+Slack]
				off := make([]byte, 4*(n+1))
				used := Cells(dst, off, src, size, stride, n, pad, valid)
				if !bytes.Equal(dst[:used], want) {
					t.Fatalf("padding %d, size %d: %q is %q, want %q", pad, size, src, dst[:used], want)
				}
				for i, o := range offsets {
					if got := binary.NativeEndian.Uint32(off[4*i:]); got != o {
						t.Fatalf("padding %d, size %d: offset %d is %d, want %d", pad, size, i, got, o)
					}
				}
				if !bytes.Equal(room[len(dst):], bytes.Repeat([]byte{0xaa}, 8)) {
					t.Fatal("wrote outside")
				}
			}
		}
	}
}

// naiveInt reads an integer bit by bit.
func naiveInt(f Int, b []byte) uint64 {
	b = slices.Clone(b[:f.Size])
	if f.Big {
		slices.Reverse(b)
	}
	var x uint64
	for i := range 64 {
		bit := min(i, f.Precision-1)
		if i >= f.Precision && !f.Signed {
			break
		}
		at := f.Shift + bit
		x |= uint64(b[at/8]>>(at%8)&1) << i
	}
	return x
}

func TestInts(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 6))
	for size := 1; size <= 8; size++ {
		for precision := 1; precision <= 8*size; precision++ {
			for range 4 {
				f := Int{size, rng.IntN(2) == 0, rng.IntN(8*size - precision + 1), precision, rng.IntN(2) == 0}
				n, stride := rng.IntN(30), size+rng.IntN(2)*rng.IntN(9)
				src := random(rng, max(0, (n-1)*stride+size)*min(n, 1), 1)
				dst := make([]uint64, n)
				Ints(dst, src, f, stride, n)
				for i, got := range dst {
					if want := naiveInt(f, src[i*stride:]); got != want {
						t.Fatalf("%+v: %x is %x, want %x", f, src[i*stride:i*stride+size], got, want)
					}
				}
			}
		}
	}
}

func BenchmarkCells(b *testing.B) {
	const n = 1 << 14
	for _, size := range []int{5, 8, 13, 32} {
		for _, pad := range []Pad{Terminated, NULs, Spaces} {
			src := bytes.Repeat(append(bytes.Repeat([]byte{'x'}, size-2), "\x00\x00 "[pad-1], "\x00\x00 "[pad-1]), n)
			dst, off := make([]byte, len(src)+Slack), make([]byte, 4*(n+1))
			b.Run(fmt.Sprintf("%d/%d/cells", size, pad), func(b *testing.B) {
				b.SetBytes(int64(len(src)))
				for b.Loop() {
					Cells(dst, off, src, size, size, n, pad, nil)
				}
			})
			b.Run(fmt.Sprintf("%d/%d/naive", size, pad), func(b *testing.B) {
				b.SetBytes(int64(len(src)))
				for b.Loop() {
					used := 0
					for i := range n {
						cell := src[i*size : (i+1)*size]
						used += copy(dst[used:], cell[:naiveTrim(cell, pad)])
						binary.NativeEndian.PutUint32(off[4*(i+1):], uint32(used))
					}
				}
			})
		}
	}
}

// put writes integers of a width in the host's order.
func put(width int, xs ...uint64) []byte {
	b := make([]byte, 0, width*len(xs))
	for _, x := range xs {
		switch width {
		case 1:
			b = append(b, byte(x))
		case 2:
			b = binary.NativeEndian.AppendUint16(b, uint16(x))
		case 4:
			b = binary.NativeEndian.AppendUint32(b, uint32(x))
		case 8:
			b = binary.NativeEndian.AppendUint64(b, x)
		}
	}
	return b
}

func TestReaches(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	seen := map[bool]int{}
	for _, width := range []int{1, 2, 4, 8} {
		top := uint64(1)<<(8*width-1)<<1 - 1
		limits := []uint64{1, 2, 3, 100, 127, 128, 129, 200, 255, 256, 257, 1 << 15, 1<<15 + 1, 1<<16 - 1, 1 << 16, 1 << 31, 1<<32 - 1, 1 << 32, 1 << 62, 1 << 63}
		for _, limit := range limits {
			for n := range 40 {
				xs := make([]uint64, n)
				for i := range xs {
					xs[i] = rng.Uint64N(min(limit, top)) & top
				}
				check := func() {
					t.Helper()
					want := slices.ContainsFunc(xs, func(x uint64) bool { return x >= limit })
					if got := Reaches(put(width, xs...), width, limit); got != want {
						t.Fatalf("width %d: %d in %v: %v", width, limit, xs, got)
					}
					seen[want]++
				}
				check()
				for i := range xs {
					keep := xs[i]
					for _, x := range []uint64{limit - 1, limit, limit + 1, top, top>>1 + 1} {
						xs[i] = x & top
						check()
					}
					xs[i] = keep
				}
			}
		}
	}
	if seen[true] < 1000 || seen[false] < 1000 {
		t.Error(seen)
	}
}

func TestDescends(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 8))
	seen := map[bool]int{}
	for _, width := range []int{4, 8} {
		for range 20000 {
			xs := make([]uint64, rng.IntN(12))
			x := rng.Uint64N(5)
			for i := range xs {
				xs[i] = x
				x += rng.Uint64N(3)
				if rng.IntN(20) == 0 {
					x = []uint64{0, 1, 1<<31 - 1, 1<<63 - 1, 1 << 31, 1 << 63, ^uint64(0)}[rng.IntN(7)]
				}
			}
			sign := func(x uint64) int64 {
				if width == 4 {
					return int64(int32(x))
				}
				return int64(x)
			}
			if len(xs) > 0 && sign(xs[0]) < 0 {
				continue
			}
			want := false
			for i := range xs {
				want = want || i > 0 && sign(xs[i]) < sign(xs[i-1])
			}
			if got := Descends(put(width, xs...), width); got != want {
				t.Fatalf("width %d: %v: %v", width, xs, got)
			}
			seen[want]++
		}
	}
	if seen[true] < 1000 || seen[false] < 1000 {
		t.Error(seen)
	}
}

func BenchmarkBounds(b *testing.B) {
	src := make([]byte, 256<<10)
	for _, width := range []int{1, 2, 4, 8} {
		b.Run(fmt.Sprintf("reaches/%d", width), func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				Reaches(src, width, 100)
			}
		})
	}
	for _, width := range []int{4, 8} {
		b.Run(fmt.Sprintf("descends/%d", width), func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				Descends(src, width)
			}
		})
	}
}
