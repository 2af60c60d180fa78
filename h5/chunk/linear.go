package chunk

import (
	"context"
	"math"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk/internal/strided"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// pieceBytes is about what a piece reads: little enough to stay in a core's own cache until it is passed on, enough to
// make what a piece costs besides not matter.
const pieceBytes = 512 << 10

// planLinear plans storage whose bytes are rows: contiguous, compact, external, none.
func (r *Reader) planLinear(p *plan, a, b int64, dst []byte) error {
	if err := r.checkLinear(b); err != nil {
		return err
	}
	size := r.opts.piece
	if r.hints.InFlight > 0 && r.ds.layout.Storage == h5.StorageContiguous {
		size = r.hints.Span
	}
	step := max(1, size/r.rowBytes)
	if step > bandRows {
		step -= step % bandRows
	}
	within := r.rowBytes // rows beyond some size are cut at elements
	if r.rowBytes > 4*size {
		elem := int64(r.ds.elem)
		within = max(1, 4*size/elem) * elem
	}
	for lo := a; lo < b; {
		hi := min(b, lo+step)
		if step > 1 {
			r.addLinear(p, a, lo, hi, 0, (hi-lo)*r.rowBytes, dst)
		} else {
			for from := int64(0); from < r.rowBytes; {
				to := min(r.rowBytes, from+within)
				r.addLinear(p, a, lo, hi, from, to, dst)
				from = to
			}
		}
		lo = hi
	}
	return nil
}

// checkLinear fails when the storage ends before row b does.
func (r *Reader) checkLinear(b int64) error {
	l := r.ds.layout
	total := b * r.rowBytes
	switch l.Storage {
	case h5.StorageCompact:
		if int64(len(l.Data)) < total {
			return h5err.New(h5err.Corrupt, "%d bytes of compact storage, %d are needed", len(l.Data), total)
		}
	case h5.StorageContiguous:
		if l.Size < total || l.Offset < 0 || total > math.MaxInt64-l.Offset {
			return h5err.At(h5err.Corrupt, max(l.Offset, h5err.NoOffset), "%d bytes of storage, %d are needed", l.Size, total)
		}
	}
	return nil
}

// addLinear adds the piece of bytes [from,to) of rows [lo,hi).
func (r *Reader) addLinear(p *plan, a, lo, hi, from, to int64, dst []byte) {
	at := (lo - a) * r.rowBytes
	part := dst[at+from : at+to]
	pos := lo*r.rowBytes + from
	p.add(piece{lo: lo, hi: hi, addr: r.ds.layout.Offset + pos, far: r.wantsLinear(pos, part), do: func(ctx context.Context, w *Worker) error {
		return r.readLinear(ctx, w, pos, part)
	}})
}

// wantsLinear lists what a piece of contiguous storage reads, where that is fetched ahead: straight to where it goes.
func (r *Reader) wantsLinear(pos int64, part []byte) *far {
	if r.hints.InFlight == 0 || r.ds.layout.Storage != h5.StorageContiguous || len(part) == 0 {
		return nil
	}
	return &far{wants: []want{{src: r.ds.src, off: r.ds.layout.Offset + pos, size: int64(len(part)), into: part}}}
}

// readLinear reads bytes from a position of the dataset's bytes on.
func (r *Reader) readLinear(ctx context.Context, w *Worker, pos int64, dst []byte) error {
	l := r.ds.layout
	switch l.Storage {
	case h5.StorageCompact:
		copy(dst, l.Data[pos:])
		return nil
	case h5.StorageContiguous:
		return r.readFull(ctx, w, r.ds.src, dst, l.Offset+pos)
	case h5.StorageExternal:
		return r.ext.Read(ctx, pos, dst)
	}
	pattern, err := r.pattern()
	if err != nil {
		return err
	}
	strided.Fill(dst, pattern)
	return nil
}
