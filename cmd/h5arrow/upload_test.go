package main

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
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

// noise writes a file with a dataset of n bytes that no codec makes smaller.
func noise(t *testing.T, n int) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 6))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	return written.File(t, filepath.Join(t.TempDir(), "noise.h5"), func(f *write.File) error {
		d, err := f.Dataset("/x", write.Spec{Type: &h5.Type{Class: h5.ClassFixed, Size: 1, Precision: 8}, Space: write.Shape(uint64(n))})
		if err != nil {
			return err
		}
		return d.Write(data)
	})
}

// pathOf returns the path of an object in the store.
func pathOf(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	return "/" + strings.TrimPrefix(rest, "account/")
}

// TestUploads compares objects that verbs write with files, among them one of several parts, while answers fail.
func TestUploads(t *testing.T) {
	s := webserver.NewStore(t)
	faulty := func(n int, _ webserver.Request) webserver.Fault {
		return map[int]webserver.Fault{2: webserver.Unavailable, 7: webserver.Reset}[n]
	}
	large, sample := noise(t, 20<<20), h5test.Fixture(t, "sample.h5")
	arrow := filepath.Join(t.TempDir(), "sample.arrow")
	expect(t, 0, "convert", sample, arrow)
	verbs := [][]string{{"convert", large, "large.arrow", "--dataset", "/x"}, {"convert", sample, "small.parquet"}, {"import", arrow, "sample.h5"},
		{"repack", sample, "repacked.h5", "--chunk-rows", "100"}, {"repack", sample, "tables.h5", "--tables", "vaex"}}
	if engine.Available {
		verbs = append(verbs, []string{"query", sample, `select * from "table" limit 3`, "-o", "q.arrow"})
	}
	for scheme, bucket := range stores(t, s) {
		for i, args := range verbs {
			at := 2
			if args[0] == "query" {
				at = 4
			}
			local, far := append([]string{}, args...), append([]string{}, args...)
			local[at], far[at] = filepath.Join(t.TempDir(), args[at]), bucket+scheme+"/"+args[at]
			expect(t, 0, local...)
			s.Reset()
			if i == 0 {
				s.Break(faulty)
			}
			expect(t, 0, far...)
			s.Break(nil)
			if got := s.Object(pathOf(far[at])); !bytes.Equal(got, readFile(t, local[at])) {
				t.Errorf("%s: %q: %d bytes differ", scheme, args, len(got))
			}
			if r := expect(t, exitUsage, far...); !strings.Contains(r.err, "exists already") {
				t.Error(r.err)
			}
			expect(t, 0, append(far, "--force")...)
			if n := s.Uploads(); n != 0 {
				t.Errorf("%s: %q: %d uploads are left", scheme, args, n)
			}
		}
	}
}

// TestUploadsToDirectories writes all tables, each to an object.
func TestUploadsToDirectories(t *testing.T) {
	s := webserver.NewStore(t)
	for scheme, bucket := range stores(t, s) {
		r := expect(t, 0, "convert", "--all-tables", "testdata/two.h5", bucket+scheme+"/", "--json")
		_, _, want := tablesOf(t, "testdata/two.h5")
		for name, data := range want {
			if !bytes.Equal(s.Object("/bucket/"+scheme+"/"+name), data) || !strings.Contains(r.out, bucket+scheme+"/"+name) {
				t.Errorf("%s: %s differs: %s", scheme, name, r.out)
			}
		}
	}
}

// TestUploadsFail leaves nothing, and what was there, if reading or sending fails or the verb is interrupted.
func TestUploadsFail(t *testing.T) {
	s := webserver.NewStore(t)
	large := noise(t, 40<<20)
	for scheme, bucket := range stores(t, s) {
		s.Put("/bucket/old.arrow", []byte("old"))
		check := func(what string, status, want int, message, text string) {
			t.Helper()
			if status != want || !strings.Contains(message, text) || strings.Count(message, "\n") > 1 {
				t.Errorf("%s: %s: status %d: %s", scheme, what, status, message)
			}
			if n := s.Uploads(); n != 0 || s.Object("/bucket/new.arrow") != nil || string(s.Object("/bucket/old.arrow")) != "old" {
				t.Errorf("%s: %s: %d uploads are left, or an object changed", scheme, what, n)
			}
		}
		r := command(t, "convert", "testdata/broken.h5", bucket+"new.arrow")
		check("corrupt input", r.status, exitCorrupt, r.err, "")
		ctx, cancel := context.WithCancel(t.Context())
		s.Reset()
		s.Break(func(_ int, r webserver.Request) webserver.Fault { // at the second part
			if n := len(s.Requests()); n >= 4 {
				cancel()
			}
			return webserver.None
		})
		var out, errs bytes.Buffer
		status := run(ctx, []string{"convert", large, bucket + "old.arrow", "--dataset", "/x", "--force"}, streams{strings.NewReader(""), &out, &errs})
		check("interrupted", status, exitInterrupted, errs.String(), "interrupted")
		s.Break(nil)
	}
	denied := webserver.NewStore(t)
	denied.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusForbidden)
	})
	for _, bucket := range stores(t, denied) {
		if r := expect(t, exitFailed, "convert", "testdata/two.h5", "--table", "/a", bucket+"x.arrow"); !strings.Contains(r.err, "access is denied: 403") {
			t.Error(r.err)
		}
	}
	for _, args := range [][]string{{"convert", "testdata/two.h5", "s3://bucket"}, {"convert", "testdata/two.h5", "s3://bucket/x.unknown"},
		{"convert", "s3://bucket/x.arrow", "s3://bucket/x.arrow", "--force"}} {
		expect(t, exitUsage, args...)
	}
	for _, args := range [][]string{{"convert", "testdata/two.h5", "http://127.0.0.1/x.arrow"}, {"import", "x.arrow", "s3://b/x.h5", "--append"}} {
		expect(t, exitUnsupported, args...)
	}
}
