// Package values makes Arrow arrays of what MATLAB stores: text in UTF-16, strings, codes of categories, times as doubles, and
// arrays in column-major order.
package values

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Shape is how the elements of an array make rows.
type Shape struct {
	Rows  int64
	Inner []uint64 // dimensions of a row; nil where rows are elements
}

// ListType is the type of rows of a shape.
func (s Shape) ListType(t arrow.DataType) arrow.DataType {
	for i := len(s.Inner) - 1; i >= 0; i-- {
		t = arrow.FixedSizeListOf(int32(min(s.Inner[i], 1<<31-1)), t)
	}
	return t
}

// Arrange makes rows of a shape of elements in column-major order.
func (s Shape) Arrange(arr arrow.Array, mem memory.Allocator) (arrow.Array, error) {
	items := int64(1)
	for _, d := range s.Inner {
		items *= int64(d)
	}
	if int64(arr.Len()) != s.Rows*items {
		return nil, h5err.New(h5err.Corrupt, "%d elements in %d rows of %v", arr.Len(), s.Rows, s.Inner)
	}
	b := array.NewStringBuilder(mem)
	defer b.Release()
	text := arr.(*array.String)
	for r := range s.Rows {
		index := make([]uint64, len(s.Inner))
		for range items {
			at, stride := r, s.Rows
			for i, k := range index {
				at += int64(k) * stride
				stride *= int64(s.Inner[i])
			}
			if text.IsNull(int(at)) {
				b.AppendNull()
			} else {
				b.Append(text.Value(int(at)))
			}
			for i := len(index) - 1; i >= 0; i-- {
				if index[i]++; index[i] < s.Inner[i] {
					break
				}
				index[i] = 0
			}
		}
	}
	return Listed(b.NewArray(), s.ListType(arrow.BinaryTypes.String)), nil
}

// Listed returns values as lists of fixed size, one in the other. It takes over values.
func Listed(values arrow.Array, t arrow.DataType) arrow.Array {
	l, ok := t.(*arrow.FixedSizeListType)
	if !ok {
		return values
	}
	values = Listed(values, l.Elem())
	defer values.Release()
	data := array.NewData(l, values.Len()/max(1, int(l.Len())), []*memory.Buffer{nil}, []arrow.ArrayData{values.Data()}, 0, 0)
	defer data.Release()
	return array.MakeFromData(data)
}

// Elements returns the elements of rows: the values of lists of fixed size. The caller releases them.
func Elements(arr arrow.Array) arrow.Array {
	for {
		l, ok := arr.(*array.FixedSizeList)
		if !ok {
			arr.Retain()
			return arr
		}
		n := int64(l.DataType().(*arrow.FixedSizeListType).Len())
		at := int64(l.Offset())
		arr = array.NewSlice(l.ListValues(), at*n, (at+int64(l.Len()))*n)
		defer arr.Release()
	}
}

// integer returns an element of an array of integers.
func integer(in arrow.Array, i int) (int64, bool) {
	switch in := in.(type) {
	case *array.Int8:
		return int64(in.Value(i)), true
	case *array.Uint8:
		return int64(in.Value(i)), true
	case *array.Int16:
		return int64(in.Value(i)), true
	case *array.Uint16:
		return int64(in.Value(i)), true
	case *array.Int32:
		return int64(in.Value(i)), true
	case *array.Uint32:
		return int64(in.Value(i)), true
	case *array.Int64:
		return in.Value(i), true
	case *array.Uint64:
		return int64(in.Value(i)), in.Value(i) < 1<<63
	}
	return 0, false
}
