//go:build !(duckdb_arrow && cgo)

package engine

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Available reports whether this build has the engine.
const Available = false

// Version returns "": there is no engine.
func Version() string { return "" }

// DB is the engine with its tables. This build has none.
type DB struct{}

// Rows is the result of a statement.
type Rows struct{ array.RecordReader }

// Stats returns nothing.
func (r *Rows) Stats() []ScanStats { return nil }

func missing() error {
	return h5err.New(h5err.Unsupported, "this build has no SQL engine").
		WithHint("build it with cgo, a C++ compiler and the tag duckdb_arrow: CGO_ENABLED=1 go install -tags duckdb_arrow github.com/h5arrow/h5arrow/cmd/h5arrow@latest")
}

// Start does nothing: there is no engine in this build.
func Start(Options) *Starting { return nil }

// Starting is an engine that is being started.
type Starting struct{}

// Open returns an error of kind Unsupported.
func (*Starting) Open(Catalog) (*DB, error) { return nil, missing() }

// Close does nothing.
func (*Starting) Close() {}

// Open returns an error of kind Unsupported that says how to get the engine.
func Open(Catalog, Options) (*DB, error) { return nil, missing() }

// Schema returns an error of kind Unsupported.
func (*DB) Schema(context.Context, string, arrow.RecordBatch) (result, parameters *arrow.Schema, err error) {
	return nil, nil, missing()
}

// Query returns an error of kind Unsupported.
func (*DB) Query(context.Context, string, arrow.RecordBatch) (array.RecordReader, error) {
	return nil, missing()
}

// Run returns an error of kind Unsupported.
func (*DB) Run(context.Context, string, arrow.RecordBatch) (*Rows, error) { return nil, missing() }

// Tables returns an error of kind Unsupported.
func (*DB) Tables() ([]Listing, error) { return nil, missing() }

// Notes returns nothing.
func (*DB) Notes() []string { return nil }

// Close does nothing.
func (*DB) Close() error { return nil }
