package output

import (
	"context"
	"io"
	"os"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write"
)

// HDF5 calls fn to write an HDF5 file, and returns its size. It appears as File says.
func (s *Set) HDF5(ctx context.Context, t Target, fn func(*write.File) error, opts ...write.Option) (size int64, err error) {
	err = s.File(ctx, t, func(w io.WriterAt) (err error) {
		size, err = fill(w, fn, opts)
		return err
	})
	return size, err
}

// File is Write for what is written at any place of a file. What is written through, and an object, gets the bytes of a temporary
// file.
func (s *Set) File(ctx context.Context, t Target, fn func(io.WriterAt) error) error {
	return s.Write(ctx, t, func(w io.Writer) error {
		if f, ok := w.(*os.File); ok && !t.special {
			return flushed(f, t.path, fn)
		}
		f, err := os.CreateTemp("", "h5arrow-*.h5")
		if err != nil {
			return h5err.Wrap(h5err.IO, h5err.Cause(err), "a temporary file")
		}
		defer os.Remove(f.Name())
		defer f.Close() // its contents have been copied
		if err := fn(place{f, t.path}); err != nil {
			return err
		}
		return copied(w, f)
	})
}

// flushed calls fn to write to a file at any places, and brings all that was written to the disk.
func flushed(f *os.File, name string, fn func(io.WriterAt) error) error {
	err := func() error {
		w := writeEarly(f)
		defer w.stop()
		return fn(place{w, name})
	}()
	if err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return h5err.Wrap(h5err.IO, h5err.Cause(err), "can't write")
	}
	return nil
}

// place is an output whose errors have its name. Those that have none get that of the input where rows are read and written in one.
type place struct {
	io.WriterAt
	name string
}

// WriteAt implements io.WriterAt.
func (p place) WriteAt(b []byte, off int64) (int, error) {
	n, err := p.WriterAt.WriteAt(b, off)
	if err != nil {
		err = failure(p.name, "can't write", err)
	}
	return n, err
}

// fill has fn write the file.
func fill(w io.WriterAt, fn func(*write.File) error, opts []write.Option) (int64, error) {
	h, err := write.Create(w, opts...)
	if err != nil {
		return 0, err
	}
	defer h.Abandon()
	if err := fn(h); err != nil {
		return 0, err
	}
	if err := h.Close(); err != nil {
		return 0, err
	}
	return h.Size(), nil
}

func copied(w io.Writer, f *os.File) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return h5err.Wrap(h5err.IO, h5err.Cause(err), "a temporary file")
	}
	if _, err := io.Copy(w, f); err != nil {
		return h5err.Wrap(h5err.IO, h5err.Cause(err), "can't write")
	}
	return nil
}
