package fileset

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/internal/scalar"
	"github.com/h5arrow/h5arrow/arrowmap/internal/values"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// columns is how the columns of a file become those of the table.
type columns struct {
	own  []int // columns of the file that are read
	from []column
	name string // of the file
}

// column is where a column comes from: the columns that are read, or a constant; neither where all is null.
type column struct {
	read  int // -1 for none
	as    *values.Recode
	value scalar.Value
	kind  scalar.Kind
}

// columnsOf returns what becomes of the columns of file i.
func (t *Table) columnsOf(i int, k *kind, o *opened) *columns {
	c := &columns{name: t.set.shown(i)}
	for _, n := range t.at {
		col := column{read: -1}
		if n >= t.set.own {
			col.value, col.kind = t.set.constant(n, i, o.attrs)
		} else if k.at[n] >= 0 {
			col.read, col.as = len(c.own), k.as[n]
			c.own = append(c.own, k.at[n])
		}
		c.from = append(c.from, col)
	}
	if len(c.own) == 0 && len(k.fields) > 0 { // the rows have to be counted
		key := 0
		for _, cond := range t.conditions {
			if n := t.set.column(cond.Column); n < t.set.own && k.at[n] >= 0 {
				key = k.at[n]
			}
		}
		c.own = []int{key}
	}
	return c
}

// convert returns a batch of a file as one of the table.
func (c *columns) convert(rec arrow.RecordBatch, schema *arrow.Schema, mem memory.Allocator) (arrow.RecordBatch, error) {
	out := make([]arrow.Array, 0, len(c.from))
	defer func() {
		for _, a := range out {
			a.Release()
		}
	}()
	err := source.Guard(func() error {
		for i, f := range c.from {
			a, err := f.of(rec, schema.Field(i).Type, mem)
			if err != nil {
				return h5err.In(err, c.name, "")
			}
			out = append(out, a)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return array.NewRecordBatch(schema, out, rec.NumRows()), nil
}

func (f *column) of(rec arrow.RecordBatch, t arrow.DataType, mem memory.Allocator) (arrow.Array, error) {
	n := int(rec.NumRows())
	switch {
	case f.kind != scalar.None:
		return f.value.Repeat(f.kind, n, mem)
	case f.read < 0 || t.ID() != arrow.NULL && rec.Column(f.read).DataType().ID() == arrow.NULL:
		return array.MakeArrayOfNull(mem, t, n), nil
	}
	a := rec.Column(f.read)
	if f.as != nil {
		return f.as.Apply(a, mem), nil
	}
	if d, ok := a.(*array.Dictionary); ok && !arrow.TypeEqual(d.DataType(), t) {
		return widerIndices(d, t.(*arrow.DictionaryType), mem), nil
	}
	a.Retain()
	return a, nil
}

// widerIndices returns a dictionary array with indices of 32 bits.
func widerIndices(d *array.Dictionary, t *arrow.DictionaryType, mem memory.Allocator) arrow.Array {
	b := array.NewInt32Builder(mem)
	defer b.Release()
	b.Reserve(d.Len())
	for i := range d.Len() {
		if d.IsNull(i) {
			b.AppendNull()
		} else {
			b.UnsafeAppend(int32(d.GetValueIndex(i)))
		}
	}
	indices := b.NewArray()
	defer indices.Release()
	return array.NewDictionaryArray(t, indices, d.Dictionary())
}
