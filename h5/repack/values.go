package repack

import (
	"math"
	"slices"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write"
	"github.com/h5arrow/h5arrow/h5/write/flat"
)

func inOrder(attrs []*h5.Attribute) []*h5.Attribute {
	out := slices.Clone(attrs)
	slices.SortStableFunc(out, func(a, b *h5.Attribute) int { return int(int64(a.Order()) - int64(b.Order())) })
	return out
}

// chunkBytes is the size of chunks if nothing says how large they are.
const chunkBytes = 1 << 20

// dataset makes a dataset.
func (p *packer) dataset(d *h5.Dataset, path string) (*write.Dataset, *Dataset, error) {
	typ := *d.Type()
	typ.Committed = false
	if err := p.portable(&typ); err != nil {
		return nil, nil, err
	}
	s := write.Spec{Type: &typ, Space: *d.Space()}
	var err error
	if s.Named, err = p.committed(d); err != nil {
		return nil, nil, err
	}
	if d.HasFill() {
		fill, err := d.Fill()
		if err == nil {
			s.Fill, err = flat.NewFlattener(p.in, &typ, p.number).Append(nil, fill)
		}
		if err != nil {
			return nil, nil, err
		}
	} else if _, err := d.Fill(); err != nil && !h5err.Is(err, h5err.Limit) { // zeros for a large element
		return nil, nil, err
	}
	l, err := d.Layout()
	if err != nil {
		return nil, nil, err
	}
	filters, err := d.Filters()
	if err != nil {
		return nil, nil, err
	}
	layout, kept := p.layout(d, l)
	if err := p.storage(&s, layout, l, filters); err != nil {
		return nil, nil, err
	}
	out, err := p.f.Dataset(path, s)
	if h5err.Is(err, h5err.Argument) { // what the library stored in chunks may be too large for one extent
		err = h5err.Wrap(h5err.Unsupported, err, "this can't be stored as %v", s.Storage)
	}
	if err != nil {
		return nil, nil, err
	}
	res := &Dataset{Path: path, Type: d.Type(), Rows: uint64(d.Rows()), Storage: s.Storage, Kept: kept}
	plain := flat.NewFlattener(p.in, &typ, p.number).Plain()
	res.Before = plain && l.Storage == h5.StorageContiguous && l.Offset%int64(alignment(&typ)) == 0
	res.After = plain && s.Storage == h5.StorageContiguous
	return out, res, nil
}

// alignment is the alignment that values need to be used where they are.
func alignment(t *h5.Type) int {
	if t.Size&(t.Size-1) == 0 && t.Size <= 16 {
		return t.Size
	}
	return 1
}

// layout returns the layout for a dataset. Chunks that can't be decoded are kept as they are, for the reason that it returns.
func (p *packer) layout(d *h5.Dataset, l *h5.Layout) (Layout, error) {
	if p.o.Layout == Keep || l.Storage != h5.StorageChunked {
		return p.o.Layout, nil
	}
	if err := chunk.Decodable(d); h5err.Is(err, h5err.Unsupported) {
		return Keep, err
	}
	return p.o.Layout, nil
}

// storage chooses how a dataset is stored.
func (p *packer) storage(s *write.Spec, layout Layout, l *h5.Layout, filters []h5.Filter) error {
	s.Storage = l.Storage
	switch l.Storage {
	case h5.StorageCompact:
		return nil
	case h5.StorageVirtual:
		s.Virtual = l.Virtual
		return nil
	case h5.StorageExternal:
		s.External = l.External
		return nil
	}
	chunked := layout == Chunked && s.Space.Class == h5.SpaceSimple
	switch {
	case chunked:
		s.Storage, s.Filters, s.Sparse = h5.StorageChunked, slices.Clone(p.o.Filters), true
		s.ChunkDims = p.chunkDims(s, l)
	case layout == Keep && l.Storage == h5.StorageChunked:
		s.ChunkDims, s.Filters, s.RawEdges = l.ChunkDims, filters, l.RawEdges
		if l.Element != 0 {
			return h5err.New(h5err.Unsupported, "chunks whose layout states another size of elements")
		}
	case p.o.Growing && l.Storage == h5.StorageChunked && growable(&s.Space):
		s.ChunkDims, s.Sparse = l.ChunkDims, true
	case l.Storage == h5.StorageNone:
		s.Space.Max = nil
	default:
		s.Storage = h5.StorageContiguous
		s.Space.Max = nil
	}
	return nil
}

// growable reports whether any dimension can become larger.
func growable(s *h5.Space) bool {
	for i, n := range s.Max {
		if n > s.Dims[i] {
			return true
		}
	}
	return false
}

// chunkDims chooses the shape of chunks: whole rows.
func (p *packer) chunkDims(s *write.Spec, l *h5.Layout) []uint64 {
	dims := slices.Clone(s.Space.Dims)
	row := uint64(s.Type.Size)
	for i := range dims {
		if dims[i] = max(dims[i], 1); i > 0 {
			row *= dims[i]
		}
	}
	n := p.o.ChunkRows
	if n == 0 {
		if n = max(chunkBytes/row, 1); l.Storage == h5.StorageChunked {
			return l.ChunkDims
		}
	}
	if len(s.Space.Max) == 0 || s.Space.Max[0] == s.Space.Dims[0] {
		n = min(n, dims[0])
	}
	dims[0] = n
	for n > 1 && row > math.MaxInt32/n {
		n /= 2
		dims[0] = n
	}
	return dims
}

// values copies a dataset's values.
func (p *packer) values(d *h5.Dataset, out *write.Dataset, res *Dataset, pool *chunk.Pool) error {
	switch res.Storage {
	case h5.StorageVirtual, h5.StorageExternal, h5.StorageNone:
		return nil
	}
	fl := flat.NewFlattener(p.in, d.Type(), p.number)
	if (p.o.Layout == Keep || res.Kept != nil) && res.Storage == h5.StorageChunked && fl.Plain() {
		return p.copyChunks(d, out)
	}
	l, err := d.Layout()
	if err != nil {
		return err
	}
	if l.Storage == h5.StorageNone {
		return nil
	}
	r, err := chunk.NewReader(d)
	if err != nil {
		return err
	}
	defer r.Close()
	return p.copyRows(r, fl, out, pool)
}

// batchBytes is about how many bytes of rows are read at once.
const batchBytes = 4 << 20

// copyRows reads rows with all workers, and writes them.
func (p *packer) copyRows(r *chunk.Reader, fl *flat.Flattener, out *write.Dataset, pool *chunk.Pool) error {
	if r.RowBytes() == 0 || r.Rows() == 0 {
		return nil
	}
	step := max(batchBytes/r.RowBytes(), 1)
	if c := r.ChunkRows(); c > 0 {
		step = max(step/c, 1) * c
	}
	step = min(step, r.Rows())
	if step > math.MaxInt64/r.RowBytes() || step*r.RowBytes() > 4<<30 {
		return h5err.New(h5err.Memory, "rows of %d bytes in chunks of %d rows", r.RowBytes(), r.ChunkRows())
	}
	// While a batch is written, the next one is read.
	var buffers [2][]byte
	done := make(chan error, 1)
	start := func(i int, a int64) int64 {
		b := min(a+step, r.Rows())
		if buffers[i] == nil {
			buffers[i] = make([]byte, step*r.RowBytes())
		}
		r.Start(p.ctx, pool, a, b, buffers[i][:(b-a)*r.RowBytes()], chunk.StartOptions{}, func(err error) { done <- err })
		return b
	}
	var flat []byte
	at, i := int64(0), 0
	end := start(0, 0)
	for {
		if err := <-done; err != nil {
			return err
		}
		rows := buffers[i][:(end-at)*r.RowBytes()]
		at = end
		if at < r.Rows() {
			end = start(1-i, at)
		}
		err := error(nil)
		if !fl.Plain() {
			flat, err = fl.Append(flat[:0], rows)
			rows = flat
		}
		if err == nil {
			err = out.Write(rows)
		}
		if err != nil || at == r.Rows() {
			if at < r.Rows() {
				<-done
			}
			return err
		}
		i = 1 - i
	}
}

// copyChunks copies chunks as they are stored.
func (p *packer) copyChunks(d *h5.Dataset, out *write.Dataset) error {
	l, err := d.Layout()
	if err != nil {
		return err
	}
	dims := d.Space().Dims
	at := make([]uint64, len(dims))
	var buf []byte
	return d.EachChunk(func(c h5.Chunk) error {
		l.ChunkStart(c.Number, dims, at)
		if c.Size > math.MaxInt32 {
			return h5err.New(h5err.Limit, "a chunk of %d stored bytes", c.Size)
		}
		buf = slices.Grow(buf[:0], int(c.Size))[:c.Size]
		if err := readFull(p.ctx, p.in, buf, c.Offset); err != nil {
			return err
		}
		p.res.Copied++
		return out.WriteChunk(at, c.FilterMask, buf)
	})
}
