package h5

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// tree writes files into a new folder. The content of an HDF5 file is a group of links.
func tree(t *testing.T, files map[string][]msg) string {
	t.Helper()
	dir := t.TempDir()
	for name, links := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		w := newBuilder()
		links = append(links, w.hard("value", w.dataset(scalar)))
		if err := os.WriteFile(p, w.single(links...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func symlink(t *testing.T, target, name string) {
	t.Helper()
	if err := os.Symlink(target, name); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
}

// externalPolicy is a name that the file in/main.h5 of a folder has for another file, and what comes of it.
type externalPolicy struct {
	name string
	opts []Option
	kind h5err.Kind // 0: it is opened
	text string
}

func externalPolicies(dir string) []externalPolicy {
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out.h5")
	allowed := filepath.Join(dir, "allowed")
	allow := WithExternal(External{Dirs: []string{allowed}})
	return []externalPolicy{
		{"beside.h5", nil, 0, ""},
		{"./beside.h5", nil, 0, ""},
		{"below/deep.h5", nil, 0, ""},
		{"below/../beside.h5", nil, 0, ""},
		{"nothing/../beside.h5", nil, 0, ""},
		{filepath.Join(in, "beside.h5"), nil, 0, ""},
		{filepath.Join(in, "below", "..", "beside.h5"), nil, 0, ""},
		{"../in/beside.h5", nil, 0, ""},
		{"link_inside.h5", nil, 0, ""},
		{"../out.h5", nil, h5err.Unsupported, `"../out.h5" is outside the file's directory`},
		{"../inner/x.h5", nil, h5err.Unsupported, "is outside the file's directory"}, // its name starts like the directory's
		{"below/../../out.h5", nil, h5err.Unsupported, "is outside the file's directory"},
		{out, nil, h5err.Unsupported, "is outside the file's directory"},
		{"/etc/passwd", nil, h5err.Unsupported, "allow its directory with h5.WithExternal"},
		{"link_outside.h5", nil, h5err.Unsupported, `"link_outside.h5" leads outside the file's directory`},
		{"link_absolute.h5", nil, h5err.Unsupported, "leads outside the file's directory"},
		{"up/out.h5", nil, h5err.Unsupported, "leads outside the file's directory"},
		{"missing.h5", nil, h5err.NotFound, `no file "missing.h5" beside the HDF5 file`},
		{"below/missing/x.h5", nil, h5err.NotFound, "no file"},
		{"loop.h5", nil, h5err.IO, `file "loop.h5"`},
		{"below", nil, h5err.IO, `"below" is not a regular file`},
		{"text.h5", nil, h5err.Corrupt, "text.h5: at byte 0: corrupt: no HDF5 signature"},
		{"", nil, h5err.Corrupt, `"" is not a file name`},
		{"a\x00b", nil, h5err.Corrupt, "is not a file name"},
		{"../allowed/a.h5", []Option{allow}, 0, ""},
		{filepath.Join(dir, "allowed", "below", "b.h5"), []Option{allow}, 0, ""},
		{"beside.h5", []Option{allow}, 0, ""},
		{"../out.h5", []Option{allow}, h5err.Unsupported, "is outside the file's directory"},
		{"../allowed/../out.h5", []Option{allow}, h5err.Unsupported, "is outside the file's directory"},
		{"../out.h5", []Option{WithExternal(External{Dirs: []string{allowed, dir}})}, 0, ""},
		{"link_outside.h5", []Option{WithExternal(External{Dirs: []string{dir}})}, h5err.Unsupported, "leads outside"}, // the own directory comes first
		{"beside.h5", []Option{WithExternal(External{Only: true})}, h5err.Unsupported, "other files are not opened"},
		{"../allowed/a.h5", []Option{allow, WithExternal(External{Only: true})}, h5err.Unsupported, "other files are not opened"},
		{"beside.h5", []Option{WithoutMapping()}, 0, ""},
		{"beside.h5", []Option{WithExternal(External{Only: true, Dirs: []string{allowed}})}, h5err.Unsupported, "is not among the files that may be read"},
		{"beside.h5", []Option{WithExternal(External{Only: true, Dirs: []string{in}})}, 0, ""},
		{"beside.h5", []Option{WithExternal(External{Only: true, Files: []string{filepath.Join(in, "beside.h5")}})}, 0, ""},
		{"below/deep.h5", []Option{WithExternal(External{Only: true, Files: []string{filepath.Join(in, "beside.h5")}})}, h5err.Unsupported, "is not among"},
		{"../out.h5", []Option{WithExternal(External{Only: true, Files: []string{out}})}, 0, ""},
		{"link_outside.h5", []Option{WithExternal(External{Only: true, Files: []string{filepath.Join(in, "link_outside.h5")}})}, h5err.Unsupported, "leads outside"},
	}
}

// TestExternalPolicy checks which files a file may refer to.
func TestExternalPolicy(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	dir := tree(t, map[string][]msg{
		"in/main.h5": nil, "in/beside.h5": nil, "in/below/deep.h5": nil, "out.h5": nil, "inner/x.h5": nil, "allowed/a.h5": nil, "allowed/below/b.h5": nil,
	})
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out.h5")
	if err := os.WriteFile(filepath.Join(in, "text.h5"), []byte("no HDF5 file"), 0o600); err != nil {
		t.Fatal(err)
	}
	symlink(t, "below/deep.h5", filepath.Join(in, "link_inside.h5"))
	symlink(t, "../out.h5", filepath.Join(in, "link_outside.h5"))
	symlink(t, out, filepath.Join(in, "link_absolute.h5"))
	symlink(t, "..", filepath.Join(in, "up"))
	symlink(t, "loop.h5", filepath.Join(in, "loop.h5"))
	for _, c := range externalPolicies(dir) {
		t.Run(fmt.Sprintf("%s,%d", strings.TrimPrefix(c.name, dir), len(c.opts)), func(t *testing.T) {
			f, err := Open(filepath.Join(in, "main.h5"), c.opts...)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			o, err := f.OpenFile(c.name)
			src, err2 := f.OpenExternal(c.name)
			if src != nil {
				src.Release()
			}
			if c.kind != 0 {
				needError(t, err, c.kind, c.text, -1)
				if c.kind != h5err.Corrupt || c.name == "" {
					needError(t, err2, c.kind, c.text, -1)
				}
				return
			}
			if err != nil || err2 != nil {
				t.Fatal(err, err2)
			}
			if again, err := f.OpenFile(c.name); again != o || err != nil {
				t.Errorf("opened twice: %v", err)
			}
			lookup[*Dataset](t, o, "/value")
		})
	}
}

func TestExternalNotLocal(t *testing.T) {
	f := openBytes(t, newBuilder().single(external("x", "beside.h5", "/value")))
	_, err := f.Lookup("/x")
	needError(t, err, h5err.Unsupported, `test.h5: /x: unsupported: "beside.h5" is another file, and this one is not a local file`, -1)
}

func TestExternalLinks(t *testing.T) {
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	dir := tree(t, map[string][]msg{
		"a.h5": {external("b", "b.h5", "/value"), external("root", "b.h5", "/"), external("missing", "no.h5", "/value"), external("no object", "b.h5", "/nothing"),
			external("round", "b.h5", "back/round"), external("own", "a.h5", "value"), external("relative", "b.h5", "value"), soft("soft", "root/below/value"),
			external("trip", "b.h5", "back/b")},
		"b.h5":       {external("back", "a.h5", "/"), external("round", "a.h5", "/round"), external("below", "sub/c.h5", "/")},
		"sub/c.h5":   {external("up", "../a.h5", "/value"), external("beside", "d.h5", "/value")},
		"sub/d.h5":   nil,
		"unrelated1": nil,
	})
	f, err := Open(filepath.Join(dir, "a.h5"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for p, want := range map[string]string{
		"/b": "b.h5 /value", "/root": "b.h5 /", "/root/value": "b.h5 /value", "/own": "a.h5 /value", "/relative": "b.h5 /value",
		"/trip": "b.h5 /value", "/root/below/beside": "d.h5 /value", "/root/back/root/back/value": "a.h5 /value",
	} {
		o, err := f.Lookup(p)
		if err != nil {
			t.Errorf("%s: %v", p, err)
			continue
		}
		if got := filepath.Base(o.File().Name()) + " " + o.Path(); got != want {
			t.Errorf("%s is %s, want %s", p, got, want)
		}
	}
	if o, err := f.Lookup("/soft"); err != nil || filepath.Base(o.File().Name()) != "c.h5" {
		t.Errorf("soft link to an external one: %v, %v", o, err)
	}
	if o, err := f.Lookup("/own"); err != nil || o.File() != f {
		t.Errorf("a file that leads to itself is open twice: %v", err)
	}
	for p, c := range map[string]struct {
		kind h5err.Kind
		text string
	}{
		"/missing":       {h5err.NotFound, "a.h5: /missing: no file \"no.h5\""},
		"/no object":     {h5err.NotFound, "b.h5: /nothing: no such object"},
		"/round":         {h5err.NotFound, "too many external links"},
		"/root/below/up": {h5err.Unsupported, "c.h5: /up: unsupported: \"../a.h5\" is outside the file's directory"},
	} {
		_, err := f.Lookup(p)
		needError(t, err, c.kind, c.text, -1)
	}
	if n := len(f.family.files); n != 4 {
		t.Errorf("%d files are open", n)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil { // a second call does nothing
		t.Error(err)
	}
	if _, err := f.OpenFile("b.h5"); err == nil {
		t.Error("a closed file opens others")
	}
}

// TestExternalMany has a file that refers to more files than may be open, and to one by many names.
func TestExternalMany(t *testing.T) {
	files := map[string][]msg{"main.h5": nil}
	for i := range 5 {
		files[fmt.Sprintf("%d.h5", i)] = nil
	}
	dir := tree(t, files)
	f, err := Open(filepath.Join(dir, "main.h5"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := range 100 {
		if _, err := f.OpenFile(strings.Repeat("./", i) + "0.h5"); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(f.family.files); n != 2 {
		t.Errorf("%d files are open", n)
	}
	for i := range maxFiles { // as if they were
		f.family.files[fmt.Sprint(i)] = f
	}
	_, err = f.OpenFile("1.h5")
	needError(t, err, h5err.Limit, "more than 1024 files that refer to one another", -1)
	if _, err := f.OpenFile("0.h5"); err != nil {
		t.Error(err)
	}
}

// TestExternalFixture follows the links that libhdf5 wrote.
func TestExternalFixture(t *testing.T) {
	f, err := Open(h5test.Fixture(t, "old.h5"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := lookup[*Dataset](t, f, "/links/outside")
	if d.Rows() != 6 || d.Type().String() != "i32le" || d.Path() != "/inside/values" {
		t.Errorf("%d rows of %s at %s", d.Rows(), d.Type(), d.Path())
	}
	_, err = f.Lookup("/links/outside_dangling")
	needError(t, err, h5err.NotFound, "missing.h5", -1)
	e, err := Open(h5test.Fixture(t, "external.h5"))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	n := 0
	if err := e.Walk(func(o Object) error {
		d, ok := o.(*Dataset)
		if !ok {
			return nil
		}
		l, err := d.Layout()
		if err != nil {
			return err
		}
		for _, x := range l.External {
			src, err := e.OpenExternal(x.Name)
			if x.Name == "external_missing.raw" {
				needError(t, err, h5err.NotFound, x.Name, -1)
				continue
			}
			if err != nil {
				return err
			}
			if x.Offset+x.Size > src.Size() {
				t.Errorf("%s: %+v of %d bytes", d.Path(), x, src.Size())
			}
			src.Release()
			n++
		}
		return nil
	}); err != nil || n == 0 {
		t.Errorf("%d extents, %v", n, err)
	}
}
