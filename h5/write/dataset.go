package write

import (
	"math"
	"slices"
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write/flat"
	"github.com/h5arrow/h5arrow/h5/write/internal/format"
)

// Spec describes a dataset.
type Spec struct {
	Type  *h5.Type
	Named *NamedType // the committed datatype that Type is, nil: none

	// Space is the shape. Dims[0] may be Unknown; the number of rows is then that of the rows written.
	Space h5.Space

	Storage   h5.Storage    // 0: chunked if there are ChunkDims, else contiguous
	ChunkDims []uint64      // Chunked
	Index     h5.ChunkIndex // Chunked; 0: the one that the HDF5 library would choose
	RawEdges  bool          // Chunked: chunks that reach over the shape's end are stored without filters
	Filters   []h5.Filter   // Chunked; package h5/filter/encode lists which can be applied. Missing Values are those of the library. None are applied to variable-length values
	Sparse    bool          // Chunked: chunks of rows that have nothing but the fill value are not stored, where the index and the values allow it
	Fill      []byte        // fill value, one element in the form of the package comment; nil: zeros, not defined

	External []h5.ExternalExtent // External
	Virtual  []h5.VirtualMapping // Virtual
}

// Dataset is a dataset that is being written.
type Dataset struct {
	object
	spec    Spec
	values  *flat.Values
	typ     *format.Block
	shared  bool
	fill    *format.Block // one element as stored; nil: not defined
	unknown bool          // rows
	perRow  uint64        // elements of a row
	rows    uint64        // written
	store   store
	late    [][]byte // values that have references, until the places of objects are known
	lateLen int64
	scales  scales
	done    bool // all values are stored
}

// store is where a dataset's values go.
type store interface {
	// write appends rows as they are stored.
	write(rows []byte) error
	// finish writes what is left, including values for rows that were not written.
	finish() error
	// layout returns the layout message and the blocks that it refers to. It may be called before all values are written; then
	// sizes are those that the blocks have in the end, or larger.
	layout() (*format.Block, []*format.Block)
	abandon()
}

// maxLate bounds the values with references, which are kept in memory.
const maxLate = 256 << 20

// Dataset makes a dataset at a path, and missing groups on the way. Types and shapes that HDF5 can't represent are errors of kind
// Argument; those that the file's Version can't, of kind Unsupported.
func (f *File) Dataset(path string, s Spec) (*Dataset, error) {
	if err := f.changeable(path); err != nil {
		return nil, err
	}
	d, err := f.dataset(path, s)
	if err != nil {
		return nil, h5err.In(err, "", path)
	}
	if err := f.link(path, entry{target: d}); err != nil {
		return nil, err
	}
	f.add(d)
	f.data = append(f.data, d)
	return d, nil
}

func (f *File) dataset(path string, s Spec) (*Dataset, error) {
	d := &Dataset{object: f.object(path), spec: s}
	d.spec.Space.Dims, d.spec.Space.Max = slices.Clone(s.Space.Dims), slices.Clone(s.Space.Max)
	d.spec.ChunkDims = slices.Clone(s.ChunkDims)
	// Each use of a committed datatype counts, so it is used only when nothing can fail any more.
	var err error
	if s.Named == nil {
		d.typ, err = format.Type(s.Type, f.o.version == Earliest)
	} else if s.Named.f != f || s.Type == nil || s.Type.Size != s.Named.typ.Size {
		err = h5err.New(h5err.Argument, "the committed datatype is not the type of the values")
	}
	if err != nil {
		return nil, err
	}
	if err := d.shape(); err != nil {
		return nil, err
	}
	d.values = flat.New(s.Type)
	if err := d.fillValue(); err != nil {
		return nil, err
	}
	if d.store, err = d.newStore(); err != nil {
		return nil, err
	}
	if s.Named != nil {
		d.typ, d.shared, err = f.typeMessage(s.Type, s.Named)
	}
	return d, err
}

// shape checks the dataspace.
func (d *Dataset) shape() error {
	s := &d.spec.Space
	if s.Class == h5.SpaceSimple && len(s.Dims) > 0 && s.Dims[0] == Unknown {
		d.unknown, s.Dims[0] = true, 0
	}
	if _, err := format.Elements(s, d.spec.Type.Size); err != nil {
		return err
	}
	if d.f.o.first && d.unknown {
		return h5err.New(h5err.Argument, "the number of rows must be known, as metadata comes first")
	}
	d.perRow = 1
	for _, n := range s.Dims[min(len(s.Dims), 1):] {
		if d.perRow = mul(d.perRow, n); d.perRow > math.MaxInt32*8 {
			return h5err.New(h5err.Argument, "rows of %v elements are too large", s.Dims[1:])
		}
	}
	if mul(d.perRow, uint64(d.spec.Type.Size)) > math.MaxInt64/4 {
		return h5err.New(h5err.Argument, "rows of %v elements are too large", s.Dims[1:])
	}
	_, err := format.Space(s, d.f.o.version == Earliest)
	return err
}

// mul multiplies, and returns the largest number if the product is larger.
func mul(a, b uint64) uint64 {
	if b != 0 && a > math.MaxUint64/b {
		return math.MaxUint64
	}
	return a * b
}

// fillValue converts the fill value.
func (d *Dataset) fillValue() error {
	if d.spec.Fill == nil {
		return nil
	}
	d.fill = &format.Block{}
	rest, err := converter{d.f, &d.f.notes}.convert(d.values, d.fill, d.spec.Fill, 1)
	if err == nil && len(rest) > 0 || len(d.spec.Fill) > maxCompact {
		err = h5err.New(h5err.Argument, "a fill value of %d bytes for elements of %d", len(d.spec.Fill), d.values.Size)
	}
	return err
}

// maxCompact bounds the bytes of compact storage, which is in a message of an object header.
const maxCompact = 1<<16 - 64

func (d *Dataset) newStore() (store, error) {
	s := &d.spec
	if s.Storage == 0 {
		s.Storage = h5.StorageContiguous
		switch {
		case len(s.ChunkDims) > 0:
			s.Storage = h5.StorageChunked
		case len(s.External) > 0:
			s.Storage = h5.StorageExternal
		case len(s.Virtual) > 0:
			s.Storage = h5.StorageVirtual
		}
	}
	if s.Storage != h5.StorageChunked && (len(s.Filters) > 0 || len(s.ChunkDims) > 0) {
		return nil, h5err.New(h5err.Argument, "filters and chunks need chunked storage, this one is %v", s.Storage)
	}
	if s.Storage != h5.StorageChunked && s.Storage != h5.StorageVirtual && s.Storage != h5.StorageExternal && growable(&s.Space) {
		return nil, h5err.New(h5err.Argument, "%v storage can't grow from %v to %v; chunks can", s.Storage, s.Space.Dims, s.Space.Max)
	}
	if s.Type.Class == h5.ClassVLen && d.old == nil { // as the library: they would encode pointers to the heap
		s.Filters = nil
	}
	switch s.Storage {
	case h5.StorageContiguous, h5.StorageNone:
		return newContiguous(d)
	case h5.StorageCompact:
		return newCompact(d)
	case h5.StorageChunked:
		return newChunked(d)
	case h5.StorageExternal:
		return newExternal(d)
	case h5.StorageVirtual:
		return newVirtual(d)
	}
	return nil, h5err.New(h5err.Argument, "storage of kind %d", s.Storage)
}

func growable(s *h5.Space) bool {
	for i, n := range s.Max {
		if n > s.Dims[i] {
			return true
		}
	}
	return false
}

// named completes the names of filters, which the library writes for those that are not its own.
func named(specs []h5.Filter, d *Dataset) ([]h5.Filter, error) {
	out := slices.Clone(specs)
	for i := range out {
		s := &out[i]
		if strings.ContainsRune(s.Name, 0) {
			return nil, h5err.New(h5err.Argument, "a NUL in the name of filter %d", s.ID)
		}
		format.ClientData(s, d.spec.Type, chunkBytes(&d.spec), d.fill)
	}
	return out, nil
}

// Rows returns the number of rows: those that the dataset had when it was opened by Append and those written since.
func (d *Dataset) Rows() uint64 { return d.rows }

// limit is the number of rows that may be written.
func (d *Dataset) limit() uint64 {
	s := &d.spec.Space
	switch {
	case s.Class == h5.SpaceNull:
		return 0
	case s.Class == h5.SpaceScalar:
		return 1
	case d.unknown && len(s.Max) > 0:
		return s.Max[0]
	case d.unknown:
		return math.MaxInt64
	}
	return s.Dims[0]
}

// Write appends rows: elements in the form of the package comment, row-major. data holds any number of whole rows; it may be used
// again after Write returns. A scalar is one row. Rows that are never written have the fill value, except in a dataset of Unknown
// rows.
func (d *Dataset) Write(data []byte) error {
	if err := d.f.usable(); err != nil {
		return err
	}
	if len(data) == 0 {
		return nil
	}
	n, err := d.values.Count(data)
	if err == nil {
		err = d.grow()
	}
	if err != nil {
		return h5err.In(err, "", d.path)
	}
	if d.perRow == 0 || n%d.perRow != 0 || n/d.perRow > d.limit()-d.rows {
		return h5err.In(h5err.New(h5err.Argument, "%d elements after %d rows do not fit the shape %v", n, d.rows, d.spec.Space.Dims), "", d.path)
	}
	if err := d.f.plan(d); err != nil {
		return err
	}
	err = d.append(data, n)
	if err != nil {
		return d.f.fail(h5err.In(err, "", d.path))
	}
	d.rows += n / d.perRow
	return nil
}

// append stores n elements.
func (d *Dataset) append(data []byte, n uint64) error {
	switch {
	case d.values.Refs && !d.f.exact():
		if d.lateLen += int64(len(data)); d.lateLen > maxLate {
			return h5err.New(h5err.Limit, "more than %d bytes of values that refer to objects", maxLate)
		}
		d.late = append(d.late, slices.Clone(data))
		return nil
	case !d.values.Heap && !d.values.Refs:
		return d.store.write(data)
	}
	return d.converted(data, n)
}

// converted stores n elements that refer to something, some at a time.
func (d *Dataset) converted(data []byte, n uint64) error {
	row := d.perRow
	step := max(uint64(1<<20)/max(uint64(d.values.Size)*row, 1), 1) * row
	c := converter{d.f, &d.f.values}
	for n > 0 {
		k := min(step, n)
		b := &format.Block{}
		var err error
		if data, err = c.convert(d.values, b, data, k); err != nil {
			return err
		}
		b.Link()
		if err := d.store.write(b.Data); err != nil {
			return err
		}
		n -= k
	}
	return nil
}

// finish writes what is left of a dataset.
func (d *Dataset) finish() error {
	if d.unknown {
		d.spec.Space.Dims[0] = d.rows
	}
	return d.store.finish()
}

// header returns the dataset's messages without its attributes, and the blocks that they refer to.
func (d *Dataset) header() ([]format.Message, []*format.Block, error) {
	old := d.f.o.version == Earliest
	space, err := format.Space(&d.spec.Space, old)
	if err != nil {
		return nil, nil, err
	}
	layout, blocks := d.store.layout()
	alloc := uint8(format.AllocLate)
	switch {
	case d.spec.Storage == h5.StorageCompact, d.spec.Index == h5.IndexImplicit:
		alloc = format.AllocEarly
	case d.spec.Storage == h5.StorageChunked, d.spec.Storage == h5.StorageVirtual:
		alloc = format.AllocIncremental
	}
	messages := []format.Message{
		{Type: format.MsgDataspace, Body: space},
		{Type: format.MsgDatatype, Body: d.typ, Shared: d.shared},
		{Type: format.MsgFill, Body: format.Fill(d.fill, alloc, old)},
		{Type: format.MsgLayout, Body: layout},
	}
	if len(d.spec.Filters) > 0 {
		filters, err := format.Filters(d.spec.Filters, old)
		if err != nil {
			return nil, nil, err
		}
		messages = append(messages, format.Message{Type: format.MsgFilters, Body: filters})
	}
	if d.spec.Storage == h5.StorageExternal {
		files, more := format.External(d.spec.External)
		blocks = append(blocks, more...)
		messages = append(messages, format.Message{Type: format.MsgExternalFiles, Body: files})
	}
	return messages, blocks, nil
}

// chunkOf returns the record of a stored chunk.
func chunkOf(number uint64, addr int64, size int, mask uint32) format.Chunk {
	return format.Chunk{Number: number, Addr: uint64(addr), Size: uint64(size), Mask: mask}
}
