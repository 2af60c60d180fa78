package filter

import (
	"encoding/binary"

	"github.com/klauspost/compress/snappy"

	"github.com/h5arrow/h5arrow/h5/filter/internal/asm"
)

// blosc is filter 32001: a chunk of Blosc 1. All of it is little-endian:
//
//	+---------+---------+-------+----------+--------+-----------+--------+
//	| version | codec's | flags | typesize | nbytes | blocksize | cbytes |
//	|    1    |    1    |   1   |    1     |   4    |     4     |   4    |
//	+---------+---------+-------+----------+--------+-----------+--------+
//
// then the offset of each block (4 bytes each), and the blocks. A block is one stream, or typesize streams of equal decoded
// size, each after its encoded size (4 bytes). If both sizes are equal, the stream is not encoded.
type blosc struct{}

func newBlosc([]uint32) (decoder, error) { return blosc{}, nil }

func (blosc) bound(n int) (int, bool) { return n + n>>6 + 1024, false }

const (
	bloscShuffle    = 0x01
	bloscMemcpy     = 0x02
	bloscBitshuffle = 0x04
	bloscReserved   = 0x08
	bloscNoSplit    = 0x10

	bloscHeader = 16
)

func (blosc) decode(st *State, dst, src []byte) (int, error) {
	if len(src) < bloscHeader {
		return 0, errShort
	}
	version, flags, width := src[0], src[2], int(src[3])
	size, block, stored := le32(src[4:]), le32(src[8:]), le32(src[12:])
	if version != 2 || flags&bloscReserved != 0 {
		return 0, corrupt("not a Blosc chunk of version 2")
	}
	if stored < bloscHeader || stored > len(src) {
		return 0, errShort
	}
	src = src[:stored]
	if size > len(dst) {
		return 0, errTooLong
	}
	if size <= 0 {
		if size < 0 {
			return 0, corrupt("a negative size")
		}
		return 0, nil
	}
	dst = dst[:size]
	if flags&bloscMemcpy != 0 {
		if stored-bloscHeader != size {
			return 0, corrupt("stored bytes of another size")
		}
		return copy(dst, src[bloscHeader:]), nil
	}
	if width == 0 || block <= 0 {
		return 0, corrupt("an element or block size of 0")
	}
	blocks := (size-1)/block + 1
	if blocks > (stored-bloscHeader)/4 {
		return 0, errShort
	}
	codec := flags >> 5
	for i := range blocks {
		out := dst[i*block : min((i+1)*block, size)]
		at := le32(src[bloscHeader+4*i:])
		if at < 0 || at > stored {
			return 0, errShort
		}
		streams := 1
		// The conditions on sizes are from before there was a flag.
		if flags&bloscNoSplit == 0 && len(out) == block && width <= 16 && block/width >= 128 {
			streams = width
		}
		if len(out)%streams != 0 {
			return 0, corrupt("a block size that is not a multiple of the element size")
		}
		bytewise := flags&bloscShuffle != 0 && width > 1
		bitwise := !bytewise && flags&bloscBitshuffle != 0 && len(out) >= width
		to := out
		if bytewise || bitwise {
			to = st.scratch(0, len(out))
		}
		if err := st.bloscStreams(to, src[at:], streams, codec, false); err != nil {
			return 0, err
		}
		switch n := len(out) / width; {
		case bytewise:
			asm.Unshuffle(out, to, width)
		case bitwise && n%8 == 0:
			asm.BitUnshuffle(out, to, st.scratch(1, n*width), n, width)
			copy(out[n*width:], to[n*width:])
		case bitwise:
			copy(out, to)
		}
	}
	return size, nil
}

// bloscStreams decodes the streams of one block. Version 2 of Blosc added runs.
func (st *State) bloscStreams(dst, src []byte, streams int, codec byte, runs bool) error {
	each := len(dst) / streams
	for ; len(dst) > 0; dst = dst[each:] {
		if len(src) < 4 {
			return errShort
		}
		n := le32(src)
		src = src[4:]
		if runs && n <= 0 {
			v := byte(0)
			if n < 0 {
				if len(src) < 1 {
					return errShort
				}
				if src[0]&1 == 0 || n < -255 {
					return corrupt("an unknown kind of stream")
				}
				v = byte(-n)
				src = src[1:]
			}
			fill(dst[:each], v)
			continue
		}
		if n < 0 || n > len(src) {
			return errShort
		}
		if n == each {
			copy(dst[:each], src)
		} else if err := st.bloscCodec(dst[:each], src[:n], codec); err != nil {
			return err
		}
		src = src[n:]
	}
	return nil
}

func (st *State) bloscCodec(dst, src []byte, codec byte) error {
	n, err := 0, error(nil)
	switch codec {
	case 0:
		n, err = bloscLZDecode(dst, src)
	case 1:
		return lz4Block(dst, src)
	case 2:
		if n, err = snappy.DecodedLen(src); err != nil || n != len(dst) {
			return corrupt("a bad Snappy block")
		}
		var out []byte
		if out, err = snappy.Decode(dst, src); err == nil && (len(out) == 0 || &out[0] != &dst[0]) {
			return corrupt("a bad Snappy block")
		}
	case 3:
		n, err = st.zlib(dst, src)
	case 4:
		n, err = st.unzstd(dst, src)
	default:
		return unsupported("a codec that Blosc does not define")
	}
	if err != nil {
		return err
	}
	if n != len(dst) {
		return corrupt("a stream decodes to another size")
	}
	return nil
}

// bloscLZDecode decodes BloscLZ, a relative of FastLZ. A byte n below 32 (of the first byte, only the lower five bits count)
// is followed by n+1 literals. Otherwise its upper three bits are a length less two; if all are set, the following bytes are
// added, up to one that is not 255. Its lower five bits and the next byte are a distance less one; if all of them are set,
// the next two bytes are a distance less 8192.
func bloscLZDecode(dst, src []byte) (int, error) {
	if len(src) == 0 {
		return 0, errShort
	}
	in, out := 1, 0
	c := int(src[0] & 31)
	for {
		if c < 32 {
			n := c + 1
			if n > len(src)-in {
				return out, errShort
			}
			if n > len(dst)-out {
				return out, errTooLong
			}
			if in+32 <= len(src) && out+32 <= len(dst) {
				*(*[32]byte)(dst[out:]) = *(*[32]byte)(src[in:])
			} else {
				copy(dst[out:], src[in:in+n])
			}
			in += n
			out += n
		} else {
			n := c>>5 + 2
			if n == 9 {
				for {
					if in >= len(src) {
						return out, errShort
					}
					b := int(src[in])
					in++
					n += b
					if b != 255 {
						break
					}
				}
			}
			if in >= len(src) {
				return out, errShort
			}
			dist := c&31<<8 + int(src[in]) + 1
			in++
			if dist == 8192 {
				if len(src)-in < 2 {
					return out, errShort
				}
				dist += int(binary.BigEndian.Uint16(src[in:]))
				in += 2
			}
			if dist > out {
				return out, corrupt("a match starts before the data")
			}
			if n > len(dst)-out {
				return out, errTooLong
			}
			copyMatch(dst, out, dist, n)
			out += n
		}
		if in >= len(src) {
			return out, nil
		}
		c = int(src[in])
		in++
	}
}

// le32 reads a signed integer.
func le32(b []byte) int { return int(int32(binary.LittleEndian.Uint32(b))) }
