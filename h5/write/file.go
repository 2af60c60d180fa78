package write

import (
	"io"
	"math"
	"strings"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write/internal/format"
	"github.com/h5arrow/h5arrow/h5/write/internal/queue"
	"github.com/h5arrow/h5arrow/h5/write/internal/space"
)

// Unknown is the first dimension of a shape whose number of rows is that of the rows written.
const Unknown = h5.Unlimited

// Shape returns the dataspace of fixed dimensions; a scalar if there are none.
func Shape(dims ...uint64) h5.Space {
	if len(dims) == 0 {
		return h5.Space{Class: h5.SpaceScalar}
	}
	return h5.Space{Class: h5.SpaceSimple, Dims: dims}
}

// Growing returns a dataspace whose first dimension can grow without bound.
func Growing(dims ...uint64) h5.Space {
	s := Shape(dims...)
	if len(dims) > 0 {
		s.Max = append([]uint64{h5.Unlimited}, dims[1:]...)
	}
	return s
}

// File is a file that is being written. Only one goroutine may use it and its objects.
type File struct {
	o       options
	out     space.Output
	space   space.Space
	root    *Group
	objects []Object
	data    []*Dataset // all that can be written, in the order in which they were made
	notes   heap       // values of attributes that point to the heap
	values  heap       // values of datasets
	queue   queue.Queue

	planned  bool  // the places of metadata, or those reserved for it, are fixed
	planning bool  // metadata is encoded to find its size
	placed   bool  // the places of all objects are known
	reserved int64 // end of the space for metadata
	stream   bool
	next     int // stream: position in data

	extension *format.Block    // of the superblock, nil: none
	oldRoot   *format.OldGroup // Earliest

	old   *existing
	err   error // the first one, which makes the file unusable
	ended bool
}

// Create starts a file in w. The caller closes File, and afterwards w.
func Create(w io.WriterAt, opts ...Option) (*File, error) {
	o := defaults()
	if err := o.apply(opts); err != nil {
		return nil, err
	}
	return create(space.Output{W: w}, o), nil
}

// CreateStream starts a file in w that is written strictly from its start to its end. All objects and attributes must be made
// before the first value is written, all shapes must be known, datasets must be contiguous, compact, or chunked without filters,
// and their values must be written one dataset after the other in the order in which the datasets were made. Anything else is an
// error of kind Unsupported or Argument that says which dataset.
func CreateStream(w io.Writer, opts ...Option) (*File, error) {
	o := defaults()
	if err := o.apply(opts); err != nil {
		return nil, err
	}
	o.first = true
	f := create(space.Output{W: &space.Sequence{W: w}}, o)
	f.stream, f.space.Ascending = true, true
	return f, nil
}

func create(out space.Output, o options) *File {
	f := &File{o: o, out: out}
	f.out.Base = o.userBlock
	f.space = space.New(o.rules(), int64(format.SuperblockSize(o.superblock())))
	f.notes, f.values = heap{f: f, attributes: true}, heap{f: f}
	f.queue.Workers, f.queue.Memory = o.workers, o.memory
	f.root = &Group{object: f.object("/"), byName: map[string]int{}}
	f.root.links = 1 // of the superblock
	f.add(f.root)
	return f
}

func (o *options) superblock() int {
	return map[Version]int{V110: 3, V18: 2, Earliest: 0}[o.version]
}

// fail keeps the first error of writing, after which nothing is written any more.
func (f *File) fail(err error) error {
	if err != nil && f.err == nil {
		f.err = err
	}
	return err
}

// usable returns the error that stopped the file.
func (f *File) usable() error {
	if f.err != nil {
		return f.err
	}
	if f.ended {
		return h5err.New(h5err.Argument, "the file was closed")
	}
	return nil
}

// changeable reports whether objects and attributes may still be made.
func (f *File) changeable(path string) error {
	if err := f.usable(); err != nil {
		return err
	}
	if f.planned {
		return h5err.In(h5err.New(h5err.Argument, "objects and attributes must be made before the first value is written"), "", path)
	}
	return nil
}

// Close finishes all datasets, writes the metadata and at last the superblock. It does not close the output. After an error, the
// output is not a complete file; that of Append is in its old state.
func (f *File) Close() error {
	if f.ended {
		return f.err
	}
	if f.err == nil {
		f.fail(f.finish())
	}
	f.Abandon()
	return f.err
}

// Abandon stops the workers and removes temporary files without finishing the file. After Close it does nothing.
func (f *File) Abandon() {
	if f.ended {
		return
	}
	f.ended = true
	f.queue.Stop()
	for _, d := range f.data {
		if d.store != nil {
			d.store.abandon()
		}
	}
	if f.old != nil {
		f.old.undo()
		f.old.close()
	}
}

// Size returns the number of bytes that the file has so far, with the space that is reserved.
func (f *File) Size() int64 { return f.out.Base + f.space.End }

// add adds an object, which gets its number.
func (f *File) add(o Object) {
	o.base().id = uint64(len(f.objects) + 1)
	f.objects = append(f.objects, o)
}

// object returns a new object of a path. It gets its number when it is added.
func (f *File) object(path string) object {
	return object{f: f, path: path, head: &format.Block{}, tracked: f.o.ordered}
}

// split divides a path into that of its group and a name.
func split(path string) (dir, name string, err error) {
	trimmed := strings.TrimRight(path, "/")
	i := strings.LastIndexByte(trimmed, '/')
	dir, name = trimmed[:i+1], trimmed[i+1:]
	switch {
	case name == "" || name == ".":
		return "", "", h5err.New(h5err.Argument, "%q does not name an object", path)
	case strings.ContainsRune(path, 0):
		return "", "", h5err.New(h5err.Argument, "a NUL in path %q", path)
	case len(name) > 1<<16-64:
		return "", "", h5err.New(h5err.Argument, "a name of %d bytes", len(name))
	}
	return dir, name, nil
}

// Group makes the group at a path and those on the way, or returns the one that exists. "/" is the root.
func (f *File) Group(path string) (*Group, error) {
	if err := f.usable(); err != nil {
		return nil, err
	}
	g := f.root
	at := ""
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name == "." {
			continue
		}
		at += "/" + name
		if i, ok := g.byName[name]; ok {
			next, _ := g.entries[i].target.(*Group)
			if next == nil {
				return nil, h5err.In(h5err.New(h5err.Argument, "%s is not a group", at), "", path)
			}
			g = next
			continue
		}
		child := &Group{object: f.object(at), byName: map[string]int{}}
		if err := f.link(at, entry{target: child}); err != nil {
			return nil, err
		}
		f.add(child)
		g = child
	}
	return g, nil
}

// link adds an entry to the group of a path; groups on the way are made.
func (f *File) link(path string, e entry) error {
	if err := f.changeable(path); err != nil {
		return err
	}
	dir, name, err := split(path)
	if err != nil {
		return err
	}
	g, err := f.Group(dir)
	if err != nil {
		return err
	}
	if _, ok := g.byName[name]; ok {
		return h5err.In(h5err.New(h5err.Argument, "there is an object of this name already"), "", path)
	}
	e.name = name
	g.byName[name] = len(g.entries)
	g.entries = append(g.entries, e)
	if e.target != nil {
		e.target.base().links++
	}
	g.touch()
	return nil
}

// Lookup returns an object that was made, or that was in the file that Append opened, without following soft and external links. If
// there is none, the error has kind NotFound.
func (f *File) Lookup(path string) (Object, error) {
	var at Object = f.root
	for name := range strings.SplitSeq(path, "/") {
		if name == "" || name == "." {
			continue
		}
		g, _ := at.(*Group)
		if g == nil {
			return nil, h5err.In(h5err.New(h5err.NotFound, "no such object"), "", path)
		}
		i, ok := g.byName[name]
		if !ok || g.entries[i].target == nil {
			return nil, h5err.In(h5err.New(h5err.NotFound, "no such object"), "", path)
		}
		at = g.entries[i].target
	}
	return at, nil
}

// HardLink makes a further hard link to an object.
func (f *File) HardLink(path string, target Object) error {
	if target == nil || target.base().f != f {
		return h5err.New(h5err.Argument, "a hard link %q to an object of another file", path)
	}
	return f.link(path, entry{target: target})
}

// SoftLink makes a soft link. The target need not exist.
func (f *File) SoftLink(path, target string) error {
	if target == "" || len(target) > 1<<16-64 || strings.ContainsRune(target, 0) {
		return h5err.New(h5err.Argument, "a soft link %q to a target of %d bytes", path, len(target))
	}
	return f.link(path, entry{class: format.LinkSoft, data: target})
}

// ExternalLink makes a link to an object of another file, which need not exist.
func (f *File) ExternalLink(path, file, target string) error {
	if file == "" || target == "" || len(file)+len(target) > 1<<16-64 || strings.ContainsRune(file+target, 0) {
		return h5err.New(h5err.Argument, "an external link %q to file %q", path, file)
	}
	if f.o.version == Earliest {
		return h5err.New(h5err.Unsupported, "an external link %q in a file for HDF5 before 1.8", path)
	}
	return f.link(path, entry{class: format.LinkExternal, data: format.ExternalTarget(file, target)})
}

// UserLink makes a link of a user's own class, from 65 to 255, with what the class stores. Only programs that know the class follow it.
func (f *File) UserLink(path string, class uint8, data string) error {
	if class <= format.LinkExternal || len(data) > math.MaxUint16 {
		return h5err.New(h5err.Argument, "a link %q of class %d with %d bytes", path, class, len(data))
	}
	if f.o.version == Earliest {
		return h5err.New(h5err.Unsupported, "a user's own link %q in a file for HDF5 before 1.8", path)
	}
	return f.link(path, entry{class: class, data: data})
}

// Commit makes a committed datatype at a path.
func (f *File) Commit(path string, t *h5.Type) (*NamedType, error) {
	n, err := f.commit(path, t)
	if err != nil {
		return nil, err
	}
	if err := f.link(path, entry{target: n}); err != nil {
		return nil, err
	}
	f.add(n)
	return n, nil
}

// CommitUnlinked makes a committed datatype without a link, as one whose links were removed. Only what is of that type leads to it.
func (f *File) CommitUnlinked(t *h5.Type) (*NamedType, error) {
	n, err := f.commit("", t)
	if err == nil {
		f.add(n)
	}
	return n, err
}

func (f *File) commit(path string, t *h5.Type) (*NamedType, error) {
	if err := f.changeable(path); err != nil {
		return nil, err
	}
	m, err := format.Type(t, f.o.version == Earliest)
	if err != nil {
		return nil, h5err.In(err, "", path)
	}
	return &NamedType{object: f.object(path), message: m, typ: t}, nil
}

// errStream is the reason why a dataset can't be streamed.
func errStream(path, format string, args ...any) error {
	return h5err.In(h5err.New(h5err.Unsupported, format, args...).WithHint("a file that can be written at any place takes it"), "", path)
}
