package nullbitmap

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// FromMask writes the validity of len(mask) values to dst, from bit off on, from one byte per value, which is set when
// it is not zero. It returns the number of zero bits that it wrote. For masks of wider integers use [Nonzero].
func FromMask(dst []byte, off int, mask []byte, p Polarity, m Mode) (nulls int) {
	return active.apply(byteMask(p), dst, off, mask, m)
}

// FromMaskStrided is [FromMask] for n mask bytes, stride bytes apart, such as a bool member of a compound; see
// [Rule.ApplyStrided].
func FromMaskStrided(dst []byte, off int, mask []byte, stride, n int, p Polarity, m Mode) (nulls int) {
	return active.applyStrided(byteMask(p), dst, off, mask, stride, n, m)
}

// PackBools writes len(bools) values to dst as bits, from bit off on: 1 for each byte that is not zero. It is [FromMask]
// with SetIsValid and Overwrite, and returns the number of ones.
func PackBools(dst []byte, off int, bools []byte) (trues int) {
	return len(bools) - FromMask(dst, off, bools, SetIsValid, Overwrite)
}

// The rules for byte masks are made here, not by Nonzero, so that using them allocates nothing.
var (
	setIsNull  = Rule{1, []test{{op: opMasked, width: 1, and: 0xff, flip: ^uint64(0)}}}
	setIsValid = Rule{1, []test{{op: opMasked, width: 1, and: 0xff}}}
)

func byteMask(p Polarity) Rule {
	switch p {
	case SetIsNull:
		return setIsNull
	case SetIsValid:
		return setIsValid
	}
	panic(fmt.Sprintf("nullbitmap: polarity %v", p))
}

// FromBits writes n bits of src, from its bit srcOff on, to dst, from its bit off on, as validity. Offsets count in
// the bit order given; src is in that order, dst always LSB first. It returns the number of zero bits among those
// that it wrote. dst and src may share memory only if they, their offsets and the order are the same.
func FromBits(dst []byte, off int, src []byte, srcOff, n int, order BitOrder, p Polarity, m Mode) (nulls int) {
	return n - moveBits(dst, off, LSBFirst, src, srcOff, order, n, p, m)
}

// ToBits is the inverse of [FromBits] in its Overwrite mode: it writes n validity bits of src, from bit srcOff on, to
// dst, from its bit off on (counted in order), in that order and polarity. Bits of dst outside that range are kept.
func ToBits(dst []byte, off int, order BitOrder, p Polarity, src []byte, srcOff, n int) {
	moveBits(dst, off, order, src, srcOff, LSBFirst, n, p, Overwrite)
}

// moveBits moves bits between the bit orders and returns the number of ones that it wrote.
func moveBits(dst []byte, off int, order BitOrder, src []byte, srcOff int, srcOrder BitOrder, n int, p Polarity, m Mode) (ones int) {
	checkBits("destination", dst, off, n)
	checkBits("source", src, srcOff, n)
	keep, flip, msb, srcMSB := keepOf(m), flipBits(p), isMSB(order), isMSB(srcOrder)
	if n == 0 {
		return 0
	}
	// Up to a byte border of dst, whole words, the rest.
	if head := min(-off&7, n); head != 0 {
		ones += putBits(dst, off, head, loadBits(src, srcOff, head, srcMSB)^flip, msb, keep)
		off, srcOff, n = off+head, srcOff+head, n-head
	}
	d, s, sh := dst[off>>3:], src[srcOff>>3:], uint(srcOff&7)
	for ; n >= 64 && len(s) >= 9; d, s, n = d[8:], s[8:], n-64 {
		x, y := binary.LittleEndian.Uint64(s), uint64(s[8])
		if srcMSB {
			x, y = reverseEach(x), reverseEach(y)
		}
		x = (x>>sh | y<<(64-sh)) ^ flip
		if msb {
			x = reverseEach(x)
		}
		x &= binary.LittleEndian.Uint64(d) | keep
		binary.LittleEndian.PutUint64(d, x)
		ones += bits.OnesCount64(x)
	}
	for at := 0; n > 0; {
		c := min(n, 64)
		ones += putBits(d, at, c, loadBits(s, int(sh)+at, c, srcMSB)^flip, msb, keep)
		at, n = at+c, n-c
	}
	return ones
}

// ToMask is the inverse of [FromMask]: it writes one byte, 0 or 1, into dst for each of len(dst) bits of bitmap from bit
// off on.
func ToMask(dst []byte, p Polarity, bitmap []byte, off int) {
	active.toInts(dst, 1, 1, p, bitmap, off)
}

// UnpackBools is the inverse of [PackBools]: one byte, 0 or 1, for each of len(dst) bits.
func UnpackBools(dst []byte, bitmap []byte, off int) {
	active.toInts(dst, 1, 1, SetIsValid, bitmap, off)
}

// ToInts is the inverse of [Nonzero]: it writes an integer of width bytes (1 to 8), 0 or 1, in the given byte order
// into dst for each of len(dst)/width bits of bitmap from bit off on. len(dst) is a multiple of width.
func ToInts(dst []byte, width int, order ByteOrder, p Polarity, bitmap []byte, off int) {
	if width < 1 || width > 8 || checkOrder(order) != nil {
		panic(fmt.Sprintf("nullbitmap: integers of %d bytes, %v", width, order))
	}
	one := uint64(1)
	if order == BigEndian {
		one = swapN(1, width)
	}
	active.toInts(dst, width, one, p, bitmap, off)
}

func (k *kernels) toInts(dst []byte, width int, one uint64, p Polarity, bitmap []byte, off int) {
	n := countOf(dst, width)
	checkBits("bitmap", bitmap, off, n)
	flip := byte(flipBits(p))
	if n == 0 {
		return
	}
	bitmap = bitmap[off>>3:]
	if bit := uint(off & 7); bit != 0 {
		c := min(8-int(bit), n)
		expandByte(dst[:c*width], (bitmap[0]^flip)>>bit, width, one)
		dst, bitmap, n = dst[c*width:], bitmap[1:], n-c
	}
	whole := n >> 3
	k.expand[width](dst[:whole*8*width], bitmap[:whole], flip, one)
	if n&7 != 0 {
		expandByte(dst[whole*8*width:], bitmap[whole]^flip, width, one)
	}
}

// WriteSentinel is the inverse of [Equal] and [MinusOne]: it copies sentinel, raw bytes as stored (see [Stored]), over
// each element of len(sentinel) bytes in values whose bit in bitmap, counted from off on, is 0. The others are left as
// they are; one that is valid and happens to equal the sentinel will read back as null. It returns the number of
// elements written. len(values) is a multiple of len(sentinel), which is at least 1.
func WriteSentinel(values, sentinel []byte, bitmap []byte, off int) (nulls int) {
	return active.writeSentinel(values, sentinel, bitmap, off)
}

func (k *kernels) writeSentinel(values, sentinel []byte, bitmap []byte, off int) (nulls int) {
	w, n := len(sentinel), countOf(values, len(sentinel))
	checkBits("bitmap", bitmap, off, n)
	if w > 8 || k.blend[w] == nil || n < 64 {
		return writeSentinel(values, w, n, sentinel, bitmap, off)
	}
	// Up to a byte border of the bitmap, groups, the rest.
	if head := -off & 7; head != 0 {
		nulls += writeSentinel(values, w, head, sentinel, bitmap, off)
		values, off, n = values[head*w:], off+head, n-head
	}
	bitmap = bitmap[off>>3:]
	groups := n / 64
	nulls += groups*64 - k.blend[w](values, bitmap, groups, loadN(sentinel))
	return nulls + writeSentinel(values[groups*64*w:], w, n&63, sentinel, bitmap[groups*8:], 0)
}

// WriteSentinelStrided is [WriteSentinel] for n elements, stride bytes apart; see [Rule.ApplyStrided].
func WriteSentinelStrided(values []byte, stride, n int, sentinel []byte, bitmap []byte, off int) (nulls int) {
	w := len(sentinel)
	checkStrided(values, stride, n, w)
	checkBits("bitmap", bitmap, off, n)
	return writeSentinel(values, stride, n, sentinel, bitmap, off)
}

// writeSentinel visits the nulls one by one.
func writeSentinel(values []byte, stride, n int, sentinel []byte, bitmap []byte, off int) (nulls int) {
	w := len(sentinel)
	for i := 0; i < n; i += 64 {
		c := min(n-i, 64)
		for x := ^loadBits(bitmap, off+i, c, false) & lowBits(c); x != 0; x &= x - 1 {
			at := (i + bits.TrailingZeros64(x)) * stride
			copy(values[at:at+w], sentinel)
			nulls++
		}
	}
	return nulls
}

// WriteBits is the inverse of [AnyBit]: in each element of len(mask) bytes in values it sets or clears all the bits of
// mask according to the bit in bitmap, counted from off on, and the polarity, and leaves the element's other bits alone.
// len(values) is a multiple of len(mask), which is at least 1.
func WriteBits(values, mask []byte, p Polarity, bitmap []byte, off int) {
	active.writeBits(values, mask, p, bitmap, off)
}

func (k *kernels) writeBits(values, mask []byte, p Polarity, bitmap []byte, off int) {
	w, n := len(mask), countOf(values, len(mask))
	checkBits("bitmap", bitmap, off, n)
	flip := byte(flipBits(p))
	if w > 8 {
		for i := 0; i < n; i++ {
			set := -((bitmap[(off+i)>>3] ^ flip) >> uint((off+i)&7) & 1)
			for b, m := range mask {
				values[i*w+b] = values[i*w+b]&^m | m&set
			}
		}
		return
	}
	// The bits to set are made in blocks of elements, then merged in.
	buf := gatherPool.Get().(*[gatherBytes]byte)
	defer gatherPool.Put(buf)
	var period [8]byte // the mask's bytes over and over, where the width divides 8
	for i := range period {
		period[i] = mask[i%w]
	}
	clear64, one := ^binary.LittleEndian.Uint64(period[:]), loadN(mask)
	c := gatherBytes/w&^7 - off&7
	for i := 0; i < n; c = gatherBytes / w &^ 7 {
		c = min(c, n-i)
		set, v := buf[:c*w], values[i*w:(i+c)*w]
		k.toInts(set, w, one, p, bitmap, off+i)
		b := 0
		if 8%w == 0 {
			for ; b+8 <= len(v); b += 8 {
				binary.LittleEndian.PutUint64(v[b:], binary.LittleEndian.Uint64(v[b:])&clear64|binary.LittleEndian.Uint64(set[b:]))
			}
		}
		for ; b < len(v); b++ {
			v[b] = v[b]&^mask[b%w] | set[b]
		}
		i += c
	}
}

// CountNulls returns the number of 0 bits among the n bits of bitmap from bit off on.
func CountNulls(bitmap []byte, off, n int) int {
	checkBits("bitmap", bitmap, off, n)
	if n == 0 {
		return 0
	}
	total := n
	if head := min(-off&7, n); head != 0 {
		total -= bits.OnesCount64(loadBits(bitmap, off, head, false))
		off, n = off+head, n-head
	}
	b := bitmap[off>>3:]
	for ; n >= 256; b, n = b[32:], n-256 {
		s := (*[32]byte)(b)
		total -= bits.OnesCount64(binary.LittleEndian.Uint64(s[:8])) + bits.OnesCount64(binary.LittleEndian.Uint64(s[8:16])) +
			bits.OnesCount64(binary.LittleEndian.Uint64(s[16:24])) + bits.OnesCount64(binary.LittleEndian.Uint64(s[24:]))
	}
	for ; n >= 64; b, n = b[8:], n-64 {
		total -= bits.OnesCount64(binary.LittleEndian.Uint64(b))
	}
	if n > 0 {
		total -= bits.OnesCount64(loadBits(b, 0, n, false))
	}
	return total
}

// Fill sets n bits of dst from bit off on: to 1 where valid, else to 0. It returns the number of nulls, 0 or n.
func Fill(dst []byte, off, n int, valid bool) (nulls int) {
	checkBits("destination", dst, off, n)
	if n == 0 {
		return 0
	}
	var v byte
	if valid {
		v = 255
	} else {
		nulls = n
	}
	first, last := off>>3, (off+n-1)>>3
	lead, trail := byte(255)<<uint(off&7), byte(255)>>uint(7-(off+n-1)&7)
	if first == last {
		lead &= trail
		dst[first] = dst[first]&^lead | v&lead
		return nulls
	}
	dst[first] = dst[first]&^lead | v&lead
	dst[last] = dst[last]&^trail | v&trail
	middle := dst[first+1 : last]
	for i := range middle {
		middle[i] = v
	}
	return nulls
}

// Copy copies n bits of src from bit srcOff on to dst from bit off on and returns the number of zeros among them. dst
// and src may share memory only if the offsets are the same.
func Copy(dst []byte, off int, src []byte, srcOff, n int) (nulls int) {
	return FromBits(dst, off, src, srcOff, n, LSBFirst, SetIsValid, Overwrite)
}

// And clears those of the n bits of dst from bit off on that are 0 in src, counted from bit srcOff on: a value stays
// valid where it is valid in both. It returns the number of zeros in dst's range afterward.
func And(dst []byte, off int, src []byte, srcOff, n int) (nulls int) {
	return FromBits(dst, off, src, srcOff, n, LSBFirst, SetIsValid, Intersect)
}

// ClearTrailing zeroes all bits of bitmap from bit n on, as Arrow recommends. n is at most
// len(bitmap)*8.
func ClearTrailing(bitmap []byte, n int) {
	checkBits("bitmap", bitmap, 0, n)
	if n&7 != 0 {
		bitmap[n>>3] &= 1<<uint(n&7) - 1
		n += 8 - n&7
	}
	clear(bitmap[n>>3:])
}

// RowsAny turns the validity of items, rows rows of k items each, from bit itemOff of items on, into the validity of
// rows in dst, from bit off on: a row is null when any of its items is. A row of no items is valid. It returns the
// number of zeros among the bits that it wrote. dst and items share no memory.
func RowsAny(dst []byte, off int, items []byte, itemOff, rows, k int, m Mode) (nulls int) {
	return byRow(dst, off, items, itemOff, rows, k, m, false)
}

// RowsAll is [RowsAny] where a row is null when it has items and all of them are null.
func RowsAll(dst []byte, off int, items []byte, itemOff, rows, k int, m Mode) (nulls int) {
	return byRow(dst, off, items, itemOff, rows, k, m, true)
}

func byRow(dst []byte, off int, items []byte, itemOff, rows, k int, m Mode, all bool) (nulls int) {
	checkBits("destination", dst, off, rows)
	checkItems("items", items, itemOff, rows, k)
	keep := keepOf(m)
	for i := 0; i < rows; {
		c := min(rows-i, 64-(off+i)&7)
		var word uint64
		switch {
		case k == 0:
			word = lowBits(c)
		case k <= 32:
			word = narrowRows(items, itemOff+i*k, c, k, all)
		default:
			for r := 0; r < c; r++ {
				if n := CountNulls(items, itemOff+(i+r)*k, k); n == 0 || all && n < k {
					word |= 1 << uint(r)
				}
			}
		}
		nulls += c - putBits(dst, off+i, c, word, false, keep)
		i += c
	}
	return nulls
}

// narrowRows makes the validity bits of c rows of k items, k being at most 32, out of words that hold several rows.
func narrowRows(items []byte, off, c, k int, all bool) (word uint64) {
	row, several := lowBits(k), 64/k
	for r := 0; r < c; {
		now := min(several, c-r)
		x := loadBits(items, off+r*k, now*k, false)
		if !all {
			x = ^x // a row is valid when none is null, or, for all, when not none is valid
		}
		var some uint64
		for j := 0; j < now; j, x = j+1, x>>uint(k&63) {
			y := x & row
			some |= (y | -y) >> 63 << uint(j&63)
		}
		if !all {
			some = ^some & lowBits(now)
		}
		word |= some << uint(r)
		r += now
	}
	return word
}

// Repeat writes each of n bits of src, from bit srcOff on, k times to dst, from bit off on: the validity of rows as
// that of their k items, or a quality bit per second as that of its samples. It returns the number of zeros among the
// n*k bits that it wrote. dst and src share no memory.
func Repeat(dst []byte, off int, src []byte, srcOff, n, k int, m Mode) (nulls int) {
	checkItems("destination", dst, off, n, k)
	checkBits("source", src, srcOff, n)
	keep := keepOf(m)
	if k == 0 {
		return 0
	}
	if k > 32 {
		for i := 0; i < n; i, off = i+1, off+k {
			valid := src[(srcOff+i)>>3]>>uint((srcOff+i)&7)&1 != 0
			if valid && keep == 0 {
				nulls += CountNulls(dst, off, k)
			} else {
				nulls += Fill(dst, off, k, valid)
			}
		}
		return nulls
	}
	for i := 0; i < n; {
		// As many bits as make a word of at most 57, which any offset leaves room for.
		c := min(57/k, n-i)
		x := loadBits(src, srcOff+i, c, false)
		var word uint64
		for j := 0; j < c; j++ {
			word |= -(x >> uint(j&63) & 1) & lowBits(k) << uint(j*k&63)
		}
		nulls += c*k - putBits(dst, off+i*k, c*k, word, false, keep)
		i += c
	}
	return nulls
}

func checkItems(what string, b []byte, off, rows, k int) {
	hi, n := bits.Mul64(uint64(rows), uint64(k))
	if rows < 0 || k < 0 || hi != 0 || n > uint64(int(^uint(0)>>1)) {
		panic(fmt.Sprintf("nullbitmap: %s: %d rows of %d items", what, rows, k))
	}
	checkBits(what, b, off, int(n))
}

func countOf(values []byte, width int) int {
	if width < 1 || len(values)%width != 0 {
		panic(fmt.Sprintf("nullbitmap: %d bytes of elements of %d bytes", len(values), width))
	}
	return len(values) / width
}

func checkStrided(values []byte, stride, n, w int) {
	if w < 1 || stride < w || n < 0 || n > 0 && (len(values) < w || n-1 > (len(values)-w)/stride) {
		panic(fmt.Sprintf("nullbitmap: %d elements of %d bytes every %d bytes do not lie in %d bytes", n, w, stride, len(values)))
	}
}

func flipBits(p Polarity) uint64 {
	switch p {
	case SetIsNull:
		return ^uint64(0)
	case SetIsValid:
		return 0
	}
	panic(fmt.Sprintf("nullbitmap: polarity %v", p))
}

func isMSB(o BitOrder) bool {
	switch o {
	case LSBFirst:
		return false
	case MSBFirst:
		return true
	}
	panic(fmt.Sprintf("nullbitmap: bit order %v", o))
}

// lowBits has c low bits set, 0 <= c <= 64.
func lowBits(c int) uint64 { return 1<<uint(c) - 1 }

// load64 loads the first 1 to 8 bytes of b, at most eight, missing ones as zero.
func load64(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.LittleEndian.Uint64(b)
	}
	return loadN(b)
}

// loadBits returns c bits of b (1 to 64) from bit off on, the first as the lowest; the others are zero. It reads no byte
// that has none of them.
func loadBits(b []byte, off, c int, msb bool) uint64 {
	b = b[off>>3 : (off+c+7)>>3]
	sh := uint(off & 7)
	x := load64(b)
	if msb {
		x = reverseEach(x)
	}
	x >>= sh
	if len(b) > 8 {
		y := b[8]
		if msb {
			y = bits.Reverse8(y)
		}
		x |= uint64(y) << (64 - sh)
	}
	return x & lowBits(c)
}

// putBits and-s the low c bits of x with old | keep, stores them at bit off of b, and returns the number of ones. off%8+c
// is at most 64. It keeps the bits beside them and touches no byte that has none of them.
func putBits(b []byte, off, c int, x uint64, msb bool, keep uint64) (ones int) {
	b = b[off>>3 : (off+c+7)>>3]
	sh := uint(off & 7)
	put := lowBits(c) << sh
	x = x << sh & put
	if msb {
		x, put = reverseEach(x), reverseEach(put)
	}
	old := load64(b)
	x &= old | keep
	old = old&^put | x
	if len(b) == 8 {
		binary.LittleEndian.PutUint64(b, old)
	} else {
		for i := range b {
			b[i] = byte(old >> uint(8*i))
		}
	}
	return bits.OnesCount64(x)
}

// reverseEach reverses the bits of each byte of x.
func reverseEach(x uint64) uint64 { return bits.ReverseBytes64(bits.Reverse64(x)) }
