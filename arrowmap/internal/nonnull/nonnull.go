// Package nonnull remembers which rows of columns were found to have no nulls.
//
// Arrow has no validity buffer for an array without nulls, so each value of a mapped column of times is looked at before it is returned: it
// may be NaT. That takes longer than all else, and needs to be done once for a version of a file.
package nonnull

import (
	"slices"
	"sort"
	"sync"

	"github.com/h5arrow/h5arrow/h5/source"
)

// Key is a dataset's address, and what its values are read as.
type Key struct {
	Address uint64
	Type    string
}

// maxSpans is how many spans of rows of a column are remembered.
const maxSpans = 1024

// span is the rows [from, to).
type span struct{ from, to int64 }

// Rows are the rows of one version of a file that have no nulls. It may be used by several goroutines. That of nil knows no rows.
type Rows struct {
	mu sync.RWMutex
	of map[Key][]span // in order, with rows between them
}

// Has reports whether rows [from,to) of a column have no nulls.
func (r *Rows) Has(k Key, from, to int64) bool {
	if r == nil {
		return false
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	spans := r.of[k]
	i := sort.Search(len(spans), func(i int) bool { return spans[i].to > from })
	return from >= to || i < len(spans) && spans[i].from <= from && to <= spans[i].to
}

// Add remembers that rows [from,to) of a column have no nulls.
func (r *Rows) Add(k Key, from, to int64) {
	if r == nil || from >= to {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	spans := r.of[k]
	i := sort.Search(len(spans), func(i int) bool { return spans[i].to >= from }) // those from i up to j touch the new one
	j := i
	for j < len(spans) && spans[j].from <= to {
		from, to = min(from, spans[j].from), max(to, spans[j].to)
		j++
	}
	if i == j && len(spans) == maxSpans {
		return
	}
	if r.of == nil {
		r.of = map[Key][]span{}
	}
	r.of[k] = slices.Replace(spans, i, j, span{from, to})
}

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
