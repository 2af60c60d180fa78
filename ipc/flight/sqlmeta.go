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

	"github.com/h5arrow/h5arrow/ipc/flight/internal/dialect"
)

// Names of the engine's only catalog and schema, as information_schema says them.
const (
	sqlCatalog   = "memory"
	sqlSchema    = "main"
	sqlTableType = "TABLE"
)

// meta describes the result of a command for metadata. The command itself is the ticket.
func meta(d *flight.FlightDescriptor, schema *arrow.Schema) (*flight.FlightInfo, error) {
	return &flight.FlightInfo{Schema: flight.SerializeSchema(schema, memory.DefaultAllocator), FlightDescriptor: d, TotalRecords: -1, TotalBytes: -1,
		Endpoint: []*flight.FlightEndpoint{{Ticket: &flight.Ticket{Ticket: d.GetCmd()}}}}, nil
}

// one returns a result of one record batch.
func one(b *array.RecordBuilder) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	return batchOf(b.NewRecordBatch())
}

// batchOf is a result of a record batch, which it takes over.
func batchOf(rec arrow.RecordBatch) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	ch := make(chan flight.StreamChunk, 1)
	ch <- flight.StreamChunk{Data: rec}
	close(ch)
	return rec.Schema(), ch, nil
}

// none is a result without rows.
func none(schema *arrow.Schema) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	ch := make(chan flight.StreamChunk)
	close(ch)
	return schema, ch, nil
}

// GetFlightInfoCatalogs implements flightsql.Server.
func (q *sqlServer) GetFlightInfoCatalogs(_ context.Context, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	return meta(d, schema_ref.Catalogs)
}

// DoGetCatalogs implements flightsql.Server.
func (q *sqlServer) DoGetCatalogs(context.Context) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema_ref.Catalogs)
	defer b.Release()
	b.Field(0).(*array.StringBuilder).Append(sqlCatalog)
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
	if inCatalog(cmd.GetCatalog()) && like(cmd.GetDBSchemaFilterPattern(), sqlSchema) {
		b.Field(0).(*array.StringBuilder).Append(sqlCatalog)
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
	if inCatalog(cmd.GetCatalog()) && like(cmd.GetDBSchemaFilterPattern(), sqlSchema) && (len(types) == 0 || slices.Contains(types, sqlTableType)) {
		for _, t := range q.tables {
			name, ok := t.listed(cmd.GetTableNameFilterPattern())
			if !ok {
				continue
			}
			b.Field(0).(*array.StringBuilder).Append(sqlCatalog)
			b.Field(1).(*array.StringBuilder).Append(sqlSchema)
			b.Field(2).(*array.StringBuilder).Append(name)
			b.Field(3).(*array.StringBuilder).Append(sqlTableType)
			if cmd.GetIncludeSchema() {
				b.Field(4).(*array.BinaryBuilder).Append(flight.SerializeSchema(t.Schema, memory.DefaultAllocator))
			}
		}
	}
	return one(b)
}

// listed returns the name under which a table is listed for a pattern: the first that matches it. A pattern that is one of
// the names, but for case, is that name: statements do not tell cases apart, and clients look for what they asked for.
func (t SQLTable) listed(pattern *string) (name string, ok bool) {
	if pattern != nil {
		asked := sqlEscapes.Replace(*pattern)
		if slices.ContainsFunc(t.Names, func(name string) bool { return strings.EqualFold(name, asked) }) {
			return asked, true
		}
	}
	for _, name := range t.Names {
		if like(pattern, name) {
			return name, true
		}
	}
	return "", false
}

// inCatalog reports whether a filter for catalogs accepts the only one. An empty one is for what has none.
func inCatalog(filter *string) bool { return filter == nil || *filter == sqlCatalog }

// GetFlightInfoPrimaryKeys implements flightsql.Server.
func (q *sqlServer) GetFlightInfoPrimaryKeys(_ context.Context, _ flightsql.TableRef, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	return meta(d, schema_ref.PrimaryKeys)
}

// DoGetPrimaryKeys implements flightsql.Server. Tables have no keys.
func (q *sqlServer) DoGetPrimaryKeys(context.Context, flightsql.TableRef) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	return none(schema_ref.PrimaryKeys)
}

// GetFlightInfoExportedKeys implements flightsql.Server.
func (q *sqlServer) GetFlightInfoExportedKeys(_ context.Context, _ flightsql.TableRef, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	return meta(d, schema_ref.ExportedKeys)
}

// DoGetExportedKeys implements flightsql.Server. Tables have no keys.
func (q *sqlServer) DoGetExportedKeys(context.Context, flightsql.TableRef) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	return none(schema_ref.ExportedKeys)
}

// GetFlightInfoImportedKeys implements flightsql.Server.
func (q *sqlServer) GetFlightInfoImportedKeys(_ context.Context, _ flightsql.TableRef, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	return meta(d, schema_ref.ImportedKeys)
}

// DoGetImportedKeys implements flightsql.Server. Tables have no keys.
func (q *sqlServer) DoGetImportedKeys(context.Context, flightsql.TableRef) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	return none(schema_ref.ImportedKeys)
}

// GetFlightInfoCrossReference implements flightsql.Server.
func (q *sqlServer) GetFlightInfoCrossReference(_ context.Context, _ flightsql.CrossTableRef, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	return meta(d, schema_ref.CrossReference)
}

// DoGetCrossReference implements flightsql.Server. Tables have no keys.
func (q *sqlServer) DoGetCrossReference(context.Context, flightsql.CrossTableRef) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	return none(schema_ref.CrossReference)
}

// GetFlightInfoXdbcTypeInfo implements flightsql.Server.
func (q *sqlServer) GetFlightInfoXdbcTypeInfo(_ context.Context, _ flightsql.GetXdbcTypeInfo, d *flight.FlightDescriptor) (*flight.FlightInfo, error) {
	return meta(d, schema_ref.XdbcTypeInfo)
}

// DoGetXdbcTypeInfo implements flightsql.Server.
func (q *sqlServer) DoGetXdbcTypeInfo(_ context.Context, cmd flightsql.GetXdbcTypeInfo) (*arrow.Schema, <-chan flight.StreamChunk, error) {
	return batchOf(dialect.Types(cmd.GetDataType()))
}

// GetSessionOptions implements flightsql.Server: clients ask for the catalog and the schema that names are looked for in.
func (q *sqlServer) GetSessionOptions(context.Context, *flight.GetSessionOptionsRequest) (*flight.GetSessionOptionsResult, error) {
	options, err := flight.NewSessionOptionValues(map[string]any{"catalog": sqlCatalog, "schema": sqlSchema})
	return &flight.GetSessionOptionsResult{SessionOptions: options}, err
}

// SetSessionOptions implements flightsql.Server. Options take no value but the one they have.
func (q *sqlServer) SetSessionOptions(_ context.Context, req *flight.SetSessionOptionsRequest) (*flight.SetSessionOptionsResult, error) {
	failed := map[string]*flight.SetSessionOptionsResultError{}
	for name, value := range req.GetSessionOptions() {
		fixed, ok := map[string]string{"catalog": sqlCatalog, "schema": sqlSchema}[name]
		switch {
		case !ok:
			failed[name] = &flight.SetSessionOptionsResultError{Value: flight.SetSessionOptionsResultErrorInvalidName}
		case value.GetStringValue() != fixed:
			failed[name] = &flight.SetSessionOptionsResultError{Value: flight.SetSessionOptionsResultErrorInvalidValue}
		}
	}
	return &flight.SetSessionOptionsResult{Errors: failed}, nil
}

// CloseSession implements flightsql.Server. There is no session: the server keeps no state.
func (q *sqlServer) CloseSession(context.Context, *flight.CloseSessionRequest) (*flight.CloseSessionResult, error) {
	return &flight.CloseSessionResult{Status: flight.CloseSessionResultClosed}, nil
}

// sqlEscapes removes the escapes of a pattern.
var sqlEscapes = strings.NewReplacer(`\%`, "%", `\_`, "_", `\\`, `\`)

// like is SQL's LIKE: % matches any text, _ one character, and a backslash takes that from the one that follows it. No
// pattern matches everything.
func like(pattern *string, s string) bool {
	if pattern == nil {
		return true
	}
	var b strings.Builder
	escaped := false
	for _, r := range *pattern {
		switch {
		case r == '\\' && !escaped:
			escaped = true
			continue
		case r == '%' && !escaped:
			b.WriteByte('*')
		case r == '_' && !escaped:
			b.WriteByte('?')
		case r == '/':
			b.WriteRune(slash)
		default:
			if strings.ContainsRune(`*?[\`, r) {
				b.WriteByte('\\')
			}
			b.WriteRune(r)
		}
		escaped = false
	}
	ok, err := path.Match(b.String(), strings.ReplaceAll(s, "/", string(slash)))
	return ok && err == nil
}

// slash replaces slashes in patterns for package path, in which * does not match them.
const slash = '\uE000'
