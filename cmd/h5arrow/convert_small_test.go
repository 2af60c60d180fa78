package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/write"
)

// smallAndLarge writes a file of small tables, no two of one schema, with a large one and one that is broken among them.
func smallAndLarge(t *testing.T, name string, n, large, broken int) {
	t.Helper()
	u8 := &h5.Type{Class: h5.ClassFixed, Size: 1, Order: h5.LittleEndian, Precision: 8}
	mark := bytes.Repeat([]byte("broken"), 10)
	written.File(t, name, func(f *write.File) error {
		for i := range n {
			rows := 60
			if i == large {
				rows = 2 << 20
			}
			values := bytes.Repeat([]byte{byte(i)}, rows)
			if i == broken {
				copy(values, mark)
			}
			for _, column := range []string{"x", fmt.Sprint("y", i)} {
				d, err := f.Dataset(fmt.Sprintf("/t%03d/%s", i, column), write.Spec{Type: u8, Space: write.Shape(uint64(rows)),
					ChunkDims: []uint64{uint64(rows)}, Filters: []h5.Filter{{ID: 3}}})
				if err == nil {
					err = d.Write(values)
				}
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(b, mark) != 2 {
		t.Fatalf("%d values are to be broken", bytes.Count(b, mark))
	}
	if err := os.WriteFile(name, bytes.Replace(b, mark, bytes.ToUpper(mark), 1), 0o644); err != nil {
		t.Fatal(err)
	}
}

// contentsOf returns the files of a directory.
func contentsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(b)
	}
	return out
}

// Small tables that are written beside each other become the same files as one after the other, and the same is printed in the same
// order. A bound for all of them has them written one after the other.
func TestSmallTables(t *testing.T) {
	t.Chdir(t.TempDir())
	const tables = 150
	smallAndLarge(t, "f.h5", tables, 70, 90)
	varies := regexp.MustCompile(`"seconds":[^,]*,`)
	for _, format := range []string{"arrow", "parquet"} {
		var want result
		var files map[string]string
		for i, with := range [][]string{{"--max-output", "1GiB"}, {"--workers", "1"}, {"--workers", "8"}, nil, {"--force"}} {
			for range 2 - min(i, 1) { // the first writes what is missing, which is the broken table
				got := command(t, append([]string{"convert", "--all-tables", "f.h5", "out", "--json", "--format", format}, with...)...)
				got.out = varies.ReplaceAllString(got.out, "")
				if i == 0 && files != nil {
					if kept := strings.Count(got.err, ": kept: "); kept != tables-1 || got.status != exitCorrupt {
						t.Errorf("%s: %d tables are kept, exit status %d", format, kept, got.status)
					}
					continue
				}
				if i == 0 {
					want, files = got, contentsOf(t, "out")
					if lines := strings.Count(got.out, "\n"); lines != tables-1 || len(files) != tables-1 || !strings.Contains(got.err, "/t090/") {
						t.Fatalf("%s: %d lines, %d files: %s", format, lines, len(files), got.err)
					}
					continue
				}
				if got != want {
					t.Errorf("%s, %v: %+v, want %+v", format, with, got, want)
				}
				now := contentsOf(t, "out")
				for name, b := range files {
					if now[name] != b {
						t.Errorf("%s, %v: %s differs", format, with, name)
					}
				}
				if len(now) != len(files) {
					t.Errorf("%s, %v: %d files, want %d", format, with, len(now), len(files))
				}
			}
			if i != 3 { // which --force overwrites
				if err := os.RemoveAll("out"); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := os.RemoveAll("out"); err != nil {
			t.Fatal(err)
		}
	}
}
