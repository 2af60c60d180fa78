package repotest

import (
	"fmt"
	"go/ast"
	"testing"
)

// TestSleeps looks for time.Sleep in tests. A test waits for what it needs with h5test.Eventually, or runs on the clock
// of testing/synctest, where it may sleep. sleeps.txt has the functions that sleep nevertheless.
func TestSleeps(t *testing.T) {
	found := map[string]string{}
	for _, f := range goFiles(t) {
		name, ok := f.imports("time")
		if !ok || !f.test {
			continue
		}
		for _, d := range f.tree.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				if c, ok := n.(*ast.CallExpr); ok && selects(c.Fun, "synctest", "Test") {
					return false
				}
				if selects(n, name, "Sleep") {
					found[f.path+" "+funcName(fn)] = fmt.Sprintf("line %d sleeps", f.fset.Position(n.Pos()).Line)
				}
				return true
			})
		}
	}
	exceptOf(t, "sleeps.txt", found)
}
