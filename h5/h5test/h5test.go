// Package h5test has helpers for tests: they find test files, wait for conditions, and detect leaks.
//
// It imports nothing of this module, so that every package's tests can import it. Package h5test/oracle runs the
// reference implementation in a process of its own.
package h5test

import (
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
	Skipf(format string, args ...any)
}

// Root returns the root of the repository: the folder of go.mod above the test's working directory.
func Root(tb TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatalf("working directory: %v", err)
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

// Fixture returns the path of a file in the repository's testdata. If it is missing, the test fails.
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

// Corpus returns the folder of the corpus: files of other projects, which are not part of the repository but may be in
// ../shared/corpus. If it is missing, the test is skipped, or fails if the environment variable CI is set.
func Corpus(tb TB) string {
	tb.Helper()
	return corpus(tb, filepath.Join(filepath.Dir(Root(tb)), "shared", "corpus"), os.Getenv("CI") != "")
}

func corpus(tb TB, dir string, required bool) string {
	tb.Helper()
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return dir
	}
	if required {
		tb.Fatalf("no corpus at %s", dir)
	}
	tb.Skipf("no corpus at %s", dir)
	return ""
}

// CorpusFiles returns the sorted paths of the HDF5 files in a folder of the corpus, which may be ".". The corpus's folder
// "bad", whose files are broken on purpose, is left out unless it is the given folder.
func CorpusFiles(tb TB, folder string) []string {
	tb.Helper()
	dir := Corpus(tb)
	top := filepath.Join(dir, filepath.FromSlash(folder))
	var files []string
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != top && path == filepath.Join(dir, "bad"):
			return fs.SkipDir
		case d.Type().IsRegular() && isHDF5(path):
			files = append(files, path)
		}
		return nil
	})
	if err != nil || len(files) == 0 {
		tb.Fatalf("%d HDF5 files in %s: %v", len(files), top, err)
	}
	return files
}

// isHDF5 reports whether the file has the signature where a superblock may start: at 0, 512, 1024, 2048 and so on.
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

// Counter counts something that a test must release, such as source.LiveMappings.
type Counter struct {
	Name  string
	Count func() int
}

// Eventually waits until cond returns true, and fails the test if it does not within the timeout. It must be called from the
// test's goroutine.
func Eventually(tb TB, timeout time.Duration, cond func() bool) {
	tb.Helper()
	if !poll(timeout, cond) {
		tb.Fatalf("the condition is still false after %v", timeout)
	}
}

// poll calls cond, at least once, until it returns true or the timeout is over, and returns its last result.
func poll(timeout time.Duration, cond func() bool) bool {
	for end := time.Now().Add(timeout); ; time.Sleep(time.Millisecond) {
		if cond() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

// leakTimeout is how long Leaks waits for late releases, such as goroutines that are about to return.
const leakTimeout = 5 * time.Second

// Leaks fails the test if, when it ends, there are more goroutines or open files than now, or a counter is higher. The test
// must not run in parallel with others.
func Leaks(tb TB, counters ...Counter) { leaks(tb, leakTimeout, counters) }

func leaks(tb TB, timeout time.Duration, counters []Counter) {
	tb.Helper()
	all := append([]Counter{{"goroutines", runtime.NumGoroutine}, {"open files", openFiles}}, counters...)
	before := make([]int, len(all))
	for i, c := range all {
		before[i] = c.Count()
	}
	tb.Cleanup(func() {
		tb.Helper()
		var left []string
		if poll(timeout, func() bool {
			left = left[:0]
			for i, c := range all {
				if n := c.Count(); n > before[i] {
					left = append(left, fmt.Sprintf("%d %s more than before", n-before[i], c.Name))
				}
			}
			return len(left) == 0
		}) {
			return
		}
		stacks := make([]byte, 1<<16)
		tb.Errorf("the test leaks: %s\n%s", strings.Join(left, ", "), stacks[:runtime.Stack(stacks, true)])
	})
}

// openFiles returns the number of the process's open files, or 0 if the system does not list them.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}
