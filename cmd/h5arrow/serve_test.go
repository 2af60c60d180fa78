//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/h5arrow/h5arrow/h5/h5test"
)

// transcript keeps what a process writes. It may be read while more is written.
type transcript struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// server is `h5arrow serve` as a process of its own.
type server struct {
	*exec.Cmd
	scheme, address string
	stderr          *transcript
}

// started starts a server and waits for its first line. It is killed at the test's end unless it has ended.
func started(t testing.TB, args ...string) *server {
	t.Helper()
	s := &server{Cmd: process(append([]string{"serve", "--listen", "127.0.0.1:0"}, args...)...), stderr: &transcript{}}
	s.Cmd.Stderr = s.stderr
	out, err := s.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.ProcessState == nil {
			s.Process.Kill()
			s.Wait()
		}
		if t.Failed() {
			t.Logf("the server ended with %v, and wrote: %s", s.ProcessState, s.stderr)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	m := regexp.MustCompile(`^listening on (grpc|grpc\+tls|grpc\+unix)://(127\.0\.0\.1:[0-9]+|/.+)\n$`).FindStringSubmatch(line)
	if err != nil || m == nil {
		s.Wait()
		t.Fatalf("the first line is %q, %v; %s", line, err, s.stderr)
	}
	s.scheme, s.address = m[1], m[2]
	return s
}

// end ends a server and returns its status.
func (s *server) end(t testing.TB, sig os.Signal) int {
	t.Helper()
	if err := s.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	return status(t, s.Wait())
}

// client is a client of arrow-go's.
func (s *server) client(t testing.TB) flight.Client {
	t.Helper()
	c, err := flight.NewClientWithMiddleware(s.address, nil, nil, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithStaticStreamWindowSize(64<<10))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func (s *server) tickets(t testing.TB, descriptor string) []*flight.Ticket {
	t.Helper()
	c := s.client(t)
	defer c.Close()
	info, err := c.GetFlightInfo(context.Background(), &flight.FlightDescriptor{Type: flight.DescriptorCMD, Cmd: []byte(descriptor)})
	if err != nil {
		t.Fatal(err)
	}
	var out []*flight.Ticket
	for _, e := range info.Endpoint {
		out = append(out, e.Ticket)
	}
	return out
}

// certificates writes an authority's certificate, and two that it signed with their keys.
func certificates(t testing.TB, dir string) {
	t.Helper()
	write := func(name, kind string, der []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	newKey := func() *ecdsa.PrivateKey {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	ca, caKey := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, newKey()
	for i, name := range []string{"ca", "server", "client"} {
		key, cert := caKey, ca
		if i > 0 {
			key, cert = newKey(), &x509.Certificate{SerialNumber: big.NewInt(int64(i + 1)), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour),
				NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
		}
		der, err := x509.CreateCertificate(rand.Reader, cert, ca, &key.PublicKey, caKey)
		if err != nil {
			t.Fatal(err)
		}
		write(name+".pem", "CERTIFICATE", der)
		if der, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
			t.Fatal(err)
		}
		write(name+".key", "PRIVATE KEY", der)
	}
}

// pyarrow's client gets what convert writes: over one endpoint and several, with and without encryption and tokens.
func TestServePyarrow(t *testing.T) {
	py := h5test.Python(t, "pyarrow.flight")
	if py == "" {
		t.Skip("no Python with pyarrow")
	}
	t.Run("testdata", func(t *testing.T) {
		files := slices.DeleteFunc(h5test.Fixtures(t), func(name string) bool { return filepath.Base(name) == "external.h5" }) // it lacks a file
		servePyarrow(t, py, files, 10, 50000)
	})
	t.Run("corpus", func(t *testing.T) { servePyarrow(t, py, h5test.CorpusFiles(t, "vaex"), 1, 1) })
}

// servePyarrow serves copies of files and has pyarrow compare the flights, minFlights and minRows in them at least, with
// what convert writes.
func servePyarrow(t *testing.T, py string, files []string, minFlights, minRows int) {
	script, err := filepath.Abs("testdata/flight_client.py")
	if err != nil {
		t.Fatal(err)
	}
	dir, arrows := t.TempDir(), t.TempDir()
	tables := convertCopies(t, files, dir, arrows)
	certificates(t, dir)
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(at("tokens"), []byte("# who may\nother\n\n  s3cret  \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name           string
		server, client []string
	}{
		{"plain", nil, nil},
		{"socket", []string{"--listen", "unix:" + at("socket")}, nil},
		{"zstd", nil, []string{"--compression", "zstd"}},
		{"lz4", nil, []string{"--compression", "lz4"}},
		{"many endpoints", []string{"--endpoints", "7", "--batch-rows", "1000"}, nil},
		{"TLS and token", []string{"--tls-cert", at("server.pem"), "--tls-key", at("server.key"), "--client-ca", at("ca.pem"), "--token-file", at("tokens")},
			[]string{"--ca", at("ca.pem"), "--cert", at("client.pem"), "--key", at("client.key"), "--token", "s3cret", "--endpoints", "3"}},
	} {
		s := started(t, append(c.server, "--skip-unsupported", dir)...)
		scheme := "grpc"
		switch {
		case strings.HasPrefix(c.name, "TLS"):
			scheme = "grpc+tls"
		case c.name == "socket":
			scheme = "grpc+unix"
		}
		if s.scheme != scheme {
			t.Errorf("%s: %s", c.name, s.scheme)
		}
		client := exec.Command(py, append([]string{script, s.scheme + "://" + s.address, arrows}, c.client...)...)
		var said bytes.Buffer
		client.Stderr = &said
		b, err := client.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.name, err, &said)
		}
		var flights, endpoints, rows int
		if _, err := fmt.Sscan(string(b), &flights, &endpoints, &rows); err != nil {
			t.Fatalf("%s: %q", c.name, b)
		}
		split := c.name == "many endpoints" && rows > 1000*flights // some flight has more rows than a batch
		if flights < minFlights || flights > tables || rows < minRows || split && endpoints <= flights {
			t.Errorf("%s: %d flights of %d tables, %d endpoints, %d rows", c.name, flights, tables, endpoints, rows)
		}
		if st := s.end(t, syscall.SIGTERM); st != 0 || s.stderr.String() != "" {
			t.Errorf("%s: status %d, %s", c.name, st, s.stderr)
		}
	}
}

// convertCopies copies files to dir, and converts each to Arrow files in a folder of its name in arrows. It returns their
// number.
func convertCopies(t *testing.T, files []string, dir, arrows string) (tables int) {
	t.Helper()
	var copies []string // all are there before the first is converted: some refer to others
	for i, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		base := filepath.Base(name)
		if _, err := os.Stat(filepath.Join(dir, base)); err == nil {
			base = fmt.Sprint(i, base)
		}
		if err := os.WriteFile(filepath.Join(dir, base), b, 0o600); err != nil {
			t.Fatal(err)
		}
		copies = append(copies, base)
	}
	for _, base := range copies {
		out := filepath.Join(arrows, base)
		if r := command(t, "convert", "--all-tables", "--skip-unsupported", filepath.Join(dir, base), out); r.status != 0 {
			t.Logf("%s: %s", base, r.err)
		}
		list, err := filepath.Glob(filepath.Join(out, "*.arrow"))
		if err != nil {
			t.Fatal(err)
		}
		tables += len(list)
	}
	return tables
}

// anonymous is the anonymous memory of a process, in bytes.
func anonymous(t testing.TB, pid int) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "RssAnon:" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatal("no RssAnon")
	return 0
}

func descriptors(t testing.TB, pid int) int {
	t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// With 100 clients at once, 200 that vanish midway and one that never reads, the server stays below its limit.
func TestServeManyClients(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("memory is read from /proc")
	}
	doc := filepath.Join(h5test.Root(t), "docs", "serve.md")
	workplace(t)
	const limit = 256 << 20
	s := started(t, "sample.h5", "--max-memory", strconv.Itoa(limit), "--send-timeout", "30s", "--metrics", "127.0.0.1:0", "--log", "json", "--batch-rows", "2000")
	tkt := s.tickets(t, `{"file": "sample.h5"}`)[0]
	before, peak := descriptors(t, s.Process.Pid), int64(0)
	stop, sampled := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(sampled)
		for {
			peak = max(peak, anonymous(t, s.Process.Pid))
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	idle := s.client(t)
	stuck, err := idle.DoGet(context.Background(), tkt)
	if err != nil {
		t.Fatal(err)
	}
	n := 100
	if testing.Short() {
		n = 20
	}
	var wg sync.WaitGroup
	for i := range 3 * n {
		wg.Go(func() {
			c := s.client(t)
			defer c.Close()
			stream, err := c.DoGet(context.Background(), tkt)
			if err == nil {
				_, err = stream.Recv()
			}
			if err != nil {
				t.Errorf("client %d: %v", i, err)
				return
			}
			if i%3 > 0 { // vanishes
				return
			}
			for err == nil {
				_, err = stream.Recv()
			}
			if err != io.EOF {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	close(stop)
	<-sampled
	if peak > limit {
		t.Errorf("%d bytes of anonymous memory, the limit is %d", peak, limit)
	}
	t.Logf("peak of anonymous memory: %d MiB", peak>>20)
	if _, err := stuck.Recv(); err != nil {
		t.Error(err)
	}
	idle.Close()
	h5test.Eventually(t, 20*time.Second, func() bool { return descriptors(t, s.Process.Pid) <= before })
	checkMonitor(t, s, n, doc)
}

// checkMonitor reads a server's metrics, compares them with doc, ends the server and looks at its log.
func checkMonitor(t *testing.T, s *server, n int, doc string) {
	t.Helper()
	m := regexp.MustCompile(`"url":"(http://[^"]+/metrics)"`).FindStringSubmatch(s.stderr.String())
	if m == nil {
		t.Fatalf("no address of metrics in %s", s.stderr)
	}
	var b []byte
	idle := func() bool { // a call's stream is counted until its handler has seen that the client is gone
		r, err := http.Get(m[1])
		if err != nil {
			t.Fatal(err)
		}
		b, err = io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != http.StatusOK {
			t.Fatal(r.Status, err)
		}
		return strings.Contains(string(b), "h5arrow_flight_streams 0\n") && strings.Contains(string(b), "h5arrow_flight_memory_bytes 0\n")
	}
	h5test.Eventually(t, 20*time.Second, idle)
	for _, want := range []string{`h5arrow_flight_calls_total{method="DoGet",status="OK"}`, "h5arrow_flight_rows_total", "h5arrow_flight_streams 0", "h5arrow_flight_memory_bytes 0",
		`h5arrow_flight_call_seconds_bucket{method="GetFlightInfo"`, "process_open_fds"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
	checkMetricsDoc(t, string(b), doc)
	if st := s.end(t, os.Interrupt); st != 0 {
		t.Errorf("status %d", st)
	}
	ended := 0
	for line := range strings.Lines(s.stderr.String()) {
		var call struct {
			Msg, Method, Status, File, Table string
			Rows                             int64
		}
		if err := json.Unmarshal([]byte(line), &call); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if call.Method == "DoGet" && call.Status == "OK" && call.File == "sample.h5" && call.Table == "/table" && call.Rows == 50000 {
			ended++
		}
	}
	if ended < n {
		t.Errorf("%d calls in the log that read all, of %d", ended, n)
	}
}

// checkMetricsDoc compares the metrics of a server with those that a page lists.
func checkMetricsDoc(t *testing.T, metrics, page string) {
	t.Helper()
	doc, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var has, listed []string
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (h5arrow_\w+) (\w+)$`).FindAllStringSubmatch(metrics, -1) {
		has = append(has, m[1]+" "+m[2])
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `(h5arrow_\\w+)` \\| (\\w+) \\|").FindAllStringSubmatch(string(doc), -1) {
		listed = append(listed, m[1]+" "+m[2])
	}
	slices.Sort(has)
	slices.Sort(listed)
	if !slices.Equal(has, listed) {
		t.Errorf("the metrics are %q, docs/serve.md lists %q", has, listed)
	}
}

// accepts reports whether a server takes new connections.
func accepts(address string) bool {
	c, err := net.Dial("tcp", address)
	if err == nil {
		c.Close()
	}
	return err == nil
}

// A server that is asked to end lets calls finish, for a while.
func TestServeDrains(t *testing.T) {
	workplace(t)
	for _, c := range []struct {
		drain  string
		status int
		line   string
	}{
		{"30s", 0, ""},
		{"100ms", exitFailed, "h5arrow: calls were cut off after 100ms; allow more with --drain\n"},
	} {
		s := started(t, "sample.h5", "--batch-rows", "100", "--drain", c.drain)
		tkt := s.tickets(t, `{"file": "sample.h5"}`)[0]
		stream, err := s.client(t).DoGet(context.Background(), tkt)
		if err == nil {
			_, err = stream.Recv()
		}
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan int, 1)
		go func() { ended <- s.end(t, syscall.SIGTERM) }()
		st := -1
		if c.status != 0 {
			st = <-ended // it does not wait for the client, which reads nothing
		} else {
			h5test.Eventually(t, 20*time.Second, func() bool { return !accepts(s.address) })
		}
		for err == nil {
			_, err = stream.Recv()
		}
		if (err == io.EOF) != (c.status == 0) {
			t.Errorf("%s: %v", c.drain, err)
		}
		if st < 0 {
			st = <-ended
		}
		if st != c.status || s.stderr.String() != c.line {
			t.Errorf("%s: status %d, %q", c.drain, st, s.stderr)
		}
	}
}

// A file that is cut short while it is served gives its client an error, and does not harm the server.
func TestServeCutShort(t *testing.T) {
	dir := workplace(t)
	s := started(t, dir, "--batch-rows", "500")
	tkt := s.tickets(t, `{"file": "sample.h5"}`)[0]
	stream, err := s.client(t).DoGet(context.Background(), tkt)
	if err == nil {
		_, err = stream.Recv()
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate("sample.h5", 8192); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = stream.Recv()
	}
	if err == io.EOF || !strings.Contains(err.Error(), "cut short") || strings.Contains(err.Error(), dir) {
		t.Errorf("%v", err)
	}
	s.tickets(t, `{"file": "part0.h5"}`)
	if st := s.end(t, syscall.SIGTERM); st != 0 {
		t.Errorf("status %d, %s", st, s.stderr)
	}
}

// A renewed certificate is used without a restart. A broken one does not replace the one before.
func TestServeRenewal(t *testing.T) {
	dir := workplace(t)
	certificates(t, dir)
	s := started(t, dir, "--tls-cert", "server.pem", "--tls-key", "server.key", "--log", "json")
	shown := func() []byte {
		c, err := tls.Dial("tcp", s.address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].Raw
	}
	until := func(text string) {
		t.Helper()
		h5test.Eventually(t, 30*time.Second, func() bool {
			shown() // a client makes the server look at its files
			return strings.Contains(s.stderr.String(), text)
		})
	}
	first := shown()
	if err := os.WriteFile("server.pem", []byte("not yet whole"), 0o600); err != nil {
		t.Fatal(err)
	}
	until(`"msg":"certificate kept"`)
	if !bytes.Equal(shown(), first) {
		t.Error("another certificate")
	}
	certificates(t, dir)
	until(`"msg":"certificate renewed"`)
	b, err := os.ReadFile("server.pem")
	if err != nil {
		t.Fatal(err)
	}
	if block, _ := pem.Decode(b); !bytes.Equal(shown(), block.Bytes) {
		t.Error("not the new certificate")
	}
	if st := s.end(t, syscall.SIGTERM); st != 0 {
		t.Errorf("status %d, %s", st, s.stderr)
	}
}

func TestServeUsage(t *testing.T) {
	dir := workplace(t)
	certificates(t, dir)
	if err := os.WriteFile("none", []byte("# nobody\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for status, lines := range map[int][]string{
		exitUsage: {"", "sample.h5 --tls-cert server.pem", "sample.h5 --tls-key server.key", "sample.h5 --client-ca ca.pem", "sample.h5 --filename",
			"sample.h5 --drain -1s", "sample.h5 --send-timeout 0s", "sample.h5 --ticket-life 1ms", "sample.h5 --token-file none", "sample.h5 --ticket-key-file none",
			"sample.h5 --tls-cert server.key --tls-key server.pem", "sample.h5 --max-memory 1MiB", "sample.h5 --max-client-memory 1MiB", "sample.h5 --endpoints 20000",
			"sample.h5 --table /none", "sample.h5 --columns none", "sample.h5 sample.h5", "sample.h5 --table /table --dataset /x", "sample.h5 --log xml",
			"sample.h5 --include [", "sample.h5 --first-call 0s", "sample.h5 --sql-timeout 5s", "sample.h5 --sql --sql-timeout -1s",
			"sample.h5 --tls-cert server.pem --tls-key server.key --client-ca none"},
		exitFailed:  {"missing.h5", "sample.h5 --token-file missing", "sample.h5 --listen " + l.Addr().String(), "sample.h5 --metrics " + l.Addr().String() + " --listen 127.0.0.1:0"},
		exitCorrupt: {"none"},
	} {
		for _, line := range lines {
			expect(t, status, append([]string{"serve", "--listen", "127.0.0.1:0"}, strings.Fields(line)...)...)
		}
	}
}
