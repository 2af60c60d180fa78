package main

import (
	"os"
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

// A misspelt name of a file brings up the one that may be meant, by all commands that read files.
func TestDidYouMeanFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("data/sub", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sample.h5", "a.h5", ".hidden.h5", "data/trips.hdf5", "data/sub/part1.arrow", "notes.txt"} {
		if err := os.WriteFile(filepath.FromSlash(name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for line, want := range map[string]string{
		"head sampel.h5": "sample.h5", "stats Sample.h5": "sample.h5", "inspect sample.hdf5": "sample.h5", "check ./sampl.h5": "./sample.h5",
		"convert data/trip.hdf5 out.arrow": "data/trips.hdf5", "head daat/trips.hdf5": "data/trips.hdf5", "head data/sbu/part2.arrow": "data/sub/part1.arrow",
		"import data/sub/part.arrow out.h5": "data/sub/part1.arrow", "repack smaple.h5 out.h5": "sample.h5",
		"head b.h5": "", "head hidden.h5": "", "head nothing.h5": "", "head none/such/x.h5": "", "head notes.h5": "notes.txt",
	} {
		r := command(t, strings.Fields(line)...)
		hint := ""
		if want != "" {
			hint = "; did you mean " + want + "?"
		}
		if got := filepath.ToSlash(r.err); r.status != exitFailed || !strings.HasSuffix(got, "no such file or directory"+hint+"\n") {
			t.Errorf("%s: status %d, %s", line, r.status, r.err)
		}
	}
}
