// Package check walks a whole HDF5 file and reports everything in it that is broken or not supported, instead of stopping
// at the first error as readers do.
//
// Without Options.Deep it reads metadata: headers, links, attributes, types, layouts, chunk indexes, heaps, free-space
// managers, filters. It verifies every checksum, compares every extent with the file's size and with all other extents, and
// checks what readers ignore: the order and the keys of B-trees, indexes that must agree with each other, counts. With
// Options.Deep it also decodes every chunk and looks up every variable-length value and reference.
//
// The time is proportional to the size of the file. Memory is bounded by Options.MaxMemory, plus what the largest group,
// attributes and chunk index of the file need.
//
// # Not promised
//
// That values mean something: text need not be UTF-8, and an enumeration may have values without a name. Reading them as
// columns reports that. Other files that this one refers to are not checked; only their existence is.
package check

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/inspect"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// Options selects how much to check. The zero value checks metadata only.
type Options struct {
	Deep      bool  // decode chunks and look up variable-length values too
	Workers   int   // goroutines that decode; 0 means one per processor
	MaxMemory int64 // bytes for chunks being decoded; 0 means 256 MiB. A chunk that needs more is an error of kind Memory.
	MaxErrors int   // errors that are reported for the values of each dataset; 0 means 100

	// Note, unless nil, is called for what is legal but may be unexpected: links that lead nowhere, references that lead
	// nowhere among the values that are looked up, missing sources of virtual datasets, bytes after the end of the file.
	Note func(Note)
}

// Note is a finding that is not a defect.
type Note struct {
	File, Object string
	Text         string
}

// String returns the note on one line.
func (n Note) String() string {
	if n.Object == "" {
		return n.File + ": " + n.Text
	}
	return n.File + ": " + n.Object + ": " + n.Text
}

// Counts is what the check covered.
type Counts struct {
	Groups     int   `json:"groups"`
	Datasets   int   `json:"datasets"`
	Types      int   `json:"types"`
	Attributes int   `json:"attributes"`
	Chunks     int64 `json:"chunks"` // decoded
	Bytes      int64 `json:"bytes"`  // of the decoded chunks
}

// File checks a file and calls found for each error, on the calling goroutine and in the order of the file's objects.
// Errors are of type *h5err.Error: of kind Corrupt for a defect, Unsupported and Limit for what this module can't read, IO and
// Memory for what could not be checked. File itself returns an error only when ctx is done. It reads the file again, through
// two more h5.Files.
func File(ctx context.Context, f *h5.File, o Options, found func(error)) (Counts, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.MaxMemory <= 0 {
		o.MaxMemory = 256 << 20
	}
	if o.MaxErrors <= 0 {
		o.MaxErrors = 100
	}
	const entry = 32 // bytes of memory for an extent, with some to spare
	c := &checker{ctx: ctx, o: o, found: found, reported: map[sameError]struct{}{}, objects: map[uint64]object{},
		ledger: newLedger(int(min(max(o.MaxMemory/8/entry, minExtents), 1<<24)))}
	c.heapLeft.Store(1<<26 + f.Source().Size()/4)
	g, err := h5.Inspect(f, inspect.Observer{Structure: c.structure, Defect: c.defect})
	if err != nil {
		c.f = f
		c.report(err, "")
		return c.Counts, ctx.Err()
	}
	defer g.Close()
	if c.quiet, err = h5.Inspect(f, inspect.Observer{Defect: func(error) {}}); err != nil {
		c.f = f
		c.report(err, "")
		return c.Counts, ctx.Err()
	}
	defer c.quiet.Close()
	c.open(g)
	err = g.Walk(func(obj h5.Object, path string, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c.owner++
		c.enter(path)
		defer c.leave()
		if err != nil {
			c.report(err, path)
			return nil
		}
		c.object(obj)
		return ctx.Err()
	})
	if ctx.Err() != nil {
		return c.Counts, ctx.Err()
	}
	if err != nil { // the walk itself reached a limit
		c.report(err, "")
	} else {
		c.countLinks()
		c.lost()
	}
	c.followAll()
	c.ledger.report(c.f.Superblock().EndOfFile, c.paths, c.report)
	return c.Counts, ctx.Err()
}

type checker struct {
	Counts
	ctx   context.Context
	watch *h5.Inspector // reports what it reads
	f     *h5.File      // that of watch
	quiet *h5.Inspector // reports nothing: for following links and sources to other objects, whose defects are not this one's
	r     *meta.Reader  // of the same bytes, for what readers ignore
	o     Options
	found func(error)

	owner   uint32 // number of the current object
	path    string // of the current object
	leads   bool   // there are soft or external links
	inside  bool   // an object is being checked: headers that the walk reads in between are read again with their objects
	ledger  *ledger
	objects map[uint64]object

	refMu sync.Mutex
	refs  map[reference]struct{} // to objects that no link has led to so far

	reported map[sameError]struct{}

	heapLeft atomic.Int64 // how many more values inside of values may be looked up
}

// object is what is known of the object at an address: how many links lead to it, and how many its header counts.
type object struct {
	owner       uint32
	found, said uint32
	known       bool // whether said is set
}

// reference is a reference from one object to another.
type reference struct {
	owner uint32
	addr  uint64
}

// maxReferences bounds the number of references that are remembered.
const maxReferences = 1 << 20

// sameError is what two reports of one error have in common.
type sameError struct {
	kind   h5err.Kind
	offset int64
	msg    string
	object string // if there is no offset
}

// maxRemembered bounds the number of errors that are remembered, so that they are reported once.
const maxRemembered = 1 << 16

// open checks what belongs to the file as a whole.
func (c *checker) open(watch *h5.Inspector) {
	c.watch, c.f = watch, watch.File()
	src, sb := c.f.Source(), c.f.Superblock()
	c.r = meta.NewReader(src, src.Size(), meta.Limits(c.f.Limits()))
	c.r.SetBase(sb.Offset)
	c.r.OffsetSize, c.r.LengthSize = sb.OffsetSize, sb.LengthSize
	c.r.OnExtent, c.r.OnDefect = c.structure, c.defect
	c.enter("")
	defer c.leave()
	c.linked(watch.Root())
	if sb.OpenForWriting() {
		c.note("", "a writer has the file open, or did not close it")
	}
	if n := src.Size() - sb.EndOfFile; n > 0 {
		c.note("", "%d bytes after the end that the superblock names", n)
	}
	again, err := h5.Inspect(c.f, inspect.Observer{Structure: c.structure}) // records the superblock and its extension as extents
	if err == nil {
		again.Close()
	}
	c.extension()
}

func (c *checker) enter(path string) { c.path, c.inside = path, true }

func (c *checker) leave() { c.inside = false }

// structure receives each structure that is read.
func (c *checker) structure(off, n int64, what string) {
	if !c.inside || what == rawData || what == chunkEvent {
		return // the last two are added where they are checked, with their owners
	}
	c.ledger.add(off, n, what, c.owner)
}

// defect receives defects of parts of structures. Workers read only global heaps, which report nothing here.
func (c *checker) defect(err error) { c.report(err, c.path) }

// report reports an error at an object, once.
func (c *checker) report(err error, path string) {
	if err == nil || c.ctx.Err() != nil {
		return
	}
	err = h5err.In(err, c.f.Name(), path)
	var e *h5err.Error
	if errors.As(err, &e) && len(c.reported) < maxRemembered {
		t := sameError{kind: e.Kind, offset: e.Offset, msg: e.Msg}
		if e.Offset < 0 {
			t.object = e.Object
		}
		if _, twice := c.reported[t]; twice {
			return
		}
		c.reported[t] = struct{}{}
	}
	c.found(err)
}

func (c *checker) note(path, format string, args ...any) {
	if c.o.Note != nil && c.ctx.Err() == nil {
		c.o.Note(Note{File: c.f.Name(), Object: path, Text: fmt.Sprintf(format, args...)})
	}
}

// linked counts a hard link to an object.
func (c *checker) linked(addr uint64) {
	o := c.objects[addr]
	o.found++
	c.objects[addr] = o
}

// said records how many links an object's header counts.
func (c *checker) said(addr uint64, n uint32) {
	o := c.objects[addr]
	o.said, o.known, o.owner = n, true, c.owner
	c.objects[addr] = o
}

// countLinks compares the number of links to each object with the count in its header.
func (c *checker) countLinks() {
	var wrong []object
	names := map[uint32]string{}
	for _, o := range c.objects {
		if o.known && o.found != o.said {
			wrong = append(wrong, o)
			names[o.owner] = ""
		}
	}
	if len(wrong) == 0 {
		return
	}
	slices.SortFunc(wrong, func(a, b object) int { return int(a.owner) - int(b.owner) })
	c.paths(names)
	for _, o := range wrong {
		if o.said > o.found { // for example, after a link was lost, or when a writer was killed before it deleted the object
			c.note(names[o.owner], "%d hard links lead here, the object header says %d", o.found, o.said)
			continue
		}
		c.report(h5err.New(h5err.Corrupt, "%d hard links lead here, the object header says %d: deleting some would break the others", o.found, o.said), names[o.owner])
	}
}

// refers records an object reference of the current object. Workers may call it: links are not counted meanwhile.
func (c *checker) refers(addr uint64) {
	if c.o.Note == nil || c.objects[addr].found > 0 {
		return
	}
	c.refMu.Lock()
	defer c.refMu.Unlock()
	if c.refs == nil {
		c.refs = map[reference]struct{}{}
	}
	if len(c.refs) < maxReferences {
		c.refs[reference{c.owner, addr}] = struct{}{}
	}
}

// lost notes references that lead nowhere. They are legal: they remain when an object is deleted.
func (c *checker) lost() {
	type where struct {
		n     int
		first uint64
	}
	all, names := map[uint32]where{}, map[uint32]string{}
	for r := range c.refs {
		if c.objects[r.addr].found > 0 {
			continue
		}
		w, ok := all[r.owner]
		if w.n++; !ok || r.addr < w.first {
			w.first = r.addr
		}
		all[r.owner], names[r.owner] = w, ""
	}
	if len(all) == 0 {
		return
	}
	c.paths(names)
	for _, owner := range slices.Sorted(maps.Keys(all)) {
		if w := all[owner]; w.n == 1 {
			c.note(names[owner], "a reference to an object at address %#x, to which no link leads", w.first)
		} else {
			c.note(names[owner], "references to objects at %d addresses to which no link leads, the first at %#x", w.n, w.first)
		}
	}
}

// paths finds the paths of objects by their numbers in the walk, which are the same each time.
func (c *checker) paths(names map[uint32]string) {
	n := uint32(0)
	c.quiet.Walk(func(_ h5.Object, path string, _ error) error {
		if n++; c.ctx.Err() != nil {
			return c.ctx.Err()
		}
		if _, ok := names[n]; ok {
			names[n] = path
		}
		return nil
	})
}

func (c *checker) object(o h5.Object) {
	c.structures(o)
	attrs, err := o.Attributes()
	c.report(err, o.Path())
	c.Attributes += len(attrs)
	for i, a := range attrs {
		if i > 0 && attrs[i-1].Name == a.Name {
			c.report(h5err.New(h5err.Corrupt, "two attributes of the name %q", a.Name), o.Path())
		}
		c.attribute(o, a)
	}
	for _, err := range c.watch.BadAttributes(o) {
		c.Attributes++
		c.report(err, o.Path())
	}
	switch o := o.(type) {
	case *h5.Group:
		c.Groups++
		c.links(o)
	case *h5.Dataset:
		c.Datasets++
		c.dataset(o)
	case *h5.NamedType:
		c.Types++
	}
}

// attribute looks up an attribute's variable-length values, which are few and belong to the metadata.
func (c *checker) attribute(o h5.Object, a *h5.Attribute) {
	if !c.variable(a.Type()) {
		return
	}
	h := c.newHeap()
	for p := a.Raw(); len(p) >= a.Type().Size && a.Type().Size > 0; p = p[a.Type().Size:] {
		if err := h.element(a.Type(), p[:a.Type().Size]); err != nil {
			c.report(within(err, h5err.NoOffset, fmt.Sprintf("attribute %q", a.Name)), o.Path())
			return
		}
	}
}

// dataset checks a dataset's description and, with Options.Deep, its values. It checks each part separately, so that several
// defects may be reported.
func (c *checker) dataset(d *h5.Dataset) {
	fill, err := d.Fill()
	if !h5err.Is(err, h5err.Limit) { // reported when a value needs it
		c.report(err, d.Path())
	}
	if err == nil && d.HasFill() && c.variable(d.Type()) {
		c.report(within(c.newHeap().element(d.Type(), fill), h5err.NoOffset, "fill value"), d.Path())
	}
	filters, err := d.Filters()
	c.report(err, d.Path())
	pipe, sound := c.pipeline(d, filters, err == nil)
	l, err := d.Layout()
	c.report(err, d.Path())
	if err != nil {
		return
	}
	switch l.Storage {
	case h5.StorageContiguous:
		c.ledger.add(l.Offset, l.Size, rawData, c.owner)
		if c.o.Deep && c.variable(d.Type()) {
			c.extentValues(d, l)
		}
	case h5.StorageCompact:
		if c.o.Deep && c.variable(d.Type()) {
			c.values(d, l.Data, 0)
		}
	case h5.StorageChunked:
		if l.Element != 0 {
			c.note(d.Path(), "the layout message has elements of %d bytes, the type has %d: HDF5 2 refuses that, older versions read it", l.Element, d.Type().Size)
		}
		whole := c.chunkList(d, l)
		if c.o.Deep && sound {
			c.chunks(d, l, pipe, whole)
		}
	case h5.StorageVirtual:
		c.virtual(d)
	case h5.StorageExternal:
		if c.o.Deep {
			c.external(d, l)
		}
	}
}

// pipeline returns the pipeline that undoes a dataset's filters; ok is false if it can't be made. Each filter is checked by
// itself, as several may be unsupported. One that no chunk needs is not reported.
func (c *checker) pipeline(d *h5.Dataset, filters []h5.Filter, sound bool) (pipe *filter.Pipeline, ok bool) {
	needed := ^uint32(0)
	for i := range filters {
		_, err := filter.New(filters[i : i+1])
		if h5err.Is(err, h5err.Unsupported) {
			if needed == ^uint32(0) {
				needed = c.needed(d)
			}
			if needed&(1<<i) == 0 {
				continue
			}
		}
		c.report(err, d.Path())
		sound = sound && err == nil
	}
	if !sound || len(filters) == 0 {
		return nil, sound
	}
	pipe, err := filter.NewLazy(filters)
	c.report(err, d.Path())
	return pipe, err == nil
}

// needed returns a mask of the filters that some chunk needs: all of them if the chunks can't be listed.
func (c *checker) needed(d *h5.Dataset) uint32 {
	list, err := d.Chunks()
	if err != nil {
		return ^uint32(0)
	}
	mask := uint32(0)
	for i := range list {
		mask |= ^list[i].FilterMask
	}
	return mask
}

// chunkList checks a dataset's chunk index. It returns a function that reports whether a chunk does not overlap earlier ones.
func (c *checker) chunkList(d *h5.Dataset, l *h5.Layout) (own func(i int) bool) {
	if addr, ok := c.watch.ChunkIndex(d); ok && l.Index == h5.IndexBTree1 {
		c.report(c.chunkTree(addr, len(l.ChunkDims)), d.Path())
	}
	list, err := d.Chunks()
	c.report(err, d.Path())
	order := make([]int32, len(list))
	for i := range order {
		order[i] = int32(i)
	}
	at := func(i int32) *h5.Chunk { return &list[i] }
	slices.SortFunc(order, func(a, b int32) int {
		if at(a).Offset != at(b).Offset {
			return int(min(max(at(a).Offset-at(b).Offset, -1), 1))
		}
		return int(a - b)
	})
	shared := map[int]struct{}{}
	var last *h5.Chunk // the one that ends last
	for _, i := range order {
		ch := at(i)
		if last != nil && ch.Offset < last.Offset+last.Size && ch.Size > 0 {
			shared[int(i)] = struct{}{}
			if len(shared) <= c.o.MaxErrors {
				c.report(h5err.At(h5err.Corrupt, ch.Offset, "chunk %d of %d bytes overlaps chunk %d of %d bytes at byte %d",
					ch.Number, ch.Size, last.Number, last.Size, last.Offset), d.Path())
			}
		} else {
			c.ledger.add(ch.Offset, ch.Size, chunkData, c.owner)
		}
		if last == nil || ch.Offset+ch.Size > last.Offset+last.Size {
			last = ch
		}
	}
	if more := len(shared) - c.o.MaxErrors; more > 0 {
		c.report(h5err.New(h5err.Corrupt, "%d more chunks overlap others", more), d.Path())
	}
	return func(i int) bool {
		_, ok := shared[i]
		return !ok
	}
}

// virtual checks that the sources of a virtual dataset exist.
func (c *checker) virtual(d *h5.Dataset) {
	o, err := c.quiet.File().ObjectAt(d.Address(), d.Path())
	if q, ok := o.(*h5.Dataset); ok && err == nil {
		d = q
	}
	_, maps, err := d.Mappings()
	c.report(err, d.Path())
	type source struct{ file, dataset string }
	seen := map[source]struct{}{}
	for i := range maps {
		s := source{maps[i].File, maps[i].Dataset}
		if _, ok := seen[s]; ok || c.ctx.Err() != nil {
			continue
		}
		seen[s] = struct{}{}
		switch _, err := d.File().OpenVirtual(s.file, s.dataset); {
		case h5err.Is(err, h5err.NotFound):
			c.note(d.Path(), "the source %s in %s is missing: it reads as the fill value", s.dataset, s.file)
		case err != nil && (s.file == "." || h5err.Is(err, h5err.Unsupported)):
			c.report(err, d.Path())
		case err != nil:
			c.note(d.Path(), "the source %s in %s can't be read: %v", s.dataset, s.file, err)
		}
	}
}

// external checks that the files of external storage exist and are large enough.
func (c *checker) external(d *h5.Dataset, l *h5.Layout) {
	left := l.Size
	for _, e := range l.External {
		if left <= 0 {
			return
		}
		src, err := d.File().OpenExternal(e.Name)
		if err != nil {
			if h5err.Is(err, h5err.NotFound) {
				err = h5err.Wrap(h5err.IO, err, "external storage")
			}
			c.report(err, d.Path())
			return
		}
		size := src.Size()
		src.Release()
		want := e.Size
		if want < 0 {
			want = max(size-e.Offset, 0)
		}
		want = min(want, left)
		if e.Offset > size || want > size-e.Offset {
			c.report(h5err.New(h5err.Corrupt, "external storage: %d bytes at %d of %q, which has %d", want, e.Offset, e.Name, size), d.Path())
		}
		left -= want
	}
	if left > 0 {
		c.report(h5err.New(h5err.Corrupt, "external storage is %d bytes short of %d", left, l.Size), d.Path())
	}
}
