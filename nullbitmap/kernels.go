package nullbitmap

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"
)

// testKernel is described in portable.go.
type testKernel func(dst, src []byte, t *test, keep uint64) (ones int)

// expandKernel writes len(src)*8 elements, one where a bit of src ^ flip is 1, else zero.
type expandKernel func(dst, src []byte, flip byte, one uint64)

// blendKernel writes sentinel over those of groups*64 elements whose bit is 0, and returns the number of ones.
type blendKernel func(values, bitmap []byte, groups int, sentinel uint64) (ones int)

// kernels is one complete set of inner loops. Sets differ in speed, never in results.
type kernels struct {
	name   string
	test   [numOps][9]testKernel // by op and width; nil: portableEach
	expand [9]expandKernel       // by width; all of 1 to 8 are there
	blend  [9]blendKernel        // by width; nil: one null at a time
}

func portableKernels() *kernels {
	k := &kernels{name: "portable"}
	k.test[opMasked] = [9]testKernel{1: portableMasked1, 2: portableMasked2, 4: portableMasked4, 8: portableMasked8}
	for w := 1; w <= 8; w++ {
		k.test[opInside][w] = portableInside
		k.test[opFloat][w] = portableFloat
		k.expand[w] = portableExpandBy(w)
	}
	k.expand[1] = portableExpand1
	return k
}

// active is what the exported functions use: the fastest set that this machine runs.
var active = fastest(available())

func fastest(sets []*kernels) *kernels { return sets[len(sets)-1] }

func (k *kernels) kernel(t *test) testKernel {
	if t.op != opBytes {
		if f := k.test[t.op][t.width]; f != nil {
			return f
		}
	}
	return portableEach
}

// keepOf is the word that kernels or into the old bits before they intersect with them.
func keepOf(m Mode) uint64 {
	switch m {
	case Overwrite:
		return ^uint64(0)
	case Intersect:
		return 0
	}
	panic(fmt.Sprintf("nullbitmap: mode %v", m))
}

// checkBits panics unless bits [off, off+n) lie in b.
func checkBits(what string, b []byte, off, n int) {
	// No sum here overflows, whatever off and n are.
	if n < 0 || off < 0 || off > math.MaxInt-n || n>>3+(off&7+n&7+7)>>3 > len(b)-off>>3 {
		panic(fmt.Sprintf("nullbitmap: %s: %d bits from bit %d on do not lie in %d bytes", what, n, off, len(b)))
	}
}

// blockBytes is how much data several tests of one rule share while it is in the first-level cache.
const blockBytes = 4 << 10

func (k *kernels) apply(r Rule, dst []byte, off int, values []byte, m Mode) (nulls int) {
	w := r.width
	if w < 1 || len(values)%w != 0 {
		panic(fmt.Sprintf("nullbitmap: %d bytes of values under a rule for %d bytes each", len(values), w))
	}
	n := len(values) / w
	checkBits("destination", dst, off, n)
	keep := keepOf(m)
	if n == 0 {
		return 0
	}
	total := n
	if len(r.tests) == 0 {
		if m == Overwrite {
			return Fill(dst, off, n, true)
		}
		return CountNulls(dst, off, n)
	}
	dst = dst[off>>3:]
	valid := 0
	// The elements up to the first whole byte of dst, whole bytes, and the rest.
	if head := off & 7; head != 0 {
		c := min(8-head, n)
		valid += r.applyTail(&dst[0], uint(head), values[:c*w], keep)
		dst, values = dst[1:], values[c*w:]
		n -= c
	}
	whole := n >> 3
	if len(r.tests) == 1 {
		t := &r.tests[0]
		valid += k.kernel(t)(dst[:whole], values[:whole*8*w], t, keep)
	} else {
		step := max(blockBytes/(8*w), 8)
		for a := 0; a < whole; a += step {
			b := min(a+step, whole)
			ones, keep := 0, keep
			for i := range r.tests {
				t := &r.tests[i]
				ones = k.kernel(t)(dst[a:b], values[a*8*w:b*8*w], t, keep)
				keep = 0
			}
			valid += ones
		}
	}
	if n &= 7; n != 0 {
		valid += r.applyTail(&dst[whole], 0, values[whole*8*w:], keep)
	}
	return total - valid
}

// applyTail runs r over fewer than eight elements, for the bits of *b from bit on, and returns the number of ones.
func (r Rule) applyTail(b *byte, bit uint, values []byte, keep uint64) (ones int) {
	for w := r.width; len(values) > 0; values, bit = values[w:], bit+1 {
		one := byte(1) << bit
		if r.IsNull(values[:w]) {
			*b &^= one
			continue
		}
		*b |= one & byte(keep)
		ones += int(*b >> bit & 1)
	}
	return ones
}

// gatherBytes is the size of the blocks in which strided elements are packed.
const gatherBytes = 8 << 10

var gatherPool = sync.Pool{New: func() any { return new([gatherBytes]byte) }}

func (k *kernels) applyStrided(r Rule, dst []byte, off int, values []byte, stride, n int, m Mode) (nulls int) {
	w := r.width
	if w < 1 || stride < w {
		panic(fmt.Sprintf("nullbitmap: a stride of %d bytes under a rule for %d bytes each", stride, w))
	}
	checkBits("destination", dst, off, n)
	if n == 0 {
		keepOf(m)
		return 0
	}
	if len(values) < w || n-1 > (len(values)-w)/stride {
		panic(fmt.Sprintf("nullbitmap: %d elements every %d bytes do not lie in %d bytes", n, stride, len(values)))
	}
	if stride == w {
		return k.apply(r, dst, off, values[:n*w], m)
	}
	if w > gatherBytes/64 {
		for i := 0; i < n; i++ {
			nulls += k.apply(r, dst, off+i, values[i*stride:i*stride+w], m)
		}
		return nulls
	}
	buf := gatherPool.Get().(*[gatherBytes]byte)
	defer gatherPool.Put(buf)
	// All blocks but the last end at a byte of dst.
	c := gatherBytes/w&^7 - off&7
	for i := 0; i < n; c = gatherBytes / w &^ 7 {
		c = min(c, n-i)
		gather(buf[:c*w], values[i*stride:], w, stride)
		nulls += k.apply(r, dst, off+i, buf[:c*w], m)
		i += c
	}
	return nulls
}

// gather copies len(dst)/w elements of w bytes that are stride bytes apart in src.
func gather(dst, src []byte, w, stride int) {
	switch w {
	case 1:
		for i := range dst {
			dst[i] = src[i*stride]
		}
	case 2:
		for i, p := 0, 0; i+2 <= len(dst); i, p = i+2, p+stride {
			binary.NativeEndian.PutUint16(dst[i:], binary.NativeEndian.Uint16(src[p:]))
		}
	case 4:
		for i, p := 0, 0; i+4 <= len(dst); i, p = i+4, p+stride {
			binary.NativeEndian.PutUint32(dst[i:], binary.NativeEndian.Uint32(src[p:]))
		}
	case 8:
		for i, p := 0, 0; i+8 <= len(dst); i, p = i+8, p+stride {
			binary.NativeEndian.PutUint64(dst[i:], binary.NativeEndian.Uint64(src[p:]))
		}
	default:
		for i, p := 0, 0; i < len(dst); i, p = i+w, p+stride {
			copy(dst[i:i+w], src[p:])
		}
	}
}
