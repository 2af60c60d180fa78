package arrowmap

import (
	"github.com/h5arrow/h5arrow/arrowmap/internal/nonnull"
	"github.com/h5arrow/h5arrow/arrowmap/internal/zones"
)

// WithOtherPlaces returns an index whose columns are said to be stored elsewhere.
func WithOtherPlaces(b []byte) []byte {
	x, err := zones.Decode(b)
	if err != nil {
		panic(err)
	}
	for _, t := range x.Tables {
		for i := range t.Columns {
			t.Columns[i].Hash[0] ^= 1
		}
	}
	return x.Encode()
}

// Remember makes a file remember rows without nulls, however young it is.
func Remember(f *File) { f.nodes.NonNull = &nonnull.Rows{} }

// Remembers returns what a file remembers, nil for nothing.
func Remembers(f *File) any {
	if f.nodes.NonNull == nil {
		return nil
	}
	return f.nodes.NonNull
}

// Known reports whether rows [a,b) of a column are known to have no nulls: by reading them, and by an index.
func Known(f *File, c *Column, a, b int64) (read, index bool) {
	if key := c.node.(interface{ Probed() *nonnull.Key }).Probed(); key != nil {
		return f.nodes.NonNull.Has(*key, a, b), f.nodes.Indexed.Has(*key, a, b)
	}
	return false, false
}

// Claim says that rows [a,b) of a column have no nulls.
func Claim(f *File, c *Column, a, b int64) {
	f.nodes.NonNull.Add(*c.node.(interface{ Probed() *nonnull.Key }).Probed(), a, b)
}
