package mcos

import "github.com/h5arrow/h5arrow/h5/h5err"

// Magic is the first number of a handle.
const Magic = 0xdd000000

// MinHandle is the number of integers of the shortest handle.
const MinHandle = 5

// maxRank bounds the dimensions of an array.
const maxRank = 32

// Handle refers to an array of objects of one class.
//
//	+------------+------+------------+-------------------+-------+
//	| 0xdd000000 | rank | dimensions | number of objects | class |
//	+------------+------+------------+-------------------+-------+
type Handle struct {
	Dims    []uint32
	Objects []uint32 // numbers for Wrapper.Object; 0 for an object that was deleted
	Class   uint32   // number for Wrapper.Class
}

// ParseHandle decodes a handle. It keeps p.
func ParseHandle(p []uint32) (*Handle, error) {
	if len(p) < MinHandle || p[0] != Magic {
		return nil, h5err.New(h5err.Corrupt, "%d integers are not the handle of a MATLAB object", len(p))
	}
	rank := p[1]
	if rank < 2 || rank > maxRank || int(rank) > len(p)-3 {
		return nil, h5err.New(h5err.Corrupt, "the handle of MATLAB objects of rank %d", rank)
	}
	h := &Handle{Dims: p[2 : 2+rank], Class: p[len(p)-1]}
	h.Objects = p[2+rank : len(p)-1]
	n := uint64(1)
	for _, d := range h.Dims {
		n = min(n*uint64(d), 1<<32)
	}
	if n != uint64(len(h.Objects)) {
		return nil, h5err.New(h5err.Corrupt, "the handle of MATLAB objects of shape %v names %d", h.Dims, len(h.Objects))
	}
	return h, nil
}
