package convention

import (
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// NullKind is the kind of a source of nulls.
type NullKind uint8

// The sources of nulls.
const (
	_          NullKind = iota
	NullMask            // a dataset of integers or booleans, non-zero where a value is missing
	NullBitmap          // a dataset of bytes, a bit a value, by default 0 (least significant first) where it is missing
	NullRule            // a rule over the stored values themselves
)

var nullKindNames = [...]string{"invalid", "mask", "bitmap", "rule"}

// String returns the kind's name.
func (k NullKind) String() string { return nullKindNames[min(int(k), len(nullKindNames)-1)] }

// Null is one source of nulls. A value is null when any of its sources marks it.
type Null struct {
	Kind NullKind
	Data *h5.Dataset     // Mask, Bitmap
	Part *h5.Member      // Mask: the member of a compound Data that it is; nil for whole elements
	Rule nullbitmap.Rule // Rule, over stored bytes; Mask, over its entries: the zero Rule is "not zero is missing"
	Text string          // Rule, in words

	Bits nullbitmap.BitOrder // Bitmap: which bit of a byte comes first; 0 is the least significant
	Set  nullbitmap.Polarity // Bitmap: what a 1 means; 0 is that the value is there
}
