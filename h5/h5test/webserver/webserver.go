// Package webserver is a web server for tests: it serves objects by ranges, counts what it sends, and fails on request.
package webserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Fault is what goes wrong with an answer.
type Fault int

// The faults.
const (
	None           Fault = iota
	Unavailable          // 503
	Cut                  // half of the body, and no more
	Stall                // half of the body, and then nothing
	WrongRange           // other bytes than were asked for, under their own range
	LyingRange           // the right Content-Range, and a body that is longer
	Ignore               // the range is ignored: 200 and everything
	CutWhole             // the range is ignored: 200 and half of everything
	EndlessHeaders       // headers without an end
	Reset                // the connection is closed without an answer
)

// Request is what the server was asked.
type Request struct {
	Path   string
	Off, N int64
	Header http.Header
}

// Server is a server of objects, by their paths. Its fields must not be changed while it is used; its methods may be called.
type Server struct {
	*httptest.Server
	NoTags  bool          // sends no entity tags, only times of modification
	Deaf    bool          // ignores If-Match and If-Unmodified-Since
	Latency time.Duration // of each answer

	mu       sync.Mutex
	objects  map[string]object
	requests []Request
	bytes    int64
	faults   func(n int, r Request) Fault
	stop     chan struct{}
}

type object struct {
	data     []byte
	version  int
	modified time.Time
}

// New starts a server that is stopped when the test ends.
func New(t testing.TB) *Server {
	s := &Server{objects: map[string]object{}, stop: make(chan struct{})}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.shut)
	return s
}

func (s *Server) shut() {
	close(s.stop)
	s.CloseClientConnections()
	s.Close()
}

// Put sets the bytes of an object, and returns its URL.
func (s *Server) Put(path string, data []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.objects[path].version + 1
	s.objects[path] = object{data, v, time.Date(2024, 1, 1, 0, 0, v, 0, time.UTC)}
	return s.URL + path
}

// Requests returns what was asked since the last Reset.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Bytes returns the number of bytes of bodies that were sent since the last Reset.
func (s *Server) Bytes() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// Reset sets the counts to zero.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests, s.bytes = nil, 0
}

// Break has faults answer the requests from now on, each with its number. With nil there are none.
func (s *Server) Break(faults func(n int, r Request) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = faults
}

// Cancels makes a call that the server does not answer, cancels its context, and checks that it then ends with context.Canceled.
func (s *Server) Cancels(t testing.TB, what string, call func(context.Context) error) {
	t.Helper()
	stalled := make(chan struct{}, 100)
	s.Break(func(int, Request) Fault { stalled <- struct{}{}; return Stall })
	defer s.Break(nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		select {
		case <-stalled:
			cancel()
		case <-ctx.Done(): // it ended without a request
		}
	}()
	done := make(chan error, 1)
	go func() { done <- call(ctx) }()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", what, err)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("%s goes on", what)
	}
}

func (s *Server) fault(n int, r Request) Fault {
	s.mu.Lock()
	faults := s.faults
	s.mu.Unlock()
	if faults == nil {
		return None
	}
	return faults(n, r)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r := Request{Path: req.URL.Path, Header: req.Header.Clone()}
	s.mu.Lock()
	o, ok := s.objects[req.URL.Path]
	size := int64(len(o.data))
	ranged := parse(req.Header.Get("Range"), size, &r)
	s.requests = append(s.requests, r)
	n := len(s.requests)
	s.mu.Unlock()
	fault := s.fault(n, r)
	time.Sleep(s.Latency)
	if !ok {
		http.Error(w, "no such object", http.StatusNotFound)
		return
	}
	tag := `"` + strconv.Itoa(o.version) + `"`
	modified := o.modified.Format(http.TimeFormat)
	if !s.NoTags {
		w.Header().Set("ETag", tag)
	}
	w.Header().Set("Last-Modified", modified)
	if m := req.Header.Get("If-Match"); !s.Deaf && m != "" && m != tag {
		w.WriteHeader(http.StatusPreconditionFailed)
		return
	}
	if m := req.Header.Get("If-Unmodified-Since"); !s.Deaf && m != "" && m != modified {
		w.WriteHeader(http.StatusPreconditionFailed)
		return
	}
	if s.broken(w, fault) {
		return
	}
	switch {
	case fault == CutWhole:
		s.send(w, o.data, http.StatusOK, Cut)
	case !ranged || fault == Ignore:
		s.send(w, o.data, http.StatusOK, None)
	case r.Off >= size:
		w.Header().Set("Content-Range", fmt.Sprintf("bytes */%d", size))
		w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
	default:
		off := r.Off
		if fault == WrongRange && r.Off+r.N < size {
			off++
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", off, off+r.N-1, size))
		s.send(w, o.data[off:off+r.N], http.StatusPartialContent, fault)
	}
}

// parse reads a header Range of one range, whose end it clips.
func parse(header string, size int64, r *Request) bool {
	spec, ok := strings.CutPrefix(header, "bytes=")
	a, b, ok2 := strings.Cut(spec, "-")
	first, err := strconv.ParseInt(a, 10, 64)
	last, err2 := strconv.ParseInt(b, 10, 64)
	if !ok || !ok2 || err != nil || err2 != nil {
		return false
	}
	r.Off, r.N = first, max(min(last+1, size)-first, 0)
	return true
}

// broken answers where there is no sound header.
func (s *Server) broken(w http.ResponseWriter, fault Fault) bool {
	switch fault {
	case Unavailable:
		http.Error(w, "busy", http.StatusServiceUnavailable)
	case Reset:
		panic(http.ErrAbortHandler)
	case EndlessHeaders:
		conn, out, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return true
		}
		defer conn.Close()
		fmt.Fprint(out, "HTTP/1.1 206 Partial Content\r\n")
		for i := 0; err == nil; i++ {
			_, err = fmt.Fprintf(out, "X-Header-%d: %s\r\n", i, strings.Repeat("x", 1000))
		}
	default:
		return false
	}
	return true
}

func (s *Server) send(w http.ResponseWriter, p []byte, status int, fault Fault) {
	if fault == LyingRange {
		p = append(append([]byte(nil), p...), make([]byte, 1<<20)...)
	} else {
		w.Header().Set("Content-Length", strconv.Itoa(len(p)))
	}
	w.WriteHeader(status)
	if fault == Cut || fault == Stall {
		p = p[:len(p)/2]
	}
	s.mu.Lock() // before the client can have them
	s.bytes += int64(len(p))
	s.mu.Unlock()
	_, err := w.Write(p)
	switch {
	case fault == Cut || err != nil:
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case fault == Stall:
		http.NewResponseController(w).Flush()
		<-s.stop
	}
}
