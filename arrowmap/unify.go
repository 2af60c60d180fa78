package arrowmap

import (
	"context"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/convention"
	"github.com/h5arrow/h5arrow/arrowmap/internal/values"
	"github.com/h5arrow/h5arrow/dtype"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/nullbitmap"
)

// Several files of one table may have other labels in a dictionary column, or the same in another order, and a column of
// which all values are missing may have no type of its own. What they have is brought to one type, and one dictionary:
// the labels in the order in which the files have them.

// recode is how a column of one file becomes that of a table of several files.
type recode struct {
	typ    arrow.DataType
	labels arrow.Array // of the dictionary; nil where the column is all null
	at     []int32     // of each of the file's labels in labels
}

// unify returns the columns of a table of several files, and the tables with what their columns have to become.
func unify(tables []*Table) ([]*Column, []*Table, error) {
	columns := append([]*Column{}, tables[0].columns...)
	out := make([]*Table, len(tables))
	for k, t := range tables {
		p := *t
		p.as = make([]*recode, len(columns))
		out[k] = &p
	}
	for i := range columns {
		as, err := unifyColumn(tables, i)
		if err != nil {
			return nil, nil, err
		}
		for k, r := range as {
			if out[k].as[i] = r; r != nil {
				c := *columns[i]
				c.Type, c.Delivery, c.Reason = r.typ, dtype.Converted, "the files have other labels"
				columns[i] = &c
			}
		}
	}
	return columns, out, nil
}

// unifyColumn returns the recodes of column i for each table, nil for tables that need none.
func unifyColumn(tables []*Table, i int) ([]*recode, error) {
	as := make([]*recode, len(tables))
	var typ arrow.DataType // of the columns that have one
	same := true
	for _, t := range tables {
		c := t.columns[i]
		if c.Err != nil {
			return as, nil // reading it is an error anyway
		}
		same = same && arrow.TypeEqual(c.Type, tables[0].columns[i].Type)
		if c.Type.ID() != arrow.NULL && typ == nil {
			typ = c.Type
		}
	}
	if typ == nil || same && typ.ID() != arrow.DICTIONARY {
		return as, nil
	}
	if typ.ID() == arrow.DICTIONARY {
		return unifyLabels(tables, i)
	}
	for k, t := range tables {
		switch c := t.columns[i]; {
		case c.Type.ID() == arrow.NULL:
			as[k] = &recode{typ: typ}
		case !arrow.TypeEqual(c.Type, typ):
			return nil, differs(tables, i, k)
		}
	}
	return as, nil
}

// differs is the error of a column that has one type in most tables and another one in table k.
func differs(tables []*Table, i, k int) error {
	a, b := tables[0], tables[k]
	return b.f.usage(b.def.Path, fmt.Sprintf("column %s differs: it is %s, and %s in %s", b.columns[i].Name, b.columns[i].Type, a.columns[i].Type, a.f.f.Name())).
		WithHint("files that are one table have one schema")
}

// unifyLabels is unifyColumn for dictionaries.
func unifyLabels(tables []*Table, i int) ([]*recode, error) {
	as := make([]*recode, len(tables))
	labels := make([]arrow.Array, len(tables)) // nil where all is null
	defer func() {
		for _, l := range labels {
			if l != nil {
				l.Release()
			}
		}
	}()
	var first arrow.Array // that is not empty
	var typ *arrow.DictionaryType
	equal := true
	for k, t := range tables {
		d, ok := t.columns[i].Type.(*arrow.DictionaryType)
		if !ok {
			if t.columns[i].Type.ID() != arrow.NULL {
				return nil, differs(tables, i, k)
			}
			equal = false
			continue
		}
		var err error
		if labels[k], err = t.labels(i); err != nil {
			return nil, err
		}
		switch {
		case labels[k] == nil: // they can't be known before the rows are read
			if !arrow.TypeEqual(tables[0].columns[i].Type, d) {
				return nil, differs(tables, i, k)
			}
			return as, nil
		case typ == nil || first == nil && labels[k].Len() > 0:
			if typ != nil {
				equal = false
			}
			typ = d
			if labels[k].Len() > 0 {
				first = labels[k]
			}
		case labels[k].Len() == 0:
			equal = equal && first == nil && arrow.TypeEqual(typ, d)
		case !arrow.TypeEqual(d.ValueType, typ.ValueType):
			return nil, differs(tables, i, k)
		default:
			equal = equal && arrow.TypeEqual(typ, d) && array.Equal(first, labels[k])
		}
	}
	if equal {
		return as, nil
	}
	return joinLabels(tables, i, typ, labels)
}

// joinLabels makes one dictionary of those of several files.
func joinLabels(tables []*Table, i int, typ *arrow.DictionaryType, labels []arrow.Array) ([]*recode, error) {
	u, err := array.NewDictionaryUnifier(memory.DefaultAllocator, typ.ValueType)
	if err != nil {
		return nil, h5err.Wrap(h5err.Unsupported, err, "column %s: labels of %s that differ between files", tables[0].columns[i].Name, typ.ValueType)
	}
	defer u.Release()
	as := make([]*recode, len(tables))
	ordered, sameIndex, largest := true, true, 0
	for k, l := range labels {
		as[k] = &recode{}
		if l == nil || l.Len() == 0 {
			continue
		}
		d := tables[k].columns[i].Type.(*arrow.DictionaryType)
		ordered = ordered && d.Ordered
		sameIndex = sameIndex && arrow.TypeEqual(d.IndexType, typ.IndexType)
		at, err := u.UnifyAndTranspose(l)
		if err != nil {
			return nil, h5err.Wrap(h5err.Unsupported, err, "column %s: the labels of files as one dictionary", tables[0].columns[i].Name)
		}
		as[k].at = append([]int32{}, arrow.Int32Traits.CastFromBytes(at.Bytes())[:l.Len()]...)
		at.Release()
		for own, place := range as[k].at {
			ordered = ordered && own == int(place)
			largest = max(largest, int(place))
		}
	}
	index := typ.IndexType
	if !sameIndex || largest > maxIndex(index) {
		for _, index = range []arrow.DataType{arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32} {
			if largest <= maxIndex(index) {
				break
			}
		}
	}
	all, err := u.GetResultWithIndexType(arrow.PrimitiveTypes.Int64)
	if err != nil {
		return nil, h5err.Wrap(h5err.Unsupported, err, "column %s: the labels of files as one dictionary", tables[0].columns[i].Name)
	}
	for _, r := range as {
		r.typ = &arrow.DictionaryType{IndexType: index, ValueType: typ.ValueType, Ordered: ordered}
		r.labels = all
	}
	return as, nil
}

// maxIndex is the largest place that an index type can name.
func maxIndex(t arrow.DataType) int {
	switch t.ID() {
	case arrow.INT8:
		return math.MaxInt8
	case arrow.UINT8:
		return math.MaxUint8
	case arrow.INT16:
		return math.MaxInt16
	case arrow.UINT16:
		return math.MaxUint16
	}
	return math.MaxInt32
}

// labels returns the labels of a dictionary column, without nulls; nil where they are known only row by row.
func (t *Table) labels(i int) (arrow.Array, error) {
	c := t.columns[i]
	d, ok := c.definition.Values.(*convention.Dictionary)
	if !ok {
		return nil, nil
	}
	def := &convention.Table{Path: t.def.Path, Convention: t.def.Convention, Columns: []convention.Column{{Name: c.Name, Values: d.Labels}}}
	r, err := t.f.Define(def).Reader(context.Background(), WithWorkers(1))
	if err != nil {
		return nil, err
	}
	defer r.Release()
	empty := array.MakeArrayOfNull(memory.DefaultAllocator, r.Schema().Field(0).Type, 0)
	parts := []arrow.Array{empty}
	defer func() {
		for _, p := range parts {
			p.Release()
		}
	}()
	for r.Next() {
		part := r.RecordBatch().Column(0)
		part.Retain()
		parts = append(parts, part)
	}
	if r.Err() != nil {
		return nil, r.Err()
	}
	var known arrow.Array
	err = source.Guard(func() error {
		all, err := array.Concatenate(parts, memory.DefaultAllocator)
		if err != nil {
			return h5err.Wrap(h5err.Unsupported, err, "labels of %s", r.Schema().Field(0).Type)
		}
		defer all.Release()
		known, _, err = values.WithoutNulls(all, memory.DefaultAllocator)
		return err
	})
	return known, err
}

// apply returns an array of the column's own file as one of the table's. It takes over nothing.
func (r *recode) apply(arr arrow.Array, mem memory.Allocator) arrow.Array {
	n := arr.Len()
	d, ok := r.typ.(*arrow.DictionaryType)
	if !ok {
		return array.MakeArrayOfNull(mem, r.typ, n)
	}
	width := d.IndexType.(arrow.FixedWidthDataType).Bytes()
	valid, indices := memory.NewResizableBuffer(mem), memory.NewResizableBuffer(mem)
	defer valid.Release()
	defer indices.Release()
	valid.Resize((n + 7) / 8)
	indices.Resize(n * width)
	bits, out := valid.Bytes(), indices.Bytes()
	clear(bits)
	clear(out)
	nulls := n
	if own, ok := arr.(*array.Dictionary); ok {
		if nulls = own.NullN(); nulls > 0 {
			nullbitmap.Copy(bits, 0, own.Data().Buffers()[0].Bytes(), own.Data().Offset(), n)
		} else {
			nullbitmap.Fill(bits, 0, n, true)
		}
		for i := range n {
			if own.IsNull(i) {
				continue
			}
			for k, at := 0, r.at[own.GetValueIndex(i)]; k < width; k, at = k+1, at>>8 {
				out[i*width+k] = byte(at)
			}
		}
	}
	data := array.NewDataWithDictionary(d, n, []*memory.Buffer{valid, indices}, nulls, 0, r.labels.Data().(*array.Data))
	defer data.Release()
	return array.NewDictionaryData(data)
}
