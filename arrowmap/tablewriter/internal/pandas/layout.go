// Package pandas writes tables as pandas' HDFStore has them, in the format "table": a table of PyTables with an index and blocks
// of columns of one type. The format "fixed" would map, but has text only as pickles, and no categories at all.
//
// Source: pandas/io/pytables.py of pandas 2.3.3 and 3.1.1.
package pandas

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/dtype/stored"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Layout is the layout.
type Layout struct{}

// Check returns an error of kind Unsupported for a field of a type that pandas can't store.
func (Layout) Check(f arrow.Field) error {
	t := stored.Storage(f.Type)
	if e, ok := t.(*arrow.RunEndEncodedType); ok {
		t = e.Encoded()
	}
	if d, ok := t.(*arrow.DictionaryType); ok {
		if isText(d.ValueType) || d.ValueType.ID() == arrow.BOOL || isNumber(d.ValueType) || isTime(d.ValueType) {
			return nil
		}
		return h5err.New(h5err.Unsupported, "a dictionary of %s in the layout pandas", d.ValueType).WithHint("labels can be text, numbers, booleans and times")
	}
	switch {
	case t.ID() == arrow.BOOL, t.ID() == arrow.NULL, isText(t), isNumber(t), isTime(t):
		return nil
	case arrow.IsDecimal(t.ID()):
		return h5err.New(h5err.Unsupported, "the type %s in the layout pandas", f.Type).WithHint("cast it to double or text, or use the layout vaex")
	}
	return h5err.New(h5err.Unsupported, "the type %s in the layout pandas", f.Type).WithHint("leave the column out, or use the layout vaex")
}

// Marks returns values of a type that must be known not to be in a column.
func (Layout) Marks(t arrow.DataType) [][]byte {
	if isText(t) {
		return marks
	}
	return nil
}

func isText(t arrow.DataType) bool {
	return t.ID() == arrow.STRING || t.ID() == arrow.LARGE_STRING || t.ID() == arrow.STRING_VIEW
}

func isNumber(t arrow.DataType) bool { return arrow.IsInteger(t.ID()) || arrow.IsFloating(t.ID()) }

func isTime(t arrow.DataType) bool {
	switch t.(type) {
	case *arrow.TimestampType, *arrow.DurationType, *arrow.Date32Type, *arrow.Date64Type, *arrow.Time32Type, *arrow.Time64Type:
		return true
	}
	return false
}

// taken are the attributes of a group of pandas, which metadata must not replace: those of a table that was one of pandas before, and the
// description of its frame.
var taken = []string{"pandas", "pandas_type", "pandas_version", "table_type", "index_cols", "values_cols", "non_index_axes", "data_columns",
	"nan_rep", "encoding", "errors", "levels", "info", "metadata", "data_col_nan_rep", "mi_level_nan_rep", "CLASS", "TITLE", "VERSION", "name"}

func isTaken(name string) bool { return slices.Contains(taken, name) }
