//go:build unix

package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// Names that SQL takes for one are changed, and said.
func TestQueryNames(t *testing.T) {
	if _, ok := answered(t, "testdata/sql/names.h5", "select 1"); !ok {
		return
	}
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	const said = `names that differ only in case are the same in SQL: "/Run" is "/Run_1", "/run" is "/run_2"`
	if r := expect(t, 0, "query", "testdata/sql/names.h5", `show tables`, "--csv"); r.out != "name\n/Run_1\n/run_2\n/table\ntable\ntable_\n" || !strings.Contains(r.err, said) {
		t.Errorf("%s%s", r.out, r.err)
	}
	if r := expect(t, 0, "query", "testdata/sql/names.h5", `select A_1 from "/run_2"`); !strings.Contains(r.err, `"/run" is "/run_2"`) || !strings.Contains(r.err, `"A" is "A_1", "a" is "a_2"`) {
		t.Errorf("%s", r.err)
	}
	if r := expect(t, 0, "query", "testdata/sql/names.h5", `select y from "/table"`); r.err != "" {
		t.Errorf("%s", r.err)
	}
	for sql, want := range map[string]string{
		`select a_2 from "/Run_1" limit 1`:                    "a_2\n10\n",
		`select sum(A_1) s from "/run_2"`:                     "s\n303\n",
		`select x from table_ limit 1`:                        "x\n0\n",
		`select matrix[2] m from "/loose/matrix" limit 2`:     "m\n1\n4\n",
		`select count(*) n from "loose/matrix"`:               "n\n4\n",
		`select count(*) n from "/LOOSE/Matrix"`:              "n\n4\n",
		`select count(*) n from "/table/y" where y > 0.7`:     "n\n2\n",
		`pivot (from "/table" where x < 2) on x using sum(y)`: "0,1\n0,0.5\n",
	} {
		if r := expect(t, 0, "query", "testdata/sql/names.h5", sql, "--csv"); r.out != want {
			t.Errorf("%s: %s%s", sql, r.out, r.err)
		}
	}
	for sql, want := range map[string]string{
		`select * from "/Run"`:      `"/Run_1" or "/run_2"`,
		`select * from "/loose/id"`: `"/loose/ID" or "/loose/id"`,
		`select * from table`:       "table is a keyword",
		`select a from "/Run_1"`:    `"A" is "A_1", "a" is "a_2"`,
	} {
		if r := expect(t, exitUsage, "query", "testdata/sql/names.h5", sql); !strings.Contains(r.err, want) {
			t.Errorf("%s: %s", sql, r.err)
		}
	}
	if r := expect(t, 0, "query", "testdata/sql/loose.h5", "show tables", "--csv"); r.out != "name\n/answer\n/cube\n/matrix\n/words\nanswer\ncube\nmatrix\nwords\n" || r.err != "" {
		t.Errorf("%s%s", r.out, r.err)
	}
	for sql, want := range map[string]string{
		"select answer, matrix from answer, matrix limit 1":           "answer,matrix\n42,\"[0,1,2]\"\n",
		"select cube[3][4] v from cube":                               "v\n11\n23\n",
		"select i, matrix[i] v from matrix, range(1, 4) r(i) limit 1": "i,v\n1,0\n",
		`select words from "/words" where words > 'b'`:                "words\nbc\nd\ne\n",
	} {
		if r := expect(t, 0, "query", "testdata/sql/loose.h5", sql, "--csv"); r.out != want {
			t.Errorf("%s: %s%s", sql, r.out, r.err)
		}
	}
	// Rows are counted without any being decoded.
	if r := expect(t, 0, "query", "testdata/sql/loose.h5", "select count(*) n from words", "--csv", "--stats"); r.out != "n\n5\n" || !strings.Contains(r.err, `"columns":[]`) {
		t.Errorf("%s%s", r.out, r.err)
	}
}

// A table whose columns have different lengths is marked, and no statement gets a part of it.
func TestUneven(t *testing.T) {
	const name = "testdata/sql/uneven.h5"
	for verb, want := range map[string]string{"inspect": "different numbers of rows", "inspect --json": "column x has 5 rows, column y has 3",
		"check": "/table: corrupt: column x has 5 rows, column y has 3"} {
		if r := command(t, append(strings.Fields(verb), name)...); r.status != exitCorrupt || !strings.Contains(r.out, want) {
			t.Errorf("%s: status %d, %s%s", verb, r.status, r.out, r.err)
		}
	}
	if !engine.Available {
		return
	}
	for _, sql := range []string{`select count(*) from "table"`, `select x from "/table"`, `select sum(y) from "/table"`} {
		if r := expect(t, exitCorrupt, "query", name, sql); !strings.Contains(r.err, "column x has 5 rows, column y has 3") || r.out != "" {
			t.Errorf("%s: %s%s", sql, r.out, r.err)
		}
	}
	if r := expect(t, 0, "query", name, `select count(*) n from "/table/columns/y/data"`, "--csv"); r.out != "n\n3\n" {
		t.Errorf("%s%s", r.out, r.err)
	}
}

// --dataset takes lists and patterns. A path that has a comma or a wildcard stays one.
func TestDatasetLists(t *testing.T) {
	for values, want := range map[string]string{
		"/Run/A,/table/x":      "column A has 3 rows, column x has 4",
		"/Run/A,/run/a":        "A a",
		"/[Rr]un/A,/Run/a":     "/Run/A /run/A a",
		"run/*":                "A a",
		"/*/y":                 "y",
		"/*/nothing":           "no dataset matches",
		"/[":                   "malformed",
		"/Run/A,/Run/A,/*/A,,": "not a dataset",
	} {
		r := command(t, "convert", "testdata/sql/names.h5", "--dataset", values, filepath.Join(t.TempDir(), "out.arrow"), "--json")
		var summary struct{ Columns []struct{ Name string } }
		got := r.err
		if r.status == 0 {
			if err := json.Unmarshal([]byte(r.out), &summary); err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, c := range summary.Columns {
				names = append(names, c.Name)
			}
			got = strings.Join(names, " ")
		}
		if r.status == 0 && got != want || r.status != 0 && !strings.Contains(got, want) {
			t.Errorf("%s: status %d, %s", values, r.status, got)
		}
	}
	if r := expect(t, 0, "head", "testdata/two.h5", "--dataset", "/a/x,y", "--columns", `"x,y"`, "-n", "1"); !strings.HasPrefix(r.out, "   x,y") {
		t.Errorf("%s", r.out)
	}
}
