// Package netcdf writes tables as netCDF-4 files have them: a variable for each column, over one dimension of rows, with the fill
// values, units and flags of the CF conventions.
//
// Source: netCDF-4's format specification, CF conventions 1.11, sections 2.2, 3.5, 4.4 and 8.1.
package netcdf

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/tablewriter/internal/frame"
	"github.com/h5arrow/h5arrow/dtype/stored"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// Layout is the layout.
type Layout struct{}

// Check returns an error of kind Unsupported for a field of a type that netCDF has no variables for.
func (Layout) Check(f arrow.Field) error {
	t := stored.Storage(f.Type)
	if r, ok := t.(*arrow.RunEndEncodedType); ok {
		t = r.Encoded()
	}
	refused := h5err.New(h5err.Unsupported, "the type %s in the layout netcdf", f.Type)
	switch t := t.(type) {
	case *arrow.DictionaryType:
		if isText(t.ValueType) {
			return nil
		}
		return refused.WithHint("dictionaries can have labels of text; cast it to its values")
	case *arrow.FixedSizeListType:
		if t.Len() > 0 && isValue(itemOf(t)) {
			return nil
		}
		return refused.WithHint("lists of one length can have items of numbers, booleans and times")
	case *arrow.ListType, *arrow.LargeListType, *arrow.ListViewType, *arrow.LargeListViewType:
		return refused.WithHint("make it a list of one length, or use the layout vaex")
	}
	if isText(t) || isValue(t) || t.ID() == arrow.NULL || arrow.IsDecimal(t.ID()) {
		return nil
	}
	return refused.WithHint("leave the column out, or use the layout vaex")
}

func isText(t arrow.DataType) bool {
	return t.ID() == arrow.STRING || t.ID() == arrow.LARGE_STRING || t.ID() == arrow.STRING_VIEW
}

// isValue reports whether values of a type are numbers, booleans or times.
func isValue(t arrow.DataType) bool {
	switch t.(type) {
	case *arrow.BooleanType, *arrow.TimestampType, *arrow.DurationType, *arrow.Date32Type, *arrow.Date64Type, *arrow.Time32Type, *arrow.Time64Type:
		return true
	}
	return arrow.IsInteger(t.ID()) || arrow.IsFloating(t.ID())
}

// itemOf returns the type of the values in lists of one length.
func itemOf(t arrow.DataType) arrow.DataType {
	for l, ok := t.(*arrow.FixedSizeListType); ok; l, ok = t.(*arrow.FixedSizeListType) {
		t = l.Elem()
	}
	return t
}

// Marks returns values that may be the fill value of a type, the netCDF library's own first.
func (Layout) Marks(t arrow.DataType) [][]byte {
	t = itemOf(t)
	switch {
	case isText(t):
		return [][]byte{{}, []byte("_"), []byte("<NA>")}
	case t.ID() == arrow.FLOAT64:
		return floats(8)
	case t.ID() == arrow.FLOAT32:
		return floats(4)
	case arrow.IsInteger(t.ID()):
		return integers(t.(arrow.FixedWidthDataType).Bytes(), arrow.IsSignedInteger(t.ID()))
	}
	return nil
}

// defaultFill is the netCDF library's fill value of floats.
const defaultFill = 9.9692099683868690e+36

func floats(w int) (out [][]byte) {
	for _, x := range []float64{defaultFill, -math.MaxFloat32, math.MaxFloat32} {
		out = append(out, nullbitmap.StoredFloat(float64(float32(x)), w, nullbitmap.LittleEndian))
	}
	return out
}

// integers are the library's fill value of integers of w bytes, and the last ones at both ends of their range.
func integers(w int, signed bool) (out [][]byte) {
	last := uint64(math.MaxUint64) >> (64 - 8*w)
	fill := last
	if w == 8 {
		fill--
	}
	values := []uint64{fill, last, last - 2, 0}
	if signed {
		lowest := uint64(1) << (8*w - 1)
		values = []uint64{lowest + 1, lowest, lowest - 1}
		if w == 8 {
			values[0] = lowest + 2
		}
	}
	for _, x := range values {
		out = append(out, nullbitmap.Stored(x, w, nullbitmap.LittleEndian))
	}
	return out
}

// fillOf returns the fill value of a column that needs one: it has nulls, or a value that the library takes for missing by itself.
// ok is false if it needs one and every candidate is a value.
func fillOf(c *frame.Column) (fill []byte, ok bool) {
	if c.Nulls == 0 && c.ItemNulls == 0 && (len(c.Marks) == 0 || !c.Taken[0] || isText(c.Type)) {
		return nil, true
	}
	fill = c.Free()
	return fill, fill != nil
}
