package chunk

import (
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

// Decodable tells whether the filters of a chunked dataset can be undone. One that is not implemented is an Unsupported
// error with its number and name, unless no chunk needs it: writers leave out an optional filter that they lack, or that
// would make a chunk larger. The index of the chunks is read only where there is such a filter.
func Decodable(d *h5.Dataset) error {
	filters, err := d.Filters()
	if err == nil {
		_, err = compile(filters, d.Chunks)
	}
	return h5err.In(err, d.File().Name(), d.Path())
}

// compile makes a dataset's pipeline. Filters that are not implemented are no error if no chunk needs them.
func compile(filters []h5.Filter, chunks func() ([]h5.Chunk, error)) (*filter.Pipeline, error) {
	p, err := filter.NewLazy(filters)
	if err != nil {
		return nil, err
	}
	refused := p.Unsupported()
	if refused == nil {
		return p, nil
	}
	all, err := chunks()
	if err != nil {
		return nil, err
	}
	for i := range filters {
		_, err := filter.New(filters[i : i+1])
		if !h5err.Is(err, h5err.Unsupported) {
			continue
		}
		for j := range all {
			if all[j].FilterMask&(1<<i) == 0 {
				return nil, err
			}
		}
	}
	return p, nil
}
