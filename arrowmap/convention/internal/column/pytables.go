package column

import (
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// pyTables describes an array of PyTables by its attributes CLASS and PSEUDOATOM: booleans, times, text, what deepdish stores as such. It is nil for
// other datasets.
func pyTables(d *h5.Dataset) (convention.Values, error) {
	class := object.Text(d, "CLASS")
	switch class {
	case "ARRAY", "CARRAY", "EARRAY", "VLARRAY":
	default:
		return nil, nil
	}
	if a, err := d.Attribute("dtype"); err != nil || a != nil {
		return nil, err // what another program says of the values
	}
	if v, err := deepdish(d); err != nil || v != nil {
		return v, err
	}
	p := convention.NewStored(d)
	p.Bools, p.Times = true, true
	t := d.Type()
	if class == "VLARRAY" && t.Class == h5.ClassVLen {
		switch atom := object.Text(d, "PSEUDOATOM"); atom {
		case "object":
			return nil, object.Unsupported(d, "pickled objects of Python")
		case "vlstring":
			if t.VarString || t.Base == nil || t.Base.Size != 1 {
				return nil, object.Corrupt(d, "PSEUDOATOM='%s' on %s", atom, t)
			}
			p.As = &h5.Type{Class: h5.ClassVLen, VarString: true, Size: t.Size, Base: t.Base, CharSet: h5.UTF8}
			p.RowDims, p.WholeText = d.RowDims(), true
			return p, nil
		case "vlunicode":
			if t.VarString || t.Base == nil || t.Base.Class != h5.ClassFixed || t.Base.Size != 4 || t.Base.Signed {
				return nil, object.Corrupt(d, "PSEUDOATOM='%s' on %s", atom, t)
			}
			return &convention.Derived{Of: p, Type: arrow.BinaryTypes.String, Reason: "sequences of UTF-32 become text", Compute: utf32Text}, nil
		}
	}
	if padded := object.Padded(t); padded != t {
		p.As, p.RowDims = padded, d.RowDims()
	}
	return p, nil
}

// utf32Text makes text of lists of code points.
func utf32Text(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
	lists, ok := in.(*array.List)
	var points *array.Uint32
	if ok {
		points, ok = lists.ListValues().(*array.Uint32)
	}
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "text of %s", in.DataType())
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
		text = text[:0]
		lo, hi := lists.ValueOffsets(i)
		for k := lo; k < hi; k++ {
			r := points.Value(int(k))
			if r > utf8.MaxRune || !utf8.ValidRune(rune(r)) {
				return nil, h5err.New(h5err.Corrupt, "row %d: %#x is not a character", row0+int64(i), r)
			}
			text = utf8.AppendRune(text, rune(r))
		}
		b.BinaryBuilder.Append(text)
	}
	return b.NewArray(), nil
}
