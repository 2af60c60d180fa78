package node

import (
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// nullSource is a source of nulls, checked against the data.
type nullSource struct {
	convention.Null
	width int // Mask: bytes of an entry
	items int // Mask that is a member of a compound type: entries of a row
}

// nullSources checks the sources of nulls of a column of rows of so many items. perRow is for data whose masks have an
// entry a row whatever the shape of the data is.
func (p *Planner) nullSources(nulls []convention.Null, d *h5.Dataset, rows, items int64, perRow bool) ([]nullSource, error) {
	var out []nullSource
	for _, null := range nulls {
		s := nullSource{Null: null}
		var err error
		switch null.Kind {
		case convention.NullMask:
			err = s.checkMask(d, rows, items, perRow)
		case convention.NullBitmap:
			err = s.checkBitmap(rows, items)
		}
		if err == nil && null.Data != nil {
			err = p.readable(null.Data)
		}
		if err != nil {
			if null.Data != nil {
				err = h5err.About(err, null.Data)
			}
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// checkMask requires integers or booleans of exactly the data's shape.
func (s *nullSource) checkMask(d *h5.Dataset, rows, items int64, perRow bool) error {
	t := s.Data.Type()
	if s.Part != nil {
		t = s.Part.Type
		s.items = 1
		if t.Class == h5.ClassArray {
			n, _ := bytesOf(t.Dims, t.Base)
			t = t.Base
			s.items = int(n) / max(1, t.Size)
		}
		perRow = true
		if int64(s.items) != items || s.Part.Offset+s.items*t.Size > s.Data.Type().Size {
			return h5err.New(h5err.Corrupt, "a mask of %d entries a row for %d values a row", s.items, items)
		}
	}
	switch t.Class {
	case h5.ClassFixed, h5.ClassBitfield, h5.ClassEnum:
	default:
		return h5err.New(h5err.Corrupt, "a mask of %s: it takes integers or booleans", t)
	}
	s.width = t.Size
	if s.width > 8 || s.width&(s.width-1) != 0 {
		return h5err.New(h5err.Unsupported, "a mask of %d bytes an entry", s.width)
	}
	got, want := s.Data.Space(), d.Dims()
	if perRow {
		want = []uint64{uint64(rows)}
	}
	if got.Class == h5.SpaceNull || !slices.Equal(got.Dims, want) {
		return h5err.New(h5err.Corrupt, "a mask of shape %v for data of shape %v", got.Dims, want)
	}
	if w := s.Rule.Width(); w != 0 && w != s.width {
		return h5err.New(h5err.Argument, "a rule for entries of %d bytes, a mask of %d", w, s.width)
	} else if w != 0 {
		return nil
	}
	var err error
	s.Rule, err = nullbitmap.Nonzero(s.width, nullbitmap.SetIsNull)
	return err
}

// checkBitmap requires enough bytes.
func (s *nullSource) checkBitmap(rows, items int64) error {
	t, space := s.Data.Type(), s.Data.Space()
	if t.Class != h5.ClassFixed && t.Class != h5.ClassBitfield || t.Size != 1 || len(space.Dims) != 1 {
		return h5err.New(h5err.Corrupt, "a null bitmap of %s of shape %v: it takes a list of bytes", t, space.Dims)
	}
	if s.Bits == 0 {
		s.Bits = nullbitmap.LSBFirst
	}
	if s.Set == 0 {
		s.Set = nullbitmap.SetIsValid
	}
	if need := (rows*items + 7) / 8; s.Data.Rows() < need {
		return h5err.New(h5err.Corrupt, "a null bitmap of %d bytes for %d values", s.Data.Rows(), rows*items)
	}
	return nil
}

// checkRules requires that rules over stored values are for elements of so many bytes; 0 is for values that have none.
func checkRules(nulls []nullSource, width int, d *h5.Dataset) error {
	for i := range nulls {
		if w := nulls[i].Rule.Width(); nulls[i].Kind == convention.NullRule && w != width {
			return fail(d, h5err.Argument, "a rule of nulls for elements of %d bytes, they have %d", w, width)
		}
	}
	return nil
}

func describeNulls(nulls []nullSource) *Nulls {
	if len(nulls) == 0 {
		return nil
	}
	s := nulls[0]
	out := &Nulls{Source: s.Kind.String(), Delivery: dtype.Packed, Words: nullWords(nulls)}
	if s.Data != nil {
		out.Path = s.Data.Path()
	} else {
		out.Source = s.Text
	}
	if s.Kind == convention.NullBitmap && len(nulls) == 1 {
		out.Delivery, _ = deliver(s.Data, dtype.Mapped, "")
	}
	for _, more := range nulls[1:] {
		if more.Data != nil {
			out.Source += "+" + more.Kind.String()
			out.Path += "," + more.Data.Path()
		} else {
			out.Source += "+" + more.Text
		}
	}
	return out
}

// and adds nulls that are made of the values, which words describe.
func (n *Nulls) and(words string) *Nulls {
	if n == nil {
		return &Nulls{Source: words, Delivery: dtype.Converted, Words: words}
	}
	out := *n
	out.Source += "+" + words
	out.Words += "; " + words
	return &out
}

// nullWords encodes sources of nulls for the metadata of a field (dtype.MetaNulls), so that the encoder can restore
// them; a rule that has no such form is given in words.
func nullWords(nulls []nullSource) string {
	var out []string
	for i := range nulls {
		s := &nulls[i]
		switch {
		case s.Data != nil:
			out = append(out, s.Kind.String()+":"+s.Data.Path())
		case s.Text != "":
			out = append(out, s.Text)
		default:
			out = append(out, s.Kind.String())
		}
	}
	return strings.Join(out, "; ")
}

func wantNulls(nulls []nullSource, a, b, items int64, want Want) {
	for _, s := range nulls {
		switch s.Kind {
		case convention.NullMask:
			want(of(s.Data), a, b, nil)
		case convention.NullBitmap:
			want(of(s.Data), a*items/8, (b*items+7)/8, nil)
		}
	}
}

// validity is the bits that a column's null sources make.
type validity struct {
	bits  dtype.Bitmap
	nulls int
	buf   *memory.Buffer // the bits from 0 on, fit for an array
}

func (v *validity) release() {
	if v.buf != nil {
		v.buf.Release()
	}
}

// validity combines the null sources of rows [a,b). The caller releases it.
func (x *Part) validity(nulls []nullSource, a, b, items int64, raw dtype.Raw) (v validity, err error) {
	n := int((b - a) * items)
	if len(nulls) == 0 || n == 0 {
		return validity{}, nil
	}
	if len(nulls) == 1 && nulls[0].Kind == convention.NullBitmap {
		if v, ok := x.mappedBitmap(&nulls[0], a*items, n); ok {
			return v, nil
		}
	}
	buf := memory.NewResizableBuffer(x.Alloc)
	buf.Resize((n + 7) / 8)
	bits := buf.Bytes()
	bits[len(bits)-1] = 0
	mode := nullbitmap.Overwrite
	for i := range nulls {
		s := &nulls[i]
		switch s.Kind {
		case convention.NullMask:
			p := x.piece(s.Data, a, b)
			v.nulls = s.Rule.Apply(bits, 0, s.entries(p), mode)
		case convention.NullBitmap:
			first := a * items
			p := x.piece(s.Data, first/8, (first+int64(n)+7)/8)
			v.nulls = nullbitmap.FromBits(bits, 0, p.Bytes, int(first%8), n, s.Bits, s.Set, mode)
		case convention.NullRule:
			if raw.Stride == 0 {
				v.nulls = s.Rule.Apply(bits, 0, raw.Bytes, mode)
			} else {
				v.nulls = s.Rule.ApplyStrided(bits, 0, raw.Bytes, raw.Stride, n, mode)
			}
		default:
			buf.Release()
			return validity{}, h5err.New(h5err.Unsupported, "nulls by %s", s.Kind)
		}
		mode = nullbitmap.Intersect
	}
	v.bits, v.buf = dtype.Bitmap{Bits: bits}, buf
	return v, nil
}

// entries returns the entries of a mask next to each other.
func (s *nullSource) entries(p Piece) []byte {
	if s.Part == nil {
		return p.Bytes
	}
	n := s.items * s.width
	out := make([]byte, 0, int(p.Hi-p.Lo)*n)
	for at := s.Part.Offset; at+n <= len(p.Bytes); at += int(p.Row) {
		out = append(out, p.Bytes[at:at+n]...)
	}
	return out
}

// mappedBitmap returns the file's own bits where they start at a byte and none is set after the last one.
func (x *Part) mappedBitmap(s *nullSource, first int64, n int) (v validity, ok bool) {
	if first%8 != 0 || s.Bits != nullbitmap.LSBFirst || s.Set != nullbitmap.SetIsValid {
		return v, false
	}
	p := x.piece(s.Data, first/8, (first+int64(n)+7)/8)
	if p.Owner == nil || n%8 != 0 && p.Bytes[len(p.Bytes)-1]>>(n%8) != 0 {
		return v, false
	}
	v.bits = dtype.Bitmap{Bits: p.Bytes}
	v.nulls = nullbitmap.CountNulls(p.Bytes, 0, n)
	v.buf = memory.SliceBuffer(p.Owner, p.Offset, len(p.Bytes))
	return v, true
}
