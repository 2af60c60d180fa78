package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// What is misspelt brings up what may be meant, also in SQL.
func TestDidYouMean(t *testing.T) {
	lines := map[string]string{
		"head testdata/two.h5 --tabel /a":         "unknown flag: --tabel; did you mean --table?",
		"head testdata/two.h5 --frob":             "unknown flag: --frob; see `h5arrow head --help`",
		"head testdata/two.h5 --convention vax":   `no convention "vax"; did you mean vaex?`,
		"head testdata/two.h5 --table /a -c wrod": "did you mean word?",
		"head testdata/two.h5 --dataset /a/ix":    "did you mean /a/id?",
		"inspekt testdata/two.h5":                 "did you mean inspect?",
	}
	if engine.Available {
		lines["query testdata/sql/names.h5 from_tabel"] = `did you mean "table"? the tables are "/Run_1", "/run_2", "table"`
		lines["query testdata/sql/names.h5 from_nothing"] = `; the tables are "/Run_1", "/run_2", "table"`
	}
	for line, want := range lines {
		args := strings.Fields(line)
		if args[0] == "query" {
			args[len(args)-1] = strings.ReplaceAll(args[len(args)-1], "_", " ")
		}
		if r := expect(t, exitUsage, args...); !strings.Contains(r.err, want) {
			t.Errorf("%s: %s", line, r.err)
		}
	}
}

// Errors that name --max-memory say how much it is, given or not.
func TestMemoryInErrors(t *testing.T) {
	sample := h5test.Fixture(t, "sample.h5")
	for verb, args := range map[string][]string{"convert": {"out.arrow"}, "import": {"out.h5"}, "stats": nil} {
		for i := range args {
			args[i] = filepath.Join(t.TempDir(), args[i])
		}
		r := expect(t, exitFailed, append([]string{verb, "--max-memory", "1KiB", sample}, args...)...)
		if !strings.Contains(r.err, "with --max-memory (it is 1024)") {
			t.Errorf("%s: %s", verb, r.err)
		}
	}
	if r := command(t, "check", "--deep", "--max-memory", "1KiB", sample); r.status != exitFailed || !strings.Contains(r.out, "with --max-memory (it is 1024)") {
		t.Errorf("status %d: %s", r.status, r.out)
	}
}

// Completion opens files by the rules of the flags before it, and completes the last of a list of datasets.
func TestCompletionRules(t *testing.T) {
	for line, want := range map[string]string{
		"head testdata/untrusted/inside.h5 -c ":              "x\tint64\ny\tint64\n",
		"head --untrusted testdata/untrusted/inside.h5 -c ":  "y\tint64\n",
		"inspect testdata/untrusted/linked.h5 /":             "/x\ti64le\n",
		"inspect --untrusted testdata/untrusted/linked.h5 /": "/x\n",
		"head testdata/two.h5 --dataset /b/big,/b/f":         "/b/big,/b/flag\tenum(i8){FALSE=0, TRUE=1}\n",
		"head testdata/two.h5 --enum none --dataset /b/":     "",
	} {
		r := command(t, append([]string{"__complete"}, strings.Split(line, " ")...)...)
		if got, _, _ := strings.Cut(r.out, ":"); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}
