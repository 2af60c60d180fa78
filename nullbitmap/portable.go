package nullbitmap

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
)

// The portable kernels. They process eight bytes at a time, loaded as little-endian on every machine.
//
// A test kernel turns len(dst)*8 elements into len(dst) bytes of validity bits and returns the number of ones written.
// What it writes is and-ed with old | keep, where keep is 0 (intersect) or all ones (overwrite).

// gather8 collects the top bit of each byte of x (which has no other bits) into one byte, the first byte's lowest.
func gather8(x uint64) uint64 {
	return x >> 7 * 0x0102040810204080 >> 56
}

// gather4 is gather8 for the top bits of four 16-bit lanes.
func gather4(x uint64) uint64 {
	return x >> 15 * (1<<48 | 1<<33 | 1<<18 | 1<<3) >> 48 & 15
}

// nonzero8, nonzero4, nonzero2 set the top bit of each lane of 1, 2, 4 bytes that is not zero, and no other bit.
func nonzero8(x uint64) uint64 {
	const low = 0x7f7f7f7f7f7f7f7f
	return (x&low + low | x) &^ low
}

func nonzero4(x uint64) uint64 {
	const low = 0x7fff7fff7fff7fff
	return (x&low + low | x) &^ low
}

func nonzero2(x uint64) uint64 {
	const low = 0x7fffffff7fffffff
	return (x&low + low | x) &^ low
}

// store ands bits, one word or what is left at the end of dst, with old | keep, stores them and counts the ones.
func store(dst []byte, word, keep uint64) (ones int) {
	if len(dst) >= 8 {
		word &= binary.LittleEndian.Uint64(dst) | keep
		binary.LittleEndian.PutUint64(dst, word)
		return bits.OnesCount64(word)
	}
	word &= (loadN(dst) | keep) & lowBits(8*len(dst))
	for i := range dst {
		dst[i] = byte(word >> uint(8*i))
	}
	return bits.OnesCount64(word)
}

func portableMasked1(dst, src []byte, t *test, keep uint64) (ones int) {
	and, cmp, flip := t.and*0x0101010101010101, t.cmp*0x0101010101010101, t.flip
	for ; len(dst) >= 8; dst, src = dst[8:], src[64:] {
		ones += store(dst, differing1((*[64]byte)(src), and, cmp)^flip, keep)
	}
	if len(dst) > 0 {
		var end [64]byte
		copy(end[:], src)
		ones += store(dst, differing1(&end, and, cmp)^flip, keep)
	}
	return ones
}

// differing1 has a bit set for each byte that differs from cmp; so do the others for wider elements. This one, for byte
// masks, is unrolled, which makes it a third faster.
func differing1(s *[64]byte, and, cmp uint64) (word uint64) {
	a := gather8(nonzero8(binary.LittleEndian.Uint64(s[0:])&and ^ cmp))
	b := gather8(nonzero8(binary.LittleEndian.Uint64(s[8:])&and ^ cmp))
	c := gather8(nonzero8(binary.LittleEndian.Uint64(s[16:])&and ^ cmp))
	d := gather8(nonzero8(binary.LittleEndian.Uint64(s[24:])&and ^ cmp))
	e := gather8(nonzero8(binary.LittleEndian.Uint64(s[32:])&and ^ cmp))
	f := gather8(nonzero8(binary.LittleEndian.Uint64(s[40:])&and ^ cmp))
	g := gather8(nonzero8(binary.LittleEndian.Uint64(s[48:])&and ^ cmp))
	h := gather8(nonzero8(binary.LittleEndian.Uint64(s[56:])&and ^ cmp))
	return a | b<<8 | c<<16 | d<<24 | e<<32 | f<<40 | g<<48 | h<<56
}

func portableMasked2(dst, src []byte, t *test, keep uint64) (ones int) {
	and, cmp, flip := t.and*0x0001000100010001, t.cmp*0x0001000100010001, t.flip
	for ; len(dst) >= 8; dst, src = dst[8:], src[128:] {
		ones += store(dst, differing2((*[128]byte)(src), and, cmp)^flip, keep)
	}
	if len(dst) > 0 {
		var end [128]byte
		copy(end[:], src)
		ones += store(dst, differing2(&end, and, cmp)^flip, keep)
	}
	return ones
}

func differing2(s *[128]byte, and, cmp uint64) (word uint64) {
	for i := 120; i >= 0; i -= 8 {
		word = word<<4 | gather4(nonzero4(binary.LittleEndian.Uint64(s[i:i+8])&and^cmp))
	}
	return word
}

func portableMasked4(dst, src []byte, t *test, keep uint64) (ones int) {
	and, cmp, flip := t.and*0x0000000100000001, t.cmp*0x0000000100000001, t.flip
	for ; len(dst) >= 8; dst, src = dst[8:], src[256:] {
		ones += store(dst, differing4((*[256]byte)(src), and, cmp)^flip, keep)
	}
	if len(dst) > 0 {
		var end [256]byte
		copy(end[:], src)
		ones += store(dst, differing4(&end, and, cmp)^flip, keep)
	}
	return ones
}

func differing4(s *[256]byte, and, cmp uint64) (word uint64) {
	for i := 248; i >= 0; i -= 8 {
		x := nonzero2(binary.LittleEndian.Uint64(s[i:i+8])&and ^ cmp)
		word = word<<2 | x>>31&1 | x>>62
	}
	return word
}

func portableMasked8(dst, src []byte, t *test, keep uint64) (ones int) {
	and, cmp, flip := t.and, t.cmp, t.flip
	for ; len(dst) >= 8; dst, src = dst[8:], src[512:] {
		ones += store(dst, differing8((*[512]byte)(src), and, cmp)^flip, keep)
	}
	if len(dst) > 0 {
		var end [512]byte
		copy(end[:], src)
		ones += store(dst, differing8(&end, and, cmp)^flip, keep)
	}
	return ones
}

func differing8(s *[512]byte, and, cmp uint64) (word uint64) {
	for i := 504; i >= 0; i -= 8 {
		x := binary.LittleEndian.Uint64(s[i:i+8])&and ^ cmp
		word = word<<1 | (x|-x)>>63
	}
	return word
}

// portableInside turns the range into one unsigned comparison, x - lo <= hi - lo, at the upper end of a word, where no
// sign needs to be extended.
func portableInside(dst, src []byte, t *test, keep uint64) (ones int) {
	w := t.width
	up := uint(64-8*w) & 63
	and, bias, lo, span := t.and, t.bias, uint64(t.lo)<<up, uint64(t.hi-t.lo)<<up
	empty := uint64(0)
	if t.lo > t.hi {
		empty = ^uint64(0)
	}
	var lanes [8]uint64
	for len(dst) > 0 {
		c := min(len(dst), 8)
		var word uint64
		for i := c - 1; i >= 0; i-- {
			t.load8(&lanes, src[i*8*w:(i+1)*8*w])
			for j := 7; j >= 0; j-- {
				_, out := bits.Sub64(span, (lanes[j]&and^bias)<<up-lo, 0)
				word = word<<1 | out
			}
		}
		ones += store(dst[:c], ^(word | empty), keep)
		dst, src = dst[c:], src[c*8*w:]
	}
	return ones
}

func portableFloat(dst, src []byte, t *test, keep uint64) (ones int) {
	w, lo, hi := t.width, t.flo, t.fhi
	var lanes [8]uint64
	for len(dst) > 0 {
		c := min(len(dst), 8)
		var word uint64
		for i := c - 1; i >= 0; i-- {
			t.load8(&lanes, src[i*8*w:(i+1)*8*w])
			for j := 7; j >= 0; j-- {
				x := floatOf(lanes[j], w)
				var below, above uint64
				if x < lo {
					below = 1
				}
				if x > hi {
					above = 1
				}
				word = word<<1 | below | above
			}
		}
		ones += store(dst[:c], ^word, keep)
		dst, src = dst[c:], src[c*8*w:]
	}
	return ones
}

// portableEach runs any test, element by element.
func portableEach(dst, src []byte, t *test, keep uint64) (ones int) {
	w := t.width
	for i := range dst {
		var b uint64
		for j := 7; j >= 0; j-- {
			b <<= 1
			if t.valid(src[(i*8+j)*w : (i*8+j+1)*w]) {
				b |= 1
			}
		}
		ones += store(dst[i:i+1], b, keep)
	}
	return ones
}

// load8 loads eight elements of 1 to 8 bytes as little-endian numbers, swapped where t.swap is set.
func (t *test) load8(lanes *[8]uint64, src []byte) {
	switch w := t.width; w {
	case 1:
		for j := range lanes {
			lanes[j] = uint64(src[j])
		}
		return
	case 2:
		for j := range lanes {
			lanes[j] = uint64(binary.LittleEndian.Uint16(src[2*j:]))
		}
	case 4:
		for j := range lanes {
			lanes[j] = uint64(binary.LittleEndian.Uint32(src[4*j:]))
		}
	case 8:
		for j := range lanes {
			lanes[j] = binary.LittleEndian.Uint64(src[8*j:])
		}
	default:
		for j := range lanes {
			lanes[j] = loadN(src[w*j : w*j+w])
		}
	}
	if t.swap {
		for j := range lanes {
			lanes[j] = swapN(lanes[j], t.width)
		}
	}
}

func floatOf(raw uint64, width int) float64 {
	switch width {
	case 8:
		return math.Float64frombits(raw)
	case 4:
		return float64(math.Float32frombits(uint32(raw)))
	}
	return halfFloat(uint16(raw))
}

// valid runs the test on one element. It is the definition of what kernels compute.
func (t *test) valid(e []byte) bool {
	if t.op == opBytes {
		if t.sentinel != nil {
			return !bytes.Equal(e, t.sentinel)
		}
		var any byte
		for _, b := range e {
			any |= b
		}
		return any != 0 != t.setNull
	}
	x := loadN(e)
	if t.op == opMasked {
		return (x&t.and != t.cmp) != (t.flip != 0)
	}
	if t.swap {
		x = swapN(x, t.width)
	}
	if t.op == opFloat {
		v := floatOf(x, t.width)
		return !(v < t.flo || v > t.fhi)
	}
	v := signExtend(x&t.and^t.bias, t.width)
	return t.lo <= v && v <= t.hi
}

func portableExpand1(dst, src []byte, flip byte, one uint64) {
	dst = dst[:len(src)*8]
	for i, b := range src {
		x := uint64(b^flip) * 0x0101010101010101 & 0x8040201008040201
		binary.LittleEndian.PutUint64(dst[i*8:], nonzero8(x)>>7*(one&0xff))
	}
}

// portableExpandBy makes the kernel for elements of w bytes.
func portableExpandBy(w int) expandKernel {
	return func(dst, src []byte, flip byte, one uint64) {
		for i, b := range src {
			expandByte(dst[i*8*w:(i+1)*8*w], b^flip, w, one)
		}
	}
}

// expandByte writes len(dst)/w elements for the low bits of b.
func expandByte(dst []byte, b byte, w int, one uint64) {
	switch w {
	case 1:
		for i := range dst {
			dst[i] = byte(one) & -(b >> uint(i) & 1)
		}
	case 2:
		for ; len(dst) >= 2; dst, b = dst[2:], b>>1 {
			binary.LittleEndian.PutUint16(dst, uint16(one)&-uint16(b&1))
		}
	case 4:
		for ; len(dst) >= 4; dst, b = dst[4:], b>>1 {
			binary.LittleEndian.PutUint32(dst, uint32(one)&-uint32(b&1))
		}
	case 8:
		for ; len(dst) >= 8; dst, b = dst[8:], b>>1 {
			binary.LittleEndian.PutUint64(dst, one&-uint64(b&1))
		}
	default:
		for ; len(dst) >= w; dst, b = dst[w:], b>>1 {
			v := one & -uint64(b&1)
			for i := range dst[:w] {
				dst[i] = byte(v >> uint(8*i))
			}
		}
	}
}
