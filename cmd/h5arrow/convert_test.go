package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	arrowipc "github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// readBack reads Arrow data with arrow-go's readers: a file where there is its magic, else a stream.
func readBack(t testing.TB, b []byte) []arrow.RecordBatch {
	t.Helper()
	var out []arrow.RecordBatch
	if bytes.HasPrefix(b, arrowipc.Magic) {
		r, err := arrowipc.NewFileReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.NumRecords() {
			rec, err := r.RecordBatchAt(i)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, rec)
		}
		return out
	}
	r, err := arrowipc.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for r.Next() {
		r.RecordBatch().Retain()
		out = append(out, r.RecordBatch())
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	return out
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rowCount is the number of rows of all batches.
func rowCount(recs []arrow.RecordBatch) (n int64) {
	for _, rec := range recs {
		n += rec.NumRows()
	}
	return n
}

// same reports whether batches hold the same rows, however they are cut.
func same(t testing.TB, a, b []arrow.RecordBatch) bool {
	t.Helper()
	if len(a) == 0 || len(b) == 0 {
		t.Fatal("no batches")
	}
	x, y := array.NewTableFromRecords(a[0].Schema(), a), array.NewTableFromRecords(b[0].Schema(), b)
	defer x.Release()
	defer y.Release()
	return array.TableEqual(x, y)
}

// What convert writes, in every format and codec, is what the library reads.
func TestConvert(t *testing.T) {
	dir := workplace(t)
	f, err := arrowmap.Open("sample.h5")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tab, err := f.Table("")
	if err != nil {
		t.Fatal(err)
	}
	r, err := tab.Reader(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var want []arrow.RecordBatch
	for r.Next() {
		r.RecordBatch().Retain()
		defer r.RecordBatch().Release()
		want = append(want, r.RecordBatch())
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	before := listing(t, dir)
	for _, out := range []string{"x.arrow", "x.feather", "x.arrows", "X.ARROW", "-"} {
		for _, codec := range []string{"none", "lz4", "zstd"} {
			if testing.Short() && codec == "lz4" {
				continue // as zstd
			}
			for _, more := range [][]string{nil, {"--batch-rows", "777"}, {"--workers", "1", "--io", "read", "--quiet"}, {"--max-memory", "8MiB"}} {
				res := expect(t, 0, append([]string{"convert", "sample.h5", out, "--force", "--compression", codec}, more...)...)
				b := []byte(res.out)
				if out != "-" {
					if b = readFile(t, out); res.out != "" {
						t.Errorf("stdout: %q", res.out)
					}
				}
				if isFile := bytes.HasPrefix(b, arrowipc.Magic); isFile != !strings.HasSuffix(out, "s") && !isFile && out != "-" {
					t.Errorf("%s is a file: %v", out, isFile)
				}
				if res.err != "" {
					t.Errorf("stderr: %q", res.err)
				}
				if !same(t, want, readBack(t, b)) {
					t.Errorf("%s %s %v: other values", out, codec, more)
				}
			}
		}
	}
	onlyNew(t, dir, before, "x.arrow", "x.feather", "x.arrows", "X.ARROW")
}

func TestConvertSummary(t *testing.T) {
	workplace(t)
	var s summary
	res := expect(t, 0, "convert", "two.h5", "--table", "/b", "x.arrow", "--json")
	if err := json.Unmarshal([]byte(res.out), &s); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat("x.arrow")
	if err != nil {
		t.Fatal(err)
	}
	if s.Rows != 3 || s.Batches != 1 || s.BytesOut != info.Size() || s.Seconds <= 0 || len(s.Columns) != 3 {
		t.Errorf("%+v", s)
	}
	res = expect(t, 0, "convert", "two.h5", "--table", "/b", "-", "--json") // the summary must not be among the data
	if err := json.Unmarshal([]byte(res.err), &s); err != nil || len(readBack(t, []byte(res.out))) != 1 {
		t.Errorf("stderr: %q, %v", res.err, err)
	}
}

func TestConvertSeveralFiles(t *testing.T) {
	dir := workplace(t)
	before := listing(t, dir)
	expect(t, 0, "convert", "part[0-9].h5", "x.arrow", "--filename", "--batch-rows", "2")
	expect(t, 0, "convert", "part0.h5", "part1.h5", "part2.h5", "--filename", "y.arrow", "--rows", "1:4")
	onlyNew(t, dir, before, "x.arrow", "y.arrow")
	for name, want := range map[string]string{
		"x.arrow": "0 0 part0.h5 0 1 part0.h5 0 2 part0.h5 2 1 part2.h5 2 2 part2.h5",
		"y.arrow": "0 1 part0.h5 0 2 part0.h5 2 1 part2.h5",
	} {
		var got []string
		for _, rec := range readBack(t, readFile(t, name)) {
			for i := range int(rec.NumRows()) {
				for c := range int(rec.NumCols()) {
					got = append(got, rec.Column(c).ValueStr(i))
				}
			}
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %s, want %s", name, s, want)
		}
	}
	expect(t, exitUsage, "convert", "part0.h5", "other.h5", "z.arrow")
}

func TestConvertAllTables(t *testing.T) {
	dir := workplace(t)
	before := listing(t, dir)
	res := expect(t, 0, "convert", "--all-tables", "two.h5", "tables/", "--json")
	onlyNew(t, dir, before, "tables/a.arrow", "tables/b.arrow")
	var paths []string
	for line := range strings.Lines(res.out) {
		var s summary
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, s.Table+" "+s.Out+" "+fmt.Sprint(s.Rows))
	}
	if got, want := strings.Join(paths, ", "), "/a tables/a.arrow 8, /b tables/b.arrow 3"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	expect(t, exitUsage, "convert", "--all-tables", "two.h5", "tables")
	expect(t, 0, "convert", "--all-tables", "two.h5", "tables", "--force")
	expect(t, exitUsage, "convert", "--all-tables", "two.h5", "part0.h5")
	expect(t, exitUnsupported, "convert", "--all-tables", "mixed.h5", "new")
	onlyNew(t, dir, listing(t, dir))
	if _, err := os.Stat("new"); !os.IsNotExist(err) {
		t.Errorf("a folder without tables is left: %v", err)
	}
}

// Tables that would have one file name all get a file, and those that can't be read do not stop the others.
func TestConvertAllTablesClash(t *testing.T) {
	dir := workplace(t)
	before := listing(t, dir)
	const none = "h5arrow: left out: clash.h5: /none: a table without columns\n"
	r := command(t, "convert", "--all-tables", "clash.h5", "tables", "--json")
	if want := none + "h5arrow: left out: clash.h5: /part/region: unsupported: region references\n" +
		"h5arrow: left out: clash.h5: /refs/region: unsupported: region references\n"; r.status != exitUnsupported || r.err != want {
		t.Errorf("status %d, %q", r.status, r.err)
	}
	onlyNew(t, dir, before, "tables/clash.arrow", "tables/clash-2.arrow", "tables/a.b.arrow", "tables/a.b-2.arrow", "tables/a.b-3.arrow")
	var got []string
	for line := range strings.Lines(r.out) {
		var s summary
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(s.Table, " ", s.Out, " ", s.Rows))
	}
	if got, want := strings.Join(got, ", "), "/ tables/clash.arrow 2, /a/b tables/a.b.arrow 4, /a.b tables/a.b-3.arrow 5, /a.b-2 tables/a.b-2.arrow 6, /clash tables/clash-2.arrow 3"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	r = command(t, "convert", "--all-tables", "--skip-unsupported", "--quiet", "clash.h5", "more")
	if r.status != 0 || r.err != "" {
		t.Errorf("status %d, %q", r.status, r.err)
	}
	if out := expect(t, 0, "head", "more/part.arrow", "--json").out; out != "[{\"good\": 0},\n {\"good\": 1},\n {\"good\": 2},\n {\"good\": 3}]\n" {
		t.Errorf("%q", out)
	}
	if _, err := os.Stat("more/refs.arrow"); !os.IsNotExist(err) {
		t.Errorf("a file of a table without columns: %v", err)
	}
	if !engine.Available {
		return
	}
	if r := command(t, "query", "clash.h5", "select count(*) as n, sum(good) as s from part", "--json"); r.status != 0 || r.out != `[{"n": 4, "s": 6}]`+"\n" || r.err != none {
		t.Errorf("status %d, %q, %q", r.status, r.out, r.err)
	}
	if r := command(t, "query", "clash.h5", "select region from refs"); r.status != exitUnsupported {
		t.Errorf("status %d, %q", r.status, r.err)
	}
}

// --format gives the same bytes as a name with that suffix.
func TestConvertFormat(t *testing.T) {
	dir := workplace(t)
	before := listing(t, dir)
	var files []string
	for _, format := range []string{"arrow", "feather", "arrows", "parquet"} {
		files = append(files, "one."+format, "tables/a."+format, "tables/b."+format)
		for _, codec := range []string{"", "none", "lz4", "zstd", "snappy"} {
			args := func(more ...string) []string {
				if codec != "" {
					more = append(more, "--compression", codec)
				}
				return append([]string{"convert", "two.h5", "--force", "--json"}, more...)
			}
			if codec == "snappy" && format != "parquet" {
				expect(t, exitUsage, args("--format", format, "--all-tables", "new")...)
				expect(t, exitUsage, args("--format", format, "--table", "/a", "-")...)
				continue
			}
			summaries := strings.Split(expect(t, 0, args("--format", format, "--all-tables", "tables")...).out, "\n")
			for i, table := range []string{"a", "b"} {
				path := "tables/" + table + "." + format
				expect(t, 0, args("--table", "/"+table, "one."+format)...)
				want := readFile(t, "one."+format)
				pipe := expect(t, 0, args("--table", "/"+table, "--format", format, "-")...)
				if !bytes.Equal(readFile(t, path), want) || pipe.out != string(want) {
					t.Errorf("%s by %q: other bytes, on stdout %v", path, codec, pipe.out != string(want))
				}
				var in, out summary
				if err := json.Unmarshal([]byte(summaries[i]), &in); err != nil || in.Table != "/"+table || in.Out != path || in.BytesOut != int64(len(want)) {
					t.Errorf("%s: %+v, %v", path, in, err)
				}
				if err := json.Unmarshal([]byte(pipe.err), &out); err != nil || out.BytesOut != int64(len(want)) {
					t.Errorf("%s: %+v, %v", path, out, err)
				}
			}
		}
	}
	onlyNew(t, dir, before, files...)
	if _, err := os.Stat("new"); !os.IsNotExist(err) {
		t.Errorf("the folder of a command that is wrong: %v", err)
	}
}

// The rules for single outputs hold for those of --format.
func TestConvertFormatRules(t *testing.T) {
	vaex := h5test.Fixture(t, "vaex.h5")
	dir := workplace(t)
	before := listing(t, dir)
	parquet := func(status int, more ...string) result {
		t.Helper()
		return expect(t, status, append([]string{"convert", "--all-tables", "--format", "parquet"}, more...)...)
	}
	parquet(exitUnsupported, "mixed.h5", "new")
	parquet(exitCorrupt, "broken.h5", "new")
	if _, err := os.Stat("new"); !os.IsNotExist(err) {
		t.Errorf("a folder without tables is left: %v", err)
	}
	expect(t, exitUsage, "convert", "two.h5", "--table", "/a", "--format", "parquet", "x.parquet")
	onlyNew(t, dir, before)

	parquet(0, "two.h5", "tables")
	parquet(exitUsage, "two.h5", "tables")
	expect(t, 0, "convert", "--all-tables", "two.h5", "tables") // files of another format are not in the way
	parquet(0, "two.h5", "tables", "--force")
	if err := os.Remove("tables/b.parquet"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a.parquet", "tables/b.parquet"); err != nil {
		t.Fatal(err)
	}
	before = listing(t, dir)
	parquet(exitUsage, "two.h5", "tables", "--force") // both are one file
	onlyNew(t, dir, before)

	const want = "column took: Parquet has no duration[ms]"
	if r := parquet(0, vaex, "more", "--json"); !strings.HasPrefix(r.err, "h5arrow: /table: "+want) || !strings.Contains(r.out, `"converted":["`+want) {
		t.Errorf("%q, %q", r.err, r.out)
	}
	if r := parquet(0, vaex, "more", "--force", "--quiet"); r.err != "" {
		t.Errorf("%q", r.err)
	}
}

func TestFileName(t *testing.T) {
	for path, want := range map[string]string{
		"/": "in", "/a": "a", "/a/b": "a.b", "/..": "_", "/a:b\x00\n": "a_b__", "/x/../y": "x....y", "/ü 1": "ü 1",
	} {
		if got := fileName(path, filepath.Join("dir", "in.h5")); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}

// TestUnion has files of several schemas as one table: columns by name, null where a file lacks one.
func TestUnion(t *testing.T) {
	workplace(t)
	for name, columns := range map[string]string{"u0": "passengers,fare", "u1": "zone,fare"} {
		expect(t, 0, "convert", "sample.h5", "--columns", columns, "--rows", "0:1", name+".arrow")
		expect(t, 0, "import", name+".arrow", name+".h5")
	}
	const want = `[{"passengers": 5, "fare": 5.4, "zone": null, "filename": "u0.h5"},
 {"passengers": null, "fare": 5.4, "zone": "Harbour", "filename": "u1.h5"}]
`
	r := expect(t, 0, "head", "u0.h5", "u1.h5", "--union", "by-name", "--filename", "--json")
	if r.out != want || r.err != "h5arrow: /table: column passengers: missing, null in u1.h5\nh5arrow: /table: column zone: missing, null in u0.h5\n" {
		t.Errorf("%s%s", r.out, r.err)
	}
	r = expect(t, 0, "head", "u0.h5", "u1.h5", "--union", "by-name", "--columns", "zone", "--where", "passengers is null", "--json")
	if r.out != "[{\"zone\": \"Harbour\"}]\n" || strings.Contains(r.err, "passengers") {
		t.Errorf("%s%s", r.out, r.err)
	}
	if r := expect(t, exitUsage, "head", "u0.h5", "u1.h5"); !strings.Contains(r.err, "match columns by name with --union by-name") {
		t.Error(r.err)
	}
	for _, args := range []string{"head u0.h5 --union x", "serve u0.h5 --union by-name"} {
		expect(t, exitUsage, strings.Fields(args)...)
	}
}

// TestProgressLines reads the lines of --progress-json: rows in order, of all that there are, where that is known.
func TestProgressLines(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.arrow")
	for want, flags := range map[string][]string{"50000": {"--quiet"}, "null": {"--where", "fare > 5"}} {
		r := expect(t, 0, append([]string{"convert", h5test.Fixture(t, "sample.h5"), out, "--force", "--progress-json", "--batch-rows", "100"}, flags...)...)
		var rows []int64
		for line := range strings.Lines(r.err) {
			var got struct {
				Rows  int64
				Total json.RawMessage
			}
			if err := json.Unmarshal([]byte(line), &got); err != nil || string(got.Total) != want {
				t.Fatalf("%s: %v", line, err)
			}
			rows = append(rows, got.Rows)
		}
		if len(rows) == 0 || !slices.IsSorted(rows) || rows[len(rows)-1] > 50000 {
			t.Errorf("%v rows", rows)
		}
	}
}
