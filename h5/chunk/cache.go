package chunk

import (
	"container/list"
	"context"
	"slices"
	"sync"
)

// span is the chunks [lo,hi) of a grid, by number.
type span struct{ lo, hi int64 }

// entry is the decoded chunks of a span that several readers of rows need: two batches that cut it, or windows.
type entry struct {
	key    span
	row    int64    // row of the grid
	window bool     // kept by age rather than by the pass
	refs   int      // pieces that were planned and have not ended
	led    bool     // one of them fetches, and has not ended
	next   []func() // called when it has

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
// A pass over the rows cuts a chunk where one batch ends and the next starts. Both batches name its span when they are
// planned; the first piece that comes to it decodes it, the others wait for that and share the result. When the last
// batch that was planned is done with it, it is dropped if the pass has gone past it. Nothing is pinned but while it is
// read: memory that others need more can be taken away at any time.
type cache struct {
	budget    *Budget
	unordered int // rows of the grid to remember when batches come in any order; 0: they come in order

	mu     sync.Mutex
	m      map[span]*entry
	keep   []int64 // rows of the grid that batches to come may want
	old    list.List
	oldSum int64
}

// pass notes in which rows of the grid a batch starts and ends, -1 where it cuts no chunk, and drops what no batch that
// may follow wants. It is called after the batch has taken its entries.
func (c *cache) pass(first, last int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ordered() {
		c.keep = append(c.keep[:0], last)
	} else { // whoever comes late may want either
		for _, row := range []int64{first, last} {
			if row >= 0 && !slices.Contains(c.keep, row) {
				c.keep = append(c.keep, row)
			}
		}
		c.keep = slices.Delete(c.keep, 0, max(0, len(c.keep)-c.unordered))
	}
	for _, e := range c.m {
		if e.refs == 0 && !e.window && !slices.Contains(c.keep, e.row) {
			c.remove(e)
		}
	}
}

// ordered reports whether batches are planned in the order of their rows.
func (c *cache) ordered() bool { return c.unordered == 0 }

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
	e.refs++
	c.forget(e)
	return e
}

// lead reports whether the caller, who holds a reference, is to fetch what the entry is decoded from. It must call led when it
// has finished.
func (c *cache) lead(e *entry) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.led || e.state != entryEmpty {
		return false
	}
	e.led = true
	return true
}

// led lets those go on who follow.
func (c *cache) led(e *entry) {
	c.mu.Lock()
	next := e.next
	e.led, e.next = false, nil
	c.mu.Unlock()
	for _, fn := range next {
		fn()
	}
}

// follow has ready called when nobody leads any more.
func (c *cache) follow(e *entry, ready func()) {
	c.mu.Lock()
	if e.led {
		e.next = append(e.next, ready)
		ready = func() {}
	}
	c.mu.Unlock()
	ready()
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
		for c.oldSum > windowBytes {
			c.remove(c.old.Front().Value.(*entry))
		}
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

// get returns the entry's bytes, decoded by the first who asks. mem is pinned; when it is nil there was no room to keep
// them, data are in scratch, and the next who asks decodes again. The caller holds a reference.
func (c *cache) get(ctx context.Context, e *entry, decode func() (data []byte, mem *held, err error)) (data []byte, mem *held, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch e.state {
		case entryDecoding:
			wait := e.wait
			c.mu.Unlock()
			select {
			case <-wait:
			case <-ctx.Done():
			}
			c.mu.Lock()
			if err := ctx.Err(); err != nil {
				return nil, nil, err
			}
			continue
		case entryFailed:
			return nil, nil, e.err
		case entryReady:
			if e.mem.pin() {
				return e.mem.data, e.mem, nil
			}
			e.mem, e.state = nil, entryEmpty // it was taken away
		}
		break
	}
	e.state, e.wait = entryDecoding, make(chan struct{})
	c.mu.Unlock()
	data, mem, err = decode()
	c.mu.Lock()
	switch {
	case err != nil && ctx.Err() != nil: // others may yet want it
		e.state = entryEmpty
	case err != nil:
		e.state, e.err = entryFailed, err
	case mem == nil:
		e.state = entryEmpty
	default:
		e.state, e.mem = entryReady, mem
	}
	close(e.wait)
	return data, mem, err
}
