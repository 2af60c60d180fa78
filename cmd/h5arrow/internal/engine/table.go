//go:build duckdb_arrow && cgo

package engine

import (
	"context"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine/internal/interval"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine/internal/vector"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/naming"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// table is a table as the engine sees it.
type table struct {
	db       *DB
	t        *arrowmap.Table
	file     string
	names    []string
	files    []FileRows
	function string                                                                          // the name of its table function
	source   func(ctx context.Context, columns []int, ranges []arrowmap.Range) (rows, error) // reads columns; nil ranges are all rows
	rows     int64
	columns  []column
	labels   []string           // names of what the table function returns: rowColumn, the columns, the files
	types    []duck.LogicalType // one for each label
	where    []term             // that hold for all rows that statements see
	hidden   []string           // labels that views leave out
	renamed  []naming.Changed   // columns
}

// rows is the reader of a table, an arrowmap.Reader.
type rows interface {
	array.RecordReader
	RowsRead() int64
	Report() []arrowmap.ColumnReport
}

// column is a column of a table.
type column struct {
	name, path string
	typ        arrow.DataType
	costly     bool  // its values have to be decoded
	err        error // why it can't be used
}

// rowColumn is the first column of a table function: the row's number. The views leave it out. The engine asks for the
// first column if it needs only the number of rows, and this one costs nothing.
const rowColumn = "h5arrow_row"

func newTable(db *DB, def Table, function string) (*table, error) {
	if err := def.Table.Lengths(); err != nil {
		return nil, err
	}
	t := &table{db: db, t: def.Table, names: def.Names, files: def.Files, function: function, rows: def.Table.Rows(),
		types: []duck.LogicalType{duck.CreateLogicalType(duck.TypeBigInt)}}
	t.source = t.reader
	for _, c := range def.Table.Columns() {
		col := column{name: c.Name, path: c.Path, typ: c.Type, costly: c.Err == nil && c.Delivery != dtype.Mapped, err: c.Err}
		var lt duck.LogicalType
		if col.err == nil {
			var err error
			if lt, err = vector.LogicalType(c.Type); err != nil {
				col.err = h5err.In(err, "", c.Path)
			}
		}
		if col.err != nil { // NULL fits everywhere: only reading it fails
			lt = duck.CreateLogicalType(duck.TypeSQLNull)
		}
		t.columns = append(t.columns, col)
		t.labels = append(t.labels, c.Name)
		t.types = append(t.types, lt)
	}
	if t.files != nil {
		t.labels = append(t.labels, FilenameColumn)
		t.types = append(t.types, duck.CreateLogicalType(duck.TypeVarchar))
	}
	distinct := naming.Distinct(t.labels)
	t.renamed = naming.Changes(t.labels[:len(t.columns)], distinct)
	t.labels = append([]string{naming.Apart(rowColumn, distinct)}, distinct...)
	t.hidden = []string{naming.Quoted(t.labels[0])}
	for i, c := range t.columns {
		if slices.Contains(def.Hidden, c.name) {
			t.hidden = append(t.hidden, naming.Quoted(t.labels[i+1]))
		}
	}
	for _, c := range def.Where {
		i := slices.IndexFunc(t.columns, func(x column) bool { return x.name == c.Column })
		if i < 0 {
			return t, h5err.In(h5err.New(h5err.Argument, "no column %s", c.Column), t.file, def.Table.Path())
		}
		if t.columns[i].err != nil {
			return t, t.columns[i].err
		}
		test, err := predicate.New(t.columns[i].typ, c.Op, c.Values...)
		if err != nil {
			return t, h5err.In(err, t.file, t.columns[i].path)
		}
		t.where = append(t.where, term{column: i, test: test})
	}
	return t, nil
}

// excluded is what views leave out.
func (t *table) excluded() string { return "(" + strings.Join(t.hidden, ", ") + ")" }

// schema returns the schema of all columns that statements see, as results have it.
func (t *table) schema(opts duck.ArrowOptions) (*arrow.Schema, error) {
	var names []string
	var types []duck.LogicalType
	for i, l := range t.labels {
		if !slices.Contains(t.hidden, naming.Quoted(l)) {
			names, types = append(names, l), append(types, t.types[i])
		}
	}
	made, err := arrowSchemaOf(opts, types, names)
	if err != nil {
		return nil, err
	}
	return interval.Schema(made)
}

func (t *table) close() {
	for i := range t.types {
		duck.DestroyLogicalType(&t.types[i])
	}
}

// reader reads ranges of rows of columns of the table.
func (t *table) reader(ctx context.Context, columns []int, ranges []arrowmap.Range) (rows, error) {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = t.columns[c].name
	}
	sel, err := t.t.Select(names...)
	if err != nil {
		return nil, err
	}
	opts := append([]arrowmap.ReadOption{arrowmap.WithSlowStart(), arrowmap.WithRanges(ranges)}, t.db.o.Read...)
	if t.db.o.MaxMemory > 0 {
		opts = append(opts, arrowmap.WithMaxMemory(max(1, t.db.o.MaxMemory/4)))
	}
	r, err := sel.Reader(ctx, opts...)
	if err != nil { // not a nil of another type
		return nil, err
	}
	return r, nil
}
