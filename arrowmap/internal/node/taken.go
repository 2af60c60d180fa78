package node

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// taken is values by their numbers.
type taken struct {
	Info
	index *h5.Dataset
	of    Node
	fixed bool // the values have one width: each may be taken more than once
}

func (p *Planner) taken(v *convention.Taken) (Node, error) {
	t, dims := v.Index.Type(), v.Index.Dims()
	if t.Class != h5.ClassFixed || t.Size != 4 && t.Size != 8 || len(dims) != 1 {
		return nil, fail(v.Index, h5err.Corrupt, "an index of %s of shape %v: it takes a list of 32 or 64-bit integers", t, dims)
	}
	if err := p.readable(v.Index); err != nil {
		return nil, err
	}
	of, err := p.New(v.Of)
	if err != nil {
		return nil, err
	}
	in := of.Describe()
	n := &taken{Info: *in, index: v.Index, of: of}
	_, n.fixed = in.Type.(arrow.FixedWidthDataType)
	_, nested := in.Type.(arrow.NestedType)
	n.fixed = n.fixed && !nested
	n.Rows, n.RowBytes, n.Pure = v.Index.Rows(), in.RowBytes+int64(t.Size), false
	n.Info.Nulls = &Nulls{Source: "index", Path: v.Index.Path(), Delivery: dtype.Packed}
	n.deliver(dtype.Converted, "values are taken by an index")
	return n, nil
}

// Wants implements Node.
func (n *taken) Wants(a, b int64, want Want) { want(of(n.index), a, b, nil) }

// Fits implements Node.
func (n *taken) Fits(_ *Part, a, b int64) int64 { return b - a }

// Build implements Node.
func (n *taken) Build(x *Part, a, b int64) (arrow.Array, error) {
	at, lo, hi, err := n.places(x, a, b)
	if err != nil {
		return nil, err
	}
	values, err := x.array(n.of, lo, hi)
	if err != nil {
		return nil, err
	}
	defer values.Release()
	data, err := takeData(values.Data(), at, x.Alloc)
	if err != nil {
		return nil, h5err.About(err, n.index)
	}
	defer data.Release()
	return array.MakeFromData(data), nil
}

// places returns the range of values that rows [a,b) need, and for each row the place in that range, -1 for null.
func (n *taken) places(x *Part, a, b int64) (at []int, lo, hi int64, err error) {
	p := x.piece(n.index, a, b)
	t := n.index.Type()
	order, rows := t.Order.Binary(), n.of.Describe().Rows
	at = make([]int, b-a)
	last := int64(-1)
	lo = math.MaxInt64
	for i := range at {
		var k int64
		if t.Size == 8 {
			k = int64(order.Uint64(p.Bytes[8*i:]))
		} else {
			k = int64(signed(uint64(order.Uint32(p.Bytes[4*i:])), t))
		}
		if k < 0 {
			at[i] = -1
			continue
		}
		if k >= rows {
			return nil, 0, 0, fail(n.index, h5err.Corrupt, "value %d of %d at row %d", k, rows, a+int64(i))
		}
		if k <= last && !n.fixed {
			return nil, 0, 0, fail(n.index, h5err.Unsupported, "an index of %s that does not ascend: %d after %d at row %d", n.Type, k, last, a+int64(i))
		}
		last = k
		lo, hi = min(lo, k), max(hi, k+1)
		at[i] = int(k)
	}
	if hi == 0 {
		return at, 0, 0, nil
	}
	for i := range at {
		if at[i] >= 0 {
			at[i] -= int(lo)
		}
	}
	return at, lo, hi, nil
}

// takeData returns the values of data at the places at, null where a place is -1. The caller releases it.
func takeData(data arrow.ArrayData, at []int, mem memory.Allocator) (arrow.ArrayData, error) {
	n, src := len(at), array.MakeFromData(data)
	defer src.Release()
	if src.DataType().ID() == arrow.NULL {
		return array.NewData(arrow.Null, n, []*memory.Buffer{nil}, nil, n, 0), nil
	}
	var made []*memory.Buffer
	defer func() {
		for _, b := range made {
			b.Release()
		}
	}()
	buffer := func(size int) []byte {
		b := memory.NewResizableBuffer(mem)
		b.Resize(size)
		clear(b.Bytes())
		made = append(made, b)
		return b.Bytes()
	}
	valid, nulls := buffer((n+7)/8), 0
	for i, k := range at {
		if k >= 0 && src.IsValid(k) {
			bitutil.SetBit(valid, i)
		} else {
			nulls++
		}
	}
	children, err := takeValues(src, at, buffer, mem)
	defer func() {
		for _, c := range children {
			c.Release()
		}
	}()
	if err != nil {
		return nil, err
	}
	return dataOf(data, n, made, children, nulls, 0), nil
}

// takeValues fills the buffers after the validity, and returns the children.
func takeValues(src arrow.Array, at []int, buffer func(size int) []byte, mem memory.Allocator) (children []arrow.ArrayData, err error) {
	d := src.Data()
	child := func(of arrow.ArrayData, at []int) error {
		c, err := takeData(of, at, mem)
		if err == nil {
			children = append(children, c)
		}
		return err
	}
	switch s := src.(type) {
	case *array.Boolean:
		bits := buffer((len(at) + 7) / 8)
		for i, k := range at {
			if k >= 0 && s.Value(k) {
				bitutil.SetBit(bits, i)
			}
		}
	case *array.Struct:
		for i := range s.NumField() {
			if err = child(s.Field(i).Data(), at); err != nil {
				break
			}
		}
	case *array.FixedSizeList:
		size := int(s.DataType().(*arrow.FixedSizeListType).Len())
		inner := make([]int, 0, len(at)*size)
		for _, k := range at {
			for j := range size {
				if k >= 0 {
					inner = append(inner, (d.Offset()+k)*size+j)
				} else {
					inner = append(inner, -1)
				}
			}
		}
		err = child(s.ListValues().Data(), inner)
	case array.ListLike: // of any length
		_, wide := s.(*array.LargeList)
		var inner []int
		err = takeRuns(at, wide, s.ValueOffsets, buffer, func(_ int, lo, hi int64) {
			for ; lo < hi; lo++ {
				inner = append(inner, int(lo))
			}
		})
		if err == nil {
			err = child(s.ListValues().Data(), inner)
		}
	case array.BinaryLike:
		return nil, takeText(s, at, buffer)
	default:
		w, ok := s.DataType().(arrow.FixedWidthDataType)
		if !ok || w.BitWidth()%8 != 0 || len(d.Buffers()) != 2 || d.Buffers()[1] == nil && d.Len() > 0 {
			return nil, h5err.New(h5err.Unsupported, "an index of values of %s", s.DataType())
		}
		width := w.BitWidth() / 8
		out := buffer(len(at) * width)
		for i, k := range at {
			if k >= 0 {
				copy(out[i*width:(i+1)*width], d.Buffers()[1].Bytes()[(d.Offset()+k)*width:])
			}
		}
	}
	return children, err
}

// takeRuns fills a buffer of offsets for the runs that bounds returns for the places at, and calls add for each.
func takeRuns(at []int, wide bool, bounds func(i int) (lo, hi int64), buffer func(size int) []byte, add func(i int, lo, hi int64)) error {
	size := 4
	if wide {
		size = 8
	}
	out := buffer((len(at) + 1) * size)
	total := int64(0)
	for i, k := range at {
		if k >= 0 {
			lo, hi := bounds(k)
			if total += hi - lo; !wide && total > math.MaxInt32 {
				return h5err.New(h5err.Limit, "more than 2 GiB of values")
			}
			add(i, lo, hi)
		}
		if wide {
			arrow.Int64Traits.CastFromBytes(out)[i+1] = total
		} else {
			arrow.Int32Traits.CastFromBytes(out)[i+1] = int32(total)
		}
	}
	return nil
}

// takeText fills the buffers of text or bytes.
func takeText(s array.BinaryLike, at []int, buffer func(size int) []byte) error {
	wide := s.DataType().ID() == arrow.LARGE_STRING || s.DataType().ID() == arrow.LARGE_BINARY
	bounds := func(i int) (lo, hi int64) {
		lo = s.ValueOffset64(i)
		return lo, lo + int64(s.ValueLen(i))
	}
	total := int64(0)
	err := takeRuns(at, wide, bounds, buffer, func(_ int, lo, hi int64) { total += hi - lo })
	if err != nil {
		return err
	}
	out := buffer(int(total))
	var text []byte // all of it
	if b := s.Data().Buffers()[2]; b != nil {
		text = b.Bytes()
	}
	for _, k := range at {
		if k >= 0 {
			lo, hi := bounds(k)
			out = out[copy(out, text[lo:hi]):]
		}
	}
	return nil
}
