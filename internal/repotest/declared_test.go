package repotest

import "go/ast"

// declared returns the names that the packages of the repository declare, as package.Name, and package.Type.Name for
// methods and fields.
func declared(files []goFile) map[string]bool {
	names := map[string]bool{}
	for _, f := range files {
		if f.test {
			continue
		}
		pkg := f.tree.Name.Name + "."
		for _, d := range f.tree.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				names[pkg+funcName(d)] = true
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.ValueSpec:
						for _, n := range s.Names {
							names[pkg+n.Name] = true
						}
					case *ast.TypeSpec:
						names[pkg+s.Name.Name] = true
						for _, m := range members(s.Type) {
							names[pkg+s.Name.Name+"."+m] = true
						}
					}
				}
			}
		}
	}
	return names
}

// members returns the names of the fields or methods in the expression of a type.
func members(typ ast.Expr) (names []string) {
	var list *ast.FieldList
	switch typ := typ.(type) {
	case *ast.StructType:
		list = typ.Fields
	case *ast.InterfaceType:
		list = typ.Methods
	default:
		return nil
	}
	for _, f := range list.List {
		if len(f.Names) == 0 {
			names = append(names, typeName(f.Type))
		}
		for _, n := range f.Names {
			names = append(names, n.Name)
		}
	}
	return names
}
