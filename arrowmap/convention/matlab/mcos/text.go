package mcos

import (
	"math"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// MissingText is the length of a string that is missing.
const MissingText = math.MaxUint64

// textVersion is the version of Text that is known.
const textVersion = 1

// Text is an array of strings, in column-major order, as the class string saves it: in integers of 64 bits.
//
//	+---------+------+------------+---------------+---------------------------------------+
//	| version | rank | dimensions | length of each| UTF-16 code units of all, four to one |
//	| 1       |      |            | in code units | integer, the low one first            |
//	+---------+------+------------+---------------+---------------------------------------+
type Text struct {
	Dims    []uint64
	lengths []uint64
	units   []uint64
}

// TextHeader is the number of integers that TextShape needs of an array of that rank.
func TextHeader(rank uint64) int { return 2 + int(min(rank, maxRank)) }

// TextShape decodes version, rank and dimensions from the first integers, as many as there are. It keeps p.
func TextShape(p []uint64) (dims []uint64, elements uint64, err error) {
	if len(p) < 2 {
		return nil, 0, h5err.New(h5err.Corrupt, "%d integers are not MATLAB's strings", len(p))
	}
	if p[0] != textVersion {
		return nil, 0, h5err.New(h5err.Unsupported, "version %d of MATLAB's strings", p[0])
	}
	if p[1] < 2 || p[1] > maxRank || p[1] > uint64(len(p)-2) {
		return nil, 0, h5err.New(h5err.Corrupt, "MATLAB's strings of rank %d", p[1])
	}
	dims, elements = p[2:2+p[1]], 1
	for _, d := range dims {
		if d == 0 {
			return dims, 0, nil
		}
	}
	for _, d := range dims {
		if elements > math.MaxInt64/d {
			return nil, 0, h5err.New(h5err.Corrupt, "MATLAB's strings of shape %v", dims)
		}
		elements *= d
	}
	return dims, elements, nil
}

// ParseText decodes strings. It keeps p, whose integers are those that little-endian bytes make.
func ParseText(p []uint64) (*Text, error) {
	dims, n, err := TextShape(p)
	if err != nil {
		return nil, err
	}
	rest := p[2+len(dims):]
	if n > uint64(len(rest)) {
		return nil, h5err.New(h5err.Corrupt, "MATLAB's strings of shape %v in %d integers", dims, len(p))
	}
	t := &Text{Dims: dims, lengths: rest[:n], units: rest[n:]}
	left := 4 * uint64(len(t.units))
	for i, k := range t.lengths {
		if k == MissingText {
			continue
		}
		if k > left {
			return nil, h5err.New(h5err.Corrupt, "string %d has %d code units, there are %d", i, k, left)
		}
		left -= k
	}
	return t, nil
}

// Len is the number of strings.
func (t *Text) Len() int { return len(t.lengths) }

// Each calls fn for each string with its code units, which are valid until fn returns, until fn returns an error.
func (t *Text) Each(fn func(i int, units []uint16, missing bool) error) error {
	var buf []uint16
	at := uint64(0)
	for i, n := range t.lengths {
		if n == MissingText {
			if err := fn(i, nil, true); err != nil {
				return err
			}
			continue
		}
		buf = buf[:0]
		for k := at; k < at+n; k++ {
			buf = append(buf, uint16(t.units[k/4]>>(16*(k%4))))
		}
		at += n
		if err := fn(i, buf, false); err != nil {
			return err
		}
	}
	return nil
}
