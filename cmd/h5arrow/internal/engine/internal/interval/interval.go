// Package interval makes durations of the intervals in results.
package interval

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Type is the unit of durations in results.
var Type = &arrow.DurationType{Unit: arrow.Microsecond}

// durations returns an exported type with durations in place of intervals, and whether there are any.
func durations(t arrow.DataType) (with arrow.DataType, any bool, err error) {
	var fields []arrow.Field
	if n, ok := t.(arrow.NestedType); ok {
		if fields, any, err = ofFields(n.Fields()); err != nil {
			return nil, false, err
		}
	}
	switch t := t.(type) {
	case *arrow.MonthDayNanoIntervalType:
		return Type, true, nil
	case *arrow.ListType:
		with = arrow.ListOfField(fields[0])
	case *arrow.LargeListType:
		with = arrow.LargeListOfField(fields[0])
	case *arrow.FixedSizeListType:
		with = arrow.FixedSizeListOfField(t.Len(), fields[0])
	case *arrow.MapType:
		entry := fields[0].Type.(*arrow.StructType)
		with = arrow.MapOfFields(entry.Field(0), entry.Field(1))
	case *arrow.StructType:
		with = arrow.StructOf(fields...)
	default:
		if any {
			return nil, false, h5err.New(h5err.Unsupported, "the result as Arrow: an interval in a %s", t.Name())
		}
	}
	if !any {
		return t, false, nil
	}
	return with, true, nil
}

func ofFields(fields []arrow.Field) (with []arrow.Field, any bool, err error) {
	with = slices.Clone(fields)
	for i, f := range fields {
		t, found, err := durations(f.Type)
		if err != nil {
			return nil, false, err
		}
		with[i].Type, any = t, any || found
	}
	return with, any, nil
}

// Schema returns an exported schema with durations in place of intervals, at any depth. Types that can't have them are an
// Unsupported error that names the column.
func Schema(schema *arrow.Schema) (*arrow.Schema, error) {
	fields := slices.Clone(schema.Fields())
	for i, f := range fields {
		t, _, err := durations(f.Type)
		if err != nil {
			return nil, h5err.In(err, "", f.Name)
		}
		fields[i].Type = t
	}
	meta := schema.Metadata()
	return arrow.NewSchema(fields, &meta), nil
}
