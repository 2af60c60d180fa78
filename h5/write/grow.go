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

// takeOver loads the chunks that there are. Those of the last, incomplete row of chunks are decoded, to be written anew.
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
	base := src.File().Superblock().Offset
	at := make([]uint64, len(counts))
	for _, k := range chunks {
		n := k.Number
		for i := len(at) - 1; i >= 0; i-- {
			at[i] = n % counts[i]
			n /= counts[i]
		}
		if at[0] < c.row {
			c.chunks = append(c.chunks, chunkOf(c.numberOf(at), k.Offset-base, int(k.Size), k.FilterMask))
		}
	}
	first := c.row * s.ChunkDims[0]
	if first == rows {
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
