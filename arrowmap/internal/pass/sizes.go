package pass

import (
	"math"

	"github.com/h5arrow/h5arrow/arrowmap/internal/node"
	"github.com/h5arrow/h5arrow/dtype"
)

// Sizes that are used where no option says otherwise.
const (
	defaultBatchBytes = 64 << 20
	againBytes        = 4 << 20 // of a batch with filtered chunks, unless one row of them has more, and of one that is gathered from rows
	minBatchBytes     = 64 << 10
	inFlightPerWorker = 64 << 20
	minMappedBytes    = 64 << 10 // of a run of chunks for which a batch is made smaller
	maxSlowRows       = 1 << 16  // of a batch with a column whose rows are slow
	slowStartRows     = 1 << 11  // of the first batch with SlowStart, about
	unbounded         = 1 << 40  // bytes
)

// sizes are the sizes of batches.
type sizes struct {
	rows      int64
	firstRows int64
	bytes     int64 // of a batch, 0 where rows are asked for
	textBytes int64 // maximum bytes of a variable-length column in one record
}

// memory is how many bytes may be decoded and not yet returned, and how many chunks may take that batches share.
func (o *Options) memory() (inFlight, scratch int64) {
	inFlight, scratch = int64(o.Workers)*inFlightPerWorker, unbounded
	if o.MaxMemory > 0 {
		inFlight = min(inFlight, o.MaxMemory/2)
		scratch = o.MaxMemory - inFlight
	}
	return inFlight, scratch
}

// sizes chooses the rows of a batch.
func (p *Pass) sizes(inFlight int64) sizes {
	if n := p.o.BatchRows; n > 0 {
		return sizes{rows: n, firstRows: n, textBytes: math.MaxInt32}
	}
	bytes := p.o.BatchBytes
	if bytes == 0 {
		bytes = min(defaultBatchBytes, max(inFlight/4, minBatchBytes))
	}
	rowBytes, gathered, slow := int64(0), int64(0), false
	for _, c := range p.t.Columns {
		rowBytes += c.Describe().RowBytes
		if c.Describe().Delivery == dtype.Gathered {
			gathered += c.Describe().RowBytes
		}
		slow = slow || c.Describe().Slow
	}
	s := sizes{rows: max(1, bytes/max(1, rowBytes)), firstRows: slowStartRows, bytes: bytes, textBytes: bytes}
	if slow { // a column is built by one worker: smaller batches keep all of them busy
		s.rows = min(s.rows, maxSlowRows)
	}
	height, filtered := p.chunkRows()
	if again := p.bytesAgain(filtered, gathered > rowBytes/2); again > 0 {
		s.rows = min(s.rows, max(1, height, again/max(1, rowBytes)))
	}
	if height > 0 && height <= s.rows {
		s.rows -= s.rows % height
		s.firstRows = height * max(1, slowStartRows/height)
	} else if s.rows > 64 {
		s.rows -= s.rows % 64
	}
	if !p.o.SlowStart || s.firstRows > s.rows {
		s.firstRows = s.rows
	}
	return s
}

// bytesAgain is how many bytes a batch has at most so that its buffers are used again while they are in the cache, as fresh memory costs as
// much as decoding or gathering into it; 0 where that does not count or a size was asked for.
func (p *Pass) bytesAgain(filtered, gathered bool) int64 {
	if p.o.BatchBytes == 0 && (gathered || filtered && !p.t.File.Source().Far()) {
		return againBytes
	}
	return 0
}

// fitting returns how many rows of a batch fit the size of batches. Rows of columns that are mapped are not meant to be made; those
// of chunks that are not there are.
func (p *Pass) fitting(b *batch) int64 {
	rows, maxBytes := b.hi-b.lo, max(min(p.size.bytes, p.budget.Max()), 1)
	if p.o.BatchRows > 0 || b.unmapped <= maxBytes {
		return rows
	}
	return max(1, rows/((b.unmapped-1)/maxBytes+1))
}

// chunkRows is the height of the columns' highest chunks. filtered reports whether some column's chunks have filters.
func (p *Pass) chunkRows() (rows int64, filtered bool) {
	for _, c := range p.t.Columns {
		c.Wants(0, 0, func(d node.Dataset, _, _ int64, _ func([]byte) bool) {
			if s, err := p.streams.get(d); err == nil && s.Rows() == c.Describe().Rows {
				rows = max(rows, s.ChunkRows())
				filters, err := s.ds.Filters()
				filtered = filtered || err == nil && len(filters) > 0
			}
		})
	}
	return rows, filtered
}

// borderAfter is the end of the batch that starts at row a: at a multiple of the batch size, so that batches end where
// chunks do even when the first row is in the middle of one; earlier where a run of unfiltered chunks ends, so that what
// can be mapped is.
func (p *Pass) borderAfter(a int64) int64 {
	if p.o.BatchRows > 0 {
		return min(p.end, a+p.size.rows)
	}
	b := min(p.end, a-a%p.size.rows+p.size.rows, a-a%p.step+p.step)
	for _, c := range p.t.Columns {
		c.Wants(a, b, func(d node.Dataset, lo, hi int64, _ func([]byte) bool) {
			if lo != a || hi != b {
				return
			}
			s, err := p.streams.get(d)
			if err != nil || s.ChunkRows() == 0 {
				return
			}
			if end := s.ViewEnd(lo, hi); end > lo && (end-lo)*s.RowBytes() >= minMappedBytes {
				b, hi = min(b, end), end
			}
		})
	}
	return b
}
