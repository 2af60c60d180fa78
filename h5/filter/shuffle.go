package filter

import (
	"encoding/binary"

	"github.com/h5arrow/h5arrow/h5/filter/internal/asm"
)

// shuffle is filter 2: the first bytes of all elements, then the second bytes of all, and so on.
type shuffle int

func newShuffle(values []uint32) (decoder, error) {
	if len(values) < 1 || values[0] == 0 || values[0] > 1<<31-1 {
		return nil, corrupt("bad element size")
	}
	return shuffle(values[0]), nil
}

func (shuffle) bound(n int) (int, bool) { return n, true }

func (s shuffle) decode(_ *State, dst, src []byte) (int, error) {
	if len(src) > len(dst) {
		return 0, errTooLong
	}
	asm.Unshuffle(dst[:len(src)], src, int(s))
	return len(src), nil
}

// bitshuffle is filter 32008: in each block, the bits of equal place of all elements are stored together, and the block may
// then be compressed. Client data: version, version, element size, elements in a block (0: by a rule), compression, level.
//
// Compressed data starts with the decoded size (8 bytes, big-endian) and the bytes in a block (4). Before each block is its
// encoded size (4). The last block may be shorter: its number of elements is a multiple of 8. The remaining elements follow
// without any encoding.
type bitshuffle struct {
	width, block int
	codec        uint32
}

const (
	bitshuffleLZ4  = 2
	bitshuffleZstd = 3
)

func newBitshuffle(values []uint32) (decoder, error) {
	if len(values) < 3 || values[2] == 0 || values[2] > 1<<28 {
		return nil, corrupt("bad element size")
	}
	b := bitshuffle{width: int(values[2])}
	if len(values) > 3 {
		if values[3]%8 != 0 || values[3] > 1<<31-1 {
			return nil, corrupt("bad block size")
		}
		b.block = int(values[3])
	}
	if b.block == 0 {
		b.block = max(8192/b.width&^7, 128)
	}
	if len(values) > 4 {
		b.codec = values[4]
	}
	switch b.codec {
	case 0, bitshuffleLZ4, bitshuffleZstd:
	case 1:
		// The codes are 0, 2, 3: the library treats any other as no compression.
		b.codec = 0
	default:
		return nil, unsupported("unknown compression inside")
	}
	return b, nil
}

func (b bitshuffle) bound(n int) (int, bool) {
	if b.codec == 0 {
		return n, true
	}
	return n + n>>6 + 8*(n/b.block+1) + 64, false
}

func (b bitshuffle) decode(st *State, dst, src []byte) (int, error) {
	size := len(src)
	if b.codec != 0 {
		if len(src) < 12 {
			return 0, errShort
		}
		n := binary.BigEndian.Uint64(src)
		bytes := binary.BigEndian.Uint32(src[8:])
		src = src[12:]
		if n > uint64(len(dst)) {
			return 0, errTooLong
		}
		size = int(n)
		b.block = int(min(bytes, 1<<31-1)) / b.width
		if b.block == 0 || b.block%8 != 0 {
			return 0, corrupt("bad block size")
		}
	}
	if size > len(dst) {
		return 0, errTooLong
	}
	if size%b.width != 0 {
		return 0, corrupt("a part of an element")
	}
	dst = dst[:size]
	room := min(b.block, size/b.width) * b.width
	rows, tmp := st.scratch(0, room), st.scratch(1, room)
	for len(dst) > 0 {
		n := min(b.block, len(dst)/b.width) &^ 7
		if n == 0 {
			break
		}
		bytes := n * b.width
		in := rows[:bytes]
		if b.codec == 0 {
			in, src = src[:bytes], src[bytes:]
		} else {
			if len(src) < 4 {
				return 0, errShort
			}
			stored := binary.BigEndian.Uint32(src)
			src = src[4:]
			if uint64(stored) > uint64(len(src)) {
				return 0, errShort
			}
			if b.codec == bitshuffleLZ4 {
				if err := lz4Block(in, src[:stored]); err != nil {
					return 0, err
				}
			} else if got, err := st.unzstd(in, src[:stored]); err != nil {
				return 0, err
			} else if got != bytes {
				return 0, corrupt("a block of another size")
			}
			src = src[stored:]
		}
		asm.BitUnshuffle(dst[:bytes], in, tmp, n, b.width)
		dst = dst[bytes:]
	}
	if len(src) < len(dst) {
		return 0, errShort
	}
	copy(dst, src)
	return size, nil
}
