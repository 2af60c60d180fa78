package chunk

import (
	"container/list"
	"slices"
	"sync"
)

// span is the chunks [lo,hi) of a grid, by number.
type span struct{ lo, hi int64 }

// entry is the decoded chunks of a span that several readers of rows need: two batches that cut it, or windows.
type entry struct {
	key    span
	row    int64 // row of the grid
	window bool  // kept by age rather than by the pass
	refs   int   // pieces that were planned and have not ended

	state entryState
	wait  chan struct{} // closed when decoding ends
	mem   *held
	err   error
	old   *list.Element
}

type entryState uint8

const (
	_ entryState = iota
	entryEmpty
	entryDecoding
	entryReady
	entryFailed
)

// windowBytes bounds what windows keep that nobody uses.
const windowBytes = 64 << 20

// cache holds the entries of one Reader.
//
// A pass over the rows cuts a chunk where one batch ends and the next begins. Both batches name its span when they are
// planned; the first piece that comes to it decodes it, the others wait for that and share the result. When the last
// batch that was planned is done with it, it is dropped if the pass has gone past it, and otherwise kept idle.
type cache struct {
	budget *Budget
	passes int // ends of passes that are remembered

	mu     sync.Mutex
	m      map[span]*entry
	keep   []int64 // rows of the grid in which the latest batches ended
	old    list.List
	oldSum int64
}

// register names the spans of a batch that ends in row end of the grid (-1: at a border of chunks).
func (c *cache) passEnds(end int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keep = append(c.keep, end); len(c.keep) > c.passes {
		c.keep = c.keep[1:]
	}
	for _, e := range c.m {
		if e.refs == 0 && !e.window && !slices.Contains(c.keep, e.row) {
			c.remove(e)
		}
	}
}

// use returns the entry of a span with one more reference.
func (c *cache) use(key span, row int64, window bool) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.m[key]
	if e == nil {
		e = &entry{key: key, row: row, window: window, state: entryEmpty}
		if c.m == nil {
			c.m = map[span]*entry{}
		}
		c.m[key] = e
	}
	if e.refs++; e.refs == 1 && e.state == entryReady {
		c.forget(e)
		if !e.mem.pin() {
			e.mem, e.state = nil, entryEmpty
		}
	}
	return e
}

// done gives back a reference.
func (c *cache) done(e *entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.refs--; e.refs > 0 {
		return
	}
	switch {
	case e.state != entryReady || !e.window && !slices.Contains(c.keep, e.row):
		c.remove(e)
	case e.window:
		e.old = c.old.PushBack(e)
		c.oldSum += e.mem.n
		e.mem.unpin()
		for c.oldSum > windowBytes {
			c.remove(c.old.Front().Value.(*entry))
		}
	default:
		e.mem.unpin()
	}
}

// clear drops what nobody uses.
func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep = c.keep[:0]
	for _, e := range c.m {
		if e.refs == 0 {
			c.remove(e)
		}
	}
}

func (c *cache) forget(e *entry) {
	if e.old != nil {
		c.old.Remove(e.old)
		c.oldSum -= e.mem.n
		e.old = nil
	}
}

func (c *cache) remove(e *entry) {
	c.forget(e)
	delete(c.m, e.key)
	if e.mem != nil {
		e.mem.drop()
		e.mem = nil
	}
}

// get returns the entry's n bytes, decoded by the first who asks. Without room in the budget they come in scratch, and
// the next who asks decodes again. The caller holds a reference.
func (c *cache) get(e *entry, n int64, scratch *[]byte, decode func(dst []byte) error) ([]byte, error) {
	c.mu.Lock()
	for e.state == entryDecoding {
		wait := e.wait
		c.mu.Unlock()
		<-wait
		c.mu.Lock()
	}
	switch e.state {
	case entryReady:
		data := e.mem.data
		c.mu.Unlock()
		return data, nil
	case entryFailed:
		err := e.err
		c.mu.Unlock()
		return nil, err
	}
	e.state, e.wait = entryDecoding, make(chan struct{})
	c.mu.Unlock()

	mem := c.budget.hold(n)
	var data []byte
	if mem != nil {
		data = mem.data
	} else {
		data = grow(scratch, int(n))
	}
	err := decode(data)

	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		e.state, e.err = entryFailed, err
		if mem != nil {
			mem.drop()
		}
		data = nil
	case mem == nil:
		e.state = entryEmpty
	default:
		e.state, e.mem = entryReady, mem
	}
	close(e.wait)
	return data, err
}
