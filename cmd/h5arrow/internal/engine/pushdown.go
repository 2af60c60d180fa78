//go:build duckdb_arrow && cgo

package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/naming"
)

// The engine's C interface passes neither filters nor casts to table functions. So a statement is examined before it runs.
// Conditions of a WHERE that all must hold, and that compare a column of a table with constants or test for nulls, move from
// the statement to the scan of that table. A column of 32-bit floats that a statement of one table uses only where the engine
// converts it to doubles first leaves the scan as doubles. Everything else is left as it was.
//
// That is sound because the names can only mean columns of that table (no CTE has its name; where a FROM reads more, names
// have the table's qualifier or no other table has them); the table is alone in its FROM, or in inner joins or on the left of
// left joins; the engine's order of values is kept, in which NaN is greater than all others and equal to itself, and text is
// ordered by its bytes; each condition that moves holds or fails for a row by itself; and each float is a double. The engine's
// own parser parses the statement and writes the new one, and the engine computes constants that are more than a literal. The
// new text is parsed again and compared, which shows that nothing else has changed, and both statements are bound, which
// shows that their results have the same columns.

// pushed is the part of a statement that the scan does.
type pushed struct {
	terms  []term
	double []int // columns of 32-bit floats that become doubles
}

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
	if !ok || len(list) != 1 || q.db.shadowed(tree) {
		return "", nil
	}
	statement, _ := list[0].(object)
	top, _ := statement["node"].(object)
	changed := false
	err = selects(tree, func(node object) error {
		more, err := q.lean(node, reflect.ValueOf(node).Pointer() == reflect.ValueOf(top).Pointer())
		changed = changed || more
		return err
	})
	if err != nil || !changed {
		return "", err
	}
	return q.unparsed(tree)
}

// lean changes a SELECT so that the scans of its tables do more. It reports whether there was anything to change.
func (q *query) lean(node object, top bool) (changed bool, err error) {
	for _, s := range q.db.from(node) {
		s.terms = q.takeTerms(node, s)
		if top && s.alone && hollow(node["cte_map"]) {
			s.double = s.t.doubles(node, s.qualifier)
		}
		if len(s.terms) == 0 && len(s.double) == 0 {
			continue
		}
		q.pushed = append(q.pushed, s.pushed)
		view := fmt.Sprintf("h5arrow_pushed_%d", len(q.pushed))
		if err := q.run(fmt.Sprintf("CREATE TEMP VIEW %s AS SELECT %s FROM %s(%s := %d)", view, q.selectList(s.t), s.t.function, pushedParameter, len(q.pushed))); err != nil {
			return changed, err
		}
		s.ref["alias"], s.ref["table_name"] = s.qualifier, view
		changed = true
	}
	return changed, nil
}

// selects calls fn with each SELECT in a tree, outer ones first.
func selects(v any, fn func(object) error) error {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			if err := selects(x, fn); err != nil {
				return err
			}
		}
	case object:
		if v["type"] == "SELECT_NODE" {
			if err := fn(v); err != nil {
				return err
			}
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if err := selects(v[key], fn); err != nil {
				return err
			}
		}
	}
	return nil
}

// shadowed reports whether a statement gives the name of a table to something else.
func (db *DB) shadowed(v any) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, db.shadowed)
	case object:
		if name, _ := v["cte_name"].(string); name != "" && db.called(name) != nil {
			return true
		}
		if m, _ := v["cte_map"].(object); m != nil {
			list, _ := m["map"].([]any)
			for _, x := range list {
				entry, _ := x.(object)
				if name, ok := entry["key"].(string); !ok || db.called(name) != nil {
					return true
				}
			}
		}
		for _, x := range v {
			if db.shadowed(x) {
				return true
			}
		}
	}
	return false
}

// origin is a table in a FROM from which conditions of the WHERE may be moved to the scan.
type origin struct {
	pushed
	t         *table
	ref       object // in the tree
	qualifier string
	alone     bool            // there is nothing else in the FROM
	plain     map[string]bool // names, in lower case, that mean a column of this table without the qualifier; nil: all do
}

// from returns the tables in the FROM of a SELECT whose conditions may move. Those are the only one, and those of inner joins
// and on the left of left joins: there a row that the WHERE rejects gives no rows before the join either.
func (db *DB) from(node object) []*origin {
	if !hollow(node["sample"]) {
		return nil
	}
	var out []*origin
	names, known := map[string]int{}, true // of columns, and whether they are all
	qualifiers := map[string]int{}
	db.items(node["from_table"], true, func(ref object, movable bool) {
		q, t := qualifierOf(ref), db.plainTable(ref)
		qualifiers[naming.Fold(q)]++
		if t == nil {
			known = false
			return
		}
		for _, l := range t.labels[1:] {
			names[naming.Fold(l)]++
		}
		if movable {
			out = append(out, &origin{t: t, ref: ref, qualifier: q})
		}
	})
	out = slices.DeleteFunc(out, func(s *origin) bool { return qualifiers[naming.Fold(s.qualifier)] > 1 })
	for _, s := range out {
		if s.alone = known && len(qualifiers) == 1; s.alone {
			continue
		}
		s.plain = map[string]bool{}
		for _, l := range s.t.labels[1:] {
			if l = naming.Fold(l); known && names[l] == 1 {
				s.plain[l] = true
			}
		}
	}
	return out
}

// items calls fn with what a FROM reads, and whether conditions on it may move.
func (db *DB) items(v any, movable bool, fn func(ref object, movable bool)) {
	ref, _ := v.(object)
	if ref["type"] != "JOIN" {
		fn(ref, movable)
		return
	}
	kind, _ := ref["join_type"].(string)
	how, _ := ref["ref_type"].(string)
	usual := how == "REGULAR" || how == "CROSS" || how == "NATURAL"
	db.items(ref["left"], movable && usual && (kind == "INNER" || kind == "LEFT"), fn)
	db.items(ref["right"], movable && usual && kind == "INNER", fn)
}

// qualifierOf returns the name of an item of a FROM in the statement.
func qualifierOf(ref object) string {
	q, _ := ref["alias"].(string)
	if q == "" {
		q, _ = ref["table_name"].(string)
	}
	return q
}

// promising reports whether a statement is worth a closer look.
func (db *DB) promising(sql string) bool {
	sql = naming.Fold(sql)
	if strings.Contains(sql, "where") {
		return true
	}
	db.making.Lock()
	defer db.making.Unlock()
	return slices.ContainsFunc(db.tables, func(t *table) bool { return slices.ContainsFunc(t.columns, column.single) }) &&
		(strings.Contains(sql, "double") || slices.ContainsFunc(ofDoubles, func(f string) bool { return strings.Contains(sql, f) }))
}

// plainTable returns the table that an item of a FROM is, nil if it is anything else.
func (db *DB) plainTable(from object) *table {
	if from["type"] != "BASE_TABLE" {
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
	name, _ := from["table_name"].(string)
	return db.called(name)
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
		if u.double[c] && !u.all && !u.other[naming.Fold(t.labels[c+1])] {
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
	case e["class"] == "FUNCTION" && slices.Contains(ofDoubles, naming.Fold(name)) && hollow(e["schema"]) && hollow(e["catalog"]):
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
		u.other[naming.Fold(name)] = true
		if i == len(names)-1 && naming.Fold(name) == naming.Fold(u.qualifier) {
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
		if q, _ := names[0].(string); naming.Fold(q) != naming.Fold(qualifier) {
			return -1
		}
		names = names[1:]
	}
	if len(names) != 1 {
		return -1
	}
	name, _ := names[0].(string)
	name = naming.Fold(name)
	for i := range t.columns {
		if naming.Fold(t.labels[i+1]) == name && t.columns[i].err == nil {
			return i
		}
	}
	return -1
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
