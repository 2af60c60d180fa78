package repotest

import (
	"go/ast"
	"testing"
)

// TestSleeps looks for time.Sleep in tests. A test waits for what it needs with h5test.Eventually, or runs on the clock
// of testing/synctest, where it may sleep.
func TestSleeps(t *testing.T) {
	for _, f := range goFiles(t) {
		name, ok := f.imports("time")
		if !ok || !f.test {
			continue
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			if c, ok := n.(*ast.CallExpr); ok && selects(c.Fun, "synctest", "Test") {
				return false
			}
			if selects(n, name, "Sleep") {
				t.Errorf("%s:%d sleeps", f.path, f.fset.Position(n.Pos()).Line)
			}
			return true
		})
	}
}
