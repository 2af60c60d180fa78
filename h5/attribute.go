package h5

import (
	"bytes"
	"math"
	"sort"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/btree"
	"github.com/h5arrow/h5arrow/h5/internal/heap"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// Attribute is a small named value attached to an object (specification, IV.A.2.m).
type Attribute struct {
	Name string

	f     *File
	typ   *Type
	space *Space
	raw   []byte
	order uint32 // creation order, where it is tracked
	named uint64 // address of the committed datatype that typ is, 0: none
}

// Type is the attribute's datatype.
func (a *Attribute) Type() *Type { return a.typ }

// Committed returns the address of the committed datatype that the attribute's type is, which File.ObjectAt opens.
func (a *Attribute) Committed() (addr uint64, ok bool) { return a.named, a.named != 0 }

// Space is the attribute's dataspace.
func (a *Attribute) Space() *Space { return a.space }

// Order is a number that grows in the order in which the object's attributes were made, if the file tracks that order, and else in
// the order in which they are stored.
func (a *Attribute) Order() uint32 { return a.order }

// Raw returns the elements as stored; empty for a null dataspace. The bytes are read-only.
func (a *Attribute) Raw() []byte { return a.raw }

// Strings returns the values of an attribute of fixed or variable strings, without padding. ok is false for any other type,
// for text that can't be read and for text longer than Limits.AttributeSize. A null dataspace gives no values.
func (a *Attribute) Strings() (values []string, ok bool) {
	isText := a.typ.Class == ClassString || a.typ.Class == ClassVLen && a.typ.VarString
	if !isText {
		return nil, false
	}
	left := a.f.r.Limits.AttributeSize // elements may share one value
	for p := a.raw; len(p) > 0; p = p[a.typ.Size:] {
		s, err := a.f.text(a.typ, p[:a.typ.Size])
		if left -= int64(len(s)); err != nil || left < 0 {
			return nil, false
		}
		values = append(values, string(s))
	}
	return values, true
}

// Text returns the value of a string attribute that is a scalar or an array of one element; a null dataspace gives the
// empty string.
func (a *Attribute) Text() (value string, ok bool) {
	v, ok := a.Strings()
	switch {
	case !ok || len(v) > 1:
		return "", false
	case len(v) == 0:
		return "", a.space.Class == SpaceNull
	}
	return v[0], true
}

// Ints returns the values of an integer, bitfield or enumeration attribute. ok is false for other types and for values
// that do not fit int64.
func (a *Attribute) Ints() (values []int64, ok bool) {
	t := a.typ
	if t.Class == ClassEnum {
		t = t.Base
	}
	if t.Class != ClassFixed && t.Class != ClassBitfield || t.Size > 8 {
		return nil, false
	}
	for p := a.raw; len(p) >= t.Size; p = p[t.Size:] {
		u := t.uint(p)
		switch {
		case t.Signed:
			values = append(values, int64(u<<(64-8*t.Size))>>(64-8*t.Size))
		case u > math.MaxInt64:
			return nil, false
		default:
			values = append(values, int64(u))
		}
	}
	return values, true
}

// Int returns the value of an integer attribute that is a scalar or an array of one element.
func (a *Attribute) Int() (value int64, ok bool) {
	v, ok := a.Ints()
	if !ok || len(v) != 1 {
		return 0, false
	}
	return v[0], true
}

// Floats returns the values of a float (32 or 64 bits) or integer attribute as float64.
func (a *Attribute) Floats() (values []float64, ok bool) {
	if v, ok := a.Ints(); ok {
		for _, x := range v {
			values = append(values, float64(x))
		}
		return values, true
	}
	t := a.typ
	if t.Class != ClassFloat || t.Size != 4 && t.Size != 8 {
		return nil, false
	}
	for p := a.raw; len(p) >= t.Size; p = p[t.Size:] {
		if t.Size == 4 {
			values = append(values, float64(math.Float32frombits(uint32(t.uint(p)))))
		} else {
			values = append(values, math.Float64frombits(t.uint(p)))
		}
	}
	return values, true
}

// uint reads the first t.Size (at most 8) bytes of p in the type's order.
func (t *Type) uint(p []byte) (u uint64) {
	for i := range t.Size {
		if t.Order == BigEndian {
			u = u<<8 | uint64(p[i])
		} else {
			u |= uint64(p[i]) << (8 * i)
		}
	}
	return u
}

// text returns the bytes of one string element, padding removed.
func (f *File) text(t *Type, p []byte) ([]byte, error) {
	if t.Class == ClassVLen {
		n, addr, index := f.vlen(p)
		if addr == 0 || addr == meta.Undefined || n == 0 {
			return nil, nil
		}
		b, err := f.heapObject(addr, index)
		if err != nil {
			return nil, err
		}
		if uint64(n) > uint64(len(b)) {
			return nil, h5err.New(h5err.Corrupt, "string of %d bytes in a heap object of %d", n, len(b))
		}
		p = b[:n]
	}
	return TrimString(p, t.Pad), nil
}

// vlen decodes a variable-length element (specification, IV.B, "variable-length"): length, collection, index.
func (f *File) vlen(p []byte) (n uint32, addr uint64, index uint32) {
	c := meta.NewCursor(p, 0, f.r.OffsetSize, f.r.LengthSize)
	return c.U32(), c.Address(), c.U32()
}

// TrimString removes a string's padding: everything from the first NUL on, trailing NULs, or trailing spaces. What is declared as
// padded by spaces loses NULs after them too: some writers (h5wasm) pad it by NULs.
func TrimString(p []byte, pad StringPad) []byte {
	switch pad {
	case NullTerm:
		if i := bytes.IndexByte(p, 0); i >= 0 {
			return p[:i]
		}
		return p
	case NullPad:
		return bytes.TrimRight(p, "\x00")
	}
	return bytes.TrimRight(bytes.TrimRight(p, "\x00"), " ")
}

// parseAttribute reads an attribute message (specification, IV.A.2.m).
func (f *File) parseAttribute(c *meta.Cursor) (*Attribute, error) {
	version := c.U8()
	flags := c.U8()
	nameSize, typeSize, spaceSize := int(c.U16()), int(c.U16()), int(c.U16())
	if c.Err() == nil && (version < 1 || version > 3) {
		return nil, c.Corrupt("attribute version %d", version)
	}
	if version == 3 {
		c.Skip(1) // character set of the name
	}
	pad := func(n int) {
		if version == 1 && n%8 != 0 {
			c.Skip(8 - n%8)
		}
	}
	name := c.Bytes(nameSize)
	pad(nameSize)
	if i := bytes.IndexByte(name, 0); i >= 0 {
		name = name[:i]
	}
	typeCursor := c.Sub(typeSize)
	pad(typeSize)
	spaceCursor := c.Sub(spaceSize)
	pad(spaceSize)
	if c.Err() != nil {
		return nil, c.Err()
	}
	a := &Attribute{Name: string(name), f: f}
	var err error
	if version >= 2 && flags&1 != 0 {
		place := *typeCursor
		if addr, inHeap, err := f.sharedPlace(&place); err == nil && !inHeap {
			a.named = addr
		}
		if typeCursor, err = f.sharedMessage(typeCursor, msgDatatype); err != nil {
			return a, err
		}
	}
	if version >= 2 && flags&2 != 0 {
		if spaceCursor, err = f.sharedMessage(spaceCursor, msgDataspace); err != nil {
			return a, err
		}
	}
	if a.typ = f.knownType(typeCursor); a.typ == nil {
		return a, typeCursor.Err()
	}
	if a.space = f.parseSpace(spaceCursor); a.space == nil {
		return a, spaceCursor.Err()
	}
	n, ok := a.space.Elements()
	size, ok2 := product([]uint64{n}, uint64(a.typ.Size))
	if !ok || !ok2 || size > uint64(c.Len()) {
		return a, c.Corrupt("attribute %q of %d elements of %d bytes in a message with %d left", a.Name, n, a.typ.Size, c.Len())
	}
	if int64(size) > f.r.Limits.AttributeSize {
		return a, c.Over("h5.Limits.AttributeSize", size, "attribute %q of %d bytes, the limit is %d", a.Name, size, f.r.Limits.AttributeSize)
	}
	a.raw = c.Bytes(int(size))
	return a, c.Err()
}

// maxBadAttributes bounds the number of errors that are kept for an object's attributes.
const maxBadAttributes = 1000

// attributeList collects an object's attributes.
type attributeList struct {
	f    *File
	all  []*Attribute
	bad  []error // of attributes that can't be read
	room int64   // bytes left for further attributes
}

// noAttributes is the list of objects without attributes. It is never written to.
var noAttributes attributeList

// take adds the attribute of a message.
func (l *attributeList) take(c *meta.Cursor, order uint32) error {
	if l.room -= int64(64 + c.Len()); l.room < 0 {
		return h5err.New(h5err.Corrupt, "the attributes of an object are larger than the file")
	}
	a, err := l.f.parseAttribute(c)
	if err != nil {
		l.pass(err)
		return nil
	}
	a.order = order
	l.all = append(l.all, a)
	return nil
}

// pass skips an attribute that can't be read.
func (l *attributeList) pass(err error) {
	if len(l.bad) < maxBadAttributes {
		l.bad = append(l.bad, err)
	}
}

// attributes reads all attributes of an object, compact and dense.
func (f *File) attributes(h *header) (*attributeList, error) {
	if h.find(msgAttribute) == nil && h.find(msgAttributeInfo) == nil {
		return &noAttributes, nil
	}
	l := &attributeList{f: f, room: f.allowance()}
	for i := range h.messages {
		m := &h.messages[i]
		switch m.typ {
		case msgAttribute:
			c, err := f.cursor(m)
			if err != nil {
				l.pass(err)
				continue
			}
			order := uint32(i)
			if h.trackOrder {
				order = uint32(m.order)
			}
			if err := l.take(c, order); err != nil {
				return l, err
			}
		case msgAttributeInfo:
			if err := l.dense(h, m); err != nil && !f.r.PassOver(err) {
				return l, err
			}
		}
	}
	sort.SliceStable(l.all, func(i, j int) bool { return l.all[i].Name < l.all[j].Name })
	return l, nil
}

// dense reads the attributes that are stored in a fractal heap (IV.A.2.v).
func (l *attributeList) dense(h *header, m *message) error {
	f := l.f
	c := f.r.CursorOver(m.body, m.at)
	if v := c.U8(); c.Err() == nil && v != 0 {
		return c.Corrupt("attribute info version %d", v)
	}
	if flags := c.U8(); flags&1 != 0 {
		c.Skip(2)
	}
	heapAddr, tree := c.Address(), c.Address()
	if c.Err() != nil || heapAddr == meta.Undefined {
		return c.Err()
	}
	if err := f.claim(tree, h.addr, "index of attributes"); err != nil {
		return err
	}
	hp, err := heap.OpenFractal(f.r, heapAddr)
	if err != nil {
		return err
	}
	return btree.V2(f.r, tree, btree.TypeAttrName, func(rec []byte) error {
		k := f.r.CursorOver(rec, tree)
		id, flags, order := k.Bytes(8), k.U8(), k.U32()
		if k.Err() != nil {
			return k.Err()
		}
		if l.room < 0 {
			return f.r.Corrupt(heapAddr, "the attributes of an object are larger than the file")
		}
		from := hp
		if flags&flagShared != 0 {
			if from, err = f.sharedHeap(msgAttribute); err == nil && from == nil {
				err = f.r.Corrupt(tree, "a shared attribute, but the file has no heap for it")
			}
			if err != nil {
				l.pass(err)
				return nil
			}
		}
		b, at, err := from.Find(id)
		if err != nil {
			l.pass(err)
			return nil
		}
		return l.take(f.r.CursorOver(b, at), order)
	})
}

// References returns the addresses in an attribute of object references, or of lists of them such as DIMENSION_LIST: one
// list per element. A null reference is 0. ok is false for other types, and if a list can't be read.
func (a *Attribute) References() (lists [][]uint64, ok bool) {
	t := a.typ
	item := t
	if t.Class == ClassVLen && !t.VarString {
		item = t.Base
	}
	if item.Class != ClassReference || item.Ref != RefObject1 {
		return nil, false
	}
	left := a.f.r.Limits.AttributeSize // elements may share one list
	for p := a.raw; len(p) >= t.Size; p = p[t.Size:] {
		elem, n := p[:t.Size], 1
		if t.Class == ClassVLen {
			count, addr, index := a.f.vlen(elem)
			if n = int(count); count > 0 {
				b, err := a.f.heapObject(addr, index)
				if err != nil || uint64(count) > uint64(len(b)/item.Size) {
					return nil, false
				}
				elem = b
			}
		}
		if left -= 8 * int64(n); left < 0 {
			return nil, false
		}
		list := make([]uint64, n)
		for i := range list {
			list[i], _ = a.f.RefAddress(elem[i*item.Size : (i+1)*item.Size])
		}
		lists = append(lists, list)
	}
	return lists, true
}
