// Package mcos decodes how MATLAB stores objects of classes: the metadata of the class FileWrapper__, which names classes and
// properties and links objects to the cells with their values; the handles that refer to objects; and the contents of
// strings. It works on bytes and numbers, not on files.
//
// MathWorks does not document the format. What is known of it is described at github.com/foreverallama/matio,
// docs/subsystem_data_format.md. All numbers are integers of 32 bits.
//
//	+---------+-------+----------------------+-------+---------+--------------+---------+------------+---------+------
//	| version | names | offsets of 8 regions | names | classes | properties,  | objects | properties | dynamic | ...
//	| 2 to 4  | count | from the start       | NUL   | 4 each  | of saveobj   | 6 each  | of objects |         |
//	+---------+-------+----------------------+-------+---------+--------------+---------+------------+---------+------
package mcos

import (
	"bytes"
	"encoding/binary"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Kind says what the value of a property is.
type Kind uint32

// The kinds of properties.
const (
	KindName  Kind = 0 // a name: the member of an enumeration
	KindCell  Kind = 1 // the number of a cell
	KindValue Kind = 2 // the value itself
)

var kindNames = [...]string{"name", "cell", "value"}

// String returns the kind's name.
func (k Kind) String() string {
	if int64(k) < int64(len(kindNames)) {
		return kindNames[k]
	}
	return "unknown"
}

// Property is a property of an object that was saved.
type Property struct {
	Name  string
	Kind  Kind
	Value uint32 // of KindCell: counted from the first cell after the metadata and the empty cell
}

// Object is an object of a class. Properties that have the default of the class are not saved.
type Object struct {
	Class      uint32 // number of the class
	Saved      bool   // the value of the property "any" is what the class's method saveobj returned
	Properties []Property
}

// Wrapper is the metadata of the objects of a file.
type Wrapper struct {
	version int
	order   binary.ByteOrder
	names   []string
	classes []byte // 16 bytes each, the first of no class
	objects []byte // 24 bytes each, the first of no object
	saved   blocks
	plain   blocks
}

// blocks are the properties of objects: a count, and three numbers for each property, padded to 8 bytes.
type blocks struct {
	data   []byte
	starts []int32
}

const (
	headerBytes   = 40
	classBytes    = 16
	objectBytes   = 24
	propertyBytes = 12
	minVersion    = 2
	maxVersion    = 4
)

// maxMetadata bounds the bytes of the metadata, so that offsets into them have 31 bits.
const maxMetadata = 1 << 30

// Parse decodes the metadata, which are the bytes of the first cell of FileWrapper__. It keeps p.
func Parse(p []byte) (*Wrapper, error) {
	if len(p) < headerBytes || len(p) > maxMetadata {
		return nil, h5err.New(h5err.Corrupt, "the metadata of MATLAB's objects have %d bytes", len(p))
	}
	w := &Wrapper{order: binary.LittleEndian}
	if v := binary.BigEndian.Uint32(p); v <= 0xffff {
		w.order = binary.BigEndian
	}
	v := w.order.Uint32(p)
	if v < minVersion || v > maxVersion {
		return nil, h5err.New(h5err.Unsupported, "version %d of the metadata of MATLAB's objects", v)
	}
	w.version = int(v)
	var at [6]int // of the regions, and of what follows the last one of interest
	last := headerBytes
	for i := range at {
		n := w.order.Uint32(p[8+4*i:])
		if int64(n) < int64(last) || int64(n) > int64(len(p)) {
			return nil, h5err.New(h5err.Corrupt, "region %d of the metadata of MATLAB's objects starts at %d, after %d of %d bytes", i+1, n, last, len(p))
		}
		at[i], last = int(n), int(n)
	}
	if err := w.readNames(p[headerBytes:at[0]], w.order.Uint32(p[4:])); err != nil {
		return nil, err
	}
	w.classes, w.objects = p[at[0]:at[1]], p[at[2]:at[3]]
	var err error
	if w.saved, err = w.blocks(p[at[1]:at[2]]); err == nil {
		w.plain, err = w.blocks(p[at[3]:at[4]])
	}
	return w, err
}

func (w *Wrapper) readNames(p []byte, count uint32) error {
	if int64(count) > int64(len(p)) {
		return h5err.New(h5err.Corrupt, "%d names of classes and properties in %d bytes", count, len(p))
	}
	for range count {
		name, rest, ok := bytes.Cut(p, []byte{0})
		if !ok {
			return h5err.New(h5err.Corrupt, "%d names of classes and properties, there are %d", count, len(w.names))
		}
		w.names, p = append(w.names, string(name)), rest
	}
	return nil
}

// blocks finds where each block of properties starts.
func (w *Wrapper) blocks(p []byte) (b blocks, err error) {
	b.data = p
	for at := 0; len(p)-at >= 4; {
		n := w.order.Uint32(p[at:])
		if int64(n) > int64((len(p)-at-4)/propertyBytes) {
			return b, h5err.New(h5err.Corrupt, "%d properties in %d bytes", n, len(p)-at-4)
		}
		b.starts = append(b.starts, int32(at))
		at += (4 + int(n)*propertyBytes + 7) &^ 7
	}
	return b, nil
}

// Version is the version of the metadata.
func (w *Wrapper) Version() int { return w.version }

// Trailing is the number of cells after those with values: what classes have in common. The last one has the defaults of
// properties, a cell with a struct for each class by its number.
func (w *Wrapper) Trailing() int { return w.version - 1 }

// LeadingCells is the number of cells before those with values: the metadata, and an empty one.
const LeadingCells = 2

// Name returns the name of a class, a property or a member of an enumeration by its number, which counts from 1; it is
// empty for 0.
func (w *Wrapper) Name(i uint32) (string, error) {
	if i == 0 {
		return "", nil
	}
	if int64(i) > int64(len(w.names)) {
		return "", h5err.New(h5err.Corrupt, "name %d of %d", i, len(w.names))
	}
	return w.names[i-1], nil
}

// Class returns the name of a class by its number, with its namespace.
func (w *Wrapper) Class(i uint32) (string, error) {
	if i == 0 || int64(i) >= int64(len(w.classes)/classBytes) {
		return "", h5err.New(h5err.Corrupt, "class %d of %d", i, len(w.classes)/classBytes-1)
	}
	p := w.classes[int(i)*classBytes:]
	space, err := w.Name(w.order.Uint32(p))
	if err != nil {
		return "", err
	}
	name, err := w.Name(w.order.Uint32(p[4:]))
	if space != "" {
		name = space + "." + name
	}
	return name, err
}

// Object returns an object by its number. It is Corrupt that there is none.
func (w *Wrapper) Object(i uint32) (*Object, error) {
	if i == 0 || int64(i) >= int64(len(w.objects)/objectBytes) {
		return nil, h5err.New(h5err.Corrupt, "object %d of %d", i, len(w.objects)/objectBytes-1)
	}
	p := w.objects[int(i)*objectBytes:]
	o := &Object{Class: w.order.Uint32(p)}
	from, block := &w.plain, w.order.Uint32(p[16:])
	if saved := w.order.Uint32(p[12:]); saved != 0 {
		from, block, o.Saved = &w.saved, saved, true
	}
	if int64(block) >= int64(len(from.starts)) {
		return nil, h5err.New(h5err.Corrupt, "object %d has properties %d of %d", i, block, len(from.starts))
	}
	if block == 0 {
		return o, nil
	}
	p = from.data[from.starts[block]:]
	n := w.order.Uint32(p)
	o.Properties = make([]Property, n)
	for k := range o.Properties {
		q := p[4+k*propertyBytes:]
		name, err := w.Name(w.order.Uint32(q))
		if err != nil {
			return nil, err
		}
		o.Properties[k] = Property{Name: name, Kind: Kind(w.order.Uint32(q[4:])), Value: w.order.Uint32(q[8:])}
	}
	return o, nil
}

// Property returns the property of that name that was saved.
func (o *Object) Property(name string) (p Property, ok bool) {
	for _, p := range o.Properties {
		if p.Name == name {
			return p, true
		}
	}
	return Property{}, false
}
