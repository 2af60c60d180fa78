package chunk

import (
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// WithSqueeze drops leading dimensions of 1: a dataset of shape (1, N) is read as N rows. Column-major writers leave
// vectors so.
func WithSqueeze() Option { return func(o *options) { o.squeeze = true } }

// squeeze changes shape and chunks, which are numbered the same without a dimension of 1.
func (d *dataset) squeeze() error {
	for len(d.dims) > 1 && d.dims[0] == 1 {
		switch d.layout.Storage {
		case h5.StorageVirtual:
			return h5err.New(h5err.Unsupported, "a virtual dataset of shape %v read as %d rows", d.dims, d.dims[1])
		case h5.StorageChunked:
			if d.layout.ChunkDims[0] != 1 {
				return h5err.New(h5err.Unsupported, "shape %v in chunks of %v read as %d rows", d.dims, d.layout.ChunkDims, d.dims[1])
			}
			l := *d.layout
			l.ChunkDims = l.ChunkDims[1:]
			d.layout = &l
		}
		d.dims = d.dims[1:]
	}
	return nil
}
