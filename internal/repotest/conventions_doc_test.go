package repotest

import (
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap/convention/detect"
)

// TestConventionsDoc demands a section of docs/conventions.md for each convention, in the order in which they are tried,
// with at least one rule, and that each rule names fixtures that are there. Fixtures are by two versions of a writer, unless the section
// says why not.
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
		checkVersions(t, name, text)
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
	for cells := range rows(text) {
		rules++
		names := fixtureName.FindAllStringSubmatch(cells[len(cells)-1], -1)
		if len(names) == 0 {
			t.Errorf("%s: this rule names no fixture: %s", section, strings.Join(cells, "|"))
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

// rows yields the cells of each row of a section's table, but for its head.
func rows(text string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") || strings.HasPrefix(line, "| in the file") {
				continue
			}
			if !yield(strings.Split(strings.Trim(line, "|"), "|")) {
				return
			}
		}
	}
}

// writerVersions is the name of a program and its versions, as "pynwb 2.8.3, 4.2.0".
var writerVersions = regexp.MustCompile(`([A-Za-z][\w-]*) (\d[\w.]*(?:, \d[\w.]*)*)`)

// checkVersions wants two fixtures and two versions of one writer in a section, or the reason in a line that starts with "One version: ".
func checkVersions(t *testing.T, section, text string) {
	t.Helper()
	versions, fixtures, maxVersions := map[string]map[string]bool{}, map[string]bool{}, 0
	for cells := range rows(text) {
		for _, m := range writerVersions.FindAllStringSubmatch(cells[len(cells)-2], -1) {
			if versions[m[1]] == nil {
				versions[m[1]] = map[string]bool{}
			}
			for _, v := range strings.Split(m[2], ", ") {
				versions[m[1]][v] = true
			}
			maxVersions = max(maxVersions, len(versions[m[1]]))
		}
		for _, m := range fixtureName.FindAllStringSubmatch(cells[len(cells)-1], -1) {
			fixtures[m[1]] = true
		}
	}
	two, reason := maxVersions > 1 && len(fixtures) > 1, strings.Contains(text, "\nOne version: ")
	if two == reason {
		t.Errorf("%s: fixtures of two versions of a writer: %t; a reason why not: %t", section, two, reason)
	}
}
