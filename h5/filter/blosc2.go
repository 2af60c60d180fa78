package filter

import (
	"bytes"
	"encoding/binary"

	"github.com/h5arrow/h5arrow/h5/filter/internal/asm"
)

// blosc2 is filter 32026: a contiguous frame of Blosc 2, which contains one or more chunks and, for an N-dimensional array, its
// geometry. Some writers store a chunk without a frame.
type blosc2 struct{}

func newBlosc2([]uint32) (decoder, error) { return blosc2{}, nil }

func (blosc2) bound(n int) (int, bool) { return n + n>>6 + 4096, false }

func (blosc2) decode(st *State, dst, src []byte) (int, error) {
	if len(src) >= 10 && bytes.Equal(src[2:10], []byte("b2frame\x00")) {
		return st.blosc2Frame(dst, src)
	}
	c, err := parseBlosc2Chunk(src)
	if err != nil {
		return 0, err
	}
	return st.blosc2Chunk(dst, &c)
}

// blosc2Chunk is the head of a chunk. It starts like that of Blosc 1. If both shuffle flags are set, 16 bytes follow:
//
//	+---------+-------+--------------+----------------+--------+-------+
//	| filters | codec | codec's meta | filters' metas | flags2 | flags |
//	|    6    |   1   |       1      |       6        |   1    |   1   |
//	+---------+-------+--------------+----------------+--------+-------+
type blosc2Chunk struct {
	src         []byte // all of it, of its stored size
	version     byte
	flags       byte
	width       int
	size, block int // decoded
	head        int // bytes before the offsets of the blocks
	filters     [6]byte
	meta        [6]byte
	special     byte // kind of a chunk that is not stored, or 0
	hasDelta    bool
}

// Kinds of chunks that are not stored.
const (
	blosc2Zeros  = 1
	blosc2NaN    = 2
	blosc2Value  = 3
	blosc2Uninit = 4
)

// Filters of Blosc 2.
const (
	blosc2Shuffle    = 1
	blosc2Bitshuffle = 2
	blosc2Delta      = 3
	blosc2TruncPrec  = 4
	blosc2ByteDelta  = 35
	blosc2IntTrunc   = 36
)

func parseBlosc2Chunk(src []byte) (c blosc2Chunk, err error) {
	if len(src) < bloscHeader {
		return c, errShort
	}
	stored := le32(src[12:])
	c = blosc2Chunk{version: src[0], flags: src[2], width: int(src[3]), size: le32(src[4:]), block: le32(src[8:]), head: bloscHeader}
	if c.version < 2 || c.version > 15 {
		return c, corrupt("not a Blosc chunk")
	}
	if stored < bloscHeader || stored > len(src) {
		return c, errShort
	}
	if c.size < 0 || c.block <= 0 || c.width == 0 {
		return c, corrupt("a bad size in a Blosc chunk")
	}
	c.src = src[:stored]
	if c.flags&(bloscShuffle|bloscBitshuffle) != bloscShuffle|bloscBitshuffle {
		switch {
		case c.flags&bloscBitshuffle != 0:
			c.filters[5] = blosc2Bitshuffle
		case c.flags&bloscShuffle != 0:
			c.filters[5] = blosc2Shuffle
		}
		if c.flags&bloscReserved != 0 {
			c.filters[4] = blosc2Delta
		}
	} else {
		c.head = 32
		if stored < c.head {
			return c, errShort
		}
		copy(c.filters[:], src[16:22])
		copy(c.meta[:], src[24:30])
		if c.version == 3 { // written by an alpha version, which left these bytes undefined
			c.filters[5], c.meta[5] = 0, 0
		}
		flags2, flags := src[30], src[31]
		c.special = flags >> 4 & 7
		switch {
		case c.special > blosc2Uninit:
			return c, corrupt("an unknown kind of Blosc chunk")
		case flags2 != 0:
			return c, unsupported("Blosc blocks of variable length")
		case flags&1 != 0:
			return c, unsupported("Blosc chunks with a dictionary")
		case flags&8 != 0:
			return c, corrupt("a Blosc chunk without its data")
		case flags&0x80 != 0:
			return c, unsupported("instrumented Blosc codecs")
		}
	}
	if c.version > 6 {
		return c, unsupported("a newer version of Blosc")
	}
	for _, f := range c.filters {
		switch f {
		case 0, blosc2Shuffle, blosc2Bitshuffle, blosc2TruncPrec, blosc2IntTrunc, blosc2ByteDelta:
		case blosc2Delta:
			c.hasDelta = true
		default:
			return c, unsupported("a Blosc filter that is a plugin")
		}
	}
	if c.size == 0 || c.special != 0 {
		return c, nil
	}
	if c.flags&bloscMemcpy != 0 {
		if stored-c.head != c.size {
			return c, corrupt("stored bytes of another size")
		}
		return c, nil
	}
	if c.flags>>5 >= 5 {
		return c, unsupported("a Blosc codec that is a plugin")
	}
	if c.blocks() > (stored-c.head)/4 {
		return c, errShort
	}
	return c, nil
}

func (c *blosc2Chunk) blocks() int { return (c.size-1)/c.block + 1 }

// blosc2Chunk decodes a whole chunk and returns its size.
func (st *State) blosc2Chunk(dst []byte, c *blosc2Chunk) (int, error) {
	if c.size > len(dst) {
		return 0, errTooLong
	}
	dst = dst[:c.size]
	if c.size == 0 {
		return 0, nil
	}
	if c.special != 0 {
		return c.size, c.fill(dst)
	}
	if c.flags&bloscMemcpy != 0 {
		return copy(dst, c.src[c.head:]), nil
	}
	for i := range c.blocks() {
		out := dst[i*c.block : min((i+1)*c.block, c.size)]
		if err := st.blosc2Block(out, c, i, dst[:min(c.block, c.size)]); err != nil {
			return 0, err
		}
	}
	return c.size, nil
}

// fill writes the content of a chunk that is not stored.
func (c *blosc2Chunk) fill(dst []byte) error {
	var value []byte
	switch c.special {
	case blosc2Zeros, blosc2Uninit:
		clear(dst)
		return nil
	case blosc2NaN:
		switch c.width {
		case 4:
			value = []byte{0, 0, 0xc0, 0x7f}
		case 8:
			value = []byte{0, 0, 0, 0, 0, 0, 0xf8, 0x7f}
		default:
			return corrupt("NaN of another width than 4 or 8")
		}
	default:
		value = c.src[c.head:]
	}
	if len(value) == 0 || len(dst)%len(value) != 0 {
		return corrupt("a repeated value that does not fill its chunk")
	}
	for have := copy(dst, value); have < len(dst); {
		have += copy(dst[have:], dst[:have])
	}
	return nil
}

// blosc2Block decodes block i of a chunk with stored blocks to dst. first is the decoded first block.
func (st *State) blosc2Block(dst []byte, c *blosc2Chunk, i int, first []byte) error {
	at := le32(c.src[c.head+4*i:])
	if at < 0 || at > len(c.src) {
		return errShort
	}
	streams := 1
	if c.flags&bloscNoSplit == 0 && len(dst) == c.block {
		streams = c.width
		if c.version == 2 && (c.width > 16 || c.block/c.width < 128) {
			streams = 1
		}
	}
	if len(dst)%streams != 0 {
		return corrupt("a block size that is not a multiple of the element size")
	}
	moving := 0
	for _, f := range c.filters {
		if f == blosc2Shuffle || f == blosc2Bitshuffle || f == blosc2ByteDelta {
			moving++
		}
	}
	// Filters that move bytes go from one buffer to the other; the last one writes to dst.
	cur, other := dst, dst
	if moving > 0 {
		other = st.scratch(0, len(dst))
		if moving%2 == 1 {
			cur, other = other, cur
		}
	}
	if err := st.bloscStreams(cur, c.src[at:], streams, c.flags>>5, c.version > 2); err != nil {
		return err
	}
	for k := len(c.filters) - 1; k >= 0; k-- {
		switch c.filters[k] {
		case blosc2Shuffle:
			width := c.width
			if c.meta[k] != 0 {
				width = int(c.meta[k])
			}
			asm.Unshuffle(other, cur, width)
			cur, other = other, cur
		case blosc2Bitshuffle:
			n := len(dst) / c.width
			if c.version == 2 && n%8 != 0 {
				n = 0
			}
			n &^= 7
			if n > 0 {
				asm.BitUnshuffle(other, cur, st.scratch(1, n*c.width), n, c.width)
			}
			copy(other[n*c.width:], cur[n*c.width:])
			cur, other = other, cur
		case blosc2Delta:
			if i == 0 {
				xorBefore(cur, c.width)
			} else {
				xor(cur, first, c.width)
			}
		case blosc2ByteDelta:
			width := c.width
			if c.meta[k] != 0 {
				width = int(c.meta[k])
			}
			n := len(cur) / width
			for j := range width {
				sum := byte(0)
				to := other[j*n : (j+1)*n]
				for i, d := range cur[j*n : (j+1)*n] {
					sum += d
					to[i] = sum
				}
			}
			copy(other[n*width:], cur[n*width:])
			cur, other = other, cur
		}
	}
	return nil
}

// deltaWidth returns the width that the delta filter uses for elements of width bytes.
func deltaWidth(width int) int {
	switch {
	case width == 2, width == 4:
		return width
	case width%8 == 0:
		return 8
	}
	return 1
}

// xorBefore undoes the delta filter in the first block: each element was combined with the one before it.
func xorBefore(b []byte, width int) {
	width = deltaWidth(width)
	for i := width; i < len(b)/width*width; i++ {
		b[i] ^= b[i-width]
	}
}

// xor undoes the delta filter in another block: it was combined with the first one.
func xor(b, first []byte, width int) {
	width = deltaWidth(width)
	b = b[:len(b)/width*width]
	first = first[:len(b)]
	for ; len(b) >= 8; b, first = b[8:], first[8:] {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^binary.LittleEndian.Uint64(first))
	}
	for i := range b {
		b[i] ^= first[i]
	}
}
