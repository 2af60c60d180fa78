package flight

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	arrowipc "github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"

	"github.com/h5arrow/h5arrow/ipc/flight/catalog"
)

// batch is a record batch of one column of numbers.
func batch(values ...int64) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, numbers)
	defer b.Release()
	b.Field(0).(*array.Int64Builder).AppendValues(values, nil)
	return b.NewRecordBatch()
}

// A prepared statement takes values for its parameters, again and again, and several sets of them at a time.
func TestSQLValues(t *testing.T) {
	leaks(t)
	cl := serveSQL(t).sqlClient(t)
	ctx := context.Background()
	prepared, err := cl.Prepare(ctx, "count ?")
	if err != nil {
		t.Fatal(err)
	}
	if !prepared.ParameterSchema().Equal(numbers) || !prepared.DatasetSchema().Equal(numbers) {
		t.Errorf("%s of %s", prepared.DatasetSchema(), prepared.ParameterSchema())
	}
	_, err = prepared.Execute(ctx)
	needCode(t, "no values", err, codes.InvalidArgument, "1 parameters, and no values")
	_, err = cl.Execute(ctx, "count ?")
	needCode(t, "no values for a statement", err, codes.InvalidArgument, "1 parameters, and no values")
	for _, c := range []struct {
		values []int64
		want   string
	}{{[]int64{3}, "0 1 2"}, {[]int64{1}, "0"}, {[]int64{0}, ""}, {[]int64{2, 0, 3}, "0 1 0 1 2"}} {
		rec := batch(c.values...)
		prepared.SetParameters(rec) // which it releases
		info, err := prepared.Execute(ctx)
		if got := strings.Join(lines(t, cl, info, err), " "); got != c.want {
			t.Errorf("%v: %s, want %s", c.values, got, c.want)
		}
		rec.Release()
	}
	for what, c := range map[string]struct {
		rec  arrow.RecordBatch
		code codes.Code
		text string
	}{
		"too many rows":  {batch(make([]int64, maxValueRows+1)...), codes.ResourceExhausted, "more than 1000 rows"},
		"too many bytes": {batch(make([]int64, maxValueBytes/8)...), codes.ResourceExhausted, "more than 524288 bytes"},
	} {
		prepared.SetParameters(c.rec)
		_, err := prepared.Execute(ctx)
		needCode(t, what, err, c.code, c.text)
		c.rec.Release()
	}
	if err := prepared.Close(ctx); err != nil {
		t.Error(err)
	}
}

// encapsulated is a batch as a stream of messages.
func encapsulated(t testing.TB, rec arrow.RecordBatch, o ...arrowipc.Option) []byte {
	t.Helper()
	var b bytes.Buffer
	w := arrowipc.NewWriter(&b, append(o, arrowipc.WithSchema(rec.Schema()))...)
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Values without a row are none, and compressed ones are not larger than they may be.
func TestTicketValues(t *testing.T) {
	leaks(t)
	none, zeros := batch(), batch(make([]int64, maxValueBytes/8+1)...)
	defer none.Release()
	defer zeros.Release()
	_, err := (&ticket{Values: encapsulated(t, none)}).values()
	needCode(t, "no row", err, codes.InvalidArgument, "no row of values")
	small := encapsulated(t, zeros, arrowipc.WithZstd())
	if len(small) > 1<<12 {
		t.Fatalf("%d bytes", len(small))
	}
	_, err = (&ticket{Values: small}).values()
	if err == nil || !strings.Contains(err.Error(), "values of parameters") {
		t.Errorf("large values in %d bytes: %v", len(small), err)
	}
}

// putting is a stream of values for a handle, made by hand.
func putting(t *testing.T, c flight.Client, command proto.Message, messages ...*flight.FlightData) ([]byte, error) {
	t.Helper()
	stream, err := c.DoPut(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var cmd anypb.Any
	if err := cmd.MarshalFrom(command); err != nil {
		t.Fatal(err)
	}
	messages[0].FlightDescriptor = commandOf(string(must(proto.Marshal(&cmd))))
	for _, m := range messages {
		if stream.Send(m) != nil {
			break // the answer says why
		}
	}
	_ = stream.CloseSend() // the same
	reply, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	var result pb.DoPutPreparedStatementResult
	return result.PreparedStatementHandle, proto.Unmarshal(reply.AppMetadata, &result)
}

// What is not values for a handle of this server is refused, whatever it claims.
func TestSQLValuesRefused(t *testing.T) {
	leaks(t)
	p := serveSQL(t)
	cl, c := p.sqlClient(t), p.dial(t)
	prepared, err := cl.Prepare(context.Background(), "count ?")
	if err != nil {
		t.Fatal(err)
	}
	query := &pb.CommandPreparedStatementQuery{PreparedStatementHandle: prepared.Handle()}
	empty := func() *flight.FlightData { return &flight.FlightData{} }
	_, err = putting(t, c, query, empty())
	needCode(t, "no messages", err, codes.InvalidArgument, "values of parameters")
	_, err = putting(t, c, query, &flight.FlightData{DataHeader: []byte("not a message"), DataBody: make([]byte, 100)})
	needCode(t, "no Arrow data", err, codes.InvalidArgument, "values of parameters")
	_, err = putting(t, c, query, &flight.FlightData{DataHeader: make([]byte, 8), DataBody: make([]byte, maxValueBytes)})
	needCode(t, "too much", err, codes.ResourceExhausted, "more than")
	_, err = putting(t, c, &pb.CommandPreparedStatementQuery{PreparedStatementHandle: []byte("made up")}, empty())
	needCode(t, "a handle that was made up", err, codes.InvalidArgument, "not a ticket")
	_, err = putting(t, c, &pb.CommandStatementUpdate{Query: "insert"}, empty())
	needCode(t, "an update", err, codes.Unimplemented, "read only")
	altered := bytes.Clone(prepared.Handle())
	altered[len(altered)-1]++
	_, err = putting(t, c, &pb.CommandPreparedStatementQuery{PreparedStatementHandle: altered}, empty())
	needCode(t, "an altered handle", err, codes.PermissionDenied, "altered")
	stream, err := c.DoPut(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&flight.FlightData{FlightDescriptor: pathOf("sample.h5")}); err != nil {
		t.Fatal(err)
	}
	_, err = stream.Recv()
	needCode(t, "a path", err, codes.Unimplemented, "read only")
}

// Values that a client sends never end in a panic, and take memory within their bound.
func FuzzValues(f *testing.F) {
	for _, rec := range []arrow.RecordBatch{batch(1), batch(), batch(1, 2, 3)} {
		for _, o := range [][]arrowipc.Option{nil, {arrowipc.WithLZ4()}} {
			f.Add(encapsulated(f, rec, o...))
		}
		rec.Release()
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > maxValueBytes {
			return
		}
		rows, err := (&ticket{SQL: "x", Values: b}).values()
		if err != nil {
			if c := status.Code((&Server{catalog: &catalog.Catalog{}}).statusOf(err)); rows != nil || c != codes.InvalidArgument && c != codes.ResourceExhausted {
				t.Errorf("%d rows, %v", len(rows), err)
			}
			return
		}
		if len(rows) == 0 && b != nil || len(rows) > maxValueRows {
			t.Errorf("%d rows", len(rows))
		}
		for i := range rows {
			if rows.row(i).NumRows() != 1 {
				t.Error(rows.row(i))
			}
		}
		rows.release()
	})
}
