//go:build duckdb_arrow && cgo

package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// The engine's C interface passes neither filters nor casts to table functions. So a statement that is one SELECT from one
// table is examined before it runs. Conditions of its WHERE that all must hold, and that compare a column of numbers with a
// number or test for nulls, move from the statement to the scan. A column of 32-bit floats that is used only where the
// engine converts it to doubles first leaves the scan as doubles. Everything else is left as it was.
//
// That is sound because the names can only mean columns of that table (there is no other, and no CTE); the engine's order
// of numbers is kept, in which NaN is greater than all others and equal to itself; each condition that moves holds or fails
// for a row by itself; and each float is a double. The engine's own parser parses the statement and writes the new one. The
// new text is parsed again and compared, which shows that nothing else has changed, and both statements are bound, which
// shows that their results have the same columns.

// pushed is the part of a statement that the scan does.
type pushed struct {
	terms  []term
	double []int // columns of 32-bit floats that become doubles
}

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

var operators = map[string]operator{"COMPARE_EQUAL": opEqual, "COMPARE_NOTEQUAL": opNotEqual, "COMPARE_LESSTHAN": opLess,
	"COMPARE_GREATERTHANOREQUALTO": opNotLess, "COMPARE_GREATERTHAN": opGreater, "COMPARE_LESSTHANOREQUALTO": opNotGreater}

// mirrored maps operators to those with the sides exchanged.
var mirrored = map[operator]operator{opEqual: opEqual, opNotEqual: opNotEqual, opLess: opGreater, opGreater: opLess, opNotLess: opNotGreater, opNotGreater: opNotLess}

// object is a JSON object.
type object = map[string]any

// leaner returns the statement without what the scan takes over, "" if that is nothing.
func (q *query) leaner(sql string) (string, error) {
	if q.db.o.NoPushdown || q.db.o.Access || !q.db.promising(sql) {
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
	qualifier, _ := from["alias"].(string)
	if qualifier == "" {
		qualifier, _ = from["table_name"].(string)
	}
	p := pushed{terms: t.takeTerms(node, qualifier)}
	p.double = t.doubles(node, qualifier)
	if len(p.terms) == 0 && len(p.double) == 0 {
		return "", nil
	}
	q.pushed = append(q.pushed, p)
	view := fmt.Sprintf("h5arrow_pushed_%d", len(q.pushed))
	if err := q.run(fmt.Sprintf("CREATE TEMP VIEW %s AS SELECT * EXCLUDE %s FROM %s(%s := %d)", view, quoted(t.labels[0]), t.function, pushedParameter, len(q.pushed))); err != nil {
		return "", err
	}
	from["alias"], from["table_name"] = qualifier, view
	return q.unparsed(tree)
}

// promising reports whether a statement is worth a closer look.
func (db *DB) promising(sql string) bool {
	sql = strings.ToLower(sql)
	if strings.Contains(sql, "where") {
		return true
	}
	return slices.ContainsFunc(db.tables, func(t *table) bool { return slices.ContainsFunc(t.columns, column.single) }) &&
		(strings.Contains(sql, "double") || slices.ContainsFunc(ofDoubles, func(f string) bool { return strings.Contains(sql, f) }))
}

// onlyTable returns the table of a SELECT that reads nothing else, nil for any other statement.
func (q *query) onlyTable(node, from object) *table {
	if node["type"] != "SELECT_NODE" || from["type"] != "BASE_TABLE" {
		return nil
	}
	// Anything unknown may change what the names mean or what the conditions apply to.
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

// hollow reports whether a value is empty.
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

// takeTerms removes conditions from a SELECT and returns them.
func (t *table) takeTerms(node object, qualifier string) []term {
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

// terms returns the terms of a condition, nil if the scan can't apply it.
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

// compare returns the comparison of a column with a number, nil if it might differ from the engine's.
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
		// Both operands of the division are exact, so its result is the nearest double.
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

// ofDoubles are the aggregate functions that take DOUBLE but not FLOAT.
var ofDoubles = []string{"avg", "mean", "favg", "sum", "fsum", "kahan_sum", "sumkahan", "product", "sem", "skewness", "kurtosis", "kurtosis_pop",
	"stddev", "stddev_pop", "stddev_samp", "var_pop", "var_samp", "variance"}

// single reports whether a column has 32-bit floats.
func (c column) single() bool { return c.err == nil && c.typ.ID() == arrow.FLOAT32 }

// doubles returns the columns of 32-bit floats that a SELECT uses only as doubles.
func (t *table) doubles(node object, qualifier string) []int {
	u := &uses{t: t, qualifier: qualifier, double: map[int]bool{}, other: map[string]bool{}}
	u.walk(node)
	var out []int
	for c := range t.columns {
		if u.double[c] && !u.all && !u.other[strings.ToLower(t.labels[c+1])] {
			out = append(out, c)
		}
	}
	return out
}

// uses records what a SELECT uses columns for.
type uses struct {
	t         *table
	qualifier string
	double    map[int]bool    // columns of floats that are cast to doubles
	other     map[string]bool // names, in lower case, that are used in any other way
	all       bool            // all columns may be
}

// walk records the uses in a part of a statement.
func (u *uses) walk(v any) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			u.walk(x)
		}
	case object:
		switch v["class"] {
		case nil, "BETWEEN", "CASE", "CAST", "COLLATE", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "OPERATOR", "WINDOW":
		case "COLUMN_REF":
			u.refer(v)
		default: // a star, a position, a subquery, or anything unknown
			u.all = true
		}
		arg := u.cast(v)
		for key, x := range v {
			if key != arg {
				u.walk(x)
			}
		}
	}
}

// cast records a column that an expression casts to double, and returns the key of the operand.
func (u *uses) cast(e object) string {
	key, arg := "", e["child"]
	switch name, _ := e["function_name"].(string); {
	case e["class"] == "FUNCTION" && slices.Contains(ofDoubles, strings.ToLower(name)) && hollow(e["schema"]) && hollow(e["catalog"]):
		if args, _ := e["children"].([]any); len(args) == 1 {
			key, arg = "children", args[0]
		}
	case e["class"] == "CAST" && e["type"] == "OPERATOR_CAST":
		if to, _ := e["cast_type"].(object); to["id"] == "DOUBLE" && hollow(to["type_info"]) {
			key = "child"
		}
	}
	if key == "" {
		return ""
	}
	c := u.t.columnOf(arg, u.qualifier)
	if c < 0 || !u.t.columns[c].single() {
		return ""
	}
	u.double[c] = true
	return key
}

// refer records a name. The name of the table means whole rows.
func (u *uses) refer(ref object) {
	names, _ := ref["column_names"].([]any)
	for i, x := range names {
		name, _ := x.(string)
		u.other[strings.ToLower(name)] = true
		if i == len(names)-1 && strings.EqualFold(name, u.qualifier) {
			u.all = true
		}
	}
}

// columnOf returns the column that an expression names, -1 for other expressions.
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

// parsed returns the engine's syntax tree of a statement, nil if the engine does not provide it.
func (q *query) parsed(sql string) (object, error) {
	text, err := q.scalar("SELECT json_serialize_sql($1::VARCHAR)::VARCHAR", sql)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var tree object
	if err := d.Decode(&tree); err != nil || tree["error"] != false {
		return nil, nil // the engine provides trees of SELECT only
	}
	return tree, nil
}

// unparsed returns the text of a syntax tree, "" if parsing it does not give the same tree.
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

// placeless removes the positions in the text from a tree.
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
