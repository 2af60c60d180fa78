package convention

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/unit"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/grid"
)

// Plain is the elements of a dataset, or a part of each: a member of a compound type, an item of a row, an item of a
// member. It is made by NewPlain, NewStored, NewItem, NewMember or NewMemberItem; other fields may be set after that.
type Plain struct {
	Data   *h5.Dataset
	Member int // number of the member of a compound type, Whole for the whole element
	Item   int // number of the item of a row of several (or of a member of array type), Whole for all of them

	// As, when not nil, is the type that the bytes are read as, and RowDims the shape of its items in a row, instead of
	// the dataset's own: characters in a row as one string, for instance. A row keeps its number of bytes.
	As      *h5.Type
	RowDims []uint64

	// Order, when not nil, makes the rows those of an order of the cells of the dataset's first dimensions.
	Order *grid.Order

	DType   string // the attribute dtype, "" for none
	Units   string // the attribute units beside a DType of timedelta64: the unit of the stored values
	DLength int64  // the attribute dlength, if HasDLength
	Zone    string // time zone of timestamps, "" for none
	Nulls   []Null

	HasDLength bool // there is an attribute dlength
	Squeeze    bool // leading dimensions of 1 are dropped: a dataset of shape (1, N) has N rows
	OneRow     bool // one row of all elements, which As reads as one
	Bools      bool // bitfields of 8 bits are booleans
	Times      bool // elements of the time class are PyTables': seconds, or seconds and microseconds
	Latin1     bool // text is ISO 8859-1, unless the caller wants bytes
	WholeText  bool // NULs in text of variable length are text
}

// Whole is the Member or Item of a Plain that is not a part.
const Whole = -1

// Main returns Data.
func (p *Plain) Main() *h5.Dataset { return p.Data }

// NewStored describes the elements of a dataset as they are stored, whatever its attributes say.
func NewStored(d *h5.Dataset) *Plain {
	return &Plain{Data: d, Member: Whole, Item: Whole}
}

// ItemDims is the shape of a row.
func (p *Plain) ItemDims() []uint64 {
	if p.Order != nil {
		return p.Data.Dims()[len(p.Order.Shape()):]
	}
	return p.Data.RowDims()
}

// NewItem describes an item of each row of a dataset.
func NewItem(d *h5.Dataset, item int) *Plain {
	return &Plain{Data: d, Member: Whole, Item: item}
}

// NewMember describes a member of a compound dataset.
func NewMember(d *h5.Dataset, member int) *Plain {
	return &Plain{Data: d, Member: member, Item: Whole}
}

// NewMemberItem describes an item of a member of a compound dataset that is of array type.
func NewMemberItem(d *h5.Dataset, member, item int) *Plain {
	return &Plain{Data: d, Member: member, Item: item}
}

// Bounds says what a dataset of offsets counts.
type Bounds uint8

// The ways in which offsets are stored.
const (
	BoundsBoth   Bounds = iota // one more than there are rows: row i is the items [Offsets[i], Offsets[i+1])
	BoundsStarts               // where each row starts; it ends where the next one starts, the last with the items
	BoundsEnds                 // where each row ends; it starts where the one before ends, the first at 0
)

var boundsNames = [...]string{"both", "starts", "ends", "invalid"}

// String returns its name.
func (b Bounds) String() string { return boundsNames[min(int(b), len(boundsNames)-1)] }

// Strings is text as Arrow stores it, or similar: bytes, and offsets as Bounds says.
type Strings struct {
	Data    *h5.Dataset
	Offsets *h5.Dataset
	Bounds  Bounds
	NulEnds bool // each text ends in a NUL, which is not part of it
	Binary  bool // it is not text but bytes
	Nulls   []Null
}

// Main returns Data.
func (s *Strings) Main() *h5.Dataset { return s.Data }

// Dictionary is labels, and for each row the index of its label.
type Dictionary struct {
	Indices Values // integers
	Labels  Values // all of them make one dictionary
	Ordered bool
	Dense   bool // every row gets its label; the column has the labels' type, and no dictionary
}

// Main returns the dataset of the indices.
func (d *Dictionary) Main() *h5.Dataset { return d.Indices.Main() }

// List is a list per row: a run of Items, bounded by Offsets. Several Items make a struct.
type List struct {
	Offsets *h5.Dataset // of integers; as many as Bounds says
	Bounds  Bounds
	Items   []Column
}

// Main returns the dataset of the first items.
func (l *List) Main() *h5.Dataset { return l.Items[0].Values.Main() }

// Cells is a value for each row in a dataset of its own, such as those that a list of references points to.
type Cells struct {
	Data   *h5.Dataset // reported for the column; nothing is read from it
	Rows   []Cell
	Type   *h5.Type // of the elements of all cells; its size is that of the stored elements
	Single bool     // a row is one element, not a list of elements
}

// Cell is the place of a row's values.
type Cell struct {
	Address uint64 // of the dataset
	Items   int64  // its elements, NoItems for null
}

// NoItems is the number of items of a Cell that is null.
const NoItems = -1

// Main returns Data.
func (c *Cells) Main() *h5.Dataset { return c.Data }

// Transposed is the elements of a dataset whose last dimension is the rows: all dimensions are reversed, as column-major
// writers store them.
type Transposed struct {
	Data  *h5.Dataset
	As    *h5.Type // as in Plain
	DType string
	Nulls []Null
}

// Main returns Data.
func (t *Transposed) Main() *h5.Dataset { return t.Data }

// Derived is computed from other values, array by array.
type Derived struct {
	Of     Values
	Type   arrow.DataType // nil: that of Of
	Reason string         // what is computed, in words, for the report
	Nulls  string         // which values become null, in words; "" if none do

	// Compute makes an array of Type, of the length of in, which it does not keep. Its errors count rows from row0. An
	// error beside an array is about a value that is null in it because it makes no sense.
	// It may be called by several goroutines at once.
	Compute func(in arrow.Array, row0 int64, mem memory.Allocator) (arrow.Array, error)
}

// Main returns the main dataset of Of.
func (d *Derived) Main() *h5.Dataset { return d.Of.Main() }

// Padded is values of which some are missing at the end: rows that were never written, and items at the end of rows.
type Padded struct {
	Of   Values
	Rows int64    // at least those of Of
	Dims []uint64 // the shape of a row, at least that of Of in each dimension; nil: that of Of
	Text bool     // missing text is empty; otherwise it is null, as all other values are
}

// Main returns the main dataset of Of.
func (p *Padded) Main() *h5.Dataset { return p.Of.Main() }

// Empty is a column without rows, whatever its dataset holds.
type Empty struct {
	Data *h5.Dataset
	Type arrow.DataType
}

// Main returns Data.
func (e *Empty) Main() *h5.Dataset { return e.Data }

// NewPlain describes the elements of a dataset by the attributes that give them a meaning: dtype, dlength and, for
// timestamps, the zone.
func NewPlain(d *h5.Dataset) (*Plain, error) {
	p := NewStored(d)
	a, err := d.Attribute("dtype")
	if err != nil || a == nil {
		return p, err
	}
	var ok bool
	if p.DType, ok = a.Text(); !ok {
		return nil, object.Corrupt(d, "the attribute dtype is not text")
	}
	if _, err := dtype.NumpyType(p.DType); err != nil && named(d, "dims", "shape") {
		p.DType = "" // scipp's own names: the stored type says what the values are
	}
	if u, ok := unit.Read(d); ok && p.DType == "datetime64" && u.Instants() != "" {
		p.DType = u.Instants() // scipp has the unit in an attribute of its own
	}
	if strings.Contains(p.DType, "timedelta64") {
		p.Units = object.Text(d, "units")
	}
	if strings.Contains(p.DType, "datetime64") {
		p.Zone = object.Text(d, dtype.ZoneAttribute)
	}
	if a, err = d.Attribute("dlength"); err != nil || a == nil {
		return p, err
	}
	if p.DLength, p.HasDLength = a.Int(); !p.HasDLength && p.DType == "utf32" {
		return nil, object.Corrupt(d, "the attribute dlength is not an integer")
	}
	return p, nil
}

// named reports whether an object has an attribute of each name.
func named(o h5.Object, names ...string) bool {
	for _, n := range names {
		if a, err := o.Attribute(n); err != nil || a == nil {
			return false
		}
	}
	return true
}
