//go:build unix

package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/apache/arrow-go/v18/arrow/flight"

	"github.com/h5arrow/h5arrow/h5/h5test"
)

// Tokens are read again when their file has changed, and at SIGHUP.
func TestServeTokens(t *testing.T) {
	dir := workplace(t)
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile("tokens", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first\n# a comment\nsecond\n")
	s := started(t, filepath.Join(dir, "sample.h5"), "--token-file", "tokens", "--log", "json")
	c := s.client(t)
	ask := func(token string) codes.Code {
		ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+token)
		_, err := c.GetFlightInfo(ctx, &flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{"sample.h5"}})
		return grpcstatus.Code(err)
	}
	check := func(want map[string]codes.Code) {
		t.Helper()
		for token, code := range want {
			if got := ask(token); got != code {
				t.Errorf("token %s: %v", token, got)
			}
		}
	}
	logged := func(text string) {
		t.Helper()
		h5test.Eventually(t, 30*time.Second, func() bool { return strings.Contains(s.stderr.String(), text) })
	}
	check(map[string]codes.Code{"first": codes.OK, "second": codes.OK, "third": codes.Unauthenticated, "# a comment": codes.Unauthenticated})
	write("second\nthird\n")
	h5test.Eventually(t, 30*time.Second, func() bool { return ask("third") == codes.OK })
	check(map[string]codes.Code{"first": codes.Unauthenticated, "second": codes.OK})
	write("")
	if err := s.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	logged(`"msg":"tokens kept","error":"tokens: it has no token"`)
	check(map[string]codes.Code{"second": codes.OK, "third": codes.OK})
	if st := s.end(t, syscall.SIGTERM); st != 0 {
		t.Errorf("status %d, %s", st, s.stderr)
	}
}

// What is left out of a directory is logged, once.
func TestServeLeftOut(t *testing.T) {
	dir := workplace(t)
	for _, name := range []string{"text.txt", ".hidden.h5", "copy.h5~", "secret.h5"} {
		if err := os.WriteFile(name, []byte("\x89HDF\r\n\x1a\n"[:4]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := started(t, dir, "--exclude", "secret*", "--log", "json")
	c := s.client(t)
	for range 2 {
		stream, err := c.ListFlights(context.Background(), &flight.Criteria{})
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, err = stream.Recv()
		}
	}
	if st := s.end(t, syscall.SIGTERM); st != 0 {
		t.Errorf("status %d, %s", st, s.stderr)
	}
	for name, reason := range map[string]string{"text.txt": "it is not HDF5, or can't be read", ".hidden.h5": "it is hidden",
		"copy.h5~": "it is a backup or a temporary file", "secret.h5": "it is excluded"} {
		if line := fmt.Sprintf(`"msg":"left out","file":%q,"reason":%q`, name, reason); strings.Count(s.stderr.String(), line) != 1 {
			t.Errorf("%s is not once in %s", line, s.stderr)
		}
	}
}

// A server that other machines reach says what it is exposed to.
func TestServeWarnings(t *testing.T) {
	dir := workplace(t)
	certificates(t, dir)
	if err := os.WriteFile("tokens", []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const open, plain = "everyone who can reach 0.0.0.0:", "tokens and data are sent unencrypted"
	tls := []string{"--tls-cert", "server.pem", "--tls-key", "server.key"}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--listen", "0.0.0.0:0"}, open},
		{append([]string{"--listen", "0.0.0.0:0"}, tls...), open},
		{[]string{"--listen", "0.0.0.0:0", "--token-file", "tokens"}, plain},
		{append([]string{"--listen", "0.0.0.0:0", "--token-file", "tokens"}, tls...), ""},
		{append([]string{"--listen", "0.0.0.0:0", "--client-ca", "ca.pem"}, tls...), ""},
		{[]string{"--listen", "127.0.0.1:0"}, ""},
	} {
		cmd := process(append([]string{"serve", "sample.h5"}, c.args...)...)
		stderr := &transcript{}
		cmd.Stderr = stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "listening on ") {
			t.Errorf("%v: %q, %v", c.args, line, err)
		}
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v, %s", c.args, err, stderr)
		}
		if got := stderr.String(); (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%v: stderr is %q", c.args, got)
		}
	}
}
