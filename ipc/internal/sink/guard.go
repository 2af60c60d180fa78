package sink

import (
	"context"
	"errors"
	"runtime"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// Guard is source.Guard for functions of arrow-go that recover from panics by themselves.
func Guard(fn func() error) error {
	return source.Guard(func() error {
		err := fn()
		var fault interface {
			runtime.Error
			Addr() uintptr
		}
		if errors.As(err, &fault) {
			panic(fault)
		}
		return err
	})
}

// Plain takes an error of ours out of what arrow-go wrapped around it.
func Plain(err error) error {
	var e *h5err.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	case errors.As(err, &e):
		return e
	}
	return h5err.Wrap(h5err.IO, err, "can't write Arrow data")
}

// Rows is the rows [from, to) of a batch, to be released. Slicing text reads its offsets, which a mapped file may no longer
// have: then that is the error.
func Rows(rec arrow.RecordBatch, from, to int64) (arrow.RecordBatch, error) {
	columns := make([]arrow.Array, 0, rec.NumCols())
	defer func() {
		for _, c := range columns {
			c.Release()
		}
	}()
	err := source.Guard(func() error {
		for _, c := range rec.Columns() {
			columns = append(columns, array.NewSlice(c, from, to))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return array.NewRecordBatch(rec.Schema(), columns, to-from), nil
}
