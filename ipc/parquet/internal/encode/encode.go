// Package encode encodes the values of Parquet's data pages: PLAIN, BYTE_STREAM_SPLIT, DELTA_BINARY_PACKED, dictionaries and
// levels, as the format's document "Encodings" describes them. Values are 32 or 64 bits wide and given as bits; signed
// numbers are in two's complement, floats in IEEE's form. All functions append to a slice and return it.
package encode

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Word is the bits of a value.
type Word interface{ uint32 | uint64 }

// Width returns the bytes of a value.
func Width[T Word]() int {
	return bits.Len64(uint64(^T(0))) / 8
}

// Plain appends the values in little-endian order.
func Plain[T Word](dst []byte, values []T) []byte {
	n := len(dst)
	dst = slices.Grow(dst, len(values)*Width[T]())[:n+len(values)*Width[T]()]
	out := dst[n:]
	switch v := any(values).(type) {
	case []uint32:
		for i, x := range v {
			binary.LittleEndian.PutUint32(out[4*i:], x)
		}
	case []uint64:
		for i, x := range v {
			binary.LittleEndian.PutUint64(out[8*i:], x)
		}
	}
	return dst
}

// Split appends the values in BYTE_STREAM_SPLIT: the first bytes of all values, then the second bytes, and so on.
func Split[T Word](dst []byte, values []T) []byte {
	n, count := len(dst), len(values)
	dst = slices.Grow(dst, count*Width[T]())[:n+count*Width[T]()]
	out := dst[n:]
	at := 0
	if v, ok := any(values).([]uint64); ok {
		for ; at+8 <= count; at += 8 {
			x := [8]uint64(v[at:])
			transpose(&x)
			for k, row := range x {
				binary.LittleEndian.PutUint64(out[k*count+at:], row)
			}
		}
	}
	for k := range Width[T]() {
		plane := out[k*count:][:count]
		for i := at; i < count; i++ {
			plane[i] = byte(values[i] >> (8 * k))
		}
	}
	return dst
}

// transpose makes byte i of word k byte k of word i.
func transpose(x *[8]uint64) {
	for _, s := range [...]struct {
		apart int
		shift uint
		mask  uint64
	}{{1, 8, 0x00ff00ff00ff00ff}, {2, 16, 0x0000ffff0000ffff}, {4, 32, 0x00000000ffffffff}} {
		for i := range 8 {
			if i&s.apart == 0 {
				a, b := &x[i], &x[i+s.apart]
				t := (*a>>s.shift ^ *b) & s.mask
				*b ^= t
				*a ^= t << s.shift
			}
		}
	}
}

// packed appends the lowest width bits of each value less base, from the lowest bit of the first byte on.
func packed[T Word](dst []byte, values []T, base T, width int) []byte {
	if width == 0 {
		return dst
	}
	var acc uint64
	held := 0 // bits of acc
	for _, v := range values {
		x := uint64(v - base)
		acc |= x << held
		held += width
		if held >= 64 {
			dst = binary.LittleEndian.AppendUint64(dst, acc)
			held -= 64
			acc = x >> (width - held) // 0 for a shift of 64
		}
	}
	for ; held > 0; held -= 8 {
		dst = append(dst, byte(acc))
		acc >>= 8
	}
	return dst
}
