//go:build duckdb_arrow && cgo

package engine

import (
	"fmt"
	"strings"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/naming"
)

// The engine's time for a view of all columns of a table function grows with the square of their number. For a table of very
// many columns, each statement gets a view of its own, of the columns that it may be about.

// maxPlain is the number of columns up to which a table has one view.
const maxPlain = 2000

func (t *table) wide() bool { return len(t.labels) > maxPlain }

// narrow makes the views of a wide table for a statement.
func (q *query) narrow(v *offered, sql string) error {
	list := q.mentioned(v, sql)
	if q.narrowed == nil {
		q.narrowed = map[*table]string{}
	}
	q.narrowed[v.t] = list
	for _, name := range v.Names {
		if err := q.run(fmt.Sprintf("CREATE TEMP VIEW %s AS SELECT %s FROM %s()", naming.Quoted(name), list, v.t.function)); err != nil {
			return err
		}
	}
	return nil
}

// selectList is what the views of a table select.
func (q *query) selectList(t *table) string {
	if list := q.narrowed[t]; list != "" {
		return list
	}
	return "* EXCLUDE " + t.excluded()
}

// mentioned returns the list of a SELECT with the columns that a statement may be about.
func (q *query) mentioned(v *offered, sql string) string {
	all := "* EXCLUDE " + v.t.excluded()
	tree, err := q.parsed(sql)
	if err != nil || tree == nil {
		return all
	}
	w := &mentions{map[string]bool{}, map[string]bool{}, map[string]bool{}}
	if !w.collect(tree) || w.whole() {
		return all
	}
	hidden := map[string]bool{}
	for _, h := range v.t.hidden {
		hidden[h] = true
	}
	var list []string
	for _, l := range v.t.labels[1:] {
		if w.all[naming.Fold(l)] && !hidden[naming.Quoted(l)] {
			list = append(list, naming.Quoted(l))
		}
	}
	if len(list) == 0 { // rows are counted
		return naming.Quoted(v.t.labels[0])
	}
	return strings.Join(list, ", ")
}

// mentions are the texts of a statement, folded.
type mentions struct {
	all    map[string]bool
	tables map[string]bool // names of tables and what they are called
	last   map[string]bool // last parts of names of columns
}

// whole reports whether a row is used as a value by the name of its table.
func (w *mentions) whole() bool {
	for n := range w.last {
		if w.tables[n] {
			return true
		}
	}
	return false
}

// collect adds the texts in a tree. It returns false if the tree has anything that may be about columns that it does not name:
// a star, a position, a natural join, a description, or what is unknown.
func (w *mentions) collect(v any) bool {
	switch v := v.(type) {
	case string:
		w.all[naming.Fold(v)] = true
	case []any:
		for _, x := range v {
			if !w.collect(x) {
				return false
			}
		}
	case object:
		switch v["class"] {
		case nil, "BETWEEN", "CASE", "CAST", "COLLATE", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "OPERATOR", "SUBQUERY", "WINDOW":
		case "COLUMN_REF":
			if names, _ := v["column_names"].([]any); len(names) > 0 {
				name, _ := names[len(names)-1].(string)
				w.last[naming.Fold(name)] = true
			}
		default:
			return false
		}
		switch v["type"] {
		case "SHOW_REF", "PIVOT", "TABLE_FUNCTION":
			return false
		case "BASE_TABLE", "SUBQUERY":
			w.tables[naming.Fold(qualifierOf(v))] = true
		}
		if v["ref_type"] == "NATURAL" {
			return false
		}
		for _, x := range v {
			if !w.collect(x) {
				return false
			}
		}
	}
	return true
}
