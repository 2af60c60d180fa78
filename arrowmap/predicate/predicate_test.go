package predicate

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// column is values of a type as the array builders read them, and constants to compare them with.
type column struct {
	typ       arrow.DataType
	values    []string
	constants []string
}

var integers = []string{"0", "1", "-1", "7", "127", "-128", "255", "32767", "-32768", "65535", "2147483647", "-2147483648", "4294967295",
	"9223372036854775807", "-9223372036854775808", "18446744073709551615"}

// fits returns the numbers that a builder of a type takes.
func fits(t arrow.DataType, numbers []string) (out []string) {
	for _, n := range numbers {
		b := array.NewBuilder(memory.DefaultAllocator, t)
		if b.AppendValueFromString(n) == nil {
			out = append(out, n)
		}
		b.Release()
	}
	return out
}

func columns() []column {
	var out []column
	odd := append([]string{"0.5", "-0.5", "126.5", "127.5", "-128.5", "1e2", "1e30", "-1e30", "1e400", "nan", "-inf", "18446744073709551616"}, integers...)
	for _, t := range append(append([]arrow.DataType{}, arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64),
		arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64) {
		out = append(out, column{t, fits(t, integers), odd})
	}
	floats := []string{"0", "-0", "0.5", "0.1", "-3.25", "inf", "-inf", "nan", "1e-40", "16777216", "65504", "1e30"}
	out = append(out, column{arrow.PrimitiveTypes.Float64, floats, append(odd, floats...)}, column{arrow.PrimitiveTypes.Float32, floats, append(odd, floats...)},
		column{arrow.FixedWidthTypes.Float16, floats[:9], floats})
	times := []string{"1970-01-01", "1969-12-31 23:59:59", "2000-02-29 12:00:00.5", "2000-02-29 12:00:01", "2262-01-01", "1700-01-01"}
	at := append([]string{"2000-02-29 12:00:00.123456789", "0001-01-01", "9999-12-31T23:59:59Z", "2000-02-29 14:00:00.5+02:00"}, times...)
	for _, unit := range []arrow.TimeUnit{arrow.Second, arrow.Millisecond, arrow.Microsecond, arrow.Nanosecond} {
		v := times
		if unit == arrow.Second {
			v = []string{"1970-01-01", "1969-12-31 23:59:59", "2000-02-29 12:00:00", "2000-02-29 12:00:01"}
		}
		out = append(out, column{&arrow.TimestampType{Unit: unit}, v, at})
	}
	out = append(out, column{arrow.FixedWidthTypes.Date32, []string{"1970-01-01", "1969-12-31", "2000-02-29", "1500-01-01"}, at},
		column{&arrow.DurationType{Unit: arrow.Millisecond}, []string{"0ms", "1500ms", "-3ms"}, []string{"1.5s", "-3ms", "1ns", "1h"}},
		column{arrow.FixedWidthTypes.Boolean, []string{"true", "false"}, []string{"true", "false", "1"}})
	words := []string{"", "a", "ab", "b", "Z", "\u00fc", "it's"}
	for _, t := range []arrow.DataType{arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString,
		&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String},
		&arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Uint32, ValueType: arrow.BinaryTypes.String}} {
		out = append(out, column{t, words, append([]string{"aa", "zz"}, words...)})
	}
	return out
}

// order compares a value with a constant, both as text, in the slow and obvious way.
func order(t *testing.T, typ arrow.DataType, value, constant string) int {
	t.Helper()
	switch typ := typ.(type) {
	case *arrow.StringType, *arrow.LargeStringType, *arrow.DictionaryType:
		return strings.Compare(value, constant)
	case *arrow.BooleanType:
		return strings.Compare(value, strings.Replace(constant, "1", "true", 1))
	case *arrow.TimestampType, *arrow.Date32Type:
		a, _ := Text(value).asTime()
		b, _ := Text(constant).asTime()
		return a.Compare(b)
	case *arrow.DurationType:
		a, _ := time.ParseDuration(value)
		b, _ := time.ParseDuration(constant)
		return cmp.Compare(a, b)
	case *arrow.Float16Type, *arrow.Float32Type, *arrow.Float64Type:
		parse := func(s string) float64 {
			bits := 64
			if typ.ID() != arrow.FLOAT64 {
				bits = 32
			}
			var f float64
			if _, err := fmt.Sscan(s, &f); err != nil && s != "1e400" {
				t.Fatal(err)
			}
			if s == "1e400" {
				f = math.Inf(1)
			}
			if bits == 32 {
				f = float64(float32(f))
			}
			return f
		}
		a, b := parse(value), parse(constant)
		switch {
		case math.IsNaN(a) || math.IsNaN(b):
			return cmp.Compare(b2i(math.IsNaN(a)), b2i(math.IsNaN(b)))
		}
		return cmp.Compare(a, b)
	}
	switch constant {
	case "nan":
		return -1
	case "-inf":
		return 1
	}
	a, _ := new(big.Rat).SetString(value)
	b, ok := new(big.Rat).SetString(constant)
	if !ok {
		t.Fatal(constant)
	}
	return a.Cmp(b)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func wanted(c int, op Op) bool {
	switch op {
	case Equal, In:
		return c == 0
	case NotEqual:
		return c != 0
	case Less:
		return c < 0
	case LessOrEqual:
		return c <= 0
	case Greater:
		return c > 0
	}
	return c >= 0
}

// All operators on all types, against the obvious comparison of the texts; nulls, slices and masks with holes.
func TestChoose(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range columns() {
		b := array.NewBuilder(memory.DefaultAllocator, c.typ)
		var rows []string // "null" for nulls
		for range 700 {
			v := c.values[r.IntN(len(c.values))]
			if r.IntN(9) == 0 {
				b.AppendNull()
				rows = append(rows, "null")
				continue
			}
			if err := b.AppendValueFromString(v); err != nil {
				t.Fatalf("%s: %q: %v", c.typ, v, err)
			}
			if c.typ.ID() == arrow.FLOAT16 || c.typ.ID() == arrow.FLOAT32 {
				v = fmt.Sprint(halved(c.typ, v))
			}
			rows = append(rows, v)
		}
		arr := b.NewArray()
		b.Release()
		for op := Equal; op <= IsNotNull; op++ {
			for _, k := range c.constants {
				values := []Value{Text(k)}
				other := c.constants[r.IntN(len(c.constants))]
				switch op {
				case In:
					values = append(values, Text(other))
				case IsNull, IsNotNull:
					values = nil
				}
				test, err := New(c.typ, op, values...)
				if err != nil {
					t.Fatalf("%s %s %s: %v", c.typ, op, k, err)
				}
				off := r.IntN(200)
				n := r.IntN(len(rows)-off) + 1
				before, mask := make([]uint64, Words(n)), make([]uint64, Words(n))
				Fill(mask, n)
				for range r.IntN(40) {
					mask[r.IntN(len(mask))] &= r.Uint64()
				}
				copy(before, mask)
				if err := test.Matcher().Choose(arr, off, n, mask); err != nil {
					t.Fatal(err)
				}
				for i := range n {
					v := rows[off+i]
					want := before[i/64]>>(i%64)&1 == 1
					switch {
					case op == IsNull || op == IsNotNull:
						want = want && (v == "null") == (op == IsNull)
					case v == "null":
						want = false
					default:
						want = want && (wanted(order(t, c.typ, v, k), op) || op == In && order(t, c.typ, v, other) == 0)
					}
					if got := mask[i/64]>>(i%64)&1 == 1; got != want {
						t.Fatalf("%s: %q %s %q (or %q): %v", c.typ, v, op, k, other, got)
					}
				}
			}
		}
		arr.Release()
	}
}

// What statistics rule out holds for no row: all operators, on zones of two different values.
func TestMay(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, c := range columns() {
		ruled := 0
		meter, err := NewMeter(c.typ)
		if err != nil || !Ordered(c.typ) {
			t.Fatal(err)
		}
		for range 60 {
			b := array.NewBuilder(memory.DefaultAllocator, c.typ)
			pair := []string{c.values[r.IntN(len(c.values))], c.values[r.IntN(len(c.values))]}
			for range 1 + r.IntN(1100) {
				if r.IntN(3) == 0 {
					b.AppendNull()
				} else if err := b.AppendValueFromString(pair[r.IntN(2)]); err != nil {
					t.Fatal(err)
				}
			}
			arr := b.NewArray()
			b.Release()
			meter.Reset()
			cut := r.IntN(arr.Len())
			if meter.Add(arr, 0, cut) != nil || meter.Add(arr, cut, arr.Len()-cut) != nil {
				t.Fatal("not measured")
			}
			for op := Equal; op <= IsNotNull; op++ {
				values := []Value{Text(c.constants[r.IntN(len(c.constants))]), Text(c.constants[r.IntN(len(c.constants))])}
				if op != In {
					values = values[:1]
				}
				if op >= IsNull {
					values = nil
				}
				test, err := New(c.typ, op, values...)
				if err != nil {
					t.Fatal(err)
				}
				mask := make([]uint64, Words(arr.Len()))
				Fill(mask, arr.Len())
				if err := test.Matcher().Choose(arr, 0, arr.Len(), mask); err != nil {
					t.Fatal(err)
				}
				may := test.May(&meter.Stats)
				if !may {
					ruled++
				}
				if !may && Count(mask) > 0 {
					t.Fatalf("%s of %q: %s %v is ruled out but holds for %d rows; %+v", c.typ, pair, op, values, Count(mask), meter.Stats)
				}
			}
			arr.Release()
		}
		if ruled == 0 {
			t.Errorf("%s: nothing is ruled out", c.typ)
		}
	}
}

// Long text is cut in statistics, and bounds stay bounds.
func TestMayLongText(t *testing.T) {
	long := strings.Repeat("x", MaxText)
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues([]string{long + "b", long + "d"}, nil)
	arr := b.NewArray()
	defer arr.Release()
	meter, err := NewMeter(arr.DataType())
	if err == nil {
		err = meter.Add(arr, 0, 2)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		op   Op
		text string
		want bool
	}{{Equal, long + "c", true}, {Equal, long, true}, {NotEqual, long, true}, {Greater, long + "z", true}, {Greater, "y", false}, {Less, "x", false}, {Less, long + "a", true},
		{GreaterOrEqual, strings.Repeat("x", MaxText-1) + "y", false}, {In, "", false}} {
		test, err := New(arr.DataType(), c.op, Text(c.text))
		if err != nil {
			t.Fatal(err)
		}
		if got := test.May(&meter.Stats); got != c.want {
			t.Errorf("%s %q: %v", c.op, c.text, got)
		}
	}
}

// halved returns the value that a column of short floats holds.
func halved(t arrow.DataType, v string) float64 {
	b := array.NewBuilder(memory.DefaultAllocator, t)
	defer b.Release()
	if err := b.AppendValueFromString(v); err != nil {
		panic(err)
	}
	a := b.NewArray()
	defer a.Release()
	if h, ok := a.(*array.Float16); ok {
		return float64(h.Value(0).Float32())
	}
	return float64(a.(*array.Float32).Value(0))
}

// Constants of other kinds than the column's values are errors.
func TestNewErrors(t *testing.T) {
	for _, c := range []struct {
		typ  arrow.DataType
		op   Op
		v    []Value
		kind h5err.Kind
	}{
		{arrow.PrimitiveTypes.Int8, Equal, []Value{Text("x")}, h5err.Argument}, {arrow.PrimitiveTypes.Float32, Less, []Value{Text("0x1p-2")}, h5err.Argument},
		{arrow.PrimitiveTypes.Int8, Equal, nil, h5err.Argument}, {arrow.PrimitiveTypes.Int8, IsNull, []Value{Int(1)}, h5err.Argument},
		{arrow.PrimitiveTypes.Int8, 0, []Value{Int(1)}, h5err.Argument}, {arrow.PrimitiveTypes.Int8, 99, []Value{Int(1)}, h5err.Argument},
		{arrow.FixedWidthTypes.Boolean, Equal, []Value{Text("maybe")}, h5err.Argument}, {arrow.FixedWidthTypes.Date32, Equal, []Value{Text("yesterday")}, h5err.Argument},
		{arrow.FixedWidthTypes.Date32, Equal, []Value{Int(3)}, h5err.Argument}, {&arrow.DurationType{}, Equal, []Value{Text("3")}, h5err.Argument},
		{arrow.StructOf(), Equal, []Value{Int(1)}, h5err.Unsupported}, {arrow.ListOf(arrow.PrimitiveTypes.Int8), Less, []Value{Int(1)}, h5err.Unsupported},
	} {
		if _, err := New(c.typ, c.op, c.v...); !h5err.Is(err, c.kind) {
			t.Errorf("%s %s %v: %v", c.typ, c.op, c.v, err)
		}
	}
}

// Values that Go programs pass.
func TestValues(t *testing.T) {
	at := time.Date(2000, 1, 2, 3, 4, 5, 6, time.FixedZone("", 3600))
	for _, c := range []struct {
		v    Value
		typ  arrow.DataType
		want Span
	}{
		{Int(-5), arrow.PrimitiveTypes.Int16, Span{-5, -5}}, {Decimal(50, 1), arrow.PrimitiveTypes.Int16, Span{5, 5}}, {Float(5), arrow.PrimitiveTypes.Uint8, Span{5, 5}},
		{Time(at), &arrow.TimestampType{Unit: arrow.Nanosecond}, Span{at.UnixNano(), at.UnixNano()}}, {Float(math.Copysign(0, -1)), arrow.PrimitiveTypes.Float64, Span{0, 0}},
		{Text("0"), arrow.PrimitiveTypes.Uint64, Span{math.MinInt64, math.MinInt64}},
	} {
		test, err := New(c.typ, Equal, c.v)
		if err != nil {
			t.Fatal(err)
		}
		if spans, ok := test.Spans(); !ok || len(spans) != 1 || spans[0] != c.want {
			t.Errorf("%s: %v, want %v", c.v, spans, c.want)
		}
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		`a = 1`:                    "a = [1]",
		`a<=-1.5e3 AND b!='it''s'`: "a <= [-1.5e3]|b != [it's]",
		`"odd ""name" between 2020-01-01T00:00:00Z and '2021-01-01 00:00'`: `odd "name >= [2020-01-01T00:00:00Z]|odd "name <= [2021-01-01 00:00]`,
		`x in (1, 'b', c) and y is Not Null and z is null`:                 "x in [1 b c]|y is not null []|z is null []",
		`a == 1 and b <> 2 and é > ü`:                                      "a = [1]|b != [2]|é > [ü]",
		`and = and and in in (in)`:                                         "and = [and]|in in [in]",
		`x not in (1, 'b') and not not in (not)`:                           "x != [1]|x != [b]|not != [not]",
	} {
		got, err := Parse(text)
		var parts []string
		for _, c := range got {
			parts = append(parts, fmt.Sprintf("%s %s %v", c.Column, c.Op, c.Values))
		}
		if strings.Join(parts, "|") != want || err != nil {
			t.Errorf("%s: %q, %v", text, strings.Join(parts, "|"), err)
		}
	}
	for text, want := range map[string]string{
		``: "the end at character 1, where the name of a column", `a`: "the end at character 2, where an operator", `a = `: "where a value",
		`a = 1 or b = 2`: `"or" at character 7, where "and" or the end`, `a in 1`: `where "("`, `a in (1`: `"," or ")"`, `a in ()`: "where a value",
		`a is 5`: `"null" or "not null"`, `a is not 5`: `where "null"`, `a between 1 or 2`: `where "and"`, `'a' = 1`: "the name of a column",
		`a = 'x`: "quote at character 5 has no end", `a ~ 1`: `"~" at character 3`, `a = "b"`: "where a value", `a not b`: `where "in"`, `a not in 3`: `where "("`, `a = 1;`: `";" at character 6`,
	} {
		if got, err := Parse(text); !h5err.Is(err, h5err.Argument) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

// Operators and constants of a program mean what the same text does.
func TestConditions(t *testing.T) {
	values := []Value{Text("1"), Text("b")}
	for text, c := range map[string]struct {
		op string
		n  int
	}{"a = 1": {"=", 1}, "a == 1": {"==", 1}, "a <> 1": {"<>", 1}, "a >= 1": {">=", 1}, "a between 1 and b": {"Between", 2}, "a in (1, b)": {"in", 2},
		"a not in (1, b)": {" NOT  in", 2}, "a is null": {"is null", 0}, "a is not null": {"is not NULL", 0}} {
		want, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Conditions("a", c.op, values[:c.n]...); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, %v, want %v", c.op, got, err, want)
		}
	}
	if got, err := Conditions("a", "not in"); err != nil || len(got) != 1 || got[0].Op != IsNotNull {
		t.Errorf("not in of nothing: %v, %v", got, err)
	}
	for _, op := range []string{"like", "", "invalid", "between", "=", "is null"} {
		if got, err := Conditions("a", op, append(values, Int(3))...); !h5err.Is(err, h5err.Argument) {
			t.Errorf("%q: %v, %v", op, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`a = 1 and "b c" in ('x', 2) and d between 1e400 and -5 and e is not null`)
	types := columns()
	f.Fuzz(func(t *testing.T, text string) {
		list, err := Parse(text)
		if err != nil {
			if !h5err.Is(err, h5err.Argument) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		for _, c := range list {
			for _, typ := range types {
				if _, err := New(typ.typ, c.Op, c.Values...); err != nil && !h5err.Is(err, h5err.Argument) {
					t.Errorf("%q: %v", text, err)
				}
			}
		}
	})
}
