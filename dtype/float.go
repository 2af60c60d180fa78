package dtype

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/internal/kernel"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// maxFloatSize is the largest size of a float in bytes: that of IEEE's quadruple precision.
const maxFloatSize = 16

// floatFormat reads the floats of one HDF5 type (specification, IV.A.2.d, class 1).
type floatFormat struct {
	h5.FloatFields
	size   int
	order  h5.ByteOrder
	finite bool // an exponent of all ones is like any other: see finiteFormats
}

// finiteFormats are the fields of the formats without infinity and NaN: FP6 (E2M3, E3M2) and FP4 (E2M1) of the OCP
// Microscaling Formats specification, which HDF5 2 names H5T_FLOAT_F6E2M3, H5T_FLOAT_F6E3M2 and H5T_FLOAT_F4E2M1. A float is
// in a byte. The library's own conversion, as of 2.2.0, takes the largest exponent for infinity and NaN all the same.
var finiteFormats = [...]h5.FloatFields{
	{Sign: 5, ExpLoc: 3, ExpSize: 2, MantSize: 3, Bias: 1, Norm: types.NormImplied},
	{Sign: 5, ExpLoc: 2, ExpSize: 3, MantSize: 2, Bias: 3, Norm: types.NormImplied},
	{Sign: 3, ExpLoc: 1, ExpSize: 2, MantSize: 1, Bias: 1, Norm: types.NormImplied},
}

// formatOf returns the reader of t's floats.
func formatOf(t *h5.Type) (floatFormat, error) {
	if t.Float == nil {
		return floatFormat{}, h5err.New(h5err.Corrupt, "a float without fields")
	}
	f := floatFormat{FloatFields: *t.Float, size: t.Size, order: t.Order}
	f.finite = t.Size == 1 && slices.Contains(finiteFormats[:], f.FloatFields)
	end := 8 * t.Size
	inside := func(at, n int) bool { return at >= 0 && n >= 1 && at <= end && n <= end-at }
	switch {
	case t.Size > maxFloatSize || f.ExpSize > 30 || f.MantSize > 127:
		return f, h5err.New(h5err.Unsupported, "floats of %d bytes, %d of exponent and %d of mantissa in bits", t.Size, f.ExpSize, f.MantSize)
	case !inside(f.Sign, 1) || !inside(f.ExpLoc, f.ExpSize) || !inside(f.MantLoc, f.MantSize):
		return f, h5err.New(h5err.Corrupt, "fields of a float outside its %d bytes", t.Size)
	case f.order == h5.VAX && t.Size%2 != 0:
		return f, h5err.New(h5err.Corrupt, "VAX byte order in %d bytes", t.Size)
	}
	return f, nil
}

// precision returns the number of significant bits, a leading one that is not stored counted.
func (f *floatFormat) precision() int {
	if f.Norm == types.NormImplied {
		return f.MantSize + 1
	}
	return f.MantSize
}

// target returns the narrowest of Arrow's formats that represents every value exactly; double and false without one.
func (f *floatFormat) target() (types.Format, bool) {
	p := f.precision()
	emax := 1<<f.ExpSize - 2 - int(f.Bias)
	if f.finite {
		emax++
	}
	minExp := 1 - int(f.Bias) - (p - 1)
	for _, t := range types.Formats {
		if p <= t.Precision && emax <= t.MaxExp && minExp >= t.MinExp {
			return t, true
		}
	}
	return types.Formats[2], false
}

// words returns the bytes of b as one little-endian number of 128 bits; bits after b are zero.
func (f *floatFormat) words(b []byte) (hi, lo uint64) {
	switch {
	case f.order == h5.LittleEndian && f.size == 16:
		return binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b)
	case f.order == h5.BigEndian:
		for _, c := range b[:f.size] {
			hi, lo = hi<<8|lo>>56, lo<<8|uint64(c)
		}
	case f.order == h5.VAX: // 16-bit words, the most significant first
		for i := 0; i+1 < f.size; i += 2 {
			hi, lo = hi<<16|lo>>48, lo<<16|uint64(binary.LittleEndian.Uint16(b[i:]))
		}
	default:
		for i := f.size - 1; i >= 0; i-- {
			hi, lo = hi<<8|lo>>56, lo<<8|uint64(b[i])
		}
	}
	return hi, lo
}

// field returns n bits, at most 64, of a number of 128 bits from bit at on.
func field(hi, lo uint64, at, n int) uint64 {
	x := shiftRight(hi, lo, uint(at))
	return x & (1<<uint(n) - 1) // a shift by 64 gives 0, and 0-1 all ones
}

// get returns the value stored in b, rounded to nearest even where a double has fewer bits. As in the HDF5 library, an
// exponent of all ones means infinity or NaN in every format, finiteFormats apart.
func (f *floatFormat) get(b []byte) float64 {
	top, all := f.words(b)
	sign := field(top, all, f.Sign, 1) << 63
	exp := int(field(top, all, f.ExpLoc, f.ExpSize))
	lo := field(top, all, f.MantLoc, min(f.MantSize, 64))
	var hi uint64
	if f.MantSize > 64 {
		hi = field(top, all, f.MantLoc+64, f.MantSize-64)
	}
	if exp == 1<<f.ExpSize-1 && !f.finite {
		if f.Norm != types.NormImplied { // the stored leading bit does not count
			clearBit(&hi, &lo, f.MantSize-1)
		}
		if hi|lo == 0 {
			return math.Float64frombits(sign | 0x7ff0000000000000)
		}
		return math.Float64frombits(sign | 0x7ff8000000000000)
	}
	q := max(exp, 1) - int(f.Bias) - (f.precision() - 1) // the weight of the significand's last bit
	if f.Norm == types.NormImplied && exp != 0 {
		if f.MantSize < 64 {
			lo |= 1 << uint(f.MantSize)
		} else {
			hi |= 1 << uint(f.MantSize-64)
		}
	}
	return math.Float64frombits(sign | round(hi, lo, q))
}

func clearBit(hi, lo *uint64, bit int) {
	if bit < 64 {
		*lo &^= 1 << uint(bit)
	} else {
		*hi &^= 1 << uint(bit-64)
	}
}

// round returns the bits of the double nearest to (hi<<64|lo) * 2^q, ties to even.
func round(hi, lo uint64, q int) uint64 {
	n := bits.Len64(lo)
	if hi != 0 {
		n = 64 + bits.Len64(hi)
	}
	if n == 0 {
		return 0
	}
	e := q + n - 1 // exponent of the leading bit
	if e > 1023 {
		return 0x7ff0000000000000
	}
	keep := 53
	if e < -1022 {
		keep -= -1022 - e
	}
	if keep < 0 {
		return 0
	}
	drop := n - keep
	m := lo
	switch {
	case drop <= 0:
		m = lo << uint(-drop) // fewer than 54 bits: hi is 0
	default:
		m = shiftRight(hi, lo, uint(drop))
		half := shiftRight(hi, lo, uint(drop-1)) & 1
		if half != 0 && (m&1 != 0 || !lowZero(hi, lo, uint(drop-1))) {
			m++
		}
	}
	if e < -1022 {
		return m // a carry makes it the smallest normal number, as it should
	}
	return uint64(e+1022)<<52 + m // m's leading bit adds one to the exponent, a carry another
}

// shiftRight returns the low 64 bits of (hi<<64|lo) >> n.
func shiftRight(hi, lo uint64, n uint) uint64 {
	if n >= 64 {
		return hi >> (n - 64)
	}
	return lo>>n | hi<<(64-n)
}

// lowZero reports whether the n low bits of hi<<64|lo are zero.
func lowZero(hi, lo uint64, n uint) bool {
	if n >= 64 {
		return lo == 0 && hi<<(128-n) == 0
	}
	return lo<<(64-n) == 0
}

// oddFloat is a float in a format that Arrow lacks.
type oddFloat struct {
	info
	format   floatFormat
	width    int
	bfloat16 bool
	table    []uint64 // the bits of each value of a one-byte format
	null     nullbitmap.Rule
	nulls    bool
}

func (n *oddFloat) build(c *ctx, v *view) (*array.Data, error) {
	buf := c.buffer(v.n * n.width)
	dst, w := buf.Bytes(), n.width
	switch {
	case n.table != nil:
		for i := range v.n {
			putInt(dst, w, i, n.table[v.b[i*v.stride]])
		}
	case n.bfloat16:
		o := n.format.order.Binary()
		for i := range v.n {
			binary.NativeEndian.PutUint32(dst[4*i:], uint32(o.Uint16(v.at(i)))<<16)
		}
	default:
		for i := range v.n {
			putInt(dst, w, i, types.FloatBits(w, n.format.get(v.at(i))))
		}
	}
	valid := v.valid
	if n.nulls {
		valid = c.without(valid, n.null, dst, w, v.n)
	}
	return c.make(n.arrow, v.n, valid, []*memory.Buffer{buf}), nil
}

// hostOrder is the byte order of Arrow arrays in this process.
func hostOrder() nullbitmap.ByteOrder {
	if kernel.HostIsBig() {
		return nullbitmap.BigEndian
	}
	return nullbitmap.LittleEndian
}

func (b *planner) float(t *h5.Type) (node, error) {
	f, err := formatOf(t)
	if err != nil {
		return nil, err
	}
	var null nullbitmap.Rule
	target, exact := f.target()
	if b.opt.NaNAsNull {
		if null, err = nullbitmap.NaN(target.Width, hostOrder()); err != nil {
			return nil, err
		}
	}
	if target.Width == t.Size && target.Fields == f.FloatFields && f.order != h5.VAX {
		n := &plain{info: info{arrow: target.Arrow, size: t.Size}, null: null, nulls: b.opt.NaNAsNull}
		n.order(f.order, t.Size)
		return n, nil
	}
	n := &oddFloat{
		info:   info{arrow: target.Arrow, size: t.Size, delivery: Converted, reason: "a float format that Arrow lacks"},
		format: f, width: target.Width, null: null, nulls: b.opt.NaNAsNull,
	}
	single := types.Formats[1].Fields
	n.bfloat16 = t.Size == 2 && f.order != h5.VAX &&
		f.FloatFields == h5.FloatFields{Sign: 15, ExpLoc: 7, ExpSize: single.ExpSize, MantSize: 7, Bias: single.Bias, Norm: types.NormImplied}
	if t.Size == 1 {
		n.table = make([]uint64, 256)
		for x := range n.table {
			n.table[x] = types.FloatBits(n.width, f.get([]byte{byte(x)}))
		}
	}
	if !exact {
		n.reason = "rounded to double"
		n.note(MetaNarrowed, t.String())
	}
	return n, nil
}
