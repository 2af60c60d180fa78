package ipc

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow/ipc"
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc/internal/sink"
)

// block is the position of a message in a file (Arrow's File.fbs, Block).
type block struct {
	offset, body int64
	meta         int32
}

// messages writes encapsulated messages; with a footer they make a file. It implements ipc.PayloadWriter.
type messages struct {
	out    *sink.Sink
	file   bool
	skip   bool // omit record batches: only what comes before them is written
	failed bool // omit the end, so that the output is not mistaken for complete
	schema []byte
	dicts  []block
	seen   map[int64]bool // ids of the dictionaries in the file
	recs   []block
}

// Positions in the flatbuffers' virtual tables (Arrow's Message.fbs, Schema.fbs, File.fbs): 4 + 2*field number.
const (
	messageHeaderType = 6 // Message.header_type
	messageHeader     = 8 // Message.header, a union
	dictionaryID      = 4 // DictionaryBatch.id
	footerFields      = 5
	metadataVersion   = 4 // MetadataVersion.V5
)

// header returns the header table of a message.
func header(meta []byte) (t flatbuffers.Table) {
	root := flatbuffers.Table{Bytes: meta, Pos: flatbuffers.GetUOffsetT(meta)}
	root.Union(&t, flatbuffers.UOffsetT(root.Offset(messageHeader)))
	return t
}

// kind returns the type of a message.
func kind(p ipc.Payload) ipc.MessageType {
	meta := p.Meta()
	defer meta.Release()
	root := flatbuffers.Table{Bytes: meta.Bytes(), Pos: flatbuffers.GetUOffsetT(meta.Bytes())}
	return ipc.MessageType(root.GetByteSlot(messageHeaderType, 0))
}

// Start implements ipc.PayloadWriter. arrow-go does not call it for a writer that is not its own.
func (m *messages) Start() error {
	if !m.file {
		return nil
	}
	_, err := m.out.Write(append(bytes.Clone(ipc.Magic), 0, 0))
	return err
}

// WritePayload implements ipc.PayloadWriter.
func (m *messages) WritePayload(p ipc.Payload) error {
	kind := kind(p)
	if kind == ipc.MessageRecordBatch && m.skip {
		return nil
	}
	meta := p.Meta()
	defer meta.Release()
	if kind == ipc.MessageDictionaryBatch && m.file {
		t := header(meta.Bytes())
		id := t.GetInt64Slot(dictionaryID, 0)
		if m.seen[id] {
			return h5err.New(h5err.Unsupported, "a column's dictionary changes between batches, but an Arrow file has one for all of them").
				WithHint("write a stream (.arrows)")
		}
		if m.seen == nil {
			m.seen = map[int64]bool{}
		}
		m.seen[id] = true
	}
	b := block{offset: m.out.Bytes()}
	n, err := p.WritePayload(m.out)
	if err != nil {
		return err
	}
	b.meta, b.body = int32(n), m.out.Bytes()-b.offset-int64(n)
	switch {
	case !m.file:
	case kind == ipc.MessageSchema:
		m.schema = bytes.Clone(meta.Bytes())
	case kind == ipc.MessageDictionaryBatch:
		m.dicts = append(m.dicts, b)
	case kind == ipc.MessageRecordBatch:
		m.recs = append(m.recs, b)
	}
	return nil
}

// Close implements ipc.PayloadWriter: it writes the end of the stream and the footer of a file, and flushes the output.
func (m *messages) Close() error {
	if m.failed {
		return nil
	}
	end := []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0} // continuation, no more
	if m.file {
		f := m.footer()
		end = append(end, f...)
		end = append(end, byte(len(f)), byte(len(f)>>8), byte(len(f)>>16), byte(len(f)>>24))
		end = append(end, ipc.Magic...)
	}
	if _, err := m.out.Write(end); err != nil {
		return err
	}
	return m.out.Close()
}

// footer returns the Footer table (Arrow's File.fbs). Its schema is that of the schema message, whose bytes are copied
// unchanged: offsets in a flatbuffer are relative, so the table in them remains valid.
func (m *messages) footer() []byte {
	b := flatbuffers.NewBuilder(1024)
	b.StartVector(1, len(m.schema), 8)
	for i := len(m.schema) - 1; i >= 0; i-- {
		b.PlaceByte(m.schema[i])
	}
	first := b.Offset() // of the bytes, counted from the end like all offsets in a builder
	b.EndVector(len(m.schema))
	recs, dicts := blocks(b, m.recs), blocks(b, m.dicts)
	b.StartObject(footerFields)
	b.PrependInt16Slot(0, metadataVersion, 0)
	b.PrependUOffsetTSlot(1, first-header(m.schema).Pos, 0)
	b.PrependUOffsetTSlot(2, dicts, 0)
	b.PrependUOffsetTSlot(3, recs, 0)
	b.Finish(b.EndObject())
	return b.FinishedBytes()
}

func blocks(b *flatbuffers.Builder, list []block) flatbuffers.UOffsetT {
	b.StartVector(24, len(list), 8)
	for i := len(list) - 1; i >= 0; i-- {
		b.Prep(8, 24)
		b.PrependInt64(list[i].body)
		b.Pad(4)
		b.PrependInt32(list[i].meta)
		b.PrependInt64(list[i].offset)
	}
	return b.EndVector(len(list))
}
