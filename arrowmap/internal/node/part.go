package node

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/grid"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Dataset is a dataset, and what its rows are.
type Dataset struct {
	*h5.Dataset
	Squeeze bool        // leading dimensions of 1 do not count
	Order   *grid.Order // when not nil, the rows are cells in this order
}

func of(ds *h5.Dataset) Dataset { return Dataset{Dataset: ds} }

// plain reports whether the rows are those of the dataset.
func (d Dataset) plain() bool { return !d.Squeeze && d.Order == nil }

// Place identifies a Dataset.
type Place struct {
	f       *h5.File
	addr    uint64
	squeeze bool
	order   *grid.Order
}

// Place returns what identifies d.
func (d Dataset) Place() Place { return Place{d.File(), d.Address(), d.Squeeze, d.Order} }

// RowDim is the dimension that counts the rows.
func (d Dataset) RowDim() int {
	dims := d.Dims()
	dim := 0
	for d.Squeeze && dim < len(dims)-1 && dims[dim] == 1 {
		dim++
	}
	return dim
}

// ChunkRows is the number of rows of a chunk, 0 where storage is not chunked or its rows are not those of a column of so many.
func (d Dataset) ChunkRows(l *h5.Layout, rows int64) int64 {
	if l.Storage == h5.StorageChunked && d.Order != nil {
		return min(d.Order.BlockCells(), 1<<40)
	}
	if dim := d.RowDim(); dim < len(l.ChunkDims) && d.Dims()[dim] == uint64(rows) {
		return int64(min(l.ChunkDims[dim], 1<<40))
	}
	return 0
}

// inOrder reports whether the rows are stored one after the other, but for where chunks end.
func (d Dataset) inOrder() bool {
	l, err := d.Layout()
	if err != nil || d.Order == nil {
		return err == nil
	}
	if l.Storage != h5.StorageChunked {
		return d.Order.RowMajor()
	}
	_, ok := d.Order.Line(grid.Extents(l.ChunkDims[:len(d.Order.Shape())]))
	return ok
}

// Want asks for rows [lo,hi) of a dataset. swap, when not nil, may be run over them, band by band, as they are decoded.
type Want func(d Dataset, lo, hi int64, swap func([]byte) bool)

// Piece is rows [Lo,Hi) of a dataset: bytes, and the buffer that owns them.
type Piece struct {
	Lo, Hi  int64
	Row     int64 // bytes of a row
	Bytes   []byte
	Owner   *memory.Buffer
	Offset  int  // of Bytes in Owner
	Mutable bool // decoded for one column only
	Swapped bool
}

// rows returns the rows [lo,hi) of a piece.
func (p *Piece) rows(lo, hi int64) Piece {
	at := int((lo - p.Lo) * p.Row)
	out := *p
	out.Bytes = p.Bytes[at : at+int((hi-lo)*p.Row)]
	out.Offset += at
	out.Lo, out.Hi = lo, hi
	return out
}

// Release gives up the piece.
func (p *Piece) Release() {
	if p.Owner != nil {
		p.Owner.Release()
		p.Owner = nil
	}
}

// Pass is a pass over a table's rows. It reads what nodes could not ask for before, because what they want was itself
// data.
type Pass interface {
	// View returns rows of a dataset from the mapping; ok is false where they are not there in one run. The caller
	// releases the piece.
	View(d Dataset, lo, hi int64) (p Piece, ok bool, err error)

	// Read returns rows of a dataset, from the mapping or in memory of mem. The caller releases the piece.
	Read(d Dataset, lo, hi int64, mem memory.Allocator) (Piece, error)

	// Keep returns what make returned for this key in this pass, and calls it if it was not called yet. It is released
	// with the pass.
	Keep(key any, make func() (Releaser, error)) (Releaser, error)
}

// Releaser is anything that counts references.
type Releaser interface{ Release() }

// Batch is rows of a table for which arrays are built.
type Batch struct {
	Pass      Pass
	Context   context.Context
	TextBytes int64 // maximum bytes of a variable-length column in one array
	MaxMemory int64 // maximum bytes of one allocation, 0 for no bound
	Pieces    map[Place]*Piece
	Gathered  map[*Plain]*Gather // columns that were gathered together with others
}

// Part is a column's view of a batch.
type Part struct {
	*Batch
	Alloc memory.Allocator // counts what the column copies
	Note  func(error)      // gets the error of a value that is null because it makes no sense; may be nil
}

// piece returns rows of a dataset that the batch asked for.
func (x *Part) piece(d *h5.Dataset, lo, hi int64) Piece { return x.pieceOf(of(d), lo, hi) }

func (x *Part) pieceOf(d Dataset, lo, hi int64) Piece {
	if lo == hi {
		return Piece{Lo: lo, Hi: hi}
	}
	return x.Pieces[d.Place()].rows(lo, hi)
}

// whole returns all rows of a dataset, read once in a pass. The piece belongs to the pass.
func (x *Part) whole(ds *h5.Dataset) (*Piece, error) {
	d := of(ds)
	r, err := x.Pass.Keep(d.Place(), func() (Releaser, error) {
		p, err := x.Pass.Read(d, 0, ds.Rows(), x.Alloc)
		return &p, err
	})
	if err != nil {
		return nil, err
	}
	return r.(*Piece), nil
}

// array builds rows [lo,hi) of a node that nobody could ask for before, in a batch of their own.
func (x *Part) array(n Node, lo, hi int64) (arrow.Array, error) {
	own := *x.Batch
	own.Pieces, own.Gathered = map[Place]*Piece{}, nil
	defer func() {
		for _, p := range own.Pieces {
			p.Release()
		}
	}()
	var wanted []Dataset
	n.Wants(lo, hi, func(d Dataset, lo, hi int64, _ func([]byte) bool) {
		p := own.Pieces[d.Place()]
		if p == nil {
			p = &Piece{Lo: lo, Hi: hi}
			own.Pieces[d.Place()] = p
			wanted = append(wanted, d)
		}
		p.Lo, p.Hi = min(p.Lo, lo), max(p.Hi, hi)
	})
	for _, d := range wanted {
		p := own.Pieces[d.Place()]
		var err error
		if *p, err = x.Pass.Read(d, p.Lo, p.Hi, x.Alloc); err != nil {
			return nil, err
		}
	}
	sub := &Part{Batch: &own, Alloc: x.Alloc, Note: x.Note}
	if n.Fits(sub, lo, hi) < hi-lo {
		return nil, h5err.New(h5err.Limit, "%d values of more than 2 GiB of text", hi-lo)
	}
	return n.Build(sub, lo, hi)
}

// env is what a dtype.Plan needs to build values of a dataset.
func (x *Part) env(p *Planner, d *h5.Dataset) *dtype.Env {
	f := d.File()
	return &dtype.Env{Alloc: x.Alloc, Heap: f.HeapReader(), OffsetSize: f.OffsetSize(), Where: d.Path(), RefPath: p.resolver(d)}
}
