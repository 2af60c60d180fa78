package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// parquetRows reads a Parquet file with arrow-go's reader and returns the rows of its row groups.
func parquetRows(t testing.TB, b []byte) (rows []int64) {
	t.Helper()
	f, err := file.NewParquetReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := range f.NumRowGroups() {
		rows = append(rows, f.MetaData().RowGroup(i).NumRows())
	}
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	tbl, err := r.ReadTable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tbl.Release()
	if tbl.NumRows() != f.NumRows() {
		t.Errorf("%d rows, the footer says %d", tbl.NumRows(), f.NumRows())
	}
	return rows
}

func TestConvertParquet(t *testing.T) {
	dir := workplace(t)
	before := listing(t, dir)
	var sizes []int
	for _, codec := range []string{"", "none", "snappy", "lz4", "zstd"} {
		args := []string{"convert", "sample.h5", "x.parquet", "--force", "--json", "--batch-rows", "20000"}
		if codec != "" {
			args = append(args, "--compression", codec)
		}
		res := expect(t, 0, args...)
		b := readFile(t, "x.parquet")
		var s summary
		if err := json.Unmarshal([]byte(res.out), &s); err != nil {
			t.Fatal(err)
		}
		if s.Rows != 50000 || s.Batches != 3 || s.BytesOut != int64(len(b)) || len(s.Columns) != 11 || s.Changed != nil || res.err != "" {
			t.Errorf("%+v, %q", s, res.err)
		}
		if got := fmt.Sprint(parquetRows(t, b)); got != "[20000 20000 10000]" {
			t.Errorf("row groups of %s rows", got)
		}
		sizes = append(sizes, len(b))
		one := expect(t, 0, append(args, "--workers", "1", "--io", "read")...)
		if !bytes.Equal(b, readFile(t, "x.parquet")) {
			t.Errorf("%s: one worker writes other bytes: %s", codec, one.err)
		}
	}
	if sizes[0] != sizes[4] || sizes[4] >= sizes[1] {
		t.Errorf("sizes by codec: %v", sizes)
	}
	var first []byte
	for _, workers := range []string{"1", "2", "7"} {
		expect(t, 0, "convert", "sample.h5", "x.parquet", "--force", "--max-memory", "32MiB", "--workers", workers, "--quiet")
		b := readFile(t, "x.parquet")
		if n := len(parquetRows(t, b)); n < 2 || first != nil && !bytes.Equal(b, first) {
			t.Errorf("%s workers: %d row groups, or other bytes", workers, n)
		}
		first = b
	}
	onlyNew(t, dir, before, "x.parquet")
	expect(t, 0, "convert", "sample.h5", "x.parquet", "--force", "--parquet-compat", "1.0", "--bloom-filter", "vendor")
	if b := readFile(t, "x.parquet"); len(parquetRows(t, b)) != 1 {
		t.Error("not one row group")
	}
	expect(t, exitUsage, "convert", "sample.h5", "y.parquet", "--bloom-filter", "nothing")
	expect(t, exitUsage, "convert", "sample.h5", "y.arrow", "--parquet-compat", "1.0")
	expect(t, exitUsage, "convert", "sample.h5", "y.arrow", "--compression", "snappy")
	expect(t, exitUsage, "convert", "sample.h5", "x.parquet")
}

// Chunks end where row groups end.
func TestParquetChunkBorders(t *testing.T) {
	workplace(t)
	expect(t, 0, "convert", "sample.h5", "x.parquet", "--columns", "meter,vendor", "--batch-bytes", "100kB")
	const chunkRows = 2048
	rows := parquetRows(t, readFile(t, "x.parquet"))
	if len(rows) < 3 {
		t.Fatalf("row groups of %v rows", rows)
	}
	for _, n := range rows[:len(rows)-1] {
		if n%chunkRows != 0 {
			t.Errorf("row groups of %v rows", rows)
		}
	}
}

// pairs collects tables that were written in both formats.
type pairs struct {
	t    *testing.T
	dir  string
	list strings.Builder
	n    int
}

// add converts to both formats. If one fails, both do, with the same status.
func (p *pairs) add(args ...string) {
	p.t.Helper()
	base := filepath.Join(p.dir, fmt.Sprint(p.n))
	p.n++
	a := command(p.t, append(append([]string{"convert", "--quiet"}, args...), base+".arrow")...)
	b := command(p.t, append(append([]string{"convert", "--quiet"}, args...), base+".parquet", "--batch-bytes", "1MB")...)
	if a.status != b.status {
		p.t.Errorf("%v: Arrow %d %s, Parquet %d %s", args, a.status, a.err, b.status, b.err)
		return
	}
	if a.status == 0 {
		fmt.Fprintf(&p.list, "%s\t%s\n", base+".arrow", base+".parquet")
	}
}

// everyTable adds all tables that can be found in a file.
func (p *pairs) everyTable(path string) {
	p.t.Helper()
	f, err := arrowmap.Open(path)
	if err != nil {
		p.t.Errorf("no tables to compare: %v", err)
		return
	}
	defer f.Close()
	tables, err := f.Tables()
	if err != nil {
		p.t.Logf("compared without what can't be read: %v", err)
	}
	for _, t := range tables {
		if t.Rows() < 200_000 {
			p.add(path, "--table", t.Path(), "--skip-unsupported")
		}
	}
}

// compare has pyarrow and DuckDB read all pairs.
func (p *pairs) compare() {
	p.t.Helper()
	py := h5test.Python(p.t, "pyarrow", "duckdb", "numpy")
	if py == "" {
		p.t.Skip("no Python with pyarrow and DuckDB")
	}
	list := filepath.Join(p.dir, "list")
	if err := os.WriteFile(list, []byte(p.list.String()), 0o644); err != nil {
		p.t.Fatal(err)
	}
	script := filepath.Join(h5test.Root(p.t), "cmd", "h5arrow", "testdata", "same_parquet.py")
	out, err := exec.Command(py, "-B", script, filepath.Join(h5test.Root(p.t), "testdata", "interop", "compare.py"), list).CombinedOutput()
	want := fmt.Sprintf("%d files\n", strings.Count(p.list.String(), "\n"))
	if err != nil || string(out) != want {
		p.t.Errorf("%v\n%s", err, out)
	}
}

// TestParquetAsArrow compares what is written as Parquet with what is written as Arrow: the test files, the
// interoperability cases and the corpus.
func TestParquetAsArrow(t *testing.T) {
	t.Run("testdata", func(t *testing.T) {
		p := &pairs{t: t, dir: t.TempDir()}
		for _, path := range h5test.Fixtures(t) {
			p.everyTable(path)
		}
		p.compare()
	})
	t.Run("cases", func(t *testing.T) {
		if testing.Short() {
			t.Skip("more of the same, a thousand times")
		}
		dir := os.Getenv("H5ARROW_CASES")
		b, err := os.ReadFile(filepath.Join(dir, "cases.json"))
		if err != nil {
			if os.Getenv("H5ARROW_REQUIRE_ALL") == "1" {
				t.Error(err)
			}
			t.Skip("no interoperability cases")
		}
		var cases []struct {
			File   string
			Select struct {
				Table    *string
				Datasets []string
			}
			Args []string
		}
		if err := json.Unmarshal(b, &cases); err != nil {
			t.Fatal(err)
		}
		p := &pairs{t: t, dir: t.TempDir()}
		for _, c := range cases {
			args := append([]string{filepath.Join(dir, c.File)}, c.Args...)
			if c.Select.Table != nil {
				args = append(args, "--table", *c.Select.Table)
			}
			for _, d := range c.Select.Datasets {
				args = append(args, "--dataset", d)
			}
			p.add(args...)
		}
		p.compare()
	})
	t.Run("corpus", func(t *testing.T) {
		if testing.Short() {
			t.Skip("more of the same")
		}
		files := h5test.CorpusFiles(t, ".")
		p := &pairs{t: t, dir: t.TempDir()}
		for _, path := range files {
			if info, err := os.Stat(path); err == nil && info.Size() < 8<<20 {
				p.everyTable(path)
			}
		}
		if p.n == 0 {
			t.Errorf("no tables in %d files", len(files))
		}
		p.compare()
	})
}
