//go:build duckdb_arrow && cgo

package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/nullbitmap"
)

// The engine's C interface passes no filters to table functions. So a statement that is one SELECT from one table is
// looked at before it is run: those of the conditions in its WHERE that all must hold, and that compare a column of
// numbers with a number or ask for nulls, are taken out of it and given to the scan. Anything else is left as it was.
//
// That is sound because: the names can mean nothing but columns of that table (there is no other, and no CTE); the
// engine's order of numbers is kept, in which NaN is greater than all others and equal to itself; a condition that is
// taken out held, or did not, for each row by itself. The engine's own parser takes the statement apart and puts it
// together; that the new text means what was changed, and nothing else, is seen by parsing it once more and comparing,
// and that the result has the same columns by binding both.

// term is a condition on one column.
type term struct {
	column int // of the table
	op     operator
	number // what the column is compared with
}

// number is a constant.
type number struct {
	digits int64 // the number is digits / 10^scale
	scale  int
	real   *float64 // or this
}

// operator is how a column is compared.
type operator uint8

// The operators. Each is at an odd place or the one behind it with its opposite.
const (
	_ operator = iota
	opEqual
	opNotEqual
	opLess
	opNotLess // not equal to greater or equal: NaN is neither less nor greater in Go
	opGreater
	opNotGreater
	opNull
	opNotNull
)

var operators = map[string]operator{"COMPARE_EQUAL": opEqual, "COMPARE_NOTEQUAL": opNotEqual, "COMPARE_LESSTHAN": opLess,
	"COMPARE_GREATERTHANOREQUALTO": opNotLess, "COMPARE_GREATERTHAN": opGreater, "COMPARE_LESSTHANOREQUALTO": opNotGreater}

// mirrored are the operators when the sides are exchanged.
var mirrored = map[operator]operator{opEqual: opEqual, opNotEqual: opNotEqual, opLess: opGreater, opGreater: opLess, opNotLess: opNotGreater, opNotGreater: opNotLess}

// object is a JSON object.
type object = map[string]any

// filtered returns the statement with the conditions that the scan takes over taken out, and the terms; "" when there
// are none.
func (q *query) filtered(sql string) (string, error) {
	if q.db.o.NoFilter || q.db.o.Access || !strings.Contains(strings.ToLower(sql), "where") {
		return "", nil
	}
	tree, err := q.parsed(sql)
	if err != nil || tree == nil {
		return "", err
	}
	list, ok := tree["statements"].([]any)
	if !ok || len(list) != 1 {
		return "", nil
	}
	statement, _ := list[0].(object)
	node, _ := statement["node"].(object)
	from, _ := node["from_table"].(object)
	t := q.onlyTable(node, from)
	if t == nil {
		return "", nil
	}
	terms := t.takeTerms(node, from)
	if len(terms) == 0 {
		return "", nil
	}
	q.filters = append(q.filters, terms)
	view := fmt.Sprintf("h5arrow_filtered_%d", len(q.filters))
	if err := q.run(fmt.Sprintf("CREATE TEMP VIEW %s AS SELECT * EXCLUDE %s FROM %s(filter := %d)", view, quoted(t.labels[0]), t.function, len(q.filters))); err != nil {
		return "", err
	}
	if a, _ := from["alias"].(string); a == "" {
		from["alias"] = from["table_name"]
	}
	from["table_name"] = view
	return q.unparsed(tree)
}

// onlyTable returns the table of a SELECT that reads nothing else, nil for any other.
func (q *query) onlyTable(node, from object) *table {
	if node["type"] != "SELECT_NODE" || from["type"] != "BASE_TABLE" {
		return nil
	}
	// What is not known here may change what the names mean or what the conditions apply to.
	for key, value := range from {
		switch key {
		case "type", "alias", "query_location", "table_name":
		default:
			if !hollow(value) {
				return nil
			}
		}
	}
	for _, key := range []string{"sample", "cte_map"} {
		if !hollow(node[key]) {
			return nil
		}
	}
	name, _ := from["table_name"].(string)
	for _, t := range q.db.tables {
		for _, n := range t.names {
			if strings.EqualFold(n, name) {
				return t
			}
		}
	}
	return nil
}

// hollow tells whether there is nothing in a value.
func hollow(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case object:
		for _, x := range v {
			if !hollow(x) {
				return false
			}
		}
		return true
	}
	return false
}

// takeTerms takes conditions out of a SELECT.
func (t *table) takeTerms(node, from object) []term {
	where, _ := node["where_clause"].(object)
	if where == nil {
		return nil
	}
	qualifier, _ := from["alias"].(string)
	if qualifier == "" {
		qualifier, _ = from["table_name"].(string)
	}
	conditions, rest := []any{any(where)}, []any{}
	if and := where["type"] == "CONJUNCTION_AND"; and {
		conditions, _ = where["children"].([]any)
	}
	var terms []term
	for _, c := range conditions {
		o, _ := c.(object)
		if found := t.terms(o, qualifier); found != nil {
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

// terms returns what a condition comes to, nil when it is none that a scan takes.
func (t *table) terms(c object, qualifier string) []term {
	switch {
	case c["class"] == "COMPARISON":
		op := operators[fmt.Sprint(c["type"])]
		column, n := t.columnOf(c["left"], qualifier), constant(c["right"])
		if column < 0 {
			column, n, op = t.columnOf(c["right"], qualifier), constant(c["left"]), mirrored[op]
		}
		return t.compare(column, op, n)
	case c["class"] == "BETWEEN" && c["type"] == "COMPARE_BETWEEN":
		column := t.columnOf(c["input"], qualifier)
		lower, upper := t.compare(column, opNotLess, constant(c["lower"])), t.compare(column, opNotGreater, constant(c["upper"]))
		if lower == nil || upper == nil {
			return nil
		}
		return append(lower, upper...)
	case c["type"] == "OPERATOR_IS_NULL", c["type"] == "OPERATOR_IS_NOT_NULL":
		children, _ := c["children"].([]any)
		if len(children) != 1 {
			return nil
		}
		column := t.columnOf(children[0], qualifier)
		if column < 0 || t.columns[column].typ.ID() == arrow.NULL {
			return nil
		}
		op := opNull
		if c["type"] == "OPERATOR_IS_NOT_NULL" {
			op = opNotNull
		}
		return []term{{column: column, op: op}}
	}
	return nil
}

// compare returns the comparison of a column with a number, nil where that is not known to be what the engine does.
func (t *table) compare(column int, op operator, n *number) []term {
	if column < 0 || op == 0 || n == nil {
		return nil
	}
	abs := n.digits
	if abs < 0 {
		abs = -abs
	}
	switch typ := t.columns[column].typ; {
	case arrow.IsInteger(typ.ID()):
		if n.real != nil || n.scale > 0 {
			return nil
		}
	case typ.ID() == arrow.FLOAT64:
		// Both operands of the division are exact, so that its result is the nearest number there is.
		if abs < 0 || abs >= 1<<53 || n.scale > 22 {
			return nil
		}
		if n.real == nil {
			f := float64(n.digits) / math.Pow10(n.scale)
			n = &number{real: &f}
		}
	case typ.ID() == arrow.FLOAT32:
		if n.real != nil || abs < 0 || abs >= 1<<24 || n.scale > 0 {
			return nil
		}
		f := float64(n.digits)
		n = &number{real: &f}
	default:
		return nil
	}
	return []term{{column: column, op: op, number: *n}}
}

// columnOf returns the column that an expression is, -1 for none.
func (t *table) columnOf(v any, qualifier string) int {
	c, _ := v.(object)
	if c["class"] != "COLUMN_REF" || c["type"] != "COLUMN_REF" || !hollow(c["alias"]) {
		return -1
	}
	names, _ := c["column_names"].([]any)
	if len(names) == 2 {
		if q, _ := names[0].(string); !strings.EqualFold(q, qualifier) {
			return -1
		}
		names = names[1:]
	}
	if len(names) != 1 {
		return -1
	}
	name, _ := names[0].(string)
	for i := range t.columns {
		if strings.EqualFold(t.labels[i+1], name) && t.columns[i].err == nil {
			return i
		}
	}
	return -1
}

// constant returns the number that an expression is, nil for anything else.
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

// parsed is a statement as the engine's parser sees it, nil for what it does not show.
func (q *query) parsed(sql string) (object, error) {
	text, err := q.scalar("SELECT json_serialize_sql($1::VARCHAR)::VARCHAR", sql)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var tree object
	if err := d.Decode(&tree); err != nil || tree["error"] != false {
		return nil, nil // it is not one that the parser shows
	}
	return tree, nil
}

// unparsed is the text of a statement, "" when it would not be that statement.
func (q *query) unparsed(tree object) (string, error) {
	b, err := json.Marshal(tree)
	if err != nil {
		return "", err
	}
	text, err := q.scalar("SELECT json_deserialize_sql($1::JSON)", string(b))
	if err != nil {
		return "", err
	}
	again, err := q.parsed(text)
	if err != nil || !reflect.DeepEqual(placeless(again), placeless(tree)) {
		return "", err
	}
	return text, nil
}

// placeless removes from a tree where in the text things stand.
func placeless(v any) any {
	switch v := v.(type) {
	case object:
		delete(v, "query_location")
		for _, x := range v {
			placeless(x)
		}
	case []any:
		for _, x := range v {
			placeless(x)
		}
	}
	return v
}

// predicate is terms over the columns of batches.
type predicate struct {
	terms []condition
	sel   []uint32
}

// condition is a term over a column of batches.
type condition struct {
	term
	at  int // column of the batch
	typ arrow.Type
}

// choose returns which of the rows [off,off+n) of a batch the terms hold for, counted from off.
func (p *predicate) choose(rec arrow.RecordBatch, off, n int) []uint32 {
	p.sel = room(p.sel, n)
	sel := p.sel
	for i := range sel {
		sel[i] = uint32(i)
	}
	for i, t := range p.terms {
		sel = t.choose(rec.Column(t.at), off, n, sel, i == 0)
		if len(sel) == 0 {
			break
		}
	}
	return sel
}

// choose keeps those of sel that the term holds for; all is that sel is all rows.
func (t *condition) choose(arr arrow.Array, off, n int, sel []uint32, all bool) []uint32 {
	valid, missing := buffer(arr, 0), 0
	first := arr.Data().Offset() + off
	if len(valid) > 0 {
		if missing = nullbitmap.CountNulls(valid, first, n); missing > 0 || t.op == opNull {
			k := 0
			want := byte(1)
			if t.op == opNull {
				want = 0
			}
			for _, i := range sel {
				sel[k] = i
				at := first + int(i)
				k += int(^(valid[at>>3]>>(at&7)&1 ^ want) & 1)
			}
			sel, all = sel[:k], false
		}
	}
	switch {
	case t.op == opNull && len(valid) == 0:
		return sel[:0]
	case t.op == opNull, t.op == opNotNull:
		return sel
	}
	values := buffer(arr, 1)
	switch t.typ {
	case arrow.INT8:
		return within[int8](values, first, n, sel, all, t, math.MinInt8, math.MaxInt8)
	case arrow.INT16:
		return within[int16](values, first, n, sel, all, t, math.MinInt16, math.MaxInt16)
	case arrow.INT32:
		return within[int32](values, first, n, sel, all, t, math.MinInt32, math.MaxInt32)
	case arrow.INT64:
		return within[int64](values, first, n, sel, all, t, math.MinInt64, math.MaxInt64)
	case arrow.UINT8:
		return within[uint8](values, first, n, sel, all, t, 0, math.MaxUint8)
	case arrow.UINT16:
		return within[uint16](values, first, n, sel, all, t, 0, math.MaxUint16)
	case arrow.UINT32:
		return within[uint32](values, first, n, sel, all, t, 0, math.MaxUint32)
	case arrow.UINT64:
		return within[uint64](values, first, n, sel, all, t, 0, math.MaxInt64)
	case arrow.FLOAT32:
		return beside(span[float32](values, first, n), sel, t.op, float32(*t.real))
	default:
		return beside(span[float64](values, first, n), sel, t.op, *t.real)
	}
}

// span is n values of a buffer from one on. They may stand at any address.
func span[T any](b []byte, first, n int) []T {
	var zero T
	width := int(unsafe.Sizeof(zero))
	b = b[first*width : (first+n)*width]
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n)
}

// one is 1 for true; it compiles to no jump.
func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// within chooses integers by a range of int64; those that are larger, which only uint64 has, are above any constant.
func within[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](b []byte, first, n int, sel []uint32, all bool, t *condition, least, most int64) []uint32 {
	c, k := t.digits, 0
	values := span[T](b, first, n)
	below, above := c < least, c > most
	switch {
	case !below && !above:
		v := T(c)
		switch t.op {
		case opEqual:
			for _, i := range sel {
				sel[k] = i
				k += one(values[i] == v)
			}
		case opNotEqual:
			for _, i := range sel {
				sel[k] = i
				k += one(values[i] != v)
			}
		case opLess:
			for _, i := range sel {
				sel[k] = i
				k += one(values[i] < v)
			}
		case opNotLess:
			for _, i := range sel {
				sel[k] = i
				k += one(values[i] >= v)
			}
		case opGreater:
			for _, i := range sel {
				sel[k] = i
				k += one(values[i] > v)
			}
		case opNotGreater:
			for _, i := range sel {
				sel[k] = i
				k += one(values[i] <= v)
			}
		}
		return sel[:k]
	// The constant is beside all values.
	case t.op == opNotEqual,
		below && (t.op == opGreater || t.op == opNotLess),
		above && (t.op == opLess || t.op == opNotGreater):
		return sel
	}
	return sel[:0]
}

// beside chooses floats. NaN is greater than c, which is a number.
func beside[T float32 | float64](values []T, sel []uint32, op operator, c T) []uint32 {
	k := 0
	switch op {
	case opEqual:
		for _, i := range sel {
			sel[k] = i
			k += one(values[i] == c)
		}
	case opNotEqual:
		for _, i := range sel {
			sel[k] = i
			k += one(values[i] != c)
		}
	case opLess:
		for _, i := range sel {
			sel[k] = i
			k += one(values[i] < c)
		}
	case opNotLess:
		for _, i := range sel {
			sel[k] = i
			k += one(!(values[i] < c))
		}
	case opGreater:
		for _, i := range sel {
			sel[k] = i
			k += one(!(values[i] <= c))
		}
	case opNotGreater:
		for _, i := range sel {
			sel[k] = i
			k += one(values[i] <= c)
		}
	}
	return sel[:k]
}

// A gatherer is a filler that can also write chosen rows one behind the other.
type gatherer interface {
	// gather writes the rows off+sel[i] of arr to v from row at on. A vector is filled from its start, by one or more calls.
	gather(arr arrow.Array, off int, sel []uint32, at int, v duck.Vector)
}

func (f *plainFiller) gather(arr arrow.Array, off int, sel []uint32, at int, v duck.Vector) {
	first, n := arr.Data().Offset()+off, 0
	if len(sel) == 0 {
		return
	}
	n = int(sel[len(sel)-1]) + 1
	to := unsafe.Add(duck.VectorGetData(v), at*f.width)
	if n == len(sel) { // all, up to there
		copyRows(unsafe.Slice((*byte)(to), n*f.width), arr, off, n, f.width)
	} else {
		switch f.width {
		case 1:
			pick[uint8](to, buffer(arr, 1), first, n, sel)
		case 2:
			pick[uint16](to, buffer(arr, 1), first, n, sel)
		case 4:
			pick[uint32](to, buffer(arr, 1), first, n, sel)
		default:
			pick[uint64](to, buffer(arr, 1), first, n, sel)
		}
	}
	f.pickNulls(buffer(arr, 0), first, n, sel, at, v)
}

func pick[T any](to unsafe.Pointer, b []byte, first, n int, sel []uint32) {
	from, out := span[T](b, first, n), unsafe.Slice((*T)(to), len(sel))
	for k, i := range sel {
		out[k] = from[i]
	}
}

// pickNulls is the part of gather that writes validity.
func (x *nulls) pickNulls(bits []byte, first, n int, sel []uint32, at int, v duck.Vector) {
	if len(bits) == 0 || nullbitmap.CountNulls(bits, first, n) == 0 {
		return
	}
	duck.VectorEnsureValidityWritable(v)
	words := memory[uint64](duck.VectorGetValidity(v), vectorRows/64)
	word := words[at>>6] & (1<<(at&63) - 1)
	for _, i := range sel {
		j := first + int(i)
		word |= uint64(bits[j>>3]>>(j&7)&1) << (at & 63)
		if at++; at&63 == 0 {
			words[at>>6-1] = word
			word = 0
		}
	}
	if at&63 != 0 {
		words[at>>6] = word | ^uint64(0)<<(at&63)
	}
}
