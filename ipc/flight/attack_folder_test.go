//go:build attack && linux

package flight

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/write"
)

// Values of the tables that are served, and of those that must not be.
const (
	served = 42.5
	secret = 1234.5
)

// folder is a directory with a folder "served" and a folder "secret" beside it.
type folder struct {
	t   *testing.T
	dir string
}

// place returns a path in the directory, whose folder it makes.
func (f folder) place(name string) string {
	f.t.Helper()
	p := filepath.Join(f.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
		f.t.Fatal(err)
	}
	return p
}

// table writes an HDF5 file with what build makes.
func (f folder) table(name string, build func(w *write.File) error) {
	f.t.Helper()
	written.File(f.t, f.place(name), build)
}

// constant returns a function that makes a table /t of one column /t/a.
func constant(value float64) func(w *write.File) error {
	return func(w *write.File) error {
		d, err := w.Dataset("/t/a", write.Spec{Type: float64s, Space: write.Shape(100)})
		if err != nil {
			return err
		}
		return d.Write(bytes.Repeat(binary.LittleEndian.AppendUint64(nil, math.Float64bits(value)), 100))
	}
}

// references are the ways in which a table can take its values from another file.
var references = map[string]func(w *write.File, target string) error{
	"link": func(w *write.File, target string) error { return w.ExternalLink("/t/a", target, "/t/a") },
	"virtual": func(w *write.File, target string) error {
		_, err := w.Dataset("/t/a", write.Spec{Type: float64s, Space: write.Shape(100), Storage: h5.StorageVirtual,
			Virtual: []h5.VirtualMapping{{File: target, Dataset: "/t/a", Source: h5.Selection{All: true}, Virtual: h5.Selection{All: true}}}})
		return err
	},
	"raw": func(w *write.File, target string) error {
		_, err := w.Dataset("/t/a", write.Spec{Type: float64s, Space: write.Shape(100), Storage: h5.StorageExternal,
			External: []h5.ExternalExtent{{Name: target, Size: 800}}})
		return err
	},
}

// leaky fills a directory: tables that may be served, and many ways that lead out of it. It returns the names of the files that
// refer to others.
func leaky(t *testing.T) (f folder, referring []string) {
	f = folder{t, t.TempDir()}
	raw := bytes.Repeat(binary.LittleEndian.AppendUint64(nil, math.Float64bits(secret)), 100)
	for _, name := range []string{"secret/values.raw", "served/values.raw", "served/key.pem"} {
		if err := os.WriteFile(f.place(name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f.table("secret/secret.h5", constant(secret))
	f.table("served/inside.h5", constant(served))
	f.table("served/sub/inside.h5", constant(served))
	f.table("served/.hidden.h5", constant(secret))
	for link, target := range map[string]string{"through.h5": "../secret/secret.h5", "absolute.h5": f.place("secret/secret.h5"), "dir": "../secret", "root": "/",
		"raw.raw": "../secret/values.raw", "environ.h5": "/proc/self/environ"} {
		if err := os.Symlink(target, f.place("served/"+link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(f.place("served/fifo.h5"), 0o600); err != nil {
		t.Fatal(err)
	}
	targets := map[string]string{"up": "../secret/secret.h5", "absolute": f.place("secret/secret.h5"), "around": "sub/../../secret/secret.h5", "symlink": "through.h5",
		"folder": "dir/secret.h5", "root": "root" + f.place("secret/secret.h5"), "values": "../secret/values.raw", "beside": "values.raw", "key": "key.pem", "swap": "swap.h5",
		"rawlink": "raw.raw", "inside": "inside.h5", "fifo": "fifo.h5", "device": "/dev/zero"}
	for kind, build := range references {
		for name, target := range targets {
			file := kind + "-" + name + ".h5"
			f.table("served/"+file, func(w *write.File) error { return build(w, target) })
			referring = append(referring, file)
		}
	}
	return f, referring
}

// steal reads the column a of a table, and returns its first value.
func steal(c flight.Client, d *flight.FlightDescriptor) (float64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	defer cancel()
	info, err := c.GetFlightInfo(ctx, d)
	if err != nil {
		return 0, err
	}
	stream, err := c.DoGet(ctx, info.Endpoint[0].Ticket)
	if err != nil {
		return 0, err
	}
	r, err := flight.NewRecordReader(stream)
	if err != nil {
		return 0, err
	}
	defer r.Release()
	value := math.NaN()
	for r.Next() {
		if a, ok := r.RecordBatch().Column(0).(*array.Float64); ok && a.Len() > 0 && a.IsValid(0) {
			value = a.Value(0)
		}
	}
	return value, r.Err()
}

// outcome judges an answer: neither the secret nor the server's folders may be in it.
func (f folder) outcome(what string, value float64, err error) codes.Code {
	f.t.Helper()
	if value == secret {
		f.t.Errorf("%s: the secret was served", what)
	}
	known := strings.NewReplacer(what, "", f.place("secret/secret.h5"), "") // what was asked for, and what files have as text
	if err != nil && what != "" && strings.Contains(known.Replace(err.Error()), f.dir) {
		f.t.Errorf("%s: the message names a folder of the server: %v", what, err)
	}
	if code := status.Code(err); code == codes.Unknown || code == codes.Internal || code == codes.DeadlineExceeded {
		f.t.Errorf("%s: %v", what, err)
	}
	return status.Code(err)
}

// No name, symbolic link, reference in a file, pattern or ticket leads out of the folder that is served.
func TestAttackFolder(t *testing.T) {
	f, referring := leaky(t)
	v := attacked(t, setup{Paths: []string{f.place("served")}, Dataset: "/t/a"})
	c := v.dial(t)
	var answers tally
	for _, file := range referring {
		since := time.Now()
		value, err := steal(c, pathOf(file, "/t/a"))
		answers.add(err, since)
		f.outcome(file, value, err)
		inside := strings.HasSuffix(file, "-inside.h5") && !strings.HasPrefix(file, "raw")
		if inside != (err == nil && value == served) {
			t.Errorf("%s: %v, %v", file, value, err)
		}
	}
	t.Logf("files that refer to others: %v", &answers)
	outside := f.place("secret/secret.h5")
	names := []string{"../secret/secret.h5", outside, outside[1:], "root" + outside, "root/" + outside[1:], "sub/../../secret/secret.h5", "inside.h5/../../secret/secret.h5", `..\secret\secret.h5`,
		"%2e%2e/secret/secret.h5", "..%2fsecret%2fsecret.h5", "file://" + outside, "//secret/secret.h5", "./../secret/secret.h5", "dir/secret.h5", "through.h5", "absolute.h5",
		"environ.h5", "fifo.h5", ".hidden.h5", "key.pem", "values.raw", "/proc/self/environ", "/dev/zero", "", ".", "..", "sub", "inside.h5/", "inside.h5\x00../secret/secret.h5",
		strings.Repeat("../", 1000) + outside[1:], strings.Repeat("a/", 100_000), strings.Repeat("a", 1<<19), "\u2025/secret/secret.h5", "INSIDE.H5", "con", "*.h5", "~/secret.h5", "$HOME"}
	var byName tally
	for _, name := range names {
		command, err := json.Marshal(map[string]string{"file": name, "table": "/t/a"})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range []*flight.FlightDescriptor{pathOf(name), pathOf(name, "/t/a"), pathOf("inside.h5", name), commandOf(string(command))} {
			since := time.Now()
			value, err := steal(c, d)
			byName.add(err, since)
			f.outcome(name, value, err)
			if err == nil && name != "" { // the only table of a file needs no name
				t.Errorf("%.100q is served", name)
			}
		}
		f.listed(c, name)
	}
	t.Logf("%d names, each in four ways: %v", len(names), &byName)
	v.figures(t, Stats{Connections: 1, Streams: 1, Memory: DefaultMaxMemory}, 256<<20)
}

// listed lists the flights that match a pattern, and fails the test if one of them leads outside.
func (f folder) listed(c flight.Client, pattern string) {
	f.t.Helper()
	stream, err := c.ListFlights(context.Background(), &flight.Criteria{Expression: []byte(pattern)})
	for err == nil {
		var info *flight.FlightInfo
		if info, err = stream.Recv(); err == nil {
			if name := info.FlightDescriptor.Path[0]; strings.Contains(name, "secret") || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "root") {
				f.t.Errorf("%q lists %s", pattern, name)
			}
		}
	}
	if err.Error() != "EOF" {
		f.outcome(pattern, 0, err)
	}
}

// A file that is exchanged for a symbolic link again and again, while clients ask for it and for what refers to it, never leads
// outside.
func TestAttackSwap(t *testing.T) {
	f, _ := leaky(t)
	v := attacked(t, setup{Paths: []string{f.place("served")}, Dataset: "/t/a"})
	good, bad, name := f.place("served/good.tmp"), f.place("served/bad.tmp"), f.place("served/swap.h5")
	stop := make(chan struct{})
	var swaps int
	var swapping, asking sync.WaitGroup
	swapping.Go(func() {
		for ; ; swaps++ {
			select {
			case <-stop:
				return
			default:
			}
			err := os.Symlink("../secret/secret.h5", bad)
			if err == nil {
				err = os.Rename(bad, name)
			}
			if err == nil {
				err = os.Link(f.place("served/inside.h5"), good)
			}
			if err == nil {
				err = os.Rename(good, name)
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	var answers tally
	for _, file := range []string{"swap.h5", "link-swap.h5", "virtual-swap.h5", "raw-swap.h5"} {
		c := v.dial(t)
		asking.Go(func() {
			for range 2000 {
				since := time.Now()
				value, err := steal(c, pathOf(file, "/t/a"))
				answers.add(err, since)
				f.outcome(file, value, err)
			}
		})
	}
	asking.Wait()
	close(stop)
	swapping.Wait()
	t.Logf("%d exchanges: %v", swaps, &answers)
	v.figures(t, Stats{Connections: 4, Streams: 4, Memory: DefaultMaxMemory}, 256<<20)
}

// Tickets that were altered anywhere, cut, or issued by another server are refused.
func TestAttackTickets(t *testing.T) {
	f, _ := leaky(t)
	v, other := attacked(t, setup{Paths: []string{f.place("served")}}), attacked(t, setup{Paths: []string{f.place("secret")}})
	c := v.dial(t)
	good := firstTicketOf(t, c, "inside.h5", context.Background())
	forged := [][]byte{firstTicketOf(t, other.dial(t), "secret.h5", context.Background()), bytes.Repeat(good, 2), bytes.Repeat([]byte{0}, 1<<19)}
	for i := range good {
		forged = append(forged, good[:i])
		for bit := range 8 {
			b := bytes.Clone(good)
			b[i] ^= 1 << bit
			forged = append(forged, b)
		}
	}
	var answers tally
	for _, tkt := range forged {
		since := time.Now()
		err := fail(c, context.Background(), tkt)
		answers.add(err, since)
		f.outcome("a ticket", 0, err)
	}
	t.Logf("%d forged tickets: %v", len(forged), &answers)
	answers.only(t, codes.PermissionDenied, codes.InvalidArgument)
	if err := fail(c, context.Background(), good); err != nil {
		t.Error(err)
	}
}
