package stored

import (
	"math"
	"math/big"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/decimal256"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Restore returns the values of a, as they were read, as an array of type t, which the caller releases. Buffers are shared where the
// values are the same in both types. An array that values of t are never stored as is an error of kind Corrupt. Errors count rows from
// row0 on.
func Restore(a arrow.Array, t arrow.DataType, row0 int64, mem memory.Allocator) (arrow.Array, error) {
	out, err := restore(a, t, mem)
	if err != nil {
		return nil, element.Place(err, row0, 1, "")
	}
	return out, nil
}

func restore(a arrow.Array, t arrow.DataType, mem memory.Allocator) (arrow.Array, error) {
	from := a.DataType()
	if Same(from, t) {
		a.Retain()
		return a, nil
	}
	if e, ok := a.(array.ExtensionArray); ok {
		return restore(e.Storage(), t, mem)
	}
	switch to := t.(type) {
	case *arrow.Date64Type, *arrow.TimestampType, *arrow.Time64Type, *arrow.DurationType:
		if u, ok := instant(from); ok && u == unitOf(t) {
			return retyped(a, t, nil), nil
		}
	case *arrow.Time32Type:
		if d, ok := a.(*array.Duration); ok && unitOf(from) == to.Unit {
			return narrowed(d, t, mem)
		}
	case *arrow.Decimal32Type, *arrow.Decimal64Type:
		if from.ID() == Type(t).ID() {
			return retyped(a, t, nil), nil
		}
	case *arrow.Decimal128Type, *arrow.Decimal256Type:
		return restoreDecimal(a, t, mem)
	case arrow.BinaryDataType, *arrow.StringViewType, *arrow.BinaryViewType:
		return restoreText(a, t, mem)
	case *arrow.ListType, *arrow.LargeListType, *arrow.ListViewType, *arrow.LargeListViewType:
		return restoreLists(a, to.(arrow.ListLikeType), mem)
	case *arrow.FixedSizeListType:
		if l, ok := from.(*arrow.FixedSizeListType); ok && l.Len() == to.Len() {
			return restoreItems(a, to, mem)
		} else if ok {
			return restoreTensor(a.(*array.FixedSizeList), to, mem)
		}
	case *arrow.StructType:
		if s, ok := from.(*arrow.StructType); ok && s.NumFields() == to.NumFields() {
			return restoreStruct(a, to, mem)
		}
	case *arrow.DictionaryType:
		if d, ok := a.(*array.Dictionary); ok && from.(*arrow.DictionaryType).IndexType.ID() == to.IndexType.ID() {
			return restoreDictionary(d, to, mem)
		}
	case *arrow.RunEndEncodedType:
		return restoreRuns(a, to, mem)
	}
	return nil, wrong(from, t)
}

func wrong(from, t arrow.DataType) error {
	return h5err.New(h5err.Corrupt, "the attribute %s names the type %s, which is not stored as %s", Attribute, t, from)
}

// instant returns the unit of a time of 64 bits.
func instant(t arrow.DataType) (arrow.TimeUnit, bool) {
	return unitOf(t), t.ID() == arrow.TIMESTAMP || t.ID() == arrow.DURATION
}

// unitOf returns the unit of a time.
func unitOf(t arrow.DataType) arrow.TimeUnit {
	switch t := t.(type) {
	case arrow.TemporalWithUnit:
		return t.TimeUnit()
	case *arrow.Date64Type:
		return arrow.Millisecond
	}
	return -1
}

func narrowed(d *array.Duration, t arrow.DataType, mem memory.Allocator) (arrow.Array, error) {
	values := memory.NewResizableBuffer(mem)
	defer values.Release()
	values.Resize(4 * d.Len())
	out := arrow.Int32Traits.CastFromBytes(values.Bytes())
	for i := range out {
		out[i] = 0
		if d.IsNull(i) {
			continue
		}
		v := int64(d.Value(i))
		if v < math.MinInt32 || v > math.MaxInt32 {
			return nil, element.New(i, h5err.Corrupt, "%d is not a %s", v, t)
		}
		out[i] = int32(v)
	}
	valid := validity(d, mem)
	defer release(valid)
	data := array.NewData(t, d.Len(), []*memory.Buffer{valid, values}, nil, d.NullN(), 0)
	defer data.Release()
	return array.MakeFromData(data), nil
}

// restoreDecimal makes decimals of 128 or 256 bits of integers or text.
func restoreDecimal(a arrow.Array, t arrow.DataType, mem memory.Allocator) (arrow.Array, error) {
	scale, precision := t.(arrow.DecimalType).GetScale(), t.(arrow.DecimalType).GetPrecision()
	var value func(i int) (*big.Int, bool)
	switch a := a.(type) {
	case *array.Int64:
		value = func(i int) (*big.Int, bool) { return big.NewInt(a.Value(i)), true }
	case array.StringLike:
		value = func(i int) (*big.Int, bool) { return parseDecimal(a.Value(i), scale) }
	default:
		return nil, wrong(a.DataType(), t)
	}
	b := array.NewBuilder(mem, t)
	defer b.Release()
	b.Reserve(a.Len())
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(0, min(precision, 76)))), nil)
	for i := range a.Len() {
		if a.IsNull(i) {
			b.AppendNull()
			continue
		}
		v, ok := value(i)
		if !ok || v.CmpAbs(limit) >= 0 && a.DataType().ID() != arrow.INT64 {
			return nil, element.New(i, h5err.Corrupt, "%.80q is not a %s", a.ValueStr(i), t)
		}
		switch b := b.(type) {
		case *array.Decimal128Builder:
			b.Append(decimal128.FromBigInt(v))
		case *array.Decimal256Builder:
			b.Append(decimal256.FromBigInt(v))
		}
	}
	return b.NewArray(), nil
}

// restoreText makes text or bytes of text, bytes, or lists of bytes.
func restoreText(a arrow.Array, t arrow.DataType, mem memory.Allocator) (arrow.Array, error) {
	if l, ok := a.(*array.List); ok && l.ListValues().DataType().ID() == arrow.UINT8 && l.ListValues().NullN() == 0 {
		d, items := l.Data(), l.ListValues().Data()
		if items.Offset() == 0 {
			data := array.NewData(arrow.BinaryTypes.Binary, d.Len(), []*memory.Buffer{d.Buffers()[0], d.Buffers()[1], items.Buffers()[1]}, nil, d.NullN(), d.Offset())
			defer data.Release()
			bytes := array.MakeFromData(data)
			defer bytes.Release()
			return restore(bytes, t, mem)
		}
	}
	from := a.DataType()
	_, isText := from.(arrow.BinaryDataType)
	if !isText {
		return nil, wrong(from, t)
	}
	_, view := t.(arrow.BinaryViewDataType)
	if !view && from.Layout().Buffers[1].ByteWidth == t.Layout().Buffers[1].ByteWidth {
		return retyped(a, t, nil), nil
	}
	value := func(i int) []byte { return nil }
	switch a := a.(type) {
	case array.StringLike:
		value = func(i int) []byte { return []byte(a.Value(i)) }
	case interface{ Value(int) []byte }:
		value = a.Value
	}
	b := array.NewBuilder(mem, t)
	defer b.Release()
	b.Reserve(a.Len())
	for i := range a.Len() {
		if a.IsNull(i) {
			b.AppendNull()
			continue
		}
		switch b := b.(type) {
		case *array.StringViewBuilder:
			b.Append(string(value(i)))
		case *array.StringBuilder:
			b.Append(string(value(i)))
		case *array.LargeStringBuilder:
			b.Append(string(value(i)))
		case interface{ Append([]byte) }:
			b.Append(value(i))
		default:
			return nil, wrong(from, t)
		}
	}
	return b.NewArray(), nil
}

// restoreItems makes lists of one size.
func restoreItems(a arrow.Array, t *arrow.FixedSizeListType, mem memory.Allocator) (arrow.Array, error) {
	items, err := restore(a.(*array.FixedSizeList).ListValues(), t.Elem(), mem)
	if err != nil {
		first := a.Data().Offset()
		return nil, element.Owner(err, func(item int) int { return max(0, item/int(t.Len())-first) })
	}
	defer items.Release()
	return retyped(a, t, []arrow.ArrayData{items.Data()}), nil
}

// restoreTensor makes lists of one size of lists in lists whose items are as many.
func restoreTensor(l *array.FixedSizeList, t *arrow.FixedSizeListType, mem memory.Allocator) (arrow.Array, error) {
	n := int64(l.DataType().(*arrow.FixedSizeListType).Len())
	inner, ok := l.ListValues().(*array.FixedSizeList)
	if !ok || inner.NullN() > 0 {
		return nil, wrong(l.DataType(), t)
	}
	k := int64(inner.DataType().(*arrow.FixedSizeListType).Len())
	if n*k > int64(t.Len()) {
		return nil, wrong(l.DataType(), t)
	}
	// The items of the inner lists start at their offset.
	first := int64(inner.Data().Offset()) * k
	items := array.NewSlice(inner.ListValues(), first, first+int64(inner.Len())*k)
	defer items.Release()
	flat := retyped(l, arrow.FixedSizeListOf(int32(n*k), items.DataType()), []arrow.ArrayData{items.Data()})
	defer flat.Release()
	return restore(flat, t, mem)
}

func restoreStruct(a arrow.Array, t *arrow.StructType, mem memory.Allocator) (arrow.Array, error) {
	d := a.Data()
	var children []arrow.ArrayData
	for i, c := range d.Children() {
		field := array.MakeFromData(c)
		defer field.Release()
		out, err := restore(field, t.Field(i).Type, mem)
		if err != nil {
			return nil, element.Member(err, t.Field(i).Name)
		}
		defer out.Release()
		// A field that was made anew starts at its first value, as c does.
		children = append(children, out.Data())
	}
	return retyped(a, t, children), nil
}

func restoreDictionary(d *array.Dictionary, t *arrow.DictionaryType, mem memory.Allocator) (arrow.Array, error) {
	labels, err := restore(d.Dictionary(), t.ValueType, mem)
	if err != nil {
		return nil, err
	}
	defer labels.Release()
	in := d.Data()
	data := array.NewDataWithDictionary(t, in.Len(), in.Buffers(), in.NullN(), in.Offset(), labels.Data().(*array.Data))
	defer data.Release()
	return array.MakeFromData(data), nil
}

// restoreLists makes lists with offsets, or views, of lists with offsets of 32 or 64 bits.
func restoreLists(a arrow.Array, t arrow.ListLikeType, mem memory.Allocator) (arrow.Array, error) {
	l, ok := a.(array.ListLike)
	if _, fixed := a.(*array.FixedSizeList); !ok || fixed {
		return nil, wrong(a.DataType(), t)
	}
	items, err := restore(l.ListValues(), t.Elem(), mem)
	if err != nil {
		return nil, element.Owner(err, func(item int) int { return rowOf(l, int64(item)) })
	}
	defer items.Release()
	wide := t.ID() == arrow.LARGE_LIST || t.ID() == arrow.LARGE_LIST_VIEW
	view := t.ID() == arrow.LIST_VIEW || t.ID() == arrow.LARGE_LIST_VIEW
	if a.DataType().ID() == t.ID() && !view {
		return retyped(a, t, []arrow.ArrayData{items.Data()}), nil
	}
	var starts, sizes []int64
	end := int64(0)
	for i := range a.Len() {
		var from int64
		from, end = l.ValueOffsets(i)
		starts, sizes = append(starts, from), append(sizes, end-from)
		if !wide && end > math.MaxInt32 {
			return nil, element.New(i, h5err.Unsupported, "%d items are too many for offsets of 32 bits", end)
		}
	}
	valid := validity(a, mem)
	defer release(valid)
	buffers := []*memory.Buffer{valid, memory.NewResizableBuffer(mem)}
	if view {
		buffers = append(buffers, memory.NewResizableBuffer(mem))
		putOffsets(buffers[2], sizes, wide)
	} else {
		starts = append(starts, end)
	}
	putOffsets(buffers[1], starts, wide)
	data := array.NewData(t, a.Len(), buffers, []arrow.ArrayData{items.Data()}, a.NullN(), 0)
	defer data.Release()
	for _, b := range buffers[1:] {
		b.Release()
	}
	return array.MakeFromData(data), nil
}

// rowOf returns the row that has an item.
func rowOf(l array.ListLike, item int64) int {
	for i := range l.Len() {
		if from, to := l.ValueOffsets(i); from <= item && item < to {
			return i
		}
	}
	return 0
}

// restoreRuns makes runs of equal values.
func restoreRuns(a arrow.Array, t *arrow.RunEndEncodedType, mem memory.Allocator) (arrow.Array, error) {
	all, err := restore(a, t.Encoded(), mem)
	if err != nil {
		return nil, err
	}
	defer all.Release()
	ends := array.NewBuilder(mem, t.RunEnds())
	defer ends.Release()
	parts := []arrow.Array{array.NewSlice(all, 0, 0)}
	defer func() {
		for _, p := range parts {
			p.Release()
		}
	}()
	n := int64(all.Len())
	for from := int64(0); from < n; {
		to := from + 1
		for to < n && array.SliceEqual(all, from, from+1, all, to, to+1) {
			to++
		}
		parts = append(parts, array.NewSlice(all, from, from+1))
		switch b := ends.(type) {
		case *array.Int32Builder:
			b.Append(int32(to))
		case *array.Int64Builder:
			b.Append(to)
		}
		from = to
	}
	values, err := concatenated(parts, mem)
	if err != nil {
		return nil, err
	}
	defer values.Release()
	at := ends.NewArray()
	defer at.Release()
	return array.NewRunEndEncodedArrayWithType(t, at, values, int(n), 0), nil
}
