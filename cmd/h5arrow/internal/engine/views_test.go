//go:build duckdb_arrow && cgo

package engine

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/naming"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test/written"
	"github.com/h5arrow/h5arrow/h5/write"
)

// made writes a file with datasets of 32-bit integers.
func made(t testing.TB, paths []string, values ...int32) string {
	t.Helper()
	typ := &h5.Type{Class: h5.ClassFixed, Size: 4, Order: h5.LittleEndian, Signed: true, Precision: 32}
	return written.File(t, filepath.Join(t.TempDir(), "made.h5"), func(f *write.File) error {
		for i, p := range paths {
			d, err := f.Dataset(p, write.Spec{Type: typ, Space: write.Shape(uint64(len(values)))})
			if err != nil {
				return err
			}
			var b []byte
			for _, v := range values {
				b = binary.LittleEndian.AppendUint32(b, uint32(v+int32(1000*i)))
			}
			if err := d.Write(b); err != nil {
				return err
			}
		}
		return nil
	})
}

// A name that could mean two tables or columns means none, and an error says which it could be.
func TestNames(t *testing.T) {
	leaks(t)
	name := made(t, []string{"/Run/A", "/Run/a", "/run/A", "/run/a", "/run/b", "/table/É", "/table/é"}, 1, 2)
	db := open(t, tables(t, name), Options{Threads: 1})
	for sql, want := range map[string]string{
		`select A_1, a_2 from "/Run_1" limit 1`:                                                       "1|1001",
		`select A_1, a_2, b from "/run_2" where a_2 > 3001`:                                           "2002|3002|4002",
		`select a.A_1, b.A_1 from "/Run_1" a, "/run_2" b limit 1`:                                     "1|2001",
		`select É, é from table_ limit 1`:                                                             "5001|6001",
		`select sum(é) from "table" where é > 6001`:                                                   "6002",
		`select count(*) from information_schema.tables`:                                              "5",
		`select string_agg(view_name, ' ' order by view_name) from duckdb_views() where not internal`: "/Run_1 /run_2 /table table table_",
	} {
		lines, _, err := answer(db, sql)
		if err != nil || strings.Join(lines, " ") != want {
			t.Errorf("%s: %v, %v", sql, lines, err)
		}
	}
	for sql, text := range map[string]string{
		`select * from "/Run"`:     `could stand for "/Run_1" or "/run_2"`,
		`select * from RUN`:        `could stand for "/Run_1" or "/run_2"`,
		`select a from "/Run_1"`:   `"a" not found`,
		`select a from table`:      `table is a keyword: the table is "/table" or "table" or "table_"`,
		`select * from "/nothing"`: `the tables are "/Run_1", "/run_2", "table"`,
		`select * from x."/Run_1"`: `does not exist`,
		`select * from "/a.csv"`:   ``,
	} {
		refuse(t, db, sql, h5err.Argument, text)
	}
	if got := strings.Join(db.Notes(), "\n"); !strings.Contains(got, `"/Run" is "/Run_1", "/run" is "/run_2"`) || !strings.Contains(got, `/Run_1: names`) || !strings.Contains(got, `"A" is "A_1", "a" is "a_2"`) {
		t.Errorf("%s", got)
	}
}

// All words that can't be the name of a table are known.
func TestKeywords(t *testing.T) {
	leaks(t)
	db := open(t, nil, Options{Access: true})
	words, _, err := answer(db, "select distinct keyword_name from duckdb_keywords()")
	if err != nil || len(words) < 100 {
		t.Fatalf("%d words, %v", len(words), err)
	}
	for _, w := range words {
		_, _, err := answer(db, "select * from "+w)
		if refused := strings.Contains(fmt.Sprint(err), "Parser Error"); refused && !naming.Reserved(w) {
			t.Errorf("%s: %v", w, err)
		}
	}
}

// Views are made when they are named, by several statements at a time.
func TestViewsAtOnce(t *testing.T) {
	leaks(t)
	db := open(t, tables(t, suite), Options{Threads: 1})
	if _, _, err := answer(db, "select 1"); err != nil || db.loaded || len(db.tables) > 0 {
		t.Errorf("%v, %d tables", err, len(db.tables))
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for _, sql := range []string{`select count(*) from "/empty"`, `select max(i) from "/all"`, `from small limit 1`} {
				if _, _, err := answer(db, sql); err != nil {
					t.Errorf("%s: %v", sql, err)
				}
			}
		})
	}
	all.Wait()
	if len(db.tables) != 3 {
		t.Errorf("%d tables were made", len(db.tables))
	}
}

// Statements over a table of many columns get those that they are about.
func TestWide(t *testing.T) {
	leaks(t)
	var paths []string
	for i := range maxPlain + 500 {
		paths = append(paths, fmt.Sprintf("/w/c%d", i))
	}
	db := open(t, tables(t, made(t, paths, 1, 2, 3)), Options{Threads: 1})
	for sql, want := range map[string]string{
		`select sum(c7) from w`:                                                         "21006",
		`select count(*) from w`:                                                        "3",
		`select C7 from "/w" where c8 > 8001 and c8 < 8003`:                             "7002",
		`select x.c1 from w x join w y on x.c1 + 1000 = y.c2 limit 1`:                   "1001",
		`with w2 as (select c3 from w) select c3 from w2 limit 1`:                       "3001",
		`select c4 from w order by c4 desc limit 1`:                                     "4003",
		`select len(l) from (select list(c) l from (select unnest([c5, c6]) c from w))`: "6",
	} {
		lines, _, err := answer(db, sql)
		if err != nil || strings.Join(lines, " ") != want {
			t.Errorf("%s: %v, %v", sql, lines, err)
		}
	}
	for sql, want := range map[string]int{`select * from w`: len(paths), `select w.* exclude (c1) from w`: len(paths) - 1, `from w select columns('c99[0-9]')`: 10,
		`select #7 from w`: 1, `select w from w`: 1} {
		r, err := db.Query(context.Background(), sql, nil)
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		if n := r.Schema().NumFields(); n != want || !r.Next() {
			t.Errorf("%s: %d columns, %v", sql, n, r.Err())
		}
		r.Release()
	}
	refuse(t, db, "select none from w", h5err.Argument, `"none" not found`)
	for _, w := range []int{len(paths)} {
		if lines, _, err := answer(db, "select count(*) from information_schema.columns where table_name = 'w'"); err != nil || lines[0] != fmt.Sprint(w) {
			t.Errorf("%v, %v", lines, err)
		}
	}
}

// A statement that the engine splits is one, and what would leave as something else does not.
func TestOneStatement(t *testing.T) {
	leaks(t)
	db := open(t, tables(t, suite), Options{Threads: 1})
	const pivot = `pivot (select i % 3 k, i from "/all" where i < 6) on k using sum(i)`
	for _, sql := range []string{pivot, pivot + " ;\n", "from (" + pivot + ")", "with p as (" + pivot + ") select * from p -- a; b",
		`pivot (select ';' k, 1 i) on k using sum(i)`, "summarize (select 1 a)", "describe \"/all\"", "explain select 1", "values (1)", "/* ; */ select 1;", "unpivot (select 3 a, 5 b) on a, b"} {
		if lines, _, err := answer(db, sql); err != nil || len(lines) == 0 {
			t.Errorf("%s: %v, %v", sql, lines, err)
		}
	}
	if lines, _, _ := answer(db, pivot); strings.Join(lines, " ") != "3|5|7" {
		t.Errorf("%v", lines)
	}
	for _, sql := range []string{pivot + "; select 1", pivot + `; create table "x;y" as select ';' -- ;`, `pivot (select e'\';' k, 1 i) on k using sum(i); select ';'`, "create type x as enum ('pivot')", "create temp type pivot as enum ('a'); select 1"} {
		refuse(t, db, sql, h5err.Argument, "")
	}
	for sql, text := range map[string]string{
		`select 340282366920938463463374607431768211455::uhugeint x`: "x: unsupported: values of type UHUGEINT",
		`select [{'a': '12:00:00+02'::timetz}] x`:                    "x: unsupported: values of type TIME WITH TIME ZONE",
		`select map {1: union_value(a := 1)} x`:                      "x: unsupported: values of type UNION",
		`select [time '24:00:00'] x`:                                 "x: unsupported: times of 24:00",
	} {
		refuse(t, db, sql, h5err.Unsupported, text)
	}
	if lines, _, err := answer(db, "select time '23:59:59.999999' x, '12:00:00+02'::timetz::varchar y"); err != nil || lines[0] != "23:59:59.999999|12:00:00+02" {
		t.Errorf("%v, %v", lines, err)
	}
}

// A group whose columns have different lengths is not a table.
func TestLengths(t *testing.T) {
	leaks(t)
	db := open(t, tables(t, "../../testdata/sql/uneven.h5"), Options{Threads: 1})
	for _, sql := range []string{`select count(*) from "table"`, `select x from "/table"`, `select count(y) from "table"`} {
		refuse(t, db, sql, h5err.Corrupt, "rows")
	}
}

// Statements that may list tables are known, and an order of rows is none.
func TestLists(t *testing.T) {
	for sql, want := range map[string]bool{"select a from t order by a desc limit 3": false, `select a from t order by "a" DESC, b desc`: false, "from t": false,
		"desc t": true, "from (desc)": true, "DESCRIBE": true, "show tables": true, "-- all\ndesc": true, "/* all */ desc": true, "from duckdb_tables()": true, "from information_schema.tables": true} {
		if lists(sql) != want {
			t.Errorf("%s: %v", sql, !want)
		}
	}
}
