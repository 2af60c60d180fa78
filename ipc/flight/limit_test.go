package flight

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/h5arrow/h5arrow/h5/h5test"
)

// Streams beyond the limits are refused, and there is room again when others have ended.
func TestStreamLimits(t *testing.T) {
	leaks(t)
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithMaxStreams(3), WithClientStreams(2), WithBatchRows(100))
	c := p.dial(t, narrow())
	tkt := firstTicket(t, c, pathOf("sample.h5"))
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	start(t, c, ctx, tkt)
	start(t, c, ctx, tkt)
	needCode(t, "a third stream", fail(c, context.Background(), tkt), codes.ResourceExhausted, "all 2 streams of a client are in use")
	if s := p.Stats(); s.Streams != 2 || s.Memory == 0 || s.Files != 1 {
		t.Errorf("%+v", s)
	}
	cancel()
	p.idle(t)
	if err := fail(c, context.Background(), tkt); err != nil {
		t.Errorf("when the others have ended: %v", err)
	}
}

// The limiter never gives more than there is, and every client gets its share.
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
	eventually(t, func() bool { _, w := l.now(); return w == 1 })
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

// A client that never reads gets an error when it reads at last, or else loses its connection, and leaves nothing behind.
func TestClientThatNeverReads(t *testing.T) {
	leaks(t)
	for _, patient := range []bool{true, false} {
		p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithSendTimeout(300*time.Millisecond))
		c := p.dial(t, narrow())
		stream := start(t, c, context.Background(), firstTicket(t, c, pathOf("sample.h5")))
		eventually(t, func() bool { return len(p.ended("DoGet")) > 0 })
		if calls := p.ended("DoGet"); len(calls) != 1 || calls[0].Status != "DeadlineExceeded" {
			t.Fatalf("%+v", calls)
		}
		if patient { // it reads after all
			needCode(t, "the stream", rest(stream), codes.DeadlineExceeded, "")
		} else {
			eventually(t, func() bool { return p.Stats().Connections == 0 })
		}
		p.idle(t)
		c.Close()
		p.Close()
	}
}

// Many clients get what they ask for, and of those that vanish nothing stays.
func TestManyClients(t *testing.T) {
	leaks(t)
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithBatchBytes(100<<10), WithMaxMemory(256<<20))
	first := p.dial(t)
	tkt := firstTicket(t, first, pathOf("sample.h5"))
	want := direct(t, openTable(t, h5test.Fixture(t, "sample.h5"), ""))
	defer want.release()
	n := 100
	if testing.Short() {
		n = 20
	}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := readAll(p.address, tkt, want); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
		for _, streamFirst := range []bool{true, false} {
			wg.Go(func() {
				if err := p.vanish(tkt, streamFirst); err != nil {
					t.Errorf("client %d: %v", i, err)
				}
			})
		}
	}
	wg.Wait()
	first.Close()
	eventually(t, func() bool { return p.Stats().Connections == 0 })
	p.idle(t)
	if p.pool.lent != 0 {
		t.Errorf("%d buffers did not come back", p.pool.lent)
	}
}

// readAll reads a flight with a client of its own, and compares it.
func readAll(address string, tkt []byte, want *table) error {
	c, err := flight.NewClientWithMiddleware(address, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer c.Close()
	stream, err := c.DoGet(context.Background(), &flight.Ticket{Ticket: tkt})
	if err != nil {
		return err
	}
	r, err := flight.NewRecordReader(stream)
	if err != nil {
		return err
	}
	defer r.Release()
	rows, at := int64(0), r.Schema().FieldIndices("fare")[0]
	for r.Next() {
		rec := r.RecordBatch()
		if !array.SliceEqual(rec.Column(at), 0, rec.NumRows(), want.columns[at], rows, rows+rec.NumRows()) {
			return fmt.Errorf("another value in rows %d to %d", rows, rows+rec.NumRows())
		}
		rows += rec.NumRows()
	}
	if r.Err() != nil || rows != want.rows {
		return fmt.Errorf("%d rows, %w", rows, r.Err())
	}
	return nil
}

// vanish starts a flight with a client of its own, which then closes its connection without reading: with streamFirst, when
// the server has noticed that the stream was canceled.
func (p *place) vanish(tkt []byte, streamFirst bool) error {
	c, err := flight.NewClientWithMiddleware(p.address, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()), narrow())
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stream, err := c.DoGet(ctx, &flight.Ticket{Ticket: tkt})
	if err != nil {
		return err
	}
	if _, err = stream.Recv(); err != nil {
		return err
	}
	if streamFirst {
		cancel()
		if err := rest(stream); status.Code(err) != codes.Canceled {
			return fmt.Errorf("a canceled stream: %w", err)
		}
	}
	return nil
}
