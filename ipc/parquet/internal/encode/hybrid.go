package encode

import (
	"encoding/binary"
	"math/bits"
)

// maxPackedGroups is the number of groups of eight values in a bit-packed run, whose header is one byte then.
const maxPackedGroups = 63

// minRun is the number of equal values that are written as a run.
const minRun = 16

// IndexWidth returns the bits of indices into a dictionary of n values.
func IndexWidth(n int) int { return max(1, bits.Len(uint(max(n, 1)-1))) }

// Indices appends indices into a dictionary in the hybrid of runs and bit packing, after the byte that tells their width.
func Indices(dst []byte, indices []uint32, width int) []byte {
	dst = append(dst, byte(width))
	packedFrom := 0
	for at := 0; at < len(indices); {
		n := 1
		for v := indices[at]; at+n < len(indices) && indices[at+n] == v; n++ {
		}
		if n < minRun { // to the end of the group of eight in which it ends
			at += (n + 7) / 8 * 8
			continue
		}
		dst = packedRuns(dst, indices[packedFrom:at], width)
		dst = binary.AppendUvarint(dst, uint64(n)<<1)
		for k := 0; k < width; k += 8 {
			dst = append(dst, byte(indices[at]>>k))
		}
		at += n
		packedFrom = at
	}
	return packedRuns(dst, indices[packedFrom:], width)
}

// packedRuns appends bit-packed runs. Only the last one may be padded, so only the last call may have an odd number of
// values.
func packedRuns(dst []byte, values []uint32, width int) []byte {
	for len(values) > 0 {
		n := min(len(values), 8*maxPackedGroups)
		groups := (n + 7) / 8
		dst = append(dst, byte(groups<<1|1))
		end := len(dst) + groups*width
		dst = packed(dst, values[:n], 0, width)
		for len(dst) < end {
			dst = append(dst, 0)
		}
		values = values[n:]
	}
	return dst
}

// Levels appends the definition levels of n rows of a column that is not nested, with the length before them. A row whose bit
// of valid is not set is null; nil means that none is.
func Levels(dst []byte, valid []byte, n int) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	if valid == nil {
		dst = append(binary.AppendUvarint(dst, uint64(n)<<1), 1)
	} else {
		dst = bitRuns(dst, valid[:(n+7)/8], n)
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// bitRuns appends levels of one bit, whose packed form is a bitmap as it is.
func bitRuns(dst, bitmap []byte, n int) []byte {
	from := 0
	literal := func(to int) {
		for from < to {
			k := min(to-from, maxPackedGroups)
			dst = append(append(dst, byte(k<<1|1)), bitmap[from:from+k]...)
			from += k
		}
	}
	for at := 0; at < len(bitmap); {
		b := bitmap[at]
		end := at + 1
		if b == 0 || b == 0xff {
			for end < len(bitmap) && bitmap[end] == b {
				end++
			}
		}
		if end-at >= minRun/8 && 8*end <= n {
			literal(at)
			dst = append(binary.AppendUvarint(dst, uint64(end-at)*8<<1), b&1)
			from = end
		}
		at = end
	}
	literal(len(bitmap))
	return dst
}
