package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// optionNames maps the options that errors of libraries name to options of the C interface.
var optionNames = map[h5err.Option]string{
	"arrowmap.File.Datasets":   "datasets",
	"arrowmap.File.Table":      "path",
	"arrowmap.Union":           "union",
	"arrowmap.WithAlign":       "align",
	"arrowmap.WithBatchRows":   "batch_rows",
	"arrowmap.WithMaxMemory":   "max_memory",
	"chunk.NewBudget":          "max_memory",
	"dtype.Options.Enum":       "enum",
	"dtype.Options.Strings":    "strings",
	"h5.WithExternal":          "allow_external",
	"output.Check":             "force",
	"tablewriter.Options.Path": "table",
}

// failure is an error as JSON.
type failure struct {
	Kind    string   `json:"kind"` // of h5err, or canceled or internal
	Message string   `json:"message"`
	File    string   `json:"file,omitempty"`
	Object  string   `json:"object,omitempty"`
	Offset  *int64   `json:"offset,omitempty"`
	Options []string `json:"options,omitempty"` // that help, most useful first
	Errno   int      `json:"errno,omitempty"`   // of the system
	Stack   string   `json:"stack,omitempty"`   // of an internal error
}

// internal is a panic.
type internal struct {
	text, stack string
}

func (e *internal) Error() string { return "internal error: " + e.text }

// Protect runs fn and returns a panic as an error.
func Protect(fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &internal{fmt.Sprint(r), string(debug.Stack())}
		}
	}()
	return fn()
}

// ErrorJSON describes an error as JSON.
func ErrorJSON(err error) string {
	f := failure{Kind: h5err.KindOf(err).String()}
	if e, ok := errors.AsType[*h5err.Error](err); ok {
		f.File, f.Object, f.Message = e.File, e.Object, e.Text(func(o h5err.Option) string { return optionNames[o] })
		if e.Offset >= 0 {
			f.Offset = &e.Offset
		}
		for _, a := range e.Advice {
			if name := optionNames[a.Option]; name != "" {
				f.Options = append(f.Options, name)
			}
		}
	} else {
		f.Message = strings.ReplaceAll(err.Error(), "\n", " ")
	}
	errno, isErrno := errors.AsType[syscall.Errno](err)
	switch {
	case isErrno:
		f.Errno = int(errno)
	case errors.Is(err, fs.ErrNotExist):
		f.Errno = int(syscall.ENOENT)
	}
	if e, ok := errors.AsType[*internal](err); ok {
		f.Kind, f.Stack = "internal", e.stack
	} else if errors.Is(err, context.Canceled) {
		f.Kind = "canceled"
	}
	b, err := json.Marshal(f)
	if err != nil { // there is nothing in a failure that can't be encoded
		return `{"kind": "internal", "message": "an error that can't be described"}`
	}
	return string(b)
}
