//go:build duckdb_arrow && cgo

package engine

import (
	"context"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	arrowmem "github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// given is a record of one row: the first of each array, under names that are separated by spaces.
func given(names string, cols ...arrow.Array) arrow.RecordBatch {
	var fields []arrow.Field
	for i, name := range strings.Fields(names) {
		fields = append(fields, arrow.Field{Name: name, Type: cols[i].DataType(), Nullable: true})
	}
	one := make([]arrow.Array, len(cols))
	for i, c := range cols {
		one[i] = array.NewSlice(c, 0, 1)
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), one, 1)
}

// scalarOf is an array of one value.
func scalarOf(t arrow.DataType, json string) arrow.Array {
	arr, _, err := array.FromJSON(arrowmem.DefaultAllocator, t, strings.NewReader("["+json+"]"))
	if err != nil {
		panic(err)
	}
	return arr
}

// A value of each type reaches the engine as that value, and the schema is that of the result.
func TestValues(t *testing.T) {
	leaks(t)
	db := open(t, nil, Options{})
	for i, three := range columnsOf(t) {
		values := given("x", three.arr)
		lines, err := with(t, db, "select $1::varchar", values)
		if want := strings.SplitN(three.text, ",", 2)[0]; err != nil || len(lines) != 1 || lines[0] != want {
			t.Errorf("%d: %s: %q, %v, want %s", i, three.arr.DataType(), lines, err, want)
		}
		values.Release()
	}
	for _, c := range []struct {
		sql, names, want string
		cols             []arrow.Array
	}{
		{"select ?", "0", "7", []arrow.Array{scalarOf(arrow.PrimitiveTypes.Int8, "7")}},
		{"select ? + 1", "0", "2.5", []arrow.Array{scalarOf(arrow.PrimitiveTypes.Float64, "1.5")}},
		{"select 1::bigint + ?", "0", "2.5", []arrow.Array{scalarOf(arrow.PrimitiveTypes.Float64, "1.5")}},
		{"select $2, $1", "0 1", "b|a", []arrow.Array{scalarOf(arrow.BinaryTypes.String, `"a"`), scalarOf(arrow.BinaryTypes.String, `"b"`)}},
		{"select $b - $a as x, 1 as x", "a b", "3|1", []arrow.Array{scalarOf(arrow.PrimitiveTypes.Int64, "2"), scalarOf(arrow.PrimitiveTypes.Int64, "5")}},
		{"select $b - $a", "x y", "3", []arrow.Array{scalarOf(arrow.PrimitiveTypes.Int64, "5"), scalarOf(arrow.PrimitiveTypes.Int64, "2")}},
		{"select coalesce(?, 'none');", "0", "none", []arrow.Array{scalarOf(arrow.BinaryTypes.String, "null")}},
		{"select i from range(5) t(i) where i in (select unnest(?)) order by i", "0", "1 3", []arrow.Array{scalarOf(arrow.ListOf(arrow.PrimitiveTypes.Int64), "[3, 1, 9]")}},
		{"select 2 > ?", "0", "false", []arrow.Array{scalarOf(arrow.PrimitiveTypes.Int64, "1000")}},
		{"select ?::decimal(9, 3)", "0", "1.25", []arrow.Array{scalarOf(&arrow.Decimal128Type{Precision: 9, Scale: 3}, `"1.25"`)}},
		{"select ? - ?", "0 1", "90000000us", []arrow.Array{scalarOf(&arrow.TimestampType{Unit: arrow.Second}, `"2020-01-01 00:01:30"`), scalarOf(&arrow.TimestampType{Unit: arrow.Second}, `"2020-01-01"`)}},
	} {
		values := given(c.names, c.cols...)
		if lines, err := with(t, db, c.sql, values); err != nil || strings.Join(lines, " ") != c.want {
			t.Errorf("%s: %q, %v, want %s", c.sql, lines, err, c.want)
		}
		values.Release()
	}
}

// with is the result of a statement with values, whose schema is the one that is known before.
func with(t *testing.T, db *DB, sql string, values arrow.RecordBatch) (lines []string, err error) {
	t.Helper()
	schema, _, err := db.Schema(context.Background(), sql, values)
	if err != nil {
		return nil, err
	}
	r, err := db.Query(context.Background(), sql, values)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	if !r.Schema().Equal(schema) {
		t.Errorf("%s: %s, said to be %s", sql, r.Schema(), schema)
	}
	for r.Next() {
		for i := range int(r.RecordBatch().NumRows()) {
			var fields []string
			for _, c := range r.RecordBatch().Columns() {
				fields = append(fields, strings.Clone(c.ValueStr(i)))
			}
			lines = append(lines, strings.Join(fields, "|"))
		}
	}
	return lines, r.Err()
}

// sample is an array and how the engine prints its rows.
type sample struct {
	arr  arrow.Array
	text string
}

// columnsOf are the arrays of fields that can be values of parameters.
func columnsOf(t *testing.T) (out []sample) {
	cols, want := fields(arrowmem.DefaultAllocator)
	t.Cleanup(func() {
		for _, c := range cols {
			c.Release()
		}
	})
	for i, c := range cols {
		switch c.DataType().ID() {
		case arrow.STRUCT, arrow.LIST, arrow.LARGE_LIST, arrow.FIXED_SIZE_LIST, arrow.NULL:
		default:
			out = append(out, sample{c, want[i]})
		}
	}
	return out
}

// Parameters are described before they have values: numbers in 64 bits, what is not known as text.
func TestParameters(t *testing.T) {
	leaks(t)
	db := open(t, tables(t, suite), Options{})
	for sql, want := range map[string]string{
		"select 1": "",
		`select i from "/all" where i8 > ? and u16 < ? and f32 = ? and word <> ?`: "1 int64, 2 int64, 3 float64, 4 utf8",
		`select i from "/all" where us > ? and day < ? and b = ? and big > ?`:     "1 timestamp[us], 2 date32, 3 bool, 4 int64",
		"select $a, $b::date":       "a utf8, b utf8",
		"select interval '1 s' > ?": "1 duration[us]",
	} {
		_, parameters, err := db.Schema(context.Background(), sql, nil)
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		var got []string
		for _, f := range parameters.Fields() {
			got = append(got, f.Name+" "+f.Type.String())
		}
		if text := strings.Join(got, ", "); text != want {
			t.Errorf("%s: %s, want %s", sql, text, want)
		}
	}
	refuse(t, db, "select ?", h5err.Argument, "1 parameters and no values")
	for text, values := range map[string]arrow.RecordBatch{
		"the statement has 1 parameters, 1 rows of 2 values": given("a b", scalarOf(arrow.PrimitiveTypes.Int8, "1"), scalarOf(arrow.PrimitiveTypes.Int8, "1")),
		"takes none as a parameter":                          given("a", scalarOf(arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int8}), `{"x": 1}`)),
		"can't hold 1999 ns as microseconds":                 given("a", numbers(&arrow.DurationType{Unit: arrow.Nanosecond}, 1999)),
		"Conversion Error":                                   given("a", scalarOf(arrow.BinaryTypes.String, `"x"`)),
	} {
		_, err := db.Query(context.Background(), `select i from "/all" where i8 = ?::int`, values)
		if h5err.KindOf(err) != h5err.Argument || !strings.Contains(err.Error(), text) {
			t.Errorf("%v, want %q", err, text)
		}
	}
}
