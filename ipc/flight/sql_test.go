package flight

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// counting answers "count ?" with the numbers below its parameter, and "count N" with the numbers below N, in batches of 1000.
type counting struct{}

var numbers = arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)

func (counting) parse(statement string, values arrow.RecordBatch) (n int64, err error) {
	switch {
	case statement == "panic":
		panic("of a test")
	case statement == "count ?" && values == nil:
		return 0, nil
	case statement == "count ?":
		number, ok := values.Column(0).(*array.Int64)
		if !ok || values.NumRows() != 1 || values.NumCols() != 1 {
			return 0, h5err.New(h5err.Argument, "no number")
		}
		return number.Value(0), nil
	}
	if _, err := fmt.Sscanf(statement, "count %d", &n); err != nil {
		return 0, h5err.New(h5err.Argument, "syntax error at %q", statement)
	}
	return n, nil
}

func (c counting) Schema(_ context.Context, statement string, values arrow.RecordBatch) (result, parameters *arrow.Schema, err error) {
	_, err = c.parse(statement, values)
	if statement == "count ?" {
		return numbers, numbers, err
	}
	return numbers, arrow.NewSchema(nil, nil), err
}

func (c counting) Query(_ context.Context, statement string, values arrow.RecordBatch) (array.RecordReader, error) {
	n, err := c.parse(statement, values)
	if err != nil {
		return nil, err
	}
	var recs []arrow.RecordBatch
	for a := int64(0); a < n; a += 1000 {
		b := array.NewRecordBuilder(memory.DefaultAllocator, numbers)
		for i := a; i < min(n, a+1000); i++ {
			b.Field(0).(*array.Int64Builder).Append(i)
		}
		recs = append(recs, b.NewRecordBatch())
		b.Release()
	}
	r, err := array.NewRecordReader(numbers, recs)
	for _, rec := range recs {
		rec.Release()
	}
	return r, err
}

// sqlClient is a client of Flight SQL, until the test ends.
func (p *place) sqlClient(t *testing.T) *flightsql.Client {
	t.Helper()
	cl, err := flightsql.NewClient(p.address, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cl.Close() })
	return cl
}

// serveSQL starts a server that counts.
func serveSQL(t *testing.T) *place {
	t.Helper()
	other := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.BinaryTypes.String}}, nil)
	return serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithSQL(counting{}, SQLTable{[]string{"f/t_1", "/t_1", "t_1"}, numbers}, SQLTable{[]string{"a/b"}, other}))
}

// rowsOf reads a result, whose numbers, if it has any, are their own places.
func rowsOf(ctx context.Context, t *testing.T, cl *flightsql.Client, info *flight.FlightInfo) (n int64, err error) {
	t.Helper()
	for _, e := range info.Endpoint {
		r, err := cl.DoGet(ctx, e.Ticket)
		if err != nil {
			return n, err
		}
		defer r.Release()
		for r.Next() {
			rec := r.RecordBatch()
			if c, ok := rec.Column(0).(*array.Int64); ok {
				for i := range c.Len() {
					if c.Value(i) != n+int64(i) {
						t.Fatalf("%d at %d", c.Value(i), n+int64(i))
					}
				}
			}
			n += rec.NumRows()
		}
		if err := r.Err(); err != nil {
			return n, err
		}
	}
	return n, nil
}

func TestSQL(t *testing.T) {
	leaks(t)
	p := serveSQL(t)
	cl := p.sqlClient(t)
	ctx := context.Background()
	rows := func(info *flight.FlightInfo, err error) (int64, error) {
		if err != nil {
			return 0, err
		}
		return rowsOf(ctx, t, cl, info)
	}
	for _, n := range []int64{0, 1, 12_345} {
		if got, err := rows(cl.Execute(ctx, fmt.Sprintf("count %d", n))); err != nil || got != n {
			t.Errorf("count %d: %d rows, %v", n, got, err)
		}
	}
	if calls := p.ended("DoGet"); len(calls) == 0 || calls[0].SQL != "count 0" {
		t.Errorf("%+v", calls)
	}
	_, err := cl.Execute(ctx, "selekt")
	needCode(t, "a broken statement", err, codes.InvalidArgument, "syntax error")
	_, err = cl.Execute(ctx, "panic")
	needCode(t, "a panic", err, codes.Internal, "an internal error")
	schema, err := cl.GetExecuteSchema(ctx, "count 5")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := flight.DeserializeSchema(schema.Schema, memory.DefaultAllocator); err != nil || !s.Equal(numbers) {
		t.Errorf("%v, %v", s, err)
	}

	prepared, err := cl.Prepare(ctx, "count 77")
	if err != nil {
		t.Fatal(err)
	}
	if !prepared.DatasetSchema().Equal(numbers) {
		t.Error(prepared.DatasetSchema())
	}
	for range 2 {
		if got, err := rows(prepared.Execute(ctx)); err != nil || got != 77 {
			t.Errorf("prepared: %d rows, %v", got, err)
		}
	}
	if err := prepared.Close(ctx); err != nil {
		t.Error(err)
	}
	_, err = cl.Prepare(ctx, "selekt")
	needCode(t, "a broken statement", err, codes.InvalidArgument, "syntax error")
}

func TestSQLMetadata(t *testing.T) {
	leaks(t)
	cl := serveSQL(t).sqlClient(t)
	ctx := context.Background()
	rows := func(info *flight.FlightInfo, err error) (int64, error) {
		if err != nil {
			return 0, err
		}
		return rowsOf(ctx, t, cl, info)
	}
	text := func(s string) *string { return &s }
	for what, c := range map[string]struct {
		opts *flightsql.GetTablesOpts
		n    int64
	}{
		"all":            {&flightsql.GetTablesOpts{}, 2},
		"with schemas":   {&flightsql.GetTablesOpts{IncludeSchema: true}, 2},
		"by name":        {&flightsql.GetTablesOpts{TableNameFilterPattern: text("t%")}, 1},
		"by another":     {&flightsql.GetTablesOpts{TableNameFilterPattern: text("T_1")}, 1},
		"escaped":        {&flightsql.GetTablesOpts{TableNameFilterPattern: text(`t\_1`)}, 1},
		"escaped part":   {&flightsql.GetTablesOpts{TableNameFilterPattern: text(`a\_%`)}, 0},
		"one character":  {&flightsql.GetTablesOpts{TableNameFilterPattern: text("a_b")}, 1},
		"no such name":   {&flightsql.GetTablesOpts{TableNameFilterPattern: text("t")}, 0},
		"by schema":      {&flightsql.GetTablesOpts{DbSchemaFilterPattern: text("main")}, 2},
		"another schema": {&flightsql.GetTablesOpts{DbSchemaFilterPattern: text("x")}, 0},
		"a catalog":      {&flightsql.GetTablesOpts{Catalog: text("x")}, 0},
		"the catalog":    {&flightsql.GetTablesOpts{Catalog: text("memory")}, 2},
		"no catalog":     {&flightsql.GetTablesOpts{Catalog: text("")}, 0},
		"by type":        {&flightsql.GetTablesOpts{TableTypes: []string{"TABLE"}}, 2},
		"another type":   {&flightsql.GetTablesOpts{TableTypes: []string{"VIEW"}}, 0},
	} {
		if n, err := rows(cl.GetTables(ctx, c.opts)); err != nil || n != c.n {
			t.Errorf("tables, %s: %d, %v", what, n, err)
		}
	}
	if n, err := rows(cl.GetCatalogs(ctx)); err != nil || n != 1 {
		t.Error(n, err)
	}
	if n, err := rows(cl.GetDBSchemas(ctx, &flightsql.GetDBSchemasOpts{})); err != nil || n != 1 {
		t.Error(n, err)
	}
	if n, err := rows(cl.GetTableTypes(ctx)); err != nil || n != 1 {
		t.Error(n, err)
	}
	if n, err := rows(cl.GetSqlInfo(ctx, []flightsql.SqlInfo{flightsql.SqlInfoFlightSqlServerName})); err != nil || n != 1 {
		t.Error(n, err)
	}
	for what, err := range map[string]error{
		"updates":      func() error { _, err := cl.ExecuteUpdate(ctx, "insert"); return err }(),
		"transactions": func() error { _, err := cl.BeginTransaction(ctx); return err }(),
	} {
		needCode(t, what, err, codes.Unimplemented, "")
	}
}

// Flights of tables are there as before, and a statement's ticket cannot be forged.
func TestSQLTickets(t *testing.T) {
	leaks(t)
	p := serveSQL(t)
	ctx := context.Background()
	c := p.dial(t)
	got, _ := pull(t, c, pathOf("sample.h5"))
	got.release()
	made, err := flightsql.CreateStatementQueryTicket([]byte("count 5"))
	if err != nil {
		t.Fatal(err)
	}
	needCode(t, "a ticket that was made up", fail(c, ctx, made), codes.InvalidArgument, "not a ticket")
	k := newKeyring(nil, time.Minute)
	sealed, err := k.seal(ticket{SQL: "count 5"}, k.expiry())
	if err != nil {
		t.Fatal(err)
	}
	if made, err = flightsql.CreateStatementQueryTicket(sealed); err != nil {
		t.Fatal(err)
	}
	needCode(t, "another server's ticket", fail(c, ctx, made), codes.PermissionDenied, "another server")
	if made, err = flightsql.CreateStatementQueryTicket(firstTicket(t, c, pathOf("sample.h5"))); err != nil {
		t.Fatal(err)
	}
	needCode(t, "a table's ticket as a statement", fail(c, ctx, made), codes.InvalidArgument, "not a ticket of a statement")
	for _, b := range []string{"", "x", "\x0a\xff\xff\xff\xff\x0f", strings.Repeat("\x0a", 100)} {
		if err := fail(c, ctx, []byte(b)); err == nil {
			t.Errorf("%q was taken", b)
		}
		if _, err := c.GetFlightInfo(ctx, commandOf(b)); err == nil {
			t.Errorf("%q was taken", b)
		}
	}
}

// The error of an engine ends the stream.
func TestSQLFails(t *testing.T) {
	leaks(t)
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithSQL(failing{}))
	cl := p.sqlClient(t)
	info, err := cl.Execute(context.Background(), "x")
	if err != nil {
		t.Fatal(err)
	}
	r, err := cl.DoGet(context.Background(), info.Endpoint[0].Ticket)
	if err == nil {
		for r.Next() {
		}
		err = r.Err()
		r.Release()
	}
	if err == nil || !strings.Contains(err.Error(), "too much memory") {
		t.Error(err)
	}
}

type failing struct{}

func (failing) Schema(context.Context, string, arrow.RecordBatch) (result, parameters *arrow.Schema, err error) {
	return numbers, arrow.NewSchema(nil, nil), nil
}

func (failing) Query(context.Context, string, arrow.RecordBatch) (array.RecordReader, error) {
	return array.ReaderFromIter(numbers, func(yield func(arrow.RecordBatch, error) bool) {
		yield(nil, errors.Join(h5err.New(h5err.Memory, "too much memory")))
	}), nil
}

// endless computes until its call ends.
type endless struct{ counting }

func (endless) Query(ctx context.Context, _ string, _ arrow.RecordBatch) (array.RecordReader, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// A statement that takes too long is ended, and its client learns why.
func TestSQLTimeout(t *testing.T) {
	leaks(t)
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithSQL(endless{}), WithSQLTimeout(100*time.Millisecond))
	cl, err := flightsql.NewClient(p.address, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	info, err := cl.Execute(context.Background(), "count 5")
	if err != nil {
		t.Fatal(err)
	}
	_, err = cl.DoGet(context.Background(), info.Endpoint[0].Ticket)
	needCode(t, "an endless statement", err, codes.DeadlineExceeded, "the statement took longer than 100ms, which is the limit of this server")
}
