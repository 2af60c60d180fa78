package parquet

import (
	"context"
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// lowering converts arrays into forms that arrow-go's Parquet writer accepts and writes correctly:
//   - lists, including those of fixed size, have offsets from 0 on and no items in rows that are null or in a null struct;
//   - dictionaries of text are copied, since arrow-go reads them on other goroutines; all others are decoded;
//   - half floats and decimals become fixed_size_binary, because otherwise values in a null struct would be written.
type lowering struct {
	mem memory.Allocator
}

// array returns arr as type to. Rows whose bit of alive is not set lie in a null parent; nil means none do.
// The caller releases the result.
func (l lowering) array(arr arrow.Array, to arrow.DataType, alive []byte) (arrow.Array, error) {
	switch arr := arr.(type) {
	case *array.Struct:
		return l.structs(arr, to, alive)
	case *array.List:
		offsets, at := arr.Offsets(), arr.Offset()
		return l.lists(arr, to, alive, arr.ListValues(), func(i int) int64 { return int64(offsets[at+i]) })
	case *array.Map:
		offsets, at := arr.Offsets(), arr.Offset()
		return l.lists(arr, to, alive, arr.ListValues(), func(i int) int64 { return int64(offsets[at+i]) })
	case *array.LargeList:
		offsets, at := arr.Offsets(), arr.Offset()
		return l.lists(arr, to, alive, arr.ListValues(), func(i int) int64 { return offsets[at+i] })
	case *array.FixedSizeList:
		n, at := int64(arr.DataType().(*arrow.FixedSizeListType).Len()), int64(arr.Offset())
		return l.lists(arr, to, alive, arr.ListValues(), func(i int) int64 { return (at + int64(i)) * n })
	case *array.Dictionary:
		return l.dictionary(arr, to)
	case *array.Duration:
		return retyped(arr, arrow.PrimitiveTypes.Int64), nil
	case *array.Float16:
		return retyped(arr, &arrow.FixedSizeBinaryType{ByteWidth: 2}), nil
	case *array.Decimal128:
		size := pqarrow.DecimalSize(arr.DataType().(*arrow.Decimal128Type).Precision)
		return l.decimals(arr, int(size), func(i int, b *[32]byte) {
			v := arr.Value(i)
			binary.BigEndian.PutUint64(b[16:], uint64(v.HighBits()))
			binary.BigEndian.PutUint64(b[24:], v.LowBits())
		}), nil
	case *array.Decimal256:
		size := pqarrow.DecimalSize(arr.DataType().(*arrow.Decimal256Type).Precision)
		return l.decimals(arr, int(size), func(i int, b *[32]byte) {
			v := arr.Value(i)
			for k, word := range v.Array() {
				binary.BigEndian.PutUint64(b[24-8*k:], word)
			}
		}), nil
	case array.ExtensionArray:
		if _, nested := arr.Storage().DataType().(arrow.NestedType); nested {
			return l.array(arr.Storage(), to, alive)
		}
	}
	arr.Retain()
	return arr, nil
}

// retyped returns an array with the same buffers and another type of the same width.
func retyped(arr arrow.Array, to arrow.DataType) arrow.Array {
	d := arr.Data()
	data := array.NewData(to, d.Len(), d.Buffers(), nil, arr.NullN(), d.Offset())
	defer data.Release()
	return array.MakeFromData(data)
}

// decimals returns an array of the low bytes of big-endian numbers.
func (l lowering) decimals(arr arrow.Array, size int, put func(int, *[32]byte)) arrow.Array {
	valid := l.validity(arr)
	defer release(valid)
	values := memory.NewResizableBuffer(l.mem)
	defer values.Release()
	values.Resize(arr.Len() * size)
	for i := range arr.Len() {
		var b [32]byte
		put(i, &b)
		copy(values.Bytes()[i*size:(i+1)*size], b[32-size:])
	}
	return made(&arrow.FixedSizeBinaryType{ByteWidth: size}, arr.Len(), []*memory.Buffer{valid, values}, nil, arr.NullN())
}

// validity returns an array's validity in a buffer from bit 0 on, nil if there are no nulls.
func (l lowering) validity(arr arrow.Array) *memory.Buffer {
	if arr.NullN() == 0 {
		return nil
	}
	b := memory.NewResizableBuffer(l.mem)
	b.Resize(int(bitutil.BytesForBits(int64(arr.Len()))))
	clear(b.Bytes())
	bitutil.CopyBitmap(arr.NullBitmapBytes(), arr.Data().Offset(), arr.Len(), b.Bytes(), 0)
	return b
}

// both returns the rows that are alive and valid.
func both(alive []byte, valid *memory.Buffer, n int) []byte {
	switch {
	case valid == nil:
		return alive
	case alive == nil:
		return valid.Bytes()
	}
	out := make([]byte, bitutil.BytesForBits(int64(n)))
	bitutil.BitmapAnd(alive, valid.Bytes(), 0, 0, out, 0, int64(n))
	return out
}

func release(b *memory.Buffer) {
	if b != nil {
		b.Release()
	}
}

func (l lowering) structs(arr *array.Struct, to arrow.DataType, alive []byte) (arrow.Array, error) {
	valid := l.validity(arr)
	defer release(valid)
	alive = both(alive, valid, arr.Len())
	fields := to.(*arrow.StructType).Fields()
	children := make([]arrow.ArrayData, len(fields))
	for i, f := range fields {
		c, err := l.array(arr.Field(i), f.Type, alive)
		if err != nil {
			return nil, err
		}
		defer c.Release()
		children[i] = c.Data()
	}
	return made(to, arr.Len(), []*memory.Buffer{valid}, children, arr.NullN()), nil
}

func made(to arrow.DataType, n int, buffers []*memory.Buffer, children []arrow.ArrayData, nulls int) arrow.Array {
	data := array.NewData(to, n, buffers, children, nulls, 0)
	defer data.Release()
	return array.MakeFromData(data)
}

// lists rebuilds an array of lists whose i-th row starts at the item start(i).
func (l lowering) lists(arr arrow.Array, to arrow.DataType, alive []byte, items arrow.Array, start func(int) int64) (arrow.Array, error) {
	n := arr.Len()
	valid := l.validity(arr)
	defer release(valid)
	alive = both(alive, valid, n)

	var runs [][2]int64 // of items that are kept
	ends := make([]int64, n+1)
	for i := range n {
		ends[i+1] = ends[i]
		a, b := start(i), start(i+1)
		if a == b || alive != nil && !bitutil.BitIsSet(alive, i) {
			continue
		}
		ends[i+1] += b - a
		if last := len(runs) - 1; last >= 0 && runs[last][1] == a {
			runs[last][1] = b
		} else {
			runs = append(runs, [2]int64{a, b})
		}
	}
	items, err := l.pick(items, runs)
	if err != nil {
		return nil, err
	}
	defer items.Release()
	elem := to.(arrow.NestedType).Fields()[0].Type
	items, err = l.array(items, elem, nil)
	if err != nil {
		return nil, err
	}
	defer items.Release()

	offsets := memory.NewResizableBuffer(l.mem)
	defer offsets.Release()
	if to.ID() == arrow.LARGE_LIST {
		offsets.Resize(8 * (n + 1))
		copy(arrow.Int64Traits.CastFromBytes(offsets.Bytes()), ends)
	} else {
		if ends[n] > math.MaxInt32 {
			return nil, h5err.New(h5err.Limit, "%d items of lists in one batch", ends[n])
		}
		offsets.Resize(4 * (n + 1))
		short := arrow.Int32Traits.CastFromBytes(offsets.Bytes())
		for i, e := range ends {
			short[i] = int32(e)
		}
	}
	return made(to, n, []*memory.Buffer{valid, offsets}, []arrow.ArrayData{items.Data()}, arr.NullN()), nil
}

// pick returns runs of an array as one array. It copies if there are several.
func (l lowering) pick(arr arrow.Array, runs [][2]int64) (arrow.Array, error) {
	switch len(runs) {
	case 0:
		return array.NewSlice(arr, 0, 0), nil
	case 1:
		return array.NewSlice(arr, runs[0][0], runs[0][1]), nil
	}
	parts := make([]arrow.Array, len(runs))
	for i, r := range runs {
		parts[i] = array.NewSlice(arr, r[0], r[1])
		defer parts[i].Release()
	}
	return array.Concatenate(parts, l.mem)
}

func (l lowering) dictionary(arr *array.Dictionary, to arrow.DataType) (arrow.Array, error) {
	indices, err := l.copied(arr.Indices())
	if err != nil {
		return nil, err
	}
	defer indices.Release()
	labels, err := l.copied(arr.Dictionary())
	if err != nil {
		return nil, err
	}
	defer labels.Release()
	if typ, ok := to.(*arrow.DictionaryType); ok && labels.NullN() == 0 {
		return array.NewDictionaryArray(typ, indices, labels), nil
	}
	ctx := compute.WithAllocator(context.Background(), l.mem)
	spread, err := compute.TakeArray(ctx, labels, indices)
	if err != nil {
		return nil, err
	}
	defer spread.Release()
	if typ, ok := to.(*arrow.DictionaryType); ok {
		to = typ.ValueType
	}
	return l.array(spread, to, nil)
}

// copied returns a copy of an array.
func (l lowering) copied(arr arrow.Array) (arrow.Array, error) {
	if _, fixed := arr.DataType().(arrow.FixedWidthDataType); fixed && arr.Len() == 0 { // arrow-go needs a buffer
		none := memory.NewResizableBuffer(l.mem)
		defer none.Release()
		none.Resize(8)
		return made(arr.DataType(), 0, []*memory.Buffer{nil, none}, nil, 0), nil
	}
	return array.Concatenate([]arrow.Array{arr}, l.mem)
}

// weight estimates how many bytes encoding an array takes, for its values and levels.
func weight(arr arrow.Array) int64 {
	n := int64(arr.Len())
	if n == 0 {
		return 0
	}
	const levels = 4
	switch arr := arr.(type) {
	case *array.Struct:
		sum := int64(0)
		for i := range arr.NumField() {
			sum += weight(arr.Field(i))
		}
		return sum
	case array.ExtensionArray:
		return weight(arr.Storage())
	case array.ListLike:
		first, _ := arr.ValueOffsets(0)
		_, last := arr.ValueOffsets(int(n) - 1)
		items := array.NewSlice(arr.ListValues(), first, last)
		defer items.Release()
		return 8*n + weight(items)
	case array.BinaryLike:
		return n*(levels+4) + int64(len(arr.ValueBytes()))
	case *array.Dictionary:
		return n * (levels + 4)
	}
	width := int64(4)
	if t, ok := arr.DataType().(arrow.FixedWidthDataType); ok {
		width = max(width, int64(t.Bytes()))
	}
	return n * (levels + width)
}
