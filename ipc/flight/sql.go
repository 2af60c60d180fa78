package flight

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc/flight/internal/dialect"
)

// SQL answers statements over the served tables.
type SQL interface {
	// Schema returns the schemas of a statement's result and of its parameters without running it. Where types depend on the
	// values of parameters they are those with the given ones.
	Schema(ctx context.Context, statement string, values arrow.RecordBatch) (result, parameters *arrow.Schema, err error)
	// Query runs a statement. Its parameters take the values of a batch of one row, which is nil where there are none. The
	// caller releases the result, whose memory is not shared.
	Query(ctx context.Context, statement string, values arrow.RecordBatch) (array.RecordReader, error)
}

// SQLTable is a table under its names in statements, of which the first is the one that is listed.
type SQLTable struct {
	Names  []string
	Schema *arrow.Schema
}

// WithSQL adds Flight SQL: sql answers statements, and tables are those that are listed for clients.
func WithSQL(sql SQL, tables ...SQLTable) Option {
	return func(o *options) error {
		if sql == nil {
			return h5err.New(h5err.Argument, "no SQL engine")
		}
		o.sql, o.sqlTables = sql, tables
		return nil
	}
}

// sqlMemory is what the messages of a statement take.
const sqlMemory = 32 << 20

// sqlServer is the Flight SQL half of a Server.
type sqlServer struct {
	flightsql.BaseServer
	s      *Server
	tables []SQLTable
}

func newSQLServer(s *Server) (flight.FlightServer, error) {
	q := &sqlServer{s: s, tables: slices.Clone(s.o.sqlTables)}
	q.tables = slices.DeleteFunc(q.tables, func(t SQLTable) bool { return len(t.Names) == 0 })
	slices.SortFunc(q.tables, func(a, b SQLTable) int { return strings.Compare(a.Names[0], b.Names[0]) })
	for id, value := range dialect.Info() {
		if err := q.RegisterSqlInfo(id, value); err != nil {
			return nil, err
		}
	}
	return flightsql.NewFlightServer(q), nil
}

// isSQL reports whether a descriptor is a command of Flight SQL: those of this package are JSON.
func (s *Server) isSQL(d *flight.FlightDescriptor) bool {
	return s.sql != nil && d.GetType() == flight.DescriptorCMD && !strings.HasPrefix(strings.TrimSpace(string(d.GetCmd())), "{")
}

// doGetSQL answers tickets of Flight SQL, some of which contain a ticket of this package.
func (s *Server) doGetSQL(tkt *flight.Ticket, stream flight.FlightService_DoGetServer) error {
	if t, err := flightsql.GetStatementQueryTicket(tkt); err == nil {
		return s.doHandle(t.GetStatementHandle(), stream)
	}
	g, err := s.limits.stream(callOf(stream.Context()).Client)
	if err != nil {
		return err
	}
	defer g.release()
	return s.sql.DoGet(tkt, stream)
}

// DoAction implements flight.FlightServer: Flight SQL's actions.
func (s *Server) DoAction(a *flight.Action, stream flight.FlightService_DoActionServer) error {
	if s.sql == nil {
		return s.BaseFlightServer.DoAction(a, stream)
	}
	return s.sql.DoAction(a, stream)
}

// ListActions implements flight.FlightServer.
func (s *Server) ListActions(_ *flight.Empty, stream flight.FlightService_ListActionsServer) error {
	if s.sql == nil {
		return nil
	}
	for _, name := range []string{flightsql.CreatePreparedStatementActionType, flightsql.ClosePreparedStatementActionType,
		flight.GetSessionOptionsActionType, flight.SetSessionOptionsActionType, flight.CloseSessionActionType} {
		if err := stream.Send(&flight.ActionType{Type: name}); err != nil {
			return err
		}
	}
	return nil
}

// doHandle runs the statement of a handle.
func (s *Server) doHandle(handle []byte, stream flight.FlightService_DoGetServer) error {
	t, err := s.statement(handle)
	if err != nil {
		return err
	}
	return s.doStatement(t, stream)
}

// statement returns the ticket of a statement that a handle is.
func (s *Server) statement(handle []byte) (*ticket, error) {
	t, err := s.keys.open(handle)
	if err != nil {
		return nil, err
	}
	if t.SQL == "" {
		return nil, status.Error(codes.InvalidArgument, "not a ticket of a statement")
	}
	return t, nil
}

// doStatement runs a statement and sends its result.
func (s *Server) doStatement(t *ticket, stream flight.FlightService_DoGetServer) error {
	if s.o.sql == nil {
		return status.Error(codes.Unimplemented, "this server does not answer SQL")
	}
	ctx := stream.Context()
	c := callOf(ctx)
	c.SQL = t.SQL
	g, err := s.limits.stream(c.Client)
	if err != nil {
		return err
	}
	defer g.release()
	if err := g.reserve(ctx, sqlMemory+c.coding.memory()); err != nil {
		return err
	}
	defer s.limitStatement(ctx)()
	r, err := s.answer(ctx, t)
	if err != nil {
		return err
	}
	defer r.Release()
	_, maxBytes := s.messageRows(0, 1)
	rows := func(rec arrow.RecordBatch) int64 { // rows are assumed to be as long as those of this batch
		bytes := int64(0)
		for _, c := range rec.Columns() {
			bytes += bufferBytes(c.Data())
		}
		rows, _ := s.messageRows(0, max(1, bytes/max(1, rec.NumRows())))
		return evenRows(rec.NumRows(), rows)
	}
	return s.sendAll(r, messages{rows: rows, maxBytes: maxBytes, changed: func() error { return nil }}, g, stream)
}

// bufferBytes returns the bytes of an array's buffers, without dictionaries.
func bufferBytes(d arrow.ArrayData) (n int64) {
	for _, b := range d.Buffers() {
		if b != nil {
			n += int64(b.Len())
		}
	}
	for _, c := range d.Children() {
		n += bufferBytes(c)
	}
	return n
}

// GetFlightInfoStatement implements flightsql.Server.
func (q *sqlServer) GetFlightInfoStatement(ctx context.Context, cmd flightsql.StatementQuery, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	return q.info(ctx, &ticket{SQL: cmd.GetQuery()}, d)
}

// info describes a statement's result.
func (q *sqlServer) info(ctx context.Context, t *ticket, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	schema, parameters, err := q.schemas(ctx, t)
	if err != nil {
		return nil, err
	}
	if n := parameters.NumFields(); n > 0 && t.Values == nil {
		return nil, status.Errorf(codes.InvalidArgument, "the statement has %d parameters, and no values for them", n)
	}
	expires := q.s.keys.expiry()
	handle, err := q.s.keys.seal(*t, expires)
	if err != nil {
		return nil, err
	}
	tkt, err := flightsql.CreateStatementQueryTicket(handle)
	if err != nil {
		return nil, err
	}
	return &flight.FlightInfo{Schema: flight.SerializeSchema(schema, memory.DefaultAllocator), FlightDescriptor: d, TotalRecords: -1, TotalBytes: -1, Ordered: true,
		Endpoint: []*flight.FlightEndpoint{{Ticket: &flight.Ticket{Ticket: tkt}, ExpirationTime: timestamppb.New(expires)}}}, nil
}

// GetSchemaStatement implements flightsql.Server.
func (q *sqlServer) GetSchemaStatement(ctx context.Context, cmd flightsql.StatementQuery, _ *flight.FlightDescriptor) (*flight.SchemaResult, error) {
	return q.schema(ctx, &ticket{SQL: cmd.GetQuery()})
}

func (q *sqlServer) schema(ctx context.Context, t *ticket) (*flight.SchemaResult, error) {
	schema, _, err := q.schemas(ctx, t)
	if err != nil {
		return nil, err
	}
	return &flight.SchemaResult{Schema: flight.SerializeSchema(schema, memory.DefaultAllocator)}, nil
}

// schemas returns the schemas of a statement's result and of its parameters.
func (q *sqlServer) schemas(ctx context.Context, t *ticket) (result, parameters *arrow.Schema, err error) {
	callOf(ctx).SQL = t.SQL
	rows, err := t.values()
	if err != nil {
		return nil, nil, err
	}
	defer rows.release()
	defer q.s.limitStatement(ctx)()
	return q.s.o.sql.Schema(ctx, t.SQL, rows.row(0))
}

// limitStatement ends a call that runs a statement for too long, until stop is called.
func (s *Server) limitStatement(ctx context.Context) (stop func()) {
	if s.o.sqlTimeout == 0 {
		return func() {}
	}
	c := callOf(ctx)
	t := time.AfterFunc(s.o.sqlTimeout, func() {
		c.cut(status.Errorf(codes.DeadlineExceeded, "the statement took longer than %v, which is the limit of this server", s.o.sqlTimeout))
	})
	return func() { t.Stop() }
}

// DoGetStatement implements flightsql.Server. It is not reached: doGetSQL answers these tickets.
func (q *sqlServer) DoGetStatement(context.Context, flightsql.StatementQueryTicket) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	return nil, nil, status.Error(codes.Internal, "unexpected call")
}

// CreatePreparedStatement implements flightsql.Server. The handle is the signed statement, so the server keeps no state.
func (q *sqlServer) CreatePreparedStatement(ctx context.Context, req flightsql.ActionCreatePreparedStatementRequest) (res flightsql.ActionCreatePreparedStatementResult, err error) {
	t := ticket{SQL: req.GetQuery()}
	if res.DatasetSchema, res.ParameterSchema, err = q.schemas(ctx, &t); err != nil {
		return res, q.s.statusOf(err)
	}
	res.Handle, err = q.s.keys.seal(t, q.s.keys.expiry())
	return res, err
}

// ClosePreparedStatement implements flightsql.Server.
func (q *sqlServer) ClosePreparedStatement(context.Context, flightsql.ActionClosePreparedStatementRequest) error {
	return nil
}

// GetFlightInfoPreparedStatement implements flightsql.Server.
func (q *sqlServer) GetFlightInfoPreparedStatement(ctx context.Context, cmd flightsql.PreparedStatementQuery, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	t, err := q.s.statement(cmd.GetPreparedStatementHandle())
	if err != nil {
		return nil, err
	}
	return q.info(ctx, t, d)
}

// GetSchemaPreparedStatement implements flightsql.Server.
func (q *sqlServer) GetSchemaPreparedStatement(ctx context.Context, cmd flightsql.PreparedStatementQuery, _ *flight.FlightDescriptor) (*flight.SchemaResult, error) {
	t, err := q.s.statement(cmd.GetPreparedStatementHandle())
	if err != nil {
		return nil, err
	}
	return q.schema(ctx, t)
}
