package nullbitmap

import "fmt"

// Polarity says what a set element of a mask means: a non-zero element, a 1 bit. The zero value is invalid.
type Polarity uint8

// The polarities.
const (
	_          Polarity = iota
	SetIsNull           // set means missing: numpy's, vaex's and AnnData's masks
	SetIsValid          // set means present: Arrow's and vaex's bitmaps, LIGO's data quality bits, GDAL's mask bands
)

var polarityNames = [...]string{"invalid", "set is null", "set is valid"}

// String returns the name of the polarity.
func (p Polarity) String() string { return enumName("polarity", polarityNames[:], int(p)) }

// Mode says what becomes of the bits that the destination has already. The zero value is invalid.
type Mode uint8

// The modes.
const (
	_         Mode = iota
	Overwrite      // the bits are replaced
	Intersect      // the bits are and-ed: a value that was null stays null
)

var modeNames = [...]string{"invalid", "overwrite", "intersect"}

// String returns the name of the mode.
func (m Mode) String() string { return enumName("mode", modeNames[:], int(m)) }

// BitOrder says which bit of a byte comes first. The zero value is invalid.
type BitOrder uint8

// The bit orders.
const (
	_        BitOrder = iota
	LSBFirst          // value i is bit i%8 counted from the least significant: Arrow, vaex, numpy.packbits(bitorder="little")
	MSBFirst          // counted from the most significant: numpy.packbits by default
)

var bitOrderNames = [...]string{"invalid", "LSB first", "MSB first"}

// String returns the name of the bit order.
func (o BitOrder) String() string { return enumName("bit order", bitOrderNames[:], int(o)) }

// ByteOrder is the order of an element's bytes as stored. The zero value is invalid.
type ByteOrder uint8

// The byte orders.
const (
	_            ByteOrder = iota
	LittleEndian           // least significant byte first
	BigEndian              // most significant byte first
)

var byteOrderNames = [...]string{"invalid", "little-endian", "big-endian"}

// String returns the name of the byte order.
func (o ByteOrder) String() string { return enumName("byte order", byteOrderNames[:], int(o)) }

func enumName(what string, names []string, i int) string {
	if i < len(names) {
		return names[i]
	}
	return fmt.Sprintf("%s(%d)", what, i)
}
