//go:build duckdb_arrow && cgo

package engine

import (
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine/internal/vector"
)

// compareAll compares all kinds of kernels with Go's operators.
func compareAll[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64](t *testing.T, r *rand.Rand, kind int, constants []T) {
	t.Helper()
	holds := map[operator]func(a, b T) bool{
		opEqual: func(a, b T) bool { return a == b }, opNotEqual: func(a, b T) bool { return a != b },
		opLess: func(a, b T) bool { return a < b }, opNotLess: func(a, b T) bool { return !(a < b) },
		opGreater: func(a, b T) bool { return !(a <= b) }, opNotGreater: func(a, b T) bool { return a <= b },
	}
	values := make([]uint64, 256)
	list := unsafe.Slice((*T)(unsafe.Pointer(&values[0])), 256)
	for i := range list {
		list[i] = constants[r.IntN(len(constants))]
		if r.IntN(4) == 0 && kind&15 < 8 {
			list[i] = T(r.IntN(300)) // whatever is left of it
		}
	}
	for op, f := range holds {
		for _, c := range constants {
			if c != c {
				continue
			}
			constant := make([]byte, 8)
			*(*T)(unsafe.Pointer(&constant[0])) = c
			was := []uint64{r.Uint64(), ^uint64(0), 0, r.Uint64()}
			for _, plain := range []bool{false, true} {
				plainKernels(plain)
				mask := append([]uint64{}, was...)
				compareValues(kind, op, values, constant, mask)
				for i, v := range list {
					if got, want := mask[i/64]>>(i%64)&1 == 1, was[i/64]>>(i%64)&1 == 1 && f(v, c); got != want {
						t.Fatalf("kind %d, plain %v: operator %d of %v and %v is %v", kind, plain, op, v, c, got)
					}
				}
			}
		}
	}
}

func TestCompare(t *testing.T) {
	defer plainKernels(false)
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		compareAll(t, r, 16+1, []int8{math.MinInt8, -1, 0, 1, 5, math.MaxInt8})
		compareAll(t, r, 16+2, []int16{math.MinInt16, -1, 0, 1, 200, math.MaxInt16})
		compareAll(t, r, 16+4, []int32{math.MinInt32, -1, 0, 1, 200, math.MaxInt32})
		compareAll(t, r, 16+8, []int64{math.MinInt64, -1, 0, 1, 200, math.MaxInt64})
		compareAll(t, r, 32+1, []uint8{0, 1, 127, 128, math.MaxUint8})
		compareAll(t, r, 32+2, []uint16{0, 1, math.MaxInt16, math.MaxInt16 + 1, math.MaxUint16})
		compareAll(t, r, 32+4, []uint32{0, 1, math.MaxInt32, math.MaxInt32 + 1, math.MaxUint32})
		compareAll(t, r, 32+8, []uint64{0, 1, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64})
		compareAll(t, r, 64+4, []float32{0, float32(math.Copysign(0, -1)), 1, -1, float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 0.1})
		compareAll(t, r, 64+8, []float64{0, math.Copysign(0, -1), 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), 0.1})
	}
}

// picking is one case for the kernels that pick rows: the mask and the rows that it chooses.
type picking struct {
	t      *testing.T
	r      *rand.Rand
	mask   []uint64
	values []uint64 // of all rows
	chosen []int
}

// What is picked is what a loop picks, and nothing beyond the room is written to.
func TestPick(t *testing.T) {
	defer plainKernels(false)
	r := rand.New(rand.NewPCG(3, 4))
	for round := range 300 {
		p := &picking{t: t, r: r, mask: make([]uint64, 1+r.IntN(words)), values: make([]uint64, vectorRows)}
		for i := range p.mask {
			switch r.IntN(4) {
			case 0:
				p.mask[i] = ^uint64(0)
			case 1:
				p.mask[i] = r.Uint64()
			case 2:
				p.mask[i] = r.Uint64() & r.Uint64() & r.Uint64()
			}
		}
		for i := range p.values {
			p.values[i] = r.Uint64()
		}
		for i := range 64 * len(p.mask) {
			if p.mask[i/64]>>(i%64)&1 == 1 {
				p.chosen = append(p.chosen, i)
			}
		}
		plainKernels(round%2 == 1)
		for _, width := range []int{1, 2, 4, 8} {
			p.pickValues(width)
		}
		p.pickDoubles()
		p.pickBits()
	}
}

func (p *picking) pickValues(width int) {
	in := vector.Raw(p.values)
	room := len(p.chosen) + p.r.IntN(3)
	out := make([]byte, room*width+64)
	for i := range out {
		out[i] = 0xa5
	}
	pickValues(width, unsafe.Pointer(&out[0]), room, p.values, p.mask)
	for k, i := range p.chosen {
		if string(out[k*width:(k+1)*width]) != string(in[i*width:(i+1)*width]) {
			p.t.Fatalf("width %d: value %d is not row %d", width, k, i)
		}
	}
	for i, b := range out[room*width:] {
		if b != 0xa5 {
			p.t.Fatalf("width %d: byte %d past the room was written to", width, i)
		}
	}
}

func (p *picking) pickDoubles() {
	room := len(p.chosen) + p.r.IntN(3)
	doubles, floats := make([]float64, room+8), unsafe.Slice((*float32)(unsafe.Pointer(&p.values[0])), vectorRows)
	pickDoubles(unsafe.Pointer(&doubles[0]), room, p.values, p.mask)
	for k, i := range p.chosen {
		if want := float64(floats[i]); math.Float64bits(doubles[k]) != math.Float64bits(want) {
			p.t.Fatalf("double %d is %v, not %v as row %d", k, doubles[k], want, i)
		}
	}
	for i, f := range doubles[room:] {
		if f != 0 {
			p.t.Fatalf("double %d past the room was written to", i)
		}
	}
}

func (p *picking) pickBits() {
	valid := make([]uint64, words)
	for i := range valid {
		valid[i] = p.r.Uint64()
	}
	at := p.r.IntN(vectorRows - len(p.chosen) + 1)
	to := make([]uint64, words+1)
	for i := range to {
		to[i] = ^uint64(0)
	}
	for i := range at {
		if i%3 == 0 {
			to[i/64] &^= 1 << (i % 64)
		}
	}
	before := append([]uint64{}, to...)
	pickBits(unsafe.Pointer(&to[0]), at, valid, p.mask)
	for i := range 64 * len(to) {
		want := before[i/64] >> (i % 64) & 1
		if i >= at && i < at+len(p.chosen) {
			row := p.chosen[i-at]
			want = valid[row/64] >> (row % 64) & 1
		}
		if to[i/64]>>(i%64)&1 != want {
			p.t.Fatalf("bit %d, %d bits from %d on", i, len(p.chosen), at)
		}
	}
}
