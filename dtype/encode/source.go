package encode

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/dtype/internal/element"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// source is an array and which of its values count.
type source struct {
	arrow.Array
	live []byte // bits from 0 on, 0 where a value or its owner is null and represented elsewhere; nil: all count
}

// alive reports whether value i counts.
func (s *source) alive(i int) bool { return s.live == nil || s.live[i>>3]>>(i&7)&1 != 0 }

// items returns the n*k items of arr that the n values of s consist of.
func (s *source) items(arr arrow.Array, k int) source {
	out := source{Array: arr}
	if s.live != nil {
		out.live = make([]byte, (s.Len()*k+7)/8)
		nullbitmap.Repeat(out.live, 0, s.live, 0, s.Len(), k, nullbitmap.Overwrite)
	}
	return out
}

// value returns value i of s by itself. The caller releases it.
func (s *source) value(i int) source {
	out := source{Array: array.NewSlice(s.Array, int64(i), int64(i+1))}
	if !s.alive(i) {
		out.live = []byte{0}
	}
	return out
}

// own returns s without the array's own nulls among those that count: they are represented beside the values.
func (s *source) own() source {
	n := s.Len()
	if s.NullN() == 0 {
		return *s
	}
	out := source{Array: s.Array, live: make([]byte, (n+7)/8)}
	nullbitmap.Copy(out.live, 0, s.NullBitmapBytes(), s.Data().Offset(), n)
	if s.live != nil {
		nullbitmap.And(out.live, 0, s.live, 0, n)
	}
	return out
}

// gaps reports whether s may have elements that are stored as fills.
func (s *source) gaps() bool { return s.live != nil || s.NullN() > 0 }

// absent reports whether element i of s is stored as a fill; err when it is a null that nothing represents.
func (s *source) absent(i int, t arrow.DataType) (bool, error) {
	if !s.alive(i) {
		return true, nil
	}
	if s.IsNull(i) {
		return true, nullInside(i, t)
	}
	return false, nil
}

// there returns the elements of s that are not stored as fills, as bits from 0 on. Unless fills represent nulls of type t, a null
// that nothing represents is an error.
func (s *source) there(t arrow.DataType, filled bool) ([]byte, error) {
	n := s.Len()
	bits := make([]byte, (n+7)/8)
	gone := 0
	if s.live != nil {
		gone = nullbitmap.Copy(bits, 0, s.live, 0, n)
	} else {
		nullbitmap.Fill(bits, 0, n, true)
	}
	if s.NullN() == 0 {
		return bits, nil
	}
	if nullbitmap.And(bits, 0, s.NullBitmapBytes(), s.Data().Offset(), n) > gone && !filled {
		return nil, s.noneAbsent(t)
	}
	return bits, nil
}

// noneAbsent returns an error when an element of s is a null that nothing represents.
func (s *source) noneAbsent(t arrow.DataType) error {
	if !s.gaps() {
		return nil
	}
	for i := range s.Len() {
		if _, err := s.absent(i, t); err != nil {
			return err
		}
	}
	return nil
}

// nullInside is the error about a null that its HDF5 type can't represent.
func nullInside(i int, t arrow.DataType) error {
	return element.New(i, h5err.Unsupported, "a null %s inside another value can't be represented in HDF5", t)
}

// nulls returns the contents of the dataset of nulls, if there is one: none without a role, and no bytes when nothing is
// null.
func (s *source) nulls(role Role, rows int) []Contents {
	switch {
	case role == 0:
		return nil
	case s.live == nil || nullbitmap.CountNulls(s.live, 0, s.Len()) == 0:
		return []Contents{{}}
	case role == RoleMask:
		mask := make([]byte, s.Len())
		nullbitmap.ToMask(mask, nullbitmap.SetIsNull, s.live, 0)
		return []Contents{{Rows: uint64(rows), Bytes: mask}}
	}
	bits := make([]byte, (s.Len()+7)/8) // live may have any bits after the last
	nullbitmap.Copy(bits, 0, s.live, 0, s.Len())
	return []Contents{{Rows: uint64(len(bits)), Bytes: bits}}
}

// listItems returns the items of a list array's rows. The caller releases them.
func listItems(l *array.FixedSizeList) arrow.Array {
	k := listLen(l)
	at := l.Data().Offset() * k
	return array.NewSlice(l.ListValues(), int64(at), int64(at+l.Len()*k))
}

// listLen returns the number of items in each of l's lists.
func listLen(l *array.FixedSizeList) int {
	return int(l.DataType().(*arrow.FixedSizeListType).Len())
}
