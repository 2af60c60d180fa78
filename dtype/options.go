package dtype

import (
	"slices"

	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5"
)

// Strings says how text is represented in Arrow. The zero value is the default.
type Strings uint8

// The ways to treat text.
const (
	StringsUTF8   Strings = iota // utf8; bytes that are not valid UTF-8 are an error
	StringsBinary                // binary, the bytes as they are
	StringsLatin1                // utf8, every byte read as a character of ISO 8859-1
)

var stringsNames = [...]string{"utf8", "binary", "latin1"}

// String returns the name of the choice.
func (s Strings) String() string { return types.Name("strings", stringsNames[:], int(s)) }

// Enum says how enumerations are represented in Arrow. The zero value is the default.
type Enum uint8

// The ways to treat enumerations. Under both, the enumeration {FALSE=0, TRUE=1} of one byte is bool.
const (
	EnumLabels Enum = iota // dictionary of the members' names
	EnumValues             // the integers
)

var enumModeNames = [...]string{"labels", "values"}

// String returns the name of the choice.
func (e Enum) String() string { return types.Name("enum", enumModeNames[:], int(e)) }

// Delivery is how a column's bytes become Arrow buffers. A Plan has Mapped, Swapped, Packed, Gathered or Converted; the
// other values are for what happens before a Plan gets the bytes.
type Delivery uint8

// The deliveries.
const (
	_         Delivery = iota
	Mapped             // the bytes are the Arrow buffer
	Realigned          // copied to an aligned address
	Swapped            // byte order reversed
	Packed             // byte booleans to bits
	Gathered           // members of a compound, or a column of a matrix, copied to adjacent bytes
	Decoded            // read from filtered or scattered storage
	Converted          // another representation: strings, odd widths, UTF-32, ...
	Refused            // can't be delivered
)

var deliveryNames = [...]string{"invalid", "mapped", "realigned", "swapped", "packed", "gathered", "decoded", "converted", "refused"}

// String returns the delivery's name in lower case.
func (d Delivery) String() string { return types.Name("delivery", deliveryNames[:], int(d)) }

// Options are the caller's choices. The zero value is the documented default of each.
type Options struct {
	Strings   Strings
	Enum      Enum
	Tensor    bool // rows with at least one inner dimension become arrow.fixed_shape_tensor instead of nested lists
	NaNAsNull bool // NaN is null, also inside other types
	NullRows  bool // a row of several items is null when any of its items is
}

// Source describes the elements that a Plan is for.
type Source struct {
	Type *h5.Type
	Dims []uint64 // shape of a row: extents of the dataset's dimensions after the first

	DType      string // text of the dataset's attribute "dtype", "" without one
	Units      string // text of the attribute "units", "" without one: the stored unit where DType is a timedelta64
	HasDLength bool   // the dataset has an integer attribute "dlength"
	DLength    int64

	NoConvention    bool // only Type counts: DType and DLength are ignored
	Bitfield8AsBool bool // bitfields of one byte are booleans, as PyTables means them
	WholeText       bool // variable-length text is as long as its length says: NULs in it are text
	UnixTimes       bool // the time class has PyTables' meaning: timestamps in seconds (4 bytes) or microseconds (8 bytes)
}

// Equal reports whether two sources describe the same elements. Types are compared by identity.
func (s Source) Equal(t Source) bool {
	return s.Type == t.Type && slices.Equal(s.Dims, t.Dims) && s.DType == t.DType && s.Units == t.Units &&
		s.HasDLength == t.HasDLength && s.DLength == t.DLength && s.NoConvention == t.NoConvention &&
		s.Bitfield8AsBool == t.Bitfield8AsBool && s.WholeText == t.WholeText && s.UnixTimes == t.UnixTimes
}
