package repotest

import (
	"fmt"
	"go/scanner"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// avoided is one line of words.txt.
type avoided struct {
	word, unless *regexp.Regexp // unless may be nil
	instead      string
}

// words reads words.txt: what texts avoid, and what names do.
func words(t *testing.T) (text, names []avoided) {
	t.Helper()
	b, err := os.ReadFile("words.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list *[]avoided
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case line == "[text]":
			list = &text
		case line == "[names]":
			list = &names
		case line != "" && line[0] != '#':
			p := strings.Split(line, "\t")
			if list == nil || len(p) < 2 || len(p) > 3 {
				t.Fatalf("words.txt: line %q", line)
			}
			a := avoided{word: regexp.MustCompile(p[0]), instead: p[1]}
			if len(p) == 3 {
				a.unless = regexp.MustCompile(p[2])
			}
			*list = append(*list, a)
		}
	}
	if len(text) == 0 || len(names) == 0 {
		t.Fatalf("words.txt: %d words for texts, %d for names", len(text), len(names))
	}
	return text, names
}

// passage is text without line breaks, and where its lines start in it.
type passage struct {
	text  strings.Builder
	lines []place
}

type place struct{ offset, line int }

// add appends a line of the file, after a space.
func (p *passage) add(text string, line int) {
	if p.text.Len() > 0 {
		p.text.WriteByte(' ')
	}
	p.lines = append(p.lines, place{p.text.Len(), line})
	p.text.WriteString(strings.TrimSpace(text))
}

// report calls hit for what of the list occurs in the passage.
func (p *passage) report(list []avoided, hit func(line int, what string)) {
	s := p.text.String()
	for _, a := range list {
		for _, at := range a.word.FindAllStringIndex(s, -1) {
			if a.unless != nil {
				if m := a.unless.FindStringIndex(s[at[0]:]); m != nil && m[0] < at[1]-at[0] {
					continue
				}
			}
			i := len(p.lines) - 1
			for i > 0 && p.lines[i].offset > at[0] {
				i--
			}
			hit(p.lines[i].line, fmt.Sprintf("%q; write: %s", s[at[0]:at[1]], a.instead))
		}
	}
}

// goWords looks through the comments, string literals and names of a Go file.
func goWords(src []byte, text, names []avoided, hit func(line int, what string)) {
	var s scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(src))
	s.Init(file, src, nil, scanner.ScanComments)
	var comment passage
	last := 0 // line of the last comment
	for {
		pos, tok, lit := s.Scan()
		line := 0
		if pos.IsValid() {
			line = file.Line(pos)
		}
		if tok == token.SEMICOLON && lit == "\n" {
			continue
		}
		if tok != token.COMMENT || line != last+1 {
			comment.report(text, hit)
			comment = passage{}
		}
		switch tok {
		case token.EOF:
			return
		case token.COMMENT:
			for i, l := range strings.Split(strings.TrimSuffix(strings.TrimPrefix(lit, "/*"), "*/"), "\n") {
				last = line + i
				comment.add(strings.TrimPrefix(l, "//"), last)
			}
		case token.STRING:
			if v, err := strconv.Unquote(lit); err == nil {
				var p passage
				for i, l := range strings.Split(v, "\n") {
					if lit[0] != '`' {
						i = 0
					}
					p.add(l, line+i)
				}
				p.report(text, hit)
			}
		case token.IDENT:
			for _, a := range names {
				if a.word.MatchString(lit) && (a.unless == nil || !a.unless.MatchString(lit)) {
					hit(line, fmt.Sprintf("the name %s; write: %s", lit, a.instead))
				}
			}
		}
	}
}

// marks are what starts the lines of comments and items of lists.
var marks = regexp.MustCompile(`^\s*(#|//|\*|/\*|-|>)*\s*`)

// textWords looks through each paragraph of another file.
func textWords(src []byte, text []avoided, hit func(line int, what string)) {
	var p passage
	n := 0
	for line := range strings.Lines(string(src)) {
		n++
		bare := line[len(marks.FindString(line)):]
		if strings.TrimSpace(bare) == "" {
			p.report(text, hit)
			p = passage{}
			continue
		}
		p.add(bare, n)
	}
	p.report(text, hit)
}

// covers reports whether the pattern, a folder or with "/..." all below it too, covers a folder.
func covers(pattern, dir string) bool {
	pattern = path.Clean(pattern)
	if all, ok := strings.CutSuffix(pattern, "..."); ok {
		return all == "" || under(dir, strings.TrimSuffix(all, "/"))
	}
	return pattern == dir
}

// wordHits returns the lines with avoided words of each folder.
func wordHits(t *testing.T) map[string][]string {
	t.Helper()
	text, names := words(t)
	list := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard")
	list.Dir = root(t)
	out, err := list.Output()
	if err != nil {
		t.Skipf("not a git checkout: %v", err)
	}
	hits := map[string][]string{}
	files := 0
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSuffix(name, "\n")
		ext := path.Ext(name)
		plain := slices.Contains([]string{".md", ".py", ".sh", ".c", ".h", ".s"}, ext) || name == "Makefile" || name == ".ci/run"
		if ext != ".go" && !plain || under(name, "testdata/interop") { // a copy of somebody else's text
			continue
		}
		src, err := os.ReadFile(filepath.Join(root(t), filepath.FromSlash(name)))
		if os.IsNotExist(err) {
			continue // deleted, but not yet for git
		}
		if err != nil {
			t.Fatal(err)
		}
		files++
		hit := func(line int, what string) {
			hits[path.Dir(name)] = append(hits[path.Dir(name)], fmt.Sprintf("%s:%d: %s", name, line, what))
		}
		if ext == ".go" {
			goWords(src, text, names, hit)
		} else {
			textWords(src, text, hit)
		}
	}
	if files < 100 {
		t.Fatalf("%d files", files)
	}
	return hits
}

// TestWords looks for the words of words.txt in all texts of the repository. H5ARROW_WORDS names the folders to list hits
// of, for example H5ARROW_WORDS=h5/chunk/... or several with spaces; without it those of unswept.txt are left out.
func TestWords(t *testing.T) {
	only := strings.Fields(os.Getenv("H5ARROW_WORDS"))
	b, err := os.ReadFile("unswept.txt")
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	unswept := strings.Fields(string(b))
	left := map[string]int{}
	for dir, found := range wordHits(t) {
		match := func(pattern string) bool { return covers(pattern, dir) }
		if len(only) > 0 && !slices.ContainsFunc(only, match) {
			continue
		}
		if i := slices.IndexFunc(unswept, match); i >= 0 && len(only) == 0 {
			left[unswept[i]] += len(found)
			continue
		}
		for _, h := range found {
			t.Error(h)
		}
	}
	for _, dir := range unswept {
		t.Logf("to be swept: %5d in %s", left[dir], dir)
	}
}

// TestWordsFinds runs the search on made texts.
func TestWordsFinds(t *testing.T) {
	text, names := words(t)
	for _, c := range []struct {
		src  string
		want []int // lines
	}{
		{"package p\n\n// The values stand at\n// an address.\n", []int{3}},
		{"package p\n\n// A name stands for a table; no more are left behind.\n", nil},
		{"package p\n\n// It reads past\n// the bytes behind\n// the end.\n", []int{4}},
		{"package p\n\n// This is\n// no table.\nvar x = 1 // there is no other\n", []int{3}},
		{"package p\n\n// f is no longer used, and there is no table.\n", nil},
		{"package p\n\nvar x = \"a\\n%q is no table\"\nvar y = `a\nb\nbehaviour`\n", []int{3, 6}},
		{"package p\n\nvar mostRows, atMost int\n", []int{3}},
		{"package p\n\n/* One\nsays so\n*/\n", []int{4}},
	} {
		var got []int
		goWords([]byte(c.src), text, names, func(line int, _ string) { got = append(got, line) })
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: lines %v, want %v", c.src, got, c.want)
		}
	}
	var got []int
	textWords([]byte("# One that\n# is told\n\n> fine: told apart, organized\n\n* organised\n"), text, func(line int, _ string) { got = append(got, line) })
	if !slices.Equal(got, []int{2, 6}) {
		t.Errorf("lines %v of a plain text", got)
	}
}
