//go:build unix

package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"

	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/webserver"
)

// oneFile is a web server that keeps the ranges for which it has not sent an answer yet, and counts those that were asked for meanwhile.
type oneFile struct {
	data []byte

	mu              sync.Mutex
	waiting         map[[2]int]bool
	requests, again int
}

func (f *oneFile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	first, last, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Range"), "bytes="), "-")
	a, err := strconv.Atoi(first)
	b, err2 := strconv.Atoi(last)
	if err != nil || err2 != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	b = min(b+1, len(f.data))
	f.mu.Lock()
	f.requests++
	for x := range f.waiting {
		if x[0] <= a && b <= x[1] {
			f.again++
		}
	}
	f.waiting[[2]int{a, b}] = true
	f.mu.Unlock()
	select { // others have the time to ask
	case <-time.After(50 * time.Millisecond):
	case <-r.Context().Done():
	}
	f.mu.Lock()
	delete(f.waiting, [2]int{a, b}) // before the answer: whoever has it may ask again
	f.mu.Unlock()
	w.Header().Set("Etag", `"1"`)
	w.Header().Set("Content-Range", "bytes "+strconv.Itoa(a)+"-"+strconv.Itoa(b-1)+"/"+strconv.Itoa(len(f.data)))
	w.WriteHeader(http.StatusPartialContent)
	_, _ = w.Write(f.data[a:b]) // a client that is gone sees nothing
}

// TestServeURL has 50 clients read a remote file: a range that several of them want is asked for once. Memory stays within the limit.
func TestServeURL(t *testing.T) {
	const rows, clients, limit = 3 << 20, 50, 256 << 20
	f := &oneFile{data: readFile(t, noise(t, rows)), waiting: map[[2]int]bool{}}
	web := httptest.NewServer(f)
	defer web.Close()
	s := started(t, web.URL+"/noise.h5", "--max-memory", strconv.Itoa(limit), "--batch-rows", "1000000")
	ticket := s.tickets(t, `{"file": "noise.h5"}`)[0]
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() {
			c := s.client(t)
			defer c.Close()
			n, err := read(c, ticket)
			if err != nil || n != rows {
				t.Errorf("client %d: %d rows, %v", i, n, err)
			}
		})
	}
	all.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.again > 0 {
		t.Errorf("of %d requests, %d were for a range that was on its way", f.requests, f.again)
	}
	if runtime.GOOS == "linux" && !testing.Short() { // the race detector, which runs short tests, takes more
		if n := anonymous(t, s.Process.Pid); n > limit {
			t.Errorf("%d bytes of anonymous memory, the limit is %d", n, limit)
		}
	}
}

// TestInterruptedURL interrupts commands whose server has stopped sending: they end at once, and leave nothing.
func TestInterruptedURL(t *testing.T) {
	web := webserver.New(t)
	url := put(t, web, noise(t, 4<<20))
	for _, kind := range []webserver.Fault{webserver.Stall, webserver.Unavailable} { // for 20 s, and with pauses between six attempts
		web.Reset()
		web.Break(func(n int, _ webserver.Request) webserver.Fault {
			if n > 1 {
				return kind
			}
			return webserver.None
		})
		dir := t.TempDir()
		cmd := process("convert", url, filepath.Join(dir, "x.arrow"))
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		h5test.Eventually(t, time.Minute, func() bool { return len(web.Requests()) > 1 })
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		s := status(t, cmd.Wait())
		if d := time.Since(start); s != exitInterrupted || stderr.String() != "h5arrow: interrupted\n" || kind == webserver.Stall && d > 15*time.Second {
			t.Errorf("status %d after %v: %s", s, d, stderr.String())
		}
		if left := listing(t, dir); len(left) > 0 {
			t.Errorf("%v is left", left)
		}
	}
}

// read reads a stream, and returns the number of rows.
func read(c flight.Client, ticket *flight.Ticket) (rows int64, err error) {
	stream, err := c.DoGet(context.Background(), ticket)
	if err != nil {
		return 0, err
	}
	r, err := flight.NewRecordReader(stream)
	if err != nil {
		return 0, err
	}
	defer r.Release()
	for r.Next() {
		rows += r.RecordBatch().NumRows()
	}
	if err := r.Err(); err != nil && err != io.EOF {
		return rows, err
	}
	return rows, nil
}
