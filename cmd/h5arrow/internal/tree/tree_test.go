package tree

import (
	"fmt"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/text"
)

// lines are what Show writes.
func lines(t *testing.T, root *Node, width int, all bool) []string {
	t.Helper()
	var out strings.Builder
	if err := Show(&text.Screen{W: &out, Width: width}, root, all); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

// Of a thousand tables, some have a line and the others are counted, unless all are asked for.
func TestManyTables(t *testing.T) {
	root := &Node{}
	for i := range 1000 {
		kind := "table"
		if i >= 990 {
			kind = "dataset"
		}
		root.Children = append(root.Children, &Node{Name: fmt.Sprintf("run%04d", i), What: "pandas table", Kind: kind})
	}
	got := lines(t, root, 80, false)
	if want := "… 960 tables, 10 datasets more (--all lists them)"; len(got) != shown+1 || got[shown] != want {
		t.Errorf("%d lines, the last is %q, want %q", len(got), got[len(got)-1], want)
	}
	if got := lines(t, root, 80, true); len(got) != 1000 {
		t.Errorf("%d lines of all", len(got))
	}
}

// Lines of deep groups stay short, and nothing in a name reaches a terminal raw.
func TestDeep(t *testing.T) {
	root := &Node{}
	for n, i := root, 0; i < 2000; i++ {
		next := &Node{Name: "group\x1b[2J/", Kind: "group"}
		n.Children, n = []*Node{next}, next
	}
	got := lines(t, root, 0, false)
	if len(got) > maxDepth+3 || !strings.Contains(got[len(got)-1], "1 group and what is below") {
		t.Errorf("%d lines: %q", len(got), got[len(got)-1])
	}
	for _, line := range got {
		if strings.Contains(line, "\x1b") {
			t.Errorf("%q", line)
		}
	}
	for _, line := range lines(t, root, 30, false) {
		if text.Width(line) > 30 {
			t.Errorf("%d columns: %q", text.Width(line), line)
		}
	}
}

// What is in a folded group is counted, unless all is asked for or something in it is broken.
func TestFolded(t *testing.T) {
	group := &Node{Name: "refs/", Folded: true, Children: []*Node{{Name: "a", Kind: "dataset"}, {Name: "b", Kind: "dataset"}}}
	root := &Node{Children: []*Node{group}}
	if got := lines(t, root, 80, false); len(got) != 1 || got[0] != "refs/  2 datasets (--all lists them)" {
		t.Errorf("%q", got)
	}
	if got := lines(t, root, 80, true); len(got) != 3 {
		t.Errorf("%q", got)
	}
	group.Children[1].Children = []*Node{{Name: "c", Style: text.Bad, What: "error"}}
	if got := lines(t, root, 80, false); len(got) != 4 {
		t.Errorf("%q", got)
	}
}
