package main

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
)

// half are files with one good table and something broken that may be one, and the exit status for them.
var half = []struct {
	file    string
	status  int
	problem string
}{
	{"half.h5", exitCorrupt, "half.h5: /frame: corrupt: axis0 is missing"},
	{"halfnew.h5", exitUnsupported, "halfnew.h5: /later/x: at byte 5272: unsupported: header message type 0xee"},
}

// withoutHalf removes those files from the current folder.
func withoutHalf(t testing.TB) {
	t.Helper()
	for _, c := range half {
		if err := os.Remove(c.file); err != nil {
			t.Fatal(err)
		}
	}
}

// If some tables of a file can't be found, the others are read, the problem is printed, and the exit status is not 0.
func TestIncomplete(t *testing.T) {
	workplace(t)
	for _, c := range half {
		line := "h5arrow: not all tables were found: " + c.problem + "\n"
		says := func(args ...string) result {
			t.Helper()
			r := expect(t, c.status, args...)
			if r.err != line {
				t.Errorf("%q: %q, want %q", args, r.err, line)
			}
			return r
		}
		if r := says("head", c.file); !strings.Contains(r.out, "4\n") {
			t.Errorf("%s: %q", c.file, r.out)
		}
		says("convert", c.file, c.file+".arrow", "--quiet")
		says("convert", "--all-tables", c.file, c.file+".tables")
		whole := expect(t, 0, "convert", "--table", "/good", c.file, "-").out
		for _, name := range []string{c.file + ".arrow", c.file + ".tables/good.arrow"} {
			if got := expect(t, 0, "head", name, "--json").out; got != expect(t, 0, "head", "--table", "/good", c.file, "--json").out {
				t.Errorf("%s: %q", name, got)
			}
		}
		if r := says("convert", c.file, "-"); r.out != whole {
			t.Errorf("%s: another stream than with --table", c.file)
		}
		if engine.Available {
			if r := says("query", c.file, "select sum(id) as n from good", "--json"); r.out != `[{"n": 10}]`+"\n" {
				t.Errorf("%s: %q", c.file, r.out)
			}
		}

		// Objects that are selected by name have no problem.
		expect(t, 0, "head", "--dataset", "/good/id", c.file)
		if r := expect(t, 0, "inspect", c.file, "/good"); strings.Contains(r.out, "not all") {
			t.Errorf("%s: %q", c.file, r.out)
		}
		for _, path := range []string{"/", strings.Fields(c.problem)[1]} {
			path = strings.TrimSuffix(path, ":")
			if r := command(t, "inspect", c.file, path); r.status != c.status || !strings.Contains(r.out+r.err, c.problem) {
				t.Errorf("inspect %s %s: status %d, %q", c.file, path, r.status, r.out)
			}
		}
	}
	r := command(t, "convert", "half.h5", "halfnew.h5", "both.arrow")
	if r.status != exitCorrupt || strings.Count(r.err, "\n") != 2 {
		t.Errorf("two files: status %d, %q", r.status, r.err)
	}
}

// Tables that are found are served, and problems are printed once.
func TestIncompleteServed(t *testing.T) {
	workplace(t)
	for _, c := range half {
		var errs strings.Builder
		a := &app{streams: streams{err: &errs}, ctx: context.Background()}
		f, err := arrowmap.Open(c.file)
		if err != nil {
			t.Fatal(err)
		}
		list := a.served(&serveFlags{})
		for range 2 {
			tables, err := list(f)
			if err != nil || len(tables) != 1 || tables[0].Path() != "/good" {
				t.Errorf("%s: %v, %v", c.file, tables, err)
			}
		}
		if got := errs.String(); got != "h5arrow: not all tables were found: "+c.problem+"\n" {
			t.Errorf("%s: %q", c.file, got)
		}
		f.Close()
	}
}

// Served tables that are not listed are printed once, and the others are listed.
func TestServedLeftOut(t *testing.T) {
	workplace(t)
	f, err := arrowmap.Open("clash.h5")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const region = "h5arrow: left out: clash.h5: /part/region: unsupported: region references\n"
	const refs = "h5arrow: left out: clash.h5: /refs/region: unsupported: region references\n"
	const none = "h5arrow: left out: clash.h5: /none: a table without columns\n"
	for _, c := range []struct {
		flags serveFlags
		want  string
	}{
		{serveFlags{}, none + region + refs},
		{serveFlags{selection: selection{skip: true}}, none + region + refs + "h5arrow: left out: clash.h5: /refs: a table without columns\n"},
		{serveFlags{selection: selection{reading: reading{quiet: true}}}, ""},
	} {
		var errs strings.Builder
		a := &app{streams: streams{err: &errs}, ctx: context.Background()}
		list := a.served(&c.flags)
		for range 2 {
			if tables, err := list(f); err != nil || len(tables) != 8 {
				t.Errorf("%d tables, %v", len(tables), err)
			}
		}
		if got := errs.String(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
