package h5

import (
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/internal/heap"
	"github.com/h5arrow/h5arrow/h5/internal/meta"
)

// The header messages that are read (specification, IV.A.2).
const (
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
	msgAttributeInfo = 0x15
	msgLastKnown     = 0x18
)

const (
	flagShared      = 1 << 1
	flagFailUnknown = 1 << 7
)

// message is one header message: its body as it stands in the file.
type message struct {
	typ   uint16
	flags uint8
	at    uint64 // address of the body
	body  []byte
}

// header is an object header: its messages in the order of the file, continuations followed (IV.A.1).
type header struct {
	addr       uint64
	version    int
	trackOrder bool // the creation order of attributes is tracked
	messages   []message
}

func (h *header) find(typ uint16) *message {
	for i := range h.messages {
		if h.messages[i].typ == typ {
			return &h.messages[i]
		}
	}
	return nil
}

// cursor returns a cursor over a message's body; shared messages are followed to where they stand.
func (f *File) cursor(m *message) (*meta.Cursor, error) {
	if m.flags&flagShared == 0 {
		return f.r.CursorOver(m.body, m.at), nil
	}
	return f.sharedMessage(f.r.CursorOver(m.body, m.at), m.typ)
}

// readHeader reads the object header at an address.
func (f *File) readHeader(addr uint64) (*header, error) {
	if addr == meta.Undefined {
		return nil, h5err.New(h5err.Corrupt, "undefined object address")
	}
	b, err := f.r.Bytes(addr, 4)
	if err != nil {
		return nil, err
	}
	h := &header{addr: addr}
	if string(b) == "OHDR" {
		err = f.readHeader2(h)
	} else {
		err = f.readHeader1(h)
	}
	if err != nil {
		return nil, err
	}
	for i := range h.messages {
		m := &h.messages[i]
		if m.typ > msgLastKnown && m.flags&flagFailUnknown != 0 {
			return nil, h5err.At(h5err.Unsupported, f.r.Base()+int64(m.at), "header message type %#x", m.typ)
		}
	}
	return h, nil
}

// block is a run of messages that is still to be read.
type headerBlock struct{ addr, size uint64 }

// continuations guards against chains that come back or never end.
type continuations struct {
	queue []headerBlock
	seen  map[uint64]bool
}

func (q *continuations) add(c *meta.Cursor, b headerBlock) {
	if q.seen == nil {
		q.seen = map[uint64]bool{}
	}
	if q.seen[b.addr] {
		c.Corrupt("object header continuation at address %#x comes back to itself", b.addr)
		return
	}
	q.seen[b.addr] = true
	q.queue = append(q.queue, b)
}

// readHeader1 reads a version 1 object header (IV.A.1.a).
func (f *File) readHeader1(h *header) error {
	c := f.r.Cursor(h.addr, 16)
	h.version = int(c.U8())
	c.Skip(1)
	count := int(c.U16())
	c.Skip(4) // reference count
	size := c.U32()
	if c.Err() == nil && h.version != 1 {
		return h5err.At(h5err.Corrupt, f.r.Base()+int64(h.addr), "no object header here (version %d)", h.version)
	}
	if c.Err() != nil {
		return c.Err()
	}
	if count > f.r.Limits.Messages {
		return h5err.At(h5err.Limit, c.Offset(), "%d header messages, the limit is %d", count, f.r.Limits.Messages)
	}
	h.messages = make([]message, 0, min(count, 64))
	q := continuations{queue: []headerBlock{{h.addr + 16, uint64(size)}}}
	for i := 0; i < len(q.queue) && count > 0; i++ {
		b := q.queue[i]
		if b.size > uint64(f.r.Size()) {
			return c.Corrupt("object header block of %d bytes", b.size)
		}
		c := f.r.Cursor(b.addr, int(b.size))
		f.extent(b.addr, b.size, "object header")
		for c.Err() == nil && c.Len() >= 8 && count > 0 {
			m := message{typ: c.U16()}
			n := int(c.U16())
			m.flags = c.U8()
			c.Skip(3)
			m.at = b.addr + uint64(c.Pos())
			m.body = c.Bytes(n)
			count--
			if m.typ == msgContinuation && c.Err() == nil {
				k := f.r.CursorOver(m.body, m.at)
				next := headerBlock{k.Address(), k.Length()}
				if k.Err() != nil {
					return k.Err()
				}
				q.add(c, next)
				continue
			}
			if m.typ != 0 {
				h.messages = append(h.messages, m)
			}
		}
		if c.Err() != nil {
			return c.Err()
		}
	}
	return nil
}

// readHeader2 reads a version 2 object header (IV.A.1.b).
func (f *File) readHeader2(h *header) error {
	head := f.r.Cursor(h.addr, int(min(uint64(f.r.Size()-f.r.Base())-h.addr, 6+16+4+8)))
	head.Skip(4)
	h.version = int(head.U8())
	if head.Err() == nil && h.version != 2 {
		return head.Unsupported("object header version %d", h.version)
	}
	flags := head.U8()
	if flags&0x20 != 0 {
		head.Skip(16) // times
	}
	if flags&0x10 != 0 {
		head.Skip(4) // when attributes go dense
	}
	size := head.Uint(1 << (flags & 3))
	if head.Err() != nil {
		return head.Err()
	}
	h.trackOrder = flags&0x04 != 0
	prefix := head.Pos()
	if size > uint64(f.r.Size()) {
		return head.Corrupt("object header of %d bytes", size)
	}
	c := f.r.Checked(h.addr, prefix+int(size)+4, "object header")
	f.extent(h.addr, uint64(prefix)+size+4, "object header")
	c.Skip(prefix)
	var q continuations
	if err := f.messages2(h, c, h.addr, &q); err != nil {
		return err
	}
	for i := 0; i < len(q.queue); i++ {
		b := q.queue[i]
		if b.size > uint64(f.r.Size()) {
			return h5err.At(h5err.Corrupt, f.r.Base()+int64(h.addr), "object header continuation of %d bytes", b.size)
		}
		c := f.r.Checked(b.addr, int(b.size), "object header continuation")
		f.extent(b.addr, b.size, "object header continuation")
		c.Signature("OCHK")
		if err := f.messages2(h, c, b.addr, &q); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) messages2(h *header, c *meta.Cursor, addr uint64, q *continuations) error {
	least := 4
	if h.trackOrder {
		least = 6
	}
	for c.Err() == nil && c.Len() >= least { // less is a gap
		m := message{typ: uint16(c.U8())}
		n := int(c.U16())
		m.flags = c.U8()
		if h.trackOrder {
			c.Skip(2)
		}
		m.at = addr + uint64(c.Pos())
		m.body = c.Bytes(n)
		if len(h.messages) >= f.r.Limits.Messages {
			return c.Fail(h5err.Limit, "more than %d header messages", f.r.Limits.Messages)
		}
		switch {
		case c.Err() != nil:
		case m.typ == msgContinuation:
			k := f.r.CursorOver(m.body, m.at)
			next := headerBlock{k.Address(), k.Length()}
			if k.Err() != nil {
				return k.Err()
			}
			q.add(c, next)
		case m.typ != 0:
			h.messages = append(h.messages, m)
		}
	}
	return c.Err()
}

// sharedMessage follows a shared message's record to the message itself (IV.A.2, "Shared Message").
func (f *File) sharedMessage(c *meta.Cursor, typ uint16) (*meta.Cursor, error) {
	version := c.U8()
	kind := c.U8()
	switch {
	case c.Err() != nil:
		return nil, c.Err()
	case version == 1:
		c.Skip(6 + f.r.LengthSize) // behind the reserved bytes stands a name's place in a local heap
	case version == 2:
	case version == 3:
		if kind == 1 {
			return f.sharedHeapMessage(c, typ)
		}
	default:
		return nil, c.Corrupt("shared message version %d", version)
	}
	addr := c.Address()
	if c.Err() != nil {
		return nil, c.Err()
	}
	h, err := f.readHeader(addr)
	if err != nil {
		return nil, err
	}
	m := h.find(typ)
	if m == nil {
		return nil, c.Corrupt("the object at address %#x has no message of type %#x to share", addr, typ)
	}
	if m.flags&flagShared != 0 {
		return nil, c.Corrupt("the message shared from address %#x is itself shared", addr)
	}
	return f.r.CursorOver(m.body, m.at), nil
}

// sharedIndex is one index of the shared message table (III.G).
type sharedIndex struct {
	types uint16 // bit i: messages of type i
	heap  uint64
	open  *heap.Fractal
}

// sharedHeapMessage reads a message from the file's shared message heap.
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
	b, err := hp.Object(id)
	if err != nil {
		return nil, err
	}
	return f.r.CursorOver(b, uint64(c.Offset()-f.r.Base())), nil
}

func (f *File) sharedHeap(typ uint16) (*heap.Fractal, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.shared {
		s := &f.shared[i]
		if typ > 15 || s.types&(1<<typ) == 0 {
			continue
		}
		if s.open == nil {
			hp, err := heap.OpenFractal(f.r, s.heap)
			if err != nil {
				return nil, err
			}
			s.open = hp
		}
		return s.open, nil
	}
	return nil, nil
}

// readSharedTable reads the shared message table that the superblock extension names (IV.A.2.p, III.G).
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
		f.shared = append(f.shared, sharedIndex{types: types, heap: t.Address()})
	}
	return t.Err()
}
