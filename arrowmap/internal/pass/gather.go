package pass

import (
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/internal/buffer"
	"github.com/h5arrow/h5arrow/arrowmap/internal/node"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/source"
)

const (
	gatherBand = 256 << 10 // bytes of rows that stay in the cache
	gatherJob  = 1 << 20   // bytes of rows that one job takes
)

// gathers makes the buffers of the columns that are gathered together, and returns them by the piece that they come
// from.
func (b *batch) gathers() map[*node.Piece]*node.Gathers {
	nodes := map[*node.Piece][]*node.Plain{}
	column := map[*node.Plain]int{}
	for i, c := range b.p.t.Columns {
		n, ds := node.Gatherable(c)
		if n == nil {
			continue
		}
		if _, twice := column[n]; twice {
			continue
		}
		if p := b.Pieces[ds.Place()]; p != nil && n.PartOf(p) {
			nodes[p], column[n] = append(nodes[p], n), i
		}
	}
	var out map[*node.Piece]*node.Gathers
	for p, list := range nodes {
		if len(list) < 2 {
			continue
		}
		if out == nil {
			out, b.Gathered = map[*node.Piece]*node.Gathers{}, map[*node.Plain]*node.Gather{}
		}
		out[p] = node.NewGathers(p, list, b.lo, b.hi, func(i, n int) *memory.Buffer {
			b.p.stats[column[list[i]]].copied.Add(int64(buffer.Size(n)))
			return b.p.recycle.Buffer(n)
		})
		for i, n := range list {
			b.Gathered[n] = out[p].Column(i)
		}
	}
	return out
}

// gatherMapped starts the gathering from rows that are mapped.
func (b *batch) gatherMapped(p *node.Piece, all *node.Gathers) {
	jobRows, bandRows := max(1, gatherJob/p.Row), max(1, gatherBand/p.Row)
	for lo := p.Lo; lo < p.Hi; lo += jobRows {
		b.pending.Add(1)
		end := min(p.Hi, lo+jobRows)
		b.p.pool.Go(func(*chunk.Worker) {
			err := b.p.ctx.Err()
			for at := lo; at < end && err == nil; at += bandRows {
				next := min(end, at+bandRows)
				rows := p.Bytes[(at-p.Lo)*p.Row : (next-p.Lo)*p.Row]
				err = source.Guard(func() error {
					all.Run(at, next, rows)
					return nil
				})
			}
			b.arrived(err)
		})
	}
}
