package repotest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap/convention/detect"
)

// TestConventionsDoc demands a section of docs/conventions.md for each convention, in the order in which they are tried,
// with at least one rule, and that each rule names fixtures that are there.
func TestConventionsDoc(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join(root(t), "docs", "conventions.md"))
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split("\n"+string(doc), "\n## ")[1:]
	all := detect.All()
	for i, c := range all {
		if i >= len(sections) {
			t.Fatalf("docs/conventions.md has %d sections, there are %d conventions", len(sections), len(all))
		}
		name, text, _ := strings.Cut(sections[i], "\n")
		if name != c.Name {
			t.Fatalf("section %d of docs/conventions.md is %q, the convention is %q", i, name, c.Name)
		}
		checkRules(t, name, text)
	}
	for _, s := range sections[len(all):] { // rules that are not one convention's
		name, text, _ := strings.Cut(s, "\n")
		checkRules(t, name, text)
	}
}

var fixtureName = regexp.MustCompile("`([^`]+)`")

// checkRules checks the rows of a section's table: their last cell holds the paths of fixtures.
func checkRules(t *testing.T, section, text string) {
	t.Helper()
	rules := 0
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| in the file") {
			continue
		}
		rules++
		cells := strings.Split(strings.Trim(line, "|"), "|")
		names := fixtureName.FindAllStringSubmatch(cells[len(cells)-1], -1)
		if len(names) == 0 {
			t.Errorf("%s: this rule names no fixture: %s", section, line)
		}
		for _, n := range names {
			if _, err := os.Stat(filepath.Join(root(t), filepath.FromSlash(n[1]))); err != nil {
				t.Errorf("%s: %v", section, err)
			}
		}
	}
	if rules == 0 {
		t.Errorf("%s: no rule", section)
	}
}
