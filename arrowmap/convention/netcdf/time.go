package netcdf

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/arrays"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// timeUnit is a unit of CF times: so many ticks of an Arrow unit.
type timeUnit struct {
	ticks int64
	unit  arrow.TimeUnit
}

// unitOf reads the name of a unit of constant length (CF conventions, 4.4).
func unitOf(name string) (timeUnit, bool) {
	switch strings.ToLower(name) {
	case "days", "day", "d":
		return timeUnit{86400, arrow.Second}, true
	case "hours", "hour", "hrs", "hr", "h":
		return timeUnit{3600, arrow.Second}, true
	case "minutes", "minute", "mins", "min":
		return timeUnit{60, arrow.Second}, true
	case "seconds", "second", "secs", "sec", "s":
		return timeUnit{1, arrow.Second}, true
	case "milliseconds", "millisecond", "millisecs", "millisec", "msecs", "msec", "ms":
		return timeUnit{1, arrow.Millisecond}, true
	case "microseconds", "microsecond", "microsecs", "microsec", "us":
		return timeUnit{1, arrow.Microsecond}, true
	case "nanoseconds", "nanosecond", "nsecs", "nsec", "ns":
		return timeUnit{1, arrow.Nanosecond}, true
	}
	return timeUnit{}, false
}

// timeOf returns the conversion of numbers of type kind to timestamps, nil for what is not a time of a standard
// calendar.
func timeOf(d *h5.Dataset, kind arrow.DataType) *convention.Derived {
	name, since, ok := strings.Cut(object.Text(d, "units"), " since ")
	if !ok || kind == nil {
		return nil
	}
	u, ok := unitOf(strings.TrimSpace(name))
	if !ok {
		return nil
	}
	julian := false
	switch strings.ToLower(object.Text(d, "calendar")) {
	case "", "standard", "gregorian":
		julian = true // before 1582-10-15
	case "proleptic_gregorian":
	default:
		return nil
	}
	seconds, nanos, ok := parseReference(strings.TrimSpace(since), julian)
	if !ok {
		return nil
	}
	out := &convention.Derived{Reason: "times of a calendar"}
	if arrow.IsFloating(kind.ID()) {
		out.Type = &arrow.TimestampType{Unit: arrow.Microsecond}
		ref, ok := mulAdd(seconds, 1e6, nanos/1000)
		if !ok {
			return nil
		}
		per := float64(u.ticks) * 1e6 / float64(ticksPerSecond(u.unit))
		out.Compute = func(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
			return floatTimes(in, row0, mem, out.Type, per, ref)
		}
		return out
	}
	out.Type = &arrow.TimestampType{Unit: u.unit}
	per := ticksPerSecond(u.unit)
	ref, ok := mulAdd(seconds, per, nanos/(1e9/per))
	if !ok || nanos%(1e9/per) != 0 {
		return nil
	}
	out.Compute = func(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
		return intTimes(in, row0, mem, out.Type, u.ticks, ref)
	}
	return out
}

func ticksPerSecond(u arrow.TimeUnit) int64 {
	return [...]int64{arrow.Second: 1, arrow.Millisecond: 1e3, arrow.Microsecond: 1e6, arrow.Nanosecond: 1e9}[u]
}

func mulAdd(a, b, c int64) (int64, bool) {
	if a != 0 && (a*b/a != b || a == -1 && b == math.MinInt64) {
		return 0, false
	}
	p := a * b
	s := p + c
	return s, (s > p) == (c > 0)
}

func timesBuffer(n int, mem memory.Allocator) (*memory.Buffer, []int64) {
	buf := memory.NewResizableBuffer(mem)
	buf.Resize(8 * n)
	return buf, arrow.Int64Traits.CastFromBytes(buf.Bytes())
}

// floatTimes rounds to microseconds, half to even; NaN is null.
func floatTimes(in arrow.Array, row0 int64, mem memory.Allocator, t arrow.DataType, per float64, ref int64) (arrow.Array, error) {
	vbuf := memory.NewResizableBuffer(mem)
	defer vbuf.Release()
	vbuf.Resize(8 * in.Len())
	values := arrow.Float64Traits.CastFromBytes(vbuf.Bytes())
	if err := arrays.Floats(in, values); err != nil {
		return nil, err
	}
	buf, out := timesBuffer(in.Len(), mem)
	defer buf.Release()
	nans := 0
	for i, v := range values {
		if in.IsNull(i) || v != v {
			if v != v && in.IsValid(i) {
				nans++
			}
			out[i] = 0
			continue
		}
		us := math.RoundToEven(v * per)
		if math.Abs(us) >= 1<<62 {
			return nil, h5err.New(h5err.Corrupt, "row %d: %v is not a time", row0+int64(i), v)
		}
		out[i] = int64(us) + ref
	}
	arr := arrays.WithValues(in, t, buf)
	if nans == 0 {
		return arr, nil
	}
	defer arr.Release()
	return withoutNaN(arr, values, mem), nil
}

// withoutNaN makes the elements whose number is NaN null.
func withoutNaN(arr arrow.Array, values []float64, mem memory.Allocator) arrow.Array {
	valid := memory.NewResizableBuffer(mem)
	defer valid.Release()
	valid.Resize((arr.Len() + 7) / 8)
	p := valid.Bytes()
	clear(p)
	nulls := 0
	for i, v := range values {
		if v == v && arr.IsValid(i) {
			p[i/8] |= 1 << (i % 8)
		} else {
			nulls++
		}
	}
	data := array.NewData(arr.DataType(), arr.Len(), []*memory.Buffer{valid, arr.Data().Buffers()[1]}, nil, nulls, 0)
	defer data.Release()
	return array.MakeFromData(data)
}

func intTimes(in arrow.Array, row0 int64, mem memory.Allocator, t arrow.DataType, ticks, ref int64) (arrow.Array, error) {
	buf, out := timesBuffer(in.Len(), mem)
	defer buf.Release()
	if err := arrays.Integers(in, out); err != nil {
		return nil, err
	}
	for i, v := range out {
		if in.IsNull(i) {
			out[i] = 0
			continue
		}
		x, ok := mulAdd(v, ticks, ref)
		if !ok {
			return nil, h5err.New(h5err.Corrupt, "row %d: %d is not a time", row0+int64(i), v)
		}
		out[i] = x
	}
	return arrays.WithValues(in, t, buf), nil
}

// parseReference reads the reference time of CF units: a date, perhaps a time of day, perhaps an offset from UTC. It
// returns seconds since 1970 and nanoseconds. With julian, dates before 1582-10-15 are of the Julian calendar, as in the
// standard calendar.
func parseReference(s string, julian bool) (seconds, nanos int64, ok bool) {
	m := referenceTime().FindStringSubmatch(s)
	if m == nil {
		return 0, 0, false
	}
	number := func(s string) int64 {
		v, _ := strconv.ParseInt(s, 10, 64) // at most six digits, or none
		return v
	}
	year, month, day := number(m[1]), number(m[2]), number(m[3])
	hour, minute, sec := number(m[4]), number(m[5]), number(m[6])
	if month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 || sec > 60 {
		return 0, 0, false
	}
	if frac := m[7]; frac != "" {
		nanos = number((frac + "000000000")[:9])
	}
	old := year < 1582 || year == 1582 && (month < 10 || month == 10 && day < 15)
	days := civilDays(year, month, day, julian && old)
	seconds = days*86400 + hour*3600 + minute*60 + sec
	if m[8] != "" {
		offset := number(m[9])*3600 + number(m[10])*60
		if m[8] == "-" {
			offset = -offset
		}
		seconds -= offset
	}
	return seconds, nanos, true
}

func referenceTime() *regexp.Regexp {
	return regexp.MustCompile(`^(-?\d{1,6})-(\d{1,2})-(\d{1,2})(?:[T ]+(\d{1,2})(?::(\d{1,2}))?(?::(\d{1,2})(?:\.(\d{0,9})\d*)?)?)?\s*(?:UTC|GMT|Z)?\s*(?:([+-])(\d{1,2}):?(\d{2})?)?$`)
}

// civilDays is the number of days from 1970-01-01 to a date of the Gregorian or Julian calendar.
func civilDays(year, month, day int64, julian bool) int64 {
	a := (14 - month) / 12
	y := year + 4800 - a
	m := month + 12*a - 3
	n := day + (153*m+2)/5 + 365*y + y/4
	if julian {
		n -= 32083
	} else {
		n += -y/100 + y/400 - 32045
	}
	return n - 2440588
}
