package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// TestImport writes a table in every form that import reads, and reads it again.
func TestImport(t *testing.T) {
	command(t, "help") // package signal starts a goroutine once
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	dir := workplace(t)
	for _, name := range []string{"in.arrow", "in.arrows", "in.parquet"} {
		expect(t, 0, "convert", "sample.h5", "--rows", "0:1000", name)
	}
	want := expect(t, 0, "head", "sample.h5", "-n", "1000", "--json").out
	before := listing(t, dir)
	for _, args := range [][]string{
		{"in.arrow"}, {"in.arrows"}, {"in.parquet"}, {"in.arrow", "--layout", "plain"}, {"in.arrows", "--nulls", "mask"},
		{"in.arrow", "--compression", "zstd", "--shuffle"}, {"in.arrow", "--compression", "gzip:1", "--chunk-rows", "100"},
		{"in.parquet", "--page-size", "1MiB", "--table", "/a/b"}, {"in.arrow", "--compression", "lz4"}, {"in.arrow", "--compression", "lzf"},
		{"in.arrow", "--compression", "blosc2:7", "--shuffle"},
	} {
		expect(t, 0, append([]string{"import", args[0], "out.h5", "--force", "--quiet"}, args[1:]...)...)
		if got := expect(t, 0, "head", "out.h5", "-n", "1000", "--json").out; got != want {
			t.Errorf("%q: the rows are others: %.300s", args, got)
		}
		expect(t, 0, "check", "out.h5")
	}
	onlyNew(t, dir, before, "out.h5")
	expect(t, 0, "import", "out.h5", "again.h5", "--from", "/table", "--quiet")
	if got := expect(t, 0, "head", "again.h5", "-n", "1000", "--json").out; got != want {
		t.Errorf("through HDF5: the rows are others: %.300s", got)
	}
	stdin, err := os.Open("in.arrows")
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	var stderr bytes.Buffer
	if status := run(context.Background(), []string{"import", "-", "stdin.h5"}, streams{stdin, &stderr, &stderr}); status != 0 {
		t.Errorf("status %d: %s", status, stderr.String())
	}
	if got := expect(t, 0, "head", "stdin.h5", "-n", "1000", "--json").out; got != want {
		t.Errorf("from stdin: the rows are others: %.300s", got)
	}
}

// TestImportLayouts writes tables for other software, and reads equal values again.
func TestImportLayouts(t *testing.T) {
	workplace(t)
	expect(t, 0, "convert", "sample.h5", "--columns", "tip,rating,note", "--rows", "0:300", "in.arrow")
	want := expect(t, 0, "head", "sample.h5", "--columns", "tip,rating,note", "-n", "300", "--json")
	for _, tt := range []struct{ layout, out, table string }{
		{"pandas", "out.h5", "/table"}, {"netcdf", "out.nc", "/"}, {"anndata", "out.h5ad", "/obs"},
	} {
		var s importSummary
		out := expect(t, 0, "import", "in.arrow", tt.out, "--layout", tt.layout, "--json").out
		if err := json.Unmarshal([]byte(out), &s); err != nil || s.Rows != 300 || len(s.Columns) != 3 || s.MappedAfter == nil {
			t.Errorf("%s: %v: %s", tt.layout, err, out)
		}
		expect(t, 0, "check", tt.out)
		got := expect(t, 0, "head", tt.out, "--table", tt.table, "--columns", "tip,rating,note", "-n", "300", "--json").out
		missing := strings.NewReplacer(`"NaN"`, "null") // numbers of pandas and AnnData have no other nulls
		if missing.Replace(got) != missing.Replace(want.out) {
			t.Errorf("%s: the rows are others: %.300s", tt.layout, got)
		}
	}
}

// TestImportSeveral has one table of several inputs of one schema.
func TestImportSeveral(t *testing.T) {
	workplace(t)
	expect(t, 0, "convert", "sample.h5", "--rows", "0:10", "a.arrow")
	expect(t, 0, "convert", "sample.h5", "--rows", "10:30", "b.parquet")
	expect(t, 0, "convert", "sample.h5", "--columns", "fare", "--rows", "0:5", "other.arrow")
	expect(t, 0, "import", "a.arrow", "b.parquet", "out.h5")
	if got, want := expect(t, 0, "head", "out.h5", "-n", "100", "--json").out, expect(t, 0, "head", "sample.h5", "-n", "30", "--json").out; got != want {
		t.Errorf("the rows are others: %.300s", got)
	}
	if r := expect(t, exitUsage, "import", "a.arrow", "other.arrow", "both.h5"); !strings.Contains(r.err, "other.arrow") || !strings.Contains(r.err, "columns") {
		t.Errorf("%q", r.err)
	}
}

// TestImportSummary checks what --json prints.
func TestImportSummary(t *testing.T) {
	workplace(t)
	expect(t, 0, "convert", "sample.h5", "--columns", "fare", "in.arrow")
	var s importSummary
	out := expect(t, 0, "import", "in.arrow", "out.h5", "--json").out
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	info, err := os.Stat("out.h5")
	if err != nil {
		t.Fatal(err)
	}
	if s.Rows != 50000 || s.BytesOut != info.Size() || len(s.Columns) != 1 || s.MappedBefore != nil || s.MappedAfter == nil || *s.MappedAfter != 1 {
		t.Errorf("%s", out)
	}
	if c := s.Columns[0]; c.Name != "fare" || c.Path != "/table/columns/fare/data" || c.Storage != "contiguous" || !c.Aligned {
		t.Errorf("%+v", c)
	}
	f, err := h5.Open("out.h5")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	o, err := f.Lookup("/table/columns/fare/data")
	if err != nil {
		t.Fatal(err)
	}
	l, err := o.(*h5.Dataset).Layout()
	if err != nil || l.Offset%64 != 0 {
		t.Errorf("the values lie at %d, %v", l.Offset, err)
	}
}

// TestImportErrors has the exit status of what can't be imported, and that nothing is left behind.
func TestImportErrors(t *testing.T) {
	dir := workplace(t)
	expect(t, 0, "convert", "sample.h5", "--rows", "0:100", "in.arrow")
	expect(t, 0, "convert", "sample.h5", "--rows", "0:100", "in.parquet")
	for name, link := range map[string]func(string, string) error{"soft.h5": os.Symlink, "hard.h5": os.Link} {
		if err := link("in.arrow", name); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"in.arrow", "in.parquet"} { // cut short
		b, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile("cut"+filepath.Ext(name), b[:len(b)*2/3], 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("a.csv", []byte("x,y\n1,a\n2,b\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	before := listing(t, dir)
	for _, tt := range []struct {
		status int
		args   string
	}{
		{exitUsage, "in.arrow"}, {exitUsage, "in.arrow out.txt"}, {exitUsage, "in.xyz out.h5"}, {exitUsage, "in.arrow sample.h5"},
		{exitUsage, "in.arrow soft.h5 --force"}, {exitUsage, "in.arrow hard.h5 --force"}, {exitUsage, "- - out.h5"},
		{exitUsage, "in.arrow out.h5 --compression brotli"}, {exitUsage, "in.arrow out.h5 --compression gzip:10"}, {exitUsage, "in.arrow out.h5 --compression lz4:1"},
		{exitUsage, "in.arrow out.h5 --shuffle"}, {exitUsage, "in.arrow out.h5 --layout csv"}, {exitUsage, "in.arrow out.h5 --table /"},
		{exitUsage, "two.h5 out.h5"}, {exitFailed, "none.arrow out.h5"}, {exitFailed, "in.arrow no/such/out.h5"},
		{exitCorrupt, "cut.arrow out.h5"}, {exitCorrupt, "cut.parquet out.h5"}, {exitCorrupt, "broken.h5 out.h5"},
		{exitUsage, "in.arrow out.h5 --layout pandas --nulls mask"}, {exitUsage, "in.arrow out.h5 --layout pandas --table /"},
		{exitUnsupported, "in.arrow out.h5 --layout anndata"}, // times
	} {
		expect(t, tt.status, append([]string{"import"}, strings.Fields(tt.args)...)...)
	}
	onlyNew(t, dir, before)
	if !engine.Available {
		if r := expect(t, exitUnsupported, "import", "a.csv", "out.h5"); !strings.Contains(r.err, "a.csv") || !strings.Contains(r.err, "SQL engine") {
			t.Errorf("%q", r.err)
		}
		return
	}
	expect(t, 0, "import", "a.csv", "csv.h5")
	if got := expect(t, 0, "head", "csv.h5", "--json").out; strings.Join(strings.Fields(got), "") != `[{"x":1,"y":"a"},{"x":2,"y":"b"}]` {
		t.Errorf("%s", got)
	}
}
