//go:build duckdb_arrow && cgo

package vector

import (
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// inexact are types whose values the engine's export to Arrow changes: it has no field for a zone of a time of day, and none
// for the upper half of the range of UHUGEINT. What reads unions mostly shows them with their tags.
var inexact = map[duck.Type]string{duck.TypeUHugeInt: "UHUGEINT", duck.TypeTimeTZ: "TIME WITH TIME ZONE", duck.TypeUnion: "UNION"}

// ExactType returns an error for a type of a result that Arrow data can't have.
func ExactType(lt duck.LogicalType, column string) error {
	var inner []duck.LogicalType
	switch id := duck.GetTypeId(lt); id {
	case duck.TypeList:
		inner = append(inner, duck.ListTypeChildType(lt))
	case duck.TypeArray:
		inner = append(inner, duck.ArrayTypeChildType(lt))
	case duck.TypeMap:
		inner = append(inner, duck.MapTypeKeyType(lt), duck.MapTypeValueType(lt))
	case duck.TypeStruct:
		for i := range duck.StructTypeChildCount(lt) {
			inner = append(inner, duck.StructTypeChildType(lt, i))
		}
	default:
		if name := inexact[id]; name != "" {
			return unfit(column, "values of type %s", name)
		}
	}
	var err error
	for i := range inner {
		if err == nil {
			err = ExactType(inner[i], column)
		}
		duck.DestroyLogicalType(&inner[i])
	}
	return err
}

func unfit(column, format string, args ...any) error {
	return h5err.In(h5err.New(h5err.Unsupported, format+" have no equal in Arrow", args...).WithHint("cast them to VARCHAR"), "", column)
}

// ExactTimes returns an error if a column has the time 24:00, which Arrow does not: a day ends before it.
func ExactTimes(rec arrow.RecordBatch) error {
	for i, f := range rec.Schema().Fields() {
		if endOfDay(rec.Column(i).Data()) {
			return unfit(f.Name, "times of 24:00")
		}
	}
	return nil
}

// endOfDay reports whether values of a column, or inside them, are a time of 24:00.
func endOfDay(d arrow.ArrayData) bool {
	if d.DataType().ID() == arrow.TIME64 {
		arr := array.NewTime64Data(d)
		defer arr.Release()
		end := arrow.Time64(24 * time.Hour / d.DataType().(*arrow.Time64Type).Unit.Multiplier())
		for i := range arr.Len() {
			if arr.IsValid(i) && arr.Value(i) >= end {
				return true
			}
		}
	}
	for _, c := range d.Children() {
		if endOfDay(c) {
			return true
		}
	}
	return false
}
