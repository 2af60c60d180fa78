//go:build duckdb_arrow && cgo

package engine

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine/internal/vector"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/naming"
)

// term is a condition on one column.
type term struct {
	column int // of the table
	test   *predicate.Test
	op     operator // with number what the kernels compare the column with, 0 if only the test knows
	number
}

// number is a constant.
type number struct {
	digits int64 // the number is digits / 10^scale
	scale  int
	real   *float64 // or this
}

var operators = map[string]operator{"COMPARE_EQUAL": opEqual, "COMPARE_NOTEQUAL": opNotEqual, "COMPARE_LESSTHAN": opLess,
	"COMPARE_GREATERTHANOREQUALTO": opNotLess, "COMPARE_GREATERTHAN": opGreater, "COMPARE_LESSTHANOREQUALTO": opNotGreater}

// mirrored maps operators to those with the sides exchanged.
var mirrored = map[operator]operator{opEqual: opEqual, opNotEqual: opNotEqual, opLess: opGreater, opGreater: opLess, opNotLess: opNotGreater, opNotGreater: opNotLess}

// tested maps operators to those of tests.
var tested = map[operator]predicate.Op{opEqual: predicate.Equal, opNotEqual: predicate.NotEqual, opLess: predicate.Less, opNotLess: predicate.GreaterOrEqual,
	opGreater: predicate.Greater, opNotGreater: predicate.LessOrEqual, opNull: predicate.IsNull, opNotNull: predicate.IsNotNull}

// takeTerms removes conditions on a table from a SELECT and returns them.
func (q *query) takeTerms(node object, s *origin) []term {
	where, _ := node["where_clause"].(object)
	if where == nil {
		return nil
	}
	conditions, rest := []any{any(where)}, []any{}
	if and := where["type"] == "CONJUNCTION_AND"; and {
		conditions, _ = where["children"].([]any)
	}
	var terms []term
	for _, c := range conditions {
		o, _ := c.(object)
		if found := q.terms(o, s); found != nil {
			terms = append(terms, found...)
		} else {
			rest = append(rest, c)
		}
	}
	switch len(rest) {
	case 0:
		node["where_clause"] = nil
	case 1:
		node["where_clause"] = rest[0]
	default:
		where["children"] = rest
	}
	return terms
}

// terms returns the terms of a condition, nil if the scan can't apply it.
func (q *query) terms(c object, s *origin) []term {
	children, _ := c["children"].([]any)
	switch {
	case c["class"] == "COLUMN_REF":
		return s.truth(c, true)
	case c["type"] == "OPERATOR_NOT" && len(children) == 1:
		return s.truth(children[0], false)
	case c["class"] == "COMPARISON":
		op := operators[fmt.Sprint(c["type"])]
		column, other := s.columnOf(c["left"]), c["right"]
		if column < 0 {
			column, other, op = s.columnOf(c["right"]), c["left"], mirrored[op]
		}
		return q.compare(s.t, column, op, other)
	case c["class"] == "BETWEEN" && c["type"] == "COMPARE_BETWEEN":
		column := s.columnOf(c["input"])
		lower, upper := q.compare(s.t, column, opNotLess, c["lower"]), q.compare(s.t, column, opNotGreater, c["upper"])
		if lower == nil || upper == nil {
			return nil
		}
		return append(lower, upper...)
	case c["type"] == "COMPARE_IN" && len(children) > 1:
		return q.in(s.t, s.columnOf(children[0]), children[1:])
	case c["type"] == "OPERATOR_IS_NULL" && len(children) == 1:
		return s.t.term(s.columnOf(children[0]), opNull)
	case c["type"] == "OPERATOR_IS_NOT_NULL" && len(children) == 1:
		return s.t.term(s.columnOf(children[0]), opNotNull)
	}
	return nil
}

// columnOf returns the column of the table that an expression names, -1 for other expressions.
func (s *origin) columnOf(v any) int {
	c, _ := v.(object)
	if names, _ := c["column_names"].([]any); s.plain != nil && len(names) == 1 {
		if name, _ := names[0].(string); !s.plain[naming.Fold(name)] {
			return -1
		}
	}
	return s.t.columnOf(v, s.qualifier)
}

// truth returns the condition that a column of booleans is b.
func (s *origin) truth(v any, b bool) []term {
	column := s.columnOf(v)
	if column < 0 || s.t.columns[column].typ.ID() != arrow.BOOL {
		return nil
	}
	return s.t.term(column, opEqual, predicate.Bool(b))
}

// term returns a condition that is left to its test.
func (t *table) term(column int, op operator, values ...predicate.Value) []term {
	if column < 0 || tested[op] == 0 || t.columns[column].typ.ID() == arrow.NULL {
		return nil
	}
	test, err := predicate.New(t.columns[column].typ, tested[op], values...)
	if err != nil {
		return nil
	}
	if op != opNull && op != opNotNull {
		op = 0
	}
	return []term{{column: column, op: op, test: test}}
}

// in returns the condition that a column is one of several constants, nil if it might differ from the engine's.
func (q *query) in(t *table, column int, list []any) []term {
	if column < 0 || len(list) > predicate.MaxConditions {
		return nil
	}
	var values []predicate.Value
	for _, v := range list {
		found, exact := q.value(t.columns[column].typ, v)
		if found == nil || !exact {
			return nil
		}
		values = append(values, *found)
	}
	test, err := predicate.New(t.columns[column].typ, predicate.In, values...)
	if err != nil {
		return nil
	}
	return []term{{column: column, test: test}}
}

// compare returns the comparison of a column with an expression, nil if it might differ from the engine's.
func (q *query) compare(t *table, column int, op operator, other any) []term {
	if column < 0 || op == 0 {
		return nil
	}
	typ := t.columns[column].typ
	if n := constant(other); n != nil {
		return t.compareNumber(column, op, n)
	}
	v, exact := q.value(typ, other)
	if v == nil {
		return nil
	}
	if !exact { // the engine knows the column's times in microseconds only, rounded down
		return t.compareRounded(column, op, *v)
	}
	terms := t.term(column, op, *v)
	if spans, ok := firstSpans(terms); ok {
		return kernelTerms(terms[0], spans)
	}
	return terms
}

// compareRounded compares times in nanoseconds with a time of whole microseconds as if they were rounded down to these.
func (t *table) compareRounded(column int, op operator, v predicate.Value) []term {
	at, _ := v.Time()
	next := predicate.Time(at.Add(time.Microsecond))
	var terms []term
	switch op {
	case opLess, opNotLess:
		terms = t.term(column, op, v)
	case opGreater:
		terms = t.term(column, opNotLess, next)
	case opNotGreater:
		terms = t.term(column, opLess, next)
	case opEqual:
		terms = slices.Concat(t.term(column, opNotLess, v), t.term(column, opLess, next))
	}
	var out []term
	for _, x := range terms {
		spans, ok := firstSpans([]term{x})
		if !ok {
			return nil
		}
		out = append(out, kernelTerms(x, spans)...)
	}
	return out
}

func firstSpans(terms []term) ([]predicate.Span, bool) {
	if len(terms) != 1 {
		return nil, false
	}
	return terms[0].test.Spans()
}

// kernelTerms returns the terms that the kernels apply for a test of dates or times: those of the spans for which it holds.
func kernelTerms(x term, spans []predicate.Span) []term {
	all := predicate.Span{Low: math.MinInt64, High: math.MaxInt64}
	with := func(op operator, digits int64) term {
		return term{column: x.column, test: x.test, op: op, number: number{digits: digits}}
	}
	switch {
	case len(spans) == 1 && spans[0] == all, len(spans) == 0:
		x.op = 0
		return []term{x}
	case len(spans) == 1 && spans[0].Low == spans[0].High:
		return []term{with(opEqual, spans[0].Low)}
	case len(spans) == 1:
		return []term{with(opNotLess, spans[0].Low), with(opNotGreater, spans[0].High)}
	}
	return []term{with(opNotEqual, spans[0].High+1)} // all but one
}

// compareNumber returns the comparison of a column with a number, nil if it might differ from the engine's.
func (t *table) compareNumber(column int, op operator, n *number) []term {
	abs := n.digits
	if abs < 0 {
		abs = -abs
	}
	var v predicate.Value
	switch typ := t.columns[column].typ; {
	case arrow.IsInteger(typ.ID()):
		if n.real != nil || n.scale > 0 {
			return nil
		}
		v = predicate.Int(n.digits)
	case typ.ID() == arrow.FLOAT64:
		// Both operands of the division are exact, so its result is the nearest double.
		if abs < 0 || abs >= 1<<53 || n.scale > 22 {
			return nil
		}
		if n.real == nil {
			f := float64(n.digits) / math.Pow10(n.scale)
			n = &number{real: &f}
		}
		v = predicate.Float(*n.real)
	case typ.ID() == arrow.FLOAT32:
		if n.real != nil || abs < 0 || abs >= 1<<24 || n.scale > 0 {
			return nil
		}
		f := float64(n.digits)
		n, v = &number{real: &f}, predicate.Float(f)
	default:
		return nil
	}
	test, err := predicate.New(t.columns[column].typ, tested[op], v)
	if err != nil {
		return nil
	}
	return []term{{column: column, op: op, number: *n, test: test}}
}

// value returns the value of a constant expression that is compared with a column of a type, nil if the engine might compare
// something else. It is not exact if the engine rounds the column's values down to microseconds.
func (q *query) value(typ arrow.DataType, v any) (value *predicate.Value, exact bool) {
	if d, ok := typ.(*arrow.DictionaryType); ok {
		typ = d.ValueType
	}
	switch typ := typ.(type) {
	case *arrow.StringType, *arrow.LargeStringType:
		if s, ok := literal(v, "VARCHAR"); ok {
			x := predicate.Text(s)
			return &x, true
		}
	case *arrow.BooleanType:
		if b, ok := boolean(v); ok {
			x := predicate.Bool(b)
			return &x, true
		}
	case *arrow.Date32Type:
		return q.time(v, "DATE", []string{"DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"}), true
	case *arrow.TimestampType:
		if typ.TimeZone != "" {
			return q.time(v, "TIMESTAMP WITH TIME ZONE", []string{"TIMESTAMP WITH TIME ZONE"}), typ.Unit != arrow.Nanosecond
		}
		own := map[arrow.TimeUnit]string{arrow.Second: "TIMESTAMP_S", arrow.Millisecond: "TIMESTAMP_MS", arrow.Microsecond: "TIMESTAMP", arrow.Nanosecond: "TIMESTAMP_NS"}
		x := q.time(v, own[typ.Unit], []string{"DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"})
		if at, ok := x.Time(); typ.Unit == arrow.Nanosecond && ok && (at.Year() < 1678 || at.Year() > 2261) {
			return nil, false // an error of the engine
		}
		return x, true
	default:
		if n := constant(v); n != nil && (arrow.IsInteger(typ.ID()) || typ.ID() == arrow.FLOAT64) {
			t := &table{columns: []column{{typ: typ}}}
			if terms := t.compareNumber(0, opEqual, n); len(terms) == 1 {
				x := predicate.Int(n.digits)
				if r := terms[0].real; r != nil {
					x = predicate.Float(*r)
				}
				return &x, true
			}
		}
	}
	return nil, false
}

// literal returns the text of a literal of a type.
func literal(v any, id string) (string, bool) {
	c, _ := v.(object)
	value, _ := c["value"].(object)
	typ, _ := value["type"].(object)
	text, ok := value["value"].(string)
	return text, ok && c["class"] == "CONSTANT" && c["type"] == "VALUE_CONSTANT" && value["is_null"] == false && typ["id"] == id && hollow(typ["type_info"])
}

// boolean returns the value of a literal of a boolean, which the parser makes a cast of text.
func boolean(v any) (b, ok bool) {
	c, _ := v.(object)
	if value, _ := c["value"].(object); c["class"] == "CONSTANT" && value["is_null"] == false {
		b, ok = value["value"].(bool)
		return b, ok
	}
	to, _ := c["cast_type"].(object)
	if c["class"] != "CAST" || c["type"] != "OPERATOR_CAST" || to["id"] != "BOOLEAN" || !hollow(to["type_info"]) {
		return false, false
	}
	text, ok := literal(c["child"], "VARCHAR")
	return text == "t", ok && (text == "t" || text == "f")
}

// intervals are functions that give intervals, which times are added to.
var intervals = []string{"to_years", "to_months", "to_weeks", "to_days", "to_hours", "to_minutes", "to_seconds", "to_milliseconds", "to_microseconds", "trunc"}

// fixed reports whether an expression is made of literals, casts, sums and differences only.
func fixed(v any) bool {
	c, _ := v.(object)
	children, _ := c["children"].([]any)
	all := !slices.ContainsFunc(children, func(x any) bool { return !fixed(x) })
	switch c["class"] {
	case "CONSTANT":
		return c["type"] == "VALUE_CONSTANT"
	case "CAST":
		return c["type"] == "OPERATOR_CAST" && fixed(c["child"])
	case "FUNCTION":
		name, _ := c["function_name"].(string)
		operator := c["is_operator"] == true && (name == "+" || name == "-")
		return all && (operator || slices.Contains(intervals, name)) && hollow(c["schema"]) && hollow(c["catalog"]) && hollow(c["filter"]) && c["distinct"] != true
	}
	return false
}

// instants are the types of times and what is one of their units.
var instants = map[duck.Type]time.Duration{duck.TypeDate: 24 * time.Hour, duck.TypeTimestampS: time.Second, duck.TypeTimestampMS: time.Millisecond,
	duck.TypeTimestamp: time.Microsecond, duck.TypeTimestampNS: time.Nanosecond, duck.TypeTimestampTZ: time.Microsecond}

// time returns the time that the engine computes for an expression. A literal text is converted to the column's type, as the
// engine does; other expressions must be of one of the given types.
func (q *query) time(v any, column string, types []string) *predicate.Value {
	if text, ok := literal(v, "VARCHAR"); ok {
		return q.instant(fmt.Sprintf("SELECT CAST('%s' AS %s)", strings.ReplaceAll(text, "'", "''"), column))
	}
	if c, _ := v.(object); c["class"] != "CAST" && c["class"] != "FUNCTION" || !fixed(v) {
		return nil
	}
	tree, err := q.parsed("SELECT 1")
	if err != nil || tree == nil {
		return nil
	}
	list, _ := tree["statements"].([]any)
	statement, _ := list[0].(object)
	node, _ := statement["node"].(object)
	node["select_list"] = []any{v}
	b, err := json.Marshal(tree)
	if err != nil {
		return nil
	}
	text, err := q.scalar("SELECT json_deserialize_sql($1::JSON)", string(b))
	if err != nil {
		return nil
	}
	typ, err := q.scalar("SELECT typeof(x) FROM (SELECT $1::VARCHAR) AS p, ("+text+") AS t(x)", "")
	if err != nil || !slices.Contains(types, typ) {
		return nil
	}
	return q.instant(text)
}

// instant returns the date or time that a statement returns, nil if it does not return one, or an infinite one.
func (q *query) instant(sql string) *predicate.Value {
	var res duck.Result
	defer duck.DestroyResult(&res)
	if duck.Query(q.conn, sql, &res) != duck.StateSuccess {
		return nil
	}
	c := duck.FetchChunk(res)
	defer duck.DestroyDataChunk(&c)
	if c.Ptr == nil || duck.DataChunkGetSize(c) != 1 || duck.ColumnCount(&res) != 1 {
		return nil
	}
	v := duck.DataChunkGetVector(c, 0)
	unit, ok := instants[duck.ColumnType(&res, 0)]
	if valid := duck.VectorGetValidity(v); !ok || valid != nil && !duck.ValidityRowIsValid(valid, 0) {
		return nil
	}
	var n int64
	if unit == 24*time.Hour {
		n = int64(vector.Memory[int32](duck.VectorGetData(v), 1)[0])
		if n == math.MaxInt32 || n == -math.MaxInt32 {
			return nil
		}
	} else if n = vector.Memory[int64](duck.VectorGetData(v), 1)[0]; n == math.MaxInt64 || n == -math.MaxInt64 {
		return nil
	}
	var at time.Time
	switch perSecond := int64(time.Second / unit); {
	case perSecond == 0:
		at = time.Unix(n*86400, 0)
	default:
		at = time.Unix(n/perSecond, n%perSecond*int64(unit))
	}
	x := predicate.Time(at)
	return &x
}

// constant returns the number that an expression is, nil for other expressions.
func constant(v any) *number {
	c, _ := v.(object)
	if c["class"] != "CONSTANT" || c["type"] != "VALUE_CONSTANT" {
		return nil
	}
	value, _ := c["value"].(object)
	typ, _ := value["type"].(object)
	text, ok := value["value"].(json.Number)
	if !ok || value["is_null"] != false {
		return nil
	}
	switch typ["id"] {
	case "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "DECIMAL":
		n := &number{}
		var err error
		if n.digits, err = strconv.ParseInt(text.String(), 10, 64); err != nil {
			return nil
		}
		if info, _ := typ["type_info"].(object); typ["id"] == "DECIMAL" {
			scale, ok := info["scale"].(json.Number)
			if !ok && !hollow(info["scale"]) {
				return nil
			}
			if ok {
				if n.scale, err = strconv.Atoi(scale.String()); err != nil {
					return nil
				}
			}
		} else if info != nil {
			return nil
		}
		return n
	}
	return nil
}
