package repotest

import (
	"go/ast"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// commandLine is where flags and verbs may be named.
var commandLine = []string{"cmd", "examples"}

func onCommandLine(path string) bool {
	for _, dir := range commandLine {
		if under(path, dir) {
			return true
		}
	}
	return false
}

// stringLiterals calls fn with the string literals of a file, except import paths.
func stringLiterals(f goFile, fn func(text string)) {
	ast.Inspect(f.tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.BasicLit:
			if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				fn(text)
			}
		}
		return true
	})
}

// verbs returns the first words of the commands' Use lines.
func verbs(t *testing.T, files []goFile) []string {
	t.Helper()
	var out []string
	for _, f := range files {
		if f.test || !under(f.path, "cmd/h5arrow") {
			continue
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			kv, ok := n.(*ast.KeyValueExpr)
			if !ok {
				return true
			}
			key, isName := kv.Key.(*ast.Ident)
			value, isText := kv.Value.(*ast.BasicLit)
			if isName && isText && key.Name == "Use" {
				use, err := strconv.Unquote(value.Value)
				if err != nil {
					t.Fatal(err)
				}
				verb, _, _ := strings.Cut(use, " ")
				out = append(out, verb)
			}
			return true
		})
	}
	return out
}

// TestNoCommandLineInLibraries checks that libraries name options of Go packages, and no flags or verbs of the command.
func TestNoCommandLineInLibraries(t *testing.T) {
	files := goFiles(t)
	words := verbs(t, files)
	if len(words) < 6 {
		t.Fatalf("the verbs of the command are %q", words)
	}
	refused := regexp.MustCompile("(^|[^-\\w])--[a-z]|`(h5arrow )?(" + strings.Join(words, "|") + ")[ `]")
	for text, want := range map[string]bool{"allow more with --max-memory": true, "--table chooses": true, "see `inspect`": true, "`h5arrow head`": true,
		"-tags libhdf5": false, "a--b": false, "a group `columns`": false, "rows 1 -- 2": false} {
		if refused.MatchString(text) != want {
			t.Errorf("%q: refused: %v", text, !want)
		}
	}
	for _, f := range files {
		if f.test || onCommandLine(f.path) {
			continue
		}
		stringLiterals(f, func(text string) {
			if refused.MatchString(text) {
				t.Errorf("%s names a flag or a verb of the command: %q", f.path, text)
			}
		})
	}
}

// optionFlags returns the keys of the command's table from options to flags.
func optionFlags(t *testing.T, files []goFile) map[string]bool {
	t.Helper()
	keys := map[string]bool{}
	for _, f := range files {
		if f.test || !under(f.path, "cmd") {
			continue
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || spec.Names[0].Name != "optionFlags" || len(spec.Values) != 1 {
				return true
			}
			for _, e := range spec.Values[0].(*ast.CompositeLit).Elts {
				key, err := strconv.Unquote(e.(*ast.KeyValueExpr).Key.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				keys[key] = true
			}
			return false
		})
	}
	return keys
}

// isOver reports whether a function is that of h5err or of a cursor that names a limit; bytes may also lie over others.
func isOver(fn *ast.SelectorExpr) bool {
	x, ok := fn.X.(*ast.Ident)
	return ok && fn.Sel.Name == "Over" && (x.Name == "h5err" || x.Name == "c")
}

// TestOptionsOfErrors checks that each option that an error names exists, and that the command has a flag for it.
func TestOptionsOfErrors(t *testing.T) {
	files := goFiles(t)
	names, flags := declared(files), optionFlags(t, files)
	used := map[string]bool{}
	for _, f := range files {
		if f.test {
			continue
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			fn, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || fn.Sel.Name != "WithOption" && !isOver(fn) || passOn[f.path] {
				return true
			}
			lit, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: the option of an error is not a literal", f.path)
				return true
			}
			option, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			used[option] = true
			if !names[option] {
				t.Errorf("%s: an error names the option %s, which does not exist", f.path, option)
			}
			if !flags[option] {
				t.Errorf("%s: the command has no flag for the option %s", f.path, option)
			}
			return true
		})
	}
	if len(used) == 0 {
		t.Fatal("no error names an option")
	}
	for option := range flags {
		if !used[option] {
			t.Errorf("the command has a flag for the option %s, which no error names", option)
		}
	}
}

// passOn are files with functions that pass on the option that they are given.
var passOn = map[string]bool{"h5/h5err/h5err.go": true, "h5/internal/meta/cursor.go": true}
