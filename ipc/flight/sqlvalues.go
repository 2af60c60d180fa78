package flight

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc"
)

// Values of parameters are sent by DoPut, as record batches of which each row is a set of values. They become part of the
// prepared statement's handle, so that the server keeps no state.

// Bounds of the values of a statement.
const (
	maxValueBytes = 512 << 10 // of the messages that hold them
	maxValueRows  = 1000
)

// DoPut implements flight.FlightServer: tables, where they are taken, and of Flight SQL's commands that which gives values to the
// parameters of a query.
func (s *Server) DoPut(stream flight.FlightService_DoPutServer) error {
	if s.o.put != nil {
		return s.take(stream)
	}
	if s.sql == nil {
		return s.BaseFlightServer.DoPut(stream)
	}
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	return s.takeValues(first, stream)
}

// takeValues takes the values of a statement's parameters.
func (s *Server) takeValues(first *flight.FlightData, stream flight.FlightService_DoPutServer) error {
	var command anypb.Any
	if err := proto.Unmarshal(first.GetFlightDescriptor().GetCmd(), &command); err != nil {
		return status.Error(codes.InvalidArgument, "the descriptor is not a command of Flight SQL")
	}
	var query pb.CommandPreparedStatementQuery
	if command.UnmarshalTo(&query) != nil {
		return status.Error(codes.Unimplemented, "only values for the parameters of a query are taken: tables are read only")
	}
	t, err := s.statement(query.GetPreparedStatementHandle())
	if err != nil {
		return err
	}
	callOf(stream.Context()).SQL = t.SQL
	if t.Values, err = receive(first, stream); err != nil {
		return err
	}
	rows, err := t.values()
	if err != nil {
		return err
	}
	rows.release()
	handle, err := s.keys.seal(*t, s.keys.expiry())
	if err != nil {
		return err
	}
	reply, err := proto.Marshal(&pb.DoPutPreparedStatementResult{PreparedStatementHandle: handle})
	if err != nil {
		return err
	}
	return stream.Send(&flight.PutResult{AppMetadata: reply})
}

// receive returns the messages of a stream as one of encapsulated messages.
func receive(m *flight.FlightData, stream flight.DataStreamReader) (all []byte, err error) {
	all = []byte{}
	for ; err == nil; m, err = stream.Recv() {
		head, body := m.GetDataHeader(), m.GetDataBody()
		if len(head) == 0 {
			continue
		}
		if len(all)+len(head)+len(body) > maxValueBytes {
			return nil, status.Errorf(codes.ResourceExhausted, "the values of parameters take more than %d bytes", maxValueBytes)
		}
		padded := (len(head) + 7) &^ 7
		all = binary.LittleEndian.AppendUint32(all, 0xffffffff)
		all = binary.LittleEndian.AppendUint32(all, uint32(padded))
		all = append(append(all, head...), make([]byte, padded-len(head))...)
		all = append(all, body...)
	}
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return all, nil
}

// values are the record batches of a statement's values.
type values []arrow.RecordBatch

// values reads the values of a statement.
func (t *ticket) values() (rows values, err error) {
	if t.Values == nil {
		return nil, nil
	}
	defer func() {
		if p := recover(); p != nil { // batches that contradict themselves
			err = status.Errorf(codes.InvalidArgument, "the values of the parameters are broken: %v", p)
		}
		if err != nil {
			rows.release()
			rows = nil
		}
	}()
	r, err := ipc.NewReader(bytes.NewReader(t.Values), int64(len(t.Values)), "the values of the parameters", ipc.WithMaxMemory(maxValueBytes))
	if err != nil {
		return nil, argument(err)
	}
	defer r.Release()
	n := int64(0)
	for r.Next() {
		rec := r.RecordBatch()
		if n += rec.NumRows(); n > maxValueRows {
			return rows, status.Errorf(codes.ResourceExhausted, "values in more than %d rows", maxValueRows)
		}
		for i := range rec.NumRows() {
			rows = append(rows, rec.NewSlice(i, i+1))
		}
	}
	if err := r.Err(); err != nil {
		return rows, argument(err)
	}
	if n == 0 {
		return rows, status.Error(codes.InvalidArgument, "the parameters are given no row of values")
	}
	return rows, nil
}

// argument makes an error about a client's bytes one of its argument.
func argument(err error) error {
	return h5err.Wrap(h5err.Argument, err, "values of parameters")
}

// row is a set of values, nil where there are none.
func (v values) row(i int) arrow.RecordBatch {
	if len(v) == 0 {
		return nil
	}
	return v[i]
}

func (v values) release() {
	for _, rec := range v {
		rec.Release()
	}
}

// answer runs a statement, once for each set of values.
func (s *Server) answer(ctx context.Context, t *ticket) (array.RecordReader, error) {
	rows, err := t.values()
	if err != nil {
		return nil, err
	}
	first, err := s.o.sql.Query(ctx, t.SQL, rows.row(0))
	if err != nil || len(rows) < 2 {
		rows.release()
		return first, err
	}
	return &answers{RecordReader: first, rows: rows, next: func(rec arrow.RecordBatch) (array.RecordReader, error) {
		return s.o.sql.Query(ctx, t.SQL, rec)
	}}, nil
}

// answers are the results of a statement with several sets of values, one after the other.
type answers struct {
	array.RecordReader // the current one
	rows               values
	at                 int
	next               func(arrow.RecordBatch) (array.RecordReader, error)
	err                error
}

// Next implements array.RecordReader.
func (a *answers) Next() bool {
	for a.err == nil {
		if a.RecordReader.Next() {
			return true
		}
		if a.err = a.RecordReader.Err(); a.err != nil || a.at+1 == len(a.rows) {
			return false
		}
		a.at++
		r, err := a.next(a.rows[a.at])
		if err != nil {
			a.err = err
			return false
		}
		if !r.Schema().Equal(a.Schema()) {
			r.Release()
			a.err = h5err.New(h5err.Argument, "row %d of the values gives a result of another schema than the first", a.at+1)
			return false
		}
		a.RecordReader.Release()
		a.RecordReader = r
	}
	return false
}

// Err implements array.RecordReader.
func (a *answers) Err() error { return a.err }

// Release implements array.RecordReader.
func (a *answers) Release() {
	a.RecordReader.Release()
	a.rows.release()
}
