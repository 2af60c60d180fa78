package service

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// What a server that was killed has left goes away with the next one. What another one writes, and files of other names, stay.
func TestFolderCleans(t *testing.T) {
	dir := t.TempDir()
	left := []string{".a.h5.ABCDEFG2.tmp", "sub/.b.hdf5.AAAAAAAA.tmp"}
	stay := []string{".c.h5.BBBBBBBB.tmp", ".d.txt.AAAAAAAA.tmp", ".e.h5.short.tmp", "f.h5.AAAAAAAA.tmp", "g.h5"}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	var held *os.File
	for _, name := range slices.Concat(left, stay) {
		w, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		if name == stay[0] {
			held = w
		} else if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	hold(held)
	f, err := OpenFolder(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, name := range left {
		if _, err := os.Stat(filepath.Join(dir, name)); !os.IsNotExist(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range stay {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}
