// Package spool copies what can be read only once, from its start to its end, to a temporary file, whose parts can be read in any
// order.
package spool

import (
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"

	"github.com/h5arrow/h5arrow/cmd/internal/output"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
	"github.com/h5arrow/h5arrow/h5/source/temporary"
)

// block is how much is copied before the free space is looked at again.
const block = 16 << 20

// File is a temporary file with references.
type File struct {
	f    *temporary.File
	size int64
	refs atomic.Int64
}

// Copy copies what r has to a file in the directory for temporary files, and closes r at the end or when ctx ends. It fails if there
// are more than max bytes, or more than nine tenths of what is free there: errors are of kind IO. The caller holds the one reference
// to the file.
func Copy(ctx context.Context, r io.ReadCloser, max int64) (*File, error) {
	defer r.Close()
	f, err := temporary.Create()
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, func() {
		f.Close()
		r.Close() // a read that waits for a writer ends
	})()
	out := &File{f: f}
	out.refs.Store(1)
	for {
		room := max - out.size
		full := h5err.New(h5err.IO, "there are more than %d bytes", max).WithOption("spool.Copy", "allow more")
		if free, ok := output.Free(os.TempDir()); ok && int64(min(free/10*9, 1<<62)) < room {
			room = int64(free / 10 * 9)
			full = h5err.New(h5err.IO, "there are more bytes than fit the temporary directory: %d are copied, and %d are free there", out.size, free)
		}
		n, err := io.CopyN(f, r, min(room, block))
		out.size += n
		switch {
		case ctx.Err() != nil:
			err = ctx.Err()
		case f.Failed() != nil:
			err = f.Failed()
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			err = h5err.Wrap(h5err.IO, h5err.Cause(err), "can't be read")
		case n == room && !more(r):
			return out, nil
		case n == room:
			err = full
		}
		if err != nil {
			out.Release()
			return nil, err
		}
	}
}

// more reports whether r has another byte, or an error.
func more(r io.Reader) bool {
	n, err := io.ReadFull(r, make([]byte, 1))
	return n > 0 || !errors.Is(err, io.EOF)
}

// Source returns a source of the file's bytes. It has a reference of its own to the file.
func (f *File) Source(name string) *source.Source {
	f.refs.Add(1)
	return source.New(backend{f}, f.size, name)
}

// Release drops a reference. The last one removes the file.
func (f *File) Release() {
	if f.refs.Add(-1) == 0 {
		f.f.Close()
	}
}

// backend reads a File.
type backend struct{ file *File }

// ReadAtContext implements source.Backend.
func (b backend) ReadAtContext(_ context.Context, p []byte, off int64) (int, error) {
	return b.file.f.ReadAt(p, off)
}

// Close implements io.Closer.
func (b backend) Close() error {
	b.file.Release()
	return nil
}
