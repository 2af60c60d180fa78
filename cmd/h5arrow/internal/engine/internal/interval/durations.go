//go:build duckdb_arrow && cgo

package interval

import (
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	arrowmem "github.com/apache/arrow-go/v18/arrow/memory"
	duck "github.com/duckdb/duckdb-go-bindings"

	"github.com/h5arrow/h5arrow/cmd/h5arrow/internal/engine/internal/vector"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// The engine exports an INTERVAL to Arrow as months, days and nanoseconds, a type that few programs read, and whose
// nanoseconds overflow without an error after 292 years. Results have durations in microseconds instead, which hold every
// interval without months: they are made from the engine's own values, not from what it exports.

// Record returns a batch that was exported from a chunk as one of the given schema. It releases rec.
func Record(schema *arrow.Schema, rec arrow.RecordBatch, chunk duck.DataChunk) (arrow.RecordBatch, error) {
	if rec.Schema().Equal(schema) {
		return rec, nil
	}
	defer rec.Release()
	rows := make([]int, rec.NumRows())
	for i := range rows {
		rows[i] = i
	}
	columns := slices.Clone(rec.Columns())
	for i, c := range columns {
		field := schema.Field(i)
		data, err := convertIntervals(c.Data(), field.Type, duck.DataChunkGetVector(chunk, duck.IdxT(i)), rows)
		if err != nil {
			return nil, h5err.In(err, "", field.Name)
		}
		columns[i] = array.MakeFromData(data)
		data.Release()
		defer columns[i].Release()
	}
	return array.NewRecordBatch(schema, columns, rec.NumRows()), nil
}

// convertIntervals returns what was exported from a vector as an array of type t, with durations that are read from the
// vector. Row i of the array is row rows[i] of the vector; a negative one is that of a null further up.
func convertIntervals(d arrow.ArrayData, t arrow.DataType, v duck.Vector, rows []int) (arrow.ArrayData, error) {
	if arrow.TypeEqual(d.DataType(), t) {
		d.Retain()
		return d, nil
	}
	if d.Offset() != 0 || d.Len() != len(rows) {
		return nil, h5err.New(h5err.IO, "the SQL engine exported %d values from %d on for %d rows", d.Len(), d.Offset(), len(rows))
	}
	arr := array.MakeFromData(d)
	defer arr.Release()
	rows = slices.Clone(rows)
	for i := range rows {
		if arr.IsNull(i) {
			rows[i] = -1
		}
	}
	switch t := t.(type) {
	case *arrow.DurationType:
		return readDurations(d, v, rows)
	case *arrow.StructType:
		children := make([]arrow.ArrayData, len(d.Children()))
		for i, child := range d.Children() {
			var err error
			if children[i], err = convertIntervals(child, t.Field(i).Type, duck.StructVectorGetChild(v, duck.IdxT(i)), rows); err != nil {
				release(children[:i])
				return nil, err
			}
		}
		return withChildren(d, t, children...), nil
	case *arrow.FixedSizeListType:
		return convertItems(d, t, duck.ArrayVectorGetChild(v), itemsOfArrays(int(t.Len()), rows))
	default:
		return convertItems(d, t, duck.ListVectorGetChild(v), itemsOfLists(v, rows))
	}
}

// convertItems is convertIntervals for the items of lists and maps.
func convertItems(d arrow.ArrayData, t arrow.DataType, v duck.Vector, items []int) (arrow.ArrayData, error) {
	child, err := convertIntervals(d.Children()[0], t.(arrow.NestedType).Fields()[0].Type, v, items)
	if err != nil {
		return nil, err
	}
	return withChildren(d, t, child), nil
}

// itemsOfArrays returns the rows that the items of arrays have in the vector of the items. Nulls have items too.
func itemsOfArrays(size int, rows []int) []int {
	items := make([]int, 0, len(rows)*size)
	for _, row := range rows {
		for k := range size {
			if row < 0 {
				items = append(items, -1)
			} else {
				items = append(items, row*size+k)
			}
		}
	}
	return items
}

// itemsOfLists returns the rows that the items of lists have in the vector of the items. Nulls have none.
func itemsOfLists(v duck.Vector, rows []int) []int {
	var items []int
	lists := vector.Memory[vector.Entry](duck.VectorGetData(v), span(rows))
	for _, row := range rows {
		if row < 0 {
			continue
		}
		for k := range lists[row].Length {
			items = append(items, int(lists[row].Offset+k))
		}
	}
	return items
}

// span is the number of rows of a vector from the first to the last of rows.
func span(rows []int) (n int) {
	for _, row := range rows {
		n = max(n, row+1)
	}
	return n
}

// withChildren returns an array with other children, which it releases.
func withChildren(d arrow.ArrayData, t arrow.DataType, children ...arrow.ArrayData) arrow.ArrayData {
	defer release(children)
	return array.NewData(t, d.Len(), d.Buffers(), children, d.NullN(), 0)
}

func release(list []arrow.ArrayData) {
	for _, d := range list {
		d.Release()
	}
}

// readDurations returns the intervals of a vector as durations.
func readDurations(d arrow.ArrayData, v duck.Vector, rows []int) (arrow.ArrayData, error) {
	in := vector.Memory[vector.StoredInterval](duck.VectorGetData(v), span(rows))
	values := arrowmem.NewResizableBuffer(arrowmem.DefaultAllocator)
	defer values.Release()
	values.Resize(8 * len(rows))
	clear(values.Bytes()) // zero under nulls
	out := arrow.Int64Traits.CastFromBytes(values.Bytes())
	for i, row := range rows {
		if row < 0 {
			continue
		}
		var err error
		if out[i], err = duration(in[row]); err != nil {
			return nil, err
		}
	}
	return array.NewData(Type, d.Len(), []*arrowmem.Buffer{d.Buffers()[0], values}, nil, d.NullN(), 0), nil
}

// duration returns an interval in microseconds. A day of an interval has 24 hours.
func duration(v vector.StoredInterval) (int64, error) {
	if v.Months != 0 {
		return 0, h5err.New(h5err.Unsupported, "an interval of %d months has no fixed length", v.Months).WithHint("cast it to VARCHAR")
	}
	const day = 24 * 3600 * 1_000_000
	days, micros := int64(v.Days), v.Micros
	if days > math.MaxInt64/day || days < math.MinInt64/day ||
		days > 0 && micros > math.MaxInt64-days*day || days < 0 && micros < math.MinInt64-days*day {
		return 0, h5err.New(h5err.Unsupported, "an interval of %d days and %d microseconds is too long for a duration", days, micros)
	}
	return days*day + micros, nil
}
