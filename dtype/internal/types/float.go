package types

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/h5"
)

// Format is one of the IEEE formats of floats that Arrow has.
type Format struct {
	Arrow     arrow.DataType
	Width     int // in bytes
	Fields    h5.FloatFields
	Precision int // significant bits, the leading one counted
	MaxExp    int // exponent of the greatest numbers
	MinExp    int // exponent of the smallest number
}

// NormImplied is the value of h5.FloatFields.Norm for a leading bit of the significand that is not stored.
const NormImplied = 2

// Formats are Arrow's formats, the narrowest first.
var Formats = [...]Format{
	{arrow.FixedWidthTypes.Float16, 2, h5.FloatFields{Sign: 15, ExpLoc: 10, ExpSize: 5, MantSize: 10, Bias: 15, Norm: NormImplied}, 11, 15, -24},
	{arrow.PrimitiveTypes.Float32, 4, h5.FloatFields{Sign: 31, ExpLoc: 23, ExpSize: 8, MantSize: 23, Bias: 127, Norm: NormImplied}, 24, 127, -149},
	{arrow.PrimitiveTypes.Float64, 8, h5.FloatFields{Sign: 63, ExpLoc: 52, ExpSize: 11, MantSize: 52, Bias: 1023, Norm: NormImplied}, 53, 1023, -1074},
}

// Float returns the type of IEEE floats of 2, 4 or 8 bytes, nil for other sizes.
func Float(size int, o h5.ByteOrder) *h5.Type {
	for i := range Formats {
		if f := &Formats[i]; f.Width == size {
			fields := f.Fields
			return &h5.Type{Class: h5.ClassFloat, Size: size, Order: o, Precision: 8 * size, Float: &fields}
		}
	}
	return nil
}

// ArrowFloat returns Arrow's float type of width bytes, nil when there is none.
func ArrowFloat(width int) arrow.DataType {
	for i := range Formats {
		if Formats[i].Width == width {
			return Formats[i].Arrow
		}
	}
	return nil
}

// FloatBits returns the bits of x in an IEEE format of width bytes that holds it. For other x the result is unspecified.
func FloatBits(width int, x float64) uint64 {
	switch width {
	case 2:
		return uint64(half(x))
	case 4:
		return uint64(math.Float32bits(float32(x)))
	}
	return math.Float64bits(x)
}

// half returns the bits of the half float for x, which is one, or NaN.
func half(x float64) uint16 {
	b := math.Float64bits(x)
	sign := uint16(b >> 48 & 0x8000)
	e := int(b >> 52 & 0x7ff)
	switch {
	case x != x:
		return sign | 0x7e00
	case e == 0x7ff:
		return sign | 0x7c00
	case e < 1023-14:
		return sign | uint16(math.Abs(x)*(1<<24))
	}
	return sign | uint16(e-1023+15)<<10 | uint16(b>>42&0x3ff)
}
