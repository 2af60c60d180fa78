package convention

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// maxLabelBytes bounds the arrays that hold labels of columns.
const maxLabelBytes = 64 << 20

// attribute reads an attribute as PyTables does: text, a number, or what a pickle holds. It is nil for none, and for a
// pickled None.
func attribute(o h5.Object, name string) (any, error) {
	a, err := o.Attribute(name)
	if err != nil || a == nil {
		return nil, err
	}
	if p, ok := pickleOf(a); ok {
		v, err := unpickle(p)
		if err == nil {
			return v, nil
		}
		if !h5err.Is(err, h5err.Corrupt) {
			e := h5err.Wrap(h5err.KindOf(err), err, "the attribute %s", name)
			return nil, h5err.In(e.WithHint("nothing in a file is executed"), o.File().Name(), o.Path())
		}
	}
	if s, ok := a.Text(); ok {
		return s, nil
	}
	if n, ok := a.Int(); ok {
		return n, nil
	}
	if f, ok := a.Floats(); ok && len(f) == 1 {
		return f[0], nil
	}
	return nil, nil
}

// pickleOf returns the bytes of an attribute that may be a pickle: PyTables writes text as UTF-8, pickles as ASCII, and
// pickles end in a full stop.
func pickleOf(a *h5.Attribute) ([]byte, bool) {
	t := a.Type()
	if t.Class != h5.ClassString || t.CharSet != h5.ASCII || len(a.Raw()) != t.Size {
		return nil, false
	}
	p := []byte(strings.TrimRight(string(a.Raw()), "\x00"))
	return p, len(p) > 1 && p[len(p)-1] == '.'
}

// attributeText reads an attribute that must be text; "" for none.
func attributeText(o h5.Object, name string) (string, error) {
	v, err := attribute(o, name)
	if err != nil || v == nil {
		return "", err
	}
	s, ok := v.(string)
	if !ok {
		return "", corrupt(o, "the attribute %s is a %s, not text", name, kindOf(v))
	}
	return s, nil
}

// attributeList reads an attribute that must be a list or a tuple; nil for none.
func attributeList(o h5.Object, name string) ([]any, error) {
	v, err := attribute(o, name)
	if err != nil || v == nil {
		return nil, err
	}
	items, ok := itemsOf(v)
	if !ok {
		return nil, corrupt(o, "the attribute %s is a %s, not a list", name, kindOf(v))
	}
	return items, nil
}

func itemsOf(v any) ([]any, bool) {
	switch v := v.(type) {
	case *pyList:
		return v.items, true
	case pyTuple:
		return v, true
	}
	return nil, false
}

// stamp makes the label that a pandas Timestamp is.
func stamp(count int64, unit string) *pyCall {
	return &pyCall{name: unpickleStamp, args: pyTuple{count, nil, nil, unit}}
}

const unpickleStamp = "pandas._libs.tslibs.timestamps._unpickle_timestamp"

// stampTime returns the instant that a Timestamp without a zone stands for.
func stampTime(c *pyCall) (time.Time, bool) {
	if !strings.HasSuffix(c.name, ".Timestamp") && c.name != unpickleStamp || len(c.args) == 0 {
		return time.Time{}, false
	}
	n, ok := c.args[0].(int64)
	if !ok || len(c.args) > 2 && c.args[2] != nil {
		return time.Time{}, false
	}
	unit := any("ns")
	if len(c.args) > 3 {
		unit = c.args[3]
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

// labelKind tells what a label is, "" for one that can't be a column's name.
func labelKind(v any) string {
	switch v := v.(type) {
	case string:
		return "str"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case bool, nil, pyBytes:
		return "other"
	case *pyCall:
		if _, ok := stampTime(v); ok {
			return "time"
		}
	}
	return ""
}

// pyString is Python's str() of a label.
func pyString(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return pyRepr(v)
}

// pyRepr is Python's repr() of a label, but str() of a Timestamp.
func pyRepr(v any) string {
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
		return pyQuote(v)
	case pyBytes:
		return "b" + pyQuote(string(v))
	case pyTuple:
		parts := make([]string, len(v))
		for i, x := range v {
			if _, nested := x.(pyTuple); nested { // no label of pandas is
				return "(...)"
			}
			parts[i] = pyRepr(x)
		}
		if len(parts) == 1 {
			parts[0] += ","
		}
		return "(" + strings.Join(parts, ", ") + ")"
	case *pyCall:
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
	return "<" + kindOf(v) + ">"
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

func pyQuote(s string) string {
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

// levelType tells of which type the labels of a level are. Labels of several types come back as text.
func levelType(labels []any) pandasType {
	kind := ""
	for _, l := range labels {
		k := labelKind(l)
		if kind == "" {
			kind = k
		}
		if k != kind {
			kind = "other"
			break
		}
	}
	switch kind {
	case "":
		return pandasType{logical: "empty", numpy: "object"}
	case "str":
		return pandasType{"unicode", "object", map[string]any{"encoding": "UTF-8"}}
	case "int":
		return pandasType{logical: "int64", numpy: "int64"}
	case "float":
		return pandasType{logical: "float64", numpy: "float64"}
	case "time":
		return pandasType{logical: "datetime64[ns]", numpy: "datetime64[ns]"}
	}
	return pandasType{logical: "mixed", numpy: "object"}
}

// checkLabels refuses labels that have no text.
func checkLabels(labels []any) error {
	for _, l := range labels {
		parts := []any{l}
		if t, ok := l.(pyTuple); ok {
			parts = t
		}
		for _, p := range parts {
			if labelKind(p) == "" {
				return h5err.New(h5err.Unsupported, "a column called by a %s", kindOf(p))
			}
		}
	}
	return nil
}

// contents reads all of a small dataset.
func contents(d *h5.Dataset) (p []byte, err error) {
	row, err := d.RowBytes()
	if err != nil {
		return nil, err
	}
	rows := d.Rows()
	if row <= 0 || rows > maxLabelBytes/row {
		e := h5err.New(h5err.Limit, "%d rows of %d bytes where names are expected", rows, row)
		return nil, h5err.In(e, d.File().Name(), d.Path())
	}
	r, err := chunk.NewReader(d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	p = make([]byte, rows*row)
	err = source.Guard(func() error { return r.Read(context.Background(), 0, rows, p) })
	return p, err
}

// array reads the values of a one-dimensional dataset as labels. kind is what pandas says that they are.
func (s *pandasStore) array(d *h5.Dataset, kind string) ([]any, error) {
	t := d.Type()
	if t.Class == h5.ClassVLen {
		return nil, unsupported(d, "names that are a pickle of Python objects")
	}
	if len(d.Space().Dims) != 1 {
		return nil, corrupt(d, "names in an array of shape %v", d.Space().Dims)
	}
	p, err := contents(d)
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, d.Rows())
	for ; len(p) >= t.Size; p = p[t.Size:] {
		v, err := s.element(d, p[:t.Size], kind)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// element decodes one value.
func (s *pandasStore) element(d *h5.Dataset, p []byte, kind string) (any, error) {
	t := d.Type()
	switch {
	case t.Class == h5.ClassString:
		return s.decode(d, h5.TrimString(p, t.Pad))
	case t.Class == h5.ClassFloat && (t.Size == 4 || t.Size == 8):
		return floatOf(p, t), nil
	case (t.Class == h5.ClassFixed || t.Class == h5.ClassBitfield) && t.Size <= 8 && t.Size&(t.Size-1) == 0:
		n := integerOf(p, t)
		switch {
		case kind == "bool":
			return n != 0, nil
		case kind == "datetime64":
			return stamp(n, "ns"), nil
		case strings.HasPrefix(kind, "datetime64["):
			return stamp(n, strings.TrimSuffix(kind[len("datetime64["):], "]")), nil
		case kind != "integer" && kind != "":
			return nil, unsupported(d, "names of kind %s", kind)
		case !t.Signed && n < 0:
			return new(big.Int).SetUint64(uint64(n)), nil
		}
		return n, nil
	}
	return nil, unsupported(d, "names of %s", t)
}

// decode makes text of bytes.
func (s *pandasStore) decode(o h5.Object, p []byte) (string, error) {
	switch {
	case s.badEnc != nil:
		return "", s.badEnc
	case s.latin1:
		return latin1(p), nil
	case !utf8.Valid(p):
		return "", corrupt(o, "a name that is not UTF-8: %q", p)
	}
	return string(p), nil
}

// integerOf decodes a stored integer of 1, 2, 4 or 8 bytes; unsigned ones of 8 bytes by their bits.
func integerOf(p []byte, t *h5.Type) int64 {
	var b [8]byte
	if t.Order == h5.BigEndian {
		copy(b[8-t.Size:], p)
		n := int64(binary.BigEndian.Uint64(b[:]))
		if t.Signed {
			n = n << (64 - 8*t.Size) >> (64 - 8*t.Size)
		}
		return n
	}
	copy(b[:], p)
	n := int64(binary.LittleEndian.Uint64(b[:]))
	if t.Signed {
		n = n << (64 - 8*t.Size) >> (64 - 8*t.Size)
	}
	return n
}

// zoneOf returns the name of a time zone: text, or what the pickle of a tzinfo says.
func zoneOf(v any) (string, error) {
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
	case *pyCall:
		name, _ := first(v.args).(string)
		switch v.name {
		case "pytz._UTC", "dateutil.tz.tz.tzutc":
			return "UTC", nil
		case "dateutil.tz._tzfile._unpickle": // class, name, path
			if len(v.args) > 1 {
				name, _ = v.args[1].(string)
			}
			if name != "" {
				return name, nil
			}
		case "pytz._p", unpickleZone, "zoneinfo.ZoneInfo":
			if name != "" {
				return name, nil
			}
		case "pytz.FixedOffset", "pytz._FixedOffset":
			if m, ok := first(v.args).(int64); ok && m > -1440 && m < 1440 {
				return offsetName(m), nil
			}
		case "datetime.timezone":
			if m, ok := minutesOf(first(v.args)); ok {
				return offsetName(m), nil
			}
		case "dateutil.tz.tz.tzoffset": // name, offset
			if len(v.args) > 1 {
				if m, ok := minutesOf(v.args[1]); ok {
					return offsetName(m), nil
				}
			}
		}
	}
	return "", h5err.New(h5err.Unsupported, "the time zone that %s makes", kindOf(v))
}

// minutesOf is a timedelta of less than a day, in whole minutes.
func minutesOf(v any) (minutes int64, ok bool) {
	d, ok := v.(*pyCall)
	if !ok || d.name != "datetime.timedelta" || len(d.args) != 3 {
		return 0, false
	}
	days, ok1 := d.args[0].(int64)
	sec, ok2 := d.args[1].(int64)
	us, ok3 := d.args[2].(int64)
	ok = ok1 && ok2 && ok3 && days >= -1 && days <= 0 && sec >= 0 && sec < 86400 && sec%60 == 0 && us == 0
	return days*1440 + sec/60, ok
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

// frequency spells the frequency of periods as pandas does, "" for one that is not known.
func frequency(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	c, ok := v.(*pyCall)
	if !ok || !offset(c.name) {
		return ""
	}
	months := [...]string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	days := [...]string{"MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"}
	suffix := int64(-1)
	if len(c.args) > 2 {
		suffix, _ = c.args[2].(int64)
	}
	name := ""
	switch class := c.name[strings.LastIndexByte(c.name, '.')+1:]; class {
	case "YearEnd", "QuarterEnd":
		if suffix < 1 || suffix > 12 {
			return ""
		}
		name = class[:1] + "-" + months[suffix-1]
	case "Week":
		if suffix < 0 || suffix > 6 {
			return ""
		}
		name = "W-" + days[suffix]
	default:
		name = map[string]string{"MonthEnd": "M", "Day": "D", "BusinessDay": "B", "Hour": "h", "Minute": "min", "Second": "s",
			"Milli": "ms", "Micro": "us", "Nano": "ns"}[class]
	}
	if n, ok := first(c.args).(int64); ok && n != 1 && name != "" {
		name = strconv.FormatInt(n, 10) + name
	}
	return name
}
