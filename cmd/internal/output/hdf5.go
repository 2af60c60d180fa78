package output

import (
	"context"
	"io"
	"os"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/write"
)

// HDF5 calls fn to write an HDF5 file, and returns its size. It appears as Write says; what is written through gets the bytes of
// a temporary file.
func (s *Set) HDF5(ctx context.Context, t Target, fn func(*write.File) error, opts ...write.Option) (size int64, err error) {
	err = s.Write(ctx, t, func(w io.Writer) (err error) {
		f, ok := w.(*os.File)
		through := t.special || !ok
		if through {
			if f, err = os.CreateTemp("", "h5arrow-*.h5"); err != nil {
				return h5err.Wrap(h5err.IO, h5err.Cause(err), "a temporary file")
			}
			defer os.Remove(f.Name())
			defer f.Close() // its contents have been copied
		}
		if size, err = fill(f, fn, opts); err != nil {
			return err
		}
		if through {
			return copied(w, f)
		}
		if err := f.Sync(); err != nil {
			return h5err.Wrap(h5err.IO, h5err.Cause(err), "can't write")
		}
		return nil
	})
	return size, err
}

// fill has fn write the file.
func fill(f *os.File, fn func(*write.File) error, opts []write.Option) (int64, error) {
	h, err := write.Create(f, opts...)
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
