package matlab

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/mcos"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/store"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/values"
	"github.com/h5arrow/h5arrow/h5"
)

// MATLAB counts time in milliseconds: datetime from 1970 in UTC, or in local time where there is no zone. A value is a
// double, or the sum of two, as the real and the imaginary part of a complex number: the second one is what the first
// can't hold. NaN is NaT.

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
		if !values.Finite(hi, lo) {
			continue
		}
		for unit != arrow.Nanosecond && !values.Exact(hi, lo, unit) {
			unit++
		}
		if _, ok := values.Count(hi, lo, arrow.Nanosecond); !ok {
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
	if sh.Rows == 0 {
		return &convention.Empty{Data: d, Type: of(arrow.Millisecond)}, nil
	}
	if err := isTimes(d); err != nil {
		return nil, err
	}
	unit, err := unitOf(d)
	if err != nil {
		return nil, err
	}
	typ := sh.ListType(of(unit))
	return &convention.Derived{Of: numbers(d, d.Type(), sh, nil), Type: typ, Reason: "times in milliseconds, as doubles",
		Compute: func(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
			return values.Times(in, row0, unit, of(unit), typ, mem)
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

// leapSeconds is the zone whose times count leap seconds.
const leapSeconds = "UTCLeapSeconds"

// zone returns the time zone of a datetime, "" for none.
func (m *maker) zone(s *store.Store, d *h5.Dataset, o *mcos.Object) (string, error) {
	v, err := s.Property(o, "tz")
	if v == nil && err == nil {
		v, err = s.Property(o, "tmz")
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
func (m *maker) datetime(s *store.Store, d *h5.Dataset, o *mcos.Object, rows int64) (convention.Values, error) {
	data, err := s.Dataset(d, o, "data")
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
func (m *maker) duration(s *store.Store, d *h5.Dataset, o *mcos.Object, rows int64) (convention.Values, error) {
	data, err := s.Dataset(d, o, "millis")
	if err != nil {
		return nil, err
	}
	return times(data, rows, durationType)
}

func durationType(u arrow.TimeUnit) arrow.DataType { return &arrow.DurationType{Unit: u} }

// calendar describes an array of the class calendarDuration: months, days and a duration, each for all rows or one for
// all of them. A row is null where one of the three is NaN.
func (m *maker) calendar(s *store.Store, d *h5.Dataset, o *mcos.Object, rows int64) (convention.Values, error) {
	v, err := s.Property(o, "components")
	if err != nil {
		return nil, err
	}
	g, ok := v.(*h5.Group)
	if !ok {
		return nil, object.Unsupported(d, "a calendarDuration without components")
	}
	var parts [3]*h5.Dataset
	var of []convention.Values
	sh := values.Shape{Rows: 1}
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
		if part.Inner != nil || sh.Rows != 1 && part.Rows != 1 && part.Rows != sh.Rows {
			return nil, object.Unsupported(g, "a matrix of calendarDuration")
		}
		if part.Rows != 1 {
			sh = part
		}
		if part.Rows > 0 {
			if err := isTimes(parts[i]); err != nil {
				return nil, err
			}
			of = append(of, numbers(parts[i], parts[i].Type(), part, nil))
		}
	}
	if rows != ownRows && sh.Rows == 1 {
		sh.Rows = rows // all rows are equal
	}
	if rows != ownRows && rows != sh.Rows {
		return nil, object.Unsupported(g, "%d values of calendarDuration in a table of %d rows", sh.Rows, rows)
	}
	unit := arrow.Millisecond
	if len(of) == 3 {
		if unit, err = unitOf(parts[2]); err != nil {
			return nil, err
		}
	}
	typ := arrow.StructOf(arrow.Field{Name: "months", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, arrow.Field{Name: "days", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		arrow.Field{Name: "time", Type: durationType(unit), Nullable: true})
	if sh.Rows == 0 {
		return &convention.Empty{Data: d, Type: typ}, nil
	}
	return &convention.Computed{Data: parts[1], Rows: sh.Rows, Type: typ, Reason: "months, days and milliseconds, as doubles",
		Block: convention.Alone(func(in []arrow.Array, mem memory.Allocator) (arrow.Array, error) {
			return values.Calendar(in, int(sh.Rows), typ, mem)
		}, of...)}, nil
}
