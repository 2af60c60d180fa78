package main

import (
	"context"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/apart"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/memory"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/naming"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/rows"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/service"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc/flight"
	"github.com/h5arrow/h5arrow/ipc/flight/catalog"
)

// sqlMemory is the variable of the environment by which serve starts itself again, for the statements of clients: how many
// bytes they may use.
const sqlMemory = "H5ARROW_SQL_MEMORY"

// minStatement is the least memory of a statement.
const minStatement = 64 << 20

// startSQL starts processes for statements, which share the memory.
func (a *app) startSQL(o *serveFlags, limit int64) (*apart.Pool, error) {
	if !engine.Available {
		_, err := engine.Open(nil, engine.Options{})
		return nil, err
	}
	n := int(o.sqlProcesses)
	if n == 0 {
		n = int(min(int64(max(4, runtime.GOMAXPROCS(0))), max(1, limit/minStatement)))
	}
	share := max(limit/int64(n), minStatement)
	return apart.Start(n, share, func() (*exec.Cmd, error) {
		exe, err := os.Executable()
		if err != nil {
			return nil, h5err.Wrap(h5err.IO, err, "can't find this program")
		}
		cmd := exec.Command(exe, a.args...)
		cmd.Env = append(os.Environ(), sqlMemory+"="+strconv.FormatInt(share, 10))
		return cmd, nil
	})
}

// answerSQL answers statements for the server that started this process.
func (a *app) answerSQL(o *serveFlags, args []string, share string) error {
	limit, err := strconv.ParseInt(share, 10, 64)
	if err != nil || limit < minStatement {
		return usage("%s=%s: serve sets it for its own processes", sqlMemory, share)
	}
	defer memory.Limit(limit / 4)() // the rest is the engine's
	o.quiet = true                  // the server says it
	offer, done, err := a.openSQL(o, args, limit)
	if err == nil {
		defer done()
	}
	return apart.Serve(a.in, a.out, offer, limit, err)
}

// openSQL opens the SQL engine over all tables that are served now. The caller calls done when nothing uses it any more.
func (a *app) openSQL(o *serveFlags, args []string, limit int64) (offer apart.Offer, done func(), err error) {
	starting := engine.Start(engine.Options{Threads: int(o.workers), MaxMemory: limit, Read: []arrowmap.ReadOption{arrowmap.WithWorkers(int(o.workers))}})
	defer starting.Close()
	files, err := a.catalog(context.Background(), o, args, service.NewMonitor("none", a.err, errorText))
	if err != nil {
		return offer, nil, err
	}
	served := &servedCatalog{o: o, files: files}
	done = func() {
		served.close()
		files.Close()
	}
	db, err := starting.Open(served)
	if err != nil {
		done()
		return offer, nil, err
	}
	closeFiles := done
	done = func() {
		db.Close() // in memory: there is nothing to lose
		closeFiles()
	}
	all, err := db.Tables()
	if err != nil {
		done()
		return offer, nil, err
	}
	for _, t := range all {
		offer.Tables = append(offer.Tables, flight.SQLTable{Names: t.Names, Schema: t.Schema})
	}
	offer.SQL, offer.Notes = sqlEngine{db}, db.Notes()
	return offer, done, nil
}

// servedCatalog is what statements of clients can name. It implements engine.Catalog.
type servedCatalog struct {
	o     *serveFlags
	files *catalog.Catalog
	names []string // of all files
	free  func()   // of the tables
	held  []*catalog.File
}

func (c *servedCatalog) close() {
	if c.free != nil {
		c.free()
	}
	for _, f := range c.held {
		f.Release()
	}
}

// Tables returns the tables that are served.
func (c *servedCatalog) Tables() (list []engine.Table, err error) {
	served, free, err := c.files.Tables()
	if err != nil {
		return nil, err
	}
	c.free = free
	for _, t := range served {
		list = append(list, engine.Table{Names: servedNames(t.File, t.Path()), Table: t.Table})
	}
	return list, c.files.Names(func(name string) error {
		c.names = append(c.names, name)
		return nil
	})
}

// Find returns the datasets whose file and path a name is, whatever the case of its letters. If a table or columns were selected,
// there is nothing else.
func (c *servedCatalog) Find(name string) (list []engine.Table, err error) {
	if c.o.named() || len(c.o.columns) > 0 || c.o.rows.Given() {
		return nil, nil
	}
	for _, n := range c.names {
		if len(name) <= len(n) || name[len(n)] != '/' || !naming.Same(name[:len(n)], n) {
			continue
		}
		f, err := c.files.Acquire(n)
		if err != nil {
			return nil, err
		}
		c.held = append(c.held, f)
		paths, err := pathsLike(f.Arrow().H5(), name[len(n):])
		if err != nil {
			return nil, err
		}
		for _, p := range paths {
			t, err := f.Arrow().Datasets(p)
			if h5err.Is(err, h5err.Argument) { // it is a group
				continue
			}
			if err != nil {
				return nil, err
			}
			list = append(list, engine.Table{Names: []string{n + p}, Table: t})
		}
		if len(paths) == 0 && strings.Contains(name[len(n):], ",") { // the cells of dimensions
			if t, err := f.Arrow().Table(name[len(n):]); err == nil {
				list = append(list, engine.Table{Names: []string{n + t.Path()}, Table: t})
			} else if !h5err.Is(err, h5err.NotFound) && !h5err.Is(err, h5err.Argument) {
				return nil, err
			}
		}
	}
	return list, nil
}

// servedNames returns the names of a table in statements: file and path, the path, and its last part.
func servedNames(file, table string) []string {
	last := path.Base(table)
	if last == "/" || last == "." {
		return []string{file, "/", strings.TrimSuffix(path.Base(file), filepath.Ext(file))}
	}
	return []string{file + table, table, last}
}

// sqlEngine adapts the engine to the Flight server.
type sqlEngine struct{ *engine.DB }

// Query joins the engine's small batches.
func (e sqlEngine) Query(ctx context.Context, statement string, values arrow.RecordBatch) (array.RecordReader, error) {
	r, err := e.DB.Query(ctx, statement, values)
	if err != nil {
		return nil, err
	}
	return rows.Join(r, 0), nil
}
