package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/h5test/webserver"
)

// damageAll changes a byte of each file in a directory.
func damageAll(t *testing.T, dir string) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		b := readFile(t, name)
		b[len(b)-len(b)/3]++
		return os.WriteFile(name, b, 0o600)
	})
	if err != nil || n == 0 {
		t.Errorf("%d files: %v", n, err)
	}
}

// TestCache reads a file twice with a cache on disk: the second time costs one request, unless the object or the cache has changed.
func TestCache(t *testing.T) {
	s := webserver.New(t)
	dir := filepath.Join(t.TempDir(), "cache")
	wide := h5test.Wide(4000)
	url := s.Put("/wide.h5", wide)
	run := func(want []byte, min, max int, url string) []byte {
		t.Helper()
		s.Reset()
		out := filepath.Join(t.TempDir(), "x.arrow")
		r := expect(t, 0, "convert", url, out, "--cache", dir, "--columns", "c00000,c03999", "--json")
		c := ioOf(t, r.out)
		if n := len(s.Requests()); n < min || n > max || c.Requests != int64(n) || c.Bytes != s.Bytes() {
			t.Errorf("%d requests, %d bytes; the command counts %+v", n, s.Bytes(), c)
		}
		got := readFile(t, out)
		if want != nil && !bytes.Equal(got, want) {
			t.Error("other values than the first time")
		}
		return got
	}
	first := run(nil, 3, 100, url+"?X-Amz-Signature=one&X-Amz-Date=1")
	run(first, 1, 1, url+"?X-Amz-Signature=two&X-Amz-Date=2")
	run(first, 3, 100, url+"?id=another")
	s.Reset()
	a := expect(t, 0, "inspect", url, "--json", "--cache", dir).out
	b := expect(t, 0, "inspect", url, "--json", "--cache", dir).out
	if i := bytes.Index([]byte(a), []byte(`"io"`)); i < 0 || a[:i] != b[:i] || ioOf(t, b).Requests != 1 {
		t.Errorf("inspect counts %+v, then %+v", ioOf(t, a), ioOf(t, b))
	}
	damageAll(t, dir)
	run(first, 3, 100, url)
	run(first, 1, 1, url)
	s.Put("/wide.h5", wide) // of another entity tag
	run(first, 3, 100, url)
	s.Put("/wide.h5", h5test.Wide(4001))
	if out := expect(t, 0, "inspect", url, "--json", "--cache", dir).out; !strings.Contains(out, "c04000") {
		t.Error("what is printed is of the object before it was replaced")
	}
	s.NoTags = true
	run(nil, 3, 100, url)
	run(nil, 1, 1, url)
}

// TestCacheShared has several readers of several files in one small cache.
func TestCacheShared(t *testing.T) {
	s := webserver.New(t)
	dir := t.TempDir()
	var all sync.WaitGroup
	for _, name := range []string{"sample.h5", "vaex.h5", "latest.h5"} {
		name = h5test.Fixture(t, name)
		url := put(t, s, name)
		_, _, want := tablesOf(t, name, "--io", "read", "--skip-unsupported")
		for range 2 {
			all.Go(func() {
				status, message, files := tablesOf(t, url, "--skip-unsupported", "--cache", dir, "--cache-size", "1MiB")
				for f, data := range want {
					if !bytes.Equal(data, files[f]) {
						t.Errorf("%s: %s differs: status %d: %s", name, f, status, message)
					}
				}
			})
		}
	}
	all.Wait()
}

// TestCacheRefused are directories and sizes that can't be used.
func TestCacheRefused(t *testing.T) {
	s := webserver.New(t)
	url := put(t, s, h5test.Fixture(t, "sample.h5"))
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, exitFailed, "inspect", url, "--cache", file)
	expect(t, exitUsage, "inspect", url, "--cache", t.TempDir(), "--cache-size", "1000")
	expect(t, exitUsage, "inspect", url, "--cache-size", "1GiB")
}

// TestStoreCache reads an object of each store twice.
func TestStoreCache(t *testing.T) {
	s := webserver.NewStore(t)
	dir := t.TempDir()
	s.Put("/bucket/wide.h5", h5test.Wide(5000))
	for scheme, bucket := range stores(t, s) {
		var outs [2]string
		for i := range outs {
			s.Reset()
			outs[i] = expect(t, 0, "inspect", bucket+"wide.h5", "--cache", dir, "--json").out
			if n := len(s.Requests()); (i == 1) != (n == 1) || ioOf(t, outs[i]).Requests != int64(n) {
				t.Errorf("%s: run %d: %d requests", scheme, i, n)
			}
		}
	}
}
