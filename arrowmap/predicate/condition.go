package predicate

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Op is an operator.
type Op uint8

// The operators. In takes any number of constants, IsNull and IsNotNull none, the others one.
const (
	_ Op = iota
	Equal
	NotEqual
	Less
	LessOrEqual
	Greater
	GreaterOrEqual
	In
	IsNull
	IsNotNull
)

var opNames = [...]string{"invalid", "=", "!=", "<", "<=", ">", ">=", "in", "is null", "is not null"}

// String returns the operator as Parse takes it.
func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return opNames[0]
}

// Condition is a condition on a column.
type Condition struct {
	Column string
	Op     Op
	Values []Value
}

// Value is a constant. The zero value is the empty text.
type Value struct {
	text   string
	number *big.Rat // nil: not a number, or one that only real holds
	real   *float64
	truth  *bool
	time   *time.Time
}

// Text returns a text as a constant. For a column of numbers, booleans or times it is read as one of these.
func Text(s string) Value { return Value{text: s} }

// Int returns an integer as a constant.
func Int(n int64) Value {
	return Value{text: strconv.FormatInt(n, 10), number: new(big.Rat).SetInt64(n)}
}

// Decimal returns digits / 10^scale as a constant. For floats it is the nearest one. scale is 0 to 400.
func Decimal(digits int64, scale int) Value {
	d := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(min(max(scale, 0), maxExponent))), nil)
	r := new(big.Rat).SetFrac(big.NewInt(digits), d)
	return Value{text: r.FloatString(scale), number: r}
}

// Float returns a float as a constant.
func Float(f float64) Value {
	v := Value{text: strconv.FormatFloat(f, 'g', -1, 64), real: &f}
	if !math.IsNaN(f) && !math.IsInf(f, 0) {
		v.number = new(big.Rat).SetFloat64(f)
	}
	return v
}

// Bool returns a boolean as a constant.
func Bool(b bool) Value { return Value{text: strconv.FormatBool(b), truth: &b} }

// Time returns a time as a constant.
func Time(t time.Time) Value { return Value{text: t.UTC().Format(time.RFC3339Nano), time: &t} }

// String returns the constant as text.
func (v Value) String() string { return v.text }

// maxExponent bounds exponents of ten: a number with a larger one is compared as a float.
const maxExponent = 400

// asNumber returns the constant as a number; both are nil if it is not one.
func (v Value) asNumber() (exact *big.Rat, real *float64) {
	if v.number != nil || v.real != nil {
		return v.number, v.real
	}
	if v.truth != nil || v.time != nil {
		return nil, nil
	}
	return parseNumber(v.text)
}

// parseNumber reads a decimal number, nan or an infinity.
func parseNumber(s string) (exact *big.Rat, real *float64) {
	if strings.ContainsAny(s, "_xXpPoObB") { // forms that only Go has
		return nil, nil
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return nil, nil
	}
	if math.IsInf(f, 0) && err == nil || math.IsNaN(f) {
		return nil, &f
	}
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	e, err := strconv.Atoi(exponent)
	if exponent != "" && (err != nil || e > maxExponent || e < -maxExponent) || len(mantissa) > 2*maxExponent {
		return nil, &f
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, nil
	}
	return r, nil
}

// asBool returns the constant as a boolean; ok is false if it is not one.
func (v Value) asBool() (b, ok bool) {
	if v.truth != nil {
		return *v.truth, true
	}
	switch strings.ToLower(v.text) {
	case "true", "t", "1":
		return true, true
	case "false", "f", "0":
		return false, true
	}
	return false, false
}

// times are the layouts of times. A fraction may follow the seconds of each.
var times = []string{"2006-01-02", "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02 15", "2006-01-02T15"}

// zones are the layouts of what may follow a time of day.
var zones = []string{"", "Z07:00", "Z0700", "Z07", " Z07:00", " MST"}

// asTime returns the constant as a time; ok is false if it is not one.
func (v Value) asTime() (t time.Time, ok bool) {
	if v.time != nil {
		return *v.time, true
	}
	if v.number != nil || v.real != nil || v.truth != nil {
		return t, false
	}
	for i, layout := range times {
		for _, zone := range zones {
			if i == 0 && zone != "" {
				break
			}
			if zone == " MST" && !strings.HasSuffix(v.text, " UTC") { // other names have no one meaning
				continue
			}
			if t, err := time.Parse(layout+zone, v.text); err == nil {
				return t.UTC(), true
			}
		}
	}
	return t, false
}

// count returns an error if the number of constants is not the operator's.
func (o Op) count(n int) error {
	want := 1
	switch o {
	case In:
		return nil
	case IsNull, IsNotNull:
		want = 0
	}
	if int(o) >= len(opNames) || o == 0 || n != want {
		return h5err.New(h5err.Argument, "operator %s with %d constants", o, n)
	}
	return nil
}

// Time returns the constant as a time; ok is false if it is not one, or v is nil.
func (v *Value) Time() (t time.Time, ok bool) {
	if v == nil {
		return t, false
	}
	return v.asTime()
}
