package rows

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
)

func TestTypeName(t *testing.T) {
	pair := arrow.FixedSizeListOf(3, arrow.PrimitiveTypes.Float64)
	for want, typ := range map[string]arrow.DataType{
		"double":       arrow.PrimitiveTypes.Float64,
		"double[2, 3]": arrow.FixedSizeListOf(2, pair),
		"list<double>": arrow.ListOf(arrow.PrimitiveTypes.Float64),
		"large_list<struct<a: int8, b: double[3]>>": arrow.LargeListOf(arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int8}, arrow.Field{Name: "b", Type: pair})),
		"dictionary<utf8>":                          &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String},
		"dictionary<utf8, ordered>":                 &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String, Ordered: true},
		"map<utf8, utf8, items_nullable>":           arrow.MapOf(arrow.BinaryTypes.String, arrow.BinaryTypes.String),
	} {
		if got := TypeName(typ); got != want {
			t.Errorf("%s: %s, want %s", typ, got, want)
		}
	}
}

// A unit is text. Times have it in their type.
func TestUnits(t *testing.T) {
	number, seconds := arrow.PrimitiveTypes.Float64, arrow.FixedWidthTypes.Timestamp_s
	for _, c := range []struct {
		typ              arrow.DataType
		key, value, want string
	}{
		{number, "hdf5.attr.units", "m s-1", "m s-1"}, {number, "hdf5.attr.unit", "V", "V"}, {number, "unit", "Jy", "Jy"}, {number, "hdf5.attr.unitSI", "1.0", ""},
		{number, "hdf5.attr.unit", `{"base64":"AA=="}`, ""}, {number, "hdf5.attr.units", `["a","b"]`, ""},
		{seconds, "hdf5.attr.units", "days since 1970-01-01", ""}, {arrow.FixedSizeListOf(2, arrow.ListOf(seconds)), "hdf5.attr.units", "days since 1970-01-01", ""},
	} {
		f := arrow.Field{Type: c.typ, Metadata: arrow.NewMetadata([]string{c.key}, []string{c.value})}
		if got := Units(f); got != c.want {
			t.Errorf("%s=%s of %s: %q, want %q", c.key, c.value, c.typ, got, c.want)
		}
	}
}

// TestUnitsMultiple has the attributes of NWB beside a unit.
func TestUnitsMultiple(t *testing.T) {
	for _, c := range []struct{ unit, conversion, offset, want string }{
		{"V", "1", "0", "V"}, {"V", "0.001", "0", "0.001 V"}, {"V", "0.001", "5", "0.001 V + 5"}, {"V", "1", "-2.5", "V + -2.5"},
		{"V", "", "5", "V"}, {"V", "x", "", "V"}, {"V", "NaN", "", "V"}, {"n/a", "2", "", "n/a"},
	} {
		keys, values := []string{"hdf5.attr.unit"}, []string{c.unit}
		for i, v := range []string{c.conversion, c.offset} {
			if v != "" {
				keys, values = append(keys, "hdf5.attr."+[]string{"conversion", "offset"}[i]), append(values, v)
			}
		}
		f := arrow.Field{Type: arrow.PrimitiveTypes.Float64, Metadata: arrow.NewMetadata(keys, values)}
		if got := Units(f); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
