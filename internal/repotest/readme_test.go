package repotest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5test"
)

// fence is one code block of the README: its language and its lines.
var fence = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")

// TestReadme runs the commands, the Python and the Go program (examples/quickstart) that the README and docs/cli.md show, and
// compares the output.
func TestReadme(t *testing.T) {
	root := h5test.Root(t)
	r := newReadme(t, root)
	for _, page := range []string{"README.md", filepath.Join("docs", "cli.md")} {
		r.page(filepath.Join(root, page))
	}
}

// page runs what a page shows, and compares or rewrites it.
func (r *readme) page(path string) {
	t := r.t
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	next := "" // output of the previous program
	out := fence.ReplaceAllStringFunc(string(text), func(block string) string {
		m := fence.FindStringSubmatch(block)
		switch lang, body := m[1], m[2]; lang {
		case "console":
			return "```console\n" + r.console(body) + "```"
		case "python":
			next = r.python(body)
		case "go":
			next = r.golang(body)
		case "output":
			if next == skipped {
				return block
			}
			return "```output\n" + next + "```"
		}
		return block
	})
	if *update {
		if err := os.WriteFile(path, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if out != string(text) {
		t.Errorf("%s differs from what its commands print (go test ./internal/repotest -run TestReadme -update writes it):\n%s", filepath.Base(path), firstDifference(string(text), out))
	}
}

// skipped is the output of a program that can't run here.
const skipped = "\x00"

// readme runs the commands and programs of a page.
type readme struct {
	t         *testing.T
	root, dir string
	sql       bool // the command was built with the SQL engine
}

// newReadme builds the command with the build tags that this machine supports, in a folder where the page's commands find
// the test data and its programs this module.
func newReadme(t *testing.T, root string) *readme {
	t.Helper()
	r := &readme{t: t, root: root, dir: t.TempDir()}
	tags, err := exec.Command(filepath.Join(root, "scripts", "tags.sh")).Output()
	if err != nil {
		t.Fatal(err)
	}
	r.sql = strings.Contains(string(tags), "duckdb_arrow")
	if !r.sql && withCgo(t) && os.Getenv("H5ARROW_REQUIRE_ALL") == "1" {
		t.Error("no SQL engine")
	}
	bin := filepath.Join(r.dir, "bin")
	r.run(root, exec.Command("go", "build", "-tags", strings.TrimSpace(string(tags)), "-o", filepath.Join(bin, "h5arrow"), "./cmd/h5arrow"))
	if err := os.Symlink(filepath.Join(root, "testdata"), filepath.Join(r.dir, "testdata")); err != nil {
		t.Fatal(err)
	}
	r.unpack("fixtures", filepath.Join(root, "arrowmap", "convention", "*", "testdata", "*.gz"))
	work := filepath.Join(r.dir, "go.work")
	if err := os.WriteFile(work, []byte("go 1.26.0\n\nuse "+root+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOWORK", work)
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return r
}

// unpack unpacks the files of a pattern that are compressed by gzip into a folder beside the pages' testdata.
func (r *readme) unpack(folder, pattern string) {
	r.t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		r.t.Fatal(pattern, err)
	}
	for _, name := range names {
		packed, err := os.ReadFile(name)
		if err != nil {
			r.t.Fatal(err)
		}
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			r.t.Fatal(name, err)
		}
		plain, err := io.ReadAll(z)
		if err != nil {
			r.t.Fatal(name, err)
		}
		to := filepath.Join(r.dir, folder, strings.TrimSuffix(filepath.Base(name), ".gz"))
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, plain, 0o644)); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *readme) run(dir string, c *exec.Cmd) string {
	r.t.Helper()
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		r.t.Fatalf("%v: %v\n%s", c.Args, err, out)
	}
	return string(out)
}

// console runs each command of a block and returns the block with its output. A block that needs the SQL engine is returned
// unchanged if the command was built without it.
func (r *readme) console(body string) string {
	if strings.Contains(body, "h5arrow query") && !r.sql {
		r.t.Logf("not run without the SQL engine: %s", body)
		return body
	}
	var b strings.Builder
	for line := range strings.Lines(body) {
		if cmd, ok := strings.CutPrefix(line, "$ "); ok {
			b.WriteString(line)
			b.WriteString(r.run(r.dir, exec.Command("sh", "-c", cmd)))
		}
	}
	return b.String()
}

func (r *readme) python(body string) string {
	py := h5test.Python(r.t, "pyarrow")
	if py == "" {
		r.t.Log("the Python program is not run: there is no Python with pyarrow")
		return skipped
	}
	return r.script(func() *exec.Cmd {
		c := exec.Command(py, "-B", "-")
		c.Stdin = strings.NewReader(body)
		return c
	})
}

// script runs a Python program. If a signal ends it, it runs again: threads of its packages sometimes abort the
// interpreter while it shuts down, after the program is done.
func (r *readme) script(program func() *exec.Cmd) string {
	r.t.Helper()
	for try := 1; ; try++ {
		c := program()
		c.Dir = r.dir
		out, err := c.CombinedOutput()
		if err == nil {
			return string(out)
		}
		if try == 3 || c.ProcessState == nil || c.ProcessState.ExitCode() >= 0 {
			r.t.Fatalf("%v: %v\n%s", c.Args, err, out)
		}
		r.t.Logf("%v: %v\n%s", c.Args, err, out)
	}
}

func (r *readme) golang(body string) string {
	file := filepath.Join(r.root, "examples", "quickstart", "main.go")
	code, err := os.ReadFile(file)
	if err != nil {
		r.t.Fatal(err)
	}
	if !bytes.Equal(code, []byte(body)) {
		r.t.Error("the README's Go program differs from examples/quickstart/main.go")
	}
	return r.run(r.root, exec.Command("go", "run", "./examples/quickstart"))
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range x {
		if i >= len(y) || x[i] != y[i] {
			return "page: " + x[i] + "\nprinted: " + strings.Join(y[min(i, len(y)):min(i+3, len(y))], "\n")
		}
	}
	return "the page ends early"
}
