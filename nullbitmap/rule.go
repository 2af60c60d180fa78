package nullbitmap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
)

// ErrRule is the error that every failing constructor of a [Rule] wraps.
var ErrRule = errors.New("nullbitmap: impossible rule")

// Rule says which values of a fixed width are null. It is made once per column, is immutable, and may be used by
// several goroutines at once. The zero Rule fits no values: using it panics.
type Rule struct {
	width int
	tests []test // a value is valid when it passes every test; none: always valid
}

// op is the shape of a test, and so the kernel that runs it.
type op uint8

const (
	_        op = iota
	opMasked    // (x & and) compared with cmp
	opInside    // lo <= x <= hi, after swap, and, bias
	opFloat     // not (x < flo or x > fhi), numerically
	opBytes     // the element's bytes compared with sentinel; any width
	numOps
)

// test is one compiled condition. Numbers are in the order in which a little-endian load of the stored bytes
// gives them, except after swap. The assembly is given the fields one by one, so their order is free.
type test struct {
	op    op
	width int
	swap  bool // reverse the bytes of an element before looking at it (opInside, opFloat)

	and, cmp uint64 // opMasked; opInside uses and too
	flip     uint64 // opMasked: 0: valid when different from cmp; all ones: valid when equal

	bias   uint64 // opInside: exclusive-or that turns the order of the element into that of a signed integer
	lo, hi int64  // opInside: bounds after bias, sign-extended from width

	flo, fhi float64 // opFloat: bounds, exact in the element's type

	sentinel []byte // opBytes
	setNull  bool   // opBytes without sentinel: any non-zero byte means null
}

// widthMask has the low width*8 bits set.
func widthMask(width int) uint64 {
	return ^uint64(0) >> (64 - 8*uint(width))
}

func ruleErr(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRule, fmt.Sprintf(format, args...))
}

func checkOrder(order ByteOrder) error {
	if order != LittleEndian && order != BigEndian {
		return ruleErr("byte order %v", order)
	}
	return nil
}

func checkPolarity(p Polarity) error {
	if p != SetIsNull && p != SetIsValid {
		return ruleErr("polarity %v", p)
	}
	return nil
}

// flipOf gives opMasked's flip for "x & and differs from cmp" meaning set.
func flipOf(p Polarity) uint64 {
	if p == SetIsNull {
		return ^uint64(0)
	}
	return 0
}

// Nonzero is the rule of integer masks: an element of width bytes (1 or more, 1 to 8 for integers) is set when any of
// its bits is. The byte order does not matter. numpy masks, vaex's and AnnData's mask datasets are Nonzero(width,
// SetIsNull); GDAL's mask band is Nonzero(1, SetIsValid).
func Nonzero(width int, p Polarity) (Rule, error) {
	if width < 1 {
		return Rule{}, ruleErr("a mask of %d bytes per element", width)
	}
	if err := checkPolarity(p); err != nil {
		return Rule{}, err
	}
	if width > 8 {
		return Rule{width, []test{{op: opBytes, width: width, setNull: p == SetIsNull}}}, nil
	}
	return Rule{width, []test{{op: opMasked, width: width, and: widthMask(width), flip: flipOf(p)}}}, nil
}

// AnyBit is the rule of bit fields: an element of len(mask) bytes (1 to 8) is set when it has any of the bits of mask
// set. The bytes of mask are in the order in which the elements are stored, see [Stored]. LIGO's data quality bit
// 3 is AnyBit(Stored(1<<3, 4, LittleEndian), SetIsValid). A mask without bits is an error.
func AnyBit(mask []byte, p Polarity) (Rule, error) {
	width := len(mask)
	if width < 1 || width > 8 {
		return Rule{}, ruleErr("a bit field of %d bytes", width)
	}
	if err := checkPolarity(p); err != nil {
		return Rule{}, err
	}
	and := loadN(mask)
	if and == 0 {
		return Rule{}, ruleErr("a bit field's mask without bits")
	}
	return Rule{width, []test{{op: opMasked, width: width, and: and, flip: flipOf(p)}}}, nil
}

// Equal is the rule of sentinels: an element is null when its bytes are those of any of the sentinels. Sentinels are
// raw, as stored (see [Stored], [StoredFloat]), so byte order, type and NaN payload are given with them: R's NA in
// float64 is Equal(StoredFloat(...)) of that payload, a netCDF _FillValue of an integer is Equal of the attribute's
// bytes. All must have the same length, the elements' width, of at least 1 byte; widths of 1, 2, 4 and 8 are
// fast. Without sentinels it is an error.
func Equal(sentinels ...[]byte) (Rule, error) {
	if len(sentinels) == 0 {
		return Rule{}, ruleErr("no sentinels")
	}
	width := len(sentinels[0])
	if width < 1 {
		return Rule{}, ruleErr("a sentinel of no bytes")
	}
	r := Rule{width: width}
	for _, s := range sentinels {
		if len(s) != width {
			return Rule{}, ruleErr("sentinels of %d and %d bytes", width, len(s))
		}
		if width > 8 {
			r.tests = append(r.tests, test{op: opBytes, width: width, sentinel: append([]byte(nil), s...)})
			continue
		}
		r.tests = append(r.tests, test{op: opMasked, width: width, and: widthMask(width), cmp: loadN(s)})
	}
	return r, nil
}

// EqualMasked is [Equal] of one sentinel in the bits of mask only. Both are as stored and of the elements' width, 1 to 8
// bytes. R's NA in float64, a NaN whose low word is 1954 whatever its other bits are, is
// EqualMasked(Stored(0x7ff00000ffffffff, 8, order), Stored(0x7ff00000000007a2, 8, order)). A mask without bits, or a
// sentinel with bits outside the mask, is an error.
func EqualMasked(mask, sentinel []byte) (Rule, error) {
	width := len(mask)
	if width < 1 || width > 8 || len(sentinel) != width {
		return Rule{}, ruleErr("a mask of %d bytes for a sentinel of %d", width, len(sentinel))
	}
	and, cmp := loadN(mask), loadN(sentinel)
	if and == 0 || cmp&^and != 0 {
		return Rule{}, ruleErr("a mask without bits, or without those of its sentinel")
	}
	return Rule{width, []test{{op: opMasked, width: width, and: and, cmp: cmp}}}, nil
}

// MinusOne is the rule of categorical codes (pandas, AnnData): null is the signed integer -1 of width bytes, in either
// byte order. Its inverse is [WriteSentinel] with the bytes that [Stored] gives for -1.
func MinusOne(width int) (Rule, error) {
	if width < 1 || width > 8 {
		return Rule{}, ruleErr("an integer of %d bytes", width)
	}
	m := widthMask(width)
	return Rule{width, []test{{op: opMasked, width: width, and: m, cmp: m}}}, nil
}

// ieee describes a binary interchange format by its width.
type ieee struct{ inf, sign uint64 }

func ieeeOf(width int) (ieee, error) {
	switch width {
	case 2:
		return ieee{0x7c00, 0x8000}, nil
	case 4:
		return ieee{0x7f800000, 0x80000000}, nil
	case 8:
		return ieee{0x7ff0000000000000, 0x8000000000000000}, nil
	}
	return ieee{}, ruleErr("a float of %d bytes", width)
}

// NaN is the rule that an IEEE float of width 2, 4 or 8 bytes is null when it is not a number, with any payload and
// sign. For one payload only use [Equal].
func NaN(width int, order ByteOrder) (Rule, error) {
	f, err := ieeeOf(width)
	if err == nil {
		err = checkOrder(order)
	}
	if err != nil {
		return Rule{}, err
	}
	return Rule{width, []test{nanTest(f, width, order)}}, nil
}

func nanTest(f ieee, width int, order ByteOrder) test {
	// Without its sign a NaN is an integer greater than infinity.
	return test{op: opInside, width: width, swap: order == BigEndian, and: f.sign - 1, lo: 0, hi: int64(f.inf)}
}

// EqualFloat is the rule that an IEEE float of width 2, 4 or 8 bytes is null when it equals any of values
// numerically, as netCDF compares _FillValue and missing_value: -0 equals 0, and a NaN among the values stands for
// every NaN. A value that the width can't hold exactly equals nothing. No values at all are refused.
func EqualFloat(width int, order ByteOrder, values ...float64) (Rule, error) {
	f, err := ieeeOf(width)
	if err == nil {
		err = checkOrder(order)
	}
	if err == nil && len(values) == 0 {
		err = ruleErr("no values")
	}
	if err != nil {
		return Rule{}, err
	}
	r := Rule{width: width}
	for _, v := range values {
		if v != v {
			r.tests = append(r.tests, nanTest(f, width, order))
			continue
		}
		raw, exact := floatBits(v, width)
		if !exact {
			continue
		}
		t := test{op: opMasked, width: width, and: widthMask(width), cmp: raw}
		if v == 0 {
			t.and, t.cmp = f.sign-1, 0
		}
		if order == BigEndian {
			t.and, t.cmp = swapN(t.and, width), swapN(t.cmp, width)
		}
		r.tests = append(r.tests, t)
	}
	return r, nil
}

// OutsideInt is the rule that a signed integer of width 1 to 8 bytes is null unless min <= value <= max. An open end
// is math.MinInt64 or math.MaxInt64. With min > max everything is null.
func OutsideInt(width int, order ByteOrder, min, max int64) (Rule, error) {
	if err := checkInt(width, order); err != nil {
		return Rule{}, err
	}
	top := int64(widthMask(width) >> 1)
	t := test{op: opInside, width: width, swap: order == BigEndian, and: widthMask(width)}
	if min > max || min > top || max < -top-1 {
		t.lo, t.hi = top, -top-1
	} else {
		t.lo, t.hi = clamp(min, -top-1, top), clamp(max, -top-1, top)
	}
	return Rule{width, []test{t}}, nil
}

// OutsideUint is [OutsideInt] for unsigned integers. An open end is 0 or math.MaxUint64.
func OutsideUint(width int, order ByteOrder, min, max uint64) (Rule, error) {
	if err := checkInt(width, order); err != nil {
		return Rule{}, err
	}
	all := widthMask(width)
	top := int64(all >> 1)
	t := test{op: opInside, width: width, swap: order == BigEndian, and: all, bias: all>>1 + 1}
	if min > max || min > all {
		t.lo, t.hi = top, -top-1
	} else {
		t.lo, t.hi = signExtend(min^t.bias, width), signExtend(clamp(max, 0, all)^t.bias, width)
	}
	return Rule{width, []test{t}}, nil
}

// OutsideFloat is the rule that an IEEE float of width 2, 4 or 8 bytes is null when it is less than min or greater
// than max. A NaN is neither, and so not null by this rule, as netCDF has it; join [NaN] by [Any] where it shall be. An
// open end is an infinity; bounds that are NaN are refused. With min > max everything but NaN is null.
func OutsideFloat(width int, order ByteOrder, min, max float64) (Rule, error) {
	_, err := ieeeOf(width)
	if err == nil {
		err = checkOrder(order)
	}
	if err == nil && (min != min || max != max) {
		err = ruleErr("a bound that is NaN")
	}
	if err != nil {
		return Rule{}, err
	}
	if width == 4 {
		// The nearest inner bounds that a float32 has, so that kernels can compare in float32.
		if f := float32(min); float64(f) < min {
			min = float64(math.Nextafter32(f, float32(math.Inf(1))))
		} else {
			min = float64(f)
		}
		if f := float32(max); float64(f) > max {
			max = float64(math.Nextafter32(f, float32(math.Inf(-1))))
		} else {
			max = float64(f)
		}
	}
	t := test{op: opFloat, width: width, swap: order == BigEndian, flo: min, fhi: max}
	return Rule{width, []test{t}}, nil
}

// Any is the rule that a value is null when it is null by any of rules. It needs one pass over the data. All rules must
// have the same width; without rules it is an error.
func Any(rules ...Rule) (Rule, error) {
	if len(rules) == 0 {
		return Rule{}, ruleErr("no rules")
	}
	joined := Rule{width: rules[0].width}
	for _, r := range rules {
		if r.width < 1 {
			return Rule{}, ruleErr("the zero Rule")
		}
		if r.width != joined.width {
			return Rule{}, ruleErr("rules for %d and %d bytes per element", joined.width, r.width)
		}
		joined.tests = append(joined.tests, r.tests...)
	}
	return joined, nil
}

// Width returns the size in bytes of the elements that r is for.
func (r Rule) Width() int { return r.width }

// IsNull reports whether the one element of r.Width() bytes is null.
func (r Rule) IsNull(element []byte) bool {
	if len(element) != r.width || r.width < 1 {
		panic(fmt.Sprintf("nullbitmap: an element of %d bytes under a rule for %d", len(element), r.width))
	}
	for i := range r.tests {
		if !r.tests[i].valid(element) {
			return true
		}
	}
	return false
}

// Apply writes the validity of each of the len(values)/r.Width() elements to dst, from bit off on, and returns the
// number of zero bits that it wrote. len(values) is a multiple of the width.
func (r Rule) Apply(dst []byte, off int, values []byte, m Mode) (nulls int) {
	return active.apply(r, dst, off, values, m)
}

// ApplyStrided is [Rule.Apply] for n elements, stride bytes apart, such as members of compounds and columns of matrices;
// the first element is at the start of values. The stride is at least the width, and values has at least
// (n-1)*stride+width bytes (none when n is 0).
func (r Rule) ApplyStrided(dst []byte, off int, values []byte, stride, n int, m Mode) (nulls int) {
	return active.applyStrided(r, dst, off, values, stride, n, m)
}

// Stored returns the low width bytes (1 to 8) of v in the given order: an integer as a file stores it. Signed integers
// are given as uint64(v). It returns nil for an invalid width or order, which all functions that take elements refuse.
func Stored(v uint64, width int, order ByteOrder) []byte {
	if width < 1 || width > 8 || checkOrder(order) != nil {
		return nil
	}
	var b [8]byte
	if order == BigEndian {
		binary.BigEndian.PutUint64(b[:], v)
		return append([]byte(nil), b[8-width:]...)
	}
	binary.LittleEndian.PutUint64(b[:], v)
	return append([]byte(nil), b[:width]...)
}

// StoredFloat returns v as an IEEE float of width 2, 4 or 8 bytes in the given order, rounded to nearest, ties to even.
// It returns nil for a width or an order that does not exist. The payload of a NaN is kept for 8 bytes only.
func StoredFloat(v float64, width int, order ByteOrder) []byte {
	if _, err := ieeeOf(width); err != nil {
		return nil
	}
	raw, _ := floatBits(v, width)
	return Stored(raw, width, order)
}

func checkInt(width int, order ByteOrder) error {
	if width < 1 || width > 8 {
		return ruleErr("an integer of %d bytes", width)
	}
	return checkOrder(order)
}

// floatBits converts v to the IEEE format of that width and says whether that is exact.
func floatBits(v float64, width int) (raw uint64, exact bool) {
	switch width {
	case 8:
		return math.Float64bits(v), true
	case 4:
		f := float32(v)
		return uint64(math.Float32bits(f)), float64(f) == v
	}
	h := halfBits(v)
	return uint64(h), halfFloat(h) == v
}

// halfBits rounds v to binary16, to nearest, ties to even.
func halfBits(v float64) uint16 {
	raw := math.Float64bits(v)
	sign := uint16(raw >> 48 & 0x8000)
	a := math.Abs(v)
	switch {
	case v != v:
		return sign | 0x7e00
	case a >= 65520: // half a step above the largest finite value
		return sign | 0x7c00
	case a < 0x1p-14:
		return sign | uint16(math.RoundToEven(a*0x1p24)) // subnormal; may round up into the first normal
	}
	exp := int(raw>>52&0x7ff) - 1023
	frac := math.RoundToEven(math.Ldexp(a, 10-exp)) // 1024 to 2048
	return sign | (uint16(exp+15)<<10 + uint16(frac) - 1024)
}

// halfFloat converts binary16 exactly.
func halfFloat(h uint16) float64 {
	exp, frac := int(h>>10&31), float64(h&1023)
	var v float64
	switch exp {
	case 0:
		v = frac * 0x1p-24
	case 31:
		v = math.Inf(1)
		if frac != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(1024+frac, exp-25)
	}
	if h&0x8000 != 0 {
		return -v
	}
	return v
}

// loadN loads 1 to 8 bytes, little-endian.
func loadN(b []byte) uint64 {
	var v uint64
	for i := len(b) - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return v
}

// swapN reverses the low width bytes of v.
func swapN(v uint64, width int) uint64 {
	return bits.ReverseBytes64(v) >> (64 - 8*uint(width))
}

func signExtend(v uint64, width int) int64 {
	s := 64 - 8*uint(width)
	return int64(v<<s) >> s
}

func clamp[T int64 | uint64](v, lo, hi T) T { return min(max(v, lo), hi) }
