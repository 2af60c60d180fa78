package pass

import (
	"context"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/chunk"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// PluginReader reads rows [a,b) of a dataset as stored.
type PluginReader func(file, dataset string, a, b int64) ([]byte, error)

// pluginReader reads a dataset through a PluginReader.
type pluginReader struct {
	ds   *h5.Dataset
	read PluginReader
	row  int64
}

func newPluginReader(ds *h5.Dataset, read PluginReader) (*pluginReader, error) {
	row, err := ds.RowBytes()
	if err != nil {
		return nil, err
	}
	return &pluginReader{ds: ds, read: read, row: row}, nil
}

func (r *pluginReader) Rows() int64                           { return r.ds.Rows() }
func (r *pluginReader) RowBytes() int64                       { return r.row }
func (r *pluginReader) ChunkRows() int64                      { return 0 }
func (r *pluginReader) View(_, _ int64) ([]byte, int64, bool) { return nil, 0, false }
func (r *pluginReader) ViewEnd(a, _ int64) int64              { return a }
func (r *pluginReader) Close()                                {}

// Start reads in one job: the plugin's library has a lock of its own.
func (r *pluginReader) Start(ctx context.Context, pool *chunk.Pool, a, b int64, dst []byte, opts chunk.StartOptions, done func(error)) {
	pool.Go(func(*chunk.Worker) {
		err := r.Read(ctx, a, b, dst)
		if err == nil && opts.Each != nil && a < b {
			err = opts.Each(a, b, dst)
		}
		done(err)
	})
}

func (r *pluginReader) Read(ctx context.Context, a, b int64, dst []byte) error {
	if err := ctx.Err(); err != nil || a == b {
		return err
	}
	raw, err := r.read(r.ds.File().Name(), r.ds.Path(), a, b)
	if err == nil && len(raw) != len(dst) {
		err = h5err.New(h5err.Corrupt, "%d bytes were read for rows of %d", len(raw), len(dst))
	}
	copy(dst, raw)
	return h5err.About(err, r.ds)
}
