package repotest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFixtures compares the files in testdata with the checksums that testdata/generate.py wrote.
func TestFixtures(t *testing.T) {
	dir := filepath.Join(root(t), "testdata")
	sums, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for line := range strings.Lines(string(sums)) {
		want, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok || listed[name] {
			t.Fatalf("SHA256SUMS: line %q", line)
		}
		listed[name] = true
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			t.Error(err)
			continue
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s differs from the file that generate.py wrote", name)
		}
	}
	for _, pattern := range []string{"*.h5", "*.raw", "expected/*"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(found), err)
		}
		for _, path := range found {
			if name, _ := filepath.Rel(dir, path); !listed[filepath.ToSlash(name)] {
				t.Errorf("%s is not in SHA256SUMS", name)
			}
		}
	}
}

// TestInteropCopy compares what judges the interoperability cases with the original, which may lie beside the repository. The cases
// themselves are divided otherwise: those of writers that need pandas 2 are families of their own.
func TestInteropCopy(t *testing.T) {
	original := filepath.Join(root(t), "..", "shared", "interop")
	if _, err := os.Stat(original); err != nil {
		t.Skipf("the original is not here: %v", err)
	}
	copied := filepath.Join(root(t), "testdata", "interop")
	want, got := tree(t, original), tree(t, copied)
	for _, name := range []string{"compare.py", "run_cases.py"} {
		if len(want[name]) == 0 || !bytes.Equal(want[name], got[name]) {
			t.Errorf("%s differs in the copy", name)
		}
	}
}

// tree returns the files in a folder and its subfolders, without those that Python caches.
func tree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			if e.Name() == "__pycache__" {
				return fs.SkipDir
			}
			return nil
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		files[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
