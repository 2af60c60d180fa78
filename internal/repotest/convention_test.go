package repotest

import (
	"go/ast"
	"testing"
)

// TestPlainByConstructor finds no literal of convention.Plain outside its package: the zero Member and Item of one are the
// first, not the whole.
func TestPlainByConstructor(t *testing.T) {
	const path = module + "/arrowmap/convention"
	users := 0
	for _, f := range goFiles(t) {
		name, ok := f.imports(path)
		if !ok {
			continue
		}
		users++
		plain := func(e ast.Expr) bool {
			s, ok := e.(*ast.SelectorExpr)
			if !ok || s.Sel.Name != "Plain" {
				return false
			}
			id, ok := s.X.(*ast.Ident)
			return ok && id.Name == name
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if plain(n.Type) {
					t.Errorf("%s: a literal of convention.Plain: its constructors are NewPlain, NewStored, NewItem, NewMember and NewMemberItem", f.path)
				}
			case *ast.CallExpr:
				if id, ok := n.Fun.(*ast.Ident); ok && id.Name == "new" && len(n.Args) == 1 && plain(n.Args[0]) {
					t.Errorf("%s: new(convention.Plain): its constructors are NewPlain, NewStored, NewItem, NewMember and NewMemberItem", f.path)
				}
			case *ast.ValueSpec:
				if n.Type != nil && plain(n.Type) {
					t.Errorf("%s: a variable of type convention.Plain: its constructors are NewPlain, NewStored, NewItem, NewMember and NewMemberItem", f.path)
				}
			}
			return true
		})
	}
	if users == 0 {
		t.Error("no file imports " + path)
	}
}
