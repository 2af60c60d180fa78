package filter

import "encoding/binary"

// fletcher32 is filter 3: the data, then a checksum of four bytes.
type fletcher32 struct{}

func newFletcher32([]uint32) (decoder, error) { return fletcher32{}, nil }

func (fletcher32) bound(n int) (int, bool) { return n + 4, true }

func (f fletcher32) decode(_ *State, dst, src []byte) (int, error) {
	b, err := f.view(src)
	if err != nil {
		return 0, err
	}
	if len(b) > len(dst) {
		return 0, errTooLong
	}
	return copy(dst, b), nil
}

func (fletcher32) view(src []byte) ([]byte, error) {
	if len(src) < 4 {
		return nil, errShort
	}
	data := src[:len(src)-4]
	stored := binary.LittleEndian.Uint32(src[len(data):])
	sum := fletcherSum(data)
	// Before 1.6.3 the library swapped the bytes of both halves on little-endian machines, and still accepts that.
	swapped := sum&0x00ff00ff<<8 | sum>>8&0x00ff00ff
	if stored != sum && stored != swapped {
		return nil, corrupt("the checksum differs")
	}
	return data, nil
}

// fletcherSum is the library's variant of Fletcher's checksum: over big-endian 16-bit words, an odd byte being the
// upper half of a last one, modulo 65535, where a sum that is a multiple of it is 0 only if all words are.
func fletcherSum(b []byte) uint32 {
	var s1, s2 uint64
	// 2^16 words at a time keep both sums far from 2^64.
	for len(b) >= 2 {
		part := b[:min(len(b)&^1, 1<<17)]
		b = b[len(part):]
		for len(part) >= 8 {
			v := binary.BigEndian.Uint64(part)
			part = part[8:]
			w0, w1, w2, w3 := v>>48, v>>32&0xffff, v>>16&0xffff, v&0xffff
			s2 += 4*s1 + 4*w0 + 3*w1 + 2*w2 + w3
			s1 += w0 + w1 + w2 + w3
		}
		for ; len(part) >= 2; part = part[2:] {
			s1 += uint64(binary.BigEndian.Uint16(part))
			s2 += s1
		}
		s1, s2 = fold(s1), fold(s2)
	}
	if len(b) == 1 {
		s1 = fold(s1 + uint64(b[0])<<8)
		s2 = fold(s2 + s1)
	}
	return uint32(s2)<<16 | uint32(s1)
}

// fold reduces x modulo 65535 to 1..65535, and 0 to 0.
func fold(x uint64) uint64 {
	for x > 0xffff {
		x = x&0xffff + x>>16
	}
	return x
}
