// Package nonnull remembers which rows of columns were found to have no nulls.
//
// Arrow has no validity buffer for an array without nulls, so each value of a mapped column of times is looked at before it is returned: it
// may be NaT. That takes longer than all else, and needs to be done once for a version of a file.
package nonnull

import (
	"slices"
	"sync"

	"github.com/h5arrow/h5arrow/dtype/rowset"
	"github.com/h5arrow/h5arrow/h5/source"
)

// Key is a dataset's address, and what its values are read as.
type Key struct {
	Address uint64
	Type    string
}

// Rows are the rows of one version of a file that have no nulls. It may be used by several goroutines. That of nil knows no rows.
type Rows struct {
	mu sync.Mutex
	of map[Key]*rowset.Rows
}

// column returns the rows of a column, nil for nil.
func (r *Rows) column(k Key) *rowset.Rows {
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of[k] == nil {
		if r.of == nil {
			r.of = map[Key]*rowset.Rows{}
		}
		r.of[k] = &rowset.Rows{}
	}
	return r.of[k]
}

// Has reports whether rows [from,to) of a column have no nulls.
func (r *Rows) Has(k Key, from, to int64) bool { return r.column(k).Has(from, to) }

// Add remembers that rows [from,to) of a column have no nulls.
func (r *Rows) Add(k Key, from, to int64) { r.column(k).Add(from, to) }

// Cache has the Rows of versions of files that were opened lately. It may be used by several goroutines.
type Cache struct {
	max   int
	mu    sync.Mutex
	of    map[source.Identity]*Rows
	order []source.Identity // the one that was asked for last at the end
}

// NewCache returns a cache of so many files.
func NewCache(files int) *Cache { return &Cache{max: files, of: map[source.Identity]*Rows{}} }

// Rows returns what is known of a version of a file, which the caller may add to.
func (c *Cache) Rows(id source.Identity) *Rows {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.of[id]
	if r != nil {
		i := slices.Index(c.order, id)
		c.order = append(slices.Delete(c.order, i, i+1), id)
		return r
	}
	r = &Rows{}
	c.of[id], c.order = r, append(c.order, id)
	if len(c.order) > c.max {
		delete(c.of, c.order[0])
		c.order = slices.Delete(c.order, 0, 1)
	}
	return r
}
