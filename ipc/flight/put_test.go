package flight

import (
	"bytes"
	"context"
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

// kept is a Put that keeps what it was given.
type kept struct {
	file, table string
	rows        int64
	err         error
}

func (k *kept) put(_ context.Context, file, table string, rows array.RecordReader) error {
	k.file, k.table, k.rows = file, table, 0
	for rows.Next() {
		k.rows += rows.RecordBatch().NumRows()
	}
	k.err = rows.Err()
	return k.err
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
	if err != nil || string(reply) != `{"rows":30}` || k.file != "new.h5" || k.table != "/x" || k.rows != 30 {
		t.Errorf("%s, %v: %+v", reply, err, k)
	}
	if reply, err = give(t, c, ctx, sent(t, commandOf(`{"file": "../up.h5"}`), 1)...); err != nil || k.file != "../up.h5" { // names are the callback's matter
		t.Errorf("%s, %v: %+v", reply, err, k)
	}
	*k = kept{}
	_, err = give(t, c, ctx, sent(t, commandOf(`{"file": "x.h5", "rows": "0:5"}`), 1)...)
	needCode(t, "a selection", err, codes.InvalidArgument, "a file and a table only")
	_, err = give(t, c, ctx, sent(t, nil, 1)...)
	needCode(t, "no descriptor", err, codes.InvalidArgument, "neither a path nor a command")
	_, err = give(t, c, ctx)
	if err == nil || k.file != "" {
		t.Errorf("no message: %v, %+v", err, k)
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
		if _, err := give(t, c, context.Background(), m...); err == nil && k.err != nil {
			t.Errorf("byte %d: no error, where the reader had %v", i, k.err)
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
		if k.err == nil {
			t.Error("the callback saw the end of a table")
		}
		k.err = nil
	}
	p.idle(t)
}
