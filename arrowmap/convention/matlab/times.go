package matlab

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/mcos"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// MATLAB counts time in milliseconds: datetime from 1970 in UTC, or in local time where there is no zone. A value is a
// double, or the sum of two, as the real and the imaginary part of a complex number: the second one is what the first
// can't hold. NaN is NaT.

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

// finite reports whether a time is one: NaN is NaT, and Arrow has nothing for infinite times. What versions of mat-io made
// of NumPy's NaT is none either: the least integer of 64 bits, in milliseconds, microseconds or nanoseconds.
func finite(hi, lo float64) bool {
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

// count returns a time in units, rounded to the nearest; ok is false where it has more than 64 bits.
func count(hi, lo float64, u arrow.TimeUnit) (n int64, ok bool) {
	ihi, fhi := math.Modf(hi)
	ilo, flo := math.Modf(lo)
	per := float64(ticks(u))
	fraction := math.Round((fhi + flo) * per)
	if math.Abs(ihi)+math.Abs(ilo) >= math.Ldexp(1, 62)/per {
		return 0, false
	}
	return (int64(ihi)+int64(ilo))*ticks(u) + int64(fraction), true
}

// exact reports whether a time is a whole number of units, or the double that is nearest to one.
func exact(hi, lo float64, u arrow.TimeUnit) bool {
	ihi, fhi := math.Modf(hi)
	_, flo := math.Modf(lo)
	per := float64(ticks(u))
	if lo == 0 {
		return ihi+math.Round(fhi*per)/per == hi
	}
	units := (fhi + flo) * per
	return math.Abs(units-math.Round(units)) < 1e-6
}

// unitOf returns the longest unit of which all times in a dataset are whole numbers: milliseconds, microseconds or
// nanoseconds. Times outside the years that nanoseconds reach are in microseconds. Of very many times, those are
// microseconds that are one double, and nanoseconds the others.
func unitOf(d *h5.Dataset) (arrow.TimeUnit, error) {
	t := d.Type()
	complexes := t.IsComplex()
	if n, ok := d.Space().Elements(); !ok || n > uint64(maxScan/t.Size) {
		if complexes {
			return arrow.Nanosecond, nil
		}
		return arrow.Microsecond, nil
	}
	p, err := object.Contents(d)
	if err != nil {
		return 0, err
	}
	unit, fits := arrow.Millisecond, true
	for ; len(p) >= t.Size; p = p[t.Size:] {
		hi, lo := timeAt(p, t)
		if !finite(hi, lo) {
			continue
		}
		for unit != arrow.Nanosecond && !exact(hi, lo, unit) {
			unit++
		}
		if _, ok := count(hi, lo, arrow.Nanosecond); !ok {
			fits = false
		}
	}
	if !fits {
		unit = min(unit, arrow.Microsecond)
	}
	return unit, nil
}

// timeAt decodes a stored time.
func timeAt(p []byte, t *h5.Type) (hi, lo float64) {
	if t.IsComplex() {
		m := t.Members
		return rule.Float(p[m[0].Offset:], m[0].Type), rule.Float(p[m[1].Offset:], m[1].Type)
	}
	return rule.Float(p, t), 0
}

// times describes the times in a dataset, of a type that make makes of their unit.
func times(d *h5.Dataset, rows int64, of func(u arrow.TimeUnit) arrow.DataType) (convention.Values, error) {
	dims, err := reversed(d)
	if err != nil {
		return nil, err
	}
	sh, err := shapeOf(d, dims, rows)
	if err != nil {
		return nil, err
	}
	if sh.rows == 0 {
		return &convention.Empty{Data: d, Type: of(arrow.Millisecond)}, nil
	}
	if err := isTimes(d); err != nil {
		return nil, err
	}
	unit, err := unitOf(d)
	if err != nil {
		return nil, err
	}
	typ := sh.listType(of(unit))
	return &convention.Derived{Of: numbers(d, d.Type(), sh, nil), Type: typ, Reason: "times in milliseconds, as doubles",
		Compute: func(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
			return timesOf(in, row0, unit, of(unit), typ, mem)
		}}, nil
}

// isTimes refuses datasets that are not doubles or pairs of them.
func isTimes(d *h5.Dataset) error {
	t := d.Type()
	if f := t; f.Class == h5.ClassFloat && f.Size == 8 || t.IsComplex() && t.Members[0].Type.Size == 8 {
		return nil
	}
	return object.Corrupt(d, "times of %s", t)
}

// timesOf makes times of doubles, or pairs of them.
func timesOf(in arrow.Array, row0 int64, unit arrow.TimeUnit, elem, typ arrow.DataType, mem memory.Allocator) (arrow.Array, error) {
	flat := elements(in)
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
		if flat.IsNull(i) || hi.IsNull(i) || !finite(x, y) {
			b.UnsafeAppendBoolToBitmap(false)
			continue
		}
		n, ok := count(x, y, unit)
		if !ok {
			return nil, h5err.New(h5err.Unsupported, "row %d: %v milliseconds are more than %s holds", row0+int64(i/max(1, flat.Len()/max(1, in.Len()))), x, elem)
		}
		b.UnsafeAppend(n)
	}
	ints := b.NewArray()
	defer ints.Release()
	data := array.NewData(elem, ints.Len(), ints.Data().Buffers(), nil, ints.NullN(), 0)
	defer data.Release()
	return listed(array.MakeFromData(data), typ), nil
}

// leapSeconds is the zone whose times count leap seconds.
const leapSeconds = "UTCLeapSeconds"

// zone returns the time zone of a datetime, "" for none.
func (m *maker) zone(s *store, d *h5.Dataset, o *mcos.Object) (string, error) {
	v, err := s.property(o, "tz")
	if v == nil && err == nil {
		v, err = s.property(o, "tmz")
	}
	if err != nil {
		return "", err
	}
	zone, err := charsOf(v)
	if err == nil && zone == leapSeconds {
		err = object.Unsupported(d, "times that count leap seconds")
	}
	return zone, err
}

// datetime describes an array of the class datetime.
func (m *maker) datetime(s *store, d *h5.Dataset, o *mcos.Object, rows int64) (convention.Values, error) {
	data, err := s.dataset(d, o, "data")
	if err != nil {
		return nil, err
	}
	zone, err := m.zone(s, d, o)
	if err != nil {
		return nil, err
	}
	return times(data, rows, func(u arrow.TimeUnit) arrow.DataType { return &arrow.TimestampType{Unit: u, TimeZone: zone} })
}

// duration describes an array of the class duration.
func (m *maker) duration(s *store, d *h5.Dataset, o *mcos.Object, rows int64) (convention.Values, error) {
	data, err := s.dataset(d, o, "millis")
	if err != nil {
		return nil, err
	}
	return times(data, rows, durationType)
}

func durationType(u arrow.TimeUnit) arrow.DataType { return &arrow.DurationType{Unit: u} }

// calendar describes an array of the class calendarDuration: months, days and a duration, each for all rows or one for
// all of them. A row is null where one of the three is NaN.
func (m *maker) calendar(s *store, d *h5.Dataset, o *mcos.Object, rows int64) (convention.Values, error) {
	v, err := s.property(o, "components")
	if err != nil {
		return nil, err
	}
	g, ok := v.(*h5.Group)
	if !ok {
		return nil, object.Unsupported(d, "a calendarDuration without components")
	}
	var parts [3]*h5.Dataset
	var of []convention.Values
	sh := shape{rows: 1}
	for i, name := range [...]string{"months", "days", "millis"} {
		if parts[i], err = object.Required(g, name); err != nil {
			return nil, err
		}
		dims, err := reversed(parts[i])
		if err != nil {
			return nil, err
		}
		part, err := shapeOf(parts[i], dims, ownRows)
		if err != nil {
			return nil, err
		}
		if part.inner != nil || sh.rows != 1 && part.rows != 1 && part.rows != sh.rows {
			return nil, object.Unsupported(g, "a matrix of calendarDuration")
		}
		if part.rows != 1 {
			sh = part
		}
		if part.rows > 0 {
			if err := isTimes(parts[i]); err != nil {
				return nil, err
			}
			of = append(of, numbers(parts[i], parts[i].Type(), part, nil))
		}
	}
	if rows != ownRows && rows != sh.rows {
		return nil, object.Unsupported(g, "%d values of calendarDuration in a table of %d rows", sh.rows, rows)
	}
	unit := arrow.Millisecond
	if len(of) == 3 {
		if unit, err = unitOf(parts[2]); err != nil {
			return nil, err
		}
	}
	typ := arrow.StructOf(arrow.Field{Name: "months", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, arrow.Field{Name: "days", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		arrow.Field{Name: "time", Type: durationType(unit), Nullable: true})
	if sh.rows == 0 {
		return &convention.Empty{Data: d, Type: typ}, nil
	}
	return &convention.Computed{Data: parts[1], Of: of, Rows: sh.rows, Type: typ, Reason: "months, days and milliseconds, as doubles",
		Compute: func(in []arrow.Array, mem memory.Allocator) (arrow.Array, error) {
			return calendarOf(in, int(sh.rows), typ, mem)
		}}, nil
}

// calendarOf makes structs of months, days and milliseconds.
func calendarOf(in []arrow.Array, rows int, typ *arrow.StructType, mem memory.Allocator) (arrow.Array, error) {
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
			null = null || !finite(v[i], 0)
		}
		if null {
			b.AppendNull()
			continue
		}
		time, ok := count(v[2], 0, unit)
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
