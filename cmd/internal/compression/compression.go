// Package compression parses how chunks are to be compressed.
package compression

import (
	"github.com/h5arrow/h5arrow/h5"
	"github.com/h5arrow/h5arrow/h5/filter/encode"
)

// Filters returns the filters of chunks of elements of a size in bytes for what encode.Parse takes, nil for none.
func Filters(compression string, shuffle bool) (func(size int) []h5.Filter, error) {
	all, err := encode.Parse(compression, shuffle)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return func(size int) []h5.Filter {
		if size == 1 && all[0].ID == encode.Shuffle { // it changes nothing
			return all[1:]
		}
		return all
	}, nil
}
