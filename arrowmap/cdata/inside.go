//go:build cgo

package cdata

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// inside checks that the copied offsets and indices of an array stay inside its copied buffers: they may have been
// overwritten in the file since they were first read.
func inside(d arrow.ArrayData, roles []role, buffers []*memory.Buffer, children []arrow.ArrayData, dictionary *array.Data) error {
	if len(roles) < 2 || len(buffers) < 2 || buffers[1] == nil || d.Len() == 0 {
		return nil
	}
	t := d.DataType()
	if e, ok := t.(arrow.ExtensionType); ok {
		t = e.StorageType()
	}
	ok := true
	switch roles[1] {
	case offsets:
		last := int64(0)
		if len(children) > 0 {
			last = int64(children[0].Len())
		} else if len(buffers) > 2 && buffers[2] != nil {
			last = int64(buffers[2].Len())
		}
		switch t.(type) {
		case *arrow.LargeListType, *arrow.LargeStringType, *arrow.LargeBinaryType:
			ok = ascending(arrow.Int64Traits.CastFromBytes(buffers[1].Bytes()), d, last)
		default:
			ok = ascending(arrow.Int32Traits.CastFromBytes(buffers[1].Bytes()), d, last)
		}
	case indices:
		var valid []byte
		if buffers[0] != nil {
			valid = buffers[0].Bytes()
		}
		b, n := buffers[1].Bytes(), int64(dictionary.Len())
		switch t.(*arrow.DictionaryType).IndexType.ID() {
		case arrow.INT8:
			ok = below(arrow.Int8Traits.CastFromBytes(b), d, valid, n)
		case arrow.UINT8:
			ok = below(b, d, valid, n)
		case arrow.INT16:
			ok = below(arrow.Int16Traits.CastFromBytes(b), d, valid, n)
		case arrow.UINT16:
			ok = below(arrow.Uint16Traits.CastFromBytes(b), d, valid, n)
		case arrow.INT32:
			ok = below(arrow.Int32Traits.CastFromBytes(b), d, valid, n)
		case arrow.UINT32:
			ok = below(arrow.Uint32Traits.CastFromBytes(b), d, valid, n)
		case arrow.INT64:
			ok = below(arrow.Int64Traits.CastFromBytes(b), d, valid, n)
		case arrow.UINT64:
			ok = below(arrow.Uint64Traits.CastFromBytes(b), d, valid, n)
		}
	}
	if !ok {
		return h5err.New(h5err.Corrupt, "offsets or indices lead outside their values").WithHint("was the file written to?")
	}
	return nil
}

func ascending[T int32 | int64](all []T, d arrow.ArrayData, end int64) bool {
	if len(all) < d.Offset()+d.Len()+1 {
		return false
	}
	all = all[d.Offset() : d.Offset()+d.Len()+1]
	last := T(0)
	for _, o := range all {
		if o < last {
			return false
		}
		last = o
	}
	return int64(last) <= end
}

func below[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](all []T, d arrow.ArrayData, valid []byte, n int64) bool {
	if len(all) < d.Offset()+d.Len() {
		return false
	}
	for i := d.Offset(); i < d.Offset()+d.Len(); i++ {
		if x := all[i]; (x < 0 || uint64(x) >= uint64(n)) && (valid == nil || bitutil.BitIsSet(valid, i)) {
			return false
		}
	}
	return true
}

func copyBits(dst, src []byte, offset, n int) { bitutil.CopyBitmap(src, offset, n, dst, 0) }
