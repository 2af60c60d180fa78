//go:build duckdb_arrow && cgo

package engine

import (
	"fmt"
	"strings"
	"testing"
)

// Conditions on times, text, dictionaries and booleans move to the scan, with the engine's answers.
func TestTerms(t *testing.T) {
	leaks(t)
	list := tables(t, suite)
	db, plain := open(t, list, Options{Threads: 2}), open(t, list, Options{Threads: 2, NoPushdown: true})
	ops := []string{"=", "<>", "<", "<=", ">", ">="}
	constants := map[string][]string{
		"ns":   {"timestamp '2023-12-01'", "'2023-11-20 01:02:03.123456789'", "date '2023-12-24'", "timestamp_ns '2023-11-20 01:02:03.123456789'", "timestamp_s '2023-12-01 00:00:01'", "'1500-01-01'", "date '2261-12-31'", "date '9999-12-31'", "'infinity'"},
		"us":   {"timestamp '1980-02-03 04:05:06.5'", "'1999-12-31 23:59:59.999999'", "date '1970-01-01'", "timestamp_ns '2000-01-01 00:00:00.000000001'", "date '1999-06-01' - interval 3 month", "timestamp_ms '2001-01-01'", "'nonsense'", "null"},
		"ms":   {"timestamp '1980-02-03 04:05:06.0005'", "'1999-12-31 23:59:59.9999'", "date '1970-01-01'", "timestamp_ns '2000-01-01 00:00:00.000000001'", "timestamp '1990-01-01' + interval 36 hours", "'epoch'"},
		"s":    {"timestamp '1980-02-03 04:05:06.5'", "'1999-12-31 23:59:59'", "'1999-12-31 23:59:59.5'", "date '1970-01-01'", "timestamp_ms '2000-01-01 00:00:00.001'"},
		"day":  {"date '1999-12-31'", "'2000-01-01'", "timestamp '2000-01-01 12:00:00'", "'2000-01-01 12:00:00'", "date '2000-03-01' - 1", "'infinity'", "timestamp_ns '2000-01-01 00:00:00.000000001'"},
		"word": {"'thirteen bytes1'", "''", "'a'", "'\u00fc'", "'it''s'", "null", "'a' collate nocase"},
		"heap": {"'Zoe'", "'x_y2'"}, "fixed": {"'twelve bytes'", "'zz'"},
		"colour": {"'green'", "'blue'", "'none'", "'g'"},
		"b":      {"true", "false", "'t'", "1"},
	}
	taken2, all := 0, 0
	for column, values := range constants {
		for _, v := range values {
			for _, op := range ops {
				for i, condition := range []string{fmt.Sprintf("%s %s %s", column, op, v), fmt.Sprintf("%s %s %s", v, op, column)} {
					if i > 0 && op != "<" {
						continue
					}
					if v == values[1] && strings.HasPrefix(condition, v) {
						condition += " and i between 100 and 4000"
					}
					sql := fmt.Sprintf(`select count(*), sum(i), count(%s), min(i64), max(heap) from "/all" where %s`, column, condition)
					same(t, db, plain, sql)
					all++
					if op == "<" {
						if taken(t, db, sql) > 0 {
							taken2++
						} else if !strings.ContainsAny(v, "0123456789") && v != "null" && !strings.Contains(v, "n") && v != "'t'" && v != "''" && !strings.Contains(v, "epoch") {
							t.Errorf("%s is not taken over", sql)
						}
					}
				}
			}
		}
	}
	if taken2 < 60 {
		t.Errorf("only %d of %d comparisons were taken over", taken2, all/len(ops))
	}
}

// The numbers of conditions that move, with the answers of the engine alone.
func TestTermsTaken(t *testing.T) {
	leaks(t)
	list := tables(t, suite)
	db, plain := open(t, list, Options{Threads: 2}), open(t, list, Options{Threads: 2, NoPushdown: true})
	for sql, want := range map[string]int{
		`select i, word from "/all" where b order by i`:                                                                                          1,
		`select i, word from "/all" where not b and not (i8 < 3) order by i`:                                                                     2,
		`select i from "/all" where b = true and b is not null order by i`:                                                                       2,
		`select i, heap from "/all" where i in (1, 2, 4499, -5) order by i`:                                                                      1,
		`select i, heap from "/all" where i8 in (1, 300) and f64 in (0.5, -0.0, 5) order by i`:                                                   2,
		`select i from "/all" where i in (1, null) order by i`:                                                                                   0,
		`select i from "/all" where i in (1, u8) order by i`:                                                                                     0,
		`select i from "/all" where i not in (1, 2) order by i`:                                                                                  0,
		`select i from "/all" where word in ('', 'a', 'Zoe', 'x_y1') order by i`:                                                                 1,
		`select i from "/all" where colour in ('red', 'blue') and colour <> 'red' order by i`:                                                    2,
		`select i from "/all" where word is not distinct from 'a' order by i`:                                                                    0,
		`select i from "/all" where day in ('2000-01-01', date '1999-06-03') order by i`:                                                         1,
		`select i from "/all" where us between timestamp '1999-01-01' and '1999-06-01' order by i`:                                               4,
		`select i from "/all" where ns >= date '2023-12-24' - interval 1 day and ns < '2023-12-25' order by i`:                                   4,
		`select i from "/all" where opaque = '\x00'::blob order by i`:                                                                            0,
		`select i from "/all" where ns > now()::timestamp order by i`:                                                                            0,
		`select i from "/all" where word between 'a' and 'b' order by i`:                                                                         2,
		`select i from "/all" where point.c = 'green' order by i`:                                                                                0,
		`select a.i, b.i8 from "/all" a join "/all" b on a.i = b.i where a.word = 'a' and b.us > '1999-01-01'`:                                   3,
		`select a.i, s.k from "/all" a join "/deep/small" s on a.i8 = s.k where word = 'a' and label < 'label 3'`:                                2,
		`select a.i, s.k from "/all" a left join "/deep/small" s on a.i8 = s.k where word = 'a' and label < 'm'`:                                 1,
		`select a.i, s.k from "/deep/small" s left join "/all" a on a.i8 = s.k where word = 'a' and label < 'm'`:                                 1,
		`select a.i, s.k from "/all" a right join "/deep/small" s on a.i8 = s.k where word = 'a'`:                                                0,
		`select a.i, s.k from "/all" a full join "/deep/small" s on a.i8 = s.k where word = 'a'`:                                                 0,
		`select a.i from "/all" a semi join "/deep/small" s on a.i8 = s.k where a.word = 'a'`:                                                    0,
		`select a.i, b.i from "/all" a join "/all" b using (i) where i < 5 and a.i8 < 3`:                                                         1,
		`select a.i, b.i from "/all" a positional join "/all" b where a.i > 5`:                                                                   0,
		`select a.i, k from "/all" a asof join "/deep/small" s on a.i8 >= s.k where a.i < 5`:                                                     0,
		`select x.i, k from (select i, i8 from "/all" where word = 'a') x, "/deep/small" s where x.i8 = s.k and s.k > 3 and x.i > 7`:             2,
		`select count(*) from "/all" where f64 > (select avg(f32) from "/all" where b and i < 100)`:                                              2,
		`select k from "/deep/small" s where exists (select 1 from "/all" where i8 = s.k and i < 50 and word > label)`:                           1,
		`select k from "/deep/small" s where exists (select 1 from "/all" s where s.i = 5 and k < 4)`:                                            1,
		`with m as (select i, i8 from "/all" where i < 9) select * from m where i8 < 50`:                                                         1,
		`with "/ALL" as (select 5 i) select * from "/deep/small", "/all" where k > 3`:                                                            0,
		`select * from (with "/all" as (select 5 i) select i from "/all") x, "/deep/small" y where y.k < 0`:                                      0,
		`with recursive r as (select 1 n union all select n + 1 from r where n < 5) select n, i from r, "/all" a where a.i = n and a.i < 4`:      1,
		`select count(*) from "/all" a, lateral (select count(*) c from "/deep/small" s where s.k = a.i8 and s.k > 5) where c = 0 and a.i < 600`: 2,
		`select i from "/all" a where i in (select k from "/deep/small" where k < 9 and label = 'label 3 of many')`:                              2,
		`select count(*) from "/all", "/all" as b where "/all".i = b.i and "/all".i < 3 and b.i8 > 0`:                                            2,
		`from "/all" select i where us < '1980-01-01' order by i limit 3`:                                                                        2,
		`select i from "/all" where i < 5 qualify row_number() over (order by i desc) = 1`:                                                       1,
	} {
		if got := taken(t, db, sql); got != want {
			t.Errorf("%s: %d conditions were taken over, want %d", sql, got, want)
		}
		if !strings.Contains(sql, "order by") && !strings.HasPrefix(sql, "with") {
			sql = "select * from (" + sql + ") order by all"
		}
		same(t, db, plain, sql)
	}
}
