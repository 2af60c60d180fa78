package catalog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// No name leads outside the roots.
func TestCatalog(t *testing.T) {
	leaks(t)
	dir := t.TempDir()
	b, err := os.ReadFile(h5test.Fixture(t, "vaex.h5"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"in/a.h5", "in/sub/b.h5", "out/secret.h5", "other/a.h5"} {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "in", "text.txt"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"in/inside.h5": "sub/b.h5", "in/outside.h5": "../out/secret.h5", "in/absolute.h5": filepath.Join(dir, "out", "secret.h5"),
		"in/dir": "../out", "in/loop": "."} {
		if err := os.Symlink(target, filepath.Join(dir, filepath.FromSlash(link))); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	roots, err := Open([]string{filepath.Join(dir, "in")})
	if err != nil {
		t.Fatal(err)
	}
	defer roots.Close()
	var names []string
	if err := roots.Names(func(name string) error { names = append(names, name); return nil }); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(names, " "); got != "a.h5 inside.h5 sub/b.h5" {
		t.Errorf("served are %s", got)
	}
	for name, ok := range map[string]bool{"a.h5": true, "sub/b.h5": true, "inside.h5": true, "loop/a.h5": true, "outside.h5": false, "absolute.h5": false,
		"dir/secret.h5": false, "../out/secret.h5": false, "sub/../a.h5": false, "/etc/passwd": false, "": false, ".": false, "sub": false, "a.h5/x": false, "text.txt": false} {
		h, err := roots.Acquire(name)
		if (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
		if h != nil {
			h.Release()
		}
	}
	single, err := Open([]string{filepath.Join(dir, "in", "a.h5"), filepath.Join(dir, "in", "outside.h5")})
	if err != nil {
		t.Fatal(err)
	}
	defer single.Close()
	if err := single.Check(); err != nil {
		t.Error(err)
	}
	if tables, done, err := single.Tables(); err != nil || len(tables) == 0 || tables[0].File != "a.h5" {
		t.Errorf("%v, %v", tables, err)
	} else {
		done()
	}
	if _, err := single.Acquire("sub/b.h5"); !h5err.Is(err, h5err.NotFound) {
		t.Errorf("beside a file that is served: %v", err)
	}
	for _, bad := range []struct {
		paths []string
		kind  h5err.Kind
	}{
		{nil, h5err.Argument},
		{[]string{filepath.Join(dir, "in", "a.h5"), filepath.Join(dir, "other", "a.h5")}, h5err.Argument},
		{[]string{filepath.Join(dir, "none")}, h5err.IO},
	} {
		if _, err := Open(bad.paths); !h5err.Is(err, bad.kind) {
			t.Errorf("%v: %v", bad.paths, err)
		}
	}
	if _, err := Open([]string{filepath.Join(dir, "none")}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// leaks fails the test if goroutines, open files or mappings are left at its end.
func leaks(t testing.TB) {
	t.Helper()
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
}
