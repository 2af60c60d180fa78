package encode

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// isText reports whether t is text or bytes of any length.
func isText(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW:
		return true
	}
	return isBinary(t)
}

// isBinary reports whether t is bytes of any length.
func isBinary(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW:
		return true
	}
	return false
}

// isLarge reports whether t is text or bytes with offsets of 64 bits.
func isLarge(t arrow.DataType) bool {
	return t.ID() == arrow.LARGE_STRING || t.ID() == arrow.LARGE_BINARY
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

// TextWidth returns the smallest Options.TextWidth for the text of an array under a way to store it, at least 1. Arrays
// of several batches need the largest of theirs.
func TextWidth(a arrow.Array, as Text) int {
	if list, ok := a.(*array.FixedSizeList); ok {
		items := listItems(list)
		defer items.Release()
		return TextWidth(items, as)
	}
	text, ok := textOf(a)
	if !ok {
		return 1
	}
	w := 1
	for i := range a.Len() {
		if a.IsValid(i) {
			w = max(w, cellWidth(text(i), as))
		}
	}
	return w
}

// cellWidth returns the TextWidth that a value needs.
func cellWidth(s string, as Text) int {
	if as == TextUTF32 || as == TextLatin1 {
		return utf8.RuneCountInString(s)
	}
	return len(s)
}

// notText is the error about a value that is not valid UTF-8, although its type promises it.
func notText(i int, s string) error {
	return element.Wrap(i, element.NotUTF8("text", []byte(s)))
}

// textColumn is a column of text in Arrow's own layout: bytes, and offsets into them.
type textColumn struct {
	arrow  arrow.DataType
	width  int // of an offset
	binary bool
	nulls  Role
}

// text plans text in Arrow's own layout.
func (b *planner) text(p *Plan, t arrow.DataType) error {
	if b.nulls == NullsSentinel {
		return h5err.New(h5err.Unsupported, "text has no sentinel for nulls")
	}
	if b.opt.Width != 0 {
		return h5err.New(h5err.Argument, "%s has no width of %d bytes", t, b.opt.Width)
	}
	width := 4 << types.One(isLarge(t))
	own := width
	if b.opt.OffsetWidth != 0 {
		width = b.opt.OffsetWidth
	}
	p.Arrow = types.ArrowText(isBinary(t), width)
	p.Delivery = dtype.Mapped
	if width != own {
		p.Delivery, p.Reason = dtype.Converted, fmt.Sprintf("offsets of %d bytes", width)
	}
	if isBinary(t) {
		p.Read.Strings = dtype.StringsBinary
		b.lost = append(b.lost, "binary is read back as such with dtype.StringsBinary only")
	}
	p.Datasets = append([]Dataset{
		{Role: RoleData, Type: &h5.Type{Class: h5.ClassString, Size: 1, Pad: h5.NullPad}, DType: "str"},
		{Role: RoleOffsets, Type: intOf(width, true)},
	}, b.nullDataset(nil)...)
	p.root = &textColumn{arrow: p.Arrow, width: width, binary: isBinary(t), nulls: b.roleOfNulls()}
	return nil
}

func (c *textColumn) encode(a arrow.Array) ([]Contents, error) {
	if !isText(a.DataType()) || isBinary(a.DataType()) != c.binary {
		return nil, h5err.New(h5err.Argument, "%s where %s was planned", a.DataType(), c.arrow)
	}
	text, ok := textOf(a)
	if !ok {
		return nil, h5err.New(h5err.Argument, "%s where text was planned", a.DataType())
	}
	s := (&source{Array: a}).own()
	n := a.Len()
	total, gaps := 0, false
	for i := range n {
		if s.alive(i) {
			total += len(text(i))
		}
		gaps = gaps || !s.alive(i)
	}
	if c.width == 4 && total > math.MaxInt32 {
		return nil, h5err.New(h5err.Unsupported, "%d bytes of text are too many for offsets of 4 bytes", total)
	}
	offsets := make([]byte, 0, (n+1)*c.width)
	next := func(at int) {
		if c.width == 4 {
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
			if !c.binary && !utf8.ValidString(value) {
				return nil, notText(i, value)
			}
			if !shared {
				data = append(data, value...)
			}
			at += len(value)
		}
		next(at)
	}
	return append([]Contents{
		{Rows: uint64(len(data)), Bytes: data},
		{Rows: uint64(n) + 1, Bytes: offsets},
	}, s.nulls(c.nulls, n)...), nil
}

// valueBytes returns the bytes of all values, one after the other, where an array has them like that.
func valueBytes(a arrow.Array) ([]byte, bool) {
	v, ok := a.(interface{ ValueBytes() []byte })
	if !ok || a.Len() == 0 {
		return nil, false
	}
	return v.ValueBytes(), true
}
