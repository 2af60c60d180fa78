package tablewriter

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/dtype/encode"
	"github.com/h5arrow/h5arrow/dtype/stored"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write"
)

// column writes the values of a column, or of a part of one, as they arrive.
type column interface {
	add(a arrow.Array) error // appends all values of an array
	finish() error           // writes what had to wait for the last value
	close()                  // gives up temporary files
	reads() arrow.DataType   // what reading gives
	datasets() []write.Object
}

// leaf is a column of one dataset of values, and perhaps one of nulls.
type leaf struct {
	plan  *encode.Plan
	data  *write.Dataset
	nulls *nulls // nil: they are values, or there are none
	rows  *nulls // of rows of several items; nil: rows are one item
	row   int64
}

// place is where the parts of a column go.
type place struct {
	data, mask, bitmap, rows string                  // paths of datasets
	marked                   func(kind string) error // called when the dataset of a kind of nulls is made; may be nil
}

func (w *output) leaf(p *encode.Plan, at place, rows uint64) (*leaf, error) {
	d := &p.Datasets[0]
	data, err := w.dataset(at.data, d.Type, rows, d.Dims)
	if err != nil {
		return nil, err
	}
	l := &leaf{plan: p, data: data}
	for _, n := range p.Datasets[1:] {
		x := nulls{path: at.bitmap, rows: rows, items: 1, made: at.made(n.Role.String())}
		if n.Role == encode.RoleMask {
			x.path, x.mask, x.dims = at.mask, n.Type, n.Dims
			for _, k := range n.Dims {
				x.items *= int(k)
			}
		}
		if l.nulls, err = w.nulls(x); err != nil {
			return nil, err
		}
	}
	if len(d.Dims) > 0 && at.rows != "" {
		l.rows, err = w.nulls(nulls{path: at.rows, rows: rows, made: at.made("rows")})
	}
	return l, err
}

func (at place) made(kind string) func() error {
	if at.marked == nil {
		return nil
	}
	return func() error { return at.marked(kind) }
}

func (l *leaf) add(a arrow.Array) error {
	contents, err := l.plan.Encode(a, l.row)
	if err != nil {
		return err
	}
	l.row += int64(a.Len())
	if err := l.data.Write(contents[0].Bytes); err != nil {
		return err
	}
	if l.nulls != nil {
		if err := l.nulls.add(contents[1].Bytes, a.Len()); err != nil {
			return err
		}
	}
	if l.rows != nil {
		return l.rows.add(validBits(a), a.Len())
	}
	return nil
}

func (l *leaf) finish() error {
	for _, n := range []*nulls{l.nulls, l.rows} {
		if n != nil {
			if err := n.finish(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *leaf) close() {}

func (l *leaf) reads() arrow.DataType {
	e, ok := l.plan.Arrow.(arrow.ExtensionType)
	if !ok {
		return bare(arrow.Field{Type: l.plan.Arrow}).Type
	}
	t := e.StorageType().(*arrow.FixedSizeListType).Elem() // a tensor is read as lists in lists
	for _, n := range slices.Backward(l.plan.Datasets[0].Dims) {
		t = arrow.FixedSizeListOf(int32(n), t)
	}
	return t
}

func (l *leaf) datasets() []write.Object { return []write.Object{l.data} }

// bare returns a field without metadata, also in the fields of its type: reading gives none there.
func bare(f arrow.Field) arrow.Field {
	return arrow.Field{Name: f.Name, Type: stored.Inside(f.Type, bare), Nullable: f.Nullable}
}

// validBits returns the validity of the rows of a, from bit 0 on; nil where none is null.
func validBits(a arrow.Array) []byte {
	if a.NullN() == 0 {
		return nil
	}
	return copyBits(a.NullBitmapBytes(), a.Data().Offset(), a.Len())
}

// text is a column of text or bytes in Arrow's form.
type text struct {
	typ     arrow.DataType
	plan    *encode.Plan
	data    *write.Dataset
	offsets *offsets
	nulls   *nulls
	row     int64
}

func (w *output) text(p *encode.Plan, at place, offsetsAt string, rows uint64) (t *text, err error) {
	t = &text{plan: p, typ: p.Arrow}
	if t.nulls, err = w.nulls(nulls{path: at.bitmap, rows: rows}); err != nil {
		return nil, err
	}
	if t.data, err = w.bytes(at.data, p.Datasets[0].Type); err != nil {
		return nil, err
	}
	t.offsets, err = w.offsets(offsetsAt, p.Datasets[1].Type.Size == 8, rows)
	return t, err
}

func (t *text) add(a arrow.Array) error {
	contents, err := t.plan.Encode(a, t.row)
	if err != nil {
		return err
	}
	t.row += int64(a.Len())
	if err := t.data.Write(contents[0].Bytes); err != nil {
		return err
	}
	width := t.plan.Datasets[1].Type.Size
	for at := contents[1].Bytes[min(width, len(contents[1].Bytes)):]; len(at) > 0; at = at[width:] {
		if err := t.offsets.put(little(at, width)); err != nil {
			return err
		}
	}
	t.offsets.total += contents[0].Rows
	return t.nulls.add(contents[2].Bytes, a.Len())
}

func (t *text) finish() error {
	if err := t.offsets.finish(); err != nil {
		return err
	}
	return t.nulls.finish()
}

func (t *text) close()                   { t.offsets.close() }
func (t *text) reads() arrow.DataType    { return t.typ }
func (t *text) datasets() []write.Object { return []write.Object{t.data} }

// nothing is a column of Arrow's type null: a byte for each row.
type nothing struct{ data *write.Dataset }

func (w *output) nothing(at place, rows uint64) (*nothing, error) {
	d, err := w.dataset(at.data, byteType(), rows, nil)
	return &nothing{d}, err
}

func (n *nothing) add(a arrow.Array) error  { return n.data.Write(make([]byte, a.Len())) }
func (n *nothing) finish() error            { return nil }
func (n *nothing) close()                   {}
func (n *nothing) reads() arrow.DataType    { return arrow.Null }
func (n *nothing) datasets() []write.Object { return []write.Object{n.data} }

func byteType() *h5.Type {
	return &h5.Type{Class: h5.ClassFixed, Size: 1, Order: h5.LittleEndian, Precision: 8}
}

// dictionary is a column of indices, and of labels that are written when all are known.
type dictionary struct {
	typ     *arrow.DictionaryType // what reading gives
	row     int64
	labels  labels
	indices column
	null    bool // nulls are the index of a label that is null
	write   func(n uint64) (column, error)
	made    column // of the labels
}

func (d *dictionary) add(a arrow.Array) error {
	dict, ok := a.(*array.Dictionary)
	if !ok {
		return h5err.New(h5err.Argument, "%s where a dictionary was expected", a.DataType())
	}
	indices, err := d.labels.indices(dict, d.null, d.row)
	d.row += int64(a.Len())
	if err != nil {
		return err
	}
	defer indices.Release()
	return d.indices.add(indices)
}

func (d *dictionary) finish() error {
	all, err := d.labels.all()
	if err != nil {
		return err
	}
	defer all.Release()
	if d.made == nil {
		if d.made, err = d.write(uint64(all.Len())); err != nil {
			return err
		}
	}
	if err := d.made.add(all); err != nil {
		return err
	}
	if err := d.made.finish(); err != nil {
		return err
	}
	return d.indices.finish()
}

func (d *dictionary) close() {
	d.indices.close()
	d.labels.release()
	if d.made != nil {
		d.made.close()
	}
}

func (d *dictionary) reads() arrow.DataType    { return d.typ }
func (d *dictionary) datasets() []write.Object { return d.indices.datasets() }
