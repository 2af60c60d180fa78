package h5

import (
	"encoding/binary"

	"github.com/h5arrow/h5arrow/h5/filter"
)

// Class is a datatype's class (specification, IV.A.2.d, "Class").
type Class uint8

// The datatype classes, one more than the number that the specification gives them.
const (
	_ Class = iota
	ClassFixed
	ClassFloat
	ClassTime
	ClassString
	ClassBitfield
	ClassOpaque
	ClassCompound
	ClassReference
	ClassEnum
	ClassVLen
	ClassArray
	ClassComplex
)

var classNames = [...]string{"invalid", "fixed-point", "floating-point", "time", "string", "bitfield", "opaque", "compound",
	"reference", "enumeration", "variable-length", "array", "complex"}

// String returns the class's name.
func (c Class) String() string { return name(classNames[:], int(c)) }

// name returns the name of an enumeration's value.
func name(names []string, v int) string {
	if v < len(names) {
		return names[v]
	}
	return names[0]
}

// ByteOrder is the order of an atomic type's bytes. The zero value is for types that have none.
type ByteOrder uint8

// The byte orders.
const (
	OrderNone ByteOrder = iota
	LittleEndian
	BigEndian
	VAX
)

// String returns the order's name.
func (o ByteOrder) String() string {
	return name([]string{"none", "little-endian", "big-endian", "VAX"}, int(o))
}

// Binary returns the standard library's counterpart; little-endian for OrderNone.
func (o ByteOrder) Binary() binary.ByteOrder {
	if o == BigEndian {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// StringPad is the padding of a fixed-length string (specification, IV.A.2.d, class 3).
type StringPad uint8

// The paddings of strings.
const (
	NullTerm StringPad = iota
	NullPad
	SpacePad
)

// CharSet is the character set of a string (specification, IV.A.2.d, class 3).
type CharSet uint8

// The character sets.
const (
	ASCII CharSet = iota
	UTF8
)

// RefKind is the kind of a reference.
type RefKind uint8

// The kinds of references (specification, IV.A.2.d, class 7).
const (
	RefObject1 RefKind = iota // an object's address
	RefRegion1                // a region in the global heap
	RefObject2                // version 4 types, HDF5 1.12
	RefRegion2
	RefAttribute2
)

// String returns the kind's name.
func (k RefKind) String() string {
	return name([]string{"object", "region", "new object", "new region", "attribute"}, int(k))
}

// Type is a datatype (specification, IV.A.2.d). It is immutable and may be shared.
type Type struct {
	Class Class
	Size  int // bytes of one element in the file

	Order     ByteOrder // Fixed, Float, Time, Bitfield, and the base of Enum
	Signed    bool      // Fixed
	BitOffset int       // Fixed, Float, Bitfield: lowest significant bit
	Precision int       // Fixed, Float, Bitfield, Time: significant bits
	Float     *FloatFields

	VarString bool      // VLen that is a string
	Pad       StringPad // String, and VLen strings
	CharSet   CharSet   // String, and VLen strings

	Tag     string   // Opaque
	Members []Member // Compound
	Ref     RefKind  // Reference

	Base   *Type    // Enum, VLen, Array, Complex
	Names  []string // Enum, in the file's order
	Values []byte   // Enum: len(Names) values of Base.Size bytes, as stored
	Dims   []uint64 // Array

	Committed bool // a named datatype of the file, or a reference to one
}

// FloatFields describes a floating-point layout (specification, IV.A.2.d, class 1). Positions are bit numbers
// counted from the least significant bit after byte order is undone.
type FloatFields struct {
	Sign, ExpLoc, ExpSize, MantLoc, MantSize int
	Bias                                     uint32
	Norm                                     uint8 // 0 none, 1 leading bit set, 2 leading bit implied
}

// Member is one field of a compound type (specification, IV.A.2.d, class 6).
type Member struct {
	Name   string
	Offset int // bytes from the start of the element
	Type   *Type
}

// SpaceClass is the kind of a dataspace (specification, IV.A.2.b).
type SpaceClass uint8

// The kinds of dataspaces.
const (
	_ SpaceClass = iota
	SpaceScalar
	SpaceSimple
	SpaceNull
)

// String returns the kind's name.
func (c SpaceClass) String() string {
	return name([]string{"invalid", "scalar", "simple", "null"}, int(c))
}

// Unlimited is the Max of a dimension that can grow without bound.
const Unlimited = ^uint64(0)

// Space is a dataspace (specification, IV.A.2.b): the shape of a dataset or attribute.
type Space struct {
	Class SpaceClass
	Dims  []uint64 // empty unless Simple
	Max   []uint64 // empty or as long as Dims
}

// Storage is the kind of a dataset's storage (specification, IV.A.2.i).
type Storage uint8

// The kinds of storage.
const (
	_                 Storage = iota
	StorageNone               // not allocated: every value is the fill value
	StorageCompact            // in the object header
	StorageContiguous         // one extent of the file
	StorageChunked
	StorageVirtual  // mapped from other datasets
	StorageExternal // extents of other files
)

var storageNames = [...]string{"invalid", "none", "compact", "contiguous", "chunked", "virtual", "external"}

// String returns the storage's name.
func (s Storage) String() string { return name(storageNames[:], int(s)) }

// ChunkIndex is the kind of a chunked dataset's index (specification, IV.A.2.i).
type ChunkIndex uint8

// The chunk indexes.
const (
	_ ChunkIndex = iota
	IndexBTree1
	IndexSingle
	IndexImplicit
	IndexFixedArray
	IndexExtensibleArray
	IndexBTree2
)

// String returns the index's name.
func (i ChunkIndex) String() string {
	return name([]string{"invalid", "btree-v1", "single", "implicit", "fixed-array", "extensible-array", "btree-v2"}, int(i))
}

// Layout describes where a dataset's values are stored (specification, IV.A.2.i). All extents of this file are inside it.
type Layout struct {
	Storage Storage

	Data   []byte // Compact: the values
	Offset int64  // Contiguous: absolute file offset
	Size   int64  // Contiguous: bytes; External: bytes in all

	ChunkDims  []uint64 // Chunked: elements of a chunk along each dimension
	ChunkBytes int64    // Chunked: bytes of a decoded chunk
	Index      ChunkIndex
	RawEdges   bool   // Chunked: partial edge chunks are stored unfiltered
	Element    uint64 // Chunked: bytes of an element by the layout message, if the type has another number; else 0

	External []ExternalExtent
	Virtual  []VirtualMapping
}

// Chunk is one allocated chunk of a chunked dataset.
type Chunk struct {
	Number     uint64 // row-major number in the grid of chunks that covers the current shape
	Offset     int64  // absolute file offset
	Size       int64  // stored bytes
	FilterMask uint32 // bit i set: filter i of the pipeline was not applied
}

// ChunkStart sets at to the index of the first element of a chunk, by its number, in a dataset of the dimensions dims, which is not
// empty. The layout is chunked.
func (l *Layout) ChunkStart(number uint64, dims, at []uint64) {
	for i := len(dims) - 1; i >= 0; i-- {
		n := (dims[i]-1)/l.ChunkDims[i] + 1
		at[i] = number % n * l.ChunkDims[i]
		number /= n
	}
}

// ExternalExtent is one piece of external raw storage (specification, IV.A.2.h), in the order of the data.
type ExternalExtent struct {
	Name   string // as stored: relative to the HDF5 file's directory
	Offset int64
	Size   int64 // -1: to the end of the file
}

// VirtualMapping maps a selection of a source dataset to a selection of the virtual one (specification, III.F).
type VirtualMapping struct {
	File    string // "." is the file itself
	Dataset string
	Source  Selection
	Virtual Selection
}

// Selection is a set of points of a dataspace (specification, VIII. Appendix D, "Dataspace Selection").
type Selection struct {
	All    bool
	None   bool
	Blocks []Hyperslab // union of regular hyperslabs; in row-major order of the whole selection
}

// Hyperslab is a regular selection: Count blocks of Block elements, Stride apart, from Start, in each dimension.
// Count and Block may be Unlimited in one dimension.
type Hyperslab struct {
	Start, Stride, Count, Block []uint64
}

// Filter is one filter of a chunked dataset's pipeline (specification, IV.A.2.l).
type Filter = filter.Spec

// IsComplex reports whether a compound type is a complex number as h5py and MATLAB write it: two members of one float type,
// r and i or real and imag, one after the other.
func (t *Type) IsComplex() bool {
	if t.Class != ClassCompound || len(t.Members) != 2 {
		return false
	}
	a, b := &t.Members[0], &t.Members[1]
	named := a.Name == "r" && b.Name == "i" || a.Name == "real" && b.Name == "imag"
	return named && a.Offset == 0 && a.Type.Class == ClassFloat && b.Type.Class == ClassFloat &&
		a.Type.Size == b.Type.Size && b.Offset == a.Type.Size && t.Size == 2*a.Type.Size
}
