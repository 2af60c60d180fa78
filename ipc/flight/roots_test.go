package flight

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// No name leads outside the roots.
func TestRoots(t *testing.T) {
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
	roots, err := OpenRoots([]string{filepath.Join(dir, "in")})
	if err != nil {
		t.Fatal(err)
	}
	defer roots.Close()
	var names []string
	if err := roots.names(func(name string) error { names = append(names, name); return nil }); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(names, " "); got != "a.h5 inside.h5 sub/b.h5" {
		t.Errorf("served are %s", got)
	}
	for name, ok := range map[string]bool{"a.h5": true, "sub/b.h5": true, "inside.h5": true, "loop/a.h5": true, "outside.h5": false, "absolute.h5": false,
		"dir/secret.h5": false, "../out/secret.h5": false, "sub/../a.h5": false, "/etc/passwd": false, "": false, ".": false, "sub": false, "a.h5/x": false, "text.txt": false} {
		h, err := roots.acquire(name)
		if (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
		if h != nil {
			h.release()
		}
	}
	single, err := OpenRoots([]string{filepath.Join(dir, "in", "a.h5"), filepath.Join(dir, "in", "outside.h5")})
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
	if _, err := single.acquire("sub/b.h5"); !h5err.Is(err, h5err.NotFound) {
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
		if _, err := OpenRoots(bad.paths); !h5err.Is(err, bad.kind) {
			t.Errorf("%v: %v", bad.paths, err)
		}
	}
	if _, err := OpenRoots([]string{filepath.Join(dir, "none")}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// References inside a file are followed only to HDF5 files inside the roots, and to external storage only where it is allowed.
func TestExternal(t *testing.T) {
	leaks(t)
	all := filepath.Join(h5test.Root(t), "testdata")
	for _, c := range []struct {
		file, dataset string
		beside        []string // what else is served
		allowed       []string
		ok            bool
	}{
		{"", "/two_parts", nil, nil, false}, // the directory
		{"", "/two_parts", nil, []string{""}, true},
		{"", "/two_parts", nil, []string{"expected"}, false},
		{"external.h5", "/two_parts", nil, nil, false},
		{"external.h5", "/two_parts", nil, []string{""}, true},
		{"external.h5", "/two_parts", []string{"external.raw"}, nil, false},
		{"", "/stacked", nil, nil, true},
		{"vds.h5", "/stacked", nil, nil, false},
		{"vds.h5", "/stacked", nil, []string{""}, true},
		{"vds.h5", "/stacked", []string{"vds_a.h5"}, nil, false},
		{"vds.h5", "/stacked", []string{"vds_a.h5", "vds_b.h5"}, nil, true},
	} {
		name := map[string]string{"/two_parts": "external.h5", "/stacked": "vds.h5"}[c.dataset]
		paths := []string{filepath.Join(all, c.file)}
		for _, b := range c.beside {
			paths = append(paths, filepath.Join(all, b))
		}
		var allowed []string
		for _, dir := range c.allowed {
			allowed = append(allowed, filepath.Join(all, dir))
		}
		roots, err := OpenRoots(paths, WithExternal(allowed...), WithTables(func(f *arrowmap.File) ([]*arrowmap.Table, error) {
			tab, err := f.Datasets(c.dataset)
			return []*arrowmap.Table{tab}, err
		}))
		if err != nil {
			t.Fatal(err)
		}
		p := serveRoots(t, roots)
		cl := p.dial(t)
		info, err := cl.GetFlightInfo(context.Background(), pathOf(name, c.dataset))
		if err == nil {
			err = fail(cl, context.Background(), info.Endpoint[0].Ticket.Ticket)
		}
		if c.ok && err != nil {
			t.Errorf("%+v: %v", c, err)
		}
		if !c.ok {
			needCode(t, c.file, err, codes.Unimplemented, map[bool]string{true: "other files are not opened", false: "is not among the files that may be read"}[c.dataset == "/two_parts" && c.allowed == nil])
		}
		p.Close()
		roots.Close()
	}
}

// A file that was replaced is opened again.
func TestFileReplaced(t *testing.T) {
	leaks(t)
	path := copied(t, "sample.h5")
	p := serve(t, []string{path})
	c := p.dial(t)
	if _, err := c.GetFlightInfo(context.Background(), pathOf("sample.h5", "/table")); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(h5test.Fixture(t, "new.h5"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	_, err = c.GetFlightInfo(context.Background(), pathOf("sample.h5", "/table"))
	needCode(t, "the file that was", err, codes.NotFound, "no such table")
	if s := p.Stats(); s.Files > 2 {
		t.Errorf("%+v", s)
	}
}
