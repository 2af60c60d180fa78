package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5/h5test"
)

// TestRepack holds that what repack writes has the same rows, and that outputs appear whole or not at all.
func TestRepack(t *testing.T) {
	dir := workplace(t)
	before := listing(t, dir)
	expect(t, 0, "repack", "sample.h5", "mapped.h5")
	expect(t, 0, "repack", "sample.h5", "small.h5", "--compression", "zstd:5", "--shuffle", "--chunk-rows", "1000", "--quiet")
	expect(t, 0, "repack", "sample.h5", "pages.h5", "--page-size", "64KiB")
	onlyNew(t, dir, before, "mapped.h5", "small.h5", "pages.h5")
	want := expect(t, 0, "head", "sample.h5", "-n", "50").out
	for _, name := range []string{"mapped.h5", "small.h5", "pages.h5"} {
		if got := expect(t, 0, "head", name, "-n", "50").out; got != want {
			t.Errorf("%s:\n%s", name, got)
		}
		expect(t, 0, "check", "--deep", name)
	}
	var s repackSummary
	r := expect(t, 0, "repack", "sample.h5", "mapped.h5", "--force", "--json")
	if err := json.Unmarshal([]byte(r.out), &s); err != nil || s.MappedAfter <= s.MappedBefore || s.Rows == 0 || s.BytesOut == 0 || len(s.Columns) == 0 {
		t.Errorf("%v: %s", err, r.out)
	}
	for _, args := range []string{"sample.h5 mapped.h5", "sample.h5 sample.h5 --force", "sample.h5 new.h5 --compression gzip:10", "sample.h5 new.h5 --shuffle", "sample.h5 new.h5 --growing --chunk-rows 5", "sample.h5 new.h5 --page-size 5"} {
		expect(t, exitUsage, append([]string{"repack"}, strings.Fields(args)...)...)
	}
	expect(t, exitCorrupt, "repack", "broken.h5", "new.h5")
	onlyNew(t, dir, before, "mapped.h5", "small.h5", "pages.h5")
}

// TestRepackTables writes the tables of a file in vaex's layout, which maps again; vaex opens it.
func TestRepackTables(t *testing.T) {
	dir := workplace(t)
	before := listing(t, dir)
	want := expect(t, 0, "head", "sample.h5", "-n", "50").out
	for _, args := range []string{"", "--compression zstd --shuffle", "--chunk-rows 1000 --workers 1"} {
		expect(t, 0, append([]string{"repack", "sample.h5", "tables.h5", "--tables", "vaex", "--force"}, strings.Fields(args)...)...)
		if got := expect(t, 0, "head", "tables.h5", "-n", "50").out; got != want {
			t.Errorf("%s:\n%s", args, got)
		}
		expect(t, 0, "check", "--deep", "tables.h5")
	}
	var s repackSummary
	r := expect(t, 0, "repack", "two.h5", "two_tables.h5", "--tables", "vaex", "--json")
	if err := json.Unmarshal([]byte(r.out), &s); err != nil || s.MappedAfter == 0 || s.Rows == 0 || s.BytesOut == 0 || len(s.Columns) == 0 {
		t.Errorf("%v: %s", err, r.out)
	}
	for _, name := range []string{"two.h5", "two_tables.h5"} {
		var f struct{ Tables []struct{ Path string } }
		if err := json.Unmarshal([]byte(expect(t, 0, "inspect", name, "--json").out), &f); err != nil || len(f.Tables) != 2 {
			t.Errorf("%s: %v, %+v", name, err, f)
		}
	}
	expect(t, exitUsage, "repack", "sample.h5", "new.h5", "--tables", "vaex", "--growing")
	expect(t, exitCorrupt, "repack", "broken.h5", "new.h5", "--tables", "vaex")
	onlyNew(t, dir, before, "tables.h5", "two_tables.h5")
	py := h5test.Python(t, "vaex")
	if py == "" {
		t.Skip("no Python with vaex")
	}
	expect(t, 0, "repack", "sample.h5", "tables.h5", "--tables", "vaex", "--force", "--quiet")
	out, err := exec.Command(py, "-c", "import vaex; d = vaex.open('tables.h5'); print(len(d), d.fare.tolist()[:3])").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "50000 [") {
		t.Errorf("%v: %s", err, out)
	}
}
