package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/webserver"
	"github.com/h5arrow/h5arrow/h5/source"
)

// importable makes an input of each format in the current directory, and returns their names.
func importable(t *testing.T) []string {
	t.Helper()
	expect(t, 0, "convert", "sample.h5", "in.arrow", "--batch-rows", "3000")
	expect(t, 0, "import", "in.arrow", "in.arrow", "in.h5", "--chunk-rows", "1000")
	for _, name := range []string{"in.arrows", "in.parquet"} {
		expect(t, 0, "convert", "in.h5", "--batch-rows", "3000", "--compression", "none", name)
	}
	names := []string{"in.arrow", "in.arrows", "in.parquet", "in.h5"}
	if engine.Available {
		csv := []byte("number,half\n")
		for i := range 200000 {
			csv = fmt.Appendf(csv, "%d,%g\n", i, float64(i)/2)
		}
		if err := os.WriteFile("in.csv", csv, 0o666); err != nil {
			t.Fatal(err)
		}
		names = append(names, "in.csv")
	}
	for _, name := range names {
		if n := len(readFile(t, name)); n < 3<<19 {
			t.Fatalf("%s has %d bytes, which come with the first answer", name, n)
		}
	}
	return names
}

// TestImportURL imports each format from a web server: the file is that of the import from a path, byte by byte, and the requests that are
// counted are those that the server got.
func TestImportURL(t *testing.T) {
	command(t, "help") // package signal starts a goroutine once
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	workplace(t)
	s := webserver.New(t)
	for _, name := range importable(t) {
		url := put(t, s, name) + "?signature=secret"
		expect(t, 0, "import", name, "near.h5", "--force", "--chunk-rows", "1000")
		s.Break(nil)
		s.Reset()
		c := ioOf(t, expect(t, 0, "import", url, "far.h5", "--force", "--chunk-rows", "1000", "--json").out)
		if !bytes.Equal(readFile(t, "near.h5"), readFile(t, "far.h5")) {
			t.Errorf("%s: the table from a URL is another", name)
		}
		if n := int64(len(s.Requests())); c.Requests != n || c.Bytes != s.Bytes() || n > 60 {
			t.Errorf("%s: %+v, the server counts %d requests and %d bytes", name, c, n, s.Bytes())
		}
		kinds := []webserver.Fault{webserver.Unavailable, webserver.Cut, webserver.WrongRange, webserver.Reset}
		s.Break(func(n int, _ webserver.Request) webserver.Fault {
			if n%3 == 1 {
				return kinds[n/3%len(kinds)]
			}
			return webserver.None
		})
		expect(t, 0, "import", url, "faults.h5", "--force", "--chunk-rows", "1000", "--quiet")
		if !bytes.Equal(readFile(t, "near.h5"), readFile(t, "faults.h5")) {
			t.Errorf("%s: the table from a server that fails now and then is another", name)
		}
	}
}

// TestImportBrokenURL imports what is cut short, missing, and what changes while it is read: nothing appears.
func TestImportBrokenURL(t *testing.T) {
	dir := workplace(t)
	s := webserver.New(t)
	names := importable(t)
	expect(t, 0, "convert", "sample.h5", "--columns", "fare", "other.arrow")
	before := listing(t, dir)
	for _, name := range names {
		if suffix := filepath.Ext(name); suffix != ".csv" {
			b := readFile(t, name)
			r := expect(t, exitCorrupt, "import", s.Put("/cut"+suffix, b[:len(b)*2/3])+"?signature=secret", "out.h5")
			if !strings.Contains(r.err, "/cut"+suffix) || strings.Contains(r.err, "secret") {
				t.Errorf("%q", r.err)
			}
		}
		url := put(t, s, name)
		again, changed := readFile(t, name), false
		s.Reset()
		s.Break(func(n int, r webserver.Request) webserver.Fault {
			if n == 1 { // whose answer is of the old version
				changed = true
				s.Put(r.Path, again)
			}
			return webserver.None
		})
		if r := expect(t, exitFailed, "import", url, "out.h5"); !changed || !strings.Contains(r.err, filepath.Base(name)) {
			t.Errorf("%s: %q", name, r.err)
		}
		s.Break(nil)
	}
	expect(t, exitFailed, "import", s.URL+"/none.parquet", "out.h5")
	expect(t, exitUsage, "import", s.URL+"/none.txt?x=.parquet", "out.h5")
	both := expect(t, exitUsage, "import", put(t, s, "in.parquet"), put(t, s, "other.arrow"), "out.h5")
	if !strings.Contains(both.err, "/other.arrow") || !strings.Contains(both.err, "columns") {
		t.Errorf("%q", both.err)
	}
	onlyNew(t, dir, before)
}

// TestImportStores imports objects of each store, several by a pattern, to an object.
func TestImportStores(t *testing.T) {
	workplace(t)
	s := webserver.NewStore(t)
	for i, name := range []string{"0.parquet", "1.parquet", "2.parquet"} {
		expect(t, 0, "convert", "sample.h5", "--rows", []string{"0:10", "10:15", "15:40"}[i], name)
		s.Put("/bucket/parts/"+name, readFile(t, name))
	}
	expect(t, 0, "import", "0.parquet", "1.parquet", "2.parquet", "near.h5")
	for scheme, bucket := range stores(t, s) {
		expect(t, 0, "import", bucket+"parts/*.parquet", bucket+scheme+".h5")
		if !bytes.Equal(s.Object("/bucket/"+scheme+".h5"), readFile(t, "near.h5")) {
			t.Errorf("%s: the object differs from the file", scheme)
		}
		expect(t, exitUsage, "import", bucket+scheme+".h5", bucket+scheme+".h5", "--force")
	}
}
