package dtype

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/dtype/internal/kernel"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Bitmap is a run of bits, least significant first; 1 is valid. Nil Bits stand for all valid.
type Bitmap struct {
	Bits   []byte
	Offset int // bit number of the first
}

// Raw is what Build makes an array of: elements as HDF5 stores them.
type Raw struct {
	Bytes  []byte // the rows; the first begins at 0
	Stride int    // bytes from one row to the next, 0: the plan's RowBytes
	Rows   int
	Row0   int64 // number of the first row in its dataset, for messages

	// Owner, when not nil, is the buffer inside which Bytes lie, from OwnerOffset on. Results may retain it instead of
	// copying.
	Owner       *memory.Buffer
	OwnerOffset int

	Mutable bool // Bytes is scratch that Build may change, and hand out through Owner
	Swapped bool // SwapInPlace was called on Bytes already, and returned true

	// Valid says which items (Plan.Items of each row) are not null; Nulls is the number of zeros among them, -1 when it
	// is not known. ValidBuf, when not nil, holds the same bits from its bit 0 on, zeros behind the last, and may be
	// handed out as a validity buffer.
	Valid    Bitmap
	Nulls    int
	ValidBuf *memory.Buffer
}

// Heap gives the objects of an HDF5 file's global heap.
type Heap interface {
	// Object returns the bytes of one object. They are valid until Build returns.
	Object(addr uint64, index uint32) ([]byte, error)
}

// Env is what Build needs of its surroundings.
type Env struct {
	Alloc memory.Allocator // every buffer that is not handed out from Raw
	Heap  Heap             // needed by plans that are Variable

	// RefPath gives the path of the object that a reference, as stored, points to. Needed by plans with Refs.
	RefPath func(ref []byte) (path string, null bool, err error)

	OffsetSize int    // bytes of an address in the file
	Where      string // the dataset's path, for messages
}

// ctx holds the memory that one Build makes, so that all of it is released on every way out.
type ctx struct {
	env  *Env
	bufs []*memory.Buffer
	data []*array.Data
}

// release drops the references that making the result took. What the result retained lives on.
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
	b      []byte // begins with the first element
	n      int
	size   int
	stride int

	owner   *memory.Buffer // when not nil, b[0] is its byte off
	off     int
	mutable bool // b may be changed
	swapped bool // b is in the host's byte order, whatever the type says

	valid validity
}

// at returns the bytes of element i.
func (v *view) at(i int) []byte {
	o := i * v.stride
	return v.b[o : o+v.size : o+v.size]
}

// packed reports whether the elements lie side by side.
func (v *view) packed() bool { return v.stride == v.size || v.n <= 1 }

// sub returns the view of the size bytes at off of each element.
func (v *view) sub(off, size int) view {
	s := view{n: v.n, size: size, stride: v.stride, owner: v.owner, off: v.off + off, valid: v.valid}
	if v.n > 0 {
		s.b = v.b[off:]
	}
	return s
}

// pack returns a view of the same elements side by side, copied where they were not.
func (c *ctx) pack(v *view) view {
	if v.packed() {
		p := *v
		p.stride = v.size
		return p
	}
	buf := c.buffer(v.n * v.size)
	kernel.Gather(buf.Bytes(), v.b, v.size, v.stride, v.n)
	return view{b: buf.Bytes(), n: v.n, size: v.size, stride: v.size, owner: buf, mutable: true, valid: v.valid}
}

// values returns a buffer of the elements side by side, each reversed when swap is set. It is a slice of v's owner
// where the bytes are right as they are, or may be made so.
func (c *ctx) values(v *view, swap bool) *memory.Buffer {
	swap = swap && !v.swapped
	total := v.n * v.size
	if total == 0 {
		return c.buffer(0) // v.off may lie behind its owner's end
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
		kernel.Gather(buf.Bytes(), v.b, v.size, stride, v.n)
	}
	return buf
}

// corruptAt returns an error about element i of a view.
func corruptAt(i int, format string, args ...any) error {
	return element.New(i, h5err.Corrupt, format, args...)
}
