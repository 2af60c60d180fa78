package possible

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/h5arrow/h5arrow/arrowmap/internal/pass"
	"github.com/h5arrow/h5arrow/arrowmap/predicate"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// Order returns what verifies the order of a column's values, nil where it is not among those that are said to be sorted, or has none. A type
// whose values have no order is an Argument error.
func Order(name string, t arrow.DataType, sorted []string) (*predicate.Order, error) {
	if !slices.Contains(sorted, name) || t.ID() == arrow.NULL {
		return nil, nil
	}
	o, err := predicate.NewOrder(t)
	if err != nil {
		return nil, h5err.New(h5err.Argument, "column %s can't be sorted: values of %s have no order", name, t)
	}
	return o, nil
}

// Unsorted returns the error of a predicate.Order with the name of the column.
func Unsorted(err error, name string) error {
	if e, ok := err.(*h5err.Error); ok && e.Kind == h5err.Argument {
		return h5err.New(e.Kind, "column %s is not sorted: %s", name, e.Msg).WithHint("drop the option that names it as sorted")
	}
	return err
}

// Watch verifies that columns are sorted, of which batches come in order.
type Watch struct {
	fields []arrow.Field
	orders []*predicate.Order // for each column, nil for those that are not said to be sorted
	rows   pass.Walker
}

// NewWatch returns a Watch of the rows of some ranges, nil where none of the columns is among those that are said to be sorted. Errors are
// those of Order.
func NewWatch(fields []arrow.Field, sorted []string, ranges []pass.Range) (*Watch, error) {
	w := &Watch{fields: fields, orders: make([]*predicate.Order, len(fields)), rows: pass.Walker{Left: slices.Clone(ranges)}}
	some := false
	for i, f := range fields {
		var err error
		if w.orders[i], err = Order(f.Name, f.Type, sorted); err != nil {
			return nil, err
		}
		some = some || w.orders[i] != nil
	}
	if !some {
		return nil, nil
	}
	return w, nil
}

// Add verifies the next batch. Values that are not in order are an Argument error that names the column and a row.
func (w *Watch) Add(rec arrow.RecordBatch) error {
	if w == nil || rec.NumRows() == 0 {
		return nil
	}
	row := w.rows.Take(rec.NumRows())
	for i, o := range w.orders {
		if o == nil {
			continue
		}
		if err := source.Guard(func() error { return o.Add(rec.Column(i), row) }); err != nil {
			return Unsorted(err, w.fields[i].Name)
		}
	}
	return nil
}

// Order returns the order of the values of a column so far.
func (w *Watch) Order(column int) *predicate.Order { return w.orders[column] }
