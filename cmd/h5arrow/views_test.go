//go:build unix

package main

import (
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
)

// Names that SQL takes for one are changed, and said.
func TestQueryNames(t *testing.T) {
	if _, ok := answered(t, "testdata/names.h5", "select 1"); !ok {
		return
	}
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings})
	const said = `names that differ only in case are the same in SQL: "/Run" is "/Run_1", "/run" is "/run_2"`
	if r := expect(t, 0, "query", "testdata/names.h5", `show tables`, "--csv"); r.out != "name\n/Run_1\n/loose\n/run_2\n/table\nloose\ntable\ntable_\n" && r.out != "name\n/Run_1\n/run_2\n/table\ntable\ntable_\n" || !strings.Contains(r.err, said) {
		t.Errorf("%s%s", r.out, r.err)
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
		if r := expect(t, 0, "query", "testdata/names.h5", sql, "--csv"); r.out != want {
			t.Errorf("%s: %s%s", sql, r.out, r.err)
		}
	}
	for sql, want := range map[string]string{
		`select * from "/Run"`:      `"/Run_1" or "/run_2"`,
		`select * from "/loose/id"`: `"/loose/ID" or "/loose/id"`,
		`select * from table`:       "table is a keyword",
		`select a from "/Run_1"`:    `"A" is "A_1", "a" is "a_2"`,
	} {
		if r := expect(t, exitUsage, "query", "testdata/names.h5", sql); !strings.Contains(r.err, want) {
			t.Errorf("%s: %s", sql, r.err)
		}
	}
	if r := expect(t, 0, "query", "testdata/loose.h5", "show tables", "--csv"); r.out != "name\n/answer\n/matrix\nanswer\nmatrix\n" || r.err != "" {
		t.Errorf("%s%s", r.out, r.err)
	}
	if r := expect(t, 0, "query", "testdata/loose.h5", "select answer, matrix from answer, matrix limit 1", "--csv"); r.out != "answer,matrix\n42,\"[0,1,2]\"\n" {
		t.Errorf("%s%s", r.out, r.err)
	}
}

// A table whose columns have different lengths is marked, and no statement gets a part of it.
func TestUneven(t *testing.T) {
	const name = "testdata/uneven.h5"
	for _, args := range [][]string{{"inspect", name}, {"inspect", name, "--json"}, {"check", name}} {
		if r := expect(t, exitCorrupt, args...); !strings.Contains(r.out, "rows") {
			t.Errorf("%v: %s", args, r.out)
		}
	}
	if r := expect(t, exitCorrupt, "check", name); !strings.Contains(r.out, "column x has 5 rows, column y has 3") {
		t.Errorf("%s", r.out)
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
