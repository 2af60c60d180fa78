package h5

import (
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/inspect"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// Inspector reads a file for package check: it reports the structures that it meets, passes over broken parts of indexes and
// heaps, and shows addresses and object headers as stored. Its Observer is a type that only this module can make; other
// programs use package check.
type Inspector struct{ f *File }

// Inspect opens the source of f once more, with the options of f. Close the Inspector, as well as f. The Observer does not
// see files that this one refers to.
func Inspect(f *File, o inspect.Observer) (*Inspector, error) {
	opts := f.opts
	opts.observer = o
	f.src.Retain()
	again, err := newFile(f.src, opts, nil)
	if err != nil {
		f.src.Release()
		return nil, err
	}
	return &Inspector{f: again}, nil
}

// File returns the file that is inspected. It is open until the Inspector is closed.
func (i *Inspector) File() *File { return i.f }

// Close closes the file.
func (i *Inspector) Close() error { return i.f.Close() }

// Walk is [File.Walk], and also reports what can't be opened: then o is nil, and path and err describe it.
func (i *Inspector) Walk(fn func(o Object, path string, err error) error) error { return i.f.walk(fn) }

// Refuses returns the error of a link that the file's options refuse, nil for all others.
func (i *Inspector) Refuses(l *Link) error { return i.f.refuses(l) }

// Root returns the address of the root group's object header.
func (i *Inspector) Root() uint64 { return i.f.sb.root }

// Extension returns the address of the superblock extension's object header; ok is false if there is none.
func (i *Inspector) Extension() (addr uint64, ok bool) {
	return i.f.sb.extension, i.f.sb.extension != meta.Undefined
}

// Header reads the object header at an address. It follows continuations, and leaves out their messages and empty ones.
func (i *Inspector) Header(addr uint64) (*inspect.Header, error) {
	h, err := i.f.readHeader(addr)
	if err != nil {
		return nil, h5err.In(err, i.f.src.Name(), "")
	}
	out := &inspect.Header{Version: int(h.version), Links: h.links, Missing: h.missing, Messages: make([]inspect.Message, len(h.messages))}
	for k := range h.messages {
		m := &h.messages[k]
		out.Messages[k] = inspect.Message{Type: m.typ, Flags: m.flags, Offset: i.f.r.Base() + int64(m.at), Body: m.body}
	}
	return out, nil
}

// ChunkIndex returns the address of a dataset's chunk index; ok is false if there is none.
func (i *Inspector) ChunkIndex(d *Dataset) (addr uint64, ok bool) {
	l, err := d.Layout()
	if err != nil || l.Storage != StorageChunked || d.index.addr == meta.Undefined {
		return 0, false
	}
	return d.index.addr, l.Index != IndexImplicit && l.Index != IndexSingle
}

// BadAttributes returns the errors of the attributes that o.Attributes leaves out, or the first of very many.
func (i *Inspector) BadAttributes(o Object) []error {
	switch o := o.(type) {
	case *Group:
		return o.badAttributes()
	case *Dataset:
		return o.badAttributes()
	case *NamedType:
		return o.badAttributes()
	}
	return nil
}
