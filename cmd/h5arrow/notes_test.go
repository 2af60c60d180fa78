package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// unpacked returns the name of a copy of a compressed fixture.
func unpacked(t testing.TB, name string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(name), ".gz"))
	if err := os.WriteFile(to, h5test.Unpacked(t, name), 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

// What a convention noted about descriptions and values is said in the same lines by all commands.
func TestNotes(t *testing.T) {
	const folder = "../../arrowmap/convention/netcdf/testdata/"
	for _, c := range []struct {
		file, table, note string
		described         bool // else about a value
	}{
		{"attributes.nc.gz", "attributes", "/two: the attribute scale_factor is passed over: 1 numbers are expected, not 2", true},
		{"times.nc.gz", "times", "/far: unsupported: value 1: 4611686018427387904 is out of the range of times: null", false},
	} {
		name := unpacked(t, folder+c.file)
		line := "h5arrow: " + c.note + "\n"
		if !c.described {
			line = "h5arrow: " + name + ": " + c.note + "\n"
		}
		said := func(args ...string) result {
			t.Helper()
			r := expect(t, 0, args...)
			if strings.Count(r.err, line) != 1 {
				t.Errorf("%q: %q lacks %q", args, r.err, line)
			}
			if r := expect(t, 0, append(args, "--quiet")...); r.err != "" {
				t.Errorf("%q --quiet: %q", args, r.err)
			}
			return r
		}
		out := filepath.Join(t.TempDir(), "x.arrow")
		said("head", name)
		r := said("convert", "--force", "--json", name, out)
		var sum struct{ Notes []string }
		if err := json.Unmarshal([]byte(r.out), &sum); err != nil || !slices.Contains(sum.Notes, strings.TrimSuffix(strings.TrimPrefix(line, "h5arrow: "), "\n")) {
			t.Errorf("%s: notes %q, %v", c.file, sum.Notes, err)
		}
		if engine.Available {
			said("query", name, "select * from "+c.table)
		}
		text, js := expect(t, 0, "inspect", name).out, expect(t, 0, "inspect", name, "--json").out
		if strings.Contains(text, "  note: "+c.note+"\n") != c.described || strings.Contains(js, `"notes": ["the attribute scale_factor is passed over: 1 numbers`) != c.described {
			t.Errorf("%s: inspect says\n%s\n%s", c.file, text, js)
		}
	}
}

// What is wrong with the values of a column costs that column only, with --skip-unsupported, in all commands.
func TestUnreadable(t *testing.T) {
	const file = "testdata/unreadable.hdf5"
	broken := []string{"deflated", "enum", "far", "sums", "text"}
	skips := func(r result, names ...string) {
		t.Helper()
		for _, name := range broken {
			if n := strings.Count(r.err, "h5arrow: left out: "+file+": /t/"+name+": "); n != 1 && slices.Contains(names, name) || n > 0 && !slices.Contains(names, name) {
				t.Errorf("%s is reported %d times: %s", name, n, r.err)
			}
		}
	}
	sound := expect(t, 0, "head", file, "--columns", "also,good", "--json").out
	skips(expect(t, 0, "head", file, "--skip-unsupported", "--json"), broken...)
	for _, out := range []string{filepath.Join(t.TempDir(), "x.arrow"), filepath.Join(t.TempDir(), "x.parquet")} {
		r := command(t, "convert", file, out, "--skip-unsupported")
		if skips(r, broken...); r.status != 0 {
			t.Errorf("%s: status %d", out, r.status)
		}
		if strings.HasSuffix(out, ".arrow") {
			if got := expect(t, 0, "head", out, "--json").out; got != sound {
				t.Errorf("%s, not %s", got, sound)
			}
		}
	}
	skips(expect(t, 0, "convert", file, "-", "--skip-unsupported", "--quiet"))
	skips(expect(t, 0, "head", file, "--skip-unsupported", "-n", "2", "--columns", "good,sums"))
	expect(t, exitCorrupt, "convert", file, filepath.Join(t.TempDir(), "y.arrow"), "--columns", "good,sums")
	if !engine.Available {
		return
	}
	r := expect(t, 0, "query", file, "select * from t", "--skip-unsupported", "--json")
	if skips(r, broken...); r.out != sound {
		t.Errorf("%s, not %s", r.out, sound)
	}
	out := filepath.Join(t.TempDir(), "z.arrow")
	skips(expect(t, 0, "query", file, "select * from t", "--skip-unsupported", "-o", out), broken...)
	if got := expect(t, 0, "head", out, "--json").out; got != sound {
		t.Errorf("%s, not %s", got, sound)
	}
	r = expect(t, 0, "query", file, "select sum(good) as n from t where also > 0.3", "--skip-unsupported", "--csv")
	if skips(r); r.out != "n\n14\n" {
		t.Errorf("%q", r.out)
	}
	r = command(t, "query", file, "select good, sums from t", "--skip-unsupported")
	if r.status != exitCorrupt || r.out != "" || !strings.Contains(r.err, "h5arrow: "+file+": /t/sums: at byte") {
		t.Errorf("a column that the statement names: status %d, %q", r.status, r.err)
	}
}

// A stack of groups is a table for SQL too, found or asked for by a pattern.
func TestQueryStack(t *testing.T) {
	const file = "../../arrowmap/convention/detect/testdata/stack.h5"
	if !engine.Available {
		t.Skip("this build has no SQL engine")
	}
	for _, c := range []struct {
		want string
		args []string
	}{
		{"key,n\ndemo_0,2\ndemo_2,3\ndemo_3,1\ndemo_4,1\n", []string{`select key, count(*) as n from "/data/demo_*" group by key order by key`}},
		{"n\n4\n", []string{`select count(*) as n from "demo_[23]"`, "--stack", "/data/demo_[23]"}},
		{"n\n3\n", []string{`select count(*) as n from "/data/demo_2"`}},
		{"key\ndemo_4\n", []string{`select key from "/data/demo_*" offset 6`}},
		{"key,rewards\ndemo_2,2.5\n", []string{`select key, rewards from "/data/demo_*" where rewards > 2`}},
	} {
		if r := expect(t, 0, append([]string{"query", file, "--csv"}, c.args...)...); r.out != c.want {
			t.Errorf("%q: %q, want %q; %s", c.args, r.out, c.want, r.err)
		}
	}
}
