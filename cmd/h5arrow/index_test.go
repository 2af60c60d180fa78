package main

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/webserver"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/write"
)

// withoutIO returns what inspect prints as JSON but for the counts.
func withoutIO(s string) string {
	s, _, _ = strings.Cut(s, `, "io": `)
	return s
}

// TestIndexURL opens a file with its index, in a file, at a URL and beside the object: at most three requests that are not data.
func TestIndexURL(t *testing.T) {
	s := webserver.New(t)
	url := s.Put("/wide.h5", h5test.Wide(4000))
	index := filepath.Join(t.TempDir(), "x.h5idx")
	s.Reset()
	r := expect(t, 0, "index", url, index, "--json")
	if n := len(s.Requests()); ioOf(t, r.out).Requests != int64(n) || n > 40 {
		t.Errorf("index: %d requests: %s", n, r.out)
	}
	want := withoutIO(expect(t, 0, "inspect", url, "--json", "--index", "auto").out) // there is none yet
	at := func(requests int, args ...string) {
		t.Helper()
		s.Reset()
		r := expect(t, 0, append([]string{"inspect", url, "--json"}, args...)...)
		if n := len(s.Requests()); n > requests || ioOf(t, r.out).Requests != int64(n) || withoutIO(r.out) != want || r.err != "" {
			t.Errorf("%q: %d requests, want %d; %s", args, n, requests, r.err)
		}
	}
	at(1, "--index", index)
	at(3, "--index", put(t, s, index))
	s.Put("/wide.h5.h5idx", readFile(t, index))
	at(3, "--index", "auto")
	dir := t.TempDir()
	at(3, "--index", "auto", "--cache", dir)
	at(2, "--index", "auto", "--cache", dir)

	s.Put("/wide.h5.h5idx", append([]byte("x"), readFile(t, index)...))
	if r := expect(t, 0, "inspect", url, "--index", "auto"); !strings.Contains(r.err, "the index is not used") || !strings.Contains(r.err, "not an index") {
		t.Error(r.err)
	}
	s.Put("/wide.h5.h5idx", readFile(t, index))
	s.Put("/wide.h5", h5test.Wide(4001))
	if r := expect(t, 0, "inspect", url, "--index", "auto", "--json"); !strings.Contains(r.out, "c04000") || !strings.Contains(r.err, "another version") {
		t.Error(r.err)
	}
	if r := expect(t, 0, "inspect", url, "--index", "auto", "--quiet"); r.err != "" {
		t.Error(r.err)
	}
	if r := expect(t, exitUsage, "inspect", url, "--index", index); !strings.Contains(r.err, "the index is of another version of the file") {
		t.Error(r.err)
	}
}

// TestIndexData reads the data of files with their indexes.
func TestIndexData(t *testing.T) {
	s := webserver.NewStore(t)
	s.Public = true
	urls := stores(t, s)
	urls["http"] = s.URL + "/bucket/"
	for scheme, bucket := range urls {
		for _, name := range []string{"sample.h5", "vaex.h5", "latest.h5"} {
			name = h5test.Fixture(t, name)
			s.Put("/bucket/"+filepath.Base(name), readFile(t, name))
			url := bucket + filepath.Base(name)
			index := filepath.Join(t.TempDir(), "x")
			expect(t, 0, "index", url, index)
			s.Put("/bucket/"+filepath.Base(name)+".h5idx", readFile(t, index))
			_, _, want := tablesOf(t, name, "--io", "read", "--skip-unsupported")
			_, message, files := tablesOf(t, url, "--index", "auto", "--skip-unsupported")
			for f, data := range want {
				if string(data) != string(files[f]) {
					t.Errorf("%s: %s: %s differs: %s", scheme, name, f, message)
				}
			}
		}
	}
}

// TestIndexKerchunk names what is left out. Package metadata has the tests of the references.
func TestIndexKerchunk(t *testing.T) {
	s := webserver.New(t)
	name := h5test.Fixture(t, "vaex.h5")
	out := filepath.Join(t.TempDir(), "x.json")
	for _, from := range []string{name, put(t, s, name)} {
		expect(t, 0, "index", from, out, "--format", "kerchunk", "--force", "--json")
		var got struct{ Refs map[string]any }
		if err := json.Unmarshal(readFile(t, out), &got); err != nil {
			t.Fatal(err)
		}
		ref, _ := got.Refs["table/columns/text/indices/0"].([]any)
		if len(ref) != 3 || !strings.HasSuffix(ref[0].(string), strings.TrimPrefix(from, ".")) {
			t.Errorf("the reference is %v", ref)
		}
	}
}

// TestIndexRefused are files and indexes that can't be used.
func TestIndexRefused(t *testing.T) {
	s := webserver.New(t)
	name := h5test.Fixture(t, "sample.h5")
	url := put(t, s, name)
	dir := t.TempDir()
	out := filepath.Join(dir, "x.h5idx")
	expect(t, exitUsage, "index", url)
	expect(t, exitFailed, "index", url+"x", out)
	expect(t, exitFailed, "inspect", url, "--index", out)
	expect(t, exitFailed, "inspect", url, "--index", url+"x")
	expect(t, exitCorrupt, "inspect", url, "--index", name)
	expect(t, exitCorrupt, "inspect", url, "--index", url)
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v are left: %v", left, err)
	}
}

// TestIndexValuesOfURL skips rows of a URL by its index, and reads few bytes for that.
func TestIndexValuesOfURL(t *testing.T) {
	dir := t.TempDir()
	index := filepath.Join(dir, "kept")
	name := written.File(t, filepath.Join(dir, "x.h5"), func(f *write.File) error {
		for k, name := range []string{"x", "y"} {
			values := make([]byte, 0, 8*300_000)
			for i := range uint64(300_000) {
				values = binary.LittleEndian.AppendUint64(values, [...]uint64{i / 3, i * 7 % 1000}[k])
			}
			d, err := f.Dataset("/t/"+name, write.Spec{Type: &h5.Type{Class: h5.ClassFixed, Size: 8, Precision: 64, Signed: true}, Space: write.Shape(300_000), ChunkDims: []uint64{10_000}})
			if err != nil {
				return err
			}
			if err := d.Write(values); err != nil {
				return err
			}
		}
		return nil
	})
	s := webserver.New(t)
	url := put(t, s, name)
	expect(t, 0, "index", url, index, "--values")
	const where = "x between 60000 and 60100"
	cost := func(args ...string) int64 {
		t.Helper()
		out := filepath.Join(t.TempDir(), "x.arrow")
		s.Reset()
		r := expect(t, 0, append([]string{"convert", url, out, "--where", where, "--json"}, args...)...)
		if c := ioOf(t, r.out); c.Bytes != s.Bytes() || c.Requests != int64(len(s.Requests())) {
			t.Errorf("%q: %+v, the server counts %d bytes", args, c, s.Bytes())
		}
		want := filepath.Join(t.TempDir(), "x.arrow")
		expect(t, 0, "convert", name, want, "--where", where, "--io", "read")
		if string(readFile(t, out)) != string(readFile(t, want)) {
			t.Errorf("%q: other rows than from the path", args)
		}
		return s.Bytes()
	}
	if all, some := cost(), cost("--index", index); some > 500_000 || all < 2_000_000 {
		t.Errorf("%d bytes, and %d with the index", all, some)
	}
	s.Put("/x.h5.h5idx", readFile(t, index))
	if n := cost("--index", "auto"); n > 600_000 {
		t.Errorf("%d bytes with the index beside it", n)
	}
	if engine.Available {
		sum := []string{"query", url, `select count(*), sum(y) from t where x between 60000 and 60100`, "--csv"}
		want := expect(t, 0, sum...).out
		s := webserver.New(t) // the other one may still send what was read ahead for nothing
		sum[1] = put(t, s, name)
		if got := expect(t, 0, append(sum, "--index", index)...).out; got != want || s.Bytes() > 500_000 {
			t.Errorf("query: %s, want %s; %d bytes", got, want, s.Bytes())
		}
	}
	expect(t, 0, "head", url, "--index", index, "--strings", "latin1", "--where", where) // values that were read otherwise are not used
	expect(t, exitUsage, "index", name, index, "--values", "--force")
}
