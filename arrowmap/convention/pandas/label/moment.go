package label

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/h5arrow/h5arrow/arrowmap/convention/pickle"
)

// Names of the functions in pandas' pickles.
const (
	unpickleStamp = "pandas._libs.tslibs.timestamps._unpickle_timestamp"
	unpickleSpan  = "pandas._libs.tslibs.timedeltas._timedelta_unpickle"
	periodName    = "pandas.Period"
	dateName      = "datetime.date"
)

// Stamp returns the label of a pandas Timestamp: a count of the unit since 1970, in a zone, what its pickle or its name
// says, nil for none.
func Stamp(count int64, unit string, zone any) *pickle.Call {
	return &pickle.Call{Name: unpickleStamp, Args: pickle.Tuple{count, nil, zone, unit}}
}

// Span returns the label of a pandas Timedelta: a count of the unit.
func Span(count int64, unit string) *pickle.Call {
	return &pickle.Call{Name: unpickleSpan, Args: pickle.Tuple{count, unit}}
}

// Period returns the label of a pandas Period of a frequency, what its pickle or its name says.
func Period(ordinal int64, freq any) *pickle.Call {
	return &pickle.Call{Name: periodName, Args: pickle.Tuple{nil, freq, ordinal}}
}

// Date returns the label of a date: day 1 is the first of January of year 1.
func Date(day int64) *pickle.Call {
	t := time.Unix((day-719163)*86400, 0).UTC()
	return &pickle.Call{Name: dateName, Args: pickle.Tuple{int64(t.Year()), int64(t.Month()), int64(t.Day())}}
}

// unitOf returns the unit's name, and how many of it make a second; "" for an unknown one. numpy numbers its units.
func unitOf(v any) (string, int64) {
	switch v {
	case "ns", int64(10):
		return "ns", 1e9
	case "us", int64(9):
		return "us", 1e6
	case "ms", int64(8):
		return "ms", 1e3
	case "s", int64(7):
		return "s", 1
	}
	return "", 0
}

// missing is the count that stands for NaT.
const missing = math.MinInt64

// counted is a count of a unit: what stamps and spans are.
type counted struct {
	n    int64
	unit string
	per  int64 // units in a second
	zone any   // of a stamp
}

// stamp returns what a Timestamp holds.
func stamp(c *pickle.Call) (s counted, ok bool) {
	if !strings.HasSuffix(c.Name, ".Timestamp") && c.Name != unpickleStamp {
		return s, false
	}
	s.zone = c.Arg(2)
	s.n, ok = c.Arg(0).(int64)
	return s.in(c.Arg(3)), ok && s.in(c.Arg(3)).unit != ""
}

// span returns what a Timedelta holds.
func span(c *pickle.Call) (s counted, ok bool) {
	if !strings.HasSuffix(c.Name, ".Timedelta") && c.Name != unpickleSpan {
		return s, false
	}
	s.n, ok = c.Arg(0).(int64)
	return s.in(c.Arg(1)), ok && s.in(c.Arg(1)).unit != ""
}

// in sets the unit, nanoseconds where none is said.
func (s counted) in(unit any) counted {
	if unit == nil {
		unit = "ns"
	}
	s.unit, s.per = unitOf(unit)
	return s
}

// parts divides the count into seconds and nanoseconds.
func (s counted) parts() (sec, ns int64) {
	sec, ns = floorDiv(s.n, s.per)
	return sec, ns * (1e9 / s.per)
}

func floorDiv(a, b int64) (q, r int64) {
	if q, r = a/b, a%b; r < 0 {
		return q - 1, r + b
	}
	return q, r
}

// stampText is str() of a Timestamp.
func (s counted) stampText() string {
	if s.n == missing {
		return "NaT"
	}
	t := time.Unix(s.parts()).UTC()
	return dateTime(t, s.zone)
}

// dateTime is an instant in a zone, as Python writes it. Where the zone is not known, it is written in UTC.
func dateTime(t time.Time, zone any) string {
	layout := "2006-01-02 15:04:05"
	if zone != nil {
		loc, err := location(zone)
		if err != nil {
			loc = time.UTC
		}
		t = t.In(loc)
	}
	s := t.Format(layout) + fraction(int64(t.Nanosecond()))
	if zone != nil {
		s += offsetText(t)
	}
	return s
}

// offsetText is a zone's offset: hours and minutes, and seconds where there are any.
func offsetText(t time.Time) string {
	_, off := t.Zone()
	if off%60 != 0 {
		return t.Format("-07:00:00")
	}
	return t.Format("-07:00")
}

// fraction is the part of a second: none, six digits or nine.
func fraction(ns int64) string {
	switch {
	case ns%1000 != 0:
		return fmt.Sprintf(".%09d", ns)
	case ns != 0:
		return fmt.Sprintf(".%06d", ns/1000)
	}
	return ""
}

// spanText is str() of a Timedelta.
func (s counted) spanText() string {
	if s.n == missing {
		return "NaT"
	}
	sec, ns := s.parts()
	days, rest := floorDiv(sec, 86400)
	sign := ""
	if days < 0 {
		sign = "+"
	}
	return fmt.Sprintf("%d days %s%02d:%02d:%02d%s", days, sign, rest/3600, rest/60%60, rest%60, fraction(ns))
}

// bytesOf returns bytes, which Python 2 wrote as text.
func bytesOf(v any) []byte {
	switch v := v.(type) {
	case pickle.Bytes:
		return []byte(v)
	case string:
		if b := make([]byte, 0, len(v)); utf8.ValidString(v) {
			for _, r := range v {
				if r > 0xff {
					return nil
				}
				b = append(b, byte(r))
			}
			return b
		}
	}
	return nil
}

// date returns the date of a datetime.date: of its four bytes, or of year, month and day.
func date(c *pickle.Call) (t time.Time, ok bool) {
	if c.Name != dateName {
		return t, false
	}
	y, m, d := int64(0), int64(0), int64(0)
	if b := bytesOf(c.Arg(0)); len(c.Args) == 1 && len(b) == 4 {
		y, m, d = int64(binary.BigEndian.Uint16(b)), int64(b[2]), int64(b[3])
	} else if len(c.Args) == 3 {
		y, _ = c.Arg(0).(int64)
		m, _ = c.Arg(1).(int64)
		d, _ = c.Arg(2).(int64)
	}
	if y < 1 || y > 9999 || m < 1 || m > 12 || d < 1 || d > 31 {
		return t, false
	}
	return time.Date(int(y), time.Month(m), int(d), 0, 0, 0, 0, time.UTC), true
}

// clock returns str() of a datetime.datetime or a datetime.time, of their bytes.
func clock(c *pickle.Call) (string, bool) {
	b := bytesOf(c.Arg(0))
	micro := func(b []byte) int { return int(b[0])<<16 | int(b[1])<<8 | int(b[2]) }
	switch {
	case c.Name == "datetime.datetime" && len(b) == 10 && b[2] < 128: // the upper bit is for times that occur twice
		y := int(binary.BigEndian.Uint16(b))
		loc := time.UTC
		if zone := c.Arg(1); zone != nil {
			l, err := location(zone)
			if err != nil {
				return "", false
			}
			loc = l
		}
		t := time.Date(y, time.Month(b[2]), int(b[3]), int(b[4]), int(b[5]), int(b[6]), 1000*micro(b[7:]), loc)
		return dateTime(t, c.Arg(1)), true
	case c.Name == "datetime.time" && len(b) == 6 && c.Arg(1) == nil:
		return fmt.Sprintf("%02d:%02d:%02d%s", b[0]&127, b[1], b[2], fraction(1000*int64(micro(b[3:])))), true
	case c.Name == "datetime.timedelta" && len(c.Args) == 3:
		days, ok1 := c.Args[0].(int64)
		sec, ok2 := c.Args[1].(int64)
		us, ok3 := c.Args[2].(int64)
		s := fmt.Sprintf("%d:%02d:%02d%s", sec/3600, sec/60%60, sec%60, fraction(us*1000))
		switch {
		case !ok1 || !ok2 || !ok3 || sec < 0 || sec >= 86400 || us < 0 || us >= 1e6:
			return "", false
		case days == 1 || days == -1:
			s = fmt.Sprintf("%d day, %s", days, s)
		case days != 0:
			s = fmt.Sprintf("%d days, %s", days, s)
		}
		return s, true
	}
	return "", false
}

// numpyTime returns str() of a scalar of numpy that is a time or a span: a count of a unit.
func numpyTime(c *pickle.Call) (string, bool) {
	t, ok := c.Arg(0).(*pickle.Call)
	b := bytesOf(c.Arg(1))
	if c.Name != "numpy.scalar" || !ok || len(b) != 8 || t.Arg(0) != "M8" && t.Arg(0) != "m8" {
		return "", false
	}
	state, _ := t.State.(pickle.Tuple)
	if len(state) < 9 || state[1] == ">" {
		return "", false
	}
	more, _ := state[8].(pickle.Tuple)
	if len(more) < 2 {
		return "", false
	}
	of, _ := more[1].(pickle.Tuple)
	if len(of) < 2 || of[1] != int64(1) {
		return "", false
	}
	unit := string(bytesOf(of[0]))
	n := int64(binary.LittleEndian.Uint64(b))
	if n == missing {
		return "NaT", true
	}
	if t.Arg(0) == "m8" {
		name, ok := map[string]string{"W": "weeks", "D": "days", "h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}[unit]
		return fmt.Sprintf("%d %s", n, name), ok
	}
	switch unit {
	case "Y":
		return fmt.Sprintf("%04d", 1970+n), n > -1970 && n < 8030
	case "M":
		y, m := floorDiv(n, 12)
		return fmt.Sprintf("%04d-%02d", 1970+y, m+1), y > -1970 && y < 8030
	case "D":
		if n < -719162 || n > 2932896 {
			return "", false
		}
		return time.Unix(n*86400, 0).UTC().Format(time.DateOnly), true
	}
	_, per := unitOf(unit)
	if per == 0 {
		return "", false
	}
	sec, ns := counted{n: n, per: per}.parts()
	layout := "2006-01-02T15:04:05"
	if digits := map[string]int{"ms": 3, "us": 6, "ns": 9}[unit]; digits > 0 {
		layout += "." + strings.Repeat("0", digits)
	}
	return time.Unix(sec, ns).UTC().Format(layout), true
}

// number returns str() of numbers that are pickled as calls: decimals, complex ones, UUIDs.
func number(c *pickle.Call) (string, bool) {
	switch c.Name {
	case "uuid.UUID":
		state, _ := c.State.(*pickle.Dict)
		v, _ := state.Get("int")
		n, ok := v.(*big.Int)
		if small, is := v.(int64); is {
			n, ok = big.NewInt(small), true
		}
		if !ok || n.Sign() < 0 || n.BitLen() > 128 {
			return "", false
		}
		s := fmt.Sprintf("%032x", n)
		return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:], true
	case "decimal.Decimal":
		s, ok := c.Arg(0).(string)
		return s, ok && len(s) < 100
	case "__builtin__.complex", "builtins.complex":
		re, ok1 := c.Arg(0).(float64)
		im, ok2 := c.Arg(1).(float64)
		if !ok1 || !ok2 {
			return "", false
		}
		i := strings.TrimSuffix(pyFloat(im), ".0")
		if re == 0 && !math.Signbit(re) {
			return i + "j", true
		}
		if i[0] != '-' {
			i = "+" + i
		}
		return "(" + strings.TrimSuffix(pyFloat(re), ".0") + i + "j)", true
	}
	return "", false
}

// interval returns str() of a pandas Interval.
func interval(c *pickle.Call) (string, bool) {
	if !strings.HasSuffix(c.Name, ".Interval") || len(c.Args) < 3 {
		return "", false
	}
	for _, v := range c.Args[:2] {
		switch v := v.(type) {
		case int64, float64, *big.Int:
		case *pickle.Call:
			_, ok1 := stamp(v)
			_, ok2 := span(v)
			if !ok1 && !ok2 {
				return "", false
			}
		default:
			return "", false
		}
	}
	open, end := "(", ")"
	if c.Arg(2) == "left" || c.Arg(2) == "both" {
		open = "["
	}
	if c.Arg(2) == "right" || c.Arg(2) == "both" {
		end = "]"
	}
	return open + String(c.Args[0]) + ", " + String(c.Args[1]) + end, true
}
