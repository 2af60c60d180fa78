//go:build duckdb_arrow && cgo

package engine

// #include "bridge.h"
import "C"

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/bits"
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

// The operators.
const (
	opEqual      operator = C.H5ARROW_EQUAL
	opNotEqual   operator = C.H5ARROW_NOT_EQUAL
	opLess       operator = C.H5ARROW_LESS
	opNotLess    operator = C.H5ARROW_NOT_LESS
	opGreater    operator = C.H5ARROW_GREATER
	opNotGreater operator = C.H5ARROW_NOT_GREATER
	opNull       operator = iota + 10
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

// condition is a term over a column of batches.
type condition struct {
	term
	at  int // column of the batch
	typ arrow.Type
}

// words is the number of words of bits that a vector has.
const words = vectorRows / 64

// predicate finds out for which rows conditions hold. It belongs to one thread.
type predicate struct {
	conditions []condition
	mask       []uint64 // a bit for each row
	bits       []uint64
	values     []uint64 // room for a vector of any width
	sel        []uint32
}

// newPredicate makes room for vectors. They are slices and no arrays: cgo copies arrays when it checks what it passes on.
func newPredicate(conditions []condition) *predicate {
	return &predicate{conditions: conditions, mask: make([]uint64, words), bits: make([]uint64, words), values: make([]uint64, vectorRows)}
}

// choose sets the mask for the rows [off,off+n) of a batch and returns how many rows it chose.
func (p *predicate) choose(rec arrow.RecordBatch, off, n int) int {
	clear(p.mask)
	nullbitmap.Fill(raw(p.mask), 0, n, true)
	for i := range p.conditions {
		p.conditions[i].apply(p, rec.Column(p.conditions[i].at), off, n)
	}
	k := 0
	for _, w := range p.mask {
		k += bits.OnesCount64(w)
	}
	return k
}

// rows lists the rows that choose chose, counted from off.
func (p *predicate) rows() []uint32 {
	p.sel = p.sel[:0]
	for i, w := range p.mask {
		for ; w != 0; w &= w - 1 {
			p.sel = append(p.sel, uint32(64*i+bits.TrailingZeros64(w)))
		}
	}
	return p.sel
}

// apply clears the bits of rows that the condition does not hold for.
func (c *condition) apply(p *predicate, arr arrow.Array, off, n int) {
	valid := buffer(arr, 0)
	switch {
	case len(valid) > 0:
		nullbitmap.Copy(raw(p.bits), 0, valid, arr.Data().Offset()+off, n)
		for i := range p.mask {
			if c.op == opNull {
				p.mask[i] &^= p.bits[i]
			} else {
				p.mask[i] &= p.bits[i]
			}
		}
	case c.op == opNull:
		clear(p.mask)
	}
	if c.op == opNull || c.op == opNotNull {
		return
	}
	kind, constant, all := c.constant()
	if constant == nil {
		if !all {
			clear(p.mask)
		}
		return
	}
	width := kind & 15
	copyRows(raw(p.values), arr, off, n, width)
	compareValues(kind, c.op, p.values, constant, p.mask[:(n+63)/64])
}

// integers are the kinds of h5arrow_compare, and the least and most values, of types of integers.
var integers = map[arrow.Type]struct {
	kind        int
	least, most int64
}{
	arrow.INT8:   {C.H5ARROW_SIGNED + 1, math.MinInt8, math.MaxInt8},
	arrow.INT16:  {C.H5ARROW_SIGNED + 2, math.MinInt16, math.MaxInt16},
	arrow.INT32:  {C.H5ARROW_SIGNED + 4, math.MinInt32, math.MaxInt32},
	arrow.INT64:  {C.H5ARROW_SIGNED + 8, math.MinInt64, math.MaxInt64},
	arrow.UINT8:  {C.H5ARROW_UNSIGNED + 1, 0, math.MaxUint8},
	arrow.UINT16: {C.H5ARROW_UNSIGNED + 2, 0, math.MaxUint16},
	arrow.UINT32: {C.H5ARROW_UNSIGNED + 4, 0, math.MaxUint32},
	arrow.UINT64: {C.H5ARROW_UNSIGNED + 8, 0, math.MaxInt64}, // constants are no larger
}

// constant returns how values are compared and with what, as bytes. There are none where the constant is beside all values
// of the type; all is then whether the condition holds for them.
func (c *condition) constant() (kind int, constant []byte, all bool) {
	switch c.typ {
	case arrow.FLOAT32:
		return C.H5ARROW_FLOAT + 4, binary.NativeEndian.AppendUint32(nil, math.Float32bits(float32(*c.real))), false
	case arrow.FLOAT64:
		return C.H5ARROW_FLOAT + 8, binary.NativeEndian.AppendUint64(nil, math.Float64bits(*c.real)), false
	}
	t := integers[c.typ]
	switch below, above := c.digits < t.least, c.digits > t.most; {
	case below:
		return 0, nil, c.op == opNotEqual || c.op == opGreater || c.op == opNotLess
	case above:
		return 0, nil, c.op == opNotEqual || c.op == opLess || c.op == opNotGreater
	}
	switch t.kind & 15 {
	case 1:
		constant = []byte{byte(c.digits)}
	case 2:
		constant = binary.NativeEndian.AppendUint16(nil, uint16(c.digits))
	case 4:
		constant = binary.NativeEndian.AppendUint32(nil, uint32(c.digits))
	default:
		constant = binary.NativeEndian.AppendUint64(nil, uint64(c.digits))
	}
	return t.kind, constant, false
}

// A gatherer is a filler that can also write chosen rows one behind the other.
type gatherer interface {
	// gather writes the chosen ones of rows [off,off+n) of arr to v from row at on. A vector is filled from its start, by one
	// or more calls.
	gather(arr arrow.Array, off, n int, p *predicate, at int, v duck.Vector)
}

func (f *plainFiller) gather(arr arrow.Array, off, n int, p *predicate, at int, v duck.Vector) {
	copyRows(raw(p.values), arr, off, n, f.width)
	mask := p.mask[:(n+63)/64]
	pickValues(f.width, unsafe.Add(duck.VectorGetData(v), at*f.width), vectorRows-at, p.values, mask)
	valid := buffer(arr, 0)
	if len(valid) == 0 || nullbitmap.Copy(raw(p.bits), 0, valid, arr.Data().Offset()+off, n) == 0 {
		return
	}
	duck.VectorEnsureValidityWritable(v)
	pickBits(duck.VectorGetValidity(v), at, p.bits, mask)
}
