package netcdf

import (
	"math"
	"math/big"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// limits are the bounds of valid values, nil for an open end.
type limits struct {
	lo, hi number
	t      *h5.Type // the wider of the attributes' types, nil for text
}

// limitsOf reads valid_range, else valid_min and valid_max. t is the type of the stored values after _Unsigned is applied.
func (a *attributes) limitsOf(t *h5.Type) (l limits, err error) {
	name := "valid_range"
	v, at, err := a.numbers(name, 2)
	if err != nil {
		return l, err
	}
	if len(v) == 2 {
		v = a.reread(v, at, t)
		l = limits{v[0], v[1], at}
	} else {
		name = "valid_min"
		for _, b := range []struct {
			name string
			to   *number
		}{{"valid_min", &l.lo}, {"valid_max", &l.hi}} {
			v, at, err := a.numbers(b.name, 1)
			if err != nil {
				return l, err
			}
			if len(v) == 0 {
				continue
			}
			*b.to = a.reread(v, at, t)[0]
			if rank(at) > rank(l.t) {
				l.t = at
			}
		}
	}
	if l.lo != nil && l.hi != nil && l.lo.Cmp(l.hi) > 0 {
		a.passOver(name, "%v is greater than %v", l.lo, l.hi)
		return limits{}, nil
	}
	return l, nil
}

// reread returns the numbers of an attribute with the sign of the values, as the numbers of the same bits, where both have one
// width: unsigned ones where the values are, signed ones where _Unsigned has made the values signed.
func (a *attributes) reread(v []number, at, t *h5.Type) []number {
	if at == nil || at.Class != h5.ClassFixed || t.Class != h5.ClassFixed || at.Signed == t.Signed || at.Size != t.Size || t.Size > 8 || t.Signed && a.d.Type().Signed {
		return v
	}
	for i, x := range v {
		if t.Signed {
			n, _ := x.Uint64()
			v[i] = new(big.Float).SetInt64(int64(n<<(64-8*t.Size)) >> (64 - 8*t.Size))
		} else if n, _ := x.Int64(); n < 0 {
			v[i] = new(big.Float).SetUint64(uint64(n) & (math.MaxUint64 >> (64 - 8*t.Size)))
		}
	}
	return v
}

// nulls returns the rule that values outside the limits are null. With a scaling, limits may be in unpacked units: their
// type is that of the scaling and wider than the packed one, or they are outside the packed type (netCDF-Java has this
// rule, the second case apart).
func (l limits) nulls(t *h5.Type, s *scaling) ([]convention.Null, error) {
	if l.lo == nil && l.hi == nil || t.Class != h5.ClassFixed && (t.Class != h5.ClassFloat || t.Size < 4) {
		return nil, nil
	}
	if s != nil && s.finite() && (rank(l.t) == rank(s.t) && rank(l.t) > rank(t) || l.outside(t)) {
		l = l.packed(t, s)
	}
	var r nullbitmap.Rule
	var err error
	switch order := rule.ByteOrder(t); {
	case t.Class == h5.ClassFloat:
		r, err = nullbitmap.OutsideFloat(t.Size, order, l.float(l.lo, math.Inf(-1)), l.float(l.hi, math.Inf(1)))
	case t.Signed:
		lo, hi := l.ints()
		r, err = nullbitmap.OutsideInt(t.Size, order, lo, hi)
	default:
		lo, hi := l.uints()
		r, err = nullbitmap.OutsideUint(t.Size, order, lo, hi)
	}
	n, err := rule.New(r, err, "valid range")
	return []convention.Null{n}, err
}

func (l limits) float(x number, missing float64) float64 {
	if x == nil {
		return missing
	}
	f, _ := x.Float64()
	return f
}

// ints returns the least and the greatest integer within the limits. Where there is none the first is greater.
func (l limits) ints() (lo, hi int64) {
	lo, hi = math.MinInt64, math.MaxInt64
	if l.lo != nil {
		v, acc := l.lo.Int64()
		if acc == big.Below {
			if v == math.MaxInt64 {
				return 1, 0
			}
			v++
		}
		lo = v
	}
	if l.hi != nil {
		v, acc := l.hi.Int64()
		if acc == big.Above {
			if v == math.MinInt64 {
				return 1, 0
			}
			v--
		}
		hi = v
	}
	return lo, hi
}

// uints is ints for unsigned integers.
func (l limits) uints() (lo, hi uint64) {
	hi = math.MaxUint64
	if l.lo != nil {
		v, acc := l.lo.Uint64()
		if acc == big.Below {
			if v == math.MaxUint64 {
				return 1, 0
			}
			v++
		}
		lo = v
	}
	if l.hi != nil {
		v, acc := l.hi.Uint64()
		if acc == big.Above {
			if v == 0 {
				return 1, 0
			}
			v--
		}
		hi = v
	}
	return lo, hi
}

// outside reports whether a limit is a number that the packed type can't hold.
func (l limits) outside(t *h5.Type) bool {
	if t.Class != h5.ClassFixed {
		return false
	}
	d := domainOf(t)
	for _, x := range []number{l.lo, l.hi} {
		if x != nil && !x.IsInf() && (x.Cmp(d.number(0)) < 0 || x.Cmp(d.number(d.last)) > 0) {
			return true
		}
	}
	return false
}

// domain is the finite values of a type of numbers in ascending order, numbered from 0.
type domain struct {
	t    *h5.Type
	last uint64
}

func domainOf(t *h5.Type) domain {
	switch {
	case t.Class == h5.ClassFloat && t.Size == 4:
		return domain{t, 2*uint64(math.Float32bits(math.MaxFloat32)) + 1}
	case t.Class == h5.ClassFloat:
		return domain{t, 2*math.Float64bits(math.MaxFloat64) + 1}
	}
	return domain{t, math.MaxUint64 >> (64 - 8*t.Size)}
}

// float returns value k of a float type.
func (d domain) float(k uint64) float64 {
	zero := d.last/2 + 1 // of the zero that is not negative
	bits, sign := k-zero, 1.0
	if k < zero {
		bits, sign = zero-1-k, -1
	}
	if d.t.Size == 4 {
		return sign * float64(math.Float32frombits(uint32(bits)))
	}
	return sign * math.Float64frombits(bits)
}

func (d domain) signed(k uint64) int64 { return int64(k - (d.last/2 + 1)) }

// number returns value k.
func (d domain) number(k uint64) number {
	switch {
	case d.t.Class == h5.ClassFloat:
		return big.NewFloat(d.float(k))
	case d.t.Signed:
		return new(big.Float).SetInt64(d.signed(k))
	}
	return new(big.Float).SetUint64(k)
}

// unpacked returns value k, unpacked.
func (d domain) unpacked(k uint64, s *scaling) float64 {
	switch {
	case d.t.Class == h5.ClassFloat:
		return unpackOne(s, d.float(k))
	case d.t.Signed:
		return unpackOne(s, d.signed(k))
	}
	return unpackOne(s, k)
}

// packed returns the limits on packed values that limits on unpacked ones amount to. Unpacking is monotonic, rounding
// included, so that they are found by bisection. A packed integer whose unpacked value is a limit but for rounding is
// within it.
func (l limits) packed(t *h5.Type, s *scaling) limits {
	lo, hi := l.float(l.lo, math.Inf(-1)), l.float(l.hi, math.Inf(1))
	if t.Class == h5.ClassFixed {
		lo, hi = lo-s.slack(lo), hi+s.slack(hi)
	}
	d := domainOf(t)
	first, end := d.first(func(x float64) bool { return x >= lo }, s), d.first(func(x float64) bool { return x > hi }, s)
	if s.scaled && s.scale < 0 {
		first, end = d.first(func(x float64) bool { return x <= hi }, s), d.first(func(x float64) bool { return x < lo }, s)
	}
	out := limits{t: t}
	if first.none || end.k == 0 && !end.none || !end.none && end.k <= first.k {
		return limits{lo: big.NewFloat(math.Inf(1)), hi: big.NewFloat(math.Inf(-1)), t: t}
	}
	if first.k > 0 {
		out.lo = d.number(first.k)
	}
	if !end.none {
		out.hi = d.number(end.k - 1)
	}
	return out
}

// slack is what rounding may add to an unpacked value near x, and less than a step of the packed values.
func (s *scaling) slack(x float64) float64 {
	if math.IsInf(x, 0) {
		return 0
	}
	ulps := 0x1p-51
	if !s.double {
		ulps = 0x1p-22
	}
	return min(ulps*max(math.Abs(x), math.Abs(s.offset)), math.Abs(s.scale)/4)
}

// place is the number of a value in a domain.
type place struct {
	k    uint64
	none bool // no value is meant
}

// first finds the first value whose unpacked value fits. All after it fit too.
func (d domain) first(fits func(float64) bool, s *scaling) place {
	if !fits(d.unpacked(d.last, s)) {
		return place{none: true}
	}
	lo, hi := uint64(0), d.last // hi fits
	for lo < hi {
		mid := lo + (hi-lo)/2
		if fits(d.unpacked(mid, s)) {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return place{k: lo}
}
