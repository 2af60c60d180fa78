package h5

import (
	"sort"
	"sync"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Object is a group, a dataset or a committed datatype.
type Object interface {
	Path() string    // the path by which it was opened
	Address() uint64 // identifies the object in its file
	File() *File     // the file that contains it: after an external link, another one

	// Location returns the name of that file and the path, for h5err.About.
	Location() (file, path string)

	Attributes() ([]*Attribute, error)
	Attribute(name string) (*Attribute, error)
}

// NamedType is a committed datatype.
type NamedType struct {
	object
	Type *Type
}

// object is what groups, datasets and committed datatypes have in common.
type object struct {
	f    *File
	addr uint64
	path string
	h    *header
	*attrState
}

// attrState is shared by all paths of the object.
type attrState struct {
	attrsOnce sync.Once
	attrs     *attributeList // then not nil
	attrErr   error
}

func (o *object) Path() string    { return o.path }
func (o *object) Address() uint64 { return o.addr }
func (o *object) File() *File     { return o.f }

// Location returns the name of the file and the path by which the object was reached.
func (o *object) Location() (file, path string) { return o.f.Name(), o.path }

func (o object) renamed(p string) object {
	o.path = p
	return o
}

func (o *object) header() (*header, error) {
	if o.h != nil {
		return o.h, nil
	}
	return o.f.readHeader(o.addr)
}

// Attributes returns the object's attributes that can be read, sorted bytewise by name. The slice is read-only.
func (o *object) Attributes() ([]*Attribute, error) {
	o.attrsOnce.Do(func() {
		o.attrs = &noAttributes
		h, err := o.header()
		if err == nil {
			o.attrs, err = o.f.attributes(h)
			for i, e := range o.attrs.bad {
				o.attrs.bad[i] = h5err.About(e, o)
			}
		}
		o.attrErr = h5err.About(err, o)
	})
	return o.attrs.all, o.attrErr
}

// badAttributes returns the errors of the attributes that Attributes left out, or the first of very many.
func (o *object) badAttributes() []error {
	o.Attributes()
	return o.attrs.bad
}

// Attribute returns the attribute of that name, or nil if there is none that can be read.
func (o *object) Attribute(name string) (*Attribute, error) {
	attrs, err := o.Attributes()
	i := sort.Search(len(attrs), func(i int) bool { return attrs[i].Name >= name })
	if i < len(attrs) && attrs[i].Name == name {
		return attrs[i], nil
	}
	return nil, err
}
