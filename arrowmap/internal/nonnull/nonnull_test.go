package nonnull

import (
	"sync"
	"testing"

	"github.com/h5arrow/h5arrow/h5/source"
)

// TestRows keeps columns and what they are read as apart.
func TestRows(t *testing.T) {
	k := Key{8, "timestamp[ns]"}
	var r Rows
	r.Add(k, 0, 5)
	if !r.Has(k, 1, 5) || r.Has(k, 1, 6) || r.Has(Key{8, "double"}, 0, 1) || r.Has(Key{16, k.Type}, 0, 1) {
		t.Error("other rows are known than were added")
	}
	var none *Rows
	if none.Add(k, 0, 5); none.Has(k, 0, 5) {
		t.Error("nil knows rows")
	}
}

func TestCache(t *testing.T) {
	c := NewCache(2)
	id := func(n uint64) source.Identity { return source.Identity{Number: n} }
	one := c.Rows(id(1))
	one.Add(Key{}, 0, 5)
	c.Rows(id(2))
	if c.Rows(id(1)) != one {
		t.Error("rows are forgotten")
	}
	c.Rows(id(3)) // 2 is the oldest
	if c.Rows(id(1)) != one || len(c.of) != 2 || len(c.order) != 2 {
		t.Errorf("%d files, %d in order", len(c.of), len(c.order))
	}
	if c.Rows(id(1)).Has(Key{}, 0, 5) != true || c.Rows(id(2)).Has(Key{}, 0, 5) {
		t.Error("other rows")
	}
}

func TestConcurrently(t *testing.T) {
	c := NewCache(4)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range int64(500) {
				r := c.Rows(source.Identity{Number: uint64(i) % 6})
				r.Add(Key{Type: "x"}, i, i+int64(g))
				r.Has(Key{Type: "x"}, 0, i)
			}
		})
	}
	wg.Wait()
}
