package matlab

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/store"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/values"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// isUnits reports whether characters are stored as integers: code units of UTF-16, or, as hdf5storage does where a
// character needs two of them, code points.
func isUnits(t *h5.Type) bool { return t.Class == h5.ClassFixed && (t.Size == 2 || t.Size == 4) }

// characters describes a variable of class char: each row is a text.
func (m *maker) characters(d *h5.Dataset, rows int64) (convention.Values, error) {
	dims, err := reversed(d)
	if err != nil {
		return nil, err
	}
	t := d.Type()
	if t.Class == h5.ClassString && !t.VarString {
		sh, err := shapeOf(d, dims, rows)
		return numbers(d, t, sh, nil), err
	}
	if !isUnits(t) {
		return nil, object.Unsupported(d, "characters of %s", t)
	}
	if texts, rank := arrayOfText(d); rank > 0 {
		return numpyText(d, dims, texts, rank)
	}
	if len(dims) < 2 {
		n, _ := d.Space().Elements()
		if n == 0 {
			return nil, nil
		}
		return pieces(d, 1, n), nil
	}
	if len(dims) != 2 {
		return nil, object.Unsupported(d, "characters of shape %v", d.Dims())
	}
	if rows != ownRows && uint64(rows) != dims[0] {
		return nil, object.Corrupt(d, "%d rows of characters in a table of %d", dims[0], rows)
	}
	if dims[1] != 1 {
		return unitsAsText(d.File(), &convention.Transposed{Data: d, As: t}), nil
	}
	return unitsAsText(d.File(), numbers(d, t, values.Shape{}, nil)), nil
}

// arrayOfText returns the shape of an array of text of NumPy that hdf5storage wrote as characters: the attribute
// Python.Shape. Rank 0 is for anything else.
func arrayOfText(d *h5.Dataset) (dims []int64, rank int) {
	under := object.Text(d, "Python.numpy.UnderlyingType")
	if !strings.HasPrefix(under, "str") && !strings.HasPrefix(under, "bytes") {
		return nil, 0
	}
	dims = pythonShape(d)
	return dims, len(dims)
}

// pythonShape returns the shape that a variable had in Python, nil where hdf5storage did not write it, or where it has no
// dimensions.
func pythonShape(d *h5.Dataset) []int64 {
	a, err := d.Attribute("Python.Shape")
	if err != nil || a == nil {
		return nil
	}
	dims, ok := a.Ints()
	if !ok {
		return nil
	}
	return dims
}

// numpyText describes an array of text, whose texts are one after the other, padded by NULs.
func numpyText(d *h5.Dataset, dims []uint64, texts []int64, rank int) (convention.Values, error) {
	last := uint64(max(0, texts[rank-1]))
	units, _ := d.Space().Elements()
	switch {
	case rank == 1 && store.LongDims(d) <= 1 && last > 0 && units%last == 0:
		return pieces(d, int64(last), units/last), nil
	case rank == 2 && len(dims) == 2 && dims[0] == uint64(texts[0]) && last > 0 && dims[1]%last == 0:
		of := arrow.DataType(arrow.BinaryTypes.String)
		if last > 1 {
			of = arrow.FixedSizeListOf(int32(min(last, 1<<31-1)), of)
		}
		width := int(dims[1] / last)
		v := &convention.Transposed{Data: d, As: d.Type()}
		return &convention.Derived{Of: v, Type: of, Reason: "characters as text, without the NULs at the end",
			Compute: func(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
				flat := values.Elements(in)
				defer flat.Release()
				text, err := values.Cut(flat, width, row0, mem)
				if err != nil {
					return nil, err
				}
				return values.Listed(text, of), nil
			}}, nil
	}
	return nil, object.Unsupported(d, "text of shape %v in characters of shape %v", texts, dims)
}

// pieces describes a vector of characters as n texts of one width, without NULs at their end.
func pieces(d *h5.Dataset, n int64, width uint64) convention.Values {
	return &convention.Computed{Data: d, Rows: n, Type: arrow.BinaryTypes.String, Reason: "characters as text, without the NULs at the end",
		Block: convention.Alone(func(in []arrow.Array, mem memory.Allocator) (arrow.Array, error) {
			return values.Cut(in[0], int(width), 0, mem)
		}, numbers(d, d.Type(), values.Shape{}, nil))}
}

// unitsAsText makes text of lists of characters: of rows of the same length, or of any, or of single ones.
func unitsAsText(f *h5.File, of convention.Values) convention.Values {
	v := &convention.Derived{Of: of, Type: arrow.BinaryTypes.String, Reason: "characters as text", Compute: values.Units}
	if byLibmatio(f) {
		v.Reason, v.Compute = "characters as text, without the NULs at the end", values.TrimmedUnits
	}
	return v
}

type libmatioKey struct{}

// byLibmatio reports whether libmatio wrote a file, as its user block says. Of text in UTF-8 it stores as many characters as
// there are bytes; those too many are NULs.
func byLibmatio(f *h5.File) bool {
	v, err := f.Keep(libmatioKey{}, func() (any, error) {
		p := make([]byte, userText)
		if f.Superblock().Offset < int64(len(p)) {
			return false, nil
		}
		_, err := f.Source().ReadAt(p, 0)
		return bytes.Contains(p, []byte("Created by: libmatio")), err
	})
	by, ok := v.(bool)
	return err == nil && ok && by
}

// userText is the number of bytes of text at the start of a user block.
const userText = 116

// maxChars bounds the bytes of text that is read before a column is described.
const maxChars = 1 << 20

// charsOf reads a short text; nil and empty ones are "".
func charsOf(o h5.Object) (string, error) {
	d, ok := o.(*h5.Dataset)
	if !ok || store.IsEmpty(d) {
		return "", nil
	}
	t := d.Type()
	n, ok := d.Space().Elements()
	if !isUnits(t) || !ok || store.LongDims(d) > 1 {
		return "", object.Unsupported(d, "text in %s of shape %v", t, d.Dims())
	}
	if n > maxChars/uint64(t.Size) {
		return "", object.Limit(d, "a text of %d characters", n)
	}
	p, err := object.Contents(d)
	if err != nil {
		return "", err
	}
	var text []byte
	if t.Size == 2 {
		units := make([]uint16, n)
		for i := range units {
			units[i] = t.Order.Binary().Uint16(p[2*i:])
		}
		text, err = values.AppendUTF16(nil, units)
		return string(text), h5err.About(err, d)
	}
	for ; len(p) >= 4; p = p[4:] {
		text = utf8.AppendRune(text, rune(t.Order.Binary().Uint32(p)))
	}
	return string(text), nil
}

// textsOf reads the short texts of a cell array.
func (m *maker) textsOf(s *store.Store, o h5.Object) ([]string, error) {
	d, ok := o.(*h5.Dataset)
	if !ok {
		return nil, nil
	}
	refs, err := store.References(d)
	if err != nil {
		return nil, err
	}
	if err := m.take(d, len(refs)); err != nil {
		return nil, err
	}
	out := make([]string, len(refs))
	total := 0
	for i, addr := range refs {
		o, err := s.Open(addr)
		if err != nil {
			return nil, err
		}
		if out[i], err = charsOf(o); err != nil {
			return nil, err
		}
		if total += len(out[i]); total > 16*maxChars {
			return nil, object.Limit(d, "more than %d bytes of names", total)
		}
	}
	return out, nil
}
