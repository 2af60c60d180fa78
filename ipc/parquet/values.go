package parquet

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/bitutil"

	"github.com/h5arrow/h5arrow/ipc/parquet/internal/encode"
)

// kind is how the bits of values are compared.
type kind uint8

const (
	signedKind kind = iota
	unsignedKind
	floatKind
)

// values are the values of a column that is not nested, in the arrays that make up a row group. They are read where they are.
type values[T encode.Word] struct {
	kind   kind
	chunks []valueChunk
	rows   int

	scratch []T
	bitmap  []byte
}

// valueChunk is the part of a column in one array.
type valueChunk struct {
	data     []byte // of values, from the first row on
	width    int    // of a value, at most that of T
	rows     int
	valid    []byte // nil: no nulls
	validBit int    // of the first row
}

// page is some rows of a column. Its slices are valid until the next page is asked for.
type page[T encode.Word] struct {
	rows    int
	present []T    // the values that are not null
	valid   []byte // nil: no nulls
}

// numeric returns what values of a type are, and reports whether they are the values of Parquet's type as they are, or extended.
func numeric(t arrow.DataType) (k kind, width int, ok bool) {
	switch t := t.(type) {
	case *arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type, *arrow.Date32Type, *arrow.Time64Type, *arrow.DurationType:
		return signedKind, t.(arrow.FixedWidthDataType).Bytes(), true
	case *arrow.Time32Type:
		return signedKind, 4, t.Unit == arrow.Millisecond
	case *arrow.TimestampType:
		return signedKind, 8, t.Unit != arrow.Second
	case *arrow.Uint8Type, *arrow.Uint16Type, *arrow.Uint32Type, *arrow.Uint64Type:
		return unsignedKind, t.(arrow.FixedWidthDataType).Bytes(), true
	case *arrow.Float32Type, *arrow.Float64Type:
		return floatKind, t.(arrow.FixedWidthDataType).Bytes(), true
	}
	return 0, 0, false
}

// newValues returns the values of arrays of a numeric type.
func newValues[T encode.Word](k kind, width int, arrays []arrow.Array) *values[T] {
	v := &values[T]{kind: k}
	for _, arr := range arrays {
		if arr.Len() == 0 {
			continue
		}
		d := arr.Data()
		c := valueChunk{width: width, rows: arr.Len()}
		if b := d.Buffers()[1]; b != nil {
			c.data = b.Bytes()[d.Offset()*width:][:arr.Len()*width]
		} else { // there are only nulls
			c.data = make([]byte, arr.Len()*width)
		}
		if arr.NullN() > 0 {
			c.valid, c.validBit = arr.NullBitmapBytes(), d.Offset()
		}
		v.chunks = append(v.chunks, c)
		v.rows += c.rows
	}
	return v
}

// page returns the rows from row on, at most n.
func (v *values[T]) page(row, n int) page[T] {
	n = min(n, v.rows-row)
	p := page[T]{rows: n}
	k := 0
	for ; row >= v.chunks[k].rows; k++ {
		row -= v.chunks[k].rows
	}
	if c := v.chunks[k]; c.valid == nil && row+n <= c.rows && c.width == encode.Width[T]() {
		p.present = words[T](c.data)[row : row+n]
		return p
	}
	v.scratch, v.bitmap = v.scratch[:0], grown(v.bitmap, (n+7)/8)
	clear(v.bitmap)
	for at := 0; at < n; k, row = k+1, 0 {
		c := v.chunks[k]
		m := min(n-at, c.rows-row)
		v.copy(c, row, m)
		if c.valid == nil {
			bitutil.SetBitsTo(v.bitmap, int64(at), int64(m), true)
		} else {
			bitutil.CopyBitmap(c.valid, c.validBit+row, m, v.bitmap, at)
		}
		at += m
	}
	if p.present = v.scratch; len(p.present) < n {
		p.valid = v.bitmap
	}
	return p
}

// grown returns a slice of n elements with any values, b if it is large enough.
func grown[E any](b []E, n int) []E {
	if cap(b) < n {
		return make([]E, n)
	}
	return b[:n]
}

// words returns values where they are.
func words[T encode.Word](b []byte) []T {
	var out []T
	switch p := any(&out).(type) {
	case *[]uint32:
		*p = arrow.Uint32Traits.CastFromBytes(b)
	case *[]uint64:
		*p = arrow.Uint64Traits.CastFromBytes(b)
	}
	return out
}

// copy appends the values of rows that are not null to v.scratch, extended to T.
func (v *values[T]) copy(c valueChunk, row, n int) {
	signed := v.kind == signedKind
	switch {
	case c.width == 8:
		v.scratch = present(v.scratch, words[uint64](c.data), c, row, n)
	case c.width == 4:
		v.scratch = present(v.scratch, words[uint32](c.data), c, row, n)
	case c.width == 1 && signed:
		v.scratch = present(v.scratch, arrow.Int8Traits.CastFromBytes(c.data), c, row, n)
	case c.width == 1:
		v.scratch = present(v.scratch, c.data, c, row, n)
	case signed:
		v.scratch = present(v.scratch, arrow.Int16Traits.CastFromBytes(c.data), c, row, n)
	default:
		v.scratch = present(v.scratch, arrow.Uint16Traits.CastFromBytes(c.data), c, row, n)
	}
}

// present appends the values from row on that are not null.
func present[T encode.Word, F int8 | uint8 | int16 | uint16 | uint32 | uint64](dst []T, from []F, c valueChunk, row, n int) []T {
	from = from[row : row+n]
	if c.valid == nil {
		for _, x := range from {
			dst = append(dst, T(x))
		}
		return dst
	}
	k := len(dst)
	dst = append(dst, make([]T, n)...)
	for i, x := range from {
		at := c.validBit + row + i
		dst[k] = T(x)
		k += int(c.valid[at>>3] >> (at & 7) & 1)
	}
	return dst[:k]
}

// bounds are the least and the greatest of some values. NaN is not counted.
type bounds[T encode.Word] struct {
	min, max T
	any      bool
}

// boundsOf returns the bounds of values.
func boundsOf[T encode.Word](k kind, values []T) bounds[T] {
	switch v := any(values).(type) {
	case []uint32:
		switch k {
		case signedKind:
			return ordered[T](v, func(x uint32) int32 { return int32(x) })
		case unsignedKind:
			return ordered[T](v, func(x uint32) uint32 { return x })
		}
		return floats[T](v, math.Float32frombits)
	case []uint64:
		switch k {
		case signedKind:
			return ordered[T](v, func(x uint64) int64 { return int64(x) })
		case unsignedKind:
			return ordered[T](v, func(x uint64) uint64 { return x })
		}
		return floats[T](v, math.Float64frombits)
	}
	return bounds[T]{}
}

func ordered[T, W encode.Word, N int32 | uint32 | int64 | uint64](values []W, number func(W) N) bounds[T] {
	if len(values) == 0 {
		return bounds[T]{}
	}
	lo, hi := number(values[0]), number(values[0])
	for _, v := range values {
		lo, hi = min(lo, number(v)), max(hi, number(v))
	}
	return bounds[T]{T(lo), T(hi), true}
}

func floats[T, W encode.Word, N float32 | float64](values []W, number func(W) N) (b bounds[T]) {
	lo, hi := N(math.Inf(1)), N(math.Inf(-1))
	for _, v := range values {
		x := number(v)
		if x < lo {
			lo = x
		}
		if x > hi {
			hi = x
		}
		b.any = b.any || x == x
	}
	if !b.any {
		return b
	}
	b.min, b.max = floatBits[T](lo), floatBits[T](hi)
	if negative := T(1) << (8*encode.Width[T]() - 1); lo == 0 { // zeros of both signs are equal, so the bounds hold both
		b.min = negative
	}
	if hi == 0 {
		b.max = 0
	}
	return b
}

func floatBits[T encode.Word, N float32 | float64](x N) T {
	if encode.Width[T]() == 4 {
		return T(math.Float32bits(float32(x)))
	}
	return T(uint64(math.Float64bits(float64(x))))
}

// join adds the bounds of more values.
func (b *bounds[T]) join(k kind, o bounds[T]) {
	switch {
	case !o.any:
	case !b.any:
		*b = o
	default:
		*b = boundsOf(k, []T{b.min, b.max, o.min, o.max})
	}
}

// bytes returns a bound as it is stored.
func (b bounds[T]) bytes() (lo, hi []byte) {
	return encode.Plain(nil, []T{b.min}), encode.Plain(nil, []T{b.max})
}
