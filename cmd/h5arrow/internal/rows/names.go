package rows

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/dtype"
)

// TypeName returns the name of a type for people, which is shorter than Arrow's where types are nested: double[2, 3] is a list
// of fixed size of such lists, list<double> any other list, dictionary<utf8> has labels.
func TypeName(t arrow.DataType) string {
	switch t := t.(type) {
	case *arrow.FixedSizeListType:
		sizes, elem := fmt.Sprint(t.Len()), t.Elem()
		for {
			inner, ok := elem.(*arrow.FixedSizeListType)
			if !ok {
				return TypeName(elem) + "[" + sizes + "]"
			}
			sizes, elem = sizes+", "+fmt.Sprint(inner.Len()), inner.Elem()
		}
	case arrow.ListLikeType:
		if _, isMap := t.(*arrow.MapType); !isMap {
			return t.Name() + "<" + TypeName(t.Elem()) + ">"
		}
	case *arrow.StructType:
		fields := make([]string, t.NumFields())
		for i, f := range t.Fields() {
			fields[i] = f.Name + ": " + TypeName(f.Type)
		}
		return "struct<" + strings.Join(fields, ", ") + ">"
	case *arrow.DictionaryType:
		if t.Ordered {
			return "dictionary<" + TypeName(t.ValueType) + ", ordered>"
		}
		return "dictionary<" + TypeName(t.ValueType) + ">"
	}
	return dtype.TypeName(t)
}

// maxUnit is the length of the longest attribute that is taken for a unit.
const maxUnit = 80

// Units returns the unit of a column, as the attribute units or unit of its objects in the file has it; "" for none. That of
// times is part of their type. What NWB stores are multiples of a unit, and perhaps more: "0.001 V", "0.001 V + 5".
func Units(f arrow.Field) string {
	t := f.Type
	for {
		list, ok := t.(arrow.ListLikeType)
		if !ok {
			break
		}
		t = list.Elem()
	}
	switch t.(type) {
	case *arrow.TimestampType, *arrow.DurationType, *arrow.Date32Type, *arrow.Date64Type:
		return ""
	}
	for _, key := range []string{dtype.MetaAttribute + "units", dtype.MetaAttribute + "unit", "units", "unit"} {
		if u, ok := f.Metadata.GetValue(key); ok && len(u) <= maxUnit && !strings.HasPrefix(u, "{") && !strings.HasPrefix(u, "[") { // text, not JSON
			return multiple(f, u)
		}
	}
	return ""
}

// multiple returns a unit after its factor by the attribute conversion, and before the attribute offset, which is in that unit.
func multiple(f arrow.Field, unit string) string {
	if unit == "" || unit == "n/a" {
		return unit
	}
	number := func(name string, none float64) string {
		text, _ := f.Metadata.GetValue(dtype.MetaAttribute + name)
		if v, err := strconv.ParseFloat(text, 64); err != nil || v == none || math.IsNaN(v) {
			return ""
		}
		return text
	}
	factor, offset := number("conversion", 1), number("offset", 0)
	_, scaled := f.Metadata.GetValue(dtype.MetaAttribute + "conversion")
	if factor == "" && (offset == "" || !scaled) {
		return unit
	}
	if factor != "" {
		unit = factor + " " + unit
	}
	if offset != "" {
		unit += " + " + offset
	}
	return unit
}
