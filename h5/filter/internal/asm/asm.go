// Package asm has the loops over bytes that are worth vector instructions: undoing byte and bit shuffles, and checksums.
//
// Each has a portable version, which is used on other processors, on those without AVX2, and with the build tag purego. The
// assembly is generated: see the directory gen.
package asm

import "encoding/binary"

//go:generate go run -C gen . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg asm

// tile is the number of bytes of wide elements that are written column by column before the next ones.
const tile = 16 << 10

// Unshuffle undoes the byte shuffle of elements of width bytes: src holds the first bytes of all elements, then the
// second bytes of all, and so on; bytes that do not fill an element follow unchanged. dst is as long as src and does not
// overlap it.
func Unshuffle(dst, src []byte, width int) {
	n := 0
	if width > 1 {
		n = len(src) / width
	}
	if n < 2 {
		copy(dst, src)
		return
	}
	dst = dst[:len(src)]
	if done := unshuffleFast(dst, src, width, n); done < n {
		unshuffle(dst, src[:n*width], width, n, done)
	}
	copy(dst[n*width:], src[n*width:])
}

// BitUnshuffle undoes the bit shuffle of n elements of width bytes, n being a multiple of 8: src holds the lowest bits
// of the first bytes of all elements, eight to a byte, then their second lowest bits, and so on to the highest bits of
// the last bytes. dst and tmp have at least n*width bytes; none of the three overlap.
func BitUnshuffle(dst, src, tmp []byte, n, width int) {
	planes := tmp[:n*width]
	if width == 1 {
		planes = dst[:n]
	}
	for j := range width {
		p, rows := planes[j*n:(j+1)*n], src[j*n:(j+1)*n]
		bitPlane(p, rows, bitPlaneFast(p, rows))
	}
	if width > 1 {
		Unshuffle(dst[:n*width], planes, width)
	}
}

// bitPlane writes the bytes from done on of one plane of len(dst) bytes, from its eight rows of bits.
func bitPlane(dst, rows []byte, done int) {
	unshuffle8(dst, rows, 8, len(dst)/8, done/8)
	for b := dst[done:]; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, transpose8(binary.LittleEndian.Uint64(b)))
	}
}

// transpose8 swaps rows and columns of a matrix of 8 by 8 bits.
func transpose8(x uint64) uint64 {
	t := (x ^ x>>7) & 0x00aa00aa00aa00aa
	x ^= t ^ t<<7
	t = (x ^ x>>14) & 0x0000cccc0000cccc
	x ^= t ^ t<<14
	t = (x ^ x>>28) & 0x00000000f0f0f0f0
	return x ^ t ^ t<<28
}

// unshuffle writes elements done to n-1.
func unshuffle(dst, src []byte, width, n, done int) {
	switch width {
	case 2:
		unshuffle2(dst, src, width, n, done)
	case 4:
		unshuffle4(dst, src, width, n, done)
	case 8:
		unshuffle8(dst, src, width, n, done)
	default:
		// Columns of 8, 4, 2 bytes; the last column overlaps the one before it rather than being narrower.
		column, size := unshuffle2, 2
		switch {
		case width >= 8:
			column, size = unshuffle8, 8
		case width >= 4:
			column, size = unshuffle4, 4
		}
		// A few elements at a time, so that all their columns are written in the cache.
		step := max(tile/width, 8)
		for lo := done; lo < n; lo += step {
			hi := min(lo+step, n)
			for j := 0; j < width; j += size {
				j := min(j, width-size)
				column(dst[j:hi*width], src[j*n:(j+size)*n-(n-hi)], width, n, lo)
			}
		}
	}
}

// The columns: bytes 0 to 7, 3, 1 of the elements from done on, as many as dst and src have room for; plane k is at
// k*n in src, and elements are width bytes apart in dst.

func unshuffle8(dst, src []byte, width, n, done int) {
	last := len(src) - 7*n
	p0, p1, p2, p3 := src[:last], src[n:n+last], src[2*n:2*n+last], src[3*n:3*n+last]
	p4, p5, p6, p7 := src[4*n:4*n+last], src[5*n:5*n+last], src[6*n:6*n+last], src[7*n:7*n+last]
	i := done
	for ; i <= last-8; i += 8 {
		// Eight bytes of each plane, turned like a matrix.
		a0, a1 := swap8(load(p0[i:]), load(p1[i:]))
		a2, a3 := swap8(load(p2[i:]), load(p3[i:]))
		a4, a5 := swap8(load(p4[i:]), load(p5[i:]))
		a6, a7 := swap8(load(p6[i:]), load(p7[i:]))
		a0, a2 = swap16(a0, a2)
		a1, a3 = swap16(a1, a3)
		a4, a6 = swap16(a4, a6)
		a5, a7 = swap16(a5, a7)
		d := dst[i*width:]
		store(d, a0&0xffffffff|a4<<32)
		store(d[width:], a1&0xffffffff|a5<<32)
		store(d[2*width:], a2&0xffffffff|a6<<32)
		store(d[3*width:], a3&0xffffffff|a7<<32)
		d = d[4*width:]
		store(d, a0>>32|a4&^0xffffffff)
		store(d[width:], a1>>32|a5&^0xffffffff)
		store(d[2*width:], a2>>32|a6&^0xffffffff)
		store(d[3*width:], a3>>32|a7&^0xffffffff)
	}
	for ; i < last; i++ {
		store(dst[i*width:], uint64(p0[i])|uint64(p1[i])<<8|uint64(p2[i])<<16|uint64(p3[i])<<24|
			uint64(p4[i])<<32|uint64(p5[i])<<40|uint64(p6[i])<<48|uint64(p7[i])<<56)
	}
}

func unshuffle4(dst, src []byte, width, n, done int) {
	last := len(src) - 3*n
	p0, p1, p2, p3 := src[:last], src[n:n+last], src[2*n:2*n+last], src[3*n:3*n+last]
	i := done
	for ; i <= last-8; i += 8 {
		a0, a1 := swap8(load(p0[i:]), load(p1[i:]))
		a2, a3 := swap8(load(p2[i:]), load(p3[i:]))
		a0, a2 = swap16(a0, a2)
		a1, a3 = swap16(a1, a3)
		d := dst[i*width:]
		binary.LittleEndian.PutUint32(d, uint32(a0))
		binary.LittleEndian.PutUint32(d[width:], uint32(a1))
		binary.LittleEndian.PutUint32(d[2*width:], uint32(a2))
		binary.LittleEndian.PutUint32(d[3*width:], uint32(a3))
		d = d[4*width:]
		binary.LittleEndian.PutUint32(d, uint32(a0>>32))
		binary.LittleEndian.PutUint32(d[width:], uint32(a1>>32))
		binary.LittleEndian.PutUint32(d[2*width:], uint32(a2>>32))
		binary.LittleEndian.PutUint32(d[3*width:], uint32(a3>>32))
	}
	for ; i < last; i++ {
		binary.LittleEndian.PutUint32(dst[i*width:], uint32(p0[i])|uint32(p1[i])<<8|uint32(p2[i])<<16|uint32(p3[i])<<24)
	}
}

func unshuffle2(dst, src []byte, width, n, done int) {
	last := len(src) - n
	p0, p1 := src[:last], src[n:n+last]
	i := done
	if width == 2 {
		for ; i <= last-8; i += 8 {
			a, b := swap8(load(p0[i:]), load(p1[i:])) // elements 0, 2, 4, 6 and 1, 3, 5, 7
			a, b = swap16(a, b)                       // 0, 1, 4, 5 and 2, 3, 6, 7
			store(dst[2*i:], a&0xffffffff|b<<32)
			store(dst[2*i+8:], a>>32|b&^0xffffffff)
		}
	}
	for ; i < last; i++ {
		binary.LittleEndian.PutUint16(dst[i*width:], uint16(p0[i])|uint16(p1[i])<<8)
	}
}

func load(b []byte) uint64     { return binary.LittleEndian.Uint64(b) }
func store(b []byte, v uint64) { binary.LittleEndian.PutUint64(b, v) }

// swap8 exchanges the odd bytes of a with the even ones of b; swap16 exchanges pairs of bytes.
func swap8(a, b uint64) (uint64, uint64) {
	t := (a>>8 ^ b) & 0x00ff00ff00ff00ff
	return a ^ t<<8, b ^ t
}

func swap16(a, b uint64) (uint64, uint64) {
	t := (a>>16 ^ b) & 0x0000ffff0000ffff
	return a ^ t<<16, b ^ t
}

// sumPart is the number of bytes that are added up at a time. The sums of the vector instructions do not overflow.
const sumPart = 1 << 18

// Adler32 returns the Adler-32 checksum of b.
func Adler32(b []byte) uint32 {
	const mod = 65521
	s1, s2 := uint64(1), uint64(0)
	for len(b) > 0 {
		part := b[:min(len(b), sumPart)]
		b = b[len(part):]
		sum, weighted := adlerSums(part)
		s2 = (s2 + uint64(len(part))*s1 + weighted) % mod
		s1 = (s1 + sum) % mod
	}
	return uint32(s2)<<16 | uint32(s1)
}

// adlerMore continues sums over b.
func adlerMore(b []byte, sum, weighted uint64) (uint64, uint64) {
	for ; len(b) >= 4; b = b[4:] {
		v0, v1, v2, v3 := uint64(b[0]), uint64(b[1]), uint64(b[2]), uint64(b[3])
		weighted += 4*sum + 4*v0 + 3*v1 + 2*v2 + v3
		sum += v0 + v1 + v2 + v3
	}
	for _, v := range b {
		sum += uint64(v)
		weighted += sum
	}
	return sum, weighted
}

// Fletcher32 returns HDF5's variant of Fletcher's checksum of b: over big-endian 16-bit words, an odd byte being the
// upper half of a last one, modulo 65535, where a sum that is a multiple of that is 0 only if all words are.
func Fletcher32(b []byte) uint32 {
	var s1, s2 uint64
	for len(b) >= 2 {
		part := b[:min(len(b)&^1, sumPart)]
		b = b[len(part):]
		sum, weighted := fletcherSums(part)
		s2 = fold(s2 + uint64(len(part)/2)*s1 + weighted)
		s1 = fold(s1 + sum)
	}
	if len(b) == 1 {
		s1 = fold(s1 + uint64(b[0])<<8)
		s2 = fold(s2 + s1)
	}
	return uint32(s2)<<16 | uint32(s1)
}

// fletcherMore continues sums over b, whose length is even.
func fletcherMore(b []byte, sum, weighted uint64) (uint64, uint64) {
	for ; len(b) >= 8; b = b[8:] {
		v := binary.BigEndian.Uint64(b)
		w0, w1, w2, w3 := v>>48, v>>32&0xffff, v>>16&0xffff, v&0xffff
		weighted += 4*sum + 4*w0 + 3*w1 + 2*w2 + w3
		sum += w0 + w1 + w2 + w3
	}
	for ; len(b) >= 2; b = b[2:] {
		sum += uint64(binary.BigEndian.Uint16(b))
		weighted += sum
	}
	return sum, weighted
}

// fold reduces x modulo 65535 to 1..65535, and 0 to 0.
func fold(x uint64) uint64 {
	for x > 0xffff {
		x = x&0xffff + x>>16
	}
	return x
}
