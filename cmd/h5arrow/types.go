package main

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// typeText spells an Arrow type by the names of Arrow's specification (double, not float64), without what is the same for
// all fields here: that they may be null.
func typeText(t arrow.DataType) string {
	switch t := t.(type) {
	case *arrow.Float16Type:
		return "half_float"
	case *arrow.Float32Type:
		return "float"
	case *arrow.Float64Type:
		return "double"
	case *arrow.FixedSizeListType:
		return fmt.Sprintf("fixed_size_list<%s>[%d]", fieldText(t.ElemField()), t.Len())
	case *arrow.LargeListType:
		return "large_list<" + fieldText(t.ElemField()) + ">"
	case *arrow.ListType:
		return "list<" + fieldText(t.ElemField()) + ">"
	case *arrow.StructType:
		fields := make([]string, t.NumFields())
		for i := range fields {
			fields[i] = fieldText(t.Field(i))
		}
		return "struct<" + strings.Join(fields, ", ") + ">"
	case *arrow.DictionaryType:
		return fmt.Sprintf("dictionary<values=%s, indices=%s, ordered=%t>", typeText(t.ValueType), typeText(t.IndexType), t.Ordered)
	}
	return t.String()
}

func fieldText(f arrow.Field) string { return f.Name + ": " + typeText(f.Type) }
