//go:build attack && linux

package flight

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/ipc/flight/catalog"
)

// The attacks take minutes and measure, so they are not among the quick tests: make attack runs them. Each attacks a server in a
// process of its own, so that its memory is not that of its clients.

// setupVariable is the variable of the environment that makes the test program a server: a setup in JSON.
const setupVariable = "H5ARROW_ATTACK_SERVER"

// setup is what a server is started with. Zero values are the defaults of the options.
type setup struct {
	Paths                         []string
	Dataset                       string // serve this as a table, not those that are found
	Tokens                        []string
	Memory, ClientMemory          int64
	FirstCall, SendTimeout        time.Duration
	Connections, ClientsOfAddress int
	Streams                       int
	BatchRows                     int64
}

func (s *setup) options() (opts []Option) {
	for _, o := range []struct {
		given  bool
		option Option
	}{
		{s.Memory > 0, WithMaxMemory(s.Memory)}, {s.ClientMemory > 0, WithClientMemory(s.ClientMemory)}, {s.FirstCall > 0, WithFirstCall(s.FirstCall)},
		{s.SendTimeout > 0, WithSendTimeout(s.SendTimeout)}, {s.Connections > 0, WithMaxConnections(s.Connections)},
		{s.ClientsOfAddress > 0, WithAddressConnections(s.ClientsOfAddress)}, {s.Streams > 0, WithMaxStreams(s.Streams)}, {s.BatchRows > 0, WithBatchRows(s.BatchRows)},
	} {
		if o.given {
			opts = append(opts, o.option)
		}
	}
	return opts
}

// report is the state of a server. Its Max has the largest values that it has had.
type report struct {
	Now, Max    Stats
	Peak        int64 // largest resident set, in bytes
	Descriptors int
}

func TestMain(m *testing.M) {
	text := os.Getenv(setupVariable)
	if text == "" {
		os.Exit(m.Run())
	}
	if err := beServer(text, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// beServer is a server until its input ends. Its first line is its address. A line of input is a token to withdraw, or empty;
// the answer is a report.
func beServer(text string, in io.Reader, out io.Writer) error {
	var s setup
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	opts := s.options()
	known := &tokenSet{}
	if len(s.Tokens) > 0 {
		known.set(s.Tokens)
		opts = append(opts, WithTokenCheck(known.has))
	}
	if s.Memory > 0 { // as the command has it: half of the memory is for streams
		debug.SetMemoryLimit(2 * s.Memory / 8 * 7)
	}
	var found []catalog.Option
	if s.Dataset != "" {
		found = append(found, catalog.WithTables(func(f *arrowmap.File) ([]*arrowmap.Table, error) {
			table, err := f.Datasets(s.Dataset)
			if err != nil {
				return nil, err
			}
			return []*arrowmap.Table{table}, nil
		}))
	}
	files, err := catalog.Open(s.Paths, found...)
	if err != nil {
		return err
	}
	defer files.Close()
	server, err := New(files, opts...)
	if err != nil {
		return err
	}
	defer server.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go server.Serve(l) // until Close
	fmt.Fprintln(out, l.Addr())
	w := &watcher{server: server}
	go w.watch()
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if token := lines.Text(); token != "" {
			known.set(slices.DeleteFunc(slices.Clone(s.Tokens), func(t string) bool { return t == token }))
		}
		r, err := w.report()
		if err != nil {
			return err
		}
		if err := json.NewEncoder(out).Encode(r); err != nil {
			return err
		}
	}
	return lines.Err()
}

// tokenSet is tokens that may be withdrawn.
type tokenSet struct {
	mu   sync.Mutex
	list *Tokens
}

func (s *tokenSet) set(tokens []string) {
	list, err := NewTokens(tokens...)
	if err != nil {
		panic(err) // of the setup
	}
	s.mu.Lock()
	s.list = list
	s.mu.Unlock()
}

func (s *tokenSet) has(token string) bool {
	s.mu.Lock()
	list := s.list
	s.mu.Unlock()
	return list.Has(token)
}

// watcher remembers the largest load of a server.
type watcher struct {
	server *Server
	mu     sync.Mutex
	max    Stats
}

func (w *watcher) watch() {
	for range time.Tick(2 * time.Millisecond) {
		w.look()
	}
}

func (w *watcher) look() (now, largest Stats) {
	now = w.server.Stats()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.max = Stats{max(w.max.Connections, now.Connections), max(w.max.Streams, now.Streams), max(w.max.Waiting, now.Waiting), max(w.max.Memory, now.Memory),
		max(w.max.Files, now.Files)}
	return now, w.max
}

func (w *watcher) report() (r report, err error) {
	r.Now, r.Max = w.look()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return r, err
	}
	r.Descriptors = len(list)
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return r, err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			r.Peak = n << 10
			return r, err
		}
	}
	return r, fmt.Errorf("no VmHWM in /proc/self/status")
}

// victim is a server in a process of its own.
type victim struct {
	*place
	in  io.Writer
	out *bufio.Reader
}

// attacked starts a server, which is stopped when the test ends.
func attacked(t *testing.T, s setup) *victim {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), setupVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	v := &victim{in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server: %v", err)
		}
	})
	line, err := v.out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	v.place = &place{address: strings.TrimSpace(line)}
	return v
}

// tell withdraws a token unless it is "", and returns the server's state.
func (v *victim) tell(t *testing.T, token string) (r report) {
	t.Helper()
	if _, err := fmt.Fprintln(v.in, token); err != nil {
		t.Fatal(err)
	}
	line, err := v.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (v *victim) state(t *testing.T) report {
	t.Helper()
	return v.tell(t, "")
}

// patient is how long an attack waits for what must happen: timeouts of the server on a loaded machine.
const patient = 2 * time.Minute

// await waits until the state of the server satisfies cond, and returns how long that took.
func (v *victim) await(t *testing.T, what string, cond func(report) bool) time.Duration {
	t.Helper()
	since := time.Now()
	for tick := time.Tick(10 * time.Millisecond); !cond(v.state(t)); <-tick {
		if time.Since(since) > patient {
			t.Fatalf("%s: not within %v: %+v", what, patient, v.state(t))
		}
	}
	return time.Since(since)
}

// figures prints what the server needed, and fails the test if it was more than its limits.
func (v *victim) figures(t *testing.T, limit Stats, peak int64) {
	t.Helper()
	r := v.state(t)
	t.Logf("server: at most %d connections, %d streams, %d MiB for streams, resident %d MiB", r.Max.Connections, r.Max.Streams, r.Max.Memory>>20, r.Peak>>20)
	if r.Max.Connections > limit.Connections || r.Max.Streams > limit.Streams || r.Max.Memory > limit.Memory || r.Peak > peak {
		t.Errorf("the limits are %+v and %d MiB resident", limit, peak>>20)
	}
}

// withToken is the context of a call with a token.
func withToken(ctx context.Context, token string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
}

// fetch reads a table, and returns how many rows it has.
func fetch(ctx context.Context, c flight.Client, d *flight.FlightDescriptor) (rows int64, err error) {
	info, err := c.GetFlightInfo(ctx, d)
	if err != nil {
		return 0, err
	}
	for _, e := range info.Endpoint {
		stream, err := c.DoGet(ctx, e.Ticket)
		if err != nil {
			return rows, err
		}
		r, err := flight.NewRecordReader(stream)
		if err != nil {
			return rows, err
		}
		for r.Next() {
			rows += r.RecordBatch().NumRows()
		}
		err = r.Err()
		r.Release()
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// from is a client at another address of this machine: the whole of 127.0.0.0/8 is.
func from(host int) grpc.DialOption {
	return grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(host))}}
		return d.DialContext(ctx, "tcp", address)
	})
}

// tally counts answers and how long they took. Several goroutines may use it.
type tally struct {
	mu    sync.Mutex
	times map[codes.Code][]time.Duration
}

func (a *tally) add(err error, since time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.times == nil {
		a.times = map[codes.Code][]time.Duration{}
	}
	a.times[status.Code(err)] = append(a.times[status.Code(err)], time.Since(since))
}

func (a *tally) count(code codes.Code) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.times[code])
}

// only fails the test if there are answers with other codes.
func (a *tally) only(t *testing.T, allowed ...codes.Code) {
	t.Helper()
	for code, list := range a.times {
		if !slices.Contains(allowed, code) {
			t.Errorf("%d answers are %v, allowed are %v", len(list), code, allowed)
		}
	}
}

// String lists the codes with the number of answers and the shortest, middle and longest time.
func (a *tally) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var parts []string
	for code := codes.OK; code <= codes.Unauthenticated; code++ {
		if list := slices.Sorted(slices.Values(a.times[code])); len(list) > 0 {
			short := func(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
			parts = append(parts, fmt.Sprintf("%d %v in %v to %v, median %v", len(list), code, short(list[0]), short(list[len(list)-1]), short(list[len(list)/2])))
		}
	}
	return strings.Join(parts, "; ")
}
