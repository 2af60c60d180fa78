//go:build attack && linux

package flight

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc/codes"

	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/write"
)

// sampleRows is the number of rows of testdata/sample.h5.
const sampleRows = 50000

// preface starts an HTTP/2 connection: the preface, and SETTINGS without any (RFC 9113, 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// idlers are connections that occupy a server without a call: what they send at once, and what then, byte by byte.
var idlers = []struct {
	name, first string
	drip        []byte
}{
	{"nothing", "", nil},
	{"a preface", preface, nil},
	{"a preface, slowly", "", []byte(preface)},
	{"half of a header", preface + "\x00\x40\x00\x01\x00\x00\x00\x00\x01", bytes.Repeat([]byte{0x40}, 1<<10)},
	{"pings", preface, bytes.Repeat([]byte("\x00\x00\x08\x06\x00\x00\x00\x00\x0012345678"), 1<<6)},
	{"HTTP/1.1", "GET / HTTP/1.1\r\nHost: localhost\r\n", bytes.Repeat([]byte("X: y\r\n"), 1<<7)},
}

// occupy opens a connection, and returns how long the server left it open.
func occupy(address, first string, drip []byte) (time.Duration, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	since := time.Now()
	if err := c.SetDeadline(since.Add(patient)); err != nil {
		return 0, err
	}
	if _, err := io.WriteString(c, first); err != nil {
		return 0, err
	}
	closed := make(chan struct{})
	defer close(closed)
	go func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for i := range drip {
			select {
			case <-tick.C:
			case <-closed:
				return
			}
			if _, err := c.Write(drip[i : i+1]); err != nil {
				return // closed by the server
			}
		}
	}()
	_, err = io.Copy(io.Discard, c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, err
	}
	return time.Since(since), nil // its end, or a reset
}

// 50 connections of each kind that make no admitted call are closed within seconds, whatever they send, as are those of clients
// that try tokens. Meanwhile a client with a token is served.
func TestAttackIdle(t *testing.T) {
	v := attacked(t, setup{Paths: []string{h5test.Fixture(t, "sample.h5")}, Tokens: []string{"secret"}})
	honest := v.dial(t)
	ask := func() error {
		rows, err := fetch(withToken(context.Background(), "secret"), honest, pathOf("sample.h5"))
		if err == nil && rows != sampleRows {
			t.Errorf("%d rows", rows)
		}
		return err
	}
	if err := ask(); err != nil {
		t.Fatal(err)
	}
	before := v.state(t)
	var wg sync.WaitGroup
	open := make([]tally, len(idlers))
	for i, kind := range idlers {
		for range 50 {
			wg.Go(func() {
				lasted, err := occupy(v.address, kind.first, kind.drip)
				if err != nil {
					t.Errorf("%s: %v", kind.name, err)
				}
				open[i].add(nil, time.Now().Add(-lasted))
			})
		}
	}
	var guesses, served tally
	for range 50 {
		c := v.dial(t)
		wg.Go(func() {
			for range 20 {
				since := time.Now()
				_, err := c.GetFlightInfo(withToken(context.Background(), "guess"), pathOf("sample.h5"))
				guesses.add(err, since)
			}
			c.Close()
		})
	}
	gone := make(chan struct{})
	go func() {
		wg.Wait()
		close(gone)
	}()
	for over := false; !over; {
		select {
		case <-gone:
			over = true
		default:
		}
		since := time.Now()
		served.add(ask(), since)
	}
	for i, kind := range idlers {
		t.Logf("50 connections that send %s were open: %v", kind.name, &open[i])
	}
	t.Logf("guessed tokens: %v", &guesses)
	t.Logf("a client with a token meanwhile: %v", &served)
	served.only(t, codes.OK)
	guesses.only(t, codes.Unauthenticated, codes.Unavailable)
	v.await(t, "connections and descriptors", func(r report) bool { return r.Now.Connections == 1 && r.Descriptors <= before.Descriptors })
	v.figures(t, Stats{Connections: 512, Streams: 1, Memory: DefaultMaxMemory}, 256<<20)
}

// 1,000 clients get what they want or are refused. All limits hold.
func TestAttackClients(t *testing.T) {
	const memory = 64 << 20
	for _, c := range []struct {
		name      string
		addresses int
		vanish    bool // after the first message
		limit     Stats
	}{
		{"of one address", 1, false, Stats{Connections: 1 + 512 + maxRefused, Streams: 512, Memory: memory}},
		{"of ten addresses", 10, false, Stats{Connections: 1000, Streams: 1000, Memory: memory}},
		{"that vanish, of ten addresses", 10, true, Stats{Connections: 1000, Streams: 1000, Memory: memory}},
	} {
		t.Run(c.name, func(t *testing.T) {
			// All have made their first call before the first connection may be closed, on slow machines too.
			v := attacked(t, setup{Paths: []string{h5test.Fixture(t, "sample.h5")}, Memory: memory, FirstCall: patient, BatchRows: 5000})
			if rows, err := fetch(context.Background(), v.dial(t, from(250)), pathOf("sample.h5")); err != nil || rows != sampleRows {
				t.Fatalf("%d rows, %v", rows, err)
			}
			before := v.state(t)
			var answers tally
			var wg sync.WaitGroup
			clients := make([]flight.Client, 999) // with the one above
			for i := range clients {
				clients[i] = v.dial(t, narrow(), from(i%c.addresses))
				wg.Go(func() {
					since := time.Now()
					answers.add(visit(t, clients[i], c.vanish), since)
				})
			}
			wg.Wait()
			t.Logf("answers: %v", &answers)
			answers.only(t, codes.OK, codes.ResourceExhausted, codes.Unavailable)
			if n := answers.count(codes.OK); n == 0 || c.addresses == 1 && n > 512 || c.addresses > 1 && answers.count(codes.Unavailable) > 0 {
				t.Errorf("%d clients were served", n)
			}
			v.await(t, "streams", func(r report) bool { return r.Now.Streams == 0 && r.Now.Memory == 0 && r.Now.Waiting == 0 })
			for _, c := range clients {
				c.Close()
			}
			v.await(t, "descriptors", func(r report) bool { return r.Descriptors <= before.Descriptors })
			if rows, err := fetch(context.Background(), v.dial(t), pathOf("sample.h5")); err != nil || rows != sampleRows {
				t.Errorf("afterward: %d rows, %v", rows, err)
			}
			v.figures(t, c.limit, 512<<20)
		})
	}
}

// visit reads a table, or only its start.
func visit(t *testing.T, c flight.Client, vanish bool) error {
	if !vanish {
		rows, err := fetch(context.Background(), c, pathOf("sample.h5"))
		if err == nil && rows != sampleRows {
			t.Errorf("%d rows", rows)
		}
		return err
	}
	info, err := c.GetFlightInfo(context.Background(), pathOf("sample.h5"))
	if err != nil {
		return err
	}
	stream, err := c.DoGet(context.Background(), info.Endpoint[0].Ticket)
	if err == nil {
		_, err = stream.Recv()
	}
	c.Close() // in the middle of the stream
	return err
}

// long writes a table of 64 MiB, which is sent as it is.
func long(t *testing.T) string {
	t.Helper()
	const rows = 1 << 22
	return written.File(t, filepath.Join(t.TempDir(), "long.h5"), func(f *write.File) error {
		for _, name := range []string{"/t/a", "/t/b"} {
			d, err := f.Dataset(name, write.Spec{Type: float64s, Space: write.Shape(rows)})
			if err == nil {
				err = d.Write(make([]byte, 8*rows))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// A table of which nothing was ever written has no bytes that could be sent: what is made for 100 clients at once counts as
// memory, too.
func TestAttackNeverWritten(t *testing.T) {
	const memory = 128 << 20
	v := attacked(t, setup{Paths: []string{vast(t, write.Spec{Type: float64s, Space: write.Shape(1 << 40), ChunkDims: []uint64{1 << 16}})}, Memory: memory, BatchRows: 1000})
	tkt := firstTicketOf(t, v.dial(t), "vast.h5", context.Background())
	var answers tally
	var wg sync.WaitGroup
	for range 100 {
		c := v.dial(t, narrow())
		wg.Go(func() {
			since := time.Now()
			stream, err := c.DoGet(context.Background(), &flight.Ticket{Ticket: tkt})
			for i := 0; i < 200 && err == nil; i++ {
				_, err = stream.Recv()
			}
			answers.add(err, since)
			c.Close()
		})
	}
	wg.Wait()
	t.Logf("answers: %v", &answers)
	answers.only(t, codes.OK, codes.ResourceExhausted)
	if answers.count(codes.OK) == 0 {
		t.Error("nobody was served")
	}
	v.await(t, "streams", func(r report) bool { return r.Now.Streams == 0 && r.Now.Memory == 0 })
	v.figures(t, Stats{Connections: 101, Streams: 100, Memory: memory}, 3*memory)
}

// 50 clients that have stopped reading lose their streams, and do not keep the memory of others.
func TestAttackStalled(t *testing.T) {
	const memory = 64 << 20
	v := attacked(t, setup{Paths: []string{long(t), h5test.Fixture(t, "sample.h5")}, Tokens: []string{"bad", "good"}, Memory: memory, ClientMemory: memory / 2,
		SendTimeout: 2 * time.Second})
	honest := v.dial(t)
	ask := func() (int64, error) {
		return fetch(withToken(context.Background(), "good"), honest, pathOf("sample.h5"))
	}
	if _, err := ask(); err != nil {
		t.Fatal(err)
	}
	var served tally
	for range 50 {
		c := v.dial(t, narrow())
		info, err := c.GetFlightInfo(withToken(context.Background(), "bad"), pathOf("long.h5", "/t"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.DoGet(withToken(context.Background(), "bad"), info.Endpoint[0].Ticket); err != nil { // nobody reads it
			t.Fatal(err)
		}
	}
	v.await(t, "the first streams", func(r report) bool { return r.Max.Streams > 0 && r.Now.Waiting > 0 || r.Max.Streams == 50 })
	for range 5 {
		since := time.Now()
		rows, err := ask()
		served.add(err, since)
		if err != nil || rows != sampleRows {
			t.Errorf("beside stalled clients: %d rows, %v", rows, err)
		}
	}
	took := v.await(t, "stalled streams", func(r report) bool { return r.Now.Streams == 0 && r.Now.Memory == 0 })
	t.Logf("a client that reads: %v; the last of 50 stalled streams ended %v later", &served, took.Round(time.Millisecond))
	v.figures(t, Stats{Connections: 51, Streams: 51, Memory: memory}, 256<<20)
}

// When a token is withdrawn, all its streams end, those that nobody reads too, and its calls and tickets are refused. Streams with
// another token go on.
func TestAttackRevoked(t *testing.T) {
	v := attacked(t, setup{Paths: []string{long(t)}, Tokens: []string{"revoked", "kept"}, Memory: 256 << 20, SendTimeout: 3 * time.Second, BatchRows: 1000})
	revoked, kept := withToken(context.Background(), "revoked"), withToken(context.Background(), "kept")
	tkt := firstTicketOf(t, v.dial(t), "long.h5", revoked)
	var ends tally
	var wg, started sync.WaitGroup
	var withdrawn atomic.Pointer[time.Time]
	gone := make(chan struct{}) // the token
	for range 50 {
		reading := start(t, v.dial(t, narrow()), revoked, tkt)
		started.Add(1)
		wg.Go(func() {
			_, err := reading.Recv()
			started.Done()
			<-gone
			if err == nil {
				err = rest(reading)
			}
			ends.add(err, *withdrawn.Load())
		})
	}
	var others []flight.FlightService_DoGetClient
	for range 10 {
		others = append(others, start(t, v.dial(t, narrow()), kept, tkt))
	}
	for range 50 {
		start(t, v.dial(t, narrow()), revoked, tkt) // is not read
	}
	started.Wait()
	now := time.Now()
	withdrawn.Store(&now)
	v.tell(t, "revoked")
	close(gone)
	for i, stream := range others {
		wg.Go(func() {
			if err := rest(stream); err != nil {
				t.Errorf("stream %d with another token: %v", i, err)
			}
		})
	}
	wg.Wait()
	t.Logf("streams that are read ended after the token was withdrawn: %v", &ends)
	ends.only(t, codes.Unauthenticated, codes.DeadlineExceeded) // the latter on a machine where reading starts late
	took := v.await(t, "stalled streams", func(r report) bool { return r.Now.Streams == 0 && r.Now.Memory == 0 })
	t.Logf("all streams had ended %v later", took.Round(time.Millisecond))
	var refused tally
	c := v.dial(t)
	for range 1000 {
		since := time.Now()
		refused.add(fail(c, revoked, tkt), since)
	}
	t.Logf("calls with the withdrawn token: %v", &refused)
	refused.only(t, codes.Unauthenticated)
	v.figures(t, Stats{Connections: 112, Streams: 110, Memory: 256 << 20}, 512<<20)
}

// firstTicketOf is firstTicket for a table /t and calls that need a context.
func firstTicketOf(t *testing.T, c flight.Client, file string, ctx context.Context) []byte {
	t.Helper()
	info, err := c.GetFlightInfo(ctx, pathOf(file, "/t"))
	if err != nil {
		t.Fatal(err)
	}
	return info.Endpoint[0].Ticket.Ticket
}
