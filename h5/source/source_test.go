package source

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// canMap says that this system maps files; elsewhere every Source reads plainly.
const canMap = runtime.GOOS == "linux" || runtime.GOOS == "darwin" || runtime.GOOS == "windows" || runtime.GOOS == "freebsd"

// pattern returns n bytes of which no two pages are alike.
func pattern(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// file writes bytes to a new file and returns its path.
func file(t testing.TB, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bytes.h5")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t testing.TB, path string, opts ...Option) *Source {
	t.Helper()
	s, err := Open(path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// needKind fails unless err is an Error of the kind that names the file and says what.
func needKind(t testing.TB, err error, kind h5err.Kind, name, what string) {
	t.Helper()
	var e *h5err.Error
	if !errors.As(err, &e) {
		t.Fatalf("error is %v, not an h5err.Error", err)
	}
	if e.Kind != kind || e.File != name || !strings.Contains(e.Error(), what) {
		t.Fatalf("error is %q (%v, file %q), want %v, file %q, %q", e, e.Kind, e.File, kind, name, what)
	}
}

// noMappings fails when the test does not release a mapping.
func noMappings(t *testing.T) {
	t.Helper()
	before := LiveMappings()
	t.Cleanup(func() {
		if n := LiveMappings(); n != before {
			t.Errorf("%d live mappings, %d before", n, before)
		}
	})
}

// kinds are all the ways to get at the same bytes.
func kinds(t *testing.T, b []byte) map[string]*Source {
	path := file(t, b)
	return map[string]*Source{
		"mapped":   open(t, path),
		"unmapped": open(t, path, WithoutMapping()),
		"reader":   FromReaderAt(bytes.NewReader(b), int64(len(b)), "memory"),
	}
}

func TestReadAt(t *testing.T) {
	noMappings(t)
	want := pattern(3*os.Getpagesize() + 17)
	size := int64(len(want))
	for name, s := range kinds(t, want) {
		t.Run(name, func(t *testing.T) {
			defer s.Release()
			if s.Size() != size {
				t.Fatalf("size is %d, want %d", s.Size(), size)
			}
			for _, off := range []int64{0, 1, 4095, 4096, size - 1, size, size + 1, math.MaxInt64} {
				for _, n := range []int{0, 1, 7, 4096, len(want)} {
					got := make([]byte, n)
					m, err := s.ReadAt(got, off)
					rest := want[min(off, size):]
					if full := n <= len(rest); full != (err == nil) || !full && err != io.EOF {
						t.Fatalf("ReadAt(%d bytes, %d) = %d, %v", n, off, m, err)
					}
					if m != min(n, len(rest)) || !bytes.Equal(got[:m], rest[:m]) {
						t.Fatalf("ReadAt(%d bytes, %d) gave %d bytes that are wrong", n, off, m)
					}
				}
			}
			_, err := s.ReadAt(make([]byte, 1), -1)
			needKind(t, err, h5err.IO, s.Name(), "negative offset")
		})
	}
}

func TestView(t *testing.T) {
	noMappings(t)
	want := pattern(3*os.Getpagesize() + 17)
	size := int64(len(want))
	tests := []struct {
		off, n int64
		ok     bool
	}{
		{0, 0, true}, {0, 1, true}, {0, size, true}, {5, 4096, true}, {size - 1, 1, true}, {size, 0, true},
		{0, size + 1, false}, {size, 1, false}, {size + 1, 0, false}, {-1, 1, false}, {0, -1, false},
		{1, math.MaxInt64, false}, {math.MaxInt64, math.MaxInt64, false}, {math.MinInt64, math.MinInt64, false},
	}
	for name, s := range kinds(t, want) {
		t.Run(name, func(t *testing.T) {
			defer s.Release()
			if mapped := name == "mapped" && canMap; s.Mapped() != mapped {
				t.Fatalf("Mapped is %v", s.Mapped())
			}
			for _, c := range tests {
				b, ok := s.View(c.off, c.n)
				if ok != (c.ok && s.Mapped()) {
					t.Fatalf("View(%d, %d) is %v", c.off, c.n, ok)
				}
				if !ok {
					if b != nil {
						t.Fatalf("View(%d, %d) gave bytes and no ok", c.off, c.n)
					}
					continue
				}
				if int64(len(b)) != c.n || cap(b) != len(b) || !bytes.Equal(b, want[c.off:c.off+c.n]) {
					t.Fatalf("View(%d, %d) gave %d bytes (room for %d) that are wrong", c.off, c.n, len(b), cap(b))
				}
			}
		})
	}
}

func TestReferences(t *testing.T) {
	noMappings(t)
	before := LiveMappings()
	want := pattern(2 * os.Getpagesize())
	for name, s := range kinds(t, want) {
		t.Run(name, func(t *testing.T) {
			s.Retain()
			if !s.TryRetain() {
				t.Fatal("TryRetain fails while references are held")
			}
			b, ok := s.View(0, s.Size())
			s.Release() // what Close of a file does: the views of others stay valid
			s.Release()
			if ok && (LiveMappings() <= before || !bytes.Equal(b, want)) {
				t.Fatal("the mapping is gone while a reference is held")
			}
			s.Release()
			if s.TryRetain() {
				t.Fatal("TryRetain succeeds after the last release")
			}
			if _, ok := s.View(0, 1); ok {
				t.Fatal("View succeeds after the last release")
			}
			_, err := s.ReadAt(make([]byte, 1), 0)
			needKind(t, err, h5err.IO, s.Name(), "closed")
			if s.Path() != "" {
				needKind(t, s.Changed(t.Context()), h5err.IO, s.Name(), "closed")
			}
		})
	}
}

func TestReleaseTooMany(t *testing.T) {
	for name, call := range map[string]func(*Source){"retain": (*Source).Retain, "release": (*Source).Release} {
		s := FromReaderAt(bytes.NewReader(nil), 0, "memory")
		s.Release()
		func() {
			defer func() {
				if r := recover(); (r != nil) != invariants {
					t.Errorf("%s after the last release: panic is %v, invariants are %v", name, r, invariants)
				}
			}()
			call(s)
		}()
		if s.TryRetain() {
			t.Errorf("%s after the last release brought the source back", name)
		}
	}
}

func TestConcurrentReferences(t *testing.T) {
	noMappings(t)
	want := pattern(4 * os.Getpagesize())
	s := open(t, file(t, want))
	var wg, started sync.WaitGroup
	for range 8 {
		started.Add(1)
		wg.Go(func() {
			for i := range 500 {
				if !s.TryRetain() {
					if i == 0 {
						t.Error("no reference while the test holds one")
						started.Done()
					}
					return // this goroutine comes after the last release
				}
				off := int64(i * 31 % len(want))
				if b, ok := s.View(off, 1); ok && b[0] != want[off] {
					t.Errorf("byte %d is wrong", off)
				}
				var b [1]byte
				if _, err := s.ReadAt(b[:], off); err != nil || b[0] != want[off] {
					t.Errorf("byte %d: %v", off, err)
				}
				if i == 0 {
					started.Done()
				}
				s.Release()
			}
		})
	}
	started.Wait()
	s.Release() // any of the goroutines may be the last
	wg.Wait()
	if s.TryRetain() {
		t.Error("a reference is left")
	}
}

func TestOpenErrors(t *testing.T) {
	noMappings(t)
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.h5")
	_, err := Open(missing)
	needKind(t, err, h5err.IO, missing, "can't open")
	if !errors.Is(err, fs.ErrNotExist) || strings.Count(err.Error(), "missing.h5") != 1 {
		t.Errorf("error is %q", err)
	}
	_, err = Open(dir)
	needKind(t, err, h5err.IO, dir, "a directory")
	want := errors.New("no such option")
	path := file(t, nil)
	if _, err := Open(path, func(*options) error { return want }); !errors.Is(err, want) {
		t.Errorf("a failing option gives %v", err)
	}
}

func TestOpenFile(t *testing.T) {
	noMappings(t)
	want := pattern(100)
	f, err := os.Open(file(t, want))
	if err != nil {
		t.Fatal(err)
	}
	s, err := OpenFile(f, "its name")
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if _, err := s.ReadAt(got, 0); err != nil || !bytes.Equal(got, want) {
		t.Errorf("ReadAt: %v", err)
	}
	if s.Name() != "its name" || s.Path() != "its name" || s.Mapped() != canMap {
		t.Errorf("name %q, path %q, mapped %v", s.Name(), s.Path(), s.Mapped())
	}
	s.Release()
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	_, err = OpenFile(dir, "dir")
	needKind(t, err, h5err.IO, "dir", "a directory")
	for _, f := range []*os.File{f, dir} {
		if _, err := f.Stat(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("the file is left open: %v", err)
		}
	}
	if p := FromReaderAt(bytes.NewReader(nil), 0, "memory").Path(); p != "" {
		t.Errorf("path of a reader is %q", p)
	}
}

func TestEmptyFile(t *testing.T) {
	s := open(t, file(t, nil))
	defer s.Release()
	if s.Mapped() || s.Size() != 0 {
		t.Fatalf("an empty file is mapped: %v, size %d", s.Mapped(), s.Size())
	}
	if n, err := s.ReadAt(make([]byte, 4), 0); n != 0 || err != io.EOF {
		t.Fatalf("ReadAt of an empty file gives %d, %v", n, err)
	}
}

func TestChanged(t *testing.T) {
	tests := []struct {
		name   string
		change func(path string) error
		want   string
	}{
		{"nothing", func(string) error { return nil }, ""},
		{"shorter", func(p string) error { return os.Truncate(p, 10) }, "cut short"},
		{"longer", func(p string) error { return os.Truncate(p, 1000) }, "grew"},
		{"touched", func(p string) error { return os.Chtimes(p, time.Time{}, time.Unix(1e9, 0)) }, "changed"},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			path := file(t, pattern(100))
			s := open(t, path, WithoutMapping())
			defer s.Release()
			if err := c.change(path); err != nil {
				t.Fatal(err)
			}
			err := s.Changed(t.Context())
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			needKind(t, err, h5err.IO, path, c.want)
		})
	}
	s := FromReaderAt(bytes.NewReader(nil), 0, "memory")
	defer s.Release()
	if err := s.Changed(t.Context()); err != nil {
		t.Errorf("a reader changed: %v", err)
	}
}

// failingReader gives one error for all it is asked.
type failingReader struct{ err error }

func (r failingReader) ReadAt([]byte, int64) (int, error) { return 0, r.err }

func TestReaderErrors(t *testing.T) {
	want := errors.New("connection reset")
	s := FromReaderAt(failingReader{want}, 100, "http://example/x.h5")
	defer s.Release()
	_, err := s.ReadAt(make([]byte, 10), 5)
	needKind(t, err, h5err.IO, s.Name(), "at byte 5")
	if !errors.Is(err, want) {
		t.Errorf("error %v does not wrap the cause", err)
	}
}
