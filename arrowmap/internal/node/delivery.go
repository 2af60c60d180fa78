package node

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5"
)

const (
	misaligned   = "the values are not aligned to their width"
	addedOffsets = "offsets that Arrow needs are added"
)

// deliver returns how a dataset's values are delivered, and why, given what contiguous ones would need.
func deliver(d *h5.Dataset, contiguous dtype.Delivery, reason string) (dtype.Delivery, string) {
	l, err := d.Layout()
	if err != nil {
		return dtype.Refused, err.Error()
	}
	raw := ""
	switch {
	case l.Storage == h5.StorageContiguous && d.File().Source().Mapped():
		return contiguous, reason
	case l.Storage == h5.StorageContiguous:
		raw = "the file is read, not mapped"
	case l.Storage == h5.StorageChunked:
		if f, _ := d.Filters(); len(f) > 0 {
			raw = "the chunks are filtered"
		} else if contiguous == dtype.Mapped && d.File().Source().Mapped() {
			return dtype.Mapped, ""
		} else {
			raw = "the values are stored in chunks"
		}
	case l.Storage == h5.StorageCompact:
		raw = "the values are stored in the object header"
	case l.Storage == h5.StorageNone:
		raw = "nothing was stored: fill values"
	default:
		raw = "the values are stored in other files or datasets"
	}
	if contiguous == dtype.Mapped {
		return dtype.Decoded, raw
	}
	if contiguous == dtype.Converted || contiguous == dtype.Gathered {
		return contiguous, reason + "; " + raw
	}
	return dtype.Decoded, raw + "; " + reason
}

// Alignment is the number of bytes that addresses of a type's values should be multiples of.
func Alignment(t arrow.DataType) int {
	for {
		l, ok := t.(*arrow.FixedSizeListType)
		if !ok {
			break
		}
		t = l.Elem()
	}
	if f, ok := t.(arrow.FixedWidthDataType); ok && f.BitWidth() >= 8 {
		switch w := f.BitWidth() / 8; w {
		case 2, 4, 8:
			return w
		}
	}
	return 1
}

// MakesNulls reports whether a plan's type itself has values that are null: NaT, null references, NaN with
// NaNAsNull.
func MakesNulls(p *dtype.Plan, o dtype.Options) bool {
	return p.Refs || p.Nulls || hasNulls(p.Arrow, o.NaNAsNull)
}

func hasNulls(t arrow.DataType, nan bool) bool {
	switch t := t.(type) {
	case *arrow.TimestampType, *arrow.DurationType, *arrow.Date32Type:
		return true
	case arrow.NestedType:
		for _, f := range t.Fields() {
			if hasNulls(f.Type, nan) {
				return true
			}
		}
	}
	return nan && arrow.IsFloating(t.ID())
}
