package main

import (
	"context"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/apart"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/memory"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/rows"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/service"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc/flight"
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
	sql, tables, done, err := a.openSQL(o, args, limit)
	if err == nil {
		defer done()
	}
	return apart.Serve(a.in, a.out, sql, tables, limit, err)
}

// openSQL opens the SQL engine over all tables that are served now. The caller calls done when nothing uses it any more.
func (a *app) openSQL(o *serveFlags, args []string, limit int64) (sql flight.SQL, list []flight.SQLTable, done func(), err error) {
	starting := engine.Start(engine.Options{Threads: int(o.workers), MaxMemory: limit, Read: []arrowmap.ReadOption{arrowmap.WithWorkers(int(o.workers))}})
	defer starting.Close()
	files, err := a.catalog(context.Background(), o, args, service.NewMonitor("none", a.err, errorText))
	if err != nil {
		return nil, nil, nil, err
	}
	served, free, err := files.Tables()
	if err != nil {
		files.Close()
		return nil, nil, nil, err
	}
	done = func() {
		free()
		files.Close()
	}
	tables := make([]engine.Table, len(served))
	for i, t := range served {
		tables[i] = engine.Table{Names: servedNames(t.File, t.Path()), Table: t.Table}
	}
	db, err := starting.Open(engine.List(tables))
	if err != nil {
		done()
		return nil, nil, nil, err
	}
	closeFiles := done
	done = func() {
		db.Close() // in memory: there is nothing to lose
		closeFiles()
	}
	all, err := db.Names()
	if err != nil {
		done()
		return nil, nil, nil, err
	}
	for _, names := range all {
		schema, _, err := db.Schema(a.ctx, `select * from "`+strings.ReplaceAll(names[0], `"`, `""`)+`"`, nil)
		if err != nil { // a column that the engine can't read: statements without it still work
			i := slices.IndexFunc(tables, func(t engine.Table) bool { return slices.Contains(t.Names, names[0]) })
			schema = tables[i].Table.Schema()
		}
		list = append(list, flight.SQLTable{Names: names, Schema: schema})
	}
	return sqlEngine{db}, list, done, nil
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
