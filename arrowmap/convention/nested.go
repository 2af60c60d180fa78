package convention

import (
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/grid"
)

// Grouped is a list of Size values for each row: the values one row after the other.
type Grouped struct {
	Of   Values
	Size int64 // at least 1
}

// Main returns the main dataset of Of.
func (g *Grouped) Main() *h5.Dataset { return g.Of.Main() }

// Taken is for each row the value of that number in Of; a negative number is null. Numbers of values that are not of fixed
// width must ascend.
type Taken struct {
	Index *h5.Dataset // of integers
	Of    Values
}

// Main returns Index.
func (t *Taken) Main() *h5.Dataset { return t.Index }

// Spread is the values of an array for each cell of another array, which has its dimensions and others. A cell that the array does
// not have is null, or empty text.
type Spread struct {
	Of    Values // its rows are those of Cells.Order()
	Cells *grid.Projection
	Kept  bool // all values of Of are read once in a pass, and kept
	Text  bool // text that the array does not have is empty, not null
}

// Main returns the main dataset of Of.
func (s *Spread) Main() *h5.Dataset { return s.Of.Main() }

// Masked is values of any kind with further nulls.
type Masked struct {
	Of    Values
	Nulls []Null // with an entry a row; there is no NullRule among them
}

// Main returns the main dataset of Of.
func (m *Masked) Main() *h5.Dataset { return m.Of.Main() }
