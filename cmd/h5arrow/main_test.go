package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/plugins"
	"github.com/h5arrow/h5arrow/h5/source"
)

var update = flag.Bool("update", false, "rewrite testdata/golden.txt")

// asCommand, when it is set, makes the test binary the command itself, for tests that need a process.
const asCommand = "H5ARROW_TEST_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// result is the result of a command line.
type result struct {
	out, err string
	status   int
}

// command runs a command line through buffers.
func command(t testing.TB, args ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	status := run(context.Background(), args, streams{strings.NewReader(""), &out, &err})
	return result{out.String(), err.String(), status}
}

// expect fails the test unless a command line ends with a status, and with one line on stderr where that is not 0.
func expect(t testing.TB, status int, args ...string) result {
	t.Helper()
	r := command(t, args...)
	if r.status != status {
		t.Errorf("%q: status %d, want %d: %s", args, r.status, status, r.err)
	}
	if status != 0 && (strings.Count(r.err, "\n") != 1 || !strings.HasPrefix(r.err, "h5arrow: ")) {
		t.Errorf("%q: not one line: %q", args, r.err)
	}
	return r
}

// workplace copies the test files to a new folder and makes it the current one.
func workplace(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	files, err := filepath.Glob("testdata/*.h5")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	for _, name := range append(files, h5test.Fixture(t, "sample.h5")) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	return dir
}

// listing returns the modes, sizes and times of all files in a folder, by path.
func listing(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		out[path] = fmt.Sprint(info.Mode(), info.Size(), info.ModTime().Format(time.RFC3339Nano))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// onlyNew fails the test if files have changed or vanished, or if there are new ones that are not named.
func onlyNew(t testing.TB, dir string, before map[string]string, names ...string) {
	t.Helper()
	after := listing(t, dir)
	for path, was := range before {
		if is, ok := after[path]; !ok || is != was {
			t.Errorf("%s was %s, is %s", path, was, is)
		}
	}
	for _, name := range names {
		if _, ok := after[filepath.Join(dir, name)]; !ok {
			t.Errorf("there is no %s", name)
		}
		delete(after, filepath.Join(dir, name))
	}
	for path := range after {
		if _, ok := before[path]; !ok {
			t.Errorf("%s was left behind", path)
		}
	}
}

// TestGolden runs the command lines of testdata/golden.txt and compares what they print: "> " starts a command line, "!"
// a line of stderr, "=" a status other than 0. Everything is as printed, except for seconds and copied bytes.
func TestGolden(t *testing.T) {
	command(t, "help") // package signal starts a goroutine once
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	golden, err := filepath.Abs("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	dir := workplace(t)
	varies := regexp.MustCompile(`"(seconds|copied_bytes)":[0-9.e-]+`)
	var got strings.Builder
	for line := range strings.Lines(string(b)) {
		switch {
		case strings.HasPrefix(line, "#"):
			got.WriteString(line + "\n")
		case strings.HasPrefix(line, "> "):
			before := listing(t, dir)
			r := command(t, words(strings.TrimSpace(line[2:]))...)
			onlyNew(t, dir, before)
			got.WriteString(line)
			got.WriteString(varies.ReplaceAllString(r.out, `"$1":0`))
			for e := range strings.Lines(r.err) {
				got.WriteString("! " + e)
			}
			if r.status != 0 {
				fmt.Fprintf(&got, "= %d\n", r.status)
			}
			got.WriteByte('\n')
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got.String() != string(b) {
		want, is := strings.Split(string(b), "\n"), strings.Split(got.String(), "\n")
		for i := range is {
			if i >= len(want) || is[i] != want[i] {
				t.Fatalf("line %d is\n%s\nwant\n%s\n(go test -update rewrites the file)", i+1, is[i], want[min(i, len(want)-1)])
			}
		}
		t.Fatal("something is missing at the end")
	}
}

// The scripts of all shells ask the command for completions.
func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if r := expect(t, 0, "completion", shell); !strings.Contains(r.out, "__complete") {
			t.Errorf("%s: %q", shell, r.out)
		}
	}
	for line, want := range map[string]string{
		"convert --compression ": "none lz4 zstd snappy", "convert x --io ": "mmap read", "completion ": "bash zsh fish powershell", "ins": "inspect",
		"head testdata/two.h5 --table ": "/a /b", "head testdata/two.h5 --table /a --columns ": "id word", "head testdata/two.h5 --table /a -c id,w": "id,word",
		"inspect testdata/two.h5 ": "/a/ /b/ /none/ /nowhere", "inspect testdata/two.h5 /b/": "/b/big /b/flag /b/same", "stats testdata/two.h5 --dataset /none/s": "/none/scalar /none/short",
		"head testdata/none.h5 --table ": "", "inspect testdata/two.h5 /a/id/": "",
	} {
		r := command(t, append([]string{"__complete"}, strings.Split(line, " ")...)...)
		var got []string
		for word := range strings.Lines(r.out) {
			if !strings.HasPrefix(word, ":") {
				got = append(got, strings.Fields(word)[0])
			}
		}
		if s := strings.Join(got, " "); r.status != 0 || s != want {
			t.Errorf("%q: %q, want %q", line, s, want)
		}
	}
}

func TestVersion(t *testing.T) {
	r := expect(t, 0, "--version")
	if sql := regexp.MustCompile(`(?m)^SQL: (none|DuckDB v\d+\.\d+\.\d+)$`).FindStringSubmatch(r.out); sql == nil || (sql[1] == "none") == engine.Available {
		t.Errorf("%q", r.out)
	}
	want := "C parts: "
	settings := map[string]string{}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			settings[s.Key] = s.Value
		}
	}
	var in []string
	for _, part := range []string{"libdeflate", "libzstd", "libhdf5", "duckdb_arrow"} {
		tagged := slices.Contains(strings.Split(settings["-tags"], ","), part)
		if settings["CGO_ENABLED"] == "1" && (tagged || part == "libhdf5" && plugins.Available) {
			in = append(in, part)
		}
	}
	if want += strings.Join(in, ", "); in == nil {
		want += "none"
	}
	if !strings.HasPrefix(r.out, "h5arrow ") || !strings.HasSuffix(r.out, "\n"+want+"\n") {
		t.Errorf("%q", r.out)
	}
}

func TestListConventions(t *testing.T) {
	want := expect(t, 0, "--list-conventions").out
	for _, verb := range []string{"inspect", "head", "convert", "check"} {
		if got := expect(t, 0, verb, "--list-conventions").out; got != want {
			t.Errorf("%s: %q", verb, got)
		}
	}
	for i, line := range strings.Split(strings.TrimSpace(want), "\n") {
		c := arrowmap.Conventions()[i]
		if name, text, _ := strings.Cut(line, " "); name != c.Name || strings.TrimSpace(text) != c.Description {
			t.Errorf("%q, want %+v", line, c)
		}
	}
	expect(t, exitUsage, "inspect", "testdata/two.h5", "--convention", "nobody's")
}

// words splits a command line at spaces. Single quotes keep them.
func words(line string) []string {
	var out []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}

// What files are called does nothing to a terminal, in output and in errors.
func TestNoControlCharacters(t *testing.T) {
	dir := workplace(t)
	const name = "\x1b[31m\u202ered.h5"
	if err := os.Rename(filepath.Join(dir, "mixed.h5"), filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"inspect", name}, {"check", name}, {"head", name}, {"head", name, "--skip-unsupported"}, {"inspect", name + "none"},
		{"head", name, "--table", name}, {name}, {"convert", name, "/dev/null", "--skip-unsupported"}, {"convert", name, name}} {
		r := command(t, args...)
		if strings.ContainsAny(r.out+r.err, "\x1b\u202e") {
			t.Errorf("%q: %q, %q", args, r.out, r.err)
		}
		if !strings.Contains(r.out+r.err, `\x1b[31m`) {
			t.Errorf("%q does not name the file: %q, %q", args, r.out, r.err)
		}
	}
}

// Each command has a manual page, with all its flags and nothing that roff takes for a request.
func TestManPages(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man")
	expect(t, 0, "help", "--man", dir)
	requests := regexp.MustCompile(`^\.(TH|SH|B|BR|TP|PP|nf|fi)( |$)`)
	for _, verb := range append([]string{""}, strings.Fields("inspect head tail stats plot convert query serve check completion help")...) {
		page := string(readFile(t, filepath.Join(dir, strings.TrimSuffix("h5arrow-"+verb, "-")+".1")))
		for line := range strings.Lines(page) {
			if strings.HasPrefix(line, ".") && !requests.MatchString(strings.TrimSpace(line)) || strings.HasPrefix(line, "'") {
				t.Errorf("%s: %q", verb, line)
			}
		}
		help := expect(t, 0, append([]string{"help"}, strings.Fields(verb)...)...).out
		for _, flag := range regexp.MustCompile(`(?m)^ +(?:-., )?--([a-z-]+)`).FindAllStringSubmatch(help, -1) {
			if !strings.Contains(page, strings.ReplaceAll("--"+flag[1], "-", `\-`)) {
				t.Errorf("%s: no flag %s", verb, flag[1])
			}
		}
	}
	expect(t, exitFailed, "help", "--man", filepath.Join(dir, "h5arrow.1", "x"))
}

// Errors about names suggest those that may be meant.
func TestSuggestions(t *testing.T) {
	for line, want := range map[string]string{
		"insepct x": "did you mean inspect?", "head testdata/two.h5 --table /A": "/A: no such object; did you mean /a?", "inspect testdata/two.h5 /none/shrt": "did you mean /none/short?",
		"head testdata/two.h5 --table /a -c wrod": "no column wrod; did you mean word? the columns are id, word, x,y", "head testdata/two.h5 --dataset /b/bgi": "did you mean /b/big?",
		"stats testdata/two.h5 --table b": "", "inspect testdata/two.h5 /x/a": "did you mean /a?",
	} {
		if r := command(t, strings.Fields(line)...); !strings.Contains(r.err, want) {
			t.Errorf("%s: %q, want %q", line, r.err, want)
		}
	}
}

// Errors that name --max-memory say how much it is.
func TestMaxMemoryIsNamed(t *testing.T) {
	workplace(t)
	r := expect(t, exitFailed, "convert", "sample.h5", "x.arrow", "--max-memory", "100kB")
	if want := "with --max-memory (it is 100000)"; !strings.Contains(r.err, want) {
		t.Errorf("%q, want %q", r.err, want)
	}
}
