//go:build duckdb_arrow && cgo

package engine

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Available reports whether this build has the engine.
const Available = true

// Version returns the name and the version of the engine.
func Version() string { return "DuckDB " + duck.LibraryVersion() }

// pinned counts the Go values that the engine holds, for tests that look for leaks.
var pinned atomic.Int64

// DB is the engine with its tables. It may be used by several goroutines. The files of its tables must stay open until
// it is closed.
type DB struct {
	o       Options
	threads int
	db      duck.Database
	tables  []*table
	unclear map[string][]string // last names of several tables, in lower case, and those tables' paths

	mu      sync.Mutex
	queries map[uint64]*query // by connection
}

// Starting is an engine that is being started. That takes some milliseconds, in which the caller can open files.
type Starting struct {
	db   *DB
	err  error
	done chan struct{}
}

// Start starts the engine in the background. The caller calls Open or Close.
func Start(o Options) *Starting {
	s := &Starting{done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.db, s.err = start(o)
	}()
	return s
}

// Close stops an engine that was not opened.
func (s *Starting) Close() {
	<-s.done
	if s.db != nil {
		s.db.Close()
		s.db = nil
	}
}

// Open returns the engine with its tables. After it, Close does nothing.
func (s *Starting) Open(tables []Table) (*DB, error) {
	<-s.done
	if s.err != nil {
		return nil, s.err
	}
	db := s.db
	s.db = nil
	if err := db.add(tables); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// Open starts the engine and creates a view for each name of each table. A name that several tables have is left out
// unless it is the first name of a table. The tables must not change until Close.
func Open(tables []Table, o Options) (*DB, error) { return Start(o).Open(tables) }

func start(o Options) (*DB, error) {
	db := &DB{o: o, threads: o.Threads, queries: map[uint64]*query{}}
	if db.threads == 0 {
		db.threads = runtime.GOMAXPROCS(0)
	}
	settings := [][2]string{{"threads", strconv.Itoa(db.threads)}}
	if o.MaxMemory > 0 {
		settings = append(settings, [2]string{"memory_limit", fmt.Sprintf("%dB", max(1<<20, o.MaxMemory/2))})
	}
	if !o.Access {
		settings = append(settings, [][2]string{{"temp_directory", ""}, // nothing is written there either; it is first, as the next setting locks it
			{"enable_external_access", "false"}, {"autoload_known_extensions", "false"},
			{"autoinstall_known_extensions", "false"}, {"allow_community_extensions", "false"}}...)
	}
	var cfg duck.Config
	if duck.CreateConfig(&cfg) != duck.StateSuccess {
		return nil, h5err.New(h5err.Memory, "the SQL engine has no configuration")
	}
	defer duck.DestroyConfig(&cfg)
	for _, s := range settings {
		if duck.SetConfig(cfg, s[0], s[1]) != duck.StateSuccess {
			return nil, h5err.New(h5err.Argument, "the SQL engine does not take %s=%s", s[0], s[1])
		}
	}
	var msg string
	if duck.OpenExt(":memory:", &db.db, cfg, &msg) != duck.StateSuccess {
		return nil, h5err.New(h5err.Memory, "the SQL engine does not start: %s", oneLine(msg))
	}
	return db, nil
}

// quoted returns a name as a quoted SQL identifier.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// add creates the views and locks the settings.
func (db *DB) add(tables []Table) error {
	var conn duck.Connection
	if duck.Connect(db.db, &conn) != duck.StateSuccess {
		return h5err.New(h5err.Memory, "the SQL engine refuses the connection")
	}
	defer duck.Disconnect(&conn)
	var sql strings.Builder
	sql.WriteString("SET GLOBAL TimeZone='UTC';")
	for i, t := range db.named(tables) {
		nt, err := newTable(db, t, fmt.Sprintf("h5arrow_scan_%d", i))
		db.tables = append(db.tables, nt) // for close
		if err == nil {
			err = nt.register(conn)
		}
		if err != nil {
			return err
		}
		for _, name := range t.Names {
			fmt.Fprintf(&sql, "CREATE VIEW %s AS SELECT * EXCLUDE %s FROM %s();", quoted(name), nt.excluded(), nt.function)
		}
	}
	if !db.o.Access {
		sql.WriteString("SET lock_configuration=true;")
	}
	var res duck.Result
	defer duck.DestroyResult(&res)
	if duck.Query(conn, sql.String(), &res) != duck.StateSuccess {
		return h5err.New(h5err.Argument, "the SQL engine: %s", oneLine(duck.ResultError(&res)))
	}
	return nil
}

// named returns the tables with the names that they get: the first name always, others where no other table has them.
func (db *DB) named(tables []Table) []Table {
	db.unclear = map[string][]string{}
	count, first := map[string]int{}, map[string]bool{}
	for _, t := range tables {
		for i, n := range slices.Compact(slices.Clone(t.Names)) {
			if i == 0 {
				first[strings.ToLower(n)] = true
			}
			count[strings.ToLower(n)]++
		}
	}
	var out []Table
	given := map[string]bool{}
	for _, t := range tables {
		nt := Table{Table: t.Table, Files: t.Files, Where: t.Where, Hidden: t.Hidden}
		for i, n := range t.Names {
			key := strings.ToLower(n)
			if n == "" || strings.Contains(n, "\x00") || slices.Contains(nt.Names, n) {
				continue
			}
			if i > 0 && (count[key] > 1 || first[key]) {
				db.unclear[key] = append(db.unclear[key], t.Names[0])
				continue
			}
			if given[key] {
				continue
			}
			given[key] = true
			nt.Names = append(nt.Names, n)
		}
		if len(nt.Names) > 0 {
			out = append(out, nt)
		}
	}
	return out
}

// Names returns the names that each table has in statements, of which the first is always its own.
func (db *DB) Names() [][]string {
	var names [][]string
	for _, t := range db.tables {
		names = append(names, slices.Clone(t.names))
	}
	return names
}

// Close stops the engine. All results must have been released.
func (db *DB) Close() error {
	duck.Close(&db.db)
	for _, t := range db.tables {
		t.close()
	}
	db.tables = nil
	return nil
}

func (db *DB) query(conn uint64) *query {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.queries[conn]
}

// oneLine returns a message of the engine without the excerpt of the statement that follows it.
func oneLine(msg string) string {
	if i := strings.Index(msg, "\n\nLINE "); i >= 0 {
		msg = msg[:i]
	}
	return strings.Join(strings.Fields(msg), " ")
}
