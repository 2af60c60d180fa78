//go:build unix

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/metadata"

	"github.com/h5arrow/h5arrow/h5/h5test"
)

// puts sends tables by pyarrow's client, with names that it must not use, a wrong token, and more than the server takes.
const puts = `
import sys
import pyarrow as pa, pyarrow.flight as fl
def options(token): return fl.FlightCallOptions(headers=[(b"authorization", b"Bearer " + token)])
client, good = fl.connect(sys.argv[1]), options(b"good")
def put(path, table, options=good, rows=1000):
    writer, reader = client.do_put(fl.FlightDescriptor.for_path(*path), table.schema, options)
    with writer:
        writer.write_table(table, rows)
        writer.done_writing()
        return reader.read().to_pybytes()
def get(path):
    info = client.get_flight_info(fl.FlightDescriptor.for_path(*path), good)
    return pa.concat_tables(client.do_get(e.ticket, good).read_all() for e in info.endpoints)
def refused(what, path, table=None, **kw):
    try:
        put(path, small if table is None else table, **kw)
    except (fl.FlightError, pa.ArrowException) as e:
        assert what in str(e), (path, str(e))
        assert sys.argv[2] not in str(e), str(e)
    else:
        raise SystemExit("%r was taken" % (path,))
n = 5000
table = pa.table({"x": pa.array([i if i % 7 else None for i in range(n)], pa.int32()), "s": [None if i % 5 == 0 else "text %d" % i for i in range(n)],
    "d": pa.array([["a", "b", None][i % 3] for i in range(n)]).dictionary_encode(), "l": [[i] * (i % 3) if i % 11 else None for i in range(n)],
    "t": pa.array(range(n), pa.timestamp("ms", "UTC"))})
small = pa.table({"x": [1.5]})
assert put(["new.h5"], table) == b'{"rows":5000}'
assert get(["new.h5"]).equals(table), get(["new.h5"])
put(["sub/x.hdf5", "/a/b"], small)
assert get(["sub/x.hdf5", "/a/b"]).equals(small)
empty = table.slice(0, 0)
put(["empty.h5"], empty)
for path in ["../out.h5", "/tmp/out.h5", "sub/../../out.h5", "..", "", ".", ".hidden.h5", "sub/.h/x.h5", "x.txt", "x.h5~", "back\\slash.h5", "a:b.h5", "c\n.h5", "a//b.h5", "\u0000.h5"]:
    refused("name of a file", [path])
refused("", ["link/out.h5"])
refused("", ["nowhere/out.h5"])
refused("name", ["new.h5"])
refused("parts", ["a.h5", "b", "c"])
refused("token", ["wrong.h5"], options=options(b"bad"))
large = pa.table({"x": pa.array(range(3 << 20), pa.int64())})
refused("larger than", ["message.h5"], large, rows=3 << 20)
refused("larger than the server takes", ["large.h5"], large, rows=100000)
refused("map", ["map.h5"], pa.table({"m": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int32()))}))
`

// TestServePut has pyarrow's client send tables.
func TestServePut(t *testing.T) {
	py := h5test.Python(t, "pyarrow.flight")
	if py == "" {
		t.Skip("no Python with pyarrow")
	}
	dir := putFolder(t)
	s := started(t, "--writable", filepath.Join(dir, "in"), "--token-file", filepath.Join(dir, "tokens"), "--max-put", "20MiB")
	var out bytes.Buffer
	cmd := exec.Command(py, "-c", puts, "grpc://"+s.address, dir)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Errorf("%v: %s", err, out.String())
	}
	if got, want := names(t, dir), []string{"in/empty.h5", "in/link", "in/new.h5", "in/sub/x.hdf5", "tokens"}; !slices.Equal(got, want) {
		t.Errorf("there are %q, want %q", got, want)
	}
	expect(t, 0, "check", "--deep", filepath.Join(dir, "in", "new.h5"))
	vanish(t, s, dir)
	if code := s.end(t, syscall.SIGTERM); code != 0 {
		t.Errorf("status %d: %s", code, s.stderr)
	}
	if got := names(t, dir); len(got) != 5 {
		t.Errorf("there are %q", got)
	}
}

// TestServePutOverwrites has a client replace a file, which a server without --overwrite refuses.
func TestServePutOverwrites(t *testing.T) {
	dir := putFolder(t)
	name := filepath.Join(dir, "in", "x.h5")
	s := started(t, filepath.Join(dir, "in"), "--writable", filepath.Join(dir, "in"), "--overwrite")
	for _, n := range []int{3, 5} {
		stream := putting(t, s, context.Background(), "x.h5", n)
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
		if rows := strings.Count(expect(t, 0, "head", name, "--json").out, `"x"`); rows != n {
			t.Errorf("%d rows, want %d", rows, n)
		}
	}
	closed := started(t, filepath.Join(dir, "in"))
	stream := putting(t, closed, context.Background(), "y.h5", 1)
	if _, err := stream.Recv(); err == nil {
		t.Error("a server without --writable takes a table")
	}
	if got, want := names(t, dir), []string{"in/link", "in/x.h5", "tokens"}; !slices.Equal(got, want) {
		t.Errorf("there are %q, want %q", got, want)
	}
}

// putFolder makes a folder with a token, and one to write to with a link that leads out of it.
func putFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	err := os.MkdirAll(filepath.Join(dir, "in", "sub"), 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "tokens"), []byte("good\n"), 0o600)
	}
	if err == nil {
		err = os.Symlink(dir, filepath.Join(dir, "in", "link"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// names returns the paths of all that is in a folder, without folders.
func names(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			out = append(out, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// putting starts to send a table of n rows.
func putting(t *testing.T, s *server, ctx context.Context, file string, n int) flight.FlightService_DoPutClient {
	t.Helper()
	stream, err := s.client(t).DoPut(ctx)
	if err != nil {
		t.Fatal(err)
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int64}}, nil)
	w := flight.NewRecordWriter(stream, ipc.WithSchema(schema))
	w.SetFlightDescriptor(&flight.FlightDescriptor{Type: flight.DescriptorPATH, Path: []string{file}})
	b := array.NewInt64Builder(memory.DefaultAllocator)
	b.AppendValues(make([]int64, n), nil)
	w.Write(array.NewRecordBatch(schema, []arrow.Array{b.NewArray()}, int64(n))) // a server that takes nothing ends the stream
	return stream
}

// vanish has clients go away while the server writes what they send.
func vanish(t *testing.T, s *server, dir string) {
	t.Helper()
	for range 5 {
		ctx, cancel := context.WithCancel(metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer good"))
		putting(t, s, ctx, "vanished.h5", 100000)
		h5test.Eventually(t, 20*time.Second, func() bool { return len(names(t, dir)) == 6 })
		cancel()
		h5test.Eventually(t, 20*time.Second, func() bool { return len(names(t, dir)) == 5 })
	}
}
