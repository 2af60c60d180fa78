package chunk

import (
	"github.com/h5arrow/h5arrow/h5"
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
