package encode

import (
	"encoding/binary"
	"math/bits"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// scaleOffset is filter 6 for integers, which it stores exactly; package filter describes its format. Client data: scale type,
// scale factor, elements of a chunk, class, element size, sign, byte order, whether there is a fill value, the fill value.
type scaleOffset struct {
	n, width int
	signed   bool
	big      bool
	hasFill  bool
	fill     uint64
}

const scaleOffsetHead = 21

func newScaleOffset(values []uint32) (codec, error) {
	if len(values) < 8 {
		return nil, argument("%d values, 20 expected", len(values))
	}
	if values[3] != 0 {
		return nil, h5err.New(h5err.Unsupported, "values that are not integers would not be stored exactly")
	}
	s := scaleOffset{n: int(values[2]), width: int(values[4]), signed: values[5] == 1, big: values[6] == 1, hasFill: values[7] != 0}
	if s.width != 1 && s.width != 2 && s.width != 4 && s.width != 8 {
		return nil, argument("integers of %d bytes", s.width)
	}
	if values[0] != 2 || int32(values[1]) > int32(8*s.width) || int32(values[1]) < 0 {
		return nil, argument("scale type %d with factor %d", values[0], int32(values[1]))
	}
	if values[1] != 0 {
		return nil, h5err.New(h5err.Unsupported, "a fixed number of bits, which may not hold all values")
	}
	if s.hasFill {
		if len(values) < 8+(s.width+3)/4 {
			return nil, argument("%d values, 20 expected", len(values))
		}
		if s.fill = uint64(values[8]); s.width == 8 {
			s.fill |= uint64(values[9]) << 32
		}
	}
	return s, nil
}

// load reads element i, with its sign extended.
func (s *scaleOffset) load(src []byte, i int) uint64 {
	p := src[i*s.width : (i+1)*s.width]
	var v uint64
	for k, c := range p {
		if s.big {
			k = s.width - 1 - k
		}
		v |= uint64(c) << (8 * k)
	}
	return s.extend(v)
}

func (s *scaleOffset) extend(v uint64) uint64 {
	if shift := 64 - 8*s.width; s.signed {
		return uint64(int64(v<<shift) >> shift)
	}
	return v
}

// span returns the least value, the number of bits that differences to it have, and whether any value is not the fill value.
func (s *scaleOffset) span(src []byte) (low uint64, width int, some bool) {
	less := func(a, b uint64) bool {
		if s.signed {
			return int64(a) < int64(b)
		}
		return a < b
	}
	high := uint64(0)
	fill := s.extend(s.fill)
	for i := range s.n {
		v := s.load(src, i)
		if s.hasFill && v == fill {
			continue
		}
		if !some || less(v, low) {
			low = v
		}
		if !some || less(high, v) {
			high = v
		}
		some = true
	}
	d := high - low
	if s.hasFill {
		if d == 1<<64-1 {
			return low, 64, some
		}
		d++ // all bits set is the fill value
	}
	return low, bits.Len64(d), some
}

func (s scaleOffset) encode(_ *State, dst, src []byte) ([]byte, error) {
	if s.n*s.width != len(src) {
		return nil, argument("a chunk of %d bytes, %d elements of %d expected", len(src), s.n, s.width)
	}
	low, width, some := s.span(src)
	if !some {
		low, width = s.extend(s.fill), 0
		if s.hasFill {
			width = 1
			low--
		}
	}
	all := 8 * s.width
	if width >= all {
		low, width = 0, all
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(width))
	dst = append(dst, 8)
	dst = binary.LittleEndian.AppendUint64(dst, low)
	dst = append(dst, make([]byte, scaleOffsetHead-13)...)
	if width == all {
		for i := range s.n {
			v := s.load(src, i)
			for k := range s.width {
				dst = append(dst, byte(v>>(8*k)))
			}
		}
		return dst, nil
	}
	return s.pack(dst, src, low, width), nil
}

// pack appends differences to low of width bits, the highest bits first.
func (s *scaleOffset) pack(dst, src []byte, low uint64, width int) []byte {
	fill := s.extend(s.fill)
	var hold byte
	free := 8
	for i := range s.n {
		v := s.load(src, i)
		if s.hasFill && v == fill {
			v = 1<<width - 1
		} else {
			v -= low
		}
		for left := width; left > 0; {
			n := min(left, free)
			left -= n
			free -= n
			hold |= byte(v>>left&(1<<n-1)) << free
			if free == 0 {
				dst = append(dst, hold)
				hold, free = 0, 8
			}
		}
	}
	// The library's buffer has a byte more than the values need.
	return append(dst, hold)
}
