package object

import (
	"context"
	"encoding/binary"
	"slices"

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
	total := int64(0)
	for _, s := range sequences(d, p) {
		if total += s.Size; total > maxNames {
			return nil, Limit(d, "more than %d bytes of names", maxNames)
		}
		b, err := s.Read(maxNames)
		if err != nil {
			return nil, err
		}
		out = append(out, string(h5.TrimString(b, t.Pad)))
	}
	return out, nil
}

// Sequence is an element of variable length whose items are bytes.
type Sequence struct {
	Size int64

	d     *h5.Dataset
	addr  uint64
	index uint32
}

// Sequences returns the elements of a small dataset of a type of variable length, without reading their bytes.
func Sequences(d *h5.Dataset) ([]Sequence, error) {
	t := d.Type()
	if t.Class != h5.ClassVLen || !t.VarString && (t.Base == nil || t.Base.Size != 1) {
		return nil, Corrupt(d, "sequences of bytes are expected, not %s", t)
	}
	p, err := Contents(d)
	if err != nil {
		return nil, err
	}
	return sequences(d, p), nil
}

func sequences(d *h5.Dataset, p []byte) (out []Sequence) {
	size, width := d.Type().Size, d.File().OffsetSize()
	for ; len(p) >= size && size >= 8+width; p = p[size:] {
		s := Sequence{Size: int64(binary.LittleEndian.Uint32(p)), d: d, index: binary.LittleEndian.Uint32(p[4+width:])}
		for i := range min(width, 8) {
			s.addr |= uint64(p[4+i]) << (8 * i)
		}
		if s.addr == 0 {
			s.Size = 0
		}
		out = append(out, s)
	}
	return out
}

// Read returns the sequence's bytes, of a longer one the first n. They are shared and not to be written to.
func (s Sequence) Read(n int64) ([]byte, error) {
	n = min(n, s.Size)
	if n == 0 {
		return nil, nil
	}
	b, err := s.d.File().HeapReader().Prefix(s.addr, s.index, n)
	if err != nil {
		return nil, h5err.About(err, s.d)
	}
	if n > int64(len(b)) {
		return nil, Corrupt(s.d, "a sequence of %d bytes in a heap object of %d", s.Size, len(b))
	}
	return b[:n], nil
}

// VarText reports whether a type is text of variable length.
func VarText(t *h5.Type) bool { return t.Class == h5.ClassVLen && t.VarString }

// Padded returns a type whose text of fixed size is padded by NULs. PyTables declares it as ending at the first NUL, but
// NULs in it are data: numpy takes off those at the end only.
func Padded(t *h5.Type) *h5.Type {
	switch {
	case t.Class == h5.ClassString && t.Pad == h5.NullTerm:
		p := *t
		p.Pad = h5.NullPad
		return &p
	case (t.Class == h5.ClassArray || t.Class == h5.ClassVLen && !t.VarString) && t.Base != nil:
		if base := Padded(t.Base); base != t.Base {
			p := *t
			p.Base = base
			return &p
		}
	case t.Class == h5.ClassCompound:
		var p *h5.Type
		for i := range t.Members {
			m := Padded(t.Members[i].Type)
			if m == t.Members[i].Type {
				continue
			}
			if p == nil {
				c := *t
				c.Members = slices.Clone(t.Members)
				p = &c
			}
			p.Members[i].Type = m
		}
		if p != nil {
			return p
		}
	}
	return t
}
