package filter

import "encoding/binary"

// lzf is filter 32000: Marc Lehmann's LZF, whose stream does not contain its size.
type lzf struct{}

func newLZF([]uint32) (decoder, error) { return lzf{}, nil }

func (lzf) bound(n int) (int, bool) { return n + n>>4 + 64, false }

func (lzf) decode(_ *State, dst, src []byte) (int, error) { return lzfDecode(dst, src) }

// lzfDecode decodes LZF. A byte n below 32 is followed by n+1 literals. Otherwise its upper three bits and, if all are set,
// the next byte are a length less two; its lower five bits and the next byte are a distance less one.
func lzfDecode(dst, src []byte) (int, error) {
	in, out := 0, 0
	for in < len(src) {
		c := int(src[in])
		in++
		if c < 32 {
			n := c + 1
			if n > len(src)-in {
				return out, errShort
			}
			if n > len(dst)-out {
				return out, errTooLong
			}
			switch {
			case in+32 > len(src) || out+32 > len(dst):
				copy(dst[out:], src[in:in+n])
			case n <= 8:
				*(*[8]byte)(dst[out:]) = *(*[8]byte)(src[in:])
			default:
				*(*[32]byte)(dst[out:]) = *(*[32]byte)(src[in:])
			}
			in += n
			out += n
			continue
		}
		n := c>>5 + 2
		if n == 9 {
			if in >= len(src) {
				return out, errShort
			}
			n += int(src[in])
			in++
		}
		if in >= len(src) {
			return out, errShort
		}
		dist := c&31<<8 + int(src[in]) + 1
		in++
		if dist > out {
			return out, corrupt("a match starts before the data")
		}
		if n > len(dst)-out {
			return out, errTooLong
		}
		if from := out - dist; dist >= 8 && n <= 16 && out+16 <= len(dst) {
			binary.LittleEndian.PutUint64(dst[out:], binary.LittleEndian.Uint64(dst[from:]))
			binary.LittleEndian.PutUint64(dst[out+8:], binary.LittleEndian.Uint64(dst[from+8:]))
		} else {
			copyMatch(dst, out, dist, n)
		}
		out += n
	}
	return out, nil
}

// copyMatch copies n bytes in b to offset out from dist bytes before it. The ranges may overlap, in which case copied bytes
// are copied again. Both are inside b. Bytes of b after the copy are scratch.
func copyMatch(b []byte, out, dist, n int) {
	from := out - dist
	switch {
	case dist >= 8 && n <= 64 && n+8 <= len(b)-out:
		for end := out + n; out < end; {
			binary.LittleEndian.PutUint64(b[out:], binary.LittleEndian.Uint64(b[from:]))
			out += 8
			from += 8
		}
	case dist == 1:
		fill(b[out:out+n], b[from])
	case dist >= n:
		copy(b[out:out+n], b[from:])
	case n <= 32:
		b := b[from : out+n]
		for i := dist; i < len(b); i++ {
			b[i] = b[i-dist]
		}
	default:
		// The period doubles with each copy.
		b := b[from : out+n]
		for have := dist; have < len(b); {
			have += copy(b[have:], b[:have])
		}
	}
}

// fill sets all bytes to v.
func fill(b []byte, v byte) {
	if v == 0 {
		clear(b)
		return
	}
	if len(b) < 32 {
		for i := range b {
			b[i] = v
		}
		return
	}
	w := uint64(v) * 0x0101010101010101
	for i := 0; i <= len(b)-8; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], w)
	}
	binary.LittleEndian.PutUint64(b[len(b)-8:], w)
}
