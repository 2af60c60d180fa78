package netcdf

import (
	"math"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// nullsOf returns the rules by which values of a variable are missing, all on stored values: _FillValue, missing_value,
// with strict the default fill of the type where there is no _FillValue, and the valid range. t is the type after
// _Unsigned is applied.
func nullsOf(d *h5.Dataset, t *h5.Type, strict bool) ([]convention.Null, error) {
	if t.Class != h5.ClassFixed && t.Class != h5.ClassFloat && t.Class != h5.ClassEnum || t.Size > 8 || t.Size&(t.Size-1) != 0 {
		return nil, nil
	}
	var out []convention.Null
	has := false
	for _, name := range []string{"_FillValue", "missing_value"} {
		a, err := d.Attribute(name)
		if err != nil {
			return nil, err
		}
		values := rule.Values(a, t)
		if len(values) == 0 {
			continue
		}
		has = has || name == "_FillValue"
		nulls, err := rule.Equal(t, values, name)
		if err != nil {
			return nil, err
		}
		out = append(out, nulls...)
	}
	if fill := defaultFill(t); !has && strict && fill != nil {
		nulls, err := rule.Equal(t, [][]byte{fill}, "default fill")
		if err != nil {
			return nil, err
		}
		out = append(out, nulls...)
	}
	lo, hi, err := validRange(d)
	if err != nil || lo == nil && hi == nil {
		return out, err
	}
	r, ok, err := rangeRule(t, lo, hi)
	if !ok {
		return out, err
	}
	n, err := rule.New(r, err, "valid range")
	return append(out, n), err
}

// defaultFill is the netCDF library's fill value of a type, nil for types of one byte and those that have none.
func defaultFill(t *h5.Type) []byte {
	const float = 9.9692099683868690e+36
	switch {
	case t.Class == h5.ClassFloat && t.Size == 4:
		return nullbitmap.StoredFloat(float64(float32(float)), 4, rule.ByteOrder(t))
	case t.Class == h5.ClassFloat && t.Size == 8:
		return nullbitmap.StoredFloat(float, 8, rule.ByteOrder(t))
	case t.Class != h5.ClassFixed || t.Size == 1:
		return nil
	}
	var v uint64
	switch {
	case t.Signed && t.Size == 8:
		v = 1<<63 + 2
	case t.Signed:
		v = 1<<(8*t.Size-1) + 1
	case t.Size == 8:
		v = math.MaxUint64 - 1
	default:
		v = 1<<(8*t.Size) - 1
	}
	return nullbitmap.Stored(v, t.Size, rule.ByteOrder(t))
}

// validRange returns the attributes that bound valid values: the attribute, and the number of its value.
func validRange(d *h5.Dataset) (lo, hi *bound, err error) {
	a, err := d.Attribute("valid_range")
	if err != nil {
		return nil, nil, err
	}
	if a != nil {
		return &bound{a, 0}, &bound{a, 1}, nil
	}
	if a, err = d.Attribute("valid_min"); err != nil {
		return nil, nil, err
	}
	if a != nil {
		lo = &bound{a, 0}
	}
	if a, err = d.Attribute("valid_max"); err != nil {
		return nil, nil, err
	}
	if a != nil {
		hi = &bound{a, 0}
	}
	return lo, hi, nil
}

type bound struct {
	a *h5.Attribute
	i int
}

func (b *bound) float(missing float64) (float64, bool) {
	if b == nil {
		return missing, true
	}
	v, ok := b.a.Floats()
	if !ok || b.i >= len(v) {
		return 0, false
	}
	return v[b.i], true
}

// rangeRule is the rule that values outside the bounds are missing; ok is false for bounds that can't be compared.
func rangeRule(t *h5.Type, lo, hi *bound) (r nullbitmap.Rule, ok bool, err error) {
	if t.Class == h5.ClassFloat {
		a, ok1 := lo.float(math.Inf(-1))
		b, ok2 := hi.float(math.Inf(1))
		if !ok1 || !ok2 || t.Size < 4 {
			return r, false, nil
		}
		r, err = nullbitmap.OutsideFloat(t.Size, rule.ByteOrder(t), a, b)
		return r, true, err
	}
	if t.Class != h5.ClassFixed {
		return r, false, nil
	}
	if t.Signed {
		a, ok1 := lo.int(math.MinInt64, math.Ceil)
		b, ok2 := hi.int(math.MaxInt64, math.Floor)
		if !ok1 || !ok2 {
			return r, false, nil
		}
		r, err = nullbitmap.OutsideInt(t.Size, rule.ByteOrder(t), a, b)
		return r, true, err
	}
	a, ok1 := lo.uint(t, 0)
	b, ok2 := hi.uint(t, math.MaxUint64)
	if !ok1 || !ok2 {
		return r, false, nil
	}
	r, err = nullbitmap.OutsideUint(t.Size, rule.ByteOrder(t), a, b)
	return r, true, err
}

func (b *bound) int(missing int64, round func(float64) float64) (int64, bool) {
	if b == nil {
		return missing, true
	}
	if v, ok := b.a.Ints(); ok {
		if b.i >= len(v) {
			return 0, false
		}
		return v[b.i], true
	}
	f, ok := b.float(0)
	if f = round(f); !ok || math.IsNaN(f) || math.Abs(f) > 1<<62 {
		return 0, false
	}
	return int64(f), true
}

// uint reads a bound of unsigned values; a signed one of the same width is compared by its bits, as _Unsigned demands.
func (b *bound) uint(t *h5.Type, missing uint64) (uint64, bool) {
	if b == nil {
		return missing, true
	}
	v := rule.Values(b.a, t)
	if b.i >= len(v) {
		return 0, false
	}
	u := uint64(0)
	for i, x := range v[b.i] {
		if t.Order == h5.BigEndian {
			u = u<<8 | uint64(x)
		} else {
			u |= uint64(x) << (8 * i)
		}
	}
	return u, true
}
