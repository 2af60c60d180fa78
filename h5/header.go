package h5

import (
	"bytes"
	"encoding/binary"
	"sync"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/heap"
	"github.com/h5arrow/h5arrow/h5/internal/inspect"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// The header messages that are read (specification, IV.A.2).
const (
	msgNil           = 0x00
	msgDataspace     = 0x01
	msgLinkInfo      = 0x02
	msgDatatype      = 0x03
	msgOldFill       = 0x04
	msgFill          = 0x05
	msgLink          = 0x06
	msgExternalFiles = 0x07
	msgLayout        = 0x08
	msgFilters       = 0x0b
	msgAttribute     = 0x0c
	msgSharedTable   = 0x0f
	msgContinuation  = 0x10
	msgSymbolTable   = 0x11
	msgDriver        = 0x14
	msgAttributeInfo = 0x15
	msgLinks         = 0x16
	msgFileSpace     = 0x17
	msgCacheImage    = 0x18
	msgLastKnown     = 0x18
)

const (
	flagShared      = inspect.FlagShared
	flagFailUnknown = 1 << 7
)

// message is one header message (IV.A.2), with its body as stored.
type message struct {
	typ   uint16
	order uint16 // creation order of an attribute, where the header tracks it
	flags uint8
	at    uint64 // address of the body
	body  []byte
}

// committed reports whether the message is in the object header of a committed datatype.
func (m *message) committed() bool {
	inHeap := len(m.body) > 1 && m.body[0] == 3 && m.body[1] == 1
	return m.flags&flagShared != 0 && !inHeap
}

// header is an object header (IV.A.1): its messages in the order of the file, with those of continuations.
type header struct {
	addr       uint64
	messages   []message
	bytes      uint64 // of all blocks
	links      uint32 // hard links that lead to the object
	missing    int    // messages that a header of version 1 counts but does not have; negative: that it has but does not count
	version    uint8
	trackOrder bool // the file tracks the creation order of attributes
}

func (h *header) find(typ uint16) *message {
	for i := range h.messages {
		if h.messages[i].typ == typ {
			return &h.messages[i]
		}
	}
	return nil
}

// cursor returns a cursor over a message's body, wherever a shared message is stored.
func (f *File) cursor(m *message) (*meta.Cursor, error) {
	c := new(meta.Cursor) // inlined: the caller's stack holds it
	err := f.openMessage(c, m)
	return c, err
}

func (f *File) openMessage(c *meta.Cursor, m *message) error {
	*c = *f.r.CursorOver(m.body, m.at)
	if m.flags&flagShared == 0 {
		return nil
	}
	shared, err := f.sharedMessage(c, m.typ)
	if err == nil {
		*c = *shared
	}
	return err
}

// readHeader reads the object header at an address.
func (f *File) readHeader(addr uint64) (*header, error) {
	h := &header{}
	if err := f.readHeaderTo(h, addr); err != nil {
		return nil, err
	}
	return h, nil
}

func (f *File) readHeaderTo(h *header, addr uint64) error {
	err := f.readHeaderOnce(h, addr)
	for try := 0; h5err.Is(err, h5err.Corrupt) && f.r.Again(try); try++ {
		*h = header{}
		err = f.readHeaderOnce(h, addr)
	}
	return err
}

func (f *File) readHeaderOnce(h *header, addr uint64) error {
	if addr == meta.Undefined {
		return h5err.New(h5err.Corrupt, "undefined object address")
	}
	var buf [firstRead]byte
	head, err := f.r.Head(buf[:], addr, 4)
	if err != nil {
		return err
	}
	h.addr = addr
	if string(head[:4]) == "OHDR" {
		err = f.readHeader2(h, head)
	} else {
		err = f.readHeader1(h, head)
	}
	if err != nil {
		return err
	}
	for i := range h.messages {
		m := &h.messages[i]
		if m.typ > msgLastKnown && m.flags&flagFailUnknown != 0 {
			return h5err.At(h5err.Unsupported, f.r.Base()+int64(m.at), "header message type %#x", m.typ)
		}
	}
	return nil
}

// firstRead is the number of bytes that are read at once. Most headers are not larger. What comes before the messages is much
// smaller.
const firstRead = 512

// headerBlock is a run of messages that is still to be read.
type headerBlock struct{ addr, size uint64 }

// maxHeader bounds the bytes of one object header. Its messages have at most 64 KiB each; most have less than 100 bytes.
const maxHeader = 64 << 20

// continuations is the queue of an object header's blocks. It guards against cycles and endless chains.
type continuations struct {
	h     *header
	room  meta.Room
	seen  meta.Visited
	first [4]headerBlock // few headers have more
	n     int            // of all
	more  []headerBlock
}

// block returns the block that was queued as number i.
func (q *continuations) block(i int) headerBlock {
	if i < len(q.first) {
		return q.first[i]
	}
	return q.more[i-len(q.first)]
}

// add queues a block that a message of cursor c names, unless the chain is broken; then c fails.
func (q *continuations) add(c *meta.Cursor, b headerBlock) {
	switch {
	case b.addr == q.h.addr || !q.seen.Add(b.addr):
		c.Corrupt("object header continuation at address %#x leads back to itself", b.addr)
		return
	case !q.room.Take(b.size):
		c.Corrupt("object header continuation of %d bytes, more than are left in the file", b.size)
		return
	case q.h.bytes+b.size > maxHeader:
		c.Fail(h5err.Limit, "object header of more than %d bytes", maxHeader)
		return
	}
	q.h.bytes += b.size
	if q.n < len(q.first) {
		q.first[q.n] = b
	} else {
		q.more = append(q.more, b)
	}
	q.n++
}

// follow queues the block that a continuation message names (IV.A.2.q).
func (q *continuations) follow(f *File, c *meta.Cursor, m *message) error {
	k := f.r.CursorOver(m.body, m.at)
	next := headerBlock{k.Address(), k.Length()}
	if k.Err() != nil {
		return k.Err()
	}
	q.add(c, next)
	return c.Err()
}

// readHeader1 reads a version 1 object header (IV.A.1.a). It has the messages that its blocks have, as for libhdf5, whatever it counts.
func (f *File) readHeader1(h *header, head []byte) error {
	h.version = head[0]
	switch {
	case h.version != 1:
		return h5err.At(h5err.Corrupt, f.r.Base()+int64(h.addr), "not an object header (version %d)", h.version)
	case len(head) < 16:
		_, err := f.r.FileOffset(h.addr, 16)
		return err
	}
	count := int(binary.LittleEndian.Uint16(head[2:]))
	h.links = binary.LittleEndian.Uint32(head[4:])
	size := binary.LittleEndian.Uint32(head[8:])
	if count > f.r.Limits.Messages {
		return f.manyMessages(h, count)
	}
	f.extent(h.addr, 16, "object header")
	h.bytes = 16
	h.messages = make([]message, 0, min(count, int(size/8), 16))
	q := continuations{h: h, room: f.r.Room()}
	c := f.r.CursorOver(nil, h.addr+16)
	if q.add(c, headerBlock{h.addr + 16, uint64(size)}); c.Err() != nil {
		return c.Err()
	}
	read := 0
	for i := 0; i < q.n; i++ {
		b := q.block(i)
		var c *meta.Cursor
		if i == 0 && b.size <= uint64(len(head)-16) {
			c = f.r.CursorOver(bytes.Clone(head[16:16+b.size]), b.addr)
		} else {
			c = f.r.Cursor(b.addr, int(b.size))
		}
		if c.Err() == nil {
			f.extent(b.addr, b.size, "object header")
		}
		for c.Err() == nil && c.Len() >= 8 {
			read++
			m := message{typ: c.U16()}
			n := int(c.U16())
			m.flags = c.U8()
			c.Skip(3)
			m.at = b.addr + uint64(c.Pos())
			m.body = c.Bytes(n)
			switch {
			case c.Err() != nil:
			case m.typ == msgContinuation:
				if err := q.follow(f, c, &m); err != nil {
					return err
				}
			case m.typ == msgNil:
			case len(h.messages) == f.r.Limits.Messages:
				return f.manyMessages(h, read)
			default:
				h.messages = append(h.messages, m)
			}
		}
		if c.Err() != nil {
			return c.Err()
		}
	}
	h.missing = count - read
	return nil
}

// manyMessages is the error of a header with more messages than are allowed.
func (f *File) manyMessages(h *header, n int) error {
	e := h5err.Over("h5.Limits.Messages", uint64(n), "%d header messages, the limit is %d", n, f.r.Limits.Messages)
	e.Offset = f.r.Base() + int64(h.addr)
	return e
}

// readHeader2 reads a version 2 object header (IV.A.1.b).
func (f *File) readHeader2(h *header, head []byte) error {
	room := uint64(f.r.Size()-f.r.Base()) - h.addr
	if len(head) < 6 {
		_, err := f.r.FileOffset(h.addr, 6)
		return err
	}
	if h.version = head[4]; h.version != 2 {
		return f.r.Unsupported(h.addr, "object header version %d", h.version)
	}
	flags := head[5]
	at := 6
	if flags&0x20 != 0 {
		at += 16 // times
	}
	if flags&0x10 != 0 {
		at += 4 // number of attributes at which they become dense
	}
	prefix := at + 1<<(flags&3)
	if len(head) < prefix {
		_, err := f.r.FileOffset(h.addr, uint64(prefix))
		return err
	}
	size := meta.LE(head[at:prefix])
	h.trackOrder = flags&0x04 != 0
	switch {
	case size > room:
		return f.r.Corrupt(h.addr, "object header of %d bytes", size)
	case size > maxHeader:
		return f.r.OverLimit(h.addr, "object header of more than %d bytes", maxHeader)
	}
	c := f.r.Checked(h.addr, prefix+int(size)+4, "object header")
	if c.Err() != nil {
		return c.Err()
	}
	h.bytes = uint64(prefix) + size + 4
	f.extent(h.addr, h.bytes, "object header")
	c.Skip(prefix)
	h.links = 1 // unless a message has another number
	h.messages = make([]message, 0, min(size/10, 16))
	q := continuations{h: h, room: f.r.Room()}
	if err := f.messages2(h, c, h.addr, &q); err != nil {
		return err
	}
	for i := 0; i < q.n; i++ {
		b := q.block(i)
		c := f.r.Checked(b.addr, int(b.size), "object header continuation")
		if c.Err() == nil {
			f.extent(b.addr, b.size, "object header continuation")
		}
		c.Signature("OCHK")
		if err := f.messages2(h, c, b.addr, &q); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) messages2(h *header, c *meta.Cursor, addr uint64, q *continuations) error {
	minSize := 4
	if h.trackOrder {
		minSize = 6
	}
	for c.Err() == nil && c.Len() >= minSize { // less is a gap
		m := message{typ: uint16(c.U8())}
		n := int(c.U16())
		m.flags = c.U8()
		if h.trackOrder {
			m.order = c.U16()
		}
		m.at = addr + uint64(c.Pos())
		m.body = c.Bytes(n)
		if len(h.messages) >= f.r.Limits.Messages {
			return c.Over("h5.Limits.Messages", 2*uint64(f.r.Limits.Messages), "more than %d header messages", f.r.Limits.Messages)
		}
		switch {
		case c.Err() != nil:
		case m.typ == msgContinuation:
			if err := q.follow(f, c, &m); err != nil {
				return err
			}
		case m.typ == msgLinks && h.version >= 2:
			k := f.r.CursorOver(m.body, m.at)
			k.Skip(1)
			if n := k.U32(); k.Err() == nil {
				h.links = n
			}
			fallthrough
		case m.typ != msgNil:
			h.messages = append(h.messages, m)
		}
	}
	return c.Err()
}

// sharedMessage follows a shared message's record to the message itself (IV.A.2, "Shared Message").
func (f *File) sharedMessage(c *meta.Cursor, typ uint16) (*meta.Cursor, error) {
	addr, inHeap, err := f.sharedPlace(c)
	if err != nil {
		return nil, err
	}
	if inHeap {
		return f.sharedHeapMessage(c, typ)
	}
	m, err := f.committed(addr, typ)
	if err != nil {
		return nil, err
	}
	return f.r.CursorOver(m.body, m.at), nil
}

// sharedPlace reads where a shared message is: in the object at an address, or in the file's heap, at what follows in the record.
func (f *File) sharedPlace(c *meta.Cursor) (addr uint64, inHeap bool, err error) {
	version := c.U8()
	kind := c.U8()
	switch {
	case c.Err() != nil:
		return 0, false, c.Err()
	case version == 1:
		c.Skip(6 + f.r.LengthSize) // reserved bytes, then the place of a name in a local heap
	case version == 2:
	case version == 3:
		if kind == 1 {
			return 0, true, nil
		}
	default:
		return 0, false, c.Corrupt("shared message version %d", version)
	}
	addr = c.Address()
	return addr, false, c.Err()
}

// committedCache bounds the number of shared messages that are cached, of at most 64 KiB each.
const committedCache = 512

// committed returns the message that the object at an address shares: the type of a committed datatype, which thousands of
// attributes may use.
func (f *File) committed(addr uint64, typ uint16) (message, error) {
	key := committedKey{addr, typ}
	f.mu.Lock()
	m, ok := f.sharing[key]
	f.mu.Unlock()
	if ok {
		return m, nil
	}
	h, err := f.readHeader(addr)
	if err != nil {
		return message{}, err
	}
	found := h.find(typ)
	switch {
	case found == nil:
		return message{}, f.r.Corrupt(addr, "the object has no message of type %#x to share", typ)
	case found.flags&flagShared != 0:
		return message{}, f.r.Corrupt(found.at, "a shared message leads to one that is shared itself")
	}
	m = *found
	m.body = bytes.Clone(m.body) // without the rest of the header
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.sharing) >= committedCache {
		clear(f.sharing)
	}
	f.sharing[key] = m
	return m, nil
}

type committedKey struct {
	addr uint64
	typ  uint16
}

// sharedIndex is one index of the shared message table (III.I).
type sharedIndex struct {
	types uint16 // bit i: messages of type i
	heap  uint64

	once sync.Once
	open *heap.Fractal
	err  error
}

// sharedHeapMessage reads a message from the file's heap of shared messages (III.I).
func (f *File) sharedHeapMessage(c *meta.Cursor, typ uint16) (*meta.Cursor, error) {
	id := c.Bytes(8)
	if c.Err() != nil {
		return nil, c.Err()
	}
	hp, err := f.sharedHeap(typ)
	if err != nil {
		return nil, err
	}
	if hp == nil {
		return nil, c.Corrupt("a shared message of type %#x, but the file has no heap for it", typ)
	}
	b, at, err := hp.Find(id)
	if err != nil {
		return nil, err
	}
	return f.r.CursorOver(b, at), nil
}

// sharedHeap returns the heap of the shared messages of a type, or nil if there is none.
func (f *File) sharedHeap(typ uint16) (*heap.Fractal, error) {
	for _, s := range f.shared {
		if typ > 15 || s.types&(1<<typ) == 0 {
			continue
		}
		s.once.Do(func() { s.open, s.err = heap.OpenFractal(f.r, s.heap) })
		return s.open, s.err
	}
	return nil, nil
}

// readSharedTable reads the shared message table that the superblock extension names (IV.A.2.p, III.I).
func (f *File) readSharedTable(m *message) error {
	c := f.r.CursorOver(m.body, m.at)
	c.Skip(1)
	addr := c.Address()
	n := int(c.U8())
	if c.Err() != nil {
		return c.Err()
	}
	entry := 14 + 2*f.r.OffsetSize
	t := f.r.Checked(addr, 4+n*entry+4, "shared message table")
	t.Signature("SMTB")
	for range n {
		t.Skip(2)
		types := t.U16()
		t.Skip(4 + 2 + 2 + 2)
		t.Address()
		f.shared = append(f.shared, &sharedIndex{types: types, heap: t.Address()})
	}
	if t.Err() == nil {
		f.extent(addr, uint64(4+n*entry+4), "shared message table")
	}
	return t.Err()
}
