package main

import (
	"context"
	"path"
	"path/filepath"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/ipc/flight"
)

// serveSQL opens the SQL engine over all that is served now. The caller calls done when nothing uses it any more.
func (a *app) serveSQL(o *serveFlags, roots *flight.Roots, memory int64) (opt flight.Option, done func(), err error) {
	starting := engine.Start(engine.Options{Threads: int(o.workers), MaxMemory: memory, Read: []arrowmap.ReadOption{arrowmap.WithWorkers(int(o.workers))}})
	defer starting.Close()
	served, free, err := roots.Tables()
	if err != nil {
		return nil, nil, err
	}
	tables := make([]engine.Table, len(served))
	for i, t := range served {
		tables[i] = engine.Table{Names: servedNames(t.File, t.Path()), Table: t.Table}
	}
	db, err := starting.Open(tables)
	if err != nil {
		free()
		return nil, nil, err
	}
	done = func() {
		db.Close() // in memory: there is nothing to lose
		free()
	}
	list := make([]flight.SQLTable, 0, len(tables))
	for _, t := range tables {
		name := t.Names[0]
		schema, err := db.Schema(a.ctx, `select * from "`+strings.ReplaceAll(name, `"`, `""`)+`"`)
		if err != nil { // a column that the engine does not take: statements without it are answered
			schema = t.Table.Schema()
		}
		list = append(list, flight.SQLTable{Name: name, Schema: schema})
	}
	return flight.WithSQL(sqlEngine{db}, list...), done, nil
}

// servedNames are a table's names in statements: file and path, and where that is clear the path, and its last part.
func servedNames(file, table string) []string {
	last := path.Base(table)
	if last == "/" || last == "." {
		return []string{file, "/", strings.TrimSuffix(path.Base(file), filepath.Ext(file))}
	}
	return []string{file + table, table, last}
}

// sqlEngine is the engine as a Flight server takes it.
type sqlEngine struct{ *engine.DB }

// Query puts the engine's small batches together.
func (e sqlEngine) Query(ctx context.Context, statement string) (array.RecordReader, error) {
	r, err := e.DB.Query(ctx, statement)
	if err != nil {
		return nil, err
	}
	return &gatheredReader{gathered(r, 0)}, nil
}

// gatheredReader owns what it gathers from.
type gatheredReader struct{ *gathering }

// Release lets go of everything.
func (r *gatheredReader) Release() {
	r.drop()
	r.RecordReader.Release()
}
