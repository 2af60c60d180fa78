package encode

import (
	"encoding/binary"

	"github.com/klauspost/compress/zstd"

	"github.com/h5arrow/h5arrow/h5/filter/internal/asm"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// blosc is filter 32001; package filter describes its format. Client data: version, version, element size, bytes of a chunk,
// level, shuffle, codec.
type blosc struct {
	width   int
	level   int
	shuffle uint32
	codec   uint32
	parts   bool // of a block, whole groups of eight elements are shuffled by bits: Blosc 2
}

const (
	bloscLZ4  = 1
	bloscZlib = 4
	bloscZstd = 5

	bloscHeader = 16
	bloscBlock  = 256 << 10
)

func parseBlosc(values []uint32) (b blosc, err error) {
	if len(values) < 4 || values[2] == 0 {
		return b, argument("no element size")
	}
	b = blosc{width: int(min(values[2], 1<<30)), level: 5, shuffle: 1, codec: bloscLZ4}
	if b.width > 255 {
		b.width = 1 // as Blosc
	}
	if len(values) > 4 {
		b.level = int(values[4])
	}
	if len(values) > 5 {
		b.shuffle = values[5]
	}
	if len(values) > 6 {
		b.codec = values[6]
	}
	switch {
	case b.level > 9:
		return b, argument("level %d; it may be 0 to 9", b.level)
	case b.shuffle > 2:
		return b, argument("shuffle %d; it may be 0, 1 (bytes) or 2 (bits)", b.shuffle)
	case b.codec != bloscLZ4 && b.codec != bloscZstd && b.codec != bloscZlib:
		return b, h5err.New(h5err.Unsupported, "codec %d inside; 1 (LZ4), 4 (zlib) and 5 (Zstandard) can be applied", b.codec)
	}
	return b, nil
}

func newBlosc(values []uint32) (codec, error) { return parseBlosc(values) }

// format is the number of the codec in a chunk's flags.
func (b *blosc) format() byte {
	return map[uint32]byte{bloscLZ4: 1, bloscZlib: 3, bloscZstd: 4}[b.codec]
}

// blockBytes is the size of a block of a chunk: a multiple of eight elements.
func (b *blosc) blockBytes(n int) int {
	return max(min(bloscBlock, n)/(8*b.width)*(8*b.width), min(n, 8*b.width))
}

func (b blosc) encode(st *State, dst, src []byte) ([]byte, error) {
	const memcpy, noSplit = 2, 0x10
	if len(src) > 1<<31-1-bloscHeader {
		return nil, argument("a chunk of %d bytes is too large for Blosc", len(src))
	}
	block := b.blockBytes(len(src))
	start := len(dst)
	flags := b.format()<<5 | noSplit | map[uint32]byte{1: 1, 2: 4}[b.shuffle]
	dst = append(dst, 2, 1, flags, byte(b.width))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(src)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(block))
	dst = append(dst, 0, 0, 0, 0)
	dst, err := b.blocks(st, dst, start, src, block)
	if err != nil {
		return nil, err
	}
	if len(dst)-start >= len(src)+bloscHeader {
		dst = append(dst[:start+bloscHeader], src...)
		dst[start+2] |= memcpy
	}
	binary.LittleEndian.PutUint32(dst[start+12:], uint32(len(dst)-start))
	return dst, nil
}

// blocks appends the offsets of the blocks, from start on, and the blocks.
func (b *blosc) blocks(st *State, dst []byte, start int, src []byte, block int) ([]byte, error) {
	if len(src) == 0 {
		return dst, nil
	}
	count := (len(src)-1)/block + 1
	offsets := len(dst)
	dst = extend(dst, 4*count)
	for i := range count {
		in := src[i*block : min((i+1)*block, len(src))]
		binary.LittleEndian.PutUint32(dst[offsets+4*i:], uint32(len(dst)-start))
		at := len(dst)
		dst = append(dst, 0, 0, 0, 0)
		in = b.shuffled(st, in)
		var err error
		if dst, err = b.compress(st, dst, in); err != nil {
			return nil, err
		}
		if len(dst)-at-4 >= len(in) { // stored
			dst = append(dst[:at+4], in...)
		}
		binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	}
	return dst, nil
}

// shuffled returns a block in the order in which it is compressed.
func (b *blosc) shuffled(st *State, in []byte) []byte {
	n := len(in) / b.width
	switch {
	case b.shuffle == 1 && b.width > 1:
		out := st.scratch(0, len(in))
		asm.Shuffle(out, in, b.width)
		return out
	case b.shuffle == 2 && n >= 8 && (n%8 == 0 || b.parts):
		n &^= 7
		out := st.scratch(0, len(in))
		asm.BitShuffle(out, in, st.scratch(1, n*b.width), n, b.width)
		copy(out[n*b.width:], in[n*b.width:])
		return out
	}
	return in
}

func (b *blosc) compress(st *State, dst, in []byte) ([]byte, error) {
	switch b.codec {
	case bloscZstd:
		// The levels of Blosc are those of Zstandard, spread out.
		return st.zstdFrame(dst, in, zstd.EncoderLevelFromZstd(max(2*b.level-1, 1)))
	case bloscZlib:
		return deflate(b.level).encode(st, dst, in)
	}
	return st.lz4Block(dst, in), nil
}
