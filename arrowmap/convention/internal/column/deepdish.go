package column

import (
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// deepdish describes arrays that deepdish stores as arrays of PyTables of another type: text of numpy in UTF-32 as bytes, whose
// characters the attribute itemsize counts, and arrays without elements as their shape. It is nil for other datasets.
func deepdish(d *h5.Dataset) (convention.Values, error) {
	a, err := d.Attribute("zeroarray_dtype")
	if err != nil {
		return nil, err
	}
	if a != nil {
		name, _ := a.Text()
		return emptyArray(d, name)
	}
	t := d.Type()
	if object.Text(d, "strtype") != "unicode" || t.Class != h5.ClassFixed || t.Size != 1 {
		return nil, nil
	}
	if a, err = d.Attribute("itemsize"); err != nil || a == nil {
		return nil, err
	}
	chars, ok := a.Int()
	n := d.Rows()
	switch {
	case len(d.RowDims()) > 0:
		return nil, object.Unsupported(d, "text of numpy in more than one dimension")
	case !ok || chars < 1 || chars > math.MaxInt32/4 || n%(4*chars) != 0:
		return nil, object.Corrupt(d, "%d bytes for texts of %d characters", n, chars)
	}
	width := int(4 * chars)
	return &convention.Computed{Data: d, Rows: n / (4 * chars), Type: arrow.BinaryTypes.String, Reason: "characters of 32 bits as text, without the NULs at the end",
		Block: convention.Alone(func(in []arrow.Array, mem memory.Allocator) (arrow.Array, error) {
			return widthText(in[0], width, mem)
		}, convention.NewStored(d))}, nil
}

// widthText makes text of bytes that are UTF-32: width bytes are a text, without the NULs at its end.
func widthText(in arrow.Array, width int, mem memory.Allocator) (arrow.Array, error) {
	bytes, ok := in.(*array.Uint8)
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "text of %s", in.DataType())
	}
	b := array.NewStringBuilder(mem)
	defer b.Release()
	var text []byte
	row := 0
	for p := bytes.Uint8Values(); len(p) >= width; p = p[width:] {
		text = text[:0]
		end := 0
		for i := 0; i < width; i += 4 {
			r := binary.LittleEndian.Uint32(p[i:])
			if r > utf8.MaxRune || !utf8.ValidRune(rune(r)) {
				return nil, h5err.New(h5err.Corrupt, "row %d: %#x is not a character", row, r)
			}
			if text = utf8.AppendRune(text, rune(r)); r != 0 {
				end = len(text)
			}
		}
		b.BinaryBuilder.Append(text[:end])
		row++
	}
	return b.NewArray(), nil
}

// maxRank bounds the dimensions of an array without elements.
const maxRank = 32

// emptyArray describes an array without elements, whose shape is what the dataset holds. Its first dimension is to be 0.
func emptyArray(d *h5.Dataset, dtype string) (convention.Values, error) {
	t := d.Type()
	if t.Class != h5.ClassFixed || t.Size != 8 || len(d.Dims()) != 1 || d.Rows() < 1 || d.Rows() > maxRank {
		return nil, object.Corrupt(d, "the attribute zeroarray_dtype on something else than a shape")
	}
	p, err := object.Contents(d)
	if err != nil {
		return nil, err
	}
	typ, ok := numpyTypes[strings.TrimLeft(dtype, "<>|=")]
	if !ok && (strings.HasPrefix(dtype, "|S") || strings.HasPrefix(dtype, "<U") || strings.HasPrefix(dtype, ">U")) {
		typ, ok = arrow.BinaryTypes.String, true
	}
	if !ok {
		return nil, object.Unsupported(d, "no elements of dtype %q", dtype)
	}
	items := int64(1)
	for i := int(d.Rows()) - 1; i >= 0; i-- {
		n := rule.Int(p[8*i:8*i+8], t)
		switch {
		case i == 0 && n != 0:
			return nil, object.Unsupported(d, "%d rows without elements", n)
		case i > 0 && (n < 1 || n > math.MaxInt32/items):
			return nil, object.Unsupported(d, "an inner dimension of extent %d", n)
		case i > 0:
			items *= n
			typ = arrow.FixedSizeListOf(int32(n), typ)
		}
	}
	return &convention.Empty{Data: d, Type: typ}, nil
}

// numpyTypes are the types of arrays without elements by numpy's names for them.
var numpyTypes = map[string]arrow.DataType{
	"b1": arrow.FixedWidthTypes.Boolean,
	"i1": arrow.PrimitiveTypes.Int8, "i2": arrow.PrimitiveTypes.Int16, "i4": arrow.PrimitiveTypes.Int32, "i8": arrow.PrimitiveTypes.Int64,
	"u1": arrow.PrimitiveTypes.Uint8, "u2": arrow.PrimitiveTypes.Uint16, "u4": arrow.PrimitiveTypes.Uint32, "u8": arrow.PrimitiveTypes.Uint64,
	"f2": arrow.FixedWidthTypes.Float16, "f4": arrow.PrimitiveTypes.Float32, "f8": arrow.PrimitiveTypes.Float64,
}
