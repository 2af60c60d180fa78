package vaexutil

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Access is how a column's values are reached.
type Access uint8

// The kinds of access. vaex.hdf5.utils has a class for each; the names in parentheses are its.
const (
	_               Access = iota
	AccessMapped           // the values lie in a mapping of the file (numpy.ndarray, MaskedArray)
	AccessGathered         // they lie in a mapping, but not next to each other, and are gathered when read
	AccessStreaming        // they are read from the source on request (ColumnFile)
	AccessLazy             // they are decoded on request: chunks, fill values, other files (ColumnNumpyLike, ColumnMaskedNumpy)
)

var accessNames = [...]string{"invalid", "mapped", "gathered", "streaming", "lazy"}

// String returns the kind's name.
func (a Access) String() string { return accessNames[min(int(a), len(accessNames)-1)] }

// Values is a column by itself: an array in raw bytes of a file, or a dataset with a source of nulls. It is immutable;
// Slice makes others, without copying. It may be used by several goroutines.
type Values struct {
	typ    arrow.DataType
	access Access
	masked bool
	lo, hi int64 // rows of the whole
	width  int64 // bytes of a row in the file
	pure   bool  // no value can be null
	read   func(ctx context.Context, a, b int64) (arrow.Array, error)
}

// Type is the Arrow type of the values.
func (v *Values) Type() arrow.DataType { return v.typ }

// Access says how the values are reached.
func (v *Values) Access() Access { return v.access }

// Masked reports whether the values have a source of nulls.
func (v *Values) Masked() bool { return v.masked }

// Len is the number of rows.
func (v *Values) Len() int64 { return v.hi - v.lo }

// Bytes is the number of bytes that the rows have in the file, decoded; what they point to in a heap is not counted.
func (v *Values) Bytes() int64 { return v.Len() * v.width }

// NullCount is the number of nulls where it is known without reading: when there is nothing that could make one.
func (v *Values) NullCount() (n int64, known bool) { return 0, v.pure }

// Slice returns rows [a,b) of v. Rows that are not there are an Argument error.
func (v *Values) Slice(a, b int64) (*Values, error) {
	if err := v.check(a, b); err != nil {
		return nil, err
	}
	out := *v
	out.lo, out.hi = v.lo+a, v.lo+b
	return &out, nil
}

// Read returns rows [a,b) as one array, which the caller releases. It is valid until it is released, also after the file
// was closed. Rows that are not there are an Argument error.
func (v *Values) Read(ctx context.Context, a, b int64) (arrow.Array, error) {
	if err := v.check(a, b); err != nil {
		return nil, err
	}
	return v.read(ctx, v.lo+a, v.lo+b)
}

func (v *Values) check(a, b int64) error {
	if a < 0 || a > b || b > v.Len() {
		return h5err.New(h5err.Argument, "rows %d to %d of %d", a, b, v.Len())
	}
	return nil
}
