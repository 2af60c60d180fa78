package tablewriter

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// copyBits returns n bits from bit off of b.
func copyBits(b []byte, off, n int) []byte {
	out := make([]byte, (n+7)/8)
	nullbitmap.Copy(out, 0, b, off, n)
	return out
}

// maxRows is the number of rows that are encoded at a time.
const maxRows = 64 << 10

// addAll adds the values of an array in slices of at most maxRows.
func addAll(c column, a arrow.Array) error {
	for from := 0; from < a.Len(); from += maxRows {
		s := array.NewSlice(a, int64(from), int64(min(from+maxRows, a.Len())))
		err := c.add(s)
		s.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// list is lists of any length: offsets, and the items of all rows.
type list struct {
	offsets *offsets
	items   column
	nulls   *nulls
	row     int64
}

func (l *list) add(a arrow.Array) error {
	lists, ok := a.(array.ListLike)
	if !ok {
		return h5err.New(h5err.Argument, "%s where lists were expected", a.DataType())
	}
	values := lists.ListValues()
	first, last := int64(0), int64(0)
	for i := range a.Len() {
		from, to := lists.ValueOffsets(i)
		if i == 0 {
			first, last = from, from
		}
		if from != last || to < from || from < 0 || to > int64(values.Len()) {
			return h5err.New(h5err.Corrupt, "row %d: a list of items %d to %d of %d", l.row+int64(i), from, to, values.Len())
		}
		last = to
		if err := l.offsets.put(uint64(to - first)); err != nil {
			return err
		}
	}
	l.offsets.total += uint64(last - first)
	l.row += int64(a.Len())
	items := array.NewSlice(values, first, last)
	defer items.Release()
	if err := addAll(l.items, items); err != nil {
		return err
	}
	return l.nulls.add(validBits(a), a.Len())
}

func (l *list) finish() error {
	if err := l.items.finish(); err != nil {
		return err
	}
	if err := l.offsets.finish(); err != nil {
		return err
	}
	return l.nulls.finish()
}

func (l *list) close() {
	l.items.close()
	l.offsets.close()
}

func (l *list) reads() arrow.DataType {
	if l.offsets.wide {
		return arrow.LargeListOf(l.items.reads())
	}
	return arrow.ListOf(l.items.reads())
}

func (l *list) datasets() []write.Object { return l.items.datasets() }

// group is lists of one length: the items of all rows.
type group struct {
	size  int
	items column
	nulls *nulls
}

func (g *group) add(a arrow.Array) error {
	l, ok := a.(*array.FixedSizeList)
	if !ok {
		return h5err.New(h5err.Argument, "%s where lists of %d were expected", a.DataType(), g.size)
	}
	from := a.Data().Offset() * g.size
	items := array.NewSlice(l.ListValues(), int64(from), int64(from+a.Len()*g.size))
	defer items.Release()
	if err := addAll(g.items, items); err != nil {
		return err
	}
	return g.nulls.add(validBits(a), a.Len())
}

func (g *group) finish() error {
	if err := g.items.finish(); err != nil {
		return err
	}
	return g.nulls.finish()
}

func (g *group) close()                   { g.items.close() }
func (g *group) reads() arrow.DataType    { return arrow.FixedSizeListOf(int32(g.size), g.items.reads()) }
func (g *group) datasets() []write.Object { return g.items.datasets() }

// record is structs: a column for each field.
type record struct {
	names  []string
	fields []column
	nulls  *nulls
}

func (r *record) add(a arrow.Array) error {
	s, ok := a.(*array.Struct)
	if !ok || s.NumField() != len(r.fields) {
		return h5err.New(h5err.Argument, "%s where a struct of %d fields was expected", a.DataType(), len(r.fields))
	}
	for i, f := range r.fields {
		if err := f.add(s.Field(i)); err != nil {
			return err
		}
	}
	return r.nulls.add(validBits(a), a.Len())
}

func (r *record) finish() error {
	for _, f := range r.fields {
		if err := f.finish(); err != nil {
			return err
		}
	}
	return r.nulls.finish()
}

func (r *record) close() {
	for _, f := range r.fields {
		f.close()
	}
}

func (r *record) reads() arrow.DataType {
	fields := make([]arrow.Field, len(r.fields))
	for i, f := range r.fields {
		fields[i] = arrow.Field{Name: r.names[i], Type: f.reads(), Nullable: true}
	}
	return arrow.StructOf(fields...)
}

func (r *record) datasets() (all []write.Object) {
	for _, f := range r.fields {
		all = append(all, f.datasets()...)
	}
	return all
}
