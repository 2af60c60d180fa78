//go:build duckdb_arrow && cgo

package engine

import (
	"fmt"
	"runtime"
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
	views

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
func (s *Starting) Open(c Catalog) (*DB, error) {
	<-s.done
	if s.err != nil {
		return nil, s.err
	}
	db := s.db
	s.db = nil
	db.catalog = c
	if err := db.lock(); err != nil {
		db.Close()
		return nil, err
	}
	return db, nil
}

// Open starts the engine. Its tables must not change until Close.
func Open(c Catalog, o Options) (*DB, error) { return Start(o).Open(c) }

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

// lock locks the settings.
func (db *DB) lock() error {
	if duck.Connect(db.db, &db.conn) != duck.StateSuccess {
		return h5err.New(h5err.Memory, "the SQL engine refuses the connection")
	}
	sql := "SET GLOBAL TimeZone='UTC';"
	if !db.o.Access {
		sql += "SET lock_configuration=true;"
	}
	return db.execute(sql)
}

// Close stops the engine. All results must have been released.
func (db *DB) Close() error {
	if db.conn.Ptr != nil {
		duck.Disconnect(&db.conn)
	}
	duck.Close(&db.db)
	db.views.close()
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
