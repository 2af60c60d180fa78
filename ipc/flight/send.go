package flight

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	flatbuffers "github.com/google/flatbuffers/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"

	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/ipc/flight/internal/h2"
	"github.com/h5arrow/h5arrow/ipc/internal/sink"
)

// codec passes a *message on as its bytes, and encodes all other messages as protobuf.
type codec struct{ encoding.CodecV2 }

// Marshal implements encoding.CodecV2.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if m, ok := v.(*message); ok {
		return m.parts, nil
	}
	return c.CodecV2.Marshal(v)
}

// Fields of FlightData (Flight.proto): their tags on the wire.
var (
	tagHeader = []byte{2<<3 | 2}
	tagBody   = binary.AppendUvarint(nil, 1000<<3|2)
)

// small is the size below which bytes are copied: grpc never puts back buffers of 1 KiB and less.
const small = 4 << 10

// message is one FlightData message. It is grpc's pool for its own parts: when all of them have been put back, grpc is done
// with the message, and its memory can be used again.
type message struct {
	parts mem.BufferSlice
	out   atomic.Int32 // parts that grpc has not put back

	conn    *conn
	pool    *pool
	grant   *grant
	copied  [][]byte // buffers of the pool
	bytes   [][]byte // all parts
	rec     arrow.RecordBatch
	size    int
	rows    int64
	once    sync.Once
	gone    func()       // called when it is released
	last    *atomic.Bool // set when no message of the stream follows
	sending bool         // guarded by conn.mu
}

// Get implements mem.BufferPool. grpc does not call it.
func (m *message) Get(n int) *[]byte {
	b := make([]byte, n)
	return &b
}

// Put implements mem.BufferPool.
func (m *message) Put(*[]byte) {
	if m.out.Add(-1) == 0 {
		m.done()
	}
}

// done is called when grpc no longer needs the message. It is released when everything of it has been written.
func (m *message) done() {
	if w := m.conn.wire; w != nil {
		w.Done(m, m.last != nil && m.last.Load())
	} else {
		m.Release()
	}
}

// Release implements h2.Message: it returns the message's memory.
func (m *message) Release() {
	m.once.Do(func() {
		if m.rec != nil {
			m.rec.Release()
		}
		for _, b := range m.copied {
			m.pool.put(b)
		}
		m.conn.forget(m)
		m.grant.release()
		if m.gone != nil {
			m.gone()
		}
	})
}

// lend adds bytes that do not change until done. There are at least small of them.
func (m *message) lend(b []byte) {
	m.out.Add(1)
	m.bytes = append(m.bytes, b)
	m.parts = append(m.parts, mem.NewBuffer(&b, m))
}

// copy adds the bytes of several slices as one run of n bytes.
func (m *message) copy(n int, from [][]byte) {
	if n == 0 {
		return
	}
	var b []byte
	if n < small { // grpc may never put it back: the garbage collector frees it
		b = make([]byte, n)
	} else {
		b = m.pool.get(n)
		m.copied = append(m.copied, b)
	}
	at := 0
	for _, x := range from {
		at += copy(b[at:], x)
	}
	if n < small {
		m.bytes = append(m.bytes, b)
		m.parts = append(m.parts, mem.SliceBuffer(b))
	} else {
		m.lend(b)
	}
}

// conn is a client's connection. It keeps track of the messages that grpc holds: when a connection ends, grpc drops queued
// messages without putting their parts back.
type conn struct {
	admit   func()     // called when one of its calls was admitted
	refused error      // its calls end with this, if not nil
	close   func()     // closes it
	wire    *h2.Writer // nil: encrypted, or not a socket

	mu    sync.Mutex
	out   map[*message]struct{}
	ended bool
	fault error // why the connection is closed, if the reason is on the server
}

// Fault implements h2.Memory: it records why the connection is closed.
func (c *conn) Fault(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault == nil {
		c.fault = err
	}
}

// Whole implements h2.Memory for the messages that grpc holds.
func (c *conn) Whole(b []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	for m := range c.out {
		for _, p := range m.bytes {
			if h2.SameArray(b, p) {
				return p
			}
		}
	}
	return nil
}

// cause returns the error that Fault recorded, else err.
func (c *conn) cause(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && c.fault != nil {
		return c.fault
	}
	return err
}

func (c *conn) remember(m *message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m.sending = true
	c.out[m] = struct{}{}
}

func (c *conn) forget(m *message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.out, m)
}

// sent is called when the call that passed a message to grpc has returned.
func (c *conn) sent(m *message) {
	c.mu.Lock()
	m.sending = false
	ended := c.ended
	c.mu.Unlock()
	if ended {
		m.done()
	}
}

// end is called when grpc no longer uses the connection.
func (c *conn) end() {
	c.mu.Lock()
	c.ended = true
	var left []*message
	for m := range c.out {
		if !m.sending {
			left = append(left, m)
		}
	}
	c.mu.Unlock()
	if c.wire != nil {
		c.wire.Drop()
	}
	for _, m := range left {
		m.done()
	}
}

// over reports whether the connection has ended.
func (c *conn) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// waiting reports whether grpc holds messages of a grant.
func (c *conn) waiting(g *grant) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for m := range c.out {
		if m.grant == g {
			return true
		}
	}
	return false
}

// sender writes record batches to one stream.
type sender struct {
	stream   grpc.ServerStream
	conn     *conn
	pool     *pool
	grant    *grant
	trust    bool
	coding   coding
	maxBytes int // of a message, about

	w       *ipc.Writer
	made    made       // what w allocates
	ready   []*message // encoded, not yet sent
	rec     arrow.RecordBatch
	rows    int64    // of the part of rec that is being written
	tooLong bool     // their message would be too long, and was not made
	steady  [][]byte // buffers of rec that must not change after they were checked: they are always copied
	stopped bool
	sent    func(*message)

	last  atomic.Bool   // no messages follow
	under atomic.Int32  // messages that have not been released
	quiet chan struct{} // receives when there are none
}

func (s *sender) start(schema *arrow.Schema) {
	s.quiet = make(chan struct{}, 1)
	s.made.pool = s.pool
	s.w = ipc.NewWriterWithPayloadWriter((*payloads)(s), append(s.coding.options(), ipc.WithSchema(schema), ipc.WithAllocator(&s.made))...)
}

// write sends the rows [from, to) of a batch in as many messages as are needed. Messages hold the batch.
func (s *sender) write(rec arrow.RecordBatch, from, to int64) error {
	s.rec, s.rows, s.tooLong, s.steady = rec, to-from, false, s.steady[:0]
	for _, c := range rec.Columns() {
		s.steady = steadyOf(s.steady, c.Data())
	}
	if err := sink.WithRows(rec, from, to, s.w.Write); err != nil {
		return err
	}
	if s.tooLong { // its rows are longer than expected
		half := from + (to-from)/2
		if err := s.write(rec, from, half); err != nil {
			return err
		}
		return s.write(rec, half, to)
	}
	return s.flush()
}

// finish sends the schema if nothing has been sent.
func (s *sender) finish() error {
	s.rec, s.rows = nil, 0
	if err := sink.Guard(s.w.Close); err != nil {
		return err
	}
	return s.flush()
}

// gone is called when a message has been released.
func (s *sender) gone() {
	if s.under.Add(-1) == 0 {
		select {
		case s.quiet <- struct{}{}:
		default:
		}
	}
}

// wait waits until all messages have been written, for at most the given time.
func (s *sender) wait(ctx context.Context, timeout time.Duration) error {
	s.last.Store(true)
	if s.conn.wire != nil {
		s.conn.wire.Flush()
	}
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	for s.under.Load() > 0 {
		select {
		case <-s.quiet:
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.C:
			return errSlow
		}
	}
	if s.conn.over() {
		return status.Error(codes.Unavailable, "the connection is closed")
	}
	return nil
}

// stop ends the sender and releases messages that were not sent.
func (s *sender) stop() {
	for _, m := range s.ready {
		m.parts.Free()
		m.done()
	}
	s.ready = nil
	if s.w != nil {
		s.stopped = true
		_ = s.w.Close() // releases dictionaries
	}
	for _, b := range s.made.take() {
		if s.coding == plainCoding {
			s.pool.put(b)
		} else { // after a fault of a mapping, goroutines of the compressor may still write to it
			s.pool.lose()
		}
	}
}

// flush sends the messages that are ready.
func (s *sender) flush() error {
	for len(s.ready) > 0 {
		m := s.ready[0]
		s.ready = s.ready[1:]
		if err := s.send(m); err != nil {
			return err
		}
	}
	return nil
}

func (s *sender) send(m *message) error {
	lent := m.out.Load() > 0
	if lent {
		s.conn.remember(m)
	}
	err := s.stream.SendMsg(m)
	if lent {
		s.conn.sent(m)
	} else {
		m.done()
	}
	if err == nil {
		s.sent(m)
	}
	return err
}

// payloads is a sender in the form of an ipc.PayloadWriter.
type payloads sender

// Start implements ipc.PayloadWriter.
func (s *payloads) Start() error { return nil }

// Close implements ipc.PayloadWriter.
func (s *payloads) Close() error { return nil }

// WritePayload implements ipc.PayloadWriter.
func (s *payloads) WritePayload(p ipc.Payload) error {
	if s.stopped {
		return nil
	}
	meta := p.Meta()
	defer meta.Release()
	var body gathered
	if err := p.SerializeBody(&body); err != nil {
		return err
	}
	batch := kind(meta.Bytes()) == ipc.MessageRecordBatch
	if batch && body.n > 2*s.maxBytes && s.rows > 1 {
		s.tooLong = true
		return nil // the next message gets what was allocated
	}
	m := &message{conn: s.conn, pool: s.pool, grant: s.grant, gone: (*sender)(s).gone, last: &s.last, copied: s.made.take()}
	s.grant.hold()
	s.under.Add(1)
	if batch {
		m.rows = s.rows
	}
	head := make([]byte, 0, meta.Len()+2*binary.MaxVarintLen64)
	head = append(head, tagHeader...)
	head = binary.AppendUvarint(head, uint64(meta.Len()))
	head = append(head, meta.Bytes()...)
	if body.n > 0 || batch {
		head = append(head, tagBody...)
		head = binary.AppendUvarint(head, uint64(body.n))
	}
	m.size = len(head) + body.n
	defer func() { // after a fault of a mapping
		if r := recover(); r != nil {
			m.parts.Free()
			m.done()
			panic(r)
		}
	}()
	run, n := [][]byte{head}, len(head)
	for _, b := range body.list {
		if len(b) < small || !batch || !s.lends(b) {
			run, n = append(run, b), n+len(b)
			continue
		}
		m.copy(n, run)
		run, n = run[:0], 0
		if m.rec == nil {
			s.rec.Retain()
			m.rec = s.rec
		}
		m.lend(b)
	}
	m.copy(n, run)
	s.ready = append(s.ready, m)
	return nil
}

// lends reports whether bytes may be read outside this goroutine. Mapped bytes may change or vanish: they are lent on
// connections that are not encrypted, where the system reads them, and returns an error instead of raising a fault.
func (s *payloads) lends(b []byte) bool {
	if s.trust || !source.InMapping(b) {
		return true
	}
	return s.conn.wire != nil && !slices.ContainsFunc(s.steady, func(p []byte) bool { return h2.SameArray(b, p) })
}

// steadyOf appends the buffers of an array that refer to others: offsets, indices, views.
func steadyOf(list [][]byte, d arrow.ArrayData) [][]byte {
	var refer []*memory.Buffer
	switch d.DataType().ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.BINARY, arrow.LARGE_BINARY, arrow.STRING_VIEW, arrow.BINARY_VIEW, arrow.LIST, arrow.LARGE_LIST, arrow.MAP, arrow.DICTIONARY:
		refer = d.Buffers()[1:2]
	case arrow.LIST_VIEW, arrow.LARGE_LIST_VIEW, arrow.SPARSE_UNION, arrow.DENSE_UNION:
		refer = d.Buffers()[1:min(3, len(d.Buffers()))]
	}
	for _, b := range refer {
		if b != nil {
			list = append(list, b.Bytes())
		}
	}
	for _, c := range d.Children() {
		list = steadyOf(list, c)
	}
	return list
}

// gathered collects what is written to it, without copying.
type gathered struct {
	list [][]byte
	n    int
}

// Write implements io.Writer.
func (s *gathered) Write(b []byte) (int, error) {
	s.list = append(s.list, b)
	s.n += len(b)
	return len(b), nil
}

// messageHeaderType is the position of Message.header_type in the virtual table (Arrow's Message.fbs).
const messageHeaderType = 6

// kind returns the type of an IPC message.
func kind(meta []byte) ipc.MessageType {
	root := flatbuffers.Table{Bytes: meta, Pos: flatbuffers.GetUOffsetT(meta)}
	return ipc.MessageType(root.GetByteSlot(messageHeaderType, 0))
}
