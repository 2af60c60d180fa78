package kernel

import (
	"encoding/binary"
	"math/bits"
)

// Pad says how text ends inside a cell.
type Pad uint8

// The paddings.
const (
	_          Pad = iota
	Terminated     // at the first NUL, or the cell's end
	NULs           // before the NULs at the cell's end
	Spaces         // before the spaces at the cell's end, and the NULs after them
)

// Slack is the number of bytes that Cells needs after the text in its destination.
const Slack = 16

const (
	ones   = 0x0101010101010101
	high   = 0x8080808080808080
	spaces = 0x2020202020202020
)

// Cells copies the text of n cells of size bytes, stride bytes apart in src, one after the other into dst, and writes
// n+1 offsets into dst, as 32-bit integers in the host's order, to offsets. A cell whose bit in valid (bit 0 on, nil: all
// are set) is 0 counts as empty. dst has room for all bytes of all other cells and Slack more; the text is at most
// 2^31-1 bytes. It returns the length of the text.
func Cells(dst, offsets, src []byte, size, stride, n int, pad Pad, valid []byte) (used int) {
	ne := binary.NativeEndian
	ne.PutUint32(offsets, 0)
	if n == 0 {
		return 0
	}
	done := 0
	if valid == nil && size <= 16 {
		// Whole words are read, the last of which must be inside src.
		words := (size + 7) &^ 7
		if len(src) >= words {
			done = min(n, (len(src)-words)/stride+1)
		}
		mask := uint64(1)<<(8*uint((size-1)&7)+7)<<1 - 1
		switch {
		case done == 0:
		case size <= 8:
			used = shortCells(dst, offsets[4:], src, mask, stride, done, pad)
		default:
			used = pairCells(dst, offsets[4:], src, mask, stride, done, pad)
		}
	}
	for i := done; i < n; i++ {
		if valid == nil || valid[i>>3]>>(i&7)&1 != 0 {
			cell := src[i*stride : i*stride+size]
			used += copy(dst[used:], cell[:TrimLen(cell, pad)])
		}
		ne.PutUint32(offsets[4*(i+1):], uint32(used))
	}
	return used
}

// shortCells is Cells for cells of up to eight bytes, those of mask. Slices of eight bytes, here and in pairCells, cost one check each;
// those without an end take half as long again.
func shortCells(dst, offsets, src []byte, mask uint64, stride, n int, pad Pad) (used int) {
	le, ne := binary.LittleEndian, binary.NativeEndian
	at := 0
	switch pad {
	case Terminated:
		for i := range n {
			x := le.Uint64(src[at:at+8]) & mask
			le.PutUint64(dst[used:used+8], x)
			// The lowest bit of this is in the first zero byte, which exists unless all eight bytes are text.
			used += bits.TrailingZeros64((x-ones)&^x&high) >> 3
			ne.PutUint32(offsets[4*i:4*i+4], uint32(used))
			at += stride
		}
	case Spaces:
		for i := range n {
			x := le.Uint64(src[at:at+8]) & mask
			le.PutUint64(dst[used:used+8], x)
			used += wordLen(x)
			ne.PutUint32(offsets[4*i:4*i+4], uint32(used))
			at += stride
		}
	default:
		for i := range n {
			x := le.Uint64(src[at:at+8]) & mask
			le.PutUint64(dst[used:used+8], x)
			used += (bits.Len64(x) + 7) >> 3
			ne.PutUint32(offsets[4*i:4*i+4], uint32(used))
			at += stride
		}
	}
	return used
}

// pairCells is Cells for cells of nine to sixteen bytes: eight, and those of mask.
func pairCells(dst, offsets, src []byte, mask uint64, stride, n int, pad Pad) (used int) {
	le := binary.LittleEndian
	at := 0
	for i := range n {
		cell := src[at : at+16]
		lo, hi := le.Uint64(cell), le.Uint64(cell[8:])&mask
		out := dst[used : used+16]
		le.PutUint64(out, lo)
		le.PutUint64(out[8:], hi)
		switch pad {
		case Terminated:
			if z := (lo - ones) &^ lo & high; z != 0 {
				used += bits.TrailingZeros64(z) >> 3
			} else {
				used += 8 + bits.TrailingZeros64((hi-ones)&^hi&high)>>3
			}
		case Spaces:
			switch n := wordLen(hi); {
			case n > 0:
				used += 8 + n
			case hi == 0:
				used += wordLen(lo)
			default: // spaces alone: NULs before them are text
				used += (bits.Len64(lo^spaces) + 7) >> 3
			}
		default:
			if hi != 0 {
				used += 8 + (bits.Len64(hi)+7)>>3
			} else {
				used += (bits.Len64(lo) + 7) >> 3
			}
		}
		binary.NativeEndian.PutUint32(offsets[4*i:4*i+4], uint32(used))
		at += stride
	}
	return used
}

// wordLen returns the length of the text in a word, without NULs at its end and the spaces before them.
func wordLen(x uint64) int {
	n := (bits.Len64(x) + 7) >> 3
	return (bits.Len64((x^spaces)&(1<<(8*n)-1)) + 7) >> 3
}

// TrimLen returns the length of the text in a cell.
func TrimLen(cell []byte, pad Pad) int {
	le := binary.LittleEndian
	n := len(cell)
	switch pad {
	case Terminated:
		k := 0
		for ; k+8 <= n; k += 8 {
			x := le.Uint64(cell[k:])
			if z := (x - ones) &^ x & high; z != 0 {
				return k + bits.TrailingZeros64(z)>>3
			}
		}
		for ; k < n; k++ {
			if cell[k] == 0 {
				return k
			}
		}
		return n
	case Spaces:
		n = TrimLen(cell, NULs)
		for ; n >= 8; n -= 8 {
			if x := le.Uint64(cell[n-8:]) ^ spaces; x != 0 {
				return n - bits.LeadingZeros64(x)>>3
			}
		}
		for n > 0 && cell[n-1] == ' ' {
			n--
		}
		return n
	}
	for ; n >= 8; n -= 8 {
		if x := le.Uint64(cell[n-8:]); x != 0 {
			return n - bits.LeadingZeros64(x)>>3
		}
	}
	for n > 0 && cell[n-1] == 0 {
		n--
	}
	return n
}
