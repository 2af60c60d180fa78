package label

import (
	"math"
	"math/big"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap/convention/pickle"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

func TestString(t *testing.T) {
	itself := &pickle.List{}
	itself.Items = []any{itself}
	for _, c := range []struct {
		v    any
		want string
	}{
		{"a'b", "a'b"}, {nil, "None"}, {true, "True"}, {false, "False"}, {int64(-3), "-3"}, {big.NewInt(7), "7"},
		{0.5, "0.5"}, {1.0, "1.0"}, {1e20, "1e+20"}, {1e16, "1e+16"}, {1e15, "1000000000000000.0"}, {0.0001, "0.0001"}, {0.00001, "1e-05"},
		{math.NaN(), "nan"}, {math.Inf(1), "inf"}, {math.Inf(-1), "-inf"}, {math.Copysign(0, -1), "-0.0"},
		{pickle.Bytes("a\x00"), `b'a\x00'`},
		{pickle.Tuple{"a", int64(1)}, "('a', 1)"}, {pickle.Tuple{"it's"}, `("it's",)`}, {pickle.Tuple{"a'\"\\\n\r\té\u200b\U000e0001"}, `('a\'"\\\n\r\té\u200b\U000e0001',)`},
		{pickle.Tuple{}, "()"}, {pickle.Tuple{pickle.Tuple{}}, "(...)"},
		{Stamp(1577836800000000000, "ns", nil), "2020-01-01 00:00:00"}, {Stamp(-1, "ns", nil), "1969-12-31 23:59:59.999999999"},
		{Stamp(1500000, "us", nil), "1970-01-01 00:00:01.500000"}, {Stamp(-1, "ms", nil), "1969-12-31 23:59:59.999000"}, {Stamp(1, "s", nil), "1970-01-01 00:00:01"},
		{&pickle.Call{Name: unpickleStamp, Args: pickle.Tuple{int64(0), nil, nil, int64(10)}}, "1970-01-01 00:00:00"},
		{&pickle.Call{Name: "datetime.date", Args: pickle.Tuple{}}, "<datetime.date>"},
		{Stamp(math.MinInt64, "us", nil), "NaT"}, {Stamp(1711843200, "s", "Europe/Oslo"), "2024-03-31 01:00:00+01:00"}, {Stamp(0, "s", "-03:30"), "1969-12-31 20:30:00-03:30"},
		{Stamp(0, "s", "no/such"), "1970-01-01 00:00:00+00:00"}, {Span(-1, "s"), "-1 days +23:59:59"}, {Span(3600000000001, "ns"), "0 days 01:00:00.000000001"}, {Span(math.MinInt64, "s"), "NaT"},
		{Date(738886), "2024-01-01"}, {&pickle.Call{Name: "datetime.date", Args: pickle.Tuple{pickle.Bytes("\x07\xe8\x0c\x1f")}}, "2024-12-31"},
		{&pickle.Call{Name: "datetime.date", Args: pickle.Tuple{"\u0007\u00e8\u0001\u0002"}}, "2024-01-02"}, {&pickle.Call{Name: "datetime.date", Args: pickle.Tuple{pickle.Bytes("\x00\x00\x0d\x1f")}}, "<datetime.date>"},
		{Period(648, "M"), "2024-01"}, {Period(-1, "Q-MAR"), "1969Q4"}, {Period(54, "Y-DEC"), "2024"}, {Period(1, "W-SUN"), "1969-12-29/1970-01-04"}, {Period(0, "B"), "1970-01-01"},
		{Period(-1, "h"), "1969-12-31 23:00"}, {Period(61, "min"), "1970-01-01 01:01"}, {Period(1, "ms"), "1970-01-01 00:00:00.001"}, {Period(math.MaxInt64, "D"), "<pandas.Period>"}, {Period(math.MinInt64, "D"), "NaT"}, {Period(1, "none"), "<pandas.Period>"},
		{pickle.Global("pandas.NA"), "<NA>"}, {&pickle.Call{Name: "pandas.Interval", Args: pickle.Tuple{int64(0), 1.5, "right"}}, "(0, 1.5]"}, {&pickle.Call{Name: "decimal.Decimal", Args: pickle.Tuple{"1.50"}}, "1.50"},
		{pickle.Tuple{"a", Date(738886)}, "('a', 2024-01-01)"}, {itself, "<list>"},
	} {
		if got := String(c.v); got != c.want {
			t.Errorf("%#v: %s, want %s", c.v, got, c.want)
		}
	}
}

func TestZone(t *testing.T) {
	delta := func(d, s, us int64) *pickle.Call {
		return &pickle.Call{Name: "datetime.timedelta", Args: pickle.Tuple{d, s, us}}
	}
	for _, c := range []struct {
		v    any
		want string // "!": refused
	}{
		{nil, ""}, {"Europe/Paris", "Europe/Paris"}, {"UTC", "UTC"}, {"dateutil//usr/share/zoneinfo/Europe/Paris", "Europe/Paris"},
		{&pickle.Call{Name: "pytz._UTC", Args: pickle.Tuple{}}, "UTC"}, {&pickle.Call{Name: "pytz._p", Args: pickle.Tuple{"Europe/Paris", int64(540), int64(0), "LMT"}}, "Europe/Paris"},
		{&pickle.Call{Name: "pytz.FixedOffset", Args: pickle.Tuple{int64(90)}}, "+01:30"}, {&pickle.Call{Name: "pytz.FixedOffset", Args: pickle.Tuple{int64(-90)}}, "-01:30"}, {&pickle.Call{Name: "pytz.FixedOffset", Args: pickle.Tuple{int64(9000)}}, "!"},
		{&pickle.Call{Name: "zoneinfo.ZoneInfo._unpickle", Args: pickle.Tuple{"Asia/Tokyo", int64(1)}}, "Asia/Tokyo"},
		{&pickle.Call{Name: "dateutil.tz.tz.tzutc"}, "UTC"}, {&pickle.Call{Name: "dateutil.tz.tz.tzoffset", Args: pickle.Tuple{"x", delta(0, 3600, 0)}}, "+01:00"},
		{&pickle.Call{Name: "dateutil.tz._tzfile._unpickle", Args: pickle.Tuple{pickle.Global("dateutil.tz._tzfile.tzfile"), "Europe/Paris", "/usr/share/zoneinfo/Europe/Paris"}}, "Europe/Paris"},
		{&pickle.Call{Name: "dateutil.tz.tz.tzoffset", Args: pickle.Tuple{"x"}}, "!"},
		{&pickle.Call{Name: "datetime.timezone", Args: pickle.Tuple{delta(0, 0, 0)}}, "UTC"}, {&pickle.Call{Name: "datetime.timezone", Args: pickle.Tuple{delta(-1, 66600, 0)}}, "-05:30"},
		{&pickle.Call{Name: "datetime.timezone", Args: pickle.Tuple{delta(0, 7200, 0), "name"}}, "+02:00"}, {&pickle.Call{Name: "datetime.timezone", Args: pickle.Tuple{delta(0, 1, 0)}}, "!"},
		{&pickle.Call{Name: "datetime.timezone", Args: pickle.Tuple{delta(5, 0, 0)}}, "!"}, {&pickle.Call{Name: "datetime.timezone", Args: pickle.Tuple{}}, "!"},
		{&pickle.Call{Name: "datetime.date", Args: pickle.Tuple{}}, "!"}, {int64(3), "!"},
	} {
		got, err := Zone(c.v)
		if c.want == "!" {
			if h5err.KindOf(err) != h5err.Unsupported {
				t.Errorf("%#v: %q, %v, want a refusal", c.v, got, err)
			}
		} else if got != c.want || err != nil {
			t.Errorf("%#v: %q, %v, want %q", c.v, got, err, c.want)
		}
	}
}

func TestFrequency(t *testing.T) {
	of := func(name string, args ...any) *pickle.Call {
		return &pickle.Call{Name: "pandas._libs.tslibs.offsets." + name, Args: args}
	}
	for _, c := range []struct {
		v    any
		want string
	}{
		{of("MonthEnd", int64(1), false), "M"}, {of("Day", int64(3), false), "3D"}, {of("Hour", int64(1), false), "h"}, {of("Week", int64(1), false, int64(6)), "W-SUN"},
		{of("QuarterEnd", int64(1), false, int64(12)), "Q-DEC"}, {of("YearEnd", int64(2), false, int64(3)), "2Y-MAR"}, {of("YearEnd", int64(1), false), ""}, {of("Week", int64(1), false, int64(7)), ""},
		{of("Easter", int64(1), false), ""}, {"M", "M"}, {nil, ""}, {&pickle.Call{Name: "datetime.date", Args: nil}, ""},
	} {
		if got := Frequency(c.v); got != c.want {
			t.Errorf("%#v: %q, want %q", c.v, got, c.want)
		}
	}
}
