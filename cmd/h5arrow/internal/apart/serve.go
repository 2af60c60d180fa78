package apart

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/ipc/flight"
)

// Offer is what a process answers statements about. Notes are lines that the server says when it starts.
type Offer struct {
	SQL    flight.SQL
	Tables []flight.SQLTable
	Notes  []string
}

// Serve answers the requests of a Pool, which started this process, until in ends; then it ends the process. Memory is how many
// bytes the process may use from now on, beside what it has. An err is why there is nothing to serve.
func Serve(in io.Reader, out io.Writer, o Offer, memory int64, err error) error {
	list := tableList{Notes: o.Notes, Err: failureOf(err)}
	for _, t := range o.Tables {
		b, err := encode(t.Schema, nil)
		if err != nil {
			return err
		}
		list.Tables = append(list.Tables, listed{t.Names, b})
	}
	if err := writeJSON(out, frameTables, list); err != nil || list.Err != nil {
		return err
	}
	if err := limitData(memory); err != nil {
		return err
	}
	requests, cancel := make(chan request), make(chan struct{}, 1)
	go receive(in, requests, cancel)
	for r := range requests {
		if err := answer(out, o.SQL, r, cancel); err != nil {
			return err
		}
	}
	return nil
}

// receive passes on what the pool sends. When the pool is gone, so is this process, whatever the engine is doing.
func receive(in io.Reader, requests chan<- request, cancel chan struct{}) {
	r := bufio.NewReader(in)
	for {
		kind, payload, err := readFrame(r)
		if err != nil {
			os.Exit(0)
		}
		switch kind {
		case frameCancel:
			select {
			case cancel <- struct{}{}:
			default:
			}
		case frameRequest:
			var q request
			if json.Unmarshal(payload, &q) != nil {
				os.Exit(1)
			}
			select {
			case <-cancel: // of an earlier request, which had ended
			default:
			}
			requests <- q
		}
	}
}

// answer runs one request. It returns only errors of the output.
func answer(out io.Writer, sql flight.SQL, r request, cancel <-chan struct{}) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		select {
		case <-cancel:
			stop()
		case <-ctx.Done():
		}
	}()
	w := bufio.NewWriterSize(pieces{out}, piece)
	err := run(ctx, w, sql, r)
	if e := w.Flush(); e != nil {
		return e
	}
	if err == nil {
		return writeFrame(out, frameEnd, nil)
	}
	return writeJSON(out, frameEnd, failureOf(err))
}

func run(ctx context.Context, w io.Writer, sql flight.SQL, r request) error {
	var values arrow.RecordBatch
	if r.Values != nil {
		var err error
		if values, err = decodeRow(r.Values); err != nil {
			return err
		}
		defer values.Release()
	}
	if r.Describe {
		result, parameters, err := sql.Schema(ctx, r.Statement, values)
		if err != nil {
			return err
		}
		for _, s := range []*arrow.Schema{result, parameters} {
			if err := ipc.NewWriter(w, ipc.WithSchema(s)).Close(); err != nil {
				return h5err.Wrap(h5err.Unsupported, err, "the schema as an Arrow stream")
			}
		}
		return nil
	}
	rows, err := sql.Query(ctx, r.Statement, values)
	if err != nil {
		return err
	}
	defer rows.Release()
	return send(w, rows)
}

// send writes rows as a stream.
func send(w io.Writer, rows array.RecordReader) error {
	out := ipc.NewWriter(w, ipc.WithSchema(rows.Schema()))
	for rows.Next() {
		if err := out.Write(rows.RecordBatch()); err != nil {
			return h5err.Wrap(h5err.Unsupported, err, "the result as an Arrow stream")
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return h5err.Wrap(h5err.Unsupported, err, "the result as an Arrow stream")
	}
	return nil
}

// encode returns a stream of a schema and a record, if there is one.
func encode(s *arrow.Schema, rec arrow.RecordBatch) ([]byte, error) {
	var b bytes.Buffer
	w := ipc.NewWriter(&b, ipc.WithSchema(s))
	if rec != nil {
		if err := w.Write(rec); err != nil {
			return nil, h5err.Wrap(h5err.Unsupported, err, "values as an Arrow stream")
		}
	}
	if err := w.Close(); err != nil {
		return nil, h5err.Wrap(h5err.Unsupported, err, "a schema as an Arrow stream")
	}
	return b.Bytes(), nil
}

// decodeRow returns the record of a stream that encode made. The caller releases it.
func decodeRow(b []byte) (arrow.RecordBatch, error) {
	r, err := ipc.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, h5err.Wrap(h5err.Argument, err, "values of parameters")
	}
	defer r.Release()
	if !r.Next() {
		return nil, h5err.Wrap(h5err.Argument, r.Err(), "values of parameters")
	}
	rec := r.RecordBatch()
	rec.Retain()
	return rec, nil
}
