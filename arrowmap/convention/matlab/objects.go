package matlab

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/rule"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/mcos"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/store"
	"github.com/h5arrow/h5arrow/arrowmap/convention/matlab/values"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// ownRows asks for the rows that a variable has by itself: its elements if it is a vector, else its height.
const ownRows = -1

// shapeOf makes rows of an array of MATLAB's dimensions, which are in the reverse order of the file's: as many as are
// demanded, or its own.
func shapeOf(o h5.Object, dims []uint64, rows int64) (s values.Shape, err error) {
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
		return values.Shape{Rows: int64(n)}, nil
	case len(dims) == 0:
		return s, object.Corrupt(o, "an array without dimensions in a table")
	}
	s = values.Shape{Rows: int64(dims[0])}
	if rows != ownRows && rows != s.Rows {
		return s, object.Corrupt(o, "%d rows in a table of %d", s.Rows, rows)
	}
	if n == 0 && s.Rows > 0 {
		return s, object.Unsupported(o, "%d rows without items", s.Rows)
	}
	if n == 0 {
		return s, nil
	}
	for _, d := range dims[1:] {
		if d != 1 {
			s.Inner = dims[1:]
		}
	}
	return s, nil
}

// reversed returns the dimensions of a dataset in MATLAB's order: those that an empty one holds.
func reversed(d *h5.Dataset) ([]uint64, error) {
	if store.IsEmpty(d) {
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
func numbers(d *h5.Dataset, as *h5.Type, s values.Shape, nulls []convention.Null) convention.Values {
	if s.Inner != nil {
		return &convention.Transposed{Data: d, As: as, Nulls: nulls}
	}
	p := convention.NewStored(d)
	p.Squeeze, p.As, p.Nulls = true, as, nulls
	return p
}

// maker makes descriptions of MATLAB's variables. It counts what it looks at: objects may refer to each other in circles.
type maker struct {
	left   int // cells and columns that may yet be described
	inside int // of them, columns of tables in tables
	depth  int // of tables in tables
}

// Limits on tables in tables: each of them may be the value of several variables, of itself too.
const (
	maxDepth  = 8
	maxNested = 1 << 12
)

func newMaker(f *h5.File) *maker { return &maker{left: f.Limits().Links, inside: maxNested} }

// take counts n cells or columns.
func (m *maker) take(o h5.Object, n int) error {
	if m.left -= n; m.left < 0 {
		return object.Limit(o, "more cells and columns than links are allowed")
	}
	return nil
}

// enter counts n columns of a table or a struct, which may be in another one.
func (m *maker) enter(o h5.Object, n int) error {
	if m.depth > 0 {
		m.inside -= n
	}
	if m.depth > maxDepth || m.inside < 0 {
		return object.Limit(o, "tables in tables, more than %d deep or of more than %d columns", maxDepth, maxNested)
	}
	return m.take(o, n)
}

// known reports whether arrays of a class can be columns.
func known(class string) bool {
	switch class {
	case "string", "datetime", "duration", "calendarDuration", "categorical", "table", "timetable":
		return true
	}
	return false
}

// object describes the object of a class that a handle refers to.
func (m *maker) object(d *h5.Dataset, rows int64) (convention.Values, error) {
	if class := object.Text(d, "MATLAB_class"); class != "uint32" && !known(class) { // of Java, for instance: kept elsewhere
		return nil, object.Unsupported(d, "a MATLAB variable of class %s", class)
	}
	s, err := store.Of(d.File())
	if err != nil {
		return nil, err
	}
	h, err := store.Handle(d)
	if err != nil {
		return nil, err
	}
	class, err := s.Class(d, h)
	if err != nil {
		return nil, err
	}
	describe := map[string]func(*store.Store, *h5.Dataset, *mcos.Object, int64) (convention.Values, error){
		"string": m.text, "datetime": m.datetime, "duration": m.duration, "calendarDuration": m.calendar, "categorical": m.categorical,
		"table": m.nested, "timetable": m.nested,
	}[class]
	if describe == nil {
		return nil, object.Unsupported(d, "a MATLAB variable of class %s", class)
	}
	obj, err := s.Object(d, h)
	if err != nil {
		return nil, err
	}
	return describe(s, d, obj, rows)
}

// text describes an array of the class string.
func (m *maker) text(s *store.Store, d *h5.Dataset, o *mcos.Object, rows int64) (convention.Values, error) {
	v, err := s.Dataset(d, o, "any")
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
	if sh.Rows == 0 {
		return &convention.Empty{Data: d, Type: sh.ListType(arrow.BinaryTypes.String)}, nil
	}
	p := numbers(v, v.Type(), values.Shape{}, nil)
	return &convention.Computed{Data: v, Rows: sh.Rows, Type: sh.ListType(arrow.BinaryTypes.String), Reason: "UTF-16 in integers of 64 bits as text",
		Block: convention.Alone(func(in []arrow.Array, mem memory.Allocator) (arrow.Array, error) {
			return values.Strings(in[0], sh, mem)
		}, p)}, nil
}

// textDims reads the dimensions of an array of strings.
func textDims(d *h5.Dataset) (dims []uint64, err error) {
	if store.IsEmpty(d) {
		return reversed(d)
	}
	if t := d.Type(); t.Class != h5.ClassFixed || t.Size != 8 || store.LongDims(d) > 1 {
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
const maxScan = 32 << 20
