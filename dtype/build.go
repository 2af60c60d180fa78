package dtype

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/dtype/internal/kernel"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/internal/records"
)

// Bitmap is a run of bits, least significant first; 1 is valid. Nil Bits mean that all are valid.
type Bitmap struct {
	Bits   []byte
	Offset int // number of the first bit
}

// Raw is the input of Build: elements as HDF5 stores them.
type Raw struct {
	Bytes  []byte // the rows; the first starts at byte 0
	Stride int    // bytes from one row to the next, 0: the plan's RowBytes
	Rows   int
	Row0   int64 // number of the first row in its dataset, for messages

	// Owner, when not nil, is the buffer that Bytes are part of, from OwnerOffset on. The array may retain it instead of
	// copying.
	Owner       *memory.Buffer
	OwnerOffset int

	Mutable bool // Build may change Bytes, and make them part of the array through Owner
	Swapped bool // SwapInPlace was called on Bytes already, and returned true
	NoNulls bool // no value is null by itself: where Plan.Probes says that Build looks for such values, it does not

	// Valid has a bit for each item (Plan.Items of each row), 0 for null; Nulls is the number of zeros among them, -1 when
	// it is not known. ValidBuf, when not nil, has the same bits from its bit 0 on, followed by zeros, and may become the
	// array's validity buffer.
	Valid    Bitmap
	Nulls    int
	ValidBuf *memory.Buffer
}

// Heap reads the objects of an HDF5 file's global heap.
type Heap interface {
	// Object returns the bytes of one object. They are valid until Build returns.
	Object(addr uint64, index uint32) ([]byte, error)
}

// Env has what Build needs besides the rows.
type Env struct {
	Alloc memory.Allocator // of every buffer that is not part of Raw
	Heap  Heap             // needed by plans with Plan.Variable

	// RefPath returns the path of the object that a reference, as stored, points to. Needed by plans with Plan.Refs.
	RefPath func(ref []byte) (path string, null bool, err error)

	OffsetSize int    // bytes of an address in the file
	Where      string // the dataset's path, for messages
}

// ctx has the memory that one Build allocates, so that all of it is released on every return.
type ctx struct {
	env  *Env
	bufs []*memory.Buffer
	data []*array.Data
}

// release drops the references that building the result took. The result keeps its own.
func (c *ctx) release() {
	for _, d := range c.data {
		d.Release()
	}
	for _, b := range c.bufs {
		b.Release()
	}
	c.data, c.bufs = nil, nil
}

// buffer returns a new buffer of n bytes with unspecified contents.
func (c *ctx) buffer(n int) *memory.Buffer {
	b := memory.NewResizableBuffer(c.env.Alloc)
	c.bufs = append(c.bufs, b)
	b.Resize(n)
	return b
}

// slice returns bytes [off, off+n) of a buffer that the result may retain.
func (c *ctx) slice(b *memory.Buffer, off, n int) *memory.Buffer {
	if off == 0 && n == b.Len() {
		b.Retain()
		c.bufs = append(c.bufs, b)
		return b
	}
	s := memory.SliceBuffer(b, off, n)
	c.bufs = append(c.bufs, s)
	return s
}

// make returns Arrow data of n values: the validity and the other buffers, or children.
func (c *ctx) make(t arrow.DataType, n int, valid validity, bufs []*memory.Buffer, children ...arrow.ArrayData) *array.Data {
	all := make([]*memory.Buffer, 0, 3)
	all = append(append(all, valid.buf), bufs...)
	d := array.NewData(t, n, all, children, valid.nulls, 0)
	c.data = append(c.data, d)
	return d
}

// view is a run of n elements of size bytes, stride bytes apart.
type view struct {
	b      []byte // starts with the first element
	n      int
	size   int
	stride int

	owner   *memory.Buffer // when not nil, b[0] is its byte off
	off     int
	mutable bool // b may be changed
	swapped bool // b is in the host's byte order, not the type's
	noNulls bool // no element is null by itself

	valid validity
}

// at returns the bytes of element i.
func (v *view) at(i int) []byte {
	o := i * v.stride
	return v.b[o : o+v.size : o+v.size]
}

// packed reports whether the elements are adjacent.
func (v *view) packed() bool { return v.stride == v.size || v.n <= 1 }

// sub returns the view of the size bytes at off of each element.
func (v *view) sub(off, size int) view {
	s := view{n: v.n, size: size, stride: v.stride, owner: v.owner, off: v.off + off, valid: v.valid}
	if v.n > 0 {
		s.b = v.b[off:]
	}
	return s
}

// pack returns a view of the same elements in adjacent bytes, copied where they were not adjacent.
func (c *ctx) pack(v *view) view {
	if v.packed() {
		p := *v
		p.stride = v.size
		return p
	}
	buf := c.buffer(v.n * v.size)
	records.Gather(buf.Bytes(), v.b, v.size, v.stride, v.n)
	return view{b: buf.Bytes(), n: v.n, size: v.size, stride: v.size, owner: buf, mutable: true, valid: v.valid}
}

// values returns a buffer of the elements in adjacent bytes, each reversed when swap is set. It is a slice of v's owner
// where the bytes need no change, or may be changed in place.
func (c *ctx) values(v *view, swap bool) *memory.Buffer {
	swap = swap && !v.swapped
	total := v.n * v.size
	if total == 0 {
		return c.buffer(0) // v.off may be after its owner's end
	}
	if v.packed() && v.owner != nil && (!swap || v.mutable) {
		if swap {
			kernel.Swap(v.b[:total], v.b[:total], v.size)
		}
		return c.slice(v.owner, v.off, total)
	}
	buf := c.buffer(total)
	stride := v.stride
	if v.packed() {
		stride = v.size
	}
	if swap {
		kernel.GatherSwap(buf.Bytes(), v.b, v.size, stride, v.n)
	} else {
		records.Gather(buf.Bytes(), v.b, v.size, stride, v.n)
	}
	return buf
}

// corruptAt returns an error about element i of a view.
func corruptAt(i int, format string, args ...any) error {
	return element.New(i, h5err.Corrupt, format, args...)
}
