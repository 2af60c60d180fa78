package dtype

import (
	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
)

// Strings says what becomes of text. The zero value is the default.
type Strings uint8

// The ways to treat text.
const (
	StringsUTF8   Strings = iota // utf8; bytes that are not valid UTF-8 are an error
	StringsBinary                // binary, the bytes as they are
	StringsLatin1                // utf8, every byte read as a character of ISO 8859-1
)

var stringsNames = [...]string{"utf8", "binary", "latin1"}

// String returns the name that the command line uses.
func (s Strings) String() string { return types.Name("strings", stringsNames[:], int(s)) }

// Enum says what becomes of enumerations. The zero value is the default.
type Enum uint8

// The ways to treat enumerations. The one that means bool is bool in either.
const (
	EnumLabels Enum = iota // dictionary of the members' names
	EnumValues             // the integers
)

var enumModeNames = [...]string{"labels", "values"}

// String returns the name that the command line uses.
func (e Enum) String() string { return types.Name("enum", enumModeNames[:], int(e)) }

// Delivery is how a column's bytes become Arrow buffers. A Plan says Mapped, Swapped, Packed, Gathered, Converted or
// Refused; the other values are for what happens before a Plan sees the bytes.
type Delivery uint8

// The deliveries.
const (
	_         Delivery = iota
	Mapped             // the bytes are the Arrow buffer
	Realigned          // copied to an aligned address
	Swapped            // byte order reversed
	Packed             // byte booleans to bits
	Gathered           // members of a compound, or a column of a matrix, brought side by side
	Decoded            // taken out of filtered or scattered storage
	Converted          // another representation: strings, odd widths, UTF-32, ...
	Refused            // can't be delivered
)

var deliveryNames = [...]string{"invalid", "mapped", "realigned", "swapped", "packed", "gathered", "decoded", "converted", "refused"}

// String returns the name that `inspect` prints.
func (d Delivery) String() string { return types.Name("delivery", deliveryNames[:], int(d)) }

// Options are the caller's choices. The zero value is the documented default of each.
type Options struct {
	Strings   Strings
	Enum      Enum
	Tensor    bool // items of more than no dimension become arrow.fixed_shape_tensor instead of nested lists
	NaNAsNull bool // NaN is null, wherever a float stands
	NullRows  bool // a row of several items is null when one of its items is
}

// Source describes the elements that a Plan is for.
type Source struct {
	Type *h5.Type
	Dims []uint64 // shape of a row: the dataset's dimensions after the first

	DType      string // text of the dataset's attribute "dtype", "" when it has none
	HasDLength bool   // the dataset has an integer attribute "dlength"
	DLength    int64

	NoConvention    bool // read by the HDF5 type alone: DType and DLength are ignored
	Bitfield8AsBool bool // bitfields of one byte are booleans, as PyTables means them
	UnixTimes       bool // the time class is what PyTables makes of it: timestamps in seconds, or in microseconds
}
