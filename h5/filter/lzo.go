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
// A length of which all bits are zero goes on: 255 for each zero byte that follows, and the first other byte. S is how
// many literals come after the match. The first byte may instead say how many literals come first.
func lzoDecode(dst, src []byte) (written, taken int, err error) {
	in, out := 0, 0
	long := func(n, most int) int {
		if n != 0 {
			return n
		}
		for in < len(src) && src[in] == 0 {
			n += 255
			in++
		}
		if in < len(src) {
			n += int(src[in])
			in++
		} else {
			in = len(src) + 1 // noticed by whoever reads next
		}
		return n + most
	}
	state := 0 // how many literals came last: 0, 1 to 3, 4 for more
	literals := 0
	if len(src) > 0 && src[0] > 17 {
		literals = int(src[0]) - 17
		in = 1
		state = min(literals, 4)
	}
	for {
		if literals > 0 {
			if in > len(src) || literals > len(src)-in {
				return out, in, errShort
			}
			if literals > len(dst)-out {
				return out, in, errTooLong
			}
			copy(dst[out:], src[in:in+literals])
			in += literals
			out += literals
			literals = 0
		}
		if in >= len(src) {
			return out, in, errShort
		}
		c := int(src[in])
		in++
		var n, dist, next int
		switch {
		case c >= 64:
			if in >= len(src) {
				return out, in, errShort
			}
			n = c>>5 + 1
			dist = 1 + c>>2&7 + int(src[in])<<3
			in++
			next = c & 3
		case c >= 16:
			if c >= 32 {
				n = long(c&31, 31) + 2
			} else {
				n = long(c&7, 7) + 2
			}
			if in > len(src)-2 {
				return out, in, errShort
			}
			d := int(binary.LittleEndian.Uint16(src[in:]))
			in += 2
			next = d & 3
			dist = d>>2 + 1
			if c < 32 {
				dist += 16383 + c&8<<11
				if dist == 16384 {
					if n != 3 {
						return out, in, corrupt("a bad end")
					}
					return out, in, nil
				}
			}
		case state == 0:
			literals = long(c, 15) + 3
			state = 4
			continue
		default:
			if in >= len(src) {
				return out, in, errShort
			}
			n, dist = 2, 1
			if state == 4 {
				n, dist = 3, 2049
			}
			dist += c>>2 + int(src[in])<<2
			in++
			next = c & 3
		}
		if dist > out {
			return out, in, corrupt("a match begins before the data")
		}
		if n > len(dst)-out {
			return out, in, errTooLong
		}
		copyMatch(dst, out, dist, n)
		out += n
		literals, state = next, next
	}
}
