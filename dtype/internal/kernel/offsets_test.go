package kernel

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"unicode/utf8"
)

func TestSubtract(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 8))
	for _, width := range []int{4, 8} {
		for n := range 40 {
			d := rng.Int64N(1 << 40)
			if width == 4 {
				d = rng.Int64N(1 << 31)
			}
			var xs, want []uint64
			for range n {
				x := rng.Uint64() >> rng.IntN(64)
				xs, want = append(xs, x), append(want, x-uint64(d))
			}
			src, dst := put(width, xs...), make([]byte, width*n+1)
			Subtract(dst, src, width, d)
			if !bytes.Equal(dst, append(put(width, want...), 0)) {
				t.Fatalf("width %d: %v less %d: %v", width, xs, d, dst)
			}
			if Subtract(src, src, width, d); !bytes.Equal(src, dst[:len(src)]) {
				t.Fatalf("width %d: %v less %d in place: %v", width, xs, d, src)
			}
		}
	}
}

func TestStarts(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 8))
	seen := map[bool]int{}
	for _, width := range []int{4, 8} {
		for range 5000 {
			var data []byte
			for range rng.IntN(12) {
				data = append(data, []string{"a", "\u00e9", "\u20ac", "\U0001f600"}[rng.IntN(4)]...)
			}
			start, want := rng.Int64N(1<<31-100), true
			var xs []uint64
			for range rng.IntN(9) {
				at := rng.IntN(len(data)+3) - 1
				xs = append(xs, uint64(start+int64(at)))
				want = want && (at < 0 || at >= len(data) || utf8.RuneStart(data[at]))
			}
			if got := Starts(data, put(width, xs...), width, start); got != want {
				t.Fatalf("width %d: %q at %v from %d: %v", width, data, xs, start, got)
			}
			seen[want]++
		}
	}
	if seen[true] < 1000 || seen[false] < 1000 {
		t.Error(seen)
	}
}
