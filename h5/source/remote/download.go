package remote

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
)

// longestDownload bounds how long an answer may take that is a whole file.
const longestDownload = 24 * time.Hour

// WithDownload copies an object whose server does not send ranges to a temporary file, as a whole, when it is opened. Without it, such
// an object is an IO error.
func WithDownload() Option {
	return func(o *options) error { o.download = true; return nil }
}

// download copies an answer that starts with first.
func (x *object) download(first []byte, a *Answer, progress func()) error {
	if !x.o.download {
		return h5err.New(h5err.IO, "the server does not send ranges of files").WithOption("remote.WithDownload", "download it as a whole")
	}
	f, err := os.CreateTemp("", "h5arrow-*.h5")
	if err != nil {
		return h5err.Wrap(h5err.IO, h5err.Cause(err), "a temporary file")
	}
	os.Remove(f.Name()) // where the system lets it be read without a name
	if _, err := f.Write(first); err != nil {
		drop(f)
		return h5err.Wrap(h5err.IO, h5err.Cause(err), "a temporary file")
	}
	w := &failing{w: f}
	n, err := io.Copy(w, &moving{a.Body, progress})
	switch {
	case w.err != nil:
		drop(f)
		return h5err.Wrap(h5err.IO, h5err.Cause(w.err), "a temporary file")
	case err != nil:
		drop(f)
		return again(short(err))
	}
	x.size, x.pin, x.copy = int64(len(first))+n, a.Pin, f
	return nil
}

// failing keeps the error of a writer, to tell it from one of a reader.
type failing struct {
	w   io.Writer
	err error
}

func (f *failing) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	f.err = err
	return n, err
}

// drop removes a temporary file.
func drop(f *os.File) {
	f.Close() // nobody reads it any more
	os.Remove(f.Name())
}

// downloaded is the Backend of a copy.
type downloaded struct{ x *object }

// ReadAtContext implements source.Backend.
func (d downloaded) ReadAtContext(_ context.Context, p []byte, off int64) (int, error) {
	return d.x.copy.ReadAt(p, off)
}

// Close removes the copy.
func (d downloaded) Close() error { return d.x.Close() }
