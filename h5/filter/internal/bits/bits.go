// Package bits reads integers of any width from a string of bits, the highest bit of a byte being first.
package bits

import "encoding/binary"

// Reader reads from a slice. The zero value reads nothing.
type Reader struct {
	b   []byte
	pos int // in bits
}

// NewReader returns a reader of b.
func NewReader(b []byte) Reader { return Reader{b: b} }

// Left returns how many bits are left.
func (r *Reader) Left() int { return 8*len(r.b) - r.pos }

// Take returns the next n bits, 0 to 64, which must be there: see Left.
func (r *Reader) Take(n int) uint64 {
	i, off := r.pos>>3, uint(r.pos&7)
	r.pos += n
	if n <= 56 && i+8 <= len(r.b) {
		return binary.BigEndian.Uint64(r.b[i:]) << off >> ((64 - uint(n)) & 127)
	}
	return r.takeSlowly(n, i, off)
}

func (r *Reader) takeSlowly(n, i int, off uint) uint64 {
	if n == 0 {
		return 0
	}
	v := uint64(r.b[i]) & (0xff >> off)
	have := 8 - int(off)
	for have < n-7 {
		i++
		v = v<<8 | uint64(r.b[i])
		have += 8
	}
	switch {
	case have > n:
		return v >> (have - n)
	case have < n:
		more := n - have
		return v<<more | uint64(r.b[i+1])>>(8-more)
	}
	return v
}
