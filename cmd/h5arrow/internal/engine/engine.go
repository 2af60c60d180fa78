// Package engine answers SQL statements over tables with an embedded DuckDB.
//
// Each table is a view over a table function of this package. The engine asks it for the columns that a statement uses,
// and pulls rows only as long as it needs them; nothing is loaded in advance. Go code copies the rows into the engine's
// vectors, a few thousand at a time. It survives a file that is cut short meanwhile: the engine never touches the mapping.
//
// Builds with cgo and the tag duckdb_arrow have the engine. In others, Open returns an error of kind Unsupported that says
// how to get it.
//
// # Types
//
// Integers, floats, booleans, text, bytes, dates, lists and structs are the engine's types of the same name. Beyond
// that: half_float is FLOAT; a dictionary has the type of its values; a timestamp without a zone keeps its unit, one with a
// zone is TIMESTAMP WITH TIME ZONE, which has microseconds, and nanoseconds are rounded down to them; a duration is an
// INTERVAL, which has microseconds too, and a duration of other nanoseconds is an error; a list of fixed size is an ARRAY
// of up to 1024 items, else a LIST. A column of any other type, or one that can't be read, is an error only for statements
// that use it.
//
// In results every INTERVAL is a duration in microseconds, a day of it 24 hours. One with months is an error.
//
// # What is not promised
//
// Names that differ only in case are the same for the engine: such columns, such fields of structs and the own names of such
// tables all get a number appended, so that a statement never gets the data of another one. DB.Notes says which.
package engine

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
)

// Table is a table and its names in statements.
type Table struct {
	Names []string
	Table *arrowmap.Table
	// Files, if any, add a column "filename" with the file that each row comes from. The rows of the first file come first,
	// and so on.
	Files []FileRows
	// Where are conditions on columns: statements see only the rows for which they hold.
	Where []predicate.Condition
	// Hidden are columns that statements do not see.
	Hidden []string
}

// Catalog finds the tables that statements name. Its methods are not called at the same time.
type Catalog interface {
	// Tables returns the tables that are listed. It is called once, as soon as a statement names a table or lists them.
	Tables() ([]Table, error)

	// Find returns the tables that a name stands for which no listed table has, several where names differ in case only. It
	// returns none if there are none.
	Find(name string) ([]Table, error)
}

// List is a Catalog of tables that are all listed.
type List []Table

// Tables returns the list.
func (l List) Tables() ([]Table, error) { return l, nil }

// Find finds nothing.
func (l List) Find(string) ([]Table, error) { return nil, nil }

// Listing is a table with all names that it has in statements, of which the first is its own, and the schema of what a
// statement gets of it.
type Listing struct {
	Names  []string
	Schema *arrow.Schema
}

// FileRows is a file and the number of rows of a table that come from it.
type FileRows struct {
	Name string
	Rows int64
}

// FilenameColumn is the name of the column that Table.Files adds.
const FilenameColumn = "filename"

// Options limit what the engine may use. The zero value is the default.
type Options struct {
	Threads    int                   // of the engine; 0: one for each processor
	MaxMemory  int64                 // bytes, of which the engine gets half and every scan a quarter; 0: only the engine's own limit
	Access     bool                  // statements may reach files and the network, change settings and write
	NoPushdown bool                  // leave all conditions and casts to the engine
	Read       []arrowmap.ReadOption // how tables are read, besides memory
}

// ScanStats reports what one scan of a table read.
type ScanStats struct {
	Table string // its first name
	Rows  int64  // that were read
	// LateRows is the number of rows read of columns that are decoded only after rows have been chosen, 0 if there are none.
	LateRows int64
	Columns  []arrowmap.ColumnReport
}
