package write

import (
	"slices"
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write/flat"
	"github.com/h5arrow/h5arrow/h5/write/internal/format"
)

// Object is a group, a dataset or a committed datatype.
type Object interface {
	// ID is the object's number in values of reference types.
	ID() uint64
	// Path is the path by which the object was made.
	Path() string
	// Attribute adds an attribute. A second one of the same name replaces the first.
	Attribute(a Attribute) error
	// TrackOrder has the creation order of the object's attributes, and of a group's links, tracked and indexed.
	TrackOrder(attributes, links bool)

	base() *object
}

// Attribute is a small named value of an object. Data has all elements, in the form of the package comment.
type Attribute struct {
	Name  string
	Type  *h5.Type
	Named *NamedType // the committed datatype that Type is, nil: none
	Space h5.Space
	Data  []byte
}

// object is what groups, datasets and committed datatypes have in common.
type object struct {
	f          *File
	id         uint64
	path       string
	head       *format.Block // its header; empty until metadata is encoded
	links      int           // hard links
	tracked    bool
	attributes []attribute
	old        *oldObject // an object of the file that Append opened
}

type attribute struct {
	name string
	body *format.Block
}

// ID implements Object.
func (o *object) ID() uint64 { return o.id }

// Path implements Object.
func (o *object) Path() string { return o.path }

// TrackOrder implements Object.
func (o *object) TrackOrder(attributes, links bool) { o.tracked = attributes }

func (o *object) base() *object { return o }

// touch has the object's header written again by Append.
func (o *object) touch() {
	if o.old != nil {
		o.old.changed = true
	}
}

// maxAttribute bounds the bytes of an attribute: readers allow no more by default.
const maxAttribute = 64 << 20

// Attribute implements Object.
func (o *object) Attribute(a Attribute) error {
	if err := o.f.changeable(o.path); err != nil {
		return err
	}
	body, err := o.f.attribute(&a)
	if err != nil {
		return h5err.In(h5err.Wrap(h5err.KindOf(err), err, "attribute %q", a.Name), "", o.path)
	}
	o.touch()
	if len(o.attributes) >= 1<<16-1 {
		return h5err.In(h5err.New(h5err.Argument, "more than %d attributes", 1<<16-1), "", o.path)
	}
	o.set(attribute{a.Name, body})
	return nil
}

// set adds an attribute, or replaces the one of its name.
func (o *object) set(a attribute) {
	if i := slices.IndexFunc(o.attributes, func(b attribute) bool { return b.name == a.name }); i >= 0 {
		o.attributes[i] = a
		return
	}
	o.attributes = append(o.attributes, a)
}

// attribute returns the message of an attribute.
func (f *File) attribute(a *Attribute) (*format.Block, error) {
	if a.Name == "" || len(a.Name) > 1<<15 || strings.ContainsRune(a.Name, 0) {
		return nil, h5err.New(h5err.Argument, "a name of %d bytes", len(a.Name))
	}
	old := f.o.version == Earliest
	typ, shared, err := f.typeMessage(a.Type, a.Named)
	if err != nil {
		return nil, err
	}
	n, err := format.Elements(&a.Space, a.Type.Size)
	if err != nil {
		return nil, err
	}
	if n*uint64(a.Type.Size) > maxAttribute {
		return nil, h5err.New(h5err.Argument, "%d bytes, the limit is %d", n*uint64(a.Type.Size), maxAttribute)
	}
	space, err := format.Space(&a.Space, old)
	if err != nil {
		return nil, err
	}
	data := &format.Block{}
	v := flat.New(a.Type)
	rest, err := converter{f, &f.notes}.convert(v, data, a.Data, n)
	if err != nil {
		return nil, err
	}
	if len(rest) > 0 {
		return nil, h5err.New(h5err.Argument, "%d bytes more than %d elements have", len(rest), n)
	}
	if old && len(data.Data) > 1<<15 {
		return nil, h5err.New(h5err.Unsupported, "%d bytes in a file for HDF5 before 1.8", len(data.Data))
	}
	return format.Attribute(a.Name, typ, shared, space, data, old), nil
}

// typeMessage returns the message of a type, or a reference to a committed one.
func (f *File) typeMessage(t *h5.Type, named *NamedType) (m *format.Block, shared bool, err error) {
	if named == nil {
		m, err = format.Type(t, f.o.version == Earliest)
		return m, false, err
	}
	if named.f != f || t == nil || t.Size != named.typ.Size || t.Class != named.typ.Class {
		return nil, false, h5err.New(h5err.Argument, "the committed datatype %s is not the type of the values", named.path)
	}
	named.links++ // each use counts
	return format.Shared(named.head), true, nil
}

// NamedType is a committed datatype.
type NamedType struct {
	object
	typ     *h5.Type
	message *format.Block
}

// Group is a set of links.
type Group struct {
	object
	entries []entry
	byName  map[string]int
	ordered bool
}

// TrackOrder implements Object.
func (g *Group) TrackOrder(attributes, links bool) { g.tracked, g.ordered = attributes, links }

// entry is a link of a group.
type entry struct {
	name   string
	target Object // of a hard link
	class  uint8  // as format.Link has it
	data   string // of other links
}

// formatLinks returns the links for encoding.
func (g *Group) formatLinks() []format.Link {
	links := make([]format.Link, len(g.entries))
	for i, e := range g.entries {
		links[i] = format.Link{Name: e.name, Order: int64(i), Class: e.class, Data: e.data}
		if e.target != nil {
			links[i].Object = e.target.base().head
		}
	}
	return links
}
