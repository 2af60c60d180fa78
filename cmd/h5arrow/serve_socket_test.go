//go:build linux || darwin || freebsd

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

// A server on a socket answers several clients at a time as one on TCP does. After it was killed, the next one takes its place; a
// second one does not.
func TestServeSocket(t *testing.T) {
	dir := workplace(t)
	path := filepath.Join(dir, "s")
	args := []string{"sample.h5", "--listen", "unix:s", "--socket-mode", "660", "--log", "text"}
	killed := started(t, args...)
	if killed.scheme != "grpc+unix" || killed.address != path {
		t.Errorf("%s %s; want %s", killed.scheme, killed.address, path)
	}
	r := expect(t, 1, "serve", "sample.h5", "--listen", "unix:s")
	if !strings.Contains(r.err, "another process listens on it") {
		t.Errorf("a second server: %q", r.err)
	}
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed.Wait()
	if info, err := os.Lstat(path); err != nil || info.Mode() != fs.ModeSocket|0o660 {
		t.Fatalf("%v, %v", info, err)
	}

	s := started(t, args...)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { readSocket(t, s) })
	}
	wg.Wait()
	if st := s.end(t, syscall.SIGTERM); st != 0 {
		t.Errorf("status %d, %s", st, s.stderr)
	}
	if _, err := os.Lstat(path); err == nil {
		t.Error("the socket is left")
	}
	for _, want := range []string{"client=address:unix", "peer=unix:1", "peer=unix:4"} {
		if !strings.Contains(s.stderr.String(), want) {
			t.Errorf("the log has no %s: %s", want, s.stderr)
		}
	}
}

// readSocket reads the sample over a connection of its own.
func readSocket(t *testing.T, s *server) {
	c, err := flight.NewClientWithMiddleware("unix://"+s.address, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Error(err)
		return
	}
	defer c.Close()
	info, err := c.GetFlightInfo(t.Context(), &flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{"sample.h5", "/table"}})
	if err != nil {
		t.Error(err)
		return
	}
	rows := int64(0)
	for _, e := range info.Endpoint {
		stream, err := c.DoGet(t.Context(), e.Ticket)
		if err != nil {
			t.Error(err)
			return
		}
		r, err := flight.NewRecordReader(stream)
		if err != nil {
			t.Error(err)
			return
		}
		for r.Next() {
			rows += r.RecordBatch().NumRows()
		}
		if r.Err() != nil {
			t.Error(r.Err())
		}
		r.Release()
	}
	if rows != 50_000 {
		t.Errorf("%d rows", rows)
	}
}

func TestServeSocketUsage(t *testing.T) {
	dir := workplace(t)
	certificates(t, dir)
	for _, args := range [][]string{
		{"--listen", "unix:"},
		{"--listen", "127.0.0.1:0", "--socket-mode", "600"},
		{"--listen", "unix:s", "--socket-mode", "888"},
		{"--listen", "unix:s", "--socket-mode", "1777"},
		{"--listen", "unix:s", "--tls-cert", "server.pem", "--tls-key", "server.key"},
	} {
		expect(t, 2, append([]string{"serve", "sample.h5"}, args...)...)
	}
	r := expect(t, 1, "serve", "sample.h5", "--listen", "unix:sample.h5")
	if !strings.Contains(r.err, "it exists and is not a socket") {
		t.Errorf("%q", r.err)
	}
	if h, err := os.ReadFile("sample.h5"); err != nil || !strings.HasPrefix(string(h), "\x89HDF") {
		t.Errorf("the file was changed: %v", err)
	}
}
