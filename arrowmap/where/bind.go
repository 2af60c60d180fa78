package where

import (
	"cmp"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// test clears keep[i] for the rows i of an array for which a condition does not hold.
type test func(arr arrow.Array, keep []bool)

// bind returns the test of a condition for a column of a type.
func bind(c *Condition, t arrow.DataType) (test, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if e, ok := t.(arrow.ExtensionType); ok {
		inner, err := bind(c, e.StorageType())
		return func(arr arrow.Array, keep []bool) { inner(arr.(array.ExtensionArray).Storage(), keep) }, err
	}
	if c.Op == IsNull || c.Op == IsNotNull {
		return nulls(c.Op == IsNull), nil
	}
	if d, ok := t.(*arrow.DictionaryType); ok {
		return labels(c, d)
	}
	inner, err := compare(c, t)
	if err != nil {
		return nil, err
	}
	return func(arr arrow.Array, keep []bool) {
		if arr.NullN() > 0 {
			nulls(false)(arr, keep)
		}
		inner(arr, keep)
	}, nil
}

func nulls(want bool) test {
	return func(arr arrow.Array, keep []bool) {
		for i := range keep {
			keep[i] = keep[i] && arr.IsNull(i) == want
		}
	}
}

// labels tests a dictionary's labels, and looks up those of the rows.
func labels(c *Condition, t *arrow.DictionaryType) (test, error) {
	inner, err := bind(c, t.ValueType)
	return func(arr arrow.Array, keep []bool) {
		d := arr.(*array.Dictionary)
		held := slices.Repeat([]bool{true}, d.Dictionary().Len())
		inner(d.Dictionary(), held)
		for i := range keep {
			if keep[i] {
				keep[i] = d.IsValid(i) && held[d.GetValueIndex(i)]
			}
		}
	}, err
}

// compare returns the test of values that are not null.
func compare(c *Condition, t arrow.DataType) (test, error) {
	switch t := t.(type) {
	case *arrow.BooleanType:
		return boolean(c)
	case *arrow.Int8Type:
		return integers(c, plain, (*array.Int8).Values)
	case *arrow.Int16Type:
		return integers(c, plain, (*array.Int16).Values)
	case *arrow.Int32Type:
		return integers(c, plain, (*array.Int32).Values)
	case *arrow.Int64Type:
		return integers(c, plain, (*array.Int64).Values)
	case *arrow.Uint8Type:
		return integers(c, plain, (*array.Uint8).Values)
	case *arrow.Uint16Type:
		return integers(c, plain, (*array.Uint16).Values)
	case *arrow.Uint32Type:
		return integers(c, plain, (*array.Uint32).Values)
	case *arrow.Uint64Type:
		return integers(c, plain, (*array.Uint64).Values)
	case *arrow.TimestampType:
		return integers(c, moment(t.Unit.Multiplier()), (*array.Timestamp).Values)
	case *arrow.Date32Type:
		return integers(c, moment(24*time.Hour), (*array.Date32).Values)
	case *arrow.Date64Type:
		return integers(c, moment(time.Millisecond), (*array.Date64).Values)
	case *arrow.DurationType:
		return integers(c, plain, (*array.Duration).Values)
	case *arrow.Float16Type:
		return ordered(c, round32, func(a *array.Float16, i int) float32 { return a.Value(i).Float32() })
	case *arrow.Float32Type:
		return ordered(c, round32, (*array.Float32).Value)
	case *arrow.Float64Type:
		return ordered(c, round64, (*array.Float64).Value)
	case *arrow.StringType:
		return ordered(c, text, (*array.String).Value)
	case *arrow.LargeStringType:
		return ordered(c, text, (*array.LargeString).Value)
	}
	return nil, h5err.New(h5err.Unsupported, "condition on %s: values of type %s can only be compared with null", c.Column, t)
}

// spans are the values for which a condition holds: those inside one of the spans or, with not, inside none. NaN, which is
// greater than all numbers, is not in a span.
type spans[T cmp.Ordered] struct {
	list []interval[T]
	not  bool
	nan  bool // the condition holds for NaN
}

// interval has two bounds, each of which may be missing or excluded.
type interval[T cmp.Ordered] struct {
	lo, hi         T
	hasLo, hasHi   bool
	openLo, openHi bool
}

func (s *spans[T]) holds(x T) bool {
	if x != x {
		return s.nan
	}
	for i := range s.list {
		v := &s.list[i]
		if (!v.hasLo || x > v.lo || !v.openLo && x == v.lo) && (!v.hasHi || x < v.hi || !v.openHi && x == v.hi) {
			return !s.not
		}
	}
	return s.not
}

// spansOf returns the spans of a condition whose constants are values.
func spansOf[T cmp.Ordered](op Op, values []T) spans[T] {
	s := spans[T]{not: op == NotEqual, nan: op == NotEqual || op == Greater || op == GreaterEqual}
	switch op {
	case Between:
		s.list = []interval[T]{{lo: values[0], hi: values[1], hasLo: true, hasHi: true}}
	case Less, LessEqual:
		s.list = []interval[T]{{hi: values[0], hasHi: true, openHi: op == Less}}
	case Greater, GreaterEqual:
		s.list = []interval[T]{{lo: values[0], hasLo: true, openLo: op == Greater}}
	default:
		for _, v := range values {
			s.list = append(s.list, interval[T]{lo: v, hi: v, hasLo: true, hasHi: true})
		}
	}
	return s
}

func ordered[T cmp.Ordered, A arrow.Array](c *Condition, parse func(*Condition, Value) (T, error), at func(A, int) T) (test, error) {
	values := make([]T, len(c.Values))
	for i, v := range c.Values {
		var err error
		if values[i], err = parse(c, v); err != nil {
			return nil, err
		}
	}
	s := spansOf(c.Op, values)
	return func(arr arrow.Array, keep []bool) {
		a := arr.(A)
		for i := range keep {
			if keep[i] {
				keep[i] = s.holds(at(a, i))
			}
		}
	}, nil
}

// integer is the types of values that are integers.
type integer interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// integers compares integers with constants of any size, which need not be integers. Bounds are moved to the integers inside.
func integers[T integer, A arrow.Array](c *Condition, parse func(*Condition, Value) (*big.Rat, error), all func(A) []T) (test, error) {
	values := make([]*big.Rat, len(c.Values))
	for i, v := range c.Values {
		var err error
		if values[i], err = parse(c, v); err != nil {
			return nil, err
		}
	}
	s := spans[T]{not: c.Op == NotEqual}
	add := func(lo, hi *big.Rat, openLo, openHi bool) {
		if v, ok := inside[T](lo, hi, openLo, openHi); ok {
			s.list = append(s.list, v)
		}
	}
	switch c.Op {
	case Between:
		add(values[0], values[1], false, false)
	case Less, LessEqual:
		add(nil, values[0], false, c.Op == Less)
	case Greater, GreaterEqual:
		add(values[0], nil, c.Op == Greater, false)
	default:
		for _, v := range values {
			add(v, v, false, false)
		}
	}
	return func(arr arrow.Array, keep []bool) {
		values := all(arr.(A))
		for i := range keep {
			if keep[i] {
				keep[i] = s.holds(values[i])
			}
		}
	}, nil
}

// inside returns the integers of T between two bounds, either of which may be nil; ok is false if there are none.
func inside[T integer](lo, hi *big.Rat, openLo, openHi bool) (v interval[T], ok bool) {
	low, high := limits[T]()
	if lo != nil {
		n, exact := floor(lo)
		if !exact || openLo {
			n.Add(n, big.NewInt(1))
		}
		if n.Cmp(low) > 0 {
			low = n
		}
	}
	if hi != nil {
		n, exact := floor(hi)
		if exact && openHi {
			n.Sub(n, big.NewInt(1))
		}
		if n.Cmp(high) < 0 {
			high = n
		}
	}
	if low.Cmp(high) > 0 {
		return v, false
	}
	return interval[T]{lo: convert[T](low), hi: convert[T](high), hasLo: true, hasHi: true}, true
}

func convert[T integer](n *big.Int) T {
	if n.Sign() < 0 {
		return T(n.Int64())
	}
	return T(n.Uint64())
}

// limits returns the lowest and the highest value of an integer type.
func limits[T integer]() (low, high *big.Int) {
	width := 8
	for x := T(1) << 7; width < 64 && x<<1 != 0; x <<= 1 {
		width++
	}
	one := big.NewInt(1)
	if ^T(0) > 0 {
		high = new(big.Int).Lsh(one, uint(width))
		return new(big.Int), high.Sub(high, one)
	}
	high = new(big.Int).Lsh(one, uint(width-1))
	return new(big.Int).Neg(high), high.Sub(high, one)
}

// floor returns the largest integer not above a number, and whether the number is that integer.
func floor(r *big.Rat) (n *big.Int, exact bool) {
	n, m := new(big.Int).DivMod(r.Num(), r.Denom(), new(big.Int))
	return n, m.Sign() == 0
}

func boolean(c *Condition) (test, error) {
	values := make([]bool, len(c.Values))
	for i, v := range c.Values {
		if v.Kind != Bool {
			return nil, mismatch(c, v, "a boolean")
		}
		values[i] = v.Text == "true"
	}
	switch c.Op {
	case Equal, NotEqual, In:
	default:
		return nil, h5err.New(h5err.Argument, "condition on %s: booleans have no order, so %s does not apply", c.Column, c.Op)
	}
	not := c.Op == NotEqual
	return func(arr arrow.Array, keep []bool) {
		a := arr.(*array.Boolean)
		for i := range keep {
			keep[i] = keep[i] && slices.Contains(values, a.Value(i)) != not
		}
	}, nil
}

func mismatch(c *Condition, v Value, want string) error {
	return h5err.New(h5err.Argument, "condition on %s: %q is not %s", c.Column, v.Text, want)
}

// maxExponent bounds the numbers of which exact fractions are made.
const maxExponent = 400

func plain(c *Condition, v Value) (*big.Rat, error) {
	if v.Kind != Number {
		return nil, mismatch(c, v, "a number")
	}
	f, err := parseFloat(v.Text)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || f != 0 && math.Abs(math.Log10(math.Abs(f))) > maxExponent || len(v.Text) > maxExponent {
		return nil, mismatch(c, v, "a number that integers can be compared with")
	}
	r, ok := new(big.Rat).SetString(v.Text)
	if !ok {
		return nil, mismatch(c, v, "a number")
	}
	return r, nil
}

// layouts are the forms of times.
var layouts = []string{"2006-01-02", "2006-01-02T15:04", "2006-01-02T15:04:05.999999999", time.RFC3339Nano}

// moment returns a parser of numbers, and of times as numbers of a unit since 1970.
func moment(unit time.Duration) func(*Condition, Value) (*big.Rat, error) {
	return func(c *Condition, v Value) (*big.Rat, error) {
		if v.Kind == Number {
			return plain(c, v)
		}
		s := v.Text
		if len(s) > 10 && s[10] == ' ' {
			s = s[:10] + "T" + s[11:]
		}
		for _, layout := range layouts {
			if at, err := time.Parse(layout, s); err == nil && v.Kind == Text {
				n := new(big.Int).Mul(big.NewInt(at.Unix()), big.NewInt(int64(time.Second)))
				return new(big.Rat).SetFrac(n.Add(n, big.NewInt(int64(at.Nanosecond()))), big.NewInt(int64(unit))), nil
			}
		}
		return nil, mismatch(c, v, "a time such as 2024-02-29 or 2024-02-29T12:30:00.5")
	}
}

// parseFloat parses a number; one that is too large is an infinity.
func parseFloat(s string) (float64, error) {
	x, err := strconv.ParseFloat(s, 64)
	if isRange(err) {
		err = nil
	}
	return x, err
}

func round64(c *Condition, v Value) (float64, error) {
	if v.Kind != Number {
		return 0, mismatch(c, v, "a number")
	}
	x, err := parseFloat(v.Text)
	if err != nil {
		return 0, mismatch(c, v, "a number")
	}
	return x, nil
}

func round32(c *Condition, v Value) (float32, error) {
	x, err := round64(c, v)
	return float32(x), err
}

func text(c *Condition, v Value) (string, error) {
	if v.Kind != Text {
		return "", mismatch(c, v, "a text")
	}
	return strings.Clone(v.Text), nil
}
