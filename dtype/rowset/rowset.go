// Package rowset remembers for which rows of a column something was found to hold, so that it needs not be found again.
package rowset

import (
	"slices"
	"sort"
	"sync"
)

// maxSpans is how many runs of rows are remembered.
const maxSpans = 1024

// Rows is a set of rows. It may be used by several goroutines. The zero value has none; that of nil stays so. Of scattered rows it keeps only some.
type Rows struct {
	mu    sync.RWMutex
	spans [][2]int64 // half-open, ascending, with rows between them
}

// Has reports whether all rows of [from,to) are known to be in the set.
func (r *Rows) Has(from, to int64) bool {
	if r == nil {
		return false
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	i := sort.Search(len(r.spans), func(i int) bool { return r.spans[i][1] > from })
	return from >= to || i < len(r.spans) && r.spans[i][0] <= from && to <= r.spans[i][1]
}

// Add adds the rows [from,to), unless they would be one run too many.
func (r *Rows) Add(from, to int64) {
	if r == nil || from >= to {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	i := sort.Search(len(r.spans), func(i int) bool { return r.spans[i][1] >= from }) // those from i up to j touch the new one
	j := i
	for j < len(r.spans) && r.spans[j][0] <= to {
		from, to = min(from, r.spans[j][0]), max(to, r.spans[j][1])
		j++
	}
	if i < j || len(r.spans) < maxSpans {
		r.spans = slices.Replace(r.spans, i, j, [2]int64{from, to})
	}
}
