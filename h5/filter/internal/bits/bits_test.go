package bits

import (
	"math/rand/v2"
	"testing"
)

// naive reads one bit after the other.
func naive(b []byte, pos, n int) (v uint64) {
	for i := pos; i < pos+n; i++ {
		v = v<<1 | uint64(b[i/8]>>(7-i%8)&1)
	}
	return v
}

func TestTake(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for size := range 40 {
		b := make([]byte, size)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		for range 200 {
			rd, pos := NewReader(b), 0
			for {
				n := r.IntN(65)
				if n > rd.Left() {
					break
				}
				if got, want := rd.Take(n), naive(b, pos, n); got != want {
					t.Fatalf("%d bits from bit %d of %d bytes: %#x, want %#x", n, pos, size, got, want)
				}
				pos += n
				if rd.Left() != 8*size-pos {
					t.Fatalf("%d bits left, want %d", rd.Left(), 8*size-pos)
				}
			}
		}
	}
}

func BenchmarkTake(b *testing.B) {
	buf := make([]byte, 8192)
	b.Run("own", func(b *testing.B) {
		b.SetBytes(8192)
		for b.Loop() {
			for r := NewReader(buf); r.Left() >= 12; {
				r.Take(12)
			}
		}
	})
	b.Run("naive", func(b *testing.B) {
		b.SetBytes(8192)
		for b.Loop() {
			for pos := 0; pos+12 <= 8*len(buf); pos += 12 {
				naive(buf, pos, 12)
			}
		}
	})
}
