// Package temporary has files for what can be read only once. They have no name where the system allows that, so that nothing is left of
// them however the process ends.
package temporary

import (
	"os"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// File is a temporary file that is written from its start to its end, and read at any place.
type File struct {
	f   *os.File
	err error
}

// Create makes a file in the directory for temporary files. The caller closes it, which removes it.
func Create() (*File, error) {
	f, err := os.CreateTemp("", "h5arrow-*.h5")
	if err != nil {
		return nil, failure(err)
	}
	os.Remove(f.Name()) // where a file can be used without a name
	return &File{f: f}, nil
}

func failure(err error) error { return h5err.Wrap(h5err.IO, h5err.Cause(err), "a temporary file") }

// Write implements io.Writer.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.f.Write(p)
	f.err = err
	return n, err
}

// Failed returns why the last Write failed, nil if it did not. It tells an error of the file from one of what is copied to it.
func (f *File) Failed() error {
	if f.err == nil {
		return nil
	}
	return failure(f.err)
}

// ReadAt implements io.ReaderAt.
func (f *File) ReadAt(p []byte, off int64) (int, error) { return f.f.ReadAt(p, off) }

// Close removes the file. It may be called again, and while others write: they get an error.
func (f *File) Close() error {
	f.f.Close() // nobody reads it any more
	os.Remove(f.f.Name())
	return nil
}
