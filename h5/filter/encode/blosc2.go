package encode

import (
	"encoding/binary"
	"math"
)

// blosc2 is filter 32026: a contiguous frame of Blosc 2 with one chunk; package filter describes its format. Client data is that
// of Blosc 1.
type blosc2 struct{ blosc }

func newBlosc2(values []uint32) (codec, error) {
	b, err := parseBlosc(values)
	b.parts = true
	return blosc2{b}, err
}

const (
	blosc2Head  = 32 // of a chunk
	frameHead   = 97
	frameFlags  = 0x12 // version 2, offsets of 64 bits
	neverSplits = 1
)

// frameTrailer is the end of a frame without metadata of variable length and without a fingerprint.
var frameTrailer = []byte{0x94, 1, 0x93, 0xcd, 0, 6, 0xde, 0, 0, 0xdc, 0, 0, 0xce, 0, 0, 0, 35, 0xd8, 0,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

func (b blosc2) encode(st *State, dst, src []byte) ([]byte, error) {
	if len(src) > math.MaxInt32-blosc2Head {
		return nil, argument("a chunk of %d bytes is too large for Blosc", len(src))
	}
	block := b.blockBytes(len(src))
	start := len(dst)
	dst = extend(dst, frameHead)
	dst, err := b.chunk(st, dst, src, block)
	if err != nil {
		return nil, err
	}
	stored := len(dst) - start - frameHead
	dst = b.offsets(dst)
	dst = append(dst, frameTrailer...)
	b.head(dst[start:][:frameHead], len(dst)-start, len(src), stored, block)
	return dst, nil
}

// head writes the head of a frame: MessagePack, whose integers are big-endian.
func (b *blosc2) head(p []byte, frame, size, stored, block int) {
	clear(p)
	h := append(p[:0], 0x9e, 0xa8)
	h = append(h, "b2frame\x00"...)
	h = binary.BigEndian.AppendUint32(append(h, 0xd2), frameHead)
	h = binary.BigEndian.AppendUint64(append(h, 0xcf), uint64(frame))
	h = append(h, 0xa4, frameFlags, 0, byte(b.codec)|byte(b.level)<<4, neverSplits)
	h = binary.BigEndian.AppendUint64(append(h, 0xd3), uint64(size))
	h = binary.BigEndian.AppendUint64(append(h, 0xd3), uint64(stored))
	for _, n := range []int{b.width, block, size} {
		h = binary.BigEndian.AppendUint32(append(h, 0xd2), uint32(n))
	}
	h = append(h, 0xd1, 0, 1, 0xd1, 0, 1, 0xc2, 0xd8, 6, 0, 0, 0, 0, 0, byte(b.shuffle), byte(b.codec))
	p = p[len(h)+9:]
	copy(p, []byte{0x93, 0xcd, 0, 7, 0xde, 0, 0, 0xdc, 0, 0})
}

// chunkHead appends the head of a chunk up to its stored size, which stays open.
func chunkHead(dst []byte, flags byte, width, size, block int) []byte {
	dst = append(dst, 5, 1, flags, byte(width))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(size))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(block))
	return append(dst, 0, 0, 0, 0)
}

const bothShuffles = 1 | 4 // the head has a list of filters

func (b *blosc2) chunk(st *State, dst, src []byte, block int) ([]byte, error) {
	const memcpy, noSplit = 2, 0x10
	start := len(dst)
	dst = chunkHead(dst, b.format()<<5|noSplit|bothShuffles, b.width, len(src), max(block, 1))
	dst = append(dst, 0, 0, 0, 0, 0, byte(b.shuffle), byte(b.codec), 0, 0, 0, 0, 0, 0, 0, 0, 0)
	dst, err := b.blocks(st, dst, start, src, block)
	if err != nil {
		return nil, err
	}
	if len(dst)-start >= len(src)+blosc2Head {
		dst = append(dst[:start+blosc2Head], src...)
		dst[start+2] |= memcpy
	}
	binary.LittleEndian.PutUint32(dst[start+12:], uint32(len(dst)-start))
	return dst, nil
}

// offsets appends the chunk of the offsets of chunks, of which there is one, at 0.
func (b *blosc2) offsets(dst []byte) []byte {
	const memcpy = 2
	start := len(dst)
	dst = chunkHead(dst, bothShuffles|memcpy, 8, 8, 8)
	dst = append(dst, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	dst = append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(dst[start+12:], uint32(len(dst)-start))
	return dst
}
