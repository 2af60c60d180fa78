package object

import (
	"context"
	"encoding/binary"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// maxContents bounds the bytes of a dataset that Contents reads.
const maxContents = 64 << 20

// Contents reads the stored elements of a small dataset.
func Contents(d *h5.Dataset) (p []byte, err error) {
	row, err := d.RowBytes()
	if err != nil {
		return nil, err
	}
	rows := d.Rows()
	if row <= 0 || rows > maxContents/row {
		e := h5err.New(h5err.Limit, "%d rows of %d bytes where names are expected", rows, row)
		return nil, h5err.About(e, d)
	}
	r, err := chunk.NewReader(d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	p = make([]byte, rows*row)
	err = source.Guard(func() error { return r.Read(context.Background(), 0, rows, p) })
	return p, err
}

// maxNames bounds the bytes of variable-length text that Texts returns.
const maxNames = 16 << 20

// Texts reads all elements of a small dataset of text, without their padding.
func Texts(d *h5.Dataset) ([]string, error) {
	t := d.Type()
	if t.Class != h5.ClassString && !VarText(t) {
		return nil, Corrupt(d, "text is expected, not %s", t)
	}
	p, err := Contents(d)
	if err != nil {
		return nil, err
	}
	n := int(d.Rows())
	out := make([]string, 0, n)
	if !VarText(t) {
		for ; len(p) >= t.Size && t.Size > 0; p = p[t.Size:] {
			out = append(out, string(h5.TrimString(p[:t.Size], t.Pad)))
		}
		return out, nil
	}
	heap, total := d.File().HeapReader(), 0
	width := d.File().OffsetSize()
	for ; len(p) >= t.Size && t.Size >= 8+width; p = p[t.Size:] {
		size, addr := binary.LittleEndian.Uint32(p), uint64(0)
		for i := range min(width, 8) {
			addr |= uint64(p[4+i]) << (8 * i)
		}
		if size == 0 || addr == 0 {
			out = append(out, "")
			continue
		}
		b, err := heap.Object(addr, binary.LittleEndian.Uint32(p[4+width:]))
		if err != nil {
			return nil, h5err.About(err, d)
		}
		if uint64(size) > uint64(len(b)) {
			return nil, Corrupt(d, "text of %d bytes in a heap object of %d", size, len(b))
		}
		if total += int(size); total > maxNames {
			return nil, Limit(d, "more than %d bytes of names", maxNames)
		}
		out = append(out, string(h5.TrimString(b[:size], t.Pad)))
	}
	return out, nil
}

// VarText reports whether a type is text of variable length.
func VarText(t *h5.Type) bool { return t.Class == h5.ClassVLen && t.VarString }
