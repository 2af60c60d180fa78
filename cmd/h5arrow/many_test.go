package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/write"
)

// manyShapes are files of very many objects: groups that are rows of a table, columns of a table, tables that differ, groups
// inside one another.
var manyShapes = map[string]func(i int) []string{
	"rows": func(i int) []string {
		return []string{fmt.Sprintf("/data/run%06d/x", i), fmt.Sprintf("/data/run%06d/y", i)}
	},
	"columns": func(i int) []string { return []string{fmt.Sprintf("/table/a%06d", i), fmt.Sprintf("/table/b%06d", i)} },
	"tables":  func(i int) []string { return []string{fmt.Sprintf("/t%06d/x%d", i, i), fmt.Sprintf("/t%06d/y", i)} },
	"chain": func(i int) []string {
		return []string{strings.Repeat("/g", i+1) + "/x", strings.Repeat("/g", i+1) + "/y"}
	},
}

// manyObjects writes a file of n pairs of datasets.
func manyObjects(t testing.TB, path string, n int, names func(i int) []string) string {
	i32 := &h5.Type{Class: h5.ClassFixed, Size: 4, Order: h5.LittleEndian, Signed: true, Precision: 32}
	return written.File(t, path, func(f *write.File) error {
		for i := range n {
			for _, name := range names(i) {
				d, err := f.Dataset(name, write.Spec{Type: i32, Space: write.Shape(2), Storage: h5.StorageCompact})
				if err == nil {
					err = d.Write(make([]byte, 8))
				}
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// countingReader counts reads.
type countingReader struct {
	io.ReaderAt
	n *atomic.Int64
}

func (c countingReader) ReadAt(p []byte, at int64) (int, error) {
	c.n.Add(1)
	return c.ReaderAt.ReadAt(p, at)
}

// describing describes a file and returns the reads that this took, the bytes that were allocated meanwhile, and those that
// are kept.
func describing(t *testing.T, name string, all bool) (reads, allocated, kept int64) {
	t.Helper()
	in, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		t.Fatal(err)
	}
	var count atomic.Int64
	f, err := arrowmap.NewFile(source.FromReaderAt(countingReader{in, &count}, info.Size(), name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	before := heap()
	c, err := describe(f, "/", all)
	if err != nil {
		t.Fatal(err)
	}
	allocated = heap().total - before.total
	c.tables = nil
	with := heap().live
	runtime.KeepAlive(c)
	c = nil
	return count.Load(), allocated, with - heap().live
}

type heapSize struct{ live, total int64 }

// heap measures the heap after collections.
func heap() heapSize {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return heapSize{int64(m.HeapAlloc), int64(m.TotalAlloc)}
}

// The work for a file grows as the number of its objects does, not faster, and what is kept of each is small. The test runs in a
// process of its own: collections, which it needs many of, take long where other tests have left a large heap.
func TestManyObjects(t *testing.T) {
	if testing.Short() {
		t.Skip("memory, which the race detector changes")
	}
	const alone = "H5ARROW_TEST_ALONE"
	if os.Getenv(alone) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestManyObjects$", "-test.v")
		cmd.Env = append(os.Environ(), alone+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS: TestManyObjects/chain")) {
			t.Errorf("%v: %s", err, out)
		}
		return
	}
	const pairs, morePairs = 600, 3000 // pairs of datasets
	maxDescribed = 1000
	for shape, names := range manyShapes {
		t.Run(shape, func(t *testing.T) {
			pairs, morePairs, growth, maxKept := pairs, morePairs, int64(7), int64(150)
			if shape == "chain" { // paths are long: the length of all of them grows with the square
				pairs, morePairs, growth, maxKept = 60, 300, 30, 3000
			}
			dir := t.TempDir()
			small := manyObjects(t, filepath.Join(dir, "small.h5"), pairs, names)
			large := manyObjects(t, filepath.Join(dir, "large.h5"), morePairs, names)
			for _, all := range []bool{false, true} {
				reads, allocated, kept := describing(t, small, all)
				reads2, allocated2, kept2 := describing(t, large, all)
				t.Logf("all %v: %d and %d reads, %d and %d bytes allocated, %d and %d kept", all, reads, reads2, allocated, allocated2, kept, kept2)
				if reads2 > 6*reads+100 {
					t.Errorf("all %v: %d reads for %d pairs, %d for %d", all, reads, pairs, reads2, morePairs)
				}
				if allocated2 > growth*allocated+1<<20 {
					t.Errorf("all %v: %d bytes allocated for %d pairs, %d for %d", all, allocated, pairs, allocated2, morePairs)
				}
				if each := (kept2 - kept) / int64(2*(morePairs-pairs)); each > maxKept {
					t.Errorf("all %v: %d bytes are kept of each dataset", all, each)
				}
			}
		})
	}
}
