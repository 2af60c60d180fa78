package flight

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/h5arrow/h5arrow/h5/h5test"
)

// kept is a Put that keeps what it was given last.
type kept struct {
	mu   sync.Mutex
	last given
}

type given struct {
	file, table string
	rows        int64
	err         error
}

func (k *kept) put(_ context.Context, file, table string, rows array.RecordReader) error {
	g := given{file: file, table: table}
	for rows.Next() {
		g.rows += rows.RecordBatch().NumRows()
	}
	g.err = rows.Err()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last = g
	return g.err
}

// take returns what was given last, and forgets it.
func (k *kept) take() given {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer func() { k.last = given{} }()
	return k.last
}

// sent returns the messages of n batches of 10 rows.
func sent(t *testing.T, d *flight.FlightDescriptor, n int) []*flight.FlightData {
	t.Helper()
	var all recorder
	s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int32}}, nil)
	w := flight.NewRecordWriter(&all, ipc.WithSchema(s))
	w.SetFlightDescriptor(d)
	b := array.NewInt32Builder(memory.DefaultAllocator)
	for range n {
		b.AppendValues(make([]int32, 10), nil)
		if err := w.Write(array.NewRecordBatch(s, []arrow.Array{b.NewArray()}, 10)); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

type recorder []*flight.FlightData

// Send keeps a copy of a message.
func (r *recorder) Send(m *flight.FlightData) error {
	*r = append(*r, &flight.FlightData{FlightDescriptor: m.FlightDescriptor, DataHeader: bytes.Clone(m.DataHeader), DataBody: bytes.Clone(m.DataBody)})
	return nil
}

// give sends messages, and returns the answer.
func give(t *testing.T, c flight.Client, ctx context.Context, messages ...*flight.FlightData) ([]byte, error) {
	t.Helper()
	stream, err := c.DoPut(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		if stream.Send(m) != nil {
			break // the answer says why
		}
	}
	_ = stream.CloseSend() // the same
	reply, err := stream.Recv()
	return reply.GetAppMetadata(), err
}

func TestPut(t *testing.T) {
	leaks(t)
	k := &kept{}
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithPut(k.put, 1<<20))
	c := p.dial(t)
	ctx := context.Background()
	reply, err := give(t, c, ctx, sent(t, pathOf("new.h5", "/x"), 3)...)
	if g := k.take(); err != nil || string(reply) != `{"rows":30}` || g != (given{"new.h5", "/x", 30, nil}) {
		t.Errorf("%s, %v: %+v", reply, err, g)
	}
	reply, err = give(t, c, ctx, sent(t, commandOf(`{"file": "../up.h5"}`), 1)...) // names are the callback's matter
	if g := k.take(); err != nil || g.file != "../up.h5" {
		t.Errorf("%s, %v: %+v", reply, err, g)
	}
	_, err = give(t, c, ctx, sent(t, commandOf(`{"file": "x.h5", "rows": "0:5"}`), 1)...)
	needCode(t, "a selection", err, codes.InvalidArgument, "a file and a table only")
	_, err = give(t, c, ctx, sent(t, nil, 1)...)
	needCode(t, "no descriptor", err, codes.InvalidArgument, "neither a path nor a command")
	_, err = give(t, c, ctx)
	if g := k.take(); err == nil || g.file != "" {
		t.Errorf("no message: %v, %+v", err, g)
	}
	large := sent(t, pathOf("x.h5"), 1)
	large[1].DataBody = make([]byte, 2<<20)
	_, err = give(t, c, ctx, large...)
	needCode(t, "a large table", err, codes.ResourceExhausted, "larger than the server takes")
	large[1].DataBody = make([]byte, maxPutMessage)
	_, err = give(t, c, ctx, large...)
	needCode(t, "a large message", err, codes.ResourceExhausted, "larger than max")
	p.idle(t)
}

// TestPutBroken has messages that are cut, or whose bytes are changed: the callback never sees their end as that of a table.
func TestPutBroken(t *testing.T) {
	k := &kept{}
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithPut(k.put, 1<<20))
	c := p.dial(t)
	for i := range sent(t, nil, 2)[1].DataHeader {
		m := sent(t, pathOf("x.h5"), 2)
		m[1].DataHeader[i] ^= 0xff
		_, err := give(t, c, context.Background(), m...)
		if g := k.take(); err == nil && (g.err != nil || g.file == "") {
			t.Errorf("byte %d: no error, where the callback had %+v", i, g)
		}
	}
	m := sent(t, pathOf("x.h5"), 2)
	m[1].DataBody = m[1].DataBody[:8]
	if reply, err := give(t, c, context.Background(), m...); err == nil {
		t.Errorf("a short body: %s", reply)
	}
	if _, err := give(t, c, context.Background(), sent(t, pathOf("x.h5"), 1)...); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	p.idle(t)
}

// TestPutLate has clients that stop sending, lose their token, or find all streams in use.
func TestPutLate(t *testing.T) {
	leaks(t)
	k := &kept{}
	var withdrawn atomic.Bool
	p := serve(t, []string{h5test.Fixture(t, "sample.h5")}, WithPut(k.put, 1<<20), WithSendTimeout(300*time.Millisecond), WithMaxStreams(1),
		WithTokenCheck(func(token string) bool { return token == "good" && !withdrawn.Load() }))
	c := p.dial(t)
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer good")
	_, err := give(t, c, metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer bad"), sent(t, pathOf("x.h5"), 1)...)
	needCode(t, "a wrong token", err, codes.Unauthenticated, "")
	messages := sent(t, pathOf("x.h5"), 2)
	for _, want := range []codes.Code{codes.DeadlineExceeded, codes.Unauthenticated} {
		stream, err := c.DoPut(ctx)
		if err == nil {
			err = stream.Send(messages[0])
		}
		if err == nil {
			err = stream.Send(messages[1])
		}
		if err != nil {
			t.Fatal(err)
		}
		if want == codes.Unauthenticated {
			eventually(t, func() bool { return p.Stats().Streams == 1 })
			withdrawn.Store(true)
			_ = stream.Send(messages[1]) // the answer says why it fails
			_ = stream.Send(messages[1])
		}
		_, err = stream.Recv()
		needCode(t, "late", err, want, "")
		if g := k.take(); g.file != "" && g.err == nil {
			t.Error("the callback saw the end of a table")
		}
	}
	p.idle(t)
}
