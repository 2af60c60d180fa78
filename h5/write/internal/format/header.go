package format

import (
	"math"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Message is a message of an object header.
type Message struct {
	Type   uint16
	Body   *Block
	Shared bool   // Body refers to the message
	Order  uint16 // Attribute: creation order
}

// Header is an object header (specification, IV.A.1).
type Header struct {
	Old      bool // version 1
	Tracked  bool // the creation order of attributes is tracked and indexed
	Links    int  // hard links, at least 1
	Messages []Message
}

const flagShared = 2

// Encode appends the header to b, which may already be referred to.
func (h *Header) Encode(b *Block) error {
	if h.Old {
		return h.encode1(b)
	}
	const attributesTracked, attributesIndexed = 4, 8
	messages := h.Messages
	if h.Links > 1 {
		count := &Block{}
		count.U8(0)
		count.U32(uint32(h.Links))
		messages = append(messages[:len(messages):len(messages)], Message{Type: MsgLinks, Body: count})
	}
	size := uint64(0)
	head := uint64(4)
	flags := uint8(0)
	if h.Tracked {
		flags |= attributesTracked | attributesIndexed
		head += 2
	}
	for _, m := range messages {
		if len(m.Body.Data) > math.MaxUint16 {
			return h5err.New(h5err.Argument, "a header message of %d bytes, the limit is %d", len(m.Body.Data), math.MaxUint16)
		}
		size += head + uint64(len(m.Body.Data))
	}
	width := 1
	for ; size > 1<<(8*width)-1; width *= 2 {
		flags++
	}
	b.Text("OHDR")
	b.U8(2)
	b.U8(flags)
	b.Uint(size, width)
	for _, m := range messages {
		b.U8(uint8(m.Type))
		b.U16(uint16(len(m.Body.Data)))
		b.U8(map[bool]uint8{true: flagShared}[m.Shared])
		if h.Tracked {
			b.U16(m.Order)
		}
		b.Block(m.Body)
	}
	b.Sum(0)
	return nil
}

// encode1 appends a header of version 1 (IV.A.1.a).
func (h *Header) encode1(b *Block) error {
	if len(h.Messages) > math.MaxUint16 {
		return h5err.New(h5err.Argument, "%d messages in an object header; the limit is %d", len(h.Messages), math.MaxUint16)
	}
	body := &Block{}
	for _, m := range h.Messages {
		n := (len(m.Body.Data) + 7) &^ 7
		if n > math.MaxUint16 {
			return h5err.New(h5err.Argument, "a header message of %d bytes, the limit is %d", n, math.MaxUint16&^7)
		}
		body.U16(m.Type)
		body.U16(uint16(n))
		body.U8(map[bool]uint8{true: flagShared}[m.Shared])
		body.Zeros(3)
		at := len(body.Data)
		body.Block(m.Body)
		body.Pad(at, 8)
	}
	if len(body.Data) > math.MaxInt32 {
		return h5err.New(h5err.Argument, "an object header of %d bytes", len(body.Data))
	}
	b.U8(1)
	b.U8(0)
	b.U16(uint16(len(h.Messages)))
	b.U32(uint32(h.Links))
	b.U32(uint32(len(body.Data)))
	b.U32(0)
	b.Block(body)
	return nil
}
