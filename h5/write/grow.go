package write

import (
	"context"
	"slices"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// grow prepares a dataset of the opened file for further rows.
func (d *Dataset) grow() error {
	if d.old == nil || d.store != nil {
		return nil
	}
	src := d.old.src.(*h5.Dataset)
	l, err := src.Layout()
	if err != nil {
		return err
	}
	if l.Storage != h5.StorageChunked || !src.Space().Growable() {
		return h5err.New(h5err.Argument, "%v storage of shape %v can't grow; chunks with a larger maximum shape can", l.Storage, src.Space().Dims)
	}
	filters, err := src.Filters()
	if err != nil {
		return err
	}
	d.spec = Spec{Type: src.Type(), Space: *src.Space(), Storage: l.Storage, ChunkDims: l.ChunkDims, Index: l.Index, RawEdges: l.RawEdges, Filters: filters}
	d.spec.Space.Dims = slices.Clone(d.spec.Space.Dims)
	d.spec.Space.Dims[0] = d.rows
	d.perRow = 1
	for _, n := range d.spec.Space.Dims[1:] {
		d.perRow *= n
	}
	if l.Element != 0 {
		return h5err.New(h5err.Unsupported, "chunks whose layout states another size of elements")
	}
	c, err := newChunked(d)
	if err != nil {
		return err
	}
	d.spec.Filters = filters // the message is taken over as it is
	if err := c.takeOver(src); err != nil {
		return err
	}
	d.store, d.unknown, d.done, d.old.changed = c, true, false, true
	return nil
}

// Truncate removes the rows from the given number on, to write others in their place. It must come before the first Write to the
// dataset, which must be one that can grow, of a file that Append opened.
func (d *Dataset) Truncate(rows uint64) error {
	if err := d.f.usable(); err != nil {
		return err
	}
	if d.old == nil || d.store != nil || rows > d.rows {
		return h5err.In(h5err.New(h5err.Argument, "%d rows of %d can't be kept", rows, d.rows), "", d.path)
	}
	d.rows = rows
	return h5err.In(d.grow(), "", d.path)
}

// Grows reports whether rows can be written to the dataset.
func (d *Dataset) Grows() bool {
	if d.old == nil {
		return true
	}
	src := d.old.src.(*h5.Dataset)
	l, err := src.Layout()
	return err == nil && l.Storage == h5.StorageChunked && src.Space().Growable()
}

// tail is room for rows in a chunk of the opened file that is stored as it is. Readers of the old state don't look at it, since it lies
// past the dataset's end.
type tail struct{ at, left int64 }

// fillTail writes the first rows there, and returns the others.
func (c *chunked) fillTail(rows []byte) ([]byte, error) {
	n := min(int64(len(rows)), c.tail.left)
	if n == 0 {
		return rows, nil
	}
	if err := c.d.f.out.Put(rows[:n], c.tail.at); err != nil {
		return nil, err
	}
	c.tail.at += n
	if c.tail.left -= n; c.tail.left == 0 {
		c.row++
	}
	return rows[n:], nil
}

// extends reports whether rows can be added to the last chunk where it is: its bytes are those of rows, one after the other.
func (c *chunked) extends(src *h5.Dataset) bool {
	s := &c.d.spec
	return len(s.Filters) == 0 && s.Space.Dims[0] == src.Space().Dims[0] && slices.Equal(s.ChunkDims[1:], s.Space.Dims[1:])
}

// takeOver loads the chunks that there are. Those of the last, incomplete row of chunks are decoded, to be written anew, unless rows
// can be added to them.
func (c *chunked) takeOver(src *h5.Dataset) error {
	chunks, err := src.Chunks()
	if err != nil {
		return err
	}
	s := &c.d.spec
	rows := s.Space.Dims[0]
	c.row = rows / s.ChunkDims[0]
	counts := make([]uint64, len(c.order))
	for i, n := range src.Space().Dims {
		counts[i] = (n + s.ChunkDims[i] - 1) / s.ChunkDims[i]
	}
	first := c.row * s.ChunkDims[0]
	extends := first < rows && c.extends(src)
	base := src.File().Superblock().Offset
	at := make([]uint64, len(counts))
	for _, k := range chunks {
		n := k.Number
		for i := len(at) - 1; i >= 0; i-- {
			at[i] = n % counts[i]
			n /= counts[i]
		}
		if extends && at[0] == c.row {
			row := int64(k.Size) / int64(s.ChunkDims[0])
			used := row * int64(rows-first)
			c.tail = tail{k.Offset - base + used, int64(k.Size) - used}
		}
		if at[0] < c.row || c.tail.left > 0 {
			c.chunks = append(c.chunks, chunkOf(c.numberOf(at), k.Offset-base, int(k.Size), k.FilterMask))
		}
	}
	if first == rows || c.tail.left > 0 {
		return nil
	}
	r, err := chunk.NewReader(src)
	if err != nil {
		return err
	}
	defer r.Close()
	c.band = make([]byte, int64(rows-first)*r.RowBytes())
	return r.Read(context.Background(), int64(first), int64(rows), c.band)
}
