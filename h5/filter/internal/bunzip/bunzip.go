// Package bunzip decodes bzip2 streams whose decoded size is known or bounded, from one slice into another.
//
// A stream is the letters BZh and a digit, blocks, and an end. A block was encoded by run lengths, the Burrows-Wheeler
// transform, move to front, run lengths of zeros, and prefix codes, of which up to six alternate. This package undoes these
// steps from the last to the first.
package bunzip

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
	ErrHeader   = Error("not a bzip2 stream")
	ErrRandom   = Error("a block in the randomized form of bzip2 before 0.9.5")
	ErrBlock    = Error("a bad block")
	ErrCode     = Error("code lengths that do not form a prefix code")
	ErrChecksum = Error("checksum differs")
)

const (
	blockMagic = 0x314159265359
	endMagic   = 0x177245385090

	maxSymbols = 258
	maxBits    = 20
	fastBits   = 10
	groupSize  = 50 // symbols for which a code is used, before the next one is chosen
	maxGroups  = 18002
)

// code is a canonical prefix code.
type code struct {
	fast  [1 << fastBits]uint16 // symbol<<4 | length for bits that start with a short code, 0 for others
	limit [maxBits + 2]uint32   // of the codes of each length, the end, as if they had maxBits bits
	base  [maxBits + 2]uint32   // of the codes of each length, the first, and where it is in order
	first [maxBits + 2]uint16
	order [maxSymbols]uint16
}

// Decoder holds what is needed for a block. The zero value is ready.
type Decoder struct {
	codes     [6]code
	selectors [maxGroups]uint8
	chain     []uint32 // the transformed block, and for each byte where the next one is
	r         reader
}

// reader reads bits, the highest of a byte first. Bits past the end are zero.
type reader struct {
	b   []byte
	at  int
	buf uint64 // the next bits, from the highest down; what is below the first n is zero or true bits of b
	n   int
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

// short reports whether more bits were taken than there are.
func (r *reader) short() bool { return r.at-r.n>>3 > len(r.b) }

// Decode decodes the stream at the start of src and returns how many bytes of dst it wrote.
func (d *Decoder) Decode(dst, src []byte) (int, error) {
	d.r = reader{b: src}
	defer func() { d.r.b = nil }()
	if d.r.take(24) != 'B'<<16|'Z'<<8|'h' {
		return 0, ErrHeader
	}
	level := int(d.r.take(8)) - '0'
	if level < 1 || level > 9 {
		return 0, ErrHeader
	}
	out := 0
	var all uint32
	for {
		magic := uint64(d.r.take(24))<<24 | uint64(d.r.take(24))
		sum := d.r.take(32)
		if d.r.short() {
			return out, ErrShort
		}
		if magic == endMagic {
			if sum != all {
				return out, ErrChecksum
			}
			return out, nil
		}
		if magic != blockMagic {
			return out, ErrBlock
		}
		// Each four bytes that are equal are followed by a count: a block is at most a quarter longer than the data.
		n, start, err := d.transformed(min(level*100_000, (len(dst)-out)+(len(dst)-out)/4+1))
		if err != nil {
			return out, err
		}
		end, err := d.inverse(dst, out, n, start)
		if err != nil {
			return out, err
		}
		if got := checksum(dst[out:end]); got != sum {
			return out, ErrChecksum
		}
		out = end
		all = bits.RotateLeft32(all, 1) ^ sum
	}
}

// transformed reads a block up to the transform: its bytes go to chain. It returns how many they are, at most limit,
// and where the first one of the data is.
func (d *Decoder) transformed(limit int) (n, start int, err error) {
	r := &d.r
	if r.take(1) != 0 {
		return 0, 0, ErrRandom
	}
	start = int(r.take(24))

	// The bytes that occur: sixteen bits say in which sixteenths, and sixteen more for each of these.
	var front [256]uint8
	used := 0
	for sixteenths, hi := r.take(16), 0; hi < 16; hi++ {
		if sixteenths&(0x8000>>hi) == 0 {
			continue
		}
		for in, lo := r.take(16), 0; lo < 16; lo++ {
			if in&(0x8000>>lo) != 0 {
				front[used] = uint8(hi<<4 | lo)
				used++
			}
		}
	}
	if used == 0 {
		return 0, 0, ErrBlock
	}
	symbols := used + 2 // two for runs, one for the end, and none for the front byte

	// Which code is used for each group of symbols: moved to front, in unary.
	codes, groups := int(r.take(3)), int(r.take(15))
	if codes < 2 || codes > 6 || groups == 0 {
		return 0, 0, ErrBlock
	}
	order := [6]uint8{0, 1, 2, 3, 4, 5}
	for i := range groups {
		k := 0
		for r.take(1) == 1 {
			if k++; k >= codes {
				return 0, 0, ErrBlock
			}
		}
		c := order[k]
		copy(order[1:k+1], order[:k])
		order[0] = c
		if i < maxGroups { // more are allowed, but useless
			d.selectors[i] = c
		}
	}
	groups = min(groups, maxGroups)

	// The lengths of each code, each as steps from the one before.
	for i := range codes {
		var lens [maxSymbols]uint8
		n := int(r.take(5))
		for s := range symbols {
			for {
				if n < 1 || n > maxBits {
					return 0, 0, ErrCode
				}
				if r.take(1) == 0 {
					break
				}
				if r.take(1) == 0 {
					n++
				} else {
					n--
				}
			}
			lens[s] = uint8(n)
		}
		if !d.codes[i].build(lens[:symbols]) {
			return 0, 0, ErrCode
		}
	}
	if r.short() {
		return 0, 0, ErrShort
	}

	if cap(d.chain) < limit {
		d.chain = make([]uint32, limit)
	}
	chain := d.chain[:limit]
	run, weight := 0, 1 // of zeros, in a bijective binary form
	end := symbols - 1
	for g := range groups {
		c := &d.codes[d.selectors[g]]
		if r.short() {
			return 0, 0, ErrShort
		}
		for range groupSize {
			if r.n < maxBits {
				r.fill()
			}
			var sym int
			if e := c.fast[r.buf>>(64-fastBits)]; e != 0 {
				sym = int(e >> 4)
				r.buf <<= e & 15
				r.n -= int(e & 15)
			} else {
				v := uint32(r.buf >> (64 - maxBits))
				l := fastBits + 1
				for l <= maxBits && v >= c.limit[l] {
					l++
				}
				if l > maxBits {
					return 0, 0, ErrBlock
				}
				sym = int(c.order[c.first[l]+uint16((v-c.base[l])>>(maxBits-l))])
				r.buf <<= l & 63
				r.n -= l
			}
			if sym < 2 {
				if run > limit {
					return 0, 0, ErrLong
				}
				run += weight << sym
				weight <<= 1
				continue
			}
			if run > 0 {
				if run > limit-n {
					return 0, 0, ErrLong
				}
				v := uint32(front[0])
				for i := range chain[n : n+run] {
					chain[n+i] = v
				}
				n += run
				run, weight = 0, 1
			}
			if sym == end {
				if start >= n {
					return 0, 0, ErrBlock
				}
				return n, start, nil
			}
			if n >= limit {
				return 0, 0, ErrLong
			}
			k := sym - 1
			b := front[k]
			if k < 16 {
				for ; k > 0; k-- {
					front[k] = front[k-1]
				}
			} else {
				copy(front[1:k+1], front[:k])
			}
			front[0] = b
			chain[n] = uint32(b)
			n++
		}
	}
	return 0, 0, ErrBlock
}

// inverse undoes the transform and the run lengths of the first n entries of chain, into dst from out on. It returns
// where it ended.
func (d *Decoder) inverse(dst []byte, out, n, at int) (int, error) {
	chain := d.chain[:n]
	var count [256]uint32
	for _, v := range chain {
		count[v&0xff]++
	}
	sum := uint32(0)
	for i, c := range count {
		count[i] = sum
		sum += c
	}
	for i, v := range chain {
		b := v & 0xff
		chain[count[b]] |= uint32(i) << 8
		count[b]++
	}
	next := chain[at] >> 8
	equal, last := 0, -1
	for range n {
		if int(next) >= len(chain) {
			return 0, ErrBlock
		}
		v := chain[next]
		b := byte(v)
		next = v >> 8
		if equal == 4 {
			if int(b) > len(dst)-out {
				return 0, ErrLong
			}
			for i := range dst[out : out+int(b)] {
				dst[out+i] = byte(last)
			}
			out += int(b)
			equal, last = 0, -1
			continue
		}
		if int(b) == last {
			equal++
		} else {
			equal, last = 1, int(b)
		}
		if out >= len(dst) {
			return 0, ErrLong
		}
		dst[out] = b
		out++
	}
	return out, nil
}

// build makes the tables of the canonical code with these lengths, of 1 to maxBits bits. Codes may be left over.
func (c *code) build(lens []uint8) bool {
	var count [maxBits + 2]uint32
	for _, l := range lens {
		count[l]++
	}
	clear(c.fast[:])
	next, place := uint32(0), uint16(0)
	for l := 1; l <= maxBits; l++ {
		c.base[l], c.first[l] = next, place
		next += count[l] << (maxBits - l)
		if next > 1<<maxBits {
			return false
		}
		c.limit[l] = next
		place += uint16(count[l])
	}
	at := c.first
	for s, l := range lens {
		i := at[l]
		at[l]++
		c.order[i] = uint16(s)
		if l <= fastBits {
			from := c.base[l]>>(maxBits-fastBits) + uint32(i-c.first[l])<<(fastBits-l)
			e := uint16(s)<<4 | uint16(l)
			for k := range uint32(1) << (fastBits - l) {
				c.fast[from+k] = e
			}
		}
	}
	return true
}

// checksumTable is of the CRC-32 of which the highest bit comes first.
var checksumTable = func() (t [256]uint32) {
	for i := range t {
		v := uint32(i) << 24
		for range 8 {
			if v&0x80000000 != 0 {
				v = v<<1 ^ 0x04c11db7
			} else {
				v <<= 1
			}
		}
		t[i] = v
	}
	return t
}()

func checksum(b []byte) uint32 {
	v := ^uint32(0)
	for _, c := range b {
		v = v<<8 ^ checksumTable[byte(v>>24)^c]
	}
	return ^v
}
