package filter

import (
	"encoding/binary"

	"github.com/h5arrow/h5arrow/h5/filter/internal/asm"
)

// lzo is filter 305, as PyTables uses it: an LZO1X stream, then, if it was built so, the Adler-32 checksum of the
// decoded bytes (4 bytes) and their number (4).
type lzo struct{}

func newLZO([]uint32) (decoder, error) { return lzo{}, nil }

func (lzo) bound(n int) (int, bool) { return n + n>>3 + 256, false }

func (lzo) decode(_ *State, dst, src []byte) (int, error) {
	n, taken, err := lzoDecode(dst, src)
	if err != nil {
		return n, err
	}
	if rest := src[taken:]; len(rest) >= 8 && asm.Adler32(dst[:n]) != binary.LittleEndian.Uint32(rest) {
		return n, corrupt("the checksum differs")
	}
	return n, nil
}

// lzoDecode decodes LZO1X. An instruction is a byte:
//
//	1LLDDDSS   length 5+L, distance 1+D+8*next byte
//	01LDDDSS   length 3+L, distance 1+D+8*next byte
//	001LLLLL   length 2+L, distance 1+D in the next two bytes, DDDDDDSS DDDDDDDD
//	0001HLLL   length 2+L, distance 16384*(1+H)+D likewise; 16384 is the end
//	0000xxxx   after no literals: 3+x literals; after one to three: length 2, distance 1+D+4*next byte; after more:
//	           length 3, distance 2049+D+4*next byte (xxxx being DDSS)
//
// If all bits of a length are zero, it continues: 255 for each zero byte that follows, plus the first other byte. S is the number
// of literals after the match. The first byte may instead be a number of literals that come first.
func lzoDecode(dst, src []byte) (written, taken int, err error) {
	in, out := 0, 0
	state := 0 // number of literals before this instruction: 0, 1 to 3, 4 for more
	literals := 0
	if len(src) > 0 && src[0] > 17 {
		literals = int(src[0]) - 17
		in = 1
		state = min(literals, 4)
	}
	for {
		if literals > 0 {
			switch {
			case in > len(src) || literals > len(src)-in:
				return out, in, errShort
			case literals > len(dst)-out:
				return out, in, errTooLong
			}
			copy(dst[out:], src[in:in+literals])
			in += literals
			out += literals
			literals = 0
		}
		if in > len(src)-2 { // the minimum length of an instruction
			return out, in, errShort
		}
		c := int(src[in])
		in++
		n, dist, next := 2, 1, c&3
		switch {
		case c >= 64:
			n = c>>5 + 1
			dist = 1 + c>>2&7 + int(src[in])<<3
			in++
		case c >= 16:
			low := 7
			if c >= 32 {
				low = 31
			}
			n, in = lzoLength(src, in, c&low, low)
			n += 2
			if in > len(src)-2 {
				return out, in, errShort
			}
			d := int(binary.LittleEndian.Uint16(src[in:]))
			in += 2
			next = d & 3
			dist = d>>2 + 1
			if c < 32 {
				dist += 16383 + c&8<<11
			}
			if c < 32 && dist == 16384 {
				if n != 3 {
					err = corrupt("a bad end")
				}
				return out, in, err
			}
		case state == 0:
			literals, in = lzoLength(src, in, c, 15)
			literals += 3
			state = 4
			continue
		default:
			if state == 4 {
				n, dist = 3, 2049
			}
			dist += c>>2 + int(src[in])<<2
			in++
		}
		switch {
		case dist > out:
			return out, in, corrupt("a match starts before the data")
		case n > len(dst)-out:
			return out, in, errTooLong
		}
		copyMatch(dst, out, dist, n)
		out += n
		literals, state = next, next
	}
}

// lzoLength returns a length whose bits in the instruction are n, at most max, and the offset in src after it. Past the end of
// src, that is an offset that the next read refuses.
func lzoLength(src []byte, in, n, max int) (length, next int) {
	if n != 0 {
		return n, in
	}
	for in < len(src) && src[in] == 0 {
		n += 255
		in++
	}
	if in >= len(src) {
		return n + max, len(src) + 1
	}
	return n + int(src[in]) + max, in + 1
}
