// Package store opens the objects of classes that MATLAB keeps in a file: in /#subsystem#/MCOS, whose format package mcos
// decodes.
package store

import (
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/mcos"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Names of the groups in which MATLAB keeps what references point to, and the objects of classes.
const (
	Refs      = "#refs#"
	Subsystem = "#subsystem#"
)

// Store is the objects of classes in a file. Their properties are cells, of which /#subsystem#/MCOS has the references.
type Store struct {
	f        *h5.File
	data     *h5.Dataset
	wrapper  *mcos.Wrapper
	cells    []uint64 // addresses, 0 for null references
	defaults []uint64 // the same for the structs of default properties, by class
	names    map[uint64]string
}

type storeKey struct{}

// Of returns the objects of a file. It is Corrupt that there are none.
func Of(f *h5.File) (*Store, error) {
	v, err := f.Keep(storeKey{}, func() (any, error) { return readStore(f) })
	if err != nil {
		return nil, err
	}
	return v.(*Store), nil
}

func readStore(f *h5.File) (*Store, error) {
	g, ok := object.Member(f.Root(), Subsystem).(*h5.Group)
	if !ok {
		return nil, object.Corrupt(f.Root(), "objects of classes without %s", Subsystem)
	}
	d, err := object.Required(g, "MCOS")
	if err != nil {
		return nil, err
	}
	s := &Store{f: f, data: d, names: map[uint64]string{}}
	if s.cells, err = References(d); err != nil {
		return nil, err
	}
	if len(s.cells) == 0 {
		return nil, object.Corrupt(d, "no metadata of objects")
	}
	if err := s.readNames(); err != nil {
		return nil, err
	}
	o, err := s.Open(s.cells[0])
	if err != nil {
		return nil, err
	}
	meta, ok := o.(*h5.Dataset)
	if !ok || meta.Type().Class != h5.ClassFixed || meta.Type().Size != 1 {
		return nil, object.Corrupt(d, "the metadata of objects are not bytes")
	}
	p, err := object.Contents(meta)
	if err != nil {
		return nil, err
	}
	if s.wrapper, err = mcos.Parse(p); err != nil {
		return nil, h5err.About(err, meta)
	}
	if o, err := s.Open(s.cells[len(s.cells)-1]); err == nil {
		if d, ok := o.(*h5.Dataset); ok && d.Type().Class == h5.ClassReference {
			s.defaults, err = References(d)
		}
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// readNames finds the paths of what references point to.
func (s *Store) readNames() error {
	g, ok := object.Member(s.f.Root(), Refs).(*h5.Group)
	if !ok {
		return nil
	}
	links, err := g.Links()
	if err != nil {
		return err
	}
	if len(links) > maxNamed {
		return nil
	}
	for _, l := range links {
		if l.Kind == h5.LinkHard {
			s.names[l.Address] = object.Child(g, l.Name)
		}
	}
	return nil
}

// maxNamed bounds the references whose paths are reported; of more, the path of the objects' own dataset is.
const maxNamed = 1 << 17

// Open opens what a reference points to.
func (s *Store) Open(addr uint64) (h5.Object, error) {
	if addr == 0 {
		return nil, object.Corrupt(s.data, "a null reference to the value of a property")
	}
	path, ok := s.names[addr]
	if !ok {
		path = s.data.Path()
	}
	return s.f.ObjectAt(addr, path)
}

// Object returns the object that a handle of one names.
func (s *Store) Object(d *h5.Dataset, h *mcos.Handle) (*mcos.Object, error) {
	if len(h.Objects) != 1 {
		return nil, object.Unsupported(d, "an array of %d objects of a class", len(h.Objects))
	}
	if h.Objects[0] == 0 {
		return nil, object.Unsupported(d, "an object that was deleted")
	}
	o, err := s.wrapper.Object(h.Objects[0])
	return o, h5err.About(err, d)
}

// Class returns the name of the class of a handle.
func (s *Store) Class(d *h5.Dataset, h *mcos.Handle) (string, error) {
	name, err := s.wrapper.Class(h.Class)
	return name, h5err.About(err, d)
}

// Property opens the value of an object's property, of the class's default where it was not saved; nil where there is
// neither.
func (s *Store) Property(o *mcos.Object, name string) (h5.Object, error) {
	p, ok := o.Property(name)
	if ok && p.Kind == mcos.KindCell {
		i := int64(p.Value) + mcos.LeadingCells
		if i >= int64(len(s.cells)-s.wrapper.Trailing()) {
			return nil, object.Corrupt(s.data, "the property %s is cell %d of %d", name, i, len(s.cells))
		}
		return s.Open(s.cells[i])
	}
	if ok {
		return nil, object.Unsupported(s.data, "the property %s is a %s", name, p.Kind)
	}
	if int64(o.Class) >= int64(len(s.defaults)) || s.defaults[o.Class] == 0 {
		return nil, nil
	}
	d, err := s.Open(s.defaults[o.Class])
	if g, ok := d.(*h5.Group); err == nil && ok {
		return object.Member(g, name), nil
	}
	return nil, err
}

// Handle decodes the handle of objects that a dataset of integers is.
func Handle(d *h5.Dataset) (*mcos.Handle, error) {
	ids, err := Integers(d)
	if err != nil {
		return nil, err
	}
	h, err := mcos.ParseHandle(ids)
	return h, h5err.About(err, d)
}

// Integers reads a short list of integers of 32 bits.
func Integers(d *h5.Dataset) ([]uint32, error) {
	n, ok := d.Space().Elements()
	if t := d.Type(); !ok || t.Class != h5.ClassFixed || t.Size != 4 || n > maxHandle {
		return nil, object.Unsupported(d, "%s of shape %v where few integers of 32 bits are expected", t, d.Dims())
	}
	p, err := object.Contents(d)
	if err != nil {
		return nil, err
	}
	ids := make([]uint32, len(p)/4)
	for i := range ids {
		ids[i] = d.Type().Order.Binary().Uint32(p[4*i:])
	}
	return ids, nil
}

// maxHandle bounds the integers of a handle.
const maxHandle = 1 << 16

// IsHandle reports whether a dataset is the handle of an object: by the attribute MATLAB_object_decode, or, in the
// properties of other objects, where it has the class uint32, by its first number.
func IsHandle(d *h5.Dataset, class string, property bool) bool {
	if a, err := d.Attribute("MATLAB_object_decode"); err == nil && a != nil {
		v, ok := a.Int()
		return ok && v == decodeOpaque
	}
	n, ok := d.Space().Elements()
	if !property || class != "uint32" || !ok || n < mcos.MinHandle || n > maxHandle || LongDims(d) > 1 || IsEmpty(d) {
		return false
	}
	_, err := Handle(d)
	return err == nil
}

// decodeOpaque is the value of MATLAB_object_decode for objects of classes that are defined by classdef.
const decodeOpaque = 3

// References reads the addresses of a list of references; 0 for null ones. An empty cell array has none.
func References(d *h5.Dataset) ([]uint64, error) {
	if IsEmpty(d) {
		return nil, nil
	}
	t := d.Type()
	if t.Class != h5.ClassReference {
		return nil, object.Corrupt(d, "cells of %s", t)
	}
	n, ok := d.Space().Elements()
	if limit := d.File().Limits().Links; !ok || n > uint64(limit) {
		return nil, object.Limit(d, "%d cells", n)
	}
	p, err := object.Contents(d)
	if err != nil {
		return nil, err
	}
	out := make([]uint64, 0, n)
	for ; len(p) >= t.Size && t.Size > 0; p = p[t.Size:] {
		addr, ok := d.File().RefAddress(p[:t.Size])
		if !ok {
			addr = 0
		}
		out = append(out, addr)
	}
	return out, nil
}

// IsEmpty reports whether a dataset holds the dimensions of an empty variable.
func IsEmpty(d *h5.Dataset) bool {
	empty, err := object.Flag(d, "MATLAB_empty")
	return empty && err == nil
}

// Dataset opens the value of an object's property, which must be a dataset.
func (s *Store) Dataset(d *h5.Dataset, o *mcos.Object, name string) (*h5.Dataset, error) {
	v, err := s.Property(o, name)
	if err != nil {
		return nil, err
	}
	p, ok := v.(*h5.Dataset)
	if !ok {
		return nil, object.Unsupported(d, "an object without the property %s", name)
	}
	return p, nil
}

// Member returns the object of a class that a field of a struct holds.
func (s *Store) Member(g *h5.Group, name string) (class string, d *h5.Dataset, o *mcos.Object, err error) {
	d, err = object.Required(g, name)
	if err != nil {
		return "", nil, nil, err
	}
	h, err := Handle(d)
	if err != nil {
		return "", d, nil, err
	}
	if class, err = s.Class(d, h); err != nil {
		return "", d, nil, err
	}
	o, err = s.Object(d, h)
	return class, d, o, err
}

// LongDims counts the dimensions of a dataset that are not 1.
func LongDims(d *h5.Dataset) (n int) {
	for _, k := range d.Dims() {
		if k != 1 {
			n++
		}
	}
	return n
}

// Name returns a name of a class, a property or a member of an enumeration by its number.
func (s *Store) Name(i uint32) (string, error) {
	name, err := s.wrapper.Name(i)
	return name, h5err.About(err, s.data)
}
