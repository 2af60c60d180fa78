//go:build duckdb_arrow && cgo

package engine

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	arrowmem "github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// numbers makes an array of a type that is stored as 64 bits, with a null after the values.
func numbers(t arrow.DataType, values ...int64) arrow.Array {
	b := array.NewInt64Builder(arrowmem.DefaultAllocator)
	defer b.Release()
	b.AppendValues(values, nil)
	b.AppendNull()
	ints := b.NewInt64Array()
	defer ints.Release()
	data := array.NewData(t, ints.Len(), ints.Data().Buffers(), nil, 1, 0)
	defer data.Release()
	return array.MakeFromData(data)
}

// result is the type of a statement's only column and its values, a line for each row.
func result(t *testing.T, db *DB, sql string) (typ, lines string) {
	t.Helper()
	schema, _, err := db.Schema(context.Background(), sql, nil)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	r, err := db.Query(context.Background(), sql, nil)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer r.Release()
	if !r.Schema().Equal(schema) {
		t.Errorf("%s: %s, said to be %s", sql, r.Schema(), schema)
	}
	var all []string
	for r.Next() {
		c := r.RecordBatch().Column(0)
		if !arrow.TypeEqual(c.DataType(), schema.Field(0).Type) {
			t.Errorf("%s: %s in a result of %s", sql, c.DataType(), schema)
		}
		for i := range c.Len() {
			all = append(all, strings.Clone(c.ValueStr(i)))
		}
	}
	if r.Err() != nil {
		t.Fatalf("%s: %v", sql, r.Err())
	}
	return schema.Field(0).Type.String(), strings.Join(all, " ")
}

// Durations come out of SQL as durations of the same length, over the whole range of the engine's intervals.
func TestDurations(t *testing.T) {
	leaks(t)
	db := open(t, nil, Options{Threads: 2})
	for i, c := range []struct {
		unit   arrow.TimeUnit
		values []int64
		want   string
	}{
		{arrow.Second, []int64{1e10, -1e10, 1}, "10000000000000000us -10000000000000000us 1000000us (null)"},
		{arrow.Millisecond, []int64{1e13, -5}, "10000000000000000us -5000us (null)"},
		{arrow.Microsecond, []int64{1e16, 5, -1, math.MaxInt64, math.MinInt64}, "10000000000000000us 5us -1us 9223372036854775807us -9223372036854775808us (null)"},
		{arrow.Nanosecond, []int64{1000, -math.MaxInt64 + 807}, "1us -9223372036854775us (null)"},
	} {
		arr := numbers(&arrow.DurationType{Unit: c.unit}, c.values...)
		rec := array.NewRecordBatch(arrow.NewSchema([]arrow.Field{{Name: "x", Type: arr.DataType(), Nullable: true}}, nil), []arrow.Array{arr}, int64(arr.Len()))
		function := []string{"s", "ms", "us", "ns"}[i]
		inMemory(t, db, function, rec, 1)
		if typ, got := result(t, db, "select c0 from "+function+"()"); typ != "duration[us]" || got != c.want {
			t.Errorf("%s: %s %s, want %s", c.unit, typ, got, c.want)
		}
		rec.Release()
		arr.Release()
	}
	for sql, want := range map[string]string{
		"select timestamp '2020-01-03 01:00:00' - timestamp '2020-01-01'":               "duration[us] 176400000000us",
		"select interval '300 years' - interval '300 years'":                            "duration[us] 0us",
		"select interval '-106751991 days'":                                             "duration[us] -9223372022400000000us",
		"select null::interval":                                                         "duration[us] (null)",
		"select [interval '1 day', null, interval '2 seconds']":                         `list<l: duration[us], nullable> ["86400000000us",null,"2000000us"]`,
		"select unnest([[interval '1 s', interval '2 s'], null, [], [interval '3 s']])": `list<l: duration[us], nullable> ["1000000us","2000000us"] (null) [] ["3000000us"]`,
		// Lists in another order than their items.
		"select l from (values (2, [interval '2 s']), (1, [interval '1 s', interval '9 s'])) t(k, l) order by k": `list<l: duration[us], nullable> ["1000000us","9000000us"] ["2000000us"]`,
		"select unnest([{'a': interval '1 s', 'b': 1}, null])":                                                   `struct<a: duration[us] nullable, b: int32 nullable> {"a":"1000000us","b":1} (null)`,
		"select unnest([[interval '1 s', null]::interval[2], null])":                                             `fixed_size_list<: duration[us], nullable>[2] ["1000000us",null] (null)`,
		"select map {'k': interval '1 s'}":                                                                       `map<utf8, duration[us], items_nullable> [{"key":"k","value":"1000000us"}]`,
		"select [{'a': [interval '1 s']}, {'a': null}]":                                                          `list<l: struct<a: list<l: duration[us], nullable> nullable>, nullable> [{"a":["1000000us"]},{"a":null}]`,
		"select [1]": "list<l: int32, nullable> [1]",
	} {
		if typ, got := result(t, db, sql); typ+" "+got != want {
			t.Errorf("%s: %s %s, want %s", sql, typ, got, want)
		}
	}
	for sql, text := range map[string]string{
		"select interval '1 month' as m":                            "m: unsupported: an interval of 1 months has no fixed length",
		"select [interval '1 month'] as m":                          "m: unsupported: an interval of 1 months has no fixed length",
		"select interval '106751992 days' as d":                     "d: unsupported: an interval of 106751992 days",
		"select interval '-106751991 days' - interval '1 day' as d": "d: unsupported: an interval of -106751992 days",
		"select union_value(k := interval '1 s') as u":              "u: unsupported: values of type UNION",
	} {
		refuse(t, db, sql, h5err.Unsupported, text)
	}
}
