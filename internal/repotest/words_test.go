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

// words reads the lists of words.txt: what texts avoid, and what names avoid.
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

// passage is text without line breaks, and the offsets in it where lines of the file start.
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

// report calls hit for each match of the list's words in the passage.
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

// goWords searches the comments, string literals and names of a Go file.
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

// marks matches what precedes the text in lines of comments and lists.
var marks = regexp.MustCompile(`^\s*(#|//|\*|/\*|-|>)*\s*`)

// textWords searches the paragraphs of any other file.
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

// covers reports whether the pattern matches a folder: it names that folder or, ending in "/...", one that contains it.
func covers(pattern, dir string) bool {
	pattern = path.Clean(pattern)
	if all, ok := strings.CutSuffix(pattern, "..."); ok {
		return all == "" || under(dir, strings.TrimSuffix(all, "/"))
	}
	return pattern == dir
}

// inGit returns the names of the files in git's index, and of those that `git add` would add.
func inGit(t *testing.T) []string {
	t.Helper()
	list := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard")
	list.Dir = root(t)
	out, err := list.Output()
	if err != nil {
		t.Skipf("not a git checkout: %v", err)
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
}

// wordHits returns the findings in each folder.
func wordHits(t *testing.T) map[string][]string {
	t.Helper()
	text, names := words(t)
	hits := map[string][]string{}
	files := 0
	for _, name := range inGit(t) {
		ext := path.Ext(name)
		plain := slices.Contains([]string{".md", ".py", ".sh", ".c", ".h", ".s"}, ext) || name == "Makefile" || name == ".ci/run"
		if ext != ".go" && !plain || under(name, "testdata/interop") { // a copy; its texts belong to others
			continue
		}
		src, err := os.ReadFile(filepath.Join(root(t), filepath.FromSlash(name)))
		if os.IsNotExist(err) {
			continue // deleted, but still in git's index
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

// TestWords searches all texts of the repository for the words of words.txt. H5ARROW_WORDS, a list of folders such as
// "h5/chunk/... ipc", restricts the search to them.
func TestWords(t *testing.T) {
	only := strings.Fields(os.Getenv("H5ARROW_WORDS"))
	for dir, found := range wordHits(t) {
		if len(only) > 0 && !slices.ContainsFunc(only, func(pattern string) bool { return covers(pattern, dir) }) {
			continue
		}
		for _, h := range found {
			t.Error(h)
		}
	}
}

// TestWordsFinds runs the search on the texts of testdata/words.txt. Each follows a line "=== KIND LINES", with the kind go
// or text and the numbers of the lines that are to be found.
func TestWordsFinds(t *testing.T) {
	text, names := words(t)
	b, err := os.ReadFile(filepath.Join("testdata", "words.txt"))
	if err != nil {
		t.Fatal(err)
	}
	cases := strings.Split(string(b), "=== ")[1:]
	if len(cases) < 10 {
		t.Fatalf("%d texts", len(cases))
	}
	for _, c := range cases {
		head, src, _ := strings.Cut(c, "\n")
		want := strings.Fields(head)
		got := want[:1:1]
		hit := func(line int, _ string) { got = append(got, strconv.Itoa(line)) }
		switch want[0] {
		case "go":
			goWords([]byte(src), text, names, hit)
		case "text":
			textWords([]byte(src), text, hit)
		default:
			t.Fatalf("kind %q", want[0])
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s\nfound %v, want %v", src, got, want)
		}
	}
}
