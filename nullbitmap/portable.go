package nullbitmap

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
)

// The portable kernels. They look at eight bytes at a time, loaded little-endian whatever the machine is.
//
// A test kernel turns len(dst)*8 elements into len(dst) bytes of validity bits and returns the number of ones written.
// Each byte that it writes is and-ed with old | keep, where keep is 0 (intersect) or 255 (overwrite).

// gather8 collects the top bit of each byte of x (which has no other bits) into one byte, the first byte's lowest.
func gather8(x uint64) byte {
	return byte(x >> 7 * 0x0102040810204080 >> 56)
}

// gather4 does so for the top bits of four 16-bit lanes.
func gather4(x uint64) byte {
	return byte(x >> 15 * (1<<48 | 1<<33 | 1<<18 | 1<<3) >> 48 & 15)
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

func portableMasked1(dst, src []byte, t *test, keep byte) (ones int) {
	and, cmp, flip := t.and*0x0101010101010101, t.cmp*0x0101010101010101, byte(t.flip)
	src = src[:len(dst)*8]
	for i := range dst {
		x := binary.LittleEndian.Uint64(src[i*8:])
		b := (gather8(nonzero8(x&and^cmp)) ^ flip) & (dst[i] | keep)
		dst[i] = b
		ones += bits.OnesCount8(b)
	}
	return ones
}

func portableMasked2(dst, src []byte, t *test, keep byte) (ones int) {
	and, cmp, flip := t.and*0x0001000100010001, t.cmp*0x0001000100010001, byte(t.flip)
	src = src[:len(dst)*16]
	for i := range dst {
		x := binary.LittleEndian.Uint64(src[i*16:])
		y := binary.LittleEndian.Uint64(src[i*16+8:])
		b := gather4(nonzero4(x&and^cmp)) | gather4(nonzero4(y&and^cmp))<<4
		b = (b ^ flip) & (dst[i] | keep)
		dst[i] = b
		ones += bits.OnesCount8(b)
	}
	return ones
}

func portableMasked4(dst, src []byte, t *test, keep byte) (ones int) {
	and, cmp, flip := t.and*0x0000000100000001, t.cmp*0x0000000100000001, byte(t.flip)
	src = src[:len(dst)*32]
	for i := range dst {
		s := src[i*32 : i*32+32]
		var b uint64
		for j := 24; j >= 0; j -= 8 {
			x := nonzero2(binary.LittleEndian.Uint64(s[j:])&and ^ cmp)
			b = b<<2 | x>>31&1 | x>>62&2
		}
		c := (byte(b) ^ flip) & (dst[i] | keep)
		dst[i] = c
		ones += bits.OnesCount8(c)
	}
	return ones
}

func portableMasked8(dst, src []byte, t *test, keep byte) (ones int) {
	and, cmp, flip := t.and, t.cmp, byte(t.flip)
	src = src[:len(dst)*64]
	for i := range dst {
		s := src[i*64 : i*64+64]
		var b uint64
		for j := 56; j >= 0; j -= 8 {
			x := binary.LittleEndian.Uint64(s[j:])&and ^ cmp
			b = b<<1 | (x|-x)>>63
		}
		c := (byte(b) ^ flip) & (dst[i] | keep)
		dst[i] = c
		ones += bits.OnesCount8(c)
	}
	return ones
}

// portableEach runs any test, element by element.
func portableEach(dst, src []byte, t *test, keep byte) (ones int) {
	w := t.width
	src = src[:len(dst)*8*w]
	for i := range dst {
		var b byte
		for j := 0; j < 8; j++ {
			if t.valid(src[(i*8+j)*w : (i*8+j+1)*w]) {
				b |= 1 << j
			}
		}
		b &= dst[i] | keep
		dst[i] = b
		ones += bits.OnesCount8(b)
	}
	return ones
}

// portableInside8 is opInside for 8 bytes, the others widen to it.
func portableInside(dst, src []byte, t *test, keep byte) (ones int) {
	w := t.width
	src = src[:len(dst)*8*w]
	and, bias, lo, hi := t.and, t.bias, t.lo, t.hi
	var lanes [8]uint64
	for i := range dst {
		t.load8(&lanes, src[i*8*w:(i+1)*8*w])
		var b byte
		for j, v := range lanes {
			x := signExtend(v&and^bias, w)
			if lo <= x && x <= hi {
				b |= 1 << j
			}
		}
		b &= dst[i] | keep
		dst[i] = b
		ones += bits.OnesCount8(b)
	}
	return ones
}

func portableFloat(dst, src []byte, t *test, keep byte) (ones int) {
	w := t.width
	src = src[:len(dst)*8*w]
	lo, hi := t.flo, t.fhi
	var lanes [8]uint64
	for i := range dst {
		t.load8(&lanes, src[i*8*w:(i+1)*8*w])
		var b byte
		for j, v := range lanes {
			x := floatOf(v, w)
			if !(x < lo || x > hi) {
				b |= 1 << j
			}
		}
		b &= dst[i] | keep
		dst[i] = b
		ones += bits.OnesCount8(b)
	}
	return ones
}

// load8 loads eight elements of 1 to 8 bytes as little-endian numbers, swapped where the test says so.
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
