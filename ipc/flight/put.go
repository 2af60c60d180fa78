package flight

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc"
)

// Put stores the rows of a stream as a table of a file that is to be new. The names come from the client, unchecked; an empty table
// is one whose name the server chooses. Either all rows are stored when it returns nil, or nothing is left of them.
type Put func(ctx context.Context, file, table string, rows array.RecordReader) error

// WithPut takes tables that clients send by DoPut, of at most maxBytes bytes of messages each. Streams of this kind count as
// streams of record batches for all limits; messages have at most 16 MiB, and a client that sends nothing for the send timeout loses its
// stream. By default nothing is taken.
func WithPut(put Put, maxBytes int64) Option {
	return func(o *options) error {
		o.put = put
		return positive(&o.putBytes, maxBytes, "bytes of a table that is sent")
	}
}

// Bounds of the messages of a table that is sent.
const (
	maxPutMessage = 16 << 20
	maxPutBuffer  = 64 << 20 // of a buffer that was compressed
	putMemory     = 3*maxPutMessage + maxPutBuffer
)

var errIdle = status.Error(codes.DeadlineExceeded, "the client did not send for too long")

// take stores a table that a client sends.
func (s *Server) take(stream flight.FlightService_DoPutServer) error {
	ctx := stream.Context()
	c := callOf(ctx)
	g, err := s.limits.stream(c.Client)
	if err != nil {
		return err
	}
	defer g.release()
	if err := g.reserve(ctx, putMemory); err != nil {
		return err
	}
	in := &incoming{stream: stream, c: c, left: s.o.putBytes, timeout: s.o.sendTimeout}
	first, err := in.receive()
	if err != nil {
		return err
	}
	d := first.GetFlightDescriptor()
	if s.isSQL(d) {
		return s.takeValues(first, stream)
	}
	w, err := parseDescriptor(d)
	if err != nil {
		return err
	}
	if w.columns != nil || w.from != 0 || w.to != -1 || w.endpoints != 0 || w.batchRows != 0 {
		return h5err.New(h5err.Argument, "the descriptor of a table that is sent has a file and a table only")
	}
	c.File, c.Table = w.file, w.table
	in.add(first)
	if err := s.store(ctx, w, in); err != nil {
		if e := ctx.Err(); e != nil { // the client is gone, or was cut off
			return e
		}
		return err
	}
	return stream.Send(&flight.PutResult{AppMetadata: fmt.Appendf(nil, `{"rows":%d}`, c.Rows)})
}

// store reads the record batches of a stream.
func (s *Server) store(ctx context.Context, w *wanted, in *incoming) (err error) {
	defer func() {
		if p := recover(); p != nil { // batches that contradict themselves
			err = status.Errorf(codes.InvalidArgument, "the record batches are broken: %v", p)
		}
	}()
	r, err := ipc.NewStreamReader(in, "the stream", ipc.WithMaxMemory(maxPutBuffer))
	if err != nil {
		return in.failure(err)
	}
	defer r.Release()
	if err := s.o.put(ctx, w.file, w.table, &taken{r, in.c}); err != nil {
		return in.failure(err)
	}
	return nil
}

// taken counts the rows of a stream.
type taken struct {
	*ipc.Reader
	c *call
}

// Next moves to the next batch.
func (r *taken) Next() bool {
	if !r.Reader.Next() {
		return false
	}
	r.c.Batches++
	r.c.Rows += r.RecordBatch().NumRows()
	return true
}

// incoming is the messages of a client as a stream of encapsulated messages.
type incoming struct {
	stream  flight.FlightService_DoPutServer
	c       *call
	left    int64 // bytes that may come
	timeout time.Duration

	parts [][]byte // that were received and not read
	err   error    // of receiving
}

// receive returns the next message of the client.
func (in *incoming) receive() (*flight.FlightData, error) {
	if in.c.allowed != nil && !in.c.allowed() {
		return nil, errRevoked
	}
	t := time.AfterFunc(in.timeout, func() { in.c.cut(errIdle) })
	defer t.Stop()
	m, err := in.stream.Recv()
	if err != nil {
		return nil, err
	}
	n := int64(len(m.GetDataHeader()) + len(m.GetDataBody()))
	in.c.Bytes += n
	if in.left -= n; in.left < 0 {
		return nil, status.Error(codes.ResourceExhausted, "the table is larger than the server takes")
	}
	return m, nil
}

// add appends a message in the encapsulated form.
func (in *incoming) add(m *flight.FlightData) {
	head := m.GetDataHeader()
	if len(head) == 0 {
		return
	}
	padded := (len(head) + 7) &^ 7
	prefix := binary.LittleEndian.AppendUint32([]byte{0xff, 0xff, 0xff, 0xff}, uint32(padded))
	in.parts = append(in.parts, prefix, head, make([]byte, padded-len(head)), m.GetDataBody())
}

// Read implements io.Reader.
func (in *incoming) Read(p []byte) (int, error) {
	for len(in.parts) == 0 || len(in.parts[0]) == 0 {
		if len(in.parts) > 0 {
			in.parts = in.parts[1:]
			continue
		}
		if in.err != nil {
			return 0, in.err
		}
		m, err := in.receive()
		if errors.Is(err, io.EOF) {
			in.err = io.EOF
			in.parts = append(in.parts, []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}) // the end of a stream
			continue
		}
		if err != nil {
			in.err = err
			return 0, err
		}
		in.add(m)
	}
	n := copy(p, in.parts[0])
	in.parts[0] = in.parts[0][n:]
	return n, nil
}

// failure returns why the rows of a stream could not be stored: what ended the stream comes first.
func (in *incoming) failure(err error) error {
	if in.err != nil && !errors.Is(in.err, io.EOF) {
		return in.err
	}
	return err
}
