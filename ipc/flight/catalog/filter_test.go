package catalog

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// folder makes a directory with HDF5 files of these names, and a text file.
func folder(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	b, err := os.ReadFile(h5test.Fixture(t, "vaex.h5"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, "key.pem") {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if name == "key.pem" {
			b = []byte("a key")
		}
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Hidden files, backups and what is not HDF5 are neither listed nor opened, and each is reported once with its reason.
func TestLeftOut(t *testing.T) {
	leaks(t)
	names := []string{"a.h5", "b.h5~", "b.h5.bak", "#c.h5#", ".d.h5", ".git/e.h5", "old/f.h5", "runs/1/g.h5", "runs/1/.h.h5", "runs/2/i.tmp", "j.hdf5"}
	dir := folder(t, names...)
	for _, c := range []struct {
		what             string
		include, exclude []string
		served           string
		left             map[string]string
	}{
		{"by default", nil, nil, "a.h5 j.hdf5 old/f.h5 runs/1/g.h5", map[string]string{"b.h5~": "backup", "b.h5.bak": "backup", "#c.h5#": "backup",
			".d.h5": "hidden", ".git": "hidden", "runs/1/.h.h5": "hidden", "runs/2/i.tmp": "temporary", "key.pem": "not HDF5"}},
		{"excluded", nil, []string{"old", "runs/1", "*.hdf5"}, "a.h5", map[string]string{"old": "excluded", "runs/1": "excluded", "j.hdf5": "excluded"}},
		{"included", []string{"*.h5"}, nil, ".d.h5 .git/e.h5 a.h5 old/f.h5 runs/1/.h.h5 runs/1/g.h5", map[string]string{"j.hdf5": "not among", "b.h5~": "not among"}},
		{"both", []string{"runs", "a.h5"}, []string{"runs/*/.*"}, "a.h5 runs/1/g.h5 runs/2/i.tmp", map[string]string{"runs/1/.h.h5": "excluded", "old/f.h5": "not among"}},
	} {
		var mu sync.Mutex
		left := map[string]string{}
		times := 0
		roots, err := Open([]string{dir}, WithInclude(c.include...), WithExclude(c.exclude...), WithLeftOut(func(name, reason string) {
			mu.Lock()
			defer mu.Unlock()
			left[name] = reason
			times++
		}))
		if err != nil {
			t.Fatal(err)
		}
		var served []string
		for range 2 {
			served = nil
			if err := roots.Names(func(name string) error { served = append(served, name); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(served)
		if got := strings.Join(served, " "); got != c.served {
			t.Errorf("%s: served are %s", c.what, got)
		}
		for name, reason := range c.left {
			if !strings.Contains(left[name], reason) {
				t.Errorf("%s: %s is left out because %q", c.what, name, left[name])
			}
		}
		if times != len(left) {
			t.Errorf("%s: %d reports of %d names", c.what, times, len(left))
		}
		for _, name := range append(names, "key.pem") {
			h, err := roots.Acquire(name)
			switch ok := slices.Contains(served, name); {
			case ok && err != nil || !ok && !h5err.Is(err, h5err.NotFound):
				t.Errorf("%s: %s: %v", c.what, name, err)
			case ok:
				h.Release()
			}
		}
		roots.Close()
	}
	for _, bad := range []string{"", "[", "a[b"} {
		for _, opt := range []Option{WithInclude(bad), WithExclude(bad)} {
			if _, err := Open([]string{dir}, opt); !h5err.Is(err, h5err.Argument) {
				t.Errorf("%q: %v", bad, err)
			}
		}
	}
}
