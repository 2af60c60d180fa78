package flight

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/ipc/flight/catalog"
	"github.com/h5arrow/h5arrow/ipc/flight/internal/h2"
)

// A file that is cut short while it is sent is an error for its client only.
func TestCutShort(t *testing.T) {
	leaks(t)
	path := copied(t, "sample.h5")
	p := serve(t, []string{path, h5test.Fixture(t, "vaex.h5")}, WithBatchRows(500))
	c := p.dial(t, narrow())
	stream := start(t, c, context.Background(), firstTicket(t, c, pathOf("sample.h5")))
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	err := rest(stream)
	if err == nil {
		t.Fatal("the stream ended well")
	}
	needCode(t, "the stream", err, codes.DataLoss, "sample.h5: ")
	if !strings.Contains(err.Error(), "cut short") || strings.Contains(err.Error(), filepath.Dir(path)) {
		t.Error(err)
	}
	got, _ := pull(t, c, pathOf("vaex.h5", firstTable(t, c, "vaex.h5")))
	got.release()
}

// When mapped bytes vanish while their message waits, the connection is closed, and the server reports why.
func TestCutShortOnTheWay(t *testing.T) {
	leaks(t)
	path := copied(t, "sample.h5")
	p := serve(t, []string{path})
	var received atomic.Int64
	c := p.dial(t, narrow(), grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
		nc, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		return counted{nc, &received}, err
	}))
	tkt := firstTicket(t, c, commandOf(`{"file": "sample.h5", "columns": ["pickup", "distance", "fare"], "batch_rows": 50000}`))
	before := received.Load()
	stream := start(t, c, context.Background(), tkt)
	eventually(t, func() bool { return received.Load()-before >= window }) // then the server waits, in the middle of a message
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	err := rest(stream)
	if code := status.Code(err); code != codes.Unavailable && code != codes.DataLoss {
		t.Errorf("the stream: %v", err)
	}
	eventually(t, func() bool { return len(p.ended("DoGet")) > 0 })
	calls := p.ended("DoGet")
	if len(calls) != 1 || !h5err.Is(calls[0].Err, h5err.IO) || !strings.Contains(calls[0].Err.Error(), "cut short") {
		t.Errorf("%+v", calls)
	}
	other := p.dial(t)
	if _, err := other.GetFlightInfo(context.Background(), pathOf("none.h5")); status.Code(err) != codes.NotFound {
		t.Errorf("the server does not answer any more: %v", err)
	}
}

// counted counts what is read from a connection.
type counted struct {
	net.Conn
	n *atomic.Int64
}

// Read implements net.Conn.
func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// Connections of a listener may read in Write what they write, unlike sockets: they get copies of mapped bytes.
func TestListenerWithoutSockets(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a mapped file can't be cut short here")
	}
	leaks(t)
	path := copied(t, "sample.h5")
	roots, err := catalog.Open([]string{path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { roots.Close() })
	l := tls.NewListener(listen(t), &tls.Config{Certificates: []tls.Certificate{newAuthority(t).issue(t, "127.0.0.1")}, NextProtos: []string{"h2"}})
	c := serveOn(t, l, roots).dial(t, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})), narrow())
	tkt := firstTicket(t, c, commandOf(`{"file": "sample.h5", "columns": ["pickup", "distance", "fare"], "batch_rows": 10000}`))
	stream := start(t, c, context.Background(), tkt)
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	if err := rest(stream); err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("%v", err)
	}
}

// firstBatch reads the first batch of a column.
func firstBatch(t testing.TB, tab *arrowmap.Table, column string) *arrowmap.Reader {
	t.Helper()
	tab, err := tab.Select(column)
	if err != nil {
		t.Fatal(err)
	}
	r, err := tab.Reader(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if !r.Next() {
		t.Fatal(r.Err())
	}
	return r
}

// Faults while copying are errors, too.
func TestFaultWhileCopied(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a mapped file can't be cut short here")
	}
	leaks(t)
	path := copied(t, "sample.h5")
	r := firstBatch(t, openTable(t, path, ""), "fare")
	defer r.Release()
	s, stream := newSender(t, false)
	s.start(r.Schema())
	defer s.stop()
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	err := s.write(r.RecordBatch(), 0, r.RecordBatch().NumRows())
	if !h5err.Is(err, h5err.IO) || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("%v", err)
	}
	stream.drop()
	if s.pool.lent != 0 {
		t.Errorf("%d buffers did not come back", s.pool.lent)
	}
}

// fakeStream keeps what is sent, as grpc does until it has been written.
type fakeStream struct {
	grpc.ServerStream
	parts [][][]byte
	free  []func()
	err   error
}

func (f *fakeStream) SendMsg(m any) error {
	if f.err != nil {
		m.(*message).parts.Free()
		return f.err
	}
	parts, _ := codec{}.Marshal(m)
	var list [][]byte
	for _, b := range parts {
		list = append(list, b.ReadOnlyData())
	}
	f.parts = append(f.parts, list)
	f.free = append(f.free, parts.Free)
	return nil
}

// drop frees the messages, as grpc does in the end.
func (f *fakeStream) drop() {
	for _, fn := range f.free {
		fn()
	}
	f.free = nil
}

func newSender(t testing.TB, trust bool) (*sender, *fakeStream) {
	t.Helper()
	l := &limiter{streams: 1, clientStreams: 1, memory: 1 << 30, clientMemory: 1 << 30, clients: map[string]*usage{}}
	g, err := l.stream("test")
	if err != nil {
		t.Fatal(err)
	}
	stream := &fakeStream{}
	return &sender{stream: stream, conn: &conn{out: map[*message]struct{}{}}, pool: &pool{maxKept: 1 << 20}, grant: g, trust: trust,
		maxBytes: 2 << 20, sent: func(*message) {}}, stream
}

// Decoded buffers are sent as they are, and held until grpc is done with them.
func TestNoCopy(t *testing.T) {
	leaks(t)
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	b := array.NewFloat64Builder(mem)
	b.AppendValues(make([]float64, 10_000), nil)
	col := b.NewArray()
	b.Release()
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Float64}}, nil)
	rec := array.NewRecordBatch(schema, []arrow.Array{col}, 10_000)
	want := &col.Data().Buffers()[1].Bytes()[0]
	col.Release()
	s, stream := newSender(t, false)
	s.start(schema)
	if err := s.write(rec, 0, 10_000); err != nil {
		t.Fatal(err)
	}
	rec.Release()
	if mem.CurrentAlloc() == 0 {
		t.Fatal("the batch is gone before it was sent")
	}
	found := false
	for _, p := range stream.parts[1] {
		found = found || &p[0] == want && len(p) == 80_000
	}
	if len(stream.parts) != 2 || !found {
		t.Error("the decoded buffer was copied")
	}
	stream.drop()
	if mem.CurrentAlloc() != 0 {
		t.Error("the batch is held when it was sent")
	}
	s.stop()
}

// Mapped buffers are copied unless the system reads them or the file is trusted.
func TestMappedCopies(t *testing.T) {
	leaks(t)
	whole := openTable(t, h5test.Fixture(t, "sample.h5"), "")
	for _, c := range []struct {
		column       string
		buffer       int
		trust, plain bool
		lent         bool
	}{
		{"fare", 1, true, false, true},
		{"fare", 1, false, true, true},   // the system reads it
		{"fare", 1, false, false, false}, // encryption would read it
		{"zone", 1, false, true, false},  // offsets must not change
		{"zone", 2, false, true, true},   // text may
		{"zone", 2, false, false, false},
	} {
		r := firstBatch(t, whole, c.column)
		at := &r.RecordBatch().Column(0).Data().Buffers()[c.buffer].Bytes()[0]
		s, stream := newSender(t, c.trust)
		if c.plain {
			s.conn.wire = h2.NewWriter(func(*net.Buffers) error { return nil }, func() {})
		}
		s.start(r.Schema())
		if err := s.write(r.RecordBatch(), 0, r.RecordBatch().NumRows()); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, p := range stream.parts[1] {
			found = found || &p[0] == at
		}
		if found != c.lent {
			t.Errorf("%+v: sent from the mapping: %v", c, found)
		}
		// When the connection ends first, the messages that grpc dropped are released.
		s.conn.end()
		if u, _ := s.grant.l.now(); u.streams != 1 || s.grant.refs != 1 || s.pool.lent != 0 {
			t.Errorf("%+v, %d references, %d buffers", u, s.grant.refs, s.pool.lent)
		}
		stream.drop() // a second time
		s.stop()
		r.Release()
	}
}

// A batch that is too large for a message is sent in parts.
func TestLongRows(t *testing.T) {
	leaks(t)
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for i := range 100 {
		b.Append(strings.Repeat("x", 1000*i))
	}
	col := b.NewArray()
	defer col.Release()
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.BinaryTypes.String}}, nil)
	rec := array.NewRecordBatch(schema, []arrow.Array{col}, 100)
	defer rec.Release()
	s, stream := newSender(t, false)
	s.maxBytes = 100_000
	s.start(schema)
	if err := s.write(rec, 0, rec.NumRows()); err != nil {
		t.Fatal(err)
	}
	if len(stream.parts) < 20 {
		t.Errorf("%d messages", len(stream.parts))
	}
	for _, m := range stream.parts {
		if n := len(bytes.Join(m, nil)); n > 201_000 {
			t.Errorf("a message of %d bytes", n)
		}
	}
	stream.drop()
	stream.err = io.ErrClosedPipe
	if err := s.write(rec, 0, rec.NumRows()); err != io.ErrClosedPipe {
		t.Error(err)
	}
	s.stop()
	if s.pool.lent != 0 {
		t.Errorf("%d buffers did not come back", s.pool.lent)
	}
}

// Batches are divided into messages of about equal size, none of more than an eighth over what was asked for.
func TestEvenRows(t *testing.T) {
	for _, c := range []struct{ n, asked, want int64 }{
		{0, 100, 1}, {1, 100, 1}, {100, 100, 100}, {112, 100, 112}, {113, 100, 64}, {118144, 29504, 29568}, {35840, 29504, 17920},
		{10, 1, 1}, {10, 3, 3}, {1 << 40, 1 << 62 >> 1, 1 << 40},
	} {
		if got := evenRows(c.n, c.asked); got != c.want {
			t.Errorf("%d rows in messages of %d: %d, want %d", c.n, c.asked, got, c.want)
		}
	}
	for n := int64(64); n < 3000; n += 7 {
		for asked := int64(1); asked < 700; asked += 13 {
			rows := evenRows(n, asked)
			last := n - (n-1)/rows*rows
			if rows > asked+asked/8 || rows > 2*n/rows && last < min(rows, n)/2 {
				t.Fatalf("%d rows in messages of %d: %d, the last one of %d", n, asked, rows, last)
			}
		}
	}
}
