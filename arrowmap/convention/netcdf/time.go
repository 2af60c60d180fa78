package netcdf

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/arrays"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// since splits units of times into the unit and the reference.
func (a *attributes) since() (unit, reference string, ok bool) {
	words := strings.Fields(a.inherited("units"))
	if len(words) < 3 || !strings.EqualFold(words[1], "since") {
		return "", "", false
	}
	return words[0], strings.Join(words[2:], " "), true
}

// span returns the type that numpy had in memory, and the unit of the stored values, of a variable of durations as
// xarray writes them.
func (a *attributes) span() (name, units string, ok bool) {
	if name = object.Text(a.d, "dtype"); !strings.HasPrefix(name, "timedelta64[") {
		return "", "", false
	}
	units = strings.TrimSpace(a.inherited("units"))
	_, _, ok = dtype.TimeUnit(units)
	return name, units, ok
}

// isTime reports whether the values are times or counts of a unit of time.
func (a *attributes) isTime() bool {
	_, _, time := a.since()
	_, _, span := dtype.TimeUnit(strings.TrimSpace(a.inherited("units")))
	return time || span
}

// outOfRange are the times that become null, in words.
const outOfRange = "times out of range"

// times describes the conversion of numbers of type kind to timestamps, nil for what is not a time of a standard
// calendar.
func (a *attributes) times(kind arrow.DataType) *convention.Derived {
	name, since, ok := a.since()
	if !ok || kind == nil {
		return nil
	}
	ticks, unit, ok := dtype.TimeUnit(name)
	if !ok {
		return nil
	}
	julian := false
	switch strings.ToLower(a.inherited("calendar")) {
	case "", "standard", "gregorian":
		julian = true // before 1582-10-15
	case "proleptic_gregorian":
	default:
		return nil
	}
	seconds, nanos, ok := parseReference(since, julian)
	if !ok {
		return nil
	}
	out := &convention.Derived{Reason: "times of a calendar", Nulls: outOfRange}
	if arrow.IsFloating(kind.ID()) {
		out.Type = &arrow.TimestampType{Unit: arrow.Microsecond}
		ref, ok := mulAdd(seconds, 1e6, nanos/1000)
		if !ok {
			return nil
		}
		per := float64(ticks) * 1e6 / float64(ticksPerSecond(unit))
		out.Compute = func(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
			return floatTimes(in, row0, mem, out.Type, per, ref)
		}
		return out
	}
	for unit < arrow.Nanosecond && nanos%(1e9/ticksPerSecond(unit)) != 0 { // a reference within the unit
		unit, ticks = unit+1, ticks*1000
	}
	out.Type = &arrow.TimestampType{Unit: unit}
	ref, ok := mulAdd(seconds, ticksPerSecond(unit), nanos/(1e9/ticksPerSecond(unit)))
	if !ok {
		return nil
	}
	if exactTimes(kind, ticks, ref) {
		out.Nulls = ""
	}
	out.Compute = func(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
		return intTimes(in, row0, mem, out.Type, ticks, ref)
	}
	return out
}

// exactTimes reports whether every integer of a type of up to 32 bits makes a time.
func exactTimes(kind arrow.DataType, ticks, ref int64) bool {
	if kind.(arrow.FixedWidthDataType).BitWidth() > 32 {
		return false
	}
	_, ok1 := mulAdd(math.MinInt32, ticks, ref)
	_, ok2 := mulAdd(math.MaxUint32, ticks, ref)
	return ok1 && ok2
}

// spans describes the conversion of unpacked numbers to durations of a unit that numpy had in memory.
func spans(name, units string) *convention.Derived {
	ticks, unit, ok := dtype.TimeUnit(units)
	if !ok {
		return nil
	}
	out := &convention.Derived{Reason: "durations in " + units, Nulls: outOfRange}
	for u := arrow.Second; u <= arrow.Nanosecond; u++ {
		for name == "timedelta64["+u.String()+"]" && unit < u {
			unit, ticks = unit+1, ticks*1000
		}
	}
	out.Type = &arrow.DurationType{Unit: unit}
	out.Compute = func(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error) {
		return floatTimes(in, row0, mem, out.Type, float64(ticks), 0)
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

// floatTimes rounds to the unit of t, half to even. NaN and what is out of range is null.
func floatTimes(in arrow.Array, row0 int64, mem memory.Allocator, t arrow.DataType, per float64, ref int64) (arrow.Array, error) {
	vbuf, values := arrays.NewFloats[float64](in.Len(), mem)
	defer vbuf.Release()
	if err := arrays.Floats(in, values); err != nil {
		return nil, err
	}
	buf, out := timesBuffer(in.Len(), mem)
	defer buf.Release()
	bad := -1 // the first
	var note error
	for i, v := range values {
		ticks := math.RoundToEven(v * per)
		x, ok := int64(0), false
		if math.Abs(ticks) < 1<<62 {
			x, ok = mulAdd(int64(ticks), 1, ref)
		}
		if !ok {
			if x = 0; bad < 0 {
				bad = i
			}
			if note == nil && in.IsValid(i) && !math.IsNaN(v) {
				note = notATime(row0+int64(i), strconv.FormatFloat(v, 'g', -1, 64))
			}
			values[i] = math.NaN()
		}
		out[i] = x
	}
	arr := arrays.WithValues(in, t, buf)
	if bad < 0 {
		return arr, nil
	}
	return arrays.Without(arr, func(i int) bool { return i >= bad && math.IsNaN(values[i]) }, mem), note
}

// notATime is the note on a value that is null because it is out of the range of times.
func notATime(at int64, v string) error {
	return h5err.New(h5err.Unsupported, "value %d: %s is out of the range of times: null", at, v)
}

// intTimes computes value*ticks+ref. What is out of range is null, the least int64 too.
func intTimes(in arrow.Array, row0 int64, mem memory.Allocator, t arrow.DataType, ticks, ref int64) (arrow.Array, error) {
	buf, out := timesBuffer(in.Len(), mem)
	defer buf.Release()
	if err := arrays.Integers(in, out); err != nil {
		return nil, err
	}
	var bad []bool
	var note error
	for i, v := range out {
		x, ok := mulAdd(v, ticks, ref)
		if !ok || v == math.MinInt64 || in.IsNull(i) {
			if x = 0; in.IsValid(i) {
				if bad == nil {
					bad = make([]bool, len(out))
				}
				bad[i] = true
				if note == nil && (v != math.MinInt64 || in.DataType().ID() == arrow.UINT64) {
					note = notATime(row0+int64(i), in.ValueStr(i))
				}
			}
		}
		out[i] = x
	}
	arr := arrays.WithValues(in, t, buf)
	if bad == nil {
		return arr, nil
	}
	return arrays.Without(arr, func(i int) bool { return bad[i] }, mem), note
}

// parseReference reads the reference time of CF units: a date, perhaps a time of day, perhaps an offset from UTC, which
// may lack its sign ("15:00:06 0:00"). It returns seconds since 1970 and nanoseconds. With julian, dates before 1582-10-15 are of the Julian calendar, as in the
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
		if number(m[9]) > 18 || number(m[10]) > 59 {
			return 0, 0, false
		}
		offset := number(m[9])*3600 + number(m[10])*60
		if m[8] == "-" {
			offset = -offset
		}
		seconds -= offset
	}
	return seconds, nanos, true
}

func referenceTime() *regexp.Regexp {
	return regexp.MustCompile(`^(-?\d{1,6})-(\d{1,2})-(\d{1,2})(?:[T ]+(\d{1,2})(?::(\d{1,2}))?(?::(\d{1,2})(?:\.(\d{0,9})\d*)?)?)?\s*(?:UTC|GMT|Z)?(?:\s*([+-]|\s)(\d{1,2}):?(\d{2})?)?$`)
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
