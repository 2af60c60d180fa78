package encode

import (
	"encoding/binary"

	"github.com/klauspost/compress/zstd"

	"github.com/h5arrow/h5arrow/h5/filter/internal/asm"
)

// bitshuffle is filter 32008; package filter describes its format and client data.
type bitshuffle struct {
	width, block int
	codec        uint32
	level        zstd.EncoderLevel
}

func newBitshuffle(values []uint32) (codec, error) {
	if len(values) < 3 || values[2] == 0 || values[2] > 1<<28 {
		return nil, argument("no element size")
	}
	b := bitshuffle{width: int(values[2]), level: zstd.SpeedDefault}
	if len(values) > 3 {
		if values[3]%8 != 0 || values[3] > 1<<24 {
			return nil, argument("blocks of %d elements", values[3])
		}
		b.block = int(values[3])
	}
	if b.block == 0 {
		b.block = max(8192/b.width&^7, 128)
	}
	if len(values) > 4 {
		b.codec = values[4]
	}
	if b.codec != 0 && b.codec != 2 && b.codec != 3 {
		return nil, argument("compression %d inside; it may be 0, 2 (LZ4) or 3 (Zstandard)", b.codec)
	}
	if len(values) > 5 && values[5] != 0 {
		b.level = zstd.EncoderLevelFromZstd(int(int32(values[5])))
	}
	return b, nil
}

func (b bitshuffle) encode(st *State, dst, src []byte) ([]byte, error) {
	if len(src)%b.width != 0 {
		return nil, argument("a chunk of %d bytes, elements have %d", len(src), b.width)
	}
	if b.codec != 0 {
		dst = binary.BigEndian.AppendUint64(dst, uint64(len(src)))
		dst = binary.BigEndian.AppendUint32(dst, uint32(b.block*b.width))
	}
	for len(src) > 0 {
		n := min(b.block, len(src)/b.width) &^ 7
		if n == 0 {
			break
		}
		bytes := n * b.width
		rows := st.scratch(0, bytes)
		asm.BitShuffle(rows, src[:bytes], st.scratch(1, bytes), n, b.width)
		src = src[bytes:]
		if b.codec == 0 {
			dst = append(dst, rows...)
			continue
		}
		at := len(dst)
		dst = append(dst, 0, 0, 0, 0)
		if b.codec == 2 {
			dst = st.lz4Block(dst, rows)
		} else {
			var err error
			if dst, err = st.zstdFrame(dst, rows, b.level); err != nil {
				return nil, err
			}
		}
		binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	}
	return append(dst, src...), nil
}
