// Package values changes Arrow arrays, whatever they were made from: labels of dictionaries, and what is under nulls.
package values

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Longest is the number of bytes of the longest text of an array, at least 1.
func Longest(arr arrow.Array) int64 {
	n := 1
	if text, ok := arr.(interface{ ValueLen(i int) int }); ok {
		for i := range arr.Len() {
			n = max(n, text.ValueLen(i))
		}
	}
	return int64(n)
}

// Expand writes out the label of each row of a dictionary array.
func Expand(d *array.Dictionary, mem memory.Allocator) (arrow.Array, error) {
	labels, n := d.Dictionary(), d.Len()
	valid := memory.NewResizableBuffer(mem)
	defer valid.Release()
	valid.Resize((n + 7) / 8)
	bits := valid.Bytes()
	clear(bits)
	nulls := 0
	at := make([]int32, n) // of the label in the dictionary, -1 for null
	for i := range at {
		if at[i] = -1; d.IsValid(i) {
			if k := d.GetValueIndex(i); labels.IsValid(k) {
				at[i] = int32(k)
				bitutil.SetBit(bits, i)
				continue
			}
		}
		nulls++
	}
	bufs := []*memory.Buffer{nil}
	if nulls > 0 {
		bufs[0] = valid
	}
	var made []*memory.Buffer
	switch t := labels.DataType().(type) {
	case *arrow.BooleanType:
		made = expandBits(labels.(*array.Boolean), at, mem)
	case *arrow.StringType, *arrow.BinaryType:
		made = expandText(labels.Data(), at, mem)
	case arrow.FixedWidthDataType:
		if t.BitWidth()%8 != 0 || len(labels.Data().Buffers()) != 2 {
			return nil, h5err.New(h5err.Unsupported, "labels of %s", t)
		}
		made = expandWidth(labels.Data(), t.BitWidth()/8, at, mem)
	default:
		return nil, h5err.New(h5err.Unsupported, "labels of %s", t)
	}
	defer func() {
		for _, b := range made {
			b.Release()
		}
	}()
	data := array.NewData(labels.DataType(), n, append(bufs, made...), nil, nulls, 0)
	defer data.Release()
	return array.MakeFromData(data), nil
}

func expandBits(labels *array.Boolean, at []int32, mem memory.Allocator) []*memory.Buffer {
	buf := memory.NewResizableBuffer(mem)
	buf.Resize((len(at) + 7) / 8)
	bits := buf.Bytes()
	clear(bits)
	for i, k := range at {
		if k >= 0 && labels.Value(int(k)) {
			bitutil.SetBit(bits, i)
		}
	}
	return []*memory.Buffer{buf}
}

func expandWidth(labels arrow.ArrayData, width int, at []int32, mem memory.Allocator) []*memory.Buffer {
	buf := memory.NewResizableBuffer(mem)
	buf.Resize(len(at) * width)
	dst := buf.Bytes()
	src := labels.Buffers()[1].Bytes()[labels.Offset()*width:]
	switch width {
	case 2:
		expandFixed(arrow.Uint16Traits.CastFromBytes(dst), arrow.Uint16Traits.CastFromBytes(src), at)
		return []*memory.Buffer{buf}
	case 4:
		expandFixed(arrow.Uint32Traits.CastFromBytes(dst), arrow.Uint32Traits.CastFromBytes(src), at)
		return []*memory.Buffer{buf}
	case 8:
		expandFixed(arrow.Uint64Traits.CastFromBytes(dst), arrow.Uint64Traits.CastFromBytes(src), at)
		return []*memory.Buffer{buf}
	}
	for i, k := range at {
		if k < 0 {
			clear(dst[i*width : (i+1)*width])
			continue
		}
		copy(dst[i*width:(i+1)*width], src[int(k)*width:])
	}
	return []*memory.Buffer{buf}
}

// expandFixed copies the values at these places, 0 where one is negative.
func expandFixed[T uint16 | uint32 | uint64](dst, src []T, at []int32) {
	for i, k := range at {
		if k < 0 {
			dst[i] = 0
		} else {
			dst[i] = src[k]
		}
	}
}

func expandText(labels arrow.ArrayData, at []int32, mem memory.Allocator) []*memory.Buffer {
	offsets := memory.NewResizableBuffer(mem)
	offsets.Resize(4 * (len(at) + 1))
	to := arrow.Int32Traits.CastFromBytes(offsets.Bytes())
	from := arrow.Int32Traits.CastFromBytes(labels.Buffers()[1].Bytes())[labels.Offset():]
	to[0] = 0
	for i, k := range at {
		to[i+1] = to[i]
		if k >= 0 {
			to[i+1] += from[k+1] - from[k]
		}
	}
	text := memory.NewResizableBuffer(mem)
	text.Resize(int(to[len(at)]))
	dst := text.Bytes()
	var src []byte
	if b := labels.Buffers()[2]; b != nil {
		src = b.Bytes()
	}
	for i, k := range at {
		if k >= 0 {
			copy(dst[to[i]:to[i+1]], src[from[k]:from[k+1]])
		}
	}
	return []*memory.Buffer{offsets, text}
}

// WithoutNulls returns the values of an array that are not null, and the place of each of its values among them, -1 for a
// null; no places where none is null. The caller releases the array.
func WithoutNulls(all arrow.Array, mem memory.Allocator) (known arrow.Array, at []int64, err error) {
	if all.NullN() == 0 {
		all.Retain()
		return all, nil, nil
	}
	at = make([]int64, all.Len())
	parts := []arrow.Array{array.NewSlice(all, 0, 0)}
	defer func() {
		for _, p := range parts {
			p.Release()
		}
	}()
	n := int64(0)
	for i := 0; i < all.Len(); {
		end := i
		for ; end < all.Len() && all.IsValid(end); end++ {
			at[end] = n
			n++
		}
		if end > i {
			parts = append(parts, array.NewSlice(all, int64(i), int64(end)))
		}
		for i = end; i < all.Len() && all.IsNull(i); i++ {
			at[i] = -1
		}
	}
	if known, err = array.Concatenate(parts, mem); err != nil {
		return nil, nil, h5err.Wrap(h5err.Unsupported, err, "labels of which some are null")
	}
	return known, at, nil
}
