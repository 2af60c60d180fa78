package predicate

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Test is a condition on the values of a column of one type. It is immutable.
type Test struct {
	typ    arrow.DataType
	op     Op
	form   form
	spans  []Span   // of numbers: the keys for which it holds, in order
	texts  []string // of text: the constants, in order for In
	labels *Test    // of a dictionary: the test of its values
}

// form is how values are compared.
type form uint8

const (
	formNull   form = iota // by being null only
	formNumber             // by their keys
	formBool               // by their keys, which are bits
	formText
	formDictionary
)

// Span is the keys from Low to High, both included. The key of an integer, date, time or boolean is its number, less 1<<63
// for 64-bit integers without a sign; keys of floats are in the order of the floats, NaN having the greatest.
type Span struct{ Low, High int64 }

// New returns the test that a condition is for values of a type. A constant that is not of a kind that the type can be
// compared with is an Argument error, a type that has no order an Unsupported one.
func New(t arrow.DataType, op Op, values ...Value) (*Test, error) {
	if err := op.count(len(values)); err != nil {
		return nil, err
	}
	if x, ok := t.(arrow.ExtensionType); ok {
		t = x.StorageType()
	}
	test := &Test{typ: t, op: op}
	if op == IsNull || op == IsNotNull {
		return test, nil
	}
	var err error
	switch t := t.(type) {
	case *arrow.BooleanType:
		err = test.bools(values)
	case *arrow.Float16Type, *arrow.Float32Type, *arrow.Float64Type:
		err = test.floats(values)
	case *arrow.Date32Type, *arrow.TimestampType, *arrow.DurationType:
		err = test.numbers(values, test.units)
	case *arrow.StringType, *arrow.LargeStringType, *arrow.BinaryType, *arrow.LargeBinaryType, *arrow.FixedSizeBinaryType:
		test.form = formText
		for _, v := range values {
			test.texts = append(test.texts, v.text)
		}
		if op == In {
			slices.Sort(test.texts)
		}
	case *arrow.DictionaryType:
		test.form = formDictionary
		test.labels, err = New(t.ValueType, op, values...)
	default:
		if !arrow.IsInteger(t.ID()) {
			return nil, h5err.New(h5err.Unsupported, "values of %s can't be compared with constants", t)
		}
		err = test.numbers(values, func(v Value) (*big.Rat, *float64, error) {
			exact, real := v.asNumber()
			return exact, real, nil
		})
	}
	if err != nil {
		return nil, err
	}
	return test, nil
}

// Op returns the operator.
func (t *Test) Op() Op { return t.op }

// Spans returns the keys for which the test holds, in order; ok is false for a test that does not compare numbers. The
// slice is shared and not to be written to.
func (t *Test) Spans() (spans []Span, ok bool) { return t.spans, t.form == formNumber }

// mismatch is the error for a constant of the wrong kind.
func (t *Test) mismatch(v Value, want string) error {
	return h5err.New(h5err.Argument, "%q is not %s, which values of %s are compared with", v.text, want, t.typ)
}

func (t *Test) bools(values []Value) error {
	t.form = formBool
	var keys []int64
	for _, v := range values {
		b, ok := v.asBool()
		if !ok {
			return t.mismatch(v, "true or false")
		}
		k := int64(0)
		if b {
			k = 1
		}
		keys = append(keys, k)
	}
	for _, k := range keys {
		t.spans = append(t.spans, compare(t.op, Span{0, 1}, k, k)...)
	}
	t.spans = joined(t.spans)
	return nil
}

// compare returns the keys of all for which a comparison with a constant holds that lies at the key floor or, where ceil is
// greater, between the two.
func compare(op Op, all Span, floor, ceil int64) []Span {
	exact := floor == ceil
	var out []Span
	add := func(low, high int64) {
		if low <= high {
			out = append(out, Span{low, high})
		}
	}
	below := func(last int64) { add(all.Low, min(last, all.High)) }
	above := func(first int64) { add(max(first, all.Low), all.High) }
	// A key below the least or above the greatest can't be meant where there is none: see numbers.
	switch op {
	case Equal, In:
		if exact {
			add(floor, floor)
		}
	case NotEqual:
		if !exact {
			return []Span{all}
		}
		if floor > all.Low {
			below(floor - 1)
		}
		if floor < all.High {
			above(floor + 1)
		}
	case Less:
		if exact {
			if floor > all.Low {
				below(floor - 1)
			}
		} else {
			below(floor)
		}
	case LessOrEqual:
		below(floor)
	case Greater:
		if exact {
			if floor < all.High {
				above(floor + 1)
			}
		} else {
			above(ceil)
		}
	case GreaterOrEqual:
		above(ceil)
	}
	return out
}

// outside returns the keys of all for which a comparison holds with a constant that is less, or else greater, than all.
func outside(op Op, all Span, less bool) []Span {
	switch {
	case op == NotEqual, less && (op == Greater || op == GreaterOrEqual), !less && (op == Less || op == LessOrEqual):
		return []Span{all}
	}
	return nil
}

// joined returns spans in order, each key once.
func joined(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Compare(a.Low, b.Low) })
	var out []Span
	for _, s := range spans {
		if n := len(out); n > 0 && (s.Low <= out[n-1].High || s.Low == out[n-1].High+1) {
			out[n-1].High = max(out[n-1].High, s.High)
			continue
		}
		out = append(out, s)
	}
	return out
}

// keys returns the span of all keys of the integers of a type, and what is added to a key to give the number.
func keys(t arrow.DataType) (all Span, add *big.Int) {
	add = new(big.Int)
	if t.ID() == arrow.UINT64 {
		return Span{math.MinInt64, math.MaxInt64}, add.Lsh(big.NewInt(1), 63)
	}
	bits := t.(arrow.FixedWidthDataType).BitWidth()
	if arrow.IsUnsignedInteger(t.ID()) {
		return Span{0, 1<<bits - 1}, add
	}
	return Span{-1 << (bits - 1), 1<<(bits-1) - 1}, add
}

// numbers sets the spans for constants that are numbers of the type's units.
func (t *Test) numbers(values []Value, number func(Value) (*big.Rat, *float64, error)) error {
	t.form = formNumber
	all, add := keys(t.typ)
	for _, v := range values {
		exact, real, err := number(v)
		switch {
		case err != nil:
			return err
		case exact == nil && real == nil:
			return t.mismatch(v, "a number")
		case exact == nil: // NaN is greater than all numbers
			t.spans = append(t.spans, outside(t.op, all, *real < 0)...)
			continue
		}
		floor := new(big.Int)
		remainder := new(big.Int)
		floor.DivMod(exact.Num(), exact.Denom(), remainder)
		floor.Sub(floor, add)
		ceil := new(big.Int).Set(floor)
		if remainder.Sign() != 0 {
			ceil.Add(ceil, big.NewInt(1))
		}
		switch {
		case ceil.Cmp(big.NewInt(all.Low)) < 0 || ceil.Cmp(floor) > 0 && floor.Cmp(big.NewInt(all.Low)) < 0:
			t.spans = append(t.spans, outside(t.op, all, true)...)
		case ceil.Cmp(big.NewInt(all.High)) > 0:
			t.spans = append(t.spans, outside(t.op, all, false)...)
		default:
			t.spans = append(t.spans, compare(t.op, all, floor.Int64(), ceil.Int64())...)
		}
	}
	t.spans = joined(t.spans)
	return nil
}

// nanoseconds of a unit of time.
var nanoseconds = map[arrow.TimeUnit]int64{arrow.Second: 1e9, arrow.Millisecond: 1e6, arrow.Microsecond: 1e3, arrow.Nanosecond: 1}

// units returns a time or duration in the type's units.
func (t *Test) units(v Value) (*big.Rat, *float64, error) {
	unit := int64(24 * time.Hour)
	switch typ := t.typ.(type) {
	case *arrow.TimestampType:
		unit = nanoseconds[typ.Unit]
	case *arrow.DurationType:
		d, err := time.ParseDuration(v.text)
		if err != nil {
			return nil, nil, t.mismatch(v, `a duration, such as "1h30m" or "250ms"`)
		}
		return big.NewRat(int64(d), nanoseconds[typ.Unit]), nil, nil
	}
	at, ok := v.asTime()
	if !ok {
		return nil, nil, t.mismatch(v, `a time, such as 2020-02-29 or "2020-02-29 12:30:00"`)
	}
	n := new(big.Int).Mul(big.NewInt(at.Unix()), big.NewInt(1e9))
	n.Add(n, big.NewInt(int64(at.Nanosecond())))
	return new(big.Rat).SetFrac(n, big.NewInt(unit)), nil, nil
}

// floats sets the spans for constants that are numbers.
func (t *Test) floats(values []Value) error {
	t.form = formNumber
	all := Span{math.MinInt64, keyNaN}
	for _, v := range values {
		exact, real := v.asNumber()
		if exact == nil && real == nil {
			return t.mismatch(v, "a number")
		}
		if real == nil {
			var f float64
			if t.typ.ID() == arrow.FLOAT64 {
				f, _ = exact.Float64()
			} else {
				g, _ := exact.Float32()
				f = float64(g)
			}
			real = &f
		} else if t.typ.ID() != arrow.FLOAT64 {
			f := float64(float32(*real))
			real = &f
		}
		k := floatKey(math.Float64bits(*real))
		t.spans = append(t.spans, compare(t.op, all, k, k)...)
	}
	t.spans = joined(t.spans)
	return nil
}

// keyNaN is the key of NaN.
const keyNaN = math.MaxInt64

// floatKey returns the key of the float of these bits.
func floatKey(b uint64) int64 {
	switch magnitude := b << 1; {
	case magnitude > 0x7ff<<53:
		return keyNaN
	case magnitude == 0:
		return 0
	}
	s := int64(b)
	return s ^ int64(uint64(s>>63)>>1)
}

// String returns the test for messages.
func (t *Test) String() string { return fmt.Sprintf("%s of %s", t.op, t.typ) }
