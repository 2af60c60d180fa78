//go:build duckdb_arrow && cgo

package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/naming"
	"github.com/h5arrow/h5arrow/h5/h5test"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/ipc/parquet"
)

// leaks fails the test if something is left of what it did.
func leaks(t *testing.T) {
	t.Helper()
	h5test.Leaks(t, h5test.Counter{Name: "mappings", Count: source.LiveMappings},
		h5test.Counter{Name: "pinned values", Count: func() int { return int(pinned.Load()) }})
}

// tables opens a file and returns its tables as the command names them.
func tables(t testing.TB, name string, opts ...arrowmap.Option) []Table {
	t.Helper()
	f, err := arrowmap.Open(name, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	all, err := f.Tables()
	if err != nil {
		t.Fatal(err)
	}
	var out []Table
	for _, x := range all {
		out = append(out, Table{Names: []string{x.Path(), x.Name()}, Table: x})
	}
	return out
}

// open starts the engine over tables.
func open(t testing.TB, list []Table, o Options) *DB {
	t.Helper()
	db, err := Open(List(list), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// answer is the result of a statement: a line for each row.
func answer(db *DB, sql string) (lines []string, stats []ScanStats, err error) {
	r, err := db.Run(context.Background(), sql, nil)
	if err != nil {
		return nil, nil, err
	}
	for r.Next() {
		rec := r.RecordBatch()
		for i := range int(rec.NumRows()) {
			var fields []string
			for _, c := range rec.Columns() {
				fields = append(fields, strings.Clone(c.ValueStr(i)))
			}
			lines = append(lines, strings.Join(fields, "|"))
		}
	}
	err = r.Err()
	r.Release()
	return lines, r.Stats(), err
}

// text makes a statement give text, so that results are compared as the engine prints them.
func text(sql string) string { return "select columns(*)::varchar from (" + sql + ")" }

const suite = "testdata/suite.h5"

// overParquet converts the tables to Parquet and returns an engine that has views of the same names over it. Columns of
// no type in Parquet are left out.
func overParquet(t *testing.T, list []Table) *DB {
	t.Helper()
	dir := t.TempDir()
	db := open(t, nil, Options{Access: true, Threads: 2})
	for i, x := range list {
		table, _ := x.Table.SkipUnsupported()
		r, err := table.Reader(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, fmt.Sprintf("%d.parquet", i))
		out, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parquet.Write(context.Background(), out, r); err != nil {
			t.Fatal(err)
		}
		r.Release()
		if err := out.Close(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := answer(db, fmt.Sprintf("create view %s as select * from read_parquet('%s'); select 1", naming.Quoted(x.Names[0]), name)); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// statements are answered over the tables of suite.h5 and over the same in Parquet. Rows are compared in order where the
// statement asks for one, or where both scan in order.
var statements = []string{
	// counts, limits
	`select count(*) from "/all"`,
	`select count(*), count(i8), count(word), count(f64) from "/all"`,
	`select i from "/all" limit 7`,
	`select i, word from "/all" limit 5 offset 4490`,
	`select count(*) from (select * from "/all" limit 3333)`,
	`select * from "/empty"`,
	`select count(*), sum(nothing) from "/empty"`,
	`select * from "/all" where false`,
	`from "/all" select i, b order by i limit 3`,
	// filters on each type
	`select i from "/all" where i8 > 50 order by i`,
	`select i, u8 from "/all" where u8 between 10 and 12 order by i`,
	`select i from "/all" where i16 = -7 order by i`,
	`select i from "/all" where u16 <> 3 and i < 40 order by i`,
	`select i, i32 from "/all" where i32 in (1, 2, 3) order by i`,
	`select i from "/all" where u32 <= 4 order by i`,
	`select i from "/all" where i64 is null and i64 is not distinct from null order by i`,
	`select i, u64 from "/all" where u64 >= 198 order by i`,
	`select i from "/all" where big > 4000000000000000000 order by i`,
	`select i, big, swapped from "/all" where big <> swapped`,
	`select i, f16 from "/all" where f16 > 25 order by i`,
	`select i, f32 from "/all" where f32 < -20 or f32 is null and i < 50 order by i`,
	`select i, f64 from "/all" where f64 > 28 order by i`,
	`select i, f64 from "/all" where isnan(f64) or isinf(f64) order by i`,
	`select i from "/all" where f64 = -0.0 order by i`,
	`select i from "/all" where 5 < f64 and f64 <= 5.5 order by i`,
	`select i from "/all" where b and not coalesce(b, false) = false order by i`,
	`select b, count(*) from "/all" group by b order by b`,
	`select i, ns from "/all" where ns < timestamp '2023-11-15 12:00:00' order by i`,
	`select i, us from "/all" where us between timestamp '1999-01-01' and timestamp '1999-06-01' order by i`,
	`select i, ms from "/all" where year(ms) = 1970 order by i`,
	`select i, s from "/all" where s > timestamp '2001-09-01' order by i`,
	`select min(ns), max(ns), min(us), max(us), min(ms), max(ms), min(s), max(s), min(day), max(day) from "/all"`,
	`select day, count(*) from "/all" where day > date '2020-01-01' group by day order by day`,
	`select i, word from "/all" where word = 'thirteen bytes1' or word like 'a word%' and i < 300 order by i`,
	`select word, heap, fixed from "/all" where heap like '%_%' and i < 100 order by i`,
	`select word, count(*) from "/all" group by word order by word nulls first`,
	`select i from "/all" where word is distinct from heap and word is not null`,
	`select length(fixed), count(*) from "/all" where fixed >= 'a' group by all order by all`,
	`select colour, count(*), min(i) from "/all" group by colour order by colour`,
	`select i from "/all" where colour = 'blue' and i8 < -95 order by i`,
	`select i, opaque from "/all" where opaque = '\xFA\x06\x01'::blob or i < 3 order by i`,
	`select i, pair from "/all" where pair[2] = 49 order by i`,
	`select sum(list_sum(pair)), sum(len(cube)), min(cube[2][3]) from "/all"`,
	`select i, cube from "/all" where cube[1][1] = 8 and cube[2][2] = 8 order by i`,
	`select i, list from "/all" where len(list) = 4 and i % 700 < 20 order by i`,
	`select u, count(*) from (select unnest(list) u from "/all") group by u order by u limit 50`,
	`select sum(list_sum(list)), count(list) from "/all"`,
	`select point.name, count(*), sum(point.x), max(point.v[3]) from "/all" group by 1 order by 1`,
	`select i, point from "/all" where point.c = 'green' and point.x > 0.99 order by i`,
	// subsets and orders of columns
	`select word, i8, i from "/all" order by i desc limit 20`,
	`select i, i, i + 1 as i from "/all" order by 1 limit 4`,
	`select u8, f64, b, day, word from "/all" order by i limit 30 offset 2040`,
	`select columns('^u.*') from "/all" order by i limit 10 offset 4480`,
	`select * exclude (ns, us) from "/all" order by i limit 3 offset 511`,
	// joins with itself and others
	`select count(*) from "/all" a join "/all" b on a.i = b.i`,
	`select a.i, b.i, a.word from "/all" a, "/all" b where a.i = b.i + 1 and a.word = b.word order by a.i`,
	`select a.i8, count(*), sum(b.f32) from "/all" a join "/all" b on a.i = b.u16 where a.f64 > 0 and b.i8 is not null group by 1 order by 1`,
	`select s.label, count(*), sum(i) from "/all" a join "/deep/small" s on a.i8 = s.k group by 1 order by 1`,
	`select s.k, t.c from "/deep/small" s left join (select i8, count(*) c from "/all" where i8 > 30 group by 1) t on s.k = t.i8 order by 1`,
	`select k from "/deep/small" anti join "/all" on k = i8 order by k`,
	`select a.x, b.y from "/x/twin" a cross join "/y/twin" b order by all`,
	`select a.i from "/all" a semi join (select i from "/all" where f64 > 25) b using (i) order by 1`,
	`select count(*) from "/all" a, lateral (select count(*) c from "/deep/small" s where s.k = a.i8) where c = 0`,
	// subqueries, unions, CTEs, windows
	`select i from "/all" where f64 > (select avg(f64) + 2.5 * stddev(f64) from "/all" where f64 < 100 and f64 > -100) order by i`,
	`select i from "/all" a where exists (select 1 from "/deep/small" where k = a.u8) and i < 500 order by i`,
	`select i from "/all" where i8 in (select k from "/deep/small" where label like '%3 of%') order by i`,
	`select i8 from "/all" union select k from "/deep/small" order by 1`,
	`select i from "/all" where i < 3 union all select k from "/deep/small" order by 1`,
	`select k from "/deep/small" intersect select u8 from "/all" order by 1`,
	`select k from "/deep/small" except select i8 from "/all" order by 1`,
	`with m as (select colour c, max(f64) m from "/all" where f64 < 100 group by 1) select a.i, m.c from "/all" a join m on a.colour = m.c and a.f64 = m.m order by 1`,
	`with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) select n, (select count(*) from "/all" where i8 = n) from r order by 1`,
	`select i, sum(i8) over (partition by colour order by i rows 3 preceding) from "/all" qualify row_number() over (order by i desc) < 20 order by i`,
	`select i, lag(word) over (order by i), ntile(7) over (order by i) from "/all" order by i limit 12 offset 2045`,
	`select colour, quantile_cont(f32, 0.5) from "/all" where not isnan(f32) group by 1 order by 1`,
	// aggregates
	`select sum(i8), sum(i16), sum(i32), sum(i64), sum(u8), sum(u16), sum(u32), sum(u64), bit_xor(big) from "/all"`,
	`select avg(i8), min(f32), max(f32), sum(f16), min(f64), max(f64), count(distinct word), approx_count_distinct(i) > 4000 from "/all"`,
	`select colour, b, count(*), sum(i), min(word), max(heap) from "/all" group by all order by all`,
	`select count(*) filter (where i8 is null), count(*) filter (where f32 > f64) from "/all"`,
	`select string_agg(word, ',' order by i) from "/all" where i between 2040 and 2060`,
	`select list(i order by i) from "/all" where u8 = 199`,
	`select mode(colour), arg_max(i, f32), arg_min(word, i), first(word order by i) from "/all" where not isnan(f32)`,
	`select sum(hash(i)), sum(hash(word)), sum(hash(f64)), sum(hash(ns)), sum(hash(b)), sum(hash(day)), sum(hash(colour)) from "/all"`,
	`select i % 10 m, count(*), sum(f64) filter (where f64 between -5 and 5)::decimal(18,4) from "/all" group by m having m > 3 order by m`,
	`select * from (select colour, i8 from "/all" where i8 > 90) pivot (count(i8) for colour in ('red', 'green')) order by all`,
	`select grouping(colour), colour, b, count(*) from "/all" group by rollup (colour, b) order by all`,
	`select distinct on (colour) colour, i from "/all" order by colour, i`,
	`select max(ns) - min(ns), date_trunc('year', min(us)) from "/all"`,
	`select case when f64 > 0 then 'plus' when f64 < 0 then 'minus' else 'other' end c, count(*) from "/all" group by 1 order by 1`,
}

func TestSuite(t *testing.T) {
	leaks(t)
	if len(statements) < 60 {
		t.Fatal("too few statements")
	}
	list := tables(t, suite)
	oracle := overParquet(t, list)
	var want [][]string
	for _, sql := range statements {
		lines, _, err := answer(oracle, text(sql))
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		want = append(want, lines)
	}
	options := []Options{{Threads: 1}, {Threads: 2}, {Threads: 8}, {Threads: 2, NoPushdown: true},
		{Threads: 2, Read: []arrowmap.ReadOption{arrowmap.WithBatchRows(777), arrowmap.WithWorkers(1)}}}
	if testing.Short() {
		options = options[4:]
	}
	for _, o := range options {
		db := open(t, list, o)
		for i, sql := range statements {
			for _, sql := range []string{text(sql), sql} { // the second time as it is, for its filters
				lines, _, err := answer(db, sql)
				if err != nil {
					t.Errorf("%s: %v", sql, err)
				} else if sql == text(statements[i]) && !slices.Equal(lines, want[i]) {
					t.Errorf("%+v: %s\ngot\n%s\nwant\n%s", o, sql, strings.Join(lines, "\n"), strings.Join(want[i], "\n"))
				} else if len(lines) != len(want[i]) {
					t.Errorf("%+v: %s: %d rows, want %d", o, sql, len(lines), len(want[i]))
				}
			}
		}
		db.Close()
	}
	oracle.Close()
}
