package h5test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// recorder is a TB that records what a test reports.
type recorder struct {
	cleanups []func()
	failures []string
	skips    []string
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(f string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(f, args...))
}
func (r *recorder) Fatalf(f string, args ...any) { r.Errorf(f, args...) }
func (r *recorder) Skipf(f string, args ...any)  { r.skips = append(r.skips, fmt.Sprintf(f, args...)) }

func TestLeaks(t *testing.T) {
	live := 0
	counter := Counter{"things", func() int { return live }}
	stop := make(chan struct{})
	var file *os.File
	tests := []struct {
		name       string
		leak, undo func()
		want       string
	}{
		{"nothing", func() {}, func() {}, ""},
		{"counter", func() { live++ }, func() { live-- }, "1 things more"},
		{"goroutine", func() { go func() { <-stop }() }, func() { close(stop) }, "1 goroutines more"},
		{"file", func() { file, _ = os.Open(os.DevNull) }, func() { file.Close() }, "1 open files more"},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "file" && openFiles() == 0 {
				t.Skip("this system does not list open files")
			}
			var r recorder
			leaks(&r, 0, []Counter{counter})
			c.leak()
			for _, f := range r.cleanups {
				f()
			}
			c.undo()
			got := strings.Join(r.failures, "\n")
			if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
				t.Errorf("reported %q, want %q", got, c.want)
			}
		})
	}
}

func TestFixture(t *testing.T) {
	if got := Fixture(t, "sample.h5"); !isHDF5(got) {
		t.Errorf("%s is not HDF5", got)
	}
	var r recorder
	Fixture(&r, "no such file")
	if len(r.failures) != 1 {
		t.Errorf("a missing fixture: %q", r.failures)
	}
	if n := len(Fixtures(t)); n < 10 {
		t.Errorf("%d fixtures", n)
	}
}

func TestCorpus(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		dir           string
		required      bool
		fails, skips  int
		want, message string
	}{
		{dir, true, 0, 0, dir, ""},
		{dir, false, 0, 0, dir, ""},
		{filepath.Join(dir, "none"), false, 0, 1, "", filepath.Join(dir, "none")},
		{filepath.Join(dir, "none"), true, 1, 1, "", filepath.Join(dir, "none")}, // the recorder's Fatalf returns
	} {
		var r recorder
		got := corpus(&r, c.dir, c.required)
		said := strings.Join(append(r.failures, r.skips...), "\n")
		if got != c.want || len(r.failures) != c.fails || len(r.skips) != c.skips || !strings.Contains(said, c.message) {
			t.Errorf("%+v: %q, %q, %q", c, got, r.failures, r.skips)
		}
	}
}

func TestEventually(t *testing.T) {
	var r recorder
	calls := 0
	Eventually(&r, time.Minute, func() bool { calls++; return calls == 3 })
	if calls != 3 || len(r.failures) != 0 {
		t.Errorf("%d calls, %q", calls, r.failures)
	}
	Eventually(&r, time.Millisecond, func() bool { return false })
	if len(r.failures) != 1 {
		t.Errorf("a condition that never holds: %q", r.failures)
	}
}

func TestIsHDF5(t *testing.T) {
	const signature = "\x89HDF\r\n\x1a\n"
	for _, c := range []struct {
		at, size int
		want     bool
	}{{0, 8, true}, {0, 7, false}, {512, 600, true}, {2048, 4096, true}, {513, 4096, false}, {-1, 0, false}} {
		b := make([]byte, c.size)
		if c.at >= 0 {
			copy(b[c.at:], signature)
		}
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := isHDF5(path); got != c.want {
			t.Errorf("signature at %d of %d bytes: %v", c.at, c.size, got)
		}
	}
}
