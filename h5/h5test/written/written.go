// Package written makes HDF5 files for tests, by package h5/write.
package written

import (
	"os"
	"testing"

	"github.com/h5arrow/h5arrow/h5/write"
)

// File writes a file with what fill makes, and returns its path.
func File(t testing.TB, path string, fill func(f *write.File) error) string {
	t.Helper()
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	f, err := write.Create(out)
	if err == nil {
		err = fill(f)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return path
}
