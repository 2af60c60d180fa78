package h5

import (
	"bytes"
	"math"
	"sync"
	"sync/atomic"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// Dataset is an array of elements of one type.
type Dataset struct {
	object
	*datasetState
}

// datasetState is shared by the dataset's names.
type datasetState struct {
	typ   *Type
	space *Space

	layoutOnce sync.Once
	layout     *Layout
	index      chunkIndex
	layoutErr  error

	filterOnce sync.Once
	filters    []Filter
	filterErr  error

	late atomic.Pointer[lateState]
}

// lateState is what only readers of values need.
type lateState struct {
	fillOnce sync.Once
	fill     []byte
	fillSet  bool
	fillErr  error

	chunkOnce sync.Once
	chunks    []Chunk
	chunkErr  error

	mappingOnce sync.Once
	extentNow   []uint64
	mappings    []VirtualMapping
	mappingErr  error
}

// more returns the dataset's lateState.
func (d *datasetState) more() *lateState {
	if l := d.late.Load(); l != nil {
		return l
	}
	d.late.CompareAndSwap(nil, &lateState{})
	return d.late.Load()
}

func (f *File) newDataset(o object) (*Dataset, error) {
	both := &struct {
		Dataset
		datasetState
	}{}
	d := &both.Dataset
	d.object, d.datasetState = o, &both.datasetState
	mt, ms := o.h.find(msgDatatype), o.h.find(msgDataspace)
	if mt == nil || ms == nil {
		return nil, h5err.About(h5err.At(h5err.Corrupt, f.r.Base()+int64(o.addr), "a dataset without a datatype or a dataspace"), d)
	}
	c, err := f.cursor(mt)
	if err != nil {
		return nil, h5err.About(err, d)
	}
	if mt.committed() {
		d.typ = f.parseType(c, 0)
	} else {
		d.typ = f.knownType(c)
	}
	if d.typ == nil {
		return nil, h5err.About(c.Err(), d)
	}
	if mt.committed() {
		d.typ.Committed = true
	}
	if c, err = f.cursor(ms); err != nil {
		return nil, h5err.About(err, d)
	}
	if d.space = f.parseSpace(c); d.space == nil {
		return nil, h5err.About(c.Err(), d)
	}
	return d, nil
}

// at returns the dataset under another path.
func (d *Dataset) at(p string) *Dataset {
	return &Dataset{object: d.object.renamed(p), datasetState: d.datasetState}
}

// Type returns the datatype of the elements.
func (d *Dataset) Type() *Type { return d.typ }

// Space returns the dataspace: the shape.
func (d *Dataset) Space() *Space { return d.space }

// Dims returns the current shape: that of Extent, or that of Space if Extent fails. The slice is read-only.
func (d *Dataset) Dims() []uint64 {
	if l, err := d.Layout(); err == nil && l.Storage == StorageVirtual {
		if dims, err := d.Extent(); err == nil {
			return dims
		}
	}
	return d.space.Dims
}

// Rows returns the extent of the first dimension: 1 for a scalar, 0 for a null dataspace.
func (d *Dataset) Rows() int64 {
	dims := d.Dims()
	switch {
	case d.space.Class == SpaceNull:
		return 0
	case len(dims) == 0:
		return 1
	case dims[0] > math.MaxInt64:
		return math.MaxInt64
	}
	return int64(dims[0])
}

// RowDims returns the shape of one row: the dimensions after the first.
func (d *Dataset) RowDims() []uint64 {
	dims := d.Dims()
	if len(dims) == 0 {
		return nil
	}
	return dims[1:]
}

// RowBytes returns the number of bytes of one row. If it does not fit an int64, the error has kind Limit.
func (d *Dataset) RowBytes() (int64, error) {
	n, ok := product(d.RowDims(), uint64(d.typ.Size))
	if !ok {
		return 0, h5err.About(h5err.New(h5err.Limit, "a row of %v elements of %d bytes", d.RowDims(), d.typ.Size), d)
	}
	return int64(n), nil
}

// Bytes returns the size of all elements of the shape, whether they are stored or not. If there are more than Limits.Elements, or than
// 2^63 bytes, the error has kind Limit: such values can't be read, whatever their layout.
func (d *Dataset) Bytes() (int64, error) {
	n, err := d.bytes()
	return n, h5err.About(err, d)
}

func (d *Dataset) bytes() (int64, error) { return d.bytesOf(d.space) }

// bytesOf returns the size of the elements of a shape. More than Limits.Elements, or than 63 bits can count, is an error.
func (d *Dataset) bytesOf(s *Space) (int64, error) {
	n, ok := s.Elements()
	if limit := uint64(d.f.r.Limits.Elements); ok && n > limit {
		return 0, h5err.Over("h5.Limits.Elements", n, "a shape of %v has %d elements, the limit is %d", s.Dims, n, limit)
	}
	if b, ok2 := product([]uint64{n}, uint64(d.typ.Size)); ok && ok2 {
		return int64(b), nil
	}
	return 0, h5err.New(h5err.Limit, "a shape of %v elements of %d bytes, the limit is 2^63 bytes", s.Dims, d.typ.Size)
}

// maxZeroFill bounds the size of an element that Fill makes of zeros if no fill value is stored: its size comes from the
// file, unchecked.
const maxZeroFill = 64 << 20

// Fill returns one element of the fill value as stored: zeros if none is defined. The bytes are read-only.
func (d *Dataset) Fill() ([]byte, error) {
	l := d.more()
	l.fillOnce.Do(func() {
		l.fill, l.fillErr = d.readFill()
		l.fillErr = h5err.About(l.fillErr, d)
		switch {
		case l.fill != nil:
			l.fillSet = true
		case l.fillErr == nil && d.typ.Size > maxZeroFill:
			l.fillErr = h5err.About(h5err.New(h5err.Limit, "no fill value for elements of %d bytes", d.typ.Size), d)
		case l.fillErr == nil:
			l.fill = make([]byte, d.typ.Size)
		}
	})
	return l.fill, l.fillErr
}

// HasFill reports whether a fill value is defined.
func (d *Dataset) HasFill() bool {
	d.Fill()
	return d.more().fillSet
}

// readFill reads the fill value messages, the new one first (specification, IV.A.2.e and f).
func (d *Dataset) readFill() ([]byte, error) {
	m := d.h.find(msgFill)
	if m == nil {
		return d.readOldFill()
	}
	c, err := d.f.cursor(m)
	if err != nil {
		return nil, err
	}
	defined := true
	switch version := c.U8(); {
	case c.Err() != nil:
	case version == 1:
		c.Skip(3)
	case version == 2:
		c.Skip(2)
		defined = c.U8() != 0
	case version == 3:
		defined = c.U8()&0x20 != 0
	default:
		return nil, c.Corrupt("fill value version %d", version)
	}
	if !defined {
		return nil, c.Err()
	}
	return d.fillValue(c)
}

func (d *Dataset) readOldFill() ([]byte, error) {
	m := d.h.find(msgOldFill)
	if m == nil {
		return nil, nil
	}
	c, err := d.f.cursor(m)
	if err != nil {
		return nil, err
	}
	return d.fillValue(c)
}

func (d *Dataset) fillValue(c *meta.Cursor) ([]byte, error) {
	n := int32(c.U32())
	if c.Err() != nil || n <= 0 { // -1: undefined
		return nil, c.Err()
	}
	if int(n) != d.typ.Size {
		return nil, c.Corrupt("fill value of %d bytes for elements of %d", n, d.typ.Size)
	}
	return bytes.Clone(c.Bytes(int(n))), c.Err()
}

// Filters returns the filter pipeline in the order in which a writer applies the filters. The slice is read-only.
func (d *Dataset) Filters() ([]Filter, error) {
	d.filterOnce.Do(func() {
		if m := d.h.find(msgFilters); m != nil {
			c, err := d.f.cursor(m)
			if err == nil {
				d.filters, err = parseFilters(c)
			}
			d.filterErr = h5err.About(err, d)
		}
	})
	return d.filters, d.filterErr
}

// parseFilters reads a filter pipeline message (specification, IV.A.2.l).
func parseFilters(c *meta.Cursor) ([]Filter, error) {
	version := c.U8()
	n := int(c.U8())
	switch {
	case c.Err() != nil:
		return nil, c.Err()
	case version == 1:
		c.Skip(6)
	case version == 3: // HDF5's branches for structured chunks and for filters with parameters as text write it
		return nil, c.Unsupported("filter pipeline version 3, of structured chunks or of parameters as text")
	case version != 2:
		return nil, c.Corrupt("filter pipeline version %d", version)
	}
	if n > 32 {
		return nil, c.Corrupt("%d filters", n)
	}
	out := make([]Filter, 0, n)
	for range n {
		fl := Filter{ID: c.U16()}
		nameSize := 0
		if version == 1 || fl.ID >= 256 {
			nameSize = int(c.U16())
		}
		fl.Optional = c.U16()&1 != 0
		values := int(c.U16())
		name := c.Bytes(nameSize)
		if version == 1 && nameSize%8 != 0 {
			c.Skip(8 - nameSize%8)
		}
		if i := bytes.IndexByte(name, 0); i >= 0 {
			name = name[:i]
		}
		fl.Name = string(name)
		if c.Err() == nil && values > c.Len()/4 {
			return nil, c.Corrupt("%d values of filter %d", values, fl.ID)
		}
		if values > 0 {
			fl.Values = make([]uint32, values)
		}
		for i := range fl.Values {
			fl.Values[i] = c.U32()
		}
		if version == 1 && values%2 != 0 && c.Len() >= 4 {
			c.Skip(4)
		}
		out = append(out, fl)
	}
	return out, c.Err()
}
