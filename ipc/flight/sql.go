package flight

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql/schema_ref"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// SQL answers statements over the served tables.
type SQL interface {
	// Schema returns the schema of a statement's result without running it.
	Schema(ctx context.Context, statement string) (*arrow.Schema, error)
	// Query runs a statement. The caller releases the result, whose memory is not shared.
	Query(ctx context.Context, statement string) (array.RecordReader, error)
}

// SQLTable is a table under its name in statements.
type SQLTable struct {
	Name   string
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

// Names that the protocol requires, and memory.
const (
	sqlSchema    = "main"
	sqlTableType = "TABLE"
	sqlMemory    = 32 << 20 // for a statement's messages
)

// sqlServer is the Flight SQL half of a Server.
type sqlServer struct {
	flightsql.BaseServer
	s      *Server
	tables []SQLTable
}

func newSQLServer(s *Server) (flight.FlightServer, error) {
	q := &sqlServer{s: s, tables: slices.Clone(s.o.sqlTables)}
	slices.SortFunc(q.tables, func(a, b SQLTable) int { return strings.Compare(a.Name, b.Name) })
	for id, value := range map[flightsql.SqlInfo]any{
		flightsql.SqlInfoFlightSqlServerName:               "h5arrow",
		flightsql.SqlInfoFlightSqlServerVersion:            "1",
		flightsql.SqlInfoFlightSqlServerArrowVersion:       arrow.PkgVersion,
		flightsql.SqlInfoFlightSqlServerReadOnly:           true,
		flightsql.SqlInfoFlightSqlServerSql:                true,
		flightsql.SqlInfoFlightSqlServerSubstrait:          false,
		flightsql.SqlInfoFlightSqlServerTransaction:        int32(flightsql.SqlTransactionNone),
		flightsql.SqlInfoDDLCatalog:                        false,
		flightsql.SqlInfoDDLSchema:                         false,
		flightsql.SqlInfoDDLTable:                          false,
		flightsql.SqlInfoIdentifierQuoteChar:               `"`,
		flightsql.SqlInfoFlightSqlServerCancel:             false,
		flightsql.SqlInfoFlightSqlServerBulkIngestion:      false,
		flightsql.SqlInfoFlightSqlServerStatementTimeout:   int32(0),
		flightsql.SqlInfoFlightSqlServerTransactionTimeout: int32(0),
	} {
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
	for _, name := range []string{flightsql.CreatePreparedStatementActionType, flightsql.ClosePreparedStatementActionType} {
		if err := stream.Send(&flight.ActionType{Type: name}); err != nil {
			return err
		}
	}
	return nil
}

// DoPut implements flight.FlightServer: commands of Flight SQL, none of which is implemented.
func (s *Server) DoPut(stream flight.FlightService_DoPutServer) error {
	if s.sql == nil {
		return s.BaseFlightServer.DoPut(stream)
	}
	return s.sql.DoPut(stream)
}

// doHandle runs the statement of a handle.
func (s *Server) doHandle(handle []byte, stream flight.FlightService_DoGetServer) error {
	sql, err := s.statement(handle)
	if err != nil {
		return err
	}
	return s.doStatement(sql, stream)
}

// statement returns the SQL of a handle.
func (s *Server) statement(handle []byte) (string, error) {
	t, err := s.keys.open(handle)
	if err != nil {
		return "", err
	}
	if t.SQL == "" {
		return "", status.Error(codes.InvalidArgument, "not a ticket of a statement")
	}
	return t.SQL, nil
}

// doStatement runs a statement and sends its result.
func (s *Server) doStatement(sql string, stream flight.FlightService_DoGetServer) error {
	if s.o.sql == nil {
		return status.Error(codes.Unimplemented, "this server does not answer SQL")
	}
	ctx := stream.Context()
	c := callOf(ctx)
	c.SQL = sql
	g, err := s.limits.stream(c.Client)
	if err != nil {
		return err
	}
	defer g.release()
	if err := g.reserve(ctx, sqlMemory); err != nil {
		return err
	}
	r, err := s.o.sql.Query(ctx, sql)
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
		return rows
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
	return q.info(ctx, cmd.GetQuery(), d)
}

// info describes a statement's result.
func (q *sqlServer) info(ctx context.Context, sql string, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	callOf(ctx).SQL = sql
	schema, err := q.s.o.sql.Schema(ctx, sql)
	if err != nil {
		return nil, err
	}
	expires := q.s.keys.expiry()
	handle, err := q.s.keys.seal(ticket{SQL: sql}, expires)
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
	return q.schema(ctx, cmd.GetQuery())
}

func (q *sqlServer) schema(ctx context.Context, sql string) (*flight.SchemaResult, error) {
	callOf(ctx).SQL = sql
	schema, err := q.s.o.sql.Schema(ctx, sql)
	if err != nil {
		return nil, err
	}
	return &flight.SchemaResult{Schema: flight.SerializeSchema(schema, memory.DefaultAllocator)}, nil
}

// DoGetStatement implements flightsql.Server. It is not reached: doGetSQL answers these tickets.
func (q *sqlServer) DoGetStatement(context.Context, flightsql.StatementQueryTicket) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	return nil, nil, status.Error(codes.Internal, "unexpected call")
}

// CreatePreparedStatement implements flightsql.Server. The handle is the signed statement, so the server keeps no state.
func (q *sqlServer) CreatePreparedStatement(ctx context.Context, req flightsql.ActionCreatePreparedStatementRequest) (res flightsql.ActionCreatePreparedStatementResult, err error) {
	sql := req.GetQuery()
	callOf(ctx).SQL = sql
	if res.DatasetSchema, err = q.s.o.sql.Schema(ctx, sql); err != nil {
		return res, q.s.statusOf(err)
	}
	res.Handle, err = q.s.keys.seal(ticket{SQL: sql}, q.s.keys.expiry())
	return res, err
}

// ClosePreparedStatement implements flightsql.Server.
func (q *sqlServer) ClosePreparedStatement(context.Context, flightsql.ActionClosePreparedStatementRequest) error {
	return nil
}

// GetFlightInfoPreparedStatement implements flightsql.Server.
func (q *sqlServer) GetFlightInfoPreparedStatement(ctx context.Context, cmd flightsql.PreparedStatementQuery, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	sql, err := q.s.statement(cmd.GetPreparedStatementHandle())
	if err != nil {
		return nil, err
	}
	return q.info(ctx, sql, d)
}

// GetSchemaPreparedStatement implements flightsql.Server.
func (q *sqlServer) GetSchemaPreparedStatement(ctx context.Context, cmd flightsql.PreparedStatementQuery, _ *flight.FlightDescriptor) (*flight.SchemaResult, error) {
	sql, err := q.s.statement(cmd.GetPreparedStatementHandle())
	if err != nil {
		return nil, err
	}
	return q.schema(ctx, sql)
}

// meta describes the result of a command for metadata. The command itself is the ticket.
func meta(d *flight.FlightDescriptor, schema *arrow.Schema) (*flight.FlightInfo, error) {
	return &flight.FlightInfo{Schema: flight.SerializeSchema(schema, memory.DefaultAllocator), FlightDescriptor: d, TotalRecords: -1, TotalBytes: -1,
		Endpoint: []*flight.FlightEndpoint{{Ticket: &flight.Ticket{Ticket: d.GetCmd()}}}}, nil
}

// one returns a result of one record batch.
func one(b *array.RecordBuilder) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	rec := b.NewRecordBatch()
	ch := make(chan flight.StreamChunk, 1)
	ch <- flight.StreamChunk{Data: rec}
	close(ch)
	return rec.Schema(), ch, nil
}

// GetFlightInfoCatalogs implements flightsql.Server. There are no catalogs.
func (q *sqlServer) GetFlightInfoCatalogs(_ context.Context, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	return meta(d, schema_ref.Catalogs)
}

// DoGetCatalogs implements flightsql.Server.
func (q *sqlServer) DoGetCatalogs(context.Context) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema_ref.Catalogs)
	defer b.Release()
	return one(b)
}

// GetFlightInfoSchemas implements flightsql.Server.
func (q *sqlServer) GetFlightInfoSchemas(_ context.Context, _ flightsql.GetDBSchemas, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	return meta(d, schema_ref.DBSchemas)
}

// DoGetDBSchemas implements flightsql.Server.
func (q *sqlServer) DoGetDBSchemas(_ context.Context, cmd flightsql.GetDBSchemas) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema_ref.DBSchemas)
	defer b.Release()
	if noCatalog(cmd.GetCatalog()) && like(cmd.GetDBSchemaFilterPattern(), sqlSchema) {
		b.Field(0).AppendNull()
		b.Field(1).(*array.StringBuilder).Append(sqlSchema)
	}
	return one(b)
}

// GetFlightInfoTableTypes implements flightsql.Server.
func (q *sqlServer) GetFlightInfoTableTypes(_ context.Context, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	return meta(d, schema_ref.TableTypes)
}

// DoGetTableTypes implements flightsql.Server.
func (q *sqlServer) DoGetTableTypes(context.Context) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema_ref.TableTypes)
	defer b.Release()
	b.Field(0).(*array.StringBuilder).Append(sqlTableType)
	return one(b)
}

// GetFlightInfoTables implements flightsql.Server.
func (q *sqlServer) GetFlightInfoTables(_ context.Context, cmd flightsql.GetTables, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	if cmd.GetIncludeSchema() {
		return meta(d, schema_ref.TablesWithIncludedSchema)
	}
	return meta(d, schema_ref.Tables)
}

// DoGetTables implements flightsql.Server.
func (q *sqlServer) DoGetTables(_ context.Context, cmd flightsql.GetTables) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	schema := schema_ref.Tables
	if cmd.GetIncludeSchema() {
		schema = schema_ref.TablesWithIncludedSchema
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	types := cmd.GetTableTypes()
	if noCatalog(cmd.GetCatalog()) && like(cmd.GetDBSchemaFilterPattern(), sqlSchema) && (len(types) == 0 || slices.Contains(types, sqlTableType)) {
		for _, t := range q.tables {
			if !like(cmd.GetTableNameFilterPattern(), t.Name) {
				continue
			}
			b.Field(0).AppendNull()
			b.Field(1).(*array.StringBuilder).Append(sqlSchema)
			b.Field(2).(*array.StringBuilder).Append(t.Name)
			b.Field(3).(*array.StringBuilder).Append(sqlTableType)
			if cmd.GetIncludeSchema() {
				b.Field(4).(*array.BinaryBuilder).Append(flight.SerializeSchema(t.Schema, memory.DefaultAllocator))
			}
		}
	}
	return one(b)
}

// noCatalog reports whether a filter for catalogs accepts tables without one.
func noCatalog(filter *string) bool { return filter == nil || *filter == "" }

// like is SQL's LIKE: % matches any text, _ one character. No pattern matches everything.
func like(pattern *string, s string) bool {
	if pattern == nil {
		return true
	}
	var b strings.Builder
	for _, r := range *pattern {
		switch r {
		case '%':
			b.WriteByte('*')
		case '_':
			b.WriteByte('?')
		case '*', '?', '[', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '/':
			b.WriteRune(slash)
		default:
			b.WriteRune(r)
		}
	}
	ok, err := path.Match(b.String(), strings.ReplaceAll(s, "/", string(slash)))
	return ok && err == nil
}

// slash replaces slashes in patterns for package path, in which * does not match them.
const slash = '\uE000'
