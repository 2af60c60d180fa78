package dtype

import (
	"math"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// utf32Text is text in cells of the same number of code points, padded with NULs.
type utf32Text struct {
	info
	order h5.ByteOrder
	id    int
}

func (b *planner) newUTF32(size int, order h5.ByteOrder) *utf32Text {
	return &utf32Text{
		id:    b.counter(),
		info:  info{arrow: textType(b.opt.Strings), size: size, delivery: Converted, reason: "UTF-32 to UTF-8"},
		order: order,
	}
}

// utf32 returns the plan of a dataset with the attribute dtype='utf32': dlength code points per row, as bytes
// (little-endian) or as 32-bit integers, a row of the dataset being a row or one element of a flat dataset.
func (b *planner) utf32(src Source) (*Plan, error) {
	bad := func(format string, args ...any) (*Plan, error) {
		return nil, h5err.New(h5err.Corrupt, "dtype 'utf32': "+format, args...)
	}
	if !src.HasDLength {
		return bad("no integer attribute dlength")
	}
	if src.DLength < 1 || src.DLength > math.MaxInt32/4 {
		return bad("dlength is %d", src.DLength)
	}
	t := src.Type
	if t.Class != h5.ClassFixed || t.Size != 1 && t.Size != 4 || t.BitOffset != 0 || t.Precision != 8*t.Size || t.Order == h5.VAX {
		return bad("elements are %s, neither bytes nor 32-bit integers", t)
	}
	points := uint64(src.DLength)
	elements, order := points, t.Order // elements of the dataset a string takes
	if t.Size == 1 {
		elements, order = 4*points, h5.LittleEndian
	}
	sourceRows := int64(1)
	switch len(src.Dims) {
	case 0:
		sourceRows = int64(elements)
	case 1:
		if src.Dims[0] != elements {
			return bad("rows of %d elements, %d needed for dlength %d", src.Dims[0], elements, points)
		}
	default:
		return bad("rows of shape %v", src.Dims)
	}
	n := b.newUTF32(4*int(points), order)
	n.note(MetaDType, "utf32")
	p, err := b.plan(n, nil)
	if err != nil {
		return nil, err
	}
	p.SourceRows = sourceRows
	return p, nil
}

func (n *utf32Text) build(c *ctx, v *view) (*array.Data, error) {
	o := n.order.Binary()
	offsets := c.buffer(4 * (v.n + 1))
	off := offsets.Bytes()
	// One pass, into the room that the longest characters would take.
	room, ok := types.Product(int64(v.n-v.valid.nulls), int64(n.size))
	if !ok || room > math.MaxInt32 {
		if room = n.room(v); room > math.MaxInt32 {
			return nil, tooLong(0)
		}
	}
	data := c.buffer(room)
	dst, used := data.Bytes(), 0
	putOffset32(off, 0, 0)
	for i := range v.n {
		if v.valid.valid(i) {
			cell := n.trim(v.at(i))
			for k := 0; k+4 <= len(cell); k += 4 {
				x := o.Uint32(cell[k:])
				if x < utf8.RuneSelf {
					dst[used] = byte(x)
					used++
					continue
				}
				if x > utf8.MaxRune || x >= 0xD800 && x < 0xE000 {
					return nil, corruptAt(i, "code point U+%04X", x)
				}
				used = len(utf8.AppendRune(dst[:used], rune(x)))
			}
		}
		putOffset32(off, i+1, used)
	}
	data.Resize(used)
	return c.make(n.arrow, v.n, v.valid, []*memory.Buffer{offsets, data}), nil
}

// room returns the bytes that the text of v takes, reading all of it; an invalid code point counts 1.
func (n *utf32Text) room(v *view) int {
	o := n.order.Binary()
	sum := 0
	for i := range v.n {
		if !v.valid.valid(i) {
			continue
		}
		cell := n.trim(v.at(i))
		for k := 0; k+4 <= len(cell); k += 4 {
			sum += max(1, utf8.RuneLen(rune(o.Uint32(cell[k:]))))
		}
		if sum > math.MaxInt32 {
			break
		}
	}
	return sum
}

// trim returns a cell without trailing NULs.
func (n *utf32Text) trim(cell []byte) []byte {
	k := len(cell)
	for k >= 4 && cell[k-1]|cell[k-2]|cell[k-3]|cell[k-4] == 0 {
		k -= 4
	}
	return cell[:k]
}
