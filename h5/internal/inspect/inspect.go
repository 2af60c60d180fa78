// Package inspect holds the types that an h5.Inspector speaks: what reading a file meets, and object headers as stored.
// They are internal, so that only this module can inspect.
package inspect

// Observer receives what a file is made of while it is read. Several goroutines may call it if several use the file.
type Observer struct {
	// Structure, unless nil, is called for each structure that is read: its absolute offset, the bytes in use, its name.
	// A structure that is read again is reported again.
	Structure func(off, n int64, what string)

	// Defect, unless nil, is called for each broken part of an index, a heap or a list. Reading, which would fail without
	// it, then goes on without that part, so its result is incomplete.
	Defect func(err error)
}

// Header is an object header as stored in the file (specification, IV.A.1).
type Header struct {
	Version  int
	Links    uint32 // hard links to the object, as the header counts them
	Missing  int    // messages that a header of version 1 counts but does not have; negative: that it has but does not count
	Messages []Message
}

// Message is a message of an object header (specification, IV.A.2).
type Message struct {
	Type   uint16
	Flags  uint8
	Offset int64  // of the body, absolute
	Body   []byte // read-only
}

// FlagShared marks a message whose body says where the message is stored.
const FlagShared = 1 << 1

// Shared reports whether the body says where the message is stored, instead of being it.
func (m *Message) Shared() bool { return m.Flags&FlagShared != 0 }
