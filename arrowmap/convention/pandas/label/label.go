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

// Type is the type of a label, and what the schema's metadata say of it.
type Type struct {
	Kind string // str, int, float, bool, time, span, period, date or other; "" for a value without a text
	Unit string // of times and spans
	Zone string // of times, "" for none
	Freq string // of periods
}

// TypeOf returns the type of a label.
func TypeOf(v any) Type {
	switch v := v.(type) {
	case string:
		return Type{Kind: "str"}
	case int64, *big.Int:
		return Type{Kind: "int"}
	case float64:
		return Type{Kind: "float"}
	case bool:
		return Type{Kind: "bool"}
	case nil, pickle.Bytes:
		return Type{Kind: "other"}
	case *pickle.Call:
		if s, ok := stamp(v); ok {
			zone, err := Zone(s.zone)
			if err != nil || s.n == missing {
				return Type{Kind: "other"}
			}
			return Type{Kind: "time", Unit: s.unit, Zone: zone}
		}
		if s, ok := span(v); ok {
			return Type{Kind: "span", Unit: s.unit}
		}
		if n, freq, ok := period(v); ok && periodText(n, freq) != "" {
			return Type{Kind: "period", Freq: freq}
		}
		if _, ok := date(v); ok {
			return Type{Kind: "date"}
		}
	}
	if _, ok := special(v); ok {
		return Type{Kind: "other"}
	}
	return Type{}
}

// Kind returns the kind of a label, "" for one without a text.
func Kind(v any) string { return TypeOf(v).Kind }

// special returns str() of labels that are pickled as calls and constants.
func special(v any) (string, bool) {
	switch v := v.(type) {
	case pickle.Global:
		return "<NA>", v == "pandas.NA" || v == "pandas._libs.missing.NA"
	case *pickle.Call:
		if s, ok := stamp(v); ok {
			return s.stampText(), true
		}
		if s, ok := span(v); ok {
			return s.spanText(), true
		}
		if n, freq, ok := period(v); ok {
			s := periodText(n, freq)
			return s, s != ""
		}
		if t, ok := date(v); ok {
			return t.Format(time.DateOnly), true
		}
		if strings.HasSuffix(v.Name, "nat_unpickle") {
			return "NaT", true
		}
		for _, f := range []func(*pickle.Call) (string, bool){clock, numpyTime, number, interval} {
			if s, ok := f(v); ok {
				return s, true
			}
		}
	}
	return "", false
}

// String returns what Python's str() returns for a label.
func String(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return Repr(v)
}

// Key returns a text that is the same for equal labels, and differs for others. It is Repr where there is one.
func Key(v any) string { return key(v, 0) }

func key(v any, depth int) string {
	if c, ok := v.(*pickle.Call); ok && Kind(v) == "" && depth < 8 {
		var b strings.Builder
		b.WriteString(c.Name)
		for _, a := range append(pickle.Tuple{c.State}, c.Args...) {
			b.WriteString("," + key(a, depth+1))
			if b.Len() > 4096 {
				break
			}
		}
		return b.String()
	}
	if t, ok := v.(pickle.Tuple); ok && depth < 8 {
		var b strings.Builder
		for _, a := range t {
			b.WriteString("," + key(a, depth+1))
			if b.Len() > 4096 {
				break
			}
		}
		return "(" + b.String() + ")"
	}
	if d, ok := v.(*pickle.Dict); ok && depth < 8 {
		return key(pickle.Tuple(append(append(pickle.Tuple{}, d.Keys...), d.Values...)), depth+1)
	}
	return Repr(v)
}

// Repr returns what Python's repr() returns for a label, and str() for those that are pickled as calls.
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
	case *pickle.Call, pickle.Global:
		if text, ok := special(v); ok {
			return text
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
