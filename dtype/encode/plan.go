package encode

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Part is the part of a column that a dataset belongs to.
type Part uint8

// The parts.
const (
	PartColumn  Part = iota // the column itself
	PartIndices             // the indices of a dictionary column
	PartLabels              // the labels of a dictionary column
)

var partNames = [...]string{"column", "indices", "labels"}

// String returns the part's name.
func (p Part) String() string { return types.Name("part", partNames[:], int(p)) }

// Role is what a dataset holds.
type Role uint8

// The roles.
const (
	_           Role = iota
	RoleData         // the values
	RoleMask         // a boolean per item, true where it is missing
	RoleBitmap       // a bit per item, 1 where it is valid
	RoleOffsets      // where each string starts in the data, and where the last ends
)

var roleNames = [...]string{"invalid", "data", "mask", "bitmap", "offsets"}

// String returns the role's name.
func (r Role) String() string { return types.Name("role", roleNames[:], int(r)) }

// Dataset describes one dataset of a column.
type Dataset struct {
	Part Part
	Role Role
	Type *h5.Type
	Dims []uint64 // extents of the dimensions after the first

	// DType is what the elements mean where Type does not say it, as in dtype.Source: "datetime64[ns]" and the like,
	// "str" for bytes that the dataset of offsets divides into values, "utf32" for code points, of which the last of
	// Dims makes a value. "" for all others.
	DType    string
	Zone     string // time zone of timestamps, "" without one
	Sentinel []byte // the element, as stored, that means null; nil: none, NaN or NaT

	// Optional datasets need not be written when nothing is null: Encode returns nil Bytes for them.
	Optional bool

	// The elements of Flat datasets point to the heap. Encode returns them in flat form, one after the other: a variable
	// string as its length in bytes (8 bytes, little-endian) and its bytes, a sequence as its number of elements (the
	// same) and its elements, a compound as its members without padding, an array as its items.
	Flat bool
}

// Plan knows which datasets represent a column, and makes their bytes. It is immutable and may be used by several
// goroutines at once.
type Plan struct {
	Datasets []Dataset // the data (of a dictionary column: the indices) come first

	Nulls    Nulls          // how nulls are represented; never NullsAuto
	Arrow    arrow.DataType // what reading the column gives; Reason says why where that is not the field's own type
	Read     dtype.Options  // what must be chosen on reading for that
	Delivery dtype.Delivery // Mapped: the array's buffers are used as they are where nothing is null
	Reason   string         // why it isn't Mapped, and what is lost; "" when nothing is

	name  string
	items int64 // of a row
	root  column
}

// column makes the contents of a plan's datasets.
type column interface {
	encode(a arrow.Array) ([]Contents, error)
}

// Contents is what one dataset holds.
type Contents struct {
	Rows  uint64 // extent of the first dimension
	Bytes []byte // the elements as stored, or in flat form; may be the array's own memory, and must not be changed
}

// New returns the plan for storing arrays of a field in HDF5. Errors name the field. They are of kind Unsupported for
// types that HDF5 has no counterpart for, Argument for options that are out of range or contradict the type.
func New(f arrow.Field, o Options) (*Plan, error) {
	p, err := newPlan(f, o, 0)
	return p, h5err.In(err, "", f.Name)
}

// Encode makes the contents of each of p.Datasets, in that order, from an array of the field's type, which may be a
// slice with any offset. Values are stored exactly, or Encode returns an error that names the row: for text with NULs
// where HDF5 ends at one, values that do not fit the chosen width, a valid value that equals the sentinel, nulls inside
// a struct or a list, labels that are not members of the enumeration. Values under a null never cause an error and are
// not written.
//
// Errors count rows from row0 on. The result may share memory with a, and is valid as long as a is.
func (p *Plan) Encode(a arrow.Array, row0 int64) ([]Contents, error) {
	c, err := p.root.encode(a)
	if err != nil {
		return nil, element.Place(err, row0, p.items, p.name)
	}
	return c, nil
}
