package stored

import (
	"encoding/binary"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// Lower returns the values of a as an array of Type(a.DataType()), which the caller releases. Values that do not fit it are an error
// of kind Unsupported; errors count rows from row0 on.
func Lower(a arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
	out, err := lower(a, mem)
	if err != nil {
		return nil, element.Place(err, row0, 1, "")
	}
	return out, nil
}

func lower(a arrow.Array, mem memory.Allocator) (arrow.Array, error) {
	to := Type(a.DataType())
	if Same(to, a.DataType()) {
		a.Retain()
		return a, nil
	}
	switch a := a.(type) {
	case *array.Decimal32, *array.Decimal64:
		return retyped(a, to, a.Data().Children()), nil
	case *array.Decimal128:
		t := a.DataType().(*arrow.Decimal128Type)
		return lowerDecimal(a, to, t.Scale, func(i int) *big.Int { return a.Value(i).BigInt() }, mem)
	case *array.Decimal256:
		t := a.DataType().(*arrow.Decimal256Type)
		return lowerDecimal(a, to, t.Scale, func(i int) *big.Int { return a.Value(i).BigInt() }, mem)
	case *array.RunEndEncoded:
		return lowerRuns(a, mem)
	case array.ExtensionArray:
		return lower(a.Storage(), mem)
	case *array.Dictionary:
		labels, err := Lower(a.Dictionary(), 0, mem)
		if err != nil {
			return nil, h5err.Wrap(h5err.KindOf(err), err, "the labels of a dictionary")
		}
		defer labels.Release()
		d := a.Data()
		data := array.NewDataWithDictionary(to, d.Len(), d.Buffers(), d.NullN(), d.Offset(), labels.Data().(*array.Data))
		defer data.Release()
		return array.MakeFromData(data), nil
	case *array.Struct:
		return lowerStruct(a, to, mem)
	case *array.FixedSizeList:
		n := int(a.DataType().(*arrow.FixedSizeListType).Len())
		from := a.Data().Offset() * n
		items := array.NewSlice(a.ListValues(), int64(from), int64(from+a.Len()*n))
		defer items.Release()
		return lowerItems(a, items, to, nil, func(item int) int { return item / n }, mem)
	case array.ListLike:
		return lowerLists(a, to, mem)
	}
	return nil, h5err.New(h5err.Unsupported, "values of %s", a.DataType())
}

// retyped returns the same buffers as another type. It has other children if they are given.
func retyped(a arrow.Array, to arrow.DataType, children []arrow.ArrayData) arrow.Array {
	d := a.Data()
	data := array.NewData(to, d.Len(), d.Buffers(), children, d.NullN(), d.Offset())
	defer data.Release()
	return array.MakeFromData(data)
}

// validity returns the validity of a's rows as bits from 0 on; nil where none is null. The caller releases it.
func validity(a arrow.Array, mem memory.Allocator) *memory.Buffer {
	if a.NullN() == 0 || a.Data().Buffers()[0] == nil {
		return nil
	}
	b := memory.NewResizableBuffer(mem)
	b.Resize((a.Len() + 7) / 8)
	clear(b.Bytes())
	nullbitmap.Copy(b.Bytes(), 0, a.NullBitmapBytes(), a.Data().Offset(), a.Len())
	return b
}

func release(b *memory.Buffer) {
	if b != nil {
		b.Release()
	}
}

func lowerDecimal(a arrow.Array, to arrow.DataType, scale int32, value func(int) *big.Int, mem memory.Allocator) (arrow.Array, error) {
	if to.ID() == arrow.INT64 {
		b := array.NewInt64Builder(mem)
		defer b.Release()
		b.Reserve(a.Len())
		for i := range a.Len() {
			if a.IsNull(i) {
				b.AppendNull()
				continue
			}
			v := value(i)
			if !v.IsInt64() {
				return nil, element.New(i, h5err.Unsupported, "the %s %s has more digits than its type allows", a.DataType(), decimalText(v, scale))
			}
			b.Append(v.Int64())
		}
		return b.NewArray(), nil
	}
	b := array.NewStringBuilder(mem)
	defer b.Release()
	b.Reserve(a.Len())
	for i := range a.Len() {
		if a.IsNull(i) {
			b.AppendNull()
			continue
		}
		b.Append(decimalText(value(i), scale))
	}
	return b.NewArray(), nil
}

// decimalText writes an unscaled integer with its decimal point, or with an exponent if the scale is negative.
func decimalText(v *big.Int, scale int32) string {
	digits := new(big.Int).Abs(v).String()
	switch {
	case scale < 0:
		digits += "e" + strconv.Itoa(int(-scale))
	case scale > 0:
		if missing := int(scale) + 1 - len(digits); missing > 0 {
			digits = strings.Repeat("0", missing) + digits
		}
		point := len(digits) - int(scale)
		digits = digits[:point] + "." + digits[point:]
	}
	if v.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// parseDecimal is the inverse of decimalText.
func parseDecimal(text string, scale int32) (*big.Int, bool) {
	digits := text
	switch {
	case scale < 0:
		head, exponent, _ := strings.Cut(text, "e")
		if exponent != strconv.Itoa(int(-scale)) {
			return nil, false
		}
		digits = head
	case scale > 0:
		whole, part, _ := strings.Cut(text, ".")
		if len(part) != int(scale) {
			return nil, false
		}
		digits = whole + part
	}
	if len(digits) > 100 || strings.ContainsAny(digits, "_+ ") { // decimal256 has 76 digits
		return nil, false
	}
	return new(big.Int).SetString(digits, 10)
}

// lowerRuns writes out the value of each row.
func lowerRuns(a *array.RunEndEncoded, mem memory.Allocator) (arrow.Array, error) {
	values, err := lower(a.Values(), mem)
	if err != nil {
		return nil, err
	}
	defer values.Release()
	if a.Len() == 0 {
		return array.NewSlice(values, 0, 0), nil
	}
	ends := a.RunEndsArr()
	end := func(k int) int { return int(intAt(ends, k)) }
	k := a.GetPhysicalOffset()
	parts := make([]arrow.Array, 0, a.Len())
	var made []arrow.Array
	defer func() {
		for _, m := range made {
			m.Release()
		}
	}()
	for row := a.Offset(); row < a.Offset()+a.Len(); k++ {
		if k >= ends.Len() || k >= values.Len() || end(k) <= row {
			return nil, element.New(row-a.Offset(), h5err.Corrupt, "run ends that do not ascend to the number of rows")
		}
		one := array.NewSlice(values, int64(k), int64(k)+1)
		made = append(made, one)
		for ; row < min(end(k), a.Offset()+a.Len()); row++ {
			parts = append(parts, one)
		}
	}
	return concatenated(parts, mem)
}

func intAt(a arrow.Array, i int) int64 {
	switch a := a.(type) {
	case *array.Int16:
		return int64(a.Value(i))
	case *array.Int32:
		return int64(a.Value(i))
	case *array.Int64:
		return a.Value(i)
	}
	return math.MinInt64
}

func concatenated(parts []arrow.Array, mem memory.Allocator) (arrow.Array, error) {
	out, err := array.Concatenate(parts, mem)
	if err != nil {
		return nil, h5err.Wrap(h5err.Unsupported, err, "values of %s", parts[0].DataType())
	}
	return out, nil
}

func lowerStruct(a *array.Struct, to arrow.DataType, mem memory.Allocator) (arrow.Array, error) {
	valid := validity(a, mem)
	defer release(valid)
	var children []arrow.ArrayData
	for i := range a.NumField() {
		field, err := lower(a.Field(i), mem)
		if err != nil {
			return nil, element.Member(err, a.DataType().(*arrow.StructType).Field(i).Name)
		}
		defer field.Release()
		children = append(children, field.Data())
	}
	data := array.NewData(to, a.Len(), []*memory.Buffer{valid}, children, a.NullN(), 0)
	defer data.Release()
	return array.MakeFromData(data), nil
}

// lowerItems returns lists of the rows of a with other items, of which owner gives the row; offsets are nil for lists of one size.
func lowerItems(a, items arrow.Array, to arrow.DataType, offsets *memory.Buffer, owner func(item int) int, mem memory.Allocator) (arrow.Array, error) {
	lower, err := lower(items, mem)
	if err != nil {
		return nil, element.Owner(err, owner)
	}
	defer lower.Release()
	valid := validity(a, mem)
	defer release(valid)
	buffers := []*memory.Buffer{valid}
	if offsets != nil {
		buffers = append(buffers, offsets)
	}
	data := array.NewData(to, a.Len(), buffers, []arrow.ArrayData{lower.Data()}, a.NullN(), 0)
	defer data.Release()
	return array.MakeFromData(data), nil
}

// lowerLists returns lists and views of lists as lists whose items follow each other.
func lowerLists(a array.ListLike, to arrow.DataType, mem memory.Allocator) (arrow.Array, error) {
	if to.ID() != arrow.LIST && to.ID() != arrow.LARGE_LIST {
		return nil, h5err.New(h5err.Unsupported, "values of %s", a.DataType())
	}
	wide := to.ID() == arrow.LARGE_LIST
	values := a.ListValues()
	parts := []arrow.Array{array.NewSlice(values, 0, 0)}
	defer func() {
		for _, p := range parts {
			p.Release()
		}
	}()
	offsets := memory.NewResizableBuffer(mem)
	defer offsets.Release()
	ends := []int64{0}
	runFrom, runTo, total := int64(0), int64(0), int64(0) // items of rows that follow each other
	flush := func() {
		if runTo > runFrom {
			parts = append(parts, array.NewSlice(values, runFrom, runTo))
		}
	}
	for i := range a.Len() {
		if a.IsValid(i) {
			from, end := a.ValueOffsets(i)
			if from < 0 || end < from || end > int64(values.Len()) {
				return nil, element.New(i, h5err.Corrupt, "a list of items %d to %d of %d", from, end, values.Len())
			}
			if from != runTo && end > from {
				flush()
				runFrom, runTo = from, from
			}
			if end > from {
				runTo = end
			}
			total += end - from
		}
		ends = append(ends, total)
	}
	flush()
	if !wide && total > math.MaxInt32 {
		return nil, h5err.New(h5err.Unsupported, "%d items are too many for offsets of 32 bits", total)
	}
	putOffsets(offsets, ends, wide)
	items := parts[0]
	if len(parts) == 2 {
		items = parts[1]
	} else if len(parts) > 2 {
		joined, err := concatenated(parts, mem)
		if err != nil {
			return nil, err
		}
		defer joined.Release()
		items = joined
	}
	owner := func(item int) int {
		row, _ := slices.BinarySearch(ends[1:], int64(item)+1)
		return row
	}
	return lowerItems(a, items, to, offsets, owner, mem)
}

func putOffsets(b *memory.Buffer, ends []int64, wide bool) {
	if wide {
		b.Resize(8 * len(ends))
		for i, n := range ends {
			binary.NativeEndian.PutUint64(b.Bytes()[8*i:], uint64(n))
		}
		return
	}
	b.Resize(4 * len(ends))
	for i, n := range ends {
		binary.NativeEndian.PutUint32(b.Bytes()[4*i:], uint32(n))
	}
}
