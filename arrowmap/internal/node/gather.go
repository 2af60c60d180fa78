package node

import (
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/internal/records"
)

// Gathers are columns whose values are gathered from the rows of a piece together, as members of a compound type or items
// of a matrix are. So each row passes through the cache once, not once for every column.
type Gathers struct {
	lo, rows int64 // first row, and their number
	stride   int64
	plan     *records.Plan
	columns  []*Gather
}

// Gather is the values of one of the columns.
type Gather struct {
	lo    int64 // first row
	width int
	swap  func([]byte) bool // nil for none
	buf   *memory.Buffer
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

// GatherWidth is the number of bytes of a row that are gathered of a Gatherable column, 0 for others.
func GatherWidth(n Node) int64 {
	if p, _ := Gatherable(n); p != nil {
		return int64(p.plan.GatherWidth())
	}
	return 0
}

// PartOf reports whether the values of n, which is Gatherable, are inside each row of p.
func (n *Plain) PartOf(p *Piece) bool {
	return p.Lo < p.Hi && int64(n.stride) == p.Row && n.offset <= n.stride-n.plan.GatherWidth()
}

// NewGathers prepares to gather rows [lo,hi) of columns that are parts of the rows of piece p. The values of column i go to
// the buffer that buffer returns for so many bytes.
func NewGathers(p *Piece, columns []*Plain, lo, hi int64, buffer func(i, n int) *memory.Buffer) *Gathers {
	g := &Gathers{lo: lo, rows: hi - lo, stride: p.Row}
	parts := make([]records.Column, len(columns))
	for i, n := range columns {
		w := n.plan.GatherWidth()
		parts[i] = records.Column{Offset: n.offset, Width: w}
		g.columns = append(g.columns, &Gather{lo: lo, width: w, swap: n.swapper(), buf: buffer(i, int(g.rows)*w)})
	}
	g.plan = records.New(int(p.Row), parts)
	return g
}

// Column returns the values of column i.
func (g *Gathers) Column(i int) *Gather { return g.columns[i] }

// Run gathers the values of rows [lo,hi), whose bytes are rows. Other rows may be gathered at the same time.
func (g *Gathers) Run(lo, hi int64, rows []byte) {
	if first := max(lo, g.lo); first > lo {
		rows = rows[min((first-lo)*g.stride, int64(len(rows))):]
		lo = first
	}
	if hi = min(hi, g.lo+g.rows); lo >= hi {
		return
	}
	at, n := int(lo-g.lo), int(hi-lo)
	dst := make([][]byte, len(g.columns))
	for i, c := range g.columns {
		dst[i] = c.buf.Bytes()[at*c.width : (at+n)*c.width]
	}
	g.plan.Gather(dst, rows, n)
	for i, c := range g.columns {
		if c.swap != nil {
			c.swap(dst[i])
		}
	}
}

// Release gives up the buffer.
func (g *Gather) Release() { g.buf.Release() }
