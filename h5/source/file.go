package source

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// local is the Backend of a file of this machine.
type local struct {
	*os.File
	name   string
	size   int64
	mtime  time.Time
	id     Identity
	opened time.Time
}

func (f *local) ReadAtContext(_ context.Context, p []byte, off int64) (int, error) {
	return f.ReadAt(p, off)
}

// Changed compares the file's size and time of modification with those at Open.
func (f *local) Changed(context.Context) error {
	info, err := f.Stat()
	at := func(off int64, msg string, err error) error {
		return &h5err.Error{Kind: h5err.IO, File: f.name, Offset: off, Msg: msg, Err: h5err.Cause(err)}
	}
	switch {
	case err != nil:
		return at(h5err.NoOffset, "can't look at the file again", err)
	case info.Size() < f.size:
		return at(info.Size(), "the file was cut short while it was open", nil)
	case info.Size() > f.size:
		return at(h5err.NoOffset, "the file grew while it was open", nil)
	case !info.ModTime().Equal(f.mtime):
		return at(h5err.NoOffset, "the file was changed while it was open", nil)
	}
	return nil
}

// ModTime returns the time of modification at Open.
func (f *local) ModTime() time.Time { return f.mtime }

// Length returns the file's size.
func (f *local) Length(context.Context) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, &h5err.Error{Kind: h5err.IO, File: f.name, Offset: h5err.NoOffset, Msg: "can't look at the file again", Err: h5err.Cause(err)}
	}
	return info.Size(), nil
}

// Option changes how Open works.
type Option func(*options) error

type options struct {
	unmapped bool
}

// WithoutMapping makes Open use plain reads: Mapped is false and View never succeeds.
func WithoutMapping() Option {
	return func(o *options) error {
		o.unmapped = true
		return nil
	}
}

// Open opens a regular file for reading, and maps it where the system allows that. The caller holds the one reference
// to what is returned. Errors are of kind IO and wrap what the system said, so that errors.Is(err, fs.ErrNotExist) works.
func Open(path string, opts ...Option) (*Source, error) {
	// Opening a FIFO waits for its writer: look before opening, and again at what was opened.
	info, err := os.Stat(path)
	if err != nil {
		return nil, openError(path, err)
	}
	if err := regular(path, info.Mode()); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, openError(path, err)
	}
	return OpenFile(f, path, opts...)
}

// OpenFile is Open for a file that is open already. It takes f over, and closes it when it fails.
func OpenFile(f *os.File, path string, opts ...Option) (*Source, error) {
	var o options
	for _, opt := range opts {
		if err := opt(&o); err != nil {
			f.Close() // nothing was written
			return nil, h5err.In(err, path, "")
		}
	}
	info, err := f.Stat()
	if err == nil {
		err = regular(path, info.Mode())
	}
	if err != nil {
		f.Close() // nothing was written
		return nil, openError(path, err)
	}
	s := newSource(&local{File: f, name: path, size: info.Size(), mtime: info.ModTime(), id: identify(f), opened: time.Now()}, info.Size(), path)
	s.path = path
	if !o.unmapped && s.Size() > 0 && s.Size() <= math.MaxInt {
		// A file system that can't map (or an address space that is too small) is read plainly.
		if b, err := mapFile(f, int(s.Size())); err == nil {
			s.m = register(path, f, b)
		}
	}
	if invariants {
		s.watch()
	}
	return s, nil
}

func openError(path string, err error) error {
	if _, ok := errors.AsType[*h5err.Error](err); ok {
		return err
	}
	return h5err.In(h5err.Wrap(h5err.IO, h5err.Cause(err), "can't open"), path, "")
}

func regular(path string, mode fs.FileMode) error {
	what := ""
	switch {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		what = "a directory"
	case mode&fs.ModeNamedPipe != 0:
		what = "a FIFO"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	case mode&fs.ModeDevice != 0:
		what = "a device"
	default:
		what = "no regular file"
	}
	return h5err.In(h5err.New(h5err.IO, "can't open: it is %s, and parts of a file are read in any order", what).WithHint("give a regular file"), path, "")
}
