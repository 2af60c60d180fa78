// Package h5 reads HDF5 files in pure Go: files, groups, datasets, attributes, types, layouts. It describes what a
// file contains and where; it converts nothing.
//
// Metadata is read by plain reads and kept as copies, so a file that changes or shrinks gives errors, never faults.
// Every number that comes from a file is checked before it is used, and Limits bound what a file may ask for. All
// errors are *h5err.Error and name the file, the object and the byte offset if they are known.
//
// Sections named in comments are those of the HDF5 File Format Specification, version 3.0.
//
// # Files that are being written
//
// A file that a writer has open, or did not close (Superblock.OpenForWriting), is read as it is at each moment: objects keep
// the shape that they had when they were opened, while the file grows. If it is written in SWMR mode, all values within
// that shape are there.
//
// # Not promised
//
// Consistent results from any other file that is written to while it is open.
package h5

import (
	"path"
	"path/filepath"
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
	Nesting       int   // depth of datatypes, soft and external links followed for one path: 64
	Messages      int   // messages of one object header: 65,536
	AttributeSize int64 // bytes of one attribute's value: 64 MiB
	HeapObjects   int   // objects of one heap or entries of one group: 16,777,216
	Rank          int   // dimensions: 32
	Elements      int64 // elements of one dataset, stored or not: 2^48
	Chunks        int   // allocated chunks of one dataset: 67,108,864
	DecodedBytes  int64 // bytes of one decoded chunk: 4 GiB
	Links         int   // objects visited by one walk: 4,194,304
	Expansion     int64 // declared bytes of a dataset for each byte that is stored of it, beyond 16 MiB: not limited
}

// Option changes how a file is opened.
type Option func(*options) error

type options struct {
	limits   Limits
	noMap    bool
	strict   bool     // see WithUntrusted
	external External // of absolute paths
	observer inspect.Observer
}

// WithLimits sets limits. A negative limit is an error of kind Argument.
func WithLimits(l Limits) Option {
	return func(o *options) error {
		for _, v := range []int64{int64(l.Nesting), int64(l.Messages), l.AttributeSize, int64(l.HeapObjects), int64(l.Rank),
			l.Elements, int64(l.Chunks), l.DecodedBytes, int64(l.Links), l.Expansion} {
			if v < 0 {
				return h5err.New(h5err.Argument, "a limit of %d", v)
			}
		}
		o.limits = l
		return nil
	}
}

// WithoutMapping reads the file by plain reads instead of mapping it.
func WithoutMapping() Option {
	return func(o *options) error {
		o.noMap = true
		return nil
	}
}

// External is what a file may refer to outside itself, by external links, external storage and virtual datasets. The zero
// External is the file's own directory and what is below it.
type External struct {
	Dirs  []string // further directories, with what is below them
	Files []string // further single files
	Only  bool     // not the file's own directory: Dirs and Files are all that is allowed

	// External storage has no signature: any file can be read by it. RawOnly allows it in RawDirs and below only.
	RawOnly bool
	RawDirs []string

	// Open, unless it is nil, opens the files that others refer to, in place of all other rules, those of WithUntrusted too. from is the name
	// of the Source of the file that names it. The caller releases the Source. If there is no such file, the error has kind NotFound.
	Open func(from, name string) (*source.Source, error)
}

// WithExternal sets what the file may refer to outside itself. Opening anything else is an error of kind Unsupported. Relative
// paths are relative to the working directory.
func WithExternal(e External) Option {
	return func(o *options) error {
		x := External{Only: e.Only, RawOnly: e.RawOnly, Open: e.Open}
		for _, l := range []struct {
			to   *[]string
			from []string
			what string
		}{{&x.Dirs, e.Dirs, "directory"}, {&x.Files, e.Files, "file"}, {&x.RawDirs, e.RawDirs, "directory"}} {
			for _, name := range l.from {
				abs, err := filepath.Abs(name)
				if err != nil {
					return h5err.Wrap(h5err.Argument, err, "%s %q", l.what, name)
				}
				*l.to = append(*l.to, abs)
			}
		}
		o.external = x
		return nil
	}
}

// File is an open HDF5 file. Several goroutines may use it.
type File struct {
	src  *source.Source
	r    *meta.Reader
	sb   Superblock
	opts options
	root *Group

	dir    string  // absolute path of the directory of a local file, else ""
	family *family // nil if the file is not a local one, and External.Open is not set
	led    bool    // opened by another file, which will close it

	shared []*sharedIndex // set by open

	mu         sync.Mutex
	known      map[uint64]known // objects by address
	knownBytes int64
	large      uint64           // address of the large group that was read last
	types      map[string]*Type // of short messages, by their bytes
	sharing    map[committedKey]message
	owners     map[uint64]uint64
	closed     bool

	keeps    sync.Map  // of *kept
	gathered sync.Once // see Gather

	heapMu      sync.Mutex
	collections map[uint64]*heap.Collection
	heapBytes   int64
	heaps       map[uint64]struct{} // addresses of all collections read so far
	heapsBytes  int64               // and their bytes
}

// Open opens a local file. The caller closes it; arrays made from it stay valid after Close.
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

// NewFile opens the HDF5 file in src. If it succeeds, it takes over the caller's reference to src.
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
	if o.strict {
		o.limits = stricter(o.limits)
	}
	f := &File{src: src, opts: o, family: fam, led: fam != nil, known: map[uint64]known{}, sharing: map[committedKey]message{},
		owners: map[uint64]uint64{}, collections: map[uint64]*heap.Collection{}}
	if o.external.Open != nil && fam == nil {
		f.family = &family{files: map[string]*File{}}
	} else if p := src.Path(); p != "" {
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
	if f.src.Growable() && (f.sb.OpenForWriting() || f.sb.EndOfFile > f.r.Size()) { // the latter may just have been closed
		f.src.Follow()
		f.r.Follow()
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
		return h5err.New(h5err.Corrupt, "the root object is not a group")
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
		case msgFileSpace:
			f.readFileSpace(m)
		case msgCacheImage:
			err = f.readCacheImage(m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Close drops the file's reference to its source. Mapped bytes and arrays that hold their own references stay valid.
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

// Source returns the source of the file's bytes.
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

// Superblock returns the file's superblock.
func (f *File) Superblock() Superblock { return f.sb }

// Limits returns the limits in force, with defaults filled in.
func (f *File) Limits() Limits { return Limits(f.r.Limits) }

// OffsetSize returns the number of bytes of an address in this file.
func (f *File) OffsetSize() int { return f.r.OffsetSize }

// Root returns the root group.
func (f *File) Root() *Group { return f.root }

// claim records that a structure belongs to the object at an address, and fails if it belongs to another one. Writers do not
// share structures; a small file that did could appear to be vast.
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

// maxOwners bounds the number of structures whose owners are recorded.
const maxOwners = 1 << 20

// extent reports to the observer that a structure was read.
func (f *File) extent(addr, n uint64, what string) { f.r.Extent(addr, n, what) }

// known is an object that need not be read again: a cached group, or a dataset that is still in use.
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
		t := f.parseType(c, 0) // not a cached one: it is marked
		if t == nil {
			return nil, h5err.About(c.Err(), f.at(p))
		}
		t.Committed = true
		return &NamedType{object: o, Type: t}, nil
	}
	return newGroup(o), nil // an empty group may have no message at all
}

// ObjectAt opens the object at an address, which comes from an object reference. p is the path that the object reports.
func (f *File) ObjectAt(addr uint64, p string) (Object, error) { return f.object(addr, p) }

// Open opens the object at a path, which is relative to the group unless it starts with a slash.
func (g *Group) Open(name string) (Object, error) {
	left := g.f.r.Limits.Nesting
	return g.f.walkTo(g, name, &left)
}

// OpenLink opens the target of a link that Links or Link returned, without looking for its name again.
func (g *Group) OpenLink(l Link) (Object, error) {
	if l.Name == "" || l.Name == "." || strings.Contains(l.Name, "/") {
		return g.Open(l.Name) // no path leads to it
	}
	left := g.f.r.Limits.Nesting
	return g.follow(l, join(g.path, l.Name), &left)
}

// Lookup opens the object at an absolute path. It follows soft links, and external links by the file's policy: at most
// Limits.Nesting of both. If there is no object at the path, the error has kind NotFound.
func (f *File) Lookup(p string) (Object, error) { return f.root.Open(strings.TrimLeft(p, "/")) }

func (f *File) notFound(p, why string) error {
	return h5err.About(h5err.New(h5err.NotFound, "%s", why), f.at(p))
}

// walkTo follows a path from a group. left is how many more soft and external links may be followed: in all, not in a row, as
// the target of each link may contain several others.
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
			return nil, at.File().notFound(join(at.Path(), name), at.Path()+" is not a group")
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

// follow opens the target of a link. The object reports the path here, by which it was asked for.
func (g *Group) follow(l Link, here string, left *int) (Object, error) {
	f := g.f
	switch l.Kind {
	case LinkHard:
		if l.tree != 0 {
			f.r.Expect(firstHeader, l.Address, l.tree, l.heap)
		}
		return f.object(l.Address, here)
	case LinkSoft:
		if *left--; *left < 0 {
			return nil, f.notFound(here, "too many soft links")
		}
		o, err := f.walkTo(g, l.Target, left)
		if h5err.Is(err, h5err.NotFound) {
			return nil, f.notFound(here, "soft link to "+l.Target+", which leads nowhere")
		}
		return renamed(o, here), err
	case LinkExternal:
		if err := f.refuses(&l); err != nil {
			return nil, h5err.About(err, f.at(here))
		}
		if *left--; *left < 0 {
			return nil, f.notFound(here, "too many external links")
		}
		other, err := f.OpenFile(l.File)
		if err != nil {
			return nil, h5err.About(err, f.at(here))
		}
		return other.walkTo(other.root, strings.TrimLeft(l.Target, "/"), left)
	}
	if err := f.refuses(&l); err != nil {
		return nil, h5err.About(err, f.at(here))
	}
	return nil, h5err.About(h5err.New(h5err.Unsupported, "user-defined link"), f.at(here))
}

// renamed returns the object with another path.
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
