package h2

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"

	"github.com/h5arrow/h5arrow/h5/h5test"
)

// slicesCodec sends messages that are a mem.BufferSlice as they are, and reads messages as bytes.
type slicesCodec struct{}

func (slicesCodec) Name() string { return "slices" }

func (slicesCodec) Marshal(v any) (mem.BufferSlice, error) {
	if s, ok := v.(mem.BufferSlice); ok {
		return s, nil
	}
	return mem.BufferSlice{}, nil
}

func (slicesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	if b, ok := v.(*[]byte); ok {
		*b = data.Materialize()
	}
	return nil
}

// recorder is a listener and a stats.Handler that record the only connection of a server. It is the pool of buffers, too.
type recorder struct {
	net.Listener
	r *recording
}

func (l recorder) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return recorded{c, l.r}, nil
}

func (l recorder) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (l recorder) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (l recorder) HandleRPC(context.Context, stats.RPCStats)                         {}
func (l recorder) HandleConn(_ context.Context, s stats.ConnStats) {
	if _, ok := s.(*stats.ConnEnd); ok {
		l.r.add(connEnd, nil)
	}
}

func (l recorder) Get(n int) *[]byte { b := make([]byte, n); return &b }
func (l recorder) Put(b *[]byte)     { l.r.add(putBack, *b) }

// message returns a message of parts of so many bytes, as package flight makes them: those of 4 KiB and more have a pool.
func (l recorder) message(sizes ...int) (m mem.BufferSlice) {
	l.r.mu.Lock()
	defer l.r.mu.Unlock()
	for i, n := range sizes {
		b := make([]byte, n)
		for k := range b {
			b[k] = byte(i + k)
		}
		if n < 4<<10 {
			l.r.plain = append(l.r.plain, b)
			m = append(m, mem.SliceBuffer(b))
		} else {
			l.r.lent = append(l.r.lent, b)
			m = append(m, mem.NewBuffer(&b, l))
		}
	}
	return m
}

// sizes are those of the parts of messages that a stream sends.
var sizes = [][]int{{100}, {5, 4 << 10, 100, 300_000}, {16<<10 - 5}, {16 << 10}, {200_000, 1, 70_000}, {4 << 10, 4 << 10}}

// record starts a grpc server whose only connection is recorded. Its method /test/Send sends messages of sizes, three times;
// /test/Fail fails.
func record(t *testing.T) (l recorder, stop func()) {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l = recorder{tcp, &recording{}}
	s := grpc.NewServer(grpc.ForceServerCodecV2(slicesCodec{}), grpc.WriteBufferSize(0), grpc.ReadBufferSize(16<<10),
		grpc.StatsHandler(l), grpc.WaitForHandlers(true))
	send := func(_ any, stream grpc.ServerStream) error {
		for range 3 {
			for _, m := range sizes {
				if err := stream.SendMsg(l.message(m...)); err != nil {
					return err
				}
			}
		}
		return nil
	}
	fail := func(any, grpc.ServerStream) error { return status.Error(codes.DataLoss, "of a test") }
	s.RegisterService(&grpc.ServiceDesc{ServiceName: "test", HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{
		{StreamName: "Send", Handler: send, ServerStreams: true, ClientStreams: true},
		{StreamName: "Fail", Handler: fail, ServerStreams: true, ClientStreams: true},
	}}, nil)
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	return l, func() {
		s.Stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// call reads a stream to its end, and returns how many bytes of messages came.
func call(cc *grpc.ClientConn, method string) (n int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	stream, err := cc.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method, grpc.ForceCodecV2(slicesCodec{}))
	if err != nil {
		return 0, err
	}
	for {
		var b []byte
		if err := stream.RecvMsg(&b); err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return n, err
		}
		n += len(b)
	}
}

// payloadOf is how many bytes the messages of a stream have.
func payloadOf() (n int) {
	for _, m := range sizes {
		for _, size := range m {
			n += 3 * size
		}
	}
	return n
}

// TestAssumptions records what the grpc that is linked writes for its own client, whose windows are small, and compares
// that with what the package's documentation assumes.
func TestAssumptions(t *testing.T) {
	leaks(t)
	l, stop := record(t)
	cc, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithStaticStreamWindowSize(64<<10))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	const streams = 3
	var wg sync.WaitGroup
	for range streams {
		wg.Go(func() {
			if n, err := call(cc, "/test/Send"); n != payloadOf() || err != nil {
				t.Errorf("%d bytes, want %d, %v", n, payloadOf(), err)
			}
			if _, err := call(cc, "/test/Fail"); status.Code(err) != codes.DataLoss {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	h5test.Eventually(t, 10*time.Second, func() bool { return l.r.count(putBack) == len(l.r.lent) })
	cc.Close()
	h5test.Eventually(t, 10*time.Second, func() bool { return l.r.count(connEnd) == 1 })
	stop()
	c := l.r.check()
	for name, how := range c.broken {
		t.Errorf("grpc %s: %s does not hold: %s", grpc.Version, name, how)
	}
	if len(c.streams) != 2*streams || c.data != streams*payloadOf() {
		t.Errorf("%d streams and %d bytes were recorded, want %d and %d", len(c.streams), c.data, 2*streams, streams*payloadOf())
	}
}

// request is a HEADERS frame that calls a method, with fields in plain literals (RFC 7541, 6.2.2), and the end of the stream.
func request(stream uint32, method string) []byte {
	var b []byte
	for _, f := range [][2]string{{":method", "POST"}, {":scheme", "http"}, {":path", method}, {":authority", "test"},
		{"content-type", "application/grpc"}, {"te", "trailers"}} {
		b = append(append(append(b, 0, byte(len(f[0]))), f[0]...), byte(len(f[1])))
		b = append(b, f[1]...)
	}
	return append(sent(headersFrame, 4, stream, b...), sent(dataFrame, endStream, stream)...)
}

// A client that allows long frames and large windows gets short frames all the same: Writer joins them.
func TestAssumedFrameSize(t *testing.T) {
	leaks(t)
	l, stop := record(t)
	defer stop()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	settings := append(setting(maxFrameSize, 1<<20), setting(initialWindowSize, 1<<30)...)
	if _, err := nc.Write(hello(sent(settingsFrame, 0, 0, settings...), sent(windowFrame, 0, 0, 0x10, 0, 0, 0), request(1, "/test/Send"))); err != nil {
		t.Fatal(err)
	}
	if err := nc.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, frameHead)
	for ended := false; !ended; {
		if _, err := io.ReadFull(nc, head); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, nc, int64(frameLength(head))); err != nil {
			t.Fatal(err)
		}
		ended = head[3] == headersFrame && head[4]&endStream != 0
	}
	h5test.Eventually(t, 10*time.Second, func() bool { return l.r.count(putBack) == len(l.r.lent) })
	c := l.r.check()
	for name, how := range c.broken {
		t.Errorf("grpc %s: %s does not hold: %s", grpc.Version, name, how)
	}
	if c.data != payloadOf() || c.peer.maxFrame() != 1<<20 {
		t.Errorf("%d bytes were recorded, want %d", c.data, payloadOf())
	}
}

// Each assumption that can be seen in a recording is found when it is violated.
func TestViolations(t *testing.T) {
	lent, plain := make([]byte, 8<<10), make([]byte, 10)
	head := func(n int) event {
		return event{kind: writeStart, data: []byte{byte(n >> 16), byte(n >> 8), byte(n), dataFrame, 0, 0, 0, 0, 1}}
	}
	write := func(b []byte) event { return event{writeStart, slices.Clone(b), b} }
	done, put := event{kind: writeDone}, event{kind: putBack, same: lent}
	good := []event{
		{kind: readStart}, {kind: readDone, data: hello(sent(settingsFrame, 0, 0), sent(headersFrame, 4, 1))},
		write(sent(settingsFrame, 0, 0)), done,
		head(5 + 10 + len(lent)), done, write([]byte{0, 0, 0, 32, 10}), done, write(plain), done, write(lent[:100]), done, write(lent[100:]), done,
		put,
		write(sent(headersFrame, 4|endStream, 1, 0x88)), done,
		{kind: connEnd},
	}
	const atSettings, atHead, atPrefix, atPlain, atLent, atPut, atEnd = 2, 4, 6, 8, 12, 14, 17
	changed := func(fn func(e []event) []event) []event { return fn(slices.Clone(good)) }
	with := func(i int, e event) []event { return changed(func(es []event) []event { es[i] = e; return es }) }
	for want, events := range map[string][]event{
		"":                    good,
		"Header alone":        with(atHead, write(sent(dataFrame, 0, 1, 1, 2, 3))),
		"Payload follows":     with(atPrefix, write(make([]byte, 10_000))),
		"Whole frames":        with(atSettings, write(sent(settingsFrame, 0, 0)[:8])),
		"One writer":          changed(func(es []event) []event { return slices.Delete(es, atSettings+1, atSettings+2) }),
		"No copies":           with(atPlain, write(slices.Clone(plain))),
		"Written before free": changed(func(es []event) []event { es[atLent], es[atPut] = put, write(lent[100:]); return es }),
		"End of streams":      with(atHead, event{kind: writeStart, data: append(slices.Clone(head(5 + 10 + len(lent)).data[:4]), endStream, 0, 0, 0, 1)}),
		"Frame size":          with(atHead, head(20_000)),
		"Reads":               with(1, event{kind: readStart}),
		"Windows":             with(atHead, head(70_000)),
		"End of connections":  changed(func(es []event) []event { return slices.Insert(es[:atEnd], atSettings, es[atEnd]) }),
	} {
		r := &recording{events: events, lent: [][]byte{lent}, plain: [][]byte{plain}}
		c := r.check()
		if want == "" && len(c.broken) > 0 || want != "" && !slices.Contains(c.violations(), want) {
			t.Errorf("%q: found %v", want, c.broken)
		}
	}
}

// Every assumption in the documentation is checked.
func TestAssumptionNames(t *testing.T) {
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile("recording_test.go")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(doc)) {
		name, ok := strings.CutPrefix(line, "//   - ")
		if !ok {
			continue
		}
		n++
		name, _, _ = strings.Cut(name, ":")
		if !strings.Contains(string(code), `c.fail("`+name+`"`) {
			t.Errorf("doc.go: %s is not checked", name)
		}
	}
	if n < 10 {
		t.Errorf("doc.go lists %d assumptions", n)
	}
}
