package matlab

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/mcos"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// ownRows stands for the number of rows that a variable has by itself: its elements if it is a vector, else its height.
const ownRows = -1

// shape is how the elements of an array make rows.
type shape struct {
	rows  int64
	inner []uint64 // dimensions of a row; nil where rows are elements
}

// shapeOf makes rows of an array of MATLAB's dimensions, which are in the reverse order of the file's: as many as are
// demanded, or its own.
func shapeOf(o h5.Object, dims []uint64, rows int64) (s shape, err error) {
	n, long := uint64(1), 0
	for _, d := range dims {
		if d != 1 {
			long++
		}
		if d > 0 && n > 1<<56/d {
			return s, object.Limit(o, "a shape of %v elements", dims)
		}
		n *= d
	}
	switch {
	case rows == ownRows && (long <= 1 || n == 0):
		return shape{rows: int64(n)}, nil
	case len(dims) == 0:
		return s, object.Corrupt(o, "an array without dimensions in a table")
	}
	s = shape{rows: int64(dims[0])}
	if rows != ownRows && rows != s.rows {
		return s, object.Corrupt(o, "%d rows in a table of %d", s.rows, rows)
	}
	if n == 0 && s.rows > 0 {
		return s, object.Unsupported(o, "%d rows without items", s.rows)
	}
	if n == 0 {
		return s, nil
	}
	for _, d := range dims[1:] {
		if d != 1 {
			s.inner = dims[1:]
		}
	}
	return s, nil
}

// listType is the type of rows of a shape.
func (s shape) listType(t arrow.DataType) arrow.DataType {
	for i := len(s.inner) - 1; i >= 0; i-- {
		t = arrow.FixedSizeListOf(int32(min(s.inner[i], 1<<31-1)), t)
	}
	return t
}

// reversed returns the dimensions of a dataset in MATLAB's order: those that an empty one holds.
func reversed(d *h5.Dataset) ([]uint64, error) {
	if isEmpty(d) {
		t := d.Type()
		p, err := object.Contents(d)
		if err != nil {
			return nil, err
		}
		if t.Class != h5.ClassFixed || t.Size != 8 || len(p) > 8*maxRank {
			return nil, object.Corrupt(d, "the dimensions of an empty variable are %s of shape %v", t, d.Dims())
		}
		var dims []uint64
		for ; len(p) >= 8; p = p[8:] {
			dims = append(dims, t.Order.Binary().Uint64(p))
		}
		return dims, nil
	}
	dims := d.Dims()
	out := make([]uint64, len(dims))
	for i, n := range dims {
		out[len(dims)-1-i] = n
	}
	return out, nil
}

// maxRank bounds the dimensions of an empty variable.
const maxRank = 64

// numbers describes the elements of a dataset of numbers, of type as, in rows of a shape.
func numbers(d *h5.Dataset, as *h5.Type, s shape, nulls []convention.Null) convention.Values {
	if s.inner != nil {
		return &convention.Transposed{Data: d, As: as, Nulls: nulls}
	}
	p := convention.NewStored(d)
	p.Squeeze, p.As, p.Nulls = true, as, nulls
	return p
}

// maker makes descriptions of MATLAB's variables. It counts what it looks at: objects may refer to each other in circles.
type maker struct {
	left  int // cells and columns that may yet be described
	depth int
}

func newMaker(f *h5.File) *maker { return &maker{left: f.Limits().Links} }

// take counts n cells or columns.
func (m *maker) take(o h5.Object, n int) error {
	if m.left -= n; m.left < 0 {
		return object.Limit(o, "more cells and columns than links are allowed")
	}
	return nil
}

// known reports whether arrays of a class can be columns.
func known(class string) bool {
	switch class {
	case "string", "datetime", "duration", "calendarDuration", "categorical", "table", "timetable":
		return true
	}
	return false
}

// object describes the object of a class that a handle stands for.
func (m *maker) object(d *h5.Dataset, rows int64) (convention.Values, error) {
	if class := object.Text(d, "MATLAB_class"); class != "uint32" && !known(class) { // of Java, for instance: kept elsewhere
		return nil, object.Unsupported(d, "a MATLAB variable of class %s", class)
	}
	s, err := storeOf(d.File())
	if err != nil {
		return nil, err
	}
	h, err := handleOf(d)
	if err != nil {
		return nil, err
	}
	class, err := s.class(d, h)
	if err != nil {
		return nil, err
	}
	describe := map[string]func(*store, *h5.Dataset, *mcos.Object, int64) (convention.Values, error){
		"string": m.text, "datetime": m.datetime, "duration": m.duration, "calendarDuration": m.calendar, "categorical": m.categorical,
		"table": m.nested, "timetable": m.nested,
	}[class]
	if describe == nil {
		return nil, object.Unsupported(d, "a MATLAB variable of class %s", class)
	}
	obj, err := s.object(d, h)
	if err != nil {
		return nil, err
	}
	return describe(s, d, obj, rows)
}

// dataset opens the value of an object's property, which must be a dataset.
func (s *store) dataset(d *h5.Dataset, o *mcos.Object, name string) (*h5.Dataset, error) {
	v, err := s.property(o, name)
	if err != nil {
		return nil, err
	}
	p, ok := v.(*h5.Dataset)
	if !ok {
		return nil, object.Unsupported(d, "an object without the property %s", name)
	}
	return p, nil
}

// text describes an array of the class string.
func (m *maker) text(s *store, d *h5.Dataset, o *mcos.Object, rows int64) (convention.Values, error) {
	v, err := s.dataset(d, o, "any")
	if err != nil {
		return nil, err
	}
	dims, err := textDims(v)
	if err != nil {
		return nil, err
	}
	sh, err := shapeOf(v, dims, rows)
	if err != nil {
		return nil, err
	}
	if sh.rows == 0 {
		return &convention.Empty{Data: d, Type: sh.listType(arrow.BinaryTypes.String)}, nil
	}
	p := numbers(v, v.Type(), shape{}, nil)
	return &convention.Computed{Data: v, Of: []convention.Values{p}, Rows: sh.rows, Type: sh.listType(arrow.BinaryTypes.String), Reason: "UTF-16 in integers of 64 bits as text",
		Compute: func(in []arrow.Array, mem memory.Allocator) (arrow.Array, error) { return stringsOf(in[0], sh, mem) }}, nil
}

// textDims reads the dimensions of an array of strings.
func textDims(d *h5.Dataset) (dims []uint64, err error) {
	if isEmpty(d) {
		return reversed(d)
	}
	if t := d.Type(); t.Class != h5.ClassFixed || t.Size != 8 || longDims(d) > 1 {
		return nil, object.Unsupported(d, "strings in %s of shape %v", t, d.Dims())
	}
	n, _ := d.Space().Elements()
	head, err := firstUint64(d, int(min(n, 2)))
	if err == nil && len(head) == 2 {
		head, err = firstUint64(d, int(min(n, uint64(mcos.TextHeader(head[1])))))
	}
	if err != nil {
		return nil, err
	}
	dims, _, err = mcos.TextShape(head)
	return dims, h5err.About(err, d)
}

// stringsOf makes text of strings as MATLAB saves them, in rows of a shape.
func stringsOf(in arrow.Array, sh shape, mem memory.Allocator) (arrow.Array, error) {
	ints, ok := in.(*array.Uint64)
	if !ok {
		return nil, h5err.New(h5err.Unsupported, "strings in %s", in.DataType())
	}
	t, err := mcos.ParseText(ints.Uint64Values())
	if err != nil {
		return nil, err
	}
	b := array.NewStringBuilder(mem)
	defer b.Release()
	b.Reserve(t.Len())
	var text []byte
	err = t.Each(func(i int, units []uint16, missing bool) error {
		if missing {
			b.AppendNull()
			return nil
		}
		var err error
		if text, err = appendUTF16(text[:0], units); err != nil {
			return h5err.Wrap(h5err.Corrupt, err, "string %d", i)
		}
		if b.DataLen()+len(text) > 1<<31-1 {
			return h5err.New(h5err.Limit, "%d strings of more than 2 GiB", t.Len())
		}
		b.BinaryBuilder.Append(text)
		return nil
	})
	if err != nil {
		return nil, err
	}
	arr := b.NewArray()
	if sh.inner == nil {
		return arr, nil
	}
	defer arr.Release()
	return sh.arrange(arr, mem)
}

// arrange makes rows of a shape of elements in column-major order.
func (s shape) arrange(arr arrow.Array, mem memory.Allocator) (arrow.Array, error) {
	items := int64(1)
	for _, d := range s.inner {
		items *= int64(d)
	}
	if int64(arr.Len()) != s.rows*items {
		return nil, h5err.New(h5err.Corrupt, "%d elements in %d rows of %v", arr.Len(), s.rows, s.inner)
	}
	b := array.NewStringBuilder(mem)
	defer b.Release()
	text := arr.(*array.String)
	for r := range s.rows {
		index := make([]uint64, len(s.inner))
		for range items {
			at, stride := r, s.rows
			for i, k := range index {
				at += int64(k) * stride
				stride *= int64(s.inner[i])
			}
			if text.IsNull(int(at)) {
				b.AppendNull()
			} else {
				b.Append(text.Value(int(at)))
			}
			for i := len(index) - 1; i >= 0; i-- {
				if index[i]++; index[i] < s.inner[i] {
					break
				}
				index[i] = 0
			}
		}
	}
	return listed(b.NewArray(), s.listType(arrow.BinaryTypes.String)), nil
}

// listed returns values as lists of fixed size, one in the other. It takes over values.
func listed(values arrow.Array, t arrow.DataType) arrow.Array {
	l, ok := t.(*arrow.FixedSizeListType)
	if !ok {
		return values
	}
	values = listed(values, l.Elem())
	defer values.Release()
	data := array.NewData(l, values.Len()/max(1, int(l.Len())), []*memory.Buffer{nil}, []arrow.ArrayData{values.Data()}, 0, 0)
	defer data.Release()
	return array.MakeFromData(data)
}

// elements returns the elements of rows: the values of lists of fixed size. The caller releases them.
func elements(arr arrow.Array) arrow.Array {
	for {
		l, ok := arr.(*array.FixedSizeList)
		if !ok {
			arr.Retain()
			return arr
		}
		n := int64(l.DataType().(*arrow.FixedSizeListType).Len())
		at := int64(l.Offset())
		arr = array.NewSlice(l.ListValues(), at*n, (at+int64(l.Len()))*n)
		defer arr.Release()
	}
}

// integer returns an element of an array of integers.
func integer(in arrow.Array, i int) (int64, bool) {
	switch in := in.(type) {
	case *array.Int8:
		return int64(in.Value(i)), true
	case *array.Uint8:
		return int64(in.Value(i)), true
	case *array.Int16:
		return int64(in.Value(i)), true
	case *array.Uint16:
		return int64(in.Value(i)), true
	case *array.Int32:
		return int64(in.Value(i)), true
	case *array.Uint32:
		return int64(in.Value(i)), true
	case *array.Int64:
		return in.Value(i), true
	case *array.Uint64:
		return int64(in.Value(i)), in.Value(i) < 1<<63
	}
	return 0, false
}

// scalar reads a number of one element.
func scalar(d *h5.Dataset) (float64, error) {
	n, ok := d.Space().Elements()
	if !ok || n != 1 {
		return 0, object.Corrupt(d, "a number of shape %v", d.Dims())
	}
	p, err := object.Contents(d)
	if err != nil {
		return 0, err
	}
	switch t := d.Type(); {
	case t.Class == h5.ClassFloat && (t.Size == 4 || t.Size == 8):
		return rule.Float(p, t), nil
	case (t.Class == h5.ClassFixed || t.Class == h5.ClassEnum) && t.Size == 1:
		return float64(p[0]), nil
	}
	return 0, object.Unsupported(d, "a number of %s", d.Type())
}

// firstUint64 reads the first n integers of a vector of 64 bits each.
func firstUint64(d *h5.Dataset, n int) ([]uint64, error) {
	row, err := d.RowBytes()
	if err != nil || n == 0 {
		return nil, err
	}
	rows := min(d.Rows(), (8*int64(n)+row-1)/max(1, row))
	if row <= 0 || rows > maxScan/row {
		return nil, object.Limit(d, "a row of %d bytes", row)
	}
	r, err := chunk.NewReader(d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	p := make([]byte, rows*row)
	if err := source.Guard(func() error { return r.Read(context.Background(), 0, rows, p) }); err != nil {
		return nil, err
	}
	out := make([]uint64, 0, n)
	for ; len(p) >= 8 && len(out) < n; p = p[8:] {
		out = append(out, d.Type().Order.Binary().Uint64(p))
	}
	return out, nil
}

// maxScan bounds the bytes of values that are looked at before a column is described.
const maxScan = 64 << 20
