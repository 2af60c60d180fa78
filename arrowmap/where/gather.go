package where

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// gatherer copies rows of arrays to new ones.
type gatherer struct{ mem memory.Allocator }

// array returns the given rows of an array.
func (g gatherer) array(arr arrow.Array, rows []int) (arrow.Array, error) {
	d, err := g.data(arr.Data(), rows)
	if err != nil {
		return nil, err
	}
	defer d.Release()
	return array.MakeFromData(d), nil
}

// parts is the buffers and children of an array that is being made; release gives up what was made.
type parts struct {
	buffers  []*memory.Buffer
	children []arrow.ArrayData
	nulls    int
}

func (p *parts) release() {
	for _, b := range p.buffers {
		if b != nil {
			b.Release()
		}
	}
	for _, c := range p.children {
		c.Release()
	}
}

func (g gatherer) data(d arrow.ArrayData, rows []int) (*array.Data, error) {
	p := &parts{}
	defer func() { p.release() }()
	g.validity(d, rows, p)
	t := d.DataType()
	if e, ok := t.(arrow.ExtensionType); ok {
		t = e.StorageType()
	}
	var err error
	switch t := t.(type) {
	case *arrow.NullType:
		p.nulls = len(rows)
	case *arrow.BooleanType:
		p.buffers = append(p.buffers, g.bits(d.Buffers()[1], d.Offset(), rows))
	case *arrow.DictionaryType:
		p.buffers = append(p.buffers, g.fixed(d.Buffers()[1], d.Offset(), rows, t.IndexType.(arrow.FixedWidthDataType).Bytes()))
		return array.NewDataWithDictionary(d.DataType(), len(rows), p.buffers, p.nulls, 0, d.Dictionary().(*array.Data)), nil
	case *arrow.StringType, *arrow.BinaryType:
		err = g.bytes(d, rows, 4, p)
	case *arrow.LargeStringType, *arrow.LargeBinaryType:
		err = g.bytes(d, rows, 8, p)
	case *arrow.ListType, *arrow.MapType:
		err = g.list(d, rows, 4, p)
	case *arrow.LargeListType:
		err = g.list(d, rows, 8, p)
	case *arrow.FixedSizeListType:
		err = g.child(d.Children()[0], items(d, rows, int(t.Len())), p)
	case *arrow.StructType:
		inner := make([]int, len(rows))
		for i, r := range rows {
			inner[i] = r + d.Offset()
		}
		for _, c := range d.Children() {
			if err = g.child(c, inner, p); err != nil {
				break
			}
		}
	case arrow.FixedWidthDataType:
		p.buffers = append(p.buffers, g.fixed(d.Buffers()[1], d.Offset(), rows, t.Bytes()))
	default:
		err = h5err.New(h5err.Unsupported, "rows of type %s can't be chosen by a filter", t)
	}
	if err != nil {
		return nil, err
	}
	return array.NewData(d.DataType(), len(rows), p.buffers, p.children, p.nulls, 0), nil
}

func (g gatherer) child(d arrow.ArrayData, rows []int, p *parts) error {
	c, err := g.data(d, rows)
	if err == nil {
		p.children = append(p.children, c)
	}
	return err
}

// items returns the rows of the child of a fixed-size list that the given rows have.
func items(d arrow.ArrayData, rows []int, n int) []int {
	out := make([]int, 0, len(rows)*n)
	for _, r := range rows {
		for k := range n {
			out = append(out, (r+d.Offset())*n+k)
		}
	}
	return out
}

func (g gatherer) buffer(n int) *memory.Buffer {
	b := memory.NewResizableBuffer(g.mem)
	b.Resize(n)
	return b
}

// validity adds the validity buffer, nil without nulls.
func (g gatherer) validity(d arrow.ArrayData, rows []int, p *parts) {
	p.buffers = []*memory.Buffer{nil}
	if len(d.Buffers()) == 0 || d.Buffers()[0] == nil || d.Buffers()[0].Len() == 0 || d.NullN() == 0 {
		return
	}
	valid := g.bits(d.Buffers()[0], d.Offset(), rows)
	p.nulls = len(rows) - bitutil.CountSetBits(valid.Bytes(), 0, len(rows))
	if p.nulls == 0 {
		valid.Release()
		return
	}
	p.buffers[0] = valid
}

func (g gatherer) bits(b *memory.Buffer, off int, rows []int) *memory.Buffer {
	out := g.buffer((len(rows) + 7) / 8)
	clear(out.Bytes())
	src, dst := b.Bytes(), out.Bytes()
	for i, r := range rows {
		if bitutil.BitIsSet(src, r+off) {
			bitutil.SetBit(dst, i)
		}
	}
	return out
}

// fixed copies values of width bytes, a run of consecutive rows at a time.
func (g gatherer) fixed(b *memory.Buffer, off int, rows []int, width int) *memory.Buffer {
	out := g.buffer(len(rows) * width)
	if b == nil || width == 0 {
		return out
	}
	src, dst := b.Bytes(), out.Bytes()
	for i := 0; i < len(rows); {
		end := i + 1
		for end < len(rows) && rows[end] == rows[i]+end-i {
			end++
		}
		from := (rows[i] + off) * width
		copy(dst[i*width:end*width], src[from:from+(end-i)*width])
		i = end
	}
	return out
}

// bounds returns the offsets of row r, which are of width bytes.
func bounds(b []byte, r, width int) (lo, hi int) {
	if width == 4 {
		return int(int32(binary.NativeEndian.Uint32(b[4*r:]))), int(int32(binary.NativeEndian.Uint32(b[4*r+4:])))
	}
	return int(int64(binary.NativeEndian.Uint64(b[8*r:]))), int(int64(binary.NativeEndian.Uint64(b[8*r+8:])))
}

// offsets returns the offsets of rows that are copied one after the other, and their end.
func (g gatherer) offsets(d arrow.ArrayData, rows []int, width int) (*memory.Buffer, int, error) {
	out := g.buffer((len(rows) + 1) * width)
	clear(out.Bytes()[:width])
	if len(rows) == 0 {
		return out, 0, nil
	}
	src, dst, at := d.Buffers()[1].Bytes(), out.Bytes(), 0
	for i, r := range rows {
		lo, hi := bounds(src, r+d.Offset(), width)
		if lo < 0 || hi < lo || hi-lo > math.MaxInt-at || width == 4 && at+hi-lo > math.MaxInt32 {
			out.Release()
			return nil, 0, h5err.New(h5err.Corrupt, "offsets do not ascend").WithHint("was the file written to?")
		}
		at += hi - lo
		if width == 4 {
			binary.NativeEndian.PutUint32(dst[4*i+4:], uint32(at))
		} else {
			binary.NativeEndian.PutUint64(dst[8*i+8:], uint64(at))
		}
	}
	return out, at, nil
}

func (g gatherer) bytes(d arrow.ArrayData, rows []int, width int, p *parts) error {
	off, n, err := g.offsets(d, rows, width)
	if err != nil {
		return err
	}
	p.buffers = append(p.buffers, off)
	out := g.buffer(n)
	p.buffers = append(p.buffers, out)
	if n == 0 {
		return nil
	}
	at, src, all := 0, d.Buffers()[1].Bytes(), d.Buffers()[2].Bytes()
	for _, r := range rows {
		lo, hi := bounds(src, r+d.Offset(), width)
		if hi > len(all) || at+hi-lo > n {
			return h5err.New(h5err.Corrupt, "offsets lead outside the text").WithHint("was the file written to?")
		}
		at += copy(out.Bytes()[at:], all[lo:hi])
	}
	return nil
}

func (g gatherer) list(d arrow.ArrayData, rows []int, width int, p *parts) error {
	off, n, err := g.offsets(d, rows, width)
	if err != nil {
		return err
	}
	p.buffers = append(p.buffers, off)
	child := d.Children()[0]
	inner := make([]int, 0, min(n, child.Len()))
	for _, r := range rows {
		lo, hi := bounds(d.Buffers()[1].Bytes(), r+d.Offset(), width)
		if hi > child.Len() {
			return h5err.New(h5err.Corrupt, "offsets lead outside the items").WithHint("was the file written to?")
		}
		for i := lo; i < hi; i++ {
			inner = append(inner, i)
		}
	}
	return g.child(child, inner, p)
}
