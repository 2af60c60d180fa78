package kernel

import "encoding/binary"

// Reaches reports whether any element of b, unsigned integers of width 1, 2, 4 or 8 bytes in the host's order, is limit
// or more. limit is at least 1 and at largest 2^63.
func Reaches(b []byte, width int, limit uint64) bool {
	ne := binary.NativeEndian
	if width < 8 && limit > 1<<(8*uint(width))-1 {
		return false
	}
	largest := limit - 1
	var over uint64 // the highest bit is set once largest is less than an element
	switch width {
	case 1:
		if limit <= 0x80 {
			more := (0x80 - limit) * ones // adds up to 0x80 and above for limit and above
			for len(b) >= 16 {
				x, y := ne.Uint64(b), ne.Uint64(b[8:])
				over |= (x&^high + more) | x | (y&^high + more) | y
				b = b[16:]
			}
			if over&high != 0 {
				return true
			}
			over = 0
		}
		for _, x := range b {
			over |= largest - uint64(x)
		}
	case 2:
		for ; len(b) >= 8; b = b[8:] {
			x := ne.Uint64(b)
			over |= (largest - x&0xffff) | (largest - x>>16&0xffff) | (largest - x>>32&0xffff) | (largest - x>>48)
		}
		for ; len(b) >= 2; b = b[2:] {
			over |= largest - uint64(ne.Uint16(b))
		}
	case 4:
		for ; len(b) >= 16; b = b[16:] {
			x, y := ne.Uint64(b), ne.Uint64(b[8:])
			over |= (largest - x&0xffffffff) | (largest - x>>32) | (largest - y&0xffffffff) | (largest - y>>32)
		}
		for ; len(b) >= 4; b = b[4:] {
			over |= largest - uint64(ne.Uint32(b))
		}
	case 8:
		for ; len(b) >= 8; b = b[8:] {
			x := ne.Uint64(b)
			over |= (largest - x) | x // an element of 2^63 or more has the bit itself
		}
	}
	return over>>63 != 0
}

// Descends reports whether any element of b but the first, signed integers of width 4 or 8 bytes in the host's order, is
// less than the one before. The first element is not negative.
func Descends(b []byte, width int) bool {
	ne := binary.NativeEndian
	var down int64 // negative when a difference was
	if width == 4 {
		if len(b) < 4 {
			return false
		}
		prev := int64(int32(ne.Uint32(b)))
		for b = b[4:]; len(b) >= 8; b = b[8:] {
			w := ne.Uint64(b)
			x, y := int64(int32(w)), int64(w)>>32
			if hostIsBig {
				x, y = y, x
			}
			down |= (x - prev) | (y - x)
			prev = y
		}
		if len(b) >= 4 {
			down |= int64(int32(ne.Uint32(b))) - prev
		}
		return down < 0
	}
	if len(b) < 8 {
		return false
	}
	prev := int64(ne.Uint64(b))
	for b = b[8:]; len(b) >= 8; b = b[8:] {
		x := int64(ne.Uint64(b))
		down |= (x - prev) | x // after none that is negative no difference overflows
		prev = x
	}
	return down < 0
}

var hostIsBig = HostIsBig()
