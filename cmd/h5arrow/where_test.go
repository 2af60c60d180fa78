package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
)

// The same rows come from --where of head, convert and query as from the statement's WHERE, with an index and without.
func TestWhereFlag(t *testing.T) {
	dir := workplace(t)
	conditions := []string{"passengers = 3", "fare > 20 and tip < 2.5", "zone is null", "passengers in (1, 5) and zone is not null", "fare between 11.25 and 12", "fare < -1e9"}
	for _, index := range []bool{false, true} {
		if index {
			var sum struct {
				Bytes int64 `json:"bytes_out"`
			}
			r := expect(t, 0, "index", "sample.h5", "--json")
			info, err := os.Stat("sample.h5.h5idx")
			if err != nil || json.Unmarshal([]byte(r.out), &sum) != nil || sum.Bytes != info.Size() || r.err != "" {
				t.Fatalf("%v, %+v", err, r)
			}
		}
		for _, c := range conditions {
			head := expect(t, 0, "head", "sample.h5", "-n", "60000", "--where", c, "--columns", "fare,note", "--json").out
			expect(t, 0, "convert", "sample.h5", "x.arrow", "--where", c, "--columns", "fare,note", "--force", "--quiet")
			if got := expect(t, 0, "head", "x.arrow", "-n", "60000", "--json").out; got != head {
				t.Errorf("convert --where %q: other rows than head's", c)
			}
			start := expect(t, 0, "head", "sample.h5", "-n", "2", "--where", c, "--columns", "fare,note", "--json").out
			if n := strings.Count(start, "fare"); n != min(2, strings.Count(head, "fare")) || n > 0 && !strings.HasPrefix(head, strings.TrimSuffix(start, "]\n")) {
				t.Errorf("%s: the first rows are %s", c, start)
			}
			if !engine.Available {
				continue
			}
			if got := expect(t, 0, "query", "sample.h5", `select fare, note from "table" where `+c, "--json").out; got != head {
				t.Errorf("%s: %d rows by SQL, %d by --where", c, strings.Count(got, "fare"), strings.Count(head, "fare"))
			}
			if got := expect(t, 0, "query", "sample.h5", `from "table"`, "--where", c, "--columns", "fare,note", "--json").out; got != head {
				t.Errorf("%s: query --where gives %d rows, head %d", c, strings.Count(got, "fare"), strings.Count(head, "fare"))
			}
		}
	}
	expect(t, exitUsage, "index", "sample.h5")
	expect(t, 0, "index", "sample.h5", "other.idx")
	before := listing(t, dir)
	expect(t, 0, "head", "sample.h5", "--where", "passengers = 3", "--index", "other.idx")
	expect(t, 0, "head", "sample.h5", "--where", "passengers = 3", "--index", "none")
	expect(t, exitFailed, "head", "sample.h5", "--where", "passengers = 3", "--index", "gone")
	expect(t, exitUsage, "head", "two.h5", "--table", "/a", "--where", "id = 3", "--index", "other.idx")
	expect(t, exitCorrupt, "head", "sample.h5", "--where", "passengers = 3", "--index", "two.h5")
	// Another file's index beside a file is mentioned, and not used.
	copyFile(t, "other.idx", "two.h5.h5idx")
	if r := expect(t, 0, "head", "two.h5", "--table", "/a", "--where", "id = 3"); !strings.Contains(r.err, "the index is not used") || !strings.Contains(r.out, "3") {
		t.Errorf("%+v", r)
	}
	onlyNew(t, dir, before, "two.h5.h5idx")
}

// Columns of --sorted are searched, with the same rows as result; those that are not sorted are named.
func TestSortedFlag(t *testing.T) {
	workplace(t)
	for _, c := range []string{"pickup between '2024-02-29 00:04:00' and '2024-02-29 00:08:00'", "pickup < '2024-02-29 00:01:00' and fare > 20", "pickup is null"} {
		args := []string{"head", "sample.h5", "-n", "1000", "--columns", "pickup,note", "--json", "--where", c}
		want := expect(t, 0, args...).out
		if got := expect(t, 0, append(args, "--sorted", "pickup")...).out; got != want {
			t.Errorf("%s: %d rows, want %d", c, strings.Count(got, "note"), strings.Count(want, "note"))
		}
		expect(t, 0, "convert", "sample.h5", "x.arrow", "--where", c, "--columns", "pickup,note", "--force", "--quiet", "--sorted", "pickup")
		if got := expect(t, 0, "head", "x.arrow", "-n", "1000", "--json").out; got != want {
			t.Errorf("convert --where %q --sorted pickup: other rows", c)
		}
		if !engine.Available {
			continue
		}
		var read struct {
			Scans []struct {
				Rows int64 `json:"rows_read"`
			}
		}
		r := expect(t, 0, "query", "sample.h5", `select pickup, note from "table" where `+c, "--json", "--sorted", "pickup", "--stats")
		if err := json.Unmarshal([]byte(r.err), &read); r.out != want || err != nil || len(read.Scans) != 1 || read.Scans[0].Rows > 20_000 {
			t.Errorf("query: %v: %+v", err, r)
		}
	}
	const reason = "column fare is not sorted: values ascend in row 1, and that of row 3 is less than that of row 2; drop the option that names it as sorted"
	for _, args := range [][]string{{"head", "sample.h5", "--where", "fare = 5"}, {"convert", "sample.h5", "x.arrow", "--force"},
		{"query", "sample.h5", `select count(*) from "table" where fare = 5`}} {
		if args[0] == "query" && !engine.Available {
			continue
		}
		if r := expect(t, exitUsage, append(args, "--sorted", "fare")...); !strings.Contains(r.err, reason) {
			t.Errorf("%q: %s", args, r.err)
		}
		if r := expect(t, exitUsage, append(args, "--sorted", "pickup,gone")...); !strings.Contains(r.err, "column gone") {
			t.Errorf("%q: %s", args, r.err)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	if err := os.WriteFile(to, []byte(readFile(t, from)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Rows of several files keep their file's name.
func TestWhereFilename(t *testing.T) {
	workplace(t)
	all := expect(t, 0, "head", "part0.h5", "part1.h5", "part2.h5", "--filename", "-n", "100", "--json").out
	var rows []map[string]any
	if err := json.Unmarshal([]byte(all), &rows); err != nil || len(rows) < 4 {
		t.Fatalf("%v: %s", err, all)
	}
	var column string
	for name := range rows[0] {
		if _, ok := rows[0][name].(float64); ok {
			column = name
		}
	}
	last := rows[len(rows)-1]
	value, _ := json.Marshal(last[column])
	got := expect(t, 0, "head", "part0.h5", "part1.h5", "part2.h5", "--filename", "-n", "100", "--json", "--where", `"`+column+`" = `+string(value)).out
	var found []map[string]any
	if err := json.Unmarshal([]byte(got), &found); err != nil || len(found) == 0 || found[len(found)-1]["filename"] != last["filename"] {
		t.Errorf("%v: %s, want the file of %v", err, got, last)
	}
}
