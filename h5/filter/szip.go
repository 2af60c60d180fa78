package filter

import (
	"encoding/binary"
	"errors"

	"github.com/h5arrow/h5arrow/h5/filter/internal/aec"
	"github.com/h5arrow/h5arrow/h5/filter/internal/asm"
)

// szip is filter 4: the decoded size (4 bytes), then samples ("pixels") in szip's form of the CCSDS 121.0-B coder.
// Client data: options, samples in a block, bits of a sample, samples in a line. Samples of 32 and 64 bits are split into
// bytes, first bytes first, and each byte is a sample. A line whose length is not a multiple of the block size is padded.
type szip struct {
	params aec.Params
	line   int // samples in a line, without padding
	size   int // bytes of a sample
	planes int // bytes into which elements were split; 1: not split
	big    bool
}

// Options in szip's client data.
const (
	szipMSB = 0x10
	szipNN  = 0x20
)

func newSzip(values []uint32) (decoder, error) {
	if len(values) < 4 {
		return nil, corrupt("too little client data")
	}
	options, block, width, line := values[0], values[1], values[2], values[3]
	s := szip{line: int(line), planes: 1, big: options&szipMSB != 0}
	switch {
	case block < 2 || block > 32 || block%2 != 0:
		return nil, corrupt("bad number of pixels in a block")
	case line == 0 || line > 1<<20:
		return nil, corrupt("bad number of pixels in a scan line")
	case width == 32 || width == 64:
		s.planes = int(width / 8)
		width = 8
	case width == 0 || width > 32:
		return nil, corrupt("bad number of bits in a pixel")
	}
	switch {
	case width > 16:
		s.size = 4
	case width > 8:
		s.size = 2
	default:
		s.size = 1
	}
	s.params = aec.Params{Bits: int(width), Block: int(block), Line: int((line + block - 1) / block), Preprocess: options&szipNN != 0}
	return s, nil
}

func (szip) bound(n int) (int, bool) { return n + n>>3 + 64, false }

func (s szip) decode(st *State, dst, src []byte) (int, error) {
	if len(src) < 4 {
		return 0, errShort
	}
	size := binary.LittleEndian.Uint32(src)
	if uint64(size) > uint64(len(dst)) {
		return 0, errTooLong
	}
	dst = dst[:size]
	if len(dst)%(s.size*s.planes) != 0 {
		return 0, corrupt("a part of a pixel")
	}
	pixels := len(dst) / s.size
	if pixels == 0 {
		return 0, nil
	}
	padded := s.params.Line * s.params.Block
	lines := (pixels-1)/s.line + 1
	// Only the part of the last line that is needed is decoded.
	all := (lines-1)*padded + pixels - (lines-1)*s.line
	samples := st.pixels(all)
	if err := aec.Decode(samples, src[4:], &s.params); err != nil {
		if errors.Is(err, aec.ErrShort) {
			err = errShort
		}
		return 0, err
	}
	out := dst
	if s.planes > 1 {
		out = st.scratch(0, len(dst))
	}
	for at := 0; at < pixels; at += s.line {
		n := min(s.line, pixels-at)
		s.put(out[at*s.size:(at+n)*s.size], samples[:n])
		samples = samples[min(padded, len(samples)):]
	}
	if s.planes > 1 {
		asm.Unshuffle(dst, out, s.planes)
	}
	return len(dst), nil
}

func (s *szip) put(dst []byte, samples []uint32) {
	switch {
	case s.size == 1:
		dst = dst[:len(samples)]
		for i, v := range samples {
			dst[i] = byte(v)
		}
	case s.size == 2 && s.big:
		for i, v := range samples {
			binary.BigEndian.PutUint16(dst[2*i:], uint16(v))
		}
	case s.size == 2:
		for i, v := range samples {
			binary.LittleEndian.PutUint16(dst[2*i:], uint16(v))
		}
	case s.big:
		for i, v := range samples {
			binary.BigEndian.PutUint32(dst[4*i:], v)
		}
	default:
		for i, v := range samples {
			binary.LittleEndian.PutUint32(dst[4*i:], v)
		}
	}
}
