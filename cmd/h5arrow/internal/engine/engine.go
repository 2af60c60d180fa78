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
// Names that differ only in case are the same for the engine: such columns after the first get a number appended to their
// names, such tables after the first lose their name.
package engine

import (
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
