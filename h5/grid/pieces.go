package grid

import "slices"

// Piece is a box of cells as they lie among the rows.
type Piece struct {
	Start, Count []int64
	Stride       []int64 // rows from one index to the next in each dimension
	First        int64   // row of the first cell
	From, To     int64   // the rows from the first cell to the last are among these
}

// Pieces divides the rows [a,b) into boxes and calls fn for each, in order of their first rows. Boxes of more than maxCells are cut,
// between chunks of a shape if it is not nil; those that can't be cut without cutting chunks may be larger. The slices of a piece are
// the callee's.
func (o *Order) Pieces(a, b int64, chunk []int64, maxCells int64, fn func(p *Piece)) error {
	return o.Boxes(a, b, func(row int64, start, count []int64) error {
		p := &Piece{Start: start, Count: count, Stride: make([]int64, len(count)), First: row, To: 1}
		for d := len(count) - 1; d >= 0; d-- {
			p.Stride[d] = p.To
			p.To *= count[d]
		}
		p.From, p.To = row, row+p.To
		p.cut(0, chunk, maxCells, fn)
		return nil
	})
}

// cut cuts a piece along the dimensions from d on.
func (p *Piece) cut(d int, chunk []int64, maxCells int64, fn func(p *Piece)) {
	size := int64(1)
	for _, n := range p.Count {
		size *= n
	}
	if d == len(p.Count) || size <= maxCells {
		q := *p
		q.Start, q.Count, q.Stride = slices.Clone(p.Start), slices.Clone(p.Count), slices.Clone(p.Stride)
		fn(&q)
		return
	}
	n := p.Count[d]
	step := max(1, maxCells/(size/n)) // indices that are worth a piece
	if chunk != nil {
		step = max(chunk[d], step-step%chunk[d])
	}
	rows := p.To-p.From == n*p.Stride[d] // an index is a run of rows
	for i := int64(0); i < n; {
		q := *p
		q.Start, q.Count = slices.Clone(p.Start), slices.Clone(p.Count)
		k := min(step-(p.Start[d]+i)%step, n-i)
		q.Start[d], q.Count[d], q.First = p.Start[d]+i, k, p.First+i*p.Stride[d]
		if rows {
			q.From, q.To = q.First, q.First+k*p.Stride[d]
		}
		q.cut(d+1, chunk, maxCells, fn)
		i += k
	}
}
