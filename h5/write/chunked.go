package write

import (
	"bytes"
	"math"
	"slices"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/filter/encode"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write/internal/format"
	"github.com/h5arrow/h5arrow/h5/write/internal/queue"
)

// chunked is a store in chunks.
type chunked struct {
	d       *Dataset
	index   h5.ChunkIndex
	encoder *encode.Encoder // nil: no filters, or some that can't be applied
	broken  error           // why not
	bytes   int             // of a chunk

	order []int    // dimensions in the numbering of chunks
	down  []uint64 // by dimension: chunks that one step skips in that numbering

	band   []byte // rows of the current row of chunks
	row    uint64 // first row of the band, in chunks
	chunks []format.Chunk
	tail   tail // room in the last chunk of the opened file
	direct bool // chunks are given as they are stored
	base   int64
	fixed  int // chunks of a stream that were written, whose places are in chunks
}

// chunkBytes is the size of a chunk.
func chunkBytes(s *Spec) uint64 {
	n := uint64(s.Type.Size)
	for _, d := range s.ChunkDims {
		n = mul(n, d)
	}
	return n
}

func newChunked(d *Dataset) (*chunked, error) {
	s := &d.spec
	if s.Space.Class != h5.SpaceSimple || len(s.ChunkDims) != len(s.Space.Dims) {
		return nil, h5err.New(h5err.Argument, "chunks of %d dimensions for a %v dataspace of %d", len(s.ChunkDims), s.Space.Class, len(s.Space.Dims))
	}
	for _, n := range s.ChunkDims {
		if n == 0 || n > math.MaxUint32 {
			return nil, h5err.New(h5err.Argument, "chunks of shape %v", s.ChunkDims)
		}
	}
	n := chunkBytes(s)
	if n > math.MaxInt32 {
		return nil, h5err.New(h5err.Argument, "chunks of %v elements have more than %d bytes", s.ChunkDims, math.MaxInt32)
	}
	c := &chunked{d: d, bytes: int(n)}
	var err error
	if s.Filters, err = named(s.Filters, d); err != nil {
		return nil, err
	}
	if len(s.Filters) > 0 {
		if c.encoder, err = encode.New(s.Filters); h5err.Is(err, h5err.Unsupported) {
			c.broken, err = err, nil // chunks may be given as they are stored
		}
	}
	if err == nil {
		_, err = format.Filters(s.Filters, d.f.o.version == Earliest)
	}
	if err == nil && s.RawEdges && d.f.o.version != V110 {
		err = h5err.New(h5err.Unsupported, "chunks at the edges without filters in a file for version %v of HDF5", d.f.o.version)
	}
	if err == nil {
		err = c.choose()
	}
	if err == nil {
		err = c.bounded()
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// choose chooses the index.
func (c *chunked) choose() error {
	s := &c.d.spec
	free, first := 0, -1
	for i, n := range s.Space.Max {
		if n == h5.Unlimited {
			if free++; first < 0 {
				first = i
			}
		}
	}
	single := free == 0 && !c.d.unknown
	for i, n := range s.Space.Dims {
		single = single && n == s.ChunkDims[i] && (len(s.Space.Max) == 0 || s.Space.Max[i] == n)
	}
	want := h5.IndexFixedArray
	switch {
	case c.d.f.o.version != V110:
		want = h5.IndexBTree1
	case free > 1:
		want = h5.IndexBTree2
	case free == 1:
		want = h5.IndexExtensibleArray
	case single:
		want = h5.IndexSingle
	}
	fits := true
	switch s.Index {
	case 0:
		if s.Index = want; want == h5.IndexFixedArray && c.total() > maxChunks {
			s.Index = h5.IndexBTree1 // it has room only for the chunks that there are
		}
	case h5.IndexBTree1, h5.IndexBTree2:
		fits = s.Index == h5.IndexBTree1 || want != h5.IndexBTree1
	case h5.IndexSingle:
		fits = single && want == h5.IndexSingle
	case h5.IndexImplicit:
		fits = free == 0 && want != h5.IndexBTree1 && len(s.Filters) == 0
	case h5.IndexFixedArray:
		fits = free == 0 && want != h5.IndexBTree1
	default:
		fits = s.Index == want
	}
	if !fits {
		return h5err.New(h5err.Argument, "a chunk index of kind %v for shape %v, maximum %v, %d filters, in a file for version %v of HDF5",
			s.Index, s.Space.Dims, s.Space.Max, len(s.Filters), c.d.f.o.version)
	}
	c.index = s.Index
	c.number(first)
	return nil
}

// maxChunks bounds the chunks of a dataset: readers allow no more by default.
const maxChunks = 1 << 26

// bounded refuses indexes that have room for more chunks than readers allow.
func (c *chunked) bounded() error {
	n, what := c.total(), "maximum shape"
	if c.index != h5.IndexFixedArray && c.index != h5.IndexImplicit {
		if n, what = 1, "shape"; !c.d.f.o.first { // the index has room only for the chunks that there are
			return nil
		}
		for i, d := range c.d.spec.Space.Dims {
			n = mul(n, d/c.d.spec.ChunkDims[i]+1)
		}
	}
	if n > maxChunks || c.index == h5.IndexImplicit && mul(n, uint64(c.bytes)) > math.MaxInt64/4 {
		return h5err.New(h5err.Argument, "%d chunks of %v in the %s, the limit is %d", n, c.d.spec.ChunkDims, what, maxChunks)
	}
	return nil
}

// number prepares the numbering of chunks: row-major in the maximum shape, but the unlimited dimension of an extensible array comes
// first.
func (c *chunked) number(free int) {
	s := &c.d.spec
	rank := len(s.ChunkDims)
	c.order = make([]int, rank)
	for i := range c.order {
		c.order[i] = i
	}
	if c.index == h5.IndexExtensibleArray {
		copy(c.order[1:free+1], c.order[:free])
		c.order[0] = free
	}
	c.down = make([]uint64, rank)
	n := uint64(1)
	for k := rank - 1; k >= 0; k-- {
		i := c.order[k]
		c.down[i] = n
		n = mul(n, max(c.count(i), 1))
	}
}

// count is the number of chunks along a dimension in the numbering.
func (c *chunked) count(i int) uint64 {
	s := &c.d.spec
	n := s.Space.Dims[i]
	if len(s.Space.Max) > 0 && s.Space.Max[i] != h5.Unlimited {
		n = s.Space.Max[i]
	}
	return n/s.ChunkDims[i] + min(n%s.ChunkDims[i], 1)
}

// scaled returns the coordinates of a chunk, in chunks.
func (c *chunked) scaled(k *format.Chunk) []uint64 {
	out := make([]uint64, len(c.order))
	n := k.Number
	for _, i := range c.order {
		out[i] = n / c.down[i]
		n %= c.down[i]
	}
	return out
}

// write gathers rows until a row of chunks is complete.
func (c *chunked) write(rows []byte) error {
	switch {
	case c.direct:
		return h5err.New(h5err.Argument, "rows after chunks that were given as they are stored")
	case c.broken != nil:
		return c.broken
	}
	perRow := int(c.d.perRow) * c.d.values.Size
	whole := mul(c.d.spec.ChunkDims[0], uint64(perRow))
	if whole > math.MaxInt32*64 {
		return h5err.New(h5err.Argument, "a row of chunks of %d bytes is too large", whole)
	}
	rows, err := c.fillTail(rows)
	if err != nil {
		return err
	}
	for len(rows) > 0 {
		if len(c.order) == 1 && len(c.band) == 0 && len(rows) >= int(whole) {
			buf := c.d.f.queue.Buffer(int(whole))
			copy(buf, rows)
			rows = rows[whole:]
			if err := c.give(c.row, buf, false); err != nil {
				return err
			}
			c.row++
			continue
		}
		n := min(len(rows), int(whole)-len(c.band))
		c.band = append(c.band, rows[:n]...)
		rows = rows[n:]
		if len(c.band) == int(whole) {
			if err := c.cut(); err != nil {
				return err
			}
		}
	}
	return nil
}

// cut gives the chunks of the band to the queue.
func (c *chunked) cut() error {
	s := &c.d.spec
	rank := len(c.order)
	size := c.d.values.Size
	rows := uint64(len(c.band)) / max(c.d.perRow*uint64(size), 1)
	at := make([]uint64, rank) // in chunks
	at[0] = c.row
	for {
		buf := c.d.f.queue.Buffer(c.bytes)
		edge, err := c.box(buf, at, rows)
		if err != nil {
			return err
		}
		if err := c.give(c.numberOf(at), buf, edge); err != nil {
			return err
		}
		i := rank - 1
		for ; i > 0; i-- {
			if at[i]++; at[i] < (s.Space.Dims[i]+s.ChunkDims[i]-1)/s.ChunkDims[i] {
				break
			}
			at[i] = 0
		}
		if i == 0 {
			break
		}
	}
	c.row++
	c.band = c.band[:0]
	return nil
}

func (c *chunked) numberOf(at []uint64) (n uint64) {
	for i, v := range at {
		n += v * c.down[i]
	}
	return n
}

// box copies the part of the band that belongs to a chunk. What reaches over the shape's end has the fill value; edge reports whether
// there is such a part.
func (c *chunked) box(buf []byte, at []uint64, rows uint64) (edge bool, err error) {
	s := &c.d.spec
	rank := len(c.order)
	size := uint64(c.d.values.Size)
	n := make([]uint64, rank) // extent inside the shape
	for i := range n {
		n[i] = s.ChunkDims[i]
		if i == 0 {
			n[i] = min(n[i], rows)
		} else {
			n[i] = min(n[i], s.Space.Dims[i]-at[i]*s.ChunkDims[i])
		}
		edge = edge || n[i] < s.ChunkDims[i]
	}
	if edge {
		c.padding(buf)
	}
	if edge = at[0]*s.ChunkDims[0]+s.ChunkDims[0] > s.Space.Dims[0] && n[0] < s.ChunkDims[0]; !edge {
		for i := 1; i < rank; i++ {
			edge = edge || n[i] < s.ChunkDims[i]
		}
	}
	last := rank - 1
	run := n[last] * size
	i := make([]uint64, rank)
	for {
		from, to := uint64(0), uint64(0)
		for k := range rank {
			start := at[k] * s.ChunkDims[k]
			width := s.Space.Dims[k]
			if k == 0 {
				start, width = 0, 1 // the band starts with the chunk
			}
			from = from*width + start + i[k]
			to = to*s.ChunkDims[k] + i[k]
		}
		copy(buf[to*size:to*size+run], c.band[from*size:from*size+run])
		k := last - 1
		for ; k >= 0; k-- {
			if i[k]++; i[k] < n[k] {
				break
			}
			i[k] = 0
		}
		if k < 0 {
			return edge, nil
		}
	}
}

// padding fills a chunk with the fill value.
func (c *chunked) padding(buf []byte) {
	clear(buf)
	if c.d.fill == nil || c.d.values.Heap || c.d.values.Refs {
		return
	}
	for at := 0; at < len(buf); at += c.d.values.Size {
		copy(buf[at:], c.d.fill.Data)
	}
}

// omitted reports whether a chunk is left out: it has nothing but the fill value, and the index can do without it.
func (c *chunked) omitted(buf []byte) bool {
	size := c.d.values.Size
	if !c.d.spec.Sparse || c.d.values.Heap || c.d.values.Refs || c.index == h5.IndexImplicit || c.d.f.stream || !bytes.Equal(buf[size:], buf[:len(buf)-size]) {
		return false
	}
	if c.d.fill != nil {
		return bytes.Equal(buf[:size], c.d.fill.Data)
	}
	return !slices.ContainsFunc(buf[:size], func(b byte) bool { return b != 0 })
}

// give gives a chunk to the queue.
func (c *chunked) give(number uint64, buf []byte, edge bool) error {
	if c.omitted(buf) {
		c.d.f.queue.Release(buf)
		return nil
	}
	j := &queue.Job{To: c, Number: number, Values: buf, Encoder: c.encoder}
	if edge && c.d.spec.RawEdges {
		j.Encoder = nil
	}
	return c.d.f.queue.Give(j)
}

// Store writes a chunk as it is stored.
func (c *chunked) Store(number uint64, stored []byte, mask uint32) error {
	if len(stored) > math.MaxInt32 {
		return h5err.New(h5err.Argument, "a chunk of %d stored bytes", len(stored))
	}
	at := int64(0)
	if c.d.f.stream {
		return c.storeNext(number, stored)
	}
	if c.index == h5.IndexImplicit {
		c.reserve()
		at = c.base + int64(number)*int64(c.bytes)
	} else {
		align := int64(1)
		if len(c.d.spec.Filters) == 0 {
			align = c.d.f.space.Align(int64(len(stored)))
		}
		at = c.d.f.space.Data(int64(len(stored)), align)
	}
	c.chunks = append(c.chunks, chunkOf(number, at, len(stored), mask))
	return h5err.In(c.d.f.out.Put(stored, at), "", c.d.path)
}

// reserveAll gives all chunks their places, in the order in which they will be written.
func (c *chunked) reserveAll() {
	if c.index == h5.IndexImplicit && len(c.chunks) > 0 {
		c.reserve()
	}
	for i := range c.chunks {
		if k := &c.chunks[i]; c.index == h5.IndexImplicit {
			k.Addr = uint64(c.base) + k.Number*uint64(c.bytes)
		} else {
			k.Addr = uint64(c.d.f.space.Data(int64(c.bytes), c.d.f.space.Align(int64(c.bytes))))
		}
		c.chunks[i].Size = uint64(c.bytes)
	}
}

// storeNext writes a chunk of a stream.
func (c *chunked) storeNext(number uint64, stored []byte) error {
	for c.fixed < len(c.chunks) && c.chunks[c.fixed].Number < number {
		if err := c.storeFill(); err != nil {
			return err
		}
	}
	if c.fixed == len(c.chunks) || c.chunks[c.fixed].Number != number {
		return errStream(c.d.path, "chunks must be written in their order, as the output is not seekable")
	}
	c.fixed++
	return c.d.f.out.Put(stored, int64(c.chunks[c.fixed-1].Addr))
}

// storeFill writes the next chunk of a stream, which has no values.
func (c *chunked) storeFill() error {
	fill := make([]byte, c.bytes)
	c.padding(fill)
	c.fixed++
	return c.d.f.out.Put(fill, int64(c.chunks[c.fixed-1].Addr))
}

// reserve allocates all chunks of an implicit index.
func (c *chunked) reserve() {
	if c.base == 0 {
		n := int64(c.total()) * int64(c.bytes)
		c.base = c.d.f.space.Data(n, c.d.f.space.Align(n))
	}
}

// total is the number of chunks of the maximum shape.
func (c *chunked) total() uint64 {
	n := uint64(1)
	for i := range c.d.spec.ChunkDims {
		n = mul(n, c.count(i))
	}
	return n
}

// WriteChunk stores bytes unchanged for the chunk whose first element is at the coordinates at, which are multiples of the chunk's
// dimensions. If bit i of mask is set, filter i was not applied. Chunks may be written in any order, each once, and not together
// with Write; those that are not written have the fill value.
func (d *Dataset) WriteChunk(at []uint64, mask uint32, stored []byte) error {
	if err := d.f.usable(); err != nil {
		return err
	}
	c, ok := d.store.(*chunked)
	if !ok {
		return h5err.In(h5err.New(h5err.Argument, "a chunk for %v storage", d.spec.Storage), "", d.path)
	}
	if err := c.check(at, stored); err != nil {
		return h5err.In(err, "", d.path)
	}
	if err := d.f.plan(d); err != nil {
		return err
	}
	c.direct = true
	scaled := make([]uint64, len(at))
	for i := range at {
		scaled[i] = at[i] / d.spec.ChunkDims[i]
	}
	if d.unknown {
		d.rows = max(d.rows, at[0]+d.spec.ChunkDims[0])
	}
	buf := d.f.queue.Buffer(len(stored))
	copy(buf, stored)
	return d.f.fail(d.f.queue.Give(&queue.Job{To: c, Number: c.numberOf(scaled), Values: buf, Mask: mask}))
}

func (c *chunked) check(at []uint64, stored []byte) error {
	s := &c.d.spec
	if c.d.rows > 0 && !c.direct {
		return h5err.New(h5err.Argument, "a stored chunk after rows")
	}
	if len(at) != len(s.ChunkDims) || len(stored) == 0 {
		return h5err.New(h5err.Argument, "%d bytes at %v", len(stored), at)
	}
	for i, v := range at {
		if v%s.ChunkDims[i] != 0 || v >= s.Space.Dims[i] && !(i == 0 && c.d.unknown) {
			return h5err.New(h5err.Argument, "a chunk of shape %v at %v of %v", s.ChunkDims, at, s.Space.Dims)
		}
	}
	if len(s.Filters) == 0 && len(stored) != c.bytes {
		return h5err.New(h5err.Argument, "a chunk of %d bytes, %d expected", len(stored), c.bytes)
	}
	return nil
}

// finish gives the last, incomplete row of chunks to the queue.
func (c *chunked) finish() error {
	if len(c.band) > 0 {
		if err := c.cut(); err != nil {
			return err
		}
	}
	if err := c.d.f.queue.Drain(); err != nil {
		return err
	}
	if c.d.f.stream {
		for c.fixed < len(c.chunks) {
			if err := c.storeFill(); err != nil {
				return err
			}
		}
		return nil
	}
	if c.index == h5.IndexImplicit && c.total() > 0 {
		if err := c.fillImplicit(); err != nil {
			return err
		}
	}
	slices.SortFunc(c.chunks, func(a, b format.Chunk) int {
		if a.Number < b.Number {
			return -1
		}
		return 1
	})
	for i := 1; i < len(c.chunks); i++ {
		if c.chunks[i].Number == c.chunks[i-1].Number {
			return h5err.New(h5err.Argument, "a chunk was written twice")
		}
	}
	if n := len(c.chunks); n > 0 && c.index == h5.IndexExtensibleArray && c.chunks[n-1].Number >= format.MaxExtensible {
		return h5err.New(h5err.Argument, "more chunks than the index of a growing dataset holds: %d", uint64(format.MaxExtensible))
	}
	return nil
}

// fillImplicit writes the chunks of an implicit index that were not written.
func (c *chunked) fillImplicit() error {
	c.reserve()
	have := make(map[uint64]bool, len(c.chunks))
	for _, k := range c.chunks {
		have[k.Number] = true
	}
	var fill []byte
	for i := range c.total() {
		if have[i] {
			continue
		}
		if fill == nil {
			fill = make([]byte, c.bytes)
			c.padding(fill)
		}
		if err := c.Store(i, fill, 0); err != nil {
			return err
		}
	}
	return nil
}

func (c *chunked) abandon() {}
