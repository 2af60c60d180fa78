package column

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/arrays"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// wordsNA is the source of nulls that R's NA are, in words.
const wordsNA = "NA of R"

// ByRhdf5 reports whether rhdf5 wrote a dataset.
func ByRhdf5(o h5.Object) bool {
	a, err := o.Attribute("rhdf5-NA.OK")
	if err != nil || a == nil {
		return false
	}
	n, ok := a.Int()
	return ok && n != 0
}

// rValues adds R's NA to values that rhdf5 wrote. It stores logical values as integers with the attribute
// storage.mode; NA is -128 there, the smallest integer of 32 or 64 bits, the NaN whose low word is 1954, and the text
// "NA" in datasets with the attribute as.na.
func rValues(o h5.Object, p *convention.Plain) (convention.Values, error) {
	t := p.Data.Type()
	if t.Class == h5.ClassFixed && object.Text(o, "storage.mode") == "logical" {
		return rLogical(p)
	}
	if t.Class == h5.ClassString || object.VarText(t) {
		a, err := o.Attribute("as.na")
		if err != nil || a == nil {
			return p, err
		}
		if n, ok := a.Int(); !ok || n == 0 {
			return p, nil
		}
		return withoutText(p, "NA", "NA"), nil
	}
	if !ByRhdf5(o) {
		return p, nil
	}
	order := rule.ByteOrder(t)
	var r nullbitmap.Rule
	var err error
	switch {
	case t.Class == h5.ClassFixed && t.Signed && (t.Size == 4 || t.Size == 8):
		r, err = nullbitmap.Equal(nullbitmap.Stored(1<<(8*t.Size-1), t.Size, order))
	case t.Class == h5.ClassFloat && t.Size == 8 && t.Order != h5.VAX:
		r, err = nullbitmap.EqualMasked(nullbitmap.Stored(0x7ff00000ffffffff, 8, order), nullbitmap.Stored(0x7ff00000000007a2, 8, order))
	default:
		return p, nil // R's NA does not survive in other numbers
	}
	n, err := rule.New(r, err, wordsNA)
	p.Nulls = append(p.Nulls, n)
	return p, err
}

// rLogical reads integers as booleans. NA is -128 in any width, and R's own integer for it where that fits.
func rLogical(p *convention.Plain) (convention.Values, error) {
	t := p.Data.Type()
	if t.Size > 8 || t.Size&(t.Size-1) != 0 {
		return p, nil
	}
	if t.Signed {
		minus := int64(-128)
		absent := [][]byte{nullbitmap.Stored(uint64(minus), t.Size, rule.ByteOrder(t))}
		if t.Size >= 4 {
			absent = append(absent, nullbitmap.Stored(1<<(8*t.Size-1), t.Size, rule.ByteOrder(t)))
		}
		r, err := nullbitmap.Equal(absent...)
		n, err := rule.New(r, err, wordsNA)
		if err != nil {
			return nil, err
		}
		p.Nulls = append(p.Nulls, n)
	}
	if t.Size == 1 {
		Booleans(p)
		return p, nil
	}
	return Nonzero(p, p.ItemDims()), nil
}

// Nonzero makes booleans of numbers in rows of a shape: not zero is true.
func Nonzero(of convention.Values, dims []uint64) convention.Values {
	return OverItems(of, dims, arrow.FixedWidthTypes.Boolean, "not zero is true", nonzero)
}

func nonzero(in arrow.Array, mem memory.Allocator) (arrow.Array, error) {
	buf, values := arrays.NewFloats[float64](in.Len(), mem)
	defer buf.Release()
	if err := arrays.Floats(in, values); err != nil {
		return nil, err
	}
	b := array.NewBooleanBuilder(mem)
	defer b.Release()
	b.Reserve(in.Len())
	for i, v := range values {
		if in.IsNull(i) {
			b.AppendNull()
		} else {
			b.Append(v != 0)
		}
	}
	return b.NewArray(), nil
}
