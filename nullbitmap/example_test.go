package nullbitmap_test

import (
	"fmt"
	"math"

	"github.com/h5arrow/h5arrow/nullbitmap"
)

// A numpy mask beside its data: non-zero is missing.
func ExampleFromMask() {
	mask := []byte{0, 0, 1, 0, 1, 0, 0, 0, 0, 1}
	bitmap := make([]byte, 2)
	nulls := nullbitmap.FromMask(bitmap, 0, mask, nullbitmap.SetIsNull, nullbitmap.Overwrite)
	fmt.Printf("%d nulls, %08b\n", nulls, bitmap)
	// Output: 3 nulls, [11101011 00000001]
}

// netCDF's rules for one variable: a fill value, a valid range, both as stored, and NaN on top.
func ExampleAny() {
	const order = nullbitmap.BigEndian
	fill, err := nullbitmap.EqualFloat(4, order, -999)
	if err != nil {
		fmt.Println(err)
		return
	}
	valid, _ := nullbitmap.OutsideFloat(4, order, 0, 100)
	nan, _ := nullbitmap.NaN(4, order)
	rule, _ := nullbitmap.Any(fill, valid, nan)

	var values []byte
	for _, v := range []float64{1, -999, 50, 100.5, math.NaN(), 100} {
		values = append(values, nullbitmap.StoredFloat(v, 4, order)...)
	}
	bitmap := make([]byte, 1)
	nulls := rule.Apply(bitmap, 0, values, nullbitmap.Overwrite)
	fmt.Printf("%d nulls, %08b\n", nulls, bitmap)
	// Output: 3 nulls, [00100101]
}

// Two sources for one column: a mask, and codes of -1.
func ExampleRule_Apply_intersect() {
	codes := []byte{2, 0xff, 0, 1}
	mask := []byte{0, 0, 0, 1}
	bitmap := make([]byte, 1)
	nullbitmap.FromMask(bitmap, 0, mask, nullbitmap.SetIsNull, nullbitmap.Overwrite)
	rule, _ := nullbitmap.MinusOne(1)
	nulls := rule.Apply(bitmap, 0, codes, nullbitmap.Intersect)
	fmt.Printf("%d nulls, %04b\n", nulls, bitmap[0])
	// Output: 2 nulls, 0101
}

// A mask that is a member of a compound of 12 bytes, at byte 8.
func ExampleFromMaskStrided() {
	rows := make([]byte, 3*12)
	rows[1*12+8] = 1
	bitmap := make([]byte, 1)
	nulls := nullbitmap.FromMaskStrided(bitmap, 0, rows[8:], 12, 3, nullbitmap.SetIsNull, nullbitmap.Overwrite)
	fmt.Printf("%d nulls, %03b\n", nulls, bitmap[0])
	// Output: 1 nulls, 101
}

// A data quality bit a second, where set means good, for samples taken twice a second.
func ExampleAnyBit() {
	const order = nullbitmap.LittleEndian
	var quality []byte
	for _, q := range []uint64{0b1111, 0b0111, 0b1000} {
		quality = append(quality, nullbitmap.Stored(q, 4, order)...)
	}
	rule, err := nullbitmap.AnyBit(nullbitmap.Stored(1<<3, 4, order), nullbitmap.SetIsValid)
	if err != nil {
		fmt.Println(err)
		return
	}
	seconds, samples := make([]byte, 1), make([]byte, 1)
	rule.Apply(seconds, 0, quality, nullbitmap.Overwrite)
	nulls := nullbitmap.Repeat(samples, 0, seconds, 0, 3, 2, nullbitmap.Overwrite)
	fmt.Printf("%d nulls, %06b\n", nulls, samples[0])
	// Output: 2 nulls, 110011
}

// numpy.packbits writes the first value into the highest bit.
func ExampleFromBits() {
	packed := []byte{0b0010_0000}
	bitmap := make([]byte, 1)
	nulls := nullbitmap.FromBits(bitmap, 0, packed, 0, 4, nullbitmap.MSBFirst, nullbitmap.SetIsNull, nullbitmap.Overwrite)
	fmt.Printf("%d nulls, %04b\n", nulls, bitmap[0])
	// Output: 1 nulls, 1011
}

// Back to a column of categorical codes.
func ExampleWriteSentinel() {
	codes := []byte{2, 0, 0, 1}
	minusOne := nullbitmap.Stored(math.MaxUint64, 1, nullbitmap.LittleEndian)
	nulls := nullbitmap.WriteSentinel(codes, minusOne, []byte{0b1101}, 0)
	fmt.Println(nulls, codes)
	// Output: 1 [2 255 0 1]
}

// Rows of an N-D dataset that are null when any of their items is.
func ExampleRowsAny() {
	items := []byte{0b111_101_11}
	rows := make([]byte, 1)
	nulls := nullbitmap.RowsAny(rows, 0, items, 0, 4, 2, nullbitmap.Overwrite)
	fmt.Printf("%d nulls, %04b\n", nulls, rows[0])
	// Output: 1 nulls, 1101
}
