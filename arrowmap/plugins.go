package arrowmap

import (
	"context"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Foreign reads rows [a,b) of a dataset as stored, whole elements one behind the other, by other means than this
// module's: package h5/libhdf5 has one, ReadRaw.
type Foreign func(file, dataset string, a, b int64) ([]byte, error)

// WithPlugins has datasets with filters that this module does not know read by other means. Nothing else is; so a
// hostile file can reach that code only when this option is given.
func WithPlugins(read Foreign) Option {
	return func(o *options) error {
		if read == nil {
			return h5err.New(h5err.Argument, "no way to read foreign filters")
		}
		o.foreign = read
		return nil
	}
}

// rowReader is what a stream reads by: a chunk.Reader, or a foreignReader.
type rowReader interface {
	Rows() int64
	RowBytes() int64
	ChunkRows() int64
	View(a, b int64) ([]byte, int64, bool)
	ViewEnd(a, b int64) int64
	Start(ctx context.Context, pool *chunk.Pool, a, b int64, dst []byte, opts chunk.StartOptions, done func(error))
	Read(ctx context.Context, a, b int64, dst []byte) error
	Close()
}

// foreignReader reads a dataset through a Foreign.
type foreignReader struct {
	ds   *h5.Dataset
	read Foreign
	row  int64
}

func newForeignReader(ds *h5.Dataset, read Foreign) (*foreignReader, error) {
	row, err := ds.RowBytes()
	if err != nil {
		return nil, err
	}
	return &foreignReader{ds: ds, read: read, row: row}, nil
}

func (r *foreignReader) Rows() int64                           { return r.ds.Rows() }
func (r *foreignReader) RowBytes() int64                       { return r.row }
func (r *foreignReader) ChunkRows() int64                      { return 0 }
func (r *foreignReader) View(_, _ int64) ([]byte, int64, bool) { return nil, 0, false }
func (r *foreignReader) ViewEnd(a, _ int64) int64              { return a }
func (r *foreignReader) Close()                                {}

// Start reads in one job: the other side has a lock of its own.
func (r *foreignReader) Start(ctx context.Context, pool *chunk.Pool, a, b int64, dst []byte, opts chunk.StartOptions, done func(error)) {
	pool.Go(func(*chunk.Worker) {
		err := r.Read(ctx, a, b, dst)
		if err == nil && opts.Each != nil && a < b {
			err = opts.Each(a, b, dst)
		}
		done(err)
	})
}

func (r *foreignReader) Read(ctx context.Context, a, b int64, dst []byte) error {
	if err := ctx.Err(); err != nil || a == b {
		return err
	}
	raw, err := r.read(r.ds.File().Name(), r.ds.Path(), a, b)
	if err == nil && len(raw) != len(dst) {
		err = h5err.New(h5err.Corrupt, "%d bytes were read for rows of %d", len(raw), len(dst))
	}
	copy(dst, raw)
	return h5err.In(err, r.ds.File().Name(), r.ds.Path())
}

// foreignType refuses types whose elements point to a heap: their bytes mean nothing outside the library that read them.
func foreignType(t *h5.Type) error {
	switch t.Class {
	case h5.ClassVLen, h5.ClassReference:
		return h5err.New(h5err.Unsupported, "elements of %s through a foreign filter", t)
	case h5.ClassArray:
		return foreignType(t.Base)
	case h5.ClassCompound:
		for _, m := range t.Members {
			if err := foreignType(m.Type); err != nil {
				return err
			}
		}
	}
	return nil
}
