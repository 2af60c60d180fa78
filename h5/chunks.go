package h5

import (
	"math/bits"
	"slices"
	"sort"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/array"
	"github.com/h5arrow/h5arrow/h5/internal/btree"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// Chunks returns the allocated chunks inside the current shape, sorted by number. The slice is shared and read-only. It is
// empty for other kinds of storage.
func (d *Dataset) Chunks() ([]Chunk, error) {
	late := d.more()
	late.chunkOnce.Do(func() {
		l, err := d.Layout()
		if err == nil && l.Storage == StorageChunked {
			late.chunks, err = d.readChunks(l)
		}
		late.chunkErr = h5err.About(err, d)
	})
	return late.chunks, late.chunkErr
}

// EachChunk calls fn for each allocated chunk inside the current shape, in the order of the index, and keeps none of them.
// An error of fn ends the walk and is returned. Unlike Chunks, it does not compare chunks with each other, so that a chunk
// that the index holds twice is passed twice.
func (d *Dataset) EachChunk(fn func(c Chunk) error) error {
	l, err := d.Layout()
	if err == nil && l.Storage == StorageChunked {
		err = d.walkChunks(&chunkList{d: d, l: l, each: fn})
	}
	return h5err.About(err, d)
}

// grid numbers the chunks of an extent in row-major order.
type grid struct {
	counts []uint64 // chunks in each dimension
	down   []uint64 // product of the counts of all later dimensions
	total  uint64
}

func newGrid(dims, chunk []uint64) (g grid, ok bool) {
	g = grid{counts: make([]uint64, len(dims)), down: make([]uint64, len(dims)), total: 1}
	for i := range dims {
		g.counts[i] = dims[i] / chunk[i]
		if dims[i]%chunk[i] != 0 {
			g.counts[i]++
		}
	}
	for i := len(dims) - 1; i >= 0; i-- {
		g.down[i] = g.total
		hi, lo := bits.Mul64(g.total, g.counts[i])
		if hi != 0 {
			return g, false
		}
		g.total = lo
	}
	return g, true
}

// number is the row-major number of scaled chunk coordinates; ok is false outside the grid.
func (g *grid) number(scaled []uint64) (n uint64, ok bool) {
	for i, s := range scaled {
		if s >= g.counts[i] {
			return 0, false
		}
		n += s * g.down[i]
	}
	return n, true
}

// scaled is the inverse of number.
func (g *grid) scaled(n uint64, out []uint64) {
	for i := range out {
		out[i] = n / g.down[i]
		n %= g.down[i]
	}
}

// chunkList collects chunks.
type chunkList struct {
	d      *Dataset
	l      *Layout
	now    grid // of the current shape
	n      int  // chunks so far
	chunks []Chunk
	each   func(c Chunk) error // unless nil, gets the chunks instead of the list
}

func (cl *chunkList) add(number, addr, size uint64, mask uint32) error {
	off, err := cl.d.f.r.FileOffset(addr, size)
	if err != nil {
		return err
	}
	r := cl.d.f.r
	switch {
	case cl.n >= r.Limits.Chunks:
		return h5err.Over("h5.Limits.Chunks", 2*uint64(r.Limits.Chunks), "more than %d chunks", r.Limits.Chunks)
	case cl.l.Index != IndexImplicit && int64(cl.n) > r.Size()/int64(r.OffsetSize):
		return r.Corrupt(cl.d.index.addr, "more chunks than addresses fit into the file")
	}
	cl.n++
	cl.d.f.extent(addr, size, "chunk")
	c := Chunk{Number: number, Offset: off, Size: int64(size), FilterMask: mask}
	if cl.each != nil {
		return cl.each(c)
	}
	cl.chunks = append(cl.chunks, c)
	return nil
}

func (cl *chunkList) addScaled(scaled []uint64, addr, size uint64, mask uint32) error {
	if n, ok := cl.now.number(scaled); ok && addr != meta.Undefined {
		return cl.add(n, addr, size, mask)
	}
	return nil // from before the dataset shrank
}

// walkChunks walks the chunk index, whatever its kind (specification, VII. Appendix C).
func (d *Dataset) walkChunks(cl *chunkList) error {
	l := cl.l
	var ok bool
	if cl.now, ok = newGrid(d.space.Dims, l.ChunkDims); !ok {
		return h5err.New(h5err.Limit, "shape %v in chunks of %v", d.space.Dims, l.ChunkDims)
	}
	if d.index.addr == meta.Undefined || cl.now.total == 0 {
		return nil
	}
	filters, err := d.Filters()
	if err != nil {
		return err
	}
	if l.Index != IndexImplicit && l.Index != IndexSingle {
		if err := d.f.claim(d.index.addr, d.addr, "chunk index"); err != nil {
			return err
		}
	}
	switch l.Index {
	case IndexBTree1:
		err = cl.btree1()
	case IndexSingle:
		if cl.now.total != 1 {
			return h5err.New(h5err.Corrupt, "one chunk of shape %v for a shape of %v", l.ChunkDims, d.space.Dims)
		}
		err = cl.add(0, d.index.addr, d.index.size, d.index.mask)
	case IndexBTree2:
		err = cl.btree2(len(filters) > 0)
	default:
		err = cl.numbered()
	}
	return err
}

func (d *Dataset) readChunks(l *Layout) ([]Chunk, error) {
	cl := &chunkList{d: d, l: l}
	filters, err := d.Filters()
	if err == nil {
		err = d.walkChunks(cl)
	}
	for try := 0; h5err.Is(err, h5err.Corrupt) && d.f.r.Again(try); try++ {
		cl = &chunkList{d: d, l: l}
		err = d.walkChunks(cl)
	}
	if err != nil {
		return nil, err
	}
	c := cl.chunks
	if err := d.checkStored(c); err != nil {
		return nil, err
	}
	if !sort.SliceIsSorted(c, func(i, j int) bool { return c[i].Number < c[j].Number }) {
		sort.Slice(c, func(i, j int) bool { return c[i].Number < c[j].Number })
	}
	for i := 1; i < len(c); i++ {
		if c[i].Number == c[i-1].Number {
			return nil, h5err.At(h5err.Corrupt, c[i].Offset, "the index names chunk %d twice", c[i].Number)
		}
	}
	if len(filters) == 0 {
		for i := range c {
			if c[i].Size < l.ChunkBytes && c[i].Size != d.TailBytes(l, c[i].Number) {
				return nil, h5err.At(h5err.Corrupt, c[i].Offset, "chunk %d has %d bytes of %d", c[i].Number, c[i].Size, l.ChunkBytes)
			}
		}
		if l.Element != 0 {
			return c, d.apart(l, c)
		}
	}
	return c, nil
}

// TailBytes returns the bytes of a chunk's rows that are inside the current shape: fewer than l.ChunkBytes where the last rows of
// the dataset fill a part of a chunk. Some writers store these rows alone.
func (d *Dataset) TailBytes(l *Layout, number uint64) int64 {
	g, ok := newGrid(d.space.Dims, l.ChunkDims)
	if !ok || number >= g.total {
		return l.ChunkBytes
	}
	rows := min(l.ChunkDims[0], d.space.Dims[0]-number/g.down[0]*l.ChunkDims[0])
	return l.ChunkBytes / int64(l.ChunkDims[0]) * int64(rows)
}

// apart fails for unfiltered chunks that overlap if their elements have the type's size: the layout message has another
// size, and nothing else says how large they are.
func (d *Dataset) apart(l *Layout, chunks []Chunk) error {
	at := make([]int64, len(chunks))
	for i := range chunks {
		at[i] = chunks[i].Offset
	}
	slices.Sort(at)
	for i := 1; i < len(at); i++ {
		if at[i]-at[i-1] < l.ChunkBytes {
			return h5err.At(h5err.Corrupt, at[i], "chunks of elements of %d bytes, the type has %d", l.Element, d.typ.Size)
		}
	}
	return nil
}

func (cl *chunkList) btree1() error {
	dims := cl.l.ChunkDims
	scaled := make([]uint64, len(dims))
	return btree.V1Chunks(cl.d.f.r, cl.d.index.addr, len(dims)+1, func(size, mask uint32, offset []uint64, addr uint64) error {
		for i := range dims {
			if offset[i]%dims[i] != 0 {
				return cl.d.f.r.Corrupt(addr, "a chunk at %v, chunks have the shape %v", offset[:len(dims)], dims)
			}
			scaled[i] = offset[i] / dims[i]
		}
		return cl.addScaled(scaled, addr, uint64(size), mask)
	})
}

// btree2 reads records of type 10 or 11 (III.A.2).
func (cl *chunkList) btree2(filtered bool) error {
	f, rank := cl.d.f, len(cl.l.ChunkDims)
	scaled := make([]uint64, rank)
	typ := 10
	if filtered {
		typ = 11
	}
	return btree.V2(f.r, cl.d.index.addr, typ, func(rec []byte) error {
		c := f.r.CursorOver(rec, cl.d.index.addr)
		addr := c.Address()
		size, mask := uint64(cl.l.ChunkBytes), uint32(0)
		if filtered {
			width := len(rec) - f.r.OffsetSize - 4 - 8*rank
			if width < 1 || width > 8 {
				return c.Corrupt("chunk record of %d bytes", len(rec))
			}
			size, mask = c.Uint(width), c.U32()
		}
		for i := range scaled {
			scaled[i] = c.U64()
		}
		if c.Err() != nil {
			return c.Err()
		}
		return cl.addScaled(scaled, addr, size, mask)
	})
}

// numbered reads the indexes that number the chunks of the maximum shape: implicit, fixed array, extensible array
// (specification, VII. Appendix C).
func (cl *chunkList) numbered() error {
	d, l := cl.d, cl.l
	rank := len(l.ChunkDims)
	largest := append([]uint64(nil), d.space.Dims...)
	if d.space.Max != nil {
		copy(largest, d.space.Max)
	}
	chunk := append([]uint64(nil), l.ChunkDims...)
	free := -1 // the unlimited dimension
	for i, n := range largest {
		if n == Unlimited {
			if free >= 0 {
				return h5err.New(h5err.Corrupt, "%d dimensions without a limit under a chunk index that takes one", 2)
			}
			free = i
		}
	}
	order := make([]int, rank) // of the dimensions in the numbering: the unlimited one varies slowest
	for i := range order {
		order[i] = i
	}
	if l.Index == IndexExtensibleArray {
		if free < 0 {
			return h5err.New(h5err.Corrupt, "an extensible array, but no dimension can grow")
		}
		copy(order[1:free+1], order[:free])
		order[0] = free
	} else if free >= 0 {
		return h5err.New(h5err.Corrupt, "dimension %d has no limit, the chunk index needs one", free)
	}
	dims2, chunk2 := make([]uint64, rank), make([]uint64, rank)
	for i, o := range order {
		dims2[i], chunk2[i] = largest[o], chunk[o]
	}
	if l.Index == IndexExtensibleArray {
		dims2[0] = d.space.Dims[free] // any number: the strides do not depend on it
	}
	g, ok := newGrid(dims2, chunk2)
	if !ok {
		return h5err.New(h5err.Limit, "shape %v in chunks of %v", largest, chunk)
	}
	if g.total == 0 {
		return nil
	}
	ordered, scaled := make([]uint64, rank), make([]uint64, rank)
	add := func(i, addr, size uint64, mask uint32) error {
		if i >= g.total && l.Index != IndexExtensibleArray {
			return nil
		}
		if size == 0 {
			size = uint64(l.ChunkBytes)
		}
		g.scaled(i, ordered)
		for k, o := range order {
			scaled[o] = ordered[k]
		}
		return cl.addScaled(scaled, addr, size, mask)
	}
	switch l.Index {
	case IndexFixedArray:
		return array.Fixed(d.f.r, d.index.addr, g.total, add)
	case IndexExtensibleArray:
		return array.Extensible(d.f.r, d.index.addr, g.total, add)
	}
	return cl.implicit(g, add)
}

// implicit computes the places of chunks that are stored one after another, without an index.
func (cl *chunkList) implicit(g grid, add func(i, addr, size uint64, mask uint32) error) error {
	n := uint64(cl.l.ChunkBytes)
	hi, all := bits.Mul64(g.total, n)
	if hi != 0 {
		return h5err.New(h5err.Limit, "%d chunks of %d bytes", g.total, n)
	}
	if _, err := cl.d.f.r.FileOffset(cl.d.index.addr, all); err != nil {
		return err
	}
	for i := range g.total {
		if err := add(i, cl.d.index.addr+i*n, n, 0); err != nil {
			return err
		}
	}
	return nil
}
