package sink

import (
	"context"
	"errors"
	"runtime"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// Guard is source.Guard for functions of arrow-go that return panics as errors.
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

// Plain removes what arrow-go has wrapped around an error. Other errors become one of kind IO.
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
