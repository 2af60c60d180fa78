package remote

import (
	"context"
	"io"
	"time"

	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source/temporary"
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
	f, err := temporary.Create()
	if err != nil {
		return err
	}
	n := int64(0)
	if _, err = f.Write(first); err == nil {
		n, err = io.Copy(f, &moving{a.Body, progress})
	}
	if failed := f.Failed(); failed != nil {
		err = failed
	} else if err != nil {
		err = again(short(err))
	}
	if err != nil {
		f.Close()
		return err
	}
	x.size, x.pin, x.copy = int64(len(first))+n, a.Pin, f
	return nil
}

// downloaded is the Backend of a copy.
type downloaded struct{ x *object }

// ReadAtContext implements source.Backend.
func (d downloaded) ReadAtContext(_ context.Context, p []byte, off int64) (int, error) {
	return d.x.copy.ReadAt(p, off)
}

// Close removes the copy.
func (d downloaded) Close() error { return d.x.Close() }
