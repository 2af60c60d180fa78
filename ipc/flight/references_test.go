package flight

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/ipc/flight/catalog"
)

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
		files, err := catalog.Open(paths, catalog.WithExternal(allowed...), catalog.WithTables(func(f *arrowmap.File) ([]*arrowmap.Table, error) {
			tab, err := f.Datasets(c.dataset)
			return []*arrowmap.Table{tab}, err
		}))
		if err != nil {
			t.Fatal(err)
		}
		p := serveCatalog(t, files)
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
		files.Close()
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

// A client can't learn which other files a directory has.
func TestOtherFiles(t *testing.T) {
	leaks(t)
	dir := t.TempDir()
	b, err := os.ReadFile(h5test.Fixture(t, "vaex.h5"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"a.h5": b, ".hidden.h5": b, "key.pem": []byte("a key")} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := serve(t, []string{dir})
	c := p.dial(t)
	_, none := c.GetFlightInfo(context.Background(), pathOf("none.h5"))
	for _, name := range []string{"key.pem", ".hidden.h5"} {
		_, err := c.GetFlightInfo(context.Background(), pathOf(name))
		needCode(t, name, err, codes.NotFound, "")
		if got, want := err.Error(), strings.ReplaceAll(none.Error(), "none.h5", name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
