package meta

import (
	"bytes"
	"encoding/binary"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Undefined is the address of something that does not exist: all bits set, whatever the size of offsets
// (specification, I. Introduction).
const Undefined = ^uint64(0)

// Cursor reads little-endian fields from a block of metadata. It never reads past its block; the first failure
// sticks, every later read returns zero values, and Err tells it.
type Cursor struct {
	b     []byte
	at    int64 // absolute file offset of b[0]
	pos   int
	osize int // bytes of an address
	lsize int // bytes of a length
	err   error
}

// NewCursor returns a cursor over b, which starts at absolute file offset at.
func NewCursor(b []byte, at int64, offsetSize, lengthSize int) *Cursor {
	return &Cursor{b: b, at: at, osize: offsetSize, lsize: lengthSize}
}

// Err returns the first failure, nil when there was none.
func (c *Cursor) Err() error { return c.err }

// Fail makes the cursor fail at its present place, unless it has failed already, and returns the failure.
func (c *Cursor) Fail(k h5err.Kind, format string, args ...any) error {
	if c.err == nil {
		c.err = h5err.At(k, c.Offset(), format, args...)
	}
	return c.err
}

// Over is Fail with kind Limit, for a limit that the caller may raise: see h5err.Over.
func (c *Cursor) Over(limit h5err.Option, raise uint64, format string, args ...any) error {
	if c.err == nil {
		e := h5err.Over(limit, raise, format, args...)
		e.Offset = c.Offset()
		c.err = e
	}
	return c.err
}

// Corrupt is Fail with kind Corrupt.
func (c *Cursor) Corrupt(format string, args ...any) error {
	return c.Fail(h5err.Corrupt, format, args...)
}

// Unsupported is Fail with kind Unsupported.
func (c *Cursor) Unsupported(format string, args ...any) error {
	return c.Fail(h5err.Unsupported, format, args...)
}

// Offset is the absolute file offset of the next byte.
func (c *Cursor) Offset() int64 { return c.at + int64(c.pos) }

// Pos is the number of bytes that were read.
func (c *Cursor) Pos() int { return c.pos }

// Len is the number of bytes that are left, 0 after a failure.
func (c *Cursor) Len() int {
	if c.err != nil {
		return 0
	}
	return len(c.b) - c.pos
}

// Bytes returns the next n bytes without copying; nil after a failure.
func (c *Cursor) Bytes(n int) []byte {
	if c.err != nil {
		return nil
	}
	if n < 0 || n > len(c.b)-c.pos {
		c.Corrupt("%d bytes are needed, %d are left in the structure", n, len(c.b)-c.pos)
		return nil
	}
	p := c.b[c.pos : c.pos+n : c.pos+n]
	c.pos += n
	return p
}

// Rest returns all bytes that are left.
func (c *Cursor) Rest() []byte { return c.Bytes(c.Len()) }

// Peek returns all bytes that are left, and does not pass over them.
func (c *Cursor) Peek() []byte {
	if c.err != nil {
		return nil
	}
	return c.b[c.pos:len(c.b):len(c.b)]
}

// Skip passes over n bytes.
func (c *Cursor) Skip(n int) { c.Bytes(n) }

// Sub returns a cursor over the next n bytes and passes over them.
func (c *Cursor) Sub(n int) *Cursor {
	at := c.Offset()
	p := c.Bytes(n)
	return &Cursor{b: p, at: at, osize: c.osize, lsize: c.lsize, err: c.err}
}

// U8 reads one byte.
func (c *Cursor) U8() uint8 {
	if p := c.Bytes(1); p != nil {
		return p[0]
	}
	return 0
}

// U16 reads two bytes.
func (c *Cursor) U16() uint16 {
	if p := c.Bytes(2); p != nil {
		return binary.LittleEndian.Uint16(p)
	}
	return 0
}

// U32 reads four bytes.
func (c *Cursor) U32() uint32 {
	if p := c.Bytes(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

// U64 reads eight bytes.
func (c *Cursor) U64() uint64 {
	if p := c.Bytes(8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

// Uint reads an unsigned integer of n bytes. Bytes beyond the eighth (files may declare wider lengths) must be zero.
func (c *Cursor) Uint(n int) uint64 {
	p := c.Bytes(n)
	var v uint64
	for i, x := range p {
		if i >= 8 {
			if x != 0 {
				c.Corrupt("an integer of %d bytes does not fit 64 bits", n)
				return 0
			}
			continue
		}
		v |= uint64(x) << (8 * i)
	}
	return v
}

// Address reads a file address of the file's offset size; Undefined when all its bits are set.
func (c *Cursor) Address() uint64 {
	p := c.Bytes(c.osize)
	if p == nil {
		return Undefined
	}
	ones := true
	for _, x := range p {
		ones = ones && x == 0xff
	}
	if ones {
		return Undefined
	}
	c.pos -= c.osize
	return c.Uint(c.osize)
}

// Length reads a length of the file's length size; all bits set is Undefined, as for addresses.
func (c *Cursor) Length() uint64 {
	p := c.Bytes(c.lsize)
	if p == nil {
		return 0
	}
	for _, x := range p {
		if x != 0xff {
			c.pos -= c.lsize
			return c.Uint(c.lsize)
		}
	}
	return Undefined
}

// Signature fails unless the next bytes are the four letters sig.
func (c *Cursor) Signature(sig string) {
	if p := c.Bytes(len(sig)); p != nil && string(p) != sig {
		c.pos -= len(sig)
		c.Corrupt("signature %q expected, found %q", sig, string(p)) // a copy: the bytes may be on a stack
	}
}

// CString reads up to and including the next NUL byte and returns what is before it, without copying.
func (c *Cursor) CString() []byte {
	if c.err != nil {
		return nil
	}
	i := bytes.IndexByte(c.b[c.pos:], 0)
	if i < 0 {
		c.Corrupt("a string has no end")
		return nil
	}
	return c.Bytes(i + 1)[:i]
}

// Align passes over bytes until the position is a multiple of n.
func (c *Cursor) Align(n int) {
	if r := c.pos % n; r != 0 {
		c.Skip(n - r)
	}
}
