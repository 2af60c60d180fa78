package dtype

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/dtype/internal/kernel"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// notUTF8 returns the error about bytes that are not valid UTF-8.
func notUTF8(what string, b []byte) *h5err.Error {
	return element.NotUTF8(what, b).WithOption("dtype.Options.Strings", "read it as latin1 or binary")
}

// latin1 appends the bytes of src, characters of ISO 8859-1, to dst as UTF-8.
func latin1(dst, src []byte) []byte {
	for _, c := range src {
		if c < 0x80 {
			dst = append(dst, c)
		} else {
			dst = append(dst, 0xC0|c>>6, 0x80|c&0x3F)
		}
	}
	return dst
}

// textType returns the Arrow type of text under an option.
func textType(s Strings) arrow.DataType {
	if s == StringsBinary {
		return arrow.BinaryTypes.Binary
	}
	return arrow.BinaryTypes.String
}

// offset32 returns offset i of a buffer of 32-bit offsets in the host's order.
func offset32(b []byte, i int) int { return int(int32(binary.NativeEndian.Uint32(b[4*i:]))) }

func putOffset32(b []byte, i, x int) { binary.NativeEndian.PutUint32(b[4*i:], uint32(x)) }

// tooLong is the error of strings and sequences that 32-bit offsets can't reach. Fits reports how many rows avoid it.
func tooLong(i int) error {
	return element.New(i, h5err.Unsupported, "more than %d bytes or items in one array", math.MaxInt32)
}

// ends are n+1 offsets of values, width bytes each in the host's order: value i is data[at(i):at(i+1)]. They ascend.
type ends struct {
	b     []byte
	width int   // 4 or 8
	start int64 // the offset of the first byte of the data
}

func (e ends) at(i int) int {
	if e.width == 4 {
		return int(int64(offset32(e.b, i)) - e.start)
	}
	return int(int64(binary.NativeEndian.Uint64(e.b[8*i:])) - e.start)
}

// checkUTF8 returns an error unless each of n values of data that is not null is valid UTF-8. all means that the others are known to be, too.
// Their offsets are inside data.
func checkUTF8(data []byte, offsets ends, n int, valid validity) (all bool, err error) {
	if n == 0 {
		return true, nil
	}
	text := data[offsets.at(0):offsets.at(n)]
	if kernel.ASCII(text) || kernel.UTF8(text) && kernel.Starts(data, offsets.b[offsets.width:n*offsets.width], offsets.width, offsets.start) {
		return true, nil
	}
	// Some value is not valid, perhaps only under a null.
	for i := range n {
		if v := data[offsets.at(i):offsets.at(i+1)]; valid.valid(i) && !utf8.Valid(v) {
			return false, element.Wrap(i, notUTF8("text", v))
		}
	}
	return false, nil
}

// textData returns string or binary data of n values from offsets and a buffer that starts with the used bytes of the
// values.
func (c *ctx) textData(t arrow.DataType, n int, valid validity, offsets, data *memory.Buffer, used int) (*array.Data, error) {
	if t.ID() == arrow.STRING {
		if _, err := checkUTF8(data.Bytes()[:used], ends{b: offsets.Bytes(), width: 4}, n, valid); err != nil {
			return nil, err
		}
	}
	data.Resize(used)
	return c.make(t, n, valid, []*memory.Buffer{offsets, data}), nil
}

// fixedText is text in cells of one size.
type fixedText struct {
	info
	pad    h5.StringPad
	latin1 bool
	id     int
}

func (b *planner) text(t *h5.Type) (node, error) {
	if t.Pad > h5.SpacePad {
		return nil, h5err.New(h5err.Corrupt, "string padding %d", t.Pad)
	}
	return &fixedText{
		id:     b.counter(),
		info:   info{arrow: textType(b.opt.Strings), size: t.Size, delivery: Converted, reason: "fixed-size strings"},
		pad:    t.Pad,
		latin1: b.opt.Strings == StringsLatin1,
	}, nil
}

// trim returns the text in a cell.
func trim(cell []byte, pad h5.StringPad) []byte {
	return cell[:kernel.TrimLen(cell, kernelPad(pad))]
}

// kernelPad returns the kernels' constant for a padding.
func kernelPad(pad h5.StringPad) kernel.Pad {
	switch pad {
	case h5.NullTerm:
		return kernel.Terminated
	case h5.SpacePad:
		return kernel.Spaces
	}
	return kernel.NULs
}

// width returns the largest number of bytes of a cell's text.
func (n *fixedText) width() int {
	if n.latin1 {
		return 2 * n.size
	}
	return n.size
}

func (n *fixedText) build(c *ctx, v *view) (*array.Data, error) {
	offsets := c.buffer(4 * (v.n + 1))
	off := offsets.Bytes()
	// One pass, into the room that full cells would take, except those of nulls.
	room, ok := types.Product(int64(v.n-v.valid.nulls), int64(n.width()))
	if !ok || room > math.MaxInt32 {
		if room = n.room(v); room > math.MaxInt32 {
			return nil, tooLong(0)
		}
	}
	data := c.buffer(room + kernel.Slack)
	dst, used := data.Bytes(), 0
	if !n.latin1 {
		var bits []byte
		if v.valid.buf != nil {
			bits = v.valid.buf.Bytes()
		}
		used = kernel.Cells(dst, off, v.b, n.size, v.stride, v.n, kernelPad(n.pad), bits)
		return c.textData(n.arrow, v.n, v.valid, offsets, data, used)
	}
	putOffset32(off, 0, 0)
	for i := range v.n {
		if v.valid.valid(i) {
			used = len(latin1(dst[:used], trim(v.at(i), n.pad)))
		}
		putOffset32(off, i+1, used)
	}
	return c.textData(n.arrow, v.n, v.valid, offsets, data, used)
}

// room returns the number of bytes of the text of v; it reads all cells.
func (n *fixedText) room(v *view) int {
	sum := 0
	for i := range v.n {
		if v.valid.valid(i) {
			cell := trim(v.at(i), n.pad)
			if sum += len(cell); n.latin1 {
				for _, c := range cell {
					sum += int(c >> 7)
				}
			}
			if sum > math.MaxInt32 {
				break
			}
		}
	}
	return sum
}
