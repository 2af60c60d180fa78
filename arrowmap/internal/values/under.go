package values

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/nullbitmap"
)

// What is under a null means nothing, but engines look at it: some check every index of a dictionary, others convert every
// duration. Files have -1 there, or the lowest number.

// ZeroUnderNulls returns an array whose dictionary indices and durations are 0 where they are null, at any depth. Values
// that have to change are copied. It takes over arr, and reports whether anything was copied.
func ZeroUnderNulls(arr arrow.Array, mem memory.Allocator) (_ arrow.Array, copied bool) {
	d := zeroed(arr.Data(), mem)
	if d == nil {
		return arr, false
	}
	defer arr.Release()
	defer d.Release()
	return array.MakeFromData(d), true
}

// LooksUnderNulls reports whether engines look at what is under the nulls of a type.
func LooksUnderNulls(t arrow.DataType) bool {
	switch t := t.(type) {
	case *arrow.DictionaryType, *arrow.DurationType:
		return true
	case arrow.ExtensionType:
		return LooksUnderNulls(t.StorageType())
	case arrow.NestedType:
		for _, f := range t.Fields() {
			if LooksUnderNulls(f.Type) {
				return true
			}
		}
	}
	return false
}

// zeroed returns ZeroUnderNulls of an array, nil if that is the array itself.
func zeroed(d arrow.ArrayData, mem memory.Allocator) arrow.ArrayData {
	if !LooksUnderNulls(d.DataType()) {
		return nil
	}
	t := d.DataType()
	if x, ok := t.(arrow.ExtensionType); ok {
		t = x.StorageType()
	}
	if n, ok := t.(arrow.NestedType); ok && len(n.Fields()) == len(d.Children()) {
		return zeroedChildren(d, mem)
	}
	var index arrow.DataType = t
	if dict, ok := t.(*arrow.DictionaryType); ok {
		index = dict.IndexType
	}
	width := index.(arrow.FixedWidthDataType).Bytes()
	bitmap := d.Buffers()[0]
	if d.NullN() == 0 || bitmap == nil || d.Len() == 0 {
		return nil
	}
	values := d.Buffers()[1].Bytes()[d.Offset()*width : (d.Offset()+d.Len())*width]
	if zeroAlready(values, width, bitmap.Bytes(), d.Offset()) {
		return nil
	}
	buf := memory.NewResizableBuffer(mem)
	defer buf.Release()
	buf.Resize((d.Offset() + d.Len()) * width) // the bitmap stays as it is, and so does the offset
	dst := buf.Bytes()
	clear(dst[:d.Offset()*width])
	dst = dst[d.Offset()*width:]
	copy(dst, values)
	nullbitmap.WriteSentinel(dst, make([]byte, width), bitmap.Bytes(), d.Offset())
	buffers := append([]*memory.Buffer{bitmap, buf}, d.Buffers()[2:]...)
	if dict, ok := d.Dictionary().(*array.Data); ok && dict != nil {
		return array.NewDataWithDictionary(d.DataType(), d.Len(), buffers, d.NullN(), d.Offset(), dict)
	}
	return array.NewData(d.DataType(), d.Len(), buffers, nil, d.NullN(), d.Offset())
}

// zeroAlready reports whether all values under nulls are 0.
func zeroAlready(values []byte, width int, bitmap []byte, off int) bool {
	for i := range len(values) / width {
		if at := off + i; bitmap[at/8]>>(at%8)&1 == 1 {
			continue
		}
		for _, b := range values[i*width : (i+1)*width] {
			if b != 0 {
				return false
			}
		}
	}
	return true
}

// zeroedChildren is zeroed of an array with children.
func zeroedChildren(d arrow.ArrayData, mem memory.Allocator) arrow.ArrayData {
	children := make([]arrow.ArrayData, len(d.Children()))
	changed := false
	for i, c := range d.Children() {
		if children[i] = zeroed(c, mem); children[i] != nil {
			changed = true
			defer children[i].Release()
		} else {
			children[i] = c
		}
	}
	if !changed {
		return nil
	}
	return array.NewData(d.DataType(), d.Len(), d.Buffers(), children, d.NullN(), d.Offset())
}
