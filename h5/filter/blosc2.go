package filter

import (
	"bytes"
	"encoding/binary"

	"github.com/h5arrow/h5arrow/h5/filter/internal/asm"
)

// blosc2 is filter 32026: a contiguous frame of Blosc 2, which holds one chunk, or several, and possibly says how
// their blocks lie in an N-dimensional array. Some writers store a chunk without a frame.
type blosc2 struct{}

func newBlosc2([]uint32) (decoder, error) { return blosc2{}, nil }

func (blosc2) inC() bool { return inflatesInC }

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

// blosc2Chunk is the head of a chunk. It begins as that of Blosc 1 does; where both shuffle flags are set, 16 bytes
// follow:
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
	head        int // bytes before the places of the blocks
	filters     [6]byte
	meta        [6]byte
	special     byte // not 0: a chunk that is not stored
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
		if c.version == 3 { // an alpha version, which left these bytes undefined
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

// fill makes the content of a chunk that is not stored.
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

// blosc2Block decodes block i of a chunk that has stored blocks to dst; first is the decoded first block.
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
		return corrupt("a block is no multiple of its element")
	}
	moving := 0
	for _, f := range c.filters {
		if f == blosc2Shuffle || f == blosc2Bitshuffle || f == blosc2ByteDelta {
			moving++
		}
	}
	// Filters that move bytes go from one buffer to another, so that the last one ends in dst.
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

// deltaWidth returns the width in which the delta filter works on elements of width bytes.
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

// Places in the head of a frame, whose integers are big-endian.
const (
	frameHeadLen   = 11
	frameLen       = 16
	frameFlags     = 25
	frameType      = 26
	frameSize      = 30
	frameStored    = 39
	frameWidth     = 48
	frameChunkSize = 58
	frameMeta      = 87

	maxBlosc2Dims = 8
)

// blosc2Frame decodes a contiguous frame: a head with metadata, the chunks, a chunk that holds where they begin.
func (st *State) blosc2Frame(dst, src []byte) (int, error) {
	if len(src) < frameMeta {
		return 0, errShort
	}
	head, total := be32(src[frameHeadLen:]), be64(src[frameLen:])
	size, stored := be64(src[frameSize:]), be64(src[frameStored:])
	width, chunk := be32(src[frameWidth:]), be32(src[frameChunkSize:])
	switch {
	case src[frameFlags]&15 > 3:
		return 0, unsupported("a newer version of Blosc frames")
	case src[frameFlags]&0x80 != 0:
		return 0, unsupported("Blosc blocks of variable length")
	case src[frameType]&15 != 0:
		return 0, unsupported("a Blosc frame that is a directory")
	case total < frameMeta || total > int64(len(src)):
		return 0, errShort
	case head < frameMeta || int64(head) > total:
		return 0, corrupt("a bad head in a Blosc frame")
	case size < 0 || stored < 0 || stored > total-int64(head) || width <= 0 || chunk < 0:
		return 0, corrupt("a bad size in a Blosc frame")
	}
	f := blosc2Frame{chunks: src[head : int64(head)+stored], width: width, chunk: chunk, size: size}
	index, err := parseBlosc2Chunk(src[int64(head)+stored : total])
	if size == 0 {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n := index.size / 8
	if index.size%8 != 0 || chunk > 0 && int64(n) != (size-1)/int64(chunk)+1 {
		return 0, corrupt("another number of chunks than the Blosc frame says")
	}
	// Chunks of a few bytes would only serve to fill memory with where they are.
	if index.size > len(dst)+4096 {
		return 0, errTooLong
	}
	f.offsets = st.scratch(2, index.size)
	if _, err := st.blosc2Chunk(f.offsets, &index); err != nil {
		return 0, err
	}
	nd, err := f.parseArray(src[:head])
	if err != nil {
		return 0, err
	}
	if nd {
		return st.blosc2Array(dst, &f)
	}
	if size > int64(len(dst)) {
		return 0, errTooLong
	}
	out := 0
	for i := range n {
		c, err := f.at(i)
		if err != nil {
			return 0, err
		}
		k, err := st.blosc2Chunk(dst[out:], &c)
		if err != nil {
			return 0, err
		}
		out += k
	}
	if int64(out) != size {
		return 0, corrupt("chunks of another size than the Blosc frame says")
	}
	return out, nil
}

// blosc2Frame is a frame's chunks, and the array that they make, if any.
type blosc2Frame struct {
	chunks  []byte
	offsets []byte
	width   int
	chunk   int
	size    int64

	dims             int
	shape, box, tile [maxBlosc2Dims]int // of the array, of a chunk, of a block
}

// at returns chunk i.
func (f *blosc2Frame) at(i int) (c blosc2Chunk, err error) {
	at := int64(binary.LittleEndian.Uint64(f.offsets[8*i:]))
	if at >= 0 {
		if at > int64(len(f.chunks)) {
			return c, errShort
		}
		return parseBlosc2Chunk(f.chunks[at:])
	}
	// A chunk that is not stored: the kind is in the highest byte.
	c = blosc2Chunk{version: 5, width: f.width, size: f.chunk, block: max(f.chunk, 1), special: byte(at >> 56 & 7)}
	if rest := f.size - int64(i)*int64(f.chunk); rest < int64(c.size) {
		c.size = int(max(rest, 0))
	}
	switch c.special {
	case blosc2Zeros, blosc2NaN, blosc2Uninit:
		return c, nil
	}
	return c, corrupt("an unknown kind of Blosc chunk")
}

// parseArray finds the metadata layer that describes an N-dimensional array.
func (f *blosc2Frame) parseArray(head []byte) (bool, error) {
	m := msgpack{b: head[frameMeta:]}
	m.expect(0x93)
	m.expect(0xcd)
	m.take(2)
	m.expect(0xde)
	n := int(m.uint(2))
	at := -1
	for range n {
		name := m.take(int(m.uint(1) &^ 0xa0))
		m.expect(0xd2)
		off := int(int32(m.uint(4)))
		if s := string(name); s == "b2nd" || s == "caterva" {
			at = off
		}
	}
	if m.bad {
		return false, corrupt("bad metadata in a Blosc frame")
	}
	if at < 0 {
		return false, nil
	}
	if at > len(head) {
		return false, errShort
	}
	m = msgpack{b: head[at:]}
	m.expect(0xc6)
	m = msgpack{b: m.take(int(m.uint(4))), bad: m.bad}
	if m.uint(1)&0xf0 != 0x90 {
		m.bad = true
	}
	m.take(1)
	f.dims = int(m.uint(1))
	if m.bad || f.dims > maxBlosc2Dims {
		return false, corrupt("bad metadata of a Blosc array")
	}
	for k, to := range []*[maxBlosc2Dims]int{&f.shape, &f.box, &f.tile} {
		m.expect(0x90 | byte(f.dims))
		for i := range f.dims {
			var v int64
			if k == 0 {
				m.expect(0xd3)
				v = int64(m.uint(8))
			} else {
				m.expect(0xd2)
				v = int64(int32(m.uint(4)))
			}
			if v <= 0 || v > 1<<31-1 || k == 2 && v > int64(f.box[i]) {
				m.bad = true
			}
			to[i] = int(v)
		}
	}
	if m.bad {
		return false, corrupt("bad metadata of a Blosc array")
	}
	return f.dims > 0, nil
}

// msgpack reads MessagePack in the fixed forms that Blosc uses. A read that fails sets bad and gives zeros.
type msgpack struct {
	b   []byte
	bad bool
}

func (m *msgpack) take(n int) []byte {
	if n < 0 || n > len(m.b) {
		m.bad, n = true, 0
	}
	b := m.b[:n]
	m.b = m.b[n:]
	return b
}

func (m *msgpack) uint(n int) (v uint64) {
	for _, c := range m.take(n) {
		v = v<<8 | uint64(c)
	}
	return v
}

func (m *msgpack) expect(c byte) {
	if m.uint(1) != uint64(c) {
		m.bad = true
	}
}

// blosc2Array decodes a frame whose chunks and blocks are boxes of an N-dimensional array. Boxes lie in row-major
// order; those at the end of a dimension are stored in full, what is beyond the end being padding.
func (st *State) blosc2Array(dst []byte, f *blosc2Frame) (int, error) {
	// Each factor is below 2^31, and each product so far not much longer than dst, but for the last.
	size, tile := int64(f.width), int64(f.width)
	chunks, blocks := int64(1), int64(1)
	stored := int64(len(f.offsets) / 8)
	padded := 64*min(int64(len(dst)), 1<<40) + 1<<20
	for i := range f.dims {
		if size *= int64(f.shape[i]); size > int64(len(dst)) {
			return 0, errTooLong
		}
		if tile *= int64(f.tile[i]); tile > padded {
			return 0, corrupt("a block larger than the array")
		}
		if chunks *= int64((f.shape[i]-1)/f.box[i] + 1); chunks > stored {
			return 0, corrupt("fewer chunks than the array has")
		}
		if blocks *= int64((f.box[i]-1)/f.tile[i] + 1); blocks > padded {
			return 0, corrupt("too many blocks in a chunk")
		}
	}
	if chunks != stored {
		return 0, corrupt("more chunks than the array has")
	}
	if blocks > padded/tile/chunks {
		return 0, corrupt("a chunk larger than the array")
	}
	dst = dst[:size]
	var origin [maxBlosc2Dims]int
	for i := range int(chunks) {
		c, err := f.at(i)
		if err != nil {
			return 0, err
		}
		if err := st.blosc2ArrayChunk(dst, f, &c, &origin, int(blocks), int(tile)); err != nil {
			return 0, err
		}
		step(&origin, &f.shape, &f.box, f.dims)
	}
	return len(dst), nil
}

// step moves a place by one box, in row-major order.
func step(at, shape, box *[maxBlosc2Dims]int, dims int) {
	for k := dims - 1; k >= 0; k-- {
		at[k] += box[k]
		if at[k] < shape[k] {
			return
		}
		at[k] = 0
	}
}

// blosc2ArrayChunk decodes the chunk whose first element is at origin of the array in dst. It has so many
// blocks, each of tile bytes.
func (st *State) blosc2ArrayChunk(dst []byte, f *blosc2Frame, c *blosc2Chunk, origin *[maxBlosc2Dims]int, blocks, tile int) error {
	// What is stored has its blocks; what is not may be of the size without padding.
	stored := c.special == 0
	if stored && (int64(c.size) != int64(blocks)*int64(tile) || c.flags&bloscMemcpy == 0 && c.block != tile) {
		return corrupt("a chunk of another size than the array's")
	}
	first := st.scratch(3, tile)
	block := first
	if c.hasDelta {
		block = st.scratch(4, tile)
	}
	if !stored {
		whole := *c
		whole.size = tile
		if err := whole.fill(block); err != nil {
			return err
		}
	}
	var at [maxBlosc2Dims]int // of the block in the chunk
	for i := range blocks {
		to := block
		if i == 0 {
			to = first
		}
		switch {
		case !stored:
			to = block
		case c.flags&bloscMemcpy != 0:
			to = c.src[c.head+i*tile:][:tile]
		default:
			if err := st.blosc2Block(to, c, i, first); err != nil {
				return err
			}
		}
		f.place(dst, to, origin, &at)
		step(&at, &f.box, &f.tile, f.dims)
	}
	return nil
}

// place copies what lies inside of chunk and array of a block, whose first element is at origin+at of the array.
func (f *blosc2Frame) place(dst, block []byte, origin, at *[maxBlosc2Dims]int) {
	var n [maxBlosc2Dims]int // extent of what is copied
	to := 0
	for k := range f.dims {
		n[k] = min(f.tile[k], f.box[k]-at[k], f.shape[k]-origin[k]-at[k])
		if n[k] <= 0 {
			return
		}
		to = to*f.shape[k] + origin[k] + at[k]
	}
	last := f.dims - 1
	row := n[last] * f.width
	var i [maxBlosc2Dims]int
	from := 0
	to *= f.width
	for {
		copy(dst[to:to+row], block[from:from+row])
		// The next row: strides grow from the last dimension but one upwards.
		fromStride, toStride := f.tile[last]*f.width, f.shape[last]*f.width
		k := last - 1
		for ; k >= 0; k-- {
			i[k]++
			from += fromStride
			to += toStride
			if i[k] < n[k] {
				break
			}
			from -= n[k] * fromStride
			to -= n[k] * toStride
			i[k] = 0
			fromStride *= f.tile[k]
			toStride *= f.shape[k]
		}
		if k < 0 {
			return
		}
	}
}

func be32(b []byte) int   { return int(int32(binary.BigEndian.Uint32(b))) }
func be64(b []byte) int64 { return int64(binary.BigEndian.Uint64(b)) }
