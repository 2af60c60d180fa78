package flight

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/h5arrow/h5arrow/h5/h5test"
)

// Connections beyond the limits are closed, and their clients learn why.
func TestConnectionLimits(t *testing.T) {
	leaks(t)
	for _, c := range []struct {
		name, reason string
		options      []Option
	}{
		{"an address", "too many connections from this address; close some, or try again later", []Option{WithAddressConnections(2)}},
		{"all", "the server has too many connections; try again later", []Option{WithMaxConnections(2), WithAddressConnections(9)}},
	} {
		p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, c.options...)
		var open []net.Conn
		for range 2 {
			conn, err := net.Dial("tcp", p.address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			open = append(open, conn)
		}
		eventually(t, func() bool { return p.Stats().Connections == 2 })
		_, err := p.dial(t).GetFlightInfo(context.Background(), pathOf("sample.h5"))
		needCode(t, c.name, err, codes.ResourceExhausted, c.reason)
		eventually(t, func() bool { return p.Stats().Connections == 2 })
		open[0].Close()
		eventually(t, func() bool { return p.Stats().Connections < 2 })
		if _, err := p.dial(t).GetFlightInfo(context.Background(), pathOf("sample.h5")); err != nil {
			t.Errorf("%s, when another has gone: %v", c.name, err)
		}
	}
}

// A connection without an admitted call is closed soon; one that has had a call stays.
func TestFirstCall(t *testing.T) {
	leaks(t)
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithTokens("secret"), WithFirstCall(200*time.Millisecond))
	silent, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	wrong, right := p.dial(t), p.dial(t)
	with := func(token string) context.Context {
		return metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+token)
	}
	if _, err := right.GetFlightInfo(with("secret"), pathOf("sample.h5")); err != nil {
		t.Fatal(err)
	}
	_, err = wrong.GetFlightInfo(with("other"), pathOf("sample.h5"))
	needCode(t, "a wrong token", err, codes.Unauthenticated, "not known")
	if err := silent.SetDeadline(time.Now().Add(timeout)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(silent); err != nil {
		t.Errorf("a silent connection: %v", err)
	}
	eventually(t, func() bool { return p.Stats().Connections == 1 })
	if _, err := right.GetFlightInfo(with("secret"), pathOf("sample.h5")); err != nil {
		t.Error(err)
	}
	if n := p.Stats().Connections; n != 1 {
		t.Errorf("%d connections", n)
	}
}

// Streams end soon after their token has been withdrawn.
func TestTokenWithdrawn(t *testing.T) {
	leaks(t)
	var withdrawn atomic.Bool
	known := func(token string) bool { return token == "kept" || token == "withdrawn" && !withdrawn.Load() }
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithTokenCheck(known), WithBatchRows(100))
	c := p.dial(t, narrow())
	with := func(token string) context.Context {
		return metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+token)
	}
	info, err := c.GetFlightInfo(with("kept"), pathOf("sample.h5"))
	if err != nil {
		t.Fatal(err)
	}
	tkt := info.Endpoint[0].Ticket.Ticket
	kept, stream := start(t, c, with("kept"), tkt), start(t, c, with("withdrawn"), tkt)
	withdrawn.Store(true)
	needCode(t, "a running stream", rest(stream), codes.Unauthenticated, "the token is no longer accepted")
	_, err = c.GetFlightInfo(with("withdrawn"), pathOf("sample.h5"))
	needCode(t, "a new call", err, codes.Unauthenticated, "the token is not known")
	if err := rest(kept); err != nil {
		t.Errorf("a stream with another token: %v", err)
	}
	p.idle(t) // although the client's connection stays
}

// A stream that ends with an error while its client does not read keeps its memory only until the connection is closed.
func TestErrorUnread(t *testing.T) {
	leaks(t)
	var withdrawn atomic.Bool
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithTokenCheck(func(string) bool { return !withdrawn.Load() }), WithBatchRows(100),
		WithSendTimeout(500*time.Millisecond))
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer x")
	c := p.dial(t, narrow())
	info, err := c.GetFlightInfo(ctx, pathOf("sample.h5"))
	if err != nil {
		t.Fatal(err)
	}
	stream := start(t, c, ctx, info.Endpoint[0].Ticket.Ticket)
	tick := time.Tick(20 * time.Millisecond) // slower than the server, which waits most of the time
	for err == nil && len(p.ended("DoGet")) == 0 {
		<-tick
		withdrawn.Store(true)
		_, err = stream.Recv()
	}
	p.idle(t)
}

// Clients whose calls are cut off at the end learn why.
func TestShutdownReason(t *testing.T) {
	leaks(t)
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithBatchRows(100))
	c := p.dial(t, narrow())
	stream := start(t, c, context.Background(), firstTicket(t, c, pathOf("sample.h5")))
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	done := make(chan error, 1)
	go func() { done <- p.Shutdown(ended) }()
	eventually(t, func() bool { return p.closing.Err() != nil })
	needCode(t, "a stream", rest(stream), codes.Unavailable, "the server is shutting down; try again later")
	if err := <-done; err != context.Canceled {
		t.Error(err)
	}
}

// buffered is a connection that records the size of its buffer.
type buffered struct {
	net.Conn
	remote, local net.Addr
	size          int
}

func (b *buffered) RemoteAddr() net.Addr       { return b.remote }
func (b *buffered) LocalAddr() net.Addr        { return b.local }
func (b *buffered) SetWriteBuffer(n int) error { b.size = n; return nil }
func (b *buffered) Close() error               { return nil }

// The system keeps little for clients on the same machine, and as much as it likes for others.
func TestLocalBuffer(t *testing.T) {
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")})
	l := newListener(nil, p.Server)
	at := func(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 8815} }
	for _, c := range []struct {
		remote, local net.Addr
		want          int
	}{
		{at("127.0.0.1"), at("127.0.0.1"), localBuffer},
		{at("::1"), at("::1"), localBuffer},
		{at("10.0.0.7"), at("10.0.0.7"), localBuffer},
		{at("10.0.0.8"), at("10.0.0.7"), 0},
		{at("2001:db8::8"), at("2001:db8::7"), 0},
		{&net.UDPAddr{IP: net.IPv6loopback}, at("::1"), 0},
	} {
		b := &buffered{remote: c.remote, local: c.local}
		nc := l.admit(b)
		if nc == nil {
			t.Fatalf("%v: not admitted", c.remote)
		}
		nc.Close()
		if b.size != c.want {
			t.Errorf("%v to %v: a buffer of %d bytes, want %d", c.local, c.remote, b.size, c.want)
		}
	}
}
