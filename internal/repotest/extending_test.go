package repotest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var diffFence = regexp.MustCompile("(?ms)^```diff\n(.*?)^```$")

// hunk is a run of lines that a diff adds or shows as its context.
type hunk struct {
	file  string
	lines []string
}

// hunks splits a diff in git's format. What it removes is left out.
func hunks(diff string) (list []hunk) {
	file := ""
	for line := range strings.Lines(diff) {
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "+++ b/"); ok {
			file = name
			continue
		}
		switch {
		case strings.HasPrefix(line, "@@"):
			list = append(list, hunk{file: file})
		case len(list) > 0 && (line == "" || line[0] == '+' || line[0] == ' '):
			h := &list[len(list)-1]
			h.lines = append(h.lines, line[min(1, len(line)):])
		}
	}
	return list
}

// contains reports whether the lines of a file contain those of a hunk.
func contains(file, lines []string) bool {
	for i := 0; i+len(lines) <= len(file); i++ {
		same := true
		for k, l := range lines {
			same = same && file[i+k] == l
		}
		if same {
			return true
		}
	}
	return false
}

// TestExtending compares the diffs that docs/extending.md shows with the files: each hunk is in the file as it is now.
func TestExtending(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root(t), "docs", "extending.md"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, m := range diffFence.FindAllStringSubmatch(string(page), -1) {
		for _, h := range hunks(m[1]) {
			n++
			b, err := os.ReadFile(filepath.Join(root(t), filepath.FromSlash(h.file)))
			if err != nil {
				t.Error(err)
			} else if len(h.lines) == 0 || !contains(strings.Split(string(b), "\n"), h.lines) {
				t.Errorf("%s does not contain\n%s", h.file, strings.Join(h.lines, "\n"))
			}
		}
	}
	if n < 8 {
		t.Errorf("%d hunks", n)
	}
}
