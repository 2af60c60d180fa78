package convention

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5"
)

// Computed is a column that is computed as a whole, once in a pass over a table, with the other columns of its block. It is
// in memory while the table is read.
type Computed struct {
	Data   *h5.Dataset // reported for the column
	Rows   int64
	Type   arrow.DataType
	Reason string // what is computed, in words, for the report
	Block  *Block
	Item   int // number of the column in the block
}

// Main returns Data.
func (c *Computed) Main() *h5.Dataset { return c.Data }

// Block is columns that are computed together.
type Block struct {
	Of    []Values // all their values are read, of which there may be other numbers than rows
	Bytes int64    // that Compute reads beside them, of the columns' Data

	// Compute makes the arrays of all columns, of their types and numbers of rows, which the caller releases. It does not keep
	// in. No array is to be larger than limit, 0 for no bound. It may be called by several goroutines at once.
	Compute func(in []arrow.Array, mem memory.Allocator, limit int64) ([]arrow.Array, error)
}

// Alone returns the block of one column that is computed from others.
func Alone(compute func(in []arrow.Array, mem memory.Allocator) (arrow.Array, error), of ...Values) *Block {
	return &Block{Of: of, Compute: func(in []arrow.Array, mem memory.Allocator, _ int64) ([]arrow.Array, error) {
		a, err := compute(in, mem)
		if err != nil {
			return nil, err
		}
		return []arrow.Array{a}, nil
	}}
}

// Generated is values that are not stored: a rule makes them from the numbers of the rows.
type Generated struct {
	Data   *h5.Dataset // reported for the column; nil where there is none
	Rows   int64
	Type   arrow.DataType
	Reason string // the rule, in words, for the report

	Constant bool // all rows have the same value, or are null

	// Repeats is what describes the same values as repeated ones of a *Generated; nil: they are not known to be.
	Repeats *Spread

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

// AllNull describes a column of Arrow's type null, with a row for each one of a dataset.
func AllNull(d *h5.Dataset) *Generated {
	g := Missing(d.Rows())
	g.Data, g.Reason = d, "every value is null"
	return g
}

// Missing describes a column that a file does not have, of Arrow's type null.
func Missing(rows int64) *Generated {
	return &Generated{Rows: rows, Type: arrow.Null, Reason: "the file has no such column",
		Generate: func(lo, hi int64, _ memory.Allocator) (arrow.Array, error) { return array.NewNull(int(hi - lo)), nil }}
}
