package remote_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test/webserver"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/source/remote"
)

// content returns n bytes of which each range differs from its neighbors.
func content(n int) []byte {
	rng := rand.New(rand.NewPCG(3, uint64(n)))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(rng.Uint32())
	}
	return p
}

// quick are options that do not wait long.
func quick(opts ...remote.Option) []remote.Option {
	return append([]remote.Option{remote.WithPauses(time.Millisecond, time.Second), remote.WithOpening(256 << 10)}, opts...)
}

func open(t *testing.T, url string, opts ...remote.Option) *source.Source {
	t.Helper()
	s, err := remote.Open(t.Context(), url, quick(opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Release)
	return s
}

// readSome reads ranges of all sizes, as data and as metadata, by several goroutines, and compares them.
func readSome(t *testing.T, s *source.Source, data []byte) {
	t.Helper()
	if s.Size() != int64(len(data)) {
		t.Fatalf("size %d, want %d", s.Size(), len(data))
	}
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			rng := rand.New(rand.NewPCG(1, uint64(worker)))
			for range 15 {
				n := rng.IntN(min(len(data), 1<<rng.IntN(20)) + 1)
				off := rng.IntN(len(data) - n + 1)
				p := make([]byte, n)
				got, err := s.ReadMetadata, error(nil)
				if rng.IntN(2) == 0 {
					got = s.ReadAt
				}
				m, err := got(p, int64(off))
				if n > 0 && (err != nil || m != n || !bytes.Equal(p, data[off:off+n])) {
					t.Errorf("%d bytes at %d: %d, %v", n, off, m, err)
				}
			}
		})
	}
	all.Wait()
}

// TestReads compares what is read and counted with what the server has and counts.
func TestReads(t *testing.T) {
	for _, size := range []int{1, 1000, 256 << 10, 256<<10 + 1, 5 << 20} {
		server := webserver.New(t)
		data := content(size)
		var stats remote.Stats
		s := open(t, server.Put("/a.h5", data)+"?signature=secret", remote.WithStats(&stats))
		readSome(t, s, data)
		c := stats.Counts()
		if want := int64(len(server.Requests())); c.Requests != want || c.Bytes != server.Bytes() || c.Retries != 0 {
			t.Errorf("%d bytes: counts are %+v, the server counts %d requests, %d bytes", size, c, want, server.Bytes())
		}
		if size <= 256<<10 && c.Requests != 1 || c.CacheHits == 0 {
			t.Errorf("%d bytes: %+v", size, c)
		}
		if want := server.URL + "/a.h5"; s.Name() != want {
			t.Errorf("name %q, want %q", s.Name(), want)
		}
		if err := s.Changed(t.Context()); err != nil {
			t.Error(err)
		}
		for i, r := range server.Requests() {
			if tag := r.Header.Get("If-Match"); (tag == `"1"`) != (i > 0) {
				t.Errorf("request %d: If-Match is %q", i, tag)
			}
		}
	}
}

func TestEmpty(t *testing.T) {
	server := webserver.New(t)
	if s := open(t, server.Put("/empty", nil)); s.Size() != 0 {
		t.Errorf("size %d", s.Size())
	}
}

// TestFaults lets every third answer fail. What is read is right in spite of it.
func TestFaults(t *testing.T) {
	data := content(3 << 20)
	for name, fault := range map[string]webserver.Fault{"unavailable": webserver.Unavailable, "cut": webserver.Cut, "stalled": webserver.Stall,
		"wrong range": webserver.WrongRange, "longer": webserver.LyingRange, "headers": webserver.EndlessHeaders,
		"no range": webserver.Ignore, "reset": webserver.Reset} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := webserver.New(t)
			server.Break(func(n int, r webserver.Request) webserver.Fault {
				if n%3 == 2 {
					return fault
				}
				return webserver.None
			})
			var stats remote.Stats
			s := open(t, server.Put("/a.h5", data), remote.WithStats(&stats), remote.WithAttempts(20))
			readSome(t, s, data)
			if c := stats.Counts(); (c.Retries == 0) != (fault == webserver.LyingRange) {
				t.Errorf("%+v", c)
			}
			if stats.Counts().Bytes > int64(4*len(data)) {
				t.Errorf("%d bytes were read", stats.Counts().Bytes)
			}
		})
	}
}

// TestFaultsForever gives up after the attempts that are allowed.
func TestFaultsForever(t *testing.T) {
	data := content(1 << 20)
	for fault, want := range map[webserver.Fault]string{
		webserver.Unavailable: "gave up after 3 attempts: the server answers: 503 Service Unavailable",
		webserver.Cut:         "gave up after 3 attempts: the answer was cut short",
		webserver.Stall:       "gave up after 3 attempts: the server sent nothing for 1s",
		webserver.WrongRange:  `gave up after 3 attempts: asked for 65536 bytes at 262144, the server sent the range "bytes 262145-327680/1048576"`,
		webserver.Ignore:      "gave up after 3 attempts: asked for 65536 bytes at 262144, the server did not send a range",
	} {
		server := webserver.New(t)
		var broken bool
		server.Break(func(int, webserver.Request) webserver.Fault {
			if broken {
				return fault
			}
			return webserver.None
		})
		s := open(t, server.Put("/a.h5", append(data, data...)), remote.WithAttempts(3))
		broken = true
		_, err := s.ReadAt(make([]byte, 10), 300<<10)
		if !h5err.Is(err, h5err.IO) || !strings.HasPrefix(err.Error(), server.URL+"/a.h5: ") || fault != webserver.WrongRange && !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if n := len(server.Requests()); n != 4 && fault != webserver.Cut {
			t.Errorf("fault %d: %d requests", fault, n)
		}
	}
}

// TestReplaced replaces an object while it is read: with an entity tag that the server compares or ignores, and without one.
func TestReplaced(t *testing.T) {
	data := content(2 << 20)
	for _, c := range []struct{ noTags, deaf bool }{{false, false}, {false, true}, {true, false}, {true, true}} {
		server := webserver.New(t)
		server.NoTags, server.Deaf = c.noTags, c.deaf
		s := open(t, server.Put("/a.h5", data))
		p := make([]byte, 100<<10)
		if _, err := s.ReadAt(p, 300<<10); err != nil || !bytes.Equal(p, data[300<<10:400<<10]) {
			t.Fatal(err)
		}
		server.Put("/a.h5", content(2<<20))
		_, err := s.ReadAt(p, 1<<20)
		if !errors.Is(err, remote.ErrChanged) || !h5err.Is(err, h5err.IO) {
			t.Errorf("%+v: %v", c, err)
		}
		n := len(server.Requests())
		if err := s.Changed(t.Context()); !errors.Is(err, remote.ErrChanged) || len(server.Requests()) != n {
			t.Errorf("%+v: Changed returns %v", c, err)
		}
	}
}

// TestReplacedWhileCut replaces an object between two attempts to read one range.
func TestReplacedWhileCut(t *testing.T) {
	server := webserver.New(t)
	var once atomic.Bool
	next := content(2 << 20)
	server.Break(func(_ int, r webserver.Request) webserver.Fault {
		if r.Off >= 1<<20 && once.CompareAndSwap(false, true) {
			server.Put("/a.h5", next) // this answer is yet of the first one
			return webserver.Cut
		}
		return webserver.None
	})
	server.Deaf = true
	s := open(t, server.Put("/a.h5", content(2<<20)))
	if _, err := s.ReadAt(make([]byte, 500<<10), 1<<20); !errors.Is(err, remote.ErrChanged) {
		t.Error(err)
	}
}

// TestRefused are servers and URLs that can't be read. Each costs one request, or as many as are allowed.
func TestRefused(t *testing.T) {
	large := strings.Repeat("x", 300<<10)
	answers := map[string]http.HandlerFunc{
		"/missing":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) },
		"/forbidden": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) },
		"/token":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) },
		"/teapot":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418) },
		"/noranges":  func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, large) },
		"/gzip": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			fmt.Fprint(w, large)
		},
		"/loop": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) },
		"/star": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", "bytes 0-9/*")
			w.WriteHeader(206)
		},
		"/huge": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Range", "bytes 0-262143/99999999999999999999")
			w.WriteHeader(206)
		},
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { answers[r.URL.Path](w, r) }))
	defer s.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for url, want := range map[string]string{
		s.URL + "/missing":                      "no such object: 404 Not Found",
		s.URL + "/forbidden?X-Signature=secret": "access is denied: 403 Forbidden",
		s.URL + "/token":                        "access is denied: 401 Unauthorized",
		s.URL + "/teapot":                       "the server answers: 418 I'm a teapot",
		s.URL + "/noranges":                     "the server does not send ranges of files; download it as a whole with remote.WithDownload",
		s.URL + "/gzip":                         `the server sends the file encoded ("gzip")`,
		s.URL + "/loop":                         "more than 10 redirects",
		s.URL + "/star":                         `the server does not say how long the file is ("bytes 0-9/*")`,
		s.URL + "/huge":                         `gave up after 2 attempts: asked for its first 262144 bytes, the server sent the range "bytes 0-262143/99999999999999999999"`,
		closed.URL + "/x":                       "connection refused",
		"ftp://example.org/x":                   "not a URL of a web server",
		"http://":                               "not a URL of a web server",
		"http://user:password@[::1":             "not a URL",
	} {
		_, err := remote.Open(t.Context(), url, quick(remote.WithAttempts(2))...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", url, err, want)
			continue
		}
		if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "password") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// TestRedirects sends no header of one server to another, and remembers where a redirect led.
func TestRedirects(t *testing.T) {
	server := webserver.New(t)
	data := content(1 << 20)
	target := server.Put("/data", data)
	var seen int
	gone := false
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen++
		if r.Header.Get("X-Token") != "t0" || r.Header.Get("Authorization") != "Bearer t1" {
			t.Errorf("the server got %v", r.Header)
		}
		if gone {
			w.WriteHeader(http.StatusGone)
			return
		}
		http.Redirect(w, r, target, http.StatusFound)
	}))
	defer front.Close()
	s := open(t, front.URL+"/a.h5?signature=secret", remote.WithHeader("x-token", "t0"), remote.WithHeader("Authorization", "Bearer t1"))
	readSome(t, s, data)
	if seen != 1 {
		t.Errorf("%d requests were redirected", seen)
	}
	for _, r := range server.Requests() {
		for _, name := range []string{"X-Token", "Authorization", "Referer"} {
			if v := r.Header.Get(name); v != "" {
				t.Errorf("%s: %s was sent to another server", name, v)
			}
		}
	}
	server.CloseClientConnections()
}

// TestRetryAfter waits as long as the server asks for.
func TestRetryAfter(t *testing.T) {
	n := 0
	var first time.Time
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n++; n == 1 {
			first = time.Now()
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		if d := time.Since(first); d < time.Second {
			t.Errorf("asked again after %v", d)
		}
		fmt.Fprint(w, "small")
	}))
	defer s.Close()
	if x := open(t, s.URL); x.Size() != 5 {
		t.Errorf("size %d", x.Size())
	}
}

// TestContext ends a read that is stuck.
func TestContext(t *testing.T) {
	server := webserver.New(t)
	server.Break(func(n int, _ webserver.Request) webserver.Fault {
		if n > 1 {
			return webserver.Stall
		}
		return webserver.None
	})
	s, err := remote.Open(t.Context(), server.Put("/a", content(2<<20)), remote.WithOpening(256<<10))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Release()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := s.ReadAtContext(ctx, make([]byte, 1<<20), 0); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := s.ReadAtContext(ctx, make([]byte, 1), 1<<20); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestTrace has one event for each request, without secrets.
func TestTrace(t *testing.T) {
	server := webserver.New(t)
	data := content(1 << 20)
	var mu sync.Mutex
	var events []remote.Event
	s := open(t, server.Put("/a.h5", data)+"?signature=secret", remote.WithHeader("X-Token", "secret"), remote.WithTrace(func(e remote.Event) {
		mu.Lock()
		events = append(events, e)
		mu.Unlock()
	}))
	readSome(t, s, data)
	mu.Lock()
	defer mu.Unlock()
	if len(events) != len(server.Requests()) || len(events) < 2 {
		t.Errorf("%d events, %d requests", len(events), len(server.Requests()))
	}
	for _, e := range events {
		if e.URL != server.URL+"/a.h5" || e.Status != 206 || e.Bytes == 0 || !strings.HasPrefix(e.Range, "bytes=") || strings.Contains(fmt.Sprint(e), "secret") {
			t.Errorf("%+v", e)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, opt := range []remote.Option{remote.WithHeader("Range", "bytes=0-1"), remote.WithHeader("a b", "c"), remote.WithHeader("", "c"),
		remote.WithHeader("A", "b\r\nc"), remote.WithAttempts(0), remote.WithPauses(-1, 1), remote.WithPauses(0, 0)} {
		if _, err := remote.Open(t.Context(), "http://127.0.0.1:1/", opt); !h5err.Is(err, h5err.Argument) {
			t.Error(err)
		}
	}
}

// TestDownload copies an object whose server ignores ranges, once it was cut short.
func TestDownload(t *testing.T) {
	server := webserver.New(t)
	data := content(3 << 20)
	cut := false
	server.Break(func(n int, _ webserver.Request) webserver.Fault {
		if cut && n == 1 {
			return webserver.CutWhole
		}
		return webserver.Ignore
	})
	url := server.Put("/a.h5", data)
	for _, cut = range []bool{false, true} {
		server.Reset()
		var stats remote.Stats
		s := open(t, url, remote.WithDownload(), remote.WithStats(&stats))
		readSome(t, s, data)
		if n := stats.Counts().Requests; n > 2 || n != int64(len(server.Requests())) {
			t.Errorf("%d requests", n)
		}
	}
	if _, err := remote.Open(t.Context(), url, quick()...); !h5err.Is(err, h5err.IO) {
		t.Error(err)
	}
}

// TestCountsUnderResets compares the counts with the server's while connections are closed without an answer.
func TestCountsUnderResets(t *testing.T) {
	server := webserver.New(t)
	data := content(3 << 20)
	url := server.Put("/a.h5", data)
	server.Break(func(n int, _ webserver.Request) webserver.Fault {
		return map[int]webserver.Fault{1: webserver.Reset, 2: webserver.Unavailable}[n%4]
	})
	var stats remote.Stats
	s := open(t, url, remote.WithStats(&stats), remote.WithAttempts(20))
	for off := 0; off < len(data); off += 100_000 {
		p := make([]byte, min(100_000, len(data)-off))
		if _, err := s.ReadAt(p, int64(off)); err != nil || !bytes.Equal(p, data[off:off+len(p)]) {
			t.Fatal(err)
		}
	}
	if c := stats.Counts(); c.Requests != int64(len(server.Requests())) || c.Retries < 10 {
		t.Errorf("%+v, the server counts %d requests", c, len(server.Requests()))
	}
}
