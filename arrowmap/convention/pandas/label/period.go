package label

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/h5arrow/h5arrow/arrowmap/convention/pickle"
)

// period returns a period's ordinal and its frequency as pandas writes it.
func period(c *pickle.Call) (ordinal int64, freq string, ok bool) {
	if !strings.HasSuffix(c.Name, ".Period") {
		return 0, "", false
	}
	ordinal, ok = c.Arg(2).(int64)
	freq = Frequency(c.Arg(1))
	return ordinal, freq, ok && freq != ""
}

var (
	monthNames = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	dayNames   = []string{"MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"}
)

// periodText is str() of a period: its ordinal counts periods since 1970. It is "" for frequencies that are not known
// and for ordinals outside the years 1 to 9999.
func periodText(n int64, freq string) string {
	if n == missing {
		return "NaT"
	}
	base, end, _ := strings.Cut(strings.TrimLeft(freq, "0123456789"), "-")
	year := int64(math.MinInt64)
	switch base {
	case "A", "Y", "YE":
		year = n + 1970
	case "Q", "QE":
		y, q := floorDiv(n, 4)
		if y < -1969 || y > 8029 {
			return ""
		}
		return fmt.Sprintf("%04dQ%d", y+1970, q+1)
	case "M", "ME":
		y, m := floorDiv(n, 12)
		if y < -1969 || y > 8029 {
			return ""
		}
		return fmt.Sprintf("%04d-%02d", y+1970, m+1)
	case "W":
		day := int64(slices.Index(dayNames, end)) // Monday is 0
		if end == "" {
			day = 6
		}
		if day < 0 || n < -200000 || n > 1000000 {
			return ""
		}
		last := n*7 - 4 + (day+1)%7
		return dayText(last-6) + "/" + dayText(last)
	case "D":
		return dayText(n)
	case "B":
		if n < -1<<30 || n > 1<<30 {
			return ""
		}
		weeks, day := floorDiv(n+3, 5)
		return dayText(weeks*7 + day - 3)
	}
	if year != math.MinInt64 {
		if year < 1 || year > 9999 {
			return ""
		}
		return fmt.Sprintf("%04d", year)
	}
	layout, per := "2006-01-02 15:04:05", int64(0)
	switch base {
	case "h", "H":
		if n > math.MaxInt64/3600 || n < math.MinInt64/3600 {
			return ""
		}
		layout, n, per = "2006-01-02 15:04", n*3600, 1
	case "min", "T":
		if n > math.MaxInt64/60 || n < math.MinInt64/60 {
			return ""
		}
		layout, n, per = "2006-01-02 15:04", n*60, 1
	case "s", "S":
		per = 1
	case "ms", "L":
		layout, per = layout+".000", 1e3
	case "us", "U":
		layout, per = layout+".000000", 1e6
	case "ns", "N":
		layout, per = layout+".000000000", 1e9
	default:
		return ""
	}
	sec, ns := counted{n: n, per: per}.parts()
	if sec < -62135596800 || sec > 253402300799 {
		return ""
	}
	return time.Unix(sec, ns).UTC().Format(layout)
}

// dayText is a day since 1970, "" outside the years 1 to 9999.
func dayText(n int64) string {
	if n < -719162 || n > 2932896 {
		return ""
	}
	return time.Unix(n*86400, 0).UTC().Format(time.DateOnly)
}
