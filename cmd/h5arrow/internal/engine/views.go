//go:build duckdb_arrow && cgo

package engine

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/naming"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// views are the tables that statements can name. The engine gets a view for each name of a table when a statement names it,
// or lists tables: the engine says which table it misses, which becomes a view, and the statement is prepared again.
type views struct {
	catalog Catalog
	conn    duck.Connection

	making  sync.Mutex // guards all that follows
	loaded  bool
	whole   bool // all listed tables have been made
	listed  []*offered
	byName  map[string]*offered // by folded name
	unclear map[string][]string
	changed []naming.Changed
	tables  []*table // that were made
}

// offered is a table with its names, and what the engine has of it.
type offered struct {
	Table
	t       *table // nil: nothing
	made    bool
	view    bool             // the engine has views of all columns
	err     error            // why nothing could be made
	used    bool             // made or listed: its names are to be said
	renamed []naming.Changed // columns
}

// close frees the tables.
func (v *views) close() {
	for _, t := range v.tables {
		t.close()
	}
	v.tables = nil
}

// load finds the tables and names them.
func (db *DB) load() error {
	if db.loaded {
		return nil
	}
	tables, err := db.catalog.Tables()
	if err != nil {
		return err
	}
	wanted := make([][]string, len(tables))
	for i, t := range tables {
		wanted[i] = t.Names
	}
	given := naming.Tables(wanted)
	db.byName, db.unclear, db.changed = map[string]*offered{}, given.Unclear, given.Changed
	for i, t := range tables {
		if t.Names = given.Names[i]; len(t.Names) > 0 {
			db.list(t)
		}
	}
	db.loaded = true
	return nil
}

// list adds a table with the names that it has.
func (db *DB) list(t Table) *offered {
	v := &offered{Table: t}
	db.listed = append(db.listed, v)
	for _, n := range t.Names {
		db.byName[naming.Fold(n)] = v
	}
	return v
}

// supply makes the view that a message of the engine says is missing. It returns the table, nil if
// there is none or it is among those with which the statement has been tried. Messages about anything else, such as a file that the engine took the name for,
// have all views made.
func (db *DB) supply(msg string, tried map[*offered]bool) (*offered, error) {
	db.making.Lock()
	defer db.making.Unlock()
	if !strings.HasPrefix(msg, "Catalog Error") {
		if db.whole || !strings.HasPrefix(msg, "Permission Error") && !strings.HasPrefix(msg, "IO Error") {
			return nil, nil
		}
		return &offered{view: true}, db.makeAll()
	}
	if err := db.load(); err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(msg, "Table with name ")
	for at := 0; ; at++ { // a name may hold the words that follow it
		i := strings.Index(rest[at:], " does not exist")
		if i < 0 {
			return nil, nil
		}
		at += i
		v, err := db.named(rest[:at])
		if err != nil {
			return nil, err
		}
		if v != nil {
			if !v.made {
				db.make(v, false)
			}
			if tried[v] || v.err != nil {
				return nil, v.err
			}
			tried[v] = true // it may have been made for another statement meanwhile
			return v, nil
		}
	}
}

// named returns the table of a name, nil if there is none.
func (db *DB) named(name string) (*offered, error) {
	key := naming.Fold(name)
	if v := db.byName[key]; v != nil || db.unclear[key] != nil {
		return v, nil
	}
	found, err := db.catalog.Find(name)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	if len(found) > 1 {
		for _, t := range found {
			db.unclear[key] = append(db.unclear[key], t.Names[0])
		}
		return nil, nil
	}
	t := found[0]
	t.Names = slices.DeleteFunc(slices.Clone(t.Names), func(n string) bool { return db.byName[naming.Fold(n)] != nil || db.unclear[naming.Fold(n)] != nil })
	if !slices.ContainsFunc(t.Names, func(n string) bool { return naming.Fold(n) == key }) {
		t.Names = append(t.Names, name)
	}
	return db.list(t), nil
}

// makeAll makes the views of all listed tables. Those that can't be made are left out.
func (db *DB) makeAll() error {
	if err := db.load(); err != nil || db.whole {
		return err
	}
	for _, v := range db.listed {
		if !v.made || v.err == nil && !v.view {
			db.make(v, true)
		}
	}
	db.whole = true
	return nil
}

// listAll makes all views for a statement that may list them.
func (db *DB) listAll(sql string) error {
	if !db.o.Access && !lists(sql) {
		return nil
	}
	db.making.Lock()
	defer db.making.Unlock()
	return db.makeAll()
}

// make makes the views of a table; those of a wide one only if they are listed.
func (db *DB) make(v *offered, listed bool) {
	v.made, v.used = true, true
	t, err := newTable(db, v.Table, fmt.Sprintf("h5arrow_scan_%d", len(db.tables)))
	if t != nil {
		v.renamed = t.renamed
		db.tables = append(db.tables, t) // for close
	}
	if err == nil {
		err = t.register(db.conn)
	}
	if err == nil && (listed || !t.wide()) {
		v.view = true
		var sql strings.Builder
		for _, name := range v.Names {
			fmt.Fprintf(&sql, "CREATE VIEW %s AS SELECT * EXCLUDE %s FROM %s();", naming.Quoted(name), t.excluded(), t.function)
		}
		err = db.execute(sql.String())
	}
	if v.err = err; err == nil {
		v.t = t
	}
}

// execute runs statements of this package outside those of users.
func (db *DB) execute(sql string) error {
	var res duck.Result
	defer duck.DestroyResult(&res)
	if duck.Query(db.conn, sql, &res) != duck.StateSuccess {
		return h5err.New(h5err.Argument, "the SQL engine: %s", oneLine(duck.ResultError(&res)))
	}
	return nil
}

// called returns the table of a name that the engine has, nil if there is none.
func (db *DB) called(name string) *table {
	db.making.Lock()
	defer db.making.Unlock()
	if v := db.byName[naming.Fold(name)]; v != nil {
		return v.t
	}
	return nil
}

// Tables returns the listed tables. It makes no views.
func (db *DB) Tables() ([]Listing, error) {
	db.making.Lock()
	defer db.making.Unlock()
	if err := db.load(); err != nil {
		return nil, err
	}
	var opts duck.ArrowOptions
	duck.ConnectionGetArrowOptions(db.conn, &opts)
	defer duck.DestroyArrowOptions(&opts)
	list := make([]Listing, len(db.listed))
	for i, v := range db.listed {
		list[i] = Listing{slices.Clone(v.Names), v.Table.Table.Schema()}
		t, err := newTable(db, v.Table, "")
		if err == nil {
			v.used, v.renamed = true, t.renamed
			if s, err := t.schema(opts); err == nil {
				list[i].Schema = s
			}
		}
		if t != nil {
			t.close()
		}
	}
	return list, nil
}

// Notes returns what is to be said about the names of the tables that have been used or listed, a line each.
func (db *DB) Notes() []string {
	db.making.Lock()
	defer db.making.Unlock()
	const why = "names that differ only in case are the same in SQL: "
	var lines []string
	changed := slices.DeleteFunc(slices.Clone(db.changed), func(c naming.Changed) bool { return !db.byName[naming.Fold(c.To)].used })
	if len(changed) > 0 {
		lines = append(lines, why+naming.Say(changed))
	}
	for _, v := range db.listed {
		if len(v.renamed) > 0 {
			lines = append(lines, v.Names[0]+": "+why+naming.Say(v.renamed))
		}
	}
	return lines
}

// hint adds the names of the tables to an error about an unknown table.
func (db *DB) hint(e *h5err.Error) {
	_, name, _ := strings.Cut(e.Msg, "Table with name ")
	name, _, found := strings.Cut(name, " does not exist")
	if !found {
		return
	}
	e.Msg, _, _ = strings.Cut(e.Msg, " Did you mean ") // the engine knows only what was named before
	db.making.Lock()
	defer db.making.Unlock()
	if paths := db.unclear[naming.Fold(name)]; len(paths) > 0 {
		e.Hint = "this name could stand for " + strings.Join(quotedAll(paths), " or ")
		return
	}
	var names []string
	for _, v := range db.listed {
		names = append(names, v.Names[min(len(v.Names)-1, 1)])
	}
	if names == nil {
		return
	}
	e.Hint = "the tables are " + strings.Join(quotedAll(names), ", ")
	if near := h5err.Closest(name, names); near != "" {
		e.Hint = "did you mean " + naming.Quoted(near) + "? " + e.Hint
	}
}

// hintColumns says in an error about an unknown column what the columns of this name are called.
func (db *DB) hintColumns(e *h5err.Error) {
	db.making.Lock()
	defer db.making.Unlock()
	for i, name := range strings.Split(e.Msg, `"`) {
		for _, v := range db.listed {
			same := slices.DeleteFunc(slices.Clone(v.renamed), func(c naming.Changed) bool { return naming.Fold(c.From) != naming.Fold(name) })
			if i%2 == 1 && len(same) > 0 {
				e.Hint = "in " + naming.Quoted(v.Names[0]) + ", " + naming.Say(same)
				return
			}
		}
	}
}

// hintKeyword says in an error about the syntax of a statement which of its words are tables with the names of keywords.
func (db *DB) hintKeyword(e *h5err.Error, sql string) {
	db.making.Lock()
	defer db.making.Unlock()
	if db.load() != nil { // the statement's error is the one to report
		return
	}
	words := naming.Keywords(sql, func(w string) bool { return db.byName[naming.Fold(w)] != nil })
	if len(words) == 0 {
		return
	}
	names := db.byName[naming.Fold(words[0])].Names
	e.Hint = fmt.Sprintf("%s is a keyword: the table is %s", words[0], strings.Join(quotedAll(names), " or "))
}

// quotedAll returns the names in quotes, or the first of many.
func quotedAll(names []string) []string {
	const maxQuoted = 10
	var out []string
	for _, n := range names[:min(len(names), maxQuoted)] {
		out = append(out, naming.Quoted(n))
	}
	if len(names) > maxQuoted {
		out = append(out, "...")
	}
	return out
}
