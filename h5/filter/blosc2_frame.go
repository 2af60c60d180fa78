package filter

import (
	"encoding/binary"
)

// Offsets in the head of a frame. Its integers are big-endian.
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

// blosc2Frame decodes a contiguous frame: a head with metadata, the chunks, and a chunk of their offsets.
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
	// Many tiny chunks would fill the memory with their offsets.
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

// blosc2Frame is a frame's chunks, and the geometry of the array, if there is one.
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
	// The chunk is not stored: the highest byte has its kind.
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

// msgpack reads MessagePack in the fixed forms that Blosc uses. A read that fails sets bad and returns zeros.
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

// blosc2Array decodes a frame whose chunks and blocks are boxes of an N-dimensional array. Boxes are in row-major order. Those
// at the end of a dimension are stored in full, with padding past the end.
func (st *State) blosc2Array(dst []byte, f *blosc2Frame) (int, error) {
	// Each factor is below 2^31, and each product before the last multiplication not much larger than dst.
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

// step moves a position by one box, in row-major order.
func step(at, shape, box *[maxBlosc2Dims]int, dims int) {
	for k := dims - 1; k >= 0; k-- {
		at[k] += box[k]
		if at[k] < shape[k] {
			return
		}
		at[k] = 0
	}
}

// blosc2ArrayChunk decodes a chunk of blocks of tile bytes each. Its first element is at origin in the array dst.
func (st *State) blosc2ArrayChunk(dst []byte, f *blosc2Frame, c *blosc2Chunk, origin *[maxBlosc2Dims]int, blocks, tile int) error {
	// A stored chunk has all its blocks; the size of one that is not stored may be that without padding.
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

// place copies the part of a block that is inside the chunk and the array. Its first element is at origin+at in the array.
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
