package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/webserver"
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
