// Package apart runs SQL statements of strangers in processes of their own, because nothing bounds what an engine takes
// inside of one: constant folding, repeat and lists allocate beside its buffers. A Pool starts the processes, which call Serve.
// Each has one statement at a time and a limit for its memory (on Linux, RLIMIT_DATA). If it dies, its client gets an
// error, and another one is started.
//
// # Protocol
//
// A process reads requests on its stdin and writes answers to its stdout, as frames: a byte for the kind, four for the length (little-endian),
// and the payload. It starts with its tables. A request is answered by data, which are an Arrow IPC stream, and an end, which
// has the error if there is one. A cancellation may follow a request; its end is still written.
package apart

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// The kinds of frames.
const (
	frameTables  = 't' // of the process: tableList as JSON
	frameRequest = 'r' // to the process: request as JSON
	frameCancel  = 'c' // to the process: nothing
	frameData    = 'd' // of the process: part of a stream
	frameEnd     = 'e' // of the process: failure as JSON, or nothing
)

// maxFrame bounds a frame; streams are cut into pieces.
const (
	maxFrame = 64 << 20
	piece    = 256 << 10
)

func writeFrame(w io.Writer, kind byte, payload []byte) error {
	if len(payload) > maxFrame {
		return h5err.New(h5err.Limit, "a message of %d bytes to a process, the limit is %d", len(payload), maxFrame)
	}
	b := make([]byte, 0, 5+len(payload))
	b = binary.LittleEndian.AppendUint32(append(b, kind), uint32(len(payload)))
	_, err := w.Write(append(b, payload...))
	return err
}

func readFrame(r io.Reader) (kind byte, payload []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.LittleEndian.Uint32(head[1:])
	if n > maxFrame {
		return 0, nil, h5err.New(h5err.Limit, "a message of %d bytes from a process, the limit is %d", n, maxFrame)
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(r, payload)
	return head[0], payload, err
}

func writeJSON(w io.Writer, kind byte, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeFrame(w, kind, b)
}

// request is a statement to be run, or only described.
type request struct {
	Statement string
	Values    []byte // an IPC stream of one record of one row; nil: no values
	Describe  bool
}

// tableList has the tables of a process.
type tableList struct {
	Tables []listed
	Notes  []string
	Err    *failure
}

type listed struct {
	Names  []string
	Schema []byte // as an IPC stream without records
}

// failure is an error on its way to another process.
type failure struct {
	Kind         h5err.Kind
	File, Object string
	Offset       int64
	Msg, Hint    string
	Advice       []h5err.Advice
	Rule         h5err.Rule
}

func failureOf(err error) *failure {
	if err == nil {
		return nil
	}
	e := h5err.In(err, "", "").(*h5err.Error)
	f := &failure{e.Kind, e.File, e.Object, e.Offset, e.Msg, e.Hint, e.Advice, e.Rule}
	if e.Err != nil {
		cause := e.Err.Error()
		if inner, ok := errors.AsType[*h5err.Error](e.Err); ok {
			cause = inner.Error()
		}
		if f.Msg != "" {
			f.Msg += ": "
		}
		f.Msg += cause
	}
	return f
}

func (f *failure) error() error {
	if f == nil {
		return nil
	}
	return &h5err.Error{Kind: f.Kind, File: f.File, Object: f.Object, Offset: f.Offset, Msg: f.Msg, Hint: f.Hint, Advice: f.Advice, Rule: f.Rule}
}

// pieces writes a stream as frames of data.
type pieces struct{ w io.Writer }

func (p pieces) Write(b []byte) (int, error) {
	n := 0
	for len(b) > 0 {
		k := min(len(b), piece)
		if err := writeFrame(p.w, frameData, b[:k]); err != nil {
			return n, err
		}
		n, b = n+k, b[k:]
	}
	return n, nil
}
