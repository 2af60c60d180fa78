package dtype

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// TypeName returns an Arrow type in the names of Arrow's specification (double, where arrow-go's String has float64).
// Nullability is left out: all fields of this module may be null.
func TypeName(t arrow.DataType) string {
	switch t := t.(type) {
	case *arrow.Float16Type:
		return "half_float"
	case *arrow.Float32Type:
		return "float"
	case *arrow.Float64Type:
		return "double"
	case *arrow.FixedSizeListType:
		return fmt.Sprintf("fixed_size_list<%s>[%d]", fieldName(t.ElemField()), t.Len())
	case *arrow.LargeListType:
		return "large_list<" + fieldName(t.ElemField()) + ">"
	case *arrow.ListType:
		return "list<" + fieldName(t.ElemField()) + ">"
	case *arrow.StructType:
		fields := make([]string, t.NumFields())
		for i := range fields {
			fields[i] = fieldName(t.Field(i))
		}
		return "struct<" + strings.Join(fields, ", ") + ">"
	case *arrow.DictionaryType:
		return fmt.Sprintf("dictionary<values=%s, indices=%s, ordered=%t>", TypeName(t.ValueType), TypeName(t.IndexType), t.Ordered)
	}
	return t.String()
}

func fieldName(f arrow.Field) string { return f.Name + ": " + TypeName(f.Type) }
