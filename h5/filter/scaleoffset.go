package filter

import (
	"encoding/binary"
	"math"
	"strconv"

	"github.com/h5arrow/h5arrow/h5/filter/internal/bits"
)

// scaleoffset is filter 6. Integers are stored as differences to the minimum, in as few bits as the maximum needs; floats as
// integers after multiplication by a power of ten. A value with all bits set is the fill value.
//
//	+----------------+-----------------+---------------------+---------+------+
//	| bits per value | size of minimum | minimum, in 8 bytes | nothing | bits |
//	|       4        |        1        |          8          |    8    |  ... |
//	+----------------+-----------------+---------------------+---------+------+
type scaleoffset struct {
	n, width int
	float    bool
	big      bool // the values are big-endian
	hasFill  bool
	fill     uint64  // as its bits
	scale    float64 // 10 to the decimal scale factor, rounded to the type of the values
	full     bool    // the client data asks for all bits: values are stored unchanged
}

const scaleoffsetHead = 21

func newScaleoffset(values []uint32) (decoder, error) {
	// The library insists on twenty. The last twelve are room for the fill value.
	if len(values) < 8 {
		return nil, corrupt("too little client data")
	}
	kind, factor, class := values[0], int32(values[1]), values[3]
	s := scaleoffset{n: int(values[2]), width: int(values[4]), hasFill: values[7] != 0}
	if values[2] > 1<<31-1 {
		return nil, corrupt("bad number of elements")
	}
	if values[4] > 8 {
		return nil, unsupported("values of this width")
	}
	switch class {
	case 0:
		if kind != 2 {
			return nil, corrupt("a scale type for other values")
		}
		if s.width != 1 && s.width != 2 && s.width != 4 && s.width != 8 {
			return nil, corrupt("bad size of values")
		}
		if values[5] > 1 {
			return nil, corrupt("bad sign of values")
		}
		if int(factor) > 8*s.width {
			return nil, corrupt("more bits than values have")
		}
		s.full = int(factor) == 8*s.width
	case 1:
		s.float = true
		if kind == 1 {
			return nil, unsupported("a fixed number of bits for floats")
		}
		if kind != 0 {
			return nil, corrupt("a scale type for other values")
		}
		if s.width != 4 && s.width != 8 {
			return nil, corrupt("bad size of values")
		}
		// Correctly rounded, which math.Pow is not always. An infinity is right, in spite of the error that comes with it.
		s.scale, _ = strconv.ParseFloat("1e"+strconv.Itoa(int(factor)), 8*s.width)
	default:
		return nil, corrupt("bad class of values")
	}
	switch values[6] {
	case 0:
	case 1:
		s.big = true
	default:
		return nil, corrupt("bad byte order")
	}
	if s.hasFill {
		if len(values) < 8+(s.width+3)/4 {
			return nil, corrupt("too little client data")
		}
		s.fill = uint64(values[8])
		if s.width == 8 {
			s.fill |= uint64(values[9]) << 32
		}
	}
	return s, nil
}

func (s scaleoffset) bound(n int) (int, bool) {
	if s.full {
		return n, true
	}
	return n + scaleoffsetHead + 1, false
}

func (s scaleoffset) decode(_ *State, dst, src []byte) (int, error) {
	if s.full {
		if len(src) > len(dst) {
			return 0, errTooLong
		}
		return copy(dst, src), nil
	}
	if len(src) < scaleoffsetHead {
		return 0, errShort
	}
	width := binary.LittleEndian.Uint32(src)
	var minimum uint64
	for i := range min(int(src[4]), 8) {
		minimum |= uint64(src[5+i]) << (8 * i)
	}
	if width > uint32(8*s.width) {
		return 0, corrupt("more bits than values have")
	}
	if s.n > len(dst)/s.width {
		return 0, errTooLong
	}
	n := int(width)
	dst, src = dst[:s.n*s.width], src[scaleoffsetHead:]
	if n == 8*s.width {
		// Stored as bytes in little-endian order, whatever the type's order.
		if len(src) < len(dst) {
			return 0, errShort
		}
		copy(dst, src)
		if s.big {
			swap(dst, s.width)
		}
		return len(dst), nil
	}
	if n > 0 && s.n > len(src)*8/n {
		return 0, errShort
	}
	s.unpack(dst, src, n, minimum)
	if s.big {
		swap(dst, s.width)
	}
	return len(dst), nil
}

// unpack decodes values of n bits, fewer than decoded values have, in little-endian order.
func (s scaleoffset) unpack(dst, src []byte, n int, minimum uint64) {
	r := bits.NewReader(src)
	none := uint64(1)<<n - 1
	if !s.hasFill {
		none = math.MaxUint64 // no value has 64 bits here
	}
	switch {
	case s.float && s.width == 4:
		low, scale := math.Float32frombits(uint32(minimum)), float32(s.scale)
		for i := range s.n {
			v, x := r.Take(n), uint32(s.fill)
			if v != none {
				x = math.Float32bits(float32(int32(v))/scale + low)
			}
			binary.LittleEndian.PutUint32(dst[4*i:], x)
		}
	case s.float:
		low := math.Float64frombits(minimum)
		for i := range s.n {
			v, x := r.Take(n), s.fill
			if v != none {
				x = math.Float64bits(float64(int64(v))/s.scale + low)
			}
			binary.LittleEndian.PutUint64(dst[8*i:], x)
		}
	default:
		for i := range s.n {
			v := r.Take(n)
			if v == none {
				v = s.fill
			} else {
				v += minimum
			}
			switch s.width {
			case 1:
				dst[i] = byte(v)
			case 2:
				binary.LittleEndian.PutUint16(dst[2*i:], uint16(v))
			case 4:
				binary.LittleEndian.PutUint32(dst[4*i:], uint32(v))
			default:
				binary.LittleEndian.PutUint64(dst[8*i:], v)
			}
		}
	}
}

// swap reverses the bytes of each element.
func swap(b []byte, width int) {
	switch width {
	case 2:
		for ; len(b) >= 2; b = b[2:] {
			b[0], b[1] = b[1], b[0]
		}
	case 4:
		for ; len(b) >= 4; b = b[4:] {
			binary.LittleEndian.PutUint32(b, binary.BigEndian.Uint32(b))
		}
	case 8:
		for ; len(b) >= 8; b = b[8:] {
			binary.LittleEndian.PutUint64(b, binary.BigEndian.Uint64(b))
		}
	}
}
