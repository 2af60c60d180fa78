package dtype

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/dtype/internal/kernel"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/dtype/rowset"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// StringsRaw is the input of BuildStrings: text in Arrow's own layout, bytes and offsets into them.
type StringsRaw struct {
	Data      []byte         // the bytes of the values
	DataStart int64          // the offset of Data[0]: 0 unless Data is a part of the dataset
	DataOwner *memory.Buffer // when not nil, the buffer that Data is part of, from DataAt on
	DataAt    int

	Offsets        []byte // Rows+1 offsets as stored, signed
	OffsetWidth    int    // 4 or 8 bytes
	OffsetsBig     bool   // the offsets are big-endian
	OffsetsOwner   *memory.Buffer
	OffsetsAt      int
	OffsetsMutable bool // Offsets may be changed, and become part of the array through OffsetsOwner

	Rows     int
	Row0     int64 // number of the first row in its dataset, for messages
	Valid    Bitmap
	Nulls    int // zeros in Valid, -1 unknown
	ValidBuf *memory.Buffer

	Checked *rowset.Rows // not nil: rows in it are not checked for UTF-8 again, and those that are valid are added
}

// BuildStrings returns a utf8 array for offsets of 4 bytes, a large_utf8 array for offsets of 8 (binary and large_binary
// under StringsBinary). The caller releases it. Buffers that have an owner, are in the host's byte order and, for the
// offsets, count from Data's start are retained, not copied.
//
// The first offset need not be 0, nor the last the end of Data. Errors name the row and env.Where. They are Corrupt for
// offsets that are negative, descend or are outside of Data, and for values that are not valid UTF-8, except under nulls.
func BuildStrings(raw StringsRaw, o Options, env *Env) (arrow.Array, error) {
	c := &ctx{env: env}
	defer c.release()
	d, err := c.strings(&raw, o)
	if err != nil {
		return nil, element.Place(err, raw.Row0, 1, env.Where)
	}
	return textArray(d), nil
}

// textArray returns the array of text that may be mapped. An array takes a reference to its data before it looks at the last offset: after
// a fault there, the reference is given back.
func textArray(d *array.Data) arrow.Array {
	made := false
	defer func() {
		if !made {
			d.Release()
		}
	}()
	arr := array.MakeFromData(d)
	made = true
	return arr
}

func (r *StringsRaw) check() error {
	bad := func(format string, args ...any) error { return h5err.New(h5err.Argument, format, args...) }
	if r.OffsetWidth != 4 && r.OffsetWidth != 8 {
		return bad("offsets of %d bytes", r.OffsetWidth)
	}
	if r.Rows < 0 || r.DataStart < 0 || r.Rows >= len(r.Offsets)/r.OffsetWidth {
		return bad("%d bytes of offsets for %d strings", len(r.Offsets), r.Rows)
	}
	if o := r.DataOwner; o != nil && (r.DataAt < 0 || r.DataAt > o.Len() || len(r.Data) > o.Len()-r.DataAt) {
		return bad("bytes outside their owner")
	}
	if o := r.OffsetsOwner; o != nil && (r.OffsetsAt < 0 || r.OffsetsAt > o.Len() || len(r.Offsets) > o.Len()-r.OffsetsAt) {
		return bad("offsets outside their owner")
	}
	if b := r.Valid; b.Bits != nil && (b.Offset < 0 || b.Offset > len(b.Bits)*8 || r.Rows > len(b.Bits)*8-b.Offset) {
		return bad("a bitmap of %d bytes for %d strings", len(b.Bits), r.Rows)
	}
	if r.ValidBuf != nil && r.ValidBuf.Len() < (r.Rows+7)/8 {
		return bad("a validity buffer of %d bytes for %d strings", r.ValidBuf.Len(), r.Rows)
	}
	return nil
}

func (c *ctx) strings(r *StringsRaw, o Options) (*array.Data, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	valid := c.validityOf(r.Valid, r.ValidBuf, r.Nulls, r.Rows)
	v := view{
		b: r.Offsets, n: r.Rows + 1, size: r.OffsetWidth, stride: r.OffsetWidth,
		owner: r.OffsetsOwner, off: r.OffsetsAt, mutable: r.OffsetsMutable,
	}
	offsets := c.values(&v, r.OffsetsBig != kernel.HostIsBig())
	off := offsets.Bytes()
	if err := checkOffsets(off, r.OffsetWidth, r.Rows, r.DataStart, int64(len(r.Data))); err != nil {
		return nil, err
	}
	local := ends{b: off, width: r.OffsetWidth, start: r.DataStart}
	if o.Strings == StringsUTF8 && !r.Checked.Has(r.Row0, r.Row0+int64(r.Rows)) {
		all, err := checkUTF8(r.Data, local, r.Rows, valid)
		if err != nil {
			return nil, err
		}
		if all {
			r.Checked.Add(r.Row0, r.Row0+int64(r.Rows))
		}
	}
	t := types.ArrowText(o.Strings == StringsBinary, r.OffsetWidth)
	if o.Strings == StringsLatin1 && !kernel.ASCII(r.Data[local.at(0):local.at(r.Rows)]) {
		return c.latin1Strings(t, r, local, valid)
	}
	if r.DataStart != 0 {
		moved := c.buffer(len(off))
		kernel.Subtract(moved.Bytes(), off[:(r.Rows+1)*r.OffsetWidth], r.OffsetWidth, r.DataStart)
		offsets = moved
	}
	var data *memory.Buffer
	if r.DataOwner != nil {
		data = c.slice(r.DataOwner, r.DataAt, len(r.Data))
	} else {
		data = c.buffer(len(r.Data))
		copy(data.Bytes(), r.Data)
	}
	return c.make(t, r.Rows, valid, []*memory.Buffer{offsets, data}), nil
}

// latin1Strings returns values in ISO 8859-1 with new bytes and offsets.
func (c *ctx) latin1Strings(t arrow.DataType, r *StringsRaw, old ends, valid validity) (*array.Data, error) {
	offsets := c.buffer((r.Rows + 1) * r.OffsetWidth)
	g := c.grower(old.at(r.Rows) - old.at(0))
	putInt(offsets.Bytes(), r.OffsetWidth, 0, 0)
	for i := range r.Rows {
		if valid.valid(i) {
			value := r.Data[old.at(i):old.at(i+1)]
			g.bytes = latin1(g.room(2*len(value)), value)
			if r.OffsetWidth == 4 && len(g.bytes) > math.MaxInt32 {
				return nil, tooLong(i)
			}
		}
		putInt(offsets.Bytes(), r.OffsetWidth, i+1, uint64(len(g.bytes)))
	}
	g.buf.Resize(len(g.bytes))
	return c.make(t, r.Rows, valid, []*memory.Buffer{offsets, g.buf}), nil
}

// checkOffsets returns an error unless the n+1 offsets, width bytes each in the host's order, start at start or above,
// never descend, and end at start+size or below.
func checkOffsets(off []byte, width, n int, start, size int64) error {
	at := func(i int) int64 {
		if width == 4 {
			return int64(int32(binary.NativeEndian.Uint32(off[4*i:])))
		}
		return int64(binary.NativeEndian.Uint64(off[8*i:]))
	}
	last := at(0)
	if last < start {
		return corruptAt(0, "string offset %d", last)
	}
	if !kernel.Descends(off[:width*(n+1)], width) && at(n)-start <= size {
		return nil
	}
	if n == 0 {
		return corruptAt(0, "string offset %d in %d bytes", last, size+start)
	}
	for i := range n {
		next := at(i + 1)
		if next < last {
			return corruptAt(i, "string offset %d after %d", next, last)
		}
		if next-start > size {
			return corruptAt(i, "string offset %d in %d bytes", next, size+start)
		}
		last = next
	}
	return nil
}
