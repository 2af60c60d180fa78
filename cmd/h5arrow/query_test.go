//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// answered runs a query. In a build without the engine, it checks that the error says how to get it.
func answered(t *testing.T, args ...string) (result, bool) {
	t.Helper()
	args = append([]string{"query"}, args...)
	if engine.Available {
		return expect(t, 0, args...), true
	}
	if r := expect(t, exitUnsupported, args...); !strings.Contains(r.err, "-tags duckdb_arrow") || r.out != "" {
		t.Errorf("%q: %q", args, r.err)
	}
	return result{}, false
}

func TestQuery(t *testing.T) {
	command(t, "help")
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	suite, err := filepath.Abs("internal/engine/testdata/suite.h5")
	if err != nil {
		t.Fatal(err)
	}
	workplace(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"two.h5", `select * from a order by id limit 3`},
			"   id  word     x,y\nint32  utf8  double\n    0  w0         0\n    1  w1       0.5\n    2  w2         1\n"},
		{[]string{"two.h5", `select id, word, "x,y" as "x" from "/a" where id > 5 order by id desc`, "--json"},
			`[{"id": 7, "word": "a long word: ` + strings.Repeat("z", 40) + `", "x": 3.5},` + "\n" + ` {"id": 6, "word": "w6", "x": 3}]` + "\n"},
		{[]string{"two.h5", `select sum(id), avg(id), 'x' || null from a`, "--json"}, `[{"sum(id)": 28, "avg(id)": 3.5, "('x' || NULL)": null}]` + "\n"},
		{[]string{"two.h5", `select * from a where false`, "--json"}, "[]\n"},
		{[]string{"two.h5", `select 1 a, null b, '' "c,d", 'x"y' e, 'two' || chr(10) || 'lines' f, [1, 2] g, {'k': 'v'} h, 0.1::decimal(4,2) i`, "--csv"},
			"a,b,\"c,d\",e,f,g,h,i\n1,,\"\",\"x\"\"y\",\"two\nlines\",\"[1,2]\",\"{\"\"k\"\":\"\"v\"\"}\",0.1\n"},
		{[]string{"two.h5", `select a.id, b.big from a join b on a.id = b.big order by 1`, "--csv"}, "id,big\n0,0\n1,1\n2,2\n"},
		{[]string{"two.h5", "--table", "/b", "show tables", "--csv"}, "name\n/b\nb\n"},
		{[]string{"two.h5", "--columns", "flag", "--table", "/b", "select * from b", "--csv"}, "flag\ntrue\nfalse\ntrue\n"},
		{[]string{"two.h5", "--dataset", "/a/id", "--dataset", "/a/word", "--rows", "2:4", `select * from id`, "--csv"}, "id,word\n2,w2\n3,w3\n"},
		{[]string{"part?.h5", `select k, count(*) n from t group by k order by k`, "--csv"}, "k,n\n0,3\n2,2\n"},
		{[]string{"part0.h5", "part2.h5", "--filename", "--rows", "2:4", "select * from t", "--csv"}, "k,v,filename\n0,2,part0.h5\n2,1,part2.h5\n"},
		{[]string{"mixed.h5", "select good from t where good < 2", "--csv"}, "good\n0\n1\n"},
		{[]string{"mixed.h5", "--skip-unsupported", "--quiet", "select * from t where good < 2", "--csv"}, "good\n0\n1\n"},
		{[]string{"broken.h5", "select count(*) from t", "--csv"}, "count_star()\n6\n"},
		{[]string{"sample.h5", `select count(*) n, count(tip) t from "table"`, "--csv", "--io", "read", "--workers", "1", "--max-memory", "300MiB"}, "n,t\n50000,44039\n"},
		{[]string{suite, `select "/all".i, colour from "/all" where colour is not null order by i limit 2`, "--csv"}, "i,colour\n0,red\n1,blue\n"},
	} {
		if r, ok := answered(t, c.args...); ok && r.out != c.want {
			t.Errorf("%q:\n%s\nwant\n%s", c.args, r.out, c.want)
		}
	}
	if !engine.Available {
		return
	}
	if r := expect(t, 0, "query", "two.h5", "explain select id from a"); !strings.Contains(r.out, "H5ARROW_SCAN_0") || !strings.Contains(r.out, "\n│") {
		t.Errorf("%s", r.out)
	}
	for status, lists := range map[int][][]string{
		exitUsage: {{"two.h5"}, {"two.h5", "selec"}, {"two.h5", "select nope from a"}, {"two.h5", "select * from none"}, {"two.h5", "select 1", "--json", "--csv"},
			{"two.h5", "select 1", "-o", "x.odd"}, {"two.h5", "select 1", "-o", "two.h5"}, {"two.h5", "select * from read_csv('/etc/passwd')"},
			{"two.h5", "copy (select 1) to 'x.csv'"}, {"two.h5", "attach 'x.db'"}, {"two.h5", "install httpfs"}, {"two.h5", "set threads = 1"},
			{"two.h5", "--table", "/nope", "select 1"}, {"two.h5", "--columns", "nope", "select 1"}, {"part0.h5", "other.h5", "select 1"},
			{"two.h5", "select word::int from a"}, {"nothing*.h5", "--rows", "9:2", "select 1"}, {"two.h5", "select 1", "-o", "x.arrow", "--compression", "snappy"}},
		exitFailed:      {{"gone.h5", "select 1"}, {"two.h5", "select 1", "-o", "gone/x.arrow"}},
		exitCorrupt:     {{"broken.h5", "select sum(sums) from t"}, {"broken.h5", "select * from t", "-o", "x.arrow"}},
		exitUnsupported: {{"mixed.h5", "select * from t"}},
	} {
		for _, args := range lists {
			expect(t, status, append([]string{"query"}, args...)...)
		}
	}
	if r := expect(t, 0, "query", "two.h5", "copy (select 1 x) to 'x.csv'", "--engine-io", "--json"); r.out != "[{\"Count\": 1}]\n" || string(readFile(t, "x.csv")) != "x\n1\n" {
		t.Errorf("%q", r.out)
	}
	if r := expect(t, 0, "query", "two.h5", "select * from 'x.csv'", "--engine-io", "--csv"); r.out != "x\n1\n" {
		t.Errorf("%q", r.out)
	}
}

// What is written is what convert writes, and what head shows.
func TestQueryOutput(t *testing.T) {
	if !engine.Available {
		answered(t, "testdata/two.h5", "select 1", "-o", "-")
		return
	}
	dir := workplace(t)
	want := expect(t, 0, "head", "sample.h5", "-n", "60000", "--columns", "fare,zone,note,tip,passengers", "--json").out
	const sql = `select fare, zone, note, tip, passengers from "table"`
	if got := expect(t, 0, "query", "sample.h5", sql, "--json").out; got != want {
		t.Error("other rows than head's")
	}
	for _, out := range []string{"x.arrow", "x.arrows", "x.feather"} {
		expect(t, 0, "query", "sample.h5", sql, "-o", out, "--compression", "lz4")
		expect(t, exitUsage, "query", "sample.h5", sql, "-o", out)
		expect(t, 0, "query", "sample.h5", sql, "-o", out, "--force", "--batch-rows", "7000")
		if got := expect(t, 0, "head", out, "-n", "60000", "--json").out; got != want {
			t.Errorf("%s: other rows", out)
		}
	}
	expect(t, 0, "query", "sample.h5", sql, "-o", "x.parquet")
	if got := expect(t, 0, "query", "sample.h5", "from 'x.parquet'", "--engine-io", "--json").out; got != want {
		t.Error("x.parquet: other rows")
	}
	r := expect(t, 0, "query", "sample.h5", sql, "-o", "-", "--stats")
	if rows := rowCount(readBack(t, []byte(r.out))); rows != 50000 {
		t.Errorf("%d rows on stdout", rows)
	}
	before := listing(t, dir)
	expect(t, exitUsage, "query", "sample.h5", `select zone::int from "table"`, "-o", "y.arrow")
	onlyNew(t, dir, before)
}

// The counters show that only what is used is decoded.
func TestQueryStats(t *testing.T) {
	const suite = "internal/engine/testdata/suite.h5"
	r, ok := answered(t, suite, `select sum(i64) from "/all"`, "--stats", "--csv")
	if !ok {
		return
	}
	var got struct{ Scans []statsSummary }
	if err := json.Unmarshal([]byte(r.err), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Scans) != 1 || len(got.Scans[0].Columns) != 1 {
		t.Fatalf("%s", r.err)
	}
	if s := got.Scans[0]; s.Table != "/all" || s.Rows != 4500 || s.Columns[0].Name != "i64" || s.Columns[0].Delivery != "decoded" || s.Columns[0].CopiedBytes < 4500*8 {
		t.Errorf("%s", r.err)
	}
	if r := expect(t, 0, "query", suite, `select count(*) from "/all"`, "--stats", "--csv"); r.err != `{"scans":[{"table":"/all","rows_read":0,"columns":[]}]}`+"\n" {
		t.Errorf("%s", r.err)
	}
}

// A query ends when it is interrupted.
func TestQuerySignals(t *testing.T) {
	if !engine.Available {
		answered(t, "testdata/two.h5", "select 1")
		return
	}
	workplace(t)
	const endless = `select count(*) from "table" a, "table" b, "table" c where a.fare + b.fare > c.fare`
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		cmd := process("query", "sample.h5", endless)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		mapped(t, cmd.Process.Pid, "sample.h5")
		if err := cmd.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if s := status(t, cmd.Wait()); s != exitInterrupted || stderr.String() != "h5arrow: interrupted\n" {
			t.Errorf("%v: status %d, %q", sig, s, stderr.String())
		}
	}
}

// An input that is cut short while a query reads it ends the query with an error.
func TestQueryCutShort(t *testing.T) {
	if !engine.Available {
		answered(t, "testdata/two.h5", "select 1")
		return
	}
	workplace(t)
	whole := readFile(t, "sample.h5")
	if err := syscall.Mkfifo("pipe.arrows", 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("cut.h5", bytes.Clone(whole), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := process("query", "cut.h5", `select * from "table"`, "-o", "pipe.arrows", "--force")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out, err := os.Open("pipe.arrows") // the statement runs as far as its result is read
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := os.Truncate("cut.h5", 8192); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, out); err != nil {
		t.Fatal(err)
	}
	if s, line := status(t, cmd.Wait()), stderr.String(); s != exitFailed || !strings.HasPrefix(line, "h5arrow: cut.h5: ") || !strings.Contains(line, "cut short") || strings.Count(line, "\n") != 1 {
		t.Errorf("status %d, %q", s, line)
	}
}
