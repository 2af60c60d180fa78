package format

import (
	"slices"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/filter/encode"
)

// ClientData fills in the values of a filter that has none, as the library does, for chunks of values of a type; fill is their fill
// value as stored, nil for none.
func ClientData(s *h5.Filter, t *h5.Type, chunkBytes uint64, fill *Block) {
	width := uint32(t.Size)
	chunk := uint32(chunkBytes)
	if (s.ID == encode.Blosc || s.ID == encode.Blosc2) && len(s.Values) > 4 && s.Values[2] == 0 { // what was given to the library's users
		s.Values = slices.Clone(s.Values)
		s.Values[0], s.Values[1] = 2, 2
		if s.ID == encode.Blosc2 {
			s.Values[0], s.Values[1] = 1, 0
		}
		s.Values[2], s.Values[3] = width, chunk
	}
	if len(s.Values) > 0 {
		return
	}
	switch s.ID {
	case encode.Shuffle:
		s.Values = []uint32{width}
	case encode.Deflate:
		s.Values = []uint32{4}
	case encode.LZF:
		s.Values = []uint32{4, 0x105, chunk}
	case encode.Blosc:
		s.Values = []uint32{2, 2, width, chunk, 5, 1, 1}
	case encode.Blosc2:
		s.Values = []uint32{1, 0, width, chunk, 5, 1, 1}
	case encode.Bitshuffle:
		s.Values = []uint32{0, 5, width, 0, 2}
	case encode.Zstd:
		s.Values = []uint32{3}
	case encode.ScaleOffset:
		s.Values = scaleOffset(t, chunkBytes, fill)
	}
}

// scaleOffset is the client data of filter 6 for integers with as many bits as the values of a chunk need.
func scaleOffset(t *h5.Type, chunkBytes uint64, fill *Block) []uint32 {
	v := make([]uint32, 20)
	v[0], v[2], v[4] = 2, uint32(chunkBytes/uint64(t.Size)), uint32(t.Size)
	if t.Class != h5.ClassFixed {
		v[3] = 1 // a float, which is not stored exactly
	}
	if t.Signed {
		v[5] = 1
	}
	if t.Order == h5.BigEndian {
		v[6] = 1
	}
	if fill != nil && t.Size <= 8 {
		v[7] = 1
		for i, c := range fill.Data {
			if t.Order == h5.BigEndian {
				i = t.Size - 1 - i
			}
			v[8+i/4] |= uint32(c) << (8 * (i % 4))
		}
	}
	return v
}
