package matlab

import (
	"strings"

	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/mcos"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Names of the groups in which MATLAB keeps what references point to, and the objects of classes.
const (
	refsGroup = "#refs#"
	subsystem = "#subsystem#"
)

// store is the objects of classes in a file. Their properties are cells, of which /#subsystem#/MCOS has the references.
type store struct {
	f        *h5.File
	data     *h5.Dataset
	wrapper  *mcos.Wrapper
	cells    []uint64 // addresses, 0 for null references
	defaults []uint64 // the same for the structs of default properties, by class
	names    map[uint64]string
}

type storeKey struct{}

// storeOf returns the objects of a file. It is Corrupt that there are none.
func storeOf(f *h5.File) (*store, error) {
	v, err := f.Keep(storeKey{}, func() (any, error) { return readStore(f) })
	if err != nil {
		return nil, err
	}
	return v.(*store), nil
}

func readStore(f *h5.File) (*store, error) {
	g, ok := object.Member(f.Root(), subsystem).(*h5.Group)
	if !ok {
		return nil, object.Corrupt(f.Root(), "objects of classes without %s", subsystem)
	}
	d, err := object.Required(g, "MCOS")
	if err != nil {
		return nil, err
	}
	s := &store{f: f, data: d, names: map[uint64]string{}}
	if s.cells, err = references(d); err != nil {
		return nil, err
	}
	if len(s.cells) == 0 {
		return nil, object.Corrupt(d, "no metadata of objects")
	}
	if err := s.readNames(); err != nil {
		return nil, err
	}
	o, err := s.open(s.cells[0])
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
	if o, err := s.open(s.cells[len(s.cells)-1]); err == nil {
		if d, ok := o.(*h5.Dataset); ok && d.Type().Class == h5.ClassReference {
			s.defaults, err = references(d)
		}
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// readNames finds the paths of what references point to.
func (s *store) readNames() error {
	g, ok := object.Member(s.f.Root(), refsGroup).(*h5.Group)
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

// open opens what a reference points to.
func (s *store) open(addr uint64) (h5.Object, error) {
	if addr == 0 {
		return nil, object.Corrupt(s.data, "a null reference to the value of a property")
	}
	path, ok := s.names[addr]
	if !ok {
		path = s.data.Path()
	}
	return s.f.ObjectAt(addr, path)
}

// object returns the object that a handle of one names.
func (s *store) object(d *h5.Dataset, h *mcos.Handle) (*mcos.Object, error) {
	if len(h.Objects) != 1 {
		return nil, object.Unsupported(d, "an array of %d objects of a class", len(h.Objects))
	}
	if h.Objects[0] == 0 {
		return nil, object.Unsupported(d, "an object that was deleted")
	}
	o, err := s.wrapper.Object(h.Objects[0])
	return o, h5err.About(err, d)
}

// class returns the name of the class of a handle.
func (s *store) class(d *h5.Dataset, h *mcos.Handle) (string, error) {
	name, err := s.wrapper.Class(h.Class)
	return name, h5err.About(err, d)
}

// property opens the value of an object's property, of the class's default where it was not saved; nil where there is
// neither.
func (s *store) property(o *mcos.Object, name string) (h5.Object, error) {
	p, ok := o.Property(name)
	if ok && p.Kind == mcos.KindCell {
		i := int64(p.Value) + mcos.LeadingCells
		if i >= int64(len(s.cells)-s.wrapper.Trailing()) {
			return nil, object.Corrupt(s.data, "the property %s is cell %d of %d", name, i, len(s.cells))
		}
		return s.open(s.cells[i])
	}
	if ok {
		return nil, object.Unsupported(s.data, "the property %s is a %s", name, p.Kind)
	}
	if int64(o.Class) >= int64(len(s.defaults)) || s.defaults[o.Class] == 0 {
		return nil, nil
	}
	d, err := s.open(s.defaults[o.Class])
	if g, ok := d.(*h5.Group); err == nil && ok {
		return object.Member(g, name), nil
	}
	return nil, err
}

// handleOf decodes the handle of objects that a dataset of integers is.
func handleOf(d *h5.Dataset) (*mcos.Handle, error) {
	ids, err := smallIntegers(d)
	if err != nil {
		return nil, err
	}
	h, err := mcos.ParseHandle(ids)
	return h, h5err.About(err, d)
}

// smallIntegers reads a short list of integers of 32 bits.
func smallIntegers(d *h5.Dataset) ([]uint32, error) {
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

// isHandle reports whether a dataset is the handle of an object: by the attribute MATLAB_object_decode, or, in the
// properties of other objects, where it has the class uint32, by its first number.
func isHandle(d *h5.Dataset, class string, property bool) bool {
	if a, err := d.Attribute("MATLAB_object_decode"); err == nil && a != nil {
		v, ok := a.Int()
		return ok && v == decodeOpaque
	}
	n, ok := d.Space().Elements()
	if !property || class != "uint32" || !ok || n < mcos.MinHandle || n > maxHandle || longDims(d) > 1 || isEmpty(d) {
		return false
	}
	_, err := handleOf(d)
	return err == nil
}

// decodeOpaque is the value of MATLAB_object_decode for objects of classes that are defined by classdef.
const decodeOpaque = 3

// references reads the addresses of a list of references; 0 for null ones. An empty cell array has none.
func references(d *h5.Dataset) ([]uint64, error) {
	if isEmpty(d) {
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

// isEmpty reports whether a dataset holds the dimensions of an empty variable.
func isEmpty(d *h5.Dataset) bool {
	empty, err := object.Flag(d, "MATLAB_empty")
	return empty && err == nil
}

// Part reports whether an object is one of the groups in which MATLAB keeps what references point to.
func Part(o h5.Object) bool {
	name, ok := strings.CutPrefix(o.Path(), "/")
	return ok && (name == refsGroup || name == subsystem)
}
