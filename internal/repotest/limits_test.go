package repotest

import (
	"fmt"
	"go/ast"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"
)

const (
	maxFileLines = 600
	maxFuncLines = 80
)

// unlimited are folders with subfolders where functions may be longer.
var unlimited = []string{
	"h5/filter/internal/inflate", // one state machine; in its loop all variables are in registers
	"h5/filter/internal/bunzip",
	"h5/filter/internal/asm/gen", // generators of assembly
	"nullbitmap/internal/asm/gen",
}

// broad are packages whose size is not limited: they have many small files, one for each feature.
var broad = []string{"h5", "cmd/h5arrow"}

// packageLimits returns the largest number of code files and lines of a package, without tests and generated code.
func packageLimits(dir string) (files, lines int) {
	if under(dir, "arrowmap/convention") {
		return 12, 2000
	}
	return 22, 3600
}

// oversize returns the sizes that exceed the limits, by name.
func oversize(t *testing.T) map[string]string {
	t.Helper()
	type size struct{ files, lines int }
	packages := map[string]size{}
	found := map[string]string{}
	for _, f := range goFiles(t) {
		if ast.IsGenerated(f.tree) {
			continue
		}
		dir := path.Dir(f.path)
		lines := f.fset.File(f.tree.FileStart).LineCount()
		if !f.test {
			s := packages[dir]
			packages[dir] = size{s.files + 1, s.lines + lines}
		}
		if lines > maxFileLines {
			found["file "+f.path] = fmt.Sprintf("%d lines, at most %d", lines, maxFileLines)
		}
		if slices.ContainsFunc(unlimited, func(folder string) bool { return under(dir, folder) }) {
			continue
		}
		for _, d := range f.tree.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := f.fset.Position(fn.End()).Line - f.fset.Position(fn.Pos()).Line + 1; n > maxFuncLines {
				found["func "+f.path+" "+funcName(fn)] = fmt.Sprintf("%d lines, at most %d", n, maxFuncLines)
			}
		}
	}
	for dir, s := range packages {
		files, lines := packageLimits(dir)
		if (s.files > files || s.lines > lines) && !slices.Contains(broad, dir) {
			found["package "+dir] = fmt.Sprintf("%d files of %d lines, at most %d of %d", s.files, s.lines, files, lines)
		}
	}
	return found
}

// funcName returns the name of a function, or Type.Name of a method.
func funcName(fn *ast.FuncDecl) string {
	if fn.Recv == nil {
		return fn.Name.Name
	}
	return typeName(fn.Recv.List[0].Type) + "." + fn.Name.Name
}

// typeName returns the name in the expression of a type, without pointers and type arguments, "" where it has none.
func typeName(typ ast.Expr) string {
	switch x := typ.(type) {
	case *ast.StarExpr:
		return typeName(x.X)
	case *ast.IndexExpr:
		return typeName(x.X)
	case *ast.IndexListExpr:
		return typeName(x.X)
	case *ast.SelectorExpr:
		return x.Sel.Name
	case *ast.Ident:
		return x.Name
	}
	return ""
}

// TestLimits compares the sizes of packages, files and functions with their limits.
func TestLimits(t *testing.T) {
	found := oversize(t)
	for _, name := range slices.Sorted(maps.Keys(found)) {
		t.Errorf("%s: %s", name, found[name])
	}
}

// maxFileBytes is more than any file of test data has, and less than a program.
const maxFileBytes = 4 << 20

// TestFileSizes finds programs that were built in the tree, before they are committed.
func TestFileSizes(t *testing.T) {
	for _, name := range inGit(t) {
		info, err := os.Stat(filepath.Join(root(t), filepath.FromSlash(name)))
		if err == nil && info.Size() > maxFileBytes {
			t.Errorf("%s: %d bytes, at most %d", name, info.Size(), maxFileBytes)
		}
	}
}
