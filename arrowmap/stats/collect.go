package stats

import (
	"context"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/h5/source"
)

// figures are the figures of one column as they are computed. They are used by one goroutine at a time.
type figures interface {
	// add adds the values of an array. They may be in a mapping that must not be referred to later.
	add(arr arrow.Array)

	// result fills in what was found, except for rows and nulls. It is called once, at the end.
	result(c *Column)
}

// queued is the number of batches that may wait for a column. Fast columns run ahead of slow ones by so many.
const queued = 2

// collection is the pass over the batches: a goroutine for each column, of which as many run at a time as there are workers.
type collection struct {
	figures []figures
	nulls   []int64
	run     chan struct{}
	wait    sync.WaitGroup
	cancel  context.CancelCauseFunc
}

// collect passes all batches of rr to the figures, in order.
func collect(ctx context.Context, rr array.RecordReader, f []figures, workers int) (rows int64, nulls []int64, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c := &collection{figures: f, nulls: make([]int64, len(f)), run: make(chan struct{}, workers), cancel: cancel}
	queues := make([]chan arrow.RecordBatch, len(f))
	for i := range queues {
		queues[i] = make(chan arrow.RecordBatch, queued)
		c.wait.Add(1)
		go c.column(ctx, i, queues[i])
	}
	for ctx.Err() == nil && rr.Next() {
		rec := rr.RecordBatch()
		rows += rec.NumRows()
		for _, q := range queues {
			rec.Retain()
			q <- rec // every queue is read to its end, also after an error
		}
	}
	for _, q := range queues {
		close(q)
	}
	c.wait.Wait()
	if ctx.Err() != nil {
		return 0, nil, context.Cause(ctx)
	}
	return rows, c.nulls, rr.Err()
}

// column adds the values of column i until there are no more.
func (c *collection) column(ctx context.Context, i int, queue <-chan arrow.RecordBatch) {
	defer c.wait.Done()
	for rec := range queue {
		if ctx.Err() == nil {
			c.run <- struct{}{}
			err := source.Guard(func() error {
				arr := rec.Column(i)
				c.nulls[i] += int64(nulls(arr))
				c.figures[i].add(arr)
				return nil
			})
			<-c.run
			if err != nil {
				c.cancel(err)
			}
		}
		rec.Release()
	}
}

// nulls is the number of nulls of an array.
func nulls(arr arrow.Array) int {
	if arr.DataType().ID() == arrow.NULL {
		return arr.Len()
	}
	return arr.NullN()
}

// newFigures returns the figures of a column of a type, which keep up to so many values.
func newFigures(t arrow.DataType, sample int) figures {
	switch t := t.(type) {
	case *arrow.BooleanType:
		return &bools{}
	case *arrow.Int8Type:
		return newNumbers(t, sample, signed[int8])
	case *arrow.Int16Type:
		return newNumbers(t, sample, signed[int16])
	case *arrow.Int32Type, *arrow.Date32Type, *arrow.Time32Type:
		return newNumbers(t, sample, signed[int32])
	case *arrow.Int64Type, *arrow.Date64Type, *arrow.Time64Type, *arrow.TimestampType, *arrow.DurationType:
		return newNumbers(t, sample, signed[int64])
	case *arrow.Uint8Type:
		return newNumbers(t, sample, unsigned[uint8])
	case *arrow.Uint16Type:
		return newNumbers(t, sample, unsigned[uint16])
	case *arrow.Uint32Type:
		return newNumbers(t, sample, unsigned[uint32])
	case *arrow.Uint64Type:
		return newNumbers(t, sample, unsigned[uint64])
	case *arrow.Float16Type:
		return &halves{numbers: newNumbers(arrow.PrimitiveTypes.Float32, sample, floats[float32])}
	case *arrow.Float32Type:
		return newNumbers(t, sample, floats[float32])
	case *arrow.Float64Type:
		return newNumbers(t, sample, floats[float64])
	case *arrow.StringType, *arrow.LargeStringType, *arrow.BinaryType, *arrow.LargeBinaryType, *arrow.FixedSizeBinaryType:
		return &texts{typ: t}
	case *arrow.DictionaryType:
		if values, ok := newFigures(t.ValueType, sample).(taker); ok {
			return &dictionaries{values: values}
		}
	}
	return none{}
}

// none is the figures of a type that has none but rows and nulls.
type none struct{}

func (none) add(arrow.Array) {}
func (none) result(*Column)  {}
