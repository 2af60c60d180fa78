package encode

import (
	"math"

	"github.com/h5arrow/h5arrow/dtype/internal/types"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Nulls says how a column's nulls are represented in HDF5. The zero value is the default.
type Nulls uint8

// The representations of nulls.
const (
	NullsAuto     Nulls = iota // as the field's metadata say (dtype.MetaNulls); else a bitmap, or a mask for N-D rows
	NullsBitmap                // a bit per item, least significant first, 1 is valid; bits after the last are zero
	NullsMask                  // a boolean per item, true is missing
	NullsSentinel              // a value of the data: NaN, NaT, or Options.Sentinel
)

var nullsNames = [...]string{"auto", "bitmap", "mask", "sentinel"}

// String returns the representation's name.
func (n Nulls) String() string { return types.Name("nulls", nullsNames[:], int(n)) }

// Text says how text is stored in HDF5. The zero value is the default.
type Text uint8

// The ways to store text.
const (
	TextArrow  Text = iota // as Arrow has it: the bytes of all values, and offsets into them; in the heap inside other types
	TextFixed              // UTF-8 in cells of TextWidth bytes, padded with NULs
	TextUTF32              // cells of TextWidth code points of 32 bits, padded with NULs
	TextLatin1             // ISO 8859-1 in cells of TextWidth bytes, padded with NULs
	TextHeap               // variable strings in the heap
)

var textNames = [...]string{"arrow", "fixed", "utf32", "latin1", "heap"}

// String returns the way's name.
func (t Text) String() string { return types.Name("text", textNames[:], int(t)) }

// Categories says what becomes of dictionary columns. The zero value is the default.
type Categories uint8

// The ways to store dictionaries.
const (
	CategoriesAuto       Categories = iota // an enumeration where the labels are known beforehand, else indices and labels
	CategoriesEnum                         // an enumeration, of Options.Labels or the members in the field's metadata
	CategoriesDictionary                   // datasets of indices and of labels
)

var categoriesNames = [...]string{"auto", "enum", "dictionary"}

// String returns the way's name.
func (c Categories) String() string { return types.Name("categories", categoriesNames[:], int(c)) }

// Options are the choices in encoding. The zero value is the documented default of each.
type Options struct {
	Nulls    Nulls
	Sentinel []byte // NullsSentinel: the element that means null, little-endian; nil: NaN, NaT

	Text      Text
	TextWidth int // bytes of a cell, or code points under TextUTF32; the function TextWidth measures arrays

	Categories Categories
	Labels     []string // of enumerations: their values are 0, 1, ...

	Width       int // bytes of stored integers or floats, 0: those of the Arrow type; a value that does not fit is an error
	OffsetWidth int // bytes of the offsets of text, 4 or 8, 0: those of the Arrow type
}

// check returns an error of kind Argument for options out of range.
func (o *Options) check() error {
	bad := func(format string, args ...any) error { return h5err.New(h5err.Argument, format, args...) }
	switch {
	case o.Nulls > NullsSentinel:
		return bad("%v", o.Nulls)
	case o.Text > TextHeap:
		return bad("%v", o.Text)
	case o.Categories > CategoriesDictionary:
		return bad("%v", o.Categories)
	case o.Width != 0 && o.Width != 1 && o.Width != 2 && o.Width != 4 && o.Width != 8:
		return bad("numbers of %d bytes", o.Width)
	case o.OffsetWidth != 0 && o.OffsetWidth != 4 && o.OffsetWidth != 8:
		return bad("offsets of %d bytes", o.OffsetWidth)
	case o.Sentinel != nil && o.Nulls != NullsSentinel:
		return bad("a sentinel for nulls by %v", o.Nulls)
	case o.TextWidth < 0 || o.TextWidth > math.MaxInt32/4:
		return bad("text of width %d", o.TextWidth)
	}
	return nil
}
