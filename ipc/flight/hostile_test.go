package flight

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, x, x, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key}
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

func (a *authority) issue(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, x, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestTLS(t *testing.T) {
	leaks(t)
	ca, stranger := newAuthority(t), newAuthority(t)
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithTLS(&tls.Config{MinVersion: tls.VersionTLS12,
		Certificates: []tls.Certificate{ca.issue(t, "server")}, ClientCAs: ca.pool(), ClientAuth: tls.RequireAndVerifyClientCert}))
	for what, c := range map[string]struct {
		creds credentials.TransportCredentials
		ok    bool
	}{
		"mutual":         {credentials.NewTLS(&tls.Config{RootCAs: ca.pool(), Certificates: []tls.Certificate{ca.issue(t, "client")}}), true},
		"no certificate": {credentials.NewTLS(&tls.Config{RootCAs: ca.pool()}), false},
		"a stranger's":   {credentials.NewTLS(&tls.Config{RootCAs: ca.pool(), Certificates: []tls.Certificate{stranger.issue(t, "client")}}), false},
		"another server": {credentials.NewTLS(&tls.Config{RootCAs: stranger.pool(), Certificates: []tls.Certificate{ca.issue(t, "client")}}), false},
		"plain":          {insecure.NewCredentials(), false},
	} {
		t.Run(what, func(t *testing.T) {
			cl := p.dial(t, grpc.WithTransportCredentials(c.creds))
			if !c.ok {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				defer cancel()
				if _, err := cl.GetFlightInfo(ctx, pathOf("sample.h5")); status.Code(err) != codes.Unavailable {
					t.Error(err)
				}
				return
			}
			got, _ := pull(t, cl, pathOf("sample.h5"))
			if got.rows != 50000 {
				t.Errorf("%d rows", got.rows)
			}
			got.release()
			if calls := p.ended("GetFlightInfo"); !strings.HasPrefix(calls[0].Client, "certificate:") {
				t.Errorf("%+v", calls)
			}
		})
	}
}

// wide is a file whose rows come to many megabytes.
func wide(t testing.TB) (path string, info func(c flight.Client) []byte) {
	t.Helper()
	path = copied(t, "sample.h5")
	return path, func(c flight.Client) []byte {
		i, err := c.GetFlightInfo(context.Background(), pathOf(filepath.Base(path)))
		if err != nil {
			t.Fatal(err)
		}
		return i.Endpoint[0].Ticket.Ticket
	}
}

// narrow is a client with so small a window that a server can't go far ahead of it.
func narrow() grpc.DialOption { return grpc.WithStaticStreamWindowSize(64 << 10) }

// begin starts a stream and reads its first message, the schema.
func begin(t testing.TB, c flight.Client, ctx context.Context, tkt []byte) flight.FlightService_DoGetClient {
	t.Helper()
	stream, err := c.DoGet(ctx, &flight.Ticket{Ticket: tkt})
	if err == nil {
		_, err = stream.Recv()
	}
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// Streams beyond the limits are refused, and there is room again when others have ended.
func TestStreamLimits(t *testing.T) {
	leaks(t)
	path, ticketFor := wide(t)
	p := serve(t, []string{path}, WithMaxStreams(3), WithClientStreams(2), WithBatchRows(100))
	c := p.dial(t, narrow())
	tkt := ticketFor(c)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	begin(t, c, ctx, tkt)
	begin(t, c, ctx, tkt)
	needCode(t, "a third stream", fail(c, context.Background(), tkt), codes.ResourceExhausted, "all 2 streams of a client are in use")
	if s := p.Stats(); s.Streams != 2 || s.Memory == 0 || s.Files != 1 {
		t.Errorf("%+v", s)
	}
	cancel()
	for end := time.Now().Add(10 * time.Second); p.Stats().Streams > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if err := fail(c, context.Background(), tkt); err != nil {
		t.Errorf("when the others have ended: %v", err)
	}
}

// The limiter never gives more than there is, and everyone gets his share.
func TestLimiter(t *testing.T) {
	leaks(t)
	l := &limiter{streams: 100, clientStreams: 60, memory: 100, clientMemory: 70, patience: time.Minute, clients: map[string]*usage{}}
	var wg sync.WaitGroup
	for i := range 80 {
		wg.Go(func() {
			client := []string{"a", "b"}[i%2]
			g, err := l.stream(client)
			if err != nil {
				t.Error(err)
				return
			}
			defer g.release()
			if err := g.reserve(context.Background(), int64(1+i*7%90)); err != nil { // above a client's share: it gets all of that
				t.Error(err)
			}
			g.hold()
			g.release()
			l.mu.Lock()
			if l.used.memory > 100 || l.clients[client].memory > 70 {
				t.Errorf("%+v, %+v", l.used, l.clients[client])
			}
			l.mu.Unlock()
			runtime.Gosched()
		})
	}
	wg.Wait()
	if u, w := l.now(); u != (usage{}) || w != 0 || len(l.clients) != 0 {
		t.Errorf("%+v, %d wait, %d clients", u, w, len(l.clients))
	}
	a, _ := l.stream("a")
	b, _ := l.stream("b")
	if err := a.reserve(context.Background(), 60); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- b.reserve(ctx, 50) }()
	for {
		if _, w := l.now(); w == 1 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	l.patience = time.Millisecond
	needCode(t, "no memory", b.reserve(context.Background(), 50), codes.ResourceExhausted, "no memory")
	a.release()
	b.release()
	if u, w := l.now(); u != (usage{}) || w != 0 {
		t.Errorf("%+v, %d wait", u, w)
	}
}

// A client that never reads is told so, loses its connection in the end, and leaves nothing behind.
func TestClientThatNeverReads(t *testing.T) {
	leaks(t)
	path, ticketFor := wide(t)
	for _, patient := range []bool{true, false} {
		p := serve(t, []string{path}, WithSendTimeout(300*time.Millisecond))
		c := p.dial(t, narrow())
		stream := begin(t, c, context.Background(), ticketFor(c))
		end := time.Now().Add(20 * time.Second)
		for len(p.ended("DoGet")) == 0 && time.Now().Before(end) {
			time.Sleep(5 * time.Millisecond)
		}
		if calls := p.ended("DoGet"); len(calls) != 1 || calls[0].Status != "DeadlineExceeded" {
			t.Fatalf("%+v", calls)
		}
		if patient { // it reads after all
			needCode(t, "the stream", rest(stream), codes.DeadlineExceeded, "")
		} else {
			for p.Stats().Connections > 0 && time.Now().Before(end) {
				time.Sleep(5 * time.Millisecond)
			}
			if s := p.Stats(); s.Connections != 0 {
				t.Errorf("%+v", s)
			}
		}
		for p.Stats().Memory > 0 && time.Now().Before(end) {
			time.Sleep(5 * time.Millisecond)
		}
		if s := p.Stats(); s.Streams != 0 || s.Memory != 0 {
			t.Errorf("%+v", s)
		}
		c.Close()
		p.Close()
	}
}

// Many clients get what they ask for, and of those that vanish nothing stays.
func TestManyClients(t *testing.T) {
	leaks(t)
	path, ticketFor := wide(t)
	p := serve(t, []string{path}, WithBatchBytes(100<<10), WithMaxMemory(256<<20))
	first := p.dial(t)
	tkt := ticketFor(first)
	f, err := arrowmap.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tab, err := f.Table("")
	if err != nil {
		t.Fatal(err)
	}
	want := direct(t, tab)
	defer want.release()
	n := 100
	if testing.Short() {
		n = 20
	}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { // one that reads all, and two that vanish
			c, err := flight.NewClientWithMiddleware(p.address, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			stream, err := c.DoGet(context.Background(), &flight.Ticket{Ticket: tkt})
			if err != nil {
				t.Error(err)
				return
			}
			r, err := flight.NewRecordReader(stream)
			if err != nil {
				t.Error(err)
				return
			}
			rows, at := int64(0), r.Schema().FieldIndices("fare")[0]
			for r.Next() {
				rec := r.RecordBatch()
				if !array.SliceEqual(rec.Column(at), 0, rec.NumRows(), want.columns[at], rows, rows+rec.NumRows()) {
					t.Error("another value")
				}
				rows += rec.NumRows()
			}
			if r.Err() != nil || rows != want.rows {
				t.Errorf("client %d: %d rows, %v", i, rows, r.Err())
			}
			r.Release()
		})
		for k := range 2 {
			wg.Go(func() {
				c, err := flight.NewClientWithMiddleware(p.address, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()), narrow())
				if err != nil {
					t.Error(err)
					return
				}
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				stream, err := c.DoGet(ctx, &flight.Ticket{Ticket: tkt})
				if err == nil {
					_, err = stream.Recv()
				}
				if err != nil {
					t.Error(err)
				}
				if k == 0 {
					cancel() // the stream only
					time.Sleep(time.Millisecond)
				}
				c.Close()
			})
		}
	}
	wg.Wait()
	first.Close()
	end := time.Now().Add(10 * time.Second)
	for s := p.Stats(); (s.Streams > 0 || s.Memory > 0 || s.Connections > 0) && time.Now().Before(end); s = p.Stats() {
		time.Sleep(5 * time.Millisecond)
	}
	if s := p.Stats(); s.Streams != 0 || s.Memory != 0 || s.Connections != 0 || s.Waiting != 0 {
		t.Errorf("%+v", s)
	}
	if p.pool.lent != 0 {
		t.Errorf("%d buffers did not come back", p.pool.lent)
	}
}

// A file that is cut short while it is sent costs its client an error, and nobody else anything.
func TestCutShort(t *testing.T) {
	leaks(t)
	path := copied(t, "sample.h5")
	p := serve(t, []string{path, h5test.Fixture(t, "vaex.h5")}, WithBatchRows(500))
	c := p.dial(t, narrow())
	info, err := c.GetFlightInfo(context.Background(), pathOf("sample.h5"))
	if err != nil {
		t.Fatal(err)
	}
	stream := begin(t, c, context.Background(), info.Endpoint[0].Ticket.Ticket)
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	if err = rest(stream); err == nil {
		t.Fatal("the stream ended well")
	}
	needCode(t, "the stream", err, codes.DataLoss, "sample.h5: ")
	if !strings.Contains(err.Error(), "cut short") || strings.Contains(err.Error(), filepath.Dir(path)) {
		t.Error(err)
	}
	got, _ := pull(t, c, pathOf("vaex.h5", firstTable(t, c, "vaex.h5")))
	got.release()
}

// Mapped bytes that vanish when a message is already on its way cost the connection, and the server knows why.
func TestCutShortOnTheWay(t *testing.T) {
	leaks(t)
	path := copied(t, "sample.h5")
	p := serve(t, []string{path})
	c := p.dial(t, narrow())
	info, err := c.GetFlightInfo(context.Background(), commandOf(`{"file": "sample.h5", "columns": ["pickup", "distance", "fare"], "batch_rows": 50000}`))
	if err != nil {
		t.Fatal(err)
	}
	stream := begin(t, c, context.Background(), info.Endpoint[0].Ticket.Ticket)
	for end := time.Now().Add(10 * time.Second); p.lentNow() == 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(20 * time.Millisecond) // the window is full
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	err = rest(stream)
	if code := status.Code(err); code != codes.Unavailable && code != codes.DataLoss {
		t.Errorf("the stream: %v", err)
	}
	for end := time.Now().Add(10 * time.Second); len(p.ended("DoGet")) == 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	calls := p.ended("DoGet")
	if len(calls) != 1 || !h5err.Is(calls[0].Err, h5err.IO) || !strings.Contains(calls[0].Err.Error(), "cut short") {
		t.Errorf("%+v", calls)
	}
	other := p.dial(t)
	if _, err := other.GetFlightInfo(context.Background(), pathOf("none.h5")); status.Code(err) != codes.NotFound {
		t.Errorf("the server does not answer any more: %v", err)
	}
}

// lentNow is the messages that grpc has and the streams that are followed, on all connections.
func (p *place) lentNow() int {
	p.Server.mu.Lock()
	defer p.Server.mu.Unlock()
	n := 0
	for _, nc := range p.conns {
		nc.wire.mu.Lock()
		out := nc.wire.out
		nc.wire.mu.Unlock()
		nc.wire.client.mu.Lock()
		n += len(nc.wire.client.streams)
		nc.wire.client.mu.Unlock()
		if out != nil {
			out.mu.Lock()
			n += len(out.out)
			out.mu.Unlock()
		}
	}
	return n
}

// joined is a stream of HTTP/2 frames with those that may be one made one. No frame may be longer than most.
func joined(t *testing.T, b []byte, most int) []byte {
	t.Helper()
	var out, last []byte // last is the header of a DATA frame that is open
	var body []byte
	end := func() {
		if last != nil {
			out = append(append(binary.BigEndian.AppendUint32(out, uint32(len(body))), last...), body...)
		}
		last, body = nil, nil
	}
	for len(b) > 0 {
		n := frameLength(b)
		if n > most || len(b) < frameHead+n {
			t.Fatalf("a frame of %d bytes where %d are allowed and %d are left", n, most, len(b)-frameHead)
		}
		head := b[3:frameHead]
		if last == nil || !bytes.Equal(last, head) || head[0] != dataFrame || head[1] != 0 {
			end()
			last = head
		}
		body = append(body, b[frameHead:frameHead+n]...)
		b = b[frameHead+n:]
	}
	end()
	return out
}

// What grpc writes arrives as it was written, but for the borders of frames, whatever waits for whatever, and what does not
// stay is written at once.
func TestWire(t *testing.T) {
	leaks(t)
	rng := mathrand.New(mathrand.NewPCG(1, 2))
	for round := range 60 {
		var got bytes.Buffer
		calls := 0
		w := newWire(func(v *net.Buffers) error {
			calls++
			_, err := v.WriteTo(&got)
			return err
		}, func() {})
		c := &conn{out: map[*message]struct{}{}, wire: w}
		w.out = c
		most := defaultFrameSize + 5
		if rng.IntN(2) == 0 {
			most = 1 << (15 + rng.IntN(8))
			told := hello(
				sent(headersFrame, 4, 1, make([]byte, rng.IntN(20))...),
				sent(settingsFrame, 0, 0, append(setting(1, 0x9090909), setting(maxFrameSize, uint32(most))...)...),
				sent(settingsFrame, 1, 0),
				sent(settingsFrame, 0, 0, setting(initialWindowSize, uint32(rng.IntN(16))<<16)...),
				sent(6, 0, 0, make([]byte, 8)...),
				sent(headersFrame, 4, 3),
				sent(windowFrame, 0, 0, 0, byte(rng.IntN(100)), 0, 0),
				sent(windowFrame, 0, 3, 0, 1, 2, 3))
			for len(told) > 0 {
				n := 1 + rng.IntN(len(told))
				w.client.see(told[:n])
				told = told[n:]
			}
			if got := w.client.maxFrame(); got != most {
				t.Fatalf("frames of up to %d bytes, %d were told", got, most)
			}
		}
		stream := byte(1)
		var want []byte
		put := func(b []byte) {
			want = append(want, b...)
			if n, err := w.put(b); n != len(b) || err != nil {
				t.Fatal(n, err)
			}
		}
		head := make([]byte, frameHead) // used again and again, as grpc does
		frame := func(kind byte, n int) {
			copy(head, []byte{byte(n >> 16), byte(n >> 8), byte(n), kind, 0, 0, 0, 0, stream})
			put(head)
		}
		for range 1 + rng.IntN(5) {
			body := make([]byte, 1+rng.IntN(600_000))
			for rest := body; len(rest) > 0; {
				rest = rest[copy(rest, binary.LittleEndian.AppendUint64(nil, rng.Uint64())):]
			}
			m := &message{conn: c, pool: &pool{}, grant: &grant{l: &limiter{clients: map[string]*usage{"": {}}}, refs: 2}}
			m.bytes = [][]byte{body[:len(body)/2], body[len(body)/2:]}
			owned := rng.IntN(4) > 0
			if owned {
				c.remember(m)
			}
			rest := body
			for len(rest) > 0 {
				n := min(len(rest), 1+rng.IntN(16384))
				pre := 0
				if rng.IntN(3) == 0 {
					pre = 5
				}
				frame(0, n+pre)
				if pre > 0 {
					put([]byte{1, 2, 3, 4, 5})
				}
				cut := rng.IntN(n)
				if cut > 0 {
					put(rest[:cut])
				}
				put(rest[cut:n])
				rest = rest[n:]
				if rng.IntN(10) == 0 {
					stream ^= 2
				}
				if rng.IntN(20) == 0 { // a whole frame of another kind, and an empty one
					put([]byte{0, 0, 2, 6, 0, 0, 0, 0, 0, 7, 7})
					frame(0, 0)
				}
			}
			if owned {
				body := body
				m.gone = func() { clear(body) }
				m.done()
			} else {
				clear(body) // what was written was written, or copied
			}
		}
		if round == 0 && calls == 0 {
			t.Error("nothing was written")
		}
		frame(0, 3)
		put([]byte{1, 2, 3})
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
			w.mu.Lock()
			left := w.size
			w.mu.Unlock()
			if left == 0 {
				break
			}
			time.Sleep(moment)
		}
		c.end()
		if _, err := w.put(head); err == nil || !bytes.Equal(joined(t, got.Bytes(), most), joined(t, want, most)) {
			t.Fatalf("what came is not what was sent, %v", err)
		}
	}
	broken := false
	w := newWire(func(*net.Buffers) error { return io.ErrClosedPipe }, func() { broken = true })
	if _, err := w.put(make([]byte, 20)); err != io.ErrClosedPipe || !broken {
		t.Error(err)
	}
	if _, err := w.put(make([]byte, 20)); err != io.ErrClosedPipe {
		t.Error(err)
	}
}

// A piece of a mapped file is for the system to read, be it as short as grpc's own prefix of a message.
func TestWireTiny(t *testing.T) {
	leaks(t)
	path := copied(t, "sample.h5")
	src, err := source.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Release()
	page := int64(os.Getpagesize())
	b, ok := src.View(4*page, page)
	if !ok {
		t.Skip("nothing is mapped on this system")
	}
	if err := os.Truncate(path, page); err != nil {
		t.Fatal(err)
	}
	var got net.Buffers
	w := newWire(func(v *net.Buffers) error { got = slices.Clone(*v); return nil }, func() {})
	c := &conn{out: map[*message]struct{}{}, wire: w}
	w.out = c
	m := &message{conn: c, pool: &pool{}, grant: &grant{l: &limiter{clients: map[string]*usage{"": {}}}, refs: 2}, bytes: [][]byte{b}}
	c.remember(m)
	for _, piece := range [][]byte{{0, 0, 15, dataFrame, 0, 0, 0, 0, 1}, {1, 2, 3, 4, 5}, b[:10]} {
		if _, err := w.put(piece); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 2 || len(got[0]) != frameHead+5 || &got[1][0] != &b[0] || len(got[1]) != 10 {
		t.Errorf("%d pieces were written", len(got))
	}
	m.done()
	c.end()
}

// What listens need not be a socket: then a connection's own code reads what it writes, and gets nothing mapped.
func TestForeignListener(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a mapped file can't be cut short here")
	}
	leaks(t)
	path := copied(t, "sample.h5")
	roots, err := OpenRoots([]string{path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { roots.Close() })
	l := tls.NewListener(listen(t), &tls.Config{Certificates: []tls.Certificate{newAuthority(t).issue(t, "127.0.0.1")}, NextProtos: []string{"h2"}})
	c := serveOn(t, l, roots).dial(t, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})), narrow())
	info, err := c.GetFlightInfo(context.Background(), commandOf(`{"file": "sample.h5", "columns": ["pickup", "distance", "fare"], "batch_rows": 10000}`))
	if err != nil {
		t.Fatal(err)
	}
	stream := begin(t, c, context.Background(), info.Endpoint[0].Ticket.Ticket)
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	if err := rest(stream); err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("%v", err)
	}
}

// Faults in the copy itself are errors too: the check between batches comes too late for them.
func TestFaultWhileCopied(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a mapped file can't be cut short here")
	}
	leaks(t)
	path := copied(t, "sample.h5")
	f, err := arrowmap.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tab, err := f.Table("")
	if err != nil {
		t.Fatal(err)
	}
	if tab, err = tab.Select("fare"); err != nil {
		t.Fatal(err)
	}
	r, err := tab.Reader(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	if !r.Next() {
		t.Fatal(r.Err())
	}
	s, stream := newSender(t, false)
	s.start(r.Schema())
	defer s.stop()
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	err = s.write(r.RecordBatch())
	if !h5err.Is(err, h5err.IO) || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("%v", err)
	}
	stream.drop()
	if s.pool.lent != 0 {
		t.Errorf("%d buffers did not come back", s.pool.lent)
	}
}

func firstTable(t *testing.T, c flight.Client, file string) string {
	t.Helper()
	stream, err := c.ListFlights(context.Background(), &flight.Criteria{Expression: []byte(file)})
	if err != nil {
		t.Fatal(err)
	}
	info, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = stream.Recv()
	}
	return info.FlightDescriptor.Path[1]
}

// fakeStream keeps what is sent, as grpc does until it is written.
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

// drop is what grpc does when it is done.
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
	return &sender{stream: stream, conn: &conn{out: map[*message]struct{}{}}, pool: &pool{most: 1 << 20}, grant: g, trust: trust,
		most: 2 << 20, sent: func(*message) {}}, stream
}

// Decoded buffers are sent as they are, and held until grpc is done with them; mapped ones are copied unless the file is
// trusted.
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
	if err := s.write(rec); err != nil {
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

	f, err := arrowmap.Open(h5test.Fixture(t, "sample.h5"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	whole, err := f.Table("")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		column       string
		trust, plain bool
		lent         bool
	}{
		{"fare", true, false, true},
		{"fare", false, true, true},   // the system reads it
		{"fare", false, false, false}, // encrypting would
		{"zone", false, true, false},  // offsets are not to change
	} {
		tab, err := whole.Select(c.column)
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
		at := &r.RecordBatch().Column(0).Data().Buffers()[1].Bytes()[0]
		s, stream := newSender(t, c.trust)
		if c.plain {
			s.conn.wire = newWire(func(*net.Buffers) error { return nil }, func() {})
		}
		s.start(r.Schema())
		if err := s.write(r.RecordBatch()); err != nil {
			t.Fatal(err)
		}
		found := false
		for _, p := range stream.parts[1] {
			found = found || &p[0] == at
		}
		if found != c.lent {
			t.Errorf("%+v: sent from the mapping: %v", c, found)
		}
		// When the connection ends first, what grpc dropped comes back all the same.
		s.conn.end()
		if u, _ := s.grant.l.now(); u.streams != 1 || s.grant.refs != 1 || s.pool.lent != 0 {
			t.Errorf("%+v, %d references, %d buffers", u, s.grant.refs, s.pool.lent)
		}
		stream.drop() // and may come twice
		s.stop()
		r.Release()
	}
}

// A batch that is larger than a message may be is sent in parts.
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
	s.most = 100_000
	s.start(schema)
	if err := s.write(rec); err != nil {
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
	if err := s.write(rec); err != io.ErrClosedPipe {
		t.Error(err)
	}
	s.stop()
	if s.pool.lent != 0 {
		t.Errorf("%d buffers did not come back", s.pool.lent)
	}
}

// Nothing leads out of the roots.
func TestRoots(t *testing.T) {
	leaks(t)
	dir := t.TempDir()
	b, err := os.ReadFile(h5test.Fixture(t, "vaex.h5"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"in/a.h5", "in/sub/b.h5", "out/secret.h5", "other/a.h5"} {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "in", "text.txt"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"in/inside.h5": "sub/b.h5", "in/outside.h5": "../out/secret.h5", "in/absolute.h5": filepath.Join(dir, "out", "secret.h5"),
		"in/dir": "../out", "in/loop": "."} {
		if err := os.Symlink(target, filepath.Join(dir, filepath.FromSlash(link))); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	roots, err := OpenRoots([]string{filepath.Join(dir, "in")})
	if err != nil {
		t.Fatal(err)
	}
	defer roots.Close()
	var names []string
	if err := roots.names(func(name string) error { names = append(names, name); return nil }); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(names, " "); got != "a.h5 inside.h5 sub/b.h5" {
		t.Errorf("served are %s", got)
	}
	for name, ok := range map[string]bool{"a.h5": true, "sub/b.h5": true, "inside.h5": true, "loop/a.h5": true, "outside.h5": false, "absolute.h5": false,
		"dir/secret.h5": false, "../out/secret.h5": false, "sub/../a.h5": false, "/etc/passwd": false, "": false, ".": false, "sub": false, "a.h5/x": false, "text.txt": false} {
		h, err := roots.acquire(name)
		if (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
		if h != nil {
			h.release()
		}
	}
	single, err := OpenRoots([]string{filepath.Join(dir, "in", "a.h5"), filepath.Join(dir, "in", "outside.h5")})
	if err != nil {
		t.Fatal(err)
	}
	defer single.Close()
	if err := single.Check(); err != nil {
		t.Error(err)
	}
	if tables, done, err := single.Tables(); err != nil || len(tables) == 0 || tables[0].File != "a.h5" {
		t.Errorf("%v, %v", tables, err)
	} else {
		done()
	}
	if _, err := single.acquire("sub/b.h5"); !h5err.Is(err, h5err.NotFound) {
		t.Errorf("beside a file that is served: %v", err)
	}
	for _, bad := range []struct {
		paths []string
		kind  h5err.Kind
	}{
		{nil, h5err.Argument},
		{[]string{filepath.Join(dir, "in", "a.h5"), filepath.Join(dir, "other", "a.h5")}, h5err.Argument},
		{[]string{filepath.Join(dir, "none")}, h5err.IO},
	} {
		if _, err := OpenRoots(bad.paths); !h5err.Is(err, bad.kind) {
			t.Errorf("%v: %v", bad.paths, err)
		}
	}
	if _, err := OpenRoots([]string{filepath.Join(dir, "none")}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// What a file points to is followed inside the roots only.
func TestExternal(t *testing.T) {
	leaks(t)
	all := filepath.Join(h5test.Root(t), "testdata")
	for _, c := range []struct {
		file, dataset string
		beside        []string // what else is served
		ok            bool
	}{
		{"", "/two_parts", nil, true}, // the directory
		{"external.h5", "/two_parts", nil, false},
		{"external.h5", "/two_parts", []string{"external.raw"}, true},
		{"external.h5", "/two_parts", []string{"expected"}, false},
		{"", "/stacked", nil, true},
		{"vds.h5", "/stacked", nil, false},
		{"vds.h5", "/stacked", []string{"vds_a.h5"}, false},
		{"vds.h5", "/stacked", []string{"vds_a.h5", "vds_b.h5"}, true},
	} {
		name := map[string]string{"/two_parts": "external.h5", "/stacked": "vds.h5"}[c.dataset]
		paths := []string{filepath.Join(all, c.file)}
		for _, b := range c.beside {
			paths = append(paths, filepath.Join(all, b))
		}
		roots, err := OpenRoots(paths, WithTables(func(f *arrowmap.File) ([]*arrowmap.Table, error) {
			tab, err := f.Datasets(c.dataset)
			return []*arrowmap.Table{tab}, err
		}))
		if err != nil {
			t.Fatal(err)
		}
		p := serveRoots(t, roots)
		cl := p.dial(t)
		info, err := cl.GetFlightInfo(context.Background(), pathOf(name, c.dataset))
		if err == nil {
			err = fail(cl, context.Background(), info.Endpoint[0].Ticket.Ticket)
		}
		if c.ok && err != nil {
			t.Errorf("%+v: %v", c, err)
		}
		if !c.ok {
			needCode(t, c.file, err, codes.Unimplemented, "is not among the files that may be read")
		}
		p.Close()
		roots.Close()
	}
}

// A file that changes is opened anew.
func TestFileReplaced(t *testing.T) {
	leaks(t)
	path := copied(t, "sample.h5")
	p := serve(t, []string{path})
	c := p.dial(t)
	if _, err := c.GetFlightInfo(context.Background(), pathOf("sample.h5", "/table")); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(h5test.Fixture(t, "new.h5"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	_, err = c.GetFlightInfo(context.Background(), pathOf("sample.h5", "/table"))
	needCode(t, "the file that was", err, codes.NotFound, "no such table")
	if s := p.Stats(); s.Files > 2 {
		t.Errorf("%+v", s)
	}
}

func TestHealth(t *testing.T) {
	leaks(t)
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")})
	cc, err := grpc.NewClient(p.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	for _, service := range []string{"", serviceName} {
		r, err := healthpb.NewHealthClient(cc).Check(context.Background(), &healthpb.HealthCheckRequest{Service: service})
		if err != nil || r.Status != healthpb.HealthCheckResponse_SERVING {
			t.Errorf("%v, %v", r, err)
		}
	}
}

// Connections beyond the limit are closed.
func TestConnectionLimit(t *testing.T) {
	leaks(t)
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithMaxConnections(1))
	c := p.dial(t)
	if _, err := c.GetFlightInfo(context.Background(), pathOf("sample.h5")); err != nil {
		t.Fatal(err)
	}
	nc, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if err := nc.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := nc.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a second connection: %v", err)
	}
}

func FuzzDescriptor(f *testing.F) {
	f.Add([]byte(`{"file": "a.h5", "table": "/t", "columns": ["x"], "rows": "1:2", "endpoints": 2, "batch_rows": 5}`))
	f.Add([]byte(`{"file":"a","rows":":"}`))
	f.Add([]byte("[a-"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if w, err := parseCommand(b); err == nil {
			if w.file == "" || w.from < 0 || w.to >= 0 && w.to < w.from || w.endpoints < 0 || w.endpoints > maxEndpoints || w.batchRows < 0 {
				t.Errorf("%q: %+v", b, w)
			}
		} else if !h5err.Is(err, h5err.Argument) {
			t.Errorf("%q: %v", b, err)
		}
		if c, err := parseCriteria(b); err == nil {
			c.takesFile("a/b.h5")
			c.takesTable("/t")
		} else if !h5err.Is(err, h5err.Argument) {
			t.Errorf("%q: %v", b, err)
		}
		s := string(b)
		if like(&s, s) != true && !strings.ContainsAny(s, "%_") && !strings.ContainsRune(s, slash) && strings.ToValidUTF8(s, "") == s {
			t.Errorf("%q is not like itself", s)
		}
	})
}

// Nothing but what a keyring sealed is a ticket of its own.
func FuzzTicket(f *testing.F) {
	k := newKeyring(bytes.Repeat([]byte{1}, 32), time.Hour)
	k.now = func() time.Time { return time.Unix(1000, 0) }
	good, err := k.seal(ticket{File: "a.h5", Table: "/t", To: 5}, k.expiry())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:40])
	f.Add([]byte(ticketMark))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := k.open(b)
		if err == nil {
			again, err := k.seal(*x, time.Unix(x.Expires, 0))
			if err != nil || !bytes.Equal(b, again) {
				t.Errorf("%q was taken", b)
			}
			return
		}
		if c := status.Code(err); c != codes.InvalidArgument && c != codes.PermissionDenied {
			t.Error(err)
		}
		// The same bytes, signed: what is inside must be understood or refused.
		if len(b) > ticketHead {
			body := b[ticketHead:]
			if x, err := k.open(append(append([]byte(ticketMark), k.mac(body)...), body...)); err == nil && x.Expires <= 1000 {
				t.Errorf("%q has expired", body)
			}
		}
	})
}
