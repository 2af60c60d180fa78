package node

import (
	"encoding/binary"
	"math"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/h5"
)

// bounds is offsets in any of their forms, converted to Arrow's: one more than there are rows.
type bounds struct {
	ds    *h5.Dataset
	kind  convention.Bounds
	total int64 // items, the end of the last row where only starts are stored
}

func (b bounds) rows() int64 {
	if b.kind == convention.BoundsBoth {
		return b.ds.Rows() - 1
	}
	return b.ds.Rows()
}

// wants asks for the stored offsets of rows [lo,hi).
func (b bounds) wants(lo, hi int64, want Want) {
	if lo >= hi {
		return
	}
	lo, hi = b.stored(lo, hi)
	want(of(b.ds), lo, hi, nil)
}

// stored is the range of stored offsets that rows [lo,hi) need.
func (b bounds) stored(lo, hi int64) (int64, int64) {
	switch b.kind {
	case convention.BoundsStarts:
		return lo, min(hi+1, b.ds.Rows())
	case convention.BoundsEnds:
		return max(lo-1, 0), hi
	}
	return lo, hi + 1
}

// piece returns the offsets of rows [lo,hi), hi-lo+1 of them, in the order of bytes that is stored; offsets of less than
// 4 bytes in 4.
func (b bounds) piece(x *Part, lo, hi int64) Piece {
	from, to := b.stored(lo, hi)
	p := x.piece(b.ds, from, to)
	if b.kind == convention.BoundsBoth {
		return p
	}
	t := b.ds.Type()
	size := max(4, t.Size)
	out := make([]byte, 0, int(hi-lo+1)*size)
	order := t.Order.Binary()
	add := func(v uint64) { out = appendInt(out, order, v, size) }
	if b.kind == convention.BoundsEnds && lo == 0 {
		add(0)
	}
	switch t.Size {
	case 1:
		for _, v := range p.Bytes {
			add(signed(uint64(v), t))
		}
	case 2:
		for q := p.Bytes; len(q) >= 2; q = q[2:] {
			add(signed(uint64(order.Uint16(q)), t))
		}
	default:
		out = append(out, p.Bytes...)
	}
	if b.kind == convention.BoundsStarts && hi == b.ds.Rows() {
		if add(uint64(b.total)); size == 4 && b.total > math.MaxInt32 {
			out = append(out[:len(out)-4], 0xff, 0xff, 0xff, 0xff) // reads as -1, which is refused as a descending offset
		}
	}
	return Piece{Lo: lo, Hi: hi + 1, Row: int64(size), Bytes: out}
}

// appendInt appends an integer of 4 or 8 bytes.
func appendInt(p []byte, order binary.ByteOrder, v uint64, size int) []byte {
	var b [8]byte
	if size == 8 {
		order.PutUint64(b[:], v)
	} else {
		order.PutUint32(b[:], uint32(v))
	}
	return append(p, b[:size]...)
}

// signed extends the sign of a narrow integer.
func signed(v uint64, t *h5.Type) uint64 {
	if shift := 64 - 8*t.Size; t.Signed && shift > 0 {
		return uint64(int64(v<<shift) >> shift)
	}
	return v
}
