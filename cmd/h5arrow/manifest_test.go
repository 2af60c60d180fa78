package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap/fileset"
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
