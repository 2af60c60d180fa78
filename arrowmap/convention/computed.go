package convention

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5"
)

// Computed is computed from all values of others at once, of which there may be other numbers than rows. The column is
// in memory as a whole while the table is read.
type Computed struct {
	Data   *h5.Dataset // reported for the column
	Of     []Values
	Rows   int64
	Type   arrow.DataType
	Reason string // what is computed, in words, for the report

	// Compute makes an array of Type and of Rows rows. It does not keep in.
	Compute func(in []arrow.Array, mem memory.Allocator) (arrow.Array, error)
}

// Main returns Data.
func (c *Computed) Main() *h5.Dataset { return c.Data }

// Generated is values that are not stored: a rule makes them from the numbers of the rows.
type Generated struct {
	Data   *h5.Dataset // reported for the column; nil where there is none
	Rows   int64
	Type   arrow.DataType
	Reason string // the rule, in words, for the report

	// Generate makes an array of Type for the rows [lo,hi). It may be called by several goroutines at once.
	Generate func(lo, hi int64, mem memory.Allocator) (arrow.Array, error)
}

// Main returns Data.
func (g *Generated) Main() *h5.Dataset { return g.Data }

// Struct is several columns of one length as one. None of its rows is null, though the fields' may be.
type Struct struct {
	Data   *h5.Dataset // reported for the column
	Fields []Column    // at least one
}

// Main returns Data.
func (s *Struct) Main() *h5.Dataset { return s.Data }
