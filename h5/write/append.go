package write

import (
	"os"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/inspect"
	"github.com/h5arrow/h5arrow/h5/write/flat"
	"github.com/h5arrow/h5arrow/h5/write/internal/format"
	"github.com/h5arrow/h5arrow/h5/write/internal/lock"
	"github.com/h5arrow/h5arrow/h5/write/internal/space"
)

// existing is the file that Append opened.
type existing struct {
	w        *os.File
	file     *h5.File
	in       *h5.Inspector
	unlock   func()
	size     int64 // bytes of the file before
	switched bool  // the superblock may have been replaced
	ids      map[uint64]uint64
}

// oldObject is what an object of the opened file was. As long as it is not moved, its header stays where it is, and everything that
// the header refers to with it.
type oldObject struct {
	src      h5.Object
	messages []inspect.Message
	dense    bool // its attributes are in a heap
	changed  bool // it must be written anew
	refs     []oldReference
}

// oldReference is an attribute that refers to objects.
type oldReference struct {
	name string
	data []byte // in flat form
	ids  map[uint64]bool
}

// Append opens a file to add objects, attributes and rows. New data and metadata are written past the file's end, or as rows past the
// dataset's end in a chunk without filters that has room; Close flushes them and then replaces the superblock, so that a crash at any moment leaves the old file or the new one. The file must have a
// superblock of version 2 or 3. One that something else has open for writing, or has locked, is an error of kind IO or Corrupt. The
// options for version, user block, pages and metadata first don't apply.
//
// Objects that change, those that refer to them, and the groups on the way to them get new headers. Datasets whose values refer to
// objects, and links of users' own kinds, are errors of kind Unsupported.
func Append(w *os.File, opts ...Option) (*File, error) {
	o := defaults()
	if err := o.apply(opts); err != nil {
		return nil, err
	}
	unlock, err := lock.File(w)
	if err != nil {
		return nil, h5err.In(err, w.Name(), "")
	}
	src, err := h5.Open(w.Name(), h5.WithoutMapping())
	if err != nil {
		unlock()
		return nil, err
	}
	e := &existing{w: w, file: src, unlock: unlock, ids: map[uint64]uint64{}}
	f, err := e.open(o)
	if err != nil {
		e.close()
		return nil, h5err.In(err, w.Name(), "")
	}
	return f, nil
}

// Before returns the file as it was when Append opened it, nil for one that Create made. It is open until Close or Abandon.
func (f *File) Before() *h5.File {
	if f.old == nil {
		return nil
	}
	return f.old.file
}

func (e *existing) open(o options) (*File, error) {
	sb := e.file.Superblock()
	switch {
	case sb.OpenForWriting():
		return nil, h5err.New(h5err.Corrupt, "a writer has the file open, or did not close it")
	case sb.Version < 2:
		return nil, h5err.New(h5err.Unsupported, "a superblock of version %d, which has no checksum; versions 2 and 3 can be replaced at once", sb.Version)
	case sb.OffsetSize != 8 || sb.LengthSize != 8:
		return nil, h5err.New(h5err.Unsupported, "addresses of %d and lengths of %d bytes", sb.OffsetSize, sb.LengthSize)
	}
	info, err := e.w.Stat()
	if err != nil {
		return nil, space.Failure(err)
	}
	e.size = info.Size()
	if e.in, err = h5.Inspect(e.file, inspect.Observer{}); err != nil {
		return nil, err
	}
	o.version, o.userBlock, o.userData, o.first, o.page = V110, sb.Offset, nil, false, 0
	if sb.Version == 2 {
		o.version = V18
	}
	if o.page, err = e.page(); err != nil {
		return nil, err
	}
	f := create(space.Output{W: e.w}, o)
	f.old = e
	f.space = space.Space{Rules: f.o.rules(), End: sb.EndOfFile - sb.Offset}
	f.out.End = f.space.End
	if addr, ok := e.in.Extension(); ok {
		f.extension = &format.Block{Addr: addr}
	}
	if err := e.load(f); err != nil {
		return nil, err
	}
	return f, nil
}

// page returns the page size of the file, 0 for none (IV.A.2.x).
func (e *existing) page() (int64, error) {
	addr, ok := e.in.Extension()
	if !ok {
		return 0, nil
	}
	h, err := e.in.Header(addr)
	if err != nil {
		return 0, err
	}
	for _, m := range h.Messages {
		if m.Type != format.MsgFileSpace {
			continue
		}
		var b format.Block
		b.Bytes(m.Body)
		size, persists, ok := b.PageSize()
		if !ok || persists {
			return 0, h5err.New(h5err.Unsupported, "the file keeps a list of its free space")
		}
		return int64(size), nil
	}
	return 0, nil
}

func (e *existing) close() {
	if e.in != nil {
		e.in.Close()
	}
	e.file.Close()
	e.unlock()
}

// load makes the objects of the file.
func (e *existing) load(f *File) error {
	f.objects, f.root = nil, nil
	if err := e.object(f, e.file.Root(), "/"); err != nil {
		return err
	}
	for i := 0; i < len(f.objects); i++ { // links add objects at the end
		g, ok := f.objects[i].(*Group)
		if !ok {
			continue
		}
		if err := e.links(f, g); err != nil {
			return h5err.In(err, "", g.path)
		}
	}
	for _, o := range f.objects {
		if err := e.references(o.base()); err != nil {
			return h5err.In(err, "", o.Path())
		}
	}
	return nil
}

// object adds an object of the file.
func (e *existing) object(f *File, o h5.Object, path string) error {
	h, err := e.in.Header(o.Address())
	if err != nil {
		return err
	}
	b := f.object(path)
	b.tracked = false
	b.head.Addr = o.Address()
	b.old = &oldObject{src: o, messages: h.Messages}
	ordered := false
	for _, m := range h.Messages {
		if m.Shared() || len(m.Body) < 2 {
			continue
		}
		switch m.Type {
		case format.MsgAttributeInfo:
			b.tracked = m.Body[1]&1 != 0
			b.old.dense = format.InfoHeap(m.Body, 2) != format.Undefined
		case format.MsgLinkInfo:
			ordered = m.Body[1]&1 != 0
		}
	}
	switch o := o.(type) {
	case *h5.Group:
		g := &Group{object: b, byName: map[string]int{}, ordered: ordered}
		if f.root == nil {
			f.root = g
			g.object.links = 1 // of the superblock
		}
		f.add(g)
	case *h5.Dataset:
		d := &Dataset{object: b, values: flat.New(o.Type()), rows: uint64(o.Rows()), done: true}
		if d.values.Refs {
			return h5err.In(h5err.New(h5err.Unsupported, "the values refer to objects by their addresses"), "", path)
		}
		f.add(d)
		f.data = append(f.data, d)
	case *h5.NamedType:
		f.add(&NamedType{object: b, typ: o.Type})
	}
	e.ids[o.Address()] = uint64(len(f.objects))
	return nil
}

// links adds the links of a group, and the objects that they lead to.
func (e *existing) links(f *File, g *Group) error {
	src := g.old.src.(*h5.Group)
	links, err := src.Links()
	if err != nil {
		return err
	}
	for _, l := range links {
		n := entry{name: l.Name}
		switch l.Kind {
		case h5.LinkHard:
			id, ok := e.ids[l.Address]
			if !ok {
				o, err := src.OpenLink(l)
				if err == nil {
					err = e.object(f, o, o.Path())
				}
				if err != nil {
					return err
				}
				id = uint64(len(f.objects))
			}
			n.target = f.objects[id-1]
			n.target.base().links++
		case h5.LinkSoft:
			n.class, n.data = format.LinkSoft, l.Target
		case h5.LinkExternal:
			n.class, n.data = format.LinkExternal, format.ExternalTarget(l.File, l.Target)
		case h5.LinkUser:
			if n.class, n.data = l.Class, l.Data; n.class <= format.LinkExternal {
				return h5err.New(h5err.Unsupported, "link %q is of the reserved class %d", l.Name, l.Class)
			}
		}
		g.byName[l.Name] = len(g.entries)
		g.entries = append(g.entries, n)
	}
	return nil
}

// references finds the attributes that refer to objects.
func (e *existing) references(o *object) error {
	attrs, err := o.old.src.Attributes()
	if err != nil {
		return err
	}
	for _, a := range attrs {
		if v := flat.New(a.Type()); !v.Refs {
			continue
		}
		r := oldReference{name: a.Name, ids: map[uint64]bool{}}
		fl := flat.NewFlattener(e.file, a.Type(), func(addr uint64) (uint64, error) {
			id := e.ids[addr] // what leads nowhere becomes a null reference
			r.ids[id] = true
			return id, nil
		})
		if r.data, err = fl.Append(nil, a.Raw()); err != nil {
			return h5err.Wrap(h5err.KindOf(err), err, "attribute %q", a.Name)
		}
		o.old.refs = append(o.old.refs, r)
	}
	return nil
}

// spread marks all objects that must be written anew because others are: groups that lead to them, and objects that refer to them.
func (f *File) spread() (any bool) {
	moved := func(id uint64) bool {
		if id == 0 {
			return false
		}
		old := f.objects[id-1].base().old
		return old != nil && old.changed
	}
	for again := true; again; {
		again = false
		for _, o := range f.objects {
			b := o.base()
			if b.old == nil || b.old.changed {
				any = any || b.old != nil
				continue
			}
			if g, ok := o.(*Group); ok {
				for _, l := range g.entries {
					b.old.changed = b.old.changed || l.target != nil && moved(l.target.ID())
				}
			}
			for _, r := range b.old.refs {
				for id := range r.ids {
					b.old.changed = b.old.changed || moved(id)
				}
			}
			again = again || b.old.changed
		}
	}
	return any
}

// rewriteAttributes makes the attributes of a moved object that can't be taken over as they are: those that refer to objects, and
// all of a heap to which some were added.
func (f *File) rewriteAttributes(o *object) error {
	all := o.old.dense && (len(o.attributes) > 0 || len(o.old.refs) > 0)
	given := o.attributes
	o.attributes = nil
	refs := map[string][]byte{}
	for _, r := range o.old.refs {
		refs[r.name] = r.data
	}
	attrs, err := o.old.src.Attributes()
	if err != nil {
		return err
	}
	for _, a := range attrs {
		data, refers := refs[a.Name]
		if !all && !refers {
			continue
		}
		if data == nil {
			if data, err = flat.NewFlattener(f.old.file, a.Type(), nil).Append(nil, a.Raw()); err != nil {
				return err
			}
		}
		typ := *a.Type()
		if err := o.Attribute(Attribute{Name: a.Name, Type: &typ, Space: *a.Space(), Data: data}); err != nil {
			return err
		}
	}
	if all {
		o.old.dense = false
	}
	for _, a := range given {
		o.set(a)
	}
	return nil
}

// oldMessages returns the messages of an object that are taken over as they are, and its attributes among them. What takes their
// place is in replaced.
func (o *object) oldMessages(replaced map[uint16]bool) (messages, attributes []format.Message) {
	mine := map[string]bool{}
	for _, a := range o.attributes {
		mine[a.name] = true
	}
	for _, m := range o.old.messages {
		body := &format.Block{}
		body.Bytes(m.Body)
		out := format.Message{Type: m.Type, Body: body, Shared: m.Shared()}
		switch m.Type {
		case format.MsgLinkInfo, format.MsgLink, format.MsgGroupInfo, format.MsgSymbolTable, format.MsgLinks:
		case format.MsgAttributeInfo:
			if o.old.dense {
				attributes = append(attributes, out)
			}
		case format.MsgAttribute:
			if m.Shared() || !mine[format.AttributeName(m.Body)] {
				out.Order = uint16(len(attributes))
				attributes = append(attributes, out)
			}
		default:
			if !replaced[m.Type] {
				messages = append(messages, out)
			}
		}
	}
	return messages, attributes
}

// buildOld encodes an object of the opened file anew.
func (f *File) buildOld(o Object) (blocks, index []*format.Block, err error) {
	b := o.base()
	var messages, attributes, own []format.Message
	var more []*format.Block
	switch o := o.(type) {
	case *Group:
		own, more = format.Group(o.formatLinks(), o.ordered)
		messages, attributes = b.oldMessages(nil)
	case *Dataset:
		replaced := map[uint16]bool{}
		if o.store != nil {
			space, err := format.Space(&o.spec.Space, false)
			if err != nil {
				return nil, nil, err
			}
			layout, chunks := o.store.layout()
			own = []format.Message{{Type: format.MsgDataspace, Body: space}, {Type: format.MsgLayout, Body: layout}}
			index = chunks
			replaced[format.MsgDataspace], replaced[format.MsgLayout] = true, true
		}
		messages, attributes = b.oldMessages(replaced)
	default:
		return nil, nil, h5err.New(h5err.Unsupported, "a committed datatype of the file can't be changed")
	}
	messages = append(own, messages...)
	if !b.old.dense {
		var dense []*format.Block
		if attributes, dense, err = b.mergeAttributes(attributes); err != nil {
			return nil, nil, err
		}
		more = append(more, dense...)
	}
	h := format.Header{Tracked: b.tracked, Links: max(b.links, 1), Messages: append(messages, attributes...)}
	*b.head = format.Block{}
	if err := h.Encode(b.head); err != nil {
		return nil, nil, err
	}
	return append([]*format.Block{b.head}, more...), index, nil
}

// mergeAttributes joins attributes that are taken over and others.
func (o *object) mergeAttributes(old []format.Message) ([]format.Message, []*format.Block, error) {
	var names []string
	var bodies []*format.Block
	for _, m := range old {
		if m.Shared {
			return nil, nil, h5err.New(h5err.Unsupported, "an attribute that shares its message")
		}
		names, bodies = append(names, format.AttributeName(m.Body.Data)), append(bodies, m.Body)
	}
	for _, a := range o.attributes {
		names, bodies = append(names, a.name), append(bodies, a.body)
	}
	messages, blocks := format.Attributes(names, bodies, o.tracked)
	return messages, blocks, nil
}

// finishAppend writes what is new past the end of the file, and switches to it.
func (f *File) finishAppend() error {
	if !f.spread() {
		return nil
	}
	for _, o := range f.objects {
		if b := o.base(); b.old != nil && b.old.changed {
			if err := f.rewriteAttributes(b); err != nil {
				return h5err.In(err, "", b.path)
			}
		}
	}
	if err := f.notes.flush(); err != nil {
		return err
	}
	if err := f.finishMetadata(); err != nil {
		return err
	}
	w := f.old.w
	if err := w.Truncate(f.out.Base + f.space.End); err != nil {
		return space.Failure(err)
	}
	if err := w.Sync(); err != nil {
		return space.Failure(err)
	}
	f.old.switched = true
	if err := f.writeSuperblock(); err != nil {
		return err
	}
	return space.Failure(w.Sync())
}

// undo removes what was written past the file's end.
func (e *existing) undo() {
	if !e.switched {
		e.w.Truncate(e.size)
	}
}
