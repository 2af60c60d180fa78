package asm

import (
	"bytes"
	"testing"
)

func TestShuffle(t *testing.T) {
	for width := 1; width <= 40; width++ {
		for n := range 3*width + 70 {
			src := random(n, uint64(n*41+width))
			got, back := make([]byte, n), make([]byte, n)
			Shuffle(got, src, width)
			if want := naiveUnshuffle(got, width); !bytes.Equal(want, src) {
				t.Fatalf("%d bytes, elements of %d: not the inverse of its definition", n, width)
			}
			if Unshuffle(back, got, width); !bytes.Equal(back, src) {
				t.Fatalf("%d bytes, elements of %d: not the inverse of Unshuffle", n, width)
			}
		}
	}
}

func TestBitShuffle(t *testing.T) {
	for width := 1; width <= 20; width++ {
		for n := 0; n <= 200; n += 8 {
			src := random(n*width, uint64(n*23+width))
			got := make([]byte, n*width)
			BitShuffle(got, src, make([]byte, n*width), n, width)
			if !bytes.Equal(naiveBitUnshuffle(got, n, width), src) {
				t.Fatalf("%d elements of %d bytes", n, width)
			}
		}
	}
}
