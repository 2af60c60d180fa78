// Package h5 reads HDF5 files in pure Go: files, groups, datasets, attributes, types, layouts. It describes what a
// file holds and where; it converts nothing.
//
// Metadata are read by plain reads and kept as copies, so a file that changes or shrinks gives errors, never faults.
// Every number that comes from a file is checked before it is used, and Limits bound what a file may ask for. All
// errors are *h5err.Error and name the file, the object and the byte offset where they are known.
//
// What is not promised: that a file which is written to while it is open reads consistently.
package h5

import (
	"path"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"weak"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/heap"
	"github.com/h5arrow/h5arrow/h5/internal/inspect"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
	"github.com/h5arrow/h5arrow/h5/source"
)

// Limits bounds what a file may ask for. The zero value of a field is its default, given in the field's comment.
type Limits struct {
	Nesting       int   // depth of groups in a walk, of datatypes, of soft links followed: 64
	Messages      int   // messages of one object header: 65,536
	AttributeSize int64 // bytes of one attribute's value: 64 MiB
	HeapObjects   int   // objects of one heap or entries of one group: 16,777,216
	Rank          int   // dimensions: 32
	Elements      int64 // elements of one dataset: 2^48
	Chunks        int   // allocated chunks of one dataset: 67,108,864
	DecodedBytes  int64 // bytes of one decoded chunk: 4 GiB
	Links         int   // objects visited by one walk: 4,194,304
}

// Option changes how a file is opened.
type Option func(*options) error

type options struct {
	limits   Limits
	noMap    bool
	external []string
	noExt    bool
	only     bool     // external and files are all that is allowed
	files    []string // absolute paths
	observer inspect.Observer
}

// WithLimits sets limits. A negative one is an Argument error.
func WithLimits(l Limits) Option {
	return func(o *options) error {
		for _, v := range []int64{int64(l.Nesting), int64(l.Messages), l.AttributeSize, int64(l.HeapObjects), int64(l.Rank),
			l.Elements, int64(l.Chunks), l.DecodedBytes, int64(l.Links)} {
			if v < 0 {
				return h5err.New(h5err.Argument, "a limit of %d", v)
			}
		}
		o.limits = l
		return nil
	}
}

// WithoutMapping reads the file by plain reads.
func WithoutMapping() Option {
	return func(o *options) error {
		o.noMap = true
		return nil
	}
}

// WithExternal allows what the file points to (external links, external storage, virtual sources) in further
// directories; its own directory and what is below it is always allowed.
func WithExternal(dirs ...string) Option {
	return func(o *options) error {
		for _, d := range dirs {
			abs, err := filepath.Abs(d)
			if err != nil {
				return h5err.Wrap(h5err.Argument, err, "directory %q", d)
			}
			o.external = append(o.external, abs)
		}
		return nil
	}
}

// WithExternalOnly allows what the file points to in these directories, and these single files, and nothing else: not
// the file's own directory either.
func WithExternalOnly(dirs, files []string) Option {
	return func(o *options) error {
		o.only = true
		for _, f := range files {
			abs, err := filepath.Abs(f)
			if err != nil {
				return h5err.Wrap(h5err.Argument, err, "file %q", f)
			}
			o.files = append(o.files, abs)
		}
		return WithExternal(dirs...)(o)
	}
}

// WithoutExternal refuses everything that the file points to outside itself.
func WithoutExternal() Option {
	return func(o *options) error {
		o.noExt = true
		return nil
	}
}

// File is an open HDF5 file. It may be used by several goroutines.
type File struct {
	src  *source.Source
	r    *meta.Reader
	sb   Superblock
	opts options
	root *Group

	dir    string  // absolute path of the folder that holds the file, "" when it is no local file
	family *family // nil when it is no local file
	led    bool    // another file led to this one, and will close it

	shared []*sharedIndex // as open left it

	mu         sync.Mutex
	known      map[uint64]known // objects by address
	knownBytes int64
	types      map[string]*Type // of short messages, by their bytes
	sharing    map[committedKey]message
	owners     map[uint64]uint64
	closed     bool

	heapMu      sync.Mutex
	collections map[uint64]*heap.Collection
	heapBytes   int64
	heaps       map[uint64]struct{} // addresses of collections that were ever read
	heapsBytes  int64               // and the bytes of all of them
}

// Open opens a local file. Close it; arrays made from it outlive Close.
func Open(name string, opts ...Option) (*File, error) {
	var o options
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	var sopts []source.Option
	if o.noMap {
		sopts = append(sopts, source.WithoutMapping())
	}
	src, err := source.Open(name, sopts...)
	if err != nil {
		return nil, h5err.In(err, name, "")
	}
	f, err := newFile(src, o, nil)
	if err != nil {
		src.Release()
		return nil, err
	}
	return f, nil
}

// NewFile opens the HDF5 file that src holds. It takes over the caller's reference on src when it succeeds.
func NewFile(src *source.Source, opts ...Option) (*File, error) {
	var o options
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	return newFile(src, o, nil)
}

func newFile(src *source.Source, o options, fam *family) (*File, error) {
	f := &File{src: src, opts: o, family: fam, led: fam != nil, known: map[uint64]known{}, sharing: map[committedKey]message{},
		owners: map[uint64]uint64{}, collections: map[uint64]*heap.Collection{}}
	if p := src.Path(); p != "" {
		abs, err := filepath.Abs(p)
		if err != nil {
			return nil, h5err.About(h5err.Wrap(h5err.IO, err, "where it is"), f)
		}
		f.dir = filepath.Dir(abs)
		if fam == nil {
			f.family = &family{files: map[string]*File{abs: f}}
		}
	}
	f.r = meta.NewReader(src, src.Size(), meta.Limits(o.limits))
	f.r.OnExtent, f.r.OnDefect = o.observer.Structure, o.observer.Defect
	if err := f.open(); err != nil {
		return nil, h5err.About(err, f)
	}
	return f, nil
}

func (f *File) open() (err error) {
	if f.sb, err = readSuperblock(f.r); err != nil {
		return err
	}
	if f.sb.extension != meta.Undefined {
		if err := f.readExtension(); err != nil {
			if e := f.sb.checkEnd(f.r); e != nil && !h5err.Is(err, h5err.Unsupported) {
				return e
			}
			return err
		}
	}
	if err := f.sb.checkEnd(f.r); err != nil {
		return err
	}
	obj, err := f.object(f.sb.root, "/")
	if err != nil {
		return err
	}
	g, ok := obj.(*Group)
	if !ok {
		return h5err.New(h5err.Corrupt, "the root object is no group")
	}
	f.root = g
	return nil
}

// readExtension reads the superblock extension (II.C).
func (f *File) readExtension() error {
	h, err := f.readHeader(f.sb.extension)
	if err != nil {
		return err
	}
	for i := range h.messages {
		m := &h.messages[i]
		switch m.typ {
		case msgSharedTable:
			err = f.readSharedTable(m)
		case msgDriver:
			c := f.r.CursorOver(m.body, m.at)
			c.Skip(1)
			id := c.Bytes(8)
			if err = c.Err(); err == nil {
				err = oneFile(f.r, m.at, id)
			}
		case msgCacheImage:
			err = f.readCacheImage(m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readCacheImage refuses files whose metadata stand in an image of a cache and not in their places.
func (f *File) readCacheImage(m *message) error {
	c := f.r.CursorOver(m.body, m.at)
	c.Skip(1)
	addr, size := c.Address(), c.Length()
	if c.Err() != nil || addr == meta.Undefined || size == 0 {
		return c.Err()
	}
	return h5err.At(h5err.Unsupported, f.r.Base()+int64(m.at), "a metadata cache image: metadata are not in their places").
		WithHint("h5clear -m, or opening it for writing with libhdf5, puts them there")
}

// Close gives up the file's hold on its source. Arrays and datasets' mapped bytes that are still held stay valid.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	f.src.Release()
	if f.family != nil && !f.led {
		f.family.close(f)
	}
	return nil
}

// Source returns where the file's bytes come from.
func (f *File) Source() *source.Source { return f.src }

// Name returns the file's name.
func (f *File) Name() string { return f.src.Name() }

// Location returns the file's name and no path, for errors about the file itself.
func (f *File) Location() (file, path string) { return f.Name(), "" }

// at is the location of a path in the file, whether or not there is an object.
func (f *File) at(path string) location { return location{f, path} }

type location struct {
	f    *File
	path string
}

// Location implements h5err.Located.
func (l location) Location() (file, path string) { return l.f.Name(), l.path }

// Superblock returns what the superblock says.
func (f *File) Superblock() Superblock { return f.sb }

// Limits returns the limits in force, defaults filled in.
func (f *File) Limits() Limits { return Limits(f.r.Limits) }

// OffsetSize is the number of bytes of an address in this file.
func (f *File) OffsetSize() int { return f.r.OffsetSize }

// Root returns the root group.
func (f *File) Root() *Group { return f.root }

// claim notes that a structure belongs to the object at an address, and fails when it belongs to another one. No writer
// shares them, but a small file could seem vast by sharing.
func (f *File) claim(addr, owner uint64, what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if o, ok := f.owners[addr]; ok && o != owner {
		return f.r.Corrupt(addr, "this %s belongs to the objects at address %#x and at %#x", what, o, owner)
	}
	if len(f.owners) < maxOwners {
		f.owners[addr] = owner
	}
	return nil
}

// maxOwners bounds the structures whose owners are noted.
const maxOwners = 1 << 20

// extent tells a visitor (check) that a structure was read.
func (f *File) extent(addr, n uint64, what string) { f.r.Extent(addr, n, what) }

// Object is a group, a dataset or a committed datatype.
type Object interface {
	Path() string    // the path by which it was reached
	Address() uint64 // identifies the object within its file
	File() *File     // the file that holds it, which external links make another one

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

// attrState is shared by the object's names.
type attrState struct {
	attrsOnce sync.Once
	attrs     *attributeList // never nil then
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

// Attributes returns the object's attributes that can be read, by name, bytewise.
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

// Attribute returns the attribute of that name, nil when there is none that can be read.
func (o *object) Attribute(name string) (*Attribute, error) {
	attrs, err := o.Attributes()
	i := sort.Search(len(attrs), func(i int) bool { return attrs[i].Name >= name })
	if i < len(attrs) && attrs[i].Name == name {
		return attrs[i], nil
	}
	return nil, err
}

// known is an object that need not be read again: a group that is kept, or a dataset that somebody holds.
type known struct {
	g *Group
	d weak.Pointer[Dataset]
}

// object opens the object at an address.
func (f *File) object(addr uint64, p string) (Object, error) {
	f.mu.Lock()
	k, ok := f.known[addr]
	f.mu.Unlock()
	if ok && k.g != nil {
		return k.g.at(p), nil
	}
	if ok {
		if d := k.d.Value(); d != nil {
			return d.at(p), nil
		}
	}
	both := &struct {
		header
		attrState
	}{}
	h := &both.header
	if err := f.readHeaderTo(h, addr); err != nil {
		return nil, h5err.About(err, f.at(p))
	}
	o := object{f: f, addr: addr, path: p, h: h, attrState: &both.attrState}
	switch {
	case h.find(msgSymbolTable) != nil || h.find(msgLinkInfo) != nil || h.find(msgLink) != nil:
		return f.keepGroup(newGroup(o)), nil
	case h.find(msgLayout) != nil || h.find(msgDataspace) != nil:
		d, err := f.newDataset(o)
		if err != nil {
			return nil, err
		}
		f.mu.Lock()
		f.charge(knownDataset)
		f.known[addr] = known{d: weak.Make(d)}
		f.mu.Unlock()
		return d, nil
	case h.find(msgDatatype) != nil:
		c, err := f.cursor(h.find(msgDatatype))
		if err != nil {
			return nil, h5err.About(err, f.at(p))
		}
		t := f.parseType(c, 0) // its own: it is marked
		if t == nil {
			return nil, h5err.About(c.Err(), f.at(p))
		}
		t.Committed = true
		return &NamedType{object: o, Type: t}, nil
	}
	return newGroup(o), nil // an empty group of the new kind may have no message at all
}

// ObjectAt opens the object at an address, as an object reference names it. p is the path that it will report.
func (f *File) ObjectAt(addr uint64, p string) (Object, error) { return f.object(addr, p) }

// Open opens what the link of that name leads to.
func (g *Group) Open(name string) (Object, error) {
	left := g.f.r.Limits.Nesting
	return g.f.walkTo(g, name, &left)
}

// OpenLink is Open for the name of one of the group's links, which Links or Link returned: it is not looked for again.
func (g *Group) OpenLink(l Link) (Object, error) {
	if l.Name == "" || l.Name == "." || strings.Contains(l.Name, "/") {
		return g.Open(l.Name) // no path leads to it
	}
	left := g.f.r.Limits.Nesting
	return g.follow(l, join(g.path, l.Name), &left)
}

// Lookup opens the object at an absolute path. Soft links are followed, external ones by the file's policy; no more of
// both than Limits.Nesting in all. A path that leads nowhere is a NotFound error.
func (f *File) Lookup(p string) (Object, error) { return f.root.Open(strings.TrimLeft(p, "/")) }

func (f *File) notFound(p, why string) error {
	return h5err.About(h5err.New(h5err.NotFound, "%s", why), f.at(p))
}

// walkTo follows a path from a group. left is how many links may yet be followed: in all, not in a row, as the target of
// each link may name several others.
func (f *File) walkTo(g *Group, p string, left *int) (Object, error) {
	var at Object = g
	if strings.HasPrefix(p, "/") {
		at = g.f.root
	}
	for p != "" {
		var name string
		name, p, _ = strings.Cut(p, "/")
		if name == "" || name == "." {
			continue
		}
		g, ok := at.(*Group)
		if !ok {
			return nil, at.File().notFound(join(at.Path(), name), at.Path()+" is no group")
		}
		l, found, err := g.Link(name)
		if err != nil {
			return nil, err
		}
		here := join(g.path, name)
		if !found {
			return nil, g.f.notFound(here, "no such object")
		}
		if at, err = g.follow(l, here, left); err != nil {
			return nil, err
		}
	}
	return at, nil
}

// follow opens what a link leads to; the object reports the path here, as it was asked for.
func (g *Group) follow(l Link, here string, left *int) (Object, error) {
	f := g.f
	switch l.Kind {
	case LinkHard:
		return f.object(l.Address, here)
	case LinkSoft:
		if *left--; *left < 0 {
			return nil, f.notFound(here, "soft links that lead nowhere: too many of them")
		}
		o, err := f.walkTo(g, l.Target, left)
		if h5err.Is(err, h5err.NotFound) {
			return nil, f.notFound(here, "soft link to "+l.Target+", which leads nowhere")
		}
		return renamed(o, here), err
	case LinkExternal:
		if *left--; *left < 0 {
			return nil, f.notFound(here, "external links that lead nowhere: too many of them")
		}
		other, err := f.OpenFile(l.File)
		if err != nil {
			return nil, h5err.About(err, f.at(here))
		}
		return other.walkTo(other.root, strings.TrimLeft(l.Target, "/"), left)
	}
	return nil, h5err.About(h5err.New(h5err.Unsupported, "user-defined link"), f.at(here))
}

// renamed returns the object under another path.
func renamed(o Object, p string) Object {
	switch o := o.(type) {
	case *Dataset:
		if o.path != p {
			return o.at(p)
		}
	case *Group:
		return o.at(p)
	case *NamedType:
		if o.path != p {
			return &NamedType{object: o.object.renamed(p), Type: o.Type}
		}
	}
	return o
}

func join(dir, name string) string {
	if dir == "/" {
		return "/" + name
	}
	return dir + "/" + name
}

// CleanPath returns a path in its shortest absolute form.
func CleanPath(p string) string { return path.Clean("/" + p) }
