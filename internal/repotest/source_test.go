package repotest

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden text: unsafe.txt, the output in README.md and docs/engines.md")

// root returns the folder of go.mod.
func root(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// goFile is a parsed Go file of this repository, whatever its build constraints.
type goFile struct {
	path string // from the root, with slashes
	fset *token.FileSet
	tree *ast.File
	test bool
}

func goFiles(t *testing.T) []goFile {
	t.Helper()
	var files []goFile
	dir := root(t)
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := e.Name()
		if e.IsDir() {
			if path != dir && (name[0] == '.' || name[0] == '_' || name == "testdata" || name == "build" || name == "bin") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		fset := token.NewFileSet()
		tree, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		files = append(files, goFile{filepath.ToSlash(rel), fset, tree, strings.HasSuffix(name, "_test.go")})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no Go files found")
	}
	return files
}

// imports returns the name of a package in a file, and reports whether the file imports it.
func (f goFile) imports(path string) (name string, ok bool) {
	for _, s := range f.tree.Imports {
		if p, err := strconv.Unquote(s.Path.Value); err == nil && p == path {
			if s.Name != nil {
				return s.Name.Name, true
			}
			return path[strings.LastIndexByte(path, '/')+1:], true
		}
	}
	return "", false
}

func TestUnsafeFiles(t *testing.T) {
	var got []string
	for _, f := range goFiles(t) {
		if _, ok := f.imports("unsafe"); ok && !f.test {
			got = append(got, f.path)
		}
	}
	slices.Sort(got)
	text := strings.Join(got, "\n") + "\n"
	if *update {
		if err := os.WriteFile("unsafe.txt", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("unsafe.txt")
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("files that import unsafe are\n%sbut unsafe.txt says\n%sUpdate the list only if a file really needs it (go test -update).", text, want)
	}
}

// banned are functions and packages that only files of the allowed folders may use. Tests may use them all.
var banned = []struct{ pkg, name, allowed, why string }{
	{"github.com/apache/arrow-go/v18/arrow/memory", "NewBufferBytes", "ipc/parquet", "Arrow buffers over mapped bytes must count a reference"}, // ipc/parquet: pages, in memory of its own
	{"os", "Exit", "cmd examples h5/h5test/oracle", "the process belongs to the program"},                                                      // oracle: in its child process
	{"os/signal", "Notify", "cmd", "signals belong to the program"},
	{"os/signal", "NotifyContext", "cmd", "signals belong to the program"},
	{"log", "", "cmd examples", "a library returns errors and logs nothing"},
	{"log/slog", "", "cmd", "a library returns errors and logs nothing"},
}

func TestBannedCalls(t *testing.T) {
	for _, f := range goFiles(t) {
		generated := ast.IsGenerated(f.tree)
		for _, d := range f.tree.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" && !generated {
				t.Errorf("%s has an init function", f.path)
			}
		}
		if f.test {
			continue
		}
		for _, b := range banned {
			name, ok := f.imports(b.pkg)
			if !ok || slices.ContainsFunc(strings.Fields(b.allowed), func(dir string) bool { return under(f.path, dir) }) {
				continue
			}
			if b.name == "" {
				t.Errorf("%s imports %s: %s", f.path, b.pkg, b.why)
				continue
			}
			ast.Inspect(f.tree, func(n ast.Node) bool {
				if selects(n, name, b.name) {
					t.Errorf("%s uses %s.%s: %s", f.path, name, b.name, b.why)
				}
				return true
			})
		}
	}
}

// selects reports whether a node is the name of a package.
func selects(n ast.Node, pkg, name string) bool {
	s, ok := n.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == pkg
}
