package tablewriter

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// labels are the labels of all batches of a dictionary column, each once, in the order in which they arrived.
type labels struct {
	typ   *arrow.DictionaryType
	mem   memory.Allocator
	at    map[string]int64 // of each label, by its key
	parts []arrow.Array
	null  int64 // of the label that is null, -1 without one
	n     int64
	last  arrow.Array // the dictionary of the batch before, and
	moved []int64     // where its labels are
}

func newLabels(t *arrow.DictionaryType, mem memory.Allocator) (labels, error) {
	l := labels{typ: t, mem: mem, at: map[string]int64{}, null: -1}
	if !canLabel(t.ValueType) {
		return l, h5err.New(h5err.Unsupported, "a dictionary of %s", t.ValueType)
	}
	return l, nil
}

// canLabel reports whether labels of a type can be compared by their bytes.
func canLabel(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW, arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW, arrow.BOOL:
		return true
	case arrow.DICTIONARY:
		return false
	}
	f, ok := t.(arrow.FixedWidthDataType)
	return ok && f.BitWidth()%8 == 0 && len(t.Layout().Buffers) == 2
}

// keys returns the bytes of the values of an array.
func keys(a arrow.Array) func(i int) string {
	switch a := a.(type) {
	case array.StringLike:
		return a.Value
	case interface{ Value(int) []byte }:
		return func(i int) string { return string(a.Value(i)) }
	case *array.Boolean:
		return func(i int) string { return string(binary.AppendUvarint(nil, uint64(one(a.Value(i))))) }
	}
	d := a.Data()
	w := a.DataType().(arrow.FixedWidthDataType).Bytes()
	return func(i int) string {
		at := (d.Offset() + i) * w
		return string(d.Buffers()[1].Bytes()[at : at+w])
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// take adds the labels of a dictionary and notes where they are.
func (l *labels) take(dict arrow.Array) error {
	if l.last != nil && (sameArray(l.last, dict) || array.Equal(l.last, dict)) {
		return nil
	}
	l.moved = l.moved[:0]
	key := keys(dict)
	from := 0 // of the labels that follow each other and are new
	flush := func(to int) {
		if to > from {
			l.parts = append(l.parts, array.NewSlice(dict, int64(from), int64(to)))
		}
		from = to + 1
	}
	for i := range dict.Len() {
		if dict.IsNull(i) {
			l.moved = append(l.moved, -1)
			flush(i)
			continue
		}
		k := key(i)
		at, known := l.at[k]
		if !known {
			at = l.n
			l.at[k] = at
			l.n++
		} else {
			flush(i)
		}
		l.moved = append(l.moved, at)
	}
	flush(dict.Len())
	if l.last != nil {
		l.last.Release()
	}
	dict.Retain()
	l.last = dict
	return l.fits()
}

// sameArray reports whether two arrays are the same memory.
func sameArray(a, b arrow.Array) bool {
	return a.Data() == b.Data()
}

// fits returns an error if there are more labels than indices.
func (l *labels) fits() error {
	bits := l.typ.IndexType.(arrow.FixedWidthDataType).BitWidth()
	last := uint64(math.MaxUint64) >> (64 - bits)
	if arrow.IsSignedInteger(l.typ.IndexType.ID()) {
		last >>= 1
	}
	if l.n > 0 && uint64(l.n-1) > last {
		return h5err.New(h5err.Unsupported, "the dictionaries of all batches have %d labels together, too many for indices of type %s", l.n, l.typ.IndexType)
	}
	return nil
}

// indices returns where the labels of the rows of d are among all. With null, rows without a label get that of a label that is null;
// otherwise they are null. Errors count rows from row0 on.
func (l *labels) indices(d *array.Dictionary, null bool, row0 int64) (arrow.Array, error) {
	if err := l.take(d.Dictionary()); err != nil {
		return nil, err
	}
	n := d.Len()
	w := l.typ.IndexType.(arrow.FixedWidthDataType).Bytes()
	values := memory.NewResizableBuffer(l.mem)
	defer values.Release()
	values.Resize(n * w)
	out := values.Bytes()
	valid := make([]byte, (n+7)/8)
	nulls := 0
	for i := range n {
		at := int64(-1)
		if d.IsValid(i) {
			k := d.GetValueIndex(i)
			if k < 0 || k >= len(l.moved) {
				return nil, h5err.New(h5err.Corrupt, "row %d: index %d into a dictionary of %d", row0+int64(i), k, len(l.moved))
			}
			at = l.moved[k]
		}
		if at < 0 && null {
			var err error
			if at, err = l.nullLabel(d.Dictionary().DataType()); err != nil {
				return nil, err
			}
		}
		if at < 0 {
			nulls++
			at = 0
		} else {
			valid[i>>3] |= 1 << (i & 7)
		}
		putNative(out[i*w:], w, uint64(at))
	}
	buffers := []*memory.Buffer{nil, values}
	if nulls > 0 {
		b := memory.NewResizableBuffer(l.mem)
		defer b.Release()
		b.Resize(len(valid))
		copy(b.Bytes(), valid)
		buffers[0] = b
	}
	data := array.NewData(l.typ.IndexType, n, buffers, nil, nulls, 0)
	defer data.Release()
	return array.MakeFromData(data), nil
}

// nullLabel returns the place of the label that is null.
func (l *labels) nullLabel(t arrow.DataType) (int64, error) {
	if l.null < 0 {
		b := array.NewBuilder(l.mem, t)
		defer b.Release()
		b.AppendNull()
		l.parts = append(l.parts, b.NewArray())
		l.null = l.n
		l.n++
	}
	return l.null, l.fits()
}

// all returns all labels.
func (l *labels) all() (arrow.Array, error) {
	if len(l.parts) == 0 {
		b := array.NewBuilder(l.mem, l.typ.ValueType)
		defer b.Release()
		return b.NewArray(), nil
	}
	a, err := array.Concatenate(l.parts, l.mem)
	if err != nil {
		return nil, h5err.Wrap(h5err.Unsupported, err, "the labels of a dictionary")
	}
	return a, nil
}

func (l *labels) release() {
	for _, p := range l.parts {
		p.Release()
	}
	if l.last != nil {
		l.last.Release()
	}
	l.parts, l.last = nil, nil
}

func putNative(p []byte, w int, x uint64) {
	switch w {
	case 1:
		p[0] = byte(x)
	case 2:
		binary.NativeEndian.PutUint16(p, uint16(x))
	case 4:
		binary.NativeEndian.PutUint32(p, uint32(x))
	default:
		binary.NativeEndian.PutUint64(p, x)
	}
}

// little returns the little-endian integer of w bytes at the start of p.
func little(p []byte, w int) (x uint64) {
	for i, b := range slices.Backward(p[:w]) {
		x |= uint64(b) << (8 * i)
	}
	return x
}
