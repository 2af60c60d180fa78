//go:build duckdb_arrow && cgo

package engine

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine/internal/interval"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine/internal/vector"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// query is one running statement. It has its own connection.
type query struct {
	db     *DB
	ctx    context.Context
	cancel context.CancelFunc
	conn   duck.Connection
	id     uint64
	stop   func() bool // stops the context from interrupting
	stmt   duck.PreparedStatement

	simple bool     // one SELECT was prepared
	pushed []pushed // by the parameter of the table functions, from 1 on

	narrowed map[*table]string // what the views of wide tables select

	mu    sync.Mutex // guards what follows, and the connection against a late interrupt
	over  bool
	err   error // the first error of a scan
	stats []ScanStats
}

// fail keeps the error of a scan: the engine would only pass on its text.
func (q *query) fail(err error) {
	if q == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
}

func (q *query) add(s ScanStats) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stats = append(q.stats, s)
}

// open connects.
func (db *DB) open(ctx context.Context) (*query, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	q := &query{db: db}
	if duck.Connect(db.db, &q.conn) != duck.StateSuccess {
		return nil, h5err.New(h5err.Memory, "the SQL engine refuses the connection")
	}
	q.ctx, q.cancel = context.WithCancel(ctx)
	var client duck.ClientContext
	duck.ConnectionGetClientContext(q.conn, &client)
	q.id = uint64(duck.ClientContextGetConnectionId(client))
	duck.DestroyClientContext(&client)
	db.mu.Lock()
	db.queries[q.id] = q
	db.mu.Unlock()
	q.stop = context.AfterFunc(ctx, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if !q.over {
			duck.Interrupt(q.conn)
		}
	})
	return q, nil
}

func (q *query) close() {
	q.stop()
	q.cancel()
	duck.DestroyPrepare(&q.stmt)
	q.mu.Lock()
	q.over = true
	q.mu.Unlock()
	duck.Disconnect(&q.conn)
	q.db.mu.Lock()
	delete(q.db.queries, q.id)
	q.db.mu.Unlock()
}

// error returns the error of a statement: that of its files or its context if there is one, else the engine's.
func (q *query) error(kind duck.ErrorType, msg string) error {
	q.mu.Lock()
	err := q.err
	q.mu.Unlock()
	switch {
	case q.ctx.Err() != nil:
		return q.ctx.Err()
	case err != nil && !errors.Is(err, context.Canceled):
		return err
	}
	k := h5err.Argument
	switch kind {
	case duck.ErrorTypeOutOfMemory:
		k = h5err.Memory
	case duck.ErrorTypeErrorIO, duck.ErrorTypeInternal, duck.ErrorTypeFatal:
		k = h5err.IO
	}
	e := h5err.New(k, "%s", oneLine(msg))
	switch kind {
	case duck.ErrorTypeCatalog:
		q.db.hint(e)
	case duck.ErrorTypeBinder:
		q.db.hintColumns(e)
	case duck.ErrorTypeOutOfMemory: // the engine's own advice is about settings that are locked
		for _, advice := range []string{" Database is launched", " Possible solutions", " Unused blocks"} {
			e.Msg, _, _ = strings.Cut(e.Msg, advice)
		}
		_ = e.WithOption("engine.Options.MaxMemory", "allow more").WithOption("engine.Options.Access", "let the engine use temporary files")
	}
	return e
}

// reading are the statements that may run without Options.Access.
var reading = []duck.StatementType{duck.StatementTypeSelect, duck.StatementTypeExplain, duck.StatementTypeRelation, duck.StatementTypeLogicalPlan}

// prepare parses and binds a statement. With Access there may be several; all but the last are run.
func (q *query) prepare(sql string) error {
	if strings.Contains(sql, "\x00") {
		return h5err.New(h5err.Argument, "the statement holds a zero byte")
	}
	var list duck.ExtractedStatements
	n := duck.ExtractStatements(q.conn, sql, &list)
	defer func() { duck.DestroyExtracted(&list) }()
	if n == 0 {
		msg := duck.ExtractStatementsError(list)
		if msg == "" {
			msg = "there is no statement"
		}
		err := q.error(duck.ErrorTypeParser, msg)
		if e, ok := err.(*h5err.Error); ok {
			q.db.hintKeyword(e, sql)
		}
		return err
	}
	if n > 1 && !q.db.o.Access && !pivots(sql) {
		return h5err.New(h5err.Argument, "%d statements: only one is allowed", n)
	}
	if err := q.db.listAll(sql); err != nil {
		return err
	}
	for i := range n {
		if err := q.prepareOne(sql, &list, i); err != nil {
			return err
		}
		kind := duck.PreparedStatementType(q.stmt)
		preparing := i+1 < n && kind == duck.StatementTypeCreate // of the types of a PIVOT
		if !q.db.o.Access && !preparing && !slices.Contains(reading, kind) {
			return h5err.New(h5err.Argument, "only statements that read are allowed").
				WithOption("engine.Options.Access", "allow all")
		}
		if i+1 == n {
			q.simple = n == 1 && kind == duck.StatementTypeSelect && duck.NParams(q.stmt) == 0
			break
		}
		var res duck.Result
		ok := duck.ExecutePrepared(q.stmt, &res) == duck.StateSuccess
		var err error
		if !ok {
			err = q.error(duck.ResultErrorType(&res), duck.ResultError(&res))
		}
		duck.DestroyResult(&res)
		if err != nil {
			return err
		}
	}
	return nil
}

// prepareOne prepares a statement of those of a text. It makes the views that the engine misses.
func (q *query) prepareOne(sql string, list *duck.ExtractedStatements, i duck.IdxT) error {
	tried := map[*offered]bool{}
	for {
		duck.DestroyPrepare(&q.stmt)
		if duck.PrepareExtractedStatement(q.conn, *list, i, &q.stmt) == duck.StateSuccess {
			return nil
		}
		v, err := q.db.supply(duck.PrepareError(q.stmt), tried)
		if err != nil || v == nil {
			return cmp.Or(err, q.prepareError())
		}
		if !v.view {
			if err := q.narrow(v, sql); err != nil {
				return err
			}
		}
		duck.DestroyExtracted(list) // the engine has taken the statement out of it
		if duck.ExtractStatements(q.conn, sql, list) <= i {
			return q.error(duck.ErrorTypeParser, duck.ExtractStatementsError(*list))
		}
	}
}

// pushDown replaces the prepared statement with an equivalent one that leaves more to the scan, if there is one.
func (q *query) pushDown(sql string) error {
	if !q.simple {
		return nil
	}
	text, err := q.leaner(sql)
	if err != nil || text == "" {
		return q.ctx.Err() // otherwise it stays as it was
	}
	var stmt duck.PreparedStatement
	ok := duck.Prepare(q.conn, text, &stmt) == duck.StateSuccess && sameColumns(q.stmt, stmt)
	if ok {
		q.stmt, stmt = stmt, q.stmt
	}
	duck.DestroyPrepare(&stmt)
	return nil
}

// sameColumns reports whether the results of two statements have the same names and types.
func sameColumns(a, b duck.PreparedStatement) bool {
	n := duck.PreparedStatementColumnCount(a)
	if n != duck.PreparedStatementColumnCount(b) {
		return false
	}
	for i := range n {
		if duck.PreparedStatementColumnName(a, i) != duck.PreparedStatementColumnName(b, i) || duck.PreparedStatementColumnType(a, i) != duck.PreparedStatementColumnType(b, i) {
			return false
		}
	}
	return true
}

// run runs a statement of this package.
func (q *query) run(sql string) error {
	var res duck.Result
	defer duck.DestroyResult(&res)
	if duck.Query(q.conn, sql, &res) != duck.StateSuccess {
		return q.error(duck.ResultErrorType(&res), duck.ResultError(&res))
	}
	return nil
}

// scalar returns the text that a statement of this package returns for a parameter.
func (q *query) scalar(sql, parameter string) (string, error) {
	var stmt duck.PreparedStatement
	defer duck.DestroyPrepare(&stmt)
	if duck.Prepare(q.conn, sql, &stmt) != duck.StateSuccess {
		return "", q.error(duck.ErrorTypeInvalid, duck.PrepareError(stmt))
	}
	duck.BindVarchar(stmt, 1, parameter)
	var res duck.Result
	defer duck.DestroyResult(&res)
	if duck.ExecutePrepared(stmt, &res) != duck.StateSuccess {
		return "", q.error(duck.ResultErrorType(&res), duck.ResultError(&res))
	}
	c := duck.FetchChunk(res)
	defer duck.DestroyDataChunk(&c)
	if c.Ptr == nil || duck.DataChunkGetSize(c) != 1 {
		return "", h5err.New(h5err.IO, "the SQL engine has no text for a statement")
	}
	v := duck.DataChunkGetVector(c, 0)
	return duck.StringTData(&vector.Memory[duck.StringT](duck.VectorGetData(v), 1)[0]), nil
}

func (q *query) prepareError() error {
	msg := duck.PrepareError(q.stmt)
	kind := duck.ErrorTypeBinder
	for prefix, k := range map[string]duck.ErrorType{"Catalog Error": duck.ErrorTypeCatalog, "Out of Memory Error": duck.ErrorTypeOutOfMemory,
		"IO Error": duck.ErrorTypeErrorIO, "INTERNAL Error": duck.ErrorTypeInternal, "FATAL Error": duck.ErrorTypeFatal} {
		if strings.HasPrefix(msg, prefix) {
			kind = k
		}
	}
	return q.error(kind, msg)
}

// Schema returns the schemas of a statement's result and of its parameters, without running it. Types that depend on values
// are those with the given ones, which are a row of a record, or null where values is nil.
func (db *DB) Schema(ctx context.Context, statement string, values arrow.RecordBatch) (result, parameters *arrow.Schema, err error) {
	q, err := db.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer q.close()
	if err := q.prepare(statement); err != nil {
		return nil, nil, err
	}
	if parameters, err = q.parameters(); err != nil {
		return nil, nil, err
	}
	n := int(duck.PreparedStatementColumnCount(q.stmt))
	names, types := make([]string, n), make([]duck.LogicalType, n)
	for i := range n {
		names[i] = duck.PreparedStatementColumnName(q.stmt, duck.IdxT(i))
		if types[i] = duck.PreparedStatementColumnLogicalType(q.stmt, duck.IdxT(i)); duck.GetTypeId(types[i]) == duck.TypeInvalid {
			duck.DestroyLogicalType(&types[i])
			types[i] = duck.CreateLogicalType(duck.TypeSQLNull)
		}
	}
	if result, err = q.exported(types, names); err == nil && values != nil {
		result, err = db.boundSchema(ctx, statement, values, names)
	}
	return result, parameters, err
}

// exported is the schema of values of the engine's types in results. It destroys the types.
func (q *query) exported(types []duck.LogicalType, names []string) (*arrow.Schema, error) {
	var opts duck.ArrowOptions
	duck.ConnectionGetArrowOptions(q.conn, &opts)
	defer duck.DestroyArrowOptions(&opts)
	schema, err := arrowSchema(opts, types, names)
	if err != nil {
		return nil, err
	}
	return interval.Schema(schema)
}

// arrowSchema returns the schema of a result. It destroys the types.
func arrowSchema(opts duck.ArrowOptions, types []duck.LogicalType, names []string) (*arrow.Schema, error) {
	defer func() {
		for i := range types {
			duck.DestroyLogicalType(&types[i])
		}
	}()
	return arrowSchemaOf(opts, types, names)
}

// arrowSchemaOf is arrowSchema, but keeps the types.
func arrowSchemaOf(opts duck.ArrowOptions, types []duck.LogicalType, names []string) (*arrow.Schema, error) {
	if len(types) == 0 {
		return arrow.NewSchema(nil, nil), nil
	}
	for i, lt := range types {
		if err := vector.ExactType(lt, names[i]); err != nil {
			return nil, err
		}
	}
	schema, e := duck.NewArrowSchema(opts, types, names)
	defer duck.DestroyErrorData(&e)
	if duck.ErrorDataHasError(e) {
		return nil, h5err.New(h5err.Unsupported, "the result as Arrow: %s", oneLine(duck.ErrorDataMessage(e)))
	}
	return schema, nil
}

// Rows is the result of a statement: record batches in their own memory, computed as they are read. It implements
// array.RecordReader and must be used by one goroutine at a time. Release frees the memory and the engine's threads.
type Rows struct {
	refs    atomic.Int64
	q       *query
	res     duck.Result
	opts    duck.ArrowOptions
	schema  *arrow.Schema
	made    *arrow.Schema // of the batches that the engine exports
	current arrow.RecordBatch
	err     error
	done    bool
}

// Query runs a statement. Its parameters take the values of a record of one row, by name where they are named, else by
// position; values is nil where there are none. The caller releases what is returned.
func (db *DB) Query(ctx context.Context, statement string, values arrow.RecordBatch) (array.RecordReader, error) {
	r, err := db.Run(ctx, statement, values)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Run is Query for callers that need the statistics.
func (db *DB) Run(ctx context.Context, statement string, values arrow.RecordBatch) (*Rows, error) {
	q, err := db.open(ctx)
	if err != nil {
		return nil, err
	}
	r := &Rows{q: q}
	r.refs.Store(1)
	if err := r.start(statement, values); err != nil {
		r.Release()
		return nil, err
	}
	return r, nil
}

func (r *Rows) start(statement string, values arrow.RecordBatch) error {
	q := r.q
	if err := q.prepare(statement); err != nil {
		return err
	}
	if err := q.bind(values); err != nil {
		return err
	}
	if err := q.pushDown(statement); err != nil {
		return err
	}
	var pending duck.PendingResult
	defer duck.DestroyPending(&pending)
	// It is marked as deprecated, but there is no other way yet to read a result that does not fit in memory.
	if duck.PendingPreparedStreaming(q.stmt, &pending) != duck.StateSuccess {
		return q.error(duck.ErrorTypeInvalid, duck.PendingError(pending))
	}
	if duck.ExecutePending(pending, &r.res) != duck.StateSuccess {
		return q.error(duck.ResultErrorType(&r.res), duck.ResultError(&r.res))
	}
	r.opts = duck.ResultGetArrowOptions(&r.res)
	n := int(duck.ColumnCount(&r.res))
	names, types := make([]string, n), make([]duck.LogicalType, n)
	for i := range n {
		names[i] = duck.ColumnName(&r.res, duck.IdxT(i))
		types[i] = duck.ColumnLogicalType(&r.res, duck.IdxT(i))
	}
	var err error
	if r.made, err = arrowSchema(r.opts, types, names); err == nil {
		r.schema, err = interval.Schema(r.made)
	}
	return err
}

// Schema returns the schema of the batches.
func (r *Rows) Schema() *arrow.Schema { return r.schema }

// Next moves to the next batch. It returns false at the end and after an error.
func (r *Rows) Next() bool {
	r.drop()
	if r.done || r.err != nil {
		return false
	}
	c := duck.FetchChunk(r.res)
	if c.Ptr == nil {
		r.done = true
		if msg := duck.ResultError(&r.res); msg != "" {
			r.err = r.q.error(duck.ResultErrorType(&r.res), msg)
		} else if err := r.q.ctx.Err(); err != nil {
			r.err = err
		}
		return false
	}
	defer duck.DestroyDataChunk(&c)
	if r.schema.NumFields() == 0 {
		r.done = true
		return false
	}
	rec, e := duck.DataChunkToArrowArray(r.opts, r.made, c)
	defer duck.DestroyErrorData(&e)
	if duck.ErrorDataHasError(e) {
		r.err = h5err.New(h5err.Unsupported, "the result as Arrow: %s", oneLine(duck.ErrorDataMessage(e)))
		return false
	}
	if r.err = vector.ExactTimes(rec); r.err != nil {
		rec.Release()
		return false
	}
	r.current, r.err = interval.Record(r.schema, rec, c)
	return r.err == nil
}

func (r *Rows) drop() {
	if r.current != nil {
		r.current.Release()
		r.current = nil
	}
}

// RecordBatch returns the current batch, valid until the next call of Next unless retained.
func (r *Rows) RecordBatch() arrow.RecordBatch { return r.current }

// Record is the deprecated name of RecordBatch.
func (r *Rows) Record() arrow.RecordBatch { return r.current }

// Err returns the error that ended the result, nil after all rows.
func (r *Rows) Err() error { return r.err }

// Retain adds a reference.
func (r *Rows) Retain() { r.refs.Add(1) }

// Release drops a reference; the last one ends the statement.
func (r *Rows) Release() {
	if r.refs.Add(-1) == 0 {
		r.end()
	}
}

func (r *Rows) end() {
	r.drop()
	r.done = true
	r.q.cancel() // stops decoding
	duck.DestroyArrowOptions(&r.opts)
	duck.DestroyResult(&r.res)
	r.q.close()
}

// Stats returns what each scan of the statement read. It is complete after the last Release.
func (r *Rows) Stats() []ScanStats {
	r.q.mu.Lock()
	defer r.q.mu.Unlock()
	return slices.Clone(r.q.stats)
}
