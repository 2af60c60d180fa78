//go:build duckdb_arrow && cgo

package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// pushedDown returns the parts of a statement that scans take over.
func pushedDown(t *testing.T, db *DB, sql string) []pushed {
	t.Helper()
	q, err := db.open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer q.close()
	if err := q.prepare(sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	if err := q.pushDown(sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return q.pushed
}

// doubled returns the columns that come as doubles.
func doubled(t *testing.T, db *DB, sql string) (columns []int) {
	t.Helper()
	for _, p := range pushedDown(t, db, sql) {
		columns = append(columns, p.double...)
	}
	return columns
}

// taken returns the number of conditions of a statement that the scan takes over.
func taken(t *testing.T, db *DB, sql string) int {
	t.Helper()
	n := 0
	for _, p := range pushedDown(t, db, sql) {
		n += len(p.terms)
	}
	return n
}

// same fails the test unless both engines answer a statement alike.
func same(t *testing.T, db, plain *DB, sql string) {
	t.Helper()
	got, _, err := answer(db, sql)
	want, _, perr := answer(plain, sql)
	if fmt.Sprint(err) != fmt.Sprint(perr) || !slices.Equal(got, want) {
		t.Errorf("%s: %d rows, %v; without filters %d rows, %v", sql, len(got), err, len(want), perr)
	}
}

// The answers are the same whether the scan applies conditions or not: each comparison of each type, with constants at and
// next to all limits.
func TestFilterSame(t *testing.T) {
	leaks(t)
	list := tables(t, suite)
	db, plain := open(t, list, Options{Threads: 2}), open(t, list, Options{Threads: 2, NoPushdown: true})
	constants := []string{"0", "-0", "1", "-1", "7", "127", "128", "-128", "-129", "199", "255", "256", "32767", "32768", "-32768", "65535", "65536",
		"2147483647", "2147483648", "-2147483648", "4294967295", "4294967296", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
		"-9223372036854775809", "18446744073709551615", "18446744073709551616", "0.5", "-0.0", "5.45", "12.3", "0.1", "16777216", "16777217", "1e2", "9007199254740993",
		"123456789.123456789", "null", "'3'", "true", "5::tinyint"}
	columns := []string{"i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "big", "f16", "f32", "f64"}
	pushed := 0
	for n, c := range columns {
		var all []string
		for m, k := range constants {
			if testing.Short() && (n+m)%7 != 0 || (n+m)%3 != 0 && !strings.Contains(c, "8") && !strings.HasPrefix(c, "f") { // each with a third of the columns
				continue
			}
			for _, op := range []string{"=", "<>", "<", "<=", ">", ">="} {
				all = append(all, fmt.Sprintf("select '%s %s %s', count(*), sum(i), count(%s) from \"/all\" where %s %s %s", c, op, strings.ReplaceAll(k, "'", ""), c, c, op, k))
				if op == "<" {
					all = append(all, fmt.Sprintf("select '%s > %s', count(*), sum(i), count(%s) from \"/all\" where %s > %s", strings.ReplaceAll(k, "'", ""), c, c, k, c))
				}
			}
		}
		for _, sql := range all {
			same(t, db, plain, sql)
		}
		for _, sql := range all[:6] {
			pushed += taken(t, db, sql)
		}
	}
	if pushed < 60 {
		t.Errorf("only %d conditions were taken over", pushed)
	}
}

// What is taken over, and what is left alone.
func TestFilterTaken(t *testing.T) {
	leaks(t)
	list := tables(t, suite)
	db, plain := open(t, list, Options{Threads: 2}), open(t, list, Options{Threads: 2, NoPushdown: true})
	for sql, want := range map[string]int{
		`select i, word, point, list, colour, b from "/all" where f64 > 25`:                             1,
		`select i, i8, f32 from "/all" where i8 is not null and u8 >= 5 and f64 < 3`:                    3,
		`select i, f32, i8 from "/all" where f32 is null`:                                               1,
		`select count(*) from "/all" where i >= 2047 and i <= 2049`:                                     2,
		`select i from "/all" where i between 5 and 9`:                                                  2,
		`select i from "/all" where 3 > i`:                                                              1,
		`select i from "/all" where word is null and word is null`:                                      2,
		`select i, word from "/all" where i < 100 and word like 'a%'`:                                   1,
		`select i, word from "/all" where i < 5 or i > 4490`:                                            0,
		`select i + 1 as f64, f64 as i from "/all" where f64 > 25`:                                      1,
		`select x.i from "/all" as x where x.i8 > 90`:                                                   1,
		`select x.i from "/all" as x where X.I8 > 90 limit 4`:                                           1,
		`select * from "/all" where i = 77`:                                                             1,
		`select colour, sum(f64) from "/all" where f64 > 0 group by all having sum(i) > 5 order by all`: 1,
		`select distinct colour from "/all" where i > 4000 order by 1`:                                  1,
		`select i, sum(i) over (order by i) from "/all" where i < 10`:                                   1,
		`select i from "/all" where i < 10 and i in (select k from "/deep/small") order by i`:           1,
		`select "/all".i from "/all" where "/all".i > 4495`:                                             1,
		`select point.x from "/all" where point.x > 0.999`:                                              0,
		`select a from "/all" as x(a) where a`:                                                          0,
		`select count(*) from "/all" tablesample reservoir(100) where i >= 0`:                           0,
		`with "/all" as (select 5 i) select * from "/all" where i > 3`:                                  0,
		`with x as (select 5 i) select x.i from x, "/all" a where a.i > 4497`:                           1,
		`select i from (select i from "/all" limit 10) where i > 3`:                                     0,
		`select a.i from "/all" a, "/x/twin" b where a.i = b.x and a.i > 1`:                             1,
		`select i from main."/all" where i < 3`:                                                         0,
		`select i from "/all" where f16 > 25`:                                                           0,
		`select i from "/all" where i < 2.5 and f32 < 0.5`:                                              0,
		`select i from "/all" where ns > timestamp '2023-12-01' and i < 3`:                              3,
		`select i from "/all" where i < 3 union all select i from "/all" where i > 4497`:                2,
		`select good_1 from mixed where good_1 > 1`:                                                     1,
		`select good_2 from mixed where good_2 > 1`:                                                     1,
		`select count(*) from "/empty" where nothing > 1`:                                               1,
	} {
		if got := taken(t, db, sql); got != want {
			t.Errorf("%s: %d conditions were taken over, want %d", sql, got, want)
		}
		if !strings.Contains(sql, "sample") {
			same(t, db, plain, sql)
		}
	}
	for _, sql := range statements {
		if strings.Contains(sql, "hash") || !strings.Contains(sql, "where") {
			continue
		}
		same(t, db, plain, text(sql))
		if !strings.Contains(sql, "approx") {
			same(t, db, plain, sql)
		}
	}
	refuse(t, db, `select * from h5arrow_scan_0(pushed := 1)`, h5err.Argument, "no pushed conditions with number 1")
}

// 32-bit floats leave the scan as doubles where the engine would convert all of them, and the answers are the same.
func TestDoubles(t *testing.T) {
	leaks(t)
	list := tables(t, suite)
	db, plain := open(t, list, Options{Threads: 2}), open(t, list, Options{Threads: 2, NoPushdown: true})
	for sql, want := range map[string]string{
		`select avg(f32) from "/all"`: "f32",
		`select AVG("F32"), sum("/all".f32), count(*) from "/all" where i > 2047`:                   "f32",
		`select i8, stddev(x.f32) as f from "/all" x where i8 > 5 and u8 < 9 group by 1 order by 1`: "f32",
		`select sum(f32) filter (where i8 > 5), avg(distinct f32), sum(f32 order by i) from "/all"`: "f32",
		`select i, f32::double from "/all" where i between 2040 and 2060 order by i`:                "f32",
		`select sum(cast(f32 as double) * f64) from "/all"`:                                         "f32",
		`select avg(f32) as m from "/all" group by i8 having sum(f32) > 0 order by m`:               "f32",
		`select avg(f32) from "/all" where f32 > 0`:                                                 "f32",
		`select avg(f32) from "/all" where f32 is not null`:                                         "f32",
		`select avg(f32) from "/all" where f32 > 0.5`:                                               "",
		`select avg(f32), max(f32) from "/all"`:                                                     "",
		`select avg(f32), f32 from "/all" group by 2 order by 2, 1`:                                 "",
		`select avg(f32) filter (where f32 > 3) from "/all"`:                                        "",
		`select sum(f32 order by f32) from "/all"`:                                                  "",
		`select avg(f32) from "/all" order by max("F32")`:                                           "",
		`select sum(f32 + 1) from "/all"`:                                                           "",
		`select f32::float, f32::double from "/all" where i < 3`:                                    "",
		`select try_cast(f32 as double) from "/all" where i < 3`:                                    "f32",
		`select sum(f32) over (order by i) from "/all" order by 1 limit 3`:                          "",
		`select avg(f32), any_value(columns('i8')) from "/all"`:                                     "",
		`select avg(f32), count(distinct x) from "/all" x`:                                          "",
		`select avg(f32), (select max(f32) from "/all") from "/all"`:                                "",
		`select quantile_cont(f32, 0.5), median(f32) from "/all"`:                                   "",
		`select corr(f32, f64) from "/all"`:                                                         "",
		`select avg(f64), avg(f16), avg(i32) from "/all"`:                                           "",
		`select avg(f32) from (select f32 from "/all")`:                                             "",
		`select avg(a.f32) from "/all" a, "/all" b where a.i = b.i`:                                 "",
		`select list_sum(list_transform([1.5], lambda f32: f32::double)) from "/all" limit 1`:       "",
	} {
		var got []string
		for _, c := range doubled(t, db, sql) {
			got = append(got, db.tables[slices.IndexFunc(db.tables, func(x *table) bool { return x.names[0] == "/all" })].columns[c].name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v come as doubles, want %q", sql, got, want)
		}
		same(t, db, plain, sql)
	}
	for _, f := range ofDoubles {
		for _, where := range []string{"true", "i > 100 and u8 < 200", "i >= 2050 and i < 2054"} {
			sql := fmt.Sprintf(`select %s(f32), count(*) from "/all" where f32 is not null and %s`, f, where)
			if n := len(doubled(t, db, sql)); n != 1 {
				t.Errorf("%s: %d columns come as doubles", sql, n)
			}
			same(t, db, plain, sql)
		}
		lines, _, err := answer(db, "select count(*) from duckdb_functions() where function_type = 'aggregate' and function_name = '"+f+
			"' and len(parameter_types) = 1 and parameter_types[1] in ('FLOAT', 'ANY', 'T')")
		if err != nil || lines[0] != "0" {
			t.Errorf("%s takes floats: %v, %v", f, lines, err)
		}
	}
}

// Columns that have to be decoded are read only where rows were chosen by others.
func TestLate(t *testing.T) {
	leaks(t)
	list := tables(t, suite)
	for _, o := range []Options{{Threads: 1}, {Threads: 4}} {
		db := open(t, list, o)
		for sql, want := range map[string]struct {
			rows   int64
			values string
		}{
			`select i, i64, heap from "/all" where i = 4400`:                           {512, "4400"},
			`select i, big from "/all" where i > 9000`:                                 {0, ""},
			`select i, i8, f32, word, point from "/all" where i between 2100 and 2103`: {2048, "2100 2101 2102 2103"},
			`select i, colour, list from "/all" where i < 2 or i < 1`:                  {0, "0 1"},
			`select i, big from "/all" where i in (1)`:                                 {2048, "1"},
		} {
			lines, stats, err := answer(db, sql)
			var firsts []string
			for _, l := range lines {
				first, _, _ := strings.Cut(l, "|")
				firsts = append(firsts, first)
			}
			if err != nil || strings.Join(firsts, " ") != want.values || len(stats) != 1 || stats[0].LateRows > want.rows || want.rows > 0 && stats[0].LateRows == 0 {
				t.Errorf("%s: %v, %v, %+v", sql, firsts, err, stats)
			}
		}
	}
	// Filters that choose much and little, here and there.
	db, plain := open(t, list, Options{Threads: 3, Read: []arrowmap.ReadOption{arrowmap.WithBatchRows(300)}}), open(t, list, Options{Threads: 2, NoPushdown: true})
	for _, sql := range []string{`select i, i64, heap from "/all" where u8 > 5 order by i`, `select i, big, colour from "/all" where u16 = 77 order by i`,
		`select sum(i8), max(fixed), count(*) from "/all" where f64 > 20`, `select i, point, big from "/all" where i8 = 3 and u8 < 100 order by i`,
		`select i, big, f32 from "/all" where i >= 4000 limit 3`, `select i8 from "/all" where i8 > 90`} {
		same(t, db, plain, sql)
	}
}

// The engine converts decimal constants to doubles as the scan does.
func TestDecimalConstants(t *testing.T) {
	leaks(t)
	db := open(t, nil, Options{})
	r := rand.New(rand.NewPCG(5, 6))
	var literals, want []string
	for range 600 {
		digits, scale := r.Int64N(1<<uint(1+r.IntN(53))), r.IntN(23)
		text := fmt.Sprintf("%0*d", scale+1, digits)
		literals = append(literals, text[:len(text)-scale]+"."+text[len(text)-scale:])
		table := &table{columns: []column{{typ: arrow.PrimitiveTypes.Float64}}}
		terms := table.compareNumber(0, opEqual, &number{digits: digits, scale: scale})
		if len(terms) != 1 {
			t.Fatalf("%s is not taken", text)
		}
		want = append(want, fmt.Sprint(math.Float64bits(*terms[0].real)))
	}
	lines, _, err := answer(db, "select list_transform(["+strings.Join(literals, "::double, ")+"::double], lambda x: x)")
	if err != nil {
		t.Fatal(err)
	}
	var got []float64
	if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
		t.Fatal(err)
	}
	for i, f := range got {
		if fmt.Sprint(math.Float64bits(f)) != want[i] {
			t.Errorf("%s is %v for the engine", literals[i], f)
		}
	}
}
