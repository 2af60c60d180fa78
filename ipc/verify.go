package ipc

import (
	"encoding/binary"
	"io"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// checked passes a stream of encapsulated messages on to arrow-go after checking their metadata, since arrow-go allocates
// what they claim. Offsets outside a message are not checked: they cause a panic that recovered returns.
type checked struct {
	r    io.Reader
	max  int64  // bytes of one message's metadata
	pos  int64  // of r
	head []byte // prefix and metadata that have not been passed on
	body int64  // bytes of the body that have not been passed on
	end  bool
}

// Read implements io.Reader.
func (c *checked) Read(p []byte) (n int, err error) {
	if len(c.head) == 0 && c.body == 0 {
		if c.end {
			return 0, io.EOF
		}
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	if len(c.head) > 0 {
		n = copy(p, c.head)
		c.head = c.head[n:]
		return n, nil
	}
	n, err = c.r.Read(p[:min(int64(len(p)), c.body)])
	c.body -= int64(n)
	c.pos += int64(n)
	if err == io.EOF && c.body > 0 {
		err = h5err.At(h5err.Corrupt, c.pos, "cut short: %d bytes of a message are missing", c.body)
	}
	return n, err
}

// next reads the prefix and the metadata of a message.
func (c *checked) next() error {
	head := make([]byte, 8)
	n, err := io.ReadFull(c.r, head)
	if n == 0 || err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	if n < 4 {
		return h5err.At(h5err.Corrupt, c.pos, "cut short: a message of %d bytes", n)
	}
	const continuation = 0xffffffff
	size, start := int64(int32(binary.LittleEndian.Uint32(head))), 4 // before Arrow 0.15
	if binary.LittleEndian.Uint32(head) == continuation && n == 8 {
		size, start = int64(int32(binary.LittleEndian.Uint32(head[4:]))), 8
	}
	switch {
	case size == 0:
		c.head, c.end = head[:start], true
		return nil
	case size < 8 || size > c.max:
		return h5err.At(h5err.Corrupt, c.pos, "a message with metadata of %d bytes", size)
	}
	c.head = append(make([]byte, 0, start+int(size)), head[:n]...)[:start+int(size)]
	if _, err := io.ReadFull(c.r, c.head[n:]); err == io.EOF || err == io.ErrUnexpectedEOF {
		return h5err.At(h5err.Corrupt, c.pos, "cut short: the metadata of a message has %d bytes, some of which are missing", size)
	} else if err != nil {
		return err
	}
	err = recovered(func() error {
		c.body = verify(c.head[start:])
		return nil
	})
	if err == nil && c.body < 0 {
		err = h5err.New(h5err.Corrupt, "a body of %d bytes", c.body)
	}
	if err != nil {
		c.body = 0
		return h5err.At(h5err.Corrupt, c.pos, "the metadata of a message is broken: %v", err)
	}
	c.pos += int64(len(c.head))
	return nil
}

// Further positions in the virtual tables of flatbuffers.
const (
	messageBodyLength = 10
	messageMetadata   = 12
	schemaFields      = 6
	schemaMetadata    = 8
	fieldName         = 4
	fieldTypeType     = 8
	fieldType         = 10
	fieldChildren     = 14
	fieldMetadata     = 16
	timestampZone     = 6
	keyValueKey       = 4
	keyValueValue     = 6

	headerSchema  = 1
	typeTimestamp = 10
)

// verify panics unless arrow-go allocates memory in proportion to the size of a message's metadata when reading it. It
// returns the length of the message's body.
func verify(meta []byte) int64 {
	v := verifier{budget: 16 * int64(len(meta))}
	root := flatbuffers.Table{Bytes: meta, Pos: flatbuffers.GetUOffsetT(meta)}
	v.metadata(root, messageMetadata)
	if root.GetByteSlot(messageHeaderType, 0) == headerSchema {
		schema := header(meta)
		v.metadata(schema, schemaMetadata)
		v.fields(schema, schemaFields, 0)
	}
	return root.GetInt64Slot(messageBodyLength, 0)
}

// verifier counts what will be allocated. Tables and strings may be referenced more than once, so a small message can expand
// to a huge one.
type verifier struct{ budget int64 }

func (v *verifier) spend(n int) {
	if v.budget -= int64(n); v.budget < 0 {
		panic(h5err.New(h5err.Corrupt, "it claims more than it contains"))
	}
}

// tables calls fn for each table of a vector.
func (v *verifier) tables(t flatbuffers.Table, slot flatbuffers.VOffsetT, fn func(flatbuffers.Table)) {
	o := flatbuffers.UOffsetT(t.Offset(slot))
	if o == 0 {
		return
	}
	n, at := t.VectorLen(o), t.Vector(o)
	v.spend(8 * n)
	for range n {
		fn(flatbuffers.Table{Bytes: t.Bytes, Pos: at + t.GetUOffsetT(at)})
		at += flatbuffers.SizeUOffsetT
	}
}

func (v *verifier) text(t flatbuffers.Table, slot flatbuffers.VOffsetT) {
	if o := flatbuffers.UOffsetT(t.Offset(slot)); o != 0 {
		v.spend(len(t.ByteVector(o + t.Pos)))
	}
}

func (v *verifier) metadata(t flatbuffers.Table, slot flatbuffers.VOffsetT) {
	v.tables(t, slot, func(kv flatbuffers.Table) {
		v.text(kv, keyValueKey)
		v.text(kv, keyValueValue)
	})
}

func (v *verifier) fields(t flatbuffers.Table, slot flatbuffers.VOffsetT, depth int) {
	if depth > 64 {
		panic(h5err.New(h5err.Corrupt, "types nested more than %d deep", depth-1))
	}
	v.tables(t, slot, func(f flatbuffers.Table) {
		v.text(f, fieldName)
		v.metadata(f, fieldMetadata)
		if o := flatbuffers.UOffsetT(f.Offset(fieldType)); o != 0 && f.GetByteSlot(fieldTypeType, 0) == typeTimestamp {
			var zoned flatbuffers.Table
			f.Union(&zoned, o)
			v.text(zoned, timestampZone)
		}
		v.fields(f, fieldChildren, depth+1)
	})
}
