package values

import (
	"unicode/utf16"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/mcos"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Strings makes text of strings as MATLAB saves them, in rows of a shape.
func Strings(in arrow.Array, sh Shape, mem memory.Allocator) (arrow.Array, error) {
	ints, ok := in.(*array.Uint64)
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "strings in %s", in.DataType())
	}
	t, err := mcos.ParseText(ints.Uint64Values())
	if err != nil {
		return nil, err
	}
	b := array.NewStringBuilder(mem)
	defer b.Release()
	b.Reserve(t.Len())
	var text []byte
	err = t.Each(func(i int, units []uint16, missing bool) error {
		if missing {
			b.AppendNull()
			return nil
		}
		var err error
		if text, err = AppendUTF16(text[:0], units); err != nil {
			return h5err.Wrap(h5err.Corrupt, err, "string %d", i)
		}
		if b.DataLen()+len(text) > 1<<31-1 {
			return h5err.New(h5err.Limit, "%d strings of more than 2 GiB", t.Len())
		}
		b.BinaryBuilder.Append(text)
		return nil
	})
	if err != nil {
		return nil, err
	}
	arr := b.NewArray()
	if sh.Inner == nil {
		return arr, nil
	}
	defer arr.Release()
	return sh.Arrange(arr, mem)
}

// Cut makes texts of that many characters each, without NULs at their end.
func Cut(in arrow.Array, width int, row0 int64, mem memory.Allocator) (arrow.Array, error) {
	b := array.NewStringBuilder(mem)
	defer b.Release()
	var text []byte
	for lo := 0; width > 0 && lo+width <= in.Len(); lo += width {
		hi := lo + width
		for hi > lo && zero(in, hi-1) {
			hi--
		}
		var err error
		if text, err = appendUnits(text[:0], in, int64(lo), int64(hi)); err != nil {
			return nil, h5err.Wrap(h5err.Corrupt, err, "row %d", row0+int64(lo/width))
		}
		b.BinaryBuilder.Append(text)
	}
	return b.NewArray(), nil
}

func zero(in arrow.Array, i int) bool {
	v, ok := integer(in, i)
	return ok && v == 0
}

// Units makes text of lists of characters, or of single ones.
func Units(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
	return units(in, false, row0, mem)
}

// TrimmedUnits is Units without the NULs at the end of each text.
func TrimmedUnits(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
	return units(in, true, row0, mem)
}

func units(in arrow.Array, trim bool, row0 int64, mem memory.Allocator) (arrow.Array, error) {
	chars := in
	bounds := func(i int) (int64, int64) { return int64(i), int64(i + 1) }
	if l, ok := in.(array.ListLike); ok {
		chars, bounds = l.ListValues(), l.ValueOffsets
	}
	b := array.NewStringBuilder(mem)
	defer b.Release()
	b.Reserve(in.Len())
	var text []byte
	for i := range in.Len() {
		if in.IsNull(i) {
			b.AppendNull()
			continue
		}
		lo, hi := bounds(i)
		for trim && hi > lo && zero(chars, int(hi-1)) {
			hi--
		}
		var err error
		if text, err = appendUnits(text[:0], chars, lo, hi); err != nil {
			return nil, h5err.Wrap(h5err.Corrupt, err, "row %d", row0+int64(i))
		}
		b.BinaryBuilder.Append(text)
	}
	return b.NewArray(), nil
}

// appendUnits appends characters of an array as UTF-8.
func appendUnits(text []byte, units arrow.Array, lo, hi int64) ([]byte, error) {
	switch u := units.(type) {
	case *array.Uint16:
		return AppendUTF16(text, u.Uint16Values()[lo:hi])
	case *array.Uint32:
		for _, r := range u.Uint32Values()[lo:hi] {
			if r > utf8.MaxRune || !utf8.ValidRune(rune(r)) {
				return nil, h5err.New(h5err.Corrupt, "character %#x", r)
			}
			text = utf8.AppendRune(text, rune(r))
		}
		return text, nil
	}
	return nil, h5err.New(h5err.Unsupported, "text of %s", units.DataType())
}

// AppendUTF16 appends UTF-16 code units as UTF-8.
func AppendUTF16(text []byte, units []uint16) ([]byte, error) {
	for k := 0; k < len(units); k++ {
		r := rune(units[k])
		if utf16.IsSurrogate(r) {
			if k++; k == len(units) {
				return nil, h5err.New(h5err.Corrupt, "half a surrogate pair")
			}
			if r = utf16.DecodeRune(r, rune(units[k])); r == utf8.RuneError {
				return nil, h5err.New(h5err.Corrupt, "half a surrogate pair")
			}
		}
		text = utf8.AppendRune(text, r)
	}
	return text, nil
}

// Indices makes indices that count from 0 of codes that count from first, null of code 0 where that is not one.
func Indices(in arrow.Array, first, row0 int64, mem memory.Allocator) (arrow.Array, error) {
	b := array.NewInt32Builder(mem)
	defer b.Release()
	b.Reserve(in.Len())
	for i := range in.Len() {
		code, ok := integer(in, i)
		if !ok || code < 0 || code > 1<<31-1 {
			return nil, h5err.New(h5err.Corrupt, "row %d: code %s of a category", row0+int64(i), in.ValueStr(i))
		}
		if code < first {
			b.UnsafeAppendBoolToBitmap(false)
		} else {
			b.UnsafeAppend(int32(code - first))
		}
	}
	return b.NewArray(), nil
}

// Labels makes text of a matrix of codes that count from first, in rows of a shape.
func Labels(codes, labels arrow.Array, first int64, sh Shape, mem memory.Allocator) (arrow.Array, error) {
	flat := Elements(codes)
	defer flat.Release()
	indices, err := Indices(flat, first, 0, mem)
	if err != nil {
		return nil, err
	}
	defer indices.Release()
	of, ok := labels.(*array.String)
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "names of categories of %s", labels.DataType())
	}
	b := array.NewStringBuilder(mem)
	defer b.Release()
	for i, k := range indices.(*array.Int32).Int32Values() {
		switch {
		case indices.IsNull(i):
			b.AppendNull()
		case int(k) >= of.Len():
			return nil, h5err.New(h5err.Corrupt, "element %d: category %d of %d", i, k+1, of.Len())
		default:
			b.Append(of.Value(int(k)))
		}
	}
	text := b.NewArray()
	defer text.Release()
	return sh.Arrange(text, mem)
}

// FirstText returns for each row the first of two texts that is not null; an empty one where empty is true.
func FirstText(in []arrow.Array, empty []bool, mem memory.Allocator) (arrow.Array, error) {
	b := array.NewStringBuilder(mem)
	defer b.Release()
	for i := range empty {
		switch {
		case empty[i]:
			b.Append("")
		case in[0].IsValid(i):
			b.Append(in[0].(*array.String).Value(i))
		case in[1].IsValid(i):
			b.Append(in[1].(*array.String).Value(i))
		default:
			b.AppendNull()
		}
	}
	return b.NewArray(), nil
}

// ListedStrings makes text of lists of the integers in which MATLAB saves one string each.
func ListedStrings(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
	l, ok := in.(*array.List)
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "strings in %s", in.DataType())
	}
	b := array.NewStringBuilder(mem)
	defer b.Release()
	for i := range l.Len() {
		if l.IsNull(i) {
			b.AppendNull()
			continue
		}
		lo, hi := l.ValueOffsets(i)
		one := array.NewSlice(l.ListValues(), lo, hi)
		text, err := Strings(one, Shape{Rows: 1}, mem)
		one.Release()
		if err != nil {
			return nil, h5err.Wrap(h5err.Corrupt, err, "row %d", row0+int64(i))
		}
		if s := text.(*array.String); s.Len() != 1 || s.IsNull(0) {
			b.AppendNull()
		} else {
			b.Append(s.Value(0))
		}
		text.Release()
	}
	return b.NewArray(), nil
}
