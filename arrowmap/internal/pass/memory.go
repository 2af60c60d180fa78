package pass

import (
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/h5arrow/h5arrow/arrowmap/internal/node"
	"github.com/h5arrow/h5arrow/h5/source"
)

// stats are what became of a column.
type stats struct {
	copied, nulls atomic.Int64
	zeroed        atomic.Bool // values under nulls were copied to be 0

	mu   sync.Mutex
	note error // of the first batch that has one
	at   int64 // its first row
}

// keep keeps a note about a batch that starts at a row.
func (s *stats) keep(row int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.note == nil || row < s.at {
		s.note, s.at = err, row
	}
}

// counted is an allocator that counts what a column allocates.
type counted struct {
	memory.Allocator
	s *stats
}

func (c *counted) Allocate(n int) []byte {
	c.s.copied.Add(int64(n))
	return c.Allocator.Allocate(n)
}

func (c *counted) Reallocate(n int, p []byte) []byte {
	c.s.copied.Add(int64(max(0, n-len(p))))
	return c.Allocator.Reallocate(n, p)
}

// nullsOf counts nulls, those of the items where rows are lists of fixed size.
func nullsOf(arr arrow.Array) int64 {
	n := int64(arr.NullN())
	if l, ok := arr.(*array.FixedSizeList); ok {
		return n + nullsOf(l.ListValues())
	}
	return n
}

// memo holds what is made once for a whole pass, by whoever needs it first. A fault while something is made is its error,
// for all who ask for it.
type memo struct {
	mu sync.Mutex
	of map[any]*once
}

type once struct {
	sync.Once
	made node.Releaser
	err  error
}

func (m *memo) get(key any, fn func() (node.Releaser, error)) (node.Releaser, error) {
	m.mu.Lock()
	if m.of == nil {
		m.of = map[any]*once{}
	}
	o := m.of[key]
	if o == nil {
		o = &once{}
		m.of[key] = o
	}
	m.mu.Unlock()
	o.Do(func() {
		o.err = source.Guard(func() (err error) {
			o.made, err = fn()
			return err
		})
	})
	return o.made, o.err
}

// release releases all that was made.
func (m *memo) release() {
	for _, o := range m.of {
		if o.err == nil && o.made != nil {
			o.made.Release()
		}
	}
	m.of = nil
}
