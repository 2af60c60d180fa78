package kernel

import "encoding/binary"

// Subtract writes the elements of src less d to dst, which may be src: signed integers of width 4 or 8 bytes in the host's
// order. dst has room for them.
func Subtract(dst, src []byte, width int, d int64) {
	ne := binary.NativeEndian
	dst = dst[:len(src)]
	if width == 8 {
		for ; len(src) >= 8; src, dst = src[8:], dst[8:] {
			ne.PutUint64(dst, ne.Uint64(src)-uint64(d))
		}
		return
	}
	d32 := uint32(d)
	for ; len(src) >= 8; src, dst = src[8:], dst[8:] {
		w := ne.Uint64(src)
		ne.PutUint64(dst, uint64(uint32(w)-d32)|uint64(uint32(w>>32)-d32)<<32)
	}
	if len(src) >= 4 {
		ne.PutUint32(dst, ne.Uint32(src)-d32)
	}
}

// Starts reports whether none of the bytes of data at the given offsets is inside a character of UTF-8. off are signed
// integers of width 4 or 8 bytes in the host's order, start is the offset of the first byte of data. Offsets outside data
// do not count.
func Starts(data, off []byte, width int, start int64) bool {
	ne := binary.NativeEndian
	var inside byte // the lowest bit is set once a byte was 0b10......
	if width == 8 {
		for ; len(off) >= 8; off = off[8:] {
			if at := ne.Uint64(off) - uint64(start); at < uint64(len(data)) {
				inside |= data[at] >> 7 &^ (data[at] >> 6)
			}
		}
		return inside&1 == 0
	}
	for ; len(off) >= 4; off = off[4:] {
		if at := uint64(int64(int32(ne.Uint32(off))) - start); at < uint64(len(data)) {
			inside |= data[at] >> 7 &^ (data[at] >> 6)
		}
	}
	return inside&1 == 0
}
