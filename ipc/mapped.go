package ipc

import (
	"context"
	"encoding/binary"
	"io"
	"os"
	"sync/atomic"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/dtype/mapped"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// openMapped is Open for a regular file that is to be mapped.
func openMapped(f *os.File, path string, opts []ReadOption) (*Reader, error) {
	src, err := source.OpenFile(f, path)
	if err != nil {
		return nil, err
	}
	format, at, end, err := locate(src, src.Size())
	r := newReader(path, format)
	r.src = src
	if err == nil {
		err = r.open(io.NewSectionReader(src, at, end-at), end-at, opts)
	}
	if err == nil {
		r.rows, err = countRows(io.NewSectionReader(src, at, end-at))
	}
	if err != nil {
		err = r.corrupt(err)
		if r.in != nil {
			r.in.Release()
		}
		if r.msgs != nil {
			r.msgs.delivered(false)
		}
		src.Release() // closes the file
		return nil, err
	}
	return r, nil
}

// Rows returns the number of rows of all batches of a mapped file. ok is false for others, and where batches can't be counted.
func (r *Reader) Rows() (rows int64, ok bool) { return r.rows, r.rows >= 0 }

// Changed returns an error if a mapped file has changed since it was opened.
func (r *Reader) Changed() error {
	if r.src == nil {
		return nil
	}
	return r.src.Changed(context.Background())
}

// countRows adds up the rows of the record batches of a stream.
func countRows(in *io.SectionReader) (rows int64, err error) {
	c := &checked{r: in, max: in.Size()}
	for {
		if err := c.next(); err == io.EOF || err == nil && c.end {
			return rows, nil
		} else if err != nil {
			return -1, nil // reading reports it, after the rows before
		}
		var n int64
		if recovered(func() error {
			n = rowsOf(c.metadata())
			return nil
		}) != nil || n < 0 || rows+n < rows {
			return -1, nil
		}
		rows += n
		if _, err := in.Seek(c.body, io.SeekCurrent); err != nil {
			return -1, err
		}
	}
}

// rowsOf returns the rows of a message that is a record batch, 0 for others.
func rowsOf(meta []byte) int64 {
	const batchLength = 4 // RecordBatch.length
	if kindOf(meta) != ipc.MessageRecordBatch {
		return 0
	}
	batch := header(meta)
	return batch.GetInt64Slot(batchLength, 0)
}

// metadata returns the metadata of the message that next read.
func (c *checked) metadata() []byte {
	if binary.LittleEndian.Uint32(c.head) == 0xffffffff {
		return c.head[8:]
	}
	return c.head[4:]
}

// mappedMessages reads messages whose bodies are views of a mapping.
type mappedMessages struct {
	refs atomic.Int64
	src  *source.Source
	in   *io.SectionReader
	base int64 // of in
	c    *checked
	mem  memory.Allocator
	last *ipc.Message
	ends []func() // end the leases of bodies that no batch was made of yet
}

func newMappedMessages(src *source.Source, in *io.SectionReader, max int64, mem memory.Allocator) *mappedMessages {
	_, base, _ := in.Outer()
	m := &mappedMessages{src: src, in: in, base: base, c: &checked{r: in, max: max}, mem: mem}
	m.refs.Store(1)
	return m
}

// Message implements ipc.MessageReader.
func (m *mappedMessages) Message() (*ipc.Message, error) {
	if err := m.c.next(); err != nil {
		return nil, err
	}
	if m.c.end {
		return nil, io.EOF
	}
	at, err := m.in.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, err
	}
	if m.c.body > m.in.Size()-at {
		return nil, h5err.At(h5err.Corrupt, m.base+at, "cut short: a message of %d bytes", m.c.body)
	}
	text := m.c.metadata()
	body, err := m.view(at, m.c.body, kindOf(text) != ipc.MessageDictionaryBatch)
	if err != nil {
		return nil, err
	}
	defer body.Release()
	if _, err := m.in.Seek(m.c.body, io.SeekCurrent); err != nil {
		return nil, err
	}
	m.c.pos += m.c.body
	meta := memory.NewResizableBuffer(m.mem)
	defer meta.Release()
	meta.Resize(len(text))
	copy(meta.Bytes(), text)
	m.drop()
	m.last = ipc.NewMessage(meta, body)
	return m.last, nil
}

// kindOf returns the type of a message, which has been verified.
func kindOf(meta []byte) ipc.MessageType {
	root := flatbuffers.Table{Bytes: meta, Pos: flatbuffers.GetUOffsetT(meta)}
	return ipc.MessageType(root.GetByteSlot(messageHeaderType, 0))
}

// view returns n bytes of the file, copied if it is not mapped. Those of dictionaries are copied, too: arrow-go never releases
// dictionaries that no column has.
func (m *mappedMessages) view(at, n int64, share bool) (*memory.Buffer, error) {
	if b, ok := m.src.View(m.base+at, n); ok && share {
		buf, end := mapped.Lease(m.src, b)
		m.ends = append(m.ends, end)
		return buf, nil
	}
	b := memory.NewResizableBuffer(m.mem)
	b.Resize(int(n))
	if _, err := m.src.ReadAt(b.Bytes(), m.base+at); err != nil {
		b.Release()
		return nil, err
	}
	return b, nil
}

// delivered notes that a batch was made of the messages before, or that none ever will be.
func (m *mappedMessages) delivered(ok bool) {
	if !ok { // arrow-go loses buffers where it panics
		m.drop()
		for _, end := range m.ends {
			end()
		}
	}
	m.ends = m.ends[:0]
}

func (m *mappedMessages) drop() {
	if m.last != nil {
		m.last.Release()
		m.last = nil
	}
}

// Retain implements ipc.MessageReader.
func (m *mappedMessages) Retain() { m.refs.Add(1) }

// Release implements ipc.MessageReader.
func (m *mappedMessages) Release() {
	if m.refs.Add(-1) == 0 {
		m.drop()
	}
}
