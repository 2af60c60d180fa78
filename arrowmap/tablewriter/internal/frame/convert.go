package frame

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Native returns the bytes of a little-endian element in the order of this machine.
func Native(p []byte) []byte {
	out := slices.Clone(p)
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		slices.Reverse(out)
	}
	return out
}

// Integers calls fn for each value of an array of integers, booleans or times that is not null.
func Integers(a arrow.Array, fn func(i int, x int64) error) error {
	at := integers(a)
	if at == nil {
		return h5err.New(h5err.Argument, "%s where integers were expected", a.DataType())
	}
	for i := range a.Len() {
		if a.IsNull(i) {
			continue
		}
		if err := fn(i, at(i)); err != nil {
			return err
		}
	}
	return nil
}

func integers(a arrow.Array) func(i int) int64 {
	switch a := a.(type) {
	case *array.Boolean:
		return func(i int) int64 {
			if a.Value(i) {
				return 1
			}
			return 0
		}
	case *array.Int8:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Int16:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Int32:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Int64:
		return a.Value
	case *array.Uint8:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Uint16:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Uint32:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Uint64:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Timestamp:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Duration:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Date32:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Date64:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Time32:
		return func(i int) int64 { return int64(a.Value(i)) }
	case *array.Time64:
		return func(i int) int64 { return int64(a.Value(i)) }
	}
	return nil
}

// Int64 returns integers, booleans or times as integers of 64 bits. The caller releases them.
func Int64(a arrow.Array) (arrow.Array, error) {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendNulls(a.Len())
	out := b.NewInt64Array()
	defer out.Release()
	values := out.Int64Values()
	err := Integers(a, func(i int, x int64) error { values[i] = x; return nil })
	if err != nil {
		return nil, err
	}
	return WithNulls(a, arrow.PrimitiveTypes.Int64, out), nil
}

// WithNulls returns the values of an array as those of a type of the same width, null where a is.
func WithNulls(a arrow.Array, t arrow.DataType, values arrow.Array) arrow.Array {
	valid := memory.NewResizableBuffer(memory.DefaultAllocator)
	defer valid.Release()
	valid.Resize((a.Len() + 7) / 8)
	for i := range a.Len() {
		if a.IsValid(i) {
			valid.Bytes()[i>>3] |= 1 << (i & 7)
		}
	}
	data := array.NewData(t, a.Len(), []*memory.Buffer{valid, values.Data().Buffers()[1]}, nil, a.NullN(), values.Data().Offset())
	defer data.Release()
	return array.MakeFromData(data)
}

// Float64 returns integers as doubles, which the caller releases. Integers that no double equals are an error of kind Unsupported;
// row0 is the number of the first row.
func Float64(a arrow.Array, row0 int64) (arrow.Array, error) {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendNulls(a.Len())
	out := b.NewFloat64Array()
	defer out.Release()
	values := out.Float64Values()
	_, unsigned := a.(*array.Uint64)
	err := Integers(a, func(i int, x int64) error {
		f := float64(x)
		exact := f < 1<<63 && int64(f) == x
		if unsigned {
			f = float64(uint64(x))
			exact = f < 1<<64 && uint64(f) == uint64(x)
		}
		if !exact {
			return h5err.New(h5err.Unsupported, "row %d: %s in a column with nulls, which is stored as doubles: no double equals it", row0+int64(i), a.ValueStr(i)).WithHint("cast the column to text, or use the layout vaex")
		}
		values[i] = f
		return nil
	})
	if err != nil {
		return nil, err
	}
	return WithNulls(a, arrow.PrimitiveTypes.Float64, out), nil
}

// perSecond are the ticks of units of time in a second.
var perSecond = map[arrow.TimeUnit]int64{arrow.Second: 1, arrow.Millisecond: 1e3, arrow.Microsecond: 1e6, arrow.Nanosecond: 1e9}

// Nanoseconds returns timestamps or dates as timestamps in nanoseconds of the same zone, which the caller releases. Times outside the
// years 1677 to 2262 are an error of kind Unsupported.
func Nanoseconds(a arrow.Array, row0 int64) (arrow.Array, error) {
	by := int64(1e6) // of date64
	to := &arrow.TimestampType{Unit: arrow.Nanosecond}
	switch t := a.DataType().(type) {
	case *arrow.TimestampType:
		by, to.TimeZone = int64(1e9)/perSecond[t.Unit], t.TimeZone
	case *arrow.Date32Type:
		by = 86400 * 1e9
	}
	ints, err := Int64(a)
	if err != nil {
		return nil, err
	}
	defer ints.Release()
	values := ints.(*array.Int64).Int64Values()
	for i, x := range values {
		if a.IsNull(i) {
			continue
		}
		if x > math.MaxInt64/by || x <= math.MinInt64/by {
			return nil, h5err.New(h5err.Unsupported, "row %d: the time %s, which nanoseconds of 64 bits don't reach", row0+int64(i), a.ValueStr(i)).WithHint("cast the column to text, or use the layout vaex")
		}
		values[i] = x * by
	}
	return WithNulls(a, to, ints), nil
}

// Plain returns text and bytes that are views as arrays without views, and other arrays as they are. The caller releases them.
func Plain(a arrow.Array) arrow.Array {
	t := PlainType(a.DataType())
	if t.ID() == a.DataType().ID() {
		a.Retain()
		return a
	}
	b := array.NewBuilder(memory.DefaultAllocator, t)
	defer b.Release()
	text, ok := a.(array.StringLike)
	for i := range a.Len() {
		switch {
		case a.IsNull(i):
			b.AppendNull()
		case ok:
			b.(*array.StringBuilder).Append(text.Value(i))
		default:
			b.(*array.BinaryBuilder).Append(a.(*array.BinaryView).Value(i))
		}
	}
	return b.NewArray()
}

// PlainType returns the type of arrays that Plain returns.
func PlainType(t arrow.DataType) arrow.DataType {
	switch t.ID() {
	case arrow.STRING_VIEW:
		return arrow.BinaryTypes.String
	case arrow.BINARY_VIEW:
		return arrow.BinaryTypes.Binary
	}
	return t
}

// Items returns an array whose values, or the items of whose lists of one length, are replaced by what fn returns for them. The caller
// releases it.
func Items(a arrow.Array, fn func(arrow.Array) (arrow.Array, error)) (arrow.Array, error) {
	l, ok := a.(*array.FixedSizeList)
	if !ok {
		return fn(a)
	}
	items, err := Items(l.ListValues(), fn)
	if err != nil {
		return nil, err
	}
	defer items.Release()
	t := arrow.FixedSizeListOf(a.DataType().(*arrow.FixedSizeListType).Len(), items.DataType())
	data := array.NewData(t, a.Len(), []*memory.Buffer{a.Data().Buffers()[0]}, []arrow.ArrayData{items.Data()}, a.NullN(), a.Data().Offset())
	defer data.Release()
	return array.MakeFromData(data), nil
}

// Labels returns the labels, which are text, of rows of indices. The caller releases them.
func Labels(indices, labels arrow.Array) (arrow.Array, error) {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	text, ok := labels.(array.StringLike)
	if !ok {
		return nil, h5err.New(h5err.Argument, "labels of %s where text was expected", labels.DataType())
	}
	at := integers(indices)
	for i := range indices.Len() {
		if indices.IsNull(i) {
			b.AppendNull()
			continue
		}
		b.Append(text.Value(int(at(i))))
	}
	return b.NewArray(), nil
}
