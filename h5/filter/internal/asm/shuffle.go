package asm

// Shuffle is the inverse of Unshuffle: it writes the first bytes of all elements of width bytes to dst, then the second bytes of
// all, and so on; bytes that do not fill an element follow unchanged. dst is as long as src and does not overlap it.
func Shuffle(dst, src []byte, width int) {
	n := 0
	if width > 1 {
		n = len(src) / width
	}
	if n < 2 {
		copy(dst, src)
		return
	}
	dst = dst[:len(src)]
	whole := src[:n*width]
	k := 0
	for ; k+8 <= width; k += 8 {
		shuffle8(dst[k*n:], whole[k:], width, n)
	}
	if k+4 <= width {
		shuffle4(dst[k*n:], whole[k:], width, n)
		k += 4
	}
	for ; k < width; k++ {
		plane := dst[k*n : (k+1)*n]
		for i, at := 0, k; i < n; i, at = i+1, at+width {
			plane[i] = whole[at]
		}
	}
	copy(dst[n*width:], src[n*width:])
}

// shuffle8 writes eight planes of n bytes from the first eight bytes of elements that are width bytes apart.
func shuffle8(dst, src []byte, width, n int) {
	i := 0
	for ; i <= n-8; i += 8 {
		s := src[i*width:]
		a0, a1 := swap8(load(s), load(s[width:]))
		a2, a3 := swap8(load(s[2*width:]), load(s[3*width:]))
		a4, a5 := swap8(load(s[4*width:]), load(s[5*width:]))
		a6, a7 := swap8(load(s[6*width:]), load(s[7*width:]))
		a0, a2 = swap16(a0, a2)
		a1, a3 = swap16(a1, a3)
		a4, a6 = swap16(a4, a6)
		a5, a7 = swap16(a5, a7)
		store(dst[i:], a0&0xffffffff|a4<<32)
		store(dst[n+i:], a1&0xffffffff|a5<<32)
		store(dst[2*n+i:], a2&0xffffffff|a6<<32)
		store(dst[3*n+i:], a3&0xffffffff|a7<<32)
		store(dst[4*n+i:], a0>>32|a4&^0xffffffff)
		store(dst[5*n+i:], a1>>32|a5&^0xffffffff)
		store(dst[6*n+i:], a2>>32|a6&^0xffffffff)
		store(dst[7*n+i:], a3>>32|a7&^0xffffffff)
	}
	for ; i < n; i++ {
		for k := range 8 {
			dst[k*n+i] = src[i*width+k]
		}
	}
}

// shuffle4 is shuffle8 for four planes.
func shuffle4(dst, src []byte, width, n int) {
	load4 := func(b []byte) uint64 { return uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 }
	i := 0
	for ; i <= n-8; i += 8 {
		s := src[i*width:]
		a0, a1 := swap8(load4(s)|load4(s[4*width:])<<32, load4(s[width:])|load4(s[5*width:])<<32)
		a2, a3 := swap8(load4(s[2*width:])|load4(s[6*width:])<<32, load4(s[3*width:])|load4(s[7*width:])<<32)
		a0, a2 = swap16(a0, a2)
		a1, a3 = swap16(a1, a3)
		store(dst[i:], a0)
		store(dst[n+i:], a1)
		store(dst[2*n+i:], a2)
		store(dst[3*n+i:], a3)
	}
	for ; i < n; i++ {
		for k := range 4 {
			dst[k*n+i] = src[i*width+k]
		}
	}
}

// BitShuffle is the inverse of BitUnshuffle. dst and tmp have at least n*width bytes; none of the three overlap.
func BitShuffle(dst, src, tmp []byte, n, width int) {
	planes, rows := tmp[:n*width], dst[:n*width]
	Shuffle(rows, src[:n*width], width)
	for at := 0; at < len(rows); at += 8 {
		store(planes[at:], transpose8(load(rows[at:])))
	}
	for j := range width {
		Shuffle(rows[j*n:(j+1)*n], planes[j*n:(j+1)*n], 8)
	}
}
