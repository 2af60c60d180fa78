package node

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// grouped is lists of one size.
type grouped struct {
	Info
	of   Node
	size int64
}

func (p *Planner) grouped(v *convention.Grouped) (Node, error) {
	of, err := p.New(v.Of)
	if err != nil {
		return nil, err
	}
	in := of.Describe()
	if v.Size < 1 || v.Size > maxRow/max(1, in.RowBytes) {
		return nil, fail(v.Main(), h5err.Unsupported, "rows of %d values", v.Size)
	}
	if in.Rows%v.Size != 0 {
		return nil, fail(v.Main(), h5err.Corrupt, "%d values in rows of %d", in.Rows, v.Size)
	}
	n := &grouped{Info: *in, of: of, size: v.Size}
	n.Type = arrow.FixedSizeListOf(int32(v.Size), in.Type)
	n.Rows, n.RowBytes, n.Pure = in.Rows/v.Size, in.RowBytes*v.Size, false
	return n, nil
}

func (n *grouped) Wants(a, b int64, want Want)    { n.of.Wants(a*n.size, b*n.size, want) }
func (n *grouped) Fits(x *Part, a, b int64) int64 { return n.of.Fits(x, a*n.size, b*n.size) / n.size }
func (n *grouped) Build(x *Part, a, b int64) (arrow.Array, error) {
	items, err := n.of.Build(x, a*n.size, b*n.size)
	if err != nil {
		return nil, err
	}
	defer items.Release()
	data := array.NewData(n.Type, int(b-a), []*memory.Buffer{nil}, []arrow.ArrayData{items.Data()}, 0, 0)
	defer data.Release()
	return array.MakeFromData(data), nil
}

// masked is a node with further nulls.
type masked struct {
	Info
	of    Node
	data  *h5.Dataset
	nulls []nullSource
}

func (p *Planner) masked(v *convention.Masked) (Node, error) {
	of, err := p.New(v.Of)
	if err != nil {
		return nil, err
	}
	n := &masked{Info: *of.Describe(), of: of, data: v.Main()}
	if n.nulls, err = p.nullSources(v.Nulls, n.data, n.Rows, 1, true); err != nil {
		return nil, err
	}
	if err = checkRules(n.nulls, 0, n.data); err != nil {
		return nil, err
	}
	n.Info.Nulls, n.Pure = describeNulls(n.nulls), false
	return n, nil
}

// Wants implements Node.
func (n *masked) Wants(a, b int64, want Want) {
	n.of.Wants(a, b, want)
	wantNulls(n.nulls, a, b, 1, want)
}

// Fits implements Node.
func (n *masked) Fits(x *Part, a, b int64) int64 { return n.of.Fits(x, a, b) }

// Build implements Node.
func (n *masked) Build(x *Part, a, b int64) (arrow.Array, error) {
	arr, err := n.of.Build(x, a, b)
	if err != nil || a == b || n.Type.ID() == arrow.NULL {
		return arr, err
	}
	defer arr.Release()
	v, err := x.validity(n.nulls, a, b, 1, dtype.Raw{})
	if err != nil {
		return nil, err
	}
	defer v.release()
	if v.nulls == 0 {
		arr.Retain()
		return arr, nil
	}
	// The array may start in the middle of its buffers, and have nulls.
	d := arr.Data()
	buf := memory.NewResizableBuffer(x.Alloc)
	defer buf.Release()
	buf.Resize((d.Offset() + d.Len() + 7) / 8)
	bits := buf.Bytes()
	clear(bits)
	nulls := 0
	for i := range arr.Len() {
		if arr.IsValid(i) && bitutil.BitIsSet(v.bits.Bits, v.bits.Offset+i) {
			bitutil.SetBit(bits, d.Offset()+i)
		} else {
			nulls++
		}
	}
	buffers := append([]*memory.Buffer{buf}, d.Buffers()[1:]...)
	data := dataOf(d, d.Len(), buffers, d.Children(), nulls, d.Offset())
	defer data.Release()
	return array.MakeFromData(data), nil
}

// dataOf returns data of the type of d, with its dictionary.
func dataOf(d arrow.ArrayData, n int, buffers []*memory.Buffer, children []arrow.ArrayData, nulls, offset int) arrow.ArrayData {
	if dict, ok := d.Dictionary().(*array.Data); ok && dict != nil {
		return array.NewDataWithDictionary(d.DataType(), n, buffers, nulls, offset, dict)
	}
	return array.NewData(d.DataType(), n, buffers, children, nulls, offset)
}
