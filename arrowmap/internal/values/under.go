package values

import (
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/nullbitmap"
)

// What is under a null means nothing, but engines look at it: some check every index of a dictionary and all text, others
// convert every duration. Files have -1 there, or the lowest number, or any bytes.

// ZeroUnderNulls returns an array whose dictionary indices and durations are 0 where they are null, at any depth, and whose
// text is empty there if it is not valid UTF-8 under a null. Values that have to change are copied. It takes over arr, and
// reports whether anything was copied.
func ZeroUnderNulls(arr arrow.Array, mem memory.Allocator) (_ arrow.Array, copied bool) {
	kept := false
	defer func() {
		if !kept { // also after a fault of a mapping
			arr.Release()
		}
	}()
	d := zeroed(arr.Data(), mem)
	if d == nil {
		kept = true
		return arr, false
	}
	defer d.Release()
	return array.MakeFromData(d), true
}

// LooksUnderNulls reports whether what is under the nulls of a type usually has to be changed for engines.
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
	t := d.DataType()
	if x, ok := t.(arrow.ExtensionType); ok {
		t = x.StorageType()
	}
	if len(d.Children()) > 0 {
		return zeroedChildren(d, mem)
	}
	if d.Len() == 0 || d.NullN() == 0 || d.Buffers()[0] == nil {
		return nil
	}
	switch t := t.(type) {
	case *arrow.DictionaryType:
		return zeroedValues(d, t.IndexType.(arrow.FixedWidthDataType).Bytes(), mem)
	case *arrow.DurationType:
		return zeroedValues(d, t.Bytes(), mem)
	case *arrow.StringType:
		return emptied[int32](d, 4, mem)
	case *arrow.LargeStringType:
		return emptied[int64](d, 8, mem)
	}
	return nil
}

// zeroedValues is zeroed of an array of values of width bytes.
func zeroedValues(d arrow.ArrayData, width int, mem memory.Allocator) arrow.ArrayData {
	bitmap := d.Buffers()[0]
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

// emptied is zeroed of text with offsets of width bytes: where bytes under a null are not valid UTF-8, no null has any.
func emptied[O int32 | int64](d arrow.ArrayData, width int, mem memory.Allocator) arrow.ArrayData {
	bitmap, text := d.Buffers()[0].Bytes(), d.Buffers()[2]
	if text == nil || d.Buffers()[1] == nil {
		return nil
	}
	offsets := arrow.GetOffsets[O](d, 1)
	valid := func(i int) bool { return bitmap[(d.Offset()+i)/8]>>((d.Offset()+i)%8)&1 == 1 }
	broken := false
	size := 0
	for i := range d.Len() {
		if b := text.Bytes()[offsets[i]:offsets[i+1]]; valid(i) {
			size += len(b)
		} else if !broken && !utf8.Valid(b) {
			broken = true
		}
	}
	if !broken {
		return nil
	}
	var o O
	starts, bytes, bits := memory.NewResizableBuffer(mem), memory.NewResizableBuffer(mem), memory.NewResizableBuffer(mem)
	defer starts.Release()
	defer bytes.Release()
	defer bits.Release()
	starts.Resize((d.Len() + 1) * width)
	bytes.Resize(size)
	bits.Resize((d.Len() + 7) / 8)
	clear(bits.Bytes())
	nullbitmap.Copy(bits.Bytes(), 0, bitmap, d.Offset(), d.Len())
	to := arrow.GetData[O](starts.Bytes())
	for i := range d.Len() {
		to[i] = o
		if valid(i) {
			o += O(copy(bytes.Bytes()[o:], text.Bytes()[offsets[i]:offsets[i+1]]))
		}
	}
	to[d.Len()] = o
	return array.NewData(d.DataType(), d.Len(), []*memory.Buffer{bits, starts, bytes}, nil, d.NullN(), 0)
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
