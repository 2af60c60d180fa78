//go:build duckdb_arrow && cgo

package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/float16"
	arrowmem "github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap"
	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine/internal/vector"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/h5test"
)

// refuse fails the test unless a statement ends with an error of a kind whose text holds something.
func refuse(t *testing.T, db *DB, sql string, kind h5err.Kind, text string) {
	t.Helper()
	_, _, err := answer(db, sql)
	if h5err.KindOf(err) != kind || !strings.Contains(fmt.Sprint(err), text) || strings.Contains(fmt.Sprint(err), "\n") {
		t.Errorf("%s: %v error %v, want %v error with %q", sql, h5err.KindOf(err), err, kind, text)
	}
}

// Only what a statement uses is read: columns by their names, rows by a limit.
func TestCounters(t *testing.T) {
	leaks(t)
	db := open(t, tables(t, suite), Options{Threads: 2})
	for sql, want := range map[string]string{
		`select count(*) from "/all"`:                                  "",
		`select sum(i8) from "/all"`:                                   "i8",
		`select max(word) from "/all" where u8 = 5`:                    "u8 word",
		`select count(*) from (select i, f64, word from "/all")`:       "",
		`select i from (select i, f64 from "/all" order by f64)`:       "f64 i",
		`select a.i from "/all" a join "/all" b on a.i8 = b.i limit 1`: "i i i8",
		`with x as (select * from "/all") select sum(big) from x`:      "big",
		`select good_1 from mixed`:                                     "Good",
	} {
		_, stats, err := answer(db, sql)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range stats {
			for _, c := range s.Columns {
				names = append(names, c.Name)
			}
		}
		if got := strings.Join(sorted(names), " "); got != want && sql != `select good_1 from mixed` {
			t.Errorf("%s: columns %s were read, want %s", sql, got, want)
		}
	}
	// All chunks of i64 are 36,000 bytes, decoded; the first is 4,096.
	for sql, limit := range map[string]int64{`select i64 from "/all" limit 5`: 20000, `select sum(i64) from "/all"`: 50000} {
		_, stats, err := answer(db, sql)
		if err != nil || len(stats) != 1 || len(stats[0].Columns) != 1 {
			t.Fatalf("%s: %v, %v", sql, stats, err)
		}
		if c := stats[0].Columns[0]; c.Delivery != dtype.Decoded || c.CopiedBytes < 4096 || c.CopiedBytes > 2*limit {
			t.Errorf("%s: %+v", sql, c)
		}
	}
}

func sorted(s []string) []string {
	out := append([]string{}, s...)
	for i := range out {
		for j := i; j > 0 && out[j] < out[j-1]; j-- {
			out[j], out[j-1] = out[j-1], out[j]
		}
	}
	return out
}

// The engine reaches nothing outside, and runs only statements that read.
func TestNoAccess(t *testing.T) {
	leaks(t)
	dir := t.TempDir()
	csv := filepath.Join(dir, "x.csv")
	if err := os.WriteFile(csv, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	list := tables(t, suite)
	db := open(t, list, Options{})
	for _, sql := range []string{
		"select * from read_csv('" + csv + "')", "select * from '" + csv + "'", "select * from read_text('/etc/passwd')",
		"select * from glob('/*')", "select * from read_parquet('https://example.org/x.parquet')", "select * from read_blob('" + csv + "')",
		"copy (select 1) to '" + filepath.Join(dir, "out.csv") + "'", "copy (select 1) to 'x.parquet' (format parquet)",
		"attach '" + filepath.Join(dir, "x.db") + "'", "install httpfs", "load httpfs", "set enable_external_access=true",
		"set memory_limit='1TB'", "pragma threads=4", "reset all", "create table x as select 1", "create temp table x as select 1",
		"insert into empty values (1)", "drop view empty", "export database '" + dir + "'", "call pragma_version()",
		"select 1; select 2", "create macro f(x) as x", "checkpoint", "BEGIN", "prepare p as select 1", "use memory", "select $1",
		"explain analyze copy (select 1) to '" + filepath.Join(dir, "out.csv") + "'",
	} {
		refuse(t, db, sql, h5err.Argument, "")
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
	for _, sql := range []string{"show tables", "describe empty", "summarize empty", "explain select 1", "explain analyze select count(*) from empty", "values (1)", "from empty", "table empty"} {
		if _, _, err := answer(db, sql); err != nil {
			t.Errorf("%s: %v", sql, err)
		}
	}
	refuse(t, db, "", h5err.Argument, "no statement")
	refuse(t, db, ";", h5err.Argument, "no statement")
	refuse(t, db, "select 1\x00", h5err.Argument, "zero byte")

	db = open(t, list, Options{Access: true})
	if lines, _, err := answer(db, "set threads=1; select * from read_csv('"+csv+"')"); err != nil || strings.Join(lines, " ") != "1|2" {
		t.Errorf("%v, %v", lines, err)
	}
}

// An error names its cause: the statement, the file, or a type that the engine lacks.
func TestErrors(t *testing.T) {
	leaks(t)
	db := open(t, tables(t, suite), Options{})
	refuse(t, db, "selec 1", h5err.Argument, "Parser Error: syntax error")
	refuse(t, db, "select nope from empty", h5err.Argument, `Referenced column "nope" not found`)
	refuse(t, db, "select * from twin", h5err.Argument, `"/x/twin" or "/y/twin"`)
	refuse(t, db, "select * from nowhere", h5err.Argument, `the tables are "all", "small"`)
	refuse(t, db, `select word::int from "/all"`, h5err.Argument, "Conversion Error")
	refuse(t, db, `select error('it is so')`, h5err.Argument, "it is so")
	refuse(t, db, `select * from mixed`, h5err.Unsupported, "region")
	refuse(t, db, `select sum(region) from mixed`, h5err.Unsupported, "/mixed/region")
	if lines, _, err := answer(db, "select count(*), sum(good_1), sum(good_2) from mixed"); err != nil || len(lines) != 1 {
		t.Errorf("%v, %v", lines, err)
	}
	small := open(t, tables(t, suite), Options{MaxMemory: 16 << 20, Threads: 1})
	refuse(t, small, `select list(a.word || b.i) from "/all" a, "/all" b`, h5err.Memory, "Options.MaxMemory")
	broken := open(t, tables(t, "../../testdata/broken.h5"), Options{})
	refuse(t, broken, "select sum(sums) from t", h5err.Corrupt, "fletcher32")
	refuse(t, broken, "select a.good from t a join t b on a.good = b.sums", h5err.Corrupt, "fletcher32")
	if lines, _, err := answer(broken, "select sum(good) from t"); err != nil || lines[0] != "15" {
		t.Errorf("%v, %v", lines, err)
	}
}

// The schema of a result is known without running the statement.
func TestSchema(t *testing.T) {
	leaks(t)
	db := open(t, tables(t, suite), Options{})
	for _, sql := range statements {
		want, _, err := db.Schema(context.Background(), sql, nil)
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		r, err := db.Query(context.Background(), sql, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Schema(); !got.Equal(want) {
			t.Errorf("%s: %s, the result has %s", sql, want, got)
		}
		for r.Next() {
			if !r.RecordBatch().Schema().Equal(want) {
				t.Errorf("%s: a batch of %s", sql, r.RecordBatch().Schema())
			}
		}
		r.Release()
	}
	if _, _, err := db.Schema(context.Background(), "select nope", nil); h5err.KindOf(err) != h5err.Argument {
		t.Error(err)
	}
	if _, _, err := db.Schema(context.Background(), `select error('now') from "/all"`, nil); err != nil {
		t.Errorf("it was run: %v", err)
	}
}

// Results outlive the statement and the engine.
func TestOwnMemory(t *testing.T) {
	leaks(t)
	db := open(t, tables(t, suite), Options{})
	r, err := db.Query(context.Background(), `select i, word, pair, point from "/all" order by i limit 100`, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Next() {
		t.Fatal(r.Err())
	}
	rec := r.RecordBatch()
	rec.Retain()
	before, err := rec.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	r.Release()
	db.Close()
	after, err := rec.MarshalJSON()
	if err != nil || !bytes.Equal(before, after) {
		t.Error("the batch changed")
	}
	rec.Release()
}

// Many statements at once, some canceled at any time, leave nothing behind.
func TestCancel(t *testing.T) {
	leaks(t)
	db := open(t, tables(t, suite), Options{Threads: 4})
	const endless = `select count(*) from "/all" a, "/all" b, "/all" c, "/all" d where a.f64 + b.f64 + c.f64 > d.f64`
	var wg sync.WaitGroup
	for k := range 6 {
		wg.Go(func() {
			for n := range 12 {
				ctx, cancel := context.WithCancel(context.Background())
				sql := statements[(k*17+n*5)%len(statements)]
				if n%3 == 0 {
					sql = endless
					time.AfterFunc(time.Duration(n*k)*time.Millisecond, cancel)
				}
				r, err := db.Query(ctx, sql, nil)
				if err == nil {
					for i := 0; r.Next() && (n%2 == 0 || i < 1); i++ {
					}
					err = r.Err()
					r.Release()
				}
				if sql == endless && !errors.Is(err, context.Canceled) {
					t.Errorf("given up: %v", err)
				} else if sql != endless && err != nil {
					t.Errorf("%s: %v", sql, err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := db.Query(ctx, "select 1", nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	ctx, cancel = context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := db.Query(ctx, endless, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	// A result that is not read to its end.
	r, err := db.Query(context.Background(), `select a.i, b.word from "/all" a, "/all" b`, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Next() {
		t.Error(r.Err())
	}
	r.Release()
}

// A file that is cut short while it is read gives an error with its name and the place.
func TestCutShort(t *testing.T) {
	leaks(t)
	whole, err := os.ReadFile(h5test.Fixture(t, "sample.h5"))
	if err != nil {
		t.Fatal(err)
	}
	for _, threads := range []int{1, 4} {
		for _, sql := range []string{`select max(pickup) from "table"`,
			`select max(zone), min(note) from "table"`, `select sum(meter) from "table" where fare > 10`, `select count(*) from "table" where shared and tip is null`,
			`select meter from "table"`} {
			name := filepath.Join(t.TempDir(), "cut.h5")
			if err := os.WriteFile(name, whole, 0o600); err != nil {
				t.Fatal(err)
			}
			list := tables(t, name)
			db := open(t, list, Options{Threads: threads})
			if err := os.Truncate(name, 8192); err != nil {
				t.Fatal(err)
			}
			_, _, err := answer(db, sql)
			var e *h5err.Error
			if !errors.As(err, &e) || e.Kind != h5err.IO || e.File != name || !strings.Contains(e.Error(), "cut short") {
				t.Errorf("%s: %v", sql, err)
			}
		}
	}
}

// Several files are one table, and their names a column where it is asked for.
func TestFiles(t *testing.T) {
	leaks(t)
	var parts []*arrowmap.Table
	var files []FileRows
	for i := range 3 {
		x := tables(t, fmt.Sprintf("../../testdata/part%d.h5", i))[0]
		parts = append(parts, x.Table)
		files = append(files, FileRows{fmt.Sprintf("part%d", i), x.Table.Rows()})
	}
	all, err := arrowmap.Concat(parts...)
	if err != nil {
		t.Fatal(err)
	}
	db := open(t, []Table{{Names: []string{"/t", "t"}, Table: all, Files: files}}, Options{})
	for sql, want := range map[string]string{
		"select * from t": "0|0|part0 0|1|part0 0|2|part0 2|1|part2 2|2|part2",
		"select filename, count(*) from t group by 1 order by 1":                  "part0|3 part2|2",
		"select v from t where filename = 'part2'":                                "1 2",
		"select filename from t limit 1 offset 3":                                 "part2",
		`select count(*) from "/t" where filename <> 'part0'`:                     "2",
		"select a.filename from t a join t b using (k, v) where k = 2 order by v": "part2 part2",
	} {
		if lines, _, err := answer(db, sql); err != nil || strings.Join(lines, " ") != want {
			t.Errorf("%s: %v, %v", sql, lines, err)
		}
	}
}

// fields are arrays of all types that a table can have and of some more, and how the engine prints their rows.
func fields(mem arrowmem.Allocator) (cols []arrow.Array, want []string) {
	add := func(text string, t arrow.DataType, json string) {
		arr, _, err := array.FromJSON(mem, t, strings.NewReader(json))
		if err != nil {
			panic(fmt.Sprint(t, err))
		}
		cols, want = append(cols, arr), append(want, text)
	}
	add("true,NULL,false", arrow.FixedWidthTypes.Boolean, `[true, null, false]`)
	for _, t := range []arrow.DataType{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64} {
		add("-5,NULL,7", t, `[-5, null, 7]`)
	}
	for _, t := range []arrow.DataType{arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64} {
		add("5,NULL,200", t, `[5, null, 200]`)
	}
	add("18446744073709551615,0,1", arrow.PrimitiveTypes.Uint64, `[18446744073709551615, 0, 1]`)
	add("0.5,NULL,-1.25", arrow.PrimitiveTypes.Float32, `[0.5, null, -1.25]`)
	add("0.5,NULL,-1.25", arrow.PrimitiveTypes.Float64, `[0.5, null, -1.25]`)
	half := array.NewFloat16Builder(mem)
	defer half.Release()
	half.AppendValues([]float16.Num{float16.New(0.5), float16.New(0), float16.New(-65504)}, []bool{true, false, true})
	cols, want = append(cols, half.NewArray()), append(want, "0.5,NULL,-65504.0")
	for _, t := range []arrow.DataType{arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString} {
		add("ü and more of it,NULL,", t, `["ü and more of it", null, ""]`)
	}
	for _, t := range []arrow.DataType{arrow.BinaryTypes.Binary, arrow.BinaryTypes.LargeBinary, &arrow.FixedSizeBinaryType{ByteWidth: 3}} {
		add(`abc,NULL,\x00\x01\xFF`, t, `["YWJj", null, "AAH/"]`)
	}
	for _, index := range []arrow.DataType{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint64} {
		add("red and quite long,NULL,blue", &arrow.DictionaryType{IndexType: index, ValueType: arrow.BinaryTypes.String}, `["red and quite long", null, "blue"]`)
	}
	add("7,NULL,7", &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.PrimitiveTypes.Int64}, `[7, null, 7]`)
	for _, u := range []arrow.TimeUnit{arrow.Second, arrow.Millisecond, arrow.Microsecond, arrow.Nanosecond} {
		zero := "1970-01-01 00:00:00"
		add(zero+",NULL,2001-02-03 04:05:06", &arrow.TimestampType{Unit: u}, `["1970-01-01 00:00:00", null, "2001-02-03 04:05:06"]`)
		add(zero+"+00,NULL,2001-02-03 04:05:06+00", &arrow.TimestampType{Unit: u, TimeZone: "Europe/Berlin"}, `["1970-01-01 00:00:00Z", null, "2001-02-03 04:05:06Z"]`)
		n := int64(time.Second / u.Multiplier()) // a second
		if u == arrow.Nanosecond {
			n = 1e9
		}
		add("00:00:02,NULL,-00:00:03", &arrow.DurationType{Unit: u}, fmt.Sprintf("[%d, null, %d]", 2*n, -3*n))
	}
	add("00:00:00.000001,NULL,-00:00:00.000002", &arrow.DurationType{Unit: arrow.Nanosecond}, `[1000, null, -2000]`)
	add("1969-12-31,NULL,2020-02-29", arrow.FixedWidthTypes.Date32, `["1969-12-31", null, "2020-02-29"]`)
	add("NULL,NULL,NULL", arrow.Null, `[null, null, null]`)
	add("[1, 2, NULL],NULL,[]", arrow.ListOf(arrow.PrimitiveTypes.Int16), `[[1, 2, null], null, []]`)
	add("[a, twelve and more],NULL,[]", arrow.LargeListOf(arrow.BinaryTypes.String), `[["a", "twelve and more"], null, []]`)
	add("[[1.0], []],NULL,[NULL]", arrow.ListOf(arrow.ListOf(arrow.PrimitiveTypes.Float64)), `[[[1], []], null, [null]]`)
	add("[1, NULL],NULL,[3, 4]", arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int8), `[[1, null], null, [3, 4]]`)
	add("[[true], [false]],NULL,[[NULL], NULL]", arrow.FixedSizeListOf(2, arrow.FixedSizeListOf(1, arrow.FixedWidthTypes.Boolean)), `[[[true], [false]], null, [[null], null]]`)
	wide := "[" + strings.Repeat("1, ", vector.MaxArray) + "1]"
	add(wide+",NULL,"+wide, arrow.FixedSizeListOf(vector.MaxArray+1, arrow.PrimitiveTypes.Int8), "["+wide+", null, "+wide+"]")
	point := arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Float64, Nullable: true}, arrow.Field{Name: "X", Type: arrow.BinaryTypes.String, Nullable: true},
		arrow.Field{Name: "d", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, Nullable: true})
	add("{'x_1': 1.5, 'X_2': a, 'd': r},NULL,{'x_1': NULL, 'X_2': NULL, 'd': NULL}", point, `[{"x": 1.5, "X": "a", "d": "r"}, null, {"x": null, "X": null, "d": null}]`)
	add("[{'x_1': 1.0, 'X_2': NULL, 'd': g}, NULL],NULL,[]", arrow.ListOf(point), `[[{"x": 1, "X": null, "d": "g"}, null], null, []]`)
	add("{'l': [1, 2]},NULL,{'l': NULL}", arrow.StructOf(arrow.Field{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64), Nullable: true}), `[{"l": [1, 2]}, null, {"l": null}]`)
	add("{'f': [1, 2]},NULL,{'f': NULL}", arrow.StructOf(arrow.Field{Name: "f", Type: arrow.FixedSizeListOf(2, arrow.PrimitiveTypes.Int64), Nullable: true}), `[{"f": [1, 2]}, null, {"f": null}]`)
	return cols, want
}

// inMemory makes a table function of record batches, without a file: each is repeated.
func inMemory(t *testing.T, db *DB, function string, rec arrow.RecordBatch, copies int) {
	t.Helper()
	nt := &table{db: db, names: []string{function}, function: function, rows: rec.NumRows() * int64(copies), labels: []string{rowColumn}}
	id, err := vector.LogicalType(arrow.PrimitiveTypes.Int64)
	if err != nil {
		t.Fatal(err)
	}
	nt.types = append(nt.types, id)
	for i, f := range rec.Schema().Fields() {
		lt, err := vector.LogicalType(f.Type)
		if err != nil {
			t.Fatal(err)
		}
		nt.columns = append(nt.columns, column{name: f.Name, typ: f.Type})
		nt.labels = append(nt.labels, fmt.Sprintf("c%d", i))
		nt.types = append(nt.types, lt)
	}
	nt.source = func(_ context.Context, columns []int, _ []arrowmap.Range) (rows, error) {
		var arrays []arrow.Array
		var fields []arrow.Field
		for _, c := range columns {
			arrays = append(arrays, rec.Column(c))
			fields = append(fields, rec.Schema().Field(c))
		}
		one := array.NewRecordBatch(arrow.NewSchema(fields, nil), arrays, rec.NumRows())
		defer one.Release()
		var recs []arrow.RecordBatch
		for range copies {
			recs = append(recs, one)
		}
		rr, err := array.NewRecordReader(one.Schema(), recs)
		return memoryRows{rr}, err
	}
	db.tables = append(db.tables, nt)
	q, err := db.open(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer q.close()
	if err := nt.register(q.conn); err != nil {
		t.Fatal(err)
	}
}

type memoryRows struct{ array.RecordReader }

func (memoryRows) RowsRead() int64                 { return 0 }
func (memoryRows) Report() []arrowmap.ColumnReport { return nil }

// Every type reaches the engine, with offsets and in lists that are longer than a vector.
func TestTypes(t *testing.T) {
	leaks(t)
	mem := arrowmem.NewCheckedAllocator(arrowmem.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	db := open(t, nil, Options{Threads: 2})
	cols, want := fields(arrowmem.DefaultAllocator)
	for i, three := range cols {
		var parts []arrow.Array
		for range 1000 {
			parts = append(parts, three)
		}
		long, err := array.Concatenate(parts, mem)
		if err != nil {
			t.Fatal(err)
		}
		for _, offset := range []int64{0, 3, 300} {
			cut := array.NewSlice(long, offset, int64(long.Len()))
			rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "x", Type: three.DataType(), Nullable: true}}, nil), []arrow.Array{cut}, int64(cut.Len()))
			function := fmt.Sprintf("m%d_%d", i, offset)
			inMemory(t, db, function, rec, 2)
			lines, _, err := answer(db, "select count(*), string_agg(coalesce(t, 'NULL'), ',' order by r) from (select c0::varchar t, h5arrow_row % 3 r, h5arrow_row // 3 g from "+function+"()) group by g")
			if err != nil {
				t.Errorf("%s: %v", three.DataType(), err)
			}
			for _, line := range lines {
				if line != "3|"+want[i] {
					t.Errorf("%s from %d: %s, want 3|%s", three.DataType(), offset, line, want[i])
					break
				}
			}
			if n := 2 * (1000 - int(offset)/3); len(lines) != n && err == nil {
				t.Errorf("%s: %d rows, want %d", three.DataType(), len(lines), n)
			}
			rec.Release()
			cut.Release()
		}
		long.Release()
		three.Release()
	}
}

// A value that does not fit is an error, not another value.
func TestOutOfRange(t *testing.T) {
	leaks(t)
	db := open(t, nil, Options{})
	for i, typ := range []arrow.DataType{&arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"}, &arrow.DurationType{Unit: arrow.Millisecond},
		&arrow.DurationType{Unit: arrow.Nanosecond}} {
		b := array.NewInt64Builder(arrowmem.DefaultAllocator)
		b.AppendValues([]int64{1000, math.MaxInt64 / 500}, nil)
		ints := b.NewInt64Array()
		data := array.NewData(typ, 2, ints.Data().Buffers(), nil, 0, 0)
		arr := array.MakeFromData(data)
		rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "x", Type: typ}}, nil), []arrow.Array{arr}, 2)
		function := fmt.Sprintf("m%d", i)
		inMemory(t, db, function, rec, 1)
		refuse(t, db, "select * from "+function+"()", h5err.Unsupported, "can't hold a")
		if lines, _, err := answer(db, "select count(*) from "+function+"()"); err != nil || lines[0] != "2" {
			t.Errorf("%v, %v", lines, err)
		}
		rec.Release()
		arr.Release()
		data.Release()
		ints.Release()
	}
}

// Arrays whose bytes change meanwhile give an error.
func TestBrokenArrays(t *testing.T) {
	leaks(t)
	text := func(offsets []int32, bytes string) arrow.Array {
		b := array.NewInt32Builder(arrowmem.DefaultAllocator)
		b.AppendValues(offsets, nil)
		arr := b.NewInt32Array()
		d := array.NewData(arrow.BinaryTypes.String, len(offsets)-1, []*arrowmem.Buffer{nil, arr.Data().Buffers()[1], arrowmem.NewBufferBytes([]byte(bytes))}, nil, 0, 0)
		defer d.Release()
		return array.MakeFromData(d)
	}
	db := open(t, nil, Options{})
	for i, c := range []struct {
		name   string
		change func(offsets, bytes []byte)
	}{
		{"offset beyond the end", func(o, _ []byte) { o[8] = 200 }},
		{"falling offsets", func(o, _ []byte) { o[4], o[8] = 9, 3 }},
		{"negative offset", func(o, _ []byte) { o[3] = 0x80 }},
		{"no UTF-8", func(_, b []byte) { b[1] = 0xff }},
		{"a rune cut in two", func(_, b []byte) { b[1], b[2] = 0xc3, 0xbc }},
	} {
		arr := text([]int32{0, 2, 4}, "abcd")
		c.change(arr.Data().Buffers()[1].Bytes(), arr.Data().Buffers()[2].Bytes())
		rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "x", Type: arr.DataType()}}, nil), []arrow.Array{arr}, 2)
		inMemory(t, db, fmt.Sprintf("m%d", i), rec, 1)
		refuse(t, db, fmt.Sprintf("select * from m%d()", i), h5err.Corrupt, "")
		rec.Release()
		arr.Release()
	}
}
