package dialect

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/flight/flightsql/schema_ref"
	pb "github.com/apache/arrow-go/v18/arrow/flight/gen/flight"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// xdbcType is a type of the engine as ODBC and JDBC describe types.
type xdbcType struct {
	name     string
	id       pb.XdbcDataType
	subcode  pb.XdbcDatetimeSubcode // of times, else 0
	size     int32                  // digits, characters or bytes; 0: not known
	quote    string                 // around literals
	params   []string               // of its declaration
	radix    int32                  // of numbers, else 0
	unsigned bool
	scale    int32 // the largest, of numbers with a scale
}

// xdbcTypes are the engine's types that are not nested, by the number that ODBC gives them.
var xdbcTypes = []xdbcType{
	{name: "BOOLEAN", id: pb.XdbcDataType_XDBC_BIT, size: 1},
	{name: "TINYINT", id: pb.XdbcDataType_XDBC_TINYINT, size: 3, radix: 10},
	{name: "UTINYINT", id: pb.XdbcDataType_XDBC_TINYINT, size: 3, radix: 10, unsigned: true},
	{name: "BIGINT", id: pb.XdbcDataType_XDBC_BIGINT, size: 19, radix: 10},
	{name: "UBIGINT", id: pb.XdbcDataType_XDBC_BIGINT, size: 20, radix: 10, unsigned: true},
	{name: "BLOB", id: pb.XdbcDataType_XDBC_VARBINARY, quote: "'"},
	{name: "DECIMAL", id: pb.XdbcDataType_XDBC_DECIMAL, size: 38, params: []string{"precision", "scale"}, radix: 10, scale: 38},
	{name: "INTEGER", id: pb.XdbcDataType_XDBC_INTEGER, size: 10, radix: 10},
	{name: "UINTEGER", id: pb.XdbcDataType_XDBC_INTEGER, size: 10, radix: 10, unsigned: true},
	{name: "SMALLINT", id: pb.XdbcDataType_XDBC_SMALLINT, size: 5, radix: 10},
	{name: "USMALLINT", id: pb.XdbcDataType_XDBC_SMALLINT, size: 5, radix: 10, unsigned: true},
	{name: "FLOAT", id: pb.XdbcDataType_XDBC_REAL, size: 24, radix: 2},
	{name: "DOUBLE", id: pb.XdbcDataType_XDBC_DOUBLE, size: 53, radix: 2},
	{name: "VARCHAR", id: pb.XdbcDataType_XDBC_VARCHAR, quote: "'", params: []string{"length"}},
	{name: "DATE", id: pb.XdbcDataType_XDBC_DATE, subcode: pb.XdbcDatetimeSubcode_XDBC_SUBCODE_DATE, size: 10, quote: "'"},
	{name: "TIME", id: pb.XdbcDataType_XDBC_TIME, subcode: pb.XdbcDatetimeSubcode_XDBC_SUBCODE_TIME, size: 15, quote: "'"},
	{name: "TIMESTAMP", id: pb.XdbcDataType_XDBC_TIMESTAMP, subcode: pb.XdbcDatetimeSubcode_XDBC_SUBCODE_TIMESTAMP, size: 26, quote: "'"},
	{name: "TIMESTAMP WITH TIME ZONE", id: pb.XdbcDataType_XDBC_TIMESTAMP, subcode: pb.XdbcDatetimeSubcode_XDBC_SUBCODE_TIMESTAMP_WITH_TIMEZONE, size: 32, quote: "'"},
}

// Types returns the rows of the engine's types, by the numbers that ODBC gives them; only, if not nil, is the number to
// return. The caller releases the batch.
func Types(only *int32) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema_ref.XdbcTypeInfo)
	defer b.Release()
	types := slices.Clone(xdbcTypes)
	slices.SortStableFunc(types, func(a, b xdbcType) int { return int(a.id) - int(b.id) })
	for _, t := range types {
		if only == nil || *only == int32(t.id) {
			t.append(b)
		}
	}
	return b.NewRecordBatch()
}

// append adds the row of a type.
func (t xdbcType) append(b *array.RecordBuilder) {
	text := func(field int, s string) {
		b.Field(field).(*array.StringBuilder).AppendValues([]string{s}, []bool{s != ""})
	}
	number := func(field int, n int32, known bool) {
		b.Field(field).(*array.Int32Builder).AppendValues([]int32{n}, []bool{known})
	}
	flag := func(field int, v, known bool) {
		b.Field(field).(*array.BooleanBuilder).AppendValues([]bool{v}, []bool{known})
	}
	text(0, t.name)
	number(1, int32(t.id), true)
	number(2, t.size, t.size > 0)
	text(3, t.quote)
	text(4, t.quote)
	params := b.Field(5).(*array.ListBuilder)
	params.Append(t.params != nil)
	params.ValueBuilder().(*array.StringBuilder).AppendValues(t.params, nil)
	number(6, int32(pb.Nullable_NULLABILITY_NULLABLE), true)
	flag(7, t.id == pb.XdbcDataType_XDBC_VARCHAR, true)
	number(8, int32(pb.Searchable_SEARCHABLE_FULL), true)
	flag(9, t.unsigned, t.radix > 0)
	flag(10, false, true) // no money
	flag(11, false, t.radix > 0)
	text(12, t.name)
	number(13, 0, t.radix == 10)
	number(14, t.scale, t.radix == 10)
	sql := t.id
	if t.subcode != 0 {
		sql = pb.XdbcDataType_XDBC_DATETIME
	}
	number(15, int32(sql), true)
	number(16, int32(t.subcode), t.subcode != 0)
	number(17, t.radix, t.radix > 0)
	number(18, 0, false)
}
