package ipc

import (
	"encoding/binary"
	"io"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// checked hands a stream of encapsulated messages on to arrow-go, each after a look at its metadata: arrow-go allocates
// what they claim. Offsets that lead out of a message need no look, they end in a panic that recovered catches.
type checked struct {
	r    io.Reader
	max  int64  // bytes of one message's metadata
	pos  int64  // of r
	head []byte // prefix and metadata that were not handed on yet
	body int64  // bytes of the body that were not handed on yet
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
		return h5err.At(h5err.Corrupt, c.pos, "cut short: a message begins with %d bytes", n)
	}
	const continuation = 0xffffffff
	size, begin := int64(int32(binary.LittleEndian.Uint32(head))), 4 // before Arrow 0.15
	if binary.LittleEndian.Uint32(head) == continuation && n == 8 {
		size, begin = int64(int32(binary.LittleEndian.Uint32(head[4:]))), 8
	}
	switch {
	case size == 0:
		c.head, c.end = head[:begin], true
		return nil
	case size < 8 || size > c.max:
		return h5err.At(h5err.Corrupt, c.pos, "a message with metadata of %d bytes", size)
	}
	c.head = append(make([]byte, 0, begin+int(size)), head[:n]...)[:begin+int(size)]
	if _, err := io.ReadFull(c.r, c.head[n:]); err == io.EOF || err == io.ErrUnexpectedEOF {
		return h5err.At(h5err.Corrupt, c.pos, "cut short: a message's metadata of %d bytes are not all there", size)
	} else if err != nil {
		return err
	}
	err = recovered(func() error {
		c.body = verify(c.head[begin:])
		return nil
	})
	if err == nil && c.body < 0 {
		err = h5err.New(h5err.Corrupt, "a body of %d bytes", c.body)
	}
	if err != nil {
		c.body = 0
		return h5err.At(h5err.Corrupt, c.pos, "a message's metadata are broken: %v", err)
	}
	c.pos += int64(len(c.head))
	return nil
}

// More positions in the flatbuffers' virtual tables.
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

// verify panics unless reading the metadata of a message allocates in proportion to their size. It returns the length of
// the message's body.
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

// verifier counts what will be allocated. Tables and strings may be referred to more than once, so that a small message
// can stand for a huge one.
type verifier struct{ budget int64 }

func (v *verifier) spend(n int) {
	if v.budget -= int64(n); v.budget < 0 {
		panic(h5err.New(h5err.Corrupt, "they claim more than they hold"))
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
