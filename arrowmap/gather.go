package arrowmap

import (
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/source"
)

// The columns that are parts of one dataset's rows, as members of a compound type or items of a matrix are, are brought
// side by side together, band by band: each row passes through the cache once, not once for every column.

const (
	gatherBand = 256 << 10 // bytes of rows that stay in the cache
	gatherJob  = 4 << 20   // bytes of rows that one job takes
)

// gather is a column's values on their way out of the rows of a piece.
type gather struct {
	lo     int64 // first row
	rows   int64
	offset int // in a row
	stride int
	width  int
	buf    *memory.Buffer
}

// run brings rows [lo,hi) side by side. rows are their bytes.
func (g *gather) run(lo, hi int64, rows []byte) {
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

// gatherable returns the node of a column that can be gathered with others, nil for none.
func gatherable(n node) *plainNode {
	switch n := n.(type) {
	case *plainNode:
		if n.stride > n.plan.RowBytes && n.plan.GatherWidth() > 0 {
			return n
		}
	case *dictionaryNode:
		return gatherable(n.indices)
	}
	return nil
}

// gathers makes the buffers of the columns that are gathered together, and returns them by the piece that they come
// from.
func (b *batch) gathers() map[*piece][]*gather {
	nodes := map[*piece][]*plainNode{}
	column := map[*plainNode]int{}
	for i, c := range b.r.t.columns {
		n := gatherable(c.node)
		if n == nil {
			continue
		}
		if _, twice := column[n]; twice {
			continue
		}
		if p := b.pieces[n.of().place()]; p != nil && p.lo < p.hi {
			nodes[p], column[n] = append(nodes[p], n), i
		}
	}
	var out map[*piece][]*gather
	for p, list := range nodes {
		if len(list) < 2 {
			continue
		}
		for _, n := range list {
			g := &gather{lo: b.lo, rows: b.hi - b.lo, offset: n.offset, stride: n.stride, width: n.plan.GatherWidth()}
			g.buf = memory.NewResizableBuffer(b.part(column[n]).alloc)
			g.buf.Resize(int(g.rows) * g.width)
			if out == nil {
				out, b.gathered = map[*piece][]*gather{}, map[*plainNode]*gather{}
			}
			out[p] = append(out[p], g)
			b.gathered[n] = g
		}
	}
	return out
}

// gatherMapped starts the gathering from rows that are mapped.
func (b *batch) gatherMapped(p *piece, list []*gather) {
	jobRows, bandRows := max(1, gatherJob/p.row), max(1, gatherBand/p.row)
	for lo := p.lo; lo < p.hi; lo += jobRows {
		b.pending.Add(1)
		end := min(p.hi, lo+jobRows)
		b.r.pool.Go(func(*chunk.Worker) {
			err := b.r.ctx.Err()
			for at := lo; at < end && err == nil; at += bandRows {
				next := min(end, at+bandRows)
				rows := p.bytes[(at-p.lo)*p.row : (next-p.lo)*p.row]
				err = source.Guard(func() error {
					for _, g := range list {
						g.run(at, next, rows)
					}
					return nil
				})
			}
			b.arrived(err)
		})
	}
}
