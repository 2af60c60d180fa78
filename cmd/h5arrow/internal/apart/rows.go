package apart

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// rows is the result of a statement. Its last release ends the statement.
type rows struct {
	*ipc.Reader
	a    *asked
	refs atomic.Int64
	done bool
	err  error
}

// Next implements array.RecordReader.
func (r *rows) Next() bool {
	if r.done {
		return false
	}
	if r.Reader.Next() {
		return true
	}
	r.done = true
	if err := r.Reader.Err(); err != nil && err != io.EOF {
		r.err = r.a.error(err)
		return false
	}
	_, err := io.Copy(io.Discard, r.a) // what follows the stream is its end
	if err != nil {
		r.err = r.a.error(err)
	}
	return false
}

// Err implements array.RecordReader.
func (r *rows) Err() error { return r.err }

// Retain implements array.RecordReader.
func (r *rows) Retain() { r.refs.Add(1) }

// Release implements array.RecordReader.
func (r *rows) Release() {
	if r.refs.Add(-1) == 0 {
		r.Reader.Release()
		r.a.close()
	}
}

// tail keeps the start of what a process writes to its stderr.
type tail struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.b.Len() < 4096 {
		t.b.Write(p[:min(len(p), 4096-t.b.Len())])
	}
	return len(p), nil
}

// first returns the first line.
func (t *tail) first() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	line, _, _ := strings.Cut(t.b.String(), "\n")
	return line
}
