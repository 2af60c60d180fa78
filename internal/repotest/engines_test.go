package repotest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5test"
)

// fileFence is one code block of docs/engines.md, and the comment before it that names the file it shows.
var fileFence = regexp.MustCompile("(?ms)^(<!-- (examples/[a-z_/.]+) -->\n)?```([a-z]+)\n(.*?)^```$")

// TestEngines runs the commands and programs that docs/engines.md shows, and compares the code with the files in examples
// and the output with what they print.
func TestEngines(t *testing.T) {
	if testing.Short() {
		t.Skip("building programs with and without the SQL engine takes long")
	}
	root, cgo := h5test.Root(t), withCgo(t)
	path := filepath.Join(root, "docs", "engines.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	py := h5test.Python(t, "pyarrow", "duckdb", "polars", "datafusion", "pandas", "adbc_driver_flightsql")
	r := newReadme(t, root)
	next := ""
	ran := 0
	out := fileFence.ReplaceAllStringFunc(string(text), func(block string) string {
		m := fileFence.FindStringSubmatch(block)
		comment, file, lang, body := m[1], m[2], m[3], m[4]
		switch {
		case file != "":
			code, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(file)))
			if err != nil {
				t.Fatal(err)
			}
			switch next = skipped; {
			case lang != "python":
			case py == "" || !cgo && strings.Contains(file, "capi") || !r.sql && strings.Contains(string(code), "--sql"):
				t.Logf("%s is not run: it needs packages, cgo or the SQL engine", file)
			default:
				next = r.script(func() *exec.Cmd { return exec.Command(py, "-B", filepath.Join(root, filepath.FromSlash(file))) })
				ran++
			}
			return comment + "```" + lang + "\n" + string(code) + "```"
		case lang == "console":
			if strings.Contains(body, "c-shared") && !cgo {
				t.Logf("not run without cgo: %s", body)
				return block
			}
			ran++
			return "```console\n" + r.console(body) + "```"
		case lang == "output" && next != skipped:
			return "```output\n" + next + "```"
		}
		return block
	})
	if ran < 3 {
		t.Errorf("%d blocks were run", ran)
	}
	if *update {
		if err := os.WriteFile(path, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if out != string(text) {
		t.Errorf("docs/engines.md differs from its programs or from what they print (go test ./internal/repotest -run TestEngines -update writes it):\n%s",
			firstDifference(string(text), out))
	}
}

// withCgo reports whether cgo is enabled.
func withCgo(t *testing.T) bool {
	out, err := exec.Command("go", "env", "CGO_ENABLED").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out)) == "1"
}
