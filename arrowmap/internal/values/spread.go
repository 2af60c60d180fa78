package values

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Spread copies elements to other places.
type Spread struct {
	Alloc memory.Allocator
	Text  bool // text that is missing is empty, not null
}

// Data returns the elements of d that at counts, as elements of type t: -1 is for one that is missing, which is null.
// A list of fixed size is never null for that: its items are.
func (s Spread) Data(d arrow.ArrayData, t arrow.DataType, at []int32) (arrow.ArrayData, error) {
	if e, ok := t.(arrow.ExtensionType); ok {
		storage := array.NewData(e.StorageType(), d.Len(), d.Buffers(), d.Children(), d.NullN(), d.Offset())
		defer storage.Release()
		made, err := s.Data(storage, e.StorageType(), at)
		if err != nil {
			return nil, err
		}
		defer made.Release()
		return array.NewData(t, made.Len(), made.Buffers(), made.Children(), made.NullN(), 0), nil
	}
	var bufs []*memory.Buffer
	var children []arrow.ArrayData
	var err error
	valid := false // a missing element is valid
	arr := array.MakeFromData(d)
	defer arr.Release()
	switch t := t.(type) {
	case *arrow.NullType:
		return array.NewData(t, len(at), []*memory.Buffer{nil}, nil, len(at), 0), nil
	case *arrow.FixedSizeListType:
		valid = true
		err = s.items(&children, d, t, at)
	case *arrow.StructType:
		err = s.members(&children, arr.(*array.Struct), t, at)
	case *arrow.ListType:
		bufs, err = s.lists(&children, arr.(*array.List), t, at)
	case *arrow.BooleanType, *arrow.StringType, *arrow.BinaryType, arrow.FixedWidthDataType:
		if _, text := t.(arrow.BinaryDataType); text {
			valid = s.Text
		}
		bufs, err = s.leaf(arr, t, at)
	default:
		return nil, h5err.New(h5err.Unsupported, "missing rows of %s", t)
	}
	mask, nulls := s.validity(arr, at, valid)
	all := append([]*memory.Buffer{mask}, bufs...)
	defer func() {
		for _, b := range all {
			if b != nil {
				b.Release()
			}
		}
		for _, c := range children {
			c.Release()
		}
	}()
	if err != nil {
		return nil, err
	}
	if dict, ok := arr.(*array.Dictionary); ok {
		return array.NewDataWithDictionary(t, len(at), all, nulls, 0, dict.Dictionary().Data().(*array.Data)), nil
	}
	return array.NewData(t, len(at), all, children, nulls, 0), nil
}

// leaf spreads the values of a type without children.
func (s Spread) leaf(arr arrow.Array, t arrow.DataType, at []int32) ([]*memory.Buffer, error) {
	width, known := 0, false
	if f, ok := t.(arrow.FixedWidthDataType); ok {
		width, known = f.BitWidth(), f.BitWidth() == 1 || f.BitWidth()%8 == 0
	}
	_, text := t.(arrow.BinaryDataType)
	d := arr.Data()
	switch {
	case !known && !text || t.Layout().HasDict && d.Dictionary() == nil:
		return nil, h5err.New(h5err.Unsupported, "missing rows of %s", t)
	case arr.Len() == 0 && text:
		return []*memory.Buffer{s.zeros(4 * (len(at) + 1)), s.zeros(0)}, nil
	case arr.Len() == 0:
		return []*memory.Buffer{s.zeros((len(at)*width + 7) / 8)}, nil
	case text:
		return expandText(d, at, s.Alloc), nil
	case width == 1:
		return expandBits(arr.(*array.Boolean), at, s.Alloc), nil
	}
	return expandWidth(d, width/8, at, s.Alloc), nil
}

// zeros returns a buffer of zeros.
func (s Spread) zeros(n int) *memory.Buffer {
	buf := memory.NewResizableBuffer(s.Alloc)
	buf.Resize(n)
	clear(buf.Bytes())
	return buf
}

// validity returns the bits of elements at other places, nil if none is null.
func (s Spread) validity(arr arrow.Array, at []int32, valid bool) (buf *memory.Buffer, nulls int) {
	if arr.NullN() == 0 && (valid || !slices.Contains(at, -1)) {
		return nil, 0
	}
	buf = memory.NewResizableBuffer(s.Alloc)
	buf.Resize((len(at) + 7) / 8)
	bits := buf.Bytes()
	clear(bits)
	for i, k := range at {
		if k < 0 && valid || k >= 0 && arr.IsValid(int(k)) {
			bitutil.SetBit(bits, i)
		} else {
			nulls++
		}
	}
	if nulls == 0 {
		buf.Release()
		buf = nil
	}
	return buf, nulls
}

// add appends the data of a child.
func (s Spread) add(children *[]arrow.ArrayData, d arrow.ArrayData, t arrow.DataType, at []int32) error {
	made, err := s.Data(d, t, at)
	if err == nil {
		*children = append(*children, made)
	}
	return err
}

// items spreads the items of lists of fixed size, of which there may be more in t.
func (s Spread) items(children *[]arrow.ArrayData, d arrow.ArrayData, t *arrow.FixedSizeListType, at []int32) error {
	had, has := int(d.DataType().(*arrow.FixedSizeListType).Len()), int(t.Len())
	items := make([]int32, 0, len(at)*has)
	for _, k := range at {
		for i := range has {
			if k < 0 || i >= had {
				items = append(items, -1)
			} else {
				items = append(items, (int32(d.Offset())+k)*int32(had)+int32(i))
			}
		}
	}
	return s.add(children, d.Children()[0], t.Elem(), items)
}

// members spreads the members of structs.
func (s Spread) members(children *[]arrow.ArrayData, arr *array.Struct, t *arrow.StructType, at []int32) error {
	for i := range arr.NumField() {
		if err := s.add(children, arr.Field(i).Data(), t.Field(i).Type, at); err != nil {
			return err
		}
	}
	return nil
}

// lists spreads lists; a missing one has no items.
func (s Spread) lists(children *[]arrow.ArrayData, arr *array.List, t *arrow.ListType, at []int32) ([]*memory.Buffer, error) {
	buf := memory.NewResizableBuffer(s.Alloc)
	buf.Resize(4 * (len(at) + 1))
	to := arrow.Int32Traits.CastFromBytes(buf.Bytes())
	to[0] = 0
	var items []int32
	for i, k := range at {
		if k >= 0 {
			lo, hi := arr.ValueOffsets(int(k))
			for j := lo; j < hi; j++ {
				items = append(items, int32(j))
			}
		}
		to[i+1] = int32(len(items))
	}
	return []*memory.Buffer{buf}, s.add(children, arr.ListValues().Data(), t.Elem(), items)
}
