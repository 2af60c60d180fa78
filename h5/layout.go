package h5

import (
	"math"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/heap"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// chunkIndex is what the layout message has about the index, besides its kind.
type chunkIndex struct {
	addr uint64
	size uint64 // Single, filtered: stored bytes
	mask uint32 // Single, filtered
}

// Layout returns where the dataset's values are stored. Extents are checked against the file's size.
func (d *Dataset) Layout() (*Layout, error) {
	d.layoutOnce.Do(func() {
		d.layout, d.layoutErr = d.readLayout()
		d.layoutErr = h5err.About(d.layoutErr, d)
	})
	return d.layout, d.layoutErr
}

// readLayout reads the data layout message (specification, IV.A.2.i).
func (d *Dataset) readLayout() (*Layout, error) {
	m := d.h.find(msgLayout)
	if m == nil {
		return nil, h5err.New(h5err.Corrupt, "a dataset without a layout")
	}
	c, err := d.f.cursor(m)
	if err != nil {
		return nil, err
	}
	l := &Layout{}
	switch version := c.U8(); {
	case c.Err() != nil:
		return nil, c.Err()
	case version == 1 || version == 2:
		err = d.layout1(c, l)
	case version >= 3 && version <= 5:
		err = d.layout3(c, l, version)
	default:
		return nil, c.Corrupt("layout version %d", version)
	}
	if err != nil {
		return nil, err
	}
	if c.Err() != nil {
		return nil, c.Err()
	}
	if em := d.h.find(msgExternalFiles); em != nil && (l.Storage == StorageContiguous || l.Storage == StorageNone) {
		if d.f.opts.alone() {
			return nil, h5err.Refuse(h5err.RuleExternalStorage, "external storage of a file that is not trusted")
		}
		if err := d.readExternal(em, l); err != nil {
			return nil, err
		}
	}
	if err := d.checkLayout(c, l); err != nil {
		return nil, err
	}
	if err := d.checkExpansion(l); err != nil {
		return nil, err
	}
	return l, nil
}

// layout1 reads versions 1 and 2.
func (d *Dataset) layout1(c *meta.Cursor, l *Layout) error {
	rank := int(c.U8())
	class := c.U8()
	c.Skip(5)
	addr := uint64(meta.Undefined)
	if class != 0 {
		addr = c.Address()
	}
	if c.Err() == nil && rank == 0 {
		return c.Corrupt("layout of 0 dimensions") // there is one more than the dataset has
	}
	if d.f.rank(c, rank-1, "layout"); c.Err() != nil {
		return c.Err()
	}
	dims := make([]uint64, rank)
	for i := range dims {
		dims[i] = uint64(c.U32())
	}
	switch class {
	case 0:
		l.Storage, l.Data = StorageCompact, c.Bytes(int(c.U32()))
	case 1:
		l.Storage = StorageContiguous
		if addr != meta.Undefined {
			n, err := d.bytes()
			if err != nil {
				return err
			}
			l.Size = n
		}
		return d.extent(c, l, addr)
	case 2:
		if rank < 2 {
			return c.Corrupt("chunk of rank %d", rank-1)
		}
		d.index.addr = addr
		l.Index = IndexBTree1
		return d.chunked(c, l, dims[:rank-1], dims[rank-1]) // the last dimension is the element's size
	default:
		return c.Corrupt("layout class %d", class)
	}
	return c.Err()
}

// layout3 reads versions 3 to 5.
func (d *Dataset) layout3(c *meta.Cursor, l *Layout, version uint8) error {
	class := c.U8()
	switch {
	case class == 0:
		l.Storage, l.Data = StorageCompact, c.Bytes(int(c.U16()))
	case class == 1:
		addr, n := c.Address(), c.Length()
		if c.Err() != nil {
			return c.Err()
		}
		if n > math.MaxInt64 && addr != meta.Undefined {
			return c.Corrupt("contiguous storage of %d bytes", n)
		}
		l.Storage, l.Size = StorageContiguous, int64(min(n, math.MaxInt64))
		return d.extent(c, l, addr)
	case class == 2 && version == 3:
		rank := int(c.U8())
		d.index.addr = c.Address()
		l.Index = IndexBTree1
		return d.chunkDims(c, l, rank, 4)
	case class == 2:
		return d.layout4(c, l)
	case class == 3 && version >= 4 && d.f.opts.alone():
		return h5err.Refuse(h5err.RuleVirtual, "a virtual dataset in a file that is not trusted")
	case class == 3 && version >= 4:
		addr, index := c.Address(), c.U32()
		if c.Err() != nil {
			return c.Err()
		}
		l.Storage = StorageVirtual
		if addr == meta.Undefined || addr == 0 && index == 0 {
			return nil
		}
		b, err := d.f.heapObject(addr, index)
		if err != nil {
			return err
		}
		return d.f.parseVirtual(d.f.r.CursorOver(b, addr), l, len(d.space.Dims))
	case class == 4 && version >= 5:
		return c.Unsupported("structured chunks (layout class 4): the values are in sections of chunks, as for sparse data")
	default:
		return c.Corrupt("layout class %d", class)
	}
	return c.Err()
}

// layout4 reads the chunked layout of versions 4 and 5.
func (d *Dataset) layout4(c *meta.Cursor, l *Layout) error {
	flags := c.U8()
	rank := int(c.U8())
	width := int(c.U8())
	if c.Err() == nil && (width < 1 || width > 8) {
		return c.Corrupt("chunk dimensions of %d bytes", width)
	}
	l.RawEdges = flags&1 != 0
	if err := d.chunkDims(c, l, rank, width); err != nil {
		return err
	}
	switch kind := c.U8(); {
	case c.Err() != nil:
	case kind == 1:
		l.Index = IndexSingle
		d.index.size = uint64(l.ChunkBytes)
		if flags&2 != 0 {
			d.index.size, d.index.mask = c.Length(), c.U32()
		}
	case kind == 2:
		if l.Index = IndexImplicit; l.Element != 0 { // nothing says how large its chunks are
			return c.Corrupt("chunks of elements of %d bytes, the type has %d", l.Element, d.typ.Size)
		}
	case kind == 3:
		l.Index = IndexFixedArray
		c.Skip(1)
	case kind == 4:
		l.Index = IndexExtensibleArray
		c.Skip(5)
	case kind == 5:
		l.Index = IndexBTree2
		c.Skip(6)
	default:
		return c.Corrupt("chunk index of kind %d", kind)
	}
	d.index.addr = c.Address()
	return c.Err()
}

// chunkDims reads rank dimensions of width bytes, the last of which is the size of an element.
func (d *Dataset) chunkDims(c *meta.Cursor, l *Layout, rank, width int) error {
	if c.Err() == nil && rank < 2 {
		return c.Corrupt("chunk of rank %d", rank-1)
	}
	if d.f.rank(c, rank-1, "chunk"); c.Err() != nil {
		return c.Err()
	}
	dims := make([]uint64, rank)
	for i := range dims {
		dims[i] = c.Uint(width)
	}
	return d.chunked(c, l, dims[:rank-1], dims[rank-1])
}

func (d *Dataset) chunked(c *meta.Cursor, l *Layout, dims []uint64, element uint64) error {
	if c.Err() != nil {
		return c.Err()
	}
	l.Storage, l.ChunkDims = StorageChunked, dims
	if len(dims) != len(d.space.Dims) {
		return c.Corrupt("chunks of rank %d, the dataset has rank %d", len(dims), len(d.space.Dims))
	}
	size := uint64(d.typ.Size)
	switch element {
	case size:
	case 0:
		return c.Corrupt("chunks of elements of 0 bytes, the type has %d", size)
	default: // HDF5 before 2.0, too, takes it from the type; readChunks looks whether the chunks are so large
		l.Element = element
	}
	n, ok := product(dims, size)
	if !ok || n == 0 {
		return c.Corrupt("chunks of shape %v", dims)
	}
	if int64(n) > d.f.r.Limits.DecodedBytes {
		return c.Over("h5.Limits.DecodedBytes", n, "chunks of %d bytes, the limit is %d", n, d.f.r.Limits.DecodedBytes)
	}
	l.ChunkBytes = int64(n)
	return nil
}

// extent places contiguous storage.
func (d *Dataset) extent(c *meta.Cursor, l *Layout, addr uint64) error {
	if c.Err() != nil {
		return c.Err()
	}
	if addr == meta.Undefined {
		l.Storage = StorageNone
		return nil
	}
	if d.h.find(msgExternalFiles) != nil {
		return nil // the size is that of the external files
	}
	var err error
	l.Offset, err = d.f.r.FileOffset(addr, uint64(l.Size))
	return err
}

// checkLayout compares the layout's sizes with the shape.
func (d *Dataset) checkLayout(c *meta.Cursor, l *Layout) error {
	if l.Storage != StorageCompact && l.Storage != StorageContiguous {
		return nil
	}
	need, err := d.bytes()
	if err != nil {
		return err
	}
	have := l.Size
	if l.Storage == StorageCompact {
		have = int64(len(l.Data))
		if have == 0 && need > 0 {
			l.Storage = StorageNone
			return nil
		}
	}
	if have < need {
		return c.Corrupt("%s storage of %d bytes for a shape of %v elements of %d bytes", l.Storage, have, d.space.Dims, d.typ.Size)
	}
	if l.Storage == StorageContiguous {
		l.Size = need
		if need > 0 {
			d.f.extent(uint64(l.Offset-d.f.r.Base()), uint64(need), "raw data")
		}
	}
	return nil
}

// readExternal reads the external file list (IV.A.2.h).
func (d *Dataset) readExternal(m *message, l *Layout) error {
	c, err := d.f.cursor(m)
	if err != nil {
		return err
	}
	if v := c.U8(); c.Err() == nil && v != 1 {
		return c.Corrupt("external file list version %d", v)
	}
	c.Skip(3 + 2)
	n := int(c.U16())
	at := c.Address()
	if c.Err() != nil {
		return c.Err()
	}
	names, err := heap.OpenLocal(d.f.r, at)
	if err != nil {
		return err
	}
	total, room := int64(0), names.Size()
	for range n {
		nameAt, offset, size := c.Length(), c.Length(), c.Length()
		if c.Err() != nil {
			return c.Err()
		}
		name, err := names.String(nameAt)
		if err != nil {
			return err
		}
		if room -= int64(len(name)); room < 0 {
			return c.Corrupt("the names of external files are larger than their heap")
		}
		e := ExternalExtent{Name: string(name), Offset: int64(offset), Size: int64(size)}
		if size == meta.Undefined {
			e.Size = -1
		}
		if offset > math.MaxInt64 || size != meta.Undefined && (size > math.MaxInt64 || total > math.MaxInt64-int64(size)) {
			return c.Corrupt("external extent of %d bytes at %d", size, offset)
		}
		total += max(e.Size, 0)
		l.External = append(l.External, e)
	}
	if l.Size, err = d.bytes(); err != nil {
		return err
	}
	l.Storage = StorageExternal
	return nil
}
