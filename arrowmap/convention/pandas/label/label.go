// Package label gives the text of what pandas keeps in pickles: labels of columns, time zones, frequencies.
package label

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/h5arrow/h5arrow/arrowmap/convention/pickle"
)

// Stamp returns the label of a pandas Timestamp without a zone: a count of the unit since 1970.
func Stamp(count int64, unit string) *pickle.Call {
	return &pickle.Call{Name: unpickleStamp, Args: pickle.Tuple{count, nil, nil, unit}}
}

const unpickleStamp = "pandas._libs.tslibs.timestamps._unpickle_timestamp"

// stampTime returns the instant of a Timestamp without a zone.
func stampTime(c *pickle.Call) (time.Time, bool) {
	if !strings.HasSuffix(c.Name, ".Timestamp") && c.Name != unpickleStamp || len(c.Args) == 0 {
		return time.Time{}, false
	}
	n, ok := c.Args[0].(int64)
	if !ok || len(c.Args) > 2 && c.Args[2] != nil {
		return time.Time{}, false
	}
	unit := any("ns")
	if len(c.Args) > 3 {
		unit = c.Args[3]
	}
	switch unit { // numpy numbers its units
	case "ns", int64(10):
		return time.Unix(floorDiv(n, 1e9)), true
	case "us", int64(9):
		s, us := floorDiv(n, 1e6)
		return time.Unix(s, us*1e3), true
	case "ms", int64(8):
		s, ms := floorDiv(n, 1e3)
		return time.Unix(s, ms*1e6), true
	case "s", int64(7):
		return time.Unix(n, 0), true
	}
	return time.Time{}, false
}

func floorDiv(a, b int64) (q, r int64) {
	if q, r = a/b, a%b; r < 0 {
		return q - 1, r + b
	}
	return q, r
}

// Kind returns the kind of a label: "str", "int", "float", "time" or "other", and "" for one that can't be a column's name.
func Kind(v any) string {
	switch v := v.(type) {
	case string:
		return "str"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case bool, nil, pickle.Bytes:
		return "other"
	case *pickle.Call:
		if _, ok := stampTime(v); ok {
			return "time"
		}
	}
	return ""
}

// String returns what Python's str() returns for a label.
func String(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return Repr(v)
}

// Repr returns what Python's repr() returns for a label, and str() for a Timestamp.
func Repr(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int64:
		return strconv.FormatInt(v, 10)
	case *big.Int:
		return v.String()
	case float64:
		return pyFloat(v)
	case string:
		return Quote(v)
	case pickle.Bytes:
		return "b" + Quote(string(v))
	case pickle.Tuple:
		parts := make([]string, len(v))
		for i, x := range v {
			if _, nested := x.(pickle.Tuple); nested { // no label of pandas is
				return "(...)"
			}
			parts[i] = Repr(x)
		}
		if len(parts) == 1 {
			parts[0] += ","
		}
		return "(" + strings.Join(parts, ", ") + ")"
	case *pickle.Call:
		if t, ok := stampTime(v); ok {
			s := t.UTC().Format("2006-01-02 15:04:05")
			switch ns := t.Nanosecond(); {
			case ns%1000 != 0:
				s += fmt.Sprintf(".%09d", ns)
			case ns != 0:
				s += fmt.Sprintf(".%06d", ns/1000)
			}
			return s
		}
	}
	return "<" + pickle.Kind(v) + ">"
}

func pyFloat(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	s := strconv.FormatFloat(f, 'e', -1, 64)
	if exp, err := strconv.Atoi(s[strings.IndexByte(s, 'e')+1:]); err != nil || exp < -4 || exp >= 16 {
		return s
	}
	if s = strconv.FormatFloat(f, 'f', -1, 64); !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// Quote returns what Python's repr() returns for text.
func Quote(s string) string {
	q := '\''
	if strings.ContainsRune(s, '\'') && !strings.ContainsRune(s, '"') {
		q = '"'
	}
	var b strings.Builder
	b.WriteRune(q)
	for _, r := range s {
		switch {
		case r == q || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteRune(q)
	return b.String()
}
