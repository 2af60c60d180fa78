package aec

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// writer encodes by the standard (CCSDS 121.0-B), choosing among the forms of a block at random.
type writer struct {
	Params
	r    *rand.Rand
	bits []byte
}

func (w *writer) put(v uint32, n int) {
	for i := n - 1; i >= 0; i-- {
		w.bits = append(w.bits, byte(v>>i&1))
	}
}

func (w *writer) unary(n uint32) {
	w.bits = append(w.bits, make([]byte, n)...)
	w.bits = append(w.bits, 1)
}

func (w *writer) bytes() []byte {
	b := make([]byte, (len(w.bits)+7)/8)
	for i, v := range w.bits {
		b[i/8] |= v << (7 - i%8)
	}
	return b
}

// line encodes one line of samples: a multiple of the block size.
func (w *writer) line(s []uint32) {
	v := w.predicted(s)
	idBits := 5
	switch {
	case w.Bits <= 8:
		idBits = 3
	case w.Bits <= 16:
		idBits = 4
	}
	for at := 0; at < len(v); {
		block := v[at : at+w.Block]
		ref := 0
		if w.Preprocess && at == 0 {
			ref = 1
		}
		first := func() {
			if ref == 1 {
				w.put(block[0], w.Bits)
			}
		}
		zeros := w.zeros(v[at:], ref)
		largest := slices.Max(block[ref:])
		b := at / w.Block
		switch kind := w.r.IntN(4); {
		case zeros > 0 && kind < 3:
			w.put(0, idBits+1)
			first()
			zeros = w.putZeros(zeros, b)
			at += zeros * w.Block
			continue
		case kind == 0 && largest <= 6:
			w.put(0, idBits)
			w.put(1, 1)
			first()
			for i := 0; i < w.Block; i += 2 {
				a, b := block[i], block[i+1]
				if i < ref {
					a = 0
				}
				w.unary((a+b)*(a+b+1)/2 + b)
			}
		case kind <= 2 && largest>>(1<<idBits-3) < 100:
			k := w.r.IntN(1<<idBits - 2)
			for largest>>k >= 100 {
				k++
			}
			w.put(uint32(k+1), idBits)
			first()
			for _, x := range block[ref:] {
				w.unary(x >> k)
			}
			for _, x := range block[ref:] {
				w.put(x&(1<<k-1), k)
			}
		default:
			w.put(1<<idBits-1, idBits)
			for _, x := range block {
				w.put(x, w.Bits)
			}
		}
		at += w.Block
	}
}

// predicted returns what is stored for samples: differences to the sample before, if there is a prediction.
func (w *writer) predicted(s []uint32) []uint32 {
	v := slices.Clone(s)
	if w.Preprocess {
		top := int64(1)<<w.Bits - 1
		for i := len(s) - 1; i > 0; i-- {
			before, d := int64(s[i-1]), int64(s[i])-int64(s[i-1])
			room := min(before, top-before)
			switch {
			case d >= 0 && d <= room:
				v[i] = uint32(2 * d)
			case d < 0 && -d <= room:
				v[i] = uint32(-2*d - 1)
			default:
				v[i] = uint32(room + max(d, -d))
			}
		}
	}
	return v
}

// zeros returns how many blocks of nothing but zeros v starts with; a sample that is stored unchanged does not count.
func (w *writer) zeros(v []uint32, ref int) int {
	some := func(s []uint32) bool { return slices.ContainsFunc(s, func(x uint32) bool { return x != 0 }) }
	n := 0
	for n*w.Block < len(v) && !some(v[n*w.Block:(n+1)*w.Block]) {
		n++
	}
	if n == 0 && ref == 1 && !some(v[1:w.Block]) {
		n = 1
	}
	return n
}

// putZeros writes the length of a run of zero blocks, of which block b is the first, and returns how many it covers.
func (w *writer) putZeros(zeros, b int) int {
	rest := min(w.Line-b, 64-b%64)
	if zeros >= rest && rest > 4 {
		w.unary(4)
		return rest
	}
	zeros = min(zeros, rest)
	if n := uint32(zeros); n <= 4 {
		w.unary(n - 1)
	} else {
		w.unary(n)
	}
	return zeros
}

func TestDecode(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	n := 3000
	if testing.Short() {
		n = 200
	}
	for range n {
		p := Params{Bits: 1 + r.IntN(32), Block: 2 * (1 + r.IntN(16)), Line: 1 + r.IntN(150), Preprocess: r.IntN(2) == 0}
		w := writer{Params: p, r: r}
		var want []uint32
		mask, scale := uint32(uint64(1)<<p.Bits-1), r.IntN(p.Bits+1)
		for range 1 + r.IntN(3) {
			line := make([]uint32, p.Line*p.Block)
			x := r.Uint32() & mask
			for i := range line {
				switch r.IntN(40) {
				case 0:
					x = r.Uint32() & mask >> scale
				case 1, 2, 3:
					x = (x + uint32(r.IntN(5)) - 2) & mask
				case 4:
					if !p.Preprocess {
						x = 0
					}
				}
				line[i] = x
			}
			w.line(line)
			want = append(want, line...)
		}
		src := w.bytes()
		// All of it, and what is needed for less.
		for _, n := range []int{len(want), len(want) - 1, r.IntN(len(want) + 1)} {
			got := make([]uint32, n)
			if err := Decode(got, src, &p); err != nil || !slices.Equal(got, want[:n]) {
				t.Fatalf("%+v: %d samples: %v", p, n, err)
			}
		}
		for _, n := range []int{0, len(src) / 2, len(src) - 1} {
			if err := Decode(make([]uint32, len(want)), src[:n], &p); !errors.Is(err, ErrShort) {
				t.Fatalf("%+v: %d of %d bytes: %v", p, n, len(src), err)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x00\x10\x20"), uint(8), uint(8), uint(4), true, uint(100))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff"), uint(16), uint(16), uint(2), false, uint(33))
	f.Fuzz(func(t *testing.T, src []byte, width, block, line uint, preprocess bool, n uint) {
		p := Params{Bits: int(width%32) + 1, Block: int(block%16)*2 + 2, Line: int(line%300) + 1, Preprocess: preprocess}
		out := make([]uint32, n%100_000)
		if err := Decode(out, src, &p); err == nil && len(out) > 0 && len(src) == 0 {
			t.Fatal("samples from nothing")
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	p := Params{Bits: 16, Block: 16, Line: 128, Preprocess: true}
	w := writer{Params: p, r: r}
	line := make([]uint32, p.Line*p.Block)
	for i := range line {
		line[i] = uint32(1000 + i/3 + r.IntN(9))
	}
	w.line(line)
	src, out := w.bytes(), make([]uint32, len(line))
	b.SetBytes(int64(2 * len(line)))
	for b.Loop() {
		if err := Decode(out, src, &p); err != nil {
			b.Fatal(err)
		}
	}
}
