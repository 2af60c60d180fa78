package label

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/h5arrow/h5arrow/arrowmap/convention/pickle"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Zone returns the name of a time zone: text, or what the pickle of a tzinfo says.
func Zone(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		if rest, ok := strings.CutPrefix(v, "dateutil/"); ok {
			if i := strings.LastIndex(rest, "zoneinfo/"); i >= 0 {
				rest = rest[i+len("zoneinfo/"):]
			}
			return rest, nil
		}
		return v, nil
	case *pickle.Call:
		name, _ := v.Arg(0).(string)
		switch v.Name {
		case "pytz._UTC", "dateutil.tz.tz.tzutc":
			return "UTC", nil
		case "dateutil.tz._tzfile._unpickle": // class, name, path
			if name, _ = v.Arg(1).(string); name != "" {
				return name, nil
			}
		case "pytz._p", "zoneinfo.ZoneInfo._unpickle", "zoneinfo.ZoneInfo":
			if name != "" {
				return name, nil
			}
		case "pytz.FixedOffset", "pytz._FixedOffset":
			if m, ok := v.Arg(0).(int64); ok && m > -1440 && m < 1440 {
				return offsetName(m), nil
			}
		case "datetime.timezone":
			if m, ok := minutesOf(v.Arg(0)); ok {
				return offsetName(m), nil
			}
		case "dateutil.tz.tz.tzoffset": // name, offset
			if m, ok := minutesOf(v.Arg(1)); ok {
				return offsetName(m), nil
			}
		}
	}
	return "", h5err.New(h5err.Unsupported, "the time zone that %s makes", pickle.Kind(v))
}

// minutesOf is a timedelta of less than a day, in whole minutes.
func minutesOf(v any) (minutes int64, ok bool) {
	d, ok := v.(*pickle.Call)
	if !ok || d.Name != "datetime.timedelta" || len(d.Args) != 3 {
		return 0, false
	}
	days, ok1 := d.Args[0].(int64)
	sec, ok2 := d.Args[1].(int64)
	us, ok3 := d.Args[2].(int64)
	ok = ok1 && ok2 && ok3 && days >= -1 && days <= 0 && sec >= 0 && sec < 86400 && sec%60 == 0 && us == 0
	return days*1440 + sec/60, ok
}

// location returns the rules of a zone, of its name or its pickle.
func location(v any) (*time.Location, error) {
	name, err := Zone(v)
	if err != nil {
		return nil, err
	}
	if t, err := time.Parse("-07:00", name); err == nil {
		_, seconds := t.Zone()
		return time.FixedZone(name, seconds), nil
	}
	if name == "Local" {
		return nil, h5err.New(h5err.Unsupported, "the time zone Local")
	}
	return time.LoadLocation(name)
}

func offsetName(minutes int64) string {
	sign := '+'
	switch {
	case minutes == 0:
		return "UTC"
	case minutes < 0:
		sign, minutes = '-', -minutes
	}
	return fmt.Sprintf("%c%02d:%02d", sign, minutes/60, minutes%60)
}

// Frequency returns the frequency of periods as pandas writes it, "" for one that is not known.
func Frequency(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	c, ok := v.(*pickle.Call)
	if !ok || !c.IsOffset() {
		return ""
	}
	suffix := int64(-1)
	if len(c.Args) > 2 {
		suffix, _ = c.Args[2].(int64)
	}
	name := ""
	switch class := c.Name[strings.LastIndexByte(c.Name, '.')+1:]; class {
	case "YearEnd", "QuarterEnd":
		if suffix < 1 || suffix > 12 {
			return ""
		}
		name = class[:1] + "-" + monthNames[suffix-1]
	case "Week":
		if suffix < 0 || suffix > 6 {
			return ""
		}
		name = "W-" + dayNames[suffix]
	default:
		name = map[string]string{"MonthEnd": "M", "Day": "D", "BusinessDay": "B", "Hour": "h", "Minute": "min", "Second": "s",
			"Milli": "ms", "Micro": "us", "Nano": "ns"}[class]
	}
	if n, ok := c.Arg(0).(int64); ok && n != 1 && name != "" {
		name = strconv.FormatInt(n, 10) + name
	}
	return name
}
