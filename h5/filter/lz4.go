package filter

import (
	"encoding/binary"

	"github.com/pierrec/lz4/v4"
)

// hdfLZ4 is filter 32004: the decoded size (8 bytes), the decoded size of a block (4), then for each block its encoded size
// (4) and its bytes, which are not encoded if both sizes are equal. Integers are big-endian.
type hdfLZ4 struct {
	block int // block size in the client data
}

func newLZ4(values []uint32) (decoder, error) {
	d := hdfLZ4{1 << 30}
	if len(values) > 0 && values[0] > 0 && values[0] < 1<<30 {
		d.block = int(values[0])
	}
	return d, nil
}

func (d hdfLZ4) bound(n int) (int, bool) { return n + 4*(n/d.block+1) + 64, false }

func (hdfLZ4) decode(_ *State, dst, src []byte) (int, error) {
	if len(src) < 12 {
		return 0, errShort
	}
	size := binary.BigEndian.Uint64(src)
	if size > uint64(len(dst)) {
		return 0, errTooLong
	}
	dst = dst[:size]
	block := int(min(uint64(binary.BigEndian.Uint32(src[8:])), size))
	src = src[12:]
	if block == 0 && size > 0 {
		return 0, corrupt("a block size of 0")
	}
	for out := 0; out < len(dst); out += block {
		block = min(block, len(dst)-out)
		if len(src) < 4 {
			return 0, errShort
		}
		n := binary.BigEndian.Uint32(src)
		src = src[4:]
		if uint64(n) > uint64(len(src)) {
			return 0, errShort
		}
		if int(n) == block {
			copy(dst[out:], src[:n])
		} else if err := lz4Block(dst[out:out+block], src[:n]); err != nil {
			return 0, err
		}
		src = src[n:]
	}
	return len(dst), nil
}

// lz4Block decodes an LZ4 block to exactly len(dst) bytes.
func lz4Block(dst, src []byte) error {
	n, err := lz4.UncompressBlock(src, dst)
	if err != nil || n != len(dst) {
		return corrupt("a bad LZ4 block")
	}
	return nil
}
