package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/webserver"
	"github.com/h5arrow/h5arrow/h5/source/remote"
)

// put serves a file and returns its URL.
func put(t testing.TB, s *webserver.Server, name string) string {
	t.Helper()
	return s.Put("/"+filepath.Base(name), readFile(t, name))
}

// tablesOf writes all tables of a file and returns the status, the message and the bytes of each, by name.
func tablesOf(t *testing.T, name string, flags ...string) (status int, message string, files map[string][]byte) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	r := command(t, append([]string{"convert", "--all-tables", "--quiet", "--format", "arrow", name, dir}, flags...)...)
	files = map[string][]byte{}
	found, _ := filepath.Glob(dir + "/*") // none after an error
	for _, f := range found {
		files[filepath.Base(f)] = readFile(t, f)
	}
	return r.status, r.err, files
}

// sameOverHTTP compares the tables of a URL with those of a path. Chunks may be larger than the strict rules for URLs let them be:
// those that PyTables makes with Blosc2 are as large as the last cache of the processor that wrote them.
func sameOverHTTP(t *testing.T, s *webserver.Server, name string) {
	t.Helper()
	url := put(t, s, name)
	local, far := []string{"--io", "read"}, []string{"--limit", "decoded-bytes=4294967296"} // mapped runs of chunks may be batches of their own
	status, message, want := tablesOf(t, name, local...)
	got, gotMessage, files := tablesOf(t, url, far...)
	if status == exitUnsupported || got == exitUnsupported || status == exitCorrupt {
		status, message, want = tablesOf(t, name, append(local, "--skip-unsupported")...)
		got, gotMessage, files = tablesOf(t, url, append(far, "--skip-unsupported")...)
	}
	if got != status || strings.ReplaceAll(gotMessage, url, name) != message {
		t.Errorf("%s: status %d, want %d: %s", name, got, status, gotMessage)
	}
	for f, data := range want {
		if !bytes.Equal(data, files[f]) {
			t.Errorf("%s: %s: %d bytes differ from %d", name, f, len(files[f]), len(data))
		}
	}
	if len(files) != len(want) {
		t.Errorf("%s: %d files, want %d", name, len(files), len(want))
	}
}

// sameInspect compares what inspect prints of a URL and of a path.
func sameInspect(t *testing.T, s *webserver.Server, name string) {
	t.Helper()
	url := put(t, s, name)
	local, over := command(t, "inspect", "--json", "--io", "read", name).out, command(t, "inspect", "--json", url).out
	how := regexp.MustCompile(`, "io": \{[^}]*\}|"file": "[^"]*"`)
	if l, o := how.ReplaceAllString(local, ""), how.ReplaceAllString(over, ""); l != strings.ReplaceAll(o, url, name) {
		t.Errorf("%s: inspect prints\n%s\nwant\n%s", name, o, l)
	}
}

// TestURLs reads the test files over HTTP.
func TestURLs(t *testing.T) {
	s := webserver.New(t)
	for _, name := range h5test.Fixtures(t) {
		switch filepath.Base(name) {
		case "linked.h5", "external.h5", "vds.h5": // refer to other files
			continue
		}
		sameOverHTTP(t, s, name)
		sameInspect(t, s, name)
	}
	for _, name := range []string{"mixed.h5", "two.h5", "broken.h5", "half.h5"} {
		sameOverHTTP(t, s, filepath.Join("testdata", name))
		sameInspect(t, s, filepath.Join("testdata", name))
	}
}

// TestURLsUnderFaults has every tenth answer fail in one way or another.
func TestURLsUnderFaults(t *testing.T) {
	s := webserver.New(t)
	kinds := []webserver.Fault{webserver.Unavailable, webserver.Cut, webserver.WrongRange, webserver.Reset}
	s.Break(func(n int, _ webserver.Request) webserver.Fault {
		if n%10 == 3 {
			return kinds[n/10%len(kinds)]
		}
		return webserver.None
	})
	for range 3 {
		sameOverHTTP(t, s, h5test.Fixture(t, "sample.h5"))
	}
}

// TestURLCases reads the interoperability cases over HTTP.
func TestURLCases(t *testing.T) {
	dir := os.Getenv("H5ARROW_CASES")
	if dir == "" {
		t.Skip("H5ARROW_CASES is not set")
	}
	s := webserver.New(t)
	n := 0
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if info, e := os.Stat(name); err != nil || e != nil || !strings.Contains(".h5.nc.h5ad.loom.hdf5.mat", filepath.Ext(name)) || info.IsDir() || info.Size() > 4<<20 {
			return err
		}
		n++
		if filepath.Base(name) != "external.h5" { // its values are in another file, which is refused
			sameOverHTTP(t, s, name)
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Errorf("%d files: %v", n, err)
	}
}

// ioOf returns what a summary says about requests.
func ioOf(t *testing.T, summary string) remote.Counts {
	t.Helper()
	var got struct{ IO *remote.Counts }
	if err := json.Unmarshal([]byte(summary), &got); err != nil || got.IO == nil {
		t.Fatalf("no counts: %v in %s", err, summary)
	}
	return *got.IO
}

// TestURLCounts compares the counts of each verb with the server's.
func TestURLCounts(t *testing.T) {
	s := webserver.New(t)
	name := h5test.Fixture(t, "sample.h5")
	url := put(t, s, name) + "?signature=secret"
	for _, args := range [][]string{{"inspect", url, "--json"}, {"convert", url, filepath.Join(t.TempDir(), "x.arrow"), "--json", "--columns", "fare"}} {
		s.Reset()
		r := expect(t, 0, args...)
		c := ioOf(t, r.out)
		if c.Requests != int64(len(s.Requests())) || c.Bytes != s.Bytes() || c.Requests == 0 {
			t.Errorf("%q: %+v, the server counts %d requests, %d bytes", args[0], c, len(s.Requests()), s.Bytes())
		}
		if strings.Contains(r.out+r.err, "secret") {
			t.Errorf("%q: prints the signature", args[0])
		}
	}
	if engine.Available {
		s.Reset()
		r := expect(t, 0, "query", url, `select sum(fare) from "table"`, "--stats", "--csv")
		if c := ioOf(t, r.err); c.Requests != int64(len(s.Requests())) || c.Bytes != s.Bytes() {
			t.Errorf("query: %+v, the server counts %d requests, %d bytes", c, len(s.Requests()), s.Bytes())
		}
	}
	if r := expect(t, 0, "inspect", name, "--json"); strings.Contains(r.out, `"io"`) {
		t.Error("a local file has counts")
	}
	s.Reset()
	r := expect(t, 0, "head", url, "-n", "1", "--trace-io")
	if n := strings.Count(r.err, "h5arrow: GET "+s.URL+"/sample.h5 bytes="); n != len(s.Requests()) || n == 0 || strings.Contains(r.err, "secret") {
		t.Errorf("--trace-io prints\n%s\nof %d requests", r.err, len(s.Requests()))
	}
	expect(t, 0, "check", "--deep", url)
}

// TestURLRefused has one line, and status 1 for what the network or the server did.
func TestURLRefused(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/private.h5":
			if r.Header.Get("X-Token") != "t" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			w.Write(readFile(t, "testdata/two.h5"))
		case "/text.h5":
			fmt.Fprint(w, "not an HDF5 file")
		default:
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for _, verb := range [][]string{{"inspect"}, {"head"}, {"check"}, {"convert", "OUT"}} {
		for url, want := range map[string]struct {
			status int
			text   string
		}{
			s.URL + "/gone.h5":               {exitFailed, "no such object: 404 Not Found"},
			s.URL + "/private.h5?key=secret": {exitFailed, "access is denied: 403 Forbidden"},
			closed.URL + "/x.h5":             {exitFailed, "can't reach the server"},
			s.URL + "/text.h5":               {exitCorrupt, "no HDF5 signature"},
			"abfs://a/b.h5":                  {exitUsage, "no storage account"},
		} {
			args := append([]string{verb[0], url}, verb[1:]...)
			if verb[0] == "convert" {
				args[2] = filepath.Join(t.TempDir(), "x.arrow")
			}
			if verb[0] == "check" && want.status != exitFailed {
				continue // prints a line on stdout
			}
			r := expect(t, want.status, args...)
			if !strings.Contains(r.err, want.text) || strings.Contains(r.err, "secret") {
				t.Errorf("%q: %s, want %s", args, r.err, want.text)
			}
		}
	}
	expect(t, 0, "inspect", s.URL+"/private.h5", "--header", "X-Token: t")
	for _, args := range [][]string{{"inspect", s.URL + "/private.h5", "--header", "X-Token"}, {"inspect", s.URL, "--header", "Range: bytes=0-1"},
		{"convert", s.URL + "/private.h5", "x.arrow", "--follow"}, {"inspect", "http://"}} {
		expect(t, exitUsage, args...)
	}
}

// TestURLWide bounds the requests for a file of 10,000 columns, each a group and a dataset, and those for one of them.
func TestURLWide(t *testing.T) {
	s := webserver.New(t)
	data := h5test.Wide(10000)
	url := s.Put("/wide.h5", data)
	r := expect(t, 0, "inspect", url, "--json")
	if n := len(s.Requests()); n > 40 || s.Bytes() > int64(len(data))+1<<20 || !strings.Contains(r.out, "c09999") {
		t.Errorf("%d requests, %d bytes of %d", n, s.Bytes(), len(data))
	}
}

// chunkedFile writes 20 columns of 400,000 doubles, whose chunks alternate in the file as they do if all are appended to in turn.
const chunkedFile = `
import sys, h5py, numpy as np
with h5py.File(sys.argv[1], "w") as f:
    d = [f.create_dataset("t/c%02d" % i, (0,), "f8", maxshape=(None,), chunks=(20000,)) for i in range(20)]
    for a in range(0, 400000, 40000):
        for i, c in enumerate(d):
            c.resize((a + 40000,))
            c[a:] = np.arange(a, a + 40000) * (i + 1.)
`

// TestURLColumn bounds what one column of a chunked file costs: its stored bytes and 2 MiB, 12 requests and one for each 8 MiB.
// In this file it has ten runs of chunks with the other columns between them, which is one request each.
func TestURLColumn(t *testing.T) {
	name := filepath.Join(t.TempDir(), "chunked.h5")
	py := h5test.Python(t, "h5py", "numpy")
	if py == "" {
		t.Skip("no Python with h5py")
	}
	if out, err := exec.Command(py, "-c", chunkedFile, name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s := webserver.New(t)
	url := put(t, s, name)
	out := filepath.Join(t.TempDir(), "x.arrow")
	expect(t, 0, "convert", url, out, "--table", "/t", "--columns", "c07")
	if n := len(s.Requests()); n > 22 || s.Bytes() > 3_200_000+2<<20 {
		t.Errorf("%d requests, %d bytes", n, s.Bytes())
	}
	expect(t, 0, "convert", name, out+".local.arrow", "--table", "/t", "--columns", "c07", "--io", "read")
	if !bytes.Equal(readFile(t, out), readFile(t, out+".local.arrow")) {
		t.Error("other bytes than from the path")
	}
	s.Reset()
	expect(t, 0, "convert", url, out, "--force", "--table", "/t", "--columns", "c07", "--rows", "100000:100100")
	if s.Bytes() > 2<<20 {
		t.Errorf("100 rows cost %d bytes", s.Bytes())
	}
}
