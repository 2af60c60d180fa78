// Package aec decodes the adaptive entropy coder of CCSDS 121.0-B, in the form in which szip uses it.
package aec

import (
	"encoding/binary"
	"math/bits"
)

// Error is a defect of encoded data.
type Error string

func (e Error) Error() string { return string(e) }

// What can be wrong.
const (
	ErrShort  = Error("the encoded bytes end early")
	ErrZeros  = Error("a run of zero blocks beyond its line")
	ErrSecond = Error("a second extension code out of range")
)

// Params describes how samples were encoded.
type Params struct {
	Bits       int  // of a sample, 1 to 32
	Block      int  // samples in a block, even, at most 64
	Line       int  // blocks in a line, after which prediction starts again
	Preprocess bool // samples are stored as differences to the previous one
}

const maxBlock = 64

// reader reads bits, the highest of a byte first. Bits past the end are zero; over is set when they were used.
type reader struct {
	b    []byte
	at   int
	buf  uint64 // the next bits, from the highest down; what is below the first n is zero or true bits of b
	n    int
	over bool
}

// fill makes at least 56 bits ready.
func (r *reader) fill() {
	if r.at+8 <= len(r.b) {
		r.buf |= binary.BigEndian.Uint64(r.b[r.at:]) >> (r.n & 63)
		r.at += (63 - r.n) >> 3
		r.n |= 56
		return
	}
	for r.n <= 56 {
		if r.at < len(r.b) {
			r.buf |= uint64(r.b[r.at]) << ((56 - r.n) & 63)
		} else if r.at-len(r.b) >= 8 {
			r.over = true
		}
		r.at++
		r.n += 8
	}
}

// take returns k bits, 0 to 32.
func (r *reader) take(k int) uint32 {
	if r.n < k {
		r.fill()
	}
	v := r.buf >> ((64 - k) & 127)
	r.buf <<= k & 63
	r.n -= k
	return uint32(v)
}

// unary returns how many zero bits come before the next one bit, and takes both.
func (r *reader) unary() uint32 {
	count := 0
	for {
		if r.n < 32 {
			r.fill()
		}
		if z := bits.LeadingZeros64(r.buf); z < r.n {
			r.buf <<= z & 63
			r.buf <<= 1
			r.n -= z + 1
			return uint32(count + z)
		}
		if r.over {
			return 0
		}
		count += r.n
		r.buf, r.n = 0, 0
	}
}

// short reports whether more bits were taken than there are.
func (r *reader) short() bool { return r.over || r.at-r.n>>3 > len(r.b) }

// unaries sets each of v to the next unary number, shifted left.
func (r *reader) unaries(v []uint32, shift int) {
	// The usual case is unary inlined; the state stays in registers.
	buf, n, at := r.buf, r.n, r.at
	for i := range v {
		if n < 32 {
			if at+8 > len(r.b) {
				r.buf, r.n, r.at = buf, n, at
				for ; i < len(v); i++ {
					v[i] = r.unary() << shift
				}
				return
			}
			buf |= binary.BigEndian.Uint64(r.b[at:]) >> (n & 63)
			at += (63 - n) >> 3
			n |= 56
		}
		z := bits.LeadingZeros64(buf)
		if z >= n {
			r.buf, r.n, r.at = buf, n, at
			v[i] = r.unary() << shift
			buf, n, at = r.buf, r.n, r.at
			continue
		}
		buf <<= z & 63
		buf <<= 1
		n -= z + 1
		v[i] = uint32(z) << shift
	}
	r.buf, r.n, r.at = buf, n, at
}

// low adds the next k bits, 1 to 30, to each of v.
func (r *reader) low(v []uint32, k int) {
	buf, n, at := r.buf, r.n, r.at
	for i := range v {
		if n < k {
			if at+8 > len(r.b) {
				r.buf, r.n, r.at = buf, n, at
				for ; i < len(v); i++ {
					v[i] += r.take(k)
				}
				return
			}
			buf |= binary.BigEndian.Uint64(r.b[at:]) >> (n & 63)
			at += (63 - n) >> 3
			n |= 56
		}
		v[i] += uint32(buf >> ((64 - k) & 63))
		buf <<= k & 63
		n -= k
	}
	r.buf, r.n, r.at = buf, n, at
}

// Decode decodes samples to out, line after line, and starts a new line wherever the encoder did. The encoder pads the last
// line; blocks after the last sample of out are not decoded.
func Decode(out []uint32, src []byte, p *Params) error {
	r := reader{b: src}
	idBits := 5
	switch {
	case p.Bits <= 8:
		idBits = 3
	case p.Bits <= 16:
		idBits = 4
	}
	stored := uint32(1)<<idBits - 1
	size := p.Line * p.Block
	for len(out) > 0 {
		line := out[:min(size, len(out))]
		out = out[len(line):]
		for at := 0; at < len(line); {
			if r.short() {
				return ErrShort
			}
			ref := 0
			if p.Preprocess && at == 0 {
				ref = 1
			}
			block := line[at:min(at+p.Block, len(line))]
			id := r.take(idBits)
			switch id {
			case stored:
				for i := range block {
					block[i] = r.take(p.Bits)
				}
				at += len(block)
			case 0:
				second := r.take(1)
				if ref == 1 {
					block[0] = r.take(p.Bits)
				}
				if second == 1 {
					if err := r.pairs(block, ref, p.Block); err != nil {
						return err
					}
					at += len(block)
					break
				}
				n := r.zeroBlocks(at/p.Block, p.Line)
				if n > p.Line-at/p.Block {
					return ErrZeros
				}
				end := min(at+n*p.Block, len(line))
				clear(line[at+ref : end])
				at = end
			default:
				k := int(id) - 1
				if ref == 1 {
					block[0] = r.take(p.Bits)
				}
				r.unaries(block[ref:], k)
				// Samples past the end of out are skipped: the low bits of the block follow them.
				if len(block) < p.Block {
					var rest [maxBlock]uint32
					r.unaries(rest[:p.Block-len(block)], k)
				}
				if k > 0 {
					r.low(block[ref:], k)
				}
				at += len(block)
			}
		}
		if p.Preprocess {
			undoPrediction(line, p.Bits)
		}
	}
	if r.short() {
		return ErrShort
	}
	return nil
}

// pairs decodes a block by the second extension, in which a code represents two samples. The block has size samples. Those from
// ref on are decoded, and those past len(block) are read but dropped.
func (r *reader) pairs(block []uint32, ref, size int) error {
	for i := ref; i < size; i++ {
		m := r.unary()
		if m > 90 {
			return ErrSecond
		}
		sum, start := secondTable[m][0], secondTable[m][1]
		d := m - start
		if i&1 == 0 {
			if i < len(block) {
				block[i] = sum - d
			}
			i++
		}
		if i < len(block) {
			block[i] = d
		}
	}
	return nil
}

// zeroBlocks reads the length of a run of zero blocks that starts with block b of a line.
func (r *reader) zeroBlocks(b, line int) int {
	switch n := int(r.unary()) + 1; {
	case n == 5: // to the end of the line, or of its 64 blocks
		return min(line-b, 64-b%64)
	case n > 5:
		return n - 1
	default:
		return n
	}
}

// undoPrediction turns differences, folded to small positive numbers, into samples. The first one is a sample already.
func undoPrediction(s []uint32, width int) {
	top := uint32(uint64(1)<<width - 1)
	half := top/2 + 1
	x := s[0]
	for i, d := range s[1:] {
		mask := uint32(0)
		if x&half != 0 {
			mask = top
		}
		if d>>1+d&1 <= mask^x {
			x += d>>1 ^ -(d & 1)
		} else {
			x = mask ^ d
		}
		s[i+1] = x
	}
}

// secondTable gives for a code of the second extension the sum of its two samples, and the first code of that sum.
var secondTable = func() (t [91][2]uint32) {
	k := uint32(0)
	for sum := range uint32(13) {
		start := k
		for range sum + 1 {
			t[k] = [2]uint32{sum, start}
			k++
		}
	}
	return t
}()
