package dtype

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
)

func TestTypeName(t *testing.T) {
	double := arrow.PrimitiveTypes.Float64
	for want, typ := range map[string]arrow.DataType{
		"double":                   double,
		"float":                    arrow.PrimitiveTypes.Float32,
		"half_float":               arrow.FixedWidthTypes.Float16,
		"int8":                     arrow.PrimitiveTypes.Int8,
		"utf8":                     arrow.BinaryTypes.String,
		"large_utf8":               arrow.BinaryTypes.LargeString,
		"bool":                     arrow.FixedWidthTypes.Boolean,
		"timestamp[ns, tz=UTC]":    arrow.FixedWidthTypes.Timestamp_ns,
		"duration[ms]":             arrow.FixedWidthTypes.Duration_ms,
		"date32":                   arrow.FixedWidthTypes.Date32,
		"list<item: double>":       arrow.ListOf(double),
		"large_list<item: double>": arrow.LargeListOf(double),
		"fixed_size_list<item: fixed_size_list<item: float>[3]>[2]": arrow.FixedSizeListOf(2, arrow.FixedSizeListOf(3, arrow.PrimitiveTypes.Float32)),
		"struct<float64: double, i: list<item: half_float>>": arrow.StructOf(arrow.Field{Name: "float64", Type: double, Nullable: true},
			arrow.Field{Name: "i", Type: arrow.ListOf(arrow.FixedWidthTypes.Float16)}),
		"dictionary<values=utf8, indices=int8, ordered=true>": &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String, Ordered: true},
	} {
		if got := TypeName(typ); got != want {
			t.Errorf("%s: %s, want %s", typ, got, want)
		}
	}
}
