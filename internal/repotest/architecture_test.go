package repotest

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// section returns the part of a page of the repository below a heading of the second level.
func section(t *testing.T, page, heading string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(t), page))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("%s has no section %q", page, heading)
	}
	text, _, _ := strings.Cut(rest, "\n## ")
	return text
}

// drawn matches a line of the tree in ARCHITECTURE.md: a layer, if it is the first line of one, a package, a description.
var drawn = regexp.MustCompile(`(?m)^    (?:[a-z]+ +| {11})([a-z0-9/]+)(/\*)?(?:  .*)?$`)

// TestArchitectureTree compares the tree in ARCHITECTURE.md with the packages of the repository. A folder "internal" belongs
// to the package that contains it, unless the tree shows it, and "/*" stands for all packages below a folder.
func TestArchitectureTree(t *testing.T) {
	tree, below := map[string]bool{}, map[string]bool{}
	for _, m := range drawn.FindAllStringSubmatch(section(t, "ARCHITECTURE.md", "Packages"), -1) {
		if m[2] != "" {
			below[m[1]] = true
			continue
		}
		if tree[m[1]] {
			t.Errorf("the tree has %s twice", m[1])
		}
		tree[m[1]] = true
	}
	packages := map[string]bool{}
	for _, f := range goFiles(t) {
		packages[path.Dir(f.path)] = true
	}
	for p := range tree {
		if !packages[p] {
			t.Errorf("the tree has %s, which is not a package", p)
		}
	}
	for p := range packages {
		owner, _, inside := strings.Cut(p, "/internal/")
		known := tree[p] || inside && tree[owner] || under(p, "examples")
		for dir := range below {
			known = known || under(p, dir)
		}
		if !known {
			t.Errorf("the tree does not have %s", p)
		}
	}
}

var quoted = regexp.MustCompile("`([^`]+)`")

// TestArchitectureWalk checks that the names in ARCHITECTURE.md's walk exist: each quoted one is declared in some package, or
// is the path of a file or folder.
func TestArchitectureWalk(t *testing.T) {
	names := declared(goFiles(t))
	found := quoted.FindAllStringSubmatch(section(t, "ARCHITECTURE.md", "One value, from the file to the batch"), -1)
	if len(found) < 10 {
		t.Errorf("%d names", len(found))
	}
	for _, m := range found {
		if _, err := os.Stat(filepath.Join(root(t), filepath.FromSlash(m[1]))); err != nil && !names[m[1]] {
			t.Errorf("%s is not declared as package.Name or package.Type.Name, and is not a path in the repository", m[1])
		}
	}
}
