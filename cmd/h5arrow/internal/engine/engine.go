// Package engine answers SQL over tables by an embedded DuckDB.
//
// Each table is a view over a table function of our own. The engine asks it for the columns that a statement uses, and
// pulls rows only as long as it needs them; nothing is loaded before. Rows are copied into the engine's vectors, a few
// thousand at a time, by Go code that stands a file which is cut short meanwhile: the engine never touches the mapping.
//
// The engine is there in builds with the tag duckdb_arrow and cgo. In others, Open returns an error of kind Unsupported
// that says how to get it.
//
// # Types
//
// Integers, floats, booleans, text, bytes, dates, lists and structs are the engine's types of the same name. Beyond
// that: half_float is FLOAT; a dictionary is what its values are; a timestamp without a zone keeps its unit, one with a
// zone is TIMESTAMP WITH TIME ZONE, which has microseconds; a duration is an INTERVAL, which has microseconds too, and
// nanoseconds are rounded down to them; a list of fixed size is an ARRAY of up to 1024 items, else a LIST. A column of
// any other type, or one that can't be read, is an error for statements that use it, and for no others.
//
// # What is not promised
//
// Names that differ by case alone are the same for the engine: of such columns the later ones get a number behind their
// name, of such tables only the first has its name.
package engine

import (
	"github.com/h5arrow/h5arrow/arrowmap"
)

// Table is a table and the names that statements may call it by.
type Table struct {
	Names []string
	Table *arrowmap.Table
	// Files, when there are any, add a column "filename" that names the file each row comes from. They stand for the rows
	// of the table one after the other.
	Files []FileRows
}

// FileRows is a file and how many rows of a table are from it.
type FileRows struct {
	Name string
	Rows int64
}

// FilenameColumn is the name of the column that Table.Files adds.
const FilenameColumn = "filename"

// Options says what the engine may use. The zero value is good.
type Options struct {
	Threads    int                   // of the engine; 0: one for each processor
	MaxMemory  int64                 // bytes, of which the engine gets half and every scan a quarter; 0: no bound but the engine's own
	Access     bool                  // statements may reach files and the network, change settings and write
	NoPushdown bool                  // leave all conditions and casts to the engine
	Read       []arrowmap.ReadOption // how tables are read, beside memory
}

// ScanStats says what one scan of a table read.
type ScanStats struct {
	Table string // its first name
	Rows  int64  // that were read
	// LateRows is how many rows were read of the columns that were left until rows had been chosen, where there are such.
	LateRows int64
	Columns  []arrowmap.ColumnReport
}
