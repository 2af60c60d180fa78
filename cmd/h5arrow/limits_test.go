package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/filter/encode"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/write"
)

// unwritten writes a file with a table /t of one column of int64 of which nothing is stored.
func unwritten(t *testing.T, name string, rows uint64) {
	t.Helper()
	int64s := &h5.Type{Class: h5.ClassFixed, Size: 8, Order: h5.LittleEndian, Signed: true, Precision: 64}
	written.File(t, name, func(f *write.File) error {
		_, err := f.Dataset("/t/a", write.Spec{Type: int64s, Space: write.Shape(rows), Storage: h5.StorageNone})
		return err
	})
}

// An error about a limit says what the limit is and which value of which flag reads the file.
func TestLimitFlag(t *testing.T) {
	t.Chdir(t.TempDir())
	unwritten(t, "big.h5", 1<<48+1)
	r := expect(t, exitUnsupported, "head", "big.h5")
	if want := "has 281474976710657 elements, the limit is 281474976710656; raise it to 281474976710657 with --limit elements=N\n"; !strings.HasSuffix(r.err, want) {
		t.Errorf("%q, want %q", r.err, want)
	}
	for _, more := range []string{"", " --limit nesting=5", " --untrusted --limit expansion=9000000000000000"} {
		args := strings.Fields("head -n 1 big.h5 --json --limit elements=281474976710657" + more)
		if r := expect(t, 0, args...); r.out != `[{"a": 0}]`+"\n" {
			t.Errorf("%q: %q", args, r.out)
		}
	}
	expect(t, exitUnsupported, "head", "big.h5", "--untrusted", "--limit", "elements=281474976710657") // the other limits hold
	expect(t, exitUnsupported, "head", "big.h5", "--limit", "elements=2", "--rows", ":1")
	for _, bad := range []string{"elements", "elements=", "elements=0", "elements=-1", "elements=x", "other=1", "nesting=1000000", "=1"} {
		expect(t, exitUsage, "head", "big.h5", "--limit", bad)
	}
}

// What does not fit is refused before anything is written, as far as its size is known.
func TestConvertSize(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	unwritten(t, "vast.h5", 1<<45)
	before := listing(t, dir)
	for _, out := range []string{"o.arrow", "o.arrows", "o.feather"} {
		r := expect(t, exitFailed, "convert", "vast.h5", out)
		if !strings.Contains(r.err, out+": the output takes at least 281474976710656 bytes, and ") {
			t.Errorf("%q", r.err)
		}
	}
	for _, args := range []string{
		"o.arrow --rows :1000000 --max-output 1MB", "o.arrow --rows :1000000 --max-output 8000000", "o.arrow --rows :100000 --max-output 300 --compression zstd",
		"o.parquet --rows :3000000 --max-output 100", "o.arrow --max-output 4TiB", "- --rows :100000 --max-output 100kB", "o.arrow --rows :3000000 --max-output 1kB --where a=0",
	} {
		if r := expect(t, exitFailed, append([]string{"convert", "vast.h5"}, strings.Fields(args)...)...); !strings.Contains(r.err, "--max-output") && !strings.Contains(r.err, "are free") {
			t.Errorf("%s: %q", args, r.err)
		}
	}
	onlyNew(t, dir, before)
	expect(t, 0, "convert", "vast.h5", "o.arrow", "--rows", ":100000", "--max-output", "1MiB")
	expect(t, 0, "convert", "vast.h5", "o.parquet", "--rows", ":100000", "--max-output", "1MiB")
	onlyNew(t, dir, before, "o.arrow", "o.parquet")
}

// import and repack compare what they foresee with the free space, as convert does.
func TestRoom(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	unwritten(t, "vast.h5", 1<<45)
	int64s := &h5.Type{Class: h5.ClassFixed, Size: 8, Order: h5.LittleEndian, Signed: true, Precision: 64}
	written.File(t, "sparse.h5", func(f *write.File) error {
		d, err := f.Dataset("/t/a", write.Spec{Type: int64s, Space: write.Shape(1 << 45), ChunkDims: []uint64{1 << 24}, Filters: []h5.Filter{{ID: encode.Deflate}}})
		if err != nil {
			return err
		}
		return d.WriteChunk([]uint64{0}, 0, []byte("never decoded"))
	})
	before := listing(t, dir)
	for _, args := range []string{"import vast.h5 o.h5", "import sparse.h5 o.h5 --layout plain", "repack --tables vaex vast.h5 o.h5", "repack sparse.h5 o.h5"} {
		if r := expect(t, exitFailed, strings.Fields(args)...); !strings.Contains(r.err, "o.h5: the output takes at least 281474976710656 bytes, and ") {
			t.Errorf("%s: %q", args, r.err)
		}
	}
	onlyNew(t, dir, before)
	expect(t, 0, "repack", "vast.h5", "o.h5") // nothing was stored, and nothing is
	expect(t, 0, "repack", "sparse.h5", "p.h5", "--page-size", "4096")
}

// The bound is for all tables together. A second run writes what is missing, and nothing else.
func TestAllTablesAgain(t *testing.T) {
	dir := workplace(t)
	expect(t, exitFailed, "convert", "--all-tables", "two.h5", "tables", "--max-output", "1500")
	if _, err := os.Stat("tables/b.arrow"); !os.IsNotExist(err) {
		t.Fatalf("the second table was written: %v", err)
	}
	before := listing(t, dir)
	if _, ok := before[filepath.Join(dir, "tables/a.arrow")]; !ok {
		t.Fatalf("the first table was not written: %v", before)
	}
	r := expect(t, 0, "convert", "--all-tables", "two.h5", "tables")
	if want := "h5arrow: tables/a.arrow: kept: it is newer than the input; --force writes it again\n"; r.err != want {
		t.Errorf("%q, want %q", r.err, want)
	}
	onlyNew(t, dir, before, "tables/b.arrow")
	expect(t, exitUsage, "convert", "--all-tables", "two.h5", "tables") // nothing is missing

	// A table that can't be read is named by each run, with its status; what an older version of the input gave is not kept.
	r = command(t, "convert", "--all-tables", "clash.h5", "more")
	if err := os.Remove("more/a.b.arrow"); err != nil {
		t.Fatal(err)
	}
	before = listing(t, dir)
	again := command(t, "convert", "--all-tables", "clash.h5", "more")
	if r.status != exitUnsupported || again.status != exitUnsupported || !strings.HasSuffix(again.err, r.err) || strings.Count(again.err, ": kept: ") != 4 {
		t.Errorf("%q, first %q", again.err, r.err)
	}
	onlyNew(t, dir, before, "more/a.b.arrow")
	if err := os.Remove("more/a.b.arrow"); err != nil {
		t.Fatal(err)
	}
	future := time.Now().Add(time.Hour)
	if err := os.Chtimes("clash.h5", future, future); err != nil {
		t.Fatal(err)
	}
	expect(t, exitUsage, "convert", "--all-tables", "clash.h5", "more")
}
