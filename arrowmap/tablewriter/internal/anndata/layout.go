// Package anndata writes tables as AnnData files have them: the rows are observations, the columns are obs, and there is no X. Lists
// of numbers of one length are arrays in obsm.
//
// Source: anndata's documentation of the on-disk format, and what anndata 0.12 writes.
package anndata

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/dtype/stored"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Layout is the layout.
type Layout struct{}

// Check returns an error of kind Unsupported for a field of a type that AnnData can't store.
func (Layout) Check(f arrow.Field) error {
	t := stored.Storage(f.Type)
	if r, ok := t.(*arrow.RunEndEncodedType); ok {
		t = r.Encoded()
	}
	refused := h5err.New(h5err.Unsupported, "the type %s in the layout anndata", f.Type)
	switch t := t.(type) {
	case *arrow.DictionaryType:
		if isText(t.ValueType) || isNumber(t.ValueType) || t.ValueType.ID() == arrow.BOOL {
			return nil
		}
		return refused.WithHint("labels can be text, numbers and booleans")
	case *arrow.FixedSizeListType:
		if t.Len() > 0 && isNumber(t.Elem()) {
			return nil
		}
		return refused.WithHint("lists of one length can have items of numbers")
	case *arrow.TimestampType, *arrow.DurationType, *arrow.Date32Type, *arrow.Date64Type, *arrow.Time32Type, *arrow.Time64Type:
		return refused.WithHint("AnnData has no times: cast it to text or to an integer")
	}
	switch {
	case isText(t), isNumber(t), t.ID() == arrow.BOOL, t.ID() == arrow.NULL:
		return nil
	case arrow.IsDecimal(t.ID()):
		return refused.WithHint("cast it to double or text, or use the layout vaex")
	}
	return refused.WithHint("leave the column out, or use the layout vaex")
}

// Marks implements a layout: AnnData has masks, and no values that mean null.
func (Layout) Marks(arrow.DataType) [][]byte { return nil }

func isText(t arrow.DataType) bool {
	return t.ID() == arrow.STRING || t.ID() == arrow.LARGE_STRING || t.ID() == arrow.STRING_VIEW
}

func isNumber(t arrow.DataType) bool { return arrow.IsInteger(t.ID()) || arrow.IsFloating(t.ID()) }
