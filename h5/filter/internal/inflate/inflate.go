// Package inflate decodes deflate streams (RFC 1951) and zlib streams (RFC 1950) whose decoded size is known or
// bounded, from one slice straight into another.
//
// It is faster than a streaming reader because it knows both ends: there is no window to keep, and far from the ends, it
// reads input and copies matches eight bytes at a time without checking how much is left. On processors with BMI2, that part
// is assembly, which is generated: see the directory asm/gen beside this one. The assembly handles ordinary symbols only, and
// leaves everything else to the Go code, which alone decides what is an error.
package inflate

//go:generate go run -C ../asm/gen . -inflate -out ../../inflate/loop_amd64.s -stubs ../../inflate/loop_amd64.go -pkg inflate

import (
	"encoding/binary"
	"math/bits"
)

// Error is a defect of a stream.
type Error string

func (e Error) Error() string { return string(e) }

// What can be wrong with a stream.
const (
	ErrShort    = Error("the stream ends early")
	ErrLong     = Error("decodes to more than there is room for")
	ErrHeader   = Error("not a zlib stream")
	ErrDict     = Error("the stream needs a preset dictionary")
	ErrBlock    = Error("unknown block type")
	ErrStored   = Error("a stored block's length and its complement differ")
	ErrCodes    = Error("the code lengths of a block do not form a prefix code")
	ErrSymbol   = Error("a code without a meaning")
	ErrDistance = Error("a match starts before the data")
	ErrChecksum = Error("Adler-32 checksum differs")
)

// An entry of a decoding table is the meaning of the next bits of input:
//
//	bits 0-7    how many bits to take: the code and the extra bits after it
//	bits 8-11   how many of them are the code; for a link, how many bits select within the second table
//	bit 13      end of block
//	bit 14      link: bits 16-30 are the start of the second table
//	bit 15      none of literal, length, distance: bit 13, bit 14, or no code at all
//	bits 16-30  the literal, or the smallest length or distance
//	bit 31      literal
const (
	isEnd     = 1 << 13
	isLink    = 1 << 14
	isSpecial = 1 << 15
	isLiteral = 1 << 31

	litBits  = 11
	distBits = 8
	preBits  = 7
	maxBits  = 15

	numLit  = 288
	numDist = 32
	numPre  = 19

	// No code needs more than 2342 and 402 entries; powers of two let an index be masked instead of checked.
	litSize  = 4096
	distSize = 512
)

// Decoder holds the tables for one stream at a time. The zero value is ready.
type Decoder struct {
	lit    [litSize]uint32
	dist   [distSize]uint32
	pre    [1 << preBits]uint32
	lens   [numLit + numDist + 16]uint8
	sorted [numLit]uint16
	fixed  bool // the tables are those of the fixed code
	plain  bool // no assembly, for tests
}

var litMeaning = func() (m [numLit]uint32) {
	for i := range 256 {
		m[i] = isLiteral | uint32(i)<<16
	}
	m[256] = isSpecial | isEnd
	base := uint32(3)
	for i := range 28 {
		extra := uint32(0)
		if i >= 8 {
			extra = uint32(i-4) / 4
		}
		m[257+i] = base<<16 | extra
		base += 1 << extra
	}
	m[285] = 258 << 16
	m[286], m[287] = isSpecial, isSpecial
	return m
}()

var distMeaning = func() (m [numDist]uint32) {
	base := uint32(1)
	for i := range 30 {
		extra := uint32(0)
		if i >= 4 {
			extra = uint32(i-2) / 2
		}
		m[i] = base<<16 | extra
		base += 1 << extra
	}
	m[30], m[31] = isSpecial, isSpecial
	return m
}()

var preMeaning = func() (m [numPre]uint32) {
	for i := range m {
		m[i] = uint32(i) << 16
	}
	return m
}()

// preOrder is the order in which the lengths of the code for code lengths are stored (RFC 1951, 3.2.7).
var preOrder = [numPre]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// build makes the decoding table of the canonical prefix code with these lengths. Like zlib it accepts only two incomplete
// codes: the empty one, and a single code of one bit.
func (d *Decoder) build(table []uint32, tableBits int, lens []uint8, meaning []uint32) bool {
	var count [maxBits + 1]int
	for _, n := range lens {
		count[n&maxBits]++
	}
	longest := maxBits
	for longest > 0 && count[longest] == 0 {
		longest--
	}
	var next [maxBits + 2]int
	left := 1
	for n := 1; n <= maxBits; n++ {
		left = left<<1 - count[n]
		if left < 0 {
			return false
		}
		next[n+1] = next[n] + count[n]
	}
	if left > 0 {
		if longest > 1 {
			return false
		}
		for i := range table[:1<<tableBits] {
			table[i] = isSpecial
		}
		if longest == 1 {
			for sym, n := range lens {
				if n == 1 {
					for i := 0; i < 1<<tableBits; i += 2 {
						table[i] = meaning[sym] + 1<<8 + 1
					}
				}
			}
		}
		return true
	}
	sorted := d.sorted[:]
	for sym, n := range lens {
		if n != 0 {
			sorted[next[n]] = uint16(sym)
			next[n]++
		}
	}

	// The table is grown with the code: codes of n bits fill a table of 2^n entries, which is then doubled by
	// repeating it. Codes have their first bit lowest, as in the input.
	code, k := 0, 0
	for n := 1; n <= min(longest, tableBits); n++ {
		if n > 1 {
			copy(table[1<<(n-1):1<<n], table[:1<<(n-1)])
		}
		for range count[n] {
			table[code] = meaning[sorted[k]] + uint32(n)<<8 + uint32(n)
			k++
			code = successor(code, n)
		}
	}
	for n := longest; n < tableBits; n++ {
		copy(table[1<<n:2<<n], table[:1<<n])
	}

	// Longer codes: a second table for each prefix of tableBits bits, large enough for the longest code with it.
	end := 1 << tableBits
	prefix, start, subBits := -1, 0, 0
	for n := tableBits + 1; n <= longest; n++ {
		for ; count[n] > 0; count[n]-- {
			if p := code & (1<<tableBits - 1); p != prefix {
				prefix, start = p, end
				subBits = n - tableBits
				for room := 1<<subBits - count[n]; room > 0 && subBits+tableBits < longest; {
					subBits++
					room = room<<1 - count[tableBits+subBits]
				}
				end = start + 1<<subBits
				table[p] = uint32(start)<<16 | isSpecial | isLink | uint32(subBits)<<8 | uint32(tableBits)
			}
			rest := uint32(n - tableBits)
			e := meaning[sorted[k]] + rest<<8 + rest
			k++
			for i := start + code>>tableBits; i < end; i += 1 << rest {
				table[i] = e
			}
			code = successor(code, n)
		}
	}
	return true
}

// successor returns the next code of n bits, or of more once zero bits are appended, in reversed bit order.
func successor(code, n int) int {
	last := 1<<n - 1
	if code == last {
		return code
	}
	bit := 1 << (bits.Len(uint(code^last)) - 1)
	return code&(bit-1) | bit
}

// Inflate decodes the deflate stream at the start of src. It returns how many bytes of dst it wrote and how many
// of src it took. The rest of dst is
// undefined.
func (d *Decoder) Inflate(dst, src []byte) (written, taken int, err error) {
	var (
		in, out int    // places in src and dst; in may run past the end of src, see below
		buf     uint64 // bits taken from src and not used, lowest first
		have    uint   // how many; above them buf is zero or holds true bits of src
	)
	for last := false; !last; {
		// Past the end of src, zero bytes are assumed; whether one of them was used is checked afterwards.
		for have < 48 {
			if in < len(src) {
				buf |= uint64(src[in]) << (have & 63)
			}
			in++
			have += 8
		}
		last = buf&1 != 0
		kind := buf >> 1 & 3
		buf >>= 3
		have -= 3
		switch kind {
		case 0:
			in -= int(have >> 3)
			buf, have = 0, 0
			if in > len(src)-4 {
				return out, in, ErrShort
			}
			n := int(binary.LittleEndian.Uint16(src[in:]))
			if n^0xffff != int(binary.LittleEndian.Uint16(src[in+2:])) {
				return out, in, ErrStored
			}
			in += 4
			if n > len(src)-in {
				return out, in, ErrShort
			}
			if n > len(dst)-out {
				return out, in, ErrLong
			}
			copy(dst[out:], src[in:in+n])
			in += n
			out += n
			continue
		case 1:
			if !d.fixed && !d.buildFixed() {
				return out, in, ErrCodes
			}
		case 2:
			d.fixed = false
			if in, buf, have, err = d.readCodes(src, in, buf, have); err != nil {
				return out, in, err
			}
		default:
			return out, in, ErrBlock
		}
		if in, out, buf, have, err = d.block(dst, src, in, out, buf, have); err != nil {
			return out, in, err
		}
	}
	in -= int(have >> 3)
	if in > len(src) {
		return out, in, ErrShort
	}
	return out, in, nil
}

func (d *Decoder) buildFixed() bool {
	lens := d.lens[:numLit+numDist]
	for i := range lens {
		switch {
		case i < 144:
			lens[i] = 8
		case i < 256:
			lens[i] = 9
		case i < 280:
			lens[i] = 7
		case i < 288:
			lens[i] = 8
		default:
			lens[i] = 5
		}
	}
	d.fixed = d.build(d.lit[:], litBits, lens[:numLit], litMeaning[:]) && d.build(d.dist[:], distBits, lens[numLit:], distMeaning[:])
	return d.fixed
}

// readCodes reads the head of a block with its own codes (RFC 1951, 3.2.7) and makes their tables.
func (d *Decoder) readCodes(src []byte, in int, buf uint64, have uint) (int, uint64, uint, error) {
	refill := func() {
		for have < 48 {
			if in < len(src) {
				buf |= uint64(src[in]) << (have & 63)
			}
			in++
			have += 8
		}
	}
	refill()
	nlit := int(buf&31) + 257
	ndist := int(buf>>5&31) + 1
	npre := int(buf>>10&15) + 4
	buf >>= 14
	have -= 14
	if nlit > 286 || ndist > 30 {
		return in, buf, have, ErrCodes
	}
	var pre [numPre]uint8
	for i := range npre {
		if have < 3 {
			refill()
		}
		pre[preOrder[i]] = uint8(buf & 7)
		buf >>= 3
		have -= 3
	}
	if !d.build(d.pre[:], preBits, pre[:], preMeaning[:]) {
		return in, buf, have, ErrCodes
	}
	lens := d.lens[:]
	for i := 0; i < nlit+ndist; {
		if have < 14 {
			refill()
			if in-int(have>>3) > len(src) {
				return in, buf, have, ErrShort
			}
		}
		e := d.pre[buf&(1<<preBits-1)]
		if e&isSpecial != 0 {
			return in, buf, have, ErrSymbol
		}
		buf >>= e & 63
		have -= uint(e & 63)
		sym := e >> 16
		if sym < 16 {
			lens[i] = uint8(sym)
			i++
			continue
		}
		var n, take int
		var v uint8
		switch sym {
		case 16:
			if i == 0 {
				return in, buf, have, ErrCodes
			}
			v = lens[i-1]
			n, take = 3+int(buf&3), 2
		case 17:
			n, take = 3+int(buf&7), 3
		default:
			n, take = 11+int(buf&127), 7
		}
		buf >>= take & 63
		have -= uint(take)
		if n > nlit+ndist-i {
			return in, buf, have, ErrCodes
		}
		for range n {
			lens[i] = v
			i++
		}
	}
	if lens[256] == 0 {
		return in, buf, have, ErrCodes
	}
	// The code for distances first: building moves nothing, but both share the memory for sorting.
	if !d.build(d.dist[:], distBits, lens[nlit:nlit+ndist], distMeaning[:]) || !d.build(d.lit[:], litBits, lens[:nlit], litMeaning[:]) {
		return in, buf, have, ErrCodes
	}
	return in, buf, have, nil
}

const (
	longest   = 258
	fastInput = 16               // the fast loop takes at most this much input in one turn
	fastRoom  = longest + 16 + 8 // and writes at most this much
)

// block decodes the symbols of one block up to its end.
func (d *Decoder) block(dst, src []byte, in, out int, buf uint64, have uint) (int, int, uint64, uint, error) {
	lit, distTable := &d.lit, &d.dist
	in, out, buf, have = d.fast(dst, src, in, out, buf, have)

	for in <= len(src)-fastInput && out <= len(dst)-fastRoom {
		// 56 bits at least: all of a match, or several literals and then a refill.
		buf |= binary.LittleEndian.Uint64(src[in:]) << (have & 63)
		in += int((63 - have) >> 3)
		have |= 56

		e := lit[buf&(1<<litBits-1)]
		if e&isLiteral != 0 {
			buf >>= e & 63
			have -= uint(e & 63)
			dst[out] = byte(e >> 16)
			out++
			e = lit[buf&(1<<litBits-1)]
			if e&isLiteral != 0 {
				buf >>= e & 63
				have -= uint(e & 63)
				dst[out] = byte(e >> 16)
				out++
				e = lit[buf&(1<<litBits-1)]
				if e&isLiteral != 0 {
					buf >>= e & 63
					have -= uint(e & 63)
					dst[out] = byte(e >> 16)
					out++
					continue
				}
			}
			buf |= binary.LittleEndian.Uint64(src[in:]) << (have & 63)
			in += int((63 - have) >> 3)
			have |= 56
		}
		if e&isSpecial != 0 {
			if e&isLink != 0 {
				buf >>= litBits
				have -= litBits
				e = lit[(e>>16+uint32(buf)&(1<<(e>>8&15)-1))&(litSize-1)]
			}
			if e&isLiteral != 0 {
				buf >>= e & 63
				have -= uint(e & 63)
				dst[out] = byte(e >> 16)
				out++
				continue
			}
			if e&isSpecial != 0 {
				if e&isEnd == 0 {
					return in, out, buf, have, ErrSymbol
				}
				return in, out, buf >> (e & 63), have - uint(e&63), nil
			}
		}
		length := int(e>>16) + int(buf&(1<<(e&63)-1)>>(e>>8&15))
		buf >>= e & 63
		have -= uint(e & 63)

		e = distTable[buf&(1<<distBits-1)]
		if e&isSpecial != 0 {
			if e&isLink != 0 {
				buf >>= distBits
				have -= distBits
				e = distTable[(e>>16+uint32(buf)&(1<<(e>>8&15)-1))&(distSize-1)]
			}
			if e&isSpecial != 0 {
				return in, out, buf, have, ErrSymbol
			}
		}
		dist := int(e>>16&0x7fff) + int(buf&(1<<(e&63)-1)>>(e>>8&15))
		buf >>= e & 63
		have -= uint(e & 63)
		if dist > out {
			return in, out, buf, have, ErrDistance
		}

		// The copy may run over by up to 15 bytes: they are written again, or are after the result.
		end := out + length
		from := out - dist
		switch {
		case dist >= 8:
			for {
				binary.LittleEndian.PutUint64(dst[out:], binary.LittleEndian.Uint64(dst[from:]))
				binary.LittleEndian.PutUint64(dst[out+8:], binary.LittleEndian.Uint64(dst[from+8:]))
				out += 16
				from += 16
				if out >= end {
					break
				}
			}
		case dist == 1:
			v := uint64(dst[from]) * 0x0101010101010101
			for {
				binary.LittleEndian.PutUint64(dst[out:], v)
				binary.LittleEndian.PutUint64(dst[out+8:], v)
				out += 16
				if out >= end {
					break
				}
			}
		default:
			for out < end {
				dst[out] = dst[from]
				out++
				from++
			}
		}
		out = end
	}

	// The ends: a symbol at a time, every step checked.
	for {
		for have < 48 {
			if in < len(src) {
				buf |= uint64(src[in]) << (have & 63)
			}
			in++
			have += 8
		}
		if in-int(have>>3) > len(src) {
			return in, out, buf, have, ErrShort
		}
		e := lit[buf&(1<<litBits-1)]
		if e&isLink != 0 && e&isLiteral == 0 {
			buf >>= litBits
			have -= litBits
			e = lit[(e>>16+uint32(buf)&(1<<(e>>8&15)-1))&(litSize-1)]
		}
		if e&isLiteral != 0 {
			if out >= len(dst) {
				return in, out, buf, have, ErrLong
			}
			buf >>= e & 63
			have -= uint(e & 63)
			dst[out] = byte(e >> 16)
			out++
			continue
		}
		if e&isSpecial != 0 {
			if e&isEnd == 0 {
				return in, out, buf, have, ErrSymbol
			}
			return in, out, buf >> (e & 63), have - uint(e&63), nil
		}
		length := int(e>>16) + int(buf&(1<<(e&63)-1)>>(e>>8&15))
		buf >>= e & 63
		have -= uint(e & 63)
		e = distTable[buf&(1<<distBits-1)]
		if e&isLink != 0 {
			buf >>= distBits
			have -= distBits
			e = distTable[(e>>16+uint32(buf)&(1<<(e>>8&15)-1))&(distSize-1)]
		}
		if e&isSpecial != 0 {
			return in, out, buf, have, ErrSymbol
		}
		dist := int(e>>16&0x7fff) + int(buf&(1<<(e&63)-1)>>(e>>8&15))
		buf >>= e & 63
		have -= uint(e & 63)
		if dist > out {
			return in, out, buf, have, ErrDistance
		}
		if length > len(dst)-out {
			return in, out, buf, have, ErrLong
		}
		for range length {
			dst[out] = dst[out-dist]
			out++
		}
	}
}

// Zlib decodes the zlib stream at the start of src and returns how many bytes of dst it wrote. The sum of these
// bytes, as computed by sum, must be that of the stream. Bytes after the stream are ignored.
func (d *Decoder) Zlib(dst, src []byte, sum func([]byte) uint32) (int, error) {
	if len(src) < 2 {
		return 0, ErrShort
	}
	if src[0]&15 != 8 || src[0]>>4 > 7 || (uint(src[0])<<8|uint(src[1]))%31 != 0 {
		return 0, ErrHeader
	}
	if src[1]&0x20 != 0 {
		return 0, ErrDict
	}
	n, taken, err := d.Inflate(dst, src[2:])
	if err != nil {
		return n, err
	}
	taken += 2
	if taken > len(src)-4 {
		return n, ErrShort
	}
	if binary.BigEndian.Uint32(src[taken:]) != sum(dst[:n]) {
		return n, ErrChecksum
	}
	return n, nil
}
