package h5

import (
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// Observer is told what a file is made of while it is read. It is for tools that check files, such as package check.
// Several goroutines may call it if several use the file.
type Observer struct {
	// Structure, unless nil, is called for each structure that was read: its absolute offset, the bytes in use, its name.
	// Structures that are read again are told of again.
	Structure func(off, n int64, what string)

	// Defect, unless nil, is called for what is broken in an index, a heap or a list. Reading then goes on without it,
	// where it would have failed, so what it comes to is incomplete.
	Defect func(err error)
}

// WithObserver lets an Observer watch how the file is read. It does not see the files that this one leads to.
func WithObserver(o Observer) Option {
	return func(opts *options) error {
		opts.observer = o
		return nil
	}
}

// Reopen opens the file's source once more, with the same options and with further ones. Both files are to be closed.
func (f *File) Reopen(opts ...Option) (*File, error) {
	o := f.opts
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			return nil, err
		}
	}
	f.src.Retain()
	again, err := newFile(f.src, o, nil)
	if err != nil {
		f.src.Release()
	}
	return again, err
}

// Header is an object header as it stands in the file (specification, IV.A.1).
type Header struct {
	Version  int
	Links    uint32 // hard links that lead to the object, as it says itself
	Missing  int    // messages that are not there, though a header of version 1 counts them
	Messages []Message
}

// Message is a message of an object header (specification, IV.A.2).
type Message struct {
	Type   uint16
	Flags  uint8
	Offset int64  // of the body, absolute
	Body   []byte // not to be written to
}

// Shared tells whether the body says where the message stands, instead of being it.
func (m *Message) Shared() bool { return m.Flags&flagShared != 0 }

// Header reads the header of the object at an address. Continuations are followed; they and empty messages are left out.
func (f *File) Header(addr uint64) (*Header, error) {
	h, err := f.readHeader(addr)
	if err != nil {
		return nil, h5err.About(err, f)
	}
	out := &Header{Version: int(h.version), Links: h.links, Missing: int(h.missing), Messages: make([]Message, len(h.messages))}
	for i := range h.messages {
		m := &h.messages[i]
		out.Messages[i] = Message{Type: m.typ, Flags: m.flags, Offset: f.r.Base() + int64(m.at), Body: m.body}
	}
	return out, nil
}

// Extension is the address of the superblock extension's object header; ok is false where there is none.
func (s *Superblock) Extension() (addr uint64, ok bool) {
	return s.extension, s.extension != meta.Undefined
}

// Root is the address of the root group's object header.
func (s *Superblock) Root() uint64 { return s.root }

// ChunkIndexAddress is the address of the dataset's chunk index; ok is false where there is none.
func (d *Dataset) ChunkIndexAddress() (addr uint64, ok bool) {
	l, err := d.Layout()
	if err != nil || l.Storage != StorageChunked || d.index.addr == meta.Undefined {
		return 0, false
	}
	return d.index.addr, l.Index != IndexImplicit && l.Index != IndexSingle
}
