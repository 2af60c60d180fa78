//go:build duckdb_arrow && cgo

package vector

import (
	"github.com/apache/arrow-go/v18/arrow"
	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/naming"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// MaxArray is the number of items up to which a fixed-size list is an ARRAY: the engine reserves memory for 2048 rows of
// them.
const MaxArray = 1024

// plain maps the types whose values are the same in the engine.
var plain = map[arrow.Type]duck.Type{
	arrow.BOOL: duck.TypeBoolean,
	arrow.INT8: duck.TypeTinyInt, arrow.INT16: duck.TypeSmallInt, arrow.INT32: duck.TypeInteger, arrow.INT64: duck.TypeBigInt,
	arrow.UINT8: duck.TypeUTinyInt, arrow.UINT16: duck.TypeUSmallInt, arrow.UINT32: duck.TypeUInteger, arrow.UINT64: duck.TypeUBigInt,
	arrow.FLOAT16: duck.TypeFloat, arrow.FLOAT32: duck.TypeFloat, arrow.FLOAT64: duck.TypeDouble,
	arrow.STRING: duck.TypeVarchar, arrow.LARGE_STRING: duck.TypeVarchar,
	arrow.BINARY: duck.TypeBlob, arrow.LARGE_BINARY: duck.TypeBlob, arrow.FIXED_SIZE_BINARY: duck.TypeBlob,
	arrow.DATE32: duck.TypeDate, arrow.DURATION: duck.TypeInterval, arrow.NULL: duck.TypeSQLNull,
}

// timestamps are the types of times without a zone, by unit.
var timestamps = map[arrow.TimeUnit]duck.Type{arrow.Second: duck.TypeTimestampS, arrow.Millisecond: duck.TypeTimestampMS,
	arrow.Microsecond: duck.TypeTimestamp, arrow.Nanosecond: duck.TypeTimestampNS}

// LogicalType returns the engine's type for an Arrow type; the caller destroys it. The error for a type without a
// counterpart is Unsupported.
func LogicalType(t arrow.DataType) (duck.LogicalType, error) {
	if id, ok := plain[t.ID()]; ok {
		return duck.CreateLogicalType(id), nil
	}
	switch t := t.(type) {
	case *arrow.TimestampType:
		if t.TimeZone != "" {
			return duck.CreateLogicalType(duck.TypeTimestampTZ), nil
		}
		return duck.CreateLogicalType(timestamps[t.Unit]), nil
	case *arrow.DictionaryType:
		return LogicalType(t.ValueType)
	case arrow.ExtensionType:
		return LogicalType(t.StorageType())
	case *arrow.ListType:
		return listType(t.Elem())
	case *arrow.LargeListType:
		return listType(t.Elem())
	case *arrow.FixedSizeListType:
		if !IsArray(t) {
			return listType(t.Elem())
		}
		child, err := LogicalType(t.Elem())
		if err != nil {
			return child, err
		}
		defer duck.DestroyLogicalType(&child)
		return duck.CreateArrayType(child, duck.IdxT(t.Len())), nil
	case *arrow.StructType:
		return structType(t)
	}
	return duck.LogicalType{}, h5err.New(h5err.Unsupported, "the SQL engine has no type for %s", t)
}

func listType(elem arrow.DataType) (duck.LogicalType, error) {
	child, err := LogicalType(elem)
	if err != nil {
		return child, err
	}
	defer duck.DestroyLogicalType(&child)
	return duck.CreateListType(child), nil
}

func structType(t *arrow.StructType) (duck.LogicalType, error) {
	if t.NumFields() == 0 {
		return duck.LogicalType{}, h5err.New(h5err.Unsupported, "the SQL engine has no type for %s: a struct without fields", t)
	}
	var types []duck.LogicalType
	defer func() {
		for i := range types {
			duck.DestroyLogicalType(&types[i])
		}
	}()
	var names []string
	for _, f := range t.Fields() {
		lt, err := LogicalType(f.Type)
		if err != nil {
			return lt, err
		}
		types = append(types, lt)
		names = append(names, f.Name)
	}
	return duck.CreateStructType(types, naming.Distinct(names)), nil
}

// items returns the number of innermost items of a fixed-size list, 1 for other types.
func items(t arrow.DataType) int64 {
	if l, ok := t.(*arrow.FixedSizeListType); ok {
		return min(int64(l.Len()), 1<<31) * items(l.Elem())
	}
	return 1
}

// IsArray reports whether a fixed-size list is an ARRAY, not a LIST.
func IsArray(t *arrow.FixedSizeListType) bool { return t.Len() > 0 && items(t) <= MaxArray }
