// Package h5test helps tests: it finds the test files and notices what a test leaves behind.
//
// It imports nothing of this module, so that every package's tests can import it. Package h5test/oracle runs the
// reference implementation in a process of its own.
package h5test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// TB is the part of testing.TB that this package uses.
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Root returns the root of the repository: the folder of go.mod above the test's working directory.
func Root(tb TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatalf("where the test runs: %v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			tb.Fatalf("no go.mod above the test's folder")
			return ""
		}
		dir = up
	}
}

// Fixture returns the path of a file in the repository's testdata. One that is missing fails the test.
func Fixture(tb TB, name string) string {
	tb.Helper()
	path := filepath.Join(Root(tb), "testdata", filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		tb.Fatalf("test file: %v", err)
	}
	return path
}

// Fixtures returns the paths of all HDF5 files in the repository's testdata, in order.
func Fixtures(tb TB) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(Root(tb), "testdata", "*.h5"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no test files: %v", err)
	}
	return files
}

// Corpus returns the paths of the corpus of other projects' files, in order, and the folder that holds it: it is not
// part of the repository, but may stand beside it as shared/corpus. Where it does not, there are no files. Those in
// its folder "bad", which are broken on purpose, are left out.
func Corpus(tb TB) (dir string, files []string) {
	tb.Helper()
	dir = filepath.Join(filepath.Dir(Root(tb)), "shared", "corpus")
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path == filepath.Join(dir, "bad"):
			return fs.SkipDir
		case d.Type().IsRegular() && isHDF5(path):
			files = append(files, path)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		tb.Fatalf("corpus: %v", err)
	}
	return dir, files
}

// isHDF5 looks for the signature where a superblock may begin: at 0, 512, 1024, 2048 and so on.
func isHDF5(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var b [8]byte
	for off := int64(0); ; off = max(512, 2*off) {
		if _, err := f.ReadAt(b[:], off); err != nil {
			return false
		}
		if string(b[:]) == "\x89HDF\r\n\x1a\n" {
			return true
		}
	}
}

// Counter counts something that a test must give back, such as source.LiveMappings.
type Counter struct {
	Name  string
	Count func() int
}

// patience is how long Leaks waits for what is given back late, such as goroutines that are about to end.
const patience = 5 * time.Second

// Leaks fails the test if at its end there are more goroutines or open files than now, or more of what the counters
// count. The test must not run in parallel with others.
func Leaks(tb TB, counters ...Counter) { leaks(tb, patience, counters) }

func leaks(tb TB, wait time.Duration, counters []Counter) {
	tb.Helper()
	all := append([]Counter{{"goroutines", runtime.NumGoroutine}, {"open files", openFiles}}, counters...)
	before := make([]int, len(all))
	for i, c := range all {
		before[i] = c.Count()
	}
	tb.Cleanup(func() {
		tb.Helper()
		var left []string
		for end := time.Now().Add(wait); ; time.Sleep(5 * time.Millisecond) {
			left = left[:0]
			for i, c := range all {
				if n := c.Count(); n > before[i] {
					left = append(left, fmt.Sprintf("%d %s more than before", n-before[i], c.Name))
				}
			}
			if len(left) == 0 {
				return
			}
			if time.Now().After(end) {
				break
			}
		}
		stacks := make([]byte, 1<<16)
		tb.Errorf("the test left behind: %s\n%s", strings.Join(left, ", "), stacks[:runtime.Stack(stacks, true)])
	})
}

// openFiles counts the process's open files, where the system tells: elsewhere it is always 0.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}
