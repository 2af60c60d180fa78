package encode

import (
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// cell plans text in cells of one width, or in the heap.
func (b *planner) cell(t arrow.DataType, depth int) (node, error) {
	if err := b.noSentinel(t, depth); err != nil {
		return nil, err
	}
	as := b.opt.Text
	if as == TextArrow || depth > 0 && as == TextUTF32 {
		as = TextHeap
	}
	if isLarge(t) {
		b.lost = append(b.lost, t.Name()+" is read back with 32-bit offsets")
	}
	if as != TextHeap && b.opt.TextWidth < 1 {
		return nil, h5err.New(h5err.Argument, "text in cells of no width").WithHint("TextWidth measures it")
	}
	if as == TextHeap {
		return b.heapText(t), nil
	}
	n := &textCell{as: as, width: b.opt.TextWidth, binary: isBinary(t)}
	n.arrow, n.delivery = arrow.BinaryTypes.String, dtype.Converted
	if as == TextUTF32 {
		if n.binary {
			return nil, h5err.New(h5err.Unsupported, "binary as UTF-32")
		}
		n.typ, n.elements, n.dtype, n.reason = intOf(4, false), uint64(n.width), "utf32", "UTF-8 to UTF-32"
		return n, nil
	}
	n.typ, n.reason = &h5.Type{Class: h5.ClassString, Size: n.width, Pad: h5.NullPad, CharSet: h5.UTF8}, "text in cells of one width"
	if as == TextLatin1 {
		n.typ.CharSet = h5.ASCII
		n.read.Strings = dtype.StringsLatin1
	}
	if n.binary {
		n.typ.CharSet = h5.ASCII
		n.arrow, n.read.Strings = arrow.BinaryTypes.Binary, dtype.StringsBinary
	}
	return n, nil
}

// textCell is text in cells of one width.
type textCell struct {
	info
	as     Text
	width  int
	binary bool
}

func (*textCell) takes(t arrow.DataType) bool { return isText(t) || t.ID() == arrow.DICTIONARY }

func (n *textCell) put(dst []byte, stride int, s *source) error {
	text, err := planned(s)
	if err != nil {
		return err
	}
	for i := range s.Len() {
		v, err := valueOf(s, text, i, n.arrow, n.binary)
		if err != nil {
			return err
		}
		if strings.HasSuffix(v, "\x00") {
			return element.New(i, h5err.Unsupported, "text that ends in a NUL, which is padding in HDF5")
		}
		if w := cellWidth(v, n.as); w > n.width && (n.as != TextLatin1 || !n.binary || len(v) > n.width) {
			return element.New(i, h5err.Argument, "text of width %d in cells of %d", w, n.width)
		}
		if err := n.putValue(dst[i*stride:], v, i); err != nil {
			return err
		}
	}
	return nil
}

// putValue writes the text of element i, which is not too long, to the cell at the start of dst.
func (n *textCell) putValue(dst []byte, v string, i int) error {
	switch {
	case n.as == TextUTF32:
		k := 0
		for _, r := range v {
			binary.LittleEndian.PutUint32(dst[k:], uint32(r))
			k += 4
		}
	case n.as == TextLatin1 && !n.binary:
		k := 0
		for _, r := range v {
			if r > 0xFF {
				return element.New(i, h5err.Unsupported, "the character %q is not in ISO 8859-1", r)
			}
			dst[k] = byte(r)
			k++
		}
	default:
		copy(dst[:n.width], v)
	}
	return nil
}

// heapText is text as variable strings, or binary values as sequences of bytes.
type heapText struct {
	info
	binary bool
}

func (b *planner) heapText(t arrow.DataType) node {
	n := &heapText{binary: isBinary(t)}
	n.typ = &h5.Type{Class: h5.ClassVLen, Size: 16, VarString: true, CharSet: h5.UTF8}
	n.arrow, n.delivery, n.reason = arrow.BinaryTypes.String, dtype.Converted, "strings in the heap"
	if n.binary {
		n.typ = &h5.Type{Class: h5.ClassVLen, Size: 16, Base: intOf(1, false)}
		n.arrow, n.reason = arrow.ListOf(arrow.PrimitiveTypes.Uint8), "sequences in the heap"
		b.lost = append(b.lost, "binary is read back as list<uint8>")
	}
	return n
}

func (*heapText) takes(t arrow.DataType) bool { return isText(t) || t.ID() == arrow.DICTIONARY }

func (n *heapText) add(dst []byte, s *source, i int) ([]byte, error) {
	text, err := planned(s)
	if err != nil {
		return dst, err
	}
	v, err := valueOf(s, text, i, n.arrow, n.binary)
	if err != nil {
		return dst, err
	}
	if !n.binary && strings.IndexByte(v, 0) >= 0 {
		return dst, element.New(i, h5err.Unsupported, "text with a NUL, where strings in the heap end")
	}
	if uint64(len(v)) > math.MaxUint32 {
		return dst, element.New(i, h5err.Limit, "a value of %d bytes", len(v))
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(len(v)))
	return append(dst, v...), nil
}

// planned returns the values of s, which must be text.
func planned(s *source) (func(int) string, error) {
	if text, ok := textOf(s.Array); ok {
		return text, nil
	}
	return nil, h5err.New(h5err.Argument, "%s where text was planned", s.DataType())
}

// valueOf returns the text of element i of s, "" under a null that is represented elsewhere.
func valueOf(s *source, text func(int) string, i int, t arrow.DataType, binary bool) (string, error) {
	gone, err := s.absent(i, t)
	if err != nil || gone {
		return "", err
	}
	if d, ok := s.Array.(*array.Dictionary); ok {
		k, err := labelOf(d, i)
		if err != nil {
			return "", err
		}
		if d.Dictionary().IsNull(k) {
			return "", nullInside(i, t)
		}
	}
	v := text(i)
	if !binary && !utf8.ValidString(v) {
		return "", notText(i, v)
	}
	return v, nil
}
