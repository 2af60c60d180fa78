package block

import (
	"context"
	"io"
	"slices"
)

// start starts requests for the blocks that are wanted, as long as there may be more of them. c.mu is held.
func (c *Cache) start() {
	if len(c.wanted) == 0 || c.running >= c.o.InFlight {
		return
	}
	slices.Sort(c.wanted)
	for len(c.wanted) > 0 && c.running < c.o.InFlight {
		first := c.wanted[0]
		last, n := first, 1
		for ; n < len(c.wanted); n++ {
			next := c.wanted[n]
			if (next-last-1)<<c.shift > c.o.Gap || (next-first+1)<<c.shift > c.o.Span || c.known(last+1, next) {
				break
			}
			last = next
		}
		c.wanted = c.wanted[n:]
		for i := first; i <= last; i++ {
			if c.blocks[i] == nil { // in a gap
				c.blocks[i] = &entry{done: make(chan struct{}), ahead: 1}
			}
		}
		c.running++
		c.wait.Go(func() { c.request(first, last) })
	}
}

// known reports whether a block from a up to, but not including, b is there or on its way: then it is not worth its while to
// read over it. c.mu is held.
func (c *Cache) known(a, b int64) bool {
	for i := a; i < b; i++ {
		if c.blocks[i] != nil {
			return true
		}
	}
	return false
}

// request reads the blocks from first to last.
func (c *Cache) request(first, last int64) {
	off := first << c.shift
	n := min((last+1)<<c.shift, c.size) - off
	data := make([]byte, n)
	got, err := c.b.ReadAtContext(c.ctx, data, off)
	if int64(got) == n {
		err = nil
	} else {
		err = failed(err, off+int64(got))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running--
	for i := first; i <= last; i++ {
		a, b := i<<c.shift-off, min((i+1)<<c.shift-off, n)
		if err != nil {
			c.arrive(i, nil, err)
			continue
		}
		block := data[a:b:b]
		if last > first { // each may be dropped alone
			block = slices.Clone(block)
		}
		c.arrive(i, block, nil)
	}
	c.start()
}

// flight is a request for data, which goes to where the first who asked wants it. Others copy it from there.
type flight struct {
	off     int64
	p       []byte
	done    chan struct{}
	n       int
	err     error
	readers int // that wait for it or copy from it, besides the first
	left    chan struct{}
}

// share fills p with a request, unless one is under way that covers it.
func (c *Cache) share(ctx context.Context, p []byte, off int64) (int, error) {
	c.mu.Lock()
	for _, f := range c.flights {
		if f.off > off || off+int64(len(p)) > f.off+int64(len(f.p)) {
			continue
		}
		f.readers++
		c.mu.Unlock()
		n, err, ok := c.join(ctx, f, p, off)
		if ok {
			return n, err
		}
		return c.share(ctx, p, off) // the first one gave up
	}
	f := &flight{off: off, p: p, done: make(chan struct{}), left: make(chan struct{})}
	c.flights = append(c.flights, f)
	c.mu.Unlock()

	f.n, f.err = c.b.ReadAtContext(ctx, p, off)
	c.mu.Lock()
	k := slices.Index(c.flights, f)
	c.flights = slices.Delete(c.flights, k, k+1)
	readers := f.readers
	c.mu.Unlock()
	close(f.done)
	if readers > 0 {
		<-f.left // they copy from p
	}
	return f.n, f.err
}

// join waits for a flight and copies from it; ok is false if it failed, or was given up, by no fault of the caller's.
func (c *Cache) join(ctx context.Context, f *flight, p []byte, off int64) (n int, err error, ok bool) {
	defer func() {
		c.mu.Lock()
		f.readers--
		last := f.readers == 0
		gone := !slices.Contains(c.flights, f)
		c.mu.Unlock()
		if last && gone {
			close(f.left)
		}
	}()
	select {
	case <-f.done:
	case <-ctx.Done():
		return 0, ctx.Err(), true
	}
	if f.err != nil && f.err != io.EOF || f.n != len(f.p) {
		return 0, nil, false
	}
	c.o.Hit(int64(len(p)))
	return copy(p, f.p[off-f.off:]), nil, true
}
