package chunk

import (
	"math/bits"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/h5err"
	"github.com/h5arrow/h5arrow/h5/source"
)

// NewReader returns a Reader of a dataset. A filter that is not implemented is an Unsupported error with its number and
// name. The index of the chunks is read when it is first needed.
func NewReader(ds *h5.Dataset, opts ...Option) (*Reader, error) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	d, err := describe(ds)
	if err != nil {
		return nil, err
	}
	if o.squeeze {
		if err := d.squeeze(); err != nil {
			return nil, h5err.About(err, d)
		}
	}
	build := newReader
	if o.cells != nil {
		build = newCells
	}
	r, err := build(d, o)
	return r, h5err.About(err, d)
}

// Location implements h5err.Located.
func (d *dataset) Location() (file, path string) { return d.file, d.path }

// describe takes what a Reader needs from a dataset.
func describe(ds *h5.Dataset) (*dataset, error) {
	f := ds.File()
	d := &dataset{
		file: f.Name(), path: ds.Path(), addr: ds.Address(), typ: ds.Type(), elem: ds.Type().Size,
		decoded: f.Limits().DecodedBytes, src: f.Source(), chunks: ds.Chunks, each: ds.EachChunk,
		fill: func() ([]byte, error) {
			p, err := ds.Fill()
			if h5err.Is(err, h5err.Limit) { // zeros, but too many of them to be listed
				return nil, nil
			}
			return p, err
		},
		mappings: func() ([]h5.VirtualMapping, error) {
			_, m, err := ds.Mappings()
			return m, err
		},
		external: func(name string) (*source.Source, error) {
			src, err := f.OpenExternal(name)
			if h5err.Is(err, h5err.NotFound) { // the data are gone, unlike those of a virtual source
				err = h5err.Wrap(h5err.IO, err, "external storage")
			}
			return src, err
		},
		virtual: func(file, name string) (*dataset, error) {
			src, err := f.OpenVirtual(file, name)
			if err != nil {
				return nil, err
			}
			return describe(src)
		},
	}
	var err error
	if d.layout, err = ds.Layout(); err != nil {
		return nil, err
	}
	if _, err = ds.Bytes(); err != nil {
		return nil, err
	}
	if d.dims, err = ds.Extent(); err != nil {
		return nil, err
	}
	if ds.Space().Class == h5.SpaceNull {
		d.dims = []uint64{0}
		d.layout = &h5.Layout{Storage: h5.StorageNone}
	}
	if d.layout.Storage == h5.StorageChunked {
		if d.filters, err = ds.Filters(); err != nil {
			return nil, err
		}
	}
	return d, nil
}

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

// Decodable reports, as an error, that the filters of a chunked dataset can't be undone. One that is not implemented is an Unsupported
// error with its number and name, unless no chunk needs it: writers leave out an optional filter that they lack, or that
// would make a chunk larger. The index of the chunks is read only where there is such a filter.
func Decodable(d *h5.Dataset) error {
	filters, err := d.Filters()
	if err == nil {
		_, err = compile(filters, d.EachChunk)
	}
	return h5err.About(err, d)
}

// compile makes a dataset's pipeline. Filters that are not implemented are accepted if no chunk needs them.
func compile(filters []h5.Filter, each func(fn func(c h5.Chunk) error) error) (*filter.Pipeline, error) {
	p, err := filter.NewLazy(filters)
	if err != nil {
		return nil, err
	}
	if p.Unsupported() == nil {
		return p, nil
	}
	var refused [32]error // a pipeline has no more filters
	unknown := uint32(0)
	for i := range filters {
		if _, err := filter.New(filters[i : i+1]); h5err.Is(err, h5err.Unsupported) {
			refused[i] = err
			unknown |= 1 << i
		}
	}
	err = each(func(c h5.Chunk) error {
		if needed := unknown &^ c.FilterMask; needed != 0 {
			return refused[bits.TrailingZeros32(needed)]
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}
