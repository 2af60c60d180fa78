package node

import (
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype"
)

// Gather is a column's values that are gathered from the rows of a piece, together with those of other columns that are
// parts of the same rows, as members of a compound type or items of a matrix are. So each row passes through the cache
// once, not once for every column.
type Gather struct {
	lo     int64 // first row
	rows   int64
	offset int // in a row
	stride int
	width  int
	buf    *memory.Buffer
}

// Gatherable returns the node of a column that can be gathered with others, nil for none, and what its values are part
// of.
func Gatherable(n Node) (*Plain, Dataset) {
	switch n := n.(type) {
	case *Plain:
		if n.stride > n.plan.RowBytes && n.plan.GatherWidth() > 0 {
			return n, n.ds
		}
	case *dictionary:
		return Gatherable(n.indices)
	}
	return nil, Dataset{}
}

// Gather makes the buffer for rows [lo,hi) of a column that is gathered with others.
func (n *Plain) Gather(lo, hi int64, mem memory.Allocator) *Gather {
	g := &Gather{lo: lo, rows: hi - lo, offset: n.offset, stride: n.stride, width: n.plan.GatherWidth(), buf: memory.NewResizableBuffer(mem)}
	g.buf.Resize(int(g.rows) * g.width)
	return g
}

// Run gathers the values of rows [lo,hi), whose bytes are rows.
func (g *Gather) Run(lo, hi int64, rows []byte) {
	if first := max(lo, g.lo); first > lo {
		rows = rows[min(int(first-lo)*g.stride, len(rows)):]
		lo = first
	}
	if hi = min(hi, g.lo+g.rows); lo >= hi {
		return
	}
	at, n := int(lo-g.lo)*g.width, int(hi-lo)
	dtype.Gather(g.buf.Bytes()[at:at+n*g.width], rows[g.offset:], g.width, g.stride, n)
}

// Release gives up the buffer.
func (g *Gather) Release() { g.buf.Release() }
