//go:build duckdb_arrow && cgo

package engine

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine/internal/vector"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// parameters returns the schema of the prepared statement's parameters. What is a number of any width in the statement is
// one of 64 bits here, so that no client narrows a value to it; what the engine does not know is text.
func (q *query) parameters() (*arrow.Schema, error) {
	n := int(duck.NParams(q.stmt))
	names, types := make([]string, n), make([]duck.LogicalType, n)
	for i := range n {
		at := duck.IdxT(i + 1)
		if names[i] = duck.ParameterName(q.stmt, at); names[i] == "" {
			names[i] = strconv.Itoa(i + 1)
		}
		switch id := duck.ParamType(q.stmt, at); id {
		case duck.TypeTinyInt, duck.TypeSmallInt, duck.TypeInteger, duck.TypeBigInt, duck.TypeUTinyInt, duck.TypeUSmallInt,
			duck.TypeUInteger, duck.TypeUBigInt, duck.TypeHugeInt, duck.TypeUHugeInt, duck.TypeBigNum:
			types[i] = duck.CreateLogicalType(duck.TypeBigInt)
		case duck.TypeFloat:
			types[i] = duck.CreateLogicalType(duck.TypeDouble)
		case duck.TypeInvalid, duck.TypeAny, duck.TypeSQLNull, duck.TypeEnum:
			types[i] = duck.CreateLogicalType(duck.TypeVarchar)
		default:
			types[i] = duck.ParamLogicalType(q.stmt, at)
		}
	}
	return q.exported(types, names)
}

// bind gives the parameters of the prepared statement the values of a record's only row: by name where they are named,
// else by position.
func (q *query) bind(values arrow.RecordBatch) error {
	n := int(duck.NParams(q.stmt))
	if values == nil {
		if n > 0 {
			return h5err.New(h5err.Argument, "the statement has %d parameters and no values for them", n)
		}
		return nil
	}
	if values.NumRows() != 1 || int(values.NumCols()) != n {
		return h5err.New(h5err.Argument, "the statement has %d parameters, %d rows of %d values were given", n, values.NumRows(), values.NumCols())
	}
	for i := range n {
		name := duck.ParameterName(q.stmt, duck.IdxT(i+1))
		column := i
		if _, err := strconv.Atoi(name); err != nil {
			if named := values.Schema().FieldIndices(name); len(named) == 1 {
				column = named[0]
			}
		}
		v, err := valueOf(values.Column(column), 0)
		if err != nil {
			return h5err.In(err, "", "parameter "+name)
		}
		state := duck.BindValue(q.stmt, duck.IdxT(i+1), v)
		duck.DestroyValue(&v)
		if state != duck.StateSuccess {
			return q.prepareError()
		}
	}
	return nil
}

// valueOf returns value i of an array as the engine's. The caller destroys it.
func valueOf(arr arrow.Array, i int) (duck.Value, error) {
	if arr.IsNull(i) {
		return duck.CreateNullValue(), nil
	}
	switch a := arr.(type) {
	case *array.Null:
		return duck.CreateNullValue(), nil
	case *array.Boolean:
		return duck.CreateBool(a.Value(i)), nil
	case *array.Int8:
		return duck.CreateInt8(a.Value(i)), nil
	case *array.Int16:
		return duck.CreateInt16(a.Value(i)), nil
	case *array.Int32:
		return duck.CreateInt32(a.Value(i)), nil
	case *array.Int64:
		return duck.CreateInt64(a.Value(i)), nil
	case *array.Uint8:
		return duck.CreateUInt8(a.Value(i)), nil
	case *array.Uint16:
		return duck.CreateUInt16(a.Value(i)), nil
	case *array.Uint32:
		return duck.CreateUInt32(a.Value(i)), nil
	case *array.Uint64:
		return duck.CreateUInt64(a.Value(i)), nil
	case *array.Float16:
		return duck.CreateFloat(a.Value(i).Float32()), nil
	case *array.Float32:
		return duck.CreateFloat(a.Value(i)), nil
	case *array.Float64:
		return duck.CreateDouble(a.Value(i)), nil
	case *array.Decimal128:
		t := a.DataType().(*arrow.Decimal128Type)
		if t.Scale < 0 || t.Precision < 1 || t.Precision > 38 {
			break
		}
		return duck.CreateDecimal(duck.NewDecimal(uint8(t.Precision), uint8(t.Scale), duck.NewHugeInt(a.Value(i).LowBits(), a.Value(i).HighBits()))), nil
	case *array.Dictionary:
		return valueOf(a.Dictionary(), a.GetValueIndex(i))
	case array.ExtensionArray:
		return valueOf(a.Storage(), i)
	case interface{ Value(int) string }:
		return textOf(a.Value(i))
	case interface{ Value(int) []byte }:
		return duck.CreateBlob(a.Value(i)), nil
	case array.ListLike:
		return listOf(a, i)
	}
	return momentOf(arr, i)
}

func textOf(s string) (duck.Value, error) {
	if !utf8.ValidString(s) {
		return duck.Value{}, h5err.New(h5err.Argument, "text that is not UTF-8")
	}
	return duck.CreateVarcharLength(s, duck.IdxT(len(s))), nil
}

// listOf returns a list of an array.
func listOf(a array.ListLike, i int) (v duck.Value, err error) {
	items := a.ListValues()
	lt, err := vector.LogicalType(items.DataType())
	if err != nil {
		return v, err
	}
	defer duck.DestroyLogicalType(&lt)
	var list []duck.Value
	defer func() {
		for i := range list {
			duck.DestroyValue(&list[i])
		}
	}()
	for start, end := a.ValueOffsets(i); start < end; start++ {
		item, err := valueOf(items, int(start))
		if err != nil {
			return v, err
		}
		list = append(list, item)
	}
	return duck.CreateListValue(lt, list), nil
}

// momentOf is valueOf for dates, times and durations.
func momentOf(arr arrow.Array, i int) (v duck.Value, err error) {
	micros := func(t int64, unit arrow.TimeUnit) (int64, error) {
		us, ok := vector.Micros(t, unit)
		if !ok || unit == arrow.Nanosecond && t%1000 != 0 {
			return 0, h5err.New(h5err.Argument, "the SQL engine can't hold %d %s as microseconds", t, unit)
		}
		return us, nil
	}
	var us int64
	switch a := arr.(type) {
	case *array.Date32:
		return duck.CreateDate(duck.NewDate(int32(a.Value(i)))), nil
	case *array.Date64:
		return duck.CreateTimestampMS(duck.NewTimestampMS(int64(a.Value(i)))), nil
	case *array.Time32:
		if us, err = micros(int64(a.Value(i)), a.DataType().(*arrow.Time32Type).Unit); err == nil {
			v = duck.CreateTime(duck.NewTime(us))
		}
		return v, err
	case *array.Time64:
		if us, err = micros(int64(a.Value(i)), a.DataType().(*arrow.Time64Type).Unit); err == nil {
			v = duck.CreateTime(duck.NewTime(us))
		}
		return v, err
	case *array.Timestamp:
		t := a.DataType().(*arrow.TimestampType)
		switch {
		case t.TimeZone != "":
			if us, err = micros(int64(a.Value(i)), t.Unit); err == nil {
				v = duck.CreateTimestampTZ(duck.NewTimestamp(us))
			}
		case t.Unit == arrow.Second:
			v = duck.CreateTimestampS(duck.NewTimestampS(int64(a.Value(i))))
		case t.Unit == arrow.Millisecond:
			v = duck.CreateTimestampMS(duck.NewTimestampMS(int64(a.Value(i))))
		case t.Unit == arrow.Microsecond:
			v = duck.CreateTimestamp(duck.NewTimestamp(int64(a.Value(i))))
		default:
			v = duck.CreateTimestampNS(duck.NewTimestampNS(int64(a.Value(i))))
		}
		return v, err
	case *array.Duration:
		if us, err = micros(int64(a.Value(i)), a.DataType().(*arrow.DurationType).Unit); err == nil {
			v = duck.CreateInterval(duck.NewInterval(0, 0, us))
		}
		return v, err
	}
	return v, h5err.New(h5err.Argument, "a value of type %s: the SQL engine takes none as a parameter", arr.DataType())
}

// boundSchema returns the schema of a statement's result with the given values, on which the types may depend. The engine
// says that only of a result: it is asked for one without rows. Where that is not a statement, or its columns may have been
// renamed because of equal names, the statement itself is started.
func (db *DB) boundSchema(ctx context.Context, statement string, values arrow.RecordBatch, names []string) (*arrow.Schema, error) {
	unknown := len(names) == 1 && names[0] == unknownColumn
	empty, err := db.started(ctx, "SELECT * FROM (\n"+strings.TrimRight(statement, "; \t\r\n")+"\n) LIMIT 0", values)
	if err != nil || !unknown && empty.NumFields() != len(names) || unknown && slices.ContainsFunc(empty.Fields(), renamed) {
		return db.started(ctx, statement, values)
	}
	fields := empty.Fields()
	for i := range fields {
		if !unknown {
			fields[i].Name = names[i]
		}
	}
	return arrow.NewSchema(fields, nil), nil
}

// renamed reports whether the engine may have added a number to the name of a column.
func renamed(f arrow.Field) bool {
	i := strings.LastIndexByte(f.Name, '_')
	_, err := strconv.Atoi(f.Name[i+1:])
	return i >= 0 && err == nil
}

// started is the schema of the result of a statement that is started and given up.
func (db *DB) started(ctx context.Context, statement string, values arrow.RecordBatch) (*arrow.Schema, error) {
	r, err := db.Run(ctx, statement, values)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	return r.Schema(), nil
}

// unknownColumn is what the engine calls the only column of a result whose types depend on values that are not there yet.
const unknownColumn = "unknown"
