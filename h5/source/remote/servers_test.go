package remote_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source/remote"
)

const written = "Mon, 01 Jan 2024 00:00:00 GMT" // when the object was modified

// part is a range that was asked for.
type part struct {
	p      []byte
	header string // Content-Range
	n      int    // of the request
	w      http.ResponseWriter
	r      *http.Request
}

// answer sends the part with the headers that are given, as names and values.
func (x part) answer(header ...string) {
	for i := 0; i < len(header); i += 2 {
		x.w.Header().Set(header[i], header[i+1])
	}
	if x.w.Header().Get("Content-Range") == "" {
		x.w.Header().Set("Content-Range", x.header)
	}
	x.w.WriteHeader(http.StatusPartialContent)
	x.w.Write(x.p)
}

// raw sends an answer as it is, and the part, and closes the connection.
func (x part) raw(t *testing.T, head string) {
	conn, out, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	fmt.Fprintf(out, "%s\r\nContent-Range: %s\r\n\r\n", head, x.header)
	out.Write(x.p) // a client that is gone sees nothing
	out.Flush()
}

// limited is a part of at most n bytes.
func (x part) limited(size, n int) part {
	var a int
	fmt.Sscanf(x.header, "bytes %d-", &a)
	x.p = x.p[:min(n, len(x.p))]
	x.header = fmt.Sprintf("bytes %d-%d/%d", a, a+len(x.p)-1, size)
	return x
}

// TestServers reads from servers and through proxies of all kinds: what they send is right, or the error says what is not.
func TestServers(t *testing.T) {
	data := content(1 << 20)
	for name, c := range map[string]struct {
		want   string // "" where it can be read
		answer func(t *testing.T, x part)
	}{
		"HTTP/1.0": {"", func(t *testing.T, x part) {
			x.raw(t, fmt.Sprintf("HTTP/1.0 206 Partial Content\r\nETag: \"1\"\r\nContent-Length: %d", len(x.p)))
		}},
		"HTTP/1.0 without length": {"", func(t *testing.T, x part) { x.raw(t, "HTTP/1.0 206 Partial Content\r\nETag: \"1\"") }},
		"closes":                  {"", func(_ *testing.T, x part) { x.answer("ETag", `"1"`, "Connection", "close") }},
		"chunked": {"", func(_ *testing.T, x part) {
			x.w.Header().Set("Content-Range", x.header)
			x.w.WriteHeader(http.StatusPartialContent)
			http.NewResponseController(x.w).Flush() // there is no length then
			x.w.Write(x.p)
		}},
		"says no to ranges": {"", func(_ *testing.T, x part) { x.answer("ETag", `"1"`, "Accept-Ranges", "none") }},
		"other case":        {"", func(_ *testing.T, x part) { x.answer("Content-Range", strings.Replace(x.header, "bytes", "Bytes", 1)) }},
		"early hints": {"", func(_ *testing.T, x part) {
			x.w.WriteHeader(http.StatusEarlyHints)
			x.answer("ETag", `"1"`)
		}},
		"identity":      {"", func(_ *testing.T, x part) { x.answer("Content-Encoding", "identity") }},
		"no pin":        {"", func(_ *testing.T, x part) { x.answer() }},
		"time alone":    {"", func(_ *testing.T, x part) { x.answer("Last-Modified", written) }},
		"weak tag":      {"", func(_ *testing.T, x part) { x.answer("ETag", `W/"1"`) }},
		"weak and time": {"", func(_ *testing.T, x part) { x.answer("ETag", `W/"1"`, "Last-Modified", written) }},
		"two servers, one with weak tags": {"", func(_ *testing.T, x part) {
			x.answer("ETag", []string{`W/"1"`, `"1"`}[x.n%2], "Last-Modified", written)
		}},
		"two servers with other times": {"", func(_ *testing.T, x part) {
			x.answer("ETag", `"1"`, "Last-Modified", []string{written, "Tue, 02 Jan 2024 00:00:00 GMT"}[x.n%2])
		}},
		"sends a part":                {"", func(_ *testing.T, x part) { x.limited(len(data), 100<<10).answer("ETag", `"1"`) }},
		"sends a small part":          {`the server sent the range "bytes 0-999/1048576"`, func(_ *testing.T, x part) { x.limited(len(data), 1000).answer() }},
		"does not know the length":    {"does not say how long the file is", func(_ *testing.T, x part) { x.answer("Content-Range", "bytes 0-262143/*") }},
		"encoded by a proxy":          {`the server sends the file encoded ("gzip")`, func(_ *testing.T, x part) { x.answer("Content-Encoding", "gzip") }},
		"wants a password of a proxy": {"407 Proxy Authentication Required", func(_ *testing.T, x part) { x.w.WriteHeader(http.StatusProxyAuthRequired) }},
		"several parts": {"the server sent no Content-Range", func(_ *testing.T, x part) {
			x.w.Header().Set("Content-Type", "multipart/byteranges; boundary=x")
			x.w.WriteHeader(http.StatusPartialContent)
			fmt.Fprintf(x.w, "\r\n--x\r\nContent-Range: %s\r\n\r\n%s\r\n--x--\r\n", x.header, x.p)
		}},
		"is another object from the second time on": {"replaced", func(_ *testing.T, x part) {
			x.answer("ETag", fmt.Sprintf(`W/"%d"`, min(x.n, 2)), "Last-Modified", written)
		}},
		"is of another time from the second time on": {"replaced", func(_ *testing.T, x part) {
			x.answer("ETag", `W/"1"`, "Last-Modified", []string{written, "Tue, 02 Jan 2024 00:00:00 GMT"}[min(x.n, 2)-1])
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int64
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method != http.MethodGet { // HEAD is not needed
					w.WriteHeader(http.StatusMethodNotAllowed)
					return
				}
				p, header := slice(t, data, r)
				c.answer(t, part{p, header, int(n.Add(1)), w, r})
			}))
			t.Cleanup(s.Close) // after the Source is released
			if c.want == "" {
				readSome(t, open(t, s.URL), data)
				return
			}
			src, err := remote.Open(t.Context(), s.URL, quick(remote.WithAttempts(2))...)
			if err == nil {
				defer src.Release()
				_, err = src.ReadAt(make([]byte, 100<<10), 512<<10)
			}
			if !h5err.Is(err, h5err.IO) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// slice returns what a request asks for.
func slice(t *testing.T, data []byte, r *http.Request) ([]byte, string) {
	first, last, ok := strings.Cut(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-")
	a, err := strconv.Atoi(first)
	b, err2 := strconv.Atoi(last)
	if err := errors.Join(err, err2); !ok || err != nil || a >= len(data) || b < a {
		t.Errorf("asked for %q: %v", r.Header.Get("Range"), err)
		return nil, ""
	}
	b = min(b+1, len(data))
	return data[a:b], fmt.Sprintf("bytes %d-%d/%d", a, b-1, len(data))
}

// TestPresigned follows redirects to another server, with addresses that are valid for a few requests each, by each kind of redirect.
func TestPresigned(t *testing.T) {
	data := content(1 << 20)
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		var signed, used, redirected atomic.Int64
		target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "" || r.Header.Get("Referer") != "" {
				t.Errorf("%d: another server got %v", status, r.Header)
			}
			if r.URL.Query().Get("signature") != strconv.FormatInt(signed.Load(), 10) || used.Add(1) > 3 {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			http.ServeContent(w, r, "a.h5", time.Unix(1e9, 0), bytes.NewReader(data))
		}))
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			redirected.Add(1)
			used.Store(0)
			http.Redirect(w, r, fmt.Sprintf("%s/%s?signature=%d", target.URL, r.URL.Path, signed.Add(1)), status)
		}))
		s := open(t, front.URL+"/a.h5", remote.WithHeader("Authorization", "Bearer t"))
		for off := 256 << 10; off < len(data); off += 64 << 10 {
			p := make([]byte, 64<<10)
			if _, err := s.ReadAt(p, int64(off)); err != nil || !bytes.Equal(p, data[off:off+len(p)]) {
				t.Fatalf("%d: %v", status, err)
			}
		}
		if n := redirected.Load(); n < 4 || n > 6 {
			t.Errorf("%d: %d redirects", status, n)
		}
		front.Close()
		target.Close()
	}
}
