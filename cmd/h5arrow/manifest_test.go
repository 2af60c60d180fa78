package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap/fileset"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/write"
)

// runFile writes a table of one column of bytes, with an attribute.
func runFile(t *testing.T, path, column, site string, values ...byte) {
	written.File(t, path, func(f *write.File) error {
		g, err := f.Group("/events")
		if err != nil {
			return err
		}
		text := &h5.Type{Class: h5.ClassString, Size: len(site) + 1}
		if err := g.Attribute(write.Attribute{Name: "site", Type: text, Space: write.Shape(), Data: append([]byte(site), 0)}); err != nil {
			return err
		}
		d, err := f.Dataset("/events/"+column, write.Spec{Type: &h5.Type{Class: h5.ClassFixed, Size: 1, Precision: 8},
			Space: h5.Space{Class: h5.SpaceSimple, Dims: []uint64{uint64(len(values))}}})
		if err != nil {
			return err
		}
		return d.Write(values)
	})
}

// TestIndexManifest writes manifests, and opens them.
func TestIndexManifest(t *testing.T) {
	dir := t.TempDir()
	for i := range 20 {
		runFile(t, filepath.Join(dir, fmt.Sprintf("run%02d.h5", i)), "x", []string{"north", "south"}[i%2], byte(i), byte(i))
	}
	pattern, out := filepath.Join(dir, "run*.h5"), filepath.Join(dir, "all.files")
	r := expect(t, 0, "index", pattern, out, "--manifest", "--file-attributes", "site", "--json")
	var sum manifestSummary
	if err := json.Unmarshal([]byte(r.out), &sum); err != nil || sum.Files != 20 || sum.Rows != 40 || sum.Bytes == 0 {
		t.Errorf("%s: %v", r.out, err)
	}
	rows := func(path string) (int64, *fileset.Table) {
		t.Helper()
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		table, err := fileset.OpenManifest(t.Context(), b, filepath.Dir(path), fileset.Options{})
		if err != nil {
			t.Fatal(err)
		}
		n, err := table.Rows(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return n, table
	}
	if n, table := rows(out); n != 40 || table.Schema().NumFields() != 2 || table.Schema().Field(1).Name != "site" {
		t.Errorf("%d rows of %v", n, table.Schema())
	}
	expect(t, 2, "index", pattern, out, "--manifest") // it is there
	expect(t, 0, "index", pattern, out, "--manifest", "--force", "--table", "/events")
	if n, table := rows(out); n != 40 || table.Schema().NumFields() != 1 {
		t.Errorf("%d rows of %v", n, table.Schema())
	}
	runFile(t, filepath.Join(dir, "run99.h5"), "y", "west", 1, 2, 3)
	if r := expect(t, 2, "index", pattern, out, "--manifest", "--force"); !strings.Contains(r.err, "run99.h5") {
		t.Error(r.err)
	}
	if n, _ := rows(out); n != 40 {
		t.Error("a manifest that failed replaced another one")
	}
	r = expect(t, 0, "index", pattern, out, "--manifest", "--force", "--union", "by-name")
	if n, table := rows(out); n != 43 || table.Schema().NumFields() != 2 || !strings.Contains(r.err, "null") {
		t.Errorf("%d rows of %v: %s", n, table.Schema(), r.err)
	}
	for _, wrong := range [][]string{{out, "--manifest"}, {pattern, out, "--union", "by-name"}, {pattern, out, "--manifest", "--union", "x"},
		{pattern, out, "--manifest", "--format", "kerchunk"}, {pattern, out, "more"}, {pattern, pattern, "x", "--table", "/events"}} {
		expect(t, 2, append([]string{"index"}, wrong...)...)
	}
}

// TestManyFiles converts and prints many files by a manifest, and by --file-attributes.
func TestManyFiles(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	var all, south []string
	for i := range byte(30) {
		name := path(fmt.Sprintf("run%02d.h5", i))
		site := []string{"north", "south"}[i%2]
		runFile(t, name, "x", site, i, i+100)
		for _, x := range []byte{i, i + 100} {
			all = append(all, fmt.Sprintf(`{"x": %d, "site": %q}`, x, site))
			if site == "south" && x > 110 {
				south = append(south, fmt.Sprintf(`{"x": %d, "filename": %q, "site": %q}`, x, name, site))
			}
		}
	}
	pattern, manifest := path("run*.h5"), path("all.files")
	expect(t, 0, "index", pattern, manifest, "--manifest", "--file-attributes", "site")
	array := func(lines []string) string { return "[" + strings.Join(lines, ",\n ") + "]\n" }
	for i, from := range [][]string{{manifest}, {pattern, "--file-attributes", "site"}} {
		for what, c := range map[string]struct{ flags, want []string }{
			"all":   {nil, all},
			"where": {[]string{"--where", "site = south and x > 110", "--filename"}, south},
			"rows":  {[]string{"--rows", "-5:"}, all[55:]},
			"first": {[]string{"--rows", ":3", "-c", "x,site", "--batch-rows", "2"}, all[:3]},
		} {
			out := path(fmt.Sprint(i, what, ".arrow"))
			r := expect(t, 0, slices.Concat([]string{"convert", "--json", "--force"}, c.flags, from, []string{out})...)
			var sum summary
			if err := json.Unmarshal([]byte(r.out), &sum); err != nil || sum.Rows != int64(len(c.want)) || sum.Columns[0].CopiedBytes != sum.Rows {
				t.Errorf("%s: %s, %v", what, r.out, err)
			}
			if r := expect(t, 0, "head", out, "-n", "100", "--json"); r.out != array(c.want) {
				t.Errorf("%s of %s: %s", what, from, r.out)
			}
			if r := expect(t, 0, slices.Concat([]string{"head", "--json", "-n", "100"}, c.flags, from)...); r.out != array(c.want) {
				t.Errorf("head, %s of %s: %s", what, from, r.out)
			}
		}
		if r := expect(t, 0, append([]string{"tail", "--json", "-n", "4"}, from...)...); r.out != array(all[56:]) {
			t.Errorf("tail of %s: %s", from, r.out)
		}
		for _, flag := range []string{"--stack=x", "--dataset=/events/x", "--skip-unsupported", "--spool"} {
			expect(t, 2, slices.Concat([]string{"convert", flag}, from, []string{path("no.arrow")})...)
		}
		expect(t, 2, slices.Concat([]string{"convert", "--sorted", "nothing"}, from, []string{path("no.arrow")})...)
		expect(t, 2, append([]string{"head", "--sample", "3"}, from...)...)
	}
	for _, args := range [][]string{{"--table", "/events"}, {"--union", "by-name"}, {"--file-attributes", "site"}, {pattern}} {
		if r := expect(t, 2, slices.Concat([]string{"convert", manifest}, args, []string{path("no.arrow")})...); !strings.Contains(r.err, "manifest stands for") {
			t.Error(r.err)
		}
	}
	expect(t, 2, "convert", manifest, manifest, "--force")
	expect(t, 2, "convert", manifest, path("run00.h5"), "--force")
	expect(t, 0, "convert", manifest, path("d"), "--all-tables")
	if r := expect(t, 0, "stats", manifest, "--json"); !strings.Contains(r.out, `"rows":60`) && !strings.Contains(r.out, `"rows": 60`) {
		t.Error(r.out)
	}
	if r := expect(t, 0, "plan", manifest, "--json"); strings.Count(r.out, `"file"`) != 30 {
		t.Error(r.out)
	}
	runFile(t, path("run29.h5"), "y", "south", 1, 2, 3) // not what the manifest has
	for _, out := range []string{path("no.arrow"), path("no.parquet")} {
		if r := expect(t, 1, "convert", manifest, out); !strings.Contains(r.err, "run29.h5") || !strings.Contains(r.err, "has changed") {
			t.Error(r.err)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s appeared", out)
		}
	}
}

// With --untrusted, a manifest names files in its folder.
func TestManifestElsewhere(t *testing.T) {
	dir := t.TempDir()
	file, near, away := filepath.Join(dir, "run00.h5"), filepath.Join(dir, "all.files"), filepath.Join(dir, "away", "all.files")
	runFile(t, file, "x", "north", 1)
	if err := os.Mkdir(filepath.Dir(away), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, manifest := range []string{near, away} {
		expect(t, 0, "index", file, manifest, "--manifest")
	}
	for _, verb := range []string{"head", "stats"} {
		expect(t, 0, verb, away)
		expect(t, 0, verb, near, "--untrusted")
		if r := expect(t, exitUnsupported, verb, away, "--untrusted"); !strings.Contains(r.err, "not in its folder") {
			t.Error(r.err)
		}
	}
}

// TestManySchemas prints files of several schemas, and manifests that make no sense.
func TestManySchemas(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	runFile(t, path("run00.h5"), "x", "north", 128)
	runFile(t, path("run01.h5"), "y", "south", 1, 2, 3)
	pattern, manifest := path("run*.h5"), path("all.files")
	expect(t, 0, "index", pattern, manifest, "--manifest", "--union", "by-name")
	for _, args := range [][]string{{manifest}, {pattern, "--union", "by-name"}} {
		want := "[{\"x\": 128, \"y\": null},\n {\"x\": null, \"y\": 1},\n {\"x\": null, \"y\": 2},\n {\"x\": null, \"y\": 3}]\n"
		if r := expect(t, 0, append([]string{"tail", "-n", "4", "--json"}, args...)...); r.out != want {
			t.Error(r.out)
		}
	}
	if err := os.WriteFile(path("bad.files"), []byte(`{"format":"h5arrow files 1","table":"","schemas":[0],"files":9}`), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"head", "stats"} {
		if r := expect(t, 3, verb, path("bad.files")); !strings.Contains(r.err, "bad.files") {
			t.Error(r.err)
		}
	}
}

// Verbs that keep files open take their attributes as columns, too, those of a manifest among them.
func TestFileAttributes(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for i := range byte(4) {
		runFile(t, path(fmt.Sprintf("run%d.h5", i)), "x", []string{"north", "south"}[i%2], i, i+100)
	}
	pattern, manifest := path("run*.h5"), path("all.files")
	expect(t, 0, "index", pattern, manifest, "--manifest", "--file-attributes", "site")
	for _, from := range [][]string{{manifest}, {pattern, "--file-attributes", "site"}} {
		for _, c := range []struct {
			args []string
			want string
		}{
			{[]string{"stats", "--json", "-c", "x"}, `"name": "site", "type": "utf8", "rows": 8, "nulls": 0, "nan": 0, "distinct": 2`},
			{[]string{"plot", "--json", "-c", "site"}, `"south"`},
		} {
			if r := expect(t, 0, append(c.args, from...)...); !strings.Contains(r.out, c.want) {
				t.Errorf("%s: %s, want %s in it", c.args, r.out, c.want)
			}
		}
		out := path("d")
		expect(t, 0, slices.Concat([]string{"convert", "--all-tables", "--force"}, from, []string{out})...)
		r := expect(t, 0, "tail", filepath.Join(out, "events.arrow"), "-n", "1", "--json")
		if want := `[{"x": 103, "site": "south"}]` + "\n"; r.out != want {
			t.Errorf("--all-tables of %s: %s", from, r.out)
		}
		if !engine.Available {
			continue
		}
		for sql, want := range map[string]string{
			"select site, count(*) n, max(x) x from events group by 1 order by 1":     `{"site": "north", "n": 4, "x": 102},` + "\n " + `{"site": "south", "n": 4, "x": 103}`,
			"select x from events where site = 'south' and x < 3":                     `{"x": 1}`,
			"select count(*) n from events a join events b using (site, x)":           `{"n": 8}`,
			"select n.site from (select * from events where site = 'x') n order by 1": "",
		} {
			if r := expect(t, 0, slices.Concat([]string{"query", "--json"}, from, []string{sql})...); r.out != "["+want+"]\n" {
				t.Errorf("%s: %s", sql, r.out)
			}
		}
		if r := expect(t, 0, slices.Concat([]string{"query", "--stats"}, from, []string{"select sum(x) from events where site = 'south'"})...); !strings.Contains(r.err, `"rows_read":4,`) {
			t.Errorf("files of other sites are read: %s", r.err)
		}
		if r := expect(t, 0, slices.Concat([]string{"query", "--json", "--where", "site = south", "--rows", ":4", "-c", "x"}, from, []string{"from events"})...); r.out != `[{"x": 1, "site": "south"},`+"\n "+`{"x": 101, "site": "south"}]`+"\n" {
			t.Error(r.out)
		}
	}
	for _, verb := range [][]string{{"query", "select 1"}, {"stats"}, {"plot", "-c", "x"}} {
		if verb[0] == "query" && !engine.Available {
			continue
		}
		expect(t, 2, slices.Concat(verb[:1], []string{pattern, "--file-attributes", "x"}, verb[1:])...)
	}
	for _, verb := range [][]string{{"stats"}, {"plot", "-c", "x"}} {
		if r := expect(t, 2, append(verb, manifest, "--file-attributes", "site")...); !strings.Contains(r.err, "manifest stands for") {
			t.Error(r.err)
		}
	}
	expect(t, 2, "convert", path("run0.h5"), path("no.arrows"), "--follow", "--file-attributes", "site")
}
