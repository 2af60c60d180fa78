package pandas

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/convention/internal/object"
	"github.com/h5arrow/h5arrow/arrowmap/convention/pickle"
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// looked is how many bytes of a pickled array are looked at for the kinds of its values before it is decoded.
const looked = 16 << 20

// objects is a dataset that holds one pickle: an array of objects, which is how pandas stores text in the fixed format.
type objects struct {
	d          *h5.Dataset
	pickled    object.Sequence
	shape      pickle.Shape
	transposed bool // the array's first dimension is the rows
	types      []arrow.DataType
	errs       []error // why a column can't be read
	block      *convention.Block
}

// objects looks at a pickled array.
func (s *store) objects(d *h5.Dataset) (*objects, error) {
	if o := s.pickled[d.Path()]; o != nil {
		return o, nil
	}
	o := &objects{d: d}
	var err error
	if o.pickled, err = pickleIn(d); err != nil {
		return nil, err
	}
	if o.transposed, err = object.Flag(d, "transposed"); err != nil {
		return nil, err
	}
	if err := o.look(); err != nil {
		return nil, err
	}
	o.block = &convention.Block{Bytes: o.pickled.Size, Compute: o.decode}
	if s.pickled == nil {
		s.pickled = map[string]*objects{}
	}
	s.pickled[d.Path()] = o
	return o, nil
}

// pickleIn returns the pickle that is the one element of a dataset.
func pickleIn(d *h5.Dataset) (p object.Sequence, err error) {
	list, err := object.Sequences(d)
	if err != nil {
		return p, err
	}
	if len(list) != 1 || list[0].Size == 0 {
		return p, object.Unsupported(d, "%d pickles where one of an array is expected", len(list))
	}
	return list[0], nil
}

// rows and columns are those of the frame.
func (o *objects) rows() int {
	if o.shape.Rank == 2 && !o.transposed {
		return o.shape.Columns
	}
	return o.shape.Rows
}

func (o *objects) columns() int {
	if o.shape.Rank == 2 && !o.transposed {
		return o.shape.Rows
	}
	return o.shape.Columns
}

// column returns the column of the i-th stored value.
func (o *objects) column(i int) int {
	row, column := o.shape.Place(i)
	if o.shape.Rank == 2 && !o.transposed {
		return row
	}
	return column
}

// look finds the types of the columns.
func (o *objects) look() error {
	p, err := o.pickled.Read(looked)
	if err != nil {
		return err
	}
	err = pickle.ReadArray(p, func(s pickle.Shape) error {
		o.shape = s
		if n := o.columns(); n > maxColumns {
			return h5err.New(h5err.Limit, "a pickled array of %d columns", n)
		}
		o.types, o.errs = make([]arrow.DataType, o.columns()), make([]error, o.columns())
		return nil
	}, func(i int, v pickle.Value) error {
		k := o.column(i)
		var t arrow.DataType
		switch v.Kind {
		case pickle.Missing:
			return nil
		case pickle.Text:
			t = arrow.BinaryTypes.String
		case pickle.True, pickle.False:
			t = arrow.FixedWidthTypes.Boolean
		}
		if o.types[k] == nil && o.errs[k] == nil {
			o.types[k] = t
		}
		if (t == nil || t != o.types[k]) && o.errs[k] == nil {
			o.errs[k] = o.stranger(i, v)
		}
		return nil
	})
	if err != nil && !(o.types != nil && int64(len(p)) < o.pickled.Size && h5err.Is(err, h5err.Corrupt)) {
		return h5err.About(err, o.d)
	}
	for k := range o.types {
		if o.types[k] == nil {
			o.types[k] = arrow.BinaryTypes.String
		}
	}
	return nil
}

// maxColumns bounds the columns of a pickled array.
const maxColumns = 1 << 20

// stranger is the error about a value that is not of its column's type.
func (o *objects) stranger(i int, v pickle.Value) error {
	row, column := o.shape.Place(i)
	if o.shape.Rank == 2 && !o.transposed {
		row = column
	}
	what := string(v.Text[:min(len(v.Text), 80)])
	switch v.Kind {
	case pickle.Text:
		what = "text"
	case pickle.True, pickle.False:
		what = "bool"
	}
	return object.Unsupported(o.d, "a pickle of Python objects: row %d is of type %q among values of other types", row, what)
}

// decode makes the arrays of all columns.
func (o *objects) decode(_ []arrow.Array, mem memory.Allocator, limit int64) (out []arrow.Array, err error) {
	p, err := o.pickled.Read(math.MaxInt64)
	if err != nil {
		return nil, err
	}
	builders := make([]array.Builder, len(o.types))
	sizes := make([]int64, len(o.types))
	total := int64(0)
	for k, t := range o.types {
		builders[k] = array.NewBuilder(mem, t)
		defer builders[k].Release()
	}
	err = pickle.ReadArray(p, func(s pickle.Shape) error {
		if s != o.shape {
			return h5err.New(h5err.Corrupt, "a pickled array that is another than before")
		}
		return nil
	}, func(i int, v pickle.Value) error {
		k := o.column(i)
		if o.errs[k] != nil {
			return nil
		}
		text, isText := builders[k].(*array.StringBuilder)
		switch {
		case v.Kind == pickle.Missing:
			builders[k].AppendNull()
		case isText && v.Kind == pickle.Text:
			sizes[k] += int64(len(v.Text))
			total += int64(len(v.Text))
			if sizes[k] > math.MaxInt32 {
				return h5err.New(h5err.Limit, "more than 2 GiB of text in a pickled array")
			}
			if limit > 0 && total > limit {
				return h5err.New(h5err.Memory, "more than %d bytes of text in a pickled array", limit).WithOption("arrowmap.WithMaxMemory", "allow more")
			}
			text.BinaryBuilder.Append(v.Text)
		case !isText && (v.Kind == pickle.True || v.Kind == pickle.False):
			builders[k].(*array.BooleanBuilder).Append(v.Kind == pickle.True)
		default:
			return o.stranger(i, v)
		}
		return nil
	})
	if err != nil {
		return nil, h5err.About(err, o.d)
	}
	for _, b := range builders {
		out = append(out, b.NewArray())
	}
	return out, nil
}

// pickledColumn describes a column of a pickled array.
func (s *store) pickledColumn(d *h5.Dataset, k, n int) (convention.Values, fieldType, error) {
	typ := fieldType{logical: "unicode", numpy: "object"}
	o, err := s.objects(d)
	if err != nil {
		return nil, typ, err
	}
	if o.columns() != n {
		return nil, typ, object.Corrupt(d, "a pickled array of %d columns where %d are expected", o.columns(), n)
	}
	if o.errs[k] != nil {
		return nil, typ, o.errs[k]
	}
	if o.types[k].ID() == arrow.BOOL {
		typ.logical = "bool"
	}
	return &convention.Computed{Data: d, Rows: int64(o.rows()), Type: o.types[k], Reason: "a pickled array of objects is decoded; nothing is executed", Block: o.block, Item: k}, typ, nil
}

// pickledLabels returns the labels that a pickled array holds.
func pickledLabels(d *h5.Dataset) ([]any, error) {
	p, err := pickleIn(d)
	if err != nil {
		return nil, err
	}
	b, err := p.Read(p.Size)
	if err != nil {
		return nil, err
	}
	labels, err := pickle.ReadObjects(b)
	return labels, h5err.About(err, d)
}
