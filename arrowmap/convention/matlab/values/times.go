package values

import (
	"math"
	"math/big"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// ticks is the number of units of time in a millisecond.
func ticks(u arrow.TimeUnit) int64 {
	switch u {
	case arrow.Microsecond:
		return 1e3
	case arrow.Nanosecond:
		return 1e6
	}
	return 1
}

// Finite reports whether a value is a time. NaN is NaT, and Arrow has no infinite times. NumPy's NaT, the least integer of 64
// bits, is written by versions of mat-io as so many milliseconds, microseconds or nanoseconds; it is not a time either.
func Finite(hi, lo float64) bool {
	if math.IsNaN(hi+lo) || math.IsInf(hi+lo, 0) {
		return false
	}
	for _, perMilli := range [...]float64{1, 1e3, 1e6} {
		if math.Abs(hi*perMilli/math.MinInt64-1) < 1e-15 {
			return false
		}
	}
	return true
}

// Count returns a time in units, rounded to the nearest; ok is false where it has more than 64 bits.
func Count(hi, lo float64, u arrow.TimeUnit) (n int64, ok bool) {
	ihi, fhi := math.Modf(hi)
	ilo, flo := math.Modf(lo)
	per := float64(ticks(u))
	fraction := math.Round((fhi + flo) * per)
	if math.Abs(ihi)+math.Abs(ilo) >= math.Ldexp(1, 62)/per {
		return 0, false
	}
	return (int64(ihi)+int64(ilo))*ticks(u) + int64(fraction), true
}

// Exact reports whether a time is a whole number of units, or the double that is nearest to one.
func Exact(hi, lo float64, u arrow.TimeUnit) bool {
	ihi, fhi := math.Modf(hi)
	_, flo := math.Modf(lo)
	per := float64(ticks(u))
	if lo == 0 {
		return ihi+math.Round(fhi*per)/per == hi
	}
	units := (fhi + flo) * per
	return math.Abs(units-math.Round(units)) < 1e-6
}

// Times makes times of doubles, or pairs of them.
func Times(in arrow.Array, row0 int64, unit arrow.TimeUnit, elem, typ arrow.DataType, mem memory.Allocator) (arrow.Array, error) {
	flat := Elements(in)
	defer flat.Release()
	var hi, lo *array.Float64
	ok := false
	switch v := flat.(type) {
	case *array.Float64:
		hi, ok = v, true
	case *array.Struct:
		if v.NumField() == 2 {
			var ok2 bool
			hi, ok = v.Field(0).(*array.Float64)
			lo, ok2 = v.Field(1).(*array.Float64)
			ok = ok && ok2
		}
	}
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "times of %s", flat.DataType())
	}
	b := array.NewInt64Builder(mem)
	defer b.Release()
	b.Reserve(flat.Len())
	for i := range flat.Len() {
		x, y := hi.Value(i), 0.0
		if lo != nil {
			y = lo.Value(i)
		}
		if flat.IsNull(i) || hi.IsNull(i) || !Finite(x, y) {
			b.UnsafeAppendBoolToBitmap(false)
			continue
		}
		n, ok := Count(x, y, unit)
		if !ok {
			return nil, h5err.New(h5err.Unsupported, "row %d: %v milliseconds are more than %s holds", row0+int64(i/max(1, flat.Len()/max(1, in.Len()))), x, elem)
		}
		b.UnsafeAppend(n)
	}
	ints := b.NewArray()
	defer ints.Release()
	data := array.NewData(elem, ints.Len(), ints.Data().Buffers(), nil, ints.NullN(), 0)
	defer data.Release()
	return Listed(array.MakeFromData(data), typ), nil
}

// Calendar makes structs of months, days and milliseconds.
func Calendar(in []arrow.Array, rows int, typ *arrow.StructType, mem memory.Allocator) (arrow.Array, error) {
	unit := typ.Field(2).Type.(*arrow.DurationType).Unit
	b := array.NewStructBuilder(mem, typ)
	defer b.Release()
	var parts [3]*array.Float64
	for i := range parts {
		var ok bool
		if parts[i], ok = in[i].(*array.Float64); !ok {
			return nil, h5err.New(h5err.Unsupported, "calendarDuration of %s", in[i].DataType())
		}
	}
	for r := range rows {
		var v [3]float64
		null := false
		for i, p := range parts {
			v[i] = p.Value(min(r, p.Len()-1))
			null = null || !Finite(v[i], 0)
		}
		if null {
			b.AppendNull()
			continue
		}
		time, ok := Count(v[2], 0, unit)
		if !ok || math.Abs(v[0]) > math.MaxInt32 || math.Abs(v[1]) > math.MaxInt32 || v[0] != math.Trunc(v[0]) || v[1] != math.Trunc(v[1]) {
			return nil, h5err.New(h5err.Unsupported, "row %d: %v months, %v days and %v milliseconds", r, v[0], v[1], v[2])
		}
		b.Append(true)
		b.FieldBuilder(0).(*array.Int32Builder).Append(int32(v[0]))
		b.FieldBuilder(1).(*array.Int32Builder).Append(int32(v[1]))
		b.FieldBuilder(2).(*array.DurationBuilder).Append(arrow.Duration(time))
	}
	return b.NewArray(), nil
}

// Step is the rule by which row times are regular.
type Step struct {
	Origin, Low  float64 // milliseconds, and a second part of them
	Rate         float64 // rows a second, 0 where there is a step
	Months, Days int64
	Millis       float64
}

// Exact reports whether all times are whole numbers of units.
func (st *Step) Exact(u arrow.TimeUnit) bool {
	if st.Rate == 0 {
		return Exact(st.Origin, st.Low, u) && Exact(st.Millis, 0, u)
	}
	perSecond := float64(1000 * ticks(u))
	return Exact(st.Origin, st.Low, u) && math.Mod(perSecond, st.Rate) == 0
}

// at returns the time of row i; ok is false where it has more than 64 bits.
func (st *Step) at(i int64, u arrow.TimeUnit) (t int64, ok bool) {
	t, ok = Count(st.Origin, st.Low, u)
	if !ok {
		return 0, false
	}
	if st.Months != 0 || st.Days != 0 {
		if t, ok = calendarStep(t, i, st.Months, st.Days, u); !ok {
			return 0, false
		}
	}
	// The products are taken exactly: rounded ones would drift apart from the times that MATLAB shows.
	var x, f big.Float
	x.SetPrec(160).SetInt64(i)
	if st.Rate > 0 {
		x.Mul(&x, f.SetPrec(160).SetInt64(1000*ticks(u)))
		x.Quo(&x, new(big.Float).SetPrec(160).SetFloat64(st.Rate))
	} else {
		unit, ok := Count(st.Millis, 0, u)
		if !ok {
			return 0, false
		}
		if Exact(st.Millis, 0, u) {
			x.Mul(&x, f.SetPrec(160).SetInt64(unit))
		} else {
			x.Mul(&x, f.SetPrec(160).SetFloat64(st.Millis))
			x.Mul(&x, new(big.Float).SetPrec(160).SetInt64(ticks(u)))
		}
	}
	if x.Sign() < 0 {
		x.Sub(&x, big.NewFloat(0.5))
	} else {
		x.Add(&x, big.NewFloat(0.5))
	}
	n, acc := x.Int64()
	if acc != big.Exact && (n == math.MaxInt64 || n == math.MinInt64) {
		return 0, false
	}
	sum := t + n
	return sum, (sum > t) == (n > 0)
}

// calendarStep adds i steps of months and days to a time; a day that a month does not have is its last one.
func calendarStep(t, i, months, days int64, u arrow.TimeUnit) (int64, bool) {
	perDay := 86400000 * ticks(u)
	day := t / perDay
	if t%perDay < 0 {
		day--
	}
	rest := t - day*perDay
	if i != 0 && (months > math.MaxInt32/i || -months > math.MaxInt32/i || days > math.MaxInt32/i || -days > math.MaxInt32/i) || day > 1<<31 || day < -1<<31 {
		return 0, false
	}
	date := time.Unix(day*86400, 0).UTC()
	first := time.Date(date.Year(), date.Month()+time.Month(months*i), 1, 0, 0, 0, 0, time.UTC)
	last := time.Date(first.Year(), first.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	day = first.Unix()/86400 + int64(min(date.Day(), last)-1) + days*i
	if first.Unix()%86400 != 0 || day > math.MaxInt64/perDay-1 || day < math.MinInt64/perDay+1 {
		return 0, false
	}
	return day*perDay + rest, true
}

// Unit returns the longest unit of which all times of so many rows are whole numbers, or that holds them.
func (st *Step) Unit(rows int64) arrow.TimeUnit {
	unit := arrow.Millisecond
	for unit < arrow.Nanosecond && !st.Exact(unit) {
		unit++
	}
	if rows > 0 && unit == arrow.Nanosecond {
		if _, ok := st.at(rows-1, unit); !ok {
			unit = arrow.Microsecond
		}
	}
	return unit
}

// Generate makes the times of rows [lo,hi), of a type of that unit.
func (st *Step) Generate(lo, hi int64, unit arrow.TimeUnit, t arrow.DataType, mem memory.Allocator) (arrow.Array, error) {
	b := array.NewInt64Builder(mem)
	defer b.Release()
	b.Reserve(int(hi - lo))
	for i := lo; i < hi; i++ {
		v, ok := st.at(i, unit)
		if !ok {
			return nil, h5err.New(h5err.Unsupported, "row %d: its time is more than %s holds", i, t)
		}
		b.UnsafeAppend(v)
	}
	ints := b.NewArray()
	defer ints.Release()
	data := array.NewData(t, ints.Len(), ints.Data().Buffers(), nil, 0, 0)
	defer data.Release()
	return array.MakeFromData(data), nil
}
