package format

import (
	"math"
	"math/bits"
	"unicode/utf8"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// MaxRank is the maximum number of dimensions in the HDF5 library.
const MaxRank = 32

// The types of header messages (specification, IV.A.2).
const (
	MsgDataspace     = 0x01
	MsgLinkInfo      = 0x02
	MsgDatatype      = 0x03
	MsgFill          = 0x05
	MsgLink          = 0x06
	MsgExternalFiles = 0x07
	MsgLayout        = 0x08
	MsgGroupInfo     = 0x0a
	MsgFilters       = 0x0b
	MsgAttribute     = 0x0c
	MsgSymbolTable   = 0x11
	MsgAttributeInfo = 0x15
	MsgLinks         = 0x16
	MsgFileSpace     = 0x17
)

// Elements returns the number of elements of a dataspace that is to be written, and checks it. More than 2^63 bytes of elements of
// a size are an error.
func Elements(s *h5.Space, size int) (uint64, error) {
	switch s.Class {
	case h5.SpaceNull, h5.SpaceScalar:
		if len(s.Dims)+len(s.Max) > 0 {
			return 0, h5err.New(h5err.Argument, "a %v dataspace with dimensions", s.Class)
		}
		if s.Class == h5.SpaceNull {
			return 0, nil
		}
		return 1, nil
	case h5.SpaceSimple:
	default:
		return 0, h5err.New(h5err.Argument, "a dataspace without a class")
	}
	if n := len(s.Dims); n == 0 || n > MaxRank || len(s.Max) != 0 && len(s.Max) != n {
		return 0, h5err.New(h5err.Argument, "a dataspace of %d dimensions and %d maximums", n, len(s.Max))
	}
	n, over := uint64(1), false
	zero := false
	for i, d := range s.Dims {
		if d == h5.Unlimited || len(s.Max) > 0 && s.Max[i] < d {
			return 0, h5err.New(h5err.Argument, "dimension %d is %d, its maximum %d", i, d, s.Max)
		}
		zero = zero || d == 0
		hi, lo := bits.Mul64(n, max(d, 1))
		over = over || hi != 0
		n = lo
	}
	if zero {
		return 0, nil
	}
	if hi, lo := bits.Mul64(n, uint64(size)); over || hi != 0 || lo > math.MaxInt64 {
		return 0, h5err.New(h5err.Argument, "a shape of %v elements of %d bytes is too large", s.Dims, size)
	}
	return n, nil
}

// Space returns a dataspace message (IV.A.2.b). Elements must have checked it.
func Space(s *h5.Space, old bool) (*Block, error) {
	b := &Block{}
	flags := uint8(0)
	if len(s.Max) > 0 {
		flags = 1
	}
	switch {
	case !old:
		b.U8(2)
		b.U8(uint8(len(s.Dims)))
		b.U8(flags)
		b.U8(uint8(s.Class - 1))
	case s.Class == h5.SpaceNull:
		return nil, h5err.New(h5err.Unsupported, "a null dataspace in a file for HDF5 before 1.8")
	default:
		b.U8(1)
		b.U8(uint8(len(s.Dims)))
		b.U8(flags)
		b.Zeros(5)
	}
	for _, d := range s.Dims {
		b.U64(d)
	}
	for _, d := range s.Max {
		b.U64(d)
	}
	return b, nil
}

// The times at which the library allocates storage.
const (
	AllocEarly       = 1
	AllocLate        = 2
	AllocIncremental = 3
)

// Fill returns a fill value message (IV.A.2.f); a nil value is the default, zeros.
func Fill(value *Block, alloc uint8, old bool) *Block {
	const ifSet = 2 // written where a program sets it
	b := &Block{}
	if old {
		b.U8(2)
		b.U8(alloc)
		b.U8(ifSet)
		b.U8(1)
		if value == nil {
			value = &Block{}
		}
		b.U32(uint32(len(value.Data)))
		b.Block(value)
		return b
	}
	b.U8(3)
	flags := alloc | ifSet<<2
	if value == nil {
		b.U8(flags)
		return b
	}
	b.U8(flags | 1<<5)
	b.U32(uint32(len(value.Data)))
	b.Block(value)
	return b
}

// Filters returns a filter pipeline message (IV.A.2.l).
func Filters(specs []h5.Filter, old bool) (*Block, error) {
	if len(specs) > 32 {
		return nil, h5err.New(h5err.Argument, "%d filters; at most 32 are possible", len(specs))
	}
	b := &Block{}
	b.U8(2)
	b.U8(uint8(len(specs)))
	if old {
		b.Data[0] = 1
		b.Zeros(6)
	}
	for _, s := range specs {
		if len(s.Values) > math.MaxUint16 || len(s.Name) > 1024 {
			return nil, h5err.New(h5err.Argument, "filter %d with %d values", s.ID, len(s.Values))
		}
		name := 0
		if s.Name != "" {
			name = len(s.Name) + 1
		}
		if old {
			name = (name + 7) &^ 7
		}
		b.U16(s.ID)
		named := old || s.ID >= 256
		if named {
			b.U16(uint16(name))
		}
		flags := uint16(0)
		if s.Optional {
			flags = 1
		}
		b.U16(flags)
		b.U16(uint16(len(s.Values)))
		if named && name > 0 {
			b.Text(s.Name)
			b.Zeros(name - len(s.Name))
		}
		for _, v := range s.Values {
			b.U32(v)
		}
		if old && len(s.Values)%2 != 0 {
			b.U32(0)
		}
	}
	return b, nil
}

// charset returns the character set of a name.
func charset(s string) uint8 {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return uint8(h5.UTF8)
		}
	}
	return uint8(h5.ASCII)
}

// Attribute returns an attribute message (IV.A.2.m). shared means that typ refers to a committed datatype.
func Attribute(name string, typ *Block, shared bool, space, data *Block, old bool) *Block {
	b := &Block{}
	pad := func(int) {}
	switch {
	case old && shared:
		b.U8(2) // version 1 has no shared types
		b.U8(1)
	case old:
		b.U8(1)
		b.U8(0)
		pad = func(at int) { b.Pad(at, 8) }
	default:
		b.U8(3)
		b.U8(map[bool]uint8{true: 1}[shared])
	}
	b.U16(uint16(len(name) + 1))
	b.U16(uint16(len(typ.Data)))
	b.U16(uint16(len(space.Data)))
	if !old {
		b.U8(charset(name))
	}
	at := len(b.Data)
	b.CString(name)
	pad(at)
	at = len(b.Data)
	b.Block(typ)
	pad(at)
	at = len(b.Data)
	b.Block(space)
	pad(at)
	b.Block(data)
	return b
}

// Shared returns the body of a shared message: a reference to the object header that has the message (IV.A.2, "Shared Message").
func Shared(to *Block) *Block {
	b := &Block{}
	b.U8(2)
	b.U8(2)
	b.Ref(to)
	return b
}

// Link is a link of a group.
type Link struct {
	Name   string
	Order  int64  // creation order
	Class  uint8  // what it is, as stored
	Object *Block // LinkHard: the object header
	Data   string // others: what the class stores
}

// The classes of links. Those from 65 on are users' own.
const (
	LinkHard     = 0
	LinkSoft     = 1
	LinkExternal = 64
)

// ExternalTarget returns what an external link stores.
func ExternalTarget(file, target string) string { return "\x00" + file + "\x00" + target + "\x00" }

// message returns a link message (IV.A.2.g).
func (l *Link) message(ordered bool) *Block {
	b := &Block{}
	width := 1
	flags := uint8(0)
	if len(l.Name) > math.MaxUint8 {
		width, flags = 2, 1
	}
	if ordered {
		flags |= 4
	}
	if l.Class != LinkHard {
		flags |= 8
	}
	if charset(l.Name) != 0 {
		flags |= 16
	}
	b.U8(1)
	b.U8(flags)
	if l.Class != LinkHard {
		b.U8(l.Class)
	}
	if ordered {
		b.U64(uint64(l.Order))
	}
	if flags&16 != 0 {
		b.U8(uint8(h5.UTF8))
	}
	b.Uint(uint64(len(l.Name)), width)
	b.Text(l.Name)
	if l.Class == LinkHard {
		b.Ref(l.Object)
		return b
	}
	b.U16(uint16(len(l.Data)))
	b.Text(l.Data)
	return b
}
