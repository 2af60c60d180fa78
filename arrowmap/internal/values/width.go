package values

import "github.com/apache/arrow-go/v18/arrow"

// FixedBytes returns the size of a value of a type whose values take the same whole number of bytes each; exact is false for
// other types.
func FixedBytes(t arrow.DataType) (n int64, exact bool) {
	switch t := t.(type) {
	case *arrow.BooleanType, *arrow.DictionaryType:
		return 0, false
	case *arrow.FixedSizeListType:
		n, exact = FixedBytes(t.Elem())
		return n * int64(t.Len()), exact
	case *arrow.StructType:
		for _, f := range t.Fields() {
			m, ok := FixedBytes(f.Type)
			if !ok {
				return 0, false
			}
			n += m
		}
		return n, true
	case arrow.ExtensionType:
		return FixedBytes(t.StorageType())
	case arrow.FixedWidthDataType:
		return int64(t.Bytes()), true
	}
	return 0, false
}
