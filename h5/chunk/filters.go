package chunk

import (
	"math/bits"

	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/filter"
	"github.com/h5arrow/h5arrow/h5/h5err"
)

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
