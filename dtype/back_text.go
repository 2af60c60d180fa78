package dtype

import (
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// isText reports whether t is text or bytes of any length.
func isText(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW:
		return true
	}
	return isBinaryText(t)
}

// isBinaryText reports whether t is bytes of any length.
func isBinaryText(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW:
		return true
	}
	return false
}

// textOf returns the values of an array of text, or of a dictionary of text, which must be valid.
func textOf(a arrow.Array) (value func(i int) string, ok bool) {
	switch a := a.(type) {
	case array.StringLike:
		return a.Value, true
	case interface{ ValueString(i int) string }:
		return a.ValueString, true
	case *array.Dictionary:
		labels, ok := textOf(a.Dictionary())
		return func(i int) string { return labels(a.GetValueIndex(i)) }, ok
	}
	return nil, false
}

// cellWidth returns the TextWidth that a value needs.
func cellWidth(s string, as TextAs) int {
	if as == TextUTF32 || as == TextLatin1 {
		return utf8.RuneCountInString(s)
	}
	return len(s)
}

// notText is the error about a value that is no valid UTF-8, though its type promises it.
func notText(i int, s string) error { return &cellError{i, notUTF8("text", []byte(s))} }

// backText is text in Arrow's own layout.
type backText struct {
	width  int // of an offset
	binary bool
}

func (r *backText) encode(p *BackPlan, a arrow.Array) (Parts, error) {
	if !isText(a.DataType()) || isBinaryText(a.DataType()) != r.binary {
		return nil, h5err.New(h5err.Argument, "%s where %s was planned", a.DataType(), p.Arrow)
	}
	text, ok := textOf(a)
	if !ok {
		return nil, h5err.New(h5err.Argument, "%s where text was planned", a.DataType())
	}
	s := (&backSource{Array: a}).own()
	n := a.Len()
	total, gaps := 0, false
	for i := range n {
		if s.alive(i) {
			total += len(text(i))
		}
		gaps = gaps || !s.alive(i)
	}
	if r.width == 4 && total > math.MaxInt32 {
		return nil, h5err.New(h5err.Unsupported, "%d bytes of text: offsets of 4 bytes do not reach them", total)
	}
	offsets := make([]byte, 0, (n+1)*r.width)
	next := func(at int) {
		if r.width == 4 {
			offsets = binary.LittleEndian.AppendUint32(offsets, uint32(at))
		} else {
			offsets = binary.LittleEndian.AppendUint64(offsets, uint64(at))
		}
	}
	data, shared := valueBytes(a)
	if shared = shared && !gaps; !shared {
		data = make([]byte, 0, total)
	}
	at := 0
	next(0)
	for i := range n {
		if s.alive(i) {
			value := text(i)
			if !r.binary && !utf8.ValidString(value) {
				return nil, notText(i, value)
			}
			if !shared {
				data = append(data, value...)
			}
			at += len(value)
		}
		next(at)
	}
	parts := Parts{
		{Path: p.Layout[0].Path, Rows: uint64(len(data)), Bytes: data},
		{Path: p.Layout[1].Path, Rows: uint64(n) + 1, Bytes: offsets},
	}
	return appendNulls(parts, p.Layout[2:], &s, n), nil
}

// valueBytes returns the bytes of all values, one behind the other, where an array has them so.
func valueBytes(a arrow.Array) ([]byte, bool) {
	v, ok := a.(interface{ ValueBytes() []byte })
	if !ok || a.Len() == 0 {
		return nil, false
	}
	return v.ValueBytes(), true
}

// backTextCell is text in cells of one width, or in the heap.
type backTextCell struct {
	backInfo
	as     TextAs
	width  int
	binary bool
}

// value returns the text of element i of s, "" under a null that is spelled elsewhere.
func (n *backTextCell) value(s *backSource, text func(int) string, i int) (string, error) {
	gone, err := s.absent(i, n.arrow)
	if err != nil || gone {
		return "", err
	}
	if d, ok := s.Array.(*array.Dictionary); ok {
		k, err := labelOf(d, i)
		if err != nil {
			return "", err
		}
		if d.Dictionary().IsNull(k) {
			return "", unspelled(i, n.arrow)
		}
	}
	v := text(i)
	switch {
	case !n.binary && !utf8.ValidString(v):
		return "", notText(i, v)
	case n.as == TextHeap && strings.IndexByte(v, 0) >= 0:
		return "", &cellError{i, h5err.New(h5err.Unsupported, "text with a NUL, where strings in the heap end")}
	case n.as != TextHeap && strings.HasSuffix(v, "\x00"):
		return "", &cellError{i, h5err.New(h5err.Unsupported, "text that ends in a NUL, which is padding in HDF5")}
	}
	return v, nil
}

func (n *backTextCell) text(s *backSource) (func(int) string, error) {
	if text, ok := textOf(s.Array); ok {
		return text, nil
	}
	return nil, h5err.New(h5err.Argument, "%s where text was planned", s.DataType())
}

func (n *backTextCell) put(dst []byte, stride int, s *backSource) error {
	text, err := n.text(s)
	if err != nil {
		return err
	}
	for i := range s.Len() {
		v, err := n.value(s, text, i)
		if err != nil {
			return err
		}
		if w := cellWidth(v, n.as); w > n.width && (n.as != TextLatin1 || !n.binary || len(v) > n.width) {
			return &cellError{i, h5err.New(h5err.Argument, "text of width %d in cells of %d", w, n.width)}
		}
		cell := dst[i*stride:]
		switch {
		case n.as == TextUTF32:
			k := 0
			for _, r := range v {
				binary.LittleEndian.PutUint32(cell[k:], uint32(r))
				k += 4
			}
		case n.as == TextLatin1 && !n.binary:
			k := 0
			for _, r := range v {
				if r > 0xFF {
					return &cellError{i, h5err.New(h5err.Unsupported, "the character %q is not in ISO 8859-1", r)}
				}
				cell[k] = byte(r)
				k++
			}
		default:
			copy(cell[:n.width], v)
		}
	}
	return nil
}

func (n *backTextCell) add(dst []byte, s *backSource, i int) ([]byte, error) {
	text, err := n.text(s)
	if err != nil {
		return dst, err
	}
	v, err := n.value(s, text, i)
	if err != nil {
		return dst, err
	}
	if uint64(len(v)) > math.MaxUint32 {
		return dst, &cellError{i, h5err.New(h5err.Limit, "text of %d bytes", len(v))}
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(len(v)))
	return append(dst, v...), nil
}

// backBytes is binary values as sequences of bytes in the heap.
type backBytes struct{ backInfo }

func (n *backBytes) add(dst []byte, s *backSource, i int) ([]byte, error) {
	text, ok := textOf(s.Array)
	if !ok {
		return dst, h5err.New(h5err.Argument, "%s where binary was planned", s.DataType())
	}
	gone, err := s.absent(i, n.arrow)
	if err != nil {
		return dst, err
	}
	v := ""
	if !gone {
		v = text(i)
	}
	if uint64(len(v)) > math.MaxUint32 {
		return dst, &cellError{i, h5err.New(h5err.Limit, "a value of %d bytes", len(v))}
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(len(v)))
	return append(dst, v...), nil
}
